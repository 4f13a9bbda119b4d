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

#define REQUIRES_REFUSED "is no longer part of the language: put the requirement into each selector"
#define HOST_REFUSED     "policies for nodes (the host firewall) are not there yet"

static const struct field ingress_fields[] = {{"order", NULL}, {"fromEndpoints", NULL},
	{"fromCIDR", NULL}, {"fromCIDRSet", NULL}, {"fromEntities", NULL}, {"fromGroups", NULL},
	{"fromNodes", NULL}, {"fromRequires", REQUIRES_REFUSED}, {"toPorts", NULL}, {"icmps", NULL},
	{"authentication", NULL}};
static const struct field egress_fields[] = {{"order", NULL}, {"toEndpoints", NULL},
	{"toCIDR", NULL}, {"toCIDRSet", NULL}, {"toEntities", NULL}, {"toGroups", NULL},
	{"toNodes", NULL}, {"toServices", NULL}, {"toRequires", REQUIRES_REFUSED},
	{"toPorts", NULL}, {"icmps", NULL}, {"toFQDNs", NULL}, {"authentication", NULL}};

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

static int parse_order(const struct walk *w, const struct node *rule, int32_t *ret)
{
	struct node n = node_member(rule, "order");
	int64_t order = RULE_UNORDERED;
	int r = walk_integer(w, &n, INT32_MIN, RULE_UNORDERED - 1, &order);

	*ret = (int32_t)order;
	return r;
}

static int parse_rule(const struct walk *w, const struct node *n, const struct node *root,
	const struct peer_scope *scope, struct rule *r)
{
	SCOPED(str_done) struct str path = {0};
	struct node spec = *n->up->up;
	struct rule_ports ports = {0};
	bool deny = r->action == ACTION_DENY;
	int err = check_rule_fields(w, n, r->direction, deny);

	err = WALK_ALSO(w, err, parse_order(w, n, &r->order));
	err = WALK_ALSO(w, err, policy_check_authentication(w, n));
	err = WALK_ALSO(w, err, policy_parse_ports(w, n, r->direction, deny, &ports));
	err = WALK_ALSO(w, err, policy_parse_peers(w, n, scope, ports.limited, r));
	if (err < 0)
		return err;
	if (ports.limited && !ports.count)
		policy_set_peer_kind(w, r, PEER_NONE);
	r->is_blank = !json_object_size(n->value);
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
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct node list = node_member(spec, lists[i].name);

		r = WALK_ALSO(w, r, walk_list(w, &list));
		if (!walk_on(w, r))
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

			rule->direction = lists[i].direction;
			rule->action = lists[i].deny ? ACTION_DENY : ACTION_ALLOW;
			r = WALK_ALSO(w, r, parse_rule(w, &item, root, scope, rule));
			if (!walk_on(w, r))
				return r;
		}
	}
	return r;
}

/* What is said switches on without rules, too; what is not said is on where there are rules. */
static int parse_default_deny(const struct walk *w, const struct node *spec, struct policy_spec *s)
{
	static const struct field fields[] = {{"ingress", NULL}, {"egress", NULL}};
	struct node n = node_member(spec, "enableDefaultDeny");
	int r = WALK_FIELDS(w, &n, fields);

	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		struct node one = node_member(&n, fields[d].name);

		r = WALK_ALSO(w, r, walk_bool(w, &one, &s->default_deny[d]));
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
		r = WALK_ALSO(w, r, walk_string_needed(w, &key, &k));
		r = WALK_ALSO(w, r, walk_string(w, &value, &v));
		r = WALK_ALSO(w, r, walk_string(w, &source, &s));
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
	for (size_t i = 0; walk_on(w, r) && i < node_items(&n); i++) {
		struct node item = node_item(&n, i);

		r = WALK_ALSO(
			w, r, parse_rule_label(w, &item, &s->labels.label[s->labels.count++]));
	}
	return r;
}

static int parse_texts(const struct walk *w, const struct node *spec, struct policy_spec *s)
{
	static const struct field fields[] = {{"value", NULL}};
	struct node description = node_member(spec, "description"), log = node_member(spec, "log");
	struct node value = node_member(&log, "value");
	const char *about = NULL, *text = NULL;
	size_t length = 0;
	int r = walk_string(w, &description, &about);

	r = WALK_ALSO(w, r, WALK_FIELDS(w, &log, fields));
	r = WALK_ALSO(w, r, walk_string(w, &value, &text));
	if (r < 0)
		return r;
	for (const char *c = text; c && *c; c++) {
		length += ((unsigned char)*c & 0xc0) != 0x80; /* characters, not bytes */
		if (length > LOG_VALUE_MAX || (unsigned char)*c < 0x20 || *c == 0x7f)
			return walk_error(w, &value,
				"is longer than %d characters or not printable", LOG_VALUE_MAX);
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

/* What the policy is for: endpoints, by endpointSelector. */
static int parse_subject(
	const struct walk *w, const struct node *spec, const struct policy *p, struct selector *ret)
{
	struct node endpoints = node_member(spec, "endpointSelector");
	struct node nodes = node_member(spec, "nodeSelector");
	bool clusterwide = !*p->namespace;
	int r;

	if (nodes.value && endpoints.value)
		return walk_error(w, &nodes, "cannot be combined with endpointSelector");
	if (nodes.value && !clusterwide)
		return walk_error(w, &nodes,
			"is for a CiliumClusterwideNetworkPolicy; nodes are in no namespace");
	if (nodes.value) {
		r = policy_parse_selector(w, &nodes, SELECT_NODES, ret);
		return r < 0 ? r : walk_refuse(w, &nodes, HOST_REFUSED);
	}
	if (!endpoints.value)
		return walk_error(w, spec,
			"endpointSelector is missing; {} selects every endpoint%s",
			clusterwide ? "" : " of the namespace");
	r = policy_parse_selector(w, &endpoints, SELECT_ENDPOINTS, ret);
	if (!r && !clusterwide)
		policy_require(w, ret, "k8s", LABEL_NAMESPACE, p->namespace);
	return r;
}

static int parse_spec(const struct walk *w, const struct node *n, const struct node *root,
	const struct policy *p, struct policy_spec *s)
{
	static const struct field fields[] = {{"endpointSelector", NULL}, {"nodeSelector", NULL},
		{"ingress", NULL}, {"ingressDeny", NULL}, {"egress", NULL}, {"egressDeny", NULL},
		{"enableDefaultDeny", NULL}, {"description", NULL}, {"labels", NULL}, {"log", NULL},
		{"mode", NULL}};
	struct peer_scope scope = {.namespace = *p->namespace ? p->namespace : NULL};
	int r = walk_mapping(w, n);

	if (r < 0)
		return r;
	s->origin = walk_origin(w, n);
	r = WALK_FIELDS(w, n, fields);
	r = WALK_ALSO(w, r, parse_subject(w, n, p, &s->subject));
	scope.init = !scope.namespace && selects_init(&s->subject);
	r = WALK_ALSO(w, r, parse_rules(w, n, root, &scope, s));
	r = WALK_ALSO(w, r, parse_default_deny(w, n, s));
	r = WALK_ALSO(w, r, parse_rule_labels(w, n, s));
	return WALK_ALSO(w, r, parse_texts(w, n, s));
}

/* A policy is in shadow as a whole: annotation and specs do not say different things. */
static int parse_mode(const struct walk *w, const struct node *root, const struct node *spec,
	bool is_first, struct policy *p)
{
	struct node n = node_member(spec, "mode");
	enum policy_mode mode = MODE_ENFORCE;
	bool annotated = false;
	int r = policy_annotated_mode(w, root, &annotated, &mode);

	r = r < 0 ? r : policy_parse_mode(w, &n, &mode);
	if (r < 0)
		return r;
	if ((annotated || !is_first) && mode != p->mode)
		return walk_error(w, &n,
			"is %s here and %s %s; a policy has one mode, of all its specs",
			mode == MODE_SHADOW ? "shadow" : "enforce",
			p->mode == MODE_SHADOW ? "shadow" : "enforce",
			annotated ? "in the annotation" : "in the spec before");
	p->mode = mode;
	return 0;
}

int policy_parse_cilium(const struct walk *w, const struct node *root, struct policy *p)
{
	static const struct field fields[] = {{"apiVersion", NULL}, {"kind", NULL},
		{"metadata", NULL}, {"spec", NULL}, {"specs", NULL}, {"status", NULL}};
	struct node spec = node_member(root, "spec"), specs = node_member(root, "specs");
	int r = WALK_FIELDS(w, root, fields);

	r = WALK_ALSO(w, r, walk_list(w, &specs));
	if (!walk_on(w, r))
		return r;
	if (!spec.value && !specs.value)
		return walk_error(w, root, "spec is missing (or specs, a list of them)");
	p->spec = arena_array(w->mem, 1 + node_items(&specs), sizeof(*p->spec));
	if (spec.value) {
		r = WALK_ALSO(w, r, parse_spec(w, &spec, root, p, &p->spec[p->specs++]));
		r = WALK_ALSO(w, r, parse_mode(w, root, &spec, true, p));
	}
	for (size_t i = 0; walk_on(w, r) && i < node_items(&specs); i++) {
		struct node item = node_item(&specs, i);

		r = WALK_ALSO(w, r, parse_spec(w, &item, root, p, &p->spec[p->specs++]));
		r = WALK_ALSO(w, r, parse_mode(w, root, &item, !spec.value && !i, p));
	}
	return r;
}
