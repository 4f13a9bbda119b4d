/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway that exists only in the data path: its answers to ARP and neighbour solicitations,
 * byte by byte, and what it does not answer. Run by packets.c.
 */
#include <arpa/inet.h>
#include <string.h>

#include "bpf/table.h"

enum { ARP_REQUEST = 1, ARP_REPLY = 2, ARP_BYTES = 42, ND_BYTES = 86 };

static void put_addr4(uint8_t *at, enum who w)
{
	struct addr a = who_addr(w, 4);

	memcpy(at, &a.word[3], 4);
}

/* A's question for who, as Linux asks. */
static size_t arp(uint8_t *b, enum who who)
{
	memset(b, 0xff, 6);
	who_mac(A, b + 6);
	memcpy(b + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
	who_mac(A, b + 22);
	put_addr4(b + 28, A);
	memset(b + 32, 0, 6);
	put_addr4(b + 38, who);
	return ARP_BYTES;
}

static size_t arp_gateway(uint8_t *b)
{
	return arp(b, GATEWAY);
}

static size_t arp_answer(uint8_t *b)
{
	who_mac(A, b);
	who_host_mac(A, b + 6);
	memcpy(b + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02", 10);
	who_host_mac(A, b + 22);
	put_addr4(b + 28, GATEWAY);
	who_mac(A, b + 32);
	put_addr4(b + 38, A);
	return ARP_BYTES;
}

static size_t arp_unicast(uint8_t *b)
{
	arp(b, GATEWAY);
	who_host_mac(A, b);
	return ARP_BYTES;
}

static size_t arp_padded(uint8_t *b)
{
	memset(b + ARP_BYTES, 0x55, 18);
	return arp(b, GATEWAY) + 18;
}

static size_t arp_answer_padded(uint8_t *b)
{
	memset(b + ARP_BYTES, 0x55, 18);
	return arp_answer(b) + 18;
}

static size_t arp_other(uint8_t *b)
{
	return arp(b, B);
}

static size_t arp_probe(uint8_t *b)
{
	arp(b, A);
	memset(b + 28, 0, 4);
	return ARP_BYTES;
}

static size_t arp_announcement(uint8_t *b)
{
	return arp(b, A);
}

static size_t arp_reply(uint8_t *b)
{
	arp(b, GATEWAY);
	b[21] = ARP_REPLY;
	return ARP_BYTES;
}

static size_t arp_other_sender(uint8_t *b)
{
	arp(b, GATEWAY);
	put_addr4(b + 28, B);
	return ARP_BYTES;
}

static size_t arp_other_frame(uint8_t *b)
{
	arp(b, GATEWAY);
	b[11]++;
	return ARP_BYTES;
}

static size_t arp_other_mac(uint8_t *b)
{
	arp(b, GATEWAY);
	b[27]++;
	return ARP_BYTES;
}

static size_t arp_short(uint8_t *b)
{
	return arp(b, GATEWAY) - 1;
}

static size_t arp_other_hardware(uint8_t *b)
{
	arp(b, GATEWAY);
	b[15] = 6;
	return ARP_BYTES;
}

static size_t arp_other_protocol(uint8_t *b)
{
	arp(b, GATEWAY);
	b[16] = 0x86;
	return ARP_BYTES;
}

static size_t arp_other_sizes(uint8_t *b)
{
	arp(b, GATEWAY);
	b[19] = 16;
	return ARP_BYTES;
}

static struct packet_spec nd_spec(enum who target)
{
	struct packet_spec p = {
		.family = 6,
		.protocol = 58,
		.ttl = 255,
		.icmp_type = 135,
		.has_target = true,
		.target = who_addr(target, 6),
		.source = who_addr(A, 6),
		.destination = who_addr(target, 6),
	};

	who_mac(A, p.smac);
	memcpy(p.dmac, "\x33\x33\xff\x00\x00\xfe", 6);
	/* the solicited-node group */
	memset(p.destination.byte, 0, 13);
	memcpy(p.destination.byte, "\xff\x02", 2);
	p.destination.byte[11] = 1;
	p.destination.byte[12] = 0xff;
	return p;
}

static size_t nd_gateway(uint8_t *b)
{
	struct packet_spec p = nd_spec(GATEWAY);

	return packet_build(&p, b);
}

static size_t nd_unicast(uint8_t *b)
{
	struct packet_spec p = nd_spec(GATEWAY);

	p.destination = who_addr(GATEWAY, 6);
	return packet_build(&p, b);
}

/* Without its option: the answer is longer than the question. */
static size_t nd_bare(uint8_t *b)
{
	struct packet_spec p = nd_spec(GATEWAY);

	p.cut = 8;
	p.length_delta = -8;
	return packet_build(&p, b);
}

static size_t nd_long(uint8_t *b)
{
	struct packet_spec p = nd_spec(GATEWAY);

	p.payload = 16;
	return packet_build(&p, b);
}

static size_t nd_answer(uint8_t *b)
{
	struct packet_spec p = {
		.family = 6,
		.protocol = 58,
		.ttl = 255,
		.icmp_type = 136,
		.has_target = true,
		.target = who_addr(GATEWAY, 6),
		.source = who_addr(GATEWAY, 6),
		.destination = who_addr(A, 6),
	};
	size_t len;

	who_mac(A, p.dmac);
	who_host_mac(A, p.smac);
	len = packet_build(&p, b);
	b[58] = 0x60; /* solicited, override */
	b[78] = 2; /* target link-layer address */
	packet_icmp6_sum(b, len);
	return len;
}

/* From an address that the workload's kernel has made itself. */
static size_t nd_link_local(uint8_t *b)
{
	struct packet_spec p = nd_spec(GATEWAY);

	p.source = (struct addr){.byte = {0xfe, 0x80, [15] = 1}};
	return packet_build(&p, b);
}

static size_t nd_answer_link_local(uint8_t *b)
{
	size_t len = nd_answer(b);

	memcpy(b + 38, (uint8_t[16]){0xfe, 0x80, [15] = 1}, 16);
	packet_icmp6_sum(b, len);
	return len;
}

static size_t nd_duplicate(uint8_t *b)
{
	struct packet_spec p = nd_spec(A);

	memset(&p.source, 0, sizeof(p.source));
	return packet_build(&p, b);
}

static size_t nd_other(uint8_t *b)
{
	struct packet_spec p = nd_spec(B);

	return packet_build(&p, b);
}

static size_t nd_unspecified(uint8_t *b)
{
	struct packet_spec p = nd_spec(NOBODY);

	return packet_build(&p, b);
}

static size_t nd_other_sender(uint8_t *b)
{
	struct packet_spec p = nd_spec(GATEWAY);

	p.source = who_addr(B, 6);
	return packet_build(&p, b);
}

static size_t nd_other_frame(uint8_t *b)
{
	nd_gateway(b);
	b[11]++;
	return ND_BYTES;
}

static size_t nd_other_link(uint8_t *b)
{
	struct packet_spec p = nd_spec(GATEWAY);

	p.ttl = 254;
	return packet_build(&p, b);
}

static size_t nd_code(uint8_t *b)
{
	struct packet_spec p = nd_spec(GATEWAY);

	p.icmp_code = 1;
	return packet_build(&p, b);
}

static size_t nd_extension(uint8_t *b)
{
	struct packet_spec p = nd_spec(GATEWAY);

	p.extension[p.extensions++] = (struct packet_extension){.type = 60};
	return packet_build(&p, b);
}

static size_t nd_short(uint8_t *b)
{
	struct packet_spec p = nd_spec(GATEWAY);

	p.cut = 12;
	p.length_delta = -12;
	return packet_build(&p, b);
}

#define ASK(build, ...)                                                                            \
	{                                                                                          \
		.from = A, .to = GATEWAY, .raw = build, __VA_ARGS__                                \
	}

/* clang-format off */
const struct packet_case cases_gateway[] = {
	{"arp for the gateway", ONLY_IPV4,
		.shot = {ASK(arp_gateway, .answer = arp_answer)}},
	{"arp for the gateway, to its mac", ONLY_IPV4,
		.shot = {ASK(arp_unicast, .answer = arp_answer)}},
	{"arp for the gateway, padded", ONLY_IPV4,
		.shot = {ASK(arp_padded, .answer = arp_answer_padded)}},
	{"arp for somebody else", ONLY_IPV4,
		.shot = {ASK(arp_other, .drop = DROP_UNROUTABLE)}},
	{"an arp probe is quiet", ONLY_IPV4,
		.shot = {ASK(arp_probe, .drop = DROP_MULTICAST_HANDLED, .quiet = true)}},
	{"an arp announcement is quiet", ONLY_IPV4,
		.shot = {ASK(arp_announcement, .drop = DROP_MULTICAST_HANDLED, .quiet = true)}},
	{"an arp reply is quiet", ONLY_IPV4,
		.shot = {ASK(arp_reply, .drop = DROP_MULTICAST_HANDLED, .quiet = true)}},
	{"arp in another's name", ONLY_IPV4,
		.shot = {ASK(arp_other_sender, .drop = DROP_INVALID_SOURCE_IP)}},
	{"arp in a frame of another", ONLY_IPV4,
		.shot = {ASK(arp_other_frame, .drop = DROP_INVALID_SOURCE_MAC)}},
	{"arp with another mac inside", ONLY_IPV4,
		.shot = {ASK(arp_other_mac, .drop = DROP_INVALID_SOURCE_MAC)}},
	{"arp cut short", ONLY_IPV4,
		.shot = {ASK(arp_short, .drop = DROP_INVALID_PACKET)}},
	{"arp for other hardware", ONLY_IPV4,
		.shot = {ASK(arp_other_hardware, .drop = DROP_INVALID_PACKET)}},
	{"arp for another protocol", ONLY_IPV4,
		.shot = {ASK(arp_other_protocol, .drop = DROP_INVALID_PACKET)}},
	{"arp with other sizes", ONLY_IPV4,
		.shot = {ASK(arp_other_sizes, .drop = DROP_INVALID_PACKET)}},
	{"arp from a device without endpoint", ONLY_IPV4,
		.shot = {ASK(arp_gateway, .at = UPLINK, .drop = DROP_UNKNOWN_SENDER)}},
	{"arp by the stack", ONLY_IPV4,
		.shot = {
			{.from = A, .to = A, .in = true, .raw = arp_gateway,
				.drop = DROP_UNSUPPORTED_L2},
		}},
	{"neighbour solicitation for the gateway", ONLY_IPV6,
		.shot = {ASK(nd_gateway, .answer = nd_answer)}},
	{"neighbour solicitation to its address", ONLY_IPV6,
		.shot = {ASK(nd_unicast, .answer = nd_answer)}},
	{"neighbour solicitation without an option", ONLY_IPV6,
		.shot = {ASK(nd_bare, .answer = nd_answer)}},
	{"neighbour solicitation with more behind it", ONLY_IPV6,
		.shot = {ASK(nd_long, .answer = nd_answer)}},
	{"neighbour solicitation from a link-local address", ONLY_IPV6,
		.shot = {ASK(nd_link_local, .answer = nd_answer_link_local)}},
	{"duplicate address detection is quiet", ONLY_IPV6,
		.shot = {ASK(nd_duplicate, .drop = DROP_MULTICAST_HANDLED, .quiet = true)}},
	{"neighbour solicitation for somebody else", ONLY_IPV6,
		.shot = {ASK(nd_other, .drop = DROP_UNROUTABLE)}},
	{"neighbour solicitation for nobody", ONLY_IPV6,
		.shot = {ASK(nd_unspecified, .drop = DROP_INVALID_PACKET)}},
	{"neighbour solicitation in another's name", ONLY_IPV6,
		.shot = {ASK(nd_other_sender, .drop = DROP_INVALID_SOURCE_IP)}},
	{"neighbour solicitation in a frame of another", ONLY_IPV6,
		.shot = {ASK(nd_other_frame, .drop = DROP_INVALID_SOURCE_MAC)}},
	{"neighbour solicitation from another link", ONLY_IPV6,
		.shot = {ASK(nd_other_link, .drop = DROP_INVALID_PACKET)}},
	{"neighbour solicitation with a code", ONLY_IPV6,
		.shot = {ASK(nd_code, .drop = DROP_INVALID_PACKET)}},
	{"neighbour solicitation behind an extension header", ONLY_IPV6,
		.shot = {ASK(nd_extension, .drop = DROP_INVALID_PACKET)}},
	{"neighbour solicitation without a target", ONLY_IPV6,
		.shot = {ASK(nd_short, .drop = DROP_INVALID_PACKET)}},
	{"neighbour solicitation from a device without endpoint", ONLY_IPV6,
		.shot = {ASK(nd_gateway, .at = UPLINK, .drop = DROP_UNKNOWN_SENDER)}},
	{.name = NULL},
};
/* clang-format on */
