/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents to policies and to the objects that policies refer to: kinds, lists, metadata. Called
 * by the agent for each document of a manifest. A set owns its content through its arena. Must
 * hold: a document that fails adds nothing to the set, although the arena may keep the memory of
 * what was read until the set goes.
 */
#include "model/policy.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"
#include "codec/json.h"
#include "model/object.h"
#include "model/policy_walk.h"

enum { NAME_MAX_BYTES = 253, NAMESPACE_MAX_BYTES = 63 };

#define ANNOTATION_PREFIX "policy.kilim.io/"
#define ANNOTATION_MODE   ANNOTATION_PREFIX "mode"
#define POLICY_API        "policy.networking.k8s.io"

static int parse_policy(
	struct walk *w, const struct node *n, const struct kind *k, struct policy_set *set);

static const struct kind kinds[] = {
	{"CiliumNetworkPolicy", "CiliumNetworkPolicyList", "cilium.io", {"v2"}, true, false,
		TIER_NORMAL, parse_policy, policy_parse_cilium},
	{"CiliumClusterwideNetworkPolicy", "CiliumClusterwideNetworkPolicyList", "cilium.io",
		{"v2"}, false, false, TIER_NORMAL, parse_policy, policy_parse_cilium},
	{"NetworkPolicy", "NetworkPolicyList", "networking.k8s.io", {"v1"}, true, true, TIER_NORMAL,
		parse_policy, policy_parse_network},
	{"ClusterNetworkPolicy", "ClusterNetworkPolicyList", POLICY_API, {"v1alpha2"}, false, true,
		TIER_ADMIN, parse_policy, policy_parse_cluster},
	{"AdminNetworkPolicy", "AdminNetworkPolicyList", POLICY_API, {"v1alpha1"}, false, true,
		TIER_ADMIN, parse_policy, policy_parse_cluster},
	{"BaselineAdminNetworkPolicy", "BaselineAdminNetworkPolicyList", POLICY_API, {"v1alpha1"},
		false, true, TIER_BASELINE, parse_policy, policy_parse_cluster},
	{"CiliumCIDRGroup", "CiliumCIDRGroupList", "cilium.io", {"v2", "v2alpha1"}, false, false,
		TIER_NORMAL, object_parse_group, NULL},
	{"CiliumNode", "CiliumNodeList", "cilium.io", {"v2"}, false, false, TIER_NORMAL,
		object_parse_cilium_node, NULL},
	{"Namespace", "NamespaceList", "", {"v1"}, false, true, TIER_NORMAL, object_parse_namespace,
		NULL},
	{"Node", "NodeList", "", {"v1"}, false, true, TIER_NORMAL, object_parse_node, NULL},
	{"Service", "ServiceList", "", {"v1"}, true, true, TIER_NORMAL, object_parse_service, NULL},
	{"Endpoints", "EndpointsList", "", {"v1"}, true, true, TIER_NORMAL, object_parse_endpoints,
		NULL},
	{"EndpointSlice", "EndpointSliceList", "discovery.k8s.io", {"v1", "v1beta1"}, true, true,
		TIER_NORMAL, object_parse_slice, NULL},
};

static const char *text_of(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

static bool has_group(const char *version, const struct kind *k)
{
	size_t len = strlen(k->group);

	if (k->specs == policy_parse_network && str_has_prefix(version, "extensions/"))
		return true; /* where NetworkPolicy was before; refused by its version */
	if (!len)
		return *version && !strchr(version, '/');
	return !strncmp(version, k->group, len) && version[len] == '/';
}

/* The kind of an object, or of the items of its list; in any version of its group. */
static const struct kind *kind_find(const json_t *j, bool list)
{
	const char *name = text_of(j, "kind"), *version = text_of(j, "apiVersion");

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (str_eq(list ? kinds[i].list : kinds[i].name, name) &&
			has_group(version, &kinds[i]))
			return &kinds[i];
	}
	return NULL;
}

static bool is_plain_list(const json_t *j)
{
	return str_eq(text_of(j, "kind"), "List") && str_eq(text_of(j, "apiVersion"), "v1");
}

bool policy_is_kind(const json_t *doc)
{
	const json_t *items = json_object_get(doc, "items");

	if (kind_find(doc, false) || kind_find(doc, true))
		return true;
	for (size_t i = 0; is_plain_list(doc) && i < json_array_size(items); i++) {
		if (kind_find(json_array_get(items, i), false))
			return true;
	}
	return false;
}

int policy_check_other(const char *file, const struct yaml_doc *doc, struct err *e)
{
	const char *version = text_of(doc->root, "apiVersion"), *kind = text_of(doc->root, "kind");

	if (!*version || !*kind)
		return err_set(e, -EINVAL, "%s:%d:1: expected an object with apiVersion and kind",
			file, doc->line);
	if (strstr(version, "cilium.io/") || str_has_prefix(version, "networking.k8s.io/") ||
		strstr(version, "policy.networking.k8s.io/"))
		return err_set(e, -EINVAL,
			"%s:%d:1: kind: %s of %s is not supported; supported are "
			"CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy, NetworkPolicy, "
			"ClusterNetworkPolicy, AdminNetworkPolicy, BaselineAdminNetworkPolicy, "
			"CiliumCIDRGroup and CiliumNode",
			file, doc->line, kind, version);
	return 0;
}

int policy_check_name(
	const struct walk *w, const struct node *n, const char *s, size_t max, bool dots)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (!islower(c) && !isdigit(c) &&
			(!i || i + 1 == len || (c != '-' && (c != '.' || !dots))))
			return walk_error(w, n,
				"\"%.80s\" is no name: lower-case letters, digits%s '-', with a "
				"letter or digit at both ends",
				s, dots ? ", '.'," : ",");
	}
	if (len > max)
		return walk_error(w, n, "is longer than %zu bytes", max);
	return 0;
}

int policy_parse_labels(
	const struct walk *w, const struct node *n, const char *source, struct labels *ret)
{
	const char *key;
	json_t *value;
	int r = 0;

	if (n->value && !json_is_object(n->value))
		return walk_error(w, n, "expected a mapping, found %s", json_kind(n->value));
	ret->label = arena_array(w->mem, json_object_size(n->value), sizeof(*ret->label));
	/* the iteration macro wants a mutable object but changes nothing */
	json_object_foreach((json_t *)n->value, key, value)
	{
		struct node at = node_member(n, key);
		const char *text = NULL;
		struct err e = {0};

		r = WALK_ALSO(w, r, walk_string(w, &at, &text));
		if (!walk_on(w, r))
			return r;
		ret->label[ret->count++] = (struct label){
			source, arena_strdup(w->mem, key), arena_strdup(w->mem, text ? text : "")};
		if (labels_normalize(ret, &e) < 0)
			return walk_error(w, &at, "%s", e.text);
	}
	return r;
}

int policy_parse_mode(const struct walk *w, const struct node *n, enum policy_mode *ret)
{
	const char *s = NULL;
	int r = walk_string(w, n, &s);

	if (r < 0 || !s)
		return r;
	if (!str_eq(s, "enforce") && !str_eq(s, "shadow"))
		return walk_error(w, n, "\"%.40s\" is no mode; use enforce or shadow", s);
	*ret = str_eq(s, "shadow") ? MODE_SHADOW : MODE_ENFORCE;
	return 0;
}

int policy_annotated_mode(
	const struct walk *w, const struct node *root, bool *ret_given, enum policy_mode *ret)
{
	struct node metadata = node_member(root, "metadata");
	struct node annotations = node_member(&metadata, "annotations");
	struct node mode = node_member(&annotations, ANNOTATION_MODE);

	*ret_given = mode.value != NULL;
	return policy_parse_mode(w, &mode, ret);
}

/* Annotations are everybody's, but those under kilim's own name are known. */
static int check_annotations(const struct walk *w, const struct node *n)
{
	const char *key;
	json_t *value;
	int r = 0;

	if (n->value && !json_is_object(n->value))
		return walk_error(w, n, "expected a mapping, found %s", json_kind(n->value));
	/* the iteration macro wants a mutable object but changes nothing */
	json_object_foreach((json_t *)n->value, key, value)
	{
		struct node at = node_member(n, key);

		if (str_has_prefix(key, ANNOTATION_PREFIX) && !str_eq(key, ANNOTATION_MODE))
			r = WALK_ALSO(w, r,
				walk_error(w, &at,
					"unknown annotation; did you mean " ANNOTATION_MODE "?"));
	}
	return r;
}

int policy_parse_name(const struct walk *w, const struct node *root, const struct kind *k,
	const char **ret_name, const char **ret_namespace)
{
	struct node n = node_member(root, "metadata"), name = node_member(&n, "name");
	struct node namespace = node_member(&n, "namespace");
	const char *s_name = NULL, *s_namespace = NULL;
	int r = walk_string_needed(w, &name, &s_name);

	r = r < 0 ? r : policy_check_name(w, &name, s_name, NAME_MAX_BYTES, true);
	r = WALK_ALSO(w, r, walk_string(w, &namespace, &s_namespace));
	if (!walk_on(w, r))
		return r;
	if (!k->namespaced && s_namespace && *s_namespace)
		r = WALK_ALSO(
			w, r, walk_error(w, &namespace, "%s has no namespace; remove it", k->name));
	if (k->namespaced && (!s_namespace || !*s_namespace))
		s_namespace =
			w->context->default_namespace ? w->context->default_namespace : "default";
	if (k->namespaced)
		r = WALK_ALSO(w, r,
			policy_check_name(w, &namespace, s_namespace, NAMESPACE_MAX_BYTES, false));
	/* to go on with, also where they are wrong */
	*ret_name = arena_strdup(w->mem, s_name ? s_name : "");
	*ret_namespace = arena_strdup(w->mem, k->namespaced ? s_namespace : "");
	return r;
}

static int parse_metadata(
	const struct walk *w, const struct node *root, const struct kind *k, struct policy *p)
{
	static const struct field fields[] = {{"name", NULL}, {"namespace", NULL}, {"labels", NULL},
		{"uid", NULL}, {"annotations", NULL}, {"creationTimestamp", NULL},
		{"deletionGracePeriodSeconds", NULL}, {"deletionTimestamp", NULL},
		{"finalizers", NULL}, {"generateName", NULL}, {"generation", NULL},
		{"managedFields", NULL}, {"ownerReferences", NULL}, {"resourceVersion", NULL},
		{"selfLink", NULL}};
	struct node n = node_member(root, "metadata"), uid = node_member(&n, "uid");
	struct node labels = node_member(&n, "labels");
	struct node annotations = node_member(&n, "annotations");
	const char *s_uid = NULL;
	bool given = false;
	int r = WALK_FIELDS(w, &n, fields);

	r = WALK_ALSO(w, r, policy_parse_name(w, root, k, &p->name, &p->namespace));
	r = WALK_ALSO(w, r, walk_string(w, &uid, &s_uid));
	r = WALK_ALSO(w, r, policy_parse_labels(w, &labels, "k8s", &p->labels));
	r = WALK_ALSO(w, r, check_annotations(w, &annotations));
	r = WALK_ALSO(w, r, policy_annotated_mode(w, root, &given, &p->mode));
	p->kind = k->name;
	p->tier = k->tier;
	p->uid = arena_strdup(w->mem, s_uid ? s_uid : "");
	return r;
}

static int check_version(const struct walk *w, const struct node *n, const struct kind *k)
{
	struct node version = node_member(n, "apiVersion");
	const char *text = text_of(n->value, "apiVersion"), *slash = *k->group ? "/" : "";
	SCOPED(str_done) struct str wanted = {0};

	if (!version.value)
		return 0; /* items of a typed list may leave it out */
	for (size_t i = 0; i < ARRAY_SIZE(k->version) && k->version[i]; i++) {
		SCOPED(str_done) struct str one = {0};

		str_printf(&one, "%s%s%s", k->group, slash, k->version[i]);
		if (str_eq(str_text(&one), text))
			return 0;
		str_printf(&wanted, "%s%s", i ? " or " : "", str_text(&one));
	}
	return walk_error(w, &version, "\"%.60s\" is not supported for %s; use %s", text, k->name,
		str_text(&wanted));
}

/* Equal digests mean equal objects. */
static uint64_t digest_of(const json_t *j)
{
	SCOPED(freep) char *text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);

	return text ? hash_bytes(text, strlen(text), 0) : 0;
}

static int parse_policy(
	struct walk *w, const struct node *n, const struct kind *k, struct policy_set *set)
{
	struct policy p = {.origin = walk_origin(w, n), .source = n->value};
	int r = parse_metadata(w, n, k, &p);

	r = WALK_ALSO(w, r, k->specs(w, n, &p));
	if (r < 0)
		return r;
	p.digest = digest_of(n->value);
	mem_grow(&set->policy, &set->capacity, set->count + 1, sizeof(*set->policy));
	set->policy[set->count++] = p;
	return 0;
}

static int parse_one(
	struct walk *w, const struct node *n, const struct kind *k, struct policy_set *set)
{
	int r = check_version(w, n, k);

	w->strict_names = k->kubernetes;
	return WALK_ALSO(w, r, k->parse(w, n, k, set));
}

static int parse_item(
	struct walk *w, const struct node *n, const struct kind *of, struct policy_set *set)
{
	const struct kind *k = kind_find(n->value, false);

	if (!json_is_object(n->value))
		return walk_error(w, n, "expected a mapping, found %s", json_kind(n->value));
	if (of && k != of && *text_of(n->value, "kind"))
		return walk_error(
			w, n, "a %s in a list of %s", text_of(n->value, "kind"), of->name);
	k = of ? of : k;
	return k ? parse_one(w, n, k, set) : 0;
}

/* of: the kind of the items; NULL for a plain list, whose items say it and which may hold other
 * objects. */
static int parse_list(
	struct walk *w, const struct node *root, const struct kind *of, struct policy_set *set)
{
	static const struct field fields[] = {
		{"apiVersion", NULL}, {"kind", NULL}, {"metadata", NULL}, {"items", NULL}};
	struct node items = node_member(root, "items");
	int r = WALK_FIELDS(w, root, fields);

	r = WALK_ALSO(w, r, walk_list(w, &items));
	for (size_t i = 0; walk_on(w, r) && i < node_items(&items); i++) {
		struct node item = node_item(&items, i);

		r = WALK_ALSO(w, r, parse_item(w, &item, of, set));
	}
	return r;
}

static int parse_document(struct walk *w, struct policy_set *set)
{
	const json_t *j = w->doc->root;
	const struct kind *one = kind_find(j, false), *list = kind_find(j, true);
	const struct node root = {.value = j};

	if (one)
		return parse_one(w, &root, one, set);
	if (list || is_plain_list(j))
		return parse_list(w, &root, list, set);
	return walk_error(w, &root,
		"kind \"%.60s\" of apiVersion \"%.60s\" is no policy that is supported",
		text_of(j, "kind"), text_of(j, "apiVersion"));
}

void policy_parse_all(struct policy_set *set, const struct policy_context *ctx, const char *file,
	const struct yaml_doc *doc, struct findings *ret)
{
	struct walk w = {.mem = &set->mem,
		.context = ctx,
		.doc = doc,
		.file = arena_strdup(&set->mem, file),
		.findings = ret};

	(void)parse_document(&w, set);
}

int policy_parse(struct policy_set *set, const struct policy_context *ctx, const char *file,
	const struct yaml_doc *doc, struct err *e)
{
	struct walk w = {.mem = &set->mem,
		.context = ctx,
		.doc = doc,
		.file = arena_strdup(&set->mem, file),
		.e = e};
	const struct policy_set before = *set;
	int r = parse_document(&w, set);

	if (r < 0) {
		set->count = before.count;
		set->namespaces = before.namespaces;
		set->nodes = before.nodes;
		set->groups = before.groups;
		set->services = before.services;
	}
	return r;
}

void policy_set_done(struct policy_set *set)
{
	free(set->policy);
	free(set->namespace);
	free(set->node);
	free(set->group);
	free(set->service);
	arena_done(&set->mem);
	*set = (struct policy_set){0};
}

void policy_format_name(struct str *out, const struct policy *p)
{
	str_printf(out, "%s/%s%s%s", p->kind, p->namespace, *p->namespace ? "/" : "", p->name);
}
