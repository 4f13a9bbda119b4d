/* SPDX-License-Identifier: Apache-2.0 */
/* Raw events of the data path as lines of JSON, for GET /v1/monitor. Called by flow_stream.c.
 * Numbers stay numbers; texts stand beside them. */
#include <arpa/inet.h>

#include "agent/flow_stream.h"
#include "abi/drop.h"
#include "base/time.h"
#include "model/addr.h"

static const char *reason_text(unsigned reason)
{
	switch (reason) {
#define X(name, number, hubble, text)                                                              \
	case number:                                                                               \
		return text;
		DROP_REASONS(X)
#undef X
	default:
		return "";
	}
}

static const char *stage_text(unsigned stage)
{
	static const char *const texts[STAGE_COUNT] = {"",
#define X(name, text) text,
		STAGES(X)
#undef X
	};

	return stage < STAGE_COUNT ? texts[stage] : "";
}

static const char *state_text(unsigned state)
{
	static const char *const texts[FLOW_STATE_COUNT] = {
#define X(name, text) text,
		FLOW_STATES(X)
#undef X
	};

	return state < FLOW_STATE_COUNT ? texts[state] : "";
}

static const char *point_text(unsigned point)
{
	switch (point) {
	case TRACE_TO_ENDPOINT:
		return "to-endpoint";
	case TRACE_TO_HOST:
		return "to-host";
	case TRACE_TO_STACK:
		return "to-stack";
	case TRACE_FROM_ENDPOINT:
		return "from-endpoint";
	case TRACE_FROM_HOST:
		return "from-host";
	case TRACE_FROM_STACK:
		return "from-stack";
	default:
		return "";
	}
}

static void add_end(struct str *out, const char *name, const struct event *ev, const struct addr *a,
	__be16 port, uint32_t identity, uint32_t endpoint)
{
	char text[ADDR_TEXT];

	str_printf(out, ",\"%s\":{\"address\":\"%s\",\"port\":%u,\"identity\":%u,\"endpoint\":%u}",
		name, ev->family ? addr_format(a, text) : "", ntohs(port), identity, endpoint);
}

static void add_mac(struct str *out, const char *name, const uint8_t m[6])
{
	str_printf(out, ",\"%s\":\"%02x:%02x:%02x:%02x:%02x:%02x\"", name, m[0], m[1], m[2], m[3],
		m[4], m[5]);
}

static void add_decision(struct str *out, const char *name, const struct event_decision *d)
{
	static const char *const verdicts[] = {"default-deny", "allow", "deny"};

	str_printf(out,
		",\"%s\":{\"verdict\":\"%s\",\"rule\":%u,\"match\":%u,\"enforced\":%s,\"audit\":%s",
		name, d->verdict < ARRAY_SIZE(verdicts) ? verdicts[d->verdict] : "", d->rule,
		d->match, d->flags & POLICY_ENFORCED ? "true" : "false",
		d->flags & POLICY_AUDIT ? "true" : "false");
	if (d->flags & POLICY_SHADOW)
		str_printf(out, ",\"shadow\":{\"verdict\":\"%s\",\"rule\":%u}",
			d->shadow < ARRAY_SIZE(verdicts) ? verdicts[d->shadow] : "",
			d->shadow_rule);
	str_add(out, "}");
}

void event_json_write(struct str *out, const struct event *ev, uint64_t wall_ns)
{
	char now[TIME_TEXT];

	str_printf(out, "{\"time\":\"%s\",\"type\":\"%s\"", time_format(wall_ns, now),
		ev->type == EVENT_DROP ? "drop" : "trace");
	if (ev->type == EVENT_DROP)
		str_printf(out, ",\"reason\":%u,\"reason_text\":\"%s\",\"file\":\"%s\",\"line\":%u",
			ev->reason, reason_text(ev->reason), stage_text(ev->file_line >> 16),
			ev->file_line & 0xffff);
	else
		str_printf(out, ",\"point\":\"%s\"", point_text(ev->point));
	str_printf(out,
		",\"family\":%u,\"protocol\":%u,\"tcp_flags\":%u,\"state\":\"%s\",\"length\":%u,"
		"\"ifindex\":%u,\"cpu\":%u",
		ev->family, ev->protocol, ev->tcp_flags, state_text(ev->state), ev->length,
		ev->ifindex, ev->cpu);
	str_printf(out,
		",\"direction\":\"%s\",\"is_new\":%s,\"is_reply\":%s,\"is_related\":%s,\"is_"
		"again\":%s,\"revision\":%u",
		ev->flags & EVENT_INGRESS ? "ingress" : "egress",
		ev->flags & EVENT_NEW ? "true" : "false",
		!(ev->flags & EVENT_REPLY_KNOWN) ? "null"
		: ev->flags & EVENT_REPLY        ? "true"
						 : "false",
		ev->flags & EVENT_RELATED ? "true" : "false",
		ev->flags & EVENT_AGAIN ? "true" : "false", ev->revision);
	add_end(out, "source", ev, &ev->source, ev->source_port, ev->source_identity,
		ev->source_endpoint);
	add_end(out, "destination", ev, &ev->destination, ev->destination_port,
		ev->destination_identity, ev->destination_endpoint);
	add_mac(out, "smac", ev->smac);
	add_mac(out, "dmac", ev->dmac);
	if (ev->flags & EVENT_JUDGED_INGRESS)
		add_decision(out, "ingress", &ev->decision[POLICY_INGRESS]);
	if (ev->flags & EVENT_JUDGED_EGRESS)
		add_decision(out, "egress", &ev->decision[POLICY_EGRESS]);
	str_add(out, "}");
}
