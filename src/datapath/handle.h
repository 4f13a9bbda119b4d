/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_HANDLE_H
#define KILIM_DATAPATH_HANDLE_H
/* What the files of datapath share about the open data path. Not for others. */
#include "abi/map.h"
#include "datapath/datapath.h"
#include "datapath/pin.h"

/* The maps by number. */
enum dp_map {
#define X(name, owner, adopt, text) DP_MAP_##name,
	MAPS(X)
#undef X
		DP_MAPS,
};

extern const char *const dp_map_name[DP_MAPS];

struct device;
struct clock_bpf;
struct census_bpf;
struct policy_table;
struct events;
struct load;

struct datapath {
	struct pins pins;
	int lock; /* the flock that keeps a second process out */
	struct device *device; /* for attaching */
	int map[DP_MAPS]; /* -1: not open (the previous_ ones outside a move) */
	uint32_t map_max[DP_MAPS];
	uint64_t *current; /* struct state's, mapped */
	int dispatch[2]; /* by enum tc_hook */
	uint32_t dispatch_id[2];
	int entry;
	struct clock_bpf *clock;
	uint32_t hz;
	struct census_bpf *census; /* loaded when it is asked first */
	struct load *load; /* programs that are not in force before a policy is written; or NULL */
	struct policy_table *policy;
	struct events *events;
};

/* Adopt what the policy maps hold. */
int policy_open(struct datapath *d, struct err *e) MUST_USE;
void policy_close(struct datapath *d);
/* The loop is there: old slots are collected from it. */
void policy_collect_from(struct datapath *d, struct loop *l);
/* Remove the flows that have one of these addresses (all zero: none) in the domain. */
void flow_forget(
	struct datapath *d, uint32_t domain, const struct addr *addr4, const struct addr *addr6);
void events_close(struct datapath *d);
/* Dispatchers and the program array that they jump through: adopt or make. */
int dispatch_open(struct datapath *d, struct err *e) MUST_USE;
/* Whether the program is a dispatcher for the hook (enum tc_hook), of this or another program
 * array. */
bool dispatch_is(int program, int hook);

#endif
