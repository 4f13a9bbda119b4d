/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of policies, what groups and services stand for, and when an object must be made anew.
 */
#include "fixture.h"

#include "policy/object.h"

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, false, &p), 0);
	return p;
}

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

/* ---- order ---- */

/* Sorted: each comes before all that follow. */
static const struct policy in_order[] = {
	{.kind = "Z", .namespace = "z", .name = "z", .tier = TIER_ADMIN, .priority = -1},
	{.kind = "Z", .namespace = "z", .name = "z", .tier = TIER_ADMIN, .priority = 1},
	{.kind = "A", .namespace = "z", .name = "z", .tier = TIER_NORMAL},
	{.kind = "B", .namespace = "a", .name = "z", .tier = TIER_NORMAL},
	{.kind = "B", .namespace = "b", .name = "a", .tier = TIER_NORMAL},
	{.kind = "B", .namespace = "b", .name = "b", .tier = TIER_NORMAL, .mode = MODE_ENFORCE},
	{.kind = "B", .namespace = "b", .name = "b", .tier = TIER_NORMAL, .mode = MODE_SHADOW},
	{.kind = NULL, .namespace = NULL, .name = NULL, .tier = TIER_BASELINE},
	{.kind = "A", .namespace = "", .name = NULL, .tier = TIER_BASELINE},
	{.kind = "A", .namespace = "", .name = "a", .tier = TIER_BASELINE},
};

static void test_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(in_order); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(in_order); k++)
			assert_int_equal(sign(policy_order(&in_order[i], &in_order[k])),
				sign((int)i - (int)k));
	}
}

/* ---- references ---- */

static struct requirement wants_red = {.key = {"any", "colour", ""},
	.op = SELECTOR_IN,
	.value = (const char *[]){"red"},
	.values = 1};
static struct requirement wants_blue = {.key = {"any", "colour", ""},
	.op = SELECTOR_IN,
	.value = (const char *[]){"blue"},
	.values = 1};
static struct label red[] = {{"cidrgroup", "colour", "red"}};
static struct label blue[] = {{"cidrgroup", "colour", "blue"}};

/* Groups one, two and three; services a/web with labels, a/web again with addresses (a slice), and
 * b/web and b/db, which have both. */
struct references {
	struct prefix prefix[3];
	struct addr backend[4];
	struct policy_group group[3];
	struct policy_service service[4];
	struct policy_set set;
};

static void references_init(struct references *r)
{
	*r = (struct references){
		.prefix = {prefix("10.1.0.0/16"), prefix("10.2.0.0/16"), prefix("10.3.0.0/16")},
		.backend = {address("192.0.2.1"), address("192.0.2.2"), address("192.0.2.3"),
			address("2001:db8::4")}};
	r->group[0] = (struct policy_group){"one", {red, 1}, &r->prefix[0], 2, {0}};
	r->group[1] = (struct policy_group){"two", {blue, 1}, &r->prefix[1], 1, {0}};
	r->group[2] = (struct policy_group){"three", {red, 1}, &r->prefix[2], 1, {0}};
	r->service[0] = (struct policy_service){"a", "web", {red, 1}, false, {0}, NULL, 0, {0}};
	r->service[1] =
		(struct policy_service){"a", "web", {0}, false, {0}, &r->backend[0], 2, {0}};
	r->service[2] =
		(struct policy_service){"b", "web", {blue, 1}, false, {0}, &r->backend[2], 1, {0}};
	r->service[3] =
		(struct policy_service){"b", "db", {red, 1}, false, {0}, &r->backend[3], 1, {0}};
	r->set.group = r->group;
	r->set.groups = 3;
	r->set.service = r->service;
	r->set.services = 4;
}

struct meaning {
	struct peer peer;
	const char *means;
};

static struct selector red_or_blue[] = {{&wants_red, 1}, {&wants_blue, 1}};

static const struct meaning meanings[] = {
	{{.kind = PEER_GROUP, .name = "one"}, "10.1.0.0/16 10.2.0.0/16"},
	{{.kind = PEER_GROUP, .name = "three"}, "10.3.0.0/16"},
	{{.kind = PEER_GROUP, .name = "four"}, ""},
	{{.kind = PEER_GROUP, .selector = red_or_blue, .selectors = 1},
		"10.1.0.0/16 10.2.0.0/16 10.3.0.0/16"},
	{{.kind = PEER_GROUP, .selector = red_or_blue + 1, .selectors = 1}, "10.2.0.0/16"},
	{{.kind = PEER_GROUP, .selector = red_or_blue, .selectors = 2},
		"10.1.0.0/16 10.2.0.0/16 10.2.0.0/16 10.3.0.0/16"},
	{{.kind = PEER_GROUP}, ""},
	/* a name alone counts, whatever else there is */
	{{.kind = PEER_GROUP, .name = "two", .selector = red_or_blue, .selectors = 1},
		"10.2.0.0/16"},
	{{.kind = PEER_SERVICE, .name = "web", .namespace = "a"}, "192.0.2.1/32 192.0.2.2/32"},
	{{.kind = PEER_SERVICE, .name = "web", .namespace = "b"}, "192.0.2.3/32"},
	{{.kind = PEER_SERVICE, .name = "web", .namespace = ""},
		"192.0.2.1/32 192.0.2.2/32 192.0.2.3/32"},
	{{.kind = PEER_SERVICE, .name = "web"}, "192.0.2.1/32 192.0.2.2/32 192.0.2.3/32"},
	{{.kind = PEER_SERVICE, .name = "db", .namespace = "a"}, ""},
	{{.kind = PEER_SERVICE, .name = "db", .namespace = "b"}, "2001:db8::4/128"},
	/* the slice has the labels of its service */
	{{.kind = PEER_SERVICE, .selector = red_or_blue, .selectors = 1, .namespace = ""},
		"192.0.2.1/32 192.0.2.2/32 2001:db8::4/128"},
	{{.kind = PEER_SERVICE, .selector = red_or_blue, .selectors = 1, .namespace = "a"},
		"192.0.2.1/32 192.0.2.2/32"},
	{{.kind = PEER_SERVICE, .selector = red_or_blue + 1, .selectors = 1, .namespace = ""},
		"192.0.2.3/32"},
	/* neither */
	{{.kind = PEER_PREFIX, .name = "one"}, ""},
	{{.kind = PEER_NONE, .name = "web"}, ""},
};

static void test_references(void **state)
{
	struct references r;

	(void)state;
	references_init(&r);
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		SCOPED(freep) struct prefix *found = NULL;
		SCOPED(str_done) struct str text = {0};
		size_t count = peer_prefixes(&r.set, &meanings[i].peer, &found);

		for (size_t k = 0; k < count; k++) {
			char one[ADDR_TEXT];

			prefix_format(&found[k], one);
			str_printf(&text, "%s%s", k ? " " : "", one);
		}
		if (strcmp(str_text(&text), meanings[i].means) != 0)
			fail_msg("%zu: %s, not %s", i, str_text(&text), meanings[i].means);
	}
}

/* Anything that a reference may mean changes the digest, and nothing else does. */
static void test_references_digest(void **state)
{
	struct references r;
	uint64_t seen[20], d;
	size_t n = 0;

	(void)state;
	references_init(&r);
	seen[n++] = object_references_digest(&r.set);
	assert_int_equal(object_references_digest(&r.set), seen[0]);
#define SAYS(change)                                                                               \
	references_init(&r);                                                                       \
	change;                                                                                    \
	d = object_references_digest(&r.set);                                                      \
	for (size_t i = 0; i < n; i++)                                                             \
		assert_int_not_equal(d, seen[i]);                                                  \
	seen[n++] = d
	SAYS(r.group[2].name = "four");
	SAYS(r.group[2].name = NULL);
	SAYS(r.group[2].labels.count = 0);
	SAYS(r.prefix[2] = prefix("10.4.0.0/16"));
	SAYS(r.group[0].prefixes = 1);
	SAYS(r.set.groups = 2);
	SAYS(r.set.groups = 0);
	SAYS(r.service[0].labels.count = 0);
	SAYS(r.service[3].name = "dc");
	SAYS(r.service[3].namespace = "c");
	SAYS(r.service[3].labels.label = blue);
	SAYS(r.service[3].selector = red_or_blue[0]);
	SAYS(r.backend[3] = address("192.0.2.9"));
	SAYS(r.service[1].backends = 1);
	SAYS(r.set.services = 3);
#undef SAYS
	references_init(&r);
	r.group[0].origin.line = 7;
	r.service[0].origin.line = 7;
	assert_int_equal(object_references_digest(&r.set), seen[0]);
}

/* Only policies that refer to something depend on it, wherever in them it is. */
static void test_object_digest(void **state)
{
	struct peer peer[2] = {{.kind = PEER_SELECTOR}, {.kind = PEER_PREFIX}};
	struct rule rule[2] = {{0}, {.peer = peer, .peers = 2}};
	struct policy_spec spec[2] = {{.rules = 0}, {.rule = rule, .rules = 2}};
	struct policy p = {.spec = spec, .specs = 2, .digest = 5};
	static const enum peer_kind kinds[] = {PEER_GROUP, PEER_SERVICE};

	(void)state;
	assert_int_equal(object_digest(&p, 1), 5);
	assert_int_equal(object_digest(&p, 2), 5);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		peer[1].kind = kinds[i];
		assert_int_not_equal(object_digest(&p, 1), 5);
		assert_int_not_equal(object_digest(&p, 1), object_digest(&p, 2));
		assert_int_equal(object_digest(&p, 1), object_digest(&p, 1));
	}
	rule[1].peer = peer + 1; /* the first one, too */
	rule[1].peers = 1;
	assert_int_not_equal(object_digest(&p, 1), object_digest(&p, 2));
	p.spec = spec + 1;
	p.specs = 1;
	assert_int_not_equal(object_digest(&p, 1), object_digest(&p, 2));
	spec[1].rule = rule + 1;
	spec[1].rules = 1;
	assert_int_not_equal(object_digest(&p, 1), object_digest(&p, 2));
	p.digest = 6;
	assert_int_not_equal(object_digest(&p, 1), 6);
	p.digest = 0;
	assert_int_equal(object_digest(&p, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_references_digest),
		cmocka_unit_test(test_object_digest),
	};

	return cmocka_run_group_tests_name("policy object", tests, NULL, NULL);
}
