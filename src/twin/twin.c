/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs packets through the data path in user space: what an skb is here, the helpers that touch it,
 * the clocks. Called through twin.h, and by the data path through the shim. Must hold: a helper
 * fails where the kernel's fails, and each packet lies in an allocation of exactly its length, so
 * that a sanitizer sees what reads beyond it.
 */
#include "twin/twin.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "abi/flow.h"
#include "abi/metric.h"
#include "twin/gate.h"
#include "twin/map.h"
#include "twin/shim/bpf/bpf_helpers.h"
#include "twin/shim/kernel/skb.h"

enum {
	HEADROOM = 2, /* puts the IP header on a word, as the kernel's NET_IP_ALIGN does */
	TAIL_MAX = 65535 + 65535, /* beyond any frame here */
	PACKET_TYPES = 4, /* PACKET_HOST .. PACKET_OTHERHOST */
	ETHERTYPE_MIN = 0x600, /* below it is a length */
	ETHERTYPE_802_2 = 0x0004,
	JIFFIES_AT_START = 1000000,
};

struct skb {
	struct __sk_buff skb; /* what programs see; its data and data_end are not used */
	uint8_t *memory; /* HEADROOM and skb.len bytes */
	uint32_t redirect;
};

static uint64_t now_jiffies = JIFFIES_AT_START, now_ns = 1;
static struct skb *running;

static struct skb *skb_of(const struct __sk_buff *skb)
{
	assert(running && skb == &running->skb);
	return running;
}

void *twin_skb_data(const struct __sk_buff *skb)
{
	return skb_of(skb)->memory + HEADROOM;
}

static bool is_inside(const struct __sk_buff *skb, uint32_t offset, uint32_t len)
{
	return offset <= INT_MAX && (uint64_t)offset + len <= skb->len;
}

long twin_skb_load(const struct __sk_buff *skb, __u32 offset, void *to, __u32 len)
{
	if (!is_inside(skb, offset, len)) {
		memset(to, 0, len);
		return -EFAULT;
	}
	memcpy(to, (uint8_t *)twin_skb_data(skb) + offset, len);
	return 0;
}

long twin_skb_store(struct __sk_buff *skb, __u32 offset, const void *from, __u32 len, __u64 flags)
{
	if (flags & ~(__u64)(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
		return -EINVAL;
	if (!is_inside(skb, offset, len))
		return -EFAULT;
	memcpy((uint8_t *)twin_skb_data(skb) + offset, from, len);
	return 0;
}

/* All bytes are in one piece here. */
long twin_skb_pull(const struct __sk_buff *skb, __u32 len)
{
	return len <= skb->len ? 0 : -ENOMEM;
}

long twin_skb_change_tail(struct __sk_buff *skb, __u32 len, __u64 flags)
{
	struct skb *s = skb_of(skb);
	uint8_t *memory;

	if (flags || len > TAIL_MAX || len < ETHER_HDR_LEN)
		return -EINVAL;
	memory = mem_alloc(HEADROOM + len);
	memcpy(memory + HEADROOM, s->memory + HEADROOM, len < skb->len ? len : skb->len);
	free(s->memory);
	s->memory = memory;
	skb->len = len;
	return 0;
}

long twin_skb_change_type(struct __sk_buff *skb, __u32 type)
{
	if (type >= PACKET_TYPES)
		return -EINVAL;
	skb->pkt_type = type;
	return 0;
}

long twin_redirect_peer(__u32 ifindex, __u64 flags)
{
	if (flags)
		return TWIN_DROP;
	running->redirect = ifindex;
	return TWIN_REDIRECT;
}

__u64 twin_jiffies(void)
{
	return now_jiffies;
}

__u64 twin_ktime_ns(void)
{
	return now_ns;
}

void twin_clock(uint64_t jiffies, uint64_t mono_ns)
{
	now_jiffies = jiffies;
	now_ns = mono_ns;
}

struct dp_config *twin_config(void)
{
	return twin_gate_config();
}

void twin_reset(void)
{
	twin_maps_reset();
	memset(twin_gate_config(), 0, sizeof(struct dp_config));
	twin_clock(JIFFIES_AT_START, 1);
}

/* As eth_type_trans(). */
static uint32_t ethertype(const struct twin_packet *p)
{
	uint16_t type;

	if (p->len < ETHER_HDR_LEN)
		return 0;
	memcpy(&type, p->bytes + 12, sizeof(type));
	return ntohs(type) >= ETHERTYPE_MIN ? type : htons(ETHERTYPE_802_2);
}

void twin_run(struct twin_packet *p)
{
	struct skb s = {
		.skb =
			{
				.len = (uint32_t)p->len,
				.protocol = p->slow ? 0 : ethertype(p),
				.vlan_present = p->vlan,
				.ifindex = p->ifindex,
				.ingress_ifindex = p->ingress_ifindex,
			},
		.memory = mem_alloc(HEADROOM + p->len),
	};

	assert(!running);
	memcpy(s.memory + HEADROOM, p->bytes, p->len);
	running = &s;
	p->action = p->hook == TWIN_EGRESS ? twin_gate_egress(&s.skb) : twin_gate_ingress(&s.skb);
	running = NULL;
	assert(s.skb.len <= p->room);
	p->len = s.skb.len;
	memcpy(p->bytes, s.memory + HEADROOM, p->len);
	p->redirect = p->action == TWIN_REDIRECT ? s.redirect : 0;
	free(s.memory);
	twin_maps_settle();
}

bool twin_event(struct event *ret)
{
	return twin_ring_take(ret, sizeof(*ret));
}

static void counter_add(enum counter which, uint64_t n)
{
	uint32_t key = which;
	uint64_t *value = twin_map_lookup(twin_map("counter"), &key);

	*value += n;
}

struct sweep {
	struct twin_map *map;
	size_t removed;
};

static int sweep_entry(const void *key, void *value, void *data)
{
	const struct flow *f = value;
	struct sweep *s = data;

	if (f->expires < now_jiffies && !twin_map_delete(s->map, key))
		s->removed++;
	return 0;
}

size_t twin_collect(void)
{
	static const char *const name[] = {"flow4", "flow6", "half4", "half6"};
	struct sweep s = {0};

	for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
		s.map = twin_map(name[i]);
		twin_map_each(s.map, sweep_entry, &s);
	}
	counter_add(COUNTER_FLOW_COLLECTED, s.removed);
	counter_add(COUNTER_FLOW_SWEEPS, 1);
	twin_maps_settle();
	return s.removed;
}
