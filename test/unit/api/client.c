/* SPDX-License-Identifier: Apache-2.0 */
/* api/client.c without a server: who is told what when the agent is not there, hangs, or is
 * something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/client.h"

static char dir[64], path[96];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/kilim-client-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/s", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static int bound_socket(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sa.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void test_absent(void **state)
{
	struct err e = {0};
	int status = 77;

	(void)state;
	assert_int_equal(api_call(path, "GET", "/", NULL, 1000, &status, NULL, &e), -ENOENT);
	assert_int_equal(status, 0);
	assert_non_null(strstr(e.text, "kilimd does not run at"));
	assert_non_null(strstr(e.text, path));
}

static void test_stale(void **state)
{
	struct err e = {0};
	int status = 77, fd = bound_socket();

	(void)state;
	close(fd);
	assert_int_equal(api_call(path, "GET", "/", NULL, 1000, &status, NULL, &e), -ECONNREFUSED);
	assert_int_equal(status, 0);
	assert_non_null(strstr(e.text, "kilimd does not run at"));
}

static void test_silent(void **state)
{
	struct err e = {0};
	int status = 77, fd = bound_socket();

	(void)state;
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(api_call(path, "GET", "/", NULL, 50, &status, NULL, &e), -ETIMEDOUT);
	assert_int_equal(status, 0);
	close(fd);
}

struct script {
	int fd;
	const char *answer;
};

/* Read one request head, send the answer, close. */
static void *script_run(void *data)
{
	const struct script *s = data;
	int fd = accept(s->fd, NULL, NULL);
	char buf[4096];
	size_t n = 0;

	while (n < sizeof(buf) - 1) {
		ssize_t got = recv(fd, buf + n, sizeof(buf) - 1 - n, 0);

		if (got <= 0)
			break;
		n += (size_t)got;
		buf[n] = 0;
		if (strstr(buf, "\r\n\r\n"))
			break;
	}
	(void)send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

static pthread_t script_start(struct script *s, const char *answer)
{
	pthread_t thread;

	s->fd = bound_socket();
	s->answer = answer;
	assert_int_equal(listen(s->fd, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, script_run, s), 0);
	return thread;
}

static void script_end(struct script *s, pthread_t thread)
{
	pthread_join(thread, NULL);
	close(s->fd);
	unlink(path);
}

static void test_answers(void **state)
{
	static const struct {
		const char *answer;
		int code, status;
		const char *text;
	} cases[] = {
		{"HTTP/1.1 507 x\r\nContent-Length: 22\r\n\r\n{\"error\": \"pool full\"}", -ENOSPC,
			507, "pool full"},
		{"HTTP/1.1 404 x\r\n\r\n<html>", -ENOENT, 404, "HTTP status 404"},
		{"HTTP/1.1 500 x\r\n\r\n{\"error\": 5}", -EREMOTEIO, 500, "HTTP status 500"},
		{"HTTP/1.1 200 x\r\n\r\n{\"a\":", -EINVAL, 200, "JSON"},
		{"HTTP/1.1 200 x\r\n\r\n{}", 0, 200, ""},
		{"HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\n{}", -ECONNRESET, 0, "middle"},
		{"hello\r\n\r\n", -EPROTO, 0, "no kilimd"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct script s;
		pthread_t thread = script_start(&s, cases[i].answer);
		struct err e = {0};
		json_t *j = NULL;
		int status = 77;

		assert_int_equal(
			api_call(path, "GET", "/", NULL, 20000, &status, &j, &e), cases[i].code);
		assert_int_equal(status, cases[i].status);
		assert_non_null(strstr(e.text, cases[i].text));
		json_decref(j);
		script_end(&s, thread);
	}
}

static int count_lines(const char *line, size_t len, void *data)
{
	assert_int_equal(strlen(line), len);
	return ++*(int *)data == 3 ? 42 : 0;
}

static void test_stream_lines(void **state)
{
	static const struct {
		const char *answer;
		int code, lines;
	} cases[] = {
		{"HTTP/1.1 200 x\r\n\r\na\n\nb", -ECONNRESET, 2},
		{"HTTP/1.1 200 x\r\n\r\na\nb\n", 0, 2},
		{"HTTP/1.1 200 x\r\n\r\na\nb\nc\nd\n", 42, 3},
		{"HTTP/1.1 400 x\r\n\r\n{\"error\": \"no\"}", -EINVAL, 0},
		{"HTTP/1.1 200 x\r\nTransfer-Encoding: "
		 "chunked\r\n\r\n1\r\na\r\n2\r\n\nb\r\n1\r\n\n\r\n",
			-ECONNRESET, 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct script s;
		pthread_t thread = script_start(&s, cases[i].answer);
		int lines = 0, status;

		assert_int_equal(api_call_stream(path, "/", count_lines, &lines, &status, NULL),
			cases[i].code);
		assert_int_equal(lines, cases[i].lines);
		script_end(&s, thread);
	}
}

static void on_alarm(int signo)
{
	(void)signo;
}

static void test_stream_interrupted(void **state)
{
	struct sigaction sa = {.sa_handler = on_alarm}, before;
	int fd = bound_socket(), lines = 0, status;

	(void)state;
	assert_int_equal(listen(fd, 1), 0);
	sigaction(SIGALRM, &sa, &before);
	ualarm(50000, 50000);
	assert_int_equal(api_call_stream(path, "/", count_lines, &lines, &status, NULL), -EINTR);
	ualarm(0, 0);
	sigaction(SIGALRM, &before, NULL);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stream_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stream_interrupted, setup, teardown),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
