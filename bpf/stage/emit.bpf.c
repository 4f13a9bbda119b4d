/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stage emit, the last one. Called with the outcome of a packet. Must hold: an event that finds the
 * ring full is counted, by type, so that written + lost = seen.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi/identity.h"
#include "stage/emit.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENT_RING_BYTES);
} events SEC(".maps");

struct packet_count_map packet_count SEC(".maps");
struct counter_map counter SEC(".maps");

static __always_inline __u8 event_flags(const struct pkt *p, __u32 reason)
{
	__u8 flags = 0;

	if (p->flags & PKT_REPLY)
		flags |= EVENT_REPLY;
	if (!reason || (p->flags & PKT_FOUND))
		flags |= EVENT_REPLY_KNOWN;
	if (p->flags & PKT_NEW)
		flags |= EVENT_NEW;
	if (p->flags & PKT_RELATED)
		flags |= EVENT_RELATED;
	if (p->flags & PKT_FOUND)
		flags |= EVENT_AGAIN;
	if (p->judged & 1 << POLICY_INGRESS)
		flags |= EVENT_JUDGED_INGRESS;
	if (p->judged & 1 << POLICY_EGRESS)
		flags |= EVENT_JUDGED_EGRESS;
	if (reason == DROP_POLICY_DENIED || reason == DROP_POLICY_DENY)
		flags |= p->denied == POLICY_INGRESS ? EVENT_INGRESS : 0;
	else
		flags |= p->hook == HOOK_INGRESS || p->action == FLOW_PEER ? EVENT_INGRESS : 0;
	return flags;
}

static __always_inline __u8 trace_point(const struct pkt *p)
{
	if (p->action != FLOW_STACK)
		return TRACE_TO_ENDPOINT;
	return p->end[p->flags & PKT_REPLY ? 0 : 1].identity == IDENTITY_HOST ? TRACE_TO_HOST
									      : TRACE_TO_STACK;
}

static __always_inline void fill_addresses(struct event *e, const struct pkt *p)
{
	e->source = p->sender;
	e->destination = p->destination;
	e->protocol = p->protocol;
	e->source_port = p->source_port;
	e->destination_port = p->destination_port;
	if (p->flags & PKT_RELATED)
		e->protocol = p->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	if (e->protocol == IPPROTO_ICMP || e->protocol == IPPROTO_ICMPV6)
		e->source_port = bpf_htons((__u16)(p->icmp_type << 8 | p->icmp_code));
}

static __always_inline void fill_ends(struct event *e, const struct pkt *p)
{
	int reply = !!(p->flags & PKT_REPLY);

	e->source_identity = reply ? p->end[1].identity : p->end[0].identity;
	e->source_endpoint = reply ? p->end[1].endpoint : p->end[0].endpoint;
	e->destination_identity = reply ? p->end[0].identity : p->end[1].identity;
	e->destination_endpoint = reply ? p->end[0].endpoint : p->end[1].endpoint;
	e->decision[POLICY_INGRESS] = p->decision[POLICY_INGRESS];
	e->decision[POLICY_EGRESS] = p->decision[POLICY_EGRESS];
}

static volatile __u64 woken_ns; /* when the reader was woken last */

/*
 * Other CPUs may do the same at the same time: then it is woken twice. Force, because the kernel's
 * own rule wakes only a reader that has read everything, and this one has what came in between to
 * read.
 */
static __always_inline __u64 wake_flags(__u64 now_ns)
{
	if (now_ns - woken_ns < EVENT_WAKE_NS)
		return BPF_RB_NO_WAKEUP;
	woken_ns = now_ns;
	return BPF_RB_FORCE_WAKEUP;
}

__noinline int emit_event(struct pkt *p, __u32 reason)
{
	struct event *e;

	if (!p)
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		count(reason ? COUNTER_EVENT_LOST_DROP : COUNTER_EVENT_LOST_TRACE);
		return 0;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->time_ns = p->time_ns ? p->time_ns : bpf_ktime_get_ns();
	e->type = reason ? EVENT_DROP : EVENT_TRACE;
	e->reason = (__u8)reason;
	e->point = reason ? 0 : trace_point(p);
	e->flags = event_flags(p, reason);
	e->tcp_flags = p->tcp_flags;
	e->family = p->family;
	e->state = p->state;
	e->length = p->length;
	e->ifindex = p->ifindex;
	e->ingress_ifindex = p->ingress_ifindex;
	e->revision = (__u32)(p->current >> 32);
	e->domain = p->domain;
	e->ethertype = p->ethertype;
	e->file_line = reason ? p->file_line : 0;
	e->cpu = bpf_get_smp_processor_id();
	__builtin_memcpy(e->smac, p->smac, sizeof(e->smac));
	__builtin_memcpy(e->dmac, p->dmac, sizeof(e->dmac));
	fill_addresses(e, p);
	fill_ends(e, p);
	bpf_ringbuf_submit(e, wake_flags(e->time_ns));
	count(reason ? COUNTER_EVENT_DROP : COUNTER_EVENT_TRACE);
	return 0;
}
