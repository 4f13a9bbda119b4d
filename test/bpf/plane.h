/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_BPF_PLANE_H
#define KILIM_TEST_BPF_PLANE_H
/*
 * A data path under test: the object in the kernel, run by BPF_PROG_TEST_RUN in a network namespace
 * of the process's own, or the twin. Tests are written against this and hold for both.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/config.h"
#include "abi/event.h"
#include "abi/metric.h"
#include "base/err.h"

enum plane_hook { PLANE_EGRESS, PLANE_INGRESS };
enum { PLANE_PASS = 0, PLANE_DROP = 2, PLANE_REDIRECT = 7, PLANE_ROOM = 4096, PLANE_RULES = 64 };

struct plane_packet {
	uint8_t bytes[PLANE_ROOM];
	size_t len;
	enum plane_hook hook;
	uint32_t ifindex, ingress_ifindex;
	bool vlan, slow; /* the twin only */
	int action; /* out */
	uint32_t redirect; /* out, the twin only: 0 is not known */
};

/* How large maps are made; 0 is a size that no test fills. */
struct plane_options {
	struct dp_config config;
	uint32_t flow_max, event_ring_bytes;
	const uint32_t *ifindex; /* devices that packets come from, made in the namespace */
	size_t ifindexes;
};

struct plane;
typedef int (*plane_fn)(const void *key, const void *value, void *data);

/* Load the object, unpinned. -EPERM and -ENOSYS are no failure of the object: skip. */
int plane_open_kernel(const struct plane_options *o, struct plane **ret, struct err *e);
int plane_open_twin(const struct plane_options *o, struct plane **ret, struct err *e);
void plane_close(struct plane *p);
void plane_closep(struct plane **p); /* for SCOPED */
const char *plane_name(const struct plane *p);

/* Any map of abi/map.h; update writes whatever was there before. 0 or a negative errno. */
int plane_update(struct plane *p, const char *map, const void *key, const void *value);
int plane_delete(struct plane *p, const char *map, const void *key);
int plane_lookup(struct plane *p, const char *map, const void *key, void *ret_value);
/* All entries of a map that is no array, in no order. fn may delete the one it is at. */
int plane_each(struct plane *p, const char *map, plane_fn fn, void *data);
/* Remove all entries, forget all events, count from zero. */
void plane_clear(struct plane *p);
/* -ENOTSUP for what this data path cannot be shown. */
int plane_run(struct plane *p, struct plane_packet *packet);
/* The oldest event not taken yet. */
bool plane_event(struct plane *p, struct event *ret);
struct packet_count plane_packets(struct plane *p, uint32_t reason, uint32_t direction);
uint64_t plane_counter(struct plane *p, enum counter which);

#endif
