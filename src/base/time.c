/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks. The only place of the user side that reads them; core code gets times as arguments. */
#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t time_mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t time_wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

const char *time_format(uint64_t wall_ns, char buf[TIME_TEXT])
{
	time_t s = (time_t)(wall_ns / 1000000000u);
	struct tm tm;
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(buf, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, TIME_TEXT - n, ".%09uZ", (unsigned)(wall_ns % 1000000000u));
	return buf;
}

int time_parse(const char *s, uint64_t *ret_wall_ns)
{
	struct tm tm = {0};
	const char *p = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	uint64_t fraction = 0, scale = 1000000000u;
	long offset = 0;
	time_t t;

	if (!p)
		return -EINVAL;
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++) {
			if (scale > 1) {
				scale /= 10;
				fraction += (uint64_t)(*p - '0') * scale;
			}
		}
	}
	if (*p == 'Z') {
		p++;
	} else if (*p == '+' || *p == '-') {
		unsigned h, m;
		int used = 0;

		if (sscanf(p + 1, "%2u:%2u%n", &h, &m, &used) != 2 || used != 5 || h > 23 || m > 59)
			return -EINVAL;
		offset = (long)(h * 3600 + m * 60) * (*p == '-' ? -1 : 1);
		p += 6;
	} else {
		return -EINVAL;
	}
	t = timegm(&tm) - offset;
	if (*p || t < 0)
		return -EINVAL;
	*ret_wall_ns = (uint64_t)t * 1000000000u + fraction;
	return 0;
}
