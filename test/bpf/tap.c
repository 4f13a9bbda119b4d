/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes TAP for the tests that are tables. Called by their main(). Must hold: the notes stand
 * behind the line that they explain.
 */
#include "bpf/tap.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

static struct str notes;
static unsigned lines, failed;

void tap_note(const char *format, ...)
{
	va_list ap;

	str_add(&notes, "# ");
	va_start(ap, format);
	str_vprintf(&notes, format, ap);
	va_end(ap);
	str_add(&notes, "\n");
}

bool tap_ok(bool ok, const char *format, ...)
{
	va_list ap;

	failed += !ok;
	printf("%s %u - ", ok ? "ok" : "not ok", ++lines);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n%s", ok ? "" : str_text(&notes));
	fflush(stdout);
	str_done(&notes);
	notes = (struct str){0};
	return ok;
}

void tap_skip(const char *reason, const char *format, ...)
{
	va_list ap;

	printf("ok %u - ", ++lines);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf(" # SKIP %s\n", reason);
}

int tap_done(void)
{
	printf("1..%u\n", lines);
	return failed ? 1 : 0;
}

int tap_skip_all(const char *reason)
{
	printf("1..0 # SKIP %s\n", reason);
	return 0;
}
