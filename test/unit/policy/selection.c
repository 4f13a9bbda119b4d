/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of identities against selector_matches() one identity at a time, for random labels and
 * selectors. */
#include "fixture.h"

#include <stdio.h>

#include "policy/selection.h"

enum { IDENTITIES = 200, SELECTORS = 3000, PER_ROUND = 10 };

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

/* Whether the selection means exactly what selector_matches() says. */
static void check(const struct selection *s, const struct identities *t, const struct selector *of)
{
	const struct identity_info *n;
	size_t count = 0;

	for (n = identity_after(t, 0); n; n = identity_after(t, n->number)) {
		bool means = selector_matches(of, &n->labels);

		assert_int_equal(ids_has(&s->ids, n->number), means);
		count += means;
	}
	assert_int_equal(s->ids.count, count);
}

static struct selector make_selector(struct arena *mem)
{
	struct selector s = {arena_array(mem, 3, sizeof(struct requirement)), draw(4)};

	for (size_t k = 0; k < 3; k++) {
		struct requirement *q = &s.requirement[k];
		uint32_t source = draw(4);

		*q = (struct requirement){
			.key = {source == 3 ? "any" : sources[source], keys[draw(4)], ""},
			.op = draw(4),
			.values = 1 + draw(2)};
		q->value = arena_array(mem, 2, sizeof(char *));
		q->value[0] = values[draw(4)];
		q->value[1] = values[draw(4)];
	}
	return s;
}

/* Also while identities come and go. KILIM_TEST_ROUNDS makes it shorter. */
static void test_selectors(void **state)
{
	const char *rounds = getenv("KILIM_TEST_ROUNDS");
	int selectors = rounds ? PER_ROUND * atoi(rounds) : SELECTORS;
	struct identities *t = identities_new("c", true);
	struct selection *made[SELECTORS];
	struct selector of[SELECTORS];
	struct arena mem SCOPED(arena_done) = {0};
	struct selections all;

	(void)state;
	selectors = selectors < SELECTORS ? selectors : SELECTORS;
	add_identities(t);
	selections_init(&all, t);
	selections_refresh(&all, NULL, NULL);
	for (int i = 0; i < selectors; i++) {
		of[i] = make_selector(&mem);
		made[i] = selection_get(&all,
			&(struct selection_want){.kind = SELECTION_LABELS, .selector = &of[i]});
		check(made[i], t, &of[i]);
	}
	for (int round = 0; round < 10; round++) {
		for (uint32_t n = 256; n < 256 + IDENTITIES; n++) {
			if (!draw(4))
				identity_put(t, n);
		}
		add_identities(t);
		selections_refresh(&all, NULL, NULL);
		assert_true(all.stale <= all.members / 2 + 64);
		for (int i = 0; i < selectors; i += 10)
			check(made[i], t, &of[i]);
	}
	for (int i = 0; i < selectors; i++)
		selection_put(&all, made[i]);
	assert_int_equal(all.by_key.count, 0);
	selections_done(&all);
	identities_free(t);
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, false, &p), 0);
	return p;
}

static uint32_t number_of(struct identities *t, const char *text)
{
	const struct identity_info *info;
	struct prefix p = prefix(text);

	assert_int_equal(identity_get_prefix(t, &p, &info, NULL), 0);
	return info->number;
}

/* Prefixes mean what is inside them and not inside an exception; /0 the world of its family. */
static void test_prefixes(void **state)
{
	struct identities *t = identities_new("c", true);
	uint32_t ten = number_of(t, "10.0.0.0/8"), one = number_of(t, "10.1.0.0/16");
	uint32_t host = number_of(t, "10.1.0.1/32"), six = number_of(t, "fd00::/64");
	struct prefix p[] = {prefix("10.0.0.0/8")}, except[] = {prefix("10.1.0.0/16")};
	struct prefix all4[] = {prefix("0.0.0.0/0")}, all6[] = {prefix("::/0")};
	struct selection_want w = {.kind = SELECTION_PREFIXES, .prefix = p, .prefixes = 1};
	struct selection *s, *same;
	struct selections all;

	(void)state;
	selections_init(&all, t);
	selections_refresh(&all, NULL, NULL);
	s = selection_get(&all, &w);
	assert_int_equal(s->ids.count, 3);
	same = selection_get(&all, &w);
	assert_ptr_equal(s, same);
	w.except = except;
	w.excepts = 1;
	s = selection_get(&all, &w);
	assert_ptr_not_equal(s, same);
	assert_int_equal(s->ids.count, 1);
	assert_true(ids_has(&s->ids, ten));
	w = (struct selection_want){.kind = SELECTION_PREFIXES, .prefix = all4, .prefixes = 1};
	s = selection_get(&all, &w);
	assert_int_equal(s->ids.count, 5); /* world, world-ipv4 and the three */
	assert_true(ids_has(&s->ids, one) && ids_has(&s->ids, host));
	assert_false(ids_has(&s->ids, six) || ids_has(&s->ids, IDENTITY_WORLD_IPV6));
	w.prefix = all6;
	s = selection_get(&all, &w);
	assert_int_equal(s->ids.count, 3);
	assert_true(ids_has(&s->ids, six) && ids_has(&s->ids, IDENTITY_WORLD_IPV6));
	selections_done(&all);
	identities_free(t);
}

/* Asking for what no identity has leaves nothing behind. */
static void test_unknown_labels(void **state)
{
	struct identities *t = identities_new("c", true);
	struct requirement q[] = {{.key = {"any", "never", ""}, .op = SELECTOR_EXISTS},
		{.key = {"any", "never", ""},
			.op = SELECTOR_IN,
			.value = (const char *[]){"x", "y"},
			.values = 2}};
	struct selections all;
	size_t known;

	(void)state;
	selections_init(&all, t);
	selections_refresh(&all, NULL, NULL);
	known = all.by_label.count;
	assert_true(known > 0);
	for (size_t i = 0; i < ARRAY_SIZE(q); i++) {
		struct selector s = {&q[i], 1};
		struct selection *made = selection_get(
			&all, &(struct selection_want){.kind = SELECTION_LABELS, .selector = &s});

		assert_int_equal(made->ids.count, 0);
		assert_int_equal(all.by_label.count, known);
	}
	selections_done(&all);
	identities_free(t);
}

/* The index of labels forgets identities that have gone, but not at each one. */
static void test_churn(void **state)
{
	struct identities *t = identities_new("c", true);
	size_t most = 0, labels;
	struct selections all;

	(void)state;
	selections_init(&all, t);
	selections_refresh(&all, NULL, NULL);
	labels = all.by_label.count;
	for (int i = 0; i < 500; i++) {
		const struct identity_info *info;
		struct label l = {"k8s", "app", ""};
		char value[16];

		snprintf(value, sizeof(value), "v%d", i);
		l.value = value;
		assert_int_equal(identity_get(t, &(struct labels){&l, 1}, &info, NULL), 0);
		selections_refresh(&all, NULL, NULL);
		identity_put(t, info->number);
		selections_refresh(&all, NULL, NULL);
		assert_true(all.stale <= all.members / 2 + 64);
		assert_true(all.by_label.count <= labels + 100);
		most = all.stale > most ? all.stale : most;
	}
	assert_int_equal(most, all.members / 2 + 64);
	selections_done(&all);
	identities_free(t);
}

/* What is inside and what is left out are not mistaken for each other. */
static void test_distinct(void **state)
{
	struct identities *t = identities_new("c", true);
	struct prefix p[] = {prefix("10.0.0.0/8"), prefix("10.1.0.0/16")};
	struct selection_want both = {.kind = SELECTION_PREFIXES, .prefix = p, .prefixes = 2};
	struct selection_want one = both, reaching = both;
	struct selections all;
	struct selection *s;

	(void)state;
	one.prefixes = 1;
	one.except = p + 1;
	one.excepts = 1;
	reaching.reach = PREFIX_PODS;
	(void)number_of(t, "10.0.0.0/8");
	(void)number_of(t, "10.1.0.0/16");
	selections_init(&all, t);
	selections_refresh(&all, NULL, NULL);
	s = selection_get(&all, &both);
	assert_int_equal(s->ids.count, 2);
	assert_int_equal(selection_get(&all, &one)->ids.count, 1);
	assert_ptr_not_equal(selection_get(&all, &reaching), s);
	assert_ptr_equal(selection_get(&all, &both), s);
	selections_done(&all);
	identities_free(t);
}

/* A part has its base's named ports, unless it has its own. */
static void test_ports(void **state)
{
	struct identities *t = identities_new("c", true);
	struct named_port web = {"web", IPPROTO_TCP, 80}, other = {"web", IPPROTO_TCP, 81};
	struct prefix in = prefix("10.0.1.0/24");
	struct label l = {"k8s", "app", "web"};
	const struct identity_info *base, *part, *own;
	struct selections all;

	(void)state;
	assert_int_equal(identity_get(t, &(struct labels){&l, 1}, &base, NULL), 0);
	identity_set_ports(t, base->number, &web, 1);
	assert_int_equal(identity_get_part(t, base->number, &(struct identity_part){.inside = &in},
				 &part, NULL),
		0);
	assert_int_equal(
		identity_get_part(t, base->number,
			&(struct identity_part){.port = &other, .ports = 1, .own_ports = true},
			&own, NULL),
		0);
	selections_init(&all, t);
	selections_refresh(&all, NULL, NULL);
	assert_int_equal(selections_ports(&all, base->number)->number, base->number);
	assert_int_equal(selections_ports(&all, part->number)->number, base->number);
	assert_int_equal(selections_ports(&all, own->number)->number, own->number);
	assert_int_equal(selections_ports(&all, own->number)->port[0].number, 81);
	assert_null(selections_ports(&all, 4711));
	selections_done(&all);
	identities_free(t);
}

/* A part of an identity is what its labels say, and where its addresses are for those who ask. */
static void test_parts(void **state)
{
	struct identities *t = identities_new("c", true);
	struct label l[] = {{"k8s", "app", "web"}};
	struct labels labels = {l, 1};
	struct prefix in = prefix("10.0.1.0/24"), ten[] = {prefix("10.0.0.0/8")};
	struct requirement q = {.key = {"k8s", "app", ""},
		.op = SELECTOR_IN,
		.value = (const char *[]){"web"},
		.values = 1};
	struct selector app = {&q, 1};
	struct selection_want w = {.kind = SELECTION_PREFIXES, .prefix = ten, .prefixes = 1};
	const struct identity_info *base, *part;
	struct selections all;
	struct selection *s;

	(void)state;
	assert_int_equal(identity_get(t, &labels, &base, NULL), 0);
	assert_int_equal(identity_get_part(t, base->number, &(struct identity_part){.inside = &in},
				 &part, NULL),
		0);
	assert_int_not_equal(part->number, base->number);
	selections_init(&all, t);
	selections_refresh(&all, NULL, NULL);
	s = selection_get(&all, &w);
	assert_int_equal(s->ids.count, 0);
	w.reach = PREFIX_NODES;
	assert_int_equal(selection_get(&all, &w)->ids.count, 0);
	w.reach = PREFIX_PODS;
	s = selection_get(&all, &w);
	assert_int_equal(s->ids.count, 1);
	assert_int_equal(s->ids.id[0], part->number);
	s = selection_get(
		&all, &(struct selection_want){.kind = SELECTION_LABELS, .selector = &app});
	assert_int_equal(s->ids.count, 2);
	s = selection_get(&all, &(struct selection_want){.kind = SELECTION_NODES,
					.selector = &(struct selector){0}});
	assert_int_equal(s->ids.count, 2); /* remote-node, kube-apiserver */
	selections_done(&all);
	identities_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_unknown_labels),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_distinct),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests_name("policy selection", tests, NULL, NULL);
}
