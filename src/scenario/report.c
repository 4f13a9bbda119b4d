/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of the probes: for people, as JSON, as TAP. Called by `kilim policy test`. Owns
 * nothing. Must hold: no control character of somebody else's text is in the lines; JSON has the
 * probes in the order of the file.
 */
#include <string.h>

#include "codec/text.h"
#include "scenario/outcome.h"

enum { CELLS_SHOWN = 20, NAME_SHOWN = 40 };

/* Widths of the columns for people. */
struct widths {
	int from, to, traffic;
};

static void format_ends(
	const struct scenario *s, const struct question *q, struct str *from, struct str *to)
{
	scenario_end_format(from, s, &q->from);
	scenario_end_format(to, s, &q->to);
}

static void widen(int *width, const struct str *text)
{
	int w = (int)text_width(str_text(text));

	if (w > *width && w <= NAME_SHOWN)
		*width = w;
}

static struct widths measure(const struct outcome *o)
{
	const struct scenario *s = o->world->scenario;
	struct widths w = {4, 4, 6};

	for (size_t i = 0; i < s->probes; i++) {
		SCOPED(str_done) struct str from = {0}, to = {0}, traffic = {0};

		if (s->probe[i].matrix)
			continue;
		scenario_end_format(&from, s, &s->probe[i].from);
		scenario_end_format(&to, s, &s->probe[i].to);
		traffic_format(&traffic, &s->probe[i].traffic);
		widen(&w.from, &from);
		widen(&w.to, &to);
		widen(&w.traffic, &traffic);
	}
	return w;
}

/* Names are other people's text; only the mark in front is coloured. */
static void add_clean(struct str *out, const struct str *lines)
{
	SCOPED(freep) char *copy = mem_strdup(str_text(lines));
	char *rest = copy;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		str_add_printable(out, line);
		if (rest)
			str_add(out, "\n");
	}
}

static void write_mark(struct str *out, bool ok, bool color)
{
	if (color)
		str_printf(out, "\033[%sm%s\033[0m  ", ok ? "32" : "31", ok ? "pass" : "FAIL");
	else
		str_printf(out, "%s  ", ok ? "pass" : "FAIL");
}

/* "deny, expected allow", or the reason where that is what differs. */
static void write_verdict(
	struct str *out, const struct answer *a, enum scenario_verdict want, int because)
{
	str_add(out, scenario_verdict_name(a->verdict));
	if (want != VERDICT_NONE && want != a->verdict)
		str_printf(out, ", expected %s", scenario_verdict_name(want));
	else if (because >= 0 && because != a->because)
		str_printf(out, " because of %s, expected %s", because_name(a->because),
			because_name((enum because)because));
}

static void write_question(
	struct str *out, const struct outcome *o, const struct question *q, const struct widths *w)
{
	SCOPED(str_done) struct str from = {0}, to = {0}, traffic = {0};

	format_ends(o->world->scenario, q, &from, &to);
	traffic_format(&traffic, &q->traffic);
	str_printf(out, "%-*s -> %-*s  %-*s  ", w->from, str_text(&from), w->to, str_text(&to),
		w->traffic, str_text(&traffic));
}

static void write_why(struct str *out, const struct outcome *o, size_t i, const char *indent)
{
	struct explanation x SCOPED(explanation_done) = {0};

	answer_explain(o->world, &o->question[i], &o->answer[i], &x);
	explanation_write(out, &x, indent);
}

static void write_probe(
	struct str *out, const struct outcome *o, size_t index, const struct widths *w)
{
	const struct scenario_probe *p = &o->world->scenario->probe[index];
	const struct probe_outcome *r = &o->probe[index];

	write_question(out, o, &o->question[r->shown], w);
	write_verdict(out, &o->answer[r->shown], p->expect, p->because);
	if (!r->is_ok && r->failures < r->count)
		str_printf(out, " (%s only)", family_name(o->question[r->shown].family));
	if (r->is_ok) {
		str_add(out, "\n");
		return;
	}
	str_printf(out, "  [%s:%d]\n", o->world->scenario->file, p->line);
	write_why(out, o, r->shown, "        ");
}

static void write_matrix(struct str *out, const struct outcome *o, size_t index)
{
	const struct scenario *s = o->world->scenario;
	const struct scenario_probe *p = &s->probe[index];
	const struct probe_outcome *r = &o->probe[index];
	const struct widths narrow = {0, 0, 0};
	size_t shown = 0;

	str_printf(out, "matrix of %zu endpoints:", s->endpoints);
	for (size_t c = 0; c < p->matrix->columns; c++) {
		str_add(out, c ? ", " : " ");
		traffic_format(out, &p->matrix->traffic[c]);
	}
	if (r->is_ok) {
		str_add(out, "\n");
		return;
	}
	str_printf(out, ": %zu of %zu cells differ  [%s:%d]\n", r->failures, r->count, s->file,
		p->line);
	for (size_t i = 0; i < r->count && shown < CELLS_SHOWN; i++) {
		const struct question *q = &o->question[r->first + i];

		if (!outcome_is_wrong(o, index, i))
			continue;
		shown++;
		str_add(out, "      ");
		write_question(out, o, q, &narrow);
		str_printf(out, "%s  ", family_name(q->family));
		write_verdict(out, &o->answer[r->first + i], outcome_expected(o, index, i), -1);
		str_add(out, "\n");
		write_why(out, o, r->first + i, "        ");
	}
	if (r->failures > shown)
		str_printf(out, "      ... and %zu more\n", r->failures - shown);
}

/* The rules that could have been hit: coverage speaks of these. */
static bool counts(const struct rule_info *r)
{
	return r->id && r->kind != RULE_DEFAULT_DENY;
}

static void write_coverage(struct str *out, const struct outcome *o)
{
	const struct compiled_set *c = o->world->compiled;
	size_t rules = 0, hit = 0;

	for (size_t i = 0; i < c->rules; i++) {
		rules += counts(&c->rule[i]);
		hit += counts(&c->rule[i]) && o->hit[i];
	}
	str_printf(out, "%zu of %zu rules were hit%s\n", hit, rules,
		hit < rules ? "; these never:" : "");
	for (size_t i = 0; i < c->rules; i++) {
		if (!counts(&c->rule[i]) || o->hit[i])
			continue;
		str_add(out, "      ");
		explain_format_rule(out, &c->rule[i]);
		str_printf(out, " (%s:%d)\n", c->rule[i].origin.file, c->rule[i].origin.line);
	}
}

static void write_invariant(struct str *out, const struct outcome *o, size_t index)
{
	const struct invariant_view view = world_view(o->world);
	const struct invariant *i = &o->world->scenario->invariants.invariant[index];

	str_add(out, "invariant ");
	invariant_format(out, i);
	if (o->invariant[index].broken)
		str_printf(out, "  [%s:%d]", i->origin.file, i->origin.line);
	str_add(out, "\n");
	invariant_write(out, &view, i, &o->invariant[index], "        ");
}

static void write_invariants(
	struct str *out, const struct outcome *o, const struct report_options *options)
{
	for (size_t i = 0; i < o->world->scenario->invariants.count; i++) {
		SCOPED(str_done) struct str text = {0};
		bool is_ok = !o->invariant[i].broken;

		if (options->failures_only && is_ok)
			continue;
		write_invariant(&text, o, i);
		write_mark(out, is_ok, options->color);
		add_clean(out, &text);
	}
}

void outcome_write(struct str *out, const struct outcome *o, const struct report_options *options)
{
	const struct scenario *s = o->world->scenario;
	SCOPED(str_done) struct str last = {0};
	struct widths w = measure(o);

	str_printf(&last, "%s:%d\n", s->file, s->line);
	add_clean(out, &last);
	last.len = 0;
	for (size_t i = 0; i < s->probes; i++) {
		SCOPED(str_done) struct str text = {0};

		if (options->failures_only && o->probe[i].is_ok)
			continue;
		if (s->probe[i].matrix)
			write_matrix(&text, o, i);
		else
			write_probe(&text, o, i, &w);
		write_mark(out, o->probe[i].is_ok, options->color);
		add_clean(out, &text);
	}
	write_invariants(out, o, options);
	str_printf(&last, "%zu probes", s->probes);
	if (s->invariants.count)
		str_printf(&last, " and %zu invariants", s->invariants.count);
	str_printf(&last, ": %zu passed, %zu failed; ", o->passed, o->failed);
	write_coverage(&last, o);
	add_clean(out, &last);
}

/* ---- JSON ---- */

static json_t *why_json(const struct outcome *o, size_t i)
{
	struct explanation x SCOPED(explanation_done) = {0};

	answer_explain(o->world, &o->question[i], &o->answer[i], &x);
	return explanation_json(&x);
}

static void set_rule(json_t *j, const struct rule_info *r)
{
	SCOPED(str_done) struct str rule = {0}, place = {0};

	if (!r) {
		(void)json_object_set_new(j, "rule", json_null());
		return;
	}
	explain_format_rule(&rule, r);
	(void)json_object_set_new(j, "rule", json_string(str_text(&rule)));
	if (!r->origin.file)
		return;
	str_printf(&place, "%s:%d", r->origin.file, r->origin.line);
	(void)json_object_set_new(j, "place", json_string(str_text(&place)));
}

static json_t *probe_json(const struct outcome *o, size_t index)
{
	const struct probe_outcome *r = &o->probe[index];
	const struct answer *a = &o->answer[r->shown];
	const struct scenario_probe *p = &o->world->scenario->probe[index];
	json_t *j = json_pack(
		"{s:s, s:b}", "verdict", scenario_verdict_name(r->verdict), "ok", (int)r->is_ok);

	set_rule(j, world_rule(o->world, answer_rule(a)));
	(void)json_object_set_new(j, "because", json_string(because_name(a->because)));
	if (r->verdict == VERDICT_MIXED) {
		json_t *of = json_object();

		for (size_t i = r->first; i < r->first + r->count; i++)
			(void)json_object_set_new(of, family_name(o->question[i].family),
				json_string(scenario_verdict_name(o->answer[i].verdict)));
		(void)json_object_set_new(j, "families", of);
	}
	if (p->expect != VERDICT_NONE)
		(void)json_object_set_new(
			j, "expect", json_string(scenario_verdict_name(p->expect)));
	if (!r->is_ok)
		(void)json_object_set_new(j, "explanation", why_json(o, r->shown));
	return j;
}

static json_t *cell_json(const struct outcome *o, size_t index, size_t i)
{
	json_t *j = why_json(o, o->probe[index].first + i);

	(void)json_object_set_new(
		j, "expect", json_string(scenario_verdict_name(outcome_expected(o, index, i))));
	return j;
}

static json_t *probe_matrix_json(const struct outcome *o, size_t index)
{
	const struct scenario *s = o->world->scenario;
	const struct scenario_matrix *m = s->probe[index].matrix;
	const struct probe_outcome *r = &o->probe[index];
	json_t *failures = json_array();

	for (size_t i = 0; i < r->count; i++) {
		if (outcome_is_wrong(o, index, i))
			(void)json_array_append_new(failures, cell_json(o, index, i));
	}
	return json_pack("{s:s, s:b, s:o, s:o}", "verdict", r->is_ok ? "as-expected" : "differs",
		"ok", (int)r->is_ok, "matrix", matrix_json(s, m, &o->answer[r->first]), "failures",
		failures);
}

static json_t *coverage_json(const struct outcome *o)
{
	const struct compiled_set *c = o->world->compiled;
	json_t *never = json_array();
	int rules = 0, hit = 0;

	for (size_t i = 0; i < c->rules; i++) {
		json_t *j;

		if (!counts(&c->rule[i]))
			continue;
		rules++;
		hit += o->hit[i];
		if (o->hit[i])
			continue;
		j = json_object();
		set_rule(j, &c->rule[i]);
		(void)json_array_append_new(never, j);
	}
	return json_pack("{s:i, s:i, s:o}", "rules", rules, "hit", hit, "never", never);
}

static json_t *invariants_json(const struct outcome *o)
{
	const struct invariant_view view = world_view(o->world);
	json_t *list = json_array();

	for (size_t i = 0; i < o->world->scenario->invariants.count; i++)
		(void)json_array_append_new(
			list, invariant_json(&view, &o->world->scenario->invariants.invariant[i],
				      &o->invariant[i]));
	return list;
}

json_t *outcome_json(const struct outcome *o)
{
	const struct scenario *s = o->world->scenario;
	json_t *probes = json_array();

	for (size_t i = 0; i < s->probes; i++)
		(void)json_array_append_new(
			probes, s->probe[i].matrix ? probe_matrix_json(o, i) : probe_json(o, i));
	return json_pack("{s:s, s:i, s:o, s:o, s:I, s:I, s:o}", "file", s->file, "line", s->line,
		"probes", probes, "invariants", invariants_json(o), "passed", (json_int_t)o->passed,
		"failed", (json_int_t)o->failed, "coverage", coverage_json(o));
}

/* ---- TAP ---- */

static void write_tap(struct str *out, const struct str *text, bool is_ok, size_t number)
{
	SCOPED(str_done) struct str clean = {0};
	char *rest, *line;

	add_clean(&clean, text);
	rest = clean.text;
	line = strsep(&rest, "\n");
	str_printf(out, "%sok %zu - %s\n", is_ok ? "" : "not ", number, line);
	for (line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (*line)
			str_printf(out, "# %s\n", line);
	}
}

void outcome_write_tap(struct str *out, const struct outcome *o, size_t *number)
{
	const struct scenario *s = o->world->scenario;
	const struct widths narrow = {0, 0, 0};

	for (size_t i = 0; i < s->probes + s->invariants.count; i++) {
		bool is_probe = i < s->probes;
		SCOPED(str_done) struct str text = {0};

		if (!is_probe)
			write_invariant(&text, o, i - s->probes);
		else if (s->probe[i].matrix)
			write_matrix(&text, o, i);
		else
			write_probe(&text, o, i, &narrow);
		write_tap(out, &text,
			is_probe ? o->probe[i].is_ok : !o->invariant[i - s->probes].broken,
			++*number);
	}
}
