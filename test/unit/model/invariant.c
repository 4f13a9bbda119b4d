/* SPDX-License-Identifier: Apache-2.0 */
/* Files of assertions: what they come to, and how what is wrong is refused. */
#include "model/invariant.h"

#include "fixture.h"

static int parse(struct invariants *l, const char *text, struct err *e)
{
	SCOPED(yaml_docs_done) struct yaml_docs docs = {0};
	int r = yaml_parse("i.yaml", text, strlen(text), &docs, e);

	for (size_t i = 0; !r && i < docs.count; i++)
		r = invariants_parse(l, "i.yaml", &docs.doc[i], e);
	return r;
}

static void test_good(void **state)
{
	static const char text[] =
		"invariants:\n"
		"- name: one\n"
		"  never:\n"
		"    from: {ns: x, labels: {app: a}, selector: {matchLabels: {'k8s:b': c}}}\n"
		"    to: world\n"
		"    ports: [443/TCP, 8000-8999/udp, 53/ANY, SCTP, 8/ICMP, GRE]\n"
		"    except: [{to: {cidr: 10.0.0.0/8}, ports: [1/TCP]}, {from: host}]\n"
		"- {name: two, mode: warn, always: {to: {selector: {}}}}\n"
		"---\n"
		"- {name: three, never: {from: any, to: remote-node}}\n";
	static const struct port_range ports[] = {{6, 443, 443, NULL}, {17, 8000, 8999, NULL},
		{0, 53, 53, NULL}, {132, 0, 65535, NULL}, {1, 8 << 8, 8 << 8 | 0xff, NULL},
		{47, 0, 65535, NULL}};
	SCOPED(invariants_done) struct invariants l = {0};
	SCOPED(str_done) struct str selector = {0};
	const struct invariant *v;
	struct err e = {0};

	(void)state;
	if (parse(&l, text, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(l.count, 3);
	v = &l.invariant[0];
	assert_string_equal(v->name, "one");
	assert_false(v->always || v->warns);
	assert_int_equal(v->origin.line, 2);
	selector_format(&selector, &v->scope.from.selector);
	assert_string_equal(
		str_text(&selector), "k8s:b=c,any:app=a,k8s:io.kubernetes.pod.namespace=x");
	assert_int_equal(v->scope.to.kind, PARTY_WORLD);
	assert_int_equal(v->scope.ports, ARRAY_SIZE(ports));
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		assert_int_equal(v->scope.port[i].protocol, ports[i].protocol);
		assert_int_equal(v->scope.port[i].first, ports[i].first);
		assert_int_equal(v->scope.port[i].last, ports[i].last);
	}
	assert_int_equal(v->excepts, 2);
	assert_int_equal(v->except[0].to.kind, PARTY_PREFIX);
	assert_int_equal(v->except[0].to.prefix.bits, 104);
	assert_int_equal(v->except[0].from.kind, PARTY_ANY);
	assert_int_equal(v->except[1].from.kind, PARTY_HOST);
	v = &l.invariant[1];
	assert_true(v->always && v->warns);
	assert_int_equal(v->scope.to.kind, PARTY_ENDPOINTS);
	assert_int_equal(v->scope.to.selector.count, 0);
	assert_int_equal(l.invariant[2].scope.to.kind, PARTY_REMOTE_NODE);
}

static const struct {
	const char *text, *says;
} refusals[] = {
	{"x", "i.yaml:1:1: expected a list, found a string"},
	{"{}", "i.yaml:1:1: expected a list of assertions"},
	{"invarants: []", "i.yaml:1:1: invarants: unknown field; did you mean invariants?"},
	{"- {never: {}}", "i.yaml:1:3: [0].name: is missing"},
	{"- {name: ''}", "i.yaml:1:10: [0].name: is empty"},
	{"- {name: x}", "i.yaml:1:3: [0]: needs exactly one of never and always"},
	{"- {name: x, never: {}, always: {}}", "i.yaml:1:3: [0]: needs exactly one of"},
	{"- {name: x, nevr: {}}", "i.yaml:1:13: [0].nevr: unknown field; did you mean never?"},
	{"- {name: x, never: {too: world}}", "i.yaml:1:21: [0].never.too: unknown field; did you "
					     "mean to?"},
	{"- {name: x, never: {to: wrld}}", "i.yaml:1:25: [0].never.to: \"wrld\" is nobody; did you "
					   "mean world?"},
	{"- {name: x, never: {to: {}}}", "i.yaml:1:21: [0].never.to: is empty; write any"},
	{"- {name: x, never: {to: {ns: ''}}}", "i.yaml:1:30: [0].never.to.ns: is empty"},
	{"- {name: x, never: {to: {cidr: 1.2.3}}}", "i.yaml:1:32: [0].never.to.cidr: \"1.2.3\" is "
						    "no CIDR"},
	{"- {name: x, never: {to: {cidr: 10.0.0.0/8, ns: y}}}",
		"i.yaml:1:32: [0].never.to.cidr: cannot be combined with a selector"},
	{"- {name: x, never: {ports: []}}", "i.yaml:1:21: [0].never.ports: is empty"},
	{"- {name: x, never: {ports: [80]}}",
		"i.yaml:1:29: [0].never.ports[0]: lacks the protocol; "
		"write 80/TCP, or 80/ANY"},
	{"- {name: x, never: {ports: [80/TPC]}}", "i.yaml:1:29: [0].never.ports[0]: \"80/TPC\" is "
						  "no port"},
	{"- {name: x, never: {ports: [70000/TCP]}}", "i.yaml:1:29: [0].never.ports[0]: is no port; "
						     "use 0 to 65535"},
	{"- {name: x, never: {ports: [9-8/TCP]}}", "i.yaml:1:29: [0].never.ports[0]: ends before"},
	{"- {name: x, never: {ports: [256/ICMP]}}", "i.yaml:1:29: [0].never.ports[0]: is no ICMP "
						    "type"},
	{"- {name: x, never: {ports: [1/GRE]}}",
		"i.yaml:1:29: [0].never.ports[0]: GRE has no ports"},
	{"- {name: x, never: {except: [{}]}}", "i.yaml:1:30: [0].never.except[0]: is empty"},
	{"- {name: x, mode: off, never: {}}", "i.yaml:1:19: [0].mode: \"off\" is no mode"},
	{"- {name: x, never: {}}\n- {name: x, never: {}}",
		"i.yaml:2:10: [1].name: is the name of another one, at i.yaml:1"},
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		SCOPED(invariants_done) struct invariants l = {0};
		struct err e = {0};

		assert_int_equal(parse(&l, refusals[i].text, &e), -EINVAL);
		if (strncmp(e.text, refusals[i].says, strlen(refusals[i].says)) != 0)
			fail_msg("%s\nsays: %s", refusals[i].text, e.text);
	}
}

static void test_cover(void **state)
{
	static const char *const texts[] = {"10.0.0.0/9", "10.128.0.0/10", "10.192.0.0/10",
		"fd00::/65", "fd00:0:0:0:8000::/65"};
	struct prefix list[ARRAY_SIZE(texts)], p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(prefix_parse(texts[i], false, &list[i]), 0);
	assert_int_equal(prefix_parse("10.0.0.0/8", false, &p), 0);
	assert_true(prefixes_cover(list, 5, &p));
	assert_false(prefixes_cover(list, 2, &p));
	assert_false(prefixes_cover(list + 1, 4, &p));
	assert_int_equal(prefix_parse("10.200.0.1", false, &p), 0);
	assert_true(prefixes_cover(list, 5, &p));
	assert_int_equal(prefix_parse("fd00::/64", false, &p), 0);
	assert_true(prefixes_cover(list, 5, &p));
	assert_false(prefixes_cover(list, 4, &p));
	assert_int_equal(prefix_parse("::/0", false, &p), 0);
	assert_false(prefixes_cover(list, 5, &p));
	assert_false(prefixes_cover(NULL, 0, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_good),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_cover)};

	return cmocka_run_group_tests_name("model invariant", tests, NULL, NULL);
}
