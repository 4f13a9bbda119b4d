/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events to flow records, with the meaning that Hubble gives to each field. Called by the agent for
 * every event that it reads. Pure: no clock, no lookup. Must hold: what is not known is unknown in
 * the record, not a default that reads as a fact.
 */
#include "flow/decode.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "abi/drop.h"
#include "model/protocol.h"

/* What all flows of the event share. */
static void decode_packet(const struct event *ev, uint64_t offset_ns, struct flow_record *r)
{
	uint16_t port = ntohs(ev->source_port);

	*r = (struct flow_record){0};
	r->time_ns = ev->time_ns + offset_ns;
	r->source = ev->source;
	r->destination = ev->destination;
	r->family = ev->family == 4 || ev->family == 6 ? ev->family : 0;
	r->protocol = r->family ? ev->protocol : 0;
	if (protocol_is_icmp(r->protocol)) {
		r->icmp_type = port >> 8;
		r->icmp_code = port & 0xff;
	} else if (protocol_has_ports(r->protocol)) {
		r->source_port = port;
		r->destination_port = ntohs(ev->destination_port);
	}
	if (r->protocol == IPPROTO_TCP)
		r->tcp_flags = ev->tcp_flags;
	memcpy(r->smac, ev->smac, sizeof(r->smac));
	memcpy(r->dmac, ev->dmac, sizeof(r->dmac));
	r->ifindex = ev->ifindex;
	r->length = ev->length;
}

static bool is_known_reply(const struct event *ev)
{
	return (ev->flags & EVENT_REPLY_KNOWN) && (ev->flags & EVENT_REPLY);
}

/*
 * A verdict is about the flow, also when a reply made it (a flow judged again): then the direction
 * is the flow's and is_reply says that the ends are the other way round. Of a denied packet nobody
 * knows whether it would have been a reply, unless the flow is known.
 */
static void decode_verdict(
	const struct event *ev, enum policy_direction direction, struct flow_record *r)
{
	const struct event_decision *d = &ev->decision[direction];
	bool is_audit = d->verdict != POLICY_ALLOW && (d->flags & POLICY_AUDIT);
	bool is_allowed = d->verdict == POLICY_ALLOW || is_audit;

	r->event_type = FLOW_EVENT_POLICY_VERDICT;
	r->verdict = is_audit ? FLOW_AUDIT : is_allowed ? FLOW_FORWARDED : FLOW_DROPPED;
	if (!is_allowed)
		r->drop_reason = d->verdict == POLICY_DENY ? DROP_POLICY_DENY : DROP_POLICY_DENIED;
	r->sub_type = r->drop_reason;
	r->direction = direction == POLICY_INGRESS ? FLOW_INGRESS : FLOW_EGRESS;
	r->match = d->match;
	r->is_reply = is_known_reply(ev) ? FLOW_REPLY_YES
		      : is_allowed       ? FLOW_REPLY_NO
					 : FLOW_REPLY_UNKNOWN;
	r->rule_verdict[direction] = d->verdict;
	r->is_shadow = d->flags & POLICY_SHADOW;
	r->shadow_verdict = d->shadow;
}

static void decode_drop(const struct event *ev, struct flow_record *r)
{
	bool is_ingress = ev->flags & EVENT_INGRESS;
	enum policy_direction direction = is_ingress ? POLICY_INGRESS : POLICY_EGRESS;

	r->event_type = FLOW_EVENT_DROP;
	r->verdict = FLOW_DROPPED;
	r->sub_type = r->drop_reason = ev->reason;
	r->file_line = ev->file_line;
	r->is_reply = is_known_reply(ev) ? FLOW_REPLY_YES : FLOW_REPLY_UNKNOWN;
	if (ev->source_endpoint || ev->destination_endpoint)
		r->direction = is_ingress ? FLOW_INGRESS : FLOW_EGRESS;
	r->rule_verdict[direction] = ev->decision[direction].verdict;
}

static enum flow_trace_reason trace_reason(const struct event *ev)
{
	if (ev->flags & EVENT_RELATED)
		return FLOW_TRACE_RELATED;
	if (!(ev->flags & EVENT_REPLY_KNOWN))
		return FLOW_TRACE_UNKNOWN;
	if (ev->flags & EVENT_REPLY)
		return FLOW_TRACE_REPLY;
	return ev->flags & EVENT_NEW ? FLOW_TRACE_NEW : FLOW_TRACE_ESTABLISHED;
}

/* The direction of a trace is the flow's: a reply on its way to an endpoint belongs to a flow that
 * left it. */
static void decode_trace(const struct event *ev, struct flow_record *r)
{
	bool is_ingress = ev->flags & EVENT_INGRESS;

	r->event_type = FLOW_EVENT_TRACE;
	r->verdict = FLOW_FORWARDED;
	r->sub_type = ev->point;
	r->trace_reason = trace_reason(ev);
	r->is_reply = FLOW_REPLY_UNKNOWN;
	if (!(ev->flags & EVENT_REPLY_KNOWN))
		return;
	r->is_reply = ev->flags & EVENT_REPLY ? FLOW_REPLY_YES : FLOW_REPLY_NO;
	if (ev->source_endpoint || ev->destination_endpoint)
		r->direction =
			is_ingress == (r->is_reply == FLOW_REPLY_YES) ? FLOW_EGRESS : FLOW_INGRESS;
}

/* Also where no policy is enforced, but one in shadow mode would not let it pass. */
static bool has_verdict(const struct event *ev, enum policy_direction direction)
{
	uint8_t judged = direction == POLICY_INGRESS ? EVENT_JUDGED_INGRESS : EVENT_JUDGED_EGRESS;

	return (ev->flags & judged) &&
	       (ev->decision[direction].flags & (POLICY_ENFORCED | POLICY_SHADOW));
}

size_t flow_decode(
	const struct event *ev, uint64_t offset_ns, struct flow_record ret[FLOW_RECORDS_MAX])
{
	static const enum policy_direction order[] = {POLICY_EGRESS, POLICY_INGRESS};
	size_t count = 0;

	if (ev->type != EVENT_DROP && ev->type != EVENT_TRACE)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (!has_verdict(ev, order[i]))
			continue;
		decode_packet(ev, offset_ns, &ret[count]);
		decode_verdict(ev, order[i], &ret[count++]);
	}
	decode_packet(ev, offset_ns, &ret[count]);
	if (ev->type == EVENT_DROP)
		decode_drop(ev, &ret[count++]);
	else
		decode_trace(ev, &ret[count++]);
	return count;
}
