/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_BASE_MEM_H
#define KILIM_BASE_MEM_H
/*
 * Memory of the user side. Three owners exist: a scope (SCOPED), an arena per generation
 * (base/arena.h) and a reference count. Running out of memory aborts: enforcement lives in the
 * kernel and the agent is started again (doc/decisions).
 */
#include <stddef.h>

/* Release what the variable holds when it leaves its scope; fn gets a pointer to the variable. */
#define SCOPED(fn) __attribute__((cleanup(fn)))
/* The value of p, which is NULL afterwards: hands ownership out of a scope. */
#define TAKE(p)                                                                                    \
	({                                                                                         \
		__typeof__(p) take_ = (p);                                                         \
		(p) = NULL;                                                                        \
		take_;                                                                             \
	})
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MUST_USE      __attribute__((warn_unused_result))

/* size zeroed bytes; never NULL. The caller frees them with free(). */
void *mem_alloc(size_t size);
/* count * size zeroed bytes with the multiplication checked; never NULL. */
void *mem_array(size_t count, size_t size);
/* As realloc(), but never NULL; new bytes are not cleared. */
void *mem_resize(void *p, size_t size);
/* Grow the array *p of *capacity elements to hold at least need; new elements are zeroed. */
void mem_grow(void *p, size_t *capacity, size_t need, size_t size);
/* A copy of the string (of NULL: NULL); the caller frees it. */
char *mem_strdup(const char *s);
/* A copy of len bytes, with a NUL behind them; the caller frees it. */
void *mem_dup(const void *p, size_t len);
/* size zeroed bytes where the size came from outside: NULL when size is over limit or memory is
 * short. */
void *mem_try(size_t size, size_t limit) MUST_USE;
/* For SCOPED: free the pointer that p points at. */
void freep(void *p);

#endif
