/* SPDX-License-Identifier: Apache-2.0 */
/* flow/query.c: where a GetFlows request begins and ends, for each way to ask. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "flow/query.h"

/* Record n of the ring has time n * 10; odd ones are TCP, even ones UDP. */
static void add(struct flow_ring *ring, size_t count)
{
	while (count--) {
		uint64_t n = flow_ring_seen(ring) + 1;
		struct flow_record r = {.time_ns = n * 10,
			.family = 4,
			.protocol = n & 1 ? IPPROTO_TCP : IPPROTO_UDP};

		flow_ring_add(ring, &r);
	}
}

static void list(struct flow_query *q, const struct flow_ring *ring, char *ret, size_t size)
{
	const struct flow_record *r;
	enum flow_query_state state;
	size_t len = 0;

	*ret = 0;
	while ((state = flow_query_next(q, ring, &r)) == FLOW_QUERY_FLOW)
		len += (size_t)snprintf(ret + len, size - len, "%u ", (unsigned)r->number);
	snprintf(ret + len, size - len, "%s", state == FLOW_QUERY_END ? "end" : "wait");
}

static struct flow_filters *only_udp(void)
{
	SCOPED(json_unrefp)
	json_t *j = json_pack("{s:[{s:[s]}]}", "whitelist", "protocol", "udp");
	struct flow_filters *filters = NULL;

	assert_int_equal(flow_filters_parse(j, "n", &filters, NULL), 0);
	return filters;
}

/* On a ring of 7 that has seen 10: it holds 4..10. later: what comes when 11 and 12 are added. */
static const struct {
	struct flow_request request;
	bool udp;
	const char *now, *later;
} cases[] = {
	{{0}, false, "4 5 6 7 8 9 10 end", "end"},
	{{0}, true, "4 6 8 10 end", "end"},
	{{.number = 3}, false, "8 9 10 end", "end"},
	{{.number = 3}, true, "6 8 10 end", "end"},
	{{.number = 100}, false, "4 5 6 7 8 9 10 end", "end"},
	{{.number = 2, .first = true}, false, "4 5 end", "end"},
	{{.number = 2, .first = true}, true, "4 6 end", "end"},
	{{.first = true}, false, "4 5 6 7 8 9 10 end", "end"},
	{{.follow = true}, false, "wait", "11 12 wait"},
	{{.follow = true}, true, "wait", "12 wait"},
	{{.follow = true, .number = 2}, false, "9 10 wait", "11 12 wait"},
	{{.follow = true, .number = 2}, true, "8 10 wait", "12 wait"},
	{{.since_ns = 80}, false, "8 9 10 end", "end"},
	{{.since_ns = 75}, false, "8 9 10 end", "end"},
	{{.since_ns = 1}, false, "4 5 6 7 8 9 10 end", "end"},
	{{.since_ns = 1000}, false, "end", "end"},
	{{.since_ns = 60, .number = 2}, false, "6 7 end", "end"},
	{{.since_ns = 60, .number = 2, .first = true}, false, "6 7 end", "end"},
	{{.since_ns = 90, .follow = true}, false, "9 10 wait", "11 12 wait"},
	{{.since_ns = 1000, .follow = true}, false, "wait", "11 12 wait"},
	{{.until_ns = 65}, false, "4 5 6 end", "end"},
	{{.until_ns = 60}, false, "4 5 6 end", "end"},
	{{.until_ns = 5}, false, "end", "end"},
	{{.since_ns = 50, .until_ns = 75}, true, "6 end", "end"},
	{{.until_ns = 115, .follow = true}, false, "wait", "11 end"},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		SCOPED(flow_ring_freep)
		struct flow_ring *ring = NULL;
		SCOPED(flow_filters_freep)
		struct flow_filters *udp = only_udp();
		struct flow_query q;
		char text[200];

		assert_int_equal(flow_ring_new(7, &ring, NULL), 0);
		add(ring, 10);
		assert_int_equal(flow_query_start(&q, &cases[i].request, cases[i].udp ? udp : NULL,
					 ring, NULL),
			0);
		list(&q, ring, text, sizeof(text));
		assert_string_equal(text, cases[i].now);
		add(ring, 2);
		list(&q, ring, text, sizeof(text));
		assert_string_equal(text, cases[i].later);
		assert_int_equal(q.lost, 0);
	}
}

static void test_empty(void **state)
{
	SCOPED(flow_ring_freep)
	struct flow_ring *ring = NULL;
	struct flow_request whole = {0}, last = {.number = 5}, follow = {.follow = true};
	struct flow_query q;
	char text[100];

	(void)state;
	assert_int_equal(flow_ring_new(7, &ring, NULL), 0);
	assert_int_equal(flow_query_start(&q, &whole, NULL, ring, NULL), 0);
	list(&q, ring, text, sizeof(text));
	assert_string_equal(text, "end");
	assert_int_equal(flow_query_start(&q, &last, NULL, ring, NULL), 0);
	list(&q, ring, text, sizeof(text));
	assert_string_equal(text, "end");
	assert_int_equal(flow_query_start(&q, &follow, NULL, ring, NULL), 0);
	list(&q, ring, text, sizeof(text));
	assert_string_equal(text, "wait");
	add(ring, 1);
	list(&q, ring, text, sizeof(text));
	assert_string_equal(text, "1 wait");
}

static void test_refused(void **state)
{
	SCOPED(flow_ring_freep)
	struct flow_ring *ring = NULL;
	struct flow_request request = {.first = true, .follow = true};
	struct flow_query q;
	struct err e = {0};

	(void)state;
	assert_int_equal(flow_ring_new(7, &ring, NULL), 0);
	assert_int_equal(flow_query_start(&q, &request, NULL, ring, &e), -EINVAL);
	assert_string_equal(e.text, "first and follow exclude each other");
}

/* A reader that is too slow is told by how much, and one that does not follow only of its own part.
 */
static void test_loss(void **state)
{
	SCOPED(flow_ring_freep)
	struct flow_ring *ring = NULL;
	struct flow_request follow = {.follow = true}, whole = {0};
	struct flow_query fq, wq;
	const struct flow_record *r;
	char text[200];

	(void)state;
	assert_int_equal(flow_ring_new(7, &ring, NULL), 0);
	add(ring, 10);
	assert_int_equal(flow_query_start(&fq, &follow, NULL, ring, NULL), 0);
	assert_int_equal(flow_query_start(&wq, &whole, NULL, ring, NULL), 0);
	assert_int_equal(flow_query_next(&wq, ring, &r), FLOW_QUERY_FLOW); /* 4 */
	add(ring, 20); /* holds 24..30 */
	list(&fq, ring, text, sizeof(text));
	assert_string_equal(text, "24 25 26 27 28 29 30 wait");
	assert_int_equal(fq.lost, 13); /* 11..23 */
	list(&wq, ring, text, sizeof(text));
	assert_string_equal(text, "end");
	assert_int_equal(wq.lost, 6); /* 5..10 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_loss),
	};

	return cmocka_run_group_tests_name("flow/query", tests, NULL, NULL);
}
