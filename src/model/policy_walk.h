/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_MODEL_POLICY_WALK_H
#define KILIM_MODEL_POLICY_WALK_H
/*
 * For model/policy* and src/scenario: a walk over one document that knows at every value where it
 * stands and how it is called, so that each refusal says file:line:column: field.path: what. Nodes
 * live on the stack and point upwards.
 */
#include "model/policy.h"

struct walk {
	struct arena *mem; /* of the policy set */
	const struct policy_context *context;
	const struct yaml_doc *doc;
	const char *file; /* in mem */
	struct err *e;
	struct findings *findings; /* all mistakes are noted there, and checks go on behind one;
				      NULL: the first one ends it */
	bool strict_names; /* Kubernetes' own kinds: no source words in label keys */
};

/* A value: member key of up, or item index of up when key is NULL; the document itself when up is
 * NULL. */
struct node {
	const struct node *up;
	const char *key;
	size_t index;
	const json_t *value; /* NULL when absent or null: the two mean the same */
};

/* A field that a mapping may have. refuse: what is said when it is there with something in it; NULL
 * when it is taken. */
struct field {
	const char *name;
	const char *refuse;
};

struct node node_member(const struct node *up, const char *key);
struct node node_item(const struct node *up, size_t index);
size_t node_items(const struct node *n); /* of a list; 0 when absent */

/* Whether there is more to look at after a check that returned r: it was good, or all mistakes are
 * wanted. */
static inline bool walk_on(const struct walk *w, int r)
{
	return r >= 0 || w->findings;
}
static inline int walk_worse(int a, int b)
{
	return a < 0 ? a : b;
}
/* r, and of one more check, which must not rely on what was checked before. */
#define WALK_ALSO(w, r, check) (walk_on(w, r) ? walk_worse(r, check) : (r))

/* -EINVAL with place and path of the node (of its parent when absent). */
int walk_error(const struct walk *w, const struct node *n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Note what is no mistake, but hardly meant; nothing happens unless findings are wanted. */
void walk_warn(const struct walk *w, const struct node *n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The path of a node as text, such as ingress[0].toPorts[1], from the level below stop on (NULL:
 * all of it). */
void walk_path(struct str *out, const struct node *n, const struct node *stop);
struct origin walk_origin(const struct walk *w, const struct node *n);

/* The node is a mapping (or absent) and has no field but these; unknown ones are an error that
 * names the nearest. */
int walk_fields(const struct walk *w, const struct node *n, const struct field *fields,
	size_t count) MUST_USE;
#define WALK_FIELDS(w, n, fields) walk_fields(w, n, fields, ARRAY_SIZE(fields))
int walk_list(const struct walk *w, const struct node *n) MUST_USE; /* a list, or absent */
/* As walk_list(), with no more items than this. */
int walk_list_max(const struct walk *w, const struct node *n, size_t max) MUST_USE;
/* The string; NULL when absent. */
int walk_string(const struct walk *w, const struct node *n, const char **ret) MUST_USE;
/* The string, which must be there and not empty. */
int walk_string_needed(const struct walk *w, const struct node *n, const char **ret) MUST_USE;
/* true or false; *ret is untouched when absent. */
int walk_bool(const struct walk *w, const struct node *n, bool *ret) MUST_USE;
/* An integer of min to max; *ret is untouched when absent. */
int walk_integer(const struct walk *w, const struct node *n, int64_t min, int64_t max,
	int64_t *ret) MUST_USE;
/* A mapping that is there; {} is one. */
int walk_mapping(const struct walk *w, const struct node *n) MUST_USE;
/* A list, or absent, of strings that are not empty. */
int walk_strings(const struct walk *w, const struct node *n) MUST_USE;
/* -EINVAL: what this field asks for is not there yet. */
int walk_refuse(const struct walk *w, const struct node *n, const char *what) MUST_USE;
/* The nearest of the words to what was written, or NULL when none is near. words ends with NULL. */
const char *walk_nearest(const char *written, const char *const *words);

/* A kind of object that policy_parse() takes: a policy, or what policies refer to. */
struct kind {
	const char *name, *list;
	const char *group; /* "" is the core group */
	const char *version[2];
	bool namespaced;
	bool kubernetes; /* Kubernetes' own: label keys have no source words */
	enum policy_tier tier;
	int (*parse)(struct walk *w, const struct node *n, const struct kind *k,
		struct policy_set *set); /* adds to the set */
	int (*specs)(const struct walk *w, const struct node *root,
		struct policy *p); /* of policies: what stands below spec */
};

/* policy.c */
/* A DNS name of at most max bytes: lower-case letters, digits, '-' and, where dots is set, '.'. */
int policy_check_name(
	const struct walk *w, const struct node *n, const char *s, size_t max, bool dots) MUST_USE;
/* metadata.name and namespace ("" for kinds without, the default one when absent), into the arena.
 */
int policy_parse_name(const struct walk *w, const struct node *root, const struct kind *k,
	const char **ret_name, const char **ret_namespace) MUST_USE;
/* A mapping of strings to labels of this source. */
int policy_parse_labels(const struct walk *w, const struct node *n, const char *source,
	struct labels *ret) MUST_USE;
/* enforce or shadow; *ret is untouched when absent. */
int policy_parse_mode(const struct walk *w, const struct node *n, enum policy_mode *ret) MUST_USE;
/* The mode that an annotation gives; *ret is untouched when none does. */
int policy_annotated_mode(const struct walk *w, const struct node *root, bool *ret_given,
	enum policy_mode *ret) MUST_USE;

/* What a rule says about ports: limited is false when it says nothing, which means every protocol
 * and port. */
struct rule_ports {
	struct port_range *port;
	size_t count;
	bool limited;
};

/* policy_port.c */
int policy_parse_ports(const struct walk *w, const struct node *rule, enum policy_direction d,
	bool deny, struct rule_ports *ret) MUST_USE;
int policy_parse_network_ports(
	const struct walk *w, const struct node *ports, struct rule_ports *ret) MUST_USE;
/* The name of a port, in lower case. */
int policy_parse_port_name(
	const struct walk *w, const struct node *n, const char *s, const char **ret) MUST_USE;
/* policy_icmp.c */
int policy_parse_icmps(
	const struct walk *w, const struct node *list, struct rule_ports *out) MUST_USE;
/* policy_cluster_port.c: protocols of a ClusterNetworkPolicy, and the older ports. */
int policy_parse_cluster_ports(
	const struct walk *w, const struct node *rule, struct rule_ports *ret) MUST_USE;

/* policy_l7.c: what stands above ports is read, and then refused by name. */
int policy_check_port_rule(
	const struct walk *w, const struct node *port_rule, enum policy_direction d) MUST_USE;
int policy_check_fqdns(const struct walk *w, const struct node *list) MUST_USE;
int policy_check_authentication(const struct walk *w, const struct node *rule) MUST_USE;

/* Whose labels a selector is on, which says what a key without a source means. */
enum selector_of {
	SELECT_ENDPOINTS, /* any source; in Kubernetes' own kinds k8s */
	SELECT_NAMESPACES, /* labels of namespaces, as endpoints carry them */
	SELECT_NODES, /* source node */
	SELECT_GROUPS, /* source cidrgroup */
};

/* policy_selector.c: a LabelSelector. */
int policy_parse_selector(const struct walk *w, const struct node *n, enum selector_of of,
	struct selector *ret) MUST_USE;
/* matchLabels alone. */
int policy_parse_match_labels(const struct walk *w, const struct node *n, enum selector_of of,
	struct selector *ret) MUST_USE;
/* Pods in namespaces: either node may be absent; without a namespace selector, those of this
 * namespace (NULL: of any). */
int policy_parse_pods(const struct walk *w, const struct node *namespaces, const struct node *pods,
	const char *namespace, struct selector *ret) MUST_USE;
/* key In (value), or Exists(key) when value is NULL, behind the requirements of s. */
void policy_require(const struct walk *w, struct selector *s, const char *source, const char *key,
	const char *value);
/* The requirements of b behind those of a. */
void policy_join(const struct walk *w, struct selector *a, const struct selector *b);
/* Whether some requirement names this label source. */
bool selector_has_source(const struct selector *s, const char *source);
/* Whether some requirement has this key, with source k8s or any; with is_prefix: a key that begins
 * so. */
bool selector_has_key(const struct selector *s, const char *key, bool is_prefix);

/* policy_peer.c: the peers of a rule element of the Cilium kinds. scope is what selectors without a
 * namespace get. */
struct peer_scope {
	const char *namespace; /* of a namespaced policy; NULL: clusterwide */
	bool init; /* clusterwide for reserved:init subjects: nothing is added */
};
int policy_parse_peers(const struct walk *w, const struct node *rule,
	const struct peer_scope *scope, bool limited_ports, struct rule *ret) MUST_USE;
struct peer *policy_add_peer(struct rule *r, enum peer_kind kind); /* there is room for it */
/* A rule that names no peers, or whose peer or port fields select nothing. */
void policy_set_peer_kind(const struct walk *w, struct rule *r, enum peer_kind kind);
/* policy_entity.c, policy_prefix.c: the lists of these names; add at most one peer per item. */
int policy_parse_entities(const struct walk *w, const struct node *list,
	const struct peer_scope *scope, struct rule *r) MUST_USE;
int policy_parse_cidrs(const struct walk *w, const struct node *list,
	const struct peer_scope *scope, struct rule *r) MUST_USE;
int policy_parse_cidr_set(const struct walk *w, const struct node *list,
	const struct peer_scope *scope, struct rule *r) MUST_USE;
int policy_parse_prefix(const struct walk *w, const struct node *n, struct prefix *ret) MUST_USE;
/* An ipBlock: {cidr, except}. */
int policy_parse_block(const struct walk *w, const struct node *n, struct peer *p) MUST_USE;

/* policy_cilium.c, policy_network.c, policy_cluster.c: the specs of a policy. */
int policy_parse_cilium(const struct walk *w, const struct node *root, struct policy *p) MUST_USE;
int policy_parse_network(const struct walk *w, const struct node *root, struct policy *p) MUST_USE;
int policy_parse_cluster(const struct walk *w, const struct node *root, struct policy *p) MUST_USE;

#endif
