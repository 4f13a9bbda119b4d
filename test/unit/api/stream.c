/* SPDX-License-Identifier: Apache-2.0 */
/* api/stream.c: streams that wait and are woken, slow readers, clients that go, and a server that
 * stops below them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "api/client.h"
#include "base/str.h"
#include "base/time.h"
#include "fixture.h"

/* One stream of numbered lines. The server's thread owns it while it lives. */
struct source {
	struct api_stream *stream;
	unsigned next, available; /* lines: 0.. */
	bool end,
		idle_turns; /* end behind the available ones; ask for turns without giving a line */
	unsigned turns, line_bytes;
	int done; /* times that it was called; read by the other thread */
};

static struct fixture server;
static struct source source;

static int on_fill(struct str *out, void *data)
{
	struct source *s = data;

	if (s->idle_turns && s->turns++ < 1000)
		return 1;
	if (s->next == s->available)
		return s->end ? -1 : 0;
	str_printf(out, "%u %0*d\n", s->next++, (int)s->line_bytes, 0);
	return 1;
}

static void on_done(void *data)
{
	struct source *s = data;

	s->stream = NULL;
	__atomic_add_fetch(&s->done, 1, __ATOMIC_SEQ_CST);
}

static void on_stream(const struct api_request *rq, struct api_reply *reply, void *data)
{
	(void)rq;
	(void)data;
	source.stream = reply->stream = api_stream_new(on_fill, on_done, &source);
}

static void on_hello(const struct api_request *rq, struct api_reply *reply, void *data)
{
	(void)rq;
	(void)data;
	reply->text = mem_strdup("hello");
}

static const struct api_route routes[] = {
	{"GET", "/stream", on_stream}, {"GET", "/hello", on_hello}, {NULL, NULL, NULL}};

/* In the server's thread: three more lines. */
static void more_lines(void *data)
{
	(void)data;
	source.available += 3;
	if (source.stream)
		api_stream_wake(source.stream);
}

static int setup(void **state)
{
	(void)state;
	memset(&server, 0, sizeof(server));
	memset(&source, 0, sizeof(source));
	source.line_bytes = 1;
	server.poke = more_lines;
	fixture_start(&server, routes);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_stop(&server);
	return 0;
}

static int times_done(void)
{
	return __atomic_load_n(&source.done, __ATOMIC_SEQ_CST);
}

static void wait_done(void)
{
	uint64_t end = time_mono_ns() + 20000000000u;

	while (!times_done() && time_mono_ns() < end)
		usleep(1000);
	assert_int_equal(times_done(), 1);
}

struct reader {
	unsigned next, stop; /* line expected; stop before this one */
	unsigned poke_at; /* ask the server for more when this many were read */
	useconds_t pause_us;
};

static int on_line(const char *line, size_t len, void *data)
{
	struct reader *rd = data;

	assert_int_equal(strtoul(line, NULL, 10), rd->next);
	assert_int_equal(strlen(line), len);
	rd->next++;
	if (rd->poke_at && rd->next == rd->poke_at)
		fixture_poke(&server);
	if (rd->pause_us)
		usleep(rd->pause_us);
	return rd->next == rd->stop;
}

static int read_stream(struct reader *rd)
{
	int status = 0;

	return api_call_stream(server.path, "/stream", on_line, rd, &status, NULL);
}

static void test_all(void **state)
{
	struct reader rd = {0};

	(void)state;
	source.available = 100000;
	source.end = true;
	assert_int_equal(read_stream(&rd), 0);
	assert_int_equal(rd.next, 100000);
	wait_done();
}

static void test_empty(void **state)
{
	struct reader rd = {0};

	(void)state;
	source.end = true;
	assert_int_equal(read_stream(&rd), 0);
	assert_int_equal(rd.next, 0);
	wait_done();
}

static void test_wake(void **state)
{
	struct reader rd = {.poke_at = 2, .stop = 5};

	(void)state;
	source.available = 2;
	assert_int_equal(read_stream(&rd), 1);
	wait_done();
}

/* A fill that needs many turns for a line does not starve the others. */
static void test_turns(void **state)
{
	struct reader rd = {.stop = 1};

	(void)state;
	source.available = 1;
	source.idle_turns = true;
	assert_int_equal(read_stream(&rd), 1);
	assert_true(source.turns >= 1000);
	wait_done();
}

/* The server does not buffer what a slow reader leaves: it stops asking for lines, and goes on
 * later. */
static void test_slow_reader(void **state)
{
	static const char request[] =
		"GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	int fd = fixture_connect(&server), status = 0;
	SCOPED(freep)
	char *text = NULL;
	unsigned produced;
	char buf[65536];

	(void)state;
	source.available = 20000;
	source.line_bytes = 1000;
	source.end = true;
	assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	usleep(200000);
	produced = __atomic_load_n(&source.next, __ATOMIC_SEQ_CST);
	assert_in_range(produced, 1, 5000); /* the socket's buffers, and no more */
	/* others are served meanwhile */
	assert_int_equal(api_call_text(server.path, "/hello", 20000, &status, &text, NULL), 0);
	assert_string_equal(text, "hello");
	assert_int_equal(times_done(), 0);
	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
	close(fd);
	wait_done();
	assert_int_equal(source.next, 20000);
}

/* The client goes while the stream has nothing to say. */
static void test_gone_while_waiting(void **state)
{
	static const char request[] = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";
	int fd = fixture_connect(&server);

	(void)state;
	assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	usleep(50000);
	assert_int_equal(times_done(), 0);
	close(fd);
	wait_done();
}

static void test_gone_while_sending(void **state)
{
	struct reader rd = {.stop = 10};

	(void)state;
	source.available = 1000000;
	source.line_bytes = 1000;
	assert_int_equal(read_stream(&rd), 1);
	wait_done();
}

/* A client that ends only its sending half still gets lines. */
static void test_half_closed(void **state)
{
	static const char request[] =
		"GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	SCOPED(freep)
	char *answer = NULL;

	(void)state;
	source.available = 3;
	source.end = true;
	answer = fixture_exchange(fixture_connect(&server), request, sizeof(request) - 1);
	assert_non_null(strstr(answer, "0 0\n"));
	assert_non_null(strstr(answer, "2 0\n"));
	wait_done();
}

static void test_server_stops(void **state)
{
	static const char request[] = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";
	int fd;
	char buf[1024];

	(void)state;
	(void)setup(NULL);
	fd = fixture_connect(&server);
	assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	usleep(50000);
	fixture_stop(&server);
	assert_int_equal(times_done(), 1);
	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wake, setup, teardown),
		cmocka_unit_test_setup_teardown(test_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone_while_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone_while_sending, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_closed, setup, teardown),
		cmocka_unit_test(test_server_stops),
	};

	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
