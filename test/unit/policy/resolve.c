/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of identities against selector_matches() one identity at a time, for random labels and
 * selectors. */
#include "fixture.h"

#include <stdio.h>

#include "policy/resolve.h"

enum { IDENTITIES = 200, SELECTORS = 3000 };

static uint64_t random_state = 88172645463325252u;

static uint32_t draw(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % n;
}

static const char *const sources[] = {"k8s", "container", "reserved"};
static const char *const keys[] = {"a", "b", "c", "d"};
static const char *const values[] = {"", "1", "2", "3"};

static void add_identities(struct identities *t)
{
	for (int i = 0; i < IDENTITIES; i++) {
		struct label l[8];
		struct labels set = {l, 0};
		const struct identity_info *info;

		for (size_t k = 0; k < ARRAY_SIZE(sources) * ARRAY_SIZE(keys) && set.count < 8;
			k++) {
			if (!draw(3))
				l[set.count++] = (struct label){
					sources[k % 3], keys[k / 3], values[draw(4)]};
		}
		if (set.count)
			assert_int_equal(identity_get(t, &set, &info, NULL), 0);
	}
}

static void test_selectors(void **state)
{
	struct identities *t = identities_new("c", true);
	struct resolver r;

	(void)state;
	add_identities(t);
	resolver_init(&r, t);
	for (int i = 0; i < SELECTORS; i++) {
		struct requirement q[3];
		const char *value[3][2];
		struct selector s = {q, draw(4)};
		const uint64_t *bits;

		for (size_t k = 0; k < 3; k++) {
			uint32_t source = draw(4);

			value[k][0] = values[draw(4)];
			value[k][1] = values[draw(4)];
			q[k] = (struct requirement){
				.key = {source == 3 ? "any" : sources[source], keys[draw(4)], ""},
				.op = draw(4),
				.value = value[k],
				.values = 1 + draw(2)};
		}
		bits = resolver_selector(&r, &s);
		for (size_t n = 0; n < r.count; n++)
			assert_int_equal(
				bit_test(bits, n), selector_matches(&s, &r.identity[n]->labels));
		for (size_t n = r.count; n < r.words * 64; n++)
			assert_false(bit_test(bits, n));
	}
	assert_int_equal(resolver_index(&r, IDENTITY_HOST), 0);
	assert_int_equal(resolver_index(&r, 11), -ENOENT);
	resolver_done(&r);
	identities_free(t);
}

/* Equal peers are worked out once; other ones are never mixed up with them. */
static void test_columns(void **state)
{
	struct identities *t = identities_new("c", true);
	struct prefix p[2], other[2];
	struct peer a = {.kind = PEER_PREFIX, .prefix = p, .prefixes = 2}, b = a;
	struct peer none = {.kind = PEER_NONE}, any = {.kind = PEER_ANY};
	const struct column *c;
	struct resolver r;

	(void)state;
	assert_int_equal(prefix_parse("10.0.0.0/8", false, &p[0]), 0);
	assert_int_equal(prefix_parse("0.0.0.0/0", false, &p[1]), 0);
	memcpy(other, p, sizeof(p));
	resolver_init(&r, t);
	c = resolver_peers(&r, &a, 1);
	assert_false(c->any);
	assert_false(c->empty);
	b.prefix = other;
	assert_ptr_equal(resolver_peers(&r, &b, 1), c);
	/* one of the two as except: the same bytes in other places */
	b = (struct peer){.kind = PEER_PREFIX,
		.prefix = other,
		.prefixes = 1,
		.except = &other[1],
		.excepts = 1};
	assert_ptr_not_equal(resolver_peers(&r, &b, 1), c);
	assert_true(resolver_peers(&r, &b, 1)->empty);
	assert_true(resolver_peers(&r, &none, 1)->empty);
	assert_true(resolver_peers(&r, &any, 1)->any);
	resolver_done(&r);
	identities_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_columns),
	};

	return cmocka_run_group_tests_name("policy resolve", tests, NULL, NULL);
}
