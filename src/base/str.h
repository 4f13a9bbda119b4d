/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_BASE_STR_H
#define KILIM_BASE_STR_H
/* Strings: a growing buffer for output, and strict parsing of numbers. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* A growing string; {0} is the empty one. text is NUL-terminated, or NULL while nothing was added.
 */
struct str {
	char *text;
	size_t len, capacity;
};

void str_printf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_vprintf(struct str *s, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const void *bytes, size_t len);
/* The text, never NULL; still owned by s. */
const char *str_text(const struct str *s);
/* The text as a string of the caller's own (free() it); s is empty afterwards. Never NULL. */
char *str_take(struct str *s);
void str_done(struct str *s); /* for SCOPED too */

static inline bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && !__builtin_strcmp(a, b));
}
bool str_has_prefix(const char *s, const char *prefix);
bool str_has_suffix(const char *s, const char *suffix);
/* The whole of s as a decimal number of at most max, or -EINVAL (not a number) or -ERANGE. No sign,
 * no blanks. */
int str_to_u64(const char *s, uint64_t max, uint64_t *ret) MUST_USE;
/* A duration such as 500ms, 8000s, 2h13m20s or a bare number of seconds, to nanoseconds. -EINVAL.
 */
int str_to_duration(const char *s, uint64_t *ret_ns) MUST_USE;
/* Copy with every control character (below 0x20, 0x7f, C1) replaced by '?': workload-controlled
 * text for a terminal. */
void str_add_printable(struct str *s, const char *text);
/* Damerau-Levenshtein-like distance, for "did you mean"; both at most 63 characters, longer ones
 * count as far. */
unsigned str_distance(const char *a, const char *b);

#endif
