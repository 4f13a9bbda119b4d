/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TWIN_TWIN_H
#define KILIM_TWIN_TWIN_H
/*
 * The data path in user space: the very sources of bpf/ over maps in memory. There is one of it per
 * process, and it is not for threads. The collector is not part of it (twin_collect() does its
 * work).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/config.h"
#include "abi/event.h"
#include "base/mem.h"

/* What a program returns (linux/pkt_cls.h). */
enum { TWIN_PASS = 0, TWIN_DROP = 2, TWIN_REDIRECT = 7 };

enum twin_hook {
	TWIN_EGRESS, /* an endpoint sends it */
	TWIN_INGRESS, /* the stack sends it to an endpoint */
};

/* One packet: what goes in, and what has become of it. */
struct twin_packet {
	uint8_t *bytes; /* from the Ethernet header on; rewritten in place */
	size_t len, room;
	enum twin_hook hook;
	uint32_t ifindex, ingress_ifindex;
	bool vlan; /* the device has taken a tag off */
	bool slow; /* keep it off the known-flow path, which must make no difference */
	int action; /* out: TWIN_PASS, TWIN_DROP or TWIN_REDIRECT */
	uint32_t redirect; /* out: TWIN_REDIRECT: the ifindex whose peer gets it */
};

/* Forget everything: entries, events, clocks, configuration, limits. */
void twin_reset(void);
/* The configuration, to be written before the first packet. Timeouts are jiffies. */
struct dp_config *twin_config(void);
/* What the data path sees as the time from now on. */
void twin_clock(uint64_t jiffies, uint64_t mono_ns);
/* Run one packet. len may grow up to room: the answer to a neighbour solicitation has 86 bytes. */
void twin_run(struct twin_packet *p);
/* The oldest event that was not taken yet; false when there is none. */
bool twin_event(struct event *ret) MUST_USE;
/* Remove what has expired, as the kernel's collector does. Returns how many entries that were. */
size_t twin_collect(void);

/* A map. Pointers to values stay valid until their entry is removed or written again. */
struct twin_map;

/* The map of this name (abi/map.h), or NULL. */
struct twin_map *twin_map(const char *name);
size_t twin_map_key_size(const struct twin_map *m);
size_t twin_map_value_size(const struct twin_map *m);
size_t twin_map_count(const struct twin_map *m);
/* Another size than the sources say, as the loader may set it. */
void twin_map_limit(struct twin_map *m, uint32_t max_entries);
/* As bpf(2) on such a map: the value in place, or NULL; 0 or a negative errno. */
void *twin_map_lookup(struct twin_map *m, const void *key);
int twin_map_update(struct twin_map *m, const void *key, const void *value, uint64_t flags);
int twin_map_delete(struct twin_map *m, const void *key);
void twin_map_clear(struct twin_map *m);
/* Call fn for each entry, in no order; it may remove the one it is at. Stops at non-zero, returns
 * it. */
int twin_map_each(
	struct twin_map *m, int (*fn)(const void *key, void *value, void *data), void *data);

#endif
