/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_LOOP_LOOP_H
#define KILIM_LOOP_LOOP_H
/*
 * The event loop: one epoll thread over sd-event. Sources are owned by the caller and freed with
 * loop_source_free(); a callback returns 0 or a negative errno, which the loop ignores except to
 * disable the source.
 */
#include <stdint.h>

#include "base/mem.h"

struct loop;
struct loop_source;

typedef int (*loop_fd_fn)(int fd, uint32_t epoll_events, void *data);
typedef int (*loop_fn)(void *data);

struct loop *loop_new(void); /* aborts when epoll cannot be had */
void loop_free(struct loop *l);
/* Run until loop_exit(); returns the code given there. */
int loop_run(struct loop *l);
void loop_exit(struct loop *l, int code);

/* Call fn when fd has one of the EPOLL* events. The fd stays the caller's. */
struct loop_source *loop_add_fd(
	struct loop *l, int fd, uint32_t epoll_events, loop_fd_fn fn, void *data);
/* A timer, not armed yet; arm it with loop_timer_in(). */
struct loop_source *loop_add_timer(struct loop *l, loop_fn fn, void *data);
/* Fire once, ns nanoseconds from now (0: at the next turn); replaces an earlier setting. */
void loop_timer_in(struct loop_source *s, uint64_t ns);
void loop_timer_stop(struct loop_source *s);
/* Call fn on the signal, which is blocked for the process from now on. */
struct loop_source *loop_add_signal(struct loop *l, int signo, loop_fn fn, void *data);
/* Call fn once at the next turn after all other sources, however often it is asked for before:
 * coalesces work. */
struct loop_source *loop_add_defer(struct loop *l, loop_fn fn, void *data);
void loop_defer(struct loop_source *s);
void loop_source_set_events(struct loop_source *s, uint32_t epoll_events);
void loop_source_free(struct loop_source *s); /* NULL is fine */
void loop_source_freep(struct loop_source **s);

#endif
