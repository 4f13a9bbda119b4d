/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_BASE_TIME_H
#define KILIM_BASE_TIME_H
/* Clocks and their text forms. All values are nanoseconds. */
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

enum { TIME_TEXT = 36 }; /* bytes that time_format() needs */

uint64_t time_mono_ns(void); /* CLOCK_MONOTONIC, as bpf_ktime_get_ns() */
uint64_t time_wall_ns(void); /* CLOCK_REALTIME since 1970 */
/* RFC 3339 in UTC with nanoseconds: 2026-11-24T02:27:53.000000001Z */
const char *time_format(uint64_t wall_ns, char buf[TIME_TEXT]);
/* RFC 3339 (Z or offset, any number of fraction digits) to nanoseconds since 1970; -EINVAL. */
int time_parse(const char *s, uint64_t *ret_wall_ns) MUST_USE;

#endif
