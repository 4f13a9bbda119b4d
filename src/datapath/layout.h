/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_LAYOUT_H
#define KILIM_DATAPATH_LAYOUT_H
/*
 * Layouts of map entries as BTF tells them, and the conversion of an entry from one to another:
 * members are found by name, those that the old one lacks are zero, integers of another size are
 * extended with zeros or cut.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct btf;

/* Bytes that are copied. */
struct layout_move {
	uint32_t from, to, from_size, to_size;
};

/* How one type becomes another; {0} converts everything to zero. */
struct layout_plan {
	struct layout_move *move;
	size_t count, capacity;
	uint32_t to_size;
};

/* Whether both types have the same members at the same places. Type id 0: no BTF, which equals
 * nothing. */
bool layout_equal(const struct btf *a, uint32_t a_type, const struct btf *b, uint32_t b_type);
/* -ENOTSUP: a type that cannot be converted (bit fields, another kind under the same name). */
int layout_plan(const struct btf *from, uint32_t from_type, const struct btf *to, uint32_t to_type,
	struct layout_plan *ret, struct err *e) MUST_USE;
void layout_plan_done(struct layout_plan *p); /* for SCOPED too */
void layout_convert(const struct layout_plan *p, const void *from, void *to);

#endif
