/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is a packet: headers, options, extension headers, lengths that lie, addresses that do not
 * belong on a wire. Run by packets.c.
 */
#include <linux/if_ether.h>

#include "bpf/table.h"

#define EXTENSION(...)                                                                             \
	.extension = {__VA_ARGS__},                                                                \
	.extensions =                                                                              \
		sizeof((struct packet_extension[]){__VA_ARGS__}) / sizeof(struct packet_extension)
#define V4(a, b, c, d)                                                                             \
	{                                                                                          \
		.byte = {                                                                          \
			[10] = 0xff,                                                               \
			[11] = 0xff,                                                               \
			[12] = (a),                                                                \
			[13] = (b),                                                                \
			[14] = (c),                                                                \
			[15] = (d)                                                                 \
		}                                                                                  \
	}

enum {
	HOP = 0,
	ROUTING = 43,
	AUTH = 51,
	DESTINATION = 60,
	NO_NEXT = 59,
	ESP = 50,
	SCTP = 132,
	MOBILITY = 135
};

/* An Ethernet header and nothing behind it. */
static size_t bare_ethernet(uint8_t *bytes, uint16_t ethertype)
{
	struct packet_spec p = {.ethertype = ethertype};

	who_mac(A, p.smac);
	who_host_mac(A, p.dmac);
	return packet_build(&p, bytes);
}

static size_t bare_ip4(uint8_t *bytes)
{
	return bare_ethernet(bytes, ETH_P_IP);
}

static size_t bare_ip6(uint8_t *bytes)
{
	return bare_ethernet(bytes, ETH_P_IPV6);
}

static size_t discovery(uint8_t *bytes)
{
	return bare_ethernet(bytes, 0x88cc);
}

static size_t length_frame(uint8_t *bytes)
{
	return bare_ethernet(bytes, 0x0040);
}

static size_t tagged(uint8_t *bytes)
{
	return bare_ethernet(bytes, ETH_P_8021Q);
}

static size_t tagged_twice(uint8_t *bytes)
{
	return bare_ethernet(bytes, ETH_P_8021AD);
}

#define RAW(build, reason)                                                                         \
	{                                                                                          \
		.from = A, .to = B, .raw = build, .drop = (reason)                                 \
	}

/* clang-format off */
const struct packet_case cases_parse[] = {
	{"endpoint to endpoint, tcp", .both_paths = true,
		.shot = {
			{.from = A, .to = B, TCP(1000, 80, TCP_SYN), .flow = HALF_NEW,
				.event = EVENT_WANTED},
		}},
	{"endpoint to endpoint, udp with payload", .both_paths = true,
		.shot = {{.from = A, .to = B, UDP(1000, 53, .payload = 100), .flow = HALF_NEW}}},
	{"endpoint to endpoint, sctp",
		.shot = {
			{.from = A, .to = B,
				PROTOCOL(SCTP, .source_port = 5, .destination_port = 6),
				.flow = HALF_NEW},
		}},
	{"endpoint to endpoint, esp: a protocol without ports",
		.shot = {{.from = A, .to = B, PROTOCOL(ESP, .l4_len = 16), .flow = HALF_NEW}}},
	{"endpoint to outside",
		.shot = {{.from = A, .to = OUTSIDE, TCP(1, 2, TCP_SYN), .flow = HALF_NEW}}},
	{"outside to endpoint",
		.shot = {{.from = OUTSIDE, .to = A, TCP(1, 2, TCP_SYN), .flow = HALF_NEW}}},
	{"node to endpoint",
		.shot = {{.from = NODE, .to = A, TCP(1, 2, TCP_SYN), .flow = HALF_NEW}}},
	{"endpoint to node",
		.shot = {{.from = A, .to = NODE, TCP(1, 2, TCP_SYN), .flow = HALF_NEW}}},
	{"a short frame is padded", .both_paths = true,
		.shot = {{.from = A, .to = B, UDP(1, 2, .pad = 18), .flow = HALF_NEW}}},
	{"a large frame", .both_paths = true,
		.shot = {{.from = A, .to = B, UDP(1, 2, .payload = 1400), .flow = HALF_NEW}}},
	/* Ethernet */
	{"ipv4 without an ip header", ONLY_IPV4,
		.shot = {RAW(bare_ip4, DROP_INVALID_PACKET)}},
	{"ipv6 without an ip header", ONLY_IPV6,
		.shot = {RAW(bare_ip6, DROP_INVALID_PACKET)}},
	{"another ethertype", ONLY_IPV4,
		.shot = {RAW(discovery, DROP_UNSUPPORTED_L3)}},
	{"an 802.3 length", ONLY_IPV4,
		.shot = {RAW(length_frame, DROP_UNSUPPORTED_L3)}},
	{"a vlan tag", ONLY_IPV4,
		.shot = {RAW(tagged, DROP_VLAN_FILTERED)}},
	{"a service vlan tag", ONLY_IPV4,
		.shot = {RAW(tagged_twice, DROP_VLAN_FILTERED)}},
	{"a vlan tag that the device took off",
		.shot = {
			{.from = A, .to = B, UDP(1, 2), .vlan = true, .drop = DROP_VLAN_FILTERED,
				.flow = NO_FLOW},
		}},
	{"a vlan tag on a known flow",
		.shot = {
			{.from = A, .to = B, UDP(1, 2), .flow = HALF_NEW},
			{.from = A, .to = B, UDP(1, 2), .vlan = true, .drop = DROP_VLAN_FILTERED,
				.flow = HALF_NEW},
		}},
	/* IPv4 and IPv6 headers */
	{"4 bytes of options", ONLY_IPV4,
		.shot = {{.from = A, .to = B, UDP(1, 2, .options_len = 4), .flow = HALF_NEW}}},
	{"40 bytes of options", ONLY_IPV4,
		.shot = {
			{.from = A, .to = B, TCP(1, 2, TCP_SYN, .options_len = 40), .flow = HALF_NEW},
		}},
	{"another version",
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .version = 5), .drop = DROP_INVALID_PACKET,
				.flow = NO_FLOW},
		}},
	{"a header length of 16", ONLY_IPV4,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .ihl = 4), .drop = DROP_INVALID_PACKET,
				.flow = NO_FLOW},
		}},
	{"a header longer than the packet", ONLY_IPV4,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .ihl = 15), .drop = DROP_INVALID_PACKET,
				.flow = NO_FLOW},
		}},
	{"a length beyond the frame",
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .length_delta = 1),
				.drop = DROP_INVALID_PACKET, .flow = NO_FLOW},
		}},
	{"a length below the header", ONLY_IPV4,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .length_delta = -9),
				.drop = DROP_INVALID_PACKET, .flow = NO_FLOW},
		}},
	{"no length", ONLY_IPV4,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .length_delta = -28),
				.drop = DROP_INVALID_PACKET, .flow = NO_FLOW},
		}},
	{"no length and no jumbogram", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .length_delta = -8),
				.drop = DROP_CT_TRUNCATED, .flow = NO_FLOW},
		}},
	{"cut inside the ip header",
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .cut = 10), .drop = DROP_INVALID_PACKET,
				.flow = NO_FLOW},
		}},
	{"cut inside the addresses", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .cut = 20), .drop = DROP_INVALID_PACKET,
				.flow = NO_FLOW},
		}},
	/* extension headers */
	{"hop-by-hop options", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, EXTENSION({HOP, 0, 1})), .flow = HALF_NEW},
		}},
	{"destination options of 24 bytes", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, EXTENSION({DESTINATION, 2, 1})),
				.flow = HALF_NEW},
		}},
	{"a routing header of type 2", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, TCP(1, 2, TCP_SYN, EXTENSION({ROUTING, 2, 2})),
				.flow = HALF_NEW},
		}},
	{"source routing", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, TCP(1, 2, TCP_SYN, EXTENSION({ROUTING, 2, 0})),
				.drop = DROP_INVALID_EXTENSION, .flow = NO_FLOW},
		}},
	{"an authentication header", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, TCP(1, 2, TCP_SYN, EXTENSION({AUTH, 4, 0})),
				.flow = HALF_NEW},
		}},
	{"five extension headers", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B,
				UDP(1, 2, EXTENSION({HOP, 0, 1}, {DESTINATION, 0, 1}, {ROUTING, 0, 4}, {AUTH, 1, 0}, {DESTINATION, 1, 1})),
				.flow = HALF_NEW},
		}},
	{"six extension headers", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B,
				UDP(1, 2, EXTENSION({HOP, 0, 1}, {DESTINATION, 0, 1}, {ROUTING, 0, 4}, {AUTH, 1, 0}, {DESTINATION, 1, 1}, {DESTINATION, 0, 1})),
				.flow = HALF_NEW},
		}},
	{"seven extension headers", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B,
				UDP(1, 2, EXTENSION({HOP, 0, 1}, {DESTINATION, 0, 1}, {ROUTING, 0, 4}, {AUTH, 1, 0}, {DESTINATION, 1, 1}, {DESTINATION, 0, 1}, {DESTINATION, 0, 1})),
				.drop = DROP_INVALID_EXTENSION, .flow = NO_FLOW},
		}},
	{"an extension header beyond the frame", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B,
				PROTOCOL(NO_NEXT, EXTENSION({HOP, 0, 1}), .cut = 4, .length_delta = -4),
				.drop = DROP_INVALID_EXTENSION, .flow = NO_FLOW},
		}},
	{"an extension header beyond the length", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B,
				UDP(1, 2, EXTENSION({HOP, 0, 1}), .length_delta = -12),
				.drop = DROP_INVALID_EXTENSION, .flow = NO_FLOW},
		}},
	{"an extension header and nothing", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, PROTOCOL(NO_NEXT, EXTENSION({DESTINATION, 0, 1})),
				.flow = HALF_NEW},
		}},
	{"a header of unknown kind is a protocol", ONLY_IPV6,
		.shot = {{.from = A, .to = B, PROTOCOL(MOBILITY, .l4_len = 8), .flow = HALF_NEW}}},
	{"an atomic fragment is whole", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .fragmented = true, .fragment_id = 9),
				.flow = HALF_NEW},
		}},
	/* TCP, UDP, SCTP, ICMP */
	{"tcp with options", .both_paths = true,
		.shot = {
			{.from = A, .to = B, TCP(1, 2, TCP_SYN, .tcp_words = 15), .flow = HALF_NEW},
		}},
	{"tcp without its last byte",
		.shot = {
			{.from = A, .to = B, TCP(1, 2, TCP_SYN, .cut = 1, .length_delta = -1),
				.drop = DROP_CT_TRUNCATED, .flow = NO_FLOW},
		}},
	{"tcp without anything",
		.shot = {
			{.from = A, .to = B, TCP(1, 2, TCP_SYN, .cut = 20, .length_delta = -20),
				.drop = DROP_CT_TRUNCATED, .flow = NO_FLOW},
		}},
	{"tcp header of 16 bytes",
		.shot = {
			{.from = A, .to = B, TCP(1, 2, TCP_SYN, .tcp_words = 4),
				.drop = DROP_CT_TRUNCATED, .flow = NO_FLOW},
		}},
	{"tcp options beyond the length",
		.shot = {
			{.from = A, .to = B,
				TCP(1, 2, TCP_SYN, .tcp_words = 8, .length_delta = -4),
				.drop = DROP_CT_TRUNCATED, .flow = NO_FLOW},
		}},
	{"tcp hidden in the padding",
		.shot = {
			{.from = A, .to = B, TCP(1, 2, TCP_SYN, .length_delta = -12),
				.drop = DROP_CT_TRUNCATED, .flow = NO_FLOW},
		}},
	{"syn and fin",
		.shot = {
			{.from = A, .to = B, TCP(1, 2, TCP_SYN | TCP_FIN),
				.drop = DROP_INVALID_PACKET, .flow = NO_FLOW},
		}},
	{"syn and rst",
		.shot = {
			{.from = A, .to = B, TCP(1, 2, TCP_SYN | TCP_RST),
				.drop = DROP_INVALID_PACKET, .flow = NO_FLOW},
		}},
	{"udp without its last byte",
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .cut = 1, .length_delta = -1),
				.drop = DROP_CT_TRUNCATED, .flow = NO_FLOW},
		}},
	{"udp length of 7",
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .udp_delta = -1), .drop = DROP_CT_TRUNCATED,
				.flow = NO_FLOW},
		}},
	{"udp length beyond the packet",
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .payload = 4, .udp_delta = 1),
				.drop = DROP_CT_TRUNCATED, .flow = NO_FLOW},
		}},
	{"udp length below the packet's", .both_paths = true,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .payload = 4, .udp_delta = -2),
				.flow = HALF_NEW},
		}},
	{"udp without a length", ONLY_IPV4,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .udp_delta = -8), .drop = DROP_CT_TRUNCATED,
				.flow = NO_FLOW},
		}},
	{"sctp cut short",
		.shot = {
			{.from = A, .to = B, PROTOCOL(SCTP, .cut = 1, .length_delta = -1),
				.drop = DROP_CT_TRUNCATED, .flow = NO_FLOW},
		}},
	{"icmp cut short",
		.shot = {
			{.from = A, .to = B, ICMP(ECHO, 1, .cut = 1, .length_delta = -1),
				.drop = DROP_CT_TRUNCATED, .flow = NO_FLOW},
		}},
	{"icmpv6 over ipv4", ONLY_IPV4,
		.shot = {
			{.from = A, .to = B, PROTOCOL(58, .icmp_type = 128),
				.drop = DROP_UNKNOWN_L4, .flow = NO_FLOW},
		}},
	{"icmp over ipv6", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, PROTOCOL(1, .icmp_type = 8), .drop = DROP_UNKNOWN_L4,
				.flow = NO_FLOW},
		}},
	{"igmp is quiet", ONLY_IPV4,
		.shot = {
			{.from = A, .to = OUTSIDE,
				PROTOCOL(2, .l4_len = 8, .destination = V4(224, 0, 0, 22)),
				.drop = DROP_MULTICAST_HANDLED, .quiet = true},
		}},
	/* addresses */
	{"to loopback", ONLY_IPV4,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .destination = V4(127, 0, 0, 1)),
				.drop = DROP_UNROUTABLE, .flow = NO_FLOW},
		}},
	{"to this network", ONLY_IPV4,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .destination = V4(0, 1, 2, 3)),
				.drop = DROP_UNROUTABLE, .flow = NO_FLOW},
		}},
	{"to multicast", ONLY_IPV4,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .destination = V4(224, 0, 0, 251)),
				.drop = DROP_UNROUTABLE, .flow = NO_FLOW},
		}},
	{"to broadcast", ONLY_IPV4,
		.shot = {
			{.from = A, .to = B, UDP(68, 67, .destination = V4(255, 255, 255, 255)),
				.drop = DROP_UNROUTABLE, .flow = NO_FLOW},
		}},
	{"to loopback", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .destination = {.byte = {[15] = 1}}),
				.drop = DROP_UNROUTABLE, .flow = NO_FLOW},
		}},
	{"to a v4-mapped address", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .destination = V4(10, 1, 0, 2)),
				.drop = DROP_UNROUTABLE, .flow = NO_FLOW},
		}},
	{"from a v4-mapped address", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B, UDP(1, 2, .source = V4(10, 1, 0, 1)),
				.drop = DROP_UNROUTABLE, .flow = NO_FLOW},
		}},
	{"to multicast", ONLY_IPV6,
		.shot = {
			{.from = A, .to = B,
				UDP(5353, 5353, .destination = {.byte = {0xff, 2, [15] = 0xfb}}),
				.drop = DROP_UNROUTABLE, .flow = NO_FLOW},
		}},
	{.name = NULL},
};
/* clang-format on */
