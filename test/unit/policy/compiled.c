/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions that need no compiler: which prefixes a set names, which of them is the longest, and
 * looking up in slots made by hand.
 */
#include "fixture.h"

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, false, &p), 0);
	return p;
}

static void assert_prefixes(const struct prefix *found, size_t count, const char *want)
{
	SCOPED(str_done) struct str text = {0};

	for (size_t i = 0; i < count; i++) {
		char one[ADDR_TEXT];

		str_printf(&text, "%s%s", i ? " " : "", prefix_format(&found[i], one));
	}
	assert_string_equal(str_text(&text), want);
}

/* Two policies; specs, rules and peers after the first count, too. */
struct named {
	struct prefix outer[2], except[2], second, all[2], grouped, backed;
	struct policy_group group;
	struct addr backend;
	struct policy_service service;
	struct peer peer[5];
	struct rule rule[3];
	struct policy_spec spec[2];
	struct policy policy[2];
	struct policy_set set;
};

static void named_init(struct named *n)
{
	*n = (struct named){.outer = {prefix("10.9.0.0/16"), prefix("10.0.0.0/8")},
		.except = {prefix("10.1.0.0/16"), prefix("10.0.0.0/8")},
		.second = prefix("2001:db8::/32"),
		.all = {prefix("0.0.0.0/0"), prefix("::/0")},
		.grouped = prefix("172.16.0.0/12")};
	assert_int_equal(addr_parse("192.0.2.1", &n->backend), 0);
	n->group = (struct policy_group){.name = "g", .prefix = &n->grouped, .prefixes = 1};
	n->service = (struct policy_service){
		.namespace = "x", .name = "s", .backend = &n->backend, .backends = 1};
	n->peer[0] = (struct peer){.kind = PEER_PREFIX,
		.prefix = n->outer,
		.prefixes = 2,
		.except = n->except,
		.excepts = 2};
	n->peer[1] = (struct peer){
		.kind = PEER_PREFIX, .prefix = &n->second, .prefixes = 1, .reach = PREFIX_NODES};
	n->peer[2] = (struct peer){
		.kind = PEER_PREFIX, .prefix = n->all, .prefixes = 2, .reach = PREFIX_PODS};
	n->peer[3] = (struct peer){.kind = PEER_GROUP, .name = "g", .reach = PREFIX_PODS};
	n->peer[4] = (struct peer){.kind = PEER_SERVICE, .name = "s", .namespace = "x"};
	n->rule[0] = (struct rule){.peer = n->peer, .peers = 2};
	n->rule[1] = (struct rule){.peer = n->peer + 2, .peers = 2};
	n->rule[2] = (struct rule){.peer = n->peer + 4, .peers = 1};
	n->spec[0] = (struct policy_spec){.rule = n->rule, .rules = 2};
	n->spec[1] = (struct policy_spec){.rule = n->rule + 2, .rules = 1};
	n->policy[1] = (struct policy){.spec = n->spec, .specs = 2};
	n->set = (struct policy_set){.policy = n->policy,
		.count = 2,
		.group = &n->group,
		.groups = 1,
		.service = &n->service,
		.services = 1};
}

static void test_prefixes(void **state)
{
	struct prefix *found;
	struct named n;
	size_t count;

	(void)state;
	named_init(&n);
	count = policy_prefixes(&n.set, &found);
	assert_prefixes(found, count,
		"10.0.0.0/8 10.1.0.0/16 10.9.0.0/16 172.16.0.0/12 192.0.2.1/32 2001:db8::/32");
	free(found);
	/* those that endpoints or nodes may be inside of, and here a /0 is one */
	count = policy_reach_prefixes(&n.set, &found);
	assert_int_equal(count, 4);
	for (size_t i = 1; i < count; i++)
		assert_true(prefix_compare(&found[i - 1], &found[i]) < 0);
	for (size_t i = 0; i < count; i++)
		assert_true(!prefix_compare(&found[i], &n.all[0]) ||
			    !prefix_compare(&found[i], &n.all[1]) ||
			    !prefix_compare(&found[i], &n.second) ||
			    !prefix_compare(&found[i], &n.grouped));
	free(found);
	n.set.count = 1;
	assert_int_equal(policy_prefixes(&n.set, &found), 0);
	assert_null(found);
}

static void test_longest(void **state)
{
	const struct prefix p[] = {prefix("10.1.0.0/16"), prefix("10.0.0.0/8"),
		prefix("10.1.1.0/24"), prefix("10.1.1.0/24"), prefix("::/0")};
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse("10.1.1.1", &a), 0);
	assert_ptr_equal(prefixes_longest(p, 5, &a), &p[2]);
	assert_ptr_equal(prefixes_longest(p, 2, &a), &p[0]);
	assert_ptr_equal(prefixes_longest(p + 1, 1, &a), &p[1]);
	assert_null(prefixes_longest(p, 0, &a));
	assert_int_equal(addr_parse("10.2.1.1", &a), 0);
	assert_ptr_equal(prefixes_longest(p, 5, &a), &p[1]);
	assert_null(prefixes_longest(p, 1, &a));
	assert_int_equal(addr_parse("11.0.0.1", &a), 0);
	assert_null(prefixes_longest(p, 4, &a));
}

static void test_slots(void **state)
{
	struct compiled_slot slot[] = {
		{.identity = 3}, {.identity = 7}, {.identity = 8}, {.identity = 20}};

	(void)state;
	for (size_t count = 0; count <= 4; count++) {
		struct compiled_set set = {.slot = slot, .slots = count};

		for (uint32_t id = 0; id < 22; id++) {
			const struct compiled_slot *want = NULL;

			for (size_t i = 0; i < count; i++)
				want = slot[i].identity == id ? &slot[i] : want;
			assert_ptr_equal(compiled_slot_find(&set, id), want);
		}
	}
}

/* ---- a content of two classes ---- */

#define ENTRY(bits, proto, number, id)                                                             \
	{                                                                                          \
		.prefixlen = (bits), .protocol = (proto), .port = (number), .decision = {          \
			.rule = (id)                                                               \
		}                                                                                  \
	}

/* in no order */
static const struct class_entry many[] = {
	ENTRY(RULE_PREFIX_CLASS, 0, 0, 1),
	ENTRY(RULE_PREFIX_PORT, IPPROTO_TCP, 80, 2),
	ENTRY(RULE_PREFIX_PROTOCOL, IPPROTO_TCP, 0, 3),
	ENTRY(RULE_PREFIX_PORT - 4, IPPROTO_TCP, 80, 4),
	ENTRY(RULE_PREFIX_PORT - 1, IPPROTO_UDP, 52, 5),
	ENTRY(RULE_PREFIX_PORT - 15, IPPROTO_UDP, 32768, 6),
	ENTRY(RULE_PREFIX_PORT, IPPROTO_TCP, 0, 7),
};
static const struct class_entry one[] = {ENTRY(RULE_PREFIX_CLASS, 0, 0, 9)};
static struct compiled_class rich = {many, ARRAY_SIZE(many), 1}, poor = {one, 1, 1};
static struct compiled_class *classes[] = {&poor, &rich};
static struct compiled_peer peers[] = {{5, {1, 0}}, {6, {0, 1}}, {9, {1, 1}}};

static const struct compiled_content content = {
	.class = classes, .classes = 2, .base = {0, 1}, .peer = peers, .peers = 3};

static void test_class_of(void **state)
{
	(void)state;
	for (uint32_t id = 0; id < 12; id++) {
		const struct compiled_class *in = &poor, *out = &rich;

		for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
			if (peers[i].identity == id) {
				in = classes[peers[i].class[POLICY_INGRESS]];
				out = classes[peers[i].class[POLICY_EGRESS]];
			}
		}
		assert_ptr_equal(compiled_class_of(&content, POLICY_INGRESS, id), in);
		assert_ptr_equal(compiled_class_of(&content, POLICY_EGRESS, id), out);
	}
}

static uint32_t rule_for(uint32_t peer, uint8_t protocol, uint16_t port)
{
	const struct compiled_slot slot = {.content = &content};

	return compiled_lookup(&slot, POLICY_INGRESS, peer, protocol, port)->rule;
}

static void test_lookup(void **state)
{
	const struct compiled_class empty = {0};
	struct compiled_class *none[] = {(struct compiled_class *)&empty};
	const struct compiled_content nothing = {.class = none, .classes = 1};
	const struct compiled_slot slot = {.content = &nothing};

	(void)state;
	assert_int_equal(rule_for(1, IPPROTO_TCP, 80), 9);
	assert_int_equal(rule_for(5, IPPROTO_TCP, 80), 2);
	assert_int_equal(rule_for(5, IPPROTO_TCP, 81), 4);
	assert_int_equal(rule_for(5, IPPROTO_TCP, 95), 4);
	assert_int_equal(rule_for(5, IPPROTO_TCP, 96), 3);
	assert_int_equal(rule_for(5, IPPROTO_TCP, 79), 3);
	assert_int_equal(rule_for(5, IPPROTO_TCP, 65535), 3);
	assert_int_equal(rule_for(5, IPPROTO_TCP, 0), 7);
	assert_int_equal(rule_for(5, IPPROTO_UDP, 52), 5);
	assert_int_equal(rule_for(5, IPPROTO_UDP, 53), 5);
	assert_int_equal(rule_for(5, IPPROTO_UDP, 54), 1);
	assert_int_equal(rule_for(5, IPPROTO_UDP, 80), 1);
	assert_int_equal(rule_for(5, IPPROTO_UDP, 32767), 1);
	assert_int_equal(rule_for(5, IPPROTO_UDP, 65535), 6);
	assert_int_equal(rule_for(5, IPPROTO_ICMP, 80), 1);
	assert_null(compiled_lookup(&slot, POLICY_INGRESS, 1, IPPROTO_TCP, 1));
}

/* What is shared is counted once. */
static void test_count(void **state)
{
	struct compiled_class *other_classes[] = {&rich};
	const struct compiled_content other = {
		.class = other_classes, .classes = 1, .peer = peers, .peers = 2};
	struct compiled_slot slot[] = {
		{.content = &content}, {.content = &other}, {.content = &content}};
	struct compiled_set set = {.slot = slot};
	size_t rules = 99, count = 99;

	(void)state;
	compiled_count(&set, &rules, &count);
	assert_int_equal(rules, 0);
	assert_int_equal(count, 0);
	set.slots = 1;
	compiled_count(&set, &rules, &count);
	assert_int_equal(rules, 1 + ARRAY_SIZE(many));
	assert_int_equal(count, 3);
	set.slots = 3;
	compiled_count(&set, &rules, &count);
	assert_int_equal(rules, 1 + ARRAY_SIZE(many));
	assert_int_equal(count, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_class_of),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests_name("policy compiled", tests, NULL, NULL);
}
