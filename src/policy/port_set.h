/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_POLICY_PORT_SET_H
#define KILIM_POLICY_PORT_SET_H
/*
 * What a class lets pass, without whose rule it is: many classes come to the same set. Each
 * distinct set is there once, so sets compare by address.
 */
#include "policy/compile.h"

/* Allowed ports of a protocol that the class has entries for. */
struct port_span {
	uint8_t protocol;
	uint16_t first, last;
};

struct port_set {
	bool named[256]; /* protocols of their own */
	bool other; /* the rest passes */
	struct port_span *span; /* sorted, not touching each other */
	size_t spans, room;
};

struct port_sets {
	struct hash by_text; /* to struct port_set */
	struct hash by_class; /* struct compiled_class * to the set */
};

void port_sets_done(struct port_sets *t); /* for SCOPED too */
/* NULL is a class that lets everything pass. */
const struct port_set *port_set_of(struct port_sets *t, const struct compiled_class *class);
bool port_set_has(const struct port_set *s, uint8_t protocol, uint16_t port);

#endif
