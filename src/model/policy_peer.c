/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The peers of a rule element: endpoints, entities, CIDRs. Called by policy_cilium.c and
 * policy_network.c. Owns nothing beside what it puts into the set's arena. Must hold: a peer field
 * that is there selects exactly what it lists, so an empty one selects nothing (lessons A,
 * EMPTY-SET); only a rule without any peer field means every peer.
 */
#include "model/policy_walk.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "codec/json.h"

/* The peer fields of a direction, in the order of enum peer_field. The refused ones come last: they
 * count as "there". */
enum peer_field { FIELD_ENDPOINTS, FIELD_CIDR, FIELD_CIDR_SET, FIELD_ENTITIES };
static const char *const peer_fields[POLICY_DIRECTIONS][8] = {
	{"fromEndpoints", "fromCIDR", "fromCIDRSet", "fromEntities", "fromGroups", "fromNodes",
		NULL},
	{"toEndpoints", "toCIDR", "toCIDRSet", "toEntities", "toGroups", "toNodes", "toServices",
		"toFQDNs"}};

/* Entities that stand for reserved labels. "all", "none", "cluster" and "cluster-mesh" are more
 * than that. */
static const struct {
	const char *name;
	const char *label[3];
} entities[] = {{"host", {"host"}}, {"world", {"world", "world-ipv4", "world-ipv6"}},
	{"world-ipv4", {"world-ipv4"}}, {"world-ipv6", {"world-ipv6"}},
	{"unmanaged", {"unmanaged"}}, {"health", {"health"}}, {"init", {"init"}},
	{"remote-node", {"remote-node"}}, {"kube-apiserver", {"kube-apiserver"}},
	{"ingress", {"ingress"}}};

/* What "cluster" stands for, beside the pods. */
static const char *const cluster_members[] = {
	"host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver"};

void policy_set_peer_kind(const struct walk *w, struct rule *r, enum peer_kind kind)
{
	r->peer = arena_alloc(w->mem, sizeof(*r->peer));
	r->peer->kind = kind;
	r->peers = 1;
}

static struct peer *add_peer(struct rule *r, enum peer_kind kind)
{
	struct peer *p = &r->peer[r->peers++];

	*p = (struct peer){.kind = kind};
	return p;
}

/*
 * A selector that names no namespace means the policy's own; of a clusterwide policy, any pod of
 * the cluster but not the world. Selectors on reserved labels and on labels of namespaces are left
 * alone.
 */
static void add_scope(const struct walk *w, const struct peer_scope *scope, struct selector *s)
{
	if (selector_has_source(s, "reserved") || selector_has_key(s, LABEL_NAMESPACE, false) ||
		selector_has_key(s, LABEL_NAMESPACE_LABELS, true))
		return;
	if (scope->namespace || !scope->init)
		policy_require(w, s, "k8s", LABEL_NAMESPACE, scope->namespace);
}

static int parse_endpoints(const struct walk *w, const struct node *list,
	const struct peer_scope *scope, struct rule *r)
{
	struct peer *p = add_peer(r, PEER_SELECTOR);

	p->selector = arena_array(w->mem, node_items(list), sizeof(*p->selector));
	for (size_t i = 0; i < node_items(list); i++) {
		struct node item = node_item(list, i);
		int err = policy_parse_selector(w, &item, NULL, &p->selector[i]);

		if (err < 0)
			return err;
		add_scope(w, scope, &p->selector[i]);
		p->selectors++;
	}
	return 0;
}

int policy_parse_prefix(const struct walk *w, const struct node *n, struct prefix *ret)
{
	const char *s = NULL;
	int r = walk_string_needed(w, n, &s);

	if (r < 0)
		return r;
	if (prefix_parse(s, true, ret) < 0)
		return walk_error(w, n, "\"%.60s\" is no CIDR; write 10.0.0.0/8 or fd00::/8", s);
	return 0;
}

static int parse_cidrs(const struct walk *w, const struct node *list, struct rule *r)
{
	struct peer *p = add_peer(r, PEER_PREFIX);

	p->prefix = arena_array(w->mem, node_items(list), sizeof(*p->prefix));
	for (size_t i = 0; i < node_items(list); i++) {
		struct node item = node_item(list, i);
		int err = policy_parse_prefix(w, &item, &p->prefix[p->prefixes++]);

		if (err < 0)
			return err;
	}
	return 0;
}

int policy_parse_excepts(const struct walk *w, const struct node *list, struct peer *p)
{
	int r = walk_list(w, list);

	if (r < 0)
		return r;
	p->except = arena_array(w->mem, node_items(list), sizeof(*p->except));
	for (size_t i = 0; i < node_items(list); i++) {
		struct node item = node_item(list, i);
		char outer[ADDR_TEXT], inner[ADDR_TEXT];

		r = policy_parse_prefix(w, &item, &p->except[p->excepts]);
		if (r < 0)
			return r;
		if (!prefix_contains(&p->prefix[0], &p->except[p->excepts]))
			return walk_error(w, &item, "%s is not inside %s",
				prefix_format(&p->except[p->excepts], inner),
				prefix_format(&p->prefix[0], outer));
		p->excepts++;
	}
	return 0;
}

static int parse_cidr_set(const struct walk *w, const struct node *list, struct rule *r)
{
	static const struct field fields[] = {{"cidr", NULL}, {"except", NULL},
		{"cidrGroupRef", "CIDR groups are not supported yet"},
		{"cidrGroupSelector", "CIDR groups are not supported yet"}};

	for (size_t i = 0; i < node_items(list); i++) {
		struct node item = node_item(list, i);
		struct node cidr = node_member(&item, "cidr");
		struct node except = node_member(&item, "except");
		struct peer *p = add_peer(r, PEER_PREFIX);
		int err;

		if (!item.value)
			return walk_error(w, &item, "expected a mapping, found null");
		err = WALK_FIELDS(w, &item, fields);
		p->prefix = arena_array(w->mem, 1, sizeof(*p->prefix));
		p->prefixes = 1;
		err = err < 0 ? err : policy_parse_prefix(w, &cidr, &p->prefix[0]);
		err = err < 0 ? err : policy_parse_excepts(w, &except, p);
		if (err < 0)
			return err;
	}
	return 0;
}

static void add_label_entity(const struct walk *w, struct peer *p, const char *source,
	const char *key, const char *value)
{
	policy_require(w, &p->selector[p->selectors++], source, key, value);
}

static void add_cluster(const struct walk *w, struct peer *p, const char *cluster)
{
	for (size_t i = 0; i < ARRAY_SIZE(cluster_members); i++)
		add_label_entity(w, p, "reserved", cluster_members[i], NULL);
	add_label_entity(w, p, "k8s", LABEL_CLUSTER, cluster);
}

static int unknown_entity(const struct walk *w, const struct node *n, const char *name)
{
	const char *words[ARRAY_SIZE(entities) + 5], *nearest;
	size_t count = 0;

	for (; count < ARRAY_SIZE(entities); count++)
		words[count] = entities[count].name;
	words[count++] = "all";
	words[count++] = "none";
	words[count++] = "cluster";
	words[count++] = "cluster-mesh";
	words[count] = NULL;
	nearest = walk_nearest(name, words);
	if (nearest)
		return walk_error(
			w, n, "unknown entity \"%.60s\"; did you mean %s?", name, nearest);
	return walk_error(w, n,
		"unknown entity \"%.60s\"; use all, cluster, cluster-mesh, world, world-ipv4, "
		"world-ipv6, host, remote-node, kube-apiserver, health, init, ingress, unmanaged "
		"or "
		"none",
		name);
}

/* p has room for cluster_members and one more of each entity. */
static int parse_entity(const struct walk *w, const struct node *n, struct peer *p)
{
	const char *name = NULL;
	int r = walk_string_needed(w, n, &name);

	if (r < 0)
		return r;
	if (str_eq(name, "all")) {
		p->kind = PEER_ANY;
		return 0;
	}
	if (str_eq(name, "none"))
		return 0;
	if (str_eq(name, "cluster") || str_eq(name, "cluster-mesh")) {
		add_cluster(w, p,
			str_eq(name, "cluster") ? arena_strdup(w->mem, w->context->cluster) : NULL);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(entities); i++) {
		if (!str_eq(entities[i].name, name))
			continue;
		for (size_t k = 0; k < 3 && entities[i].label[k]; k++)
			add_label_entity(w, p, "reserved", entities[i].label[k], NULL);
		return 0;
	}
	return unknown_entity(w, n, name);
}

static int parse_entities(const struct walk *w, const struct node *list, struct rule *r)
{
	struct peer *p = add_peer(r, PEER_SELECTOR);

	p->selector = arena_array(
		w->mem, node_items(list) * (ARRAY_SIZE(cluster_members) + 1), sizeof(*p->selector));
	for (size_t i = 0; i < node_items(list); i++) {
		struct node item = node_item(list, i);
		int err = parse_entity(w, &item, p);

		if (err < 0)
			return err;
	}
	if (p->kind == PEER_ANY)
		*p = (struct peer){.kind = PEER_ANY};
	else if (!p->selectors)
		p->kind = PEER_NONE;
	return 0;
}

/* Which of the fields are there, and that no two of them list something. */
static int check_fields(
	const struct walk *w, const struct node *rule, enum policy_direction d, bool *ret_there)
{
	const char *filled = NULL;

	*ret_there = false;
	for (size_t i = 0; i < 8 && peer_fields[d][i]; i++) {
		struct node n = node_member(rule, peer_fields[d][i]);
		int r = walk_list(w, &n);

		if (r < 0)
			return r;
		*ret_there |= n.value != NULL;
		if (!node_items(&n))
			continue;
		if (filled)
			return walk_error(w, &n,
				"cannot be combined with %s in one rule; write two rules", filled);
		filled = peer_fields[d][i];
	}
	return 0;
}

int policy_parse_peers(const struct walk *w, const struct node *rule, enum policy_direction d,
	const struct peer_scope *scope, bool limited_ports, struct rule *ret)
{
	const char *const *names = peer_fields[d];
	struct node endpoints = node_member(rule, names[FIELD_ENDPOINTS]);
	struct node cidr = node_member(rule, names[FIELD_CIDR]);
	struct node cidr_set = node_member(rule, names[FIELD_CIDR_SET]);
	struct node entity = node_member(rule, names[FIELD_ENTITIES]);
	bool there = false;
	int r = check_fields(w, rule, d, &there);

	if (r < 0)
		return r;
	ret->peer = arena_array(w->mem, 1 + node_items(&cidr_set), sizeof(*ret->peer));
	if (node_items(&endpoints))
		r = parse_endpoints(w, &endpoints, scope, ret);
	else if (node_items(&cidr))
		r = parse_cidrs(w, &cidr, ret);
	else if (node_items(&cidr_set))
		r = parse_cidr_set(w, &cidr_set, ret);
	else if (node_items(&entity))
		r = parse_entities(w, &entity, ret);
	else /* {} selects no peers; ports alone mean every peer; an empty field nobody */
		policy_set_peer_kind(w, ret, limited_ports && !there ? PEER_ANY : PEER_NONE);
	return r;
}
