/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CIDRs of all kinds of policies, and CIDR groups. Called by policy_peer.c, policy_network.c and
 * policy_cluster.c. Owns nothing beside what it puts into the set's arena. Must hold: each peer
 * says what its prefixes reach, by the setting of its kind of policy.
 */
#include "base/str.h"
#include "model/policy_walk.h"

static unsigned reach_of(const struct walk *w)
{
	return w->strict_names ? w->context->kubernetes_reach : w->context->cilium_reach;
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

int policy_parse_cidrs(const struct walk *w, const struct node *list,
	const struct peer_scope *scope, struct rule *r)
{
	struct peer *p = policy_add_peer(r, PEER_PREFIX);
	int err = 0;

	(void)scope;
	p->reach = reach_of(w);
	p->prefix = arena_array(w->mem, node_items(list), sizeof(*p->prefix));
	for (size_t i = 0; i < node_items(list); i++) {
		struct node item = node_item(list, i);

		err = WALK_ALSO(w, err, policy_parse_prefix(w, &item, &p->prefix[p->prefixes++]));
		if (!walk_on(w, err))
			return err;
	}
	return err;
}

/* What is not inside the peer's prefix is a mistake; of a group the prefixes are not known here. */
static int parse_except(const struct walk *w, const struct node *n, struct peer *p)
{
	struct prefix *except = &p->except[p->excepts];
	char outer[ADDR_TEXT], inner[ADDR_TEXT];
	int r = policy_parse_prefix(w, n, except);

	if (r < 0)
		return r;
	if (p->prefixes && !prefix_contains(&p->prefix[0], except))
		return walk_error(w, n, "%s is not inside %s", prefix_format(except, inner),
			prefix_format(&p->prefix[0], outer));
	p->excepts++;
	return 0;
}

static int parse_excepts(const struct walk *w, const struct node *list, struct peer *p)
{
	int r = walk_list(w, list);

	p->except = arena_array(w->mem, node_items(list), sizeof(*p->except));
	for (size_t i = 0; walk_on(w, r) && i < node_items(list); i++) {
		struct node item = node_item(list, i);

		r = WALK_ALSO(w, r, parse_except(w, &item, p));
	}
	return r;
}

static int parse_block(
	const struct walk *w, const struct node *cidr, const struct node *except, struct peer *p)
{
	int r;

	p->kind = PEER_PREFIX;
	p->reach = reach_of(w);
	p->prefix = arena_array(w->mem, 1, sizeof(*p->prefix));
	p->prefixes = 1;
	r = policy_parse_prefix(w, cidr, &p->prefix[0]);
	if (r < 0)
		p->prefixes = 0; /* nothing to be inside of */
	return WALK_ALSO(w, r, parse_excepts(w, except, p));
}

int policy_parse_block(const struct walk *w, const struct node *n, struct peer *p)
{
	static const struct field fields[] = {{"cidr", NULL}, {"except", NULL}};
	struct node cidr = node_member(n, "cidr"), except = node_member(n, "except");
	int r = WALK_FIELDS(w, n, fields);

	return WALK_ALSO(w, r, parse_block(w, &cidr, &except, p));
}

static int parse_group(const struct walk *w, const struct node *item, struct peer *p)
{
	struct node ref = node_member(item, "cidrGroupRef");
	struct node selector = node_member(item, "cidrGroupSelector");
	struct node except = node_member(item, "except");
	const char *name = NULL;
	int r;

	p->kind = PEER_GROUP;
	p->reach = reach_of(w);
	if (ref.value) {
		r = walk_string_needed(w, &ref, &name);
		r = r < 0 ? r : policy_check_name(w, &ref, name, 253, true);
		p->name = arena_strdup(w->mem, name);
	} else {
		p->selector = arena_array(w->mem, 1, sizeof(*p->selector));
		p->selectors = 1;
		r = policy_parse_selector(w, &selector, SELECT_GROUPS, &p->selector[0]);
	}
	return WALK_ALSO(w, r, parse_excepts(w, &except, p));
}

static int parse_set_item(const struct walk *w, const struct node *n, struct peer *p)
{
	static const struct field fields[] = {{"cidr", NULL}, {"cidrGroupRef", NULL},
		{"cidrGroupSelector", NULL}, {"except", NULL}};
	enum { SOURCES = 3 };
	struct node cidr = node_member(n, "cidr"), except = node_member(n, "except");
	size_t given = 0;
	int r = walk_mapping(w, n);

	r = r < 0 ? r : WALK_FIELDS(w, n, fields);
	if (r < 0)
		return r;
	for (size_t i = 0; i < SOURCES; i++)
		given += node_member(n, fields[i].name).value != NULL;
	if (given != 1)
		return walk_error(
			w, n, "needs exactly one of cidr, cidrGroupRef and cidrGroupSelector");
	return cidr.value ? parse_block(w, &cidr, &except, p) : parse_group(w, n, p);
}

int policy_parse_cidr_set(const struct walk *w, const struct node *list,
	const struct peer_scope *scope, struct rule *r)
{
	int err = 0;

	(void)scope;
	for (size_t i = 0; walk_on(w, err) && i < node_items(list); i++) {
		struct node item = node_item(list, i);

		err = WALK_ALSO(w, err, parse_set_item(w, &item, policy_add_peer(r, PEER_NONE)));
	}
	return err;
}
