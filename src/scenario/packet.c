/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets for the twin: a TCP SYN, a UDP datagram, an SCTP INIT, an ICMP message, or eight bytes of
 * any other protocol. Called by judge.c. Owns nothing. Must hold: it is a packet that a stack would
 * send as the first one, except for the checksums behind the IP header, which nobody looks at.
 */
#include "scenario/packet.h"

#include <arpa/inet.h>
#include <linux/icmp.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <string.h>

enum { SOURCE_PORT = 40000, ECHO_ID = 1, HOPS = 64, SCTP_INIT_BYTES = 32, OTHER_BYTES = 8 };

static size_t put_tcp(uint8_t *at, uint16_t port)
{
	struct tcphdr h = {.source = htons(SOURCE_PORT),
		.dest = htons(port),
		.seq = htonl(1),
		.doff = sizeof(h) / 4,
		.syn = 1,
		.window = htons(0xffff)};

	memcpy(at, &h, sizeof(h));
	return sizeof(h);
}

static size_t put_udp(uint8_t *at, uint16_t port)
{
	struct udphdr h = {
		.source = htons(SOURCE_PORT), .dest = htons(port), .len = htons(sizeof(h))};

	memcpy(at, &h, sizeof(h));
	return sizeof(h);
}

static size_t put_sctp(uint8_t *at, uint16_t port)
{
	const uint16_t ports[] = {htons(SOURCE_PORT), htons(port)};

	memcpy(at, ports, sizeof(ports));
	at[12] = 1; /* INIT */
	at[15] = SCTP_INIT_BYTES - 12;
	return SCTP_INIT_BYTES;
}

/* Both families have type, code, checksum and, for an echo, the id. */
static size_t put_icmp(uint8_t *at, uint16_t type_code)
{
	struct icmphdr h = {.type = (uint8_t)(type_code >> 8), .code = (uint8_t)type_code};

	h.un.echo.id = htons(ECHO_ID);
	memcpy(at, &h, sizeof(h));
	return sizeof(h);
}

static size_t put_payload(uint8_t *at, const struct traffic *t)
{
	switch (t->protocol) {
	case IPPROTO_TCP:
		return put_tcp(at, t->port);
	case IPPROTO_UDP:
		return put_udp(at, t->port);
	case IPPROTO_SCTP:
		return put_sctp(at, t->port);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return put_icmp(at, t->port);
	default:
		return OTHER_BYTES;
	}
}

static uint16_t checksum(const void *header, size_t len)
{
	const uint8_t *p = header;
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void put_ip4(
	struct packet *p, const struct addr *from, const struct addr *to, const struct traffic *t)
{
	struct iphdr h = {.version = 4,
		.ihl = 5,
		.ttl = HOPS,
		.protocol = t->protocol,
		.saddr = from->word[3],
		.daddr = to->word[3]};

	p->len = ETH_HLEN + sizeof(h) + put_payload(p->bytes + ETH_HLEN + sizeof(h), t);
	h.tot_len = htons((uint16_t)(p->len - ETH_HLEN));
	h.check = checksum(&h, sizeof(h));
	memcpy(p->bytes + ETH_HLEN, &h, sizeof(h));
}

static void put_ip6(
	struct packet *p, const struct addr *from, const struct addr *to, const struct traffic *t)
{
	struct ipv6hdr h = {.version = 6, .nexthdr = t->protocol, .hop_limit = HOPS};

	p->len = ETH_HLEN + sizeof(h) + put_payload(p->bytes + ETH_HLEN + sizeof(h), t);
	h.payload_len = htons((uint16_t)(p->len - ETH_HLEN - sizeof(h)));
	memcpy(&h.saddr, from, sizeof(h.saddr));
	memcpy(&h.daddr, to, sizeof(h.daddr));
	memcpy(p->bytes + ETH_HLEN, &h, sizeof(h));
}

void packet_make(struct packet *p, enum family f, const struct addr *from, const struct addr *to,
	const struct traffic *t)
{
	struct ethhdr h = {.h_proto = htons(f == FAMILY_V4 ? ETH_P_IP : ETH_P_IPV6)};

	memset(p->bytes, 0, sizeof(p->bytes));
	memcpy(h.h_dest, p->dmac, sizeof(h.h_dest));
	memcpy(h.h_source, p->smac, sizeof(h.h_source));
	memcpy(p->bytes, &h, sizeof(h));
	if (f == FAMILY_V4)
		put_ip4(p, from, to, t);
	else
		put_ip6(p, from, to, t);
}
