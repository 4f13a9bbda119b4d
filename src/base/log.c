/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines to stderr. Called by programs only. Must hold: one write(2) per line, no secret in a
 * text. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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
	char line[1024];
	va_list ap;
	int n, m;

	if (level > log_max)
		return;
	n = prefix(line, sizeof(line), level);
	n += snprintf(line + n, sizeof(line) - (size_t)n, "%s: ", module);
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	if (m > 0)
		n += m;
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return; /* nowhere to say so */
}
