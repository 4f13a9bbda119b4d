/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_CLOCK_H
#define KILIM_DATAPATH_CLOCK_H
/* The kernel's jiffies: flows expire by them. */
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct clock;
struct clock_bpf;

/* Load the program that tells, and find the tick's frequency. */
int clock_open(struct clock_bpf **ret, uint32_t *ret_hz, struct err *e) MUST_USE;
void clock_close(struct clock_bpf *c);
int clock_now(struct clock_bpf *c, struct clock *ret) MUST_USE;
/* Round up: a timeout is never shorter than configured. */
uint64_t clock_jiffies(uint64_t ns, uint32_t hz);
/*
 * The frequency by one reading (jiffies64 begins at 2^32 - 300 HZ when the kernel starts, as the
 * monotonic clock begins at 0), or by the difference of two. 0: the readings fit none that kernels
 * are built with.
 */
uint32_t clock_hz_of_one(const struct clock *now);
uint32_t clock_hz_of_two(const struct clock *before, const struct clock *after);

#endif
