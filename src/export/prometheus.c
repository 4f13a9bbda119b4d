/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes metrics in Prometheus' text format. Called by the agent, which knows the numbers. Must
 * hold: label values and help are escaped, so that no name of a workload can end a line or a quote.
 */
#include "export/prometheus.h"

#include <inttypes.h>
#include <stdarg.h>

static void add_escaped(struct str *out, const char *text, bool quoted)
{
	for (; *text; text++) {
		if (*text == '\n')
			str_add(out, "\\n");
		else if (*text == '\\')
			str_add(out, "\\\\");
		else if (*text == '"' && quoted)
			str_add(out, "\\\"");
		else
			str_addn(out, text, 1);
	}
}

void prometheus_begin(struct str *out, const char *name, const char *type, const char *help)
{
	str_printf(out, "# HELP %s ", name);
	add_escaped(out, help, false);
	str_printf(out, "\n# TYPE %s %s\n", name, type);
}

static void add_series(struct str *out, const char *name, va_list ap)
{
	const char *label;
	char open = '{';

	str_add(out, name);
	while ((label = va_arg(ap, const char *))) {
		str_printf(out, "%c%s=\"", open, label);
		add_escaped(out, va_arg(ap, const char *), true);
		str_add(out, "\"");
		open = ',';
	}
	str_add(out, open == ',' ? "} " : " ");
}

void prometheus_count(struct str *out, const char *name, uint64_t value, ...)
{
	va_list ap;

	va_start(ap, value);
	add_series(out, name, ap);
	va_end(ap);
	str_printf(out, "%" PRIu64 "\n", value);
}

void prometheus_value(struct str *out, const char *name, double value, ...)
{
	va_list ap;

	va_start(ap, value);
	add_series(out, name, ap);
	va_end(ap);
	str_printf(out, "%.17g\n", value);
}

void prometheus_single(
	struct str *out, const char *name, const char *type, const char *help, uint64_t value)
{
	prometheus_begin(out, name, type, help);
	prometheus_count(out, name, value, NULL);
}
