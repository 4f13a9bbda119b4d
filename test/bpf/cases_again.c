/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows that are judged again: every change of what a verdict depends on reaches them at their next
 * packet, answers and errors included. Run by packets.c.
 */
#include "bpf/table.h"

enum { SYN = TCP_SYN, ACK = TCP_ACK };

static const struct world_rule nothing_in_b[WORLD_RULES] = {
	{.of = B, .direction = POLICY_INGRESS, .verdict = POLICY_DEFAULT_DENY, .rule = 21},
};
static const struct world_rule nothing_out_a[WORLD_RULES] = {
	{.of = A, .direction = POLICY_EGRESS, .verdict = POLICY_DENY, .rule = 22},
};
static const struct world_rule all_but_53[WORLD_RULES] = {
	{.of = B, .direction = POLICY_INGRESS, .verdict = POLICY_ALLOW, .rule = 23},
	{.of = B,
		.direction = POLICY_INGRESS,
		.protocol = 17,
		.port = 53,
		.verdict = POLICY_DENY,
		.rule = 24},
};

static void close_b(struct plane *p)
{
	world_policy(p, nothing_in_b);
}

static void close_a(struct plane *p)
{
	world_policy(p, nothing_out_a);
}

static void close_53(struct plane *p)
{
	world_policy(p, all_but_53);
}

static void open_all(struct plane *p)
{
	world_policy(p, NULL);
}

#define OPEN                                                                                       \
	{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},                                     \
	{                                                                                          \
		.from = B, .to = A, UDP(53, 1000), .flow = ESTABLISHED                             \
	}
#define THERE(...)                                                                                 \
	{                                                                                          \
		.from = A, .to = B, UDP(1000, 53), __VA_ARGS__                                     \
	}
#define BACK(...)                                                                                  \
	{                                                                                          \
		.from = B, .to = A, UDP(53, 1000), __VA_ARGS__                                     \
	}
#define GONE(id)    .drop = DROP_POLICY_DENIED, .rule = (id), .flow = ESTABLISHED | IS_DENIED
#define REFUSED(id) .drop = DROP_POLICY_DENY, .rule = (id), .flow = ESTABLISHED | IS_DENIED

/* clang-format off */
const struct packet_case cases_again[] = {
	{"an epoch changes nothing", .both_paths = true,
		.shot = {
			OPEN,
			THERE(.before = change_bump, .flow = ESTABLISHED, .event = EVENT_UNWANTED),
			THERE(.flow = ESTABLISHED),
			BACK(.flow = ESTABLISHED),
		}},
	{"an epoch changes nothing, seen by the answer", .both_paths = true,
		.shot = {
			OPEN,
			BACK(.before = change_bump, .flow = ESTABLISHED),
			BACK(.flow = ESTABLISHED),
			THERE(.flow = ESTABLISHED),
		}},
	{"denied in, seen by the opener", .both_paths = true,
		.shot = {
			OPEN,
			THERE(.before = close_b, GONE(21)),
			THERE(GONE(21)),
			BACK(GONE(21)),
		}},
	{"denied in, seen by the answer", .both_paths = true,
		.shot = {
			OPEN,
			BACK(.before = close_b, GONE(21)),
			BACK(GONE(21)),
			THERE(GONE(21)),
		}},
	{"denied out, by a deny rule", .both_paths = true,
		.shot = {
			OPEN,
			THERE(.before = close_a, REFUSED(22)),
			BACK(REFUSED(22)),
			THERE(REFUSED(22)),
		}},
	{"denied by its port, others go on", .both_paths = true,
		.shot = {
			OPEN,
			THERE(.before = close_53, REFUSED(24)),
			{.from = A, .to = B, UDP(1000, 54), .flow = HALF_NEW, .rule = 23},
			{.from = B, .to = A, UDP(54, 1000), .flow = ESTABLISHED},
			BACK(REFUSED(24)),
		}},
	{"denied by its port, seen by the answer", .both_paths = true,
		.shot = {
			OPEN,
			BACK(.before = close_53, REFUSED(24)),
			THERE(REFUSED(24)),
		}},
	{"denied and allowed again", .both_paths = true,
		.shot = {
			OPEN,
			THERE(.before = close_b, GONE(21)),
			THERE(.before = open_all, .flow = ESTABLISHED, .event_flags = EVENT_AGAIN),
			THERE(.flow = ESTABLISHED),
			BACK(.flow = ESTABLISHED),
		}},
	{"denied and allowed again, seen by the answer", .both_paths = true,
		.shot = {
			OPEN,
			BACK(.before = close_b, GONE(21)),
			BACK(.before = open_all, .flow = ESTABLISHED),
			THERE(.flow = ESTABLISHED),
		}},
	{"a half-open flow is denied",
		.shot = {
			{.from = A, .to = B, TCP(1000, 80, SYN), .flow = HALF_NEW},
			{.from = B, .to = A, TCP(80, 1000, SYN | ACK), .before = close_b,
				.drop = DROP_POLICY_DENIED, .rule = 21, .flow = HALF_NEW | IS_DENIED},
			{.from = A, .to = B, TCP(1000, 80, ACK), .drop = DROP_POLICY_DENIED,
				.rule = 21, .flow = HALF_NEW | IS_DENIED},
			{.from = A, .to = B, TCP(1000, 80, SYN), .drop = DROP_POLICY_DENIED,
				.rule = 21, .flow = HALF_NEW | IS_DENIED},
		}},
	{"a half-open flow is answered at the change", .both_paths = true,
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			BACK(.before = change_bump, .flow = ESTABLISHED),
			THERE(.flow = ESTABLISHED),
		}},
	{"a handshake over three epochs",
		.shot = {
			{.from = A, .to = B, TCP(1000, 80, SYN), .flow = HALF_NEW},
			{.from = B, .to = A, TCP(80, 1000, SYN | ACK), .before = change_bump,
				.flow = HALF_NEW},
			{.from = A, .to = B, TCP(1000, 80, ACK), .before = change_bump,
				.flow = ESTABLISHED},
		}},
	{"an end at the change",
		.shot = {
			{.from = A, .to = B, TCP(1000, 80, SYN), .flow = HALF_NEW},
			{.from = B, .to = A, TCP(80, 1000, SYN | ACK), .flow = HALF_NEW},
			{.from = A, .to = B, TCP(1000, 80, ACK), .flow = ESTABLISHED},
			{.from = A, .to = B, TCP(1000, 80, TCP_RST), .before = change_bump,
				.flow = CLOSED},
		}},
	{"an error about a flow that is denied now",
		.shot = {
			OPEN,
			{.from = B, .to = A, .icmp = UNREACHABLE,
				.about = &(const struct shot){.from = A, .to = B, UDP(1000, 53)},
				.before = close_b, GONE(21)},
			THERE(GONE(21)),
		}},
	{"an error about a flow that is still allowed",
		.shot = {
			OPEN,
			{.from = B, .to = A, .icmp = UNREACHABLE,
				.about = &(const struct shot){.from = A, .to = B, UDP(1000, 53)},
				.before = change_bump, .flow = ESTABLISHED},
			THERE(.flow = ESTABLISHED),
		}},
	{"a denied flow expires and is judged as new",
		.shot = {
			OPEN,
			THERE(.before = close_b, GONE(21)),
			THERE(.before = change_expire, .drop = DROP_POLICY_DENIED, .rule = 21),
			THERE(.before = open_all, .flow = HALF_NEW, .event_flags = EVENT_NEW),
		}},
	{"a flow with the outside is denied and allowed again", .both_paths = true,
		.shot = {
			{.from = A, .to = OUTSIDE, UDP(1000, 53), .flow = HALF_NEW},
			{.from = OUTSIDE, .to = A, UDP(53, 1000), .flow = ESTABLISHED},
			{.from = OUTSIDE, .to = A, UDP(53, 1000), .before = close_a, REFUSED(22)},
			{.from = A, .to = OUTSIDE, UDP(1000, 53), REFUSED(22)},
			{.from = OUTSIDE, .to = A, UDP(53, 1000), .before = open_all,
				.flow = ESTABLISHED},
			{.from = A, .to = OUTSIDE, UDP(1000, 53), .flow = ESTABLISHED},
		}},
	{"a flow by way of the stack stays there", .both_paths = true,
		.shot = {
			{.from = A, .to = B, .in = true, .via = A, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = A, UDP(53, 1000), .stack = true, .flow = ESTABLISHED},
			{.from = B, .to = A, UDP(53, 1000), .stack = true, .before = change_bump,
				.flow = ESTABLISHED},
			{.from = A, .to = B, .in = true, .via = A, UDP(1000, 53),
				.flow = ESTABLISHED},
		}},
	{"a known flow that comes another way is judged as new", .both_paths = true,
		.shot = {
			OPEN,
			{.from = A, .to = B, .in = true, .via = A, UDP(1000, 53), .flow = HALF_NEW,
				.event_flags = EVENT_NEW},
			{.from = B, .to = A, UDP(53, 1000), .stack = true, .flow = ESTABLISHED},
		}},
	{"a policy that is not switched to does nothing", .both_paths = true,
		.rules = {ALLOW(B, INGRESS, NOBODY, 17, 53, 5)},
		.shot = {
			OPEN,
			THERE(.flow = ESTABLISHED),
			{.from = A, .to = B, UDP(1000, 54), .drop = DROP_POLICY_DENIED, .rule = 1,
				.flow = NO_FLOW},
		}},
	{.name = NULL},
};
/* clang-format on */
