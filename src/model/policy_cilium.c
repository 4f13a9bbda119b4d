/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec and specs of CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy. Called by policy.c.
 * Owns nothing beside what it puts into the set's arena. Must hold: the subject of a namespaced
 * policy always carries the policy's namespace as a requirement of its own, whatever else the
 * selector says.
 */
#include "model/policy_walk.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "codec/json.h"

enum { LOG_VALUE_MAX = 32 };

#define NODES_REFUSED    "selection of nodes is not supported yet"
#define GROUPS_REFUSED   "cloud provider groups are not supported yet"
#define REQUIRES_REFUSED "is no longer part of the language: put the requirement into each selector"

static const struct field ingress_fields[] = {{"fromEndpoints", NULL}, {"fromCIDR", NULL},
	{"fromCIDRSet", NULL}, {"fromEntities", NULL}, {"fromRequires", REQUIRES_REFUSED},
	{"fromGroups", GROUPS_REFUSED}, {"fromNodes", NODES_REFUSED}, {"toPorts", NULL},
	{"icmps", NULL}, {"authentication", NULL}};
static const struct field egress_fields[] = {{"toEndpoints", NULL}, {"toCIDR", NULL},
	{"toCIDRSet", NULL}, {"toEntities", NULL}, {"toRequires", REQUIRES_REFUSED},
	{"toGroups", GROUPS_REFUSED}, {"toNodes", NODES_REFUSED},
	{"toServices", "services as peers are not supported yet"}, {"toPorts", NULL},
	{"icmps", NULL}, {"toFQDNs", "DNS names as peers are not supported yet"},
	{"authentication", NULL}};

/* Fields at the ends of the tables above that deny rules do not have. */
enum { INGRESS_ALLOW_ONLY = 1, EGRESS_ALLOW_ONLY = 2 };

static const struct {
	const char *name;
	enum policy_direction direction;
	bool deny;
} lists[] = {{"ingress", POLICY_INGRESS, false}, {"ingressDeny", POLICY_INGRESS, true},
	{"egress", POLICY_EGRESS, false}, {"egressDeny", POLICY_EGRESS, true}};

static int check_rule_fields(
	const struct walk *w, const struct node *n, enum policy_direction d, bool deny)
{
	if (!n->value)
		return walk_error(w, n, "expected a mapping, found null; {} selects no peers");
	if (d == POLICY_INGRESS)
		return walk_fields(w, n, ingress_fields,
			ARRAY_SIZE(ingress_fields) - (deny ? INGRESS_ALLOW_ONLY : 0));
	return walk_fields(
		w, n, egress_fields, ARRAY_SIZE(egress_fields) - (deny ? EGRESS_ALLOW_ONLY : 0));
}

static int check_authentication(const struct walk *w, const struct node *rule)
{
	static const struct field fields[] = {{"mode", NULL}};
	struct node n = node_member(rule, "authentication"), mode = node_member(&n, "mode");
	const char *s = NULL;
	int r = WALK_FIELDS(w, &n, fields);

	if (r < 0 || !n.value)
		return r;
	r = walk_string_needed(w, &mode, &s);
	if (r < 0 || str_eq(s, "disabled"))
		return r;
	if (str_eq(s, "required") || str_eq(s, "test-always-fail"))
		return walk_error(w, &mode,
			"mutual authentication is not supported yet; the policy is refused as a "
			"whole rather than applied in part");
	return walk_error(w, &mode, "\"%.40s\" is no mode; use disabled or required", s);
}

static int parse_rule(const struct walk *w, const struct node *n, const struct node *root,
	const struct peer_scope *scope, struct rule *r)
{
	SCOPED(str_done) struct str path = {0};
	struct node spec = *n->up->up;
	struct rule_ports ports = {0};
	int err = check_rule_fields(w, n, r->direction, r->action == ACTION_DENY);

	err = err < 0 ? err : check_authentication(w, n);
	err = err < 0 ? err : policy_parse_ports(w, n, r->action == ACTION_DENY, &ports);
	err = err < 0 ? err : policy_parse_peers(w, n, r->direction, scope, ports.limited, r);
	if (err < 0)
		return err;
	if (ports.limited && !ports.count)
		policy_set_peer_kind(w, r, PEER_NONE);
	r->port = ports.port;
	r->ports = ports.count;
	r->origin = walk_origin(w, n);
	/* spec.ingress[0] is ingress[0], specs[1].ingress[0] stays */
	walk_path(&path, n, str_eq(spec.key, "spec") ? n->up->up : root);
	r->path = arena_strdup(w->mem, str_text(&path));
	return 0;
}

static int parse_rules(const struct walk *w, const struct node *spec, const struct node *root,
	const struct peer_scope *scope, struct policy_spec *s)
{
	size_t total = 0, present = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct node list = node_member(spec, lists[i].name);
		int r = walk_list(w, &list);

		if (r < 0)
			return r;
		present += list.value != NULL;
		total += node_items(&list);
		if (node_items(&list))
			s->default_deny[lists[i].direction] = true;
	}
	if (!present)
		return walk_error(w, spec,
			"has none of ingress, ingressDeny, egress and egressDeny; a policy needs "
			"one of them (it may be empty)");
	s->rule = arena_array(w->mem, total, sizeof(*s->rule));
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct node list = node_member(spec, lists[i].name);

		for (size_t k = 0; k < node_items(&list); k++) {
			struct node item = node_item(&list, k);
			struct rule *rule = &s->rule[s->rules++];
			int r;

			rule->direction = lists[i].direction;
			rule->action = lists[i].deny ? ACTION_DENY : ACTION_ALLOW;
			rule->order = RULE_UNORDERED;
			r = parse_rule(w, &item, root, scope, rule);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int parse_default_deny(const struct walk *w, const struct node *spec, struct policy_spec *s)
{
	static const struct field fields[] = {{"ingress", NULL}, {"egress", NULL}};
	struct node n = node_member(spec, "enableDefaultDeny");
	int r = WALK_FIELDS(w, &n, fields);

	for (enum policy_direction d = 0; !r && d < POLICY_DIRECTIONS; d++) {
		struct node one = node_member(&n, fields[d].name);
		bool on = true;

		r = walk_bool(w, &one, &on);
		s->default_deny[d] &= on;
	}
	return r;
}

/* {source, key, value}, or the same as a text. */
static int parse_rule_label(const struct walk *w, const struct node *n, struct label *ret)
{
	static const struct field fields[] = {
		{"key", NULL}, {"value", NULL}, {"source", NULL}, {"cidr", NULL}};
	struct node key = node_member(n, "key"), value = node_member(n, "value");
	struct node source = node_member(n, "source");
	const char *k = NULL, *v = NULL, *s = NULL;
	SCOPED(str_done) struct str text = {0};
	struct err e;
	int r;

	if (json_is_string(n->value)) {
		str_add(&text, json_string_value(n->value));
	} else {
		r = WALK_FIELDS(w, n, fields);
		r = r < 0 ? r : walk_string_needed(w, &key, &k);
		r = r < 0 ? r : walk_string(w, &value, &v);
		r = r < 0 ? r : walk_string(w, &source, &s);
		if (r < 0)
			return r;
		str_printf(&text, "%s:%s=%s", s && *s ? s : "unspec", k, v ? v : "");
	}
	if (label_parse(w->mem, str_text(&text), "unspec", ret, &e) < 0)
		return walk_error(w, n, "%s", e.text);
	return 0;
}

static int parse_rule_labels(const struct walk *w, const struct node *spec, struct policy_spec *s)
{
	struct node n = node_member(spec, "labels");
	int r = walk_list(w, &n);

	s->labels.label = arena_array(w->mem, node_items(&n), sizeof(*s->labels.label));
	for (size_t i = 0; !r && i < node_items(&n); i++) {
		struct node item = node_item(&n, i);

		r = parse_rule_label(w, &item, &s->labels.label[s->labels.count++]);
	}
	return r;
}

static int parse_texts(const struct walk *w, const struct node *spec, struct policy_spec *s)
{
	static const struct field fields[] = {{"value", NULL}};
	struct node description = node_member(spec, "description"), log = node_member(spec, "log");
	struct node value = node_member(&log, "value");
	const char *about = NULL, *text = NULL;
	int r = walk_string(w, &description, &about);

	r = r < 0 ? r : WALK_FIELDS(w, &log, fields);
	r = r < 0 ? r : walk_string(w, &value, &text);
	if (r < 0)
		return r;
	for (const char *c = text; c && *c; c++) {
		if (c - text >= LOG_VALUE_MAX || (unsigned char)*c < 0x20 || *c == 0x7f)
			return walk_error(w, &value, "is longer than %d bytes or not printable",
				LOG_VALUE_MAX);
	}
	s->description = arena_strdup(w->mem, about ? about : "");
	s->log = arena_strdup(w->mem, text ? text : "");
	return 0;
}

/* Whether the selector asks for reserved:init (and not for its absence). */
static bool selects_init(const struct selector *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct requirement *q = &s->requirement[i];

		if (str_eq(q->key.source, "reserved") && str_eq(q->key.key, "init") &&
			(q->op == SELECTOR_IN || q->op == SELECTOR_EXISTS))
			return true;
	}
	return false;
}

static int parse_spec(const struct walk *w, const struct node *n, const struct node *root,
	const struct policy *p, struct policy_spec *s)
{
	static const struct field fields[] = {{"endpointSelector", NULL},
		{"nodeSelector", "policies for nodes are not supported yet"}, {"ingress", NULL},
		{"ingressDeny", NULL}, {"egress", NULL}, {"egressDeny", NULL},
		{"enableDefaultDeny", NULL}, {"description", NULL}, {"labels", NULL},
		{"log", NULL}};
	struct node subject = node_member(n, "endpointSelector");
	bool clusterwide = !*p->namespace;
	struct peer_scope scope = {.namespace = clusterwide ? NULL : p->namespace};
	int r;

	if (!n->value)
		return walk_error(w, n, "expected a mapping, found null");
	r = WALK_FIELDS(w, n, fields);
	if (r < 0)
		return r;
	if (!subject.value)
		return walk_error(w, n, "endpointSelector is missing; {} selects every endpoint%s",
			clusterwide ? "" : " of the namespace");
	r = policy_parse_selector(w, &subject, NULL, &s->subject);
	if (r < 0)
		return r;
	scope.init = clusterwide && selects_init(&s->subject);
	if (!clusterwide)
		policy_require(w, &s->subject, "k8s", LABEL_NAMESPACE, p->namespace);
	r = parse_rules(w, n, root, &scope, s);
	r = r < 0 ? r : parse_default_deny(w, n, s);
	r = r < 0 ? r : parse_rule_labels(w, n, s);
	return r < 0 ? r : parse_texts(w, n, s);
}

int policy_parse_cilium(const struct walk *w, const struct node *root, struct policy *p)
{
	static const struct field fields[] = {{"apiVersion", NULL}, {"kind", NULL},
		{"metadata", NULL}, {"spec", NULL}, {"specs", NULL}, {"status", NULL}};
	struct node spec = node_member(root, "spec"), specs = node_member(root, "specs");
	int r = WALK_FIELDS(w, root, fields);

	r = r < 0 ? r : walk_list(w, &specs);
	if (r < 0)
		return r;
	if (!spec.value && !specs.value)
		return walk_error(w, root, "spec is missing (or specs, a list of them)");
	p->spec = arena_array(w->mem, 1 + node_items(&specs), sizeof(*p->spec));
	if (spec.value)
		r = parse_spec(w, &spec, root, p, &p->spec[p->specs++]);
	for (size_t i = 0; !r && i < node_items(&specs); i++) {
		struct node item = node_item(&specs, i);

		r = parse_spec(w, &item, root, p, &p->spec[p->specs++]);
	}
	return r;
}
