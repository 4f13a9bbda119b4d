/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine that follows random changes, against compiling anew: policies come, go and change,
 * identities come, go and get named ports, subjects are added. After each step both must hold the
 * same, and the changes told must lead from what was to what is.
 */
#include "fixture.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/time.h"

enum { STEPS = 250, POLICIES = 12, PODS = 24 };

static uint64_t random_state;

static uint32_t draw(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % n;
}

struct run {
	struct identities *identities;
	struct rule_ids *ids;
	struct engine *engine;
	struct compiled_set *now;
	struct policy_set *set; /* of now */
	struct policy_set *next;
	struct arena mem; /* of the models made by hand */
	uint32_t pod[PODS]; /* 0: not there */
	int version[POLICIES]; /* 0: not there */
};

static const char *const apps[] = {"a", "b", "c"}, *const spaces[] = {"x", "y"};

static struct selector selector_of(struct arena *mem, const char *key, const char *value)
{
	struct requirement *q = arena_alloc(mem, sizeof(*q));

	*q = (struct requirement){.key = {"k8s", key, ""}, .op = SELECTOR_IN, .values = 1};
	q->value = arena_alloc(mem, sizeof(char *));
	q->value[0] = value;
	return (struct selector){q, 1};
}

static struct peer *peer_of(struct arena *mem, uint32_t n)
{
	struct peer *p = arena_alloc(mem, sizeof(*p));

	switch (n % 5) {
	case 0:
		p->kind = PEER_ANY;
		break;
	case 1:
		p->kind = PEER_PREFIX;
		p->prefix = arena_alloc(mem, sizeof(*p->prefix));
		p->prefixes = 1;
		assert_int_equal(
			prefix_parse(n % 2 ? "10.0.0.0/8" : "10.1.0.0/16", false, p->prefix), 0);
		break;
	default:
		p->kind = PEER_SELECTOR;
		p->selector = arena_alloc(mem, sizeof(*p->selector));
		p->selectors = 1;
		*p->selector = selector_of(
			mem, n % 2 ? "app" : "space", n % 2 ? apps[n / 2 % 3] : spaces[n / 2 % 2]);
	}
	return p;
}

static void make_rule(struct arena *mem, struct rule *r, uint32_t n, size_t index)
{
	*r = (struct rule){.direction = n / 2 % 2 ? POLICY_INGRESS : POLICY_EGRESS,
		.action = n % 4 == 0 ? ACTION_DENY : ACTION_ALLOW,
		.order = n % 3 ? RULE_UNORDERED : (int32_t)(n % 7),
		.peer = peer_of(mem, n / 3),
		.peers = 1,
		.ports = n % 5 ? 1 : 0,
		.origin = {"file", 1},
		.path = arena_printf(mem, "rule[%zu]", index)};
	r->port = arena_alloc(mem, sizeof(*r->port));
	*r->port = (struct port_range){IPPROTO_TCP, 80, (uint16_t)(80 + n % 3), NULL};
	if (n % 7 == 3)
		*r->port = (struct port_range){IPPROTO_TCP, 0, 0, "web"};
}

/* The policy of this name and version: always the same. */
static void make_policy(struct arena *mem, struct policy *p, uint32_t at, uint32_t version)
{
	uint32_t n = at * 2654435761u + version * 40503u;
	struct policy_spec *s = arena_alloc(mem, sizeof(*s));

	*p = (struct policy){.kind = "CiliumNetworkPolicy",
		.namespace = "default",
		.name = arena_printf(mem, "p%u", at),
		.tier = n % 5 == 1   ? TIER_ADMIN
			: n % 5 == 2 ? TIER_BASELINE
				     : TIER_NORMAL,
		.priority = (int32_t)(n % 3),
		.mode = n % 11 == 5 ? MODE_SHADOW : MODE_ENFORCE,
		.spec = s,
		.specs = 1,
		.origin = {"file", (int)version},
		.digest = (uint64_t)at << 32 | version};
	s->subject = selector_of(mem, "app", apps[n % 3]);
	s->default_deny[POLICY_INGRESS] = n % 2;
	s->default_deny[POLICY_EGRESS] = n / 2 % 2;
	s->rules = 1 + n % 3;
	s->rule = arena_array(mem, s->rules, sizeof(*s->rule));
	for (size_t i = 0; i < s->rules; i++)
		make_rule(mem, &s->rule[i], n / 7 + (uint32_t)i * 31, i);
	if (p->tier == TIER_NORMAL)
		return;
	for (size_t i = 0; i < s->rules; i++)
		s->rule[i].action = (n + i) % 3 ? s->rule[i].action : ACTION_PASS;
}

static struct policy_set *make_set(struct run *w)
{
	struct policy_set *set = mem_alloc(sizeof(*set));

	for (uint32_t i = 0; i < POLICIES; i++) {
		if (!w->version[i])
			continue;
		mem_grow(&set->policy, &set->capacity, set->count + 1, sizeof(*set->policy));
		make_policy(&set->mem, &set->policy[set->count++], i, (uint32_t)w->version[i]);
	}
	return set;
}

static void toggle_pod(struct run *w, uint32_t i)
{
	char name[16];
	struct label l[] = {{"k8s", "app", apps[i % 3]}, {"k8s", "pod", name},
		{"k8s", "space", spaces[i / 3 % 2]}};
	const struct identity_info *info;

	if (w->pod[i]) {
		identity_put(w->identities, w->pod[i]);
		w->pod[i] = 0;
		return;
	}
	snprintf(name, sizeof(name), "%u", i);
	assert_int_equal(identity_get(w->identities, &(struct labels){l, 3}, &info, NULL), 0);
	w->pod[i] = info->number;
	if (i % 2) {
		struct named_port p = {"web", IPPROTO_TCP, (uint16_t)(8000 + draw(3))};

		identity_set_ports(w->identities, info->number, &p, 1);
	}
}

static size_t subjects_of(const struct run *w, uint32_t *subject)
{
	size_t count = 0;

	for (uint32_t i = 0; i < PODS; i++) {
		if (w->pod[i])
			subject[count++] = w->pod[i];
	}
	return count;
}

static void check(const struct run *w, const struct policy_options *o)
{
	uint32_t subject[PODS];
	struct compiled_set *anew = NULL;
	size_t n = subjects_of(w, subject);

	assert_int_equal(
		policy_compile(w->set, w->identities, subject, n, o, w->ids, &anew, NULL), 0);
	assert_set_same(w->now, anew);
	for (size_t i = 0; i < anew->rules; i++) {
		if (!anew->rule[i].id)
			continue;
		assert_int_equal(w->now->rule[i].id, anew->rule[i].id);
		assert_int_equal(w->now->rule[i].policies, anew->rule[i].policies);
		assert_string_equal(w->now->rule[i].path, anew->rule[i].path);
	}
	compiled_set_freep(&anew);
}

static void recompile(struct run *w)
{
	uint32_t subject[PODS];
	struct policy_set *set = make_set(w);
	struct compiled_set *next = NULL;
	size_t n = subjects_of(w, subject);

	assert_int_equal(engine_compile(w->engine, w->now, set, subject, n, &next, NULL), 0);
	compiled_set_free(w->engine, w->now);
	if (w->set)
		policy_set_done(w->set);
	free(w->set);
	w->set = set;
	w->now = next;
}

static bool is_used(const struct compiled_set *now, const struct compiled_content *c)
{
	for (size_t i = 0; i < now->slots; i++) {
		if (now->slot[i].content == c)
			return true;
	}
	return false;
}

/* A peer's classes in a content, as they were before a step. */
struct was {
	const struct compiled_content *content;
	uint32_t identity;
	const struct compiled_class *class[POLICY_DIRECTIONS];
};

struct snapshot {
	struct was *was;
	size_t count, room;
};

static void snap_peer(struct snapshot *s, const struct compiled_content *c, uint32_t identity)
{
	struct was *x;

	mem_grow(&s->was, &s->room, s->count + 1, sizeof(*s->was));
	x = &s->was[s->count++];
	*x = (struct was){.content = c, .identity = identity};
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++)
		x->class[d] = compiled_class_of(c, d, identity);
}

/* Of every content and every number that there is, has been or will be. */
static struct snapshot snap(const struct compiled_set *now)
{
	struct snapshot s = {0};

	for (size_t i = 0; i < now->slots; i++) {
		for (uint32_t n = IDENTITY_CLUSTER_MIN; n < IDENTITY_CLUSTER_MIN + PODS; n++)
			snap_peer(&s, now->slot[i].content, n);
	}
	return s;
}

static const struct compiled_change *told(
	const struct compiled_changes *c, const struct compiled_content *content, uint32_t identity)
{
	for (size_t i = 0; i < c->changes; i++) {
		if (c->change[i].content == content && c->change[i].peer.identity == identity)
			return &c->change[i];
	}
	return NULL;
}

/* Whoever has what was, and takes the changes, has what is. */
static void check_changes(const struct compiled_set *now, const struct compiled_changes *c,
	const struct snapshot *before)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct was *x = &before->was[i];
		const struct compiled_change *to = told(c, x->content, x->identity);

		if (!is_used(now, x->content))
			continue;
		for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++)
			assert_ptr_equal(compiled_class_of(x->content, d, x->identity),
				to ? x->content->class[to->peer.class[d]] : x->class[d]);
	}
}

/* Who came is a subject, too. */
static void add_subjects(struct run *w)
{
	for (uint32_t i = 0; i < PODS; i++) {
		if (w->pod[i] && !compiled_slot_find(w->now, w->pod[i]))
			assert_non_null(engine_add_subject(w->engine, w->now, w->pod[i]));
	}
}

static void step(struct run *w, const struct policy_options *o)
{
	struct snapshot before = snap(w->now);
	struct compiled_changes changes;
	bool compile = !draw(4);
	uint32_t i;

	switch (draw(3)) {
	case 0:
		i = draw(POLICIES);
		w->version[i] = draw(4) ? 1 + (int)draw(1000) : 0;
		compile = true;
		break;
	default:
		for (uint32_t k = 1 + draw(3); k; k--)
			toggle_pod(w, draw(PODS));
	}
	engine_follow(w->engine, w->now, &changes);
	check_changes(w->now, &changes, &before);
	free(before.was);
	if (compile)
		recompile(w);
	else
		add_subjects(w);
	free(changes.change);
	check(w, o);
}

static void run(const struct policy_options *o)
{
	struct run w = {.identities = identities_new("c", true), .ids = rule_ids_new()};
	const struct identity_info *info;
	struct prefix p;

	assert_int_equal(prefix_parse("10.0.0.0/8", false, &p), 0);
	assert_int_equal(identity_get_prefix(w.identities, &p, &info, NULL), 0);
	assert_int_equal(prefix_parse("10.1.0.0/16", false, &p), 0);
	assert_int_equal(identity_get_prefix(w.identities, &p, &info, NULL), 0);
	w.engine = engine_new(w.identities, w.ids, o);
	for (uint32_t i = 0; i < PODS; i += 2)
		toggle_pod(&w, i);
	for (uint32_t i = 0; i < POLICIES; i += 2)
		w.version[i] = 1 + (int)draw(1000);
	recompile(&w);
	check(&w, o);
	for (int i = 0; i < STEPS; i++)
		step(&w, o);
	compiled_set_free(w.engine, w.now);
	engine_free(w.engine);
	policy_set_done(w.set);
	free(w.set);
	rule_ids_free(w.ids);
	identities_free(w.identities);
	arena_done(&w.mem);
}

static void test_follow(void **state)
{
	const char *seed = getenv("KILIM_TEST_SEED");

	(void)state;
	random_state = seed ? strtoull(seed, NULL, 0) : time_wall_ns();
	print_message("# KILIM_TEST_SEED=%" PRIu64 "\n", random_state);
	run(&(struct policy_options){.enforce = POLICY_ENFORCE_DEFAULT});
	run(&(struct policy_options){.enforce = POLICY_ENFORCE_ALWAYS, .audit = true});
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_follow)};

	return cmocka_run_group_tests_name("policy follow", tests, NULL, NULL);
}
