/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_SCENARIO_INVARIANTS_H
#define KILIM_SCENARIO_INVARIANTS_H
/* Files of assertions, and what became of each, for people and as JSON; for scenarios, and for the
 * agent. */
#include "base/str.h"
#include "codec/json.h"
#include "policy/invariant.h"

/* Add the assertions of all documents of a file. */
int invariants_read(struct invariants *l, const char *path, struct err *e) MUST_USE;
/* The same of a text; file is what messages say. */
int invariants_read_text(struct invariants *l, const char *file, const char *text, size_t len,
	struct err *e) MUST_USE;

/* never payments-stay-inside */
void invariant_format(struct str *out, const struct invariant *i);
/* In one line why it is broken: what would pass or not pass, and by which rules. */
void invariant_describe(struct str *out, const struct invariant_view *v, const struct invariant *i,
	const struct invariant_result *r);
/* Lines behind the first, which says what it is, each with this in front. */
void invariant_write(struct str *out, const struct invariant_view *v, const struct invariant *i,
	const struct invariant_result *r, const char *indent);
/* {"name", "assertion", "mode", "state", "pairs", "file", "line", "counterexample"} */
json_t *invariant_json(const struct invariant_view *v, const struct invariant *i,
	const struct invariant_result *r);

#endif
