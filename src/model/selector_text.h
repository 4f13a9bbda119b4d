/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_MODEL_SELECTOR_TEXT_H
#define KILIM_MODEL_SELECTOR_TEXT_H
/* Selectors as people type them: the syntax of kubectl -l, with label sources. */
#include "base/err.h"
#include "model/selector.h"

/*
 * Comma-separated requirements: key, !key, key=value, key==value, key!=value, key in (a,b), key
 * notin (a,b). A key is "source:key" or "key", which means any source. An empty text matches
 * everything. Strings are copied into mem.
 */
int selector_parse(
	struct arena *mem, const char *text, struct selector *ret, struct err *e) MUST_USE;

#endif
