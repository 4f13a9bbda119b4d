/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is who: senders that are not what they say, endpoints that are not ready, networks that
 * overlap. Run by packets.c.
 */
#include "bpf/table.h"

enum { SYN = TCP_SYN, ACK = TCP_ACK };

#define OTHER_MAC .smac = {2, 0, 0, 0, 0, 99}

static void cool_a(struct plane *p)
{
	world_endpoint(p, A, 0);
	world_bump(p);
}

static void cool_b(struct plane *p)
{
	world_endpoint(p, B, 0);
	world_bump(p);
}

static void warm_b(struct plane *p)
{
	world_endpoint(p, B, ENDPOINT_READY);
	world_bump(p);
}

static void remove_a(struct plane *p)
{
	world_local_remove(p, A);
	world_endpoint_remove(p, A);
	world_bump(p);
}

static void return_a(struct plane *p)
{
	world_endpoint(p, A, ENDPOINT_READY);
	world_local(p, A);
	world_bump(p);
}

static void remove_b(struct plane *p)
{
	world_local_remove(p, B);
	world_endpoint_remove(p, B);
	world_bump(p);
}

static void hide_a(struct plane *p)
{
	world_local_remove(p, A);
	world_bump(p);
}

static void show_a(struct plane *p)
{
	world_local(p, A);
	world_bump(p);
}

/* clang-format off */
const struct packet_case cases_sender[] = {
	{"another's mac",
		.shot = {
			{.from = A, .to = B, UDP(1, 2, OTHER_MAC), .drop = DROP_INVALID_SOURCE_MAC,
				.flow = NO_FLOW},
		}},
	{"another's mac on a known flow", .both_paths = true,
		.shot = {
			{.from = A, .to = B, UDP(1, 2), .flow = HALF_NEW},
			{.from = A, .to = B, UDP(1, 2, OTHER_MAC), .drop = DROP_INVALID_SOURCE_MAC,
				.flow = HALF_NEW},
			{.from = B, .to = A, UDP(2, 1, OTHER_MAC), .drop = DROP_INVALID_SOURCE_MAC,
				.flow = HALF_NEW},
		}},
	{"another endpoint's address",
		.shot = {
			{.from = C, .to = B, .at = A, UDP(1, 2), .drop = DROP_INVALID_SOURCE_IP,
				.flow = NO_FLOW},
		}},
	{"another endpoint's address on its known flow", .both_paths = true,
		.shot = {
			{.from = C, .to = B, UDP(1, 2), .flow = HALF_NEW},
			{.from = C, .to = B, .at = A, UDP(1, 2), .drop = DROP_INVALID_SOURCE_IP,
				.flow = HALF_NEW},
		}},
	{"another endpoint's address and mac",
		.shot = {
			{.from = C, .to = B, .at = A, UDP(1, 2, .smac = {2, 0, 0, 0, 0, C}),
				.drop = DROP_INVALID_SOURCE_MAC, .flow = NO_FLOW},
		}},
	{"an address of the outside",
		.shot = {
			{.from = OUTSIDE, .to = B, .in = false, .raw = NULL, .at = A, UDP(1, 2),
				.drop = DROP_UNROUTABLE},
		}},
	{"no address at all", ONLY_IPV4,
		.shot = {
			{.from = A, .to = B,
				UDP(1, 2, .source = {.byte = {[10] = 0xff, [11] = 0xff}}),
				.drop = DROP_INVALID_SOURCE_IP},
		}},
	{"ipv6 from one that has none", ONLY_IPV6,
		.shot = {
			{.from = FOUR, .to = B, UDP(1, 2, .source = {.byte = {0xfd, 1, [15] = 6}}),
				.drop = DROP_INVALID_SOURCE_IP},
		}},
	{"the unspecified address from one that has none", ONLY_IPV6,
		.shot = {
			{.from = FOUR, .to = B, UDP(1, 2), .drop = DROP_INVALID_SOURCE_IP,
				.flow = NO_FLOW},
		}},
	{"ipv4 from one that has only that", ONLY_IPV4,
		.shot = {{.from = FOUR, .to = B, UDP(1, 2), .flow = HALF_NEW}}},
	{"a device without endpoint",
		.shot = {
			{.from = A, .to = B, .at = UPLINK, UDP(1, 2), .drop = DROP_UNKNOWN_SENDER,
				.flow = NO_FLOW},
		}},
	{"from outside in an endpoint's name",
		.shot = {
			{.from = A, .to = B, .in = true, UDP(1, 2), .drop = DROP_INVALID_SOURCE_IP,
				.flow = NO_FLOW},
		}},
	{"from the node in an endpoint's name",
		.shot = {
			{.from = A, .to = B, .in = true, .via = C, UDP(1, 2),
				.drop = DROP_INVALID_SOURCE_IP, .flow = NO_FLOW},
		}},
	{"from outside in an endpoint's name on its known flow", .both_paths = true,
		.shot = {
			{.from = A, .to = B, UDP(1, 2), .flow = HALF_NEW},
			{.from = A, .to = B, .in = true, UDP(1, 2), .drop = DROP_INVALID_SOURCE_IP,
				.flow = HALF_NEW},
			{.from = A, .to = B, UDP(1, 2), .flow = HALF_NEW},
		}},
	{"from outside in its own name",
		.shot = {
			{.from = A, .to = A, .in = true, UDP(1, 2), .drop = DROP_INVALID_SOURCE_IP,
				.flow = NO_FLOW},
		}},
	{"by the stack, brought by its own device",
		.shot = {{.from = A, .to = B, .in = true, .via = A, UDP(1, 2), .flow = HALF_NEW}}},
	{"the stack takes it to another's device",
		.shot = {
			{.from = OUTSIDE, .to = A, .at = B, UDP(1, 2), .drop = DROP_UNROUTABLE,
				.flow = NO_FLOW},
		}},
	{"the stack takes a known flow to another's device", .both_paths = true,
		.shot = {
			{.from = OUTSIDE, .to = A, UDP(1, 2), .flow = HALF_NEW},
			{.from = OUTSIDE, .to = A, .at = B, UDP(1, 2), .drop = DROP_UNROUTABLE,
				.flow = HALF_NEW},
		}},
	{"the stack takes it to a device without endpoint",
		.shot = {
			{.from = OUTSIDE, .to = A, .at = UPLINK, UDP(1, 2),
				.drop = DROP_UNROUTABLE, .flow = NO_FLOW},
		}},
	{"an answer to another device than the question came from", .both_paths = true,
		.shot = {
			{.from = A, .to = OUTSIDE, UDP(1, 2), .flow = HALF_NEW},
			{.from = OUTSIDE, .to = A, UDP(2, 1), .flow = ESTABLISHED},
			{.from = OUTSIDE, .to = A, .at = C, UDP(2, 1), .drop = DROP_UNROUTABLE,
				.flow = ESTABLISHED},
		}},
	{"a sender without identity",
		.shot = {
			{.from = STRANGER, .to = A, UDP(1, 2), .drop = DROP_INVALID_IDENTITY,
				.flow = NO_FLOW},
		}},
	{"a destination without identity",
		.shot = {
			{.from = A, .to = STRANGER, UDP(1, 2), .drop = DROP_INVALID_IDENTITY,
				.flow = NO_FLOW},
		}},
	/* not ready */
	{"one that is not ready sends",
		.shot = {
			{.from = COLD, .to = A, UDP(1, 2), .drop = DROP_EP_NOT_READY,
				.flow = NO_FLOW},
		}},
	{"an endpoint sends to one that is not ready",
		.shot = {
			{.from = A, .to = COLD, UDP(1, 2), .drop = DROP_EP_NOT_READY,
				.flow = NO_FLOW},
		}},
	{"the outside sends to one that is not ready",
		.shot = {
			{.from = OUTSIDE, .to = COLD, UDP(1, 2), .drop = DROP_EP_NOT_READY,
				.flow = NO_FLOW},
		}},
	{"the node sends to one that is not ready",
		.shot = {
			{.from = NODE, .to = COLD, UDP(1, 2), .drop = DROP_EP_NOT_READY,
				.flow = NO_FLOW},
		}},
	{"one without policy sends",
		.shot = {
			{.from = PENDING, .to = A, UDP(1, 2), .drop = DROP_EP_NOT_READY,
				.flow = NO_FLOW},
		}},
	{"an endpoint sends to one without policy",
		.shot = {
			{.from = A, .to = PENDING, UDP(1, 2), .drop = DROP_EP_NOT_READY,
				.flow = NO_FLOW},
		}},
	{"the outside sends to one without policy",
		.shot = {
			{.from = OUTSIDE, .to = PENDING, UDP(1, 2), .drop = DROP_EP_NOT_READY,
				.flow = NO_FLOW},
		}},
	{"a flow whose answerer is ready no longer", .both_paths = true,
		.shot = {
			{.from = A, .to = B, UDP(1, 2), .flow = HALF_NEW},
			{.from = B, .to = A, UDP(2, 1), .flow = ESTABLISHED},
			{.from = A, .to = B, UDP(1, 2), .before = cool_b,
				.drop = DROP_EP_NOT_READY, .flow = ESTABLISHED | IS_DENIED},
			{.from = A, .to = B, UDP(1, 2), .drop = DROP_EP_NOT_READY,
				.flow = ESTABLISHED | IS_DENIED},
			{.from = B, .to = A, UDP(2, 1), .drop = DROP_EP_NOT_READY,
				.flow = ESTABLISHED | IS_DENIED},
			{.from = A, .to = B, UDP(1, 2), .before = warm_b, .flow = ESTABLISHED},
			{.from = B, .to = A, UDP(2, 1), .flow = ESTABLISHED},
		}},
	{"a flow whose opener is ready no longer",
		.shot = {
			{.from = A, .to = B, UDP(1, 2), .flow = HALF_NEW},
			{.from = B, .to = A, UDP(2, 1), .flow = ESTABLISHED},
			{.from = A, .to = B, UDP(1, 2), .before = cool_a,
				.drop = DROP_EP_NOT_READY, .flow = ESTABLISHED},
			{.from = B, .to = A, UDP(2, 1), .drop = DROP_EP_NOT_READY,
				.flow = ESTABLISHED | IS_DENIED},
		}},
	{"a flow whose opener has gone", .both_paths = true,
		.shot = {
			{.from = A, .to = B, UDP(1, 2), .flow = HALF_NEW},
			{.from = B, .to = A, UDP(2, 1), .flow = ESTABLISHED},
			{.from = B, .to = A, UDP(2, 1), .before = remove_a, .stack = true,
				.flow = ESTABLISHED},
			{.from = B, .to = A, UDP(2, 1), .stack = true, .flow = ESTABLISHED},
			{.from = B, .to = A, UDP(2, 1), .before = return_a, .flow = ESTABLISHED},
			{.from = A, .to = B, UDP(1, 2), .flow = ESTABLISHED},
		}},
	{"a flow whose answerer has gone",
		.shot = {
			{.from = A, .to = B, TCP(1, 2, SYN), .flow = HALF_NEW},
			{.from = B, .to = A, TCP(2, 1, SYN | ACK), .flow = HALF_NEW},
			{.from = A, .to = B, TCP(1, 2, ACK), .before = remove_b, .stack = true,
				.flow = ESTABLISHED},
			{.from = B, .to = A, TCP(2, 1, ACK), .drop = DROP_UNKNOWN_SENDER,
				.flow = ESTABLISHED},
		}},
	{"one whose address is not written yet is judged as itself",
		.rules = {DENY(A, EGRESS, NOBODY, 0, 0, 6)},
		.shot = {
			{.from = A, .to = B, UDP(1, 2), .before = hide_a, .drop = DROP_POLICY_DENY,
				.rule = 6, .flow = NO_FLOW},
			{.from = A, .to = OUTSIDE, UDP(1, 2), .drop = DROP_POLICY_DENY, .rule = 6,
				.flow = NO_FLOW},
			{.from = OUTSIDE, .to = A, UDP(1, 2), .drop = DROP_UNROUTABLE, .flow = NO_FLOW},
			{.from = A, .to = B, UDP(1, 2), .before = show_a, .drop = DROP_POLICY_DENY,
				.rule = 6, .flow = NO_FLOW},
		}},
	{"a known flow of one whose address has gone is nobody outside's",
		.shot = {
			{.from = A, .to = B, UDP(1, 2), .flow = HALF_NEW},
			{.from = B, .to = A, UDP(2, 1), .flow = ESTABLISHED},
			{.from = A, .to = B, UDP(1, 2), .before = hide_a, .drop = DROP_EP_NOT_READY,
				.flow = ESTABLISHED | IS_DENIED},
			{.from = B, .to = A, UDP(2, 1), .drop = DROP_EP_NOT_READY,
				.flow = ESTABLISHED | IS_DENIED},
			{.from = A, .to = B, UDP(1, 2), .before = show_a, .flow = ESTABLISHED},
		}},
	/* networks that overlap */
	{"networks that overlap keep to themselves", .both_paths = true,
		.shot = {
			{.from = A, .to = B, UDP(1, 2), .flow = HALF_NEW},
			{.from = TENANT2, .to = TENANT, UDP(1, 2), .flow = HALF_NEW},
			{.from = TENANT, .to = TENANT2, UDP(2, 1), .flow = ESTABLISHED},
			{.from = B, .to = A, UDP(2, 1), .flow = ESTABLISHED},
			{.from = TENANT2, .to = TENANT, UDP(1, 2), .flow = ESTABLISHED},
			{.from = A, .to = B, UDP(1, 2), .flow = ESTABLISHED},
		}},
	{"a network of its own keeps its flows", .both_paths = true,
		.rules = {ALLOW(TENANT, INGRESS, NOBODY, 17, 2, 5)},
		.shot = {
			{.from = TENANT2, .to = TENANT, UDP(1, 2), .flow = HALF_NEW},
			{.from = TENANT, .to = TENANT2, UDP(2, 1), .flow = ESTABLISHED},
			{.from = TENANT2, .to = TENANT, UDP(1, 2), .flow = ESTABLISHED},
			{.from = TENANT, .to = TENANT2, UDP(2, 3), .drop = DROP_POLICY_DENIED, .rule = 1,
				.flow = NO_FLOW},
		}},
	{"a network of its own has no outside",
		.shot = {
			{.from = TENANT2, .to = OUTSIDE, UDP(1, 2), .drop = DROP_INVALID_IDENTITY,
				.flow = NO_FLOW},
			{.from = OUTSIDE, .to = TENANT2, UDP(1, 2), .drop = DROP_UNROUTABLE,
				.flow = NO_FLOW},
		}},
	{"a known flow is no other network's", .both_paths = true,
		.shot = {
			{.from = OUTSIDE, .to = B, UDP(1, 2), .flow = HALF_NEW},
			{.from = OUTSIDE, .to = B, .at = TENANT, UDP(1, 2), .drop = DROP_UNROUTABLE,
				.flow = NO_FLOW},
		}},
	{.name = NULL},
};
/* clang-format on */
