/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICMP: echo and its sides, errors and the flows they are about, what nobody may send. Run by
 * packets.c.
 */
#include "bpf/table.h"

#define ERROR(m, ...)                                                                              \
	.icmp = (m), .about = &(const struct shot)                                                 \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define V6(last, ...)                                                                              \
	{                                                                                          \
		.byte = { 0xff, 2, [15] = (last) }                                                 \
	}

enum {
	ICMP4 = 1,
	ICMP6 = 58,
	ECHO4_RULE = 0x0800,
	ECHO6_RULE = 0x8000,
	STAMP4_RULE = 0x0d00,
	STAMP6_RULE = 0xc800
};

#define ONLY_ECHO_TO(who)                                                                          \
	ALLOW(who, INGRESS, NOBODY, ICMP4, ECHO4_RULE, 5),                                         \
		ALLOW(who, INGRESS, NOBODY, ICMP6, ECHO6_RULE, 5)
#define ONLY_TYPE_TO(who, proto, type)                                                             \
	{                                                                                          \
		.of = (who), .direction = POLICY_INGRESS, .protocol = (proto),                     \
		.port = (type) << 8, .port_bits = 16, .verdict = POLICY_ALLOW, .rule = 5           \
	}

/* clang-format off */
const struct packet_case cases_icmp[] = {
	{"echo and its reply",
		.shot = {
			{.from = A, .to = B, ICMP(ECHO, 7), .flow = HALF_NEW, .event = EVENT_WANTED},
			{.from = B, .to = A, ICMP(ECHO_REPLY, 7), .flow = ESTABLISHED,
				.event = EVENT_WANTED, .event_flags = EVENT_REPLY},
			{.from = A, .to = B, ICMP(ECHO, 7), .flow = ESTABLISHED,
				.event = EVENT_UNWANTED},
		}},
	{"echo from outside and its reply",
		.shot = {
			{.from = OUTSIDE, .to = A, ICMP(ECHO, 7), .flow = HALF_NEW},
			{.from = A, .to = OUTSIDE, ICMP(ECHO_REPLY, 7), .flow = ESTABLISHED},
		}},
	{"only echo is allowed: its reply passes",
		.rules = {ONLY_ECHO_TO(B), DENY(A, INGRESS, NOBODY, 0, 0, 9)},
		.shot = {
			{.from = A, .to = B, ICMP(ECHO, 7), .flow = HALF_NEW, .rule = 5},
			{.from = B, .to = A, ICMP(ECHO_REPLY, 7), .flow = ESTABLISHED},
		}},
	{"a request is no reply to a request",
		.rules = {ONLY_ECHO_TO(B), DENY(A, INGRESS, NOBODY, 0, 0, 9)},
		.shot = {
			{.from = A, .to = B, ICMP(ECHO, 7), .flow = HALF_NEW},
			{.from = B, .to = A, ICMP(ECHO, 7), .drop = DROP_POLICY_DENY, .rule = 9,
				.flow = NO_FLOW},
			{.from = B, .to = A, ICMP(ECHO_REPLY, 7), .flow = ESTABLISHED},
			{.from = B, .to = A, ICMP(ECHO, 7), .drop = DROP_POLICY_DENY, .rule = 9,
				.flow = NO_FLOW},
		}},
	{"a reply by the one who asks is no reply",
		.rules = {ONLY_ECHO_TO(B)},
		.shot = {
			{.from = A, .to = B, ICMP(ECHO, 7), .flow = HALF_NEW},
			{.from = A, .to = B, ICMP(ECHO_REPLY, 7), .drop = DROP_POLICY_DENIED,
				.rule = 1, .flow = NO_FLOW},
		}},
	{"a reply to nothing leaves no flow",
		.shot = {
			{.from = B, .to = A, ICMP(ECHO_REPLY, 7), .flow = NO_FLOW,
				.event = EVENT_WANTED},
			{.from = A, .to = B, ICMP(ECHO, 7), .flow = HALF_NEW},
		}},
	{"a reply to nothing is judged as a reply",
		.rules = {ONLY_ECHO_TO(A)},
		.shot = {
			{.from = B, .to = A, ICMP(ECHO_REPLY, 7), .drop = DROP_POLICY_DENIED,
				.rule = 1, .flow = NO_FLOW},
		}},
	{"a reply to nothing passes by its own type",
		.rules = {ONLY_TYPE_TO(A, ICMP4, 0), ONLY_TYPE_TO(A, ICMP6, 129)},
		.shot = {
			{.from = B, .to = A, ICMP(ECHO_REPLY, 7), .flow = NO_FLOW, .rule = 5},
			{.from = B, .to = A, ICMP(ECHO, 7), .drop = DROP_POLICY_DENIED,
				.rule = 1, .flow = NO_FLOW},
		}},
	{"a reply with another id",
		.rules = {ONLY_ECHO_TO(B), DENY(A, INGRESS, NOBODY, 0, 0, 9)},
		.shot = {
			{.from = A, .to = B, ICMP(ECHO, 7), .flow = HALF_NEW},
			{.from = B, .to = A, ICMP(ECHO_REPLY, 8), .drop = DROP_POLICY_DENY,
				.rule = 9, .flow = NO_FLOW},
		}},
	{"a stateless message is judged by its type",
		.rules = {
			ALLOW(B, INGRESS, NOBODY, ICMP4, STAMP4_RULE, 5),
			ALLOW(B, INGRESS, NOBODY, ICMP6, STAMP6_RULE, 5),
		},
		.shot = {
			{.from = A, .to = B, ICMP(TIMESTAMP, 7), .flow = NO_FLOW, .rule = 5},
			{.from = A, .to = B, ICMP(ECHO, 7), .drop = DROP_POLICY_DENIED, .rule = 1,
				.flow = NO_FLOW},
		}},
	{"a stateless message opens nothing",
		.rules = {DENY(A, INGRESS, NOBODY, 0, 0, 9)},
		.shot = {
			{.from = A, .to = B, ICMP(TIMESTAMP, 7), .flow = NO_FLOW},
			{.from = B, .to = A, ICMP(TIMESTAMP, 7), .drop = DROP_POLICY_DENY,
				.rule = 9, .flow = NO_FLOW},
		}},
	/* errors */
	{"an error about an answered flow",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = A, UDP(53, 1000), .flow = ESTABLISHED},
			{.from = B, .to = A, ERROR(UNREACHABLE, .from = A, .to = B, UDP(1000, 53)),
				.flow = ESTABLISHED, .event_flags = EVENT_RELATED},
		}},
	{"an error about a half-open flow",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = A, ERROR(UNREACHABLE, .from = A, .to = B, UDP(1000, 53)),
				.flow = HALF_NEW, .event_flags = EVENT_RELATED},
		}},
	{"an error about a syn passes where the other way is denied",
		.rules = {DENY(A, INGRESS, NOBODY, 0, 0, 9)},
		.shot = {
			{.from = A, .to = B, TCP(1000, 80, TCP_SYN), .flow = HALF_NEW},
			{.from = B, .to = A,
				ERROR(UNREACHABLE, .from = A, .to = B, TCP(1000, 80, TCP_SYN)),
				.flow = HALF_NEW},
		}},
	{"an error about an answer",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = A, UDP(53, 1000), .flow = ESTABLISHED},
			{.from = A, .to = B, ERROR(UNREACHABLE, .from = B, .to = A, UDP(53, 1000)),
				.flow = ESTABLISHED},
		}},
	{"an error about sctp",
		.shot = {
			{.from = A, .to = B,
				PROTOCOL(132, .source_port = 5, .destination_port = 6),
				.flow = HALF_NEW},
			{.from = B, .to = A,
				ERROR(UNREACHABLE, .from = A, .to = B, PROTOCOL(132, .source_port = 5, .destination_port = 6)),
				.flow = HALF_NEW},
		}},
	{"an error about a protocol without ports",
		.shot = {
			{.from = A, .to = B, PROTOCOL(50, .l4_len = 8), .flow = HALF_NEW},
			{.from = B, .to = A,
				ERROR(UNREACHABLE, .from = A, .to = B, PROTOCOL(50, .l4_len = 8)),
				.flow = HALF_NEW},
		}},
	{"too big, time exceeded and parameter problem",
		.shot = {
			{.from = A, .to = OUTSIDE, UDP(1000, 53), .flow = HALF_NEW},
			{.from = OUTSIDE, .to = A,
				ERROR(TOO_BIG, .from = A, .to = OUTSIDE, UDP(1000, 53)),
				.flow = HALF_NEW},
			{.from = OUTSIDE, .to = A,
				ERROR(TIME_EXCEEDED, .from = A, .to = OUTSIDE, UDP(1000, 53)),
				.flow = HALF_NEW},
			{.from = OUTSIDE, .to = A,
				ERROR(PARAMETER, .from = A, .to = OUTSIDE, UDP(1000, 53)),
				.flow = HALF_NEW},
		}},
	{"an error from a router on the way",
		.shot = {
			{.from = A, .to = OUTSIDE, UDP(1000, 53), .flow = HALF_NEW},
			{.from = STRANGER, .to = A,
				ERROR(TIME_EXCEEDED, .from = A, .to = OUTSIDE, UDP(1000, 53)),
				.flow = HALF_NEW},
		}},
	{"an error from the node itself",
		.shot = {
			{.from = A, .to = OUTSIDE, UDP(1000, 53), .flow = HALF_NEW},
			{.from = NODE, .to = A,
				ERROR(TOO_BIG, .from = A, .to = OUTSIDE, UDP(1000, 53)),
				.flow = HALF_NEW},
		}},
	{"an error about an echo request",
		.shot = {
			{.from = A, .to = OUTSIDE, ICMP(ECHO, 7), .flow = HALF_NEW},
			{.from = STRANGER, .to = A,
				ERROR(TIME_EXCEEDED, .from = A, .to = OUTSIDE, ICMP(ECHO, 7)),
				.flow = HALF_NEW},
		}},
	{"an error about an echo reply",
		.shot = {
			{.from = OUTSIDE, .to = A, ICMP(ECHO, 7), .flow = HALF_NEW},
			{.from = A, .to = OUTSIDE, ICMP(ECHO_REPLY, 7), .flow = ESTABLISHED},
			{.from = STRANGER, .to = A,
				ERROR(TIME_EXCEEDED, .from = A, .to = OUTSIDE, ICMP(ECHO_REPLY, 7)),
				.drop = DROP_UNKNOWN_FLOW},
		}},
	{"an error about nothing",
		.shot = {
			{.from = B, .to = A, ERROR(UNREACHABLE, .from = A, .to = B, UDP(1000, 53)),
				.drop = DROP_UNKNOWN_FLOW, .flow = NO_FLOW},
		}},
	{"an error about another port",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = A, ERROR(UNREACHABLE, .from = A, .to = B, UDP(1001, 53)),
				.drop = DROP_UNKNOWN_FLOW, .flow = NO_FLOW},
		}},
	{"an error about another echo id",
		.shot = {
			{.from = A, .to = B, ICMP(ECHO, 7), .flow = HALF_NEW},
			{.from = B, .to = A, ERROR(UNREACHABLE, .from = A, .to = B, ICMP(ECHO, 8)),
				.drop = DROP_UNKNOWN_FLOW},
		}},
	{"an error about a flow of two others",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = C, .to = A, ERROR(UNREACHABLE, .from = A, .to = B, UDP(1000, 53)),
				.drop = DROP_UNKNOWN_FLOW},
		}},
	{"an error by a third about a flow to outside",
		.shot = {
			{.from = A, .to = OUTSIDE, UDP(1000, 53), .flow = HALF_NEW},
			{.from = C, .to = A,
				ERROR(UNREACHABLE, .from = A, .to = OUTSIDE, UDP(1000, 53)),
				.drop = DROP_UNKNOWN_FLOW},
		}},
	{"an error that goes to another than it is about",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = C, ERROR(UNREACHABLE, .from = A, .to = B, UDP(1000, 53)),
				.drop = DROP_UNKNOWN_FLOW},
		}},
	{"an error about another's packet, to one that has such a flow too",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = C, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = C, ERROR(UNREACHABLE, .from = A, .to = B, UDP(1000, 53)),
				.drop = DROP_UNKNOWN_FLOW},
		}},
	{"an error about an expired flow",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = A, ERROR(UNREACHABLE, .from = A, .to = B, UDP(1000, 53)),
				.before = change_expire, .drop = DROP_UNKNOWN_FLOW},
		}},
	{"an error without the ports inside",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = A, .icmp = UNREACHABLE,
				.about = &(const struct shot){.from = A, .to = B, UDP(1000, 53)},
				.p = {.cut = 1, .length_delta = -1}, .drop = DROP_CT_TRUNCATED},
		}},
	{"an error without a header inside",
		.shot = {
			{.from = B, .to = A, .icmp = UNREACHABLE,
				.about = &(const struct shot){.from = A, .to = B, UDP(1000, 53)},
				.p = {.inner_len = 8}, .drop = DROP_CT_TRUNCATED},
		}},
	{"an error about another version",
		.shot = {
			{.from = B, .to = A,
				ERROR(UNREACHABLE, .from = A, .to = B, UDP(1000, 53, .version = 9)),
				.drop = DROP_INVALID_PACKET},
		}},
	{"an error about a later fragment", ONLY_IPV4,
		.shot = {
			{.from = B, .to = A,
				ERROR(UNREACHABLE, .from = A, .to = B, UDP(1000, 53, .fragmented = true, .offset = 64, .payload = 30)),
				.drop = DROP_INVALID_PACKET},
		}},
	{"an error about a packet with options", ONLY_IPV4,
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = A,
				ERROR(UNREACHABLE, .from = A, .to = B, UDP(1000, 53, .options_len = 8)),
				.flow = HALF_NEW},
		}},
	{"an error about a packet with a short header", ONLY_IPV4,
		.shot = {
			{.from = B, .to = A,
				ERROR(UNREACHABLE, .from = A, .to = B, UDP(1000, 53, .ihl = 4)),
				.drop = DROP_INVALID_PACKET},
		}},
	{"an error in the sender's name but not by it",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = A, .at = C,
				ERROR(UNREACHABLE, .from = A, .to = B, UDP(1000, 53)),
				.drop = DROP_INVALID_SOURCE_IP, .flow = HALF_NEW},
		}},
	{"an error does not keep a flow alive or answer it",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = A, ERROR(UNREACHABLE, .from = A, .to = B, UDP(1000, 53)),
				.flow = HALF_NEW},
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW,
				.event = EVENT_UNWANTED},
			{.from = B, .to = A, UDP(53, 1000), .flow = ESTABLISHED,
				.event = EVENT_WANTED},
		}},
	{"an error back to what came by the stack",
		.shot = {
			{.from = OUTSIDE, .to = A, UDP(1000, 53), .flow = HALF_NEW},
			{.from = A, .to = OUTSIDE,
				ERROR(UNREACHABLE, .from = OUTSIDE, .to = A, UDP(1000, 53)),
				.flow = HALF_NEW},
		}},
	/* what nobody may send */
	{"a redirect", ONLY_IPV4,
		.shot = {
			{.from = OUTSIDE, .to = A, ERROR(REDIRECT, .from = A, .to = B, UDP(1, 2)),
				.drop = DROP_INVALID_PACKET},
		}},
	{"a redirect", ONLY_IPV6,
		.shot = {
			{.from = OUTSIDE, .to = A, ICMP(REDIRECT, 0), .drop = DROP_FORBIDDEN_ICMP6},
		}},
	{"a router advertisement", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, PROTOCOL(58, .icmp_type = 134),
				.drop = DROP_FORBIDDEN_ICMP6},
		}},
	{"a router advertisement to all", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, PROTOCOL(58, .icmp_type = 134, .destination = V6(1)),
				.drop = DROP_FORBIDDEN_ICMP6},
		}},
	{"a neighbour advertisement", ONLY_IPV6,
		.shot = {
			{.from = A, .to = GATEWAY,
				PROTOCOL(58, .icmp_type = 136, .has_target = true),
				.drop = DROP_FORBIDDEN_ICMP6},
		}},
	{"a neighbour solicitation by the stack", ONLY_IPV6,
		.shot = {
			{.from = NODE, .to = A, PROTOCOL(58, .icmp_type = 135, .has_target = true),
				.drop = DROP_FORBIDDEN_ICMP6},
		}},
	{"multicast listener reports are quiet", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B,
				PROTOCOL(58, .icmp_type = 143, .destination = V6(22), .extension = {{0, 0, 5}}, .extensions = 1),
				.drop = DROP_MULTICAST_HANDLED, .quiet = true},
			{.from = A, .to = B, PROTOCOL(58, .icmp_type = 131, .destination = V6(22)),
				.drop = DROP_MULTICAST_HANDLED, .quiet = true},
			{.from = A, .to = B, PROTOCOL(58, .icmp_type = 132, .destination = V6(2)),
				.drop = DROP_MULTICAST_HANDLED, .quiet = true},
			{.from = NODE, .to = A,
				PROTOCOL(58, .icmp_type = 130, .destination = V6(1)),
				.drop = DROP_MULTICAST_HANDLED, .quiet = true},
		}},
	{"a router solicitation is quiet", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, PROTOCOL(58, .icmp_type = 133, .destination = V6(2)),
				.drop = DROP_MULTICAST_HANDLED, .quiet = true},
		}},
	{"echo to multicast", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, ICMP(ECHO, 7, .destination = V6(1)),
				.drop = DROP_UNROUTABLE},
		}},
	{"a stateless message to multicast", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, PROTOCOL(58, .icmp_type = 139, .destination = V6(1)),
				.drop = DROP_UNROUTABLE},
		}},
	{.name = NULL},
};
/* clang-format on */
