/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams in fragments: the first one says what the others are. Run by packets.c.
 */
#include "bpf/table.h"

#define FIRST(id) .fragmented = true, .more = true, .fragment_id = (id), .payload = 64
#define LATER(id, offset_)                                                                         \
	.fragmented = true, .more = true, .fragment_id = (id), .offset = (offset_), .payload = 64
#define LAST(id, offset_)                                                                          \
	.fragmented = true, .fragment_id = (id), .offset = (offset_), .payload = 13

static void change_forget(struct plane *p);

/* clang-format off */
const struct packet_case cases_fragment[] = {
	{"udp in three fragments",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53, FIRST(7), .udp_delta = 100),
				.flow = HALF_NEW},
			{.from = A, .to = B, UDP(1000, 53, LATER(7, 72)), .flow = HALF_NEW},
			{.from = A, .to = B, UDP(1000, 53, LAST(7, 136)), .flow = HALF_NEW},
		}},
	{"tcp in two fragments",
		.shot = {
			{.from = A, .to = B, TCP(1000, 80, TCP_ACK, FIRST(8)), .flow = HALF_NEW},
			{.from = A, .to = B, TCP(1000, 80, 0, LAST(8, 88)), .flow = HALF_NEW},
		}},
	{"a protocol without ports in two fragments",
		.shot = {
			{.from = A, .to = B, PROTOCOL(50, FIRST(8)), .flow = HALF_NEW},
			{.from = A, .to = B, PROTOCOL(50, LAST(8, 64)), .flow = HALF_NEW},
		}},
	{"echo in two fragments is one flow, by the rule for echo",
		.rules = {
			ALLOW(B, INGRESS, NOBODY, 1, 0x800, 5),
			ALLOW(B, INGRESS, NOBODY, 58, 0x8000, 6),
		},
		.shot = {
			{.from = A, .to = B, ICMP(ECHO, 0x4242, FIRST(9)), .flow = HALF_NEW},
			{.from = A, .to = B, ICMP(ECHO, 0x4242, LAST(9, 72)), .flow = HALF_NEW,
				.event = EVENT_UNWANTED},
			{.from = B, .to = A, ICMP(ECHO_REPLY, 0x4242, FIRST(10)),
				.flow = ESTABLISHED},
			{.from = B, .to = A, ICMP(ECHO_REPLY, 0x4242, LAST(10, 72)),
				.flow = ESTABLISHED},
		}},
	{"an echo id is not mistaken for type and code",
		.rules = {
			ALLOW(B, INGRESS, NOBODY, 1, 0x0b00, 5),
			ALLOW(B, INGRESS, NOBODY, 58, 0x0b00, 6),
		},
		.shot = {
			{.from = A, .to = B, ICMP(ECHO, 0x0b00, FIRST(9)),
				.drop = DROP_POLICY_DENIED, .rule = 1, .flow = NO_FLOW},
			{.from = A, .to = B, ICMP(ECHO, 0x0b00, LAST(9, 72)),
				.drop = DROP_POLICY_DENIED, .rule = 1, .flow = NO_FLOW},
		}},
	{"a later fragment without the first",
		.shot = {
			{.from = A, .to = B, UDP(0, 0, LAST(7, 72)), .drop = DROP_FRAG_NOT_FOUND},
		}},
	{"fragments out of order",
		.shot = {
			{.from = A, .to = B, UDP(0, 0, LAST(7, 72)), .drop = DROP_FRAG_NOT_FOUND},
			{.from = A, .to = B, UDP(1000, 53, FIRST(7), .udp_delta = 13),
				.flow = HALF_NEW},
			{.from = A, .to = B, UDP(1000, 53, LAST(7, 72)), .flow = HALF_NEW},
		}},
	{"a later fragment of another datagram",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53, FIRST(7)), .flow = HALF_NEW},
			{.from = A, .to = B, UDP(0, 0, LAST(8, 72)), .drop = DROP_FRAG_NOT_FOUND},
		}},
	{"a later fragment of another protocol",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53, FIRST(7)), .flow = HALF_NEW},
			{.from = A, .to = B, TCP(0, 0, 0, LAST(7, 72)), .drop = DROP_FRAG_NOT_FOUND},
		}},
	{"a later fragment to somebody else",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53, FIRST(7)), .flow = HALF_NEW},
			{.from = A, .to = C, UDP(0, 0, LAST(7, 72)), .drop = DROP_FRAG_NOT_FOUND},
		}},
	{"all fragments of what is denied are denied",
		.rules = {ALLOW(B, INGRESS, NOBODY, 17, 53, 5)},
		.shot = {
			{.from = A, .to = B, UDP(1000, 22, FIRST(7)), .drop = DROP_POLICY_DENIED,
				.rule = 1, .flow = NO_FLOW},
			{.from = A, .to = B, UDP(1000, 22, LAST(7, 72)),
				.drop = DROP_POLICY_DENIED, .rule = 1, .flow = NO_FLOW},
		}},
	{"a later fragment after its flow has gone is judged",
		.rules = {ALLOW(B, INGRESS, NOBODY, 17, 53, 5)},
		.shot = {
			{.from = A, .to = B, UDP(1000, 53, FIRST(7)), .flow = HALF_NEW},
			{.from = A, .to = B, UDP(1000, 53, LAST(7, 72)), .before = change_expire,
				.flow = HALF_NEW, .rule = 5},
		}},
	{"ports are not kept for ever",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53, FIRST(7)), .flow = HALF_NEW},
			{.from = A, .to = B, UDP(1000, 53, LAST(7, 72)), .before = change_forget,
				.drop = DROP_FRAG_NOT_FOUND},
		}},
	{"a first fragment in another's name leaves nothing",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53, FIRST(7)), .at = C,
				.drop = DROP_INVALID_SOURCE_IP},
			{.from = A, .to = B, UDP(1000, 53, LAST(7, 72)), .drop = DROP_FRAG_NOT_FOUND},
		}},
	{"a first fragment from outside in an endpoint's name leaves nothing",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53, FIRST(7)), .in = true,
				.drop = DROP_INVALID_SOURCE_IP},
			{.from = A, .to = B, UDP(1000, 53, LAST(7, 72)), .drop = DROP_FRAG_NOT_FOUND},
		}},
	{"networks that overlap share no fragments",
		.shot = {
			{.from = TENANT2, .to = TENANT, UDP(1000, 53, FIRST(7)), .flow = HALF_NEW},
			{.from = A, .to = B, UDP(1000, 53, LAST(7, 72)), .drop = DROP_FRAG_NOT_FOUND},
			{.from = TENANT2, .to = TENANT, UDP(1000, 53, LAST(7, 72)), .flow = HALF_NEW},
		}},
	{"a first fragment without the whole header",
		.shot = {
			{.from = A, .to = B,
				TCP(1000, 80, TCP_SYN, .fragmented = true, .more = true, .cut = 12, .length_delta = -12),
				.drop = DROP_CT_TRUNCATED, .flow = NO_FLOW},
		}},
	{"an icmp error in fragments",
		.shot = {
			{.from = A, .to = B, UDP(1000, 53), .flow = HALF_NEW},
			{.from = B, .to = A, .icmp = UNREACHABLE,
				.about = &(const struct shot){.from = A, .to = B, UDP(1000, 53)},
				.p = {.fragmented = true, .more = true}, .drop = DROP_INVALID_PACKET},
		}},
	{"a stateless message in fragments",
		.shot = {
			{.from = A, .to = B, ICMP(TIMESTAMP, 0, FIRST(3)),
				.drop = DROP_INVALID_PACKET},
		}},
	{"fragments from outside",
		.shot = {
			{.from = OUTSIDE, .to = A, UDP(1000, 53, FIRST(7)), .flow = HALF_NEW},
			{.from = OUTSIDE, .to = A, UDP(1000, 53, LAST(7, 72)), .flow = HALF_NEW},
		}},
	{"extension headers in front of fragments", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B,
				UDP(1000, 53, FIRST(7), .extension = {{0, 0, 1}}, .extensions = 1),
				.flow = HALF_NEW},
			{.from = A, .to = B,
				UDP(1000, 53, LAST(7, 72), .extension = {{0, 0, 1}}, .extensions = 1),
				.flow = HALF_NEW},
		}},
	{.name = NULL},
};
/* clang-format on */

static int forget_entry(const void *key, const void *value, void *data)
{
	struct frag f = *(const struct frag *)value;

	f.expires = 1;
	return plane_update(data, "frag", key, &f);
}

static void change_forget(struct plane *p)
{
	plane_each(p, "frag", forget_entry, p);
}
