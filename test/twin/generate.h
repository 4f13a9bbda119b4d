/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_TWIN_GENERATE_H
#define KILIM_TEST_TWIN_GENERATE_H
/*
 * Random packets and policies over the small universe of bpf/world.h: mostly well-formed, from few
 * addresses and ports, so that flows are answered, ended, forged and opened anew.
 */
#include "bpf/table.h"

enum { GENERATE_HISTORY = 24 };

struct generator {
	uint64_t state;
	struct shot history[GENERATE_HISTORY];
	int family[GENERATE_HISTORY];
	struct shot about[GENERATE_HISTORY]; /* what ICMP errors of the history are about */
	unsigned count;
};

void generate_init(struct generator *g, uint64_t seed);
/* A number below limit. */
uint32_t generate_below(struct generator *g, uint32_t limit);
/* True once in n. */
bool generate_once_in(struct generator *g, uint32_t n);
/* Up to WORLD_RULES rules. */
void generate_rules(struct generator *g, struct world_rule *ret);
/* A packet: the frame, and where it is seen. */
void generate_packet(struct generator *g, struct plane_packet *ret);

#endif
