/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows: how TCP's and UDP's open, are answered, end and begin anew. Run by packets.c, most of them
 * on both paths.
 */
#include "bpf/table.h"

enum { SYN = TCP_SYN, ACK = TCP_ACK, FIN = TCP_FIN, RST = TCP_RST, PSH = TCP_PSH };

#define SHAKE                                                                                      \
	{.from = A,                                                                                \
		.to = B,                                                                           \
		TCP(1000, 80, SYN),                                                                \
		.flow = HALF_NEW,                                                                  \
		.event = EVENT_WANTED,                                                             \
		.event_flags = EVENT_NEW},                                                         \
		{.from = B,                                                                        \
			.to = A,                                                                   \
			TCP(80, 1000, SYN | ACK),                                                  \
			.flow = HALF_NEW,                                                          \
			.event = EVENT_WANTED,                                                     \
			.event_flags = EVENT_REPLY},                                               \
	{                                                                                          \
		.from = A, .to = B, TCP(1000, 80, ACK), .flow = ESTABLISHED,                       \
		.event = EVENT_UNWANTED                                                            \
	}
#define DATA_THERE(state_)                                                                         \
	{                                                                                          \
		.from = A, .to = B, TCP(1000, 80, ACK | PSH, .payload = 99), .flow = (state_)      \
	}
#define DATA_BACK(state_)                                                                          \
	{                                                                                          \
		.from = B, .to = A, TCP(80, 1000, ACK | PSH, .payload = 99), .flow = (state_)      \
	}

/* A opens to B:80 and nothing else is allowed. */
#define ONLY_THERE ALLOW(B, INGRESS, A, 6, 80, 5), DENY(A, INGRESS, NOBODY, 0, 0, 9)

/* clang-format off */
const struct packet_case cases_tcp[] = {
	{"handshake and data", .both_paths = true,
		.shot = {
			SHAKE,
			DATA_THERE(ESTABLISHED),
			DATA_BACK(ESTABLISHED),
			DATA_THERE(ESTABLISHED),
		}},
	{"handshake where only the opener may", .both_paths = true,
		.rules = {ONLY_THERE},
		.shot = {
			SHAKE,
			DATA_THERE(ESTABLISHED),
			DATA_BACK(ESTABLISHED),
		}},
	{"handshake with the outside", .both_paths = true,
		.shot = {
			{.from = A, .to = OUTSIDE, TCP(1000, 80, SYN), .flow = HALF_NEW},
			{.from = OUTSIDE, .to = A, TCP(80, 1000, SYN | ACK), .flow = HALF_NEW},
			{.from = A, .to = OUTSIDE, TCP(1000, 80, ACK), .flow = ESTABLISHED},
			{.from = OUTSIDE, .to = A, TCP(80, 1000, ACK), .flow = ESTABLISHED},
		}},
	{"handshake from outside", .both_paths = true,
		.shot = {
			{.from = OUTSIDE, .to = A, TCP(1000, 80, SYN), .flow = HALF_NEW},
			{.from = A, .to = OUTSIDE, TCP(80, 1000, SYN | ACK), .flow = HALF_NEW},
			{.from = OUTSIDE, .to = A, TCP(1000, 80, ACK), .flow = ESTABLISHED},
			{.from = A, .to = OUTSIDE, TCP(80, 1000, ACK), .flow = ESTABLISHED},
		}},
	{"handshake from the node", .both_paths = true,
		.shot = {
			{.from = NODE, .to = A, TCP(1000, 80, SYN), .flow = HALF_NEW},
			{.from = A, .to = NODE, TCP(80, 1000, SYN | ACK), .flow = HALF_NEW},
			{.from = NODE, .to = A, TCP(1000, 80, ACK), .flow = ESTABLISHED},
			{.from = A, .to = NODE, TCP(80, 1000, ACK), .flow = ESTABLISHED},
		}},
	{"endpoints by way of the stack", .both_paths = true,
		.shot = {
			{.from = A, .to = B, .in = true, .via = A, TCP(1000, 80, SYN),
				.flow = HALF_NEW},
			{.from = B, .to = A, TCP(80, 1000, SYN | ACK), .stack = true,
				.flow = HALF_NEW},
			{.from = A, .to = B, .in = true, .via = A, TCP(1000, 80, ACK),
				.flow = ESTABLISHED},
			{.from = B, .to = A, TCP(80, 1000, ACK), .stack = true, .flow = ESTABLISHED},
		}},
	{"a syn again",
		.shot = {
			{.from = A, .to = B, TCP(1000, 80, SYN), .flow = HALF_NEW,
				.event_flags = EVENT_NEW},
			{.from = A, .to = B, TCP(1000, 80, SYN), .flow = HALF_NEW,
				.event = EVENT_WANTED},
		}},
	{"answered but not taken up: half open",
		.shot = {
			{.from = A, .to = B, TCP(1000, 80, SYN), .flow = HALF_NEW},
			{.from = B, .to = A, TCP(80, 1000, SYN | ACK), .flow = HALF_NEW},
			{.from = B, .to = A, TCP(80, 1000, SYN | ACK), .flow = HALF_NEW},
			{.from = A, .to = B, TCP(1000, 80, SYN), .flow = HALF_NEW},
		}},
	{"ack without an answer: half open",
		.shot = {
			{.from = A, .to = B, TCP(1000, 80, SYN), .flow = HALF_NEW},
			{.from = A, .to = B, TCP(1000, 80, ACK), .flow = HALF_NEW},
		}},
	{"a flow in its middle is judged", .both_paths = true,
		.rules = {ONLY_THERE},
		.shot = {
			{.from = B, .to = A, TCP(80, 1000, ACK), .drop = DROP_POLICY_DENY,
				.rule = 9, .flow = NO_FLOW},
			{.from = A, .to = B, TCP(1000, 80, ACK), .flow = HALF_NEW, .rule = 5},
			{.from = B, .to = A, TCP(80, 1000, ACK), .flow = HALF_NEW},
			{.from = A, .to = B, TCP(1000, 80, ACK), .flow = ESTABLISHED},
		}},
	{"an answer to nothing",
		.rules = {ONLY_THERE},
		.shot = {
			{.from = B, .to = A, TCP(80, 1000, SYN | ACK), .drop = DROP_POLICY_DENY,
				.rule = 9, .flow = NO_FLOW},
		}},
	{"one fin", .both_paths = true,
		.shot = {
			SHAKE,
			{.from = A, .to = B, TCP(1000, 80, FIN | ACK), .flow = CLOSING,
				.event = EVENT_WANTED},
			DATA_BACK(CLOSING),
			DATA_THERE(CLOSING),
		}},
	{"fin by both ends", .both_paths = true,
		.shot = {
			SHAKE,
			{.from = A, .to = B, TCP(1000, 80, FIN | ACK), .flow = CLOSING},
			{.from = B, .to = A, TCP(80, 1000, FIN | ACK), .flow = CLOSED},
			{.from = A, .to = B, TCP(1000, 80, ACK), .flow = CLOSED},
		}},
	{"fin by the other end first", .both_paths = true,
		.shot = {
			SHAKE,
			{.from = B, .to = A, TCP(80, 1000, FIN | ACK), .flow = CLOSING},
			{.from = A, .to = B, TCP(1000, 80, FIN | ACK), .flow = CLOSED},
		}},
	{"the same fin twice is one",
		.shot = {
			SHAKE,
			{.from = A, .to = B, TCP(1000, 80, FIN | ACK), .flow = CLOSING},
			{.from = A, .to = B, TCP(1000, 80, FIN | ACK), .flow = CLOSING},
		}},
	{"rst by the opener", .both_paths = true,
		.shot = {
			SHAKE,
			{.from = A, .to = B, TCP(1000, 80, RST), .flow = CLOSED,
				.event = EVENT_WANTED},
			DATA_BACK(CLOSED),
		}},
	{"rst by the other end", .both_paths = true,
		.shot = {
			SHAKE,
			{.from = B, .to = A, TCP(80, 1000, RST | ACK), .flow = CLOSED},
		}},
	{"refused",
		.rules = {ONLY_THERE},
		.shot = {
			{.from = A, .to = B, TCP(1000, 80, SYN), .flow = HALF_NEW},
			{.from = B, .to = A, TCP(80, 1000, RST | ACK), .flow = HALF_CLOSED},
			{.from = A, .to = B, TCP(1000, 80, SYN), .flow = HALF_NEW,
				.event_flags = EVENT_NEW},
		}},
	{"rst about nothing leaves nothing",
		.rules = {ALLOW(B, INGRESS, A, 6, 80, 5)},
		.shot = {
			{.from = A, .to = B, TCP(1000, 80, RST), .flow = NO_FLOW, .rule = 5},
			{.from = A, .to = B, TCP(1000, 81, RST), .drop = DROP_POLICY_DENIED,
				.rule = 1, .flow = NO_FLOW},
		}},
	{"a closed flow is opened anew", .both_paths = true,
		.shot = {
			SHAKE,
			{.from = A, .to = B, TCP(1000, 80, RST), .flow = CLOSED},
			{.from = A, .to = B, TCP(1000, 80, SYN), .flow = HALF_NEW,
				.event_flags = EVENT_NEW},
			{.from = B, .to = A, TCP(80, 1000, SYN | ACK), .flow = HALF_NEW},
			{.from = A, .to = B, TCP(1000, 80, ACK), .flow = ESTABLISHED},
		}},
	{"a syn of the opener on a live flow changes nothing",
		.shot = {
			SHAKE,
			{.from = A, .to = B, TCP(1000, 80, SYN), .flow = ESTABLISHED},
		}},
	{"a syn against the flow opens another, if it may",
		.rules = {ONLY_THERE},
		.shot = {
			SHAKE,
			{.from = B, .to = A, TCP(80, 1000, SYN), .drop = DROP_POLICY_DENY,
				.rule = 9, .flow = ESTABLISHED},
			DATA_BACK(ESTABLISHED),
		}},
	{"a syn against the flow is judged by its own port",
		.rules = {ALLOW(B, INGRESS, A, 6, 80, 5), ALLOW(A, INGRESS, B, 6, 1000, 7)},
		.shot = {
			SHAKE,
			{.from = B, .to = A, TCP(80, 1000, SYN), .flow = HALF_NEW, .rule = 7},
		}},
	{"a syn against the flow takes its place",
		.shot = {
			SHAKE,
			{.from = B, .to = A, TCP(80, 1000, SYN), .flow = HALF_NEW,
				.event_flags = EVENT_NEW},
			{.from = A, .to = B, TCP(1000, 80, SYN | ACK), .flow = HALF_NEW,
				.event_flags = EVENT_REPLY},
		}},
	{"an expired flow is opened anew", .both_paths = true,
		.shot = {
			SHAKE,
			{.from = A, .to = B, TCP(1000, 80, ACK), .before = change_expire,
				.flow = HALF_NEW, .event_flags = EVENT_NEW},
		}},
	{"an expired flow does not let answers in", .both_paths = true,
		.rules = {ONLY_THERE},
		.shot = {
			SHAKE,
			{.from = B, .to = A, TCP(80, 1000, ACK), .before = change_expire,
				.drop = DROP_POLICY_DENY, .rule = 9},
		}},
	{"all flags at once but syn, fin and rst", .both_paths = true,
		.shot = {
			SHAKE,
			{.from = A, .to = B, TCP(1000, 80, 0xf8), .flow = ESTABLISHED},
		}},
	{"no flags", .both_paths = true,
		.shot = {
			SHAKE,
			{.from = A, .to = B, TCP(1000, 80, 0), .flow = ESTABLISHED},
		}},
	{"the same ports at both ends", .both_paths = true,
		.shot = {
			{.from = B, .to = A, TCP(80, 80, SYN), .flow = HALF_NEW},
			{.from = A, .to = B, TCP(80, 80, SYN | ACK), .flow = HALF_NEW},
			{.from = B, .to = A, TCP(80, 80, ACK), .flow = ESTABLISHED},
		}},
	{"port 0 and port 65535", .both_paths = true,
		.shot = {
			{.from = A, .to = B, UDP(0, 65535), .flow = HALF_NEW},
			{.from = B, .to = A, UDP(65535, 0), .flow = ESTABLISHED},
		}},
	/* UDP */
	{"udp answered", .both_paths = true,
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW,
				.event_flags = EVENT_NEW},
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW,
				.event = EVENT_UNWANTED},
			{.from = B, .to = A, UDP(53, 1000), .flow = ESTABLISHED,
				.event_flags = EVENT_REPLY},
			{.from = B, .to = A, UDP(53, 1000), .flow = ESTABLISHED,
				.event = EVENT_UNWANTED},
			{.from = A, .to = B, UDP(1000, 53), .flow = ESTABLISHED},
		}},
	{"udp answered where only the opener may", .both_paths = true,
		.rules = {ALLOW(B, INGRESS, A, 17, 53, 5), DENY(A, INGRESS, NOBODY, 0, 0, 9)},
		.shot = {
			{.from = B, .to = A, UDP(53, 1000), .drop = DROP_POLICY_DENY, .rule = 9,
				.flow = NO_FLOW},
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = A, UDP(53, 1000), .flow = ESTABLISHED},
			{.from = B, .to = A, UDP(53, 1001), .drop = DROP_POLICY_DENY, .rule = 9,
				.flow = NO_FLOW},
		}},
	{"udp with the outside", .both_paths = true,
		.shot = {
			{.from = A, .to = OUTSIDE, UDP(1000, 53), .flow = HALF_NEW},
			{.from = OUTSIDE, .to = A, UDP(53, 1000), .flow = ESTABLISHED},
			{.from = OUTSIDE, .to = A, UDP(53, 1000), .flow = ESTABLISHED},
			{.from = A, .to = OUTSIDE, UDP(1000, 53), .flow = ESTABLISHED},
		}},
	{"udp expired", .both_paths = true,
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = A, UDP(53, 1000), .flow = ESTABLISHED},
			{.from = A, .to = B, UDP(1000, 53), .before = change_expire,
				.flow = HALF_NEW, .event_flags = EVENT_NEW},
		}},
	{"esp answered",
		.shot = {
			{.from = A, .to = B, PROTOCOL(50, .l4_len = 8), .flow = HALF_NEW},
			{.from = B, .to = A, PROTOCOL(50, .l4_len = 8), .flow = ESTABLISHED},
		}},
	/* hops */
	{"the last hop",
		.shot = {{.from = A, .to = B, UDP(1, 2, .ttl = 1), .drop = DROP_TTL_EXCEEDED}}},
	{"no hop left",
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .ttl = PACKET_TTL_ZERO),
				.drop = DROP_TTL_EXCEEDED},
		}},
	{"the last hop but one", .both_paths = true,
		.shot = {{.from = A, .to = B, UDP(1, 2, .ttl = 2), .flow = HALF_NEW}}},
	{"the last hop to the stack",
		.shot = {{.from = A, .to = OUTSIDE, UDP(1, 2, .ttl = 1), .flow = HALF_NEW}}},
	{"the last hop from the stack",
		.shot = {{.from = OUTSIDE, .to = A, UDP(1, 2, .ttl = 1), .flow = HALF_NEW}}},
	{"the last hop of a known flow", .both_paths = true,
		.shot = {
			{.from = A, .to = B, UDP(1, 2), .flow = HALF_NEW},
			{.from = A, .to = B, UDP(1, 2, .ttl = 1), .drop = DROP_TTL_EXCEEDED},
			{.from = A, .to = B, UDP(1, 2, .ttl = 255), .flow = HALF_NEW},
		}},
	{.name = NULL},
};
/* clang-format on */
