/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_BPF_PKT_H
#define KILIM_BPF_PKT_H
/*
 * What the stages of the first-packet path know about one packet. It lives on the stack of the
 * program at the attach point and is handed down the line; stages return 0 to go on, a negative
 * drop reason, or PKT_DONE when nothing is left to do.
 */
#include <linux/bpf.h>

#include "abi/drop.h"
#include "abi/event.h"
#include "abi/flow.h"
#include "abi/policy.h"
#include <kernel/skb.h>

enum { PKT_DONE = 1 };

/* What tc programs return (linux/pkt_cls.h); netkit's values are the same. */
enum { VERDICT_PASS = 0, VERDICT_DROP = 2 };

/* Where the packet is. */
enum hook {
	HOOK_EGRESS, /* an endpoint sends it */
	HOOK_INGRESS, /* the stack sends it to an endpoint */
};

enum pkt_flag {
	PKT_STATELESS =
		1 << 0, /* no flow is looked up or made: ICMP that is neither echo nor error */
	PKT_RELATED = 1 << 1, /* ICMP error: tuple is that of the flow it is about, turned round */
	PKT_FOUND = 1 << 2, /* its flow exists, but must be judged again */
	PKT_REPLACE = 1 << 3, /* a dead entry with this key is in the way */
	PKT_REPLY = 1 << 4, /* it goes against the direction in which the flow was opened */
	PKT_NEW = 1 << 5, /* it opened its flow */
	PKT_TRACE = 1 << 6, /* worth an event though nothing was judged: first answer, TCP SYN, FIN,
			       RST */
	PKT_QUIET = 1 << 7, /* dropped as a matter of course: counted, no event */
};

enum echo { ECHO_NONE, ECHO_REQUEST, ECHO_REPLY };

/* Which part of a datagram it is. */
enum part { PART_WHOLE, PART_FIRST, PART_LATER };

/* One end of the flow in the direction of its opening: end[0] opened it. */
struct end {
	__u32 identity;
	__u32 peer; /* what it goes by in the other's policy */
	__u32 ifindex; /* of the node's side, 0 when not of this node */
	__u8 mac[6]; /* MACs are on words: the verifier wants stack access aligned */
	__u16 endpoint; /* id, 0 when not of this node */
	__u8 host_mac[6];
	__u16 pad;
};

struct pkt {
	struct addr source, destination; /* as it travels; of the flow for PKT_RELATED */
	struct addr sender; /* source in the packet's own header */
	__u8 echo; /* enum echo */
	__u8 flags; /* enum pkt_flag */
	__u8 icmp_type, icmp_code; /* of the packet itself */
	__u8 ttl;
	__u8 flow_flags; /* enum flow_flag of the flow as far as known */
	__u8 state; /* enum flow_state */
	__u8 action; /* enum flow_action */
	__u8 denied; /* enum policy_direction that said no */
	__u8 judged; /* bit per enum policy_direction */
	__u8 part; /* enum part */
	__u8 pad0;
	__u32 length; /* from the Ethernet header on */
	__u32 ifindex, ingress_ifindex;
	__u32 to; /* FLOW_PEER: ifindex */
	__u32 file_line;
	__u32 fragment_id; /* as in the header */
	__u64 time_ns; /* when it was read, 0: not yet */
	__u64 current; /* struct state at the time of judging */
	struct end end[2];
	struct event_decision decision[POLICY_DIRECTIONS];
	__u8 smac[6]; /* Ethernet header as it came */
	__u16 ethertype; /* host byte order */
	__u8 dmac[6];
	__u16 l4_offset;
	__u8 new_smac[6]; /* FLOW_PEER: as it leaves */
	__u16 domain;
	__u8 new_dmac[6];
	__u16 pad;
	/* the last eight bytes are what the known-flow path has of every packet */
	__be16 source_port, destination_port;
	__u8 protocol; /* of the flow: for PKT_RELATED that of the packet it is about */
	__u8 tcp_flags;
	__u8 family; /* 4 or 6 */
	__u8 hook; /* enum hook */
};

_Static_assert(sizeof(struct pkt) == 224, "no hole in what is cleared");

/* len bytes (a constant) at offset, from the linear part when they are there. 0, or -1 when the
 * packet is too short. */
static __always_inline int pkt_read(const struct __sk_buff *skb, __u16 offset, void *to, __u32 len)
{
	void *from = skb_data(skb) + offset;

	if (from + len <= skb_data_end(skb)) {
		__builtin_memcpy(to, from, len);
		return 0;
	}
	return bpf_skb_load_bytes(skb, offset, to, len) ? -1 : 0;
}

/* Remember where a packet was dropped; the value is what a stage returns. */
static __always_inline int pkt_drop(struct pkt *p, __u32 stage, __u32 line, int reason)
{
	p->file_line = stage << 16 | line;
	return -reason;
}

/* return DROP(p, INVALID_PACKET); in a file that has defined STAGE_HERE. */
#define DROP(p, reason) pkt_drop(p, STAGE_HERE, __LINE__, DROP_##reason)

static __always_inline int mac_equal(const __u8 *a, const __u8 *b)
{
	return *(const __u32 *)a == *(const __u32 *)b &&
	       *(const __u16 *)(a + 4) == *(const __u16 *)(b + 4);
}

static __always_inline void mac_copy(__u8 *to, const __u8 *from)
{
	*(__u32 *)to = *(const __u32 *)from;
	*(__u16 *)(to + 4) = *(const __u16 *)(from + 4);
}

static __always_inline int addr_equal(const struct addr *a, const struct addr *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1] && a->word[2] == b->word[2] &&
	       a->word[3] == b->word[3];
}

static __always_inline int addr_none(const struct addr *a)
{
	return !(a->word[0] | a->word[1] | a->word[2] | a->word[3]);
}

#endif
