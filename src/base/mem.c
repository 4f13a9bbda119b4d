/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation that never fails: called by everything on the user side. Must hold: no function here
 * returns NULL, except mem_try(), whose size comes from outside.
 */
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p)
{
	if (!p) {
		fputs("kilim: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *mem_alloc(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *mem_array(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *mem_resize(void *p, size_t size)
{
	return checked(realloc(p, size ? size : 1));
}

void mem_grow(void *p, size_t *capacity, size_t need, size_t size)
{
	size_t old = *capacity, new = old ? old : 8, bytes;
	void **array = p;

	if (need <= old)
		return;
	while (new < need)
		new *= 2;
	if (__builtin_mul_overflow(new, size, &bytes))
		checked(NULL);
	*array = mem_resize(*array, bytes);
	memset((char *)*array + old * size, 0, (new - old) * size);
	*capacity = new;
}

char *mem_strdup(const char *s)
{
	return s ? checked(strdup(s)) : NULL;
}

void *mem_dup(const void *p, size_t len)
{
	char *copy = mem_alloc(len + 1);

	if (len)
		memcpy(copy, p, len);
	return copy;
}

void *mem_try(size_t size, size_t limit)
{
	return size > limit ? NULL : calloc(1, size ? size : 1);
}

void freep(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}
