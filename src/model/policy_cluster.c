/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spec of a ClusterNetworkPolicy and of its predecessors, AdminNetworkPolicy and
 * BaselineAdminNetworkPolicy. Called by policy.c. Owns nothing beside what it puts into the set's
 * arena. Must hold: a rule names its peers (there is no empty list that could mean everything or
 * nothing), and its place in its list is its order.
 */
#include "base/str.h"
#include "codec/json.h"
#include "model/policy_walk.h"

enum { PRIORITY_MAX = 1000, RULE_NAME_MAX = 100 };

#define DOMAINS_REFUSED "DNS-aware policy is not there yet"

static const struct {
	const char *list, *peers;
} directions[POLICY_DIRECTIONS] = {{"ingress", "from"}, {"egress", "to"}};

/* What the three kinds have in common, and what not. */
struct form {
	const char *allow; /* its word for ACTION_ALLOW */
	bool is_cluster; /* ClusterNetworkPolicy: has tier, and protocols beside ports */
	bool has_priority;
	bool can_pass;
};

static const struct form cluster_form = {"Accept", true, true, true};
static const struct form admin_form = {"Allow", false, true, true};
static const struct form baseline_form = {"Allow", false, false, false};

static const struct form *form_of(const struct policy *p)
{
	if (str_eq(p->kind, "ClusterNetworkPolicy"))
		return &cluster_form;
	return p->tier == TIER_ADMIN ? &admin_form : &baseline_form;
}

/* How many of the fields are there. */
static size_t count_given(const struct node *n, const struct field *fields, size_t count)
{
	size_t given = 0;

	for (size_t i = 0; i < count; i++)
		given += node_member(n, fields[i].name).value != NULL;
	return given;
}

/* {namespaceSelector, podSelector}; both are needed. */
static int parse_pods(const struct walk *w, const struct node *n, struct selector *ret)
{
	static const struct field fields[] = {{"namespaceSelector", NULL}, {"podSelector", NULL}};
	struct node namespaces = node_member(n, "namespaceSelector");
	struct node pods = node_member(n, "podSelector");
	int r = walk_mapping(w, n);

	if (r < 0)
		return r;
	r = WALK_FIELDS(w, n, fields);
	if (!namespaces.value)
		r = WALK_ALSO(
			w, r, walk_error(w, &namespaces, "is missing; {} selects all namespaces"));
	if (!pods.value)
		r = WALK_ALSO(w, r, walk_error(w, &pods, "is missing; {} selects all pods"));
	return WALK_ALSO(w, r, policy_parse_pods(w, &namespaces, &pods, NULL, ret));
}

static int parse_subject(const struct walk *w, const struct node *n, struct selector *ret)
{
	static const struct field fields[] = {{"namespaces", NULL}, {"pods", NULL}};
	struct node namespaces = node_member(n, "namespaces"), pods = node_member(n, "pods");
	const struct node absent = {0};
	int r;

	if (!n->value)
		return walk_error(w, n, "is missing");
	r = WALK_FIELDS(w, n, fields);
	if (!r && count_given(n, fields, ARRAY_SIZE(fields)) != 1)
		return walk_error(w, n, "needs exactly one of namespaces and pods");
	if (r < 0)
		return r;
	return pods.value ? parse_pods(w, &pods, ret)
			  : policy_parse_pods(w, &namespaces, &absent, NULL, ret);
}

static int parse_networks(const struct walk *w, const struct node *list, struct peer *p)
{
	int r = walk_list(w, list);

	if (!r && !node_items(list))
		return walk_error(w, list, "is empty; name a network");
	p->kind = PEER_PREFIX;
	p->reach = w->context->kubernetes_reach;
	p->prefix = arena_array(w->mem, node_items(list), sizeof(*p->prefix));
	for (size_t i = 0; walk_on(w, r) && i < node_items(list); i++) {
		struct node item = node_item(list, i);

		r = WALK_ALSO(w, r, policy_parse_prefix(w, &item, &p->prefix[p->prefixes++]));
	}
	return r;
}

/* All nodes with such labels, the endpoint's own among them. */
static int parse_nodes(const struct walk *w, const struct node *n, struct rule *r)
{
	struct peer *p = policy_add_peer(r, PEER_NODE);

	p->own_node = true;
	p->selector = arena_array(w->mem, 1, sizeof(*p->selector));
	p->selectors = 1;
	return policy_parse_selector(w, n, SELECT_NODES, &p->selector[0]);
}

static int check_domains(const struct walk *w, const struct node *list)
{
	int r = walk_strings(w, list);

	return r < 0 ? r : walk_refuse(w, list, DOMAINS_REFUSED);
}

/* One of the fields; r has room for two peers. */
static int parse_peer(const struct walk *w, const struct node *n, struct rule *r)
{
	static const struct field fields[] = {{"namespaces", NULL}, {"pods", NULL}, {"nodes", NULL},
		{"networks", NULL}, {"domainNames", NULL}};
	enum { INGRESS_FIELDS = 2 };
	struct node namespaces = node_member(n, "namespaces"), pods = node_member(n, "pods");
	struct node nodes = node_member(n, "nodes"), networks = node_member(n, "networks");
	struct node domains = node_member(n, "domainNames");
	size_t count = r->direction == POLICY_INGRESS ? INGRESS_FIELDS : ARRAY_SIZE(fields);
	const struct node absent = {0};
	struct peer *p;
	int err = walk_mapping(w, n);

	err = err < 0 ? err : walk_fields(w, n, fields, count);
	if (!err && count_given(n, fields, count) != 1)
		return walk_error(w, n, "needs exactly one of namespaces%s",
			r->direction == POLICY_INGRESS ? " and pods"
						       : ", pods, nodes, networks and domainNames");
	if (err < 0)
		return err;
	if (nodes.value)
		return parse_nodes(w, &nodes, r);
	if (domains.value)
		return check_domains(w, &domains);
	p = policy_add_peer(r, PEER_SELECTOR);
	if (networks.value)
		return parse_networks(w, &networks, p);
	p->selector = arena_array(w->mem, 1, sizeof(*p->selector));
	p->selectors = 1;
	return pods.value ? parse_pods(w, &pods, &p->selector[0])
			  : policy_parse_pods(w, &namespaces, &absent, NULL, &p->selector[0]);
}

static int parse_peers(const struct walk *w, const struct node *list, struct rule *r)
{
	int err = walk_list(w, list);

	if (!err && !node_items(list))
		return walk_error(w, list,
			list->value ? "is empty; a rule names its peers"
				    : "is missing; a rule names its peers");
	r->peer = arena_array(w->mem, node_items(list), sizeof(*r->peer));
	for (size_t i = 0; walk_on(w, err) && i < node_items(list); i++) {
		struct node item = node_item(list, i);

		err = WALK_ALSO(w, err, parse_peer(w, &item, r));
	}
	return err;
}

static int parse_action(
	const struct walk *w, const struct node *n, const struct form *form, enum rule_action *ret)
{
	const char *s = NULL;
	int r = walk_string_needed(w, n, &s);

	if (r < 0)
		return r;
	if (str_eq(s, form->allow))
		*ret = ACTION_ALLOW;
	else if (str_eq(s, "Deny"))
		*ret = ACTION_DENY;
	else if (form->can_pass && str_eq(s, "Pass"))
		*ret = ACTION_PASS;
	else
		return walk_error(w, n, "\"%.40s\" is no action here; use %s%s", s, form->allow,
			form->can_pass ? ", Deny or Pass" : " or Deny");
	return 0;
}

/* ingress[0], and behind it the rule's name if it has one. */
static int set_path(
	const struct walk *w, const struct node *n, const struct node *spec, struct rule *r)
{
	struct node name = node_member(n, "name");
	SCOPED(str_done) struct str path = {0};
	const char *s = NULL;
	size_t length = 0;
	int err = walk_string(w, &name, &s);

	if (err < 0)
		return err;
	walk_path(&path, n, spec);
	for (const char *c = s; c && *c; c++) {
		length += ((unsigned char)*c & 0xc0) != 0x80;
		if (length > RULE_NAME_MAX || (unsigned char)*c < 0x20 || *c == 0x7f)
			return walk_error(w, &name, "is longer than %d characters or not printable",
				RULE_NAME_MAX);
	}
	if (s && *s)
		str_printf(&path, " (%s)", s);
	r->path = arena_strdup(w->mem, str_text(&path));
	return 0;
}

/* Only pods call their ports by names. */
static int check_names(
	const struct walk *w, const struct node *peers, const struct rule_ports *ports)
{
	for (size_t i = 0; i < ports->count; i++) {
		if (!ports->port[i].name)
			continue;
		for (size_t k = 0; k < node_items(peers); k++) {
			struct node item = node_item(peers, k);
			struct node nodes = node_member(&item, "nodes");
			struct node networks = node_member(&item, "networks");

			if (nodes.value || networks.value)
				return walk_error(w, nodes.value ? &nodes : &networks,
					"cannot be combined with a named port; only pods have "
					"them");
		}
	}
	return 0;
}

static int parse_rule(const struct walk *w, const struct node *n, const struct node *spec,
	const struct form *form, struct rule *r)
{
	const struct field fields[] = {{"name", NULL}, {"action", NULL},
		{directions[r->direction].peers, NULL}, {"ports", NULL}, {"protocols", NULL}};
	struct node action = node_member(n, "action");
	struct node peers = node_member(n, directions[r->direction].peers);
	struct rule_ports ports = {0};
	int err = walk_mapping(w, n);

	if (err < 0)
		return err;
	err = walk_fields(w, n, fields, ARRAY_SIZE(fields) - (form->is_cluster ? 0 : 1));
	err = WALK_ALSO(w, err, set_path(w, n, spec, r));
	err = WALK_ALSO(w, err, parse_action(w, &action, form, &r->action));
	err = WALK_ALSO(w, err, policy_parse_cluster_ports(w, n, &ports));
	err = WALK_ALSO(w, err, parse_peers(w, &peers, r));
	err = WALK_ALSO(w, err, check_names(w, &peers, &ports));
	if (err < 0)
		return err;
	r->port = ports.port;
	r->ports = ports.count;
	r->origin = walk_origin(w, n);
	return 0;
}

static int parse_rules(const struct walk *w, const struct node *spec, const struct form *form,
	struct policy_spec *s)
{
	size_t total = 0;
	int r = 0;

	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		struct node list = node_member(spec, directions[d].list);

		r = WALK_ALSO(w, r, walk_list(w, &list));
		if (!walk_on(w, r))
			return r;
		total += node_items(&list);
	}
	s->rule = arena_array(w->mem, total, sizeof(*s->rule));
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		struct node list = node_member(spec, directions[d].list);

		for (size_t i = 0; i < node_items(&list); i++) {
			struct node item = node_item(&list, i);
			struct rule *rule = &s->rule[s->rules++];

			rule->direction = d;
			rule->order = (int32_t)i;
			r = WALK_ALSO(w, r, parse_rule(w, &item, spec, form, rule));
			if (!walk_on(w, r))
				return r;
		}
	}
	return r;
}

static int parse_tier(const struct walk *w, const struct node *n, enum policy_tier *ret)
{
	const char *s = NULL;
	int r = walk_string_needed(w, n, &s);

	if (r < 0)
		return r;
	if (!str_eq(s, "Admin") && !str_eq(s, "Baseline"))
		return walk_error(w, n, "\"%.40s\" is no tier; use Admin or Baseline", s);
	*ret = str_eq(s, "Admin") ? TIER_ADMIN : TIER_BASELINE;
	return 0;
}

/* tier and priority, as far as the kind has them. */
static int parse_place(
	const struct walk *w, const struct node *spec, const struct form *form, struct policy *p)
{
	struct node tier = node_member(spec, "tier"), priority = node_member(spec, "priority");
	int64_t number = 0;
	int r = 0;

	if (form->is_cluster)
		r = parse_tier(w, &tier, &p->tier);
	if (form->has_priority && !priority.value) {
		r = WALK_ALSO(w, r,
			walk_error(w, &priority, "is missing; use 0 (first) to %d (last)",
				PRIORITY_MAX));
	} else if (form->has_priority) {
		r = WALK_ALSO(w, r, walk_integer(w, &priority, 0, PRIORITY_MAX, &number));
	} else {
		number = PRIORITY_MAX + 1; /* behind every ClusterNetworkPolicy of the tier */
	}
	p->priority = (int32_t)number;
	return r;
}

static int check_spec_fields(const struct walk *w, const struct node *spec, const struct form *form)
{
	static const struct field fields[] = {{"subject", NULL}, {"ingress", NULL},
		{"egress", NULL}, {"priority", NULL}, {"tier", NULL}};
	size_t hidden = form->is_cluster ? 0 : form->has_priority ? 1 : 2;

	return walk_fields(w, spec, fields, ARRAY_SIZE(fields) - hidden);
}

int policy_parse_cluster(const struct walk *w, const struct node *root, struct policy *p)
{
	static const struct field top[] = {{"apiVersion", NULL}, {"kind", NULL}, {"metadata", NULL},
		{"spec", NULL}, {"status", NULL}};
	const struct form *form = form_of(p);
	struct node spec = node_member(root, "spec"), subject = node_member(&spec, "subject");
	struct node metadata = node_member(root, "metadata");
	struct node name = node_member(&metadata, "name");
	struct policy_spec *s = arena_alloc(w->mem, sizeof(*s));
	int r = WALK_FIELDS(w, root, top);

	if (!form->has_priority && !str_eq(p->name, "default"))
		r = WALK_ALSO(w, r, walk_error(w, &name, "the one %s is called default", p->kind));
	if (!spec.value)
		return WALK_ALSO(w, r, walk_error(w, root, "spec is missing"));
	r = WALK_ALSO(w, r, check_spec_fields(w, &spec, form));
	r = WALK_ALSO(w, r, parse_place(w, &spec, form, p));
	r = WALK_ALSO(w, r, parse_subject(w, &subject, &s->subject));
	r = WALK_ALSO(w, r, parse_rules(w, &spec, form, s));
	s->origin = walk_origin(w, &spec);
	s->description = "";
	s->log = "";
	p->spec = s;
	p->specs = 1;
	return r;
}
