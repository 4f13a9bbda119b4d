/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes flow records as JSON text, straight into the buffer of a stream: thousands of flows a
 * second pass here. Called by the agent. Must hold: every string is escaped, so a line is one valid
 * JSON value whatever names workloads have; a member that has its default value is left out, as
 * protojson does.
 */
#include "flow/json.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "base/time.h"
#include "flow/name.h"
#include "flow/summary.h"
#include "model/addr.h"
#include "model/protocol.h"

/* A quoted string. Bytes from 0x80 on are UTF-8 already, for all names came in as JSON or YAML. */
static void write_text(struct str *out, const char *s)
{
	str_addn(out, "\"", 1);
	while (*s) {
		size_t len = 0;

		while ((unsigned char)s[len] >= 0x20 && s[len] != '"' && s[len] != '\\' &&
			s[len] != 0x7f)
			len++;
		str_addn(out, s, len);
		s += len;
		if (*s == '"' || *s == '\\')
			str_printf(out, "\\%c", *s++);
		else if (*s)
			str_printf(out, "\\u%04x", (unsigned char)*s++);
	}
	str_addn(out, "\"", 1);
}

/* "name": in front of a value, behind a comma unless it is the first of its object. */
static void write_key(struct str *out, const char *name)
{
	if (out->len && out->text[out->len - 1] != '{')
		str_addn(out, ",\"", 2);
	else
		str_addn(out, "\"", 1);
	str_add(out, name);
	str_addn(out, "\":", 2);
}

static void write_string(struct str *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	write_key(out, name);
	write_text(out, value);
}

static void write_number(struct str *out, const char *name, uint32_t value)
{
	char digits[10];
	size_t at = sizeof(digits);

	if (!value)
		return;
	write_key(out, name);
	for (; value; value /= 10)
		digits[--at] = (char)('0' + value % 10);
	str_addn(out, digits + at, sizeof(digits) - at);
}

static void write_true(struct str *out, const char *name, bool value)
{
	if (!value)
		return;
	write_key(out, name);
	str_add(out, "true");
}

static void write_enum(struct str *out, const char *name, enum flow_enum what, uint32_t value)
{
	const char *text = value ? flow_name(what, value) : NULL;

	if (text)
		write_string(out, name, text);
	else
		write_number(out, name, value);
}

static void open_object(struct str *out, const char *name)
{
	write_key(out, name);
	str_addn(out, "{", 1);
}

static void close_object(struct str *out)
{
	str_addn(out, "}", 1);
}

static void write_time(struct str *out, const char *name, uint64_t wall_ns)
{
	char text[TIME_TEXT];

	write_string(out, name, time_format(wall_ns, text));
}

static void write_mac(struct str *out, const char *name, const uint8_t mac[6])
{
	static const char hex[] = "0123456789abcdef";
	char text[18]; /* the last ':' is not written */

	for (size_t i = 0; i < 6; i++) {
		text[3 * i] = hex[mac[i] >> 4];
		text[3 * i + 1] = hex[mac[i] & 15];
		text[3 * i + 2] = ':';
	}
	write_key(out, name);
	str_addn(out, "\"", 1);
	str_addn(out, text, sizeof(text) - 1);
	str_addn(out, "\"", 1);
}

static void write_ethernet(struct str *out, const struct flow_record *r)
{
	static const uint8_t none[6];

	if (!memcmp(r->smac, none, 6) && !memcmp(r->dmac, none, 6))
		return; /* no Ethernet device */
	open_object(out, "ethernet");
	write_mac(out, "source", r->smac);
	write_mac(out, "destination", r->dmac);
	close_object(out);
}

static void write_ip(struct str *out, const struct flow_record *r)
{
	char text[ADDR_TEXT];

	if (!r->family)
		return;
	open_object(out, "IP");
	write_string(out, "source", addr_format(&r->source, text));
	write_string(out, "destination", addr_format(&r->destination, text));
	write_string(out, "ipVersion", r->family == 4 ? "IPv4" : "IPv6");
	close_object(out);
}

static void write_tcp_flags(struct str *out, uint8_t flags)
{
	static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};

	open_object(out, "flags");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		write_true(out, names[i], flags & 1u << i);
	close_object(out);
}

static void write_l4(struct str *out, const struct flow_record *r)
{
	const char *name = flow_protocol_name(r->protocol);

	if (!name)
		return;
	open_object(out, "l4");
	open_object(out, name);
	if (protocol_is_icmp(r->protocol)) {
		write_number(out, "type", r->icmp_type);
		write_number(out, "code", r->icmp_code);
	} else {
		write_number(out, "source_port", r->source_port);
		write_number(out, "destination_port", r->destination_port);
		if (r->protocol == IPPROTO_TCP)
			write_tcp_flags(out, r->tcp_flags);
	}
	close_object(out);
	close_object(out);
}

static void write_end(struct str *out, const char *name, const struct flow_end *end)
{
	open_object(out, name);
	write_number(out, "ID", end->id);
	write_number(out, "identity", end->identity);
	write_string(out, "namespace", end->namespace);
	if (end->labels) {
		write_key(out, "labels");
		for (size_t i = 0; i < end->labels; i++) {
			str_addn(out, i ? "," : "[", 1);
			write_text(out, end->label[i]);
		}
		str_addn(out, "]", 1);
	}
	write_string(out, "pod_name", end->pod);
	write_string(out, "cluster_name", end->cluster);
	close_object(out);
}

static void write_event_type(struct str *out, const struct flow_record *r)
{
	open_object(out, "event_type");
	write_number(out, "type", r->event_type);
	write_number(out, "sub_type", r->sub_type);
	close_object(out);
}

/* egress_allowed_by and its three siblings: the policies of rules that allow or deny; a default
 * deny has none. */
static void write_policies(struct str *out, const struct flow_record *r)
{
	static const char *const members[POLICY_DIRECTIONS][2] = {
		[POLICY_INGRESS] = {"ingress_allowed_by", "ingress_denied_by"},
		[POLICY_EGRESS] = {"egress_allowed_by", "egress_denied_by"},
	};

	for (size_t i = 0; i < POLICY_DIRECTIONS; i++) {
		const struct flow_rule *rule = r->rule[i];

		if (!rule || !*rule->name || r->rule_verdict[i] == POLICY_DEFAULT_DENY)
			continue;
		write_key(out, members[i][r->rule_verdict[i] == POLICY_DENY]);
		str_addn(out, "[{", 2);
		write_string(out, "name", rule->name);
		write_string(out, "namespace", rule->namespace);
		if (rule->revision) {
			write_key(out, "revision");
			str_printf(out, "\"%" PRIu64 "\"", rule->revision);
		}
		write_string(out, "kind", rule->kind);
		str_addn(out, "}]", 2);
	}
}

static void write_file(struct str *out, uint32_t file_line)
{
	static const char *const names[] = {"",
#define X(name, text) text,
		STAGES(X)
#undef X
	};
	uint32_t stage = file_line >> 16;

	if (!stage || stage >= ARRAY_SIZE(names))
		return;
	open_object(out, "file");
	write_string(out, "name", names[stage]);
	write_number(out, "line", file_line & 0xffff);
	close_object(out);
}

/* What the data path said about the packet. */
static void write_verdict(struct str *out, const struct flow_record *r)
{
	write_event_type(out, r);
	write_enum(out, "traffic_direction", FLOW_ENUM_DIRECTION, r->direction);
	write_number(out, "policy_match_type", r->match);
	if (r->event_type == FLOW_EVENT_TRACE) {
		const char *point = flow_name(FLOW_ENUM_TRACE_POINT, r->sub_type);

		write_string(out, "trace_observation_point", point);
		write_enum(out, "trace_reason", FLOW_ENUM_TRACE_REASON, r->trace_reason);
	}
	write_enum(out, "drop_reason_desc", FLOW_ENUM_DROP_REASON, r->drop_reason);
	if (r->is_reply != FLOW_REPLY_UNKNOWN) {
		write_key(out, "is_reply");
		str_add(out, r->is_reply == FLOW_REPLY_YES ? "true" : "false");
	}
	if (r->ifindex) {
		open_object(out, "interface");
		write_number(out, "index", r->ifindex);
		close_object(out);
	}
	write_file(out, r->file_line);
	write_policies(out, r);
}

static void write_flow(struct str *out, const struct flow_record *r, const struct flow_node *node)
{
	SCOPED(str_done)
	struct str summary = {0};
	char uuid[FLOW_UUID_TEXT];

	open_object(out, "flow");
	write_time(out, "time", r->time_ns);
	write_string(out, "uuid", flow_uuid_format(r->uuid, uuid));
	write_enum(out, "verdict", FLOW_ENUM_VERDICT, r->verdict);
	write_number(out, "drop_reason", r->drop_reason);
	write_ethernet(out, r);
	write_ip(out, r);
	write_l4(out, r);
	write_end(out, "source", r->source_end);
	write_end(out, "destination", r->destination_end);
	write_string(out, "Type", "L3_L4");
	write_string(out, "node_name", node->name);
	write_true(out, "reply", r->is_reply == FLOW_REPLY_YES);
	write_verdict(out, r);
	if (node->version) {
		open_object(out, "emitter");
		write_string(out, "name", "kilim");
		write_string(out, "version", node->version);
		close_object(out);
	}
	flow_summary(&summary, r);
	write_string(out, "Summary", str_text(&summary));
	close_object(out);
}

static const char *const policy_verdicts[] = {
	[POLICY_DEFAULT_DENY] = "DEFAULT_DENY", [POLICY_ALLOW] = "ALLOW", [POLICY_DENY] = "DENY"};

static void write_policy_verdict(struct str *out, uint8_t verdict, const struct flow_rule *rule)
{
	if (verdict < ARRAY_SIZE(policy_verdicts))
		write_string(out, "verdict", policy_verdicts[verdict]);
	if (rule)
		write_string(out, "text", rule->text);
}

/* {"rules": [...], "shadow": {...}}, as far as there is any. */
static void write_rules(struct str *out, const struct flow_record *r)
{
	static const char *const directions[] = {
		[POLICY_INGRESS] = "INGRESS", [POLICY_EGRESS] = "EGRESS"};
	bool open = false;

	for (size_t i = 0; i < POLICY_DIRECTIONS; i++) {
		if (!r->rule[i])
			continue;
		if (!open)
			str_add(out, ",\"kilim\":{\"rules\":[{");
		else
			str_add(out, ",{");
		open = true;
		write_string(out, "direction", directions[i]);
		write_policy_verdict(out, r->rule_verdict[i], r->rule[i]);
		close_object(out);
	}
	if (open)
		str_add(out, "]");
	if (r->is_shadow) {
		str_add(out, open ? ",\"shadow\":{" : ",\"kilim\":{\"shadow\":{");
		write_policy_verdict(out, r->shadow_verdict, r->shadow_rule);
		close_object(out);
	}
	if (open || r->is_shadow)
		str_add(out, "}");
}

void flow_json_write(
	struct str *out, const struct flow_record *record, const struct flow_node *node)
{
	str_addn(out, "{", 1);
	write_flow(out, record, node);
	write_rules(out, record);
	write_string(out, "node_name", node->name);
	write_time(out, "time", record->time_ns);
	str_addn(out, "}", 1);
}

void flow_json_write_lost(
	struct str *out, uint64_t lost, uint64_t wall_ns, const struct flow_node *node)
{
	str_addn(out, "{", 1);
	open_object(out, "lost_events");
	write_string(out, "source", "HUBBLE_RING_BUFFER");
	write_key(out, "num_events_lost");
	str_printf(out, "\"%" PRIu64 "\"", lost);
	close_object(out);
	write_string(out, "node_name", node->name);
	write_time(out, "time", wall_ns);
	str_addn(out, "}", 1);
}
