/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stage identity. Called by the attach points, first to check the sender of every packet that is
 * not of a known flow, then to find who both ends are. Must hold: an identity comes from a row that
 * the agent wrote, never from the packet alone; an endpoint without ENDPOINT_READY neither sends
 * nor receives.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi/config.h"
#include "abi/endpoint.h"
#include "abi/identity.h"
#include "abi/map.h"
#include "stage/identity.h"

#define STAGE_HERE STAGE_IDENTITY

extern const volatile struct dp_config config;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAP_ENDPOINT_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct endpoint_key);
	__type(value, struct endpoint);
} endpoint SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAP_LOCAL_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct addr_key);
	__type(value, struct endpoint_key);
} local SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAP_IDENTITY_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct identity_key);
	__type(value, struct identity_value);
} identity SEC(".maps");

static __always_inline struct endpoint *endpoint_of_device(__u32 ifindex)
{
	struct endpoint_key key = {.id = ifindex, .kind = ENDPOINT_KIND_DEVICE};

	return bpf_map_lookup_elem(&endpoint, &key);
}

static __always_inline struct endpoint *endpoint_of_addr(__u16 domain, const struct addr *a)
{
	struct addr_key key = {.domain = domain, .addr = *a};
	struct endpoint_key *row = bpf_map_lookup_elem(&local, &key);

	return row ? bpf_map_lookup_elem(&endpoint, row) : NULL;
}

static __always_inline struct identity_value *identity_of_addr(__u16 domain, const struct addr *a)
{
	struct identity_key key = {.prefixlen = 32 + ADDR_BITS, .domain = domain, .addr = *a};

	return bpf_map_lookup_elem(&identity, &key);
}

/* Whether the endpoint has this address; one without IPv6 does not have "::". */
static __always_inline int is_own(const struct endpoint *e, __u8 family, const struct addr *a)
{
	return addr_equal(a, family == 4 ? &e->addr4 : &e->addr6) && !addr_none(a);
}

static __always_inline void end_fill(struct end *end, const struct endpoint *e, __u8 family)
{
	end->identity = e->identity;
	end->peer = (family == 4 ? e->peer[0] : e->peer[1]) ?: e->identity;
	end->endpoint = (__u16)e->id;
	end->ifindex = e->ifindex;
	mac_copy(end->mac, e->mac);
	mac_copy(end->host_mac, e->host_mac);
}

/* What an endpoint sends must bear its own MAC and one of its own addresses. */
static __always_inline int check_egress(struct pkt *p)
{
	struct endpoint *e = endpoint_of_device(p->ifindex);

	if (!e)
		return DROP(p, UNKNOWN_SENDER);
	end_fill(&p->end[0], e, p->family);
	p->domain = e->domain;
	if (!mac_equal(p->smac, e->mac))
		return DROP(p, INVALID_SOURCE_MAC);
	if (!is_own(e, p->family, &p->sender))
		return DROP(p, INVALID_SOURCE_IP);
	if (!(e->flags & ENDPOINT_READY))
		return DROP(p, EP_NOT_READY);
	return 0;
}

/*
 * What the stack sends to an endpoint: an endpoint of this node as sender must have brought it to
 * the stack by its own device; anything else is somebody outside who uses its address.
 */
static __always_inline int check_ingress(struct pkt *p)
{
	struct endpoint *e = endpoint_of_addr(p->domain, &p->destination);

	if (!e)
		return DROP(p, UNROUTABLE);
	end_fill(&p->end[1], e, p->family);
	/* a stale route, or one that is not ours */
	if (p->ifindex != e->ifindex)
		return DROP(p, UNROUTABLE);
	if (!(e->flags & ENDPOINT_READY))
		return DROP(p, EP_NOT_READY);
	if (p->ingress_ifindex)
		p->flow_flags |= FLOW_FROM_OUTSIDE;
	e = endpoint_of_addr(p->domain, &p->sender);
	if (e && e->ifindex != p->ingress_ifindex)
		return DROP(p, INVALID_SOURCE_IP);
	return 0;
}

__noinline int identity_check(struct __sk_buff *skb, struct pkt *p)
{
	if (!p)
		return -DROP_INVALID_PACKET;
	p->ifindex = skb->ifindex;
	p->ingress_ifindex = skb->ingress_ifindex;
	return p->hook == HOOK_EGRESS ? check_egress(p) : check_ingress(p);
}

static __always_inline int resolve_end(struct pkt *p, struct end *end, const struct addr *a)
{
	struct endpoint *e = endpoint_of_addr(p->domain, a);
	struct identity_value *v;

	if (!e) {
		v = identity_of_addr(p->domain, a);
		end->endpoint = 0;
		end->ifindex = 0;
		end->identity = v ? v->identity : IDENTITY_UNKNOWN;
		end->peer = v && v->peer ? v->peer : end->identity;
		return end->identity == IDENTITY_UNKNOWN ? DROP(p, INVALID_IDENTITY) : 0;
	}
	end_fill(end, e, p->family);
	return e->flags & ENDPOINT_READY ? 0 : DROP(p, EP_NOT_READY);
}

/* Both ends anew, for a flow that is judged again. */
static __always_inline int resolve_both(struct pkt *p)
{
	__u32 here;
	int r;

	r = resolve_end(p, &p->end[0], p->flags & PKT_REPLY ? &p->destination : &p->source);
	if (!r)
		r = resolve_end(p, &p->end[1], p->flags & PKT_REPLY ? &p->source : &p->destination);
	if (r)
		return r;
	/* the end at this device is its endpoint, or else its address is not written yet: as an
	 * address outside it would not be judged */
	here = !(p->flags & PKT_REPLY) == (p->hook == HOOK_EGRESS) ? p->end[0].ifindex
								   : p->end[1].ifindex;
	return here == p->ifindex ? 0 : DROP(p, EP_NOT_READY);
}

__noinline int identity_resolve(struct pkt *p)
{
	int r;

	if (!p)
		return -DROP_INVALID_PACKET;
	/* the end at this device is known from identity_check() */
	if (p->flags & PKT_FOUND)
		r = resolve_both(p);
	else if (p->hook == HOOK_EGRESS)
		r = resolve_end(p, &p->end[1], &p->destination);
	else
		r = resolve_end(p, &p->end[0], &p->source);
	if (r)
		return r;
	/* a device that brings a node's own address: source NAT on the way, or a forgery; not the
	 * node itself */
	if (p->end[0].identity == IDENTITY_HOST && (p->flow_flags & FLOW_FROM_OUTSIDE))
		p->end[0].identity = p->end[0].peer =
			p->family == 4 ? config.world4 : config.world6;
	return 0;
}

__noinline int identity_device(struct pkt *p, struct neighbour *ret)
{
	struct endpoint *e;

	if (!p || !ret)
		return -DROP_INVALID_PACKET;
	e = endpoint_of_device(p->ifindex);
	if (!e)
		return DROP(p, UNKNOWN_SENDER);
	if (!mac_equal(p->smac, e->mac))
		return DROP(p, INVALID_SOURCE_MAC);
	ret->addr6 = e->addr6;
	ret->addr4 = e->addr4.word[3];
	__builtin_memcpy(ret->mac, e->mac, 6);
	__builtin_memcpy(ret->host_mac, e->host_mac, 6);
	return 0;
}
