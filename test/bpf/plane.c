/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What both kinds of data path under test have in common. Called by the tests. Must hold: after
 * plane_clear() nothing of an earlier test can be seen.
 */
#include "bpf/plane.h"

#include <string.h>

#include "base/mem.h"
#include "bpf/plane_ops.h"

void plane_close(struct plane *p)
{
	if (p)
		p->ops->close(p);
}

void plane_closep(struct plane **p)
{
	plane_close(*p);
}

const char *plane_name(const struct plane *p)
{
	return p->ops->name;
}

int plane_update(struct plane *p, const char *map, const void *key, const void *value)
{
	return p->ops->update(p, map, key, value);
}

int plane_delete(struct plane *p, const char *map, const void *key)
{
	return p->ops->delete (p, map, key);
}

int plane_lookup(struct plane *p, const char *map, const void *key, void *ret_value)
{
	return p->ops->lookup(p, map, key, ret_value);
}

int plane_each(struct plane *p, const char *map, plane_fn fn, void *data)
{
	return p->ops->each(p, map, fn, data);
}

int plane_run(struct plane *p, struct plane_packet *packet)
{
	return p->ops->run(p, packet);
}

bool plane_event(struct plane *p, struct event *ret)
{
	return p->ops->event(p, ret);
}

struct packet_count plane_packets(struct plane *p, uint32_t reason, uint32_t direction)
{
	return p->ops->packets(p, reason * POLICY_DIRECTIONS + direction);
}

uint64_t plane_counter(struct plane *p, enum counter which)
{
	return p->ops->counter(p, which);
}

/* The map that plane_clear() is at. */
struct clearing {
	struct plane *plane;
	const char *map;
};

static int clear_entry(const void *key, const void *value, void *data)
{
	struct clearing *c = data;

	(void)value;
	plane_delete(c->plane, c->map, key);
	return 0;
}

void plane_clear(struct plane *p)
{
	static const char *const map[] = {"slot", "peer", "rule", "endpoint", "local", "identity",
		"flow4", "flow6", "half4", "half6", "frag"};
	uint8_t zero[256] = {0};
	struct event ev;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
		struct clearing c = {p, map[i]};

		plane_each(p, map[i], clear_entry, &c);
	}
	plane_update(p, "state", zero, zero);
	for (uint32_t i = 0; i < PLANE_RULES; i++)
		plane_update(p, "rule_hit", &i, zero);
	while (plane_event(p, &ev))
		;
	p->ops->zero(p);
}
