/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_CODEC_JSON_H
#define KILIM_CODEC_JSON_H
/* jansson with scopes, typed getters that name the field at fault, and limits. Strings got from a
 * value live as long as it. */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

void json_unrefp(json_t **j); /* for SCOPED */
/* Parse a text of at most limit bytes (depth is bounded by jansson at 2048); -EINVAL names line and
 * column. */
int json_parse_text(
	const char *text, size_t len, size_t limit, json_t **ret, struct err *e) MUST_USE;
/* The member as a string; NULL when absent or null. -EINVAL ("field: expected a string, found ...")
 * when it is something else. */
int json_get_string(const json_t *obj, const char *key, const char **ret, struct err *e) MUST_USE;
/* The member as an integer in min..max; *ret is untouched when absent. */
int json_get_int(const json_t *obj, const char *key, int64_t min, int64_t max, int64_t *ret,
	struct err *e) MUST_USE;
int json_get_bool(const json_t *obj, const char *key, bool *ret, struct err *e) MUST_USE;
/* What kind of value: "a string", "a list", "a mapping", ... */
const char *json_kind(const json_t *j);
/* Compact text; free() it. Never NULL. */
char *json_text(const json_t *j);
/* As YAML, block style, keys in order of insertion; for -o yaml. */
void json_write_yaml(struct str *out, const json_t *j);

#endif
