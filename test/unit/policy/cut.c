/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What claims decide, and the entries that say so: a table of entries counted by hand, and random
 * claims against an evaluator for one protocol and port, with the entries looked up as the kernel
 * does. Also that no entry is there for nothing.
 */
#include "fixture.h"

#include "policy/internal.h"

enum { ROUNDS = 1500, CLAIMS = 7 };

static uint32_t random_state = 7;

static uint32_t draw(uint32_t n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 16) % n;
}

/* ---- entries, counted by hand ---- */

struct written {
	const char *name;
	struct port_range allow[3], deny[3]; /* protocol 0 ends the list */
	const char *entries; /* "PROTOCOL:PORT/BITS=VERDICT", in order; the base is * */
};

#define TCP(first, last)                                                                           \
	{                                                                                          \
		IPPROTO_TCP, first, last, NULL                                                     \
	}
#define UDP(first, last)                                                                           \
	{                                                                                          \
		IPPROTO_UDP, first, last, NULL                                                     \
	}

static const struct written table[] = {
	{"nothing", {{0}}, {{0}}, "*=N"},
	{"a port", {TCP(80, 80)}, {{0}}, "*=N 6:80/16=A"},
	{"the first and the last port", {TCP(0, 0), TCP(65535, 65535)}, {{0}},
		"*=N 6:0/16=A 6:65535/16=A"},
	{"a whole protocol", {TCP(0, 65535)}, {{0}}, "*=N 6:0/0=A"},
	{"half of it", {TCP(0, 32767)}, {{0}}, "*=N 6:0/1=A"},
	{"the other half", {UDP(32768, 65535)}, {{0}}, "*=N 17:32768/1=A"},
	{"a range", {TCP(1024, 65535)}, {{0}}, "*=N 6:0/0=A 6:0/6=N"},
	{"a range of six prefixes", {TCP(3, 12)}, {{0}},
		"*=N 6:3/16=A 6:4/14=A 6:8/14=A 6:12/16=A"},
	{"ranges that touch", {TCP(4, 5), TCP(6, 7)}, {{0}}, "*=N 6:4/14=A"},
	{"all but a port", {TCP(0, 65535)}, {TCP(80, 80)}, "*=N 6:0/0=A 6:80/16=D"},
	{"all but port 0", {TCP(1, 65535)}, {{0}}, "*=N 6:0/0=A 6:0/16=N"},
	{"two protocols", {TCP(53, 53), UDP(53, 53)}, {{0}}, "*=N 6:53/16=A 17:53/16=A"},
	{"as many entries either way: the base's", {TCP(0, 16383), TCP(32768, 57343)}, {{0}},
		"*=N 6:0/2=A 6:32768/2=A 6:49152/3=A"},
	{"one fewer with an entry of the protocol", {TCP(0, 16383), TCP(32768, 61439)}, {{0}},
		"*=N 6:0/0=A 6:16384/2=N 6:61440/4=N"},
};

static void format_entries(struct str *out, const struct cut *c)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct class_entry *n = &c->entry[i];

		if (n->prefixlen == RULE_PREFIX_CLASS)
			str_printf(out, "*=%c", "NAD"[n->decision.verdict]);
		else
			str_printf(out, " %u:%u/%d=%c", n->protocol, n->port,
				(int)n->prefixlen - RULE_PREFIX_PROTOCOL,
				"NAD"[n->decision.verdict]);
	}
}

static void test_written(void **state)
{
	const struct outcome denied = {.rule = 9, .enforced = 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct written *t = &table[i];
		struct claim claim[] = {{.id = 1, .tier = TIER_NORMAL, .in = {true, true}},
			{.id = 2, .tier = TIER_NORMAL, .in = {true, true}, .action = ACTION_DENY}};
		struct cut_want w = {.fallback = {{.denies = true, .denial = denied},
					     {.denies = true, .denial = denied}}};
		SCOPED(str_done) struct str text = {0};
		struct cut SCOPED(cut_done) cut = {0};

		claim[0].port = t->allow;
		claim[1].port = t->deny;
		while (claim[0].ports < 3 && t->allow[claim[0].ports].protocol)
			claim[0].ports++;
		while (claim[1].ports < 3 && t->deny[claim[1].ports].protocol)
			claim[1].ports++;
		w.claim = claim;
		w.claims = !claim[0].ports ? 0 : claim[1].ports ? 2 : 1;
		cut_claims(&cut, &w);
		format_entries(&text, &cut);
		if (strcmp(str_text(&text), t->entries) != 0)
			fail_msg("%s: %s, not %s", t->name, str_text(&text), t->entries);
	}
}

/* Nothing is said of a protocol whose ports cover all and agree with the rest. */
static void test_all_protocols(void **state)
{
	const struct port_range http = TCP(80, 80);
	struct claim claim[] = {{.id = 1, .tier = TIER_NORMAL, .in = {true, true}},
		{.id = 2, .tier = TIER_NORMAL, .in = {true, true}, .port = &http, .ports = 1}};
	const struct cut_want w = {.claim = claim, .claims = 2};
	struct cut SCOPED(cut_done) cut = {0};
	SCOPED(str_done) struct str text = {0};

	(void)state;
	cut_claims(&cut, &w);
	format_entries(&text, &cut);
	assert_string_equal(str_text(&text), "*=A 6:80/16=A");
	assert_int_equal(cut.entry[0].decision.match, POLICY_MATCH_ALL);
	assert_int_equal(cut.entry[1].decision.match, POLICY_MATCH_L4_ONLY);
	assert_int_equal(cut.entry[1].decision.rule, 2);
	cut_claims(&cut, &w); /* again into the same list */
	assert_int_equal(cut.count, 2);
}

/* ---- random claims ---- */

static const uint16_t ports[] = {0, 1, 79, 80, 81, 443, 32767, 32768, 65534, 65535};
static const uint8_t protocols[] = {
	IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_GRE};

struct claims {
	struct claim claim[CLAIMS];
	struct port_range port[CLAIMS][2];
	struct cut_want want;
};

static void draw_claim(struct claims *c, size_t i)
{
	struct claim *x = &c->claim[i];

	*x = (struct claim){.id = (uint32_t)i + 1,
		.tier = draw(TIERS),
		.in = {draw(5) > 0, draw(5) > 0},
		.specific = draw(2),
		.order = draw(3) ? RULE_UNORDERED : (int32_t)draw(3),
		.port = c->port[i],
		.ports = draw(3)};
	x->action = draw(x->tier == TIER_NORMAL ? 2 : 3);
	for (size_t k = 0; k < 2; k++) {
		uint16_t a = ports[draw(ARRAY_SIZE(ports))], b = ports[draw(ARRAY_SIZE(ports))];

		c->port[i][k] = (struct port_range){.protocol = draw(6) ? protocols[draw(4)] : 0,
			.first = a < b ? a : b,
			.last = a < b ? b : a};
	}
}

static void draw_claims(struct claims *c)
{
	uint32_t group = 0;

	*c = (struct claims){.want = {.claim = c->claim, .claims = draw(CLAIMS + 1)}};
	for (size_t i = 0; i < c->want.claims; i++)
		draw_claim(c, i);
	/* neighbours of the normal tier are one policy with an order */
	for (size_t i = 0; i < c->want.claims; i++) {
		if (c->claim[i].tier == TIER_NORMAL && draw(2))
			c->claim[i].group = draw(2) && group ? group : ++group;
	}
	c->want.shadow = draw(2);
	c->want.audit = !draw(4);
	for (int v = 0; v < VIEWS; v++)
		c->want.fallback[v] = (struct fallback){.denies = draw(2),
			.denial = {.rule = 100, .enforced = 1},
			.rest = {
				.verdict = POLICY_ALLOW, .match = POLICY_MATCH_ALL, .enforced = 1}};
}

/* How many ports the range has of which the claim speaks here: 65537 is all protocols, 0 none. */
static uint32_t width(const struct claim *x, uint8_t protocol, uint16_t port)
{
	uint32_t least = x->ports ? 0 : 65537;

	for (size_t k = 0; k < x->ports; k++) {
		const struct port_range *r = &x->port[k];
		bool same = r->protocol ? r->protocol == protocol
					: protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ||
						  protocol == IPPROTO_SCTP;

		if (same && port >= r->first && port <= r->last &&
			(!least || r->last - r->first + 1u < least))
			least = r->last - r->first + 1u;
	}
	return least;
}

/* Whether a decides rather than b, both being of the normal tier: by this port, without an order.
 */
static bool is_better(const struct claim *a, const struct claim *b, uint8_t protocol, uint16_t port)
{
	uint32_t wa = width(a, protocol, port), wb = width(b, protocol, port);

	if (a->action != b->action)
		return a->action == ACTION_DENY;
	if (wa != wb)
		return wa < wb;
	if (a->specific != b->specific)
		return a->specific;
	return a < b;
}

/* Whether a claim of the same policy, which has an order, decides in its place. */
static bool is_overruled(const struct cut_want *w, const struct claim *x, enum view view,
	uint8_t protocol, uint16_t port)
{
	for (size_t i = 0; i < w->claims; i++) {
		const struct claim *o = &w->claim[i];

		if (o == x || !x->group || o->group != x->group || !o->in[view] ||
			!width(o, protocol, port))
			continue;
		if (o->order != x->order ? o->order < x->order : is_better(o, x, protocol, port))
			return true;
	}
	return false;
}

static const struct claim *best_of(const struct cut_want *w, enum policy_tier tier, enum view view,
	uint8_t protocol, uint16_t port)
{
	const struct claim *best = NULL;

	for (size_t i = 0; i < w->claims; i++) {
		const struct claim *x = &w->claim[i];

		if (x->tier != tier || !x->in[view] || !width(x, protocol, port) ||
			is_overruled(w, x, view, protocol, port))
			continue;
		if (!best || (tier == TIER_NORMAL && is_better(x, best, protocol, port)))
			best = x;
	}
	return best;
}

static uint8_t match_of(const struct claim *x, uint8_t protocol, uint16_t port)
{
	uint32_t n = width(x, protocol, port);

	if (n == 65537)
		return x->specific ? POLICY_MATCH_L3_ONLY : POLICY_MATCH_ALL;
	if (n == 65536)
		return x->specific ? POLICY_MATCH_L3_PROTO : POLICY_MATCH_PROTO_ONLY;
	return x->specific ? POLICY_MATCH_L3_L4 : POLICY_MATCH_L4_ONLY;
}

static struct outcome judge(
	const struct cut_want *w, enum view view, uint8_t protocol, uint16_t port)
{
	for (enum policy_tier tier = 0; tier < TIERS; tier++) {
		const struct claim *x = best_of(w, tier, view, protocol, port);

		if (tier == TIER_BASELINE && w->fallback[view].denies)
			return w->fallback[view].denial;
		if (x && x->action != ACTION_PASS)
			return (struct outcome){.rule = x->id,
				.verdict = x->action == ACTION_DENY ? POLICY_DENY : POLICY_ALLOW,
				.match = match_of(x, protocol, port),
				.enforced = 1};
	}
	return w->fallback[view].rest;
}

/* The longest entry for this protocol and port that is shorter than below. */
static const struct class_entry *longest(
	const struct cut *c, uint8_t protocol, uint16_t port, uint32_t below)
{
	const struct class_entry *best = NULL;

	for (size_t i = 0; i < c->count; i++) {
		const struct class_entry *n = &c->entry[i];
		unsigned free_bits = RULE_PREFIX_PORT - n->prefixlen;

		if (n->prefixlen >= below || (best && n->prefixlen <= best->prefixlen))
			continue;
		if (n->prefixlen == RULE_PREFIX_CLASS ||
			(n->protocol == protocol &&
				(free_bits >= 16 || n->port >> free_bits == port >> free_bits)))
			best = n;
	}
	return best;
}

static void check_decision(
	const struct cut_want *w, const struct decision *d, uint8_t protocol, uint16_t port)
{
	struct outcome want = judge(w, VIEW_ENFORCED, protocol, port), shadow = want;
	bool differs;

	if (w->shadow)
		shadow = judge(w, VIEW_SHADOW, protocol, port);
	differs = (shadow.verdict == POLICY_ALLOW) != (want.verdict == POLICY_ALLOW);
	assert_int_equal(d->verdict, want.verdict);
	assert_int_equal(d->rule, want.rule);
	assert_int_equal(d->match, want.match);
	assert_int_equal(d->shadow, differs ? shadow.verdict : want.verdict);
	assert_int_equal(d->shadow_rule, differs ? shadow.rule : 0);
	assert_int_equal(!!(d->flags & POLICY_ENFORCED), want.enforced);
	assert_int_equal(!!(d->flags & POLICY_AUDIT), w->audit && want.verdict != POLICY_ALLOW);
}

static void check_entries(const struct claims *c, const struct cut *cut)
{
	static const uint8_t asked[] = {
		IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_GRE};

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(ports); k++) {
			for (int by = -1; by <= 1; by++) {
				uint16_t port = (uint16_t)(ports[k] + by);

				check_decision(&c->want,
					&longest(cut, asked[i], port, UINT32_MAX)->decision,
					asked[i], port);
			}
		}
	}
}

/* Each entry says something else than the one that would be found without it. */
static void check_needed(const struct cut *c)
{
	assert_int_equal(c->entry[0].prefixlen, RULE_PREFIX_CLASS);
	for (size_t i = 1; i < c->count; i++) {
		const struct class_entry *n = &c->entry[i];
		const struct class_entry *without = longest(c, n->protocol, n->port, n->prefixlen);

		assert_true(n->prefixlen > RULE_PREFIX_CLASS && n->prefixlen <= RULE_PREFIX_PORT);
		if (without->prefixlen > RULE_PREFIX_CLASS || n->prefixlen > RULE_PREFIX_PROTOCOL)
			assert_memory_not_equal(
				&n->decision, &without->decision, sizeof(n->decision));
	}
}

/* The intervals of a protocol: all ports, none twice, neighbours differ. */
static void check_intervals(const struct cut_want *w, uint8_t protocol)
{
	size_t count;
	SCOPED(freep) struct interval *n = resolve_protocol(w, protocol, &count);

	assert_true(count > 0);
	assert_int_equal(n[0].first, 0);
	assert_int_equal(n[count - 1].last, RESOLVE_PORTS - 1);
	for (size_t i = 0; i < count; i++) {
		assert_true(n[i].first <= n[i].last);
		if (!i)
			continue;
		assert_int_equal(n[i].first, n[i - 1].last + 1);
		assert_memory_not_equal(&n[i].decision, &n[i - 1].decision, sizeof(n[i].decision));
	}
	if (protocol == RESOLVE_OTHER)
		assert_int_equal(count, 1);
}

static void test_random(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct cut SCOPED(cut_done) cut = {0};
		struct claims c;

		draw_claims(&c);
		cut_claims(&cut, &c.want);
		check_entries(&c, &cut);
		check_needed(&cut);
		for (size_t k = 0; k < ARRAY_SIZE(protocols); k++)
			check_intervals(&c.want, protocols[k]);
		check_intervals(&c.want, RESOLVE_OTHER);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_all_protocols),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("policy cut", tests, NULL, NULL);
}
