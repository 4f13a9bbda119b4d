/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_KERN_TCX_H
#define KILIM_KERN_TCX_H
/*
 * BPF programs at the tcx hooks of a device (kernel 6.6): they run before the filters of tc (tc.h)
 * and cost less, but attaching and detaching wait for a grace period, with the kernel's lock on all
 * devices held. They go with their device and need no pin.
 */
#include "kern/tc.h"

enum { TCX_MAX = 64 }; /* programs at a hook: the kernel's own limit */

/* The ids of the programs at the hook, in the order in which they run; returns how many. 0 as well
 * where the kernel has no tcx. */
int tcx_get(uint32_t ifindex, enum tc_hook hook, uint32_t ret[TCX_MAX], struct err *e) MUST_USE;
/* Put the program behind those that are there. Waits. -EOPNOTSUPP: the kernel has no tcx; -EEXIST:
 * it is there; -ENODEV. */
int tcx_attach(uint32_t ifindex, enum tc_hook hook, int program, struct err *e) MUST_USE;
/* Put the program in another's place, in one step and without waiting. -EEXIST: it is there. */
int tcx_replace(
	uint32_t ifindex, enum tc_hook hook, int program, int other, struct err *e) MUST_USE;
/* Take it away. Waits. -ENOENT: it is not there; -ENODEV. */
int tcx_detach(uint32_t ifindex, enum tc_hook hook, int program, struct err *e) MUST_USE;

#endif
