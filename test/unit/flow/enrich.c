/* SPDX-License-Identifier: Apache-2.0 */
/* flow/enrich.c: what is looked up and what is shared, lives of shared parts, uuids. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/drop.h"
#include "base/hash.h"
#include "flow/decode.h"
#include "flow/enrich.h"

struct world {
	struct arena mem;
	struct labels web, remote;
	unsigned identity_calls, endpoint_calls, rule_calls;
	const char *pod; /* name of endpoint 12 */
};

static struct labels labels_of(struct arena *mem, const char *const *texts)
{
	struct labels l = {0};
	struct err e = {0};

	l.label = arena_array(mem, 8, sizeof(*l.label));
	for (; *texts; texts++)
		assert_int_equal(label_parse(mem, *texts, "k8s", &l.label[l.count++], &e), 0);
	assert_int_equal(labels_normalize(&l, &e), 0);
	return l;
}

static const struct labels *find_identity(uint32_t number, void *data)
{
	struct world *w = data;

	w->identity_calls++;
	return number == 300 ? &w->web : number == 400 ? &w->remote : NULL;
}

static bool find_endpoint(
	uint32_t id, const char **ret_namespace, const char **ret_name, void *data)
{
	struct world *w = data;

	w->endpoint_calls++;
	if (id != 12)
		return false;
	*ret_namespace = "shop";
	*ret_name = w->pod;
	return true;
}

static bool find_rule(uint32_t id, uint32_t revision, struct flow_rule_info *ret, void *data)
{
	struct world *w = data;

	w->rule_calls++;
	if (id != 5)
		return false;
	*ret = (struct flow_rule_info){"CiliumNetworkPolicy", "shop", "allow-web",
		"CiliumNetworkPolicy/shop/allow-web ingress[0] at f:3", revision};
	return true;
}

static int setup(void **state)
{
	static const char *const web[] = {"k8s:app=web", "k8s:a=1", NULL};
	static const char *const remote[] = {"k8s:app=x", "k8s:io.kubernetes.pod.namespace=far",
		"k8s:io.cilium.k8s.policy.cluster=west", NULL};
	struct world *w = mem_alloc(sizeof(*w));

	w->web = labels_of(&w->mem, web);
	w->remote = labels_of(&w->mem, remote);
	w->pod = "web-1";
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	arena_done(&w->mem);
	free(w);
	return 0;
}

static struct flow_enricher *enricher_of(struct world *w)
{
	const struct flow_lookup lookup = {find_identity, find_endpoint, find_rule, w, "east"};
	static const uint64_t seed[2] = {1, 2};

	return flow_enricher_new(&lookup, seed);
}

static struct event event_of(void)
{
	struct event ev = {.type = EVENT_DROP,
		.reason = DROP_POLICY_DENIED,
		.family = 4,
		.protocol = IPPROTO_TCP,
		.source_identity = 300,
		.destination_identity = 400,
		.source_endpoint = 12,
		.flags = EVENT_JUDGED_EGRESS,
		.revision = 9};

	ev.decision[POLICY_EGRESS] =
		(struct event_decision){5, POLICY_DEFAULT_DENY, POLICY_ENFORCED, 0, 0, 0};
	return ev;
}

static void test_names(void **state)
{
	struct world *w = *state;
	SCOPED(flow_enricher_freep)
	struct flow_enricher *en = enricher_of(w);
	struct event ev = event_of();
	struct flow_record r[FLOW_RECORDS_MAX];

	assert_int_equal(flow_decode(&ev, 0, r), 2);
	flow_enrich(en, &ev, &r[0]);
	flow_enrich(en, &ev, &r[1]);
	assert_int_equal(r->source_end->id, 12);
	assert_int_equal(r->source_end->identity, 300);
	assert_string_equal(r->source_end->namespace, "shop");
	assert_string_equal(r->source_end->pod, "web-1");
	assert_string_equal(r->source_end->cluster, "east");
	assert_int_equal(r->source_end->labels, 2);
	assert_string_equal(r->source_end->label[0], "k8s:a=1");
	assert_string_equal(r->source_end->label[1], "k8s:app=web");
	/* an end elsewhere says where it is by its labels */
	assert_string_equal(r->destination_end->namespace, "far");
	assert_string_equal(r->destination_end->pod, "");
	assert_string_equal(r->destination_end->cluster, "west");
	/* both flows of the event name the rule, and share all */
	assert_string_equal(r->rule[POLICY_EGRESS]->name, "allow-web");
	assert_int_equal(r->rule[POLICY_EGRESS]->revision, 9);
	assert_null(r->rule[POLICY_INGRESS]);
	assert_ptr_equal(r[0].rule[POLICY_EGRESS], r[1].rule[POLICY_EGRESS]);
	assert_ptr_equal(r[0].source_end, r[1].source_end);
	assert_int_equal(w->identity_calls, 2);
	assert_int_equal(w->endpoint_calls, 1);
	assert_int_equal(w->rule_calls, 1);
	flow_record_done(&r[0]);
	flow_record_done(&r[1]);
	assert_null(r[0].source_end);
}

/* What is not known has no names, and never a NULL. */
static void test_unknown(void **state)
{
	SCOPED(flow_enricher_freep)
	struct flow_enricher *en = enricher_of(*state);
	struct event ev = event_of();
	struct flow_record r[FLOW_RECORDS_MAX];

	ev.source_endpoint = 99;
	ev.source_identity = 7777;
	ev.decision[POLICY_EGRESS].rule = 6;
	assert_int_equal(flow_decode(&ev, 0, r), 2);
	flow_enrich(en, &ev, r);
	assert_int_equal(r->source_end->id, 99);
	assert_string_equal(r->source_end->namespace, "");
	assert_string_equal(r->source_end->pod, "");
	assert_int_equal(r->source_end->labels, 0);
	assert_string_equal(
		r->rule[POLICY_EGRESS]->text, "rule 6 of policy revision 9, which is gone");
	assert_string_equal(r->rule[POLICY_EGRESS]->name, "");
	flow_record_done(r);
}

/* Only verdicts of policies have rules. */
static void test_no_rule(void **state)
{
	struct world *w = *state;
	SCOPED(flow_enricher_freep)
	struct flow_enricher *en = enricher_of(w);
	struct event ev = event_of();
	struct flow_record r[FLOW_RECORDS_MAX];

	ev.flags = 0;
	ev.reason = DROP_INVALID_SOURCE_IP;
	assert_int_equal(flow_decode(&ev, 0, r), 1);
	flow_enrich(en, &ev, r);
	assert_null(r->rule[POLICY_EGRESS]);
	flow_record_done(r);
	ev.type = EVENT_TRACE;
	assert_int_equal(flow_decode(&ev, 0, r), 1);
	flow_enrich(en, &ev, r);
	assert_null(r->rule[POLICY_EGRESS]);
	flow_record_done(r);
	ev.type = EVENT_DROP;
	ev.reason = DROP_POLICY_DENIED;
	ev.decision[POLICY_EGRESS].rule = 0;
	assert_int_equal(flow_decode(&ev, 0, r), 1);
	flow_enrich(en, &ev, r);
	assert_null(r->rule[POLICY_EGRESS]);
	flow_record_done(r);
	assert_int_equal(w->rule_calls, 0);
}

/* A record keeps the names of its time, also when the enricher has forgotten them or is gone. */
static void test_forget(void **state)
{
	struct world *w = *state;
	struct flow_enricher *en = enricher_of(w);
	struct event ev = event_of();
	struct flow_record before[FLOW_RECORDS_MAX], after[FLOW_RECORDS_MAX];

	flow_decode(&ev, 0, before);
	flow_decode(&ev, 0, after);
	flow_enrich(en, &ev, before);
	w->pod = "web-2";
	flow_enricher_forget_ends(en);
	flow_enrich(en, &ev, after);
	assert_string_equal(before->source_end->pod, "web-1");
	assert_string_equal(after->source_end->pod, "web-2");
	assert_int_equal(w->rule_calls, 1);
	flow_enricher_forget_rules(en);
	flow_record_done(after);
	flow_decode(&ev, 0, after);
	flow_enrich(en, &ev, after);
	assert_int_equal(w->rule_calls, 2);
	ev.revision = 10; /* a new revision may give the number to another rule */
	flow_record_done(after);
	flow_decode(&ev, 0, after);
	flow_enrich(en, &ev, after);
	assert_int_equal(w->rule_calls, 3);
	flow_enricher_free(en);
	assert_string_equal(before->source_end->label[1], "k8s:app=web");
	assert_string_equal(before->rule[POLICY_EGRESS]->name, "allow-web");
	flow_record_done(before);
	flow_record_done(after);
}

/* More ends and rules than are remembered. */
static void test_bounds(void **state)
{
	SCOPED(flow_enricher_freep)
	struct flow_enricher *en = enricher_of(*state);
	struct event ev = event_of();
	struct flow_record r[FLOW_RECORDS_MAX], keep[FLOW_RECORDS_MAX];

	flow_decode(&ev, 0, keep);
	flow_enrich(en, &ev, keep);
	for (uint32_t i = 0; i < 20000; i++) {
		ev.source_identity = 10000 + i;
		ev.decision[POLICY_EGRESS].rule = 10000 + i;
		flow_decode(&ev, 0, r);
		flow_enrich(en, &ev, r);
		assert_int_equal(r->source_end->identity, 10000 + i);
		flow_record_done(r);
	}
	assert_string_equal(keep->source_end->pod, "web-1");
	flow_record_done(keep);
}

static void test_uuids(void **state)
{
	SCOPED(flow_enricher_freep)
	struct flow_enricher *en = enricher_of(*state);
	struct hash seen = {0};
	struct event ev = event_of();
	struct flow_record r[FLOW_RECORDS_MAX];

	for (int i = 0; i < 20000; i++) {
		char text[FLOW_UUID_TEXT];

		flow_decode(&ev, 0, r);
		flow_enrich(en, &ev, r);
		flow_uuid_format(r->uuid, text);
		assert_int_equal(strlen(text), 36);
		assert_int_equal(text[14], '4');
		assert_non_null(strchr("89ab", text[19]));
		assert_int_equal(text[8], '-');
		assert_int_equal(text[23], '-');
		assert_null(hash_put_str(&seen, text, en));
		flow_record_done(r);
	}
	hash_done(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_rule, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forget, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_uuids, setup, teardown),
	};

	return cmocka_run_group_tests_name("flow/enrich", tests, NULL, NULL);
}
