/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_CODEC_YAML_H
#define KILIM_CODEC_YAML_H
/*
 * YAML (and so JSON) documents as jansson values that remember where they stood. Core schema of
 * YAML 1.2: true and false, null and
 * ~, decimal, 0o and 0x integers, floats; quoted scalars stay strings, and so do yes, on and the
 * like. Refused with their place: duplicate keys, merge keys, keys that are no scalars, foreign
 * tags, NUL characters, integers over 64 bits, infinity, more than 64 levels or 500,000 values.
 * Anchors and aliases are resolved with a bound on the expanded size (10x the text + 64 KiB); a
 * value that is used twice is one json_t with two references.
 */
#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

struct yaml_marks;

/* One document of a file. line/column are looked up by the value's address with yaml_where(). */
struct yaml_doc {
	json_t *root;
	int line; /* of its first value, from 1 */
	struct yaml_marks *marks; /* sorted places of all values, keys and items */
};

struct yaml_docs {
	struct yaml_doc *doc;
	size_t count;
};

/* All documents of text; empty and null ones are left out. name is used in errors:
 * "name:line:column: what". */
int yaml_parse(const char *name, const char *text, size_t len, struct yaml_docs *ret,
	struct err *e) MUST_USE;
/*
 * Where a value of the document stands, from 1. true, false and null are one json_t each in the
 * whole process and have no place of their own: ask for them by their parent. Returns 1, or 0 and
 * leaves the outputs alone when the place is unknown.
 */
int yaml_where(const struct yaml_doc *d, const json_t *value, int *ret_line, int *ret_column);
/* Where the value under a key of a mapping stands, of whatever kind it is. */
int yaml_where_value(const struct yaml_doc *d, const json_t *mapping, const char *key,
	int *ret_line, int *ret_column);
/* Where an item of a list stands, of whatever kind it is. */
int yaml_where_item(
	const struct yaml_doc *d, const json_t *list, size_t index, int *ret_line, int *ret_column);
/* Where the key of a mapping stands. */
int yaml_where_key(const struct yaml_doc *d, const json_t *mapping, const char *key, int *ret_line,
	int *ret_column);
void yaml_docs_done(struct yaml_docs *d); /* for SCOPED too */

#endif
