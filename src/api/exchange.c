/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request says, checked. Called by server.c as the pieces come in. Owns the decoded texts
 * (one arena) and the body. Must hold: nothing unchecked reaches a handler: escapes are
 * well-formed, texts have no NUL, bodies are within API_BODY_MAX, web pages are no clients.
 */
#include "api/exchange.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "api/percent.h"

static void refuse(struct exchange *x, unsigned status, const char *why)
{
	if (x->refused)
		return;
	x->refused = status;
	x->why = why;
	str_done(&x->body);
}

static enum MHD_Result add_parameter(
	void *data, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct exchange *x = data;
	char *name = arena_strdup(&x->mem, key), *text = arena_strdup(&x->mem, value ? value : "");

	(void)kind;
	if (percent_decode(name) < 0 || percent_decode(text) < 0)
		refuse(x, MHD_HTTP_BAD_REQUEST, "the query has a broken percent escape");
	mem_grow(&x->parameter, &x->capacity, x->parameters + 1, sizeof(*x->parameter));
	x->parameter[x->parameters++] = (struct parameter){name, text};
	return MHD_YES;
}

/* Whether a Host header means this machine by address, which no foreign name server can make a
 * browser send. */
static bool host_is_local(const char *host)
{
	char name[64];
	unsigned char addr[16];
	size_t len;

	if (!host)
		return false;
	if (*host == '[') {
		len = strcspn(++host, "]");
		if (host[len] != ']' || (host[len + 1] && host[len + 1] != ':'))
			return false;
	} else {
		len = strcspn(host, ":");
	}
	if (len >= sizeof(name))
		return false;
	memcpy(name, host, len);
	name[len] = 0;
	return !strcasecmp(name, "localhost") || inet_pton(AF_INET, name, addr) == 1 ||
	       inet_pton(AF_INET6, name, addr) == 1;
}

static void check_origin(
	struct exchange *x, struct MHD_Connection *connection, const struct listener *listener)
{
	if (listener->local)
		return;
	if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ORIGIN))
		refuse(x, MHD_HTTP_FORBIDDEN,
			"requests of web pages (with an Origin) are not taken");
	if (listener->loopback && !host_is_local(MHD_lookup_connection_value(
					  connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST)))
		refuse(x, MHD_HTTP_FORBIDDEN,
			"the Host header must be an IP address or localhost on a loopback address");
}

struct exchange *exchange_new(struct MHD_Connection *connection, const struct listener *listener)
{
	struct exchange *x = mem_alloc(sizeof(*x));
	const char *length = MHD_lookup_connection_value(
		connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t bytes;

	check_origin(x, connection, listener);
	if (length && str_to_u64(length, API_BODY_MAX, &bytes) < 0)
		refuse(x, MHD_HTTP_CONTENT_TOO_LARGE, "the body is over 8 MiB");
	(void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_parameter, x);
	return x;
}

enum MHD_Result exchange_body(struct exchange *x, const char *bytes, size_t len)
{
	x->received += len;
	if (x->received > 2 * (size_t)API_BODY_MAX)
		return MHD_NO;
	if (x->received > API_BODY_MAX)
		refuse(x, MHD_HTTP_CONTENT_TOO_LARGE, "the body is over 8 MiB");
	if (!x->refused)
		str_addn(&x->body, bytes, len);
	return MHD_YES;
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	arena_done(&x->mem);
	free(x->parameter);
	str_done(&x->body);
	free(x);
}

const char *api_query(const struct api_request *rq, const char *name)
{
	const struct exchange *x = rq->handle;

	for (size_t i = 0; i < x->parameters; i++) {
		if (str_eq(x->parameter[i].name, name))
			return x->parameter[i].value;
	}
	return NULL;
}

void api_query_each(const struct api_request *rq, const char *name,
	void (*fn)(const char *value, void *data), void *data)
{
	const struct exchange *x = rq->handle;

	for (size_t i = 0; i < x->parameters; i++) {
		if (str_eq(x->parameter[i].name, name))
			fn(x->parameter[i].value, data);
	}
}

/* Match path with the pattern; the parts that {} stands for go to part[] as they are. */
static bool path_match(const char *pattern, const char *path, const char *part[4], size_t len[4])
{
	size_t n = 0;

	while (*pattern) {
		if (pattern[0] == '{' && n < 4) {
			part[n] = path;
			len[n] = strcspn(path, "/");
			if (!len[n])
				return false;
			path += len[n++];
			pattern += 2;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return !*path;
}

static bool route_answers(const struct api_route *route, const char *method)
{
	return str_eq(route->method, method) ||
	       (str_eq(method, "HEAD") && str_eq(route->method, "GET"));
}

const struct api_route *exchange_route(struct exchange *x, const struct api_route *routes,
	const char *method, const char *path, struct api_request *rq, const char **ret_allow)
{
	const char *allow = NULL;

	*ret_allow = NULL;
	for (const struct api_route *route = routes; route->method; route++) {
		const char *part[4] = {0};
		size_t len[4] = {0};

		if (!path_match(route->path, path, part, len))
			continue;
		allow = allow ? arena_printf(&x->mem, "%s, %s", allow, route->method)
			      : route->method;
		if (!route_answers(route, method))
			continue;
		for (size_t i = 0; i < 4 && part[i]; i++) {
			char *text = arena_printf(&x->mem, "%.*s", (int)len[i], part[i]);

			if (percent_decode(text) < 0) {
				refuse(x, MHD_HTTP_BAD_REQUEST,
					"the path has a broken percent escape");
				return NULL;
			}
			rq->argument[i] = text;
		}
		return route;
	}
	*ret_allow = allow;
	refuse(x, allow ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND,
		allow ? "this path does not have that method" : "there is no such path");
	return NULL;
}
