/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assertions: cases by hand, and at random against a check of every pair of identities, address by
 * address and port by port. KILIM_TEST_SEED repeats a run, KILIM_TEST_ROUNDS makes it longer.
 */
#include "policy/invariant.h"
#include "policy/party.h"

#include "made_up.h"

/* ---- by hand ---- */

static const char shop[] =
	"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: in}\nspec:\n"
	"  endpointSelector: {matchLabels: {app: a}}\n"
	"  ingress:\n  - fromEndpoints: [{matchLabels: {app: b}}]\n"
	"    toPorts: [{ports: [{port: '80', protocol: TCP}]}]\n"
	"---\n"
	"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: out}\nspec:\n"
	"  endpointSelector: {}\n"
	"  egress:\n  - toEndpoints: [{}]\n  - toCIDR: [203.0.113.0/24]\n"
	"    toPorts: [{ports: [{port: '443', protocol: TCP}]}]\n";

static const struct {
	const char *text;
	bool broken;
	const char *from, *to; /* of the counterexample */
	uint8_t protocol;
	uint16_t port;
} cases[] = {
	/* the only way out is 443/TCP to the one network */
	{"never: {from: {ns: default}, to: world}", true, "a", "203.0.113.1", IPPROTO_TCP, 443},
	{"never: {from: {ns: default}, to: world, except: [{to: {cidr: 203.0.113.0/24}, ports: "
	 "[443/TCP]}]}",
		false, NULL, NULL, 0, 0},
	{"never: {from: {ns: default}, to: world, except: [{to: {cidr: 203.0.113.0/25}, ports: "
	 "[443/TCP]}]}",
		true, "a", "203.0.113.1", IPPROTO_TCP, 443},
	{"never: {from: {ns: default}, to: world, except: [{to: {cidr: 203.0.0.0/16}}]}", false,
		NULL, NULL, 0, 0},
	{"never: {from: {ns: default}, to: world, ports: [80/TCP, 53/ANY]}", false, NULL, NULL, 0,
		0},
	{"never: {from: {ns: default}, to: {cidr: 203.0.113.7}}", true, "a", "203.0.113.7",
		IPPROTO_TCP, 443},
	{"never: {from: {ns: default}, to: {cidr: 198.51.100.0/24}}", false, NULL, NULL, 0, 0},
	/* other namespaces go where they like */
	{"never: {from: {ns: other}, to: {cidr: 198.51.100.0/24}}", true, "x", "198.51.100.1",
		IPPROTO_TCP, 443},
	{"never: {from: world, to: {labels: {app: a}, ns: default}}", false, NULL, NULL, 0, 0},
	{"never: {to: {labels: {app: a}, ns: default}, ports: [443/TCP]}", true, "host", "a",
		IPPROTO_TCP, 443},
	{"never: {from: {selector: {}}, to: {labels: {app: a}, ns: default}, ports: [443/TCP]}",
		false, NULL, NULL, 0, 0},
	{"always: {from: {labels: {app: b}, ns: default}, to: {labels: {app: a}, ns: default}, "
	 "ports: [80/TCP]}",
		false, NULL, NULL, 0, 0},
	{"always: {from: {labels: {app: b}, ns: default}, to: {labels: {app: a}, ns: default}, "
	 "ports: [80-81/TCP]}",
		true, "b", "a", IPPROTO_TCP, 81},
	{"always: {from: {ns: default}, to: {labels: {app: a}, ns: default}, ports: [80/TCP]}",
		true, "a", "a", IPPROTO_TCP, 80},
	{"always: {from: host, to: {ns: default}}", false, NULL, NULL, 0, 0},
	{"always: {from: remote-node, to: {ns: default}, ports: [8/ICMP]}", true, "remote-node",
		"a", IPPROTO_ICMP, 8 << 8},
	{"always: {from: {ns: nowhere}, to: world}", false, NULL, NULL, 0, 0},
};

static void read_one(const char *text, struct invariants *ret)
{
	SCOPED(yaml_docs_done) struct yaml_docs docs = {0};
	SCOPED(str_done) struct str all = {0};
	struct err e = {0};

	str_printf(&all, "- {name: x, %s}\n", text);
	if (yaml_parse("i.yaml", str_text(&all), all.len, &docs, &e) < 0 ||
		invariants_parse(ret, "i.yaml", &docs.doc[0], &e) < 0)
		fail_msg("%s\n%s", e.text, str_text(&all));
}

/* The decisions are those of the slots that both ends have; the node is let in unjudged. */
static void check_decisions(
	const struct world *w, const char *text, const struct invariant_result *r)
{
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		uint32_t self = d == POLICY_EGRESS ? r->from : r->to;
		uint32_t other = d == POLICY_EGRESS ? r->to : r->from;
		const struct compiled_slot *slot =
			identity_is_endpoint(identity_find(w->identities, self))
				? compiled_slot_find(w->out, self)
				: NULL;
		bool judged = slot && !(d == POLICY_INGRESS && other == IDENTITY_HOST);

		if (r->judged[d] != judged)
			fail_msg("%s: judged %d in %d", text, r->judged[d], (int)d);
		if (judged)
			assert_memory_equal(&r->decision[d],
				compiled_lookup(slot, d, other, r->protocol, r->port),
				sizeof(r->decision[d]));
	}
}

static void test_cases(void **state)
{
	struct world w;
	struct invariant_view v;

	(void)state;
	world_init(&w);
	assert_int_equal(world_read(&w, "p.yaml", shop), 0);
	assert_int_equal(world_compile(&w), 0);
	v = (struct invariant_view){w.out, w.identities, true};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		SCOPED(invariants_done) struct invariants l = {0};
		struct invariant_result r;

		read_one(cases[i].text, &l);
		invariant_check(&v, &l.invariant[0], &r);
		if (r.broken != cases[i].broken)
			fail_msg("%s: %s", cases[i].text, r.broken ? "broken" : "kept");
		if (!r.broken)
			continue;
		if (r.from != world_number(&w, cases[i].from) ||
			r.to != world_number(&w, cases[i].to) || r.protocol != cases[i].protocol ||
			r.port != cases[i].port)
			fail_msg("%s: %u to %u, %u/%u", cases[i].text, r.from, r.to, r.port,
				r.protocol);
		check_decisions(&w, cases[i].text, &r);
	}
	world_done(&w);
}

/* What is left of a prefix once longer ones have identities of their own. */
static void test_left_of_prefix(void **state)
{
	static const char half[] =
		"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: "
		"out}\nspec:\n"
		"  endpointSelector: {}\n  egress:\n"
		"  - toCIDRSet: [{cidr: 203.0.113.0/24, except: [203.0.113.0/25]}]\n"
		"  - toCIDRSet: [{cidr: 198.51.0.0/16, except: [198.51.0.0/18, "
		"198.51.128.0/17]}]\n";
	static const struct {
		const char *to, *except;
		bool broken;
	} left[] = {
		{"{cidr: 203.0.113.0/24}", "{cidr: 203.0.113.128/25}", false},
		{"{cidr: 203.0.113.0/24}", "{cidr: 203.0.113.128/26}", true},
		{"{cidr: 203.0.113.0/24}", "{cidr: 203.0.113.0/25}", true},
		{"{cidr: 203.0.113.0/24}", "{cidr: 203.0.112.0/23}", false},
		{"{cidr: 203.0.113.0/25}", "{cidr: 192.0.2.0/24}", false},
		{"{cidr: 198.51.0.0/16}", "{cidr: 198.51.64.0/18}", false},
		{"{cidr: 198.51.0.0/16}", "{cidr: 198.51.64.0/19}", true},
		{"{cidr: 198.51.0.0/17}", "{cidr: 198.51.64.0/18}", false},
		{"{cidr: 198.51.0.0/17}", "{cidr: 198.51.128.0/17}", true},
	};
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_read(&w, "p.yaml", half), 0);
	assert_int_equal(world_compile(&w), 0);
	for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
		SCOPED(invariants_done) struct invariants l = {0};
		SCOPED(str_done) struct str text = {0};
		struct invariant_result r;

		str_printf(&text, "never: {from: {ns: default}, to: %s, except: [{to: %s}]}",
			left[i].to, left[i].except);
		read_one(str_text(&text), &l);
		invariant_check(
			&(struct invariant_view){w.out, w.identities, true}, &l.invariant[0], &r);
		if (r.broken != left[i].broken)
			fail_msg("%s: %s", str_text(&text), r.broken ? "broken" : "kept");
	}
	world_done(&w);
}

/* Without localhost the node is a stranger like others. */
static void test_localhost(void **state)
{
	SCOPED(invariants_done) struct invariants l = {0};
	struct invariant_result r;
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_read(&w, "p.yaml", shop), 0);
	assert_int_equal(world_compile(&w), 0);
	read_one("always: {from: host, to: {labels: {app: a}, ns: default}, ports: [1/TCP]}", &l);
	invariant_check(&(struct invariant_view){w.out, w.identities, true}, &l.invariant[0], &r);
	assert_false(r.broken);
	assert_int_equal(r.pairs, 1);
	invariant_check(&(struct invariant_view){w.out, w.identities, false}, &l.invariant[0], &r);
	assert_true(r.broken);
	assert_true(r.judged[POLICY_INGRESS]);
	assert_false(r.judged[POLICY_EGRESS]);
	assert_int_equal(r.decision[POLICY_INGRESS].verdict, POLICY_DEFAULT_DENY);
	assert_string_equal(w.out->rule[r.decision[POLICY_INGRESS].rule - 1].policy[0]->name, "in");
	world_done(&w);
}

/* ---- at random ---- */

/* Somebody with an address: every identity, those of prefixes once per address that tells
 * something. */
struct somebody {
	uint32_t id;
	const struct identity_info *info;
	struct addr addr;
	bool outside;
};

static struct somebody everybody[256];
static size_t bodies;

static void add_address(struct world *w, const struct addr *a)
{
	uint32_t id = world_of_address(w, a);

	everybody[bodies++] = (struct somebody){id, identity_find(w->identities, id), *a, true};
}

static void gather(struct world *w)
{
	const struct identity_info *n;
	struct addr zero4, zero6;

	bodies = 0;
	for (n = identity_after(w->identities, 0); n;
		n = identity_after(w->identities, n->number)) {
		bool reserved = n->number < IDENTITY_CLUSTER_MIN;

		if (!n->is_prefix && (!reserved || n->number == IDENTITY_HOST ||
					     n->number == IDENTITY_REMOTE_NODE))
			everybody[bodies++] = (struct somebody){n->number, n, {{{0}}}, false};
	}
	assert_int_equal(addr_parse("0.0.0.0", &zero4), 0);
	assert_int_equal(addr_parse("::", &zero6), 0);
	add_address(w, &zero4);
	add_address(w, &zero6);
	for (size_t i = 0; i < ARRAY_SIZE(made_prefixes); i++) {
		struct prefix p;
		struct addr last;

		assert_int_equal(prefix_parse(made_prefixes[i], true, &p), 0);
		add_address(w, &p.addr);
		last = p.addr;
		for (unsigned b = p.bits; b < ADDR_BITS; b++)
			last.byte[b / 8] |= (uint8_t)(0x80 >> b % 8);
		last = addr_add(last, 1);
		if (addr_is_v4(&last) == addr_is_v4(&p.addr) && !addr_is_zero(&last))
			add_address(w, &last);
	}
}

static bool is_in(const struct invariant_party *p, const struct somebody *who)
{
	switch (p->kind) {
	case PARTY_ANY:
		return true;
	case PARTY_WORLD:
		return who->outside;
	case PARTY_HOST:
		return labels_find(&who->info->labels, "reserved", "host");
	case PARTY_REMOTE_NODE:
		return labels_find(&who->info->labels, "reserved", "remote-node");
	case PARTY_ENDPOINTS:
		return !who->outside && !labels_find(&who->info->labels, "reserved", "host") &&
		       !labels_find(&who->info->labels, "reserved", "remote-node") &&
		       selector_matches(&p->selector, &who->info->labels);
	case PARTY_PREFIX:
		return who->outside && prefix_has(&p->prefix, &who->addr);
	}
	return false;
}

static bool port_in(const struct invariant_scope *s, uint8_t protocol, uint16_t port)
{
	for (size_t i = 0; i < s->ports; i++) {
		const struct port_range *r = &s->port[i];
		bool fits = r->protocol ? r->protocol == protocol
					: protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ||
						  protocol == IPPROTO_SCTP;

		if (fits && port >= r->first && port <= r->last)
			return true;
	}
	return !s->ports;
}

static bool scope_in(const struct invariant_scope *s, const struct somebody *from,
	const struct somebody *to, uint8_t protocol, uint16_t port)
{
	return is_in(&s->from, from) && is_in(&s->to, to) && port_in(s, protocol, port);
}

static const struct compiled_slot *slot_of(const struct world *w, const struct somebody *who)
{
	struct invariant_party endpoints = {.kind = PARTY_ENDPOINTS};

	return is_in(&endpoints, who) ? compiled_slot_find(w->out, who->id) : NULL;
}

static bool breaks(const struct world *w, const struct invariant *v, const struct somebody *from,
	const struct somebody *to, uint8_t protocol, uint16_t port)
{
	const struct compiled_slot *out = slot_of(w, from), *in = slot_of(w, to);
	bool passes = true;

	if (!out && !in)
		return false;
	if (!scope_in(&v->scope, from, to, protocol, port))
		return false;
	if ((protocol == IPPROTO_ICMPV6 && ((from->outside && addr_is_v4(&from->addr)) ||
						   (to->outside && addr_is_v4(&to->addr)))) ||
		(protocol == IPPROTO_ICMP && ((from->outside && !addr_is_v4(&from->addr)) ||
						     (to->outside && !addr_is_v4(&to->addr)))))
		return false;
	for (size_t i = 0; i < v->excepts; i++) {
		if (scope_in(&v->except[i], from, to, protocol, port))
			return false;
	}
	if (out)
		passes &= compiled_lookup(out, POLICY_EGRESS, to->id, protocol, port)->verdict ==
			  POLICY_ALLOW;
	if (in && from->id != IDENTITY_HOST)
		passes &= compiled_lookup(in, POLICY_INGRESS, from->id, protocol, port)->verdict ==
			  POLICY_ALLOW;
	return passes != v->always;
}

/* Where something begins or ends in what made_up.h and make_invariant() say. */
static const struct {
	uint8_t protocol;
	uint16_t port;
} samples[] = {{6, 1}, {6, 2}, {6, 53}, {6, 54}, {6, 80}, {6, 81}, {6, 443}, {6, 444}, {6, 1023},
	{6, 1024}, {6, 8080}, {6, 8081}, {6, 65535}, {17, 1}, {17, 50}, {17, 53}, {17, 54},
	{17, 60}, {17, 61}, {17, 80}, {17, 81}, {132, 1}, {132, 53}, {132, 54}, {132, 80},
	{132, 81}, {1, 0}, {1, 256}, {1, 8 << 8}, {1, 9 << 8}, {58, 0}, {58, 256}, {58, 8 << 8},
	{58, 9 << 8}, {47, 0}, {50, 0}};

static bool brute_force(const struct world *w, const struct invariant *v)
{
	for (size_t i = 0; i < bodies * bodies; i++) {
		const struct somebody *from = &everybody[i / bodies], *to = &everybody[i % bodies];

		if (!is_in(&v->scope.from, from) || !is_in(&v->scope.to, to))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(samples); k++) {
			if (breaks(w, v, from, to, samples[k].protocol, samples[k].port))
				return true;
		}
	}
	return false;
}

/* The counterexample must be one, for some address that has the identity. */
static bool is_shown(
	const struct world *w, const struct invariant *v, const struct invariant_result *r)
{
	for (size_t i = 0; i < bodies * bodies; i++) {
		const struct somebody *from = &everybody[i / bodies], *to = &everybody[i % bodies];

		if (from->id == r->from && to->id == r->to &&
			breaks(w, v, from, to, r->protocol, r->port))
			return true;
	}
	return false;
}

static void make_party(struct str *out, bool cidr)
{
	static const char *const parties[] = {"any", "world", "host", "remote-node",
		"{ns: default}", "{ns: other}", "{labels: {app: a}}",
		"{labels: {app: b}, ns: default}",
		"{selector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}}",
		"{selector: {}}"};

	if (cidr && !draw(3))
		str_printf(out, "{cidr: '%s'}", PICK(made_prefixes));
	else
		str_add(out, PICK(parties));
}

static void make_scope(struct str *out, bool cidr)
{
	static const char *const ports[] = {"80/TCP", "53/UDP", "53/ANY", "TCP", "1-1023/TCP",
		"8/ICMP", "443/TCP", "GRE", "80/SCTP"};

	str_add(out, "from: ");
	make_party(out, cidr);
	str_add(out, ", to: ");
	make_party(out, cidr);
	if (draw(2))
		return;
	str_printf(out, ", ports: [%s", PICK(ports));
	if (draw(2))
		str_printf(out, ", %s", PICK(ports));
	str_add(out, "]");
}

static void make_invariant(struct str *out)
{
	str_printf(out, "%s: {", draw(2) ? "never" : "always");
	make_scope(out, true);
	str_add(out, ", except: [");
	/* one with prefixes: two together could take away what each does not */
	for (uint32_t n = draw(4), i = 0; i < n; i++) {
		str_add(out, i ? ", {" : "{");
		make_scope(out, !i);
		str_add(out, "}");
	}
	str_add(out, "]}");
}

static void test_random(void **state)
{
	const char *rounds = getenv("KILIM_TEST_ROUNDS");
	size_t n = rounds ? (size_t)atoi(rounds) : 60, seen[2] = {0};

	(void)state;
	random_begin();
	for (size_t i = 0; i < n; i++) {
		SCOPED(str_done) struct str policies = {0};
		struct world w;

		make_policies(&policies, 6);
		world_init(&w);
		if (world_read(&w, "p.yaml", str_text(&policies)) < 0)
			fail_msg("%s\n%s", w.e.text, str_text(&policies));
		if (world_compile(&w) < 0)
			fail_msg("%s", w.e.text);
		gather(&w);
		for (size_t k = 0; k < 25; k++) {
			SCOPED(invariants_done) struct invariants l = {0};
			SCOPED(str_done) struct str text = {0};
			struct invariant_result r;
			bool want;

			make_invariant(&text);
			read_one(str_text(&text), &l);
			want = brute_force(&w, &l.invariant[0]);
			invariant_check(&(struct invariant_view){w.out, w.identities, true},
				&l.invariant[0], &r);
			if (r.broken != want)
				fail_msg("%s: %s, want %s\n%s", str_text(&text),
					r.broken ? "broken" : "kept", want ? "broken" : "kept",
					str_text(&policies));
			if (want && !is_shown(&w, &l.invariant[0], &r))
				fail_msg("%s: shown by %u to %u, %u/%u, which does not\n%s",
					str_text(&text), r.from, r.to, r.port, r.protocol,
					str_text(&policies));
			seen[want]++;
		}
		world_done(&w);
	}
	/* that it says something */
	assert_true(seen[0] > n && seen[1] > n);
}

/* ---- many ---- */

static void test_many(void **state)
{
	enum { APPS = 1000, PEERS = 9000 };
	struct identities *t = identities_new("kilim", true);
	SCOPED(policy_set_done) struct policy_set set = {0};
	SCOPED(yaml_docs_done) struct yaml_docs docs = {0};
	SCOPED(invariants_done) struct invariants few = {0}, all = {0};
	SCOPED(str_done) struct str text = {0};
	SCOPED(freep) uint32_t *subject = mem_array(APPS, sizeof(*subject));
	const struct policy_context context = {.cluster = "kilim", .default_namespace = "default"};
	struct rule_ids *ids = rule_ids_new();
	struct compiled_set *c = NULL;
	struct invariant_result r;
	struct err e = {0};
	uint64_t start, spent[2];

	(void)state;
	for (size_t i = 0; i < APPS + PEERS; i++) {
		const struct identity_info *info;
		char app[16];
		struct label l[] = {{"k8s", "app", app}, {"k8s", LABEL_NAMESPACE, "default"}};

		snprintf(app, sizeof(app), "a%zu", i);
		assert_int_equal(identity_get(t, &(struct labels){l, 2}, &info, &e), 0);
		if (i >= APPS)
			continue;
		subject[i] = info->number;
		str_printf(&text,
			"---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: "
			"{name: "
			"p%zu}\nspec:\n  endpointSelector: {matchLabels: {app: a%zu}}\n  ingress:\n"
			"  - fromEndpoints: [{matchLabels: {app: a%zu}}]\n    toPorts: [{ports: "
			"[{port: '%zu'}]}]\n  egress:\n  - toEndpoints: [{}]\n",
			i, i, i + 1, 1000 + i % 100);
	}
	assert_int_equal(yaml_parse("p", str_text(&text), text.len, &docs, &e), 0);
	for (size_t i = 0; i < docs.count; i++)
		assert_int_equal(policy_parse(&set, &context, "p", &docs.doc[i], &e), 0);
	assert_int_equal(
		policy_compile(&set, t, subject, APPS, &(struct policy_options){0}, ids, &c, &e),
		0);
	read_one(
		"never: {from: {labels: {app: a5}}, to: {ns: default}, ports: [80/TCP], except: "
		"[{to: {selector: {matchExpressions: [{key: app, operator: NotIn, values: [a1, a2, "
		"a3, a4]}]}}}]}",
		&few);
	read_one("never: {from: world, to: any}", &all);
	start = time_mono_ns();
	invariant_check(&(struct invariant_view){c, t, true}, &few.invariant[0], &r);
	spent[0] = time_mono_ns() - start;
	assert_false(r.broken);
	assert_int_equal(r.pairs, 4);
	start = time_mono_ns();
	invariant_check(&(struct invariant_view){c, t, true}, &all.invariant[0], &r);
	spent[1] = time_mono_ns() - start;
	assert_false(r.broken);
	print_message(
		"# %d endpoints, %d identities: few pairs %llu us, the world to all %llu us\n",
		APPS, APPS + PEERS, (unsigned long long)spent[0] / 1000,
		(unsigned long long)spent[1] / 1000);
	compiled_set_freep(&c);
	rule_ids_free(ids);
	identities_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases),
		cmocka_unit_test(test_left_of_prefix), cmocka_unit_test(test_localhost),
		cmocka_unit_test(test_random), cmocka_unit_test(test_many)};

	return cmocka_run_group_tests_name("policy invariant", tests, NULL, NULL);
}
