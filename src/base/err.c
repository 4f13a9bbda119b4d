/* SPDX-License-Identifier: Apache-2.0 */
/* Error texts. Called by every module that has a person to answer to; owns nothing, allocates
 * nothing. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return code;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char text[sizeof(e->text)];
	va_list ap;
	size_t len;

	if (!e)
		return 0;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	len = strlen(text);
	for (const char *part = ": "; part; part = part == e->text ? NULL : e->text) {
		size_t n = strlen(part), room = sizeof(text) - 1 - len;

		n = n < room ? n : room;
		memcpy(text + len, part, n);
		len += n;
	}
	text[len] = 0;
	memcpy(e->text, text, len + 1);
	return e->code;
}
