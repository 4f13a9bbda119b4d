/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_MODEL_FINDING_H
#define KILIM_MODEL_FINDING_H
/* What is wrong, or looks wrong, in files of policies: each with its place and what to do. */
#include <stddef.h>

#include "base/arena.h"

enum finding_severity {
	FINDING_HINT, /* may well be meant so */
	FINDING_WARNING, /* does nothing, or not what it seems to */
	FINDING_ERROR, /* is refused */
};

struct finding {
	enum finding_severity severity;
	const char *file;
	int line, column;
	const char *field; /* spec.ingress[0].toPorts; "" for none */
	const char *message, *hint; /* hint: "" for none */
};

/* {0} is the empty list. */
struct findings {
	struct arena mem; /* owns the strings */
	struct finding *finding;
	size_t count, room;
};

enum { FINDINGS_MAX = 10000 }; /* more are not kept */

/* All strings are copied. A text "what; what to do" is divided into message and hint; without the
 * second half the hint follows from the first. */
void findings_add(struct findings *l, enum finding_severity severity, const char *file, int line,
	int column, const char *field, const char *text);
/* By file, line and column; what stands at one place keeps its order. */
void findings_sort(struct findings *l);
void findings_done(struct findings *l); /* for SCOPED too */
const char *finding_severity_name(enum finding_severity s); /* hint, warning, error */

#endif
