/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_ABI_POLICY_H
#define KILIM_ABI_POLICY_H
/*
 * Compiled policy. identity -> slot, {slot, peer identity} -> class, then one longest-prefix
 * look-up decides. User space has resolved deny, precedence, ranges and "any" before it writes, so
 * that the kernel never searches. A class is a table of ports, and the node's: equal tables are one
 * class, whatever slots, directions and peers have it.
 */
#include <linux/types.h>

enum policy_direction {
	POLICY_INGRESS, /* to the endpoint */
	POLICY_EGRESS, /* from the endpoint */
	POLICY_DIRECTIONS,
};

/*
 * The one value that switches policy: stored with one 64-bit store, read once per packet. revision
 * picks the set of slots (its lowest bit is the generation in struct slot_key); epoch is compared
 * with a flow's.
 */
struct state {
	__u64 current; /* revision << 32 | epoch */
	__u32 migrating; /* at this offset for ever, any build may have to finish; 1 while flows are
			  * being moved from maps of another layout (stage flow)
			  */
	__u32 pad;
};

/* Key of map slot: which slot an identity uses in a generation. */
struct slot_key {
	__u32 identity;
	__u32 generation; /* revision & 1 */
};

/* Value of map slot. Identities with the same policy have the same slot. */
struct slot_value {
	__u32 slot; /* from 1 */
	__u32 class[POLICY_DIRECTIONS]; /* of peers that have no entry in map peer */
};

/*
 * Key of map peer: the classes that a peer has in a slot, where they are not the slot's own. A peer
 * goes by its identity, or by a number of its own where a rule tells ends of one identity apart by
 * their address (struct endpoint, struct identity_value).
 */
struct peer_key {
	__u32 slot;
	__u32 identity;
};

/* Value of map peer. */
struct peer_class {
	__u32 class[POLICY_DIRECTIONS];
};

/*
 * Key of map rule: longest prefix over class, protocol, port. A prefix that ends before protocol
 * covers all protocols, one that ends inside port a power-of-two range. For ICMP the port is type
 * << 8 | code.
 */
struct rule_key {
	__u32 prefixlen;
	__u32 class; /* from 1 */
	__u8 protocol; /* IPPROTO_* */
	__u8 pad; /* 0, and inside every prefix that has a protocol */
	__be16 port; /* destination port; 0 for protocols without one */
};

_Static_assert(sizeof(struct rule_key) == 12, "LPM key of 8 data bytes");

enum {
	RULE_PREFIX_CLASS = 32, /* any protocol */
	RULE_PREFIX_PROTOCOL = 48, /* one protocol, any port */
	RULE_PREFIX_PORT = 64, /* one protocol, one port */
};

enum policy_verdict {
	POLICY_DEFAULT_DENY, /* no rule allows it */
	POLICY_ALLOW,
	POLICY_DENY, /* a deny rule */
};

enum policy_flag {
	POLICY_ENFORCED = 1 << 0, /* some policy selects the endpoint in this direction */
	POLICY_AUDIT = 1 << 1, /* a denial passes, and its flow says AUDIT */
	POLICY_SHADOW = 1 << 2, /* of events: the shadow verdict would have done otherwise */
};

/* Why an entry matched, as Hubble numbers it (flow.policy_match_type, interface sheet 1a). */
enum policy_match {
	POLICY_MATCH_NONE = 0,
	POLICY_MATCH_L3_ONLY = 1,
	POLICY_MATCH_L3_L4 = 2,
	POLICY_MATCH_L4_ONLY = 3,
	POLICY_MATCH_ALL = 4,
	POLICY_MATCH_L3_PROTO = 5,
	POLICY_MATCH_PROTO_ONLY = 6,
};

/* Value of map rule. */
struct decision {
	__u8 verdict; /* enum policy_verdict */
	__u8 flags; /* enum policy_flag */
	__u8 match; /* enum policy_match */
	__u8 shadow; /* verdict of a policy in shadow mode; equal to verdict when there is none */
	__u16 proxy; /* proxy port to redirect to, host byte order; 0 none */
	__u16 pad;
	__u32 rule; /* rule id, explained by the agent; 0 when no policy applies */
	__u32 shadow_rule; /* rule id of the shadow verdict */
};

_Static_assert(sizeof(struct decision) == 16, "explicit padding");

/* Value of map rule_hit, whose index is a rule id: what a rule has decided, for first packets and
 * for flows that are judged again. */
struct rule_hit {
	__u64 decisions;
	__u64 shadow; /* as the shadow rule: how often its verdict would have done otherwise */
};

#endif
