/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_BPF_PLANE_OPS_H
#define KILIM_TEST_BPF_PLANE_OPS_H
/* What a kind of data path is made of; the functions are those of plane.h. */
#include "bpf/plane.h"

struct plane_ops {
	const char *name;
	void (*close)(struct plane *p);
	int (*update)(struct plane *p, const char *map, const void *key, const void *value);
	int (*delete)(struct plane *p, const char *map, const void *key);
	int (*lookup)(struct plane *p, const char *map, const void *key, void *ret_value);
	int (*each)(struct plane *p, const char *map, plane_fn fn, void *data);
	int (*run)(struct plane *p, struct plane_packet *packet);
	bool (*event)(struct plane *p, struct event *ret);
	struct packet_count (*packets)(struct plane *p, uint32_t key);
	uint64_t (*counter)(struct plane *p, enum counter which);
	void (*zero)(struct plane *p); /* the counters */
};

/* First member of each kind's own struct. */
struct plane {
	const struct plane_ops *ops;
};

#endif
