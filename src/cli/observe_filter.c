/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filter options to FlowFilters. Called by observe.c. Owns what it builds. Must hold: within a
 * filter all fields must match and within a field any value; so "--pod a --port 80" is pod a on
 * either side and port 80 on either side: four filters.
 */
#include "cli/observe_filter.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "abi/drop.h"
#include "abi/identity.h"
#include "codec/json.h"
#include "model/addr.h"

enum aspect { ASPECT_POD, ASPECT_LABEL, ASPECT_IP, ASPECT_PORT, ASPECT_IDENTITY, ASPECTS };
enum side { SIDE_ANY, SIDE_SOURCE, SIDE_DESTINATION, SIDES };

static const char *const aspect_names[ASPECTS] = {"pod", "label", "ip", "port", "identity"};
static const char *const side_fields[SIDES] = {"", "source_", "destination_"};
static const char *const side_options[SIDES] = {"", "from-", "to-"};

/* What one of the lists is to select. */
struct selection {
	json_t *value[ASPECTS][SIDES]; /* lists of values, or NULL */
	json_t *namespace[SIDES];
	json_t *plain; /* fields that have no side */
};

static void selection_done(struct selection *s)
{
	for (int a = 0; a < ASPECTS; a++) {
		for (int d = 0; d < SIDES; d++)
			json_decref(s->value[a][d]);
	}
	for (int d = 0; d < SIDES; d++)
		json_decref(s->namespace[d]);
	json_decref(s->plain);
}

/* Add a value to the list, which is made when it is not there. Takes value over. */
static int list_add(json_t **list, json_t *value, struct err *e)
{
	if (!value)
		return err_set(e, -EINVAL, "a value is not UTF-8");
	if (!*list)
		*list = json_array();
	return json_array_append_new(*list, value);
}

static int plain_add(struct selection *s, const char *field, json_t *value, struct err *e)
{
	json_t *list = json_object_get(s->plain, field);

	if (!list) {
		list = json_array();
		(void)json_object_set_new(s->plain, field, list);
	}
	return list_add(&list, value, e);
}

static json_t *upper(const char *text)
{
	SCOPED(freep) char *copy = mem_strdup(text);

	for (char *p = copy; *p; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	return json_string(copy);
}

static json_t *lower(const char *text)
{
	SCOPED(freep) char *copy = mem_strdup(text);

	for (char *p = copy; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return json_string(copy);
}

static int unknown_word(const char *option, const char *word, struct nearest *n, struct err *e)
{
	SCOPED(str_done) struct str hint = {0};

	nearest_write(n, "", &hint);
	return err_set(e, -EINVAL, "--%s: unknown '%.100s'%s", option, word, str_text(&hint));
}

/* A number, or the name of a reserved identity. */
static int identity_parse(const char *text, json_t **ret, struct err *e)
{
	static const struct {
		const char *name;
		unsigned number;
	} reserved[] = {
#define X(name, number, text) {text, number},
		IDENTITY_RESERVED(X)
#undef X
	};
	const char *name = str_has_prefix(text, "reserved:") ? text + 9 : text;
	struct nearest n = {.wanted = name};
	uint64_t number;

	if (str_to_u64(text, UINT32_MAX, &number) >= 0) {
		*ret = json_integer((json_int_t)number);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
		if (str_eq(reserved[i].name, name)) {
			*ret = json_integer(reserved[i].number);
			return 0;
		}
		nearest_offer(&n, reserved[i].name);
	}
	return unknown_word("identity", text, &n, e);
}

static int aspect_value(
	enum aspect a, const char *option, const char *text, json_t **ret, struct err *e)
{
	struct prefix p;
	uint64_t n;

	if (a == ASPECT_IDENTITY)
		return identity_parse(text, ret, e);
	if (a == ASPECT_IP && prefix_parse(text, true, &p) < 0)
		return err_set(
			e, -EINVAL, "--%s: '%.100s' is no IP address or prefix", option, text);
	if (a == ASPECT_PORT && str_to_u64(text, UINT16_MAX, &n) < 0)
		return err_set(e, -EINVAL, "--%s: '%.100s' is no port", option, text);
	if (!*text)
		return err_set(e, -EINVAL, "--%s: the value is empty", option);
	if (a == ASPECT_LABEL && cli_check_selector(option, text, e) < 0)
		return -EINVAL;
	*ret = json_string(text);
	return 0;
}

/* --type: TYPE or TYPE:SUB, by name or number. */
static int event_type_parse(const char *text, json_t **ret, struct err *e)
{
	static const struct {
		const char *name;
		int number;
	} types[] = {{"any", 0}, {"drop", 1}, {"debug", 2}, {"capture", 3}, {"trace", 4},
		{"policy-verdict", 5}, {"trace-sock", 7}, {"l7", 129}, {"agent", 130}};
	static const char *const points[] = {"to-endpoint", "to-proxy", "to-host", "to-stack",
		"to-overlay", "from-endpoint", "from-proxy", "from-host", "from-stack",
		"from-overlay", "from-network", "to-network", "from-crypto", "to-crypto"};
	SCOPED(str_done) struct str type = {0};
	const char *colon = strchr(text, ':');
	struct nearest n = {0};
	uint64_t number = UINT64_MAX, sub = UINT64_MAX;

	str_addn(&type, text, colon ? (size_t)(colon - text) : strlen(text));
	n.wanted = str_text(&type);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (str_eq(types[i].name, str_text(&type)))
			number = (uint64_t)types[i].number;
		nearest_offer(&n, types[i].name);
	}
	if (number == UINT64_MAX && str_to_u64(str_text(&type), 255, &number) < 0)
		return unknown_word("type", str_text(&type), &n, e);
	if (!colon) {
		*ret = json_pack("{s:I}", "type", (json_int_t)number);
		return 0;
	}
	n = (struct nearest){.wanted = colon + 1};
	for (size_t i = 0; number == 4 && i < ARRAY_SIZE(points); i++) {
		if (str_eq(points[i], colon + 1))
			sub = i;
		nearest_offer(&n, points[i]);
	}
	if (sub == UINT64_MAX && str_to_u64(colon + 1, 255, &sub) < 0)
		return unknown_word("type", text, &n, e);
	*ret = json_pack("{s:I, s:b, s:I}", "type", (json_int_t)number, "match_sub_type", 1,
		"sub_type", (json_int_t)sub);
	return 0;
}

/* SYN,ACK */
static int tcp_flags_parse(const char *text, json_t **ret, struct err *e)
{
	static const char *const flags[] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "NS"};
	SCOPED(json_unrefp) json_t *set = json_object();
	SCOPED(freep) char *copy = mem_strdup(text);
	char *rest = copy;

	for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
		size_t i = 0;

		while (i < ARRAY_SIZE(flags) && strcasecmp(flags[i], word))
			i++;
		if (i == ARRAY_SIZE(flags))
			return err_set(e, -EINVAL,
				"--tcp-flags: unknown '%.100s'; there are FIN, SYN, RST, PSH, ACK, "
				"URG, ECE, CWR, NS",
				word);
		(void)json_object_set_new(set, flags[i], json_true());
	}
	*ret = TAKE(set);
	return 0;
}

static int drop_reason_parse(const char *text, json_t **ret, struct err *e)
{
	static const char *const names[] = {
#define X(name, number, hubble, text) hubble,
		DROP_REASONS(X)
#undef X
	};
	SCOPED(json_unrefp) json_t *j = upper(text);
	struct nearest n = {.wanted = json_string_value(j)};

	for (size_t i = 0; j && i < ARRAY_SIZE(names); i++) {
		if (str_eq(names[i], json_string_value(j))) {
			*ret = TAKE(j);
			return 0;
		}
		nearest_offer(&n, names[i]);
	}
	return unknown_word("drop-reason-desc", text, &n, e);
}

/* A word of a fixed set, in upper case. */
static int word_parse(
	const char *option, const char *text, const char *const *words, json_t **ret, struct err *e)
{
	SCOPED(json_unrefp) json_t *j = upper(text);
	struct nearest n = {.wanted = j ? json_string_value(j) : ""};

	for (; *words; words++) {
		if (str_eq(*words, n.wanted)) {
			*ret = TAKE(j);
			return 0;
		}
		nearest_offer(&n, *words);
	}
	return unknown_word(option, text, &n, e);
}

static int verdict_parse(const char *text, json_t **ret, struct err *e)
{
	static const char *const words[] = {"FORWARDED", "DROPPED", "ERROR", "AUDIT", "REDIRECTED",
		"TRACED", "TRANSLATED", NULL};

	return word_parse("verdict", text, words, ret, e);
}

static int direction_parse(const char *text, json_t **ret, struct err *e)
{
	static const char *const words[] = {"INGRESS", "EGRESS", NULL};

	return word_parse("traffic-direction", text, words, ret, e);
}

static int text_parse(const char *text, json_t **ret, struct err *e)
{
	if (!*text)
		return err_set(e, -EINVAL, "the value of a filter is empty");
	*ret = json_string(text);
	return 0;
}

static int protocol_parse(const char *text, json_t **ret, struct err *e)
{
	static const char *const names[] = {
		"tcp", "udp", "sctp", "icmp", "icmpv4", "icmpv6", "vrrp", "igmp"};
	SCOPED(json_unrefp) json_t *j = lower(text);
	struct nearest n = {.wanted = json_string_value(j)};

	for (size_t i = 0; j && i < ARRAY_SIZE(names); i++) {
		if (str_eq(names[i], json_string_value(j))) {
			*ret = TAKE(j);
			return 0;
		}
		nearest_offer(&n, names[i]);
	}
	return unknown_word("protocol", text, &n, e);
}

static int reply_parse(const char *text, json_t **ret, struct err *e)
{
	(void)e;
	*ret = json_boolean(str_eq(text, "true"));
	return 0;
}

static const struct {
	const char *option, *field;
	int (*parse)(const char *text, json_t **ret, struct err *e);
} plain_fields[] = {
	{"verdict", "verdict", verdict_parse},
	{"type", "event_type", event_type_parse},
	{"drop-reason-desc", "drop_reason_desc", drop_reason_parse},
	{"protocol", "protocol", protocol_parse},
	{"traffic-direction", "traffic_direction", direction_parse},
	{"reply", "reply", reply_parse},
	{"shadow", "shadow", reply_parse},
	{"tcp-flags", "tcp_flags", tcp_flags_parse},
	{"uuid", "uuid", text_parse},
	{"node-name", "node_name", text_parse},
};

static int add_plain(struct selection *s, const struct cli_value *v, struct err *e)
{
	const char *name = v->option->name;
	json_t *j = NULL;
	int r;

	if (str_eq(name, "ipv4") || str_eq(name, "ipv6"))
		return plain_add(
			s, "ip_version", json_string(str_eq(name, "ipv4") ? "IPv4" : "IPv6"), e);
	for (size_t i = 0; i < ARRAY_SIZE(plain_fields); i++) {
		if (!str_eq(plain_fields[i].option, name))
			continue;
		r = plain_fields[i].parse(v->value, &j, e);
		return r < 0 ? r : plain_add(s, plain_fields[i].field, j, e);
	}
	return 0;
}

/* One option. Those that are no filters do nothing. */
static int selection_add(struct selection *s, const struct cli_value *v, struct err *e)
{
	const char *option = v->option->name, *base = option;
	enum side side = SIDE_ANY;
	json_t *j = NULL;

	for (enum side d = SIDE_SOURCE; d < SIDES; d++) {
		if (!str_has_prefix(option, side_options[d]))
			continue;
		side = d;
		base = option + strlen(side_options[d]);
	}
	if (str_eq(base, "namespace"))
		return *v->value ? list_add(&s->namespace[side], json_string(v->value), e)
				 : err_set(e, -EINVAL, "--%s: the value is empty", option);
	/* the name of a workload, in whatever namespace it is unless one is given */
	if (str_eq(base, "endpoint"))
		return list_add(&s->value[ASPECT_POD][side],
			json_sprintf("%s%s", strchr(v->value, '/') ? "" : "/", v->value), e);
	for (enum aspect a = 0; a < ASPECTS; a++) {
		int r;

		if (!str_eq(base, aspect_names[a]))
			continue;
		r = aspect_value(a, option, v->value, &j, e);
		return r < 0 ? r : list_add(&s->value[a][side], j, e);
	}
	return add_plain(s, v, e);
}

/* Names of pods with the namespaces that they are looked for in: "web" is "ns/web", and so is
 * "/web". */
static json_t *qualified(const json_t *pods, const json_t *namespaces)
{
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(pods); i++) {
		const char *pod = json_string_value(json_array_get(pods, i));
		const char *name = *pod == '/' ? pod + 1 : pod;

		if (strchr(name, '/') || !json_array_size(namespaces)) {
			(void)json_array_append_new(list, json_string(pod));
			continue;
		}
		for (size_t k = 0; k < json_array_size(namespaces); k++)
			(void)json_array_append_new(list,
				json_sprintf("%s/%s",
					json_string_value(json_array_get(namespaces, k)), name));
	}
	return list;
}

/* "ns/": everything in it. */
static json_t *whole(const json_t *namespaces)
{
	json_t *list = json_array();

	for (size_t k = 0; k < json_array_size(namespaces); k++)
		(void)json_array_append_new(list,
			json_sprintf("%s/", json_string_value(json_array_get(namespaces, k))));
	return list;
}

/* Fold the namespaces into the pods. */
static void fold_namespaces(struct selection *s)
{
	json_t **pods = s->value[ASPECT_POD], *open = s->namespace[SIDE_ANY];
	bool used = false;

	for (int d = 0; d < SIDES; d++) {
		json_t *own = s->namespace[d] ? s->namespace[d] : open;
		json_t *old = pods[d];

		if (old) {
			pods[d] = qualified(old, own);
			json_decref(old);
			used = true;
		} else if (d != SIDE_ANY && s->namespace[d]) {
			pods[d] = whole(s->namespace[d]);
		}
	}
	if (open && !used)
		pods[SIDE_ANY] = whole(open);
}

static int check_sides(const struct selection *s, struct err *e)
{
	for (int a = 0; a < ASPECTS; a++) {
		for (int d = SIDE_SOURCE; s->value[a][SIDE_ANY] && d < SIDES; d++) {
			if (s->value[a][d])
				return err_set(e, -EINVAL,
					"--%s (either side) and --%s%s%s do not go together: give "
					"--from-%s and --to-%s",
					aspect_names[a], side_options[d], aspect_names[a],
					a == ASPECT_POD ? " (or namespaces)" : "", aspect_names[a],
					aspect_names[a]);
		}
	}
	return 0;
}

static json_t *with_field(const json_t *filter, enum side side, enum aspect a, json_t *values)
{
	json_t *copy = json_copy((json_t *)filter);
	SCOPED(str_done) struct str field = {0};

	str_printf(&field, "%s%s", side_fields[side], aspect_names[a]);
	(void)json_object_set(copy, str_text(&field), values);
	return copy;
}

/* The filters that together mean the selection; NULL when it is empty. */
static json_t *selection_expand(struct selection *s)
{
	json_t *list = json_array(), *base = json_object();

	(void)json_object_update(base, s->plain);
	for (enum aspect a = 0; a < ASPECTS; a++) {
		for (enum side d = SIDE_SOURCE; d < SIDES; d++) {
			json_t *more =
				s->value[a][d] ? with_field(base, d, a, s->value[a][d]) : NULL;

			if (more)
				json_decref(base);
			base = more ? more : base;
		}
	}
	(void)json_array_append_new(list, base);
	for (enum aspect a = 0; a < ASPECTS; a++) {
		json_t *both;

		if (!s->value[a][SIDE_ANY])
			continue;
		both = json_array();
		for (size_t i = 0; i < json_array_size(list); i++) {
			for (enum side d = SIDE_SOURCE; d < SIDES; d++)
				(void)json_array_append_new(
					both, with_field(json_array_get(list, i), d, a,
						      s->value[a][SIDE_ANY]));
		}
		json_decref(list);
		list = both;
	}
	if (!json_object_size(json_array_get(list, 0)))
		json_decref(TAKE(list));
	return list;
}

int observe_filter(const struct cli *c, json_t **ret, struct err *e)
{
	static const char *const names[] = {"whitelist", "blacklist"};
	SCOPED(json_unrefp) json_t *all = json_object();

	for (int is_not = 0; is_not < 2; is_not++) {
		SCOPED(selection_done) struct selection s = {.plain = json_object()};
		json_t *list;
		int r = 0;

		for (size_t i = 0; i < c->values && r >= 0; i++) {
			if (c->value[i].is_not == is_not)
				r = selection_add(&s, &c->value[i], e);
		}
		if (r >= 0)
			fold_namespaces(&s);
		r = r < 0 ? r : check_sides(&s, e);
		if (r < 0)
			return r;
		list = selection_expand(&s);
		if (list)
			(void)json_object_set_new(all, names[is_not], list);
	}
	*ret = json_object_size(all) ? TAKE(all) : NULL;
	return 0;
}
