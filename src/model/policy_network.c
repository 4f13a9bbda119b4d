/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spec of a Kubernetes NetworkPolicy. Called by policy.c. Owns nothing beside what it puts into
 * the set's arena. Must hold: Kubernetes' own meaning, which is the opposite of Cilium's for empty
 * lists (an empty from or ports is everything); selectors match pods only, so each peer selector
 * asks for a namespace.
 */
#include "model/policy_walk.h"

#include <errno.h>

#include "base/str.h"
#include "codec/json.h"

static const char *const direction_names[POLICY_DIRECTIONS] = {"ingress", "egress"};
static const char *const type_names[POLICY_DIRECTIONS] = {"Ingress", "Egress"};
static const char *const peer_names[POLICY_DIRECTIONS] = {"from", "to"};

static int parse_peer(
	const struct walk *w, const struct node *n, const char *namespace, struct peer *p)
{
	static const struct field fields[] = {
		{"podSelector", NULL}, {"namespaceSelector", NULL}, {"ipBlock", NULL}};
	struct node pods = node_member(n, "podSelector");
	struct node namespaces = node_member(n, "namespaceSelector");
	struct node block = node_member(n, "ipBlock");
	int r = WALK_FIELDS(w, n, fields);

	if (r < 0)
		return r;
	if (!pods.value && !namespaces.value && !block.value)
		return walk_error(w, n,
			"needs one of podSelector, namespaceSelector and ipBlock; {} as a selector "
			"selects all");
	if (block.value && (pods.value || namespaces.value))
		return walk_error(w, &block, "cannot be combined with a selector in one peer");
	if (block.value)
		return policy_parse_block(w, &block, p);
	p->kind = PEER_SELECTOR;
	p->selectors = 1;
	p->selector = arena_array(w->mem, 1, sizeof(*p->selector));
	return policy_parse_pods(w, &namespaces, &pods, namespace, &p->selector[0]);
}

static int parse_rule(const struct walk *w, const struct node *n, const char *namespace,
	const struct node *spec, struct rule *ret)
{
	const struct field fields[] = {{peer_names[ret->direction], NULL}, {"ports", NULL}};
	struct node peers = node_member(n, peer_names[ret->direction]);
	struct node ports = node_member(n, "ports");
	SCOPED(str_done) struct str path = {0};
	struct rule_ports limits = {0};
	int r;

	if (!n->value)
		return walk_error(w, n, "expected a mapping, found null; {} allows everything");
	r = WALK_FIELDS(w, n, fields);
	r = WALK_ALSO(w, r, walk_list(w, &peers));
	r = WALK_ALSO(w, r, policy_parse_network_ports(w, &ports, &limits));
	if (!walk_on(w, r))
		return r;
	ret->port = limits.port;
	ret->ports = limits.count;
	ret->origin = walk_origin(w, n);
	walk_path(&path, n, spec);
	ret->path = arena_strdup(w->mem, str_text(&path));
	if (!node_items(&peers)) {
		policy_set_peer_kind(w, ret, PEER_ANY);
		return r;
	}
	ret->peer = arena_array(w->mem, node_items(&peers), sizeof(*ret->peer));
	for (size_t i = 0; i < node_items(&peers); i++) {
		struct node item = node_item(&peers, i);

		r = WALK_ALSO(w, r, parse_peer(w, &item, namespace, &ret->peer[ret->peers++]));
		if (!walk_on(w, r))
			return r;
	}
	return r;
}

static int parse_type(const struct walk *w, const struct node *n, struct policy_spec *s)
{
	const char *name = NULL;
	int r = walk_string_needed(w, n, &name);

	if (r < 0)
		return r;
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		if (str_eq(type_names[d], name)) {
			s->default_deny[d] = true;
			return 0;
		}
	}
	return walk_error(w, n, "\"%.40s\" is no policy type; use Ingress or Egress", name);
}

/* Without policyTypes: always Ingress, and Egress when there are egress rules. */
static int parse_types(const struct walk *w, const struct node *spec, struct policy_spec *s)
{
	struct node types = node_member(spec, "policyTypes"), egress = node_member(spec, "egress");
	int r = walk_list(w, &types);

	if (r < 0)
		return r;
	if (!node_items(&types)) {
		s->default_deny[POLICY_INGRESS] = true;
		s->default_deny[POLICY_EGRESS] = node_items(&egress) > 0;
	}
	for (size_t i = 0; i < node_items(&types); i++) {
		struct node item = node_item(&types, i);
		r = WALK_ALSO(w, r, parse_type(w, &item, s));
		if (!walk_on(w, r))
			return r;
	}
	return r;
}

/* The rules of one direction are read in any case, and kept when policyTypes has the direction. */
static int parse_direction(const struct walk *w, const struct node *spec, const char *namespace,
	enum policy_direction d, struct policy_spec *s)
{
	struct node list = node_member(spec, direction_names[d]);
	int r = 0;

	for (size_t i = 0; i < node_items(&list); i++) {
		struct node item = node_item(&list, i);
		struct rule one = {.direction = d, .order = RULE_UNORDERED};

		r = WALK_ALSO(w, r, parse_rule(w, &item, namespace, spec, &one));
		if (!walk_on(w, r))
			return r;
		if (s->default_deny[d])
			s->rule[s->rules++] = one;
	}
	return r;
}

int policy_parse_network(const struct walk *w, const struct node *root, struct policy *p)
{
	static const struct field top[] = {{"apiVersion", NULL}, {"kind", NULL}, {"metadata", NULL},
		{"spec", NULL}, {"status", NULL}};
	static const struct field fields[] = {
		{"podSelector", NULL}, {"ingress", NULL}, {"egress", NULL}, {"policyTypes", NULL}};
	struct node spec = node_member(root, "spec"), pods = node_member(&spec, "podSelector");
	struct node ingress = node_member(&spec, "ingress"), egress = node_member(&spec, "egress");
	struct policy_spec *s = arena_alloc(w->mem, sizeof(*s));
	int r = WALK_FIELDS(w, root, top);

	if (!spec.value)
		return WALK_ALSO(w, r, walk_error(w, root, "spec is missing"));
	r = WALK_ALSO(w, r, WALK_FIELDS(w, &spec, fields));
	r = WALK_ALSO(w, r, walk_list(w, &ingress));
	r = WALK_ALSO(w, r, walk_list(w, &egress));
	r = WALK_ALSO(w, r, parse_types(w, &spec, s));
	if (pods.value)
		r = WALK_ALSO(w, r, policy_parse_selector(w, &pods, SELECT_ENDPOINTS, &s->subject));
	if (!walk_on(w, r))
		return r;
	policy_require(w, &s->subject, "k8s", LABEL_NAMESPACE, p->namespace);
	s->origin = walk_origin(w, &spec);
	s->spares_own_node = true;
	s->description = "";
	s->log = "";
	s->rule = arena_array(w->mem, node_items(&ingress) + node_items(&egress), sizeof(*s->rule));
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++)
		r = WALK_ALSO(w, r, parse_direction(w, &spec, p->namespace, d, s));
	p->spec = s;
	p->specs = 1;
	return r;
}
