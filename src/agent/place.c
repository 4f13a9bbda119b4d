/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the addresses of nodes go by in policies: other nodes have identities of their labels, and
 * prefixes that reach nodes tell their addresses apart, this node's too. Called by policy.c at each
 * apply. Must hold: a generation has a reference on every identity that it names.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/address.h"
#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/generation.h"

/* Both lists, sorted; longest matches in it tell apart what either tells apart. */
static struct reach reach_join(const struct reach *a, const struct reach *b)
{
	size_t more = b ? b->prefixes : 0;
	struct reach out = {mem_array(a->prefixes + more, sizeof(struct prefix)), 0};

	for (size_t i = 0; i < a->prefixes; i++)
		out.prefix[out.prefixes++] = a->prefix[i];
	for (size_t i = 0; i < more; i++)
		out.prefix[out.prefixes++] = b->prefix[i];
	out.prefixes = prefixes_unique(out.prefix, out.prefixes);
	return out;
}

static void hold(struct generation *g, uint32_t identity)
{
	mem_grow(&g->held, &g->held_room, g->helds + 1, sizeof(*g->held));
	g->held[g->helds++] = identity;
}

/* One address of a node with this identity. labels: more than the identity has. */
static int add_address(struct generation *g, struct identities *t, const struct addr *addr,
	uint32_t identity, const struct labels *labels, struct err *e)
{
	struct identity_part part = {.labels = *labels,
		.inside = prefixes_longest(g->reach.prefix, g->reach.prefixes, addr)};
	const struct identity_info *info;
	int r;

	r = identity_get_part(t, identity, &part, &info, e);
	if (r < 0)
		return r;
	hold(g, info->number);
	mem_grow(&g->node, &g->node_room, g->nodes + 1, sizeof(*g->node));
	g->node[g->nodes++] = (struct node_place){address_host(addr), identity, info->number};
	return 0;
}

/* Another node: reserved:remote-node and its own labels. */
static int add_node(
	struct generation *g, struct identities *t, const struct policy_node *n, struct err *e)
{
	static const struct labels none;
	struct arena mem SCOPED(arena_done) = {0};
	struct labels l = {arena_array(&mem, n->labels.count + 1, sizeof(struct label)), 1};
	const struct identity_info *info;
	int r;

	l.label[0] = (struct label){"reserved", "remote-node", ""};
	for (size_t i = 0; i < n->labels.count; i++)
		l.label[l.count++] = n->labels.label[i];
	r = identity_get(t, &l, &info, e);
	if (r < 0)
		return r;
	hold(g, info->number);
	for (size_t i = 0; !r && i < n->addrs; i++)
		r = add_address(g, t, &n->addr[i], info->number, &none, e);
	return r;
}

/* This node, wherever its addresses come from. */
static int add_own(
	struct generation *g, struct agent *a, const struct labels *labels, struct err *e)
{
	SCOPED(freep) struct prefix *own = NULL;
	size_t count = addresses_list(a->addresses, ADDRESS_HOST, &own);
	int r = 0;

	for (size_t i = 0; !r && i < count; i++)
		r = add_address(g, a->identities, &own[i].addr, IDENTITY_HOST, labels, e);
	return r;
}

int generation_take_nodes(
	struct generation *g, const struct generation *before, struct agent *a, struct err *e)
{
	struct labels own = {0};
	int r = 0;

	g->own_reach.prefixes = policy_reach_prefixes(&g->set, &g->own_reach.prefix);
	g->reach = reach_join(&g->own_reach, before ? &before->own_reach : NULL);
	for (size_t i = 0; !r && i < g->set.nodes; i++) {
		const struct policy_node *n = &g->set.node[i];

		if (str_eq(n->name, a->conf->node_name))
			own = n->labels;
		else
			r = add_node(g, a->identities, n, e);
	}
	return r ? r : add_own(g, a, &own, e);
}
