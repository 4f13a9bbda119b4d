/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The collector: a timer in a pinned map that starts a work item, which removes expired flows.
 * Needs no agent: it goes on as long as the map is pinned. Must hold: nothing that has not expired
 * is removed.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/config.h"
#include "kernel/work.h"
#include "stage/emit.h"
#include "stage/flow.h"

struct collector {
	struct bpf_timer timer;
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct collector);
} collector SEC(".maps");

extern const volatile struct dp_config config;

enum { CLOCK_MONOTONIC_ID = 1 };

static long collect(void *map, const void *key, struct flow *f, void *ctx)
{
	(void)ctx;
	if (f->expires < bpf_jiffies64() && !bpf_map_delete_elem(map, key))
		count(COUNTER_FLOW_COLLECTED);
	return 0;
}

static int sweep(void *map, int *key, void *value)
{
	(void)map;
	(void)key;
	(void)value;
	bpf_for_each_map_elem(&flow4, collect, NULL, 0);
	bpf_for_each_map_elem(&flow6, collect, NULL, 0);
	bpf_for_each_map_elem(&half4, collect, NULL, 0);
	bpf_for_each_map_elem(&half6, collect, NULL, 0);
	count(COUNTER_FLOW_SWEEPS);
	return 0;
}

static int tick(void *map, int *key, struct collector *c)
{
	(void)map;
	(void)key;
	bpf_wq_start(&c->work, 0);
	bpf_timer_start(&c->timer, config.sweep_ns, 0);
	return 0;
}

/* Run once by the loader, also over a map that was adopted: the callbacks are then this object's.
 */
SEC("tc")
int collector_start(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct collector *c = bpf_map_lookup_elem(&collector, &zero);

	(void)skb;
	if (!c)
		return 1;
	bpf_timer_init(&c->timer, &collector, CLOCK_MONOTONIC_ID); /* -EBUSY when it was before */
	bpf_wq_init(&c->work, &collector, 0);
	if (bpf_wq_set_callback_impl(&c->work, sweep, 0, NULL))
		return 2;
	if (bpf_timer_set_callback(&c->timer, tick))
		return 3;
	return bpf_timer_start(&c->timer, config.sweep_ns, 0) ? 4 : 0;
}
