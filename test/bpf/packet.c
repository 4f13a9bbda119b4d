/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet builder of the data path's tests. Called by the tables, the randomized test and the
 * seeds of the fuzz target. Must hold: it shares no code with bpf/, so that a misreading of a
 * header on one side shows.
 */
#include "bpf/packet.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

enum {
	ETHERNET = 14,
	IP4 = 20,
	IP6 = 40,
	NEXT_FRAGMENT = 44,
	NEXT_AUTH = 51,
	ICMP4 = 1,
	TCP = 6,
	UDP = 17,
	ICMP6 = 58,
	SCTP = 132,
	NO_OPERATION = 1,
	MORE_FRAGMENTS = 0x2000,
};

/* Where the frame grows. */
struct cursor {
	uint8_t *at, *end;
};

static void put(struct cursor *c, const void *bytes, size_t len)
{
	assert(c->at + len <= c->end);
	memcpy(c->at, bytes, len);
	c->at += len;
}

static void put8(struct cursor *c, unsigned value)
{
	uint8_t v = (uint8_t)value;

	put(c, &v, 1);
}

static void put16(struct cursor *c, unsigned value)
{
	uint16_t v = htons((uint16_t)value);

	put(c, &v, 2);
}

static void put32(struct cursor *c, uint32_t value)
{
	uint32_t v = htonl(value);

	put(c, &v, 4);
}

static void put_fill(struct cursor *c, size_t len, uint8_t value)
{
	while (len--)
		put8(c, value);
}

uint16_t packet_checksum(const void *bytes, size_t len, uint32_t sum)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? b[i] : (uint32_t)b[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static size_t put_ip(const struct packet_spec *s, struct cursor *c);

static void put_icmp(const struct packet_spec *s, struct cursor *c)
{
	put8(c, s->icmp_type);
	put8(c, s->icmp_code);
	put16(c, 0);
	if (s->inner) {
		uint8_t inner[PACKET_ROOM];
		struct cursor i = {inner, inner + sizeof(inner)};
		size_t len = put_ip(s->inner, &i);

		put32(c, 0);
		put(c, inner, s->inner_len && s->inner_len < len ? s->inner_len : len);
		return;
	}
	if (s->has_target) {
		put32(c, 0);
		put(c, &s->target, sizeof(s->target));
		put8(c, 1); /* source link-layer address */
		put8(c, 1);
		put(c, s->smac, sizeof(s->smac));
		return;
	}
	put16(c, s->icmp_id);
	put16(c, 1);
}

static void put_l4(const struct packet_spec *s, struct cursor *c)
{
	switch (s->protocol) {
	case TCP:
		put16(c, s->source_port);
		put16(c, s->destination_port);
		put32(c, 1000);
		put32(c, s->tcp_flags & TCP_ACK ? 2000 : 0);
		put8(c, (s->tcp_words ? s->tcp_words : 5u) << 4);
		put8(c, s->tcp_flags);
		put16(c, 65535);
		put32(c, 0);
		put_fill(c, s->tcp_words > 5 ? (s->tcp_words - 5) * 4 : 0, NO_OPERATION);
		break;
	case UDP:
		put16(c, s->source_port);
		put16(c, s->destination_port);
		put16(c, (unsigned)(8 + s->payload + s->udp_delta));
		put16(c, 0);
		break;
	case SCTP:
		put16(c, s->source_port);
		put16(c, s->destination_port);
		put32(c, 1);
		put32(c, 0);
		break;
	case ICMP4:
	case ICMP6:
		put_icmp(s, c);
		break;
	default:
		put_fill(c, s->l4_len, 0);
	}
}

static void put_checksum6(const struct packet_spec *s, uint8_t *l4, size_t len)
{
	uint32_t pseudo = (uint16_t)~ntohs(packet_checksum(&s->source, 16, 0));
	uint16_t sum;

	pseudo += (uint16_t)~ntohs(packet_checksum(&s->destination, 16, 0));
	sum = packet_checksum(l4, len, pseudo + (uint32_t)len + s->protocol);
	memcpy(l4 + 2, &sum, 2);
}

static void put_rest(const struct packet_spec *s, struct cursor *c)
{
	uint8_t *l4 = c->at;
	uint16_t sum;

	if (!s->offset)
		put_l4(s, c);
	for (unsigned i = 0; i < s->payload; i++)
		put8(c, 'a' + i % 26);
	if (s->offset || c->at - l4 < 8)
		return;
	if (s->protocol == ICMP6 && s->family == 6)
		put_checksum6(s, l4, (size_t)(c->at - l4));
	if (s->protocol == ICMP4) {
		sum = packet_checksum(l4, (size_t)(c->at - l4), 0);
		memcpy(l4 + 2, &sum, 2);
	}
}

static uint8_t ttl_of(const struct packet_spec *s)
{
	return s->ttl == 0 ? 64 : s->ttl == PACKET_TTL_ZERO ? 0 : (uint8_t)s->ttl;
}

static size_t put_ip4(const struct packet_spec *s, struct cursor *c)
{
	uint8_t *ip = c->at;
	unsigned words = s->ihl ? s->ihl : (IP4 + s->options_len) / 4u;
	uint16_t value;

	put8(c, (s->version ? s->version : 4u) << 4 | words);
	put8(c, 0);
	put16(c, 0); /* total length: below */
	put16(c, s->fragmented ? s->fragment_id : 0x1234);
	put16(c, s->fragmented ? s->offset / 8u | (s->more ? MORE_FRAGMENTS : 0) : 0);
	put8(c, ttl_of(s));
	put8(c, s->protocol);
	put16(c, 0);
	put(c, &s->source.word[3], 4);
	put(c, &s->destination.word[3], 4);
	put_fill(c, s->options_len, NO_OPERATION);
	put_rest(s, c);
	value = htons((uint16_t)(c->at - ip + s->length_delta));
	memcpy(ip + 2, &value, 2);
	value = packet_checksum(ip, IP4 + s->options_len, 0);
	memcpy(ip + 10, &value, 2);
	return (size_t)(c->at - ip);
}

static void put_extension(const struct packet_extension *e, uint8_t next, struct cursor *c)
{
	size_t len = e->type == NEXT_AUTH ? (e->length + 2u) * 4 : (e->length + 1u) * 8;

	put8(c, next);
	put8(c, e->length);
	put8(c, e->byte2);
	put_fill(c, len - 3, 0);
}

static size_t put_ip6(const struct packet_spec *s, struct cursor *c)
{
	uint8_t first = s->fragmented ? NEXT_FRAGMENT : s->protocol;
	uint8_t *ip = c->at;
	uint16_t value;

	put32(c, (uint32_t)(s->version ? s->version : 6) << 28);
	put16(c, 0); /* payload length: below */
	put8(c, s->extensions ? s->extension[0].type : first);
	put8(c, ttl_of(s));
	put(c, &s->source, 16);
	put(c, &s->destination, 16);
	for (unsigned i = 0; i < s->extensions; i++)
		put_extension(&s->extension[i],
			i + 1 < s->extensions ? s->extension[i + 1].type : first, c);
	if (s->fragmented) {
		put8(c, s->protocol);
		put8(c, 0);
		put16(c, s->offset | (s->more ? 1 : 0));
		put32(c, s->fragment_id);
	}
	put_rest(s, c);
	value = htons((uint16_t)(c->at - ip - IP6 + s->length_delta));
	memcpy(ip + 4, &value, 2);
	return (size_t)(c->at - ip);
}

static size_t put_ip(const struct packet_spec *s, struct cursor *c)
{
	return s->family == 4 ? put_ip4(s, c) : put_ip6(s, c);
}

void packet_icmp6_sum(uint8_t *frame, size_t len)
{
	uint8_t *l4 = frame + ETHERNET + IP6;
	size_t l4_len = len - ETHERNET - IP6;
	uint32_t pseudo = (uint16_t)~ntohs(packet_checksum(frame + ETHERNET + 8, 32, 0));
	uint16_t sum;

	memset(l4 + 2, 0, 2);
	sum = packet_checksum(l4, l4_len, pseudo + (uint32_t)l4_len + ICMP6);
	memcpy(l4 + 2, &sum, 2);
}

size_t packet_build(const struct packet_spec *s, uint8_t *bytes)
{
	struct cursor c = {bytes, bytes + PACKET_ROOM};
	size_t len;

	put(&c, s->dmac, 6);
	put(&c, s->smac, 6);
	put16(&c, s->ethertype ? s->ethertype : s->family == 4 ? 0x0800 : 0x86dd);
	if (s->family)
		put_ip(s, &c);
	else
		put_fill(&c, s->payload, 0);
	put_fill(&c, s->pad, 0);
	len = (size_t)(c.at - bytes);
	return s->cut < len ? len - s->cut : 0;
}
