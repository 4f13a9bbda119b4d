/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who exists in the data path's tests, and how that is written into maps. Called by the tables, the
 * randomized test and the fuzz target. Must hold: what is written is what an agent would write,
 * class defaults included.
 */
#include "bpf/world.h"

#include <arpa/inet.h>
#include <string.h>

#include "abi/identity.h"
#include "base/hash.h"
#include "base/mem.h"

struct row {
	const char *name, *v4, *v6;
	uint32_t identity;
	uint32_t id; /* endpoints */
	uint32_t flags;
	uint16_t domain;
	uint32_t peer; /* what it goes by in policies; 0: the identity */
};

static const struct row row[WHO_COUNT] = {
	[NOBODY] = {.name = "nobody"},
	[A] = {"a", "10.1.0.1", "fd01::1", 1001, 1, ENDPOINT_READY, 0, 0},
	[B] = {"b", "10.1.0.2", "fd01::2", 1002, 2, ENDPOINT_READY, 0, 0},
	[C] = {"c", "10.1.0.3", "fd01::3", 1002, 3, ENDPOINT_READY, 0, 5003},
	[COLD] = {"cold", "10.1.0.4", "fd01::4", 1004, 4, 0, 0, 0},
	[PENDING] = {"pending", "10.1.0.5", "fd01::5", 1005, 5, ENDPOINT_READY, 0, 0},
	[FOUR] = {"four", "10.1.0.6", NULL, 1006, 6, ENDPOINT_READY, 0, 0},
	[TENANT] = {"tenant", "10.1.0.2", "fd01::2", 1007, 7, ENDPOINT_READY, WORLD_TENANT_DOMAIN,
		0},
	[TENANT2] = {"tenant2", "10.1.0.1", "fd01::1", 1007, 8, ENDPOINT_READY, WORLD_TENANT_DOMAIN,
		0},
	[UPLINK] = {.name = "uplink"},
	[NODE] = {"node", "192.168.0.1", "fd02::1", IDENTITY_HOST, 0, 0, 0, 0},
	[GATEWAY] = {"gateway", "10.1.0.254", "fd01::fe", IDENTITY_HOST, 0, 0, 0, 0},
	[OUTSIDE] = {"outside", "203.0.113.9", "2001:db8::9", IDENTITY_WORLD, 0, 0, 0, 0},
	[OFFICE] = {"office", "198.51.100.7", "2001:db8:c::7", IDENTITY_LOCAL_MIN, 0, 0, 0, 5013},
	[STRANGER] = {"stranger", "192.0.2.5", "2001:db8:dead::5", IDENTITY_UNKNOWN, 0, 0, 0, 0},
};

enum { IFINDEX_BASE = 10 };

const char *who_name(enum who w)
{
	return row[w].name;
}

bool who_is_endpoint(enum who w)
{
	return row[w].id != 0;
}

struct addr who_addr(enum who w, int family)
{
	struct addr a = {0};

	if (family == 6 && row[w].v6)
		inet_pton(AF_INET6, row[w].v6, &a);
	if (family == 4 && row[w].v4) {
		a.word[2] = htonl(0xffff);
		inet_pton(AF_INET, row[w].v4, &a.word[3]);
	}
	return a;
}

uint32_t who_identity(enum who w)
{
	return row[w].identity;
}

uint32_t who_ifindex(enum who w)
{
	return who_is_endpoint(w) || w == UPLINK ? IFINDEX_BASE + (uint32_t)w : 0;
}

uint16_t who_domain(enum who w)
{
	return row[w].domain;
}

void who_mac(enum who w, uint8_t ret[6])
{
	memcpy(ret, (uint8_t[6]){0x02, 0, 0, 0, 0, (uint8_t)w}, 6);
}

void who_host_mac(enum who w, uint8_t ret[6])
{
	memcpy(ret, (uint8_t[6]){0x02, 0, 0, 0, 0xff, (uint8_t)w}, 6);
}

struct plane_options world_options(void)
{
	static uint32_t ifindex[WHO_COUNT];
	struct plane_options o = {
		.config =
			{
				.gateway4 = who_addr(GATEWAY, 4),
				.gateway6 = who_addr(GATEWAY, 6),
				.timeout_tcp = (uint64_t)TIMEOUT_TCP << WORLD_TIMEOUT_SHIFT,
				.timeout_tcp_syn = (uint64_t)TIMEOUT_SYN << WORLD_TIMEOUT_SHIFT,
				.timeout_tcp_fin = (uint64_t)TIMEOUT_FIN << WORLD_TIMEOUT_SHIFT,
				.timeout_any = (uint64_t)TIMEOUT_ANY << WORLD_TIMEOUT_SHIFT,
				.timeout_frag = (uint64_t)TIMEOUT_FRAG << WORLD_TIMEOUT_SHIFT,
				.sweep_ns = UINT64_C(1000000000) * 3600,
				.world4 = IDENTITY_WORLD_IPV4,
				.world6 = IDENTITY_WORLD_IPV6,
				.allow_localhost = 1,
				.trace = 1,
			},
		.ifindex = ifindex,
	};

	for (enum who w = A; w <= UPLINK; w++)
		ifindex[o.ifindexes++] = who_ifindex(w);
	return o;
}

static struct endpoint_key endpoint_key(enum who w)
{
	return (struct endpoint_key){.id = who_ifindex(w), .kind = ENDPOINT_KIND_DEVICE};
}

void world_endpoint(struct plane *p, enum who w, uint32_t flags)
{
	struct endpoint_key key = endpoint_key(w);
	struct endpoint e = {
		.addr4 = who_addr(w, 4),
		.addr6 = who_addr(w, 6),
		.id = row[w].id,
		.identity = row[w].identity,
		.peer = {row[w].peer, row[w].peer},
		.domain = row[w].domain,
		.flags = (uint16_t)flags,
		.ifindex = who_ifindex(w),
	};

	who_mac(w, e.mac);
	who_host_mac(w, e.host_mac);
	plane_update(p, "endpoint", &key, &e);
}

void world_endpoint_remove(struct plane *p, enum who w)
{
	struct endpoint_key key = endpoint_key(w);

	plane_delete(p, "endpoint", &key);
}

static struct addr_key addr_key(enum who w, int family)
{
	return (struct addr_key){.domain = row[w].domain, .addr = who_addr(w, family)};
}

void world_local(struct plane *p, enum who w)
{
	struct endpoint_key value = endpoint_key(w);
	struct addr_key key = addr_key(w, 4);

	plane_update(p, "local", &key, &value);
	if (!row[w].v6)
		return;
	key = addr_key(w, 6);
	plane_update(p, "local", &key, &value);
}

void world_local_remove(struct plane *p, enum who w)
{
	struct addr_key key = addr_key(w, 4);

	plane_delete(p, "local", &key);
	key = addr_key(w, 6);
	plane_delete(p, "local", &key);
}

static void identity_write(
	struct plane *p, const struct addr *a, uint32_t bits, uint32_t identity, uint32_t peer)
{
	struct identity_key key = {.prefixlen = 32 + bits, .addr = *a};
	struct identity_value value = {.identity = identity, .peer = peer};

	plane_update(p, "identity", &key, &value);
}

static void identities_write(struct plane *p)
{
	struct addr any4 = {.word = {0, 0, htonl(0xffff), 0}}, any6 = {0};

	identity_write(p, &any4, ADDR_V4_PREFIX, IDENTITY_WORLD_IPV4, 0);
	identity_write(p, &any6, 0, IDENTITY_WORLD_IPV6, 0);
	for (enum who w = NODE; w < WHO_COUNT; w++) {
		struct addr a4 = who_addr(w, 4), a6 = who_addr(w, 6);

		if (w == OUTSIDE)
			continue;
		identity_write(p, &a4, ADDR_BITS, row[w].identity, row[w].peer);
		identity_write(p, &a6, ADDR_BITS, row[w].identity, row[w].peer);
	}
}

/* --- policy --- */

static bool is_ruled(const struct world_rule *rules, enum who of, uint8_t direction)
{
	for (size_t i = 0; rules && i < WORLD_RULES && rules[i].of; i++) {
		if (row[rules[i].of].identity == row[of].identity &&
			rules[i].direction == direction)
			return true;
	}
	return false;
}

/* Slots are numbered so that both generations can be there at once. */
static uint32_t slot_of(enum who of, uint32_t generation)
{
	return (uint32_t)of * 2 + generation + 1;
}

/* Whether a rule that names one speaks of the other: who has a peer number of its own is also
 * meant by its identity, but not the other way round. */
static bool names(enum who rule, enum who peer)
{
	return peer != NOBODY &&
	       (rule == peer || (rule && row[peer].peer && !row[rule].peer &&
					row[rule].identity == row[peer].identity));
}

static uint32_t peer_number(enum who w)
{
	return row[w].peer ? row[w].peer : row[w].identity;
}

static uint32_t rule_prefix(const struct world_rule *r)
{
	if (!r->protocol)
		return RULE_PREFIX_CLASS;
	return RULE_PREFIX_PROTOCOL + (r->port_bits ? r->port_bits : r->port ? 16u : 0u);
}

/* A table of ports, as it is put together: a rule more, or another decision for the same ports. */
struct class
{
	struct {
		struct rule_key key;
		struct decision decision;
	} entry[WORLD_RULES * 2 + 1];
	size_t entries;
};

static void class_add(struct class *c, const struct world_rule *r, uint32_t prefixlen)
{
	c->entry[c->entries].key = (struct rule_key){
		.prefixlen = prefixlen,
		.protocol = r->protocol,
		.port = htons(r->port),
	};
	c->entry[c->entries++].decision = (struct decision){
		.verdict = r->verdict,
		.flags = (uint8_t)((r->rule ? POLICY_ENFORCED : 0) | (r->audit ? POLICY_AUDIT : 0)),
		.match = r->rule ? POLICY_MATCH_ALL : POLICY_MATCH_NONE,
		.shadow = r->shadow ? (uint8_t)(r->shadow - 1) : r->verdict,
		.rule = r->rule,
		.shadow_rule = r->shadow_rule,
	};
}

/*
 * Of nobody's class all that speaks of everybody; of a peer's class that, and what names the peer.
 * The number is made of the content, so that slots, directions and peers share what is equal; its
 * lowest bit is the generation, and it is not 0. Returns it.
 */
static uint32_t class_write(struct plane *p, enum who of, uint32_t generation, enum who peer,
	uint8_t direction, const struct world_rule *rules)
{
	bool ruled = is_ruled(rules, of, direction);
	struct world_rule usual = {
		.direction = direction,
		.verdict = ruled ? POLICY_DEFAULT_DENY : POLICY_ALLOW,
		.rule = ruled ? 1 : 0,
	};
	struct class c = {0};
	uint32_t number;

	class_add(&c, &usual, RULE_PREFIX_CLASS);
	for (int named = 0; named < 2; named++) {
		for (size_t i = 0; rules && i < WORLD_RULES && rules[i].of; i++) {
			const struct world_rule *r = &rules[i];

			if (row[r->of].identity == row[of].identity && r->direction == direction &&
				(named ? names(r->peer, peer) : r->peer == NOBODY))
				class_add(&c, r, rule_prefix(r));
		}
	}
	number = (uint32_t)hash_bytes(c.entry, c.entries * sizeof(c.entry[0]), 0) | 2;
	number = (number & ~1u) | generation;
	for (size_t i = 0; i < c.entries; i++) {
		c.entry[i].key.class = number;
		plane_update(p, "rule", &c.entry[i].key, &c.entry[i].decision);
	}
	return number;
}

/* Whether a rule of this identity names the peer: all others are in the slot's own classes. */
static bool is_named(const struct world_rule *rules, enum who of, enum who peer)
{
	for (size_t i = 0; rules && i < WORLD_RULES && rules[i].of; i++) {
		if (row[rules[i].of].identity == row[of].identity && names(rules[i].peer, peer))
			return true;
	}
	return false;
}

static void slot_write(
	struct plane *p, enum who of, uint32_t generation, const struct world_rule *rules)
{
	struct slot_value slot = {.slot = slot_of(of, generation)};
	struct slot_key key = {.identity = row[of].identity, .generation = generation};

	for (uint8_t d = 0; d < POLICY_DIRECTIONS; d++)
		slot.class[d] = class_write(p, of, generation, NOBODY, d, rules);
	for (enum who peer = A; peer < WHO_COUNT; peer++) {
		struct peer_key pk = {.slot = slot.slot, .identity = peer_number(peer)};
		struct peer_class class;

		if (!row[peer].identity || !is_named(rules, of, peer))
			continue;
		for (uint8_t d = 0; d < POLICY_DIRECTIONS; d++)
			class.class[d] = class_write(p, of, generation, peer, d, rules);
		plane_update(p, "peer", &pk, &class);
	}
	plane_update(p, "slot", &key, &slot);
	/* who goes by another number is a subject by it, too */
	for (enum who w = A; w < WHO_COUNT; w++) {
		key.identity = row[w].peer;
		if (row[w].peer && row[w].identity == row[of].identity)
			plane_update(p, "slot", &key, &slot);
	}
}

/* What an earlier policy has left of the generation that is written next. */
struct leftover {
	struct plane *plane;
	uint32_t generation;
};

static int leftover_remove(const void *key, const void *value, void *data)
{
	const struct rule_key *rk = key;
	struct leftover *l = data;

	(void)value;
	if ((rk->class & 1) == l->generation)
		plane_delete(l->plane, "rule", key);
	return 0;
}

static int leftover_remove_peer(const void *key, const void *value, void *data)
{
	const struct peer_key *pk = key;
	struct leftover *l = data;

	(void)value;
	if (((pk->slot - 1) & 1) == l->generation)
		plane_delete(l->plane, "peer", key);
	return 0;
}

static void policy_write(struct plane *p, uint32_t generation, const struct world_rule *rules)
{
	struct leftover l = {p, generation};

	plane_each(p, "rule", leftover_remove, &l);
	plane_each(p, "peer", leftover_remove_peer, &l);
	for (enum who w = A; w < UPLINK; w++) {
		if (w != PENDING && w != C && w != TENANT2)
			slot_write(p, w, generation, rules);
	}
}

static struct state state_read(struct plane *p)
{
	struct state s = {0};
	uint32_t zero = 0;

	plane_lookup(p, "state", &zero, &s);
	return s;
}

static void state_write(struct plane *p, uint32_t revision, uint32_t epoch)
{
	struct state s = {.current = (uint64_t)revision << 32 | epoch};
	uint32_t zero = 0;

	plane_update(p, "state", &zero, &s);
}

void world_bump(struct plane *p)
{
	uint64_t now = state_read(p).current;

	state_write(p, (uint32_t)(now >> 32), (uint32_t)now + 1);
}

void world_policy(struct plane *p, const struct world_rule *rules)
{
	uint64_t now = state_read(p).current;
	uint32_t revision = (uint32_t)(now >> 32) + 1;

	policy_write(p, revision & 1, rules);
	state_write(p, revision, (uint32_t)now + 1);
}

void world_write(struct plane *p, const struct world_rule *rules)
{
	for (enum who w = A; w < UPLINK; w++) {
		world_endpoint(p, w, row[w].flags);
		world_local(p, w);
	}
	identities_write(p);
	policy_write(p, WORLD_REVISION & 1, rules);
	state_write(p, WORLD_REVISION, WORLD_EPOCH);
}
