/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_SCENARIO_OUTCOME_H
#define KILIM_SCENARIO_OUTCOME_H
/* What became of a scenario's probes, and its writers. */
#include "codec/json.h"
#include "scenario/explain.h"
#include "scenario/invariants.h"
#include "scenario/judge.h"

/* One probe: its questions are question[first] to question[first + count - 1]. */
struct probe_outcome {
	size_t first, count;
	bool is_ok;
	size_t failures; /* questions whose answer is not the expected one */
	enum scenario_verdict verdict; /* of all; VERDICT_MIXED when they differ */
	size_t shown; /* the question that stands for it: the first at fault, else the first */
};

struct outcome {
	const struct world *world;
	struct question *question;
	struct answer *answer;
	size_t count;
	struct probe_outcome *probe; /* one per probe of the scenario */
	bool *hit; /* hit[id - 1]: the rule decided something */
	struct invariant_result *invariant; /* one per assertion of the scenario */
	size_t passed, failed; /* probes and assertions */
};

/* Ask all the probes of the world's scenario. The world must outlive the outcome. */
void outcome_make(const struct world *w, struct outcome *ret);
void outcome_done(struct outcome *o); /* for SCOPED too */

/* What the i-th question of a probe should be answered with (VERDICT_NONE: anything), and whether
 * it is not. */
enum scenario_verdict outcome_expected(const struct outcome *o, size_t probe, size_t i);
bool outcome_is_wrong(const struct outcome *o, size_t probe, size_t i);

/* What a table's cell says: A, D, U (audit), - (no such packet). */
char verdict_letter(enum scenario_verdict v);
/* All questions of a table, with the answer of cell at ((family * columns + column) * n + row) * n
 * + destination; the count is FAMILIES * columns * n * n. */
size_t matrix_questions(
	const struct scenario *s, const struct scenario_matrix *m, struct question *ret);
/* {"endpoints": ..., "columns": ..., "families": ..., "verdicts": ...} */
json_t *matrix_json(
	const struct scenario *s, const struct scenario_matrix *m, const struct answer *a);
/* The same for people: a block for each column and family. */
void matrix_write(struct str *out, const struct scenario *s, const struct scenario_matrix *m,
	const struct answer *a, bool color);

/* Everything about why a question got its answer. */
void answer_explain(const struct world *w, const struct question *q, const struct answer *a,
	struct explanation *ret);

struct report_options {
	bool color, failures_only;
};

/* Line by line for people. */
void outcome_write(struct str *out, const struct outcome *o, const struct report_options *options);
json_t *outcome_json(const struct outcome *o);
/* TAP lines, numbered from *number + 1 on, without the plan. */
void outcome_write_tap(struct str *out, const struct outcome *o, size_t *number);

#endif
