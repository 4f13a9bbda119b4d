/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: packets through the twin. An input is a script: a byte that chooses the policy,
 * then packets and changes. It runs twice, the second time off the known-flow path, and nothing may
 * differ. Whatever the bytes are: what is forwarded bears its endpoint's MAC and address, what is
 * redirected is rewritten for an endpoint that is ready, what is dropped is unchanged, and an
 * endpoint to which and from which everything is denied neither sends nor receives.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/endpoint.h"
#include "base/mem.h"
#include "bpf/flow.h"
#include "bpf/packet.h"
#include "bpf/table.h"
#include "bpf/world.h"
#include "fuzz/script.h"
#include "twin/generate.h"
#include "twin/twin.h"

enum {
	ETHERNET = 14,
	PACKETS_MAX = 64,
	TYPE_IP4 = 0x0800,
	TYPE_IP6 = 0x86dd,
};

/* What became of one packet. */
struct outcome {
	int action;
	uint32_t redirect;
	unsigned events;
	struct event event; /* the last one, without its time */
	size_t len;
	uint8_t bytes[PLANE_ROOM];
};

struct record {
	struct outcome outcome[PACKETS_MAX];
	size_t packets;
	struct flow_rows rows;
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void fail(const char *what)
{
	fprintf(stderr, "packet: %s\n", what);
	abort();
}

static bool row_of(uint32_t ifindex, struct endpoint *ret)
{
	struct endpoint_key key = {.id = ifindex, .kind = ENDPOINT_KIND_DEVICE};
	const struct endpoint *e = twin_map_lookup(twin_map("endpoint"), &key);

	if (e)
		*ret = *e;
	return e;
}

static uint16_t ethertype(const uint8_t *frame)
{
	return (uint16_t)(frame[12] << 8 | frame[13]);
}

/* The packet's own source is an address of the endpoint. */
static bool source_is(const uint8_t *frame, const struct endpoint *e)
{
	if (ethertype(frame) == TYPE_IP4)
		return !memcmp(frame + ETHERNET + 12, &e->addr4.word[3], 4);
	return ethertype(frame) == TYPE_IP6 && e->addr6.word[0] &&
	       !memcmp(frame + ETHERNET + 8, &e->addr6, 16);
}

static void check_rewritten(const struct plane_packet *in, const struct plane_packet *out)
{
	struct endpoint to;
	size_t hop = ethertype(in->bytes) == TYPE_IP4 ? ETHERNET + 8u : ETHERNET + 7u;

	if (!row_of(out->redirect, &to) || !(to.flags & ENDPOINT_READY))
		fail("redirected to nobody");
	if (memcmp(out->bytes, to.mac, 6) || memcmp(out->bytes + 6, to.host_mac, 6))
		fail("redirected with other MACs");
	if (out->len != in->len || out->bytes[hop] != in->bytes[hop] - 1 || !out->bytes[hop])
		fail("redirected without taking a hop");
	if (ethertype(in->bytes) == TYPE_IP4 &&
		!packet_checksum(in->bytes + ETHERNET, (in->bytes[ETHERNET] & 15) * 4u, 0) &&
		packet_checksum(out->bytes + ETHERNET, (out->bytes[ETHERNET] & 15) * 4u, 0))
		fail("redirected with a wrong checksum");
}

/* An answer of the gateway: back to the one who asked. */
static bool is_answer(
	const struct plane_packet *in, const struct plane_packet *out, const struct endpoint *e)
{
	if (out->action != PLANE_REDIRECT || out->redirect != in->ifindex ||
		memcmp(out->bytes, e->mac, 6))
		return false;
	if (ethertype(in->bytes) == 0x0806)
		return true;
	return ethertype(in->bytes) == TYPE_IP6 && in->bytes[ETHERNET + 40] == 135 &&
	       out->bytes[ETHERNET + 40] == 136;
}

static void check_forwarded(const struct plane_packet *in, const struct plane_packet *out)
{
	struct endpoint e;

	if (in->vlan)
		fail("a tagged packet was forwarded");
	if (in->hook == PLANE_INGRESS) {
		if (!row_of(in->ifindex, &e) || !(e.flags & ENDPOINT_READY))
			fail("delivered to nobody");
		if (out->action == PLANE_REDIRECT)
			fail("redirected what the stack delivers");
		return;
	}
	if (!row_of(in->ifindex, &e) || memcmp(in->bytes + 6, e.mac, 6))
		fail("forwarded with another's MAC");
	if (is_answer(in, out, &e))
		return;
	if (!source_is(in->bytes, &e) || !(e.flags & ENDPOINT_READY))
		fail("forwarded in another's name");
	if (out->action == PLANE_REDIRECT)
		check_rewritten(in, out);
}

/* B's identity is shut in this script: nothing leaves or reaches its endpoints, but each reaches
 * itself. */
static void check_shut(const struct plane_packet *in, const struct plane_packet *out)
{
	struct endpoint e;

	if (in->hook == PLANE_EGRESS && row_of(in->ifindex, &e) && is_answer(in, out, &e))
		return;
	if (row_of(in->ifindex, &e) && (in->hook == PLANE_EGRESS ? out->redirect == in->ifindex
								 : source_is(in->bytes, &e)))
		return;
	if (row_of(in->ifindex, &e) && e.identity == who_identity(B))
		fail("a shut endpoint's packet was forwarded");
	if (out->action == PLANE_REDIRECT && row_of(out->redirect, &e) &&
		e.identity == who_identity(B))
		fail("a shut endpoint was reached");
}

static void check_outcome(const struct plane_packet *in, const struct plane_packet *out, bool shut)
{
	switch (out->action) {
	case PLANE_DROP:
		if (out->len != in->len || memcmp(in->bytes, out->bytes, in->len))
			fail("a dropped packet was changed");
		break;
	case PLANE_PASS:
		if (out->len != in->len || memcmp(in->bytes, out->bytes, in->len))
			fail("a packet for the stack was changed");
		check_forwarded(in, out);
		break;
	case PLANE_REDIRECT:
		check_forwarded(in, out);
		break;
	default:
		fail("neither forwarded nor dropped");
	}
	if (shut && out->action != PLANE_DROP)
		check_shut(in, out);
}

static void packet_run(
	struct plane *p, const struct script_step *s, bool slow, bool shut, struct record *rec)
{
	static struct plane_packet in, out; /* large: cleared only as far as they are used */
	struct outcome *o = &rec->outcome[rec->packets++];

	in.hook = s->ingress ? PLANE_INGRESS : PLANE_EGRESS;
	in.ifindex = s->ifindex;
	in.ingress_ifindex = s->ingress_ifindex;
	in.vlan = s->vlan;
	in.slow = slow;
	in.len = s->len;
	memcpy(in.bytes, s->bytes, s->len);
	out = in;
	plane_run(p, &out);
	check_outcome(&in, &out, shut);
	o->action = out.action;
	o->redirect = out.redirect;
	o->len = out.len;
	memcpy(o->bytes, out.bytes, out.len);
	memset(&o->event, 0, sizeof(o->event));
	for (o->events = 0; plane_event(p, &o->event); o->events++)
		o->event.time_ns = 0;
}

static bool same_outcome(const struct outcome *a, const struct outcome *b)
{
	return a->action == b->action && a->redirect == b->redirect && a->events == b->events &&
	       !memcmp(&a->event, &b->event, sizeof(a->event)) && a->len == b->len &&
	       !memcmp(a->bytes, b->bytes, a->len);
}

static void policy_write(struct plane *p, uint8_t choice, bool shut, bool first)
{
	struct world_rule rules[WORLD_RULES + 2];
	struct generator g;

	generate_init(&g, choice);
	generate_rules(&g, rules);
	if (shut) {
		rules[0] = (struct world_rule){
			.of = B, .direction = POLICY_INGRESS, .verdict = POLICY_DENY, .rule = 1};
		rules[1] = (struct world_rule){
			.of = B, .direction = POLICY_EGRESS, .verdict = POLICY_DENY, .rule = 2};
		/* what was chosen for B gives way */
		for (int i = 2; i < WORLD_RULES; i++) {
			if (rules[i].of == B)
				rules[i].of = A;
		}
	}
	if (first)
		world_write(p, rules);
	else
		world_policy(p, rules);
}

static void change_run(struct plane *p, const struct script_step *s, bool shut)
{
	switch (s->kind) {
	case SCRIPT_POLICY:
		policy_write(p, s->value, shut, false);
		return;
	case SCRIPT_READY:
		world_endpoint(p, s->who, ENDPOINT_READY);
		world_local(p, s->who);
		break;
	case SCRIPT_COLD:
		world_endpoint(p, s->who, 0);
		break;
	case SCRIPT_REMOVE:
		world_endpoint_remove(p, s->who);
		break;
	case SCRIPT_HIDE:
		world_local_remove(p, s->who);
		break;
	case SCRIPT_EXPIRE:
		change_expire(p);
		return;
	case SCRIPT_COLLECT:
		twin_collect();
		return;
	default:
		break;
	}
	world_bump(p);
}

static void script_run(const uint8_t *bytes, size_t len, bool slow, struct record *rec)
{
	struct script script = {.at = bytes, .end = bytes + len};
	struct plane_options o = world_options();
	struct script_step s;
	struct plane *p;
	bool shut;

	rec->packets = 0;
	o.config.allow_localhost = 0;
	plane_open_twin(&o, &p, NULL);
	shut = script_begin(&script, &s.value);
	policy_write(p, s.value, shut, true);
	while (rec->packets < PACKETS_MAX && script_next(&script, &s)) {
		if (s.kind == SCRIPT_PACKET)
			packet_run(p, &s, slow, shut, rec);
		else
			change_run(p, &s, shut);
	}
	flow_rows_read(p, &rec->rows);
	plane_close(p);
}

static void compare(struct record *fast, struct record *slow)
{
	if (fast->packets != slow->packets)
		fail("another number of packets");
	for (size_t i = 0; i < fast->packets; i++) {
		if (!same_outcome(&fast->outcome[i], &slow->outcome[i]))
			fail("the known-flow path gave another outcome");
	}
	if (fast->rows.count != slow->rows.count)
		fail("the known-flow path left other flows");
	for (size_t i = 0; i < fast->rows.count; i++) {
		if (memcmp(&fast->rows.row[i], &slow->rows.row[i], sizeof(fast->rows.row[i])))
			fail("the known-flow path left another entry");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct record fast, slow;

	script_run(bytes, len, false, &fast);
	script_run(bytes, len, true, &slow);
	compare(&fast, &slow);
	flow_rows_done(&fast.rows);
	flow_rows_done(&slow.rows);
	return 0;
}
