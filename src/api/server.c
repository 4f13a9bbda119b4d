/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's HTTP server: libmicrohttpd, whose epoll descriptor is a source of our loop. Called by
 * the agent, which gives the routes. Owns the daemon, the listening socket and the streams. Must
 * hold: one thread; handlers answer at once or give a stream; every connection is bounded in memory
 * and, but for streams to local clients, in idle time.
 */
#include "api/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/exchange.h"
#include "api/stream.h"
#include "base/fd.h"
#include "codec/json.h"
#include "loop/loop.h"

enum { CONNECTIONS_MAX = 512, IDLE_S = 60, CONNECTION_BYTES = 64 << 10, TURNS_MAX = 16 };

struct api_server {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	struct listener listener;
	const struct api_route *routes;
	void *data;
	struct loop_source *io, *kick, *timer;
	struct stream_list streams;
};

void api_fail(struct api_reply *reply, int code, const struct err *e)
{
	static const struct {
		int code, status;
	} map[] = {{-ENOENT, 404}, {-EINVAL, 400}, {-EEXIST, 409}, {-EPERM, 403}, {-EBUSY, 429},
		{-E2BIG, 413}, {-EAGAIN, 503}, {-ENOSPC, 507}};

	reply->status = 500;
	for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
		if (map[i].code == code)
			reply->status = map[i].status;
	}
	json_decref(reply->body);
	reply->body = json_pack("{s:s}", "error", e && *e->text ? e->text : strerror(-code));
	if (!reply->body) /* the text was not UTF-8 */
		reply->body = json_pack("{s:s}", "error", strerror(-code));
}

static int add_bytes(const char *bytes, size_t len, void *data)
{
	str_addn(data, bytes, len);
	return 0;
}

/* The text to send, of body or text; what was given is used up. */
static char *reply_text(struct api_reply *reply, const char **ret_type, size_t *ret_len)
{
	struct str out = {0};

	if (reply->body) {
		(void)json_dump_callback(
			reply->body, add_bytes, &out, JSON_COMPACT | JSON_ENCODE_ANY);
		str_add(&out, "\n");
		json_decref(TAKE(reply->body));
		*ret_type = "application/json";
	} else if (reply->text) {
		str_add(&out, reply->text);
		*ret_type = reply->content_type ? reply->content_type : "text/plain; charset=utf-8";
	}
	free(TAKE(reply->text));
	*ret_len = out.len;
	return str_take(&out);
}

static enum MHD_Result reply_send(
	struct MHD_Connection *connection, struct api_reply *reply, const char *allow)
{
	unsigned status = reply->status ? (unsigned)reply->status : MHD_HTTP_OK;
	const char *type = NULL;
	size_t len;
	char *text = reply_text(reply, &type, &len);
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result r;

	if (!response) {
		free(text);
		return MHD_NO;
	}
	if (type)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (allow)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	(void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	r = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result reply_refusal(
	struct MHD_Connection *connection, const struct exchange *x, const char *allow)
{
	struct api_reply reply = {
		.status = (int)x->refused, .body = json_pack("{s:s}", "error", x->why)};

	return reply_send(connection, &reply, allow);
}

/* The request is complete: find who answers, and let it. */
static enum MHD_Result exchange_answer(struct api_server *s, struct MHD_Connection *connection,
	struct exchange *x, const char *method, const char *path)
{
	SCOPED(json_unrefp)
	json_t *body = NULL;
	struct api_request rq = {.method = method, .path = path, .handle = x};
	struct api_reply reply = {0};
	const struct api_route *route = NULL;
	const char *allow = NULL;
	struct err e = {0};
	int r = 0;

	if (!x->refused)
		route = exchange_route(x, s->routes, method, path, &rq, &allow);
	if (!route)
		return reply_refusal(connection, x, allow);
	if (x->body.len)
		r = json_parse_text(x->body.text, x->body.len, API_BODY_MAX, &body, &e);
	if (r < 0) {
		api_fail(&reply, r, &e);
		return reply_send(connection, &reply, NULL);
	}
	rq.body = body;
	route->fn(&rq, &reply, s->data);
	if (!reply.stream)
		return reply_send(connection, &reply, NULL);
	return stream_start(reply.stream, connection,
		reply.status ? (unsigned)reply.status : MHD_HTTP_OK, s->listener.local, s->loop,
		&s->streams);
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_len,
	void **state)
{
	struct api_server *s = data;
	struct exchange *x = *state;

	(void)version;
	if (!x) {
		*state = x = exchange_new(connection, &s->listener);
		/* what is known to be refused is not read first */
		return x->refused ? reply_refusal(connection, x, NULL) : MHD_YES;
	}
	if (*upload_len) {
		enum MHD_Result r = exchange_body(x, upload, *upload_len);

		*upload_len = 0;
		return r;
	}
	return exchange_answer(s, connection, x, method, url);
}

static void on_complete(void *data, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode code)
{
	(void)data;
	(void)connection;
	(void)code;
	exchange_free(*state);
	*state = NULL;
}

/* Paths and queries are split before they are decoded, by us: an escaped slash is no separator. */
static size_t keep_escapes(void *data, struct MHD_Connection *connection, char *s)
{
	(void)data;
	(void)connection;
	return strlen(s);
}

/* Let libmicrohttpd work, but not so long that other sources starve; and again at the latest when
 * it says. */
static int server_turn(void *data)
{
	struct api_server *s = data;
	MHD_UNSIGNED_LONG_LONG ms;

	for (unsigned i = 0; i < TURNS_MAX; i++) {
		(void)MHD_run(s->daemon);
		if (MHD_get_timeout(s->daemon, &ms) != MHD_YES) {
			loop_timer_stop(s->timer);
			return 0;
		}
		if (ms)
			break;
	}
	loop_timer_in(s->timer, ms * 1000000u);
	return 0;
}

static int on_epoll(int fd, uint32_t events, void *data)
{
	(void)fd;
	(void)events;
	return server_turn(data);
}

static int on_kick(int fd, uint32_t events, void *data)
{
	eventfd_t n;

	(void)events;
	(void)eventfd_read(fd, &n);
	return server_turn(data);
}

static struct MHD_Daemon *daemon_new(struct api_server *s)
{
	/* a refused connection beside the limit is better than a descriptor for every one */
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request,
		s, MHD_OPTION_LISTEN_SOCKET, s->listener.fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED,
		on_complete, NULL, MHD_OPTION_END);
}

/* Everything but the loop's sources. */
static int server_open(struct api_server *s, const char *address, int *ret_epoll_fd, struct err *e)
{
	const union MHD_DaemonInfo *info;
	int r = listener_open(address, &s->listener, e);

	if (r < 0)
		return r;
	s->streams.kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->daemon = s->streams.kick < 0 ? NULL : daemon_new(s);
	info = s->daemon ? MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (info) {
		*ret_epoll_fd = info->epoll_fd;
		return 0;
	}
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	else
		(void)close(s->listener.fd);
	fd_closep(&s->streams.kick);
	listener_done(&s->listener);
	return err_set(e, -EIO, "address %s: the HTTP server cannot be started", address);
}

int api_server_start(struct loop *l, const char *address, const struct api_route *routes,
	void *data, struct api_server **ret, struct err *e)
{
	SCOPED(freep)
	struct api_server *s = mem_alloc(sizeof(*s));
	int fd = -1, r;

	s->loop = l;
	s->routes = routes;
	s->data = data;
	r = server_open(s, address, &fd, e);
	if (r < 0)
		return r;
	s->io = loop_add_fd(l, fd, EPOLLIN, on_epoll, s);
	s->kick = loop_add_fd(l, s->streams.kick, EPOLLIN, on_kick, s);
	s->timer = loop_add_timer(l, server_turn, s);
	*ret = TAKE(s);
	return 0;
}

void api_server_stop(struct api_server *s)
{
	if (!s)
		return;
	/* the name goes first: from here on nobody new is let down in the middle */
	listener_done(&s->listener);
	stream_end_all(&s->streams);
	loop_source_free(s->io);
	loop_source_free(s->kick);
	loop_source_free(s->timer);
	(void)MHD_run(s->daemon);
	MHD_stop_daemon(s->daemon);
	fd_closep(&s->streams.kick);
	free(s);
}
