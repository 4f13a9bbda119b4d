/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_EXPORT_PROMETHEUS_H
#define KILIM_EXPORT_PROMETHEUS_H
/* Metrics as Prometheus text (exposition format 0.0.4): pure functions that add to a string. */
#include <stdint.h>

#include "base/str.h"

#define PROMETHEUS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Lines before the samples of a metric; type is counter or gauge. Once per name. */
void prometheus_begin(struct str *out, const char *name, const char *type, const char *help);
/* One sample. Labels follow as pairs of name and value, ended by NULL. */
void prometheus_count(struct str *out, const char *name, uint64_t value, ...)
	__attribute__((sentinel));
void prometheus_value(struct str *out, const char *name, double value, ...)
	__attribute__((sentinel));
/* Both at once, for a metric of one sample without labels. */
void prometheus_single(
	struct str *out, const char *name, const char *type, const char *help, uint64_t value);

#endif
