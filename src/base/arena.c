/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arenas: blocks in a chain, the newest first. Owned by whoever embeds the struct. Must hold:
 * nothing that an arena gave out is freed alone or used after arena_done().
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Blocks double, so that an arena of little costs little. */
enum { FIRST_BLOCK = 240, BLOCK_MAX = 16384, ALIGN = 16 };

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(ALIGN) char data[];
};

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->head;

	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!b || b->size - b->used < size) {
		size_t want = b ? b->size * 2 : FIRST_BLOCK;

		want = want > BLOCK_MAX ? BLOCK_MAX : want;
		want = size > want ? size : want;
		b = mem_alloc(sizeof(*b) + want);
		b->size = want;
		b->next = a->head;
		a->head = b;
	}
	b->used += size;
	a->used += size;
	return b->data + b->used - size;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		abort();
	return arena_alloc(a, bytes);
}

char *arena_strdup(struct arena *a, const char *s)
{
	size_t len;

	if (!s)
		return NULL;
	len = strlen(s) + 1;
	return memcpy(arena_alloc(a, len), s, len);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *s;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	s = arena_alloc(a, len < 0 ? 1 : (size_t)len + 1);
	if (len >= 0)
		vsnprintf(s, (size_t)len + 1, fmt, again);
	va_end(again);
	return s;
}

void arena_done(struct arena *a)
{
	while (a->head) {
		struct arena_block *b = a->head;

		a->head = b->next;
		free(b);
	}
	a->used = 0;
}
