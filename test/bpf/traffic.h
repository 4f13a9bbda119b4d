/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_BPF_TRAFFIC_H
#define KILIM_TEST_BPF_TRAFFIC_H
/*
 * Traffic that tells whether a flow is lost: only one end may open (identity 300), so the answers
 * of the other (301) pass by their flow or not at all.
 */
#include "bpf/node.h"

enum { TRAFFIC_PORT = 7000 };

struct traffic {
	const struct workload *a, *b; /* b is bound to TRAFFIC_PORT */
	int socket; /* of the flow that stays */
	uint16_t port; /* of the next that is new */
	unsigned exchanges, lost;
};

/* The policy that it needs. */
int traffic_policy(struct node *n, uint32_t revision, struct err *e);
void traffic_begin(struct traffic *t, const struct workload *a, const struct workload *b);
void traffic_end(struct traffic *t);
/* One exchange by the flow that stays and one by a new one; t->lost counts what did not come. */
void traffic_exchange(struct traffic *t);
/* Wait, with the policy in force, until the devices carry packets: the kernel makes a new link
 * ready by work of its own, at most once a second. Counts begin anew. */
void traffic_settle(struct traffic *t);
/* Whether a packet of the end that may not open anything comes through. */
bool traffic_leaks(const struct traffic *t);

#endif
