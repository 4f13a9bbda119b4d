/* SPDX-License-Identifier: Apache-2.0 */
/* api/server.c and api/client.c together, and the server against malformed requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>

#include "api/client.h"
#include "base/str.h"
#include "codec/json.h"
#include "fixture.h"

static struct fixture server;

static void add_value(const char *value, void *data)
{
	(void)json_array_append_new(data, json_string(value));
}

/* What the server understood. */
static void on_echo(const struct api_request *rq, struct api_reply *reply, void *data)
{
	json_t *labels = json_array(), *arguments = json_array();
	const char *x = api_query(rq, "x");

	(void)data;
	for (int i = 0; i < 4 && rq->argument[i]; i++)
		(void)json_array_append_new(arguments, json_string(rq->argument[i]));
	api_query_each(rq, "label", add_value, labels);
	reply->status = str_eq(rq->method, "POST") ? 201 : 0;
	reply->body = json_pack("{s:s, s:s, s:o, s:o, s:s?, s:O?}", "method", rq->method, "path",
		rq->path, "arguments", arguments, "labels", labels, "x", x, "body", rq->body);
}

static void on_empty(const struct api_request *rq, struct api_reply *reply, void *data)
{
	(void)rq;
	(void)data;
	reply->status = 204;
}

static void on_text(const struct api_request *rq, struct api_reply *reply, void *data)
{
	(void)rq;
	(void)data;
	reply->text = mem_strdup("a 1\nb 2\n");
	reply->content_type = "text/plain; version=0.0.4";
}

/* As many bytes as asked for. */
static void on_big(const struct api_request *rq, struct api_reply *reply, void *data)
{
	uint64_t n = 0;
	char *text;

	(void)data;
	if (str_to_u64(rq->argument[0], 100 << 20, &n) < 0) {
		api_fail(reply, -EINVAL, NULL);
		return;
	}
	text = mem_alloc(n + 1);
	memset(text, 'x', n);
	reply->body = json_pack("[s]", text);
	free(text);
}

static void on_fail(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct err e = {0};
	uint64_t code = 0;

	(void)data;
	assert_int_equal(str_to_u64(rq->argument[0], 1000, &code), 0);
	reply->body = json_object(); /* dropped by api_fail() */
	err_set(&e, -(int)code, "failure %d", (int)code);
	api_fail(reply, -(int)code, &e);
}

static const struct api_route routes[] = {
	{"GET", "/v1/echo", on_echo},
	{"POST", "/v1/echo", on_echo},
	{"DELETE", "/v1/echo/{}", on_empty},
	{"GET", "/v1/echo/{}", on_echo},
	{"GET", "/v1/echo/{}/{}/x/{}", on_echo},
	{"GET", "/v1/big/{}", on_big},
	{"GET", "/v1/fail/{}", on_fail},
	{"GET", "/text", on_text},
	{NULL, NULL, NULL},
};

static int call(const char *method, const char *path, const json_t *body, int *ret_status,
	json_t **ret, struct err *e)
{
	return api_call(server.path, method, path, body, 30000, ret_status, ret, e);
}

static int setup(void **state)
{
	(void)state;
	memset(&server, 0, sizeof(server));
	fixture_start(&server, routes);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_stop(&server);
	return 0;
}

static void expect_echo(const char *path, const char *expected)
{
	SCOPED(json_unrefp)
	json_t *j = NULL, *want = json_loads(expected, 0, NULL);
	int status = 0;

	assert_int_equal(call("GET", path, NULL, &status, &j, NULL), 0);
	assert_int_equal(status, 200);
	json_object_del(j, "method");
	json_object_del(j, "path");
	json_object_del(j, "body");
	if (!json_equal(j, want))
		print_error("%s gave %s\n", path, json_dumps(j, 0));
	assert_true(json_equal(j, want));
}

static void test_decoding(void **state)
{
	(void)state;
	expect_echo("/v1/echo", "{\"arguments\": [], \"labels\": [], \"x\": null}");
	expect_echo("/v1/echo?x", "{\"arguments\": [], \"labels\": [], \"x\": \"\"}");
	expect_echo("/v1/echo?x=1&x=2&label=a%3Db&label=%2B+%26",
		"{\"arguments\": [], \"labels\": [\"a=b\", \"+ &\"], \"x\": \"1\"}");
	expect_echo("/v1/echo/default%2Fweb",
		"{\"arguments\": [\"default/web\"], \"labels\": [], \"x\": null}");
	expect_echo("/v1/echo/a/%20/x/%C3%B6",
		"{\"arguments\": [\"a\", \" \", \"\xc3\xb6\"], \"labels\": [], \"x\": null}");
	expect_echo("/v1/echo/a?%78=%25", "{\"arguments\": [\"a\"], \"labels\": [], \"x\": \"%\"}");
}

static void test_statuses(void **state)
{
	static const struct {
		const char *method, *path;
		int code, status;
		const char *text;
	} cases[] = {
		{"GET", "/v1/none", -ENOENT, 404, "no such path"},
		{"GET", "/v1/echo/", -ENOENT, 404, "no such path"},
		{"GET", "/v1/echo/a/b/x/", -ENOENT, 404, "no such path"},
		{"PUT", "/v1/echo", -EOPNOTSUPP, 405, "method"},
		{"GET", "/v1/echo/%zz", -EINVAL, 400, "escape"},
		{"GET", "/v1/echo/%00", -EINVAL, 400, "escape"},
		{"GET", "/v1/echo?x=%0", -EINVAL, 400, "escape"},
		{"GET", "/v1/fail/2", -ENOENT, 404, "failure 2"},
		{"GET", "/v1/fail/22", -EINVAL, 400, "failure 22"},
		{"GET", "/v1/fail/17", -EEXIST, 409, "failure 17"},
		{"GET", "/v1/fail/1", -EPERM, 403, "failure 1"},
		{"GET", "/v1/fail/16", -EBUSY, 429, "failure 16"},
		{"GET", "/v1/fail/7", -E2BIG, 413, "failure 7"},
		{"GET", "/v1/fail/11", -EAGAIN, 503, "failure 11"},
		{"GET", "/v1/fail/28", -ENOSPC, 507, "failure 28"},
		{"GET", "/v1/fail/5", -EREMOTEIO, 500, "failure 5"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = {0};
		int status = 0;

		assert_int_equal(call(cases[i].method, cases[i].path, NULL, &status, NULL, &e),
			cases[i].code);
		assert_int_equal(status, cases[i].status);
		assert_non_null(strstr(e.text, cases[i].text));
	}
}

static void test_bodies(void **state)
{
	SCOPED(json_unrefp)
	json_t *body = json_pack("{s:[i,s]}", "list", 5, "\xc3\xb6");
	SCOPED(json_unrefp)
	json_t *j = NULL;
	SCOPED(freep)
	char *text = NULL;
	int status = 0;

	(void)state;
	assert_int_equal(call("POST", "/v1/echo", body, &status, &j, NULL), 0);
	assert_int_equal(status, 201);
	assert_true(json_equal(json_object_get(j, "body"), body));
	json_decref(TAKE(j));
	assert_int_equal(call("DELETE", "/v1/echo/1", NULL, &status, &j, NULL), 0);
	assert_int_equal(status, 204);
	assert_null(j);
	assert_int_equal(api_call_text(server.path, "/text", 30000, &status, &text, NULL), 0);
	assert_string_equal(text, "a 1\nb 2\n");
}

static json_t *string_of(size_t n)
{
	char *text = mem_alloc(n + 1);
	json_t *j;

	memset(text, 'y', n);
	j = json_pack("[s]", text);
	free(text);
	return j;
}

static void test_big(void **state)
{
	/* brackets and quotes count too */
	SCOPED(json_unrefp)
	json_t *most = string_of(API_BODY_MAX - 4), *over = string_of(API_BODY_MAX - 3);
	SCOPED(json_unrefp)
	json_t *echo = NULL, *big = NULL;
	struct err e = {0};
	int status = 0;

	(void)state;
	assert_int_equal(call("POST", "/v1/echo", most, &status, &echo, NULL), 0);
	assert_true(json_equal(json_object_get(echo, "body"), most));
	assert_int_equal(call("POST", "/v1/echo", over, &status, NULL, &e), -E2BIG);
	assert_int_equal(status, 413);
	assert_non_null(strstr(e.text, "8 MiB"));
	assert_int_equal(call("GET", "/v1/big/30000000", NULL, &status, &big, NULL), 0);
	assert_int_equal(json_string_length(json_array_get(big, 0)), 30000000);
}

static void expect_status(int fd, const char *request, size_t len, const char *status)
{
	SCOPED(freep)
	char *answer = fixture_exchange(fd, request, len);

	if (!strstr(answer, status))
		print_error("for %.80s\nexpected %s, got %.200s\n", request, status, answer);
	assert_non_null(strstr(answer, status));
	assert_ptr_equal(strstr(answer, "HTTP/1."), answer);
}

static void test_malformed(void **state)
{
	static const struct {
		const char *request, *status;
	} cases[] = {
		{"GET /v1/echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", " 200 "},
		{"GET /v1/echo HTTP/1.1\r\nConnection: close\r\n\r\n", " 200 "},
		{"HEAD /v1/echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", " 200 "},
		{"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: "
		 "close\r\n\r\n{]}",
			" 400 "},
		{"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: "
		 "close\r\n\r\n\"a\xff\"",
			" 400 "},
		{"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nConnection: "
		 "close\r\n\r\n{\"a\":1,\"a\":2}",
			" 400 "},
		{"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: nine\r\n\r\n", " 4"},
		{"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n",
			" 413 "},
		{"POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: "
		 "close\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
			" 201 "},
		{"POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
			" 400 "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_status(fixture_connect(&server), cases[i].request, strlen(cases[i].request),
			cases[i].status);
}

/* Requests that cannot be answered, or broken off, leave the server working. */
static void test_rubbish(void **state)
{
	static const char *const texts[] = {"", "\r\n\r\n\r\n", "GET", "GET / HTTP/9.9\r\n\r\n",
		"\x16\x03\x01\x02",
		"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{"};
	SCOPED(str_done)
	struct str head = {0};
	int status = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int fd = fixture_connect(&server);
		ssize_t n = (ssize_t)strlen(texts[i]);

		assert_int_equal(send(fd, texts[i], (size_t)n, MSG_NOSIGNAL), n);
		close(fd);
	}
	str_add(&head, "GET /v1/echo HTTP/1.1\r\nHost: a\r\nX: ");
	for (int i = 0; i < 100000; i++)
		str_add(&head, "x");
	str_add(&head, "\r\n\r\n");
	expect_status(fixture_connect(&server), str_text(&head), head.len, " 431 ");
	assert_int_equal(call("GET", "/v1/echo", NULL, &status, NULL, NULL), 0);
}

/* A body in chunks tells its size only by coming. */
static void test_big_chunks(void **state)
{
	SCOPED(str_done)
	struct str request = {0};

	(void)state;
	str_add(&request, "POST /v1/echo HTTP/1.1\r\nHost: a\r\nConnection: "
			  "close\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 9; i++) {
		str_add(&request, "100000\r\n");
		mem_grow(&request.text, &request.capacity, request.len + (1 << 20) + 3, 1);
		memset(request.text + request.len, ' ', 1 << 20);
		request.len += 1 << 20;
		str_add(&request, "\r\n");
	}
	str_add(&request, "0\r\n\r\n");
	expect_status(fixture_connect(&server), str_text(&request), request.len, " 413 ");
}

static int connect_tcp(unsigned short port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

/* A port that is free just now. */
static unsigned short free_port(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	close(fd);
	return ntohs(sa.sin_port);
}

/* What a browser could be made to send to a loopback port is refused. */
static void test_tcp(void **state)
{
	static const struct {
		const char *headers, *status;
	} cases[] = {
		{"Host: 127.0.0.1:9962", " 200 "},
		{"Host: localhost", " 200 "},
		{"Host: [::1]:80", " 200 "},
		{"Host: evil.example", " 403 "},
		{"Host: [::1]evil.example", " 403 "},
		{"Host: 127.0.0.1.evil.example", " 403 "},
		{"Host: localhost\r\nOrigin: http://evil.example", " 403 "},
		{"Host: localhost\r\norigin: null", " 403 "},
	};
	unsigned short port = free_port();
	char address[32], request[256];

	(void)state;
	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	memset(&server, 0, sizeof(server));
	server.listen = address;
	fixture_start(&server, routes);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(request, sizeof(request),
			"GET /text HTTP/1.1\r\nConnection: close\r\n%s\r\n\r\n", cases[i].headers);
		expect_status(connect_tcp(port), request, strlen(request), cases[i].status);
	}
	fixture_stop(&server);
}

/* Many clients at once that say nothing do not keep another from being served. */
static void test_many(void **state)
{
	int fd[200], status = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		fd[i] = fixture_connect(&server);
	assert_int_equal(call("GET", "/v1/echo", NULL, &status, NULL, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
	assert_int_equal(call("GET", "/v1/echo", NULL, &status, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_decoding, setup, teardown),
		cmocka_unit_test_setup_teardown(test_statuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bodies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_big, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rubbish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_big_chunks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test(test_tcp),
	};

	return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
