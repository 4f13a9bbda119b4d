/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines to stderr. Called by programs only. Must hold: one write(2) per line, no secret in a
 * text, and no control character of a name or label in it: neither forged lines nor a terminal that
 * obeys. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

static enum log_level log_max = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	log_max = level;
}

static int prefix(char *buf, size_t size, enum log_level level)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	static const char journal[] = {'3', '4', '6', '7'};
	struct timespec ts;
	struct tm tm;

	if (getenv("JOURNAL_STREAM"))
		return snprintf(buf, size, "<%c>", journal[level]);
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	return snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %-5s ", tm.tm_year + 1900,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, ts.tv_nsec / 1000000,
		names[level]);
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
	SCOPED(str_done) struct str line = {0};
	char text[1024];
	va_list ap;

	if (level > log_max)
		return;
	(void)prefix(text, sizeof(text), level);
	str_printf(&line, "%s%s: ", text, module);
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_add_printable(&line, text);
	str_add(&line, "\n");
	if (write(STDERR_FILENO, str_text(&line), line.len) < 0)
		return; /* nowhere to say so */
}
