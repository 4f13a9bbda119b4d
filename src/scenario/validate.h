/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_SCENARIO_VALIDATE_H
#define KILIM_SCENARIO_VALIDATE_H
/* Everything that is wrong, or looks wrong, in files of policies: all mistakes of all of them, and
 * what analysis finds in those that are right by the letter. */
#include "codec/json.h"
#include "policy/lint.h"

/* context is the caller's; the rest begins as zeros. */
struct validation {
	struct policy_context context;
	struct policy_set set; /* the policies without a mistake */
	struct findings findings;
	size_t files;
};

/* Read one file's text. Where one of its documents is no YAML the others are read all the same. */
void validate_text(struct validation *v, const char *file, const char *text, size_t len);
/* All files are read: analyse what is in them. The findings are in the order of files and lines. */
void validate_policies(struct validation *v, const struct lint_options *o);
void validation_done(struct validation *v); /* for SCOPED too */
size_t findings_count(const struct findings *l, enum finding_severity s);
/* A line each: FILE:LINE:COLUMN: SEVERITY: FIELD: MESSAGE; HINT */
void findings_write(struct str *out, const struct findings *l);
/* [{"severity", "file", "line", "column", "field", "message", "hint"}] */
json_t *findings_json(const struct findings *l);

#endif
