/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of /v1/flow and /v1/monitor. Called by the API server; streams are flow_stream.c's. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/api.h"
#include "agent/flows.h"
#include "agent/policy.h"
#include "base/time.h"
#include "codec/json.h"
#include "datapath/datapath.h"
#include "flow/name.h"
#include "model/addr.h"
#include "model/protocol.h"

enum { FILTER_BYTES_MAX = 1 << 20 };

static int query_time(const struct api_request *rq, const char *name, uint64_t *ret, struct err *e)
{
	const char *text = api_query(rq, name);

	if (text && *text && time_parse(text, ret) < 0)
		return err_set(e, -EINVAL, "%s: %.60s is not a time such as 2026-01-02T03:04:05Z",
			name, text);
	return 0;
}

static bool query_flag(const struct api_request *rq, const char *name)
{
	const char *text = api_query(rq, name);

	return text && !str_eq(text, "0") && !str_eq(text, "false");
}

static int query_filters(
	const struct api_request *rq, const char *node, struct flow_filters **ret, struct err *e)
{
	const char *text = api_query(rq, "filter");
	SCOPED(json_unrefp)
	json_t *j = NULL;
	int r;

	if (!text || !*text)
		return 0;
	r = json_parse_text(text, strlen(text), FILTER_BYTES_MAX, &j, e);
	if (!r)
		r = flow_filters_parse(j, node, ret, e);
	return r ? err_prefix(e, "filter") : 0;
}

static int query_flows(
	const struct api_request *rq, struct agent *a, struct api_stream **ret, struct err *e)
{
	struct flow_request q = {
		.first = query_flag(rq, "first"), .follow = query_flag(rq, "follow")};
	SCOPED(flow_filters_freep)
	struct flow_filters *filters = NULL;
	const char *number = api_query(rq, "number");
	int r;

	if (number && *number && str_to_u64(number, UINT32_MAX, &q.number) < 0)
		return err_set(e, -EINVAL, "number: %.40s is not a number", number);
	r = query_time(rq, "since", &q.since_ns, e) ?: query_time(rq, "until", &q.until_ns, e) ?:
		query_filters(rq, flows_node_name(a->flows), &filters, e);
	return r ?: flows_stream(a->flows, &q, TAKE(filters), ret, e);
}

void api_flow_list(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct err e = {0};
	int r = query_flows(rq, data, &reply->stream, &e);

	if (r)
		api_fail(reply, r, &e);
}

void api_monitor(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;

	(void)rq;
	reply->stream = flows_monitor(a->flows);
}

/* 10.0.0.5:4711, [fd00::5]:4711; without the port where the protocol has none. */
static json_t *end_json(const struct dp_flow *f, unsigned end)
{
	char text[ADDR_TEXT];

	addr_format(&f->addr[end], text);
	if (!protocol_has_ports(f->protocol))
		return json_string(text);
	return json_sprintf(f->family == 6 ? "[%s]:%u" : "%s:%u", text, f->port[end]);
}

static json_t *rule_json(struct agent *a, uint32_t id)
{
	const struct rule_info *r = id ? policies_rule(a->policies, id) : NULL;
	SCOPED(str_done)
	struct str text = {0};

	if (r)
		rule_format(&text, r);
	return json_string(str_text(&text));
}

static json_t *way_json(const struct flow_way *w)
{
	return json_pack(
		"{s:I, s:I}", "packets", (json_int_t)w->packets, "bytes", (json_int_t)w->bytes);
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

struct table {
	struct agent *agent;
	struct str out; /* the table may be long: its entries become text one by one */
	uint64_t offset_ns; /* what the wall clock is ahead of the monotonic one */
};

static int on_flow(const struct dp_flow *f, void *data)
{
	struct table *t = data;
	unsigned opener = f->flow.flags & FLOW_ORIGIN_HIGH ? 1 : 0;
	char created[TIME_TEXT], number[FLOW_PROTOCOL_TEXT];
	SCOPED(freep)
	char *text = NULL;
	json_t *j = json_pack("{s:s, s:s, s:o, s:o, s:s, s:b, s:I, s:I, s:I, s:I, s:o, s:o}",
		"family", f->family == 4 ? "IPv4" : "IPv6", "protocol",
		flow_protocol_format(f->protocol, number), "source", end_json(f, opener),
		"destination", end_json(f, !opener), "state", state_text(f->flow.state),
		"half_open", f->half_open, "source_identity", (json_int_t)f->flow.identity[0],
		"destination_identity", (json_int_t)f->flow.identity[1], "source_endpoint",
		(json_int_t)f->flow.endpoint[0], "destination_endpoint",
		(json_int_t)f->flow.endpoint[1], "forward", way_json(&f->flow.way[opener]), "reply",
		way_json(&f->flow.way[!opener]));
	int64_t left = f->expires_in_ns < 0 ? 0 : f->expires_in_ns / 1000000000;

	(void)json_object_set_new(j, "expires_in", json_sprintf("%llds", (long long)left));
	(void)json_object_set_new(
		j, "created", json_string(time_format(f->flow.created + t->offset_ns, created)));
	(void)json_object_set_new(j, "denied", json_boolean(f->flow.flags & FLOW_DENIED));
	(void)json_object_set_new(j, "rules",
		json_pack("{s:o, s:o}", "ingress",
			rule_json(t->agent, f->flow.rule[POLICY_INGRESS]), "egress",
			rule_json(t->agent, f->flow.rule[POLICY_EGRESS])));
	text = json_text(j);
	json_decref(j);
	str_add(&t->out, t->out.len ? "," : "[");
	str_add(&t->out, text);
	return 0;
}

void api_flow_table(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct table t = {.agent = data, .offset_ns = time_wall_ns() - time_mono_ns()};

	(void)rq;
	(void)datapath_flow_each(t.agent->datapath, on_flow, &t);
	str_add(&t.out, t.out.len ? "]\n" : "[]\n");
	reply->text = str_take(&t.out);
	reply->content_type = "application/json";
}
