/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From probes to questions and from answers to pass or fail; which rules were hit. Called by the
 * commands. Owns questions and answers. Must hold: a probe passes only when every family that it is
 * asked for gives the verdict, and the reason, that it expects.
 */
#include "scenario/outcome.h"

#include <stdlib.h>

static size_t cells(const struct scenario *s, const struct scenario_matrix *m)
{
	return FAMILIES * m->columns * s->endpoints * s->endpoints;
}

size_t matrix_questions(
	const struct scenario *s, const struct scenario_matrix *m, struct question *ret)
{
	size_t n = s->endpoints, count = cells(s, m);

	for (size_t i = 0; i < count; i++) {
		struct question *q = &ret[i];
		enum family f = (enum family)(i / n / n / m->columns);

		*q = (struct question){.from = {.index = i / n % n},
			.to = {.index = i % n},
			.traffic = m->traffic[i / n / n % m->columns],
			.family = f};
		if (!(scenario_families(s, &q->from, &q->to, &q->traffic) & 1u << f))
			q->family = FAMILIES;
	}
	return count;
}

char verdict_letter(enum scenario_verdict v)
{
	return v == VERDICT_ALLOW ? 'A' : v == VERDICT_DENY ? 'D' : v == VERDICT_AUDIT ? 'U' : '-';
}

static size_t probe_questions(const struct scenario_probe *p, struct question *ret)
{
	size_t count = 0;

	for (enum family f = 0; f < FAMILIES; f++) {
		if (p->families & 1u << f)
			ret[count++] = (struct question){p->from, p->to, p->traffic, f};
	}
	return count;
}

static void ask(struct outcome *o)
{
	const struct scenario *s = o->world->scenario;
	size_t most = 0;

	for (size_t i = 0; i < s->probes; i++)
		most += s->probe[i].matrix ? cells(s, s->probe[i].matrix) : FAMILIES;
	o->question = mem_array(most, sizeof(*o->question));
	o->answer = mem_array(most, sizeof(*o->answer));
	o->probe = mem_array(s->probes, sizeof(*o->probe));
	for (size_t i = 0; i < s->probes; i++) {
		const struct scenario_probe *p = &s->probe[i];
		struct question *at = &o->question[o->count];

		o->probe[i].first = o->count;
		o->probe[i].count =
			p->matrix ? matrix_questions(s, p->matrix, at) : probe_questions(p, at);
		o->count += o->probe[i].count;
	}
	judge(o->world, o->question, o->count, o->answer);
}

enum scenario_verdict outcome_expected(const struct outcome *o, size_t probe, size_t i)
{
	const struct scenario *s = o->world->scenario;
	const struct scenario_probe *p = &s->probe[probe];
	size_t n2 = s->endpoints * s->endpoints;

	if (!p->matrix)
		return p->expect;
	return p->matrix->expect ? p->matrix->expect[i / n2 % p->matrix->columns][i % n2]
				 : VERDICT_NONE;
}

bool outcome_is_wrong(const struct outcome *o, size_t probe, size_t i)
{
	const struct scenario_probe *p = &o->world->scenario->probe[probe];
	enum scenario_verdict want = outcome_expected(o, probe, i);
	const struct answer *a = &o->answer[o->probe[probe].first + i];

	if (a->verdict == VERDICT_NONE)
		return false;
	if (want != VERDICT_NONE && want != a->verdict)
		return true;
	return p->because >= 0 && p->because != a->because;
}

static void compare(struct outcome *o, size_t index)
{
	struct probe_outcome *r = &o->probe[index];

	r->shown = r->first;
	r->verdict = VERDICT_NONE;
	for (size_t i = 0; i < r->count; i++) {
		enum scenario_verdict v = o->answer[r->first + i].verdict;

		if (r->verdict == VERDICT_NONE)
			r->verdict = v;
		else if (v != VERDICT_NONE && v != r->verdict)
			r->verdict = VERDICT_MIXED;
		if (outcome_is_wrong(o, index, i) && !r->failures++)
			r->shown = r->first + i;
	}
	r->is_ok = !r->failures;
	o->passed += r->is_ok;
	o->failed += !r->is_ok;
}

static void mark_hits(struct outcome *o)
{
	size_t rules = o->world->compiled->rules;

	o->hit = mem_array(rules, sizeof(*o->hit));
	for (size_t i = 0; i < o->count; i++) {
		for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
			const struct judged *j = &o->answer[i].judged[d];

			if (j->is_judged && j->decision.rule && j->decision.rule <= rules)
				o->hit[j->decision.rule - 1] = true;
		}
	}
}

static void check_invariants(struct outcome *o)
{
	const struct invariants *l = &o->world->scenario->invariants;
	const struct invariant_view view = world_view(o->world);

	o->invariant = mem_array(l->count, sizeof(*o->invariant));
	for (size_t i = 0; i < l->count; i++) {
		invariant_check(&view, &l->invariant[i], &o->invariant[i]);
		o->passed += !o->invariant[i].broken;
		o->failed += o->invariant[i].broken;
	}
}

void outcome_make(const struct world *w, struct outcome *ret)
{
	*ret = (struct outcome){.world = w};
	ask(ret);
	for (size_t i = 0; i < w->scenario->probes; i++)
		compare(ret, i);
	mark_hits(ret);
	check_invariants(ret);
}

void outcome_done(struct outcome *o)
{
	free(o->question);
	free(o->answer);
	free(o->probe);
	free(o->hit);
	free(o->invariant);
	*o = (struct outcome){0};
}

static void describe(const struct world *w, const struct scenario_end *end,
	const struct scenario_end *other, enum family f, const struct judged *seen,
	struct arena *mem, struct explain_end *ret)
{
	static const struct labels none = {0};
	const struct scenario *s = w->scenario;
	const struct identity_info *info =
		seen->is_judged ? identity_find(w->identities, seen->peer) : NULL;
	SCOPED(str_done) struct str name = {0};

	scenario_end_format(&name, s, end);
	*ret = (struct explain_end){.name = arena_strdup(mem, str_text(&name)),
		.labels = info ? &info->labels : &none,
		.addr = scenario_end_addr(s, end, other, f),
		.is_endpoint = end->kind == END_ENDPOINT,
		.is_node = end->kind != END_ENDPOINT && end->kind != END_ADDRESS,
		.is_own_node = end->kind == END_HOST ||
			       (end->kind == END_NODE && other->kind == END_ENDPOINT &&
				       s->endpoint[other->index].node == end->index)};
	if (end->kind != END_ENDPOINT)
		return;
	ret->labels = &s->endpoint[end->index].labels;
	ret->port = s->endpoint[end->index].port;
	ret->ports = s->endpoint[end->index].ports;
}

void answer_explain(const struct world *w, const struct question *q, const struct answer *a,
	struct explanation *ret)
{
	*ret = (struct explanation){.verdict = a->verdict,
		.because = a->because,
		.direction = a->direction,
		.reason = a->reason,
		.traffic = q->traffic,
		.family = q->family};
	describe(w, &q->from, &q->to, q->family, &a->judged[POLICY_INGRESS], &ret->mem, &ret->from);
	describe(w, &q->to, &q->from, q->family, &a->judged[POLICY_EGRESS], &ret->mem, &ret->to);
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		const struct judged *j = &a->judged[d];

		ret->side[d].is_judged = j->is_judged;
		ret->side[d].is_enforced = j->decision.flags & POLICY_ENFORCED;
		ret->side[d].because = j->because;
		ret->side[d].rule = world_rule(w, j->decision.rule);
	}
	explain(ret, &w->scenario->set);
}
