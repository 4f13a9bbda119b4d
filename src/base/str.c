/* SPDX-License-Identifier: Apache-2.0 */
/* Growing strings and strict number parsing. Called everywhere on the user side; owns only what its
 * struct str holds. */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void str_addn(struct str *s, const void *bytes, size_t len)
{
	mem_grow(&s->text, &s->capacity, s->len + len + 1, 1);
	if (len)
		memcpy(s->text + s->len, bytes, len);
	s->len += len;
	s->text[s->len] = 0;
}

void str_add(struct str *s, const char *text)
{
	str_addn(s, text, strlen(text));
}

void str_vprintf(struct str *s, const char *fmt, va_list ap)
{
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	if (len >= 0) {
		mem_grow(&s->text, &s->capacity, s->len + (size_t)len + 1, 1);
		vsnprintf(s->text + s->len, (size_t)len + 1, fmt, again);
		s->len += (size_t)len;
	}
	va_end(again);
}

void str_printf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(s, fmt, ap);
	va_end(ap);
}

const char *str_text(const struct str *s)
{
	return s->text ? s->text : "";
}

char *str_take(struct str *s)
{
	char *text = s->text ? s->text : mem_strdup("");

	*s = (struct str){0};
	return text;
}

void str_done(struct str *s)
{
	free(s->text);
	*s = (struct str){0};
}

bool str_has_prefix(const char *s, const char *prefix)
{
	return s && !strncmp(s, prefix, strlen(prefix));
}

bool str_has_suffix(const char *s, const char *suffix)
{
	size_t len = s ? strlen(s) : 0, slen = strlen(suffix);

	return s && len >= slen && !strcmp(s + len - slen, suffix);
}

int str_to_u64(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	if (!s || !*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(n, 10u, &n) ||
			__builtin_add_overflow(n, (uint64_t)(*s - '0'), &n))
			return -ERANGE;
	}
	if (n > max)
		return -ERANGE;
	*ret = n;
	return 0;
}

static uint64_t unit_ns(const char *unit, size_t len)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000},
		{"m", 60000000000}, {"h", 3600000000000}};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == len && !strncmp(unit, units[i].name, len))
			return units[i].ns;
	}
	return 0;
}

int str_to_duration(const char *s, uint64_t *ret_ns)
{
	uint64_t total = 0;

	if (!s || !*s)
		return -EINVAL;
	while (*s) {
		uint64_t n = 0, ns = 1000000000;
		const char *digits = s, *unit;

		for (; isdigit((unsigned char)*s); s++) {
			if (__builtin_mul_overflow(n, 10u, &n) ||
				__builtin_add_overflow(n, (uint64_t)(*s - '0'), &n))
				return -EINVAL;
		}
		if (s == digits)
			return -EINVAL;
		for (unit = s; isalpha((unsigned char)*s); s++)
			;
		if (s != unit)
			ns = unit_ns(unit, (size_t)(s - unit));
		else if (*s)
			return -EINVAL;
		if (!ns || __builtin_mul_overflow(n, ns, &n) ||
			__builtin_add_overflow(total, n, &total))
			return -EINVAL;
	}
	*ret_ns = total;
	return 0;
}

/* How many bytes at text are one character that a terminal obeys instead of showing it: controls
 * (C1 ones arrive in UTF-8 as 0xc2 0x80..0x9f), and what breaks lines or turns around the direction
 * of writing (U+061C, U+200E, U+200F, U+2028..U+202E, U+2066..U+2069). */
static size_t control_bytes(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	if (c[0] < 0x20 || c[0] == 0x7f)
		return 1;
	if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
		return 2;
	if (c[0] == 0xd8 && c[1] == 0x9c)
		return 2;
	if (c[0] != 0xe2)
		return 0;
	if (c[1] == 0x80 && ((c[2] >= 0xa8 && c[2] <= 0xae) || c[2] == 0x8e || c[2] == 0x8f))
		return 3;
	return c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9 ? 3 : 0;
}

void str_add_printable(struct str *s, const char *text)
{
	while (*text) {
		size_t n = control_bytes(text);

		str_addn(s, n ? "?" : text, 1);
		text += n ? n : 1;
	}
}

unsigned str_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned row[64];

	if (la > 63 || lb > 63)
		return 64;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned up = row[j], best = diagonal + (a[i - 1] != b[j - 1]);

			if (up + 1 < best)
				best = up + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = up;
			row[j] = best;
		}
	}
	return row[lb];
}
