/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_ABI_CLOCK_H
#define KILIM_ABI_CLOCK_H
/* Contexts of the programs that user space runs to ask the kernel something (clock, census). */
#include <linux/types.h>

/* Program clock_read: both clocks at one moment. */
struct clock {
	__u64 jiffies; /* jiffies64, which flows expire by */
	__u64 mono_ns; /* CLOCK_MONOTONIC */
};

/* Program census_take: entries of the flow maps. */
struct census {
	__u64 flow4, flow6, half4, half6;
	__u64 known; /* 1: the kernel can tell (6.6), else nothing is filled */
};

#endif
