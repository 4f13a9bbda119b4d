/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the flow tables, and removing the flows of an endpoint. Called by the agent. Must hold:
 * the kernel's collector works on the same tables, so an entry may be gone at any time.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/clock.h"
#include "census.skel.h"
#include "datapath/clock.h"
#include "datapath/diagnosis.h"
#include "datapath/handle.h"
#include "datapath/table.h"

static const struct {
	enum dp_map map;
	uint8_t family;
	bool half_open;
} tables[] = {
	{DP_MAP_flow4, 4, false},
	{DP_MAP_flow6, 6, false},
	{DP_MAP_half4, 4, true},
	{DP_MAP_half6, 6, true},
};

/* The key of either family as addresses of 128 bits. */
static void read_key(const void *key, struct dp_flow *f)
{
	if (f->family == 4) {
		const struct flow_key4 *k = key;

		for (int i = 0; i < 2; i++) {
			f->addr[i] = (struct addr){.word = {0, 0, htonl(0xffff), k->addr[i]}};
			f->port[i] = ntohs(k->port[i]);
		}
		f->protocol = k->protocol;
		f->domain = k->domain;
	} else {
		const struct flow_key6 *k = key;

		for (int i = 0; i < 2; i++) {
			f->addr[i] = k->addr[i];
			f->port[i] = ntohs(k->port[i]);
		}
		f->protocol = k->protocol;
		f->domain = k->domain;
	}
}

struct each {
	int (*fn)(const struct dp_flow *, void *);
	void *data;
	struct dp_flow flow;
	uint64_t jiffies;
	uint32_t hz;
};

/* Time from now to an expiry, as far as it fits. */
static int64_t until(uint64_t expires, uint64_t now, uint32_t hz)
{
	int64_t ns;

	if (__builtin_mul_overflow((int64_t)(expires - now), 1000000000 / (int64_t)hz, &ns))
		return expires > now ? INT64_MAX : INT64_MIN;
	return ns;
}

static int each_flow(const void *key, const void *value, void *data)
{
	struct each *each = data;

	read_key(key, &each->flow);
	memcpy(&each->flow.flow, value, sizeof(each->flow.flow));
	each->flow.expires_in_ns = until(each->flow.flow.expires, each->jiffies, each->hz);
	return each->fn(&each->flow, each->data);
}

int datapath_flow_each(struct datapath *d, int (*fn)(const struct dp_flow *, void *), void *data)
{
	struct each each = {.fn = fn, .data = data, .hz = d->hz};
	struct clock now = {0};
	int r = clock_now(d->clock, &now);

	each.jiffies = now.jiffies;
	for (size_t i = 0; !r && i < ARRAY_SIZE(tables); i++) {
		struct table t;

		each.flow.family = tables[i].family;
		each.flow.half_open = tables[i].half_open;
		r = table_info(d->map[tables[i].map], &t);
		r = r ? r : table_each(&t, each_flow, &each);
	}
	return r;
}

/* The program that counts without walking, over the maps in force. */
static int census_open(struct datapath *d)
{
	struct census_bpf *c;

	diagnosis_begin();
	c = census_bpf__open();
	if (!c)
		return -errno;
	if (bpf_map__reuse_fd(c->maps.flow4, d->map[DP_MAP_flow4]) ||
		bpf_map__reuse_fd(c->maps.flow6, d->map[DP_MAP_flow6]) ||
		bpf_map__reuse_fd(c->maps.half4, d->map[DP_MAP_half4]) ||
		bpf_map__reuse_fd(c->maps.half6, d->map[DP_MAP_half6]) || census_bpf__load(c)) {
		census_bpf__destroy(c);
		return -ENOTSUP;
	}
	d->census = c;
	return 0;
}

static bool census_take(struct datapath *d, struct census *ret)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ret, .ctx_size_in = sizeof(*ret));

	if (!d->census && census_open(d))
		return false;
	return !bpf_prog_test_run_opts(bpf_program__fd(d->census->progs.census_take), &opts) &&
	       ret->known;
}

void datapath_flow_count(struct datapath *d, uint64_t *ret_answered, uint64_t *ret_half_open)
{
	struct census c = {0};
	uint64_t n[2] = {0, 0};

	if (census_take(d, &c)) {
		*ret_answered = c.flow4 + c.flow6;
		*ret_half_open = c.half4 + c.half6;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		uint64_t count = 0;
		struct table t;

		if (!table_info(d->map[tables[i].map], &t) && !table_count(&t, &count))
			n[tables[i].half_open] += count;
	}
	*ret_answered = n[0];
	*ret_half_open = n[1];
}

struct forget {
	struct datapath *d;
	enum dp_map map;
	uint8_t family;
	uint32_t domain;
	const struct addr *addr;
};

static int forget_one(const void *key, const void *value, void *data)
{
	const struct forget *f = data;
	struct dp_flow flow = {.family = f->family};

	(void)value;
	read_key(key, &flow);
	if (flow.domain == (uint16_t)f->domain &&
		(!memcmp(&flow.addr[0], f->addr, sizeof(*f->addr)) ||
			!memcmp(&flow.addr[1], f->addr, sizeof(*f->addr))))
		(void)bpf_map_delete_elem(f->d->map[f->map], key);
	return 0;
}

void flow_forget(
	struct datapath *d, uint32_t domain, const struct addr *addr4, const struct addr *addr6)
{
	static const struct addr none;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct forget f = {d, tables[i].map, tables[i].family, domain,
			tables[i].family == 4 ? addr4 : addr6};
		struct table t;

		if (memcmp(f.addr, &none, sizeof(none)) && !table_info(d->map[f.map], &t))
			(void)table_each(&t, forget_one, &f);
	}
}
