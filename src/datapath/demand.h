/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_DEMAND_H
#define KILIM_DATAPATH_DEMAND_H
/* The arithmetic of a switch. Pure. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What a switch puts beside what is in the kernel. */
struct demand {
	const char *what, *key; /* "rule", "policy-map-max" */
	size_t wanted; /* entries to be written */
	size_t there; /* entries in the kernel, those that wait for their removal included */
	size_t max;
};

/* What an identity adds; what several share counts for the first of them. */
struct contribution {
	uint32_t identity;
	size_t entries;
};

/* 0, or -E2BIG with the arithmetic and the largest contributors. */
int demand_check(const struct demand *d, const struct contribution *c, size_t count, struct err *e);

#endif
