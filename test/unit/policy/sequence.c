/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequences of sets and identities that once led to a wrong one: what an engine holds in the end is
 * what compiling anew gives.
 */
#include "fixture.h"

#include <stdio.h>

#include "policy/internal.h"

#define POLICY(name, app, rest)                                                                    \
	"---\napiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\n"                    \
	"metadata: {name: " name "}\nspec:\n  endpointSelector: {matchLabels: {app: " app          \
	"}}\n" rest
#define FROM(app) "  ingress: [{fromEndpoints: [{matchLabels: {app: " app "}}]}]\n"

static const struct policy_options options;

static void read_set(
	struct world *w, const char *text, struct policy_set *set, struct yaml_docs *docs)
{
	assert_int_equal(yaml_parse("p.yaml", text, strlen(text), docs, &w->e), 0);
	for (size_t i = 0; i < docs->count; i++) {
		if (policy_parse(set, &w->context, "p.yaml", &docs->doc[i], &w->e) < 0)
			fail_msg("%s", w->e.text);
	}
}

/* However often something else is compiled beside it, what is in force keeps its numbers. */
static void test_numbers_in_force(void **state)
{
	enum { TIMES = 80 };
	struct policy_set force = {0}, other = {0};
	struct yaml_docs force_docs = {0}, other_docs = {0};
	struct compiled_set *now = NULL, *beside = NULL;
	const struct compiled_slot *s;
	const struct decision *d;
	struct engine *engine;
	uint32_t id;
	struct world w;

	(void)state;
	world_init(&w);
	engine = engine_new(w.identities, w.ids, &options);
	read_set(&w, POLICY("o", "c", FROM("a")) POLICY("p", "a", FROM("b")), &force, &force_docs);
	read_set(&w, POLICY("o", "c", FROM("a")), &other, &other_docs);
	assert_int_equal(engine_compile(engine, NULL, &force, w.number, 1, &now, &w.e), 0);
	d = compiled_lookup(&now->slot[0], POLICY_INGRESS, w.number[1], IPPROTO_TCP, 80);
	id = d->rule;
	assert_string_equal(now->rule[id - 1].policy[0]->name, "p");
	for (int i = 0; i < TIMES; i++) {
		assert_int_equal(
			engine_compile(engine, now, &other, w.number, 1, &beside, &w.e), 0);
		compiled_set_free(engine, beside);
	}
	assert_true(rule_ids_get(w.ids, "somebody new") != id);
	s = engine_add_subject(engine, now, w.number[3]);
	assert_non_null(s);
	assert_true(now->rules >= id);
	assert_int_equal(now->rule[id - 1].id, id);
	assert_string_equal(now->rule[id - 1].policy[0]->name, "p");
	compiled_set_free(engine, now);
	engine_free(engine);
	policy_set_done(&force);
	policy_set_done(&other);
	yaml_docs_done(&force_docs);
	yaml_docs_done(&other_docs);
	world_done(&w);
}

static const struct decision *at_port(const struct compiled_set *c, uint32_t subject, uint16_t port)
{
	const struct compiled_slot *s = compiled_slot_find(c, subject);

	assert_non_null(s);
	return compiled_lookup(s, POLICY_INGRESS, IDENTITY_WORLD_IPV4, IPPROTO_TCP, port);
}

/* A part that has the ports of its base changes with them. */
static void test_ports_of_part(void **state)
{
	const struct named_port old = {"web", IPPROTO_TCP, 80}, new = {"web", IPPROTO_TCP, 8080};
	struct compiled_set *now = NULL, *next = NULL;
	struct compiled_changes changes;
	struct policy_set set = {0};
	struct yaml_docs docs = {0};
	struct engine *engine;
	struct prefix reach;
	uint32_t part;
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(prefix_parse("10.0.0.0/24", false, &reach), 0);
	engine = engine_new(w.identities, w.ids, &options);
	read_set(&w,
		POLICY("p", "a",
			"  ingress: [{toPorts: [{ports: [{port: web, protocol: TCP}]}]}]\n"),
		&set, &docs);
	identity_set_ports(w.identities, w.number[0], &old, 1);
	part = world_part(&w, w.number[0], "10.0.0.1", &reach, 1);
	assert_int_equal(engine_compile(engine, NULL, &set, &part, 1, &now, &w.e), 0);
	assert_int_equal(at_port(now, part, 80)->verdict, POLICY_ALLOW);
	identity_set_ports(w.identities, w.number[0], &new, 1);
	engine_follow(engine, now, &changes);
	free(changes.change);
	assert_int_equal(engine_compile(engine, now, &set, &part, 1, &next, &w.e), 0);
	assert_int_equal(at_port(next, part, 80)->verdict, POLICY_DEFAULT_DENY);
	assert_int_equal(at_port(next, part, 8080)->verdict, POLICY_ALLOW);
	compiled_set_free(engine, now);
	compiled_set_free(engine, next);
	engine_free(engine);
	policy_set_done(&set);
	yaml_docs_done(&docs);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_in_force),
		cmocka_unit_test(test_ports_of_part),
	};

	return cmocka_run_group_tests_name("policy sequence", tests, NULL, NULL);
}
