/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jiffies and their frequency. Called by load.c and flow.c. Must hold: an unknown frequency is an
 * error; a wrong one would make timeouts wrong by a factor.
 */
#include "datapath/clock.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "abi/clock.h"
#include "clock.skel.h"
#include "datapath/diagnosis.h"

enum { SECOND = 1000000000, BOOT_SECONDS = 300, SAMPLE_NS = 60 * 1000000, SAMPLES = 5 };

/* The frequency that x is within 4 % of. */
static uint32_t nearest(double x)
{
	static const uint32_t known[] = {100, 250, 300, 1000};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (x > known[i] * 0.96 && x < known[i] * 1.04)
			return known[i];
	}
	return 0;
}

uint32_t clock_hz_of_one(const struct clock *now)
{
	double ticks = (double)(int64_t)(now->jiffies - (1ull << 32));
	double seconds = (double)now->mono_ns / SECOND - BOOT_SECONDS;

	/* near the start's 300 seconds both are near 0 */
	return seconds < 30 && seconds > -30 ? 0 : nearest(ticks / seconds);
}

uint32_t clock_hz_of_two(const struct clock *before, const struct clock *after)
{
	if (after->mono_ns <= before->mono_ns)
		return 0;
	return nearest((double)(after->jiffies - before->jiffies) * SECOND /
		       (double)(after->mono_ns - before->mono_ns));
}

int clock_now(struct clock_bpf *c, struct clock *ret)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ret, .ctx_size_in = sizeof(*ret));

	return bpf_prog_test_run_opts(bpf_program__fd(c->progs.clock_read), &opts) < 0 ? -errno : 0;
}

/* Two readings with time between them; longer when ticks and time do not fit. */
static uint32_t hz_by_waiting(struct clock_bpf *c)
{
	struct clock before = {0}, after = {0};

	if (clock_now(c, &before))
		return 0;
	for (int i = 1; i <= SAMPLES; i++) {
		struct timespec ts = {.tv_nsec = (long)SAMPLE_NS * i};
		uint32_t hz;

		(void)nanosleep(&ts, NULL);
		if (clock_now(c, &after))
			return 0;
		hz = clock_hz_of_two(&before, &after);
		if (hz)
			return hz;
	}
	return 0;
}

int clock_open(struct clock_bpf **ret, uint32_t *ret_hz, struct err *e)
{
	struct clock now = {0};
	struct clock_bpf *c;
	int r;

	diagnosis_begin();
	c = clock_bpf__open_and_load();
	if (!c)
		return diagnosis_set(e, -errno, "load the clock program");
	r = clock_now(c, &now);
	if (!r) {
		*ret_hz = clock_hz_of_one(&now);
		if (!*ret_hz)
			*ret_hz = hz_by_waiting(c);
		r = *ret_hz ? 0 : -ERANGE;
	}
	if (r) {
		clock_close(c);
		return err_set(
			e, r, "the kernel's tick frequency cannot be told: %s", strerror(-r));
	}
	*ret = c;
	return 0;
}

void clock_close(struct clock_bpf *c)
{
	clock_bpf__destroy(c);
}

uint64_t clock_jiffies(uint64_t ns, uint32_t hz)
{
	return ns / SECOND * hz + (ns % SECOND * hz + SECOND - 1) / SECOND;
}
