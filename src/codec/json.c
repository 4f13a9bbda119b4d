/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed access to jansson values. Called by everything that reads manifests, requests and replies.
 * Owns nothing: strings belong to the value they came from. Must hold: an absent member and null
 * are the same, a member of another type is an error that names it, and a failing getter leaves its
 * output alone.
 */
#include "codec/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void json_unrefp(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}

int json_parse_text(const char *text, size_t len, size_t limit, json_t **ret, struct err *e)
{
	json_error_t at;
	json_t *j;

	if (len > limit)
		return err_set(
			e, -E2BIG, "%zu bytes of JSON where at most %zu are taken", len, limit);
	j = json_loadb(text, len, JSON_REJECT_DUPLICATES, &at);
	if (!j)
		return err_set(
			e, -EINVAL, "JSON line %d column %d: %s", at.line, at.column, at.text);
	*ret = j;
	return 0;
}

const char *json_kind(const json_t *j)
{
	if (!j)
		return "nothing";
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return "a mapping";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "an integer";
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		break;
	}
	return "null";
}

/* The member, or NULL for absent and null. */
static const json_t *member(const json_t *obj, const char *key)
{
	const json_t *j = json_object_get(obj, key);

	return json_is_null(j) ? NULL : j;
}

int json_get_string(const json_t *obj, const char *key, const char **ret, struct err *e)
{
	const json_t *j = member(obj, key);

	if (j && !json_is_string(j))
		return err_set(e, -EINVAL, "%s: expected a string, found %s", key, json_kind(j));
	*ret = j ? json_string_value(j) : NULL;
	return 0;
}

int json_get_int(
	const json_t *obj, const char *key, int64_t min, int64_t max, int64_t *ret, struct err *e)
{
	const json_t *j = member(obj, key);
	int64_t n;

	if (!j)
		return 0;
	if (!json_is_integer(j))
		return err_set(e, -EINVAL, "%s: expected an integer, found %s", key, json_kind(j));
	n = json_integer_value(j);
	if (n < min || n > max)
		return err_set(e, -EINVAL, "%s: %" PRId64 " is not in %" PRId64 "..%" PRId64, key,
			n, min, max);
	*ret = n;
	return 0;
}

int json_get_bool(const json_t *obj, const char *key, bool *ret, struct err *e)
{
	const json_t *j = member(obj, key);

	if (j && !json_is_boolean(j))
		return err_set(
			e, -EINVAL, "%s: expected true or false, found %s", key, json_kind(j));
	if (j)
		*ret = json_is_true(j);
	return 0;
}

char *json_text(const json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);

	return text ? text : mem_strdup("null");
}
