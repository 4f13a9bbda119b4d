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

	(void)scope;
	p->reach = reach_of(w);
	p->prefix = arena_array(w->mem, node_items(list), sizeof(*p->prefix));
	for (size_t i = 0; i < node_items(list); i++) {
		struct node item = node_item(list, i);
		int err = policy_parse_prefix(w, &item, &p->prefix[p->prefixes++]);

		if (err < 0)
			return err;
	}
	return 0;
}

/* What is not inside the peer's prefix is a mistake; of a group the prefixes are not known here. */
static int parse_excepts(const struct walk *w, const struct node *list, struct peer *p)
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
		if (p->prefixes && !prefix_contains(&p->prefix[0], &p->except[p->excepts]))
			return walk_error(w, &item, "%s is not inside %s",
				prefix_format(&p->except[p->excepts], inner),
				prefix_format(&p->prefix[0], outer));
		p->excepts++;
	}
	return 0;
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
	return r < 0 ? r : parse_excepts(w, except, p);
}

int policy_parse_block(const struct walk *w, const struct node *n, struct peer *p)
{
	static const struct field fields[] = {{"cidr", NULL}, {"except", NULL}};
	struct node cidr = node_member(n, "cidr"), except = node_member(n, "except");
	int r = WALK_FIELDS(w, n, fields);

	return r < 0 ? r : parse_block(w, &cidr, &except, p);
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
	return r < 0 ? r : parse_excepts(w, &except, p);
}

int policy_parse_cidr_set(const struct walk *w, const struct node *list,
	const struct peer_scope *scope, struct rule *r)
{
	static const struct field fields[] = {{"cidr", NULL}, {"cidrGroupRef", NULL},
		{"cidrGroupSelector", NULL}, {"except", NULL}};
	enum { SOURCES = 3 };

	(void)scope;
	for (size_t i = 0; i < node_items(list); i++) {
		struct node item = node_item(list, i);
		struct node cidr = node_member(&item, "cidr");
		struct node except = node_member(&item, "except");
		struct peer *p = policy_add_peer(r, PEER_NONE);
		size_t given = 0;
		int err = walk_mapping(w, &item);

		err = err < 0 ? err : WALK_FIELDS(w, &item, fields);
		if (err < 0)
			return err;
		for (size_t k = 0; k < SOURCES; k++)
			given += node_member(&item, fields[k].name).value != NULL;
		if (given != 1)
			return walk_error(w, &item,
				"needs exactly one of cidr, cidrGroupRef and cidrGroupSelector");
		err = cidr.value ? parse_block(w, &cidr, &except, p) : parse_group(w, &item, p);
		if (err < 0)
			return err;
	}
	return 0;
}
