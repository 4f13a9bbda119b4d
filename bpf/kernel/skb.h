/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_BPF_KERNEL_SKB_H
#define KILIM_BPF_KERNEL_SKB_H
/* The packet's bytes. The twin has a header of this name with the same functions over its own
 * packets. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

static __always_inline void *skb_data(const struct __sk_buff *skb)
{
	return (void *)(long)skb->data;
}

static __always_inline void *skb_data_end(const struct __sk_buff *skb)
{
	return (void *)(long)skb->data_end;
}

#endif
