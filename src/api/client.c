/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to the agent over its unix socket. Called by the CLI and by the CNI plugin, whose start
 * time counts: libc and jansson only. Owns one connection per call. Must hold: no size that comes
 * from the other side is trusted, and a failure says whether there was an answer at all.
 */
#include "api/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "api/answer.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/json.h"

enum { CONNECT_S = 10 };

static int connect_fail(const char *socket_path, int code, struct err *e)
{
	switch (code) {
	case -ENOENT:
		return err_set(e, code,
			"kilimd does not run at %s (there is no such socket): start it, or name "
			"its directory with --run-dir",
			socket_path);
	case -ECONNREFUSED:
		return err_set(e, code,
			"kilimd does not run at %s (a socket was left behind): start it",
			socket_path);
	case -EACCES:
	case -EPERM:
		return err_set(e, code, "%s: permission denied: only root may talk to kilimd",
			socket_path);
	case -EAGAIN:
		return err_set(e, -ETIMEDOUT,
			"kilimd at %s takes no connections: it hangs or is overloaded",
			socket_path);
	default:
		return err_set(e, code, "cannot connect to kilimd at %s: %s", socket_path,
			strerror(-code));
	}
}

static int client_connect(const char *socket_path, unsigned timeout_ms, int *ret_fd, struct err *e)
{
	SCOPED(fd_closep)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = CONNECT_S};
	int r;

	if (strlen(socket_path) >= sizeof(sa.sun_path))
		return connect_fail(socket_path, -ENAMETOOLONG, e);
	strcpy(sa.sun_path, socket_path);
	if (fd < 0)
		return connect_fail(socket_path, -errno, e);
	if (timeout_ms)
		limit = (struct timeval){timeout_ms / 1000, (timeout_ms % 1000) * 1000};
	/* a connect() waits at most for that when the server's queue is full */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	do {
		r = connect(fd, (struct sockaddr *)&sa, sizeof(sa));
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return connect_fail(socket_path, -errno, e);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Send the request and read the head of the answer. */
static int client_begin(
	struct answer *a, const char *method, const char *path, const char *body, struct err *e)
{
	SCOPED(str_done)
	struct str request = {0};
	int r;

	str_printf(
		&request, "%s %s HTTP/1.1\r\nHost: kilim\r\nConnection: close\r\n", method, path);
	if (body)
		str_printf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			strlen(body));
	str_add(&request, "\r\n");
	if (body)
		str_add(&request, body);
	r = answer_request(a, str_text(&request), request.len, e);
	return r < 0 ? r : answer_head(a, e);
}

static int read_all(struct answer *a, struct str *out, struct err *e)
{
	char buf[16384];

	for (;;) {
		ssize_t n = answer_body(a, buf, sizeof(buf), e);

		if (n <= 0)
			return (int)n;
		if (out->len + (size_t)n > API_ANSWER_MAX)
			return err_set(
				e, -EFBIG, "kilimd's answer is over %u MiB", API_ANSWER_MAX >> 20);
		str_addn(out, buf, (size_t)n);
	}
}

/* The errno that stands for a status: api_fail() backwards. */
static int status_code(int status)
{
	static const struct {
		int status, code;
	} map[] = {{404, -ENOENT}, {400, -EINVAL}, {409, -EEXIST}, {403, -EPERM}, {429, -EBUSY},
		{413, -E2BIG}, {503, -EAGAIN}, {507, -ENOSPC}, {405, -EOPNOTSUPP}};

	for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
		if (map[i].status == status)
			return map[i].code;
	}
	return -EREMOTEIO;
}

/* The failure that an answer of 4xx or 5xx tells. */
static int answer_fail(int status, const char *text, size_t len, struct err *e)
{
	SCOPED(json_unrefp)
	json_t *j = NULL;
	const char *why = NULL;

	if (!json_parse_text(text, len, API_LINE_MAX, &j, NULL) &&
		json_get_string(j, "error", &why, NULL) < 0)
		why = NULL;
	if (why)
		return err_set(e, status_code(status), "%s", why);
	return err_set(e, status_code(status), "kilimd answered with HTTP status %d", status);
}

static struct answer *answer_new(int fd, unsigned timeout_ms)
{
	struct answer *a = mem_alloc(sizeof(*a));

	a->fd = fd;
	if (timeout_ms)
		a->deadline_ns = time_mono_ns() + (uint64_t)timeout_ms * 1000000;
	return a;
}

static int client_exchange(const char *socket_path, const char *method, const char *path,
	const char *body, unsigned timeout_ms, int *ret_status, struct str *out, struct err *e)
{
	SCOPED(fd_closep)
	int fd = -1;
	SCOPED(freep)
	struct answer *a = NULL;
	int r = client_connect(socket_path, timeout_ms, &fd, e);

	*ret_status = 0;
	if (r < 0)
		return r;
	a = answer_new(fd, timeout_ms);
	r = client_begin(a, method, path, body, e);
	if (r >= 0)
		r = read_all(a, out, e);
	if (r < 0)
		return r;
	*ret_status = a->status;
	return a->status >= 400 ? answer_fail(a->status, str_text(out), out->len, e) : 0;
}

int api_call(const char *socket_path, const char *method, const char *path, const json_t *body,
	unsigned timeout_ms, int *ret_status, json_t **ret, struct err *e)
{
	SCOPED(freep)
	char *text = body ? json_text(body) : NULL;
	SCOPED(str_done)
	struct str out = {0};
	json_t *j = NULL;
	int r = client_exchange(socket_path, method, path, text, timeout_ms, ret_status, &out, e);

	if (r >= 0 && out.len)
		r = json_parse_text(out.text, out.len, API_ANSWER_MAX, &j, e);
	if (r < 0)
		return r;
	if (ret)
		*ret = j;
	else
		json_decref(j);
	return 0;
}

int api_call_text(const char *socket_path, const char *path, unsigned timeout_ms, int *ret_status,
	char **ret, struct err *e)
{
	SCOPED(str_done)
	struct str out = {0};
	int r = client_exchange(socket_path, "GET", path, NULL, timeout_ms, ret_status, &out, e);

	if (r < 0)
		return r;
	*ret = str_take(&out);
	return 0;
}

/* Hand out the whole lines of *line, and keep the rest. */
static int lines_out(
	struct str *line, int (*fn)(const char *line, size_t len, void *data), void *data)
{
	char *p = line->text, *end = line->text + line->len;

	while (p < end) {
		char *newline = memchr(p, '\n', (size_t)(end - p));
		int r;

		if (!newline)
			break;
		*newline = 0;
		r = fn(p, (size_t)(newline - p), data);
		if (r)
			return r;
		p = newline + 1;
	}
	line->len = (size_t)(end - p);
	memmove(line->text, p, line->len);
	return 0;
}

static int stream_read(struct answer *a, int (*fn)(const char *line, size_t len, void *data),
	void *data, struct err *e)
{
	SCOPED(str_done)
	struct str line = {0};
	char buf[16384];

	for (;;) {
		ssize_t n = answer_body(a, buf, sizeof(buf), e);
		int r;

		if (n < 0)
			return (int)n;
		if (!n && line.len)
			return err_set(e, -ECONNRESET,
				"kilimd's stream broke off in the middle of a line");
		if (!n)
			return 0;
		str_addn(&line, buf, (size_t)n);
		r = lines_out(&line, fn, data);
		if (r)
			return r;
		if (line.len > API_LINE_MAX)
			return err_set(e, -EFBIG, "a line of kilimd's stream is over %u KiB",
				API_LINE_MAX >> 10);
	}
}

int api_call_stream(const char *socket_path, const char *path,
	int (*fn)(const char *line, size_t len, void *data), void *data, int *ret_status,
	struct err *e)
{
	SCOPED(fd_closep)
	int fd = -1;
	SCOPED(freep)
	struct answer *a = NULL;
	SCOPED(str_done)
	struct str text = {0};
	int r = client_connect(socket_path, 0, &fd, e);

	*ret_status = 0;
	if (r < 0)
		return r;
	a = answer_new(fd, 0);
	a->interruptible = true;
	r = client_begin(a, "GET", path, NULL, e);
	if (r < 0)
		return r;
	*ret_status = a->status;
	if (a->status < 400)
		return stream_read(a, fn, data, e);
	r = read_all(a, &text, e);
	return r < 0 ? r : answer_fail(a->status, str_text(&text), text.len, e);
}
