/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The history ring. Owned by the agent: decode and enrich add to it, requests read from it. Must
 * hold: slot (number - 1) modulo capacity holds the record of that number, and a slot owns the
 * references of its record.
 */
#include "flow/ring.h"

#include <errno.h>
#include <stdlib.h>

struct flow_ring {
	size_t capacity;
	uint64_t seen;
	struct flow_record *slot; /* made as they are needed: a quiet node stays small */
	size_t slots;
};

int flow_ring_new(size_t capacity, struct flow_ring **ret, struct err *e)
{
	struct flow_ring *ring;
	size_t below = 1;

	while (below * 2 + 1 < capacity && below < FLOW_RING_MAX)
		below = below * 2 + 1;
	if (!capacity || capacity > FLOW_RING_MAX || (capacity & (capacity + 1)))
		return err_set(e, -EINVAL,
			"hubble-event-buffer-capacity %zu is not 2^n-1; take %zu or %zu", capacity,
			below, below < FLOW_RING_MAX ? below * 2 + 1 : below);
	ring = mem_alloc(sizeof(*ring));
	ring->capacity = capacity;
	*ret = ring;
	return 0;
}

void flow_ring_free(struct flow_ring *ring)
{
	if (!ring)
		return;
	for (size_t i = 0; i < ring->slots; i++)
		flow_record_done(&ring->slot[i]);
	free(ring->slot);
	free(ring);
}

void flow_ring_freep(struct flow_ring **ring)
{
	flow_ring_free(*ring);
}

void flow_ring_add(struct flow_ring *ring, const struct flow_record *record)
{
	size_t i = ring->seen % ring->capacity;

	if (i >= ring->slots)
		mem_grow(&ring->slot, &ring->slots, i + 1, sizeof(*ring->slot));
	flow_record_done(&ring->slot[i]);
	ring->slot[i] = *record;
	ring->slot[i].number = ++ring->seen;
}

uint64_t flow_ring_seen(const struct flow_ring *ring)
{
	return ring->seen;
}

size_t flow_ring_count(const struct flow_ring *ring)
{
	return ring->seen < ring->capacity ? (size_t)ring->seen : ring->capacity;
}

size_t flow_ring_capacity(const struct flow_ring *ring)
{
	return ring->capacity;
}

uint64_t flow_ring_oldest(const struct flow_ring *ring)
{
	return ring->seen - flow_ring_count(ring) + 1;
}

const struct flow_record *flow_ring_get(const struct flow_ring *ring, uint64_t number)
{
	if (number < flow_ring_oldest(ring) || number > ring->seen)
		return NULL;
	return &ring->slot[(number - 1) % ring->capacity];
}

const struct flow_record *flow_ring_read(
	const struct flow_ring *ring, uint64_t *position, uint64_t *lost)
{
	uint64_t oldest = flow_ring_oldest(ring);
	const struct flow_record *record;

	if (!*position)
		*position = 1;
	if (*position < oldest) {
		*lost += oldest - *position;
		*position = oldest;
	}
	record = flow_ring_get(ring, *position);
	if (record)
		++*position;
	return record;
}
