/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the twin's maps as the agent writes the kernel's. Called by judge.c. Owns the twin, of
 * which there is one per process. Must hold: the policy is loaded once, and what differs from node
 * to node is written again for each.
 */
#include "scenario/load.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "abi/endpoint.h"
#include "abi/identity.h"
#include "abi/map.h"

enum { FIRST_IFINDEX = 10, FOREVER = 1 << 30, GENERATION = 1 };

static void put(const char *map, const void *key, const void *value)
{
	int r = twin_map_update(twin_map(map), key, value, 0);

	/* the maps have been given room for all of it */
	assert(r == 0);
	(void)r;
}

uint32_t load_ifindex(size_t endpoint)
{
	return FIRST_IFINDEX + (uint32_t)endpoint;
}

void load_macs(size_t endpoint, uint8_t ret_mac[6], uint8_t ret_host_mac[6])
{
	uint8_t mac[6] = {2, 0, (uint8_t)(endpoint >> 24), (uint8_t)(endpoint >> 16),
		(uint8_t)(endpoint >> 8), (uint8_t)endpoint};

	memcpy(ret_mac, mac, sizeof(mac));
	mac[1] = 1;
	memcpy(ret_host_mac, mac, sizeof(mac));
}

static void give_room(const struct world *w)
{
	const struct scenario *s = w->scenario;
	size_t addrs = s->endpoints * FAMILIES, rules, peers;

	for (size_t i = 0; i < s->nodes; i++)
		addrs += s->node[i].addrs;
	twin_map_limit(twin_map("endpoint"), (uint32_t)s->endpoints + 1);
	twin_map_limit(twin_map("local"), (uint32_t)addrs + 1);
	twin_map_limit(twin_map("identity"), (uint32_t)(addrs + w->prefixes) + 8);
	compiled_count(w->compiled, &rules, &peers);
	twin_map_limit(twin_map("slot"), (uint32_t)w->compiled->slots + 1);
	twin_map_limit(twin_map("peer"), (uint32_t)peers + 1);
	twin_map_limit(twin_map("rule"), (uint32_t)rules + 1);
}

static void configure(const struct world *w)
{
	struct dp_config *c = twin_config();

	c->timeout_tcp = c->timeout_tcp_syn = c->timeout_tcp_fin = FOREVER;
	c->timeout_any = c->timeout_frag = FOREVER;
	c->world4 = IDENTITY_WORLD_IPV4;
	c->world6 = IDENTITY_WORLD_IPV6;
	c->allow_localhost = w->scenario->settings.localhost;
	c->trace = 1;
}

/* Numbers from 1 for classes and contents, in the order of their coming. */
struct numbers {
	struct hash known;
	uint32_t last;
};

static uint32_t number_of(struct numbers *n, const void *what, bool *ret_new)
{
	uintptr_t number = (uintptr_t)hash_get(&n->known, &what, sizeof(what));

	*ret_new = !number;
	if (!number) {
		number = ++n->last;
		(void)hash_put(&n->known, &what, sizeof(what), (void *)number);
	}
	return (uint32_t)number;
}

static uint32_t put_class(struct numbers *n, const struct compiled_class *c)
{
	bool is_new;
	uint32_t number = number_of(n, c, &is_new);

	for (size_t i = 0; is_new && i < c->entries; i++) {
		const struct class_entry *x = &c->entry[i];
		struct rule_key key = {.prefixlen = x->prefixlen,
			.class = number,
			.protocol = x->protocol,
			.port = htons(x->port)};

		put("rule", &key, &x->decision);
	}
	return number;
}

static void put_content(struct numbers *classes, const struct compiled_content *c, uint32_t number)
{
	for (size_t i = 0; i < c->peers; i++) {
		struct peer_key key = {.slot = number, .identity = c->peer[i].identity};
		struct peer_class value;

		for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++)
			value.class[d] = put_class(classes, c->class[c->peer[i].class[d]]);
		put("peer", &key, &value);
	}
}

static void put_slot(
	struct numbers *classes, struct numbers *contents, const struct compiled_slot *s)
{
	struct slot_key key = {.identity = s->identity, .generation = GENERATION & 1};
	struct slot_value value;
	bool is_new;

	value.slot = number_of(contents, s->content, &is_new);
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++)
		value.class[d] = put_class(classes, s->content->class[s->content->base[d]]);
	if (is_new)
		put_content(classes, s->content, value.slot);
	put("slot", &key, &value);
}

/* Slots of the ends alone: a borrowed world has those of many more identities. */
void load_policy(const struct world *w)
{
	const uint32_t zero = 0;
	struct state state = {.current = (uint64_t)GENERATION << 32 | 1};
	struct numbers classes = {0}, contents = {0};

	twin_reset();
	configure(w);
	give_room(w);
	put("state", &zero, &state);
	for (size_t i = 0; i < w->scenario->endpoints; i++) {
		for (enum family f = 0; f < FAMILIES; f++) {
			const struct compiled_slot *slot =
				compiled_slot_find(w->compiled, w->scenario->endpoint[i].part[f]);

			if (slot)
				put_slot(&classes, &contents, slot);
		}
	}
	hash_done(&classes.known);
	hash_done(&contents.known);
}

static void put_identity(const struct addr *a, unsigned bits, uint32_t number, uint32_t peer)
{
	struct identity_key key = {.prefixlen = 32 + bits, .addr = *a};
	struct identity_value value = {.identity = number, .peer = peer};

	if (bits < ADDR_BITS || !addr_is_zero(a))
		put("identity", &key, &value);
}

static void put_endpoint(const struct world *w, size_t index)
{
	const struct scenario_endpoint *at = &w->scenario->endpoint[index];
	struct endpoint_key key = {.id = load_ifindex(index), .kind = ENDPOINT_KIND_DEVICE};
	struct endpoint row = {
		.addr4 = at->addr[FAMILY_V4],
		.addr6 = at->addr[FAMILY_V6],
		.id = (uint32_t)index + 1,
		.identity = at->identity,
		.peer = {at->part[FAMILY_V4], at->part[FAMILY_V6]},
		.flags = ENDPOINT_READY,
		.ifindex = load_ifindex(index),
	};

	load_macs(index, row.mac, row.host_mac);
	put("endpoint", &key, &row);
	for (enum family f = 0; f < FAMILIES; f++) {
		struct addr_key address = {.addr = at->addr[f]};

		if (!addr_is_zero(&at->addr[f]))
			put("local", &address, &key);
	}
}

static void put_node(const struct scenario_node *n, bool is_here)
{
	for (size_t i = 0; i < n->addrs; i++)
		put_identity(&n->addr[i], ADDR_BITS, is_here ? IDENTITY_HOST : n->identity,
			!n->part  ? 0
			: is_here ? n->host_part[i]
				  : n->part[i]);
}

void load_node(const struct world *w, size_t node)
{
	static const struct scenario_end nobody = {.kind = END_REMOTE_NODE};
	const struct addr any4 = {.word = {0, 0, htonl(0xffff), 0}}, any6 = {0};
	const struct scenario *s = w->scenario;

	twin_map_clear(twin_map("endpoint"));
	twin_map_clear(twin_map("local"));
	twin_map_clear(twin_map("identity"));
	put_identity(&any4, ADDR_V4_PREFIX, IDENTITY_WORLD_IPV4, 0);
	put_identity(&any6, 0, IDENTITY_WORLD_IPV6, 0);
	for (size_t i = 0; i < w->prefixes; i++)
		put_identity(&w->prefix[i].addr, w->prefix[i].bits, w->prefix_identity[i],
			w->prefix_part ? w->prefix_part[i] : 0);
	for (enum family f = 0; f < FAMILIES; f++) {
		struct addr a = scenario_end_addr(s, &nobody, &nobody, f);

		put_identity(&a, ADDR_BITS, IDENTITY_REMOTE_NODE, 0);
	}
	for (size_t i = 0; i < s->nodes; i++)
		put_node(&s->node[i], i == node);
	for (size_t i = 0; i < s->endpoints; i++) {
		if (s->endpoint[i].node == node) {
			put_endpoint(w, i);
			continue;
		}
		for (enum family f = 0; f < FAMILIES; f++)
			put_identity(&s->endpoint[i].addr[f], ADDR_BITS, s->endpoint[i].identity,
				s->endpoint[i].part[f]);
	}
}

void load_forget(void)
{
	static struct twin_map *half4, *half6;

	if (!half4) {
		half4 = twin_map("half4");
		half6 = twin_map("half6");
	}
	twin_map_clear(half4);
	twin_map_clear(half6);
}
