/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_API_SERVER_H
#define KILIM_API_SERVER_H
/*
 * HTTP/1.1 with JSON bodies on a unix socket (0660, root) or a TCP port (metrics). libmicrohttpd
 * with its epoll inside ours: one thread. Errors are {"error": "text"} with a 4xx or 5xx status.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"

struct api_server;
struct api_stream;
struct loop;

enum { API_BODY_MAX = 8 << 20 }; /* bytes of a request's body */

struct api_request {
	const char *method, *path; /* path without the query, not decoded */
	const char
		*argument[4]; /* what the {} parts of the route's path matched, percent-decoded */
	const json_t *body; /* NULL when there is none */
	void *handle; /* for api_query() */
};

/* A query parameter (the first of that name; "" when it has no value), or NULL. Valid until the
 * handler returns. */
const char *api_query(const struct api_request *rq, const char *name);
/* All values of a parameter that may be given several times; fn per value. */
void api_query_each(const struct api_request *rq, const char *name,
	void (*fn)(const char *value, void *data), void *data);

struct api_reply {
	int status; /* 200 when left 0 */
	json_t *body; /* taken over by the server; or */
	char *text; /* taken over (free()), with content_type; or */
	const char *content_type; /* of text; NULL is text/plain; must stay valid until the
				     handler's return */
	struct api_stream *stream; /* application/x-ndjson that goes on */
};

typedef void (*api_fn)(const struct api_request *rq, struct api_reply *reply, void *data);

/* path: "/v1/endpoint/{}"; a {} matches one non-empty part. The table ends with method NULL. A
 * route of GET answers HEAD too. */
struct api_route {
	const char *method, *path;
	api_fn fn;
};

/*
 * reply->status and body {"error": e->text} from a failure: -ENOENT 404, -EINVAL 400, -EEXIST 409,
 * -EPERM 403, -EBUSY 429, -E2BIG 413, -EAGAIN 503, -ENOSPC 507, else 500. A body that was there is
 * dropped.
 */
void api_fail(struct api_reply *reply, int code, const struct err *e);

/*
 * address: "unix:/path" (mode 0660; a stale socket is replaced, a live one is -EADDRINUSE) or
 * "127.0.0.1:9962", "[::1]:9962", ":9962". Bodies are limited to API_BODY_MAX. On TCP a request
 * with an Origin is refused (no web page of another origin is a client), and on a loopback address
 * also one whose Host is a name other than localhost.
 */
int api_server_start(struct loop *l, const char *address, const struct api_route *routes,
	void *data, struct api_server **ret, struct err *e) MUST_USE;
/* Ends open streams (their done is called) and removes the socket. Not from inside a handler. NULL
 * is fine. */
void api_server_stop(struct api_server *s);

/*
 * A stream of lines. fill is called when the client can take more: it adds lines to out (whole
 * ones) and returns >0 to be called again at once, 0 to wait for api_stream_wake(), <0 when it has
 * ended. done is called once, when the client has gone or the end was sent; then the stream is
 * gone.
 */
struct str;
struct api_stream *api_stream_new(
	int (*fill)(struct str *out, void *data), void (*done)(void *data), void *data);
void api_stream_wake(struct api_stream *s);

#endif
