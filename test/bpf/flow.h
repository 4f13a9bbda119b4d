/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_BPF_FLOW_H
#define KILIM_TEST_BPF_FLOW_H
/* The flow tables as the tests look at them. */
#include "abi/flow.h"
#include "bpf/plane.h"
#include "bpf/shot.h"

/* One entry of any of the four tables. */
struct flow_row {
	uint8_t half;
	uint8_t key[sizeof(struct flow_key6)];
	struct flow flow;
};

struct flow_rows {
	struct flow_row *row;
	size_t count, room;
};

/* Where the flow of the tuple is: 0, HALF_TABLE or FULL_TABLE; *ret is its entry. */
int flow_find_tuple(struct plane *p, const struct tuple *t, struct flow *ret);
/* All entries, sorted, without what differs from run to run: clocks are cut to the kind of timeout.
 */
void flow_rows_read(struct plane *p, struct flow_rows *ret);
void flow_rows_done(struct flow_rows *r);
/* Call change for each entry and write it back. */
void flow_change(struct plane *p, void (*change)(struct flow *f));
/* A line that tells an entry, for notes. */
const char *flow_text(const struct flow *f);

#endif
