/* SPDX-License-Identifier: Apache-2.0 */
/* api/answer.c: framings of HTTP answers, whole and byte by byte, broken off, and malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/answer.h"
#include "base/str.h"
#include "base/time.h"

struct writer {
	int fd;
	const char *text;
	bool slow; /* a byte at a time */
};

static void *writer_run(void *data)
{
	const struct writer *w = data;
	size_t len = strlen(w->text), step = w->slow ? 1 : len;

	for (size_t i = 0; i < len; i += step) {
		if (send(w->fd, w->text + i, step, MSG_NOSIGNAL) < 0)
			break;
	}
	close(w->fd);
	return NULL;
}

/* Read the answer; 0 with *ret (free() it), or the failure. */
static int answer_of(const char *text, bool slow, int *ret_status, char **ret)
{
	int pair[2];
	struct writer w = {.text = text, .slow = slow};
	SCOPED(freep)
	struct answer *a = mem_alloc(sizeof(*a));
	SCOPED(str_done)
	struct str out = {0};
	pthread_t thread;
	ssize_t n = 0;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	w.fd = pair[1];
	a->fd = pair[0];
	a->deadline_ns = time_mono_ns() + 20000000000u;
	assert_int_equal(pthread_create(&thread, NULL, writer_run, &w), 0);
	n = answer_head(a, NULL);
	while (n >= 0) {
		char buf[7]; /* small, so that pieces end anywhere */

		n = answer_body(a, buf, sizeof(buf), NULL);
		if (n <= 0)
			break;
		str_addn(&out, buf, (size_t)n);
	}
	close(pair[0]);
	pthread_join(thread, NULL);
	*ret_status = a->status;
	*ret = str_take(&out);
	return (int)n;
}

static void test_good(void **state)
{
	static const struct {
		const char *text;
		int status;
		const char *body;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"},
		{"HTTP/1.1 200 OK\ncontent-length:5\n\nhello and more", 200, "hello"},
		{"HTTP/1.0 404\r\n\r\nuntil the end", 404, "until the end"},
		{"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""},
		{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}",
			201, "{}"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0A;x=y\r\n, "
		 "the "
		 "rest\r\n0\r\nTrailer: 1\r\n\r\n",
			200, "hello, the rest"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: "
		 "3\r\n\r\n1\r\nx\r\n0\r\n\r\n",
			200, "x"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		SCOPED(freep)
		char *body = NULL;
		int status = 0;

		assert_int_equal(answer_of(cases[i / 2].text, i % 2, &status, &body), 0);
		assert_int_equal(status, cases[i / 2].status);
		assert_string_equal(body, cases[i / 2].body);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{"", -ECONNRESET},
		{"HTTP/1.1 200 OK\r\nContent-Le", -ECONNRESET},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", -ECONNRESET},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
			-ECONNRESET},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
			-ECONNRESET},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", -EPROTO},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", -EPROTO},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
			-EPROTO},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", -EPROTO},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", -EPROTO},
		{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", -EPROTO},
		{"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", -EPROTO},
		{"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", -EPROTO},
		{"HTTP/1.1 20 OK\r\n\r\n", -EPROTO},
		{"HTTP/1.1 2000 OK\r\n\r\n", -EPROTO},
		{"HTTP/2 200 OK\r\n\r\n", -EPROTO},
		{"SSH-2.0-OpenSSH\r\n", -EPROTO},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		SCOPED(freep)
		char *body = NULL;
		int status = 0;

		assert_int_equal(
			answer_of(cases[i / 2].text, i % 2, &status, &body), cases[i / 2].code);
	}
}

/* Heads are bounded in line length and in lines. */
static void test_bounds(void **state)
{
	SCOPED(str_done)
	struct str longline = {0}, lines = {0}, continues = {0};
	const char *texts[3];

	(void)state;
	str_add(&longline, "HTTP/1.1 200 OK\r\nX: ");
	for (int i = 0; i < 10000; i++)
		str_add(&longline, "x");
	str_add(&lines, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 1000; i++) {
		str_add(&lines, "X: y\r\n");
		str_add(&continues, "HTTP/1.1 100 Continue\r\n\r\n");
	}
	texts[0] = str_text(&longline);
	texts[1] = str_text(&lines);
	texts[2] = str_text(&continues);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		SCOPED(freep)
		char *body = NULL;
		int status;

		assert_int_equal(answer_of(texts[i], false, &status, &body), -EPROTO);
	}
}

static void test_deadline(void **state)
{
	SCOPED(freep)
	struct answer *a = mem_alloc(sizeof(*a));
	struct err e = {0};
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	a->fd = pair[0];
	a->deadline_ns = time_mono_ns() + 30000000;
	assert_int_equal(answer_head(a, &e), -ETIMEDOUT);
	assert_string_equal(e.text, "kilimd did not answer in time");
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_deadline),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
