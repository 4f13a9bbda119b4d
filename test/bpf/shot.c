/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the few words of a shot to a frame: who is who by family, ICMP messages by number, where the
 * packet is seen. Called by table.c. Must hold: what a case spells out is never overwritten.
 */
#include "bpf/shot.h"

#include <string.h>

enum { ICMP4 = 1, ICMP6 = 58, DESTINATION_OPTIONS = 60 };

static bool is_set(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	while (len--) {
		if (*b++)
			return true;
	}
	return false;
}

static void message_fill(struct packet_spec *p, enum message m, int family)
{
	static const struct {
		uint8_t type4, code4, type6, code6;
	} number[] = {
		[ECHO] = {8, 0, 128, 0},
		[ECHO_REPLY] = {0, 0, 129, 0},
		[UNREACHABLE] = {3, 3, 1, 4},
		[TOO_BIG] = {3, 4, 2, 0},
		[TIME_EXCEEDED] = {11, 0, 3, 0},
		[PARAMETER] = {12, 0, 4, 0},
		[REDIRECT] = {5, 1, 137, 0},
		[TIMESTAMP] = {13, 0, 200, 0},
	};

	p->protocol = family == 4 ? ICMP4 : ICMP6;
	p->icmp_type = family == 4 ? number[m].type4 : number[m].type6;
	p->icmp_code = family == 4 ? number[m].code4 : number[m].code6;
}

bool shot_is_ingress(const struct shot *s)
{
	return s->in || !who_is_endpoint(s->from);
}

enum who shot_device(const struct shot *s)
{
	if (s->at)
		return s->at;
	return shot_is_ingress(s) ? s->to : s->from;
}

uint32_t shot_ingress_ifindex(const struct shot *s)
{
	if (!shot_is_ingress(s))
		return who_ifindex(shot_device(s));
	return who_ifindex(s->via ? s->via : s->from == NODE ? NOBODY : UPLINK);
}

static void spec_fill(
	const struct shot *s, int family, struct packet_spec *ret, struct packet_spec *inner)
{
	struct packet_spec p = s->p;

	p.family = (uint8_t)family;
	if (!is_set(&p.source, sizeof(p.source)))
		p.source = who_addr(s->from, family);
	if (!is_set(&p.destination, sizeof(p.destination)))
		p.destination = who_addr(s->to, family);
	if (s->icmp)
		message_fill(&p, s->icmp, family);
	if (s->about) {
		spec_fill(s->about, family, inner, NULL);
		p.inner = inner;
	}
	if (!is_set(p.smac, sizeof(p.smac)))
		(shot_is_ingress(s) ? who_host_mac : who_mac)(shot_device(s), p.smac);
	if (!is_set(p.dmac, sizeof(p.dmac)))
		(shot_is_ingress(s) ? who_mac : who_host_mac)(shot_device(s), p.dmac);
	*ret = p;
}

size_t shot_build(const struct shot *s, int family, bool with_option, uint8_t *bytes)
{
	struct packet_spec p, inner;

	if (s->raw)
		return s->raw(bytes);
	spec_fill(s, family, &p, &inner);
	if (with_option && family == 4 && !p.options_len)
		p.options_len = 4;
	if (with_option && family == 6 && !p.extensions) {
		p.extension[p.extensions++] =
			(struct packet_extension){.type = DESTINATION_OPTIONS};
	}
	return packet_build(&p, bytes);
}

void shot_tuple(const struct shot *s, int family, struct tuple *ret)
{
	struct packet_spec p, inner;

	spec_fill(s, family, &p, &inner);
	*ret = (struct tuple){.family = family, .protocol = p.protocol};
	ret->addr[0] = p.source;
	ret->addr[1] = p.destination;
	ret->port[0] = p.source_port;
	ret->port[1] = p.destination_port;
	if (s->icmp == ECHO || s->icmp == ECHO_REPLY) {
		ret->port[0] = p.icmp_id;
		ret->port[1] = p.icmp_id;
		ret->request = s->icmp == ECHO ? 0 : 1;
		ret->echo = true;
	}
	ret->domain = who_domain(shot_device(s));
	if (s->about)
		shot_tuple(s->about, family, ret);
}
