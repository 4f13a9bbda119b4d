/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd-event behind a small face. Called by the programs and by the modules that own descriptors.
 * Must hold: one thread; a source outlives no loop.
 */
#include "loop/loop.h"

#include <signal.h>
#include <stdlib.h>
#include <systemd/sd-event.h>

struct loop {
	sd_event *event;
};

struct loop_source {
	sd_event_source *source;
	loop_fd_fn fd_fn;
	loop_fn fn;
	void *data;
};

struct loop *loop_new(void)
{
	struct loop *l = mem_alloc(sizeof(*l));

	if (sd_event_new(&l->event) < 0)
		abort();
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	sd_event_unref(l->event);
	free(l);
}

int loop_run(struct loop *l)
{
	return sd_event_loop(l->event);
}

void loop_exit(struct loop *l, int code)
{
	(void)sd_event_exit(l->event, code);
}

static struct loop_source *source_new(loop_fd_fn fd_fn, loop_fn fn, void *data)
{
	struct loop_source *s = mem_alloc(sizeof(*s));

	s->fd_fn = fd_fn;
	s->fn = fn;
	s->data = data;
	return s;
}

static int on_fd(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct loop_source *s = userdata;

	(void)source;
	return s->fd_fn(fd, events, s->data);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct loop_source *s = userdata;

	(void)source;
	(void)usec;
	return s->fn(s->data);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	struct loop_source *s = userdata;

	(void)source;
	(void)si;
	return s->fn(s->data);
}

static int on_defer(sd_event_source *source, void *userdata)
{
	struct loop_source *s = userdata;

	(void)source;
	return s->fn(s->data);
}

struct loop_source *loop_add_fd(
	struct loop *l, int fd, uint32_t epoll_events, loop_fd_fn fn, void *data)
{
	struct loop_source *s = source_new(fn, NULL, data);

	if (sd_event_add_io(l->event, &s->source, fd, epoll_events, on_fd, s) < 0)
		abort();
	return s;
}

struct loop_source *loop_add_timer(struct loop *l, loop_fn fn, void *data)
{
	struct loop_source *s = source_new(NULL, fn, data);

	if (sd_event_add_time(l->event, &s->source, CLOCK_MONOTONIC, 0, 1000, on_time, s) < 0 ||
		sd_event_source_set_enabled(s->source, SD_EVENT_OFF) < 0)
		abort();
	return s;
}

void loop_timer_in(struct loop_source *s, uint64_t ns)
{
	(void)sd_event_source_set_time_relative(s->source, ns / 1000);
	(void)sd_event_source_set_enabled(s->source, SD_EVENT_ONESHOT);
}

void loop_timer_stop(struct loop_source *s)
{
	(void)sd_event_source_set_enabled(s->source, SD_EVENT_OFF);
}

struct loop_source *loop_add_signal(struct loop *l, int signo, loop_fn fn, void *data)
{
	struct loop_source *s = source_new(NULL, fn, data);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 ||
		sd_event_add_signal(l->event, &s->source, signo, on_signal, s) < 0)
		abort();
	return s;
}

struct loop_source *loop_add_defer(struct loop *l, loop_fn fn, void *data)
{
	struct loop_source *s = source_new(NULL, fn, data);

	if (sd_event_add_defer(l->event, &s->source, on_defer, s) < 0 ||
		sd_event_source_set_priority(s->source, SD_EVENT_PRIORITY_IDLE) < 0 ||
		sd_event_source_set_enabled(s->source, SD_EVENT_OFF) < 0)
		abort();
	return s;
}

void loop_defer(struct loop_source *s)
{
	(void)sd_event_source_set_enabled(s->source, SD_EVENT_ONESHOT);
}

void loop_source_set_events(struct loop_source *s, uint32_t epoll_events)
{
	(void)sd_event_source_set_io_events(s->source, epoll_events);
}

void loop_source_free(struct loop_source *s)
{
	if (!s)
		return;
	sd_event_source_disable_unref(s->source);
	free(s);
}

void loop_source_freep(struct loop_source **s)
{
	loop_source_free(*s);
}
