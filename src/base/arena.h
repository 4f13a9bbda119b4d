/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_BASE_ARENA_H
#define KILIM_BASE_ARENA_H
/* An arena holds everything of one generation (a policy set, a request, a batch); arena_done()
 * frees it all at once. */
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *head; /* newest block, which allocations are cut from */
	size_t used; /* bytes handed out in all, for statistics */
};

/* size zeroed bytes, aligned for any type; never NULL; valid until arena_done(). */
void *arena_alloc(struct arena *a, size_t size);
/* count * size zeroed bytes, checked for overflow. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* A copy of the string (of NULL: NULL). */
char *arena_strdup(struct arena *a, const char *s);
/* A formatted string. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Free everything; the arena is empty and usable again. */
void arena_done(struct arena *a);

#endif
