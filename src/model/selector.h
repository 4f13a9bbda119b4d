/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_MODEL_SELECTOR_H
#define KILIM_MODEL_SELECTOR_H
/* Label selectors: matchLabels and matchExpressions as one list of requirements, all of which must
 * hold. */
#include <stdbool.h>

#include "model/label.h"

enum selector_op { SELECTOR_IN, SELECTOR_NOT_IN, SELECTOR_EXISTS, SELECTOR_DOES_NOT_EXIST };

struct requirement {
	struct label key; /* source and key; value unused */
	enum selector_op op;
	const char **value;
	size_t values;
};

struct selector {
	struct requirement *requirement;
	size_t count; /* 0 matches everything */
};

bool selector_matches(const struct selector *s, const struct labels *l);
/* Same requirements in the same order. */
bool selector_eq(const struct selector *a, const struct selector *b);
void selector_format(
	struct str *out, const struct selector *s); /* k8s:app=web,any:tier in (a,b),!k8s:x */

#endif
