/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_SCENARIO_PACKET_H
#define KILIM_SCENARIO_PACKET_H
/* The first packet of a conversation, byte for byte. */
#include "abi/addr.h"
#include "scenario/traffic.h"

struct packet {
	uint8_t bytes[128];
	size_t len;
	uint8_t dmac[6], smac[6];
};

/* dmac and smac are set by the caller. Both addresses are of one family. */
void packet_make(struct packet *p, enum family f, const struct addr *from, const struct addr *to,
	const struct traffic *t);

#endif
