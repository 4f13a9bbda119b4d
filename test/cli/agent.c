/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake-agent RUN-DIR DATA-DIR: answers on RUN-DIR/kilim.sock with the files of DATA-DIR, so that
 * the tests of kilim need no kernel and no root. A call's file is METHOD and path with '_' for '/'
 * (get_v1_endpoint.json): {"status": N, "body": ...}; get_v1_flow.ndjson is sent as a stream, which
 * goes on for ever when it is followed. Each call is written to RUN-DIR/calls as one line of JSON.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/server.h"
#include "base/fd.h"
#include "base/str.h"
#include "codec/json.h"
#include "loop/loop.h"

enum { FILE_MAX = 8 << 20 };

static struct {
	const char *run_dir, *data_dir;
	FILE *calls;
	struct loop *loop;
} fake;

static void add_value(const char *value, void *data)
{
	(void)json_array_append_new(data, json_string(value));
}

/* The call as one line: {"method": "GET", "path": "/v1/flow", "query": {"number": ["20"]}, "body":
 * ...} */
static void record(const struct api_request *rq)
{
	static const char *const names[] = {"label", "number", "first", "follow", "since", "until",
		"filter", "dry_run", "from", "to", "port", "family", "flow", "mode", "rules"};
	SCOPED(json_unrefp) json_t *query = json_object();
	SCOPED(json_unrefp) json_t *j = NULL;
	SCOPED(freep) char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		json_t *values = json_array();

		api_query_each(rq, names[i], add_value, values);
		if (json_array_size(values))
			(void)json_object_set(query, names[i], values);
		json_decref(values);
	}
	j = json_pack("{s:s, s:s, s:O, s:O?}", "method", rq->method, "path", rq->path, "query",
		query, "body", rq->body);
	text = json_text(j);
	fprintf(fake.calls, "%s\n", text);
	fflush(fake.calls);
}

static void file_name(const struct api_request *rq, const char *suffix, struct str *out)
{
	str_printf(out, "%s/%s%s%s", fake.data_dir, rq->method, rq->path, suffix);
	for (size_t i = strlen(fake.data_dir) + 1; i < out->len; i++) {
		char *c = &out->text[i];

		*c = *c == '/' || *c == '%' ? '_' : *c >= 'A' && *c <= 'Z' ? (char)(*c | 32) : *c;
	}
}

static void on_call(const struct api_request *rq, struct api_reply *reply, void *data)
{
	SCOPED(str_done) struct str name = {0};
	SCOPED(freep) char *text = NULL;
	SCOPED(json_unrefp) json_t *j = NULL;
	struct err e = {0};
	size_t len;
	int r;

	(void)data;
	record(rq);
	file_name(rq, ".json", &name);
	r = fd_read_file(str_text(&name), FILE_MAX, &text, &len, &e);
	if (r >= 0)
		r = json_parse_text(text, len, FILE_MAX, &j, &e);
	if (r < 0) {
		api_fail(reply, r, &e);
		return;
	}
	reply->status = (int)json_integer_value(json_object_get(j, "status"));
	if (json_is_string(json_object_get(j, "text")))
		reply->text = mem_strdup(json_string_value(json_object_get(j, "text")));
	else
		reply->body = json_incref(json_object_get(j, "body"));
}

struct lines {
	char *text, *next;
	bool follow;
};

static int on_fill(struct str *out, void *data)
{
	struct lines *l = data;

	if (!*l->next)
		return l->follow ? 0 : -1;
	str_add(out, l->next);
	l->next += strlen(l->next);
	return 1;
}

static void on_gone(void *data)
{
	struct lines *l = data;

	free(l->text);
	free(l);
}

static void on_stream(const struct api_request *rq, struct api_reply *reply, void *data)
{
	SCOPED(str_done) struct str name = {0};
	struct lines *l;
	struct err e = {0};
	char *text;
	int r;

	(void)data;
	record(rq);
	file_name(rq, ".ndjson", &name);
	r = fd_read_file(str_text(&name), FILE_MAX, &text, NULL, &e);
	if (r < 0) {
		api_fail(reply, r, &e);
		return;
	}
	l = mem_alloc(sizeof(*l));
	l->text = l->next = text;
	l->follow = api_query(rq, "follow") || str_eq(rq->path, "/v1/monitor");
	reply->stream = api_stream_new(on_fill, on_gone, l);
}

static const struct api_route routes[] = {
	{"GET", "/v1/healthz", on_call},
	{"GET", "/v1/status", on_call},
	{"GET", "/v1/endpoint", on_call},
	{"POST", "/v1/endpoint", on_call},
	{"GET", "/v1/endpoint/{}", on_call},
	{"DELETE", "/v1/endpoint/{}", on_call},
	{"GET", "/v1/identity", on_call},
	{"GET", "/v1/policy", on_call},
	{"POST", "/v1/policy", on_call},
	{"POST", "/v1/policy/diff", on_call},
	{"POST", "/v1/policy/rollback", on_call},
	{"POST", "/v1/policy/release", on_call},
	{"POST", "/v1/policy/confirm", on_call},
	{"GET", "/v1/policy/history", on_call},
	{"GET", "/v1/policy/history/{}", on_call},
	{"POST", "/v1/policy/{}/{}/{}/promote", on_call},
	{"GET", "/v1/policy/explain", on_call},
	{"PUT", "/v1/policy/{}", on_call},
	{"GET", "/v1/policy/invariants", on_call},
	{"GET", "/v1/policy/{}/{}/{}", on_call},
	{"DELETE", "/v1/policy/{}/{}/{}", on_call},
	{"GET", "/v1/flow", on_stream},
	{"GET", "/v1/flow/table", on_call},
	{"GET", "/v1/monitor", on_stream},
	{"GET", "/v1/map", on_call},
	{"GET", "/metrics", on_call},
	{NULL, NULL, NULL},
};

static int on_end(void *data)
{
	loop_exit(data, 0);
	return 0;
}

int main(int argc, char **argv)
{
	SCOPED(str_done) struct str address = {0}, calls = {0};
	struct loop_source *term;
	struct api_server *server = NULL;
	struct err e = {0};

	if (argc != 3) {
		fprintf(stderr, "usage: fake-agent RUN-DIR DATA-DIR\n");
		return 2;
	}
	fake.run_dir = argv[1];
	fake.data_dir = argv[2];
	str_printf(&address, "unix:%s/kilim.sock", fake.run_dir);
	str_printf(&calls, "%s/calls", fake.run_dir);
	fake.calls = fopen(str_text(&calls), "ae");
	fake.loop = loop_new();
	term = loop_add_signal(fake.loop, SIGTERM, on_end, fake.loop);
	if (!fake.calls ||
		api_server_start(fake.loop, str_text(&address), routes, NULL, &server, &e) < 0) {
		fprintf(stderr, "fake-agent: %s\n", *e.text ? e.text : strerror(errno));
		return 1;
	}
	(void)loop_run(fake.loop);
	api_server_stop(server);
	loop_source_free(term);
	loop_free(fake.loop);
	fclose(fake.calls);
	return 0;
}
