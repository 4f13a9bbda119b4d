/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams of lines. Called by server.c and, in between, by whoever has something for a stream. Owns
 * the bytes that fill gave and the client has not taken. Must hold: while a stream has nothing to
 * send its connection is suspended, and since libmicrohttpd does not look at a suspended
 * connection, our loop watches its descriptor for the client's going; done is called exactly once.
 */
#include "api/stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/str.h"
#include "loop/loop.h"

enum { BLOCK_BYTES = 16384, FILL_ROUNDS = 16 };

struct api_stream {
	int (*fill)(struct str *out, void *data);
	void (*done)(void *data);
	void *data;
	struct str out; /* what fill gave; bytes before sent are gone already */
	size_t sent;
	struct MHD_Connection *connection; /* NULL before the start */
	struct stream_list *list;
	struct api_stream *next, *previous;
	struct loop_source *watch;
	bool suspended, woken, ended, broken;
};

struct api_stream *api_stream_new(
	int (*fill)(struct str *out, void *data), void (*done)(void *data), void *data)
{
	struct api_stream *s = mem_alloc(sizeof(*s));

	s->fill = fill;
	s->done = done;
	s->data = data;
	return s;
}

void api_stream_wake(struct api_stream *s)
{
	s->woken = true;
	if (!s->suspended)
		return;
	s->suspended = false;
	MHD_resume_connection(s->connection);
	/* with an external loop, nothing else tells libmicrohttpd of it */
	(void)eventfd_write(s->list->kick, 1);
}

void stream_free(void *data)
{
	struct api_stream *s = data;

	loop_source_free(s->watch);
	if (s->list) {
		*(s->previous ? &s->previous->next : &s->list->head) = s->next;
		if (s->next)
			s->next->previous = s->previous;
	}
	if (s->done)
		s->done(s->data);
	str_done(&s->out);
	free(s);
}

/* Let fill produce. 1: there are bytes, or it wants another turn; 0: wait for a wake; the end is
 * noted. */
static int refill(struct api_stream *s)
{
	int r = 1;

	s->out.len = s->sent = 0;
	for (unsigned i = 0; i < FILL_ROUNDS && !s->out.len && r > 0; i++) {
		s->woken = false;
		r = s->fill(&s->out, s->data);
		if (!r && s->woken)
			r = 1;
	}
	if (r < 0)
		s->ended = true;
	return s->out.len ? 1 : r;
}

static ssize_t read_block(void *data, uint64_t pos, char *buf, size_t max)
{
	struct api_stream *s = data;
	size_t n;
	int more = 0;

	(void)pos;
	if (s->sent == s->out.len && !s->ended && !s->broken)
		more = refill(s);
	if (s->broken)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = s->out.len - s->sent;
	if (!n && s->ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!n) {
		s->suspended = true;
		MHD_suspend_connection(s->connection);
		if (more)
			api_stream_wake(s); /* goes on at the next turn of the loop */
		return 0;
	}
	n = n < max ? n : max;
	memcpy(buf, s->out.text + s->sent, n);
	s->sent += n;
	return (ssize_t)n;
}

/* The client has gone, or closed its half. */
static int on_hangup(int fd, uint32_t events, void *data)
{
	struct api_stream *s = data;

	(void)fd;
	(void)events;
	loop_source_free(TAKE(s->watch));
	s->broken = true;
	api_stream_wake(s);
	return 0;
}

static void stream_attach(struct api_stream *s, struct MHD_Connection *connection, bool local,
	struct loop *l, struct stream_list *list)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	s->connection = connection;
	s->list = list;
	s->next = list->head;
	if (s->next)
		s->next->previous = s;
	list->head = s;
	/* on a unix socket a client may close its sending half and listen on; TCP cannot tell that
	 * from going away */
	if (info)
		s->watch = loop_add_fd(l, info->connect_fd,
			local ? EPOLLHUP : EPOLLHUP | EPOLLRDHUP, on_hangup, s);
	/* a reader that pauses (less, a terminal on hold) may take as long as it likes */
	if (local)
		(void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
}

enum MHD_Result stream_start(struct api_stream *s, struct MHD_Connection *connection,
	unsigned status, bool local, struct loop *l, struct stream_list *list)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_block, s, stream_free);
	enum MHD_Result r;

	if (!response) {
		stream_free(s);
		return MHD_NO;
	}
	stream_attach(s, connection, local, l, list);
	(void)MHD_add_response_header(
		response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/x-ndjson");
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	r = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return r;
}

void stream_end_all(struct stream_list *list)
{
	for (struct api_stream *s = list->head; s; s = s->next) {
		s->broken = true;
		api_stream_wake(s);
	}
}
