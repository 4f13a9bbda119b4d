/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TWIN_SHIM_SKB_H
#define KILIM_TWIN_SHIM_SKB_H
/* Stands before bpf/kernel/skb.h: the packet's bytes lie behind real pointers. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

void *twin_skb_data(const struct __sk_buff *skb);

static __always_inline void *skb_data(const struct __sk_buff *skb)
{
	return twin_skb_data(skb);
}

static __always_inline void *skb_data_end(const struct __sk_buff *skb)
{
	return (char *)twin_skb_data(skb) + skb->len;
}

#endif
