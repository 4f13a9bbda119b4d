/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The peers of a rule element of the Cilium kinds: which field gives them, and endpoints, nodes,
 * services and groups. Called by policy_cilium.c. Owns nothing beside what it puts into the set's
 * arena. Must hold: a peer field that is there selects exactly what it lists, so an empty one
 * selects nothing (lessons A, EMPTY-SET); only a rule without any peer field means every peer.
 */
#include "base/str.h"
#include "codec/json.h"
#include "model/policy_walk.h"

void policy_set_peer_kind(const struct walk *w, struct rule *r, enum peer_kind kind)
{
	r->peer = arena_alloc(w->mem, sizeof(*r->peer));
	r->peer->kind = kind;
	r->peers = 1;
}

struct peer *policy_add_peer(struct rule *r, enum peer_kind kind)
{
	struct peer *p = &r->peer[r->peers++];

	*p = (struct peer){.kind = kind};
	return p;
}

/* Whether the selector says itself which namespaces it means. */
static bool names_namespace(const struct selector *s)
{
	return selector_has_key(s, LABEL_NAMESPACE, false) ||
	       selector_has_key(s, LABEL_NAMESPACE_LABELS, true);
}

/* Whether only what is in a namespace can match. */
static bool wants_namespace(const struct selector *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct selector one = {&s->requirement[i], 1};
		enum selector_op op = s->requirement[i].op;

		if ((op == SELECTOR_IN || op == SELECTOR_EXISTS) && names_namespace(&one))
			return true;
	}
	return false;
}

/*
 * A selector that names no namespace means the policy's own; of a clusterwide policy, any pod of
 * the cluster but not the world. Only reserved labels mean anybody but endpoints, so "in no
 * namespace x" does not mean the world either; selectors on them are left alone, whatever their
 * operator.
 */
static void add_scope(const struct walk *w, const struct peer_scope *scope, struct selector *s)
{
	bool named = names_namespace(s);

	if (selector_has_source(s, "reserved") || (!scope->namespace && scope->init))
		return;
	if (w->context->local_cluster && !selector_has_key(s, LABEL_CLUSTER, false))
		policy_require(
			w, s, "k8s", LABEL_CLUSTER, arena_strdup(w->mem, w->context->cluster));
	if (!wants_namespace(s))
		policy_require(w, s, "k8s", LABEL_NAMESPACE, named ? NULL : scope->namespace);
}

static int parse_endpoints(const struct walk *w, const struct node *list,
	const struct peer_scope *scope, struct rule *r)
{
	struct peer *p = policy_add_peer(r, PEER_SELECTOR);
	int err = 0;

	p->selector = arena_array(w->mem, node_items(list), sizeof(*p->selector));
	for (size_t i = 0; i < node_items(list); i++) {
		struct node item = node_item(list, i);

		err = WALK_ALSO(
			w, err, policy_parse_selector(w, &item, SELECT_ENDPOINTS, &p->selector[i]));
		if (!walk_on(w, err))
			return err;
		add_scope(w, scope, &p->selector[i]);
		p->selectors++;
	}
	return err;
}

static int parse_nodes(const struct walk *w, const struct node *list,
	const struct peer_scope *scope, struct rule *r)
{
	struct peer *p = policy_add_peer(r, PEER_NODE);
	int err = 0;

	(void)scope;
	p->selector = arena_array(w->mem, node_items(list), sizeof(*p->selector));
	for (size_t i = 0; i < node_items(list); i++) {
		struct node item = node_item(list, i);

		err = WALK_ALSO(
			w, err, policy_parse_selector(w, &item, SELECT_NODES, &p->selector[i]));
		if (!walk_on(w, err))
			return err;
		p->selectors++;
	}
	return err;
}

static int parse_service_namespace(const struct walk *w, const struct node *n, const char **ret)
{
	int r = walk_string(w, n, ret);

	return r < 0 || !*ret || !**ret ? r : policy_check_name(w, n, *ret, 63, false);
}

/* k8sService: one service, of the policy's own namespace unless it says another. */
static int parse_named_service(
	const struct walk *w, const struct node *n, const struct peer_scope *scope, struct peer *p)
{
	static const struct field fields[] = {{"serviceName", NULL}, {"namespace", NULL}};
	struct node name = node_member(n, "serviceName"), namespace = node_member(n, "namespace");
	const char *own = scope->namespace ? scope->namespace : "";
	const char *s_name = NULL, *s_namespace = NULL;
	int r = walk_mapping(w, n);

	if (r < 0)
		return r;
	r = WALK_FIELDS(w, n, fields);
	r = WALK_ALSO(w, r, walk_string_needed(w, &name, &s_name));
	if (s_name)
		r = WALK_ALSO(w, r, policy_check_name(w, &name, s_name, 63, false));
	r = WALK_ALSO(w, r, parse_service_namespace(w, &namespace, &s_namespace));
	p->name = arena_strdup(w->mem, s_name);
	p->namespace = arena_strdup(w->mem, s_namespace && *s_namespace ? s_namespace : own);
	return r;
}

/* k8sServiceSelector: services by their labels, of any namespace unless it says one. */
static int parse_selected_service(const struct walk *w, const struct node *n, struct peer *p)
{
	static const struct field fields[] = {{"selector", NULL}, {"namespace", NULL}};
	struct node selector = node_member(n, "selector"), namespace = node_member(n, "namespace");
	const char *s_namespace = NULL;
	int r = walk_mapping(w, n);

	if (r < 0)
		return r;
	p->selector = arena_array(w->mem, 1, sizeof(*p->selector));
	p->selectors = 1;
	r = WALK_FIELDS(w, n, fields);
	if (selector.value)
		r = WALK_ALSO(w, r,
			policy_parse_selector(w, &selector, SELECT_ENDPOINTS, &p->selector[0]));
	else
		r = WALK_ALSO(
			w, r, walk_error(w, &selector, "is missing; {} selects every service"));
	r = WALK_ALSO(w, r, parse_service_namespace(w, &namespace, &s_namespace));
	p->namespace = arena_strdup(w->mem, s_namespace ? s_namespace : "");
	return r;
}

static int parse_service(
	const struct walk *w, const struct node *n, const struct peer_scope *scope, struct peer *p)
{
	static const struct field fields[] = {{"k8sService", NULL}, {"k8sServiceSelector", NULL}};
	struct node named = node_member(n, "k8sService");
	struct node selected = node_member(n, "k8sServiceSelector");
	int r = walk_mapping(w, n);

	r = r < 0 ? r : WALK_FIELDS(w, n, fields);
	if (!r && !named.value == !selected.value)
		return walk_error(w, n, "needs exactly one of k8sService and k8sServiceSelector");
	if (r < 0)
		return r;
	return named.value ? parse_named_service(w, &named, scope, p)
			   : parse_selected_service(w, &selected, p);
}

static int parse_services(const struct walk *w, const struct node *list,
	const struct peer_scope *scope, struct rule *r)
{
	int err = 0;

	for (size_t i = 0; walk_on(w, err) && i < node_items(list); i++) {
		struct node item = node_item(list, i);

		err = WALK_ALSO(
			w, err, parse_service(w, &item, scope, policy_add_peer(r, PEER_SERVICE)));
	}
	return err;
}

static int check_aws(const struct walk *w, const struct node *n)
{
	static const struct field fields[] = {{"labels", NULL}, {"securityGroupsIds", NULL},
		{"securityGroupsNames", NULL}, {"region", NULL}};
	struct node labels = node_member(n, "labels"), region = node_member(n, "region");
	struct node ids = node_member(n, "securityGroupsIds");
	struct node names = node_member(n, "securityGroupsNames");
	struct labels ignored = {0};
	const char *s = NULL;
	int r = WALK_FIELDS(w, n, fields);

	r = WALK_ALSO(w, r, policy_parse_labels(w, &labels, "unspec", &ignored));
	r = WALK_ALSO(w, r, walk_strings(w, &ids));
	r = WALK_ALSO(w, r, walk_strings(w, &names));
	return WALK_ALSO(w, r, walk_string(w, &region, &s));
}

/*
 * Groups of a cloud provider, which nobody looks up: they mean nobody. That is safe in a rule that
 * allows; one that denies would deny nothing and is refused.
 */
static int parse_groups(const struct walk *w, const struct node *list,
	const struct peer_scope *scope, struct rule *r)
{
	static const struct field fields[] = {{"aws", NULL}};
	int err = 0;

	(void)scope;
	for (size_t i = 0; walk_on(w, err) && i < node_items(list); i++) {
		struct node item = node_item(list, i), aws = node_member(&item, "aws");

		err = WALK_ALSO(w, err, walk_mapping(w, &item));
		err = WALK_ALSO(w, err, WALK_FIELDS(w, &item, fields));
		err = WALK_ALSO(w, err, check_aws(w, &aws));
	}
	if (walk_on(w, err) && r->action == ACTION_DENY)
		return walk_refuse(w, list,
			"the members of cloud provider groups are not looked up, so the rule would "
			"deny nothing");
	(void)policy_add_peer(r, PEER_NONE);
	return err;
}

static int parse_fqdns(const struct walk *w, const struct node *list,
	const struct peer_scope *scope, struct rule *r)
{
	(void)scope;
	(void)r;
	return policy_check_fqdns(w, list);
}

/* The fields that give peers, by direction. */
static const struct peer_field {
	const char *name[POLICY_DIRECTIONS];
	int (*parse)(const struct walk *w, const struct node *list, const struct peer_scope *scope,
		struct rule *r); /* of a list with items; adds at most one peer per item */
} peer_fields[] = {
	{{"fromEndpoints", "toEndpoints"}, parse_endpoints},
	{{"fromCIDR", "toCIDR"}, policy_parse_cidrs},
	{{"fromCIDRSet", "toCIDRSet"}, policy_parse_cidr_set},
	{{"fromEntities", "toEntities"}, policy_parse_entities},
	{{"fromNodes", "toNodes"}, parse_nodes},
	{{"fromGroups", "toGroups"}, parse_groups},
	{{NULL, "toServices"}, parse_services},
	{{NULL, "toFQDNs"}, parse_fqdns},
};

/* The list of the one peer field that has items; all of them when all mistakes are wanted. */
static int parse_filled(const struct walk *w, const struct node *rule,
	const struct peer_scope *scope, struct rule *ret)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(peer_fields); i++) {
		const char *name = peer_fields[i].name[ret->direction];
		struct node n = name ? node_member(rule, name) : (struct node){0};

		if (!node_items(&n))
			continue;
		ret->peers = 0;
		ret->peer = arena_array(w->mem, node_items(&n), sizeof(*ret->peer));
		r = WALK_ALSO(w, r, peer_fields[i].parse(w, &n, scope, ret));
	}
	return r;
}

int policy_parse_peers(const struct walk *w, const struct node *rule,
	const struct peer_scope *scope, bool limited_ports, struct rule *ret)
{
	const struct peer_field *filled = NULL;
	struct node empty = {0};
	bool there = false;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(peer_fields); i++) {
		const char *name = peer_fields[i].name[ret->direction];
		struct node n = name ? node_member(rule, name) : (struct node){0};

		r = WALK_ALSO(w, r, walk_list(w, &n));
		there |= n.value != NULL;
		if (json_is_array(n.value) && !node_items(&n))
			empty = n;
		if (filled && node_items(&n))
			r = WALK_ALSO(w, r,
				walk_error(w, &n,
					"cannot be combined with %s in one rule; write two rules",
					filled->name[ret->direction]));
		if (!walk_on(w, r))
			return r;
		if (node_items(&n))
			filled = &peer_fields[i];
	}
	if (filled)
		return WALK_ALSO(w, r, parse_filled(w, rule, scope, ret));
	if (empty.value)
		walk_warn(w, &empty,
			"is empty, so the rule means nobody; name peers, or remove the rule");
	/* {} selects no peers; ports alone mean every peer; an empty field nobody */
	policy_set_peer_kind(w, ret, limited_ports && !there ? PEER_ANY : PEER_NONE);
	return r;
}
