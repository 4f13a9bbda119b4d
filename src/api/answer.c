/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reading half of the HTTP client. Called by client.c. Owns a buffer, not the socket. Must
 * hold: heads are bounded (64 KiB, 100 lines), every wait has the deadline, and a body counts as
 * complete only when its framing says so.
 */
#include "api/answer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/str.h"
#include "base/time.h"

enum { LINE_MAX_BYTES = 8192, LINES_MAX = 100, CHUNK_DIGITS_MAX = 15 };

/* Wait for the events. -ETIMEDOUT, -EINTR. */
static int answer_wait(const struct answer *a, short events, struct err *e)
{
	for (;;) {
		struct pollfd p = {.fd = a->fd, .events = events};
		int ms = -1, r;

		if (a->deadline_ns) {
			uint64_t now = time_mono_ns();
			uint64_t left =
				now < a->deadline_ns ? (a->deadline_ns - now) / 1000000 + 1 : 0;

			ms = left < 86400000 ? (int)left : 86400000;
		}
		r = poll(&p, 1, ms);
		if (r > 0)
			return 0;
		if (!r)
			return err_set(e, -ETIMEDOUT, "kilimd did not answer in time");
		if (errno != EINTR)
			return err_set(e, -errno, "cannot wait for kilimd: %s", strerror(errno));
		if (a->interruptible)
			return err_set(e, -EINTR, "interrupted");
	}
}

int answer_request(struct answer *a, const void *bytes, size_t len, struct err *e)
{
	const char *p = bytes;

	while (len) {
		ssize_t n = send(a->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			p += n;
			len -= (size_t)n;
			continue;
		}
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (n < 0 && errno == EAGAIN) {
			int r = answer_wait(a, POLLOUT, e);

			if (r < 0)
				return r;
		} else if (n < 0 && errno != EINTR) {
			return err_set(e, -errno, "cannot send to kilimd: %s", strerror(errno));
		}
	}
	return 0;
}

/* More bytes into the empty buffer. 1, or 0 when the peer has closed. */
static int answer_fill(struct answer *a, struct err *e)
{
	for (;;) {
		ssize_t n = recv(a->fd, a->buf, sizeof(a->buf), MSG_DONTWAIT);
		int r;

		if (n >= 0) {
			a->pos = 0;
			a->len = (size_t)n;
			return n > 0;
		}
		if (errno == ECONNRESET)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return err_set(e, -errno, "cannot read from kilimd: %s", strerror(errno));
		r = answer_wait(a, POLLIN, e);
		if (r < 0)
			return r;
	}
}

/* A line without its end. */
static int answer_line(struct answer *a, char line[LINE_MAX_BYTES], struct err *e)
{
	size_t n = 0;

	for (;;) {
		char c;

		if (a->pos == a->len) {
			int r = answer_fill(a, e);

			if (r < 0)
				return r;
			if (!r)
				return err_set(e, -ECONNRESET,
					"kilimd closed the connection in the middle of its answer");
		}
		c = a->buf[a->pos++];
		if (c == '\n')
			break;
		if (!c || n == LINE_MAX_BYTES - 1)
			return err_set(e, -EPROTO,
				"what answers is no kilimd: its header lines are malformed");
		line[n++] = c;
	}
	if (n && line[n - 1] == '\r')
		n--;
	line[n] = 0;
	return 0;
}

static int header_take(struct answer *a, char *line, struct err *e)
{
	char *value = strchr(line, ':');

	if (!value || value == line)
		return err_set(
			e, -EPROTO, "what answers is no kilimd: its header lines are malformed");
	*value++ = 0;
	value += strspn(value, " \t");
	if (!strcasecmp(line, "Content-Length") && a->framing != ANSWER_CHUNKED) {
		if (str_to_u64(value, INT64_MAX, &a->left) < 0)
			return err_set(e, -EPROTO, "kilimd's answer has no valid length");
		a->framing = ANSWER_LENGTH;
	} else if (!strcasecmp(line, "Transfer-Encoding")) {
		if (strcasecmp(value, "chunked"))
			return err_set(e, -EPROTO, "kilimd's answer is encoded in an unknown way");
		a->framing = ANSWER_CHUNKED;
		a->left = 0;
	}
	return 0;
}

/* "HTTP/1.1 200 OK" */
static int status_parse(const char *line, int *ret)
{
	int status = 0;

	if (strncmp(line, "HTTP/1.", 7) || (line[7] != '0' && line[7] != '1') || line[8] != ' ')
		return -EPROTO;
	for (int i = 9; i < 12; i++) {
		if (line[i] < '0' || line[i] > '9')
			return -EPROTO;
		status = status * 10 + line[i] - '0';
	}
	if ((line[12] && line[12] != ' ') || status < 100)
		return -EPROTO;
	*ret = status;
	return 0;
}

int answer_head(struct answer *a, struct err *e)
{
	char line[LINE_MAX_BYTES];

	for (unsigned n = 0; n < LINES_MAX;) {
		int r = answer_line(a, line, e);

		if (r < 0)
			return r;
		if (status_parse(line, &a->status) < 0)
			return err_set(e, -EPROTO,
				"what answers is no kilimd: its first line is malformed");
		a->framing = ANSWER_UNTIL_CLOSE;
		a->left = 0;
		for (; n < LINES_MAX; n++) {
			r = answer_line(a, line, e);
			if (r >= 0 && !*line)
				break;
			if (r >= 0)
				r = header_take(a, line, e);
			if (r < 0)
				return r;
		}
		if (a->status >= 200 && n < LINES_MAX) {
			a->ended = a->status == 204 || a->status == 304;
			return 0;
		}
		n++;
	}
	return err_set(e, -EPROTO, "kilimd's answer has too many header lines");
}

/* The line before a chunk: its size in hexadecimal. The last one has size 0, and lines up to an
 * empty one behind it. */
static int chunk_begin(struct answer *a, struct err *e)
{
	char line[LINE_MAX_BYTES];
	size_t digits;
	int r = 0;

	if (a->in_chunks) /* the end of the chunk before */
		r = answer_line(a, line, e);
	if (r >= 0 && a->in_chunks && *line)
		r = err_set(e, -EPROTO, "kilimd's answer has a malformed chunk");
	if (r >= 0)
		r = answer_line(a, line, e);
	if (r < 0)
		return r;
	a->in_chunks = true;
	digits = strspn(line, "0123456789abcdefABCDEF");
	if (!digits || digits > CHUNK_DIGITS_MAX || (line[digits] && !strchr("; \t", line[digits])))
		return err_set(e, -EPROTO, "kilimd's answer has a malformed chunk");
	a->left = strtoull(line, NULL, 16);
	for (unsigned n = 0; !a->left && !a->ended; n++) {
		r = answer_line(a, line, e);
		if (r >= 0 && n == LINES_MAX)
			r = err_set(e, -EPROTO, "kilimd's answer has too many header lines");
		if (r < 0)
			return r;
		a->ended = !*line;
	}
	return 0;
}

ssize_t answer_body(struct answer *a, void *buf, size_t len, struct err *e)
{
	size_t n;
	int r;

	if (!a->ended && a->framing == ANSWER_CHUNKED && !a->left) {
		r = chunk_begin(a, e);
		if (r < 0)
			return r;
	}
	if (a->framing == ANSWER_LENGTH && !a->left)
		a->ended = true;
	if (a->ended)
		return 0;
	if (a->pos == a->len) {
		r = answer_fill(a, e);
		if (r < 0)
			return r;
		if (!r && a->framing != ANSWER_UNTIL_CLOSE)
			return err_set(e, -ECONNRESET,
				"kilimd closed the connection in the middle of its answer");
		a->ended = !r;
		if (!r)
			return 0;
	}
	n = a->len - a->pos < len ? a->len - a->pos : len;
	if (a->framing != ANSWER_UNTIL_CLOSE)
		n = n < a->left ? n : (size_t)a->left;
	memcpy(buf, a->buf + a->pos, n);
	a->pos += n;
	if (a->framing != ANSWER_UNTIL_CLOSE)
		a->left -= n;
	return (ssize_t)n;
}
