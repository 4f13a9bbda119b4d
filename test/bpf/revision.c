/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy revisions in the kernel's maps: what a switch writes, keeps, refuses and removes, what a
 * new process finds, and that what is left by one that died does no harm. Needs root.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "bpf/node.h"
#include "bpf/tap.h"
#include "datapath/table.h"

static struct node node;
static struct err e;

static bool ok(int r, const char *what)
{
	if (r)
		tap_note("%d: %s", r, e.text);
	return tap_ok(!r, "%s", what);
}

static int pinned(const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/kilim/map/%s", node.bpf_root, name);
	return bpf_obj_get(path);
}

static uint64_t entries(const char *name)
{
	SCOPED(fd_closep)
	int fd = pinned(name);
	struct table t;
	uint64_t n = 0;

	return fd >= 0 && !table_info(fd, &t) && !table_count(&t, &n) ? n : UINT64_MAX;
}

/* The slot of the identity in the generation in force; 0: none. */
static uint32_t slot_of(uint32_t identity)
{
	SCOPED(fd_closep)
	int fd = pinned("slot");
	uint32_t revision, epoch, slot = 0;
	struct slot_key key = {.identity = identity};

	datapath_state(node.dp, &revision, &epoch);
	key.generation = revision & 1;
	(void)bpf_map_lookup_elem(fd, &key, &slot);
	return slot;
}

static uint32_t class_of(uint32_t identity, uint32_t peer)
{
	SCOPED(fd_closep)
	int fd = pinned("peer");
	struct peer_key key = {slot_of(identity), peer};
	struct peer_class class;

	return bpf_map_lookup_elem(fd, &key, &class) < 0 ? 0 : class.class[POLICY_INGRESS];
}

/* The rule id that decides on a TCP port for class 1, as the kernel finds it. */
static uint32_t rule_of(uint32_t identity, uint16_t port)
{
	SCOPED(fd_closep)
	int fd = pinned("rule");
	struct rule_key key = {.prefixlen = 96,
		.slot = slot_of(identity),
		.class = 1,
		.direction = POLICY_INGRESS,
		.protocol = IPPROTO_TCP,
		.port = htons(port)};
	struct decision decision;

	return bpf_map_lookup_elem(fd, &key, &decision) < 0 ? 0 : decision.rule;
}

enum { PEERS = 3, RULES_MAX = 1100 };

/* Slots with `rules` rules on TCP ports from 1 and three peers in class 1. */
struct set {
	struct dp_slot slot[8];
	size_t slots;
	struct peer_key_class peer[8][PEERS];
	struct dp_rule rule[8][RULES_MAX];
};

static struct dp_slot *set_add(struct set *s, uint32_t identity, size_t rules, uint32_t first_rule)
{
	size_t n = s->slots++;

	for (uint32_t i = 0; i < PEERS; i++)
		s->peer[n][i] = (struct peer_key_class){1000 - i, {{1, 1}}};
	for (size_t i = 0; i < rules; i++) {
		struct dp_rule *r = &s->rule[n][i];

		memset(r, 0, sizeof(*r));
		r->key = (struct rule_key){.prefixlen = RULE_PREFIX_PORT,
			.class = 1,
			.protocol = IPPROTO_TCP,
			.port = htons((uint16_t)(i + 1))};
		r->decision = (struct decision){
			.verdict = POLICY_ALLOW, .rule = first_rule + (uint32_t)i};
	}
	s->slot[n] = (struct dp_slot){identity, s->peer[n], PEERS, s->rule[n], rules};
	return &s->slot[n];
}

static int apply(struct set *s, uint32_t revision, struct dp_policy_stats *ret)
{
	return datapath_policy_apply(node.dp, s->slot, s->slots, revision, ret, &e);
}

static void test_switch(void)
{
	static struct set first, second;
	struct dp_policy_stats st;
	uint32_t revision, epoch, was, kept;

	datapath_state(node.dp, &revision, &was);
	set_add(&first, 300, 10, 100);
	set_add(&first, 301, 5, 200);
	ok(apply(&first, 1, &st), "first revision");
	datapath_state(node.dp, &revision, &epoch);
	tap_ok(revision == 1 && epoch == was + 1, "is in force, with a new epoch");
	tap_ok(st.slots == 2 && st.slots_written == 2 && !st.slots_kept && st.rule_entries == 15 &&
			st.peer_entries == 6 && st.rule_max == 1000,
		"its slots are written");
	tap_ok(rule_of(300, 1) == 100 && rule_of(300, 10) == 109 && rule_of(301, 5) == 204 &&
			!rule_of(301, 6),
		"its rules decide");
	tap_ok(class_of(300, 999) == 1 && !class_of(300, 997), "its peers have their class");
	kept = slot_of(300);
	set_add(&second, 300, 10, 100);
	set_add(&second, 301, 6, 200);
	set_add(&second, 302, 1, 300);
	ok(apply(&second, 2, &st), "second revision");
	tap_ok(st.slots_written == 2 && st.slots_kept == 1 && slot_of(300) == kept,
		"an equal slot is kept");
	tap_ok(rule_of(301, 6) == 205 && rule_of(302, 1) == 300 && rule_of(300, 1) == 100,
		"the others are the new ones");
	tap_ok(entries("rule") == 22, "the replaced slot is still there");
	datapath_policy_collect(node.dp);
	tap_ok(entries("rule") == 17 && entries("peer") == 9, "until it is collected");
	datapath_policy_stats(node.dp, &st);
	tap_ok(st.rule_entries == 17 && st.peer_entries == 9 && st.revision == 2,
		"and the statistics know it");
	ok(apply(&first, 7, &st), "a revision of other parity");
	tap_ok(rule_of(301, 6) == 0 && rule_of(301, 5) == 204 && !slot_of(302),
		"takes away what it does not have");
	ok(apply(&second, 9, &st), "a revision of the same parity as the one in force");
	tap_ok(rule_of(301, 6) == 205 && slot_of(302) && slot_of(300) == kept,
		"is switched to as well");
	tap_ok(apply(&second, 9, &st) == -EINVAL, "a revision that is not new is refused");
	datapath_policy_collect(node.dp);
	tap_ok(entries("rule") == 17 && entries("slot") <= 6, "nothing is left over");
}

static void test_refusal(void)
{
	static struct set large, twice, bad;
	struct dp_policy_stats before, st;
	uint64_t rules = entries("rule"), slots = entries("slot"), peers = entries("peer");

	datapath_policy_stats(node.dp, &before);
	set_add(&large, 300, 900, 1);
	set_add(&large, 301, 90, 1);
	tap_ok(apply(&large, 20, &st) == -E2BIG,
		"a revision without room beside the old one is refused");
	tap_ok(strstr(e.text, "needs 990 rule entries beside 17 in force, 1,000 are configured") &&
			strstr(e.text, "identity 300: 900"),
		"with the arithmetic: %s", e.text);
	datapath_policy_stats(node.dp, &st);
	tap_ok(st.revision == before.revision && st.epoch == before.epoch &&
			entries("rule") == rules && entries("slot") == slots &&
			entries("peer") == peers,
		"and nothing is written");
	set_add(&twice, 300, 1, 1);
	set_add(&twice, 300, 2, 1);
	tap_ok(apply(&twice, 20, &st) == -EINVAL, "two slots for one identity are refused");
	set_add(&bad, 300, 2, 1);
	bad.rule[0][1] = bad.rule[0][0];
	tap_ok(apply(&bad, 20, &st) == -EINVAL, "two decisions for one key are refused");
	bad.rule[0][1].key.prefixlen = 81;
	tap_ok(apply(&bad, 20, &st) == -EINVAL, "a prefix longer than a key is refused");
	tap_ok(rule_of(301, 6) == 205, "the old revision decides as before");
}

static void test_add_peers(void)
{
	static struct set full;
	const struct peer_key_class peer[] = {{1000, {{2, 2}}}, {2000, {{1, 1}}}};
	const struct dp_slot add[] = {{.identity = 301, .peer = peer, .peers = 2},
		{.identity = 4444, .peer = peer, .peers = 2}};
	struct peer_key_class *many = mem_array(3000, sizeof(*many));
	struct dp_slot too_many = {.identity = 301, .peer = many, .peers = 3000};
	struct dp_policy_stats st;
	uint32_t slot = slot_of(301);

	ok(datapath_policy_add_peers(node.dp, add, 2, &e), "peers join the slots in force");
	tap_ok(slot_of(301) == slot && class_of(301, 2000) == 1, "the slot knows the new one");
	tap_ok(class_of(301, 1000) == 1, "the old one keeps its class");
	tap_ok(!slot_of(4444), "an identity without a slot gets none");
	for (uint32_t i = 0; i < 3000; i++)
		many[i] = (struct peer_key_class){10000 + i, {{1, 1}}};
	tap_ok(datapath_policy_add_peers(node.dp, &too_many, 1, &e) == -E2BIG,
		"too many are refused: %s", e.text);
	free(many);
	set_add(&full, 300, 10, 100);
	set_add(&full, 301, 6, 200);
	set_add(&full, 302, 1, 300);
	ok(apply(&full, 21, &st), "a revision without the added peer");
	tap_ok(st.slots_kept == 2 && !class_of(301, 2000), "replaces the slot");
}

static void test_adopt(void)
{
	static struct set same;
	struct datapath_options o = node_options(&node);
	struct dp_policy_stats st;
	uint32_t slot = slot_of(300);
	struct peer_key stray = {99, 1};
	struct peer_class class = {{1, 1}};
	struct rule_key stray_rule = {.prefixlen = RULE_PREFIX_PORT, .slot = 99, .class = 1};
	struct decision decision = {.verdict = POLICY_ALLOW};
	SCOPED(fd_closep)
	int peer = pinned("peer"), rule = pinned("rule");

	tap_ok(!bpf_map_update_elem(peer, &stray, &class, 0) &&
			!bpf_map_update_elem(rule, &stray_rule, &decision, 0),
		"a process dies while it writes a slot");
	ok(node_open(&node, &o, &e), "the next one adopts");
	tap_ok(entries("rule") == 17 && bpf_map_lookup_elem(peer, &stray, &class) < 0,
		"it removes what is of no slot");
	set_add(&same, 301, 6, 200);
	set_add(&same, 302, 1, 300);
	set_add(&same, 300, 10, 100);
	ok(apply(&same, 22, &st), "it applies what is in force already");
	tap_ok(st.slots_kept == 3 && !st.slots_written && slot_of(300) == slot,
		"and writes nothing");
	tap_ok(rule_of(300, 1) == 100 && rule_of(301, 6) == 205, "the rules are those");
	o.rule_max = 10;
	tap_ok(node_open(&node, &o, &e) == -E2BIG && strstr(e.text, "map rule holds 17 entries"),
		"maps do not shrink below what they hold: %s", e.text);
	o.rule_max = 1000;
	ok(node_open(&node, &o, &e), "and the old ones are untouched");
	tap_ok(rule_of(300, 1) == 100, "with their rules");
	o.rule_max = 500;
	ok(node_open(&node, &o, &e), "what fits may shrink");
	datapath_policy_stats(node.dp, &st);
	tap_ok(rule_of(301, 6) == 205 && st.rule_max == 500 && st.revision == 22,
		"and holds the same");
}

/* A child switches without end and is killed; whatever it left is one revision as a whole. */
static void switch_until_killed(unsigned us)
{
	static struct set one, other;
	struct datapath_options o = node_options(&node);
	struct dp_policy_stats st;
	uint32_t revision, epoch;
	pid_t child = fork();

	if (child == 0) {
		if (node_open(&node, &o, &e))
			_exit(1);
		one.slots = other.slots = 0;
		set_add(&one, 300, 40, 1);
		set_add(&one, 301, 40, 1);
		set_add(&other, 300, 40, 5001);
		set_add(&other, 301, 40, 5001);
		datapath_state(node.dp, &revision, &epoch);
		for (;;) {
			revision++;
			if (apply(revision & 1 ? &one : &other, revision, &st))
				_exit(2);
		}
	}
	usleep(us);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void test_killed(void)
{
	struct datapath_options o = node_options(&node);
	bool whole = true, opened = true, clean = true;

	node_close(&node);
	for (unsigned i = 0; i < 12 && opened; i++) {
		uint32_t revision, epoch, a = 0, b = 0;

		switch_until_killed(120000 + i * 13700);
		opened = !node_open(&node, &o, &e);
		if (!opened)
			break;
		datapath_state(node.dp, &revision, &epoch);
		a = rule_of(300, 1);
		b = rule_of(301, 40);
		/* nothing but the first kill may have met the old revision */
		whole = whole &&
			(a == 100 || ((revision & 1 ? a == 1 && b == 40 : a == 5001 && b == 5040)));
		if (!whole)
			tap_note("revision %u: %u %u", revision, a, b);
		clean = clean && entries("rule") <= 80;
		node_close(&node);
	}
	tap_ok(opened, "after every kill the next process opens (%s)",
		opened ? "12 kills" : e.text);
	tap_ok(whole, "and finds one whole revision");
	tap_ok(clean, "and no slots of others");
}

int main(void)
{
	struct datapath_options o;

	if (node_enter(&node, &e))
		return tap_skip_all(e.text);
	o = node_options(&node);
	if (ok(node_open(&node, &o, &e), "open")) {
		test_switch();
		test_refusal();
		test_add_peers();
		test_adopt();
		test_killed();
	}
	node_leave(&node);
	return tap_done();
}
