/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints flows as `hubble observe` does (interfaces 1a, "Compact line"). Called by the CLI. Works
 * on JSON only, so that it shows what any Hubble server sends. Must hold: whatever is in the JSON,
 * no control character reaches the terminal but the newlines and colours that are put in here.
 */
#include "model/flow_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "abi/drop.h"
#include "abi/identity.h"
#include "base/time.h"
#include "codec/text.h"

enum { EVENT_DROP_TYPE = 1, EVENT_TRACE_TYPE = 4, EVENT_VERDICT_TYPE = 5 };

enum color { RED = 31, GREEN = 32, YELLOW = 33, MAGENTA = 35, CYAN = 36 };

struct flow_text {
	struct flow_text_options options;
	struct text_column column[9];
	struct text_table *table;
	bool any; /* something was written before */
};

/* One flow, taken apart. */
struct parts {
	struct str time, node, source, destination, source_identity, destination_identity;
	struct str type, verdict, summary, reason;
	const char *arrow;
	bool is_reply;
};

int flow_text_format_parse(const char *name, enum flow_text_format *ret)
{
	static const struct {
		const char *name;
		enum flow_text_format format;
	} formats[] = {{"compact", FLOW_TEXT_COMPACT}, {"dict", FLOW_TEXT_DICT},
		{"tab", FLOW_TEXT_TAB}, {"table", FLOW_TEXT_TAB}, {"json", FLOW_TEXT_JSON},
		{"jsonpb", FLOW_TEXT_JSON}};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (!strcmp(formats[i].name, name)) {
			*ret = formats[i].format;
			return 0;
		}
	}
	return -EINVAL;
}

struct flow_text *flow_text_new(const struct flow_text_options *options)
{
	static const char *const titles[] = {"TIMESTAMP", "NODE", "SOURCE", "DESTINATION", "TYPE",
		"VERDICT", "SUMMARY", "REASON"};
	struct flow_text *t = mem_alloc(sizeof(*t));
	size_t columns = 0;

	t->options = *options;
	if (options->format != FLOW_TEXT_TAB)
		return t;
	t->options.color = false;
	for (size_t i = 0; i < ARRAY_SIZE(titles); i++) {
		if ((i == 1 && !options->node_name) || (i == 7 && !options->reasons))
			continue;
		t->column[columns++].title = titles[i];
	}
	t->table = text_table_new(t->column);
	return t;
}

void flow_text_free(struct flow_text *t)
{
	if (!t)
		return;
	text_table_free(t->table);
	free(t);
}

void flow_text_freep(struct flow_text **t)
{
	flow_text_free(*t);
}

/* A string member, "" when it is absent or something else. */
static const char *text_of(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

static int64_t number_of(const json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

/* text, filtered, in a colour when there are colours. */
static void add_colored(struct str *out, bool color, enum color code, const char *text)
{
	if (color)
		str_printf(out, "\033[%dm", (int)code);
	str_add_printable(out, text);
	if (color)
		str_add(out, "\033[0m");
}

/* Local time as "Nov  4 15:04:05.000"; N/A without one. */
static void add_time(struct str *out, const char *rfc3339)
{
	char text[40];
	uint64_t ns;
	time_t s;
	struct tm tm;

	if (time_parse(rfc3339, &ns) < 0) {
		str_add(out, "N/A");
		return;
	}
	s = (time_t)(ns / 1000000000u);
	localtime_r(&s, &tm);
	strftime(text, sizeof(text), "%b %e %H:%M:%S", &tm);
	str_printf(out, "%s.%03u", text, (unsigned)(ns / 1000000u % 1000u));
}

/* "ns/pod", "ns/service", names, or the address. */
static void add_host_name(
	struct str *out, const struct flow_text *t, const json_t *flow, bool is_source)
{
	const json_t *end = json_object_get(flow, is_source ? "source" : "destination");
	const json_t *service =
		json_object_get(flow, is_source ? "source_service" : "destination_service");
	const json_t *names =
		json_object_get(flow, is_source ? "source_names" : "destination_names");
	const char *name = text_of(end, "pod_name"), *namespace = text_of(end, "namespace");

	if (!*name && *text_of(service, "name")) {
		name = text_of(service, "name");
		namespace = text_of(service, "namespace");
	}
	if (!t->options.numeric && *name) {
		str_printf(out, "%s%s%s", namespace, *namespace ? "/" : "", name);
	} else if (!t->options.numeric && json_array_size(names)) {
		for (size_t i = 0; i < json_array_size(names); i++) {
			const char *s = json_string_value(json_array_get(names, i));

			str_printf(out, "%s%s", i ? "," : "", s ? s : "");
		}
	} else {
		str_add(out,
			text_of(json_object_get(flow, "IP"), is_source ? "source" : "destination"));
	}
}

static int64_t port_of(const json_t *flow, bool is_source)
{
	static const char *const protocols[] = {"TCP", "UDP", "SCTP"};
	const json_t *l4 = json_object_get(flow, "l4");

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		const json_t *p = json_object_get(l4, protocols[i]);

		if (p)
			return number_of(p, is_source ? "source_port" : "destination_port");
	}
	return 0;
}

static void add_host(struct str *out, const struct flow_text *t, const json_t *flow, bool is_source)
{
	SCOPED(str_done)
	struct str host = {0};
	int64_t port = port_of(flow, is_source);
	bool color = t->options.color, brackets;
	char number[24];

	if (!json_object_get(flow, "IP")) {
		const json_t *mac = json_object_get(flow, "ethernet");

		add_colored(out, color, CYAN, text_of(mac, is_source ? "source" : "destination"));
		return;
	}
	add_host_name(&host, t, flow, is_source);
	if (!port) {
		add_colored(out, color, CYAN, str_text(&host));
		return;
	}
	brackets = strchr(str_text(&host), ':');
	str_add(out, brackets ? "[" : "");
	add_colored(out, color, CYAN, str_text(&host));
	str_add(out, brackets ? "]:" : ":");
	snprintf(number, sizeof(number), "%" PRId64, port);
	add_colored(out, color, YELLOW, number);
}

/* (host), (world), ... or (ID:4711) */
static void add_identity(struct str *out, bool color, const json_t *end)
{
	int64_t identity = number_of(end, "identity");
	char text[32];

	snprintf(text, sizeof(text), "(ID:%" PRId64 ")", identity);
#define X(name, number, word)                                                                      \
	if (identity == (number))                                                                  \
		snprintf(text, sizeof(text), "(%s)", word);
	IDENTITY_RESERVED(X)
#undef X
	add_colored(out, color, MAGENTA, text);
}

static const char *drop_text(int64_t reason)
{
	switch (reason) {
#define X(name, number, hubble, text)                                                              \
	case number:                                                                               \
		return text;
		DROP_REASONS(X)
#undef X
	default:
		return NULL;
	}
}

static void add_trace_point(struct str *out, int64_t point)
{
	static const char *const names[] = {"to-endpoint", "to-proxy", "to-host", "to-stack",
		"to-overlay", "from-endpoint", "from-proxy", "from-host", "from-stack",
		"from-overlay", "from-network", "to-network", "from-crypto", "to-crypto"};

	if (point >= 0 && point < (int64_t)ARRAY_SIZE(names))
		str_add(out, names[point]);
	else
		str_printf(out, "%" PRId64, point);
}

static void add_drop(struct str *out, const json_t *flow, int64_t reason)
{
	const char *text = drop_text(reason);

	if (!text && *text_of(flow, "drop_reason_desc"))
		text = text_of(flow, "drop_reason_desc");
	if (text)
		str_add_printable(out, text);
	else
		str_printf(out, "%" PRId64, reason);
}

static void add_match(struct str *out, const json_t *flow)
{
	static const char *const names[] = {
		"none", "L3-Only", "L3-L4", "L4-Only", "all", "L3-Proto", "Proto-Only"};
	int64_t match = number_of(flow, "policy_match_type");
	const char *direction = text_of(flow, "traffic_direction");

	if (match >= 0 && match < (int64_t)ARRAY_SIZE(names))
		str_printf(out, "policy-verdict:%s ", names[match]);
	else
		str_printf(out, "policy-verdict:%" PRId64 " ", match);
	str_add_printable(out, *direction ? direction : "TRAFFIC_DIRECTION_UNKNOWN");
}

static int64_t event_type_of(const json_t *flow)
{
	return number_of(json_object_get(flow, "event_type"), "type");
}

static void add_type(struct str *out, const json_t *flow)
{
	int64_t sub_type = number_of(json_object_get(flow, "event_type"), "sub_type");

	switch (event_type_of(flow)) {
	case EVENT_TRACE_TYPE:
		add_trace_point(out, sub_type);
		break;
	case EVENT_DROP_TYPE:
		add_drop(out, flow, sub_type);
		break;
	case EVENT_VERDICT_TYPE:
		add_match(out, flow);
		break;
	default:
		str_add(out, "UNKNOWN");
	}
}

/* Verdicts of policies have words of their own. */
static void add_verdict(struct str *out, bool color, const json_t *flow)
{
	static const struct {
		const char *verdict, *of_policy;
		enum color color;
	} words[] = {{"FORWARDED", "ALLOWED", GREEN}, {"REDIRECTED", "ALLOWED", GREEN},
		{"DROPPED", "DENIED", RED}, {"ERROR", "DENIED", RED}, {"AUDIT", "AUDITED", YELLOW},
		{"TRACED", "TRACED", YELLOW}, {"TRANSLATED", "TRANSLATED", YELLOW}};
	const char *verdict = text_of(flow, "verdict");

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].verdict, verdict))
			continue;
		if (event_type_of(flow) == EVENT_VERDICT_TYPE)
			verdict = words[i].of_policy;
		add_colored(out, color, words[i].color, verdict);
		return;
	}
	str_add_printable(out, *verdict ? verdict : "VERDICT_UNKNOWN");
}

/* "allowed by CiliumNetworkPolicy/..", "denied by ..", "default deny by ..". */
static void add_reason(struct str *out, const json_t *response)
{
	const json_t *rules = json_object_get(json_object_get(response, "kilim"), "rules");

	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);
		const char *verdict = text_of(rule, "verdict");

		str_add(out, i ? "; " : "");
		if (!strcmp(verdict, "ALLOW"))
			str_add(out, "allowed by ");
		else if (!strcmp(verdict, "DENY"))
			str_add(out, "denied by ");
		str_add_printable(out, text_of(rule, "text"));
	}
}

static void parts_done(struct parts *p)
{
	struct str *const all[] = {&p->time, &p->node, &p->source, &p->destination,
		&p->source_identity, &p->destination_identity, &p->type, &p->verdict, &p->summary,
		&p->reason};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		str_done(all[i]);
}

static void parts_take(struct parts *p, const struct flow_text *t, const json_t *response)
{
	const json_t *flow = json_object_get(response, "flow");
	const json_t *reply = json_object_get(flow, "is_reply");
	bool color = t->options.color;

	add_time(&p->time, text_of(flow, "time"));
	str_add_printable(&p->node, text_of(flow, "node_name"));
	add_host(&p->source, t, flow, true);
	add_host(&p->destination, t, flow, false);
	add_identity(&p->source_identity, color, json_object_get(flow, "source"));
	add_identity(&p->destination_identity, color, json_object_get(flow, "destination"));
	add_type(&p->type, flow);
	add_verdict(&p->verdict, color, flow);
	str_add_printable(&p->summary, text_of(flow, "Summary"));
	if (t->options.reasons)
		add_reason(&p->reason, response);
	p->is_reply = json_is_true(reply);
	p->arrow = !json_is_boolean(reply) ? "<>" : p->is_reply ? "<-" : "->";
}

/* For a reply the ends are shown the way the flow was opened. */
static void write_compact(const struct flow_text *t, const struct parts *p, struct str *out)
{
	const struct str *end[2] = {&p->source, &p->destination};
	const struct str *identity[2] = {&p->source_identity, &p->destination_identity};
	int from = p->is_reply ? 1 : 0;

	str_add(out, str_text(&p->time));
	if (t->options.node_name)
		str_printf(out, " [%s]", str_text(&p->node));
	str_printf(out, ": %s %s %s %s %s %s %s (%s)", str_text(end[from]),
		str_text(identity[from]), p->arrow, str_text(end[1 - from]),
		str_text(identity[1 - from]), str_text(&p->type), str_text(&p->verdict),
		str_text(&p->summary));
	if (p->reason.len)
		str_printf(out, " because %s", str_text(&p->reason));
	str_add(out, "\n");
}

static void write_dict(const struct flow_text *t, const struct parts *p, struct str *out)
{
	str_printf(out, "  TIMESTAMP: %s\n", str_text(&p->time));
	if (t->options.node_name)
		str_printf(out, "       NODE: %s\n", str_text(&p->node));
	str_printf(out,
		"     SOURCE: %s\nDESTINATION: %s\n       TYPE: %s\n    VERDICT: %s\n"
		"    SUMMARY: %s\n",
		str_text(&p->source), str_text(&p->destination), str_text(&p->type),
		str_text(&p->verdict), str_text(&p->summary));
	if (p->reason.len)
		str_printf(out, "     REASON: %s\n", str_text(&p->reason));
}

static void add_row(struct flow_text *t, const struct parts *p)
{
	text_cell(t->table, "%s", str_text(&p->time));
	if (t->options.node_name)
		text_cell(t->table, "%s", str_text(&p->node));
	text_cell(t->table, "%s", str_text(&p->source));
	text_cell(t->table, "%s", str_text(&p->destination));
	text_cell(t->table, "%s", str_text(&p->type));
	text_cell(t->table, "%s", str_text(&p->verdict));
	text_cell(t->table, "%s", str_text(&p->summary));
	if (t->options.reasons)
		text_cell(t->table, "%s", str_text(&p->reason));
}

/* jansson escapes what is below 0x20; DEL and C1 controls stand in strings only, so escaping them
 * keeps the value. */
static void write_json(const json_t *response, struct str *out)
{
	SCOPED(freep)
	char *text = json_text(response);

	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p, next = (unsigned char)p[1];

		if (c == 0x7f) {
			str_add(out, "\\u007F");
		} else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
			str_printf(out, "\\u%04X", next);
			p++;
		} else {
			str_addn(out, p, 1);
		}
	}
	str_add(out, "\n");
}

/* What is known of lost events, in the columns of a flow. */
static void take_lost(struct parts *p, const json_t *lost)
{
	str_add_printable(&p->source, text_of(lost, "source"));
	str_add(&p->type, "EVENTS LOST");
	str_printf(&p->summary, "CPU(%" PRId64 ") - ", number_of(lost, "cpu"));
	str_add_printable(&p->summary, text_of(lost, "num_events_lost"));
}

static void write_lost(struct flow_text *t, const json_t *lost, struct str *out)
{
	SCOPED(parts_done)
	struct parts p = {0};

	if (t->options.format == FLOW_TEXT_COMPACT) {
		str_add(out, "EVENTS LOST: ");
		str_add_printable(out, text_of(lost, "source"));
		str_printf(out, " CPU(%" PRId64 ") ", number_of(lost, "cpu"));
		str_add_printable(out, text_of(lost, "num_events_lost"));
		str_add(out, "\n");
		return;
	}
	take_lost(&p, lost);
	if (t->options.format == FLOW_TEXT_TAB)
		add_row(t, &p);
	else
		write_dict(t, &p, out);
}

void flow_text_add(struct flow_text *t, const json_t *response, struct str *out)
{
	SCOPED(parts_done)
	struct parts p = {0};
	const json_t *lost = json_object_get(response, "lost_events");
	bool is_flow = json_is_object(json_object_get(response, "flow"));

	if (t->options.format == FLOW_TEXT_JSON) {
		write_json(response, out);
		return;
	}
	if (!is_flow && !json_is_object(lost))
		return;
	if (t->options.format == FLOW_TEXT_DICT && t->any)
		str_add(out, "------------\n");
	t->any = true;
	if (!is_flow) {
		write_lost(t, lost, out);
		return;
	}
	parts_take(&p, t, response);
	if (t->options.format == FLOW_TEXT_COMPACT)
		write_compact(t, &p, out);
	else if (t->options.format == FLOW_TEXT_DICT)
		write_dict(t, &p, out);
	else
		add_row(t, &p);
}

void flow_text_end(struct flow_text *t, struct str *out)
{
	if (t->table && t->any)
		text_table_write(t->table, true, out);
}
