/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_BPF_NODE_H
#define KILIM_TEST_BPF_NODE_H
/*
 * A node to test src/datapath and src/kern on: the process moves into a network and a mount
 * namespace of its own, and workloads are namespaces with a real device pair. Nothing of it
 * outlives the process but a directory, which node_leave() removes.
 */
#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"
#include "kern/device.h"

struct node {
	char bpf_root[64];
	struct device *device;
	struct datapath *dp;
	bool adopted; /* what the last node_open() said */
	enum device_kind kind; /* of the workloads' devices */
};

struct workload {
	int netns;
	struct device_pair pair;
	struct endpoint_key key;
	struct endpoint row;
	int udp; /* bound to port 7000 inside; -1 until workload_bind() */
};

/* 0, or a negative errno with what is missing in e: skip. */
int node_enter(struct node *n, struct err *e);
void node_leave(struct node *n);
/* The options that all tests use: short maps, both families. */
struct datapath_options node_options(const struct node *n);
int node_open(struct node *n, const struct datapath_options *o, struct err *e);
void node_close(struct node *n);
/* How many names are below BPF-ROOT/kilim/FOLDER, and whether one is there. */
int node_pins(const struct node *n, const char *folder);
bool node_has_pin(const struct node *n, const char *folder, const char *name);

/* A new network namespace; the thread stays where it is. */
int namespace_make(int *ret_fd, struct err *e);
/* A namespace with device and addresses 10.200.0.N and fd00:200::N; the row is not written yet. */
int workload_make(
	struct node *n, struct workload *w, unsigned number, uint32_t identity, struct err *e);
/* Attach and write the row. */
int workload_join(struct node *n, struct workload *w, struct err *e);
int workload_bind(struct workload *w);
/* A UDP socket in its namespace at this port (0: any), or a negative errno. */
int workload_socket(const struct workload *w, uint16_t port);
/* A datagram from one to the other: whether it came. */
bool workload_send(const struct workload *from, const struct workload *to);
/* As that, by other sockets; port is the destination's. */
bool socket_send(int from, const struct workload *to, uint16_t port, int to_fd);
void workload_done(struct node *n, struct workload *w);

/* Let these identities talk with everybody, as this revision. */
int allow_all(struct node *n, const uint32_t *identity, size_t count, uint32_t revision,
	struct dp_policy_stats *ret, struct err *e);

#endif
