/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The twin as a data path under test. Called through plane.h. Must hold: at most one is open, as
 * the twin is one per process.
 */
#include "bpf/plane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "bpf/plane_ops.h"
#include "twin/twin.h"

enum { TWIN_JIFFIES = 5000000 };

static void twin_close(struct plane *p)
{
	twin_reset();
	free(p);
}

static int update(struct plane *p, const char *map, const void *key, const void *value)
{
	(void)p;
	return twin_map_update(twin_map(map), key, value, 0);
}

static int delete (struct plane *p, const char *map, const void *key)
{
	(void)p;
	return twin_map_delete(twin_map(map), key);
}

static int lookup(struct plane *p, const char *map, const void *key, void *ret_value)
{
	struct twin_map *m = twin_map(map);
	const void *value = twin_map_lookup(m, key);

	(void)p;
	if (!value)
		return -ENOENT;
	memcpy(ret_value, value, twin_map_value_size(m));
	return 0;
}

/* twin_map_each() hands out values that may be written; plane_each() does not. */
struct walk {
	plane_fn fn;
	void *data;
};

static int walk_entry(const void *key, void *value, void *data)
{
	struct walk *w = data;

	return w->fn(key, value, w->data);
}

static int each(struct plane *p, const char *map, plane_fn fn, void *data)
{
	struct walk w = {fn, data};

	(void)p;
	return twin_map_each(twin_map(map), walk_entry, &w);
}

static int run(struct plane *p, struct plane_packet *packet)
{
	struct twin_packet t = {
		.bytes = packet->bytes,
		.len = packet->len,
		.room = sizeof(packet->bytes),
		.hook = packet->hook == PLANE_EGRESS ? TWIN_EGRESS : TWIN_INGRESS,
		.ifindex = packet->ifindex,
		.ingress_ifindex = packet->ingress_ifindex,
		.vlan = packet->vlan,
		.slow = packet->slow,
	};

	(void)p;
	twin_clock(TWIN_JIFFIES, time_mono_ns());
	twin_run(&t);
	packet->len = t.len;
	packet->action = t.action;
	packet->redirect = t.redirect;
	return 0;
}

static bool event(struct plane *p, struct event *ret)
{
	(void)p;
	return twin_event(ret);
}

static struct packet_count packets(struct plane *p, uint32_t key)
{
	(void)p;
	return *(struct packet_count *)twin_map_lookup(twin_map("packet_count"), &key);
}

static uint64_t counter(struct plane *p, enum counter which)
{
	uint32_t key = which;

	(void)p;
	return *(uint64_t *)twin_map_lookup(twin_map("counter"), &key);
}

static void zero(struct plane *p)
{
	(void)p;
	twin_map_clear(twin_map("packet_count"));
	twin_map_clear(twin_map("counter"));
}

static const struct plane_ops twin_ops = {
	.name = "twin",
	.close = twin_close,
	.update = update,
	.delete = delete,
	.lookup = lookup,
	.each = each,
	.run = run,
	.event = event,
	.packets = packets,
	.counter = counter,
	.zero = zero,
};

int plane_open_twin(const struct plane_options *o, struct plane **ret, struct err *e)
{
	(void)e;
	twin_reset();
	*twin_config() = o->config;
	if (o->flow_max) {
		twin_map_limit(twin_map("flow4"), o->flow_max);
		twin_map_limit(twin_map("flow6"), o->flow_max);
	}
	if (o->event_ring_bytes)
		twin_map_limit(twin_map("events"), o->event_ring_bytes);
	twin_clock(TWIN_JIFFIES, time_mono_ns());
	*ret = mem_alloc(sizeof(**ret));
	(*ret)->ops = &twin_ops;
	return 0;
}
