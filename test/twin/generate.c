/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source of random packets. Called by random.c and by the seeds of the fuzz target. Must hold:
 * the same seed gives the same packets on every machine.
 */
#include "twin/generate.h"

#include <string.h>

#include "bpf/shot.h"

enum { TCP = 6, UDP = 17, SCTP = 132, ICMP4 = 1, ICMP6 = 58, TYPE_ND = 135 };

void generate_init(struct generator *g, uint64_t seed)
{
	memset(g, 0, sizeof(*g));
	g->state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static uint64_t next(struct generator *g)
{
	uint64_t z = g->state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t generate_below(struct generator *g, uint32_t limit)
{
	return (uint32_t)((next(g) >> 32) * limit >> 32);
}

bool generate_once_in(struct generator *g, uint32_t n)
{
	return generate_below(g, n) == 0;
}

#define PICK(g, ...)                                                                               \
	((const int[]){__VA_ARGS__}[generate_below(                                                \
		g, (uint32_t)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)))])

void generate_rules(struct generator *g, struct world_rule *ret)
{
	unsigned count = generate_once_in(g, 2) ? 0 : generate_below(g, WORLD_RULES);

	memset(ret, 0, sizeof(*ret) * WORLD_RULES);
	for (unsigned i = 0; i < count; i++) {
		ret[i] = (struct world_rule){
			.of = (enum who)PICK(g, A, B, FOUR, TENANT, COLD),
			.direction = (uint8_t)generate_below(g, 2),
			.peer = (enum who)PICK(g, NOBODY, NOBODY, A, B, C, NODE, OFFICE, FOUR),
			.protocol =
				(uint8_t)PICK(g, 0, 0, TCP, TCP, UDP, UDP, ICMP4, ICMP6, SCTP, 50),
			.verdict = (uint8_t)PICK(g, POLICY_ALLOW, POLICY_ALLOW, POLICY_ALLOW,
				POLICY_DENY, POLICY_DEFAULT_DENY),
			.rule = 10 + i,
			.audit = generate_once_in(g, 6),
		};
		if (generate_once_in(g, 4)) {
			ret[i].shadow = (uint8_t)(1 + generate_below(g, 3));
			ret[i].shadow_rule = 30 + i;
		}
		if (!ret[i].protocol)
			continue;
		ret[i].port = (uint16_t)PICK(g, 0, 53, 80, 1000, 0x0800, 0x8000);
		ret[i].port_bits = (uint8_t)PICK(g, 0, 0, 16, 12, 4);
	}
}

static void fill_protocol(struct generator *g, struct shot *s)
{
	s->p.source_port = (uint16_t)PICK(g, 1000, 1001, 53, 80);
	s->p.destination_port = (uint16_t)PICK(g, 53, 80, 80, 1000);
	s->p.payload = (uint16_t)PICK(g, 0, 0, 1, 100, 600);
	s->p.l4_len = 8;
	s->p.protocol = (uint8_t)PICK(g, TCP, TCP, TCP, UDP, UDP, SCTP, ICMP4, ICMP4, 50);
	s->p.tcp_flags = (uint8_t)PICK(g, TCP_SYN, TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK, TCP_ACK,
		TCP_ACK | TCP_PSH, TCP_FIN | TCP_ACK, TCP_RST, TCP_RST | TCP_ACK, 0);
	if (generate_once_in(g, 60))
		s->p.tcp_flags = (uint8_t)generate_below(g, 256);
	if (s->p.protocol != ICMP4)
		return;
	s->icmp = (enum message)PICK(
		g, ECHO, ECHO, ECHO, ECHO_REPLY, ECHO_REPLY, TIMESTAMP, REDIRECT);
	s->p.icmp_id = (uint16_t)PICK(g, 7, 8, 0x800);
}

static void fill_ends(struct generator *g, struct shot *s)
{
	s->from = (enum who)PICK(g, A, A, A, A, A, B, B, B, C, C, COLD, PENDING, FOUR, TENANT,
		TENANT2, NODE, NODE, OUTSIDE, OUTSIDE, OUTSIDE, OFFICE, STRANGER);
	s->to = (enum who)PICK(g, A, A, A, B, B, B, B, B, C, C, COLD, PENDING, FOUR, TENANT,
		TENANT2, NODE, GATEWAY, OUTSIDE, OUTSIDE, OFFICE, STRANGER);
	if (who_domain(s->from) != who_domain(s->to) && !generate_once_in(g, 8))
		s->to = who_domain(s->from) ? TENANT : B;
	if (!who_is_endpoint(s->from) && !who_is_endpoint(s->to))
		s->to = A;
	if (who_is_endpoint(s->from) && who_is_endpoint(s->to) && generate_once_in(g, 8)) {
		s->in = true;
		s->via = (enum who)PICK(g, (int)s->from, (int)s->from, UPLINK, A);
	}
}

/* Forged senders, other devices, odd headers. */
static void fill_oddities(struct generator *g, struct shot *s, int family)
{
	if (generate_once_in(g, 25))
		s->at = (enum who)PICK(g, A, B, C, UPLINK, TENANT);
	if (generate_once_in(g, 40))
		s->via = (enum who)PICK(g, UPLINK, A, B);
	if (generate_once_in(g, 40))
		who_mac((enum who)PICK(g, A, B, OUTSIDE), s->p.smac);
	if (generate_once_in(g, 30))
		s->p.ttl = (int16_t)PICK(g, 1, 2, 255, PACKET_TTL_ZERO);
	if (generate_once_in(g, 15) && family == 4)
		s->p.options_len = (uint8_t)PICK(g, 4, 8, 40);
	if (generate_once_in(g, 15) && family == 6) {
		s->p.extensions = (uint8_t)(1 + generate_below(g, 7));
		for (unsigned i = 0; i < s->p.extensions; i++)
			s->p.extension[i] = (struct packet_extension){
				.type = (uint8_t)PICK(g, 0, 43, 51, 60, 60),
				.length = (uint8_t)PICK(g, 0, 0, 1, 3),
				.byte2 = (uint8_t)PICK(g, 0, 2, 4),
			};
	}
	if (generate_once_in(g, 12)) {
		s->p.fragmented = true;
		s->p.fragment_id = (uint32_t)PICK(g, 1, 2);
		s->p.offset = (uint16_t)PICK(g, 0, 0, 8, 64, 1280);
		s->p.more = generate_once_in(g, 2);
	}
	if (generate_once_in(g, 40))
		s->p.length_delta = (int16_t)PICK(g, -1, 1, -8, -20, -60, 100);
	if (generate_once_in(g, 40))
		s->p.udp_delta = (int16_t)PICK(g, -1, 1, -8, 50);
	if (generate_once_in(g, 60))
		s->p.tcp_words = (uint8_t)PICK(g, 4, 6, 15);
	if (generate_once_in(g, 20))
		s->p.pad = (uint16_t)PICK(g, 1, 6, 18);
	if (generate_once_in(g, 60))
		s->p.cut = (uint16_t)PICK(g, 1, 4, 8, 20);
}

/* Neighbour discovery and other ICMPv6 that is no message of bpf/table.h. */
static void fill_discovery(struct generator *g, struct shot *s)
{
	s->icmp = NOT_ICMP;
	s->p.protocol = ICMP6;
	s->p.icmp_type =
		(uint8_t)PICK(g, TYPE_ND, TYPE_ND, TYPE_ND, 133, 134, 136, 137, 130, 143, 139);
	s->p.has_target = true;
	s->p.ttl = (int16_t)PICK(g, 255, 255, 255, 64);
	s->p.target = who_addr((enum who)PICK(g, GATEWAY, GATEWAY, A, NOBODY), 6);
	s->p.payload = (uint16_t)PICK(g, 0, 0, 16);
	s->p.fragmented = false;
	s->p.extensions = 0;
	if (generate_once_in(g, 3))
		s->p.destination = (struct addr){.byte = {0xff, 2, [15] = 1}};
}

/* The other way, as an answer to an earlier packet would go. */
static void turn(struct generator *g, struct shot *s)
{
	enum who from = s->from;
	uint16_t port = s->p.source_port;

	s->from = s->to;
	s->to = from;
	s->p.source_port = s->p.destination_port;
	s->p.destination_port = port;
	if (s->icmp == ECHO)
		s->icmp = ECHO_REPLY;
	else if (s->icmp == ECHO_REPLY)
		s->icmp = ECHO;
	if (s->p.tcp_flags == TCP_SYN)
		s->p.tcp_flags = TCP_SYN | TCP_ACK;
	else
		s->p.tcp_flags =
			(uint8_t)PICK(g, TCP_ACK, TCP_ACK, TCP_ACK | TCP_FIN, TCP_RST, TCP_SYN);
	if (!who_is_endpoint(s->from)) {
		s->in = false;
		s->at = NOBODY;
	}
	if (!who_is_endpoint(s->from) && !who_is_endpoint(s->to))
		s->to = A;
}

static void fill_new(struct generator *g, struct shot *s, int *family)
{
	memset(s, 0, sizeof(*s));
	*family = generate_once_in(g, 2) ? 4 : 6;
	fill_ends(g, s);
	fill_protocol(g, s);
	fill_oddities(g, s, *family);
	if (*family == 6 && generate_once_in(g, 12))
		fill_discovery(g, s);
}

/* An ICMP error about an earlier packet. */
static void fill_error(
	struct generator *g, struct shot *s, const struct shot *about, struct shot *keep)
{
	*keep = *about;
	keep->about = NULL;
	memset(s, 0, sizeof(*s));
	s->from =
		generate_once_in(g, 4) ? (enum who)PICK(g, A, B, C, OUTSIDE, STRANGER) : about->to;
	s->to = generate_once_in(g, 8) ? B : about->from;
	if (!who_is_endpoint(s->from) && !who_is_endpoint(s->to))
		s->to = A;
	s->icmp = (enum message)PICK(
		g, UNREACHABLE, UNREACHABLE, TOO_BIG, TIME_EXCEEDED, PARAMETER, REDIRECT);
	s->about = keep;
	if (generate_once_in(g, 10))
		s->p.inner_len = (uint16_t)PICK(g, 4, 20, 24, 28, 40, 47, 48);
}

/* The packet as it would be from an honest sender. */
static void clear_oddities(struct shot *s)
{
	struct packet_spec plain = {
		.protocol = s->p.protocol,
		.source_port = s->p.source_port,
		.destination_port = s->p.destination_port,
		.tcp_flags = s->p.tcp_flags,
		.icmp_id = s->p.icmp_id,
		.payload = s->p.payload,
		.l4_len = s->p.l4_len,
	};

	if (s->p.has_target)
		return;
	s->p = plain;
	s->at = NOBODY;
	if (!s->in)
		s->via = NOBODY;
}

/* As an earlier one, but not in everything. */
static void fill_again(struct generator *g, struct shot *s, int family)
{
	if (generate_once_in(g, 2))
		turn(g, s);
	else if (s->p.protocol == TCP)
		s->p.tcp_flags = (uint8_t)PICK(g, TCP_ACK, TCP_ACK, TCP_ACK | TCP_PSH,
			TCP_ACK | TCP_FIN, TCP_RST, TCP_SYN);
	if (!generate_once_in(g, 6))
		clear_oddities(s);
	if (generate_once_in(g, 12))
		fill_oddities(g, s, family);
}

static struct shot *choose(struct generator *g, int *ret_family)
{
	unsigned known = g->count < GENERATE_HISTORY ? g->count : GENERATE_HISTORY;
	unsigned slot = g->count % GENERATE_HISTORY, old;
	struct shot *s = &g->history[slot];

	if (!known || generate_once_in(g, 4)) {
		fill_new(g, s, &g->family[slot]);
	} else {
		old = generate_below(g, known);
		g->family[slot] = g->family[old];
		if (generate_once_in(g, 12) && !g->history[old].about) {
			struct shot copy = g->history[old];

			fill_error(g, s, &copy, &g->about[slot]);
		} else {
			struct shot copy = g->history[old];

			if (copy.about) {
				g->about[slot] = *copy.about;
				copy.about = &g->about[slot];
			}
			*s = copy;
			fill_again(g, s, g->family[slot]);
		}
	}
	g->count++;
	*ret_family = g->family[slot];
	return s;
}

static size_t arp_build(struct generator *g, uint8_t *b, enum who who)
{
	struct addr sender = who_addr(generate_once_in(g, 6) ? B : who, 4);
	struct addr target = who_addr((enum who)PICK(g, GATEWAY, GATEWAY, A, OUTSIDE), 4);

	memset(b, 0xff, 6);
	who_mac(who, b + 6);
	memcpy(b + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
	b[21] = (uint8_t)PICK(g, 1, 1, 1, 2);
	who_mac(who, b + 22);
	memcpy(b + 28, &sender.word[3], 4);
	memset(b + 32, 0, 6);
	memcpy(b + 38, &target.word[3], 4);
	memset(b + 42, 0, 18);
	return generate_once_in(g, 2) ? 42 : 60;
}

/* Bytes that no builder would write. */
static void mutate(struct generator *g, struct plane_packet *p)
{
	unsigned times = 1 + generate_below(g, 4);

	while (times-- && p->len) {
		uint32_t at = generate_below(g, (uint32_t)p->len);

		if (generate_once_in(g, 2) && p->len > 64)
			at = generate_below(g, 64);
		switch (generate_below(g, 5)) {
		case 0:
			p->bytes[at] ^= (uint8_t)(1u << generate_below(g, 8));
			break;
		case 1:
			p->bytes[at] = (uint8_t)PICK(g, 0, 1, 4, 6, 0x45, 0x60, 58, 44, 255);
			break;
		case 2:
			p->bytes[at] = (uint8_t)generate_below(g, 256);
			break;
		case 3:
			if (generate_once_in(g, 4) && at >= 14)
				p->len = at;
			break;
		default:
			if (at + 2 < p->len)
				memset(p->bytes + at, generate_once_in(g, 2) ? 0 : 0xff, 2);
		}
	}
}

void generate_packet(struct generator *g, struct plane_packet *ret)
{
	int family;
	const struct shot *s;

	memset(ret, 0, sizeof(*ret));
	if (generate_once_in(g, 40)) {
		enum who who = (enum who)PICK(g, A, B, FOUR, TENANT, UPLINK);

		ret->hook = generate_once_in(g, 12) ? PLANE_INGRESS : PLANE_EGRESS;
		ret->ifindex = who_ifindex(who);
		ret->len = arp_build(g, ret->bytes, who);
	} else {
		s = choose(g, &family);
		ret->hook = shot_is_ingress(s) ? PLANE_INGRESS : PLANE_EGRESS;
		ret->ifindex = who_ifindex(shot_device(s));
		ret->ingress_ifindex = shot_ingress_ifindex(s);
		ret->len = shot_build(s, family, false, ret->bytes);
	}
	if (generate_once_in(g, 12))
		mutate(g, ret);
	if (ret->len < 14)
		ret->len = 14;
}
