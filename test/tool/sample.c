/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations and their percentiles. Called by rr and cnidrive. Samples are sorted in place when a
 * percentile is asked for, so all adding comes first.
 */
#include "test/tool/sample.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

void sample_add(struct sample *s, uint64_t ns)
{
	if (s->count == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 1 << 16;
		s->ns = realloc(s->ns, s->capacity * sizeof(*s->ns));
		if (!s->ns)
			err(1, "samples");
	}
	s->ns[s->count++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
	s->sum_ns += (double)ns;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

uint32_t sample_permille(struct sample *s, unsigned permille)
{
	if (!s->count)
		return 0;
	qsort(s->ns, s->count, sizeof(*s->ns), compare);
	return s->ns[(s->count - 1) * permille / 1000];
}

void sample_print_us(struct sample *s)
{
	printf("\"p50_us\": %.3f, \"p90_us\": %.3f, \"p99_us\": %.3f, \"max_us\": %.3f, "
	       "\"mean_us\": %.3f",
		sample_permille(s, 500) / 1e3, sample_permille(s, 900) / 1e3,
		sample_permille(s, 990) / 1e3, sample_permille(s, 1000) / 1e3,
		s->count ? s->sum_ns / 1e3 / (double)s->count : 0);
}

void sample_done(struct sample *s)
{
	free(s->ns);
	*s = (struct sample){0};
}
