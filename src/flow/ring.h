/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_FLOW_RING_H
#define KILIM_FLOW_RING_H
/*
 * The history of flows: the newest 2^n-1 records, numbered from 1 without gaps. Readers keep their
 * own position and learn exactly how many records went by unread.
 */
#include "base/err.h"
#include "flow/record.h"

enum { FLOW_RING_DEFAULT = 4095, FLOW_RING_MAX = (1 << 20) - 1 };

struct flow_ring;

/* capacity: 2^n-1 up to FLOW_RING_MAX, else -EINVAL that names the nearest ones. */
int flow_ring_new(size_t capacity, struct flow_ring **ret, struct err *e) MUST_USE;
void flow_ring_free(struct flow_ring *ring);
void flow_ring_freep(struct flow_ring **ring); /* for SCOPED */
/* Append: takes the record's references over, gives it its number and overwrites the oldest when
 * the ring is full. */
void flow_ring_add(struct flow_ring *ring, const struct flow_record *record);
/* Records ever added: the number of the newest one. */
uint64_t flow_ring_seen(const struct flow_ring *ring);
size_t flow_ring_count(const struct flow_ring *ring);
size_t flow_ring_capacity(const struct flow_ring *ring);
/* The number of the oldest record that is still there; seen + 1 when there is none. */
uint64_t flow_ring_oldest(const struct flow_ring *ring);
/* The record of this number, or NULL when it is gone or not there yet. Valid until the next
 * flow_ring_add(). */
const struct flow_record *flow_ring_get(const struct flow_ring *ring, uint64_t number);
/*
 * The record at *position (a number, from 1), and advance; NULL at the end. When records from
 * *position on are gone already, their count is added to *lost and reading goes on at the oldest.
 */
const struct flow_record *flow_ring_read(
	const struct flow_ring *ring, uint64_t *position, uint64_t *lost);

#endif
