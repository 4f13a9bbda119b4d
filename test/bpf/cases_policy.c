/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may: rules by peer, protocol and port, both directions, default deny and deny, and the node's
 * own privilege. Run by packets.c.
 */
#include "abi/identity.h"
#include "bpf/table.h"

enum { SYN = TCP_SYN, T = 6, U = 17, SCTP = 132 };

#define RANGE(who, dir, peer_, proto, port_, bits, verdict_, id)                                   \
	{                                                                                          \
		.of = (who), .direction = POLICY_##dir, .peer = (peer_), .protocol = (proto),      \
		.port = (port_), .port_bits = (bits), .verdict = (verdict_), .rule = (id)          \
	}
#define DENIED(from_, to_, ...)                                                                    \
	{                                                                                          \
		.from = from_, .to = to_, __VA_ARGS__, .drop = DROP_POLICY_DENIED, .rule = 1,      \
		.flow = NO_FLOW                                                                    \
	}
#define REFUSED(from_, to_, id, ...)                                                               \
	{                                                                                          \
		.from = from_, .to = to_, __VA_ARGS__, .drop = DROP_POLICY_DENY, .rule = (id),     \
		.flow = NO_FLOW                                                                    \
	}
#define PASSES(from_, to_, ...)                                                                    \
	{                                                                                          \
		.from = from_, .to = to_, __VA_ARGS__, .flow = HALF_NEW                            \
	}

static int remove_rule(const void *key, const void *value, void *plane)
{
	(void)value;
	return plane_delete(plane, "rule", key);
}

static void remove_rules(struct plane *p)
{
	(void)plane_each(p, "rule", remove_rule, p);
}

/* clang-format off */
const struct packet_case cases_policy[] = {
	{"audit: what is denied passes, and says so", .both_paths = true,
		.rules = {{.of = B, .direction = POLICY_INGRESS, .verdict = POLICY_DEFAULT_DENY,
				.rule = 5, .audit = true},
			{.of = B, .direction = POLICY_INGRESS, .protocol = T, .port = 22,
				.verdict = POLICY_DENY, .rule = 6, .audit = true},
			ALLOW(B, INGRESS, NOBODY, T, 80, 7)},
		.shot = {
			PASSES(A, B, TCP(1, 81, SYN), .rule = 5, .hits = 1,
				.decision_flags = POLICY_AUDIT | POLICY_ENFORCED),
			{.from = B, .to = A, TCP(81, 1, SYN | TCP_ACK)},
			{.from = A, .to = B, TCP(1, 81, TCP_ACK), .before = world_bump, .rule = 5,
				.hits = 2, .decision_flags = POLICY_AUDIT, .flow = ESTABLISHED},
			PASSES(OUTSIDE, B, TCP(1, 22, SYN), .rule = 6, .hits = 1,
				.decision_flags = POLICY_AUDIT),
			PASSES(A, B, TCP(1, 80, SYN), .rule = 7, .hits = 1),
		}},
	{"shadow: decides nothing, and says where it would",
		.rules = {{.of = B, .direction = POLICY_INGRESS, .verdict = POLICY_ALLOW,
				.rule = 5, .shadow = POLICY_DEFAULT_DENY + 1, .shadow_rule = 6},
			{.of = B, .direction = POLICY_INGRESS, .protocol = T, .port = 22,
				.verdict = POLICY_DENY, .rule = 7, .shadow = POLICY_ALLOW + 1,
				.shadow_rule = 8},
			{.of = B, .direction = POLICY_INGRESS, .protocol = T, .port = 23,
				.verdict = POLICY_DENY, .rule = 9,
				.shadow = POLICY_DEFAULT_DENY + 1, .shadow_rule = 10}},
		.shot = {
			PASSES(A, B, TCP(1, 80, SYN), .rule = 5, .shadow_rule = 6, .hits = 1,
				.decision_flags = POLICY_SHADOW),
			{.from = A, .to = B, TCP(1, 80, TCP_ACK), .before = world_bump, .rule = 5,
				.shadow_rule = 6, .hits = 2, .decision_flags = POLICY_SHADOW},
			REFUSED(A, B, 7, TCP(1, 22, SYN), .shadow_rule = 8, .hits = 1,
				.decision_flags = POLICY_SHADOW),
			REFUSED(A, B, 9, TCP(1, 23, SYN)),
		}},
	{"an endpoint always reaches itself",
		.rules = {RANGE(A, INGRESS, NOBODY, 0, 0, 0, POLICY_DENY, 5),
			RANGE(A, EGRESS, NOBODY, 0, 0, 0, POLICY_DENY, 6)},
		.shot = {
			REFUSED(A, B, 6, TCP(1, 80, SYN)),
			PASSES(A, A, TCP(1, 80, SYN)),
			REFUSED(B, A, 5, TCP(1, 80, SYN)),
		}},
	{"an end with a peer number of its own is told apart from its identity",
		.rules = {ALLOW(A, INGRESS, B, T, 80, 5), ALLOW(A, INGRESS, C, T, 81, 6),
			ALLOW(A, EGRESS, OFFICE, T, 443, 7)},
		.shot = {
			PASSES(B, A, TCP(1, 80, SYN), .rule = 5, .source_identity = 1002),
			PASSES(C, A, TCP(1, 80, SYN), .rule = 5),
			PASSES(C, A, TCP(1, 81, SYN), .rule = 6, .source_identity = 1002),
			DENIED(B, A, TCP(1, 81, SYN)),
			PASSES(A, OFFICE, TCP(1, 443, SYN), .rule = 7),
			DENIED(A, OUTSIDE, TCP(1, 443, SYN)),
		}},
	{"one port is allowed",
		.rules = {ALLOW(B, INGRESS, NOBODY, T, 80, 5)},
		.shot = {
			{.from = A, .to = B, TCP(1, 80, SYN), .flow = HALF_NEW, .rule = 5,
				.event_flags = EVENT_JUDGED_INGRESS | EVENT_JUDGED_EGRESS},
			DENIED(A, B, TCP(1, 81, SYN)),
			DENIED(A, B, UDP(1, 80)),
			DENIED(OUTSIDE, B, TCP(1, 81, SYN)),
			PASSES(OUTSIDE, B, TCP(1, 80, SYN)),
		}},
	{"nothing is allowed in",
		.rules = {RANGE(B, INGRESS, NOBODY, 0, 0, 0, POLICY_DEFAULT_DENY, 1)},
		.shot = {
			DENIED(A, B, TCP(1, 80, SYN)),
			DENIED(A, B, UDP(1, 53)),
			DENIED(A, B, ICMP(ECHO, 1)),
			DENIED(A, B, PROTOCOL(SCTP)),
			DENIED(A, B, PROTOCOL(50, .l4_len = 8)),
			DENIED(OUTSIDE, B, TCP(1, 80, SYN)),
			PASSES(B, A, TCP(1, 80, SYN)),
		}},
	{"nothing is allowed out",
		.rules = {RANGE(A, EGRESS, NOBODY, 0, 0, 0, POLICY_DEFAULT_DENY, 1)},
		.shot = {
			DENIED(A, B, TCP(1, 80, SYN)),
			DENIED(A, OUTSIDE, TCP(1, 80, SYN)),
			DENIED(A, NODE, TCP(1, 80, SYN)),
			PASSES(B, A, TCP(1, 80, SYN)),
			{.from = A, .to = B, TCP(80, 1, SYN | TCP_ACK), .flow = HALF_NEW},
		}},
	{"without an entry for it nothing passes",
		.shot = {
			PASSES(A, B, TCP(1, 80, SYN)),
			{.from = A, .to = B, TCP(2, 80, SYN), .before = remove_rules,
				.drop = DROP_EP_NOT_READY, .flow = NO_FLOW},
		}},
	{"both ends' decisions are told",
		.rules = {ALLOW(A, EGRESS, NOBODY, T, 80, 4), ALLOW(B, INGRESS, NOBODY, T, 80, 5)},
		.shot = {
			{.from = A, .to = B, TCP(1, 80, SYN), .flow = HALF_NEW, .rule = 4,
				.event_flags = EVENT_JUDGED_INGRESS | EVENT_JUDGED_EGRESS},
			{.from = A, .to = OUTSIDE, TCP(1, 80, SYN), .flow = HALF_NEW, .rule = 4,
				.event_flags = EVENT_JUDGED_EGRESS, .event_flags_not = EVENT_JUDGED_INGRESS},
			{.from = OUTSIDE, .to = B, TCP(1, 80, SYN), .flow = HALF_NEW, .rule = 5,
				.event_flags = EVENT_JUDGED_INGRESS, .event_flags_not = EVENT_JUDGED_EGRESS},
		}},
	{"allowed out, not in",
		.rules = {ALLOW(A, EGRESS, NOBODY, T, 80, 4), ALLOW(B, INGRESS, NOBODY, T, 81, 5)},
		.shot = {
			{.from = A, .to = B, TCP(1, 80, SYN), .drop = DROP_POLICY_DENIED,
				.rule = 4, .event_flags = EVENT_INGRESS, .flow = NO_FLOW},
		}},
	{"allowed in, not out",
		.rules = {ALLOW(A, EGRESS, NOBODY, T, 80, 4), ALLOW(B, INGRESS, NOBODY, T, 81, 5)},
		.shot = {DENIED(A, B, TCP(1, 81, SYN))}},
	{"allowed out and in",
		.rules = {ALLOW(A, EGRESS, B, T, 80, 4), ALLOW(B, INGRESS, A, T, 80, 5)},
		.shot = {
			{.from = A, .to = B, TCP(1, 80, SYN), .flow = HALF_NEW, .rule = 4},
			DENIED(A, OUTSIDE, TCP(1, 80, SYN)),
		}},
	{"a deny rule says so",
		.rules = {ALLOW(B, INGRESS, NOBODY, 0, 0, 5), DENY(B, INGRESS, NOBODY, T, 22, 6)},
		.shot = {
			REFUSED(A, B, 6, TCP(1, 22, SYN)),
			PASSES(A, B, TCP(1, 80, SYN)),
		}},
	{"a deny rule on the way out",
		.rules = {ALLOW(A, EGRESS, NOBODY, 0, 0, 5), DENY(A, EGRESS, B, 0, 0, 6)},
		.shot = {
			REFUSED(A, B, 6, TCP(1, 22, SYN)),
			REFUSED(A, C, 6, UDP(1, 2)),
			PASSES(A, OUTSIDE, TCP(1, 80, SYN)),
		}},
	{"any protocol",
		.rules = {ALLOW(B, INGRESS, A, 0, 0, 5)},
		.shot = {
			PASSES(A, B, TCP(1, 80, SYN)),
			PASSES(A, B, UDP(1, 80)),
			PASSES(A, B, ICMP(ECHO, 1)),
			PASSES(A, B, PROTOCOL(SCTP)),
			PASSES(A, B, PROTOCOL(50, .l4_len = 8)),
			DENIED(C, B, TCP(1, 80, SYN)),
		}},
	{"one protocol, any port",
		.rules = {ALLOW(B, INGRESS, NOBODY, U, 0, 5)},
		.shot = {
			PASSES(A, B, UDP(1, 0)),
			PASSES(A, B, UDP(1, 65535)),
			DENIED(A, B, TCP(1, 80, SYN)),
		}},
	{"a range of ports",
		.rules = {RANGE(B, INGRESS, NOBODY, T, 8080, 12, POLICY_ALLOW, 5)},
		.shot = {
			PASSES(A, B, TCP(1, 8080, SYN)),
			PASSES(A, B, TCP(1, 8095, SYN)),
			DENIED(A, B, TCP(1, 8096, SYN)),
			DENIED(A, B, TCP(1, 8079, SYN)),
		}},
	{"all ports below 1024",
		.rules = {RANGE(B, INGRESS, NOBODY, T, 0, 6, POLICY_ALLOW, 5)},
		.shot = {
			PASSES(A, B, TCP(1, 0, SYN)),
			PASSES(A, B, TCP(1, 1023, SYN)),
			DENIED(A, B, TCP(1, 1024, SYN)),
			DENIED(A, B, TCP(1, 65535, SYN)),
		}},
	{"a port denied inside a range",
		.rules = {
			RANGE(B, INGRESS, NOBODY, T, 8080, 12, POLICY_ALLOW, 5),
			DENY(B, INGRESS, NOBODY, T, 8081, 6),
		},
		.shot = {
			PASSES(A, B, TCP(1, 8080, SYN)),
			REFUSED(A, B, 6, TCP(1, 8081, SYN)),
		}},
	{"the longer prefix decides",
		.rules = {
			ALLOW(B, INGRESS, NOBODY, 0, 0, 4),
			DENY(B, INGRESS, NOBODY, T, 0, 5),
			ALLOW(B, INGRESS, NOBODY, T, 80, 6),
		},
		.shot = {
			{.from = A, .to = B, TCP(1, 80, SYN), .flow = HALF_NEW, .rule = 6},
			REFUSED(A, B, 5, TCP(1, 81, SYN)),
			{.from = A, .to = B, UDP(1, 80), .flow = HALF_NEW, .rule = 4},
		}},
	{"the source port says nothing",
		.rules = {ALLOW(B, INGRESS, NOBODY, T, 80, 5)},
		.shot = {DENIED(A, B, TCP(80, 1000, SYN))}},
	{"one peer",
		.rules = {ALLOW(A, INGRESS, B, T, 80, 5)},
		.shot = {
			{.from = B, .to = A, TCP(1, 80, SYN), .flow = HALF_NEW, .rule = 5},
			PASSES(C, A, TCP(1, 80, SYN)),
			DENIED(OUTSIDE, A, TCP(1, 80, SYN)),
		}},
	{"one peer denied",
		.rules = {ALLOW(A, INGRESS, NOBODY, 0, 0, 5), DENY(A, INGRESS, B, T, 80, 6)},
		.shot = {
			REFUSED(B, A, 6, TCP(1, 80, SYN)),
			REFUSED(C, A, 6, TCP(1, 80, SYN)),
			PASSES(B, A, TCP(1, 81, SYN)),
			PASSES(OUTSIDE, A, TCP(1, 80, SYN)),
		}},
	{"an address with an identity of its own",
		.rules = {ALLOW(A, EGRESS, OFFICE, T, 443, 5), ALLOW(A, INGRESS, OFFICE, 0, 0, 6)},
		.shot = {
			{.from = A, .to = OFFICE, TCP(1, 443, SYN), .flow = HALF_NEW, .rule = 5},
			DENIED(A, OFFICE, TCP(1, 80, SYN)),
			DENIED(A, OUTSIDE, TCP(1, 443, SYN)),
			PASSES(OFFICE, A, TCP(1, 9, SYN)),
			DENIED(OUTSIDE, A, TCP(1, 9, SYN)),
		}},
	{"an identity's endpoints share their policy",
		.rules = {ALLOW(B, INGRESS, A, T, 80, 5)},
		.shot = {
			PASSES(A, C, TCP(1, 80, SYN)),
			DENIED(A, C, TCP(1, 81, SYN)),
			DENIED(B, C, TCP(1, 80, SYN)),
		}},
	{"sctp by port",
		.rules = {ALLOW(B, INGRESS, NOBODY, SCTP, 5000, 5)},
		.shot = {
			PASSES(A, B, PROTOCOL(SCTP, .destination_port = 5000)),
			DENIED(A, B, PROTOCOL(SCTP, .destination_port = 5001)),
		}},
	{"a protocol without ports by its number",
		.rules = {ALLOW(B, INGRESS, NOBODY, 47, 0, 5)},
		.shot = {
			PASSES(A, B, PROTOCOL(47, .l4_len = 8)),
			DENIED(A, B, PROTOCOL(50, .l4_len = 8)),
		}},
	/* the node */
	{"the node always reaches its endpoints",
		.rules = {RANGE(A, INGRESS, NOBODY, 0, 0, 0, POLICY_DEFAULT_DENY, 1)},
		.shot = {
			PASSES(NODE, A, TCP(1, 80, SYN)),
			DENIED(OUTSIDE, A, TCP(1, 80, SYN)),
		}},
	{"even against a deny rule",
		.rules = {DENY(A, INGRESS, NODE, 0, 0, 6)},
		.shot = {
			{.from = NODE, .to = A, TCP(1, 80, SYN), .flow = HALF_NEW,
				.event_flags = EVENT_JUDGED_INGRESS, .event_flags_not = EVENT_JUDGED_EGRESS},
		}},
	{"but it is not let go everywhere",
		.rules = {DENY(A, EGRESS, NODE, 0, 0, 6)},
		.shot = {
			REFUSED(A, NODE, 6, TCP(1, 80, SYN)),
			PASSES(NODE, A, TCP(1, 80, SYN)),
			{.from = A, .to = NODE, TCP(80, 1, SYN | TCP_ACK), .flow = HALF_NEW},
		}},
	{"who comes from outside with the node's address is not the node",
		.rules = {ALLOW(A, INGRESS, NODE, 0, 0, 5)},
		.shot = {
			{.from = NODE, .to = A, TCP(1, 80, SYN), .flow = HALF_NEW,
				.source_identity = IDENTITY_HOST},
			{.from = NODE, .to = A, TCP(2, 80, SYN), .via = UPLINK,
				.drop = DROP_POLICY_DENIED, .flow = NO_FLOW},
		}},
	{"who comes from outside with the node's address is the world", ONLY_IPV4,
		.shot = {
			{.from = NODE, .to = A, TCP(1, 80, SYN), .via = UPLINK, .flow = HALF_NEW,
				.source_identity = IDENTITY_WORLD_IPV4},
		}},
	{"who comes from outside with the node's address is the world", ONLY_IPV6,
		.shot = {
			{.from = NODE, .to = A, TCP(1, 80, SYN), .via = UPLINK, .flow = HALF_NEW,
				.source_identity = IDENTITY_WORLD_IPV6},
		}},
	{.name = NULL},
};
/* clang-format on */
