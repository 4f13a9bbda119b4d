/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: the agent's HTTP server, and the client's reading of answers. The first byte
 * chooses: 'S' sends the rest to a server on a unix socket, in two pieces, and lets it work in
 * between; anything else is an answer for the client. Whatever the bytes are, a handler sees only
 * decoded texts and bodies within the limit, and the client's body is within the answer.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/answer.h"
#include "api/percent.h"
#include "api/server.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/json.h"
#include "loop/loop.h"

enum { PIECE_MAX = 65536, TICK_NS = 100000 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void count(const char *value, void *data)
{
	*(size_t *)data += strlen(value);
}

static int fill(struct str *out, void *data)
{
	unsigned *left = data;

	if (!*left)
		return -1;
	str_printf(out, "{\"line\": %u}\n", (*left)--);
	return 1;
}

/* Look at all that a handler may look at. */
static void on_request(const struct api_request *rq, struct api_reply *reply, void *data)
{
	size_t bytes = 0;

	(void)data;
	for (int i = 0; i < 4 && rq->argument[i]; i++)
		assert(*rq->argument[i]);
	api_query_each(rq, "label", count, &bytes);
	if (api_query(rq, "number"))
		bytes += strlen(api_query(rq, "number"));
	reply->status = 200;
	reply->body = json_pack("{s:I, s:O?}", "bytes", (json_int_t)bytes, "body", rq->body);
}

static void on_stream(const struct api_request *rq, struct api_reply *reply, void *data)
{
	unsigned *left = mem_alloc(sizeof(*left));

	(void)rq;
	(void)data;
	*left = 3;
	reply->stream = api_stream_new(fill, free, left);
}

static const struct api_route routes[] = {
	{"GET", "/v1/endpoint", on_request},
	{"POST", "/v1/endpoint", on_request},
	{"GET", "/v1/endpoint/{}", on_request},
	{"DELETE", "/v1/endpoint/{}", on_request},
	{"GET", "/v1/policy/{}/{}/{}", on_request},
	{"PUT", "/v1/policy/{}", on_request},
	{"GET", "/v1/flow", on_stream},
	{NULL, NULL, NULL},
};

/* What is left of the input, and what is done at the next tick. */
struct conversation {
	struct loop *loop;
	struct loop_source *timer;
	const char *bytes;
	size_t len;
	int fd, step;
};

static void drain(int fd)
{
	char buf[4096];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

/* Between ticks the server works: two pieces, the end of the client's half, its going away. */
static int on_tick(void *data)
{
	struct conversation *c = data;
	size_t n = c->step ? c->len : c->len / 2;

	switch (c->step++) {
	case 0:
	case 1:
		(void)send(c->fd, c->bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		c->bytes += n;
		c->len -= n;
		break;
	case 2:
		(void)shutdown(c->fd, SHUT_WR);
		break;
	case 3:
		drain(c->fd);
		close(c->fd);
		break;
	default:
		loop_exit(c->loop, 0);
		return 0;
	}
	loop_timer_in(c->timer, TICK_NS);
	return 0;
}

static void to_server(const char *bytes, size_t len)
{
	struct conversation c = {.loop = loop_new(), .bytes = bytes, .len = len};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct api_server *server = NULL;
	char address[120];

	snprintf(sa.sun_path, sizeof(sa.sun_path), "/tmp/kilim-fuzz-api-%d", (int)getpid());
	snprintf(address, sizeof(address), "unix:%s", sa.sun_path);
	c.timer = loop_add_timer(c.loop, on_tick, &c);
	c.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (api_server_start(c.loop, address, routes, NULL, &server, NULL) < 0 || c.fd < 0 ||
		connect(c.fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		abort();
	loop_timer_in(c.timer, 0);
	(void)loop_run(c.loop);
	api_server_stop(server);
	loop_source_free(c.timer);
	loop_free(c.loop);
}

static void to_client(const char *bytes, size_t len)
{
	SCOPED(freep) struct answer *a = mem_alloc(sizeof(*a));
	struct err e = {0};
	size_t total = 0;
	ssize_t n = -1;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	(void)send(pair[1], bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(pair[1]);
	a->fd = pair[0];
	if (answer_head(a, &e) >= 0) {
		char buf[333];

		assert(a->status >= 200 && a->status <= 999);
		while ((n = answer_body(a, buf, sizeof(buf), &e)) > 0)
			total += (size_t)n;
	}
	assert(total <= len);
	assert(n == 0 || *e.text);
	close(pair[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;

	if (!len || len > PIECE_MAX)
		return 0;
	if (*text == 'S')
		to_server(text + 1, len - 1);
	else
		to_client(text, len);
	return 0;
}
