/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces, nodes, CIDR groups and services of a manifest. Called by policy.c. Owns nothing
 * beside what it adds to the set. Must hold: an address that policies would take for a node or a
 * backend is one that the object says, or the object is refused.
 */
#include "model/object.h"

#include "base/str.h"
#include "codec/json.h"

#define SERVICE_NAME "kubernetes.io/service-name"

/* A member that is a mapping, or absent. */
static int member_mapping(
	const struct walk *w, const struct node *up, const char *key, struct node *ret)
{
	*ret = node_member(up, key);
	return ret->value ? walk_mapping(w, ret) : 0;
}

static int member_list(
	const struct walk *w, const struct node *up, const char *key, struct node *ret)
{
	*ret = node_member(up, key);
	return walk_list(w, ret);
}

static int parse_metadata(const struct walk *w, const struct node *n, const struct kind *k,
	const char *source, struct labels *ret_labels, const char **ret_name,
	const char **ret_namespace)
{
	struct node metadata, labels;
	int r = member_mapping(w, n, "metadata", &metadata);

	r = r < 0 ? r : policy_parse_name(w, n, k, ret_name, ret_namespace);
	labels = node_member(&metadata, "labels");
	return r < 0 ? r : policy_parse_labels(w, &labels, source, ret_labels);
}

int object_parse_namespace(
	struct walk *w, const struct node *n, const struct kind *k, struct policy_set *set)
{
	struct policy_namespace one = {.origin = walk_origin(w, n)};
	const char *ignored;
	int r = parse_metadata(w, n, k, "k8s", &one.labels, &one.name, &ignored);

	if (r < 0)
		return r;
	mem_grow(&set->namespace, &set->namespace_room, set->namespaces + 1,
		sizeof(*set->namespace));
	set->namespace[set->namespaces++] = one;
	return 0;
}

static int parse_address(const struct walk *w, const struct node *n, struct addr *ret)
{
	const char *s = NULL;
	int r = walk_string_needed(w, n, &s);

	if (r < 0)
		return r;
	if (addr_parse(s, ret) < 0)
		return walk_error(w, n, "\"%.60s\" is no address", s);
	return 0;
}

static bool is_node_address(const char *type)
{
	static const char *const types[] = {"InternalIP", "ExternalIP", "CiliumInternalIP"};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (str_eq(types[i], type))
			return true;
	}
	return false;
}

/* A list of {type, KEY: address}; names of hosts are left out. */
static int parse_node_addresses(
	const struct walk *w, const struct node *list, const char *key, struct policy_node *node)
{
	node->addr = arena_array(w->mem, node_items(list), sizeof(*node->addr));
	for (size_t i = 0; i < node_items(list); i++) {
		struct node item = node_item(list, i), type = node_member(&item, "type");
		struct node address = node_member(&item, key);
		const char *s = NULL;
		int r = walk_mapping(w, &item);

		r = r < 0 ? r : walk_string_needed(w, &type, &s);
		if (!r && is_node_address(s))
			r = parse_address(w, &address, &node->addr[node->addrs++]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Addresses stand in PART.addresses[].KEY. */
static int parse_node(struct walk *w, const struct node *n, const struct kind *k, const char *part,
	const char *key, struct policy_set *set)
{
	struct policy_node one = {.origin = walk_origin(w, n)};
	struct node of, list;
	const char *ignored;
	int r = parse_metadata(w, n, k, "node", &one.labels, &one.name, &ignored);

	r = r < 0 ? r : member_mapping(w, n, part, &of);
	r = r < 0 ? r : member_list(w, &of, "addresses", &list);
	r = r < 0 ? r : parse_node_addresses(w, &list, key, &one);
	if (r < 0)
		return r;
	mem_grow(&set->node, &set->node_room, set->nodes + 1, sizeof(*set->node));
	set->node[set->nodes++] = one;
	return 0;
}

int object_parse_node(
	struct walk *w, const struct node *n, const struct kind *k, struct policy_set *set)
{
	return parse_node(w, n, k, "status", "address", set);
}

int object_parse_cilium_node(
	struct walk *w, const struct node *n, const struct kind *k, struct policy_set *set)
{
	return parse_node(w, n, k, "spec", "ip", set);
}

int object_parse_group(
	struct walk *w, const struct node *n, const struct kind *k, struct policy_set *set)
{
	static const struct field fields[] = {{"externalCIDRs", NULL}};
	struct policy_group one = {.origin = walk_origin(w, n)};
	struct node spec = node_member(n, "spec"), list = node_member(&spec, "externalCIDRs");
	const char *ignored;
	int r = parse_metadata(w, n, k, "cidrgroup", &one.labels, &one.name, &ignored);

	if (!r && !spec.value)
		return walk_error(w, &spec, "is missing");
	r = r < 0 ? r : WALK_FIELDS(w, &spec, fields);
	if (!r && !list.value)
		return walk_error(w, &list, "is missing; [] is an empty group");
	r = r < 0 ? r : walk_list(w, &list);
	one.prefix = arena_array(w->mem, node_items(&list), sizeof(*one.prefix));
	for (size_t i = 0; !r && i < node_items(&list); i++) {
		struct node item = node_item(&list, i);

		r = policy_parse_prefix(w, &item, &one.prefix[one.prefixes++]);
	}
	if (r < 0)
		return r;
	mem_grow(&set->group, &set->group_room, set->groups + 1, sizeof(*set->group));
	set->group[set->groups++] = one;
	return 0;
}

static void add_service(struct policy_set *set, const struct policy_service *one)
{
	mem_grow(&set->service, &set->service_room, set->services + 1, sizeof(*set->service));
	set->service[set->services++] = *one;
}

/* spec.selector: labels that the pods of the service's namespace have. */
static int parse_service_selector(
	const struct walk *w, const struct node *n, struct policy_service *one)
{
	struct labels labels = {0};
	int r = policy_parse_labels(w, n, "k8s", &labels);

	if (r < 0 || !labels.count)
		return r;
	one->has_selector = true;
	for (size_t i = 0; i < labels.count; i++)
		policy_require(
			w, &one->selector, "k8s", labels.label[i].key, labels.label[i].value);
	policy_require(w, &one->selector, "k8s", LABEL_NAMESPACE, one->namespace);
	return 0;
}

int object_parse_service(
	struct walk *w, const struct node *n, const struct kind *k, struct policy_set *set)
{
	struct policy_service one = {.origin = walk_origin(w, n)};
	struct node spec, selector, type;
	const char *s = NULL;
	int r = parse_metadata(w, n, k, "k8s", &one.labels, &one.name, &one.namespace);

	r = r < 0 ? r : member_mapping(w, n, "spec", &spec);
	if (r < 0)
		return r;
	type = node_member(&spec, "type");
	selector = node_member(&spec, "selector");
	r = walk_string(w, &type, &s);
	if (!r && !str_eq(s, "ExternalName")) /* a DNS name, which has no pods */
		r = parse_service_selector(w, &selector, &one);
	if (!r)
		add_service(set, &one);
	return r;
}

/* subsets[].addresses[].ip; those that are not ready get no traffic. */
int object_parse_endpoints(
	struct walk *w, const struct node *n, const struct kind *k, struct policy_set *set)
{
	struct policy_service one = {.origin = walk_origin(w, n)};
	struct labels ignored = {0};
	struct node subsets;
	size_t total = 0;
	int r = parse_metadata(w, n, k, "k8s", &ignored, &one.name, &one.namespace);

	r = r < 0 ? r : member_list(w, n, "subsets", &subsets);
	if (r < 0)
		return r;
	for (size_t i = 0; i < node_items(&subsets); i++)
		total += json_array_size(
			json_object_get(json_array_get(subsets.value, i), "addresses"));
	one.backend = arena_array(w->mem, total, sizeof(*one.backend));
	for (size_t i = 0; !r && i < node_items(&subsets); i++) {
		struct node subset = node_item(&subsets, i), list;

		r = walk_mapping(w, &subset);
		r = r < 0 ? r : member_list(w, &subset, "addresses", &list);
		for (size_t m = 0; !r && m < node_items(&list); m++) {
			struct node item = node_item(&list, m), ip = node_member(&item, "ip");

			r = walk_mapping(w, &item);
			r = r < 0 ? r : parse_address(w, &ip, &one.backend[one.backends++]);
		}
	}
	if (!r)
		add_service(set, &one);
	return r;
}

/* {addresses, conditions: {ready}}: not there means ready. */
static int parse_slice_endpoint(
	const struct walk *w, const struct node *n, struct policy_service *one)
{
	struct node list, conditions, ready;
	bool is_ready = true;
	int r = walk_mapping(w, n);

	r = r < 0 ? r : member_list(w, n, "addresses", &list);
	r = r < 0 ? r : member_mapping(w, n, "conditions", &conditions);
	if (r < 0)
		return r;
	ready = node_member(&conditions, "ready");
	r = walk_bool(w, &ready, &is_ready);
	for (size_t i = 0; !r && i < node_items(&list); i++) {
		struct node item = node_item(&list, i);

		r = parse_address(w, &item, &one->backend[one->backends]);
		one->backends += is_ready;
	}
	return r;
}

int object_parse_slice(
	struct walk *w, const struct node *n, const struct kind *k, struct policy_set *set)
{
	struct policy_service one = {.origin = walk_origin(w, n)};
	struct labels labels = {0};
	struct node type = node_member(n, "addressType"), list;
	const struct label *service;
	const char *s = NULL;
	size_t total = 0;
	int r = parse_metadata(w, n, k, "k8s", &labels, &one.name, &one.namespace);

	r = r < 0 ? r : walk_string_needed(w, &type, &s);
	r = r < 0 ? r : member_list(w, n, "endpoints", &list);
	if (r < 0)
		return r;
	service = labels_find(&labels, "k8s", SERVICE_NAME);
	if (!service || str_eq(s, "FQDN"))
		return 0;
	one.name = service->value;
	for (size_t i = 0; i < node_items(&list); i++)
		total += json_array_size(
			json_object_get(json_array_get(list.value, i), "addresses"));
	one.backend = arena_array(w->mem, total + 1, sizeof(*one.backend));
	for (size_t i = 0; !r && i < node_items(&list); i++) {
		struct node item = node_item(&list, i);

		r = parse_slice_endpoint(w, &item, &one);
	}
	if (!r)
		add_service(set, &one);
	return r;
}
