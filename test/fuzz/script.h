/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_FUZZ_SCRIPT_H
#define KILIM_TEST_FUZZ_SCRIPT_H
/*
 * The input of the packet target. First byte: the policy; its high bit shuts endpoint B. Then
 * steps. A packet: a byte below 0x80 (device in the low 4 bits, 0x10 from the stack, 0x20 brought
 * by the uplink, 0x40 brought by A, both: a tag was taken off), two bytes of length (low first),
 * the frame. A change: 0x80 plus its kind, and a byte for whom.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/world.h"

enum script_kind {
	SCRIPT_BUMP,
	SCRIPT_POLICY,
	SCRIPT_READY,
	SCRIPT_COLD,
	SCRIPT_REMOVE,
	SCRIPT_HIDE,
	SCRIPT_EXPIRE,
	SCRIPT_COLLECT,
	SCRIPT_CHANGES,
	SCRIPT_PACKET,
};

enum {
	SCRIPT_FRAME_MAX = 2000,
	SCRIPT_CHANGE = 0x80,
	SCRIPT_STACK = 0x10,
	SCRIPT_UPLINK = 0x20,
	SCRIPT_OWN = 0x40
};

struct script {
	const uint8_t *at, *end;
};

struct script_step {
	enum script_kind kind;
	uint8_t value; /* changes */
	enum who who; /* changes: an endpoint */
	bool ingress, vlan;
	uint32_t ifindex, ingress_ifindex;
	const uint8_t *bytes;
	size_t len;
};

/* Read the first byte; returns whether B is shut. */
bool script_begin(struct script *s, uint8_t *ret_policy);
/* The next step, or false at the end. */
bool script_next(struct script *s, struct script_step *ret);

#endif
