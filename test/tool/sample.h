/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_TOOL_SAMPLE_H
#define KILIM_TEST_TOOL_SAMPLE_H
/* Samples of a duration, kept one by one so that percentiles are exact. {0} is the empty set. */
#include <stddef.h>
#include <stdint.h>

struct sample {
	uint32_t *ns; /* longer ones count as UINT32_MAX: four seconds */
	size_t count, capacity;
	double sum_ns;
};

void sample_add(struct sample *s, uint64_t ns);
/* The value below which permille of the samples are; sorts them; 0 when there are none. */
uint32_t sample_permille(struct sample *s, unsigned permille);
/* "p50_us": 1.23, "p90_us" ..., without braces, to stdout. */
void sample_print_us(struct sample *s);
void sample_done(struct sample *s);

#endif
