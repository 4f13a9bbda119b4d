/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions of a scenario: ends, traffic, expectations, truth tables. Called by parse.c, and
 * for the ends of a command line. Owns what is in the scenario's arena. Must hold: a probe that
 * could not be run for any family is an error, so that none passes unasked.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "codec/json.h"
#include "scenario/parse.h"

static int read_end(struct reader *r, const struct node *n, struct scenario_end *ret)
{
	const char *text = NULL;
	struct err e = {0};
	int bad = walk_string_needed(&r->walk, n, &text);

	if (bad < 0)
		return bad;
	return scenario_end_parse(r->scenario, text, ret, &e) < 0
		       ? walk_error(&r->walk, n, "%s", e.text)
		       : 0;
}

/* A string of a list of words; *ret is untouched when absent. */
static int read_word(struct reader *r, const struct node *n, const char *const *words, size_t *ret)
{
	SCOPED(str_done) struct str all = {0};
	const char *text = NULL, *nearest;
	int bad = walk_string(&r->walk, n, &text);

	if (bad < 0 || !text)
		return bad;
	for (size_t i = 0; words[i]; i++) {
		if (str_eq(words[i], text)) {
			*ret = i;
			return 0;
		}
		str_printf(&all, "%s%s", i ? ", " : "", words[i]);
	}
	nearest = walk_nearest(text, words);
	return walk_error(&r->walk, n, "\"%.40s\" is none of %s%s%s%s", text, str_text(&all),
		nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

/* The number of a port name is what the receiver calls so. */
static int read_port_name(struct reader *r, const struct node *n, const char *name, bool any,
	const struct scenario_end *to, struct traffic *t)
{
	const struct scenario_endpoint *at = &r->scenario->endpoint[to->index];

	if (to->kind != END_ENDPOINT)
		return walk_error(&r->walk, n, "only endpoints have names for ports");
	for (size_t i = 0; i < at->ports; i++) {
		if (!strcasecmp(at->port[i].name, name) &&
			(any || at->port[i].traffic.protocol == t->protocol)) {
			*t = at->port[i].traffic;
			return 0;
		}
	}
	return walk_error(
		&r->walk, n, "%s has no port of this name%s", at->name, any ? "" : " and protocol");
}

static int read_protocol(struct reader *r, const struct node *n, uint8_t *ret)
{
	SCOPED(str_done) struct str text = {0};
	struct err e = {0};

	if (json_is_integer(n->value))
		str_printf(&text, "%lld", (long long)json_integer_value(n->value));
	else if (json_is_string(n->value))
		str_add(&text, json_string_value(n->value));
	if (n->value && protocol_parse(str_text(&text), ret, &e) < 0)
		return walk_error(&r->walk, n, "%s", e.text);
	return 0;
}

static int read_icmp(struct reader *r, const struct node *n, struct traffic *t)
{
	struct node type = node_member(n, "type"), code = node_member(n, "code");
	int64_t number = t->protocol == IPPROTO_ICMP ? 8 : 128, detail = 0;
	int bad = read_int(r, &type, 0, 255, &number);

	bad = bad < 0 ? bad : read_int(r, &code, 0, 255, &detail);
	if (bad >= 0 && !protocol_is_icmp(t->protocol) && (type.value || code.value))
		bad = walk_error(
			&r->walk, type.value ? &type : &code, "only ICMP and ICMPv6 have types");
	if (bad >= 0 && protocol_is_icmp(t->protocol))
		t->port = (uint16_t)(number << 8 | detail);
	return bad;
}

static int read_traffic(struct reader *r, const struct node *n, struct scenario_probe *p)
{
	struct node port = node_member(n, "port"), protocol = node_member(n, "protocol");
	struct traffic *t = &p->traffic;
	const char *name = json_string_value(port.value);
	int64_t number = 0;
	uint64_t digits;
	int bad;

	*t = (struct traffic){.protocol = IPPROTO_TCP};
	bad = read_protocol(r, &protocol, &t->protocol);
	bad = bad < 0 ? bad : read_icmp(r, n, t);
	if (bad < 0)
		return bad;
	if (!protocol_has_ports(t->protocol))
		return port.value ? walk_error(&r->walk, &port, "this protocol has no ports") : 0;
	if (!port.value)
		return walk_error(&r->walk, &port, "is missing");
	if (name && str_to_u64(name, 65535, &digits) < 0)
		return read_port_name(r, &port, name, !protocol.value, &p->to, t);
	if (name)
		number = (int64_t)digits;
	else
		bad = read_int(r, &port, 0, 65535, &number);
	t->port = (uint16_t)number;
	return bad;
}

static int read_families(struct reader *r, const struct node *n, struct scenario_probe *p)
{
	static const char *const words[] = {"IPv4", "IPv6", NULL};
	struct node family = node_member(n, "family");
	unsigned both = scenario_families(r->scenario, &p->from, &p->to, &p->traffic);
	size_t only = FAMILIES;
	int bad = read_word(r, &family, words, &only);

	if (bad < 0)
		return bad;
	p->families = only == FAMILIES ? both : both & 1u << only;
	if (!p->families)
		return walk_error(&r->walk, family.value ? &family : n,
			"there is no such packet: the ends have no addresses of %s",
			only == FAMILIES ? "one family that the protocol is of" : words[only]);
	return 0;
}

/* ---- truth tables ---- */

static int read_columns(struct reader *r, const struct node *list, struct scenario_matrix *m)
{
	int bad = walk_list(&r->walk, list);

	m->traffic = arena_array(r->walk.mem, node_items(list), sizeof(*m->traffic));
	for (; bad >= 0 && m->columns < node_items(list); m->columns++) {
		struct node n = node_item(list, m->columns);
		SCOPED(str_done) struct str text = {0};
		struct err e = {0};

		if (json_is_integer(n.value))
			str_printf(&text, "%lld", (long long)json_integer_value(n.value));
		else if (json_is_string(n.value))
			str_add(&text, json_string_value(n.value));
		if (traffic_parse(str_text(&text), &m->traffic[m->columns], &e) < 0)
			return walk_error(&r->walk, &n, "%s", e.text);
	}
	if (bad >= 0 && list->value && !m->columns)
		bad = walk_error(&r->walk, list, "is empty");
	return bad;
}

static int read_letter(char c, uint8_t *ret)
{
	if (c != 'A' && c != 'D' && c != 'U')
		return -EINVAL;
	*ret = c == 'A' ? VERDICT_ALLOW : c == 'D' ? VERDICT_DENY : VERDICT_AUDIT;
	return 0;
}

/* first..last: the columns of the matrix that a cell speaks of, by one letter or a letter each. */
static int read_cell(struct reader *r, const struct node *n, struct scenario_matrix *m,
	size_t first, size_t last, size_t at)
{
	const char *text = json_string_value(n->value);
	size_t len = text ? strlen(text) : 0;

	for (size_t i = first; i < last; i++) {
		if ((len != 1 && len != last - first) ||
			read_letter(text[len == 1 ? 0 : i - first], &m->expect[i][at]) < 0)
			return walk_error(&r->walk, n,
				last - first > 1
					? "expected A, D or U (audit), or a letter for each port"
					: "expected A, D or U (audit)");
	}
	return 0;
}

static int read_rows(struct reader *r, const struct node *list, struct scenario_matrix *m,
	size_t first, size_t last)
{
	size_t n = r->scenario->endpoints;
	int bad = walk_list(&r->walk, list);

	if (bad >= 0 && node_items(list) != n)
		bad = walk_error(&r->walk, list, "%zu rows for %zu endpoints", node_items(list), n);
	for (size_t i = 0; bad >= 0 && i < n; i++) {
		struct node row = node_item(list, i);

		bad = walk_list(&r->walk, &row);
		if (bad >= 0 && node_items(&row) != n)
			bad = walk_error(
				&r->walk, &row, "%zu cells for %zu endpoints", node_items(&row), n);
		for (size_t k = 0; bad >= 0 && k < n; k++) {
			struct node cell = node_item(&row, k);

			bad = read_cell(r, &cell, m, first, last, i * n + k);
		}
	}
	return bad;
}

/* A table for each port, under its name. */
static int read_tables(struct reader *r, const struct node *n, struct scenario_matrix *m)
{
	SCOPED(freep) struct field *fields = mem_array(m->columns, sizeof(*fields));
	int bad = 0;

	for (size_t i = 0; i < m->columns; i++) {
		struct str text = {0};

		traffic_format(&text, &m->traffic[i]);
		fields[i].name = arena_strdup(r->walk.mem, str_text(&text));
		str_done(&text);
	}
	bad = walk_fields(&r->walk, n, fields, m->columns);
	for (size_t i = 0; bad >= 0 && i < m->columns; i++) {
		struct node table = node_member(n, fields[i].name);

		if (!table.value)
			bad = walk_error(&r->walk, n, "the table of %s is missing", fields[i].name);
		bad = bad < 0 ? bad : read_rows(r, &table, m, i, i + 1);
	}
	return bad;
}

static int read_matrix(
	struct reader *r, const struct node *n, bool expects, struct scenario_matrix *m)
{
	static const struct field fields[] = {{"ports", NULL}, {"expect", NULL}};
	struct node ports = node_member(n, "ports"), expect = node_member(n, "expect");
	size_t n2 = r->scenario->endpoints * r->scenario->endpoints;
	int bad = walk_fields(&r->walk, n, fields, expects ? 2 : 1);

	bad = bad < 0 ? bad : read_columns(r, &ports, m);
	if (bad >= 0 && !m->columns)
		bad = walk_error(&r->walk, &ports, "is missing");
	if (bad < 0 || !expect.value || !expects)
		return bad;
	m->expect = arena_array(r->walk.mem, m->columns, sizeof(*m->expect));
	for (size_t i = 0; i < m->columns; i++)
		m->expect[i] = arena_array(r->walk.mem, n2, 1);
	return json_is_object(expect.value) ? read_tables(r, &expect, m)
					    : read_rows(r, &expect, m, 0, m->columns);
}

/* ---- probes ---- */

static int read_probe(struct reader *r, const struct node *n, struct scenario_probe *p)
{
	static const struct field fields[] = {{"from", NULL}, {"to", NULL}, {"port", NULL},
		{"protocol", NULL}, {"type", NULL}, {"code", NULL}, {"family", NULL},
		{"expect", NULL}, {"because", NULL}};
	static const char *const verdicts[] = {"allow", "deny", "audit", NULL};
	static const char *const reasons[] = {
#define X(name, text) [BECAUSE_##name] = (text),
		BECAUSE_LIST(X)
#undef X
			NULL};
	struct node from = node_member(n, "from"), to = node_member(n, "to");
	struct node expect = node_member(n, "expect"), because = node_member(n, "because");
	size_t verdict = VERDICT_NONE, reason = BECAUSE_COUNT;
	int bad = WALK_FIELDS(&r->walk, n, fields);

	bad = bad < 0 ? bad : read_end(r, &from, &p->from);
	bad = bad < 0 ? bad : read_end(r, &to, &p->to);
	bad = bad < 0 ? bad : read_traffic(r, n, p);
	bad = bad < 0 ? bad : read_families(r, n, p);
	bad = bad < 0 ? bad : read_word(r, &expect, verdicts, &verdict);
	bad = bad < 0 ? bad : read_word(r, &because, reasons, &reason);
	p->expect = (enum scenario_verdict)verdict;
	p->because = reason == BECAUSE_COUNT ? -1 : (int)reason;
	return bad;
}

static int read_item(struct reader *r, const struct node *n, struct scenario_probe *p)
{
	static const struct field fields[] = {{"matrix", NULL}};
	struct node matrix = node_member(n, "matrix");
	int bad;

	p->line = walk_origin(&r->walk, n).line;
	if (!json_is_object(n->value))
		return walk_error(&r->walk, n, "expected a probe, found %s",
			n->value ? json_kind(n->value) : "nothing");
	if (!matrix.value)
		return read_probe(r, n, p);
	p->because = -1;
	p->expect = VERDICT_NONE;
	p->matrix = arena_alloc(r->walk.mem, sizeof(*p->matrix));
	bad = WALK_FIELDS(&r->walk, n, fields);
	return bad < 0 ? bad : read_matrix(r, &matrix, true, p->matrix);
}

/* The columns of all tables among the probes, each once, in order. */
static void join_columns(struct scenario *s)
{
	struct hash SCOPED(hash_done) seen = {0};
	size_t most = 1;

	for (size_t i = 0; i < s->probes; i++)
		most += s->probe[i].matrix ? s->probe[i].matrix->columns : 0;
	s->matrix.traffic = arena_array(&s->mem, most, sizeof(*s->matrix.traffic));
	for (size_t i = 0; i < s->probes; i++) {
		const struct scenario_matrix *m = s->probe[i].matrix;

		for (size_t k = 0; m && k < m->columns; k++) {
			const struct traffic *t = &m->traffic[k];
			uint32_t key = (uint32_t)t->protocol << 16 | t->port;

			if (!hash_put(&seen, &key, sizeof(key), s))
				s->matrix.traffic[s->matrix.columns++] = *t;
		}
	}
	if (!s->matrix.columns)
		s->matrix.traffic[s->matrix.columns++] =
			(struct traffic){.protocol = IPPROTO_TCP, .port = 80};
}

int read_probes(struct reader *r, const struct node *list, const struct node *matrix)
{
	struct scenario *s = r->scenario;
	int bad = walk_list(&r->walk, list);

	s->probe = arena_array(&s->mem, node_items(list), sizeof(*s->probe));
	for (; bad >= 0 && s->probes < node_items(list); s->probes++) {
		struct node n = node_item(list, s->probes);

		bad = read_item(r, &n, &s->probe[s->probes]);
	}
	if (bad < 0)
		return bad;
	if (matrix->value)
		return read_matrix(r, matrix, false, &s->matrix);
	join_columns(s);
	return 0;
}
