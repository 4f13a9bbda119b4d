/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_KERN_TC_H
#define KILIM_KERN_TC_H
/*
 * BPF programs at devices: classic tc hooks (clsact with one cls_bpf filter per direction at a
 * fixed place), which attach without waiting for a grace period.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct device;

enum tc_hook {
	TC_HOOK_INGRESS, /* what the device receives */
	TC_HOOK_EGRESS, /* what is sent by the device */
	TC_HOOKS,
};

enum { TC_NAME = 64 };

/* The filter at our place. */
struct tc_filter {
	uint32_t program; /* id; 0: no filter there */
	char name[TC_NAME];
};

/* Our place in both hooks of the device. -ENODEV. */
int tc_get(
	struct device *d, uint32_t ifindex, struct tc_filter ret[TC_HOOKS], struct err *e) MUST_USE;
/* Put the programs there, in place of what was: no packet in between goes without. name tells
 * people whose filter it is. */
int tc_attach(struct device *d, uint32_t ifindex, const int program[TC_HOOKS],
	const char *const name[TC_HOOKS], struct err *e) MUST_USE;
/* Remove our filters and, when nothing else uses it, clsact. Missing is fine. */
int tc_detach(struct device *d, uint32_t ifindex, struct err *e) MUST_USE;

#endif
