/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TWIN_SHIM_BPF_HELPERS_H
#define KILIM_TWIN_SHIM_BPF_HELPERS_H
/*
 * Stands before libbpf's header of this name when the data path is compiled for user space: the
 * same words, over maps and packets in memory. Every place that names a map leaves a record of it
 * in the section twin_uses, so that the twin knows all maps, with their types and sizes, before any
 * packet.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <stddef.h>

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __noinline      __attribute__((noinline))
#define SEC(name)
#define __uint(name, val) int(*name)[val]
#define __type(name, val) __typeof__(val) *name
#define barrier()         __asm__ volatile("" ::: "memory")

struct twin_map;

/* One place in the sources that names a map. */
struct twin_use {
	const char *name; /* with the & before it */
	const void *object; /* tells maps apart */
	__u32 type, max_entries, key_size, value_size;
	struct twin_map *map;
};

#define TWIN_USE(m, key_bytes, value_bytes)                                                        \
	({                                                                                         \
		static struct twin_use use_ = {                                                    \
			.name = #m,                                                                \
			.object = (m),                                                             \
			.type = sizeof(*(m)->type) / sizeof(int),                                  \
			.max_entries = sizeof(*(m)->max_entries) / sizeof(int),                    \
			.key_size = key_bytes,                                                     \
			.value_size = value_bytes,                                                 \
		};                                                                                 \
		static struct twin_use *const link_ __attribute__((used, section("twin_uses"))) =  \
			&use_;                                                                     \
		(void)link_;                                                                       \
		&use_;                                                                             \
	})
#define TWIN_KEYED(m) TWIN_USE(m, sizeof(*(m)->key), sizeof(*(m)->value))

#define bpf_map_lookup_elem(m, key)               twin_use_lookup(TWIN_KEYED(m), key)
#define bpf_map_update_elem(m, key, value, flags) twin_use_update(TWIN_KEYED(m), key, value, flags)
#define bpf_map_delete_elem(m, key)               twin_use_delete(TWIN_KEYED(m), key)
#define bpf_ringbuf_reserve(m, size, flags)       twin_ring_reserve(TWIN_USE(m, 0, 0), size, flags)
#define bpf_ringbuf_submit(record, flags)         twin_ring_submit(record, flags)
/* No other programs exist here: the array is empty and the caller goes on. */
#define bpf_tail_call_static(ctx, m, index) ((void)(ctx), (void)TWIN_KEYED(m))

#define bpf_skb_load_bytes(skb, offset, to, len) twin_skb_load(skb, offset, to, len)
#define bpf_skb_store_bytes(skb, offset, from, len, flags)                                         \
	twin_skb_store(skb, offset, from, len, flags)
#define bpf_skb_change_tail(skb, len, flags) twin_skb_change_tail(skb, len, flags)
#define bpf_skb_pull_data(skb, len)          twin_skb_pull(skb, len)
#define bpf_skb_change_type(skb, type)       twin_skb_change_type(skb, type)
#define bpf_redirect_peer(ifindex, flags)    twin_redirect_peer(ifindex, flags)
#define bpf_jiffies64()                      twin_jiffies()
#define bpf_ktime_get_ns()                   twin_ktime_ns()
#define bpf_get_smp_processor_id()           0

void *twin_use_lookup(struct twin_use *u, const void *key);
long twin_use_update(struct twin_use *u, const void *key, const void *value, __u64 flags);
long twin_use_delete(struct twin_use *u, const void *key);
void *twin_ring_reserve(struct twin_use *u, __u64 size, __u64 flags);
void twin_ring_submit(void *record, __u64 flags);
long twin_skb_load(const struct __sk_buff *skb, __u32 offset, void *to, __u32 len);
long twin_skb_store(struct __sk_buff *skb, __u32 offset, const void *from, __u32 len, __u64 flags);
long twin_skb_pull(const struct __sk_buff *skb, __u32 len);
long twin_skb_change_tail(struct __sk_buff *skb, __u32 len, __u64 flags);
long twin_skb_change_type(struct __sk_buff *skb, __u32 type);
long twin_redirect_peer(__u32 ifindex, __u64 flags);
__u64 twin_jiffies(void);
__u64 twin_ktime_ns(void);

#endif
