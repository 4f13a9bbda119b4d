/* SPDX-License-Identifier: Apache-2.0 */
/* Handler of /v1/policy/explain: of a packet between two ends, or of a flow in the history. Called
 * by the API server. Owns nothing. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include "agent/agent.h"
#include "agent/api.h"
#include "agent/explain.h"
#include "agent/flows.h"
#include "base/time.h"
#include "flow/record.h"
#include "model/addr.h"

enum { BOTH_FAMILIES = 1 << FAMILY_V4 | 1 << FAMILY_V6 };

static int query_text(
	const struct api_request *rq, const char *name, const char **ret, struct err *e)
{
	*ret = api_query(rq, name);
	return *ret && **ret ? 0 : err_set(e, -EINVAL, "%s is missing", name);
}

static int query_family(const struct api_request *rq, unsigned *ret, struct err *e)
{
	const char *text = api_query(rq, "family");

	*ret = BOTH_FAMILIES;
	for (enum family f = 0; text && *text && f < FAMILIES; f++) {
		if (str_eq(text, family_name(f))) {
			*ret = 1u << f;
			return 0;
		}
	}
	return !text || !*text ? 0
			       : err_set(e, -EINVAL, "family: %.20s is none of IPv4, IPv6", text);
}

static int explain_ends(const struct api_request *rq, struct agent *a, json_t **ret, struct err *e)
{
	struct explain_question q = {0};
	const char *port = NULL;
	int r = query_text(rq, "from", &q.from, e);

	r = r ?: query_text(rq, "to", &q.to, e) ?: query_text(rq, "port", &port, e);
	r = r ?: query_family(rq, &q.families, e);
	if (r)
		return r;
	r = traffic_parse(port, &q.traffic, e);
	return r ? err_prefix(e, "port") : explain_live(a, &q, ret, e);
}

/* What is asked of the flow's first packet: the flow's own direction, whichever packet it is. */
static struct traffic flow_traffic(const struct flow_record *f, bool reply)
{
	struct traffic t = {.protocol = f->protocol};

	if (protocol_is_icmp(f->protocol) && reply) /* only echoes have replies */
		t.port = (f->protocol == IPPROTO_ICMP ? ICMP_ECHO : ICMP6_ECHO_REQUEST) << 8;
	else if (protocol_is_icmp(f->protocol))
		t.port = (uint16_t)(f->icmp_type << 8 | f->icmp_code);
	else if (protocol_has_ports(f->protocol))
		t.port = reply ? f->source_port : f->destination_port;
	return t;
}

/* What the record says of its time, beside what holds now. */
static json_t *recorded_json(const struct flow_record *f)
{
	static const char *const verdicts[] = {
		"unknown", "allow", "deny", "error", "audit", "redirected", "traced", "translated"};
	json_t *rules = json_array();
	char time[TIME_TEXT];

	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		if (f->rule[d])
			(void)json_array_append_new(
				rules, json_pack("{s:s, s:s}", "direction",
					       d == POLICY_INGRESS ? "ingress" : "egress", "text",
					       f->rule[d]->text));
	}
	return json_pack("{s:s, s:s, s:o}", "time", time_format(f->time_ns, time), "verdict",
		f->verdict < ARRAY_SIZE(verdicts) ? verdicts[f->verdict] : "unknown", "rules",
		rules);
}

static int explain_flow(struct agent *a, const char *uuid, json_t **ret, struct err *e)
{
	const struct flow_record *f = flows_find(a->flows, uuid);
	bool reply = f && f->is_reply == FLOW_REPLY_YES;
	char source[ADDR_TEXT], destination[ADDR_TEXT];
	SCOPED(json_unrefp)
	json_t *recorded = NULL;
	struct explain_question q;
	int r;

	if (!f)
		return err_set(e, -ENOENT, "flow %.60s is not in the history of this node", uuid);
	if (!f->family || !f->protocol)
		return err_set(
			e, -EINVAL, "flow %.60s was not understood as far as its policy", uuid);
	addr_format(&f->source, source);
	addr_format(&f->destination, destination);
	q = (struct explain_question){.from = reply ? destination : source,
		.to = reply ? source : destination,
		.traffic = flow_traffic(f, reply),
		.families = 1u << (f->family == 4 ? FAMILY_V4 : FAMILY_V6)};
	recorded = recorded_json(f);
	r = explain_live(a, &q, ret, e);
	for (size_t i = 0; !r && i < json_array_size(*ret); i++)
		(void)json_object_set(json_array_get(*ret, i), "recorded", recorded);
	return r;
}

void api_policy_explain(const struct api_request *rq, struct api_reply *reply, void *data)
{
	const char *uuid = api_query(rq, "flow");
	struct err e = {0};
	int r = uuid ? explain_flow(data, uuid, &reply->body, &e)
		     : explain_ends(rq, data, &reply->body, &e);

	if (r)
		api_fail(reply, r, &e);
}
