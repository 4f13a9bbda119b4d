/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_BPF_SHOT_H
#define KILIM_TEST_BPF_SHOT_H
/* What follows from a shot besides its bytes. */
#include "bpf/table.h"

/* The flow that a packet belongs to, in no particular order of its ends. */
struct tuple {
	int family;
	uint8_t protocol;
	uint16_t domain;
	struct addr addr[2];
	uint16_t port[2];
	bool echo;
	uint8_t request; /* the end that asks, of echo messages */
};

bool shot_is_ingress(const struct shot *s);
enum who shot_device(const struct shot *s);
uint32_t shot_ingress_ifindex(const struct shot *s);
/* For ICMP errors that of the flow they are about. */
void shot_tuple(const struct shot *s, int family, struct tuple *ret);

#endif
