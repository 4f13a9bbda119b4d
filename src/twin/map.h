/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TWIN_MAP_H
#define KILIM_TWIN_MAP_H
/* Maps in memory, as twin.c uses them beyond twin.h. */
#include <stdbool.h>
#include <stddef.h>

/* Empty all maps and the ring, and give them the sizes of the sources. */
void twin_maps_reset(void);
/* A program has ended: what was removed meanwhile, and could still be seen by it, is freed. */
void twin_maps_settle(void);
/* The oldest record of the ring; false when it is empty. Fails hard when it has another size. */
bool twin_ring_take(void *ret, size_t size);

#endif
