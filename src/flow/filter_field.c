/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of filter fields, with the match rules of interfaces 1a. Called by flow/filter.c. Owns
 * nothing: values live in the filters' arena. Must hold: match() never fails and never looks
 * anything up.
 */
#include "flow/filter_field.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "flow/name.h"
#include "model/protocol.h"
#include "model/selector_text.h"

static int want_string(const json_t *item, const char **ret, struct err *e)
{
	if (!json_is_string(item))
		return err_set(e, -EINVAL, "expected a string, found %s", json_kind(item));
	*ret = json_string_value(item);
	return 0;
}

static int want_number(const json_t *item, uint32_t max, uint32_t *ret, struct err *e)
{
	if (!json_is_integer(item) || json_integer_value(item) < 0 ||
		json_integer_value(item) > max)
		return err_set(e, -EINVAL, "expected a number up to %u", max);
	*ret = (uint32_t)json_integer_value(item);
	return 0;
}

static const struct flow_end *end_of(const struct flow_record *r, bool is_destination)
{
	return is_destination ? r->destination_end : r->source_end;
}

/* An address, or a prefix, which has a slash. */
static int parse_ip(const struct filter_context *ctx, const json_t *item, union filter_value *ret,
	struct err *e)
{
	const char *text = NULL;
	int r = want_string(item, &text, e);

	(void)ctx;
	if (r < 0)
		return r;
	if (prefix_parse(text, true, &ret->prefix) < 0)
		return err_set(e, -EINVAL, "\"%.60s\" is no address and no prefix", text);
	return 0;
}

static bool match_ip(const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	return r->family && prefix_has(&v->prefix, is_destination ? &r->destination : &r->source);
}

/* [namespace/][prefix of the name]; no slash: namespace default; "/x": any namespace. */
static int parse_pod(const struct filter_context *ctx, const json_t *item, union filter_value *ret,
	struct err *e)
{
	const char *text = "", *slash;
	int r = want_string(item, &text, e);

	if (r < 0)
		return r;
	slash = strchr(text, '/');
	if (!*text || !strcmp(text, "/"))
		return err_set(e, -EINVAL, "\"%s\" names nothing; use [namespace/][name]", text);
	ret->name.namespace = "default";
	if (slash)
		ret->name.namespace =
			slash == text ? NULL
				      : arena_printf(ctx->mem, "%.*s", (int)(slash - text), text);
	ret->name.prefix = arena_strdup(ctx->mem, slash ? slash + 1 : text);
	return 0;
}

static bool match_pod(const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	const struct flow_end *end = end_of(r, is_destination);

	if (!end || (!*end->namespace && !*end->pod))
		return false;
	if (v->name.namespace && strcmp(v->name.namespace, end->namespace))
		return false;
	return str_has_prefix(end->pod, v->name.prefix);
}

static int parse_label(const struct filter_context *ctx, const json_t *item,
	union filter_value *ret, struct err *e)
{
	const char *text = NULL;
	int r = want_string(item, &text, e);

	return r < 0 ? r : selector_parse(ctx->mem, text, &ret->selector, e);
}

static bool match_label(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	const struct flow_end *end = end_of(r, is_destination);

	return end && selector_matches(&v->selector, &end->set);
}

static int parse_identity(const struct filter_context *ctx, const json_t *item,
	union filter_value *ret, struct err *e)
{
	(void)ctx;
	return want_number(item, UINT32_MAX, &ret->number, e);
}

static bool match_identity(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	const struct flow_end *end = end_of(r, is_destination);

	return end && end->identity == v->number;
}

static int parse_port(const struct filter_context *ctx, const json_t *item, union filter_value *ret,
	struct err *e)
{
	const char *text = NULL;
	uint64_t port;
	int r = want_string(item, &text, e);

	(void)ctx;
	if (r < 0)
		return r;
	if (str_to_u64(text, 65535, &port) < 0)
		return err_set(e, -EINVAL, "\"%.60s\" is no port number", text);
	ret->number = (uint32_t)port;
	return 0;
}

static bool match_port(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	return protocol_has_ports(r->protocol) &&
	       (is_destination ? r->destination_port : r->source_port) == v->number;
}

enum { ANY_ICMP = 256 };

static int parse_protocol(const struct filter_context *ctx, const json_t *item,
	union filter_value *ret, struct err *e)
{
	static const struct {
		const char *name;
		uint32_t number;
	} names[] = {{"icmp", ANY_ICMP}, {"icmpv4", IPPROTO_ICMP}, {"icmpv6", IPPROTO_ICMPV6},
		{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP}, {"vrrp", 112},
		{"igmp", IPPROTO_IGMP}};
	const char *text = NULL;
	int r = want_string(item, &text, e);

	(void)ctx;
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcasecmp(names[i].name, text)) {
			ret->number = names[i].number;
			return 0;
		}
	}
	if (!strcasecmp(text, "dns") || !strcasecmp(text, "http") || !strcasecmp(text, "kafka"))
		return err_set(e, -EINVAL, "%s: filtering by this is not supported yet", text);
	return err_set(e, -EINVAL,
		"\"%.60s\" is none of icmp, icmpv4, icmpv6, tcp, udp, sctp, vrrp, igmp", text);
}

static bool match_protocol(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	(void)is_destination;
	if (v->number == ANY_ICMP)
		return protocol_is_icmp(r->protocol);
	return r->protocol == v->number;
}

/* An enum value, by name or by number. */
static int parse_enum(
	enum flow_enum what, const json_t *item, union filter_value *ret, struct err *e)
{
	if (json_is_integer(item))
		return want_number(item, 255, &ret->number, e);
	if (!json_is_string(item))
		return err_set(e, -EINVAL, "expected a name, found %s", json_kind(item));
	if (flow_number(what, json_string_value(item), &ret->number) < 0)
		return err_set(e, -EINVAL, "\"%.60s\" is no known value", json_string_value(item));
	return 0;
}

static int parse_verdict(const struct filter_context *ctx, const json_t *item,
	union filter_value *ret, struct err *e)
{
	(void)ctx;
	return parse_enum(FLOW_ENUM_VERDICT, item, ret, e);
}

static bool match_verdict(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	(void)is_destination;
	return r->verdict == v->number;
}

static int parse_drop_reason(const struct filter_context *ctx, const json_t *item,
	union filter_value *ret, struct err *e)
{
	(void)ctx;
	return parse_enum(FLOW_ENUM_DROP_REASON, item, ret, e);
}

static bool match_drop_reason(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	(void)is_destination;
	return r->drop_reason == v->number;
}

static int parse_direction(const struct filter_context *ctx, const json_t *item,
	union filter_value *ret, struct err *e)
{
	(void)ctx;
	return parse_enum(FLOW_ENUM_DIRECTION, item, ret, e);
}

static bool match_direction(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	(void)is_destination;
	return r->direction == v->number;
}

static int parse_ip_version(const struct filter_context *ctx, const json_t *item,
	union filter_value *ret, struct err *e)
{
	(void)ctx;
	return parse_enum(FLOW_ENUM_IP_VERSION, item, ret, e);
}

static bool match_ip_version(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	(void)is_destination;
	return (r->family == 4 ? 1u : r->family == 6 ? 2u : 0u) == v->number;
}

static int parse_event_type(const struct filter_context *ctx, const json_t *item,
	union filter_value *ret, struct err *e)
{
	int64_t type = 0, sub_type = 0;
	const char *key;
	json_t *value;
	int r;

	(void)ctx;
	if (!json_is_object(item))
		return err_set(e, -EINVAL, "expected {\"type\": .., \"sub_type\": ..}, found %s",
			json_kind(item));
	json_object_foreach((json_t *)item, key, value)
	{
		if (strcmp(key, "type") && strcmp(key, "sub_type") && strcmp(key, "match_sub_type"))
			return err_set(e, -EINVAL, "%.60s: an event type has no such field", key);
	}
	r = json_get_int(item, "type", 0, 255, &type, e);
	if (!r)
		r = json_get_int(item, "sub_type", 0, 255, &sub_type, e);
	if (!r)
		r = json_get_bool(item, "match_sub_type", &ret->event.match_sub_type, e);
	ret->event.type = (uint32_t)type;
	ret->event.sub_type = (uint32_t)sub_type;
	return r;
}

static bool match_event_type(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	(void)is_destination;
	if (v->event.type && v->event.type != r->event_type)
		return false;
	return !v->event.match_sub_type || v->event.sub_type == r->sub_type;
}

/* {"SYN": true, "ACK": true}: all of these must be set; the others do not matter. */
static int parse_tcp_flags(const struct filter_context *ctx, const json_t *item,
	union filter_value *ret, struct err *e)
{
	static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
	const char *key;
	json_t *value;

	(void)ctx;
	if (!json_is_object(item))
		return err_set(
			e, -EINVAL, "expected {\"SYN\": true, ..}, found %s", json_kind(item));
	json_object_foreach((json_t *)item, key, value)
	{
		size_t bit = 0;

		while (bit < ARRAY_SIZE(names) && strcmp(names[bit], key))
			bit++;
		if (bit == ARRAY_SIZE(names))
			return err_set(e, -EINVAL, "%.60s: no such flag is recorded", key);
		if (!json_is_boolean(value))
			return err_set(e, -EINVAL, "%s: expected true or false, found %s", key,
				json_kind(value));
		if (json_is_true(value))
			ret->number |= 1u << bit;
	}
	return 0;
}

static bool match_tcp_flags(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	(void)is_destination;
	return r->protocol == IPPROTO_TCP && (r->tcp_flags & v->number) == v->number;
}

static int parse_reply(const struct filter_context *ctx, const json_t *item,
	union filter_value *ret, struct err *e)
{
	(void)ctx;
	if (!json_is_boolean(item))
		return err_set(e, -EINVAL, "expected true or false, found %s", json_kind(item));
	ret->number = json_is_true(item);
	return 0;
}

/* Whether a policy in shadow mode would have decided otherwise. */
static bool match_shadow(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	(void)is_destination;
	return r->is_shadow == (v->number != 0);
}

/* A dropped packet of which nobody knows counts as no reply; other unknown ones match neither. */
static bool match_reply(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	(void)is_destination;
	if (r->is_reply == FLOW_REPLY_UNKNOWN)
		return r->verdict == FLOW_DROPPED && !v->number;
	return (r->is_reply == FLOW_REPLY_YES) == v->number;
}

static int parse_interface(const struct filter_context *ctx, const json_t *item,
	union filter_value *ret, struct err *e)
{
	int64_t index = -1;
	int r;

	(void)ctx;
	if (!json_is_object(item) || json_object_size(item) != 1)
		return err_set(e, -EINVAL, "expected {\"index\": ..}");
	if (json_object_get(item, "name"))
		return err_set(e, -EINVAL, "name: filtering by this is not supported yet");
	r = json_get_int(item, "index", 0, INT32_MAX, &index, e);
	if (!r && index < 0)
		r = err_set(e, -EINVAL, "expected {\"index\": ..}");
	ret->number = (uint32_t)index;
	return r;
}

static bool match_interface(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	(void)is_destination;
	return r->ifindex == v->number;
}

static int parse_uuid(const struct filter_context *ctx, const json_t *item, union filter_value *ret,
	struct err *e)
{
	const char *text = NULL;
	int r = want_string(item, &text, e);

	if (r < 0)
		return r;
	ret->text = arena_strdup(ctx->mem, text);
	return 0;
}

static bool match_uuid(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	char text[FLOW_UUID_TEXT];

	(void)is_destination;
	return str_eq(flow_uuid_format(r->uuid, text), v->text);
}

static bool is_name_char(char c)
{
	return islower((unsigned char)c) || isdigit((unsigned char)c) || c == '-' || c == '.';
}

/* Whether the pattern, in which * stands for [-.0-9a-z]*, matches the whole of the len bytes at s.
 */
static bool pattern_matches(const char *pattern, size_t pattern_len, const char *s, size_t len)
{
	size_t p = 0, i = 0, star = SIZE_MAX, from = 0;

	while (i < len) {
		if (p < pattern_len && pattern[p] == '*') {
			star = p++;
			from = i;
		} else if (p < pattern_len && pattern[p] == s[i]) {
			p++;
			i++;
		} else if (star != SIZE_MAX && is_name_char(s[from])) {
			p = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern_len && pattern[p] == '*')
		p++;
	return p == pattern_len;
}

/* The pattern in lower case. */
static int take_pattern(
	const struct filter_context *ctx, const json_t *item, const char **ret, struct err *e)
{
	const char *text = NULL;
	char *pattern;
	int r = want_string(item, &text, e);

	if (r < 0)
		return r;
	pattern = arena_strdup(ctx->mem, text);
	for (char *p = pattern; *p; p++) {
		*p = (char)tolower((unsigned char)*p);
		if (!is_name_char(*p) && *p != '_' && *p != '*' && *p != '/')
			return err_set(e, -EINVAL, "\"%.60s\": '%c' cannot be part of a name", text,
				isprint((unsigned char)*p) ? *p : '?');
	}
	*ret = pattern;
	return 0;
}

/* "cluster/node" with * in both; a part that is missing or empty matches any. The node is known
 * now, so this is decided now. */
static int parse_node_name(const struct filter_context *ctx, const json_t *item,
	union filter_value *ret, struct err *e)
{
	const char *pattern = "", *slash, *at = strchr(ctx->node, '/');
	size_t cluster_len = 0;
	int r = take_pattern(ctx, item, &pattern, e);

	if (r < 0)
		return r;
	slash = strchr(pattern, '/');
	if (!*pattern || (slash && strchr(slash + 1, '/')))
		return err_set(e, -EINVAL, "\"%.60s\" is no [cluster/]node", pattern);
	if (slash)
		cluster_len = (size_t)(slash - pattern);
	ret->number = !cluster_len ||
		      pattern_matches(pattern, cluster_len, ctx->node, (size_t)(at - ctx->node));
	if (slash)
		pattern = slash + 1;
	if (*pattern && !pattern_matches(pattern, strlen(pattern), at + 1, strlen(at + 1)))
		ret->number = 0;
	return 0;
}

static bool match_node_name(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	(void)r;
	(void)is_destination;
	return v->number;
}

static int parse_cluster(const struct filter_context *ctx, const json_t *item,
	union filter_value *ret, struct err *e)
{
	return take_pattern(ctx, item, &ret->text, e);
}

static bool match_cluster(
	const struct flow_record *r, bool is_destination, const union filter_value *v)
{
	const struct flow_end *end = end_of(r, is_destination);

	return end && *end->cluster &&
	       pattern_matches(v->text, strlen(v->text), end->cluster, strlen(end->cluster));
}

#define BOTH(name, parse, match)                                                                   \
	{"source_" name, false, parse, match},                                                     \
	{                                                                                          \
		"destination_" name, true, parse, match                                            \
	}
#define NOT_YET(name)                                                                              \
	{                                                                                          \
		name, false, NULL, NULL                                                            \
	}

static const struct filter_field fields[] = {
	BOTH("ip", parse_ip, match_ip),
	BOTH("pod", parse_pod, match_pod),
	BOTH("label", parse_label, match_label),
	BOTH("identity", parse_identity, match_identity),
	BOTH("port", parse_port, match_port),
	BOTH("cluster_name", parse_cluster, match_cluster),
	{"protocol", false, parse_protocol, match_protocol},
	{"verdict", false, parse_verdict, match_verdict},
	{"drop_reason_desc", false, parse_drop_reason, match_drop_reason},
	{"traffic_direction", false, parse_direction, match_direction},
	{"ip_version", false, parse_ip_version, match_ip_version},
	{"event_type", false, parse_event_type, match_event_type},
	{"tcp_flags", false, parse_tcp_flags, match_tcp_flags},
	{"reply", false, parse_reply, match_reply},
	{"shadow", false, parse_reply, match_shadow}, /* an addition of ours */
	{"interface", false, parse_interface, match_interface},
	{"uuid", false, parse_uuid, match_uuid},
	{"node_name", false, parse_node_name, match_node_name},
	BOTH("fqdn", NULL, NULL),
	BOTH("service", NULL, NULL),
	BOTH("workload", NULL, NULL),
	NOT_YET("source_ip_xlated"),
	NOT_YET("http_status_code"),
	NOT_YET("http_method"),
	NOT_YET("http_path"),
	NOT_YET("http_url"),
	NOT_YET("http_header"),
	NOT_YET("dns_query"),
	NOT_YET("trace_id"),
	NOT_YET("ip_trace_id"),
	NOT_YET("encrypted"),
	NOT_YET("node_labels"),
	NOT_YET("experimental"),
};

const struct filter_field *filter_field_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	}
	return NULL;
}
