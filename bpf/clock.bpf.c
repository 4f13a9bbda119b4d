/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tells the kernel's clocks. Run by the loader before anything else is loaded, since timeouts are
 * in jiffies and the tick's frequency is a constant of the kernel's build; and whenever flows are
 * listed.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/clock.h"

SEC("syscall")
int clock_read(struct clock *c)
{
	c->jiffies = bpf_jiffies64();
	c->mono_ns = bpf_ktime_get_ns();
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
