/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_TOOL_SEQLOAD_H
#define KILIM_TEST_TOOL_SEQLOAD_H
/*
 * The parts of seqload: numbered datagrams (sequdp.c) and numbered messages over TCP (seqtcp.c).
 * One process holds both ends of everything, so that what was sent and what came is compared
 * without a channel that could itself be disturbed. It lives in namespace a; sockets of b are
 * opened at start.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test/tool/sock.h"

enum { UDP_FLOWS_MAX = 16, NAME_MAX_BYTES = 32 };

struct load {
	const char *netns[2]; /* a, b */
	union sock_addr address[2];
	int epoll;
	uint64_t now_ns;
};

/* What epoll hands back. */
struct source {
	void (*fn)(struct source *self, struct load *l);
	int fd;
	void *data; /* what the source belongs to */
};

void source_add(struct load *l, struct source *s, uint32_t events);
/* A socket bound in namespace end (0: a, 1: b) on its address. */
int load_bind(struct load *l, int end, unsigned port, int type);

/* Which numbers of one direction came, and how often. */
struct seen {
	uint8_t *count; /* by number, from 0 */
	size_t capacity;
	uint64_t received, duplicated, overtaken, highest;
};

/* Datagrams numbered from 0, one direction or with every one sent back. */
struct udp_flow {
	struct source receiver, sender;
	char name[NAME_MAX_BYTES];
	unsigned port, rate, index;
	int from; /* 0: a, 1: b */
	bool echo; /* the receiver returns each packet */
	bool fresh; /* each packet from a socket of its own: a new flow each */
	uint64_t sent;
	struct seen there, back;
};

void udp_flow_start(struct udp_flow *f, struct load *l);
/* Send what is due this many nanoseconds after the start. */
void udp_flow_tick(struct udp_flow *f, struct load *l, uint64_t elapsed_ns);
/* A JSON object. */
void udp_flow_report(const struct udp_flow *f);
/* How often both or none of two flows' packets with the same number came. */
uint64_t udp_flow_equal(const struct udp_flow *a, const struct udp_flow *b);

/* Connections from a to b that exchange numbered messages; and connection attempts that must fail.
 */
struct tcp_load;
struct tcp_load *tcp_load_start(
	struct load *l, unsigned port, unsigned count, unsigned interval_ms);
void tcp_load_tick(struct tcp_load *t, struct load *l, uint64_t elapsed_ns);
/* Messages sent and not answered yet. */
uint64_t tcp_load_outstanding(const struct tcp_load *t);
void tcp_load_report(struct tcp_load *t); /* a JSON object */

struct tcp_probe;
struct tcp_probe *tcp_probe_start(struct load *l, unsigned port, unsigned rate);
void tcp_probe_tick(struct tcp_probe *p, struct load *l, uint64_t elapsed_ns);
void tcp_probe_report(struct tcp_probe *p);

#endif
