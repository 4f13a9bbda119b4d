/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain scalars by the core schema of YAML 1.2. Called by codec/yaml.c. Must hold: anything that
 * the schema does not name stays a string (yes, on, 0123_4, 12:30, 1.2.3.4), and nothing is rounded
 * into an integer.
 */
#include "codec/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_one_of(const char *text, size_t len, const char *const *words)
{
	for (; *words; words++) {
		if (strlen(*words) == len && !memcmp(text, *words, len))
			return true;
	}
	return false;
}

static size_t digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* [-+]?[0-9]+ or 0o[0-7]+ or 0x[0-9a-fA-F]+: its base, or 0. */
static int integer_base(const char *s)
{
	const char *rest = s + (*s == '-' || *s == '+');
	size_t n = digits(rest);

	if (n && !rest[n])
		return 10;
	if (!strncmp(s, "0o", 2) && s[2] && !s[2 + strspn(s + 2, "01234567")])
		return 8;
	if (!strncmp(s, "0x", 2) && s[2] && !s[2 + strspn(s + 2, "0123456789abcdefABCDEF")])
		return 16;
	return 0;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_float(const char *s)
{
	size_t before, after = 0;

	s += *s == '-' || *s == '+';
	before = digits(s);
	s += before;
	if (*s == '.') {
		after = digits(++s);
		s += after;
	}
	if (!before && !after)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '-' || *s == '+';
		before = digits(s);
		s += before;
		if (!before)
			return false;
	}
	return !*s;
}

/* Infinity and not-a-number exist in YAML, not in JSON. */
static bool is_no_number(const char *s, size_t len)
{
	static const char *const words[] = {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF",
		"-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN", NULL};

	return is_one_of(s, len, words);
}

static int resolve_integer(const char *text, int base, json_t **ret)
{
	long long n;

	errno = 0;
	n = strtoll(base == 10 ? text : text + 2, NULL, base);
	if (errno)
		return -ERANGE;
	*ret = json_integer(n);
	return 0;
}

int yaml_scalar_resolve(const char *text, size_t len, json_t **ret)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
	static const char *const trues[] = {"true", "True", "TRUE", NULL};
	static const char *const falses[] = {"false", "False", "FALSE", NULL};
	int base = integer_base(text);

	if (is_one_of(text, len, nulls)) {
		*ret = json_null();
	} else if (is_one_of(text, len, trues)) {
		*ret = json_true();
	} else if (is_one_of(text, len, falses)) {
		*ret = json_false();
	} else if (base) {
		return resolve_integer(text, base, ret);
	} else if (is_no_number(text, len)) {
		return -EDOM;
	} else if (is_float(text)) {
		double d = strtod(text, NULL);

		if (!isfinite(d))
			return -EDOM;
		*ret = json_real(d);
	} else {
		*ret = json_stringn_nocheck(text, len);
	}
	return 0;
}
