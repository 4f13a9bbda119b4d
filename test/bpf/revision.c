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
	uint32_t revision, epoch;
	struct slot_key key = {.identity = identity};
	struct slot_value value = {0};

	datapath_state(node.dp, &revision, &epoch);
	key.generation = revision & 1;
	(void)bpf_map_lookup_elem(fd, &key, &value);
	return value.slot;
}

/* The class of the peer for what it sends to the identity; 0: that of all others. */
static uint32_t class_of(uint32_t identity, uint32_t peer)
{
	SCOPED(fd_closep)
	int fd = pinned("peer");
	struct peer_key key = {slot_of(identity), peer};
	struct peer_class class;

	return bpf_map_lookup_elem(fd, &key, &class) < 0 ? 0 : class.class[POLICY_INGRESS];
}

/* The rule id that decides on a TCP port for the peer, as the kernel finds it. */
static uint32_t rule_for(uint32_t identity, uint32_t peer, uint16_t port)
{
	SCOPED(fd_closep)
	int fd = pinned("rule");
	struct rule_key key = {.prefixlen = RULE_PREFIX_PORT,
		.class = class_of(identity, peer),
		.protocol = IPPROTO_TCP,
		.port = htons(port)};
	struct decision decision;

	return bpf_map_lookup_elem(fd, &key, &decision) < 0 ? 0 : decision.rule;
}

enum { PEERS = 3, RULES_MAX = 1100, SLOTS = 8 };

static uint32_t rule_of(uint32_t identity, uint16_t port)
{
	return rule_for(identity, 1000, port);
}

/* Slots with `rules` rules on TCP ports from 1 for three peers, and nothing for others. */
struct set {
	struct dp_slot slot[SLOTS];
	size_t slots;
	struct dp_peer peer[SLOTS][PEERS];
	struct dp_rule rule[SLOTS][RULES_MAX];
	struct dp_class class[SLOTS];
	const struct dp_class *list[SLOTS][2];
};

static const struct dp_class no_rules;

static struct dp_slot *set_add(struct set *s, uint32_t identity, size_t rules, uint32_t first_rule)
{
	size_t n = s->slots++;

	for (uint32_t i = 0; i < PEERS; i++)
		s->peer[n][i] = (struct dp_peer){1000 - i, {1, 1}};
	for (size_t i = 0; i < rules; i++) {
		struct dp_rule *r = &s->rule[n][i];

		memset(r, 0, sizeof(*r));
		r->key = (struct rule_key){.prefixlen = RULE_PREFIX_PORT,
			.protocol = IPPROTO_TCP,
			.port = htons((uint16_t)(i + 1))};
		r->decision = (struct decision){
			.verdict = POLICY_ALLOW, .rule = first_rule + (uint32_t)i};
	}
	s->class[n] = (struct dp_class){s->rule[n], rules};
	s->list[n][0] = &no_rules;
	s->list[n][1] = &s->class[n];
	s->slot[n] = (struct dp_slot){.identity = identity,
		.class = s->list[n],
		.classes = 2,
		.peer = s->peer[n],
		.peers = PEERS};
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
	tap_ok(class_of(300, 999) && !class_of(300, 997), "its peers have their class");
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
	bad.rule[0][1].key.prefixlen = RULE_PREFIX_PORT + 1;
	tap_ok(apply(&bad, 20, &st) == -EINVAL, "a prefix longer than a key is refused");
	tap_ok(rule_of(301, 6) == 205, "the old revision decides as before");
}

/* Equal contents are there once, whoever has them. */
static void test_shared(void)
{
	static struct set many;
	static int content;
	struct dp_policy_stats st;
	uint32_t slot;

	for (uint32_t i = 0; i < 4; i++)
		set_add(&many, 400 + i, 20, 1000);
	set_add(&many, 404, 20, 1000)->peers = 2;
	ok(apply(&many, 10, &st), "five identities with the same table, four with the same peers");
	datapath_policy_collect(node.dp);
	datapath_policy_stats(node.dp, &st);
	tap_ok(st.rule_entries == 20 && st.peer_entries == 5 && st.slots == 5 && st.contents == 2 &&
			st.classes == 2,
		"the table is there once, and the four share a slot");
	tap_ok(slot_of(400) == slot_of(403) && slot_of(400) != slot_of(404) &&
			class_of(400, 999) == class_of(404, 999) && rule_of(404, 20) == 1019,
		"as the kernel sees it");
	slot = slot_of(400);
	set_add(&many, 405, 20, 1000);
	for (size_t i = 0; i < 4; i++)
		many.slot[i].content = &content;
	ok(apply(&many, 11, &st), "a sixth");
	tap_ok(st.rule_entries == 20 && st.peer_entries == 5 && st.slots_kept == 5 &&
			slot_of(405) == slot,
		"takes no entries but a row");
	many.slot[0].peers = 0;
	many.slot[5].content = &content;
	ok(apply(&many, 12, &st), "contents that the caller knows");
	tap_ok(st.slots_kept == 6 && slot_of(400) == slot && class_of(400, 999),
		"are not looked at again");
	many.slot[0].content = NULL;
	ok(apply(&many, 13, &st), "unless it says that they are not");
	tap_ok(st.slots_kept == 5 && slot_of(400) != slot && !class_of(400, 999) &&
			class_of(401, 999),
		"then one leaves the others");
	ok(apply(&many, 15, &st), "the same again");
	tap_ok(st.slots_kept == 6 && st.written <= 12, "writes rows at most: %zu", st.written);
}

static void test_extend(void)
{
	static struct set set, fresh;
	const struct dp_class *list[3] = {&no_rules, NULL, NULL};
	const struct dp_peer peer[] = {{1000, {0, 0}}, {2000, {1, 1}}, {2001, {0, 0}}};
	struct dp_slot add[2] = {{.identity = 301, .class = list, .classes = 2, .peer = peer},
		{.identity = 4444, .class = list, .classes = 2, .peer = peer}};
	struct dp_peer *many = mem_array(3000, sizeof(*many));
	struct dp_policy_stats st;
	uint32_t slot, shared, revision, epoch, was, gone[] = {2000, 302};

	set_add(&set, 300, 10, 100);
	set_add(&set, 301, 6, 200);
	set_add(&set, 302, 6, 200);
	set_add(&set, 303, 6, 200);
	ok(apply(&set, 18, &st), "three identities share a slot");
	datapath_policy_collect(node.dp);
	datapath_state(node.dp, &revision, &epoch);
	shared = slot_of(301);
	list[1] = &set.class[1];
	add[0].peers = add[1].peers = 3;
	ok(datapath_policy_extend(node.dp, add, 2, NULL, 0, &e), "peers join one of them");
	datapath_policy_stats(node.dp, &st);
	slot = slot_of(301);
	tap_ok(slot != shared && slot_of(302) == shared && slot_of(303) == shared,
		"which parts from the others");
	tap_ok(rule_for(301, 2000, 6) == 205 && !class_of(301, 1000) && !class_of(301, 2001) &&
			class_of(302, 1000) && !class_of(302, 2000),
		"and has the peers as given");
	tap_ok(!slot_of(4444), "an identity without a slot gets none");
	add[1].identity = 302;
	add[0].identity = 303;
	ok(datapath_policy_extend(node.dp, add, 2, NULL, 0, &e), "the peers join the others");
	datapath_policy_collect(node.dp);
	tap_ok(slot_of(302) == slot_of(303) && rule_for(303, 2000, 6) == 205,
		"who go on with one slot");
	datapath_policy_stats(node.dp, &st);
	tap_ok(st.peer_entries == 3 + 3 + 3 && entries("peer") == 9 && st.rule_entries == 16,
		"entries are counted: %zu", st.peer_entries);
	set_add(&fresh, 305, 5, 500);
	set_add(&fresh, 306, 6, 200);
	ok(datapath_policy_extend(node.dp, NULL, 0, fresh.slot, 2, &e), "identities get slots");
	datapath_policy_stats(node.dp, &st);
	tap_ok(rule_of(305, 5) == 504 && rule_of(306, 6) == 205 && st.rule_entries == 21 &&
			st.written == 3 + 3 + 5 + 4,
		"with what they need: %zu entries", st.written);
	ok(datapath_policy_extend(node.dp, NULL, 0, fresh.slot, 1, &e),
		"one that has a slot gets another");
	tap_ok(rule_of(305, 5) == 504, "which holds what it shall");
	for (uint32_t i = 0; i < 3000; i++)
		many[i] = (struct dp_peer){10000 + i, {1, 1}};
	add[0] = (struct dp_slot){
		.identity = 301, .class = list, .classes = 2, .peer = many, .peers = 3000};
	tap_ok(datapath_policy_extend(node.dp, add, 1, NULL, 0, &e) == -E2BIG,
		"too many are refused: %s", e.text);
	free(many);
	datapath_state(node.dp, &was, &epoch);
	tap_ok(was == revision && rule_for(301, 2000, 6) == 205 && !class_of(301, 10000),
		"and nothing of it is there");
	ok(datapath_policy_forget(node.dp, gone, 2, &e), "identities go");
	tap_ok(!class_of(301, 2000) && !class_of(303, 2000) && class_of(303, 999) && !slot_of(302),
		"as peers and with their slot");
	datapath_policy_collect(node.dp);
	datapath_policy_stats(node.dp, &st);
	tap_ok(st.slots == 5 && entries("peer") == st.peer_entries &&
			entries("rule") == st.rule_entries,
		"and the statistics know it");
	set.slots = 3;
	set.slot[2] = set.slot[3];
	set.slot[2].identity = 302;
	ok(apply(&set, 21, &st), "a revision as before");
	datapath_policy_collect(node.dp);
	tap_ok(entries("rule") == 16 && entries("peer") == 6 && class_of(301, 1000),
		"puts all right");
}

/* One identity stands for all with its content, which is not given again. */
static void test_extend_contents(void)
{
	static struct set set;
	static int content[2];
	const struct dp_class *list[2] = {&no_rules, &set.class[1]};
	const struct dp_peer peer = {2000, {1, 1}};
	const struct dp_slot add = {
		.identity = 302, .class = list, .classes = 2, .peer = &peer, .peers = 1};
	struct dp_policy_stats st;
	uint32_t shared, gone = 999;

	for (uint32_t i = 0; i < 4; i++) {
		set_add(&set, 300 + i, 6, 200);
		set.slot[i].content = &content[i == 3];
	}
	ok(apply(&set, 16, &st), "two contents that are equal so far");
	shared = slot_of(300);
	tap_ok(shared == slot_of(303), "are one slot");
	ok(datapath_policy_extend(node.dp, &add, 1, NULL, 0, &e), "a peer for one of them");
	tap_ok(rule_for(300, 2000, 6) == 205 && rule_for(301, 2000, 6) == 205 &&
			rule_for(302, 2000, 6) == 205 && slot_of(300) == slot_of(302),
		"is known to all that have it");
	tap_ok(slot_of(303) == shared && !class_of(303, 2000), "and to no other");
	ok(datapath_policy_forget(node.dp, &gone, 1, &e), "another one goes");
	for (size_t i = 0; i < 4; i++) {
		set.slot[i].class = NULL;
		set.slot[i].classes = set.slot[i].peers = 0;
	}
	ok(apply(&set, 17, &st), "the contents go on");
	tap_ok(st.slots_kept == 4 && rule_for(301, 2000, 6) == 205 && !class_of(301, 999) &&
			!class_of(303, 2000),
		"as they are now");
	datapath_policy_collect(node.dp);
	datapath_policy_stats(node.dp, &st);
	tap_ok(entries("peer") == st.peer_entries && st.peer_entries == 5, "all counted");
}

static void test_adopt(void)
{
	static struct set same;
	struct datapath_options o = node_options(&node);
	struct dp_policy_stats st;
	uint32_t slot = slot_of(300);
	struct peer_key stray = {99, 1};
	struct peer_class class = {.class = {99, 99}};
	struct rule_key stray_rule = {.prefixlen = RULE_PREFIX_PORT, .class = 99};
	struct decision decision = {.verdict = POLICY_ALLOW};
	SCOPED(fd_closep)
	int peer = pinned("peer"), rule = pinned("rule");

	tap_ok(!bpf_map_update_elem(peer, &stray, &class, 0) &&
			!bpf_map_update_elem(rule, &stray_rule, &decision, 0),
		"a process dies while it writes a slot");
	ok(node_open(&node, &o, &e), "the next one adopts");
	tap_ok(entries("rule") == 16 && bpf_map_lookup_elem(peer, &stray, &class) < 0,
		"it removes what is of no slot");
	set_add(&same, 301, 6, 200);
	set_add(&same, 302, 6, 200);
	set_add(&same, 300, 10, 100);
	ok(apply(&same, 22, &st), "it applies what is in force already");
	tap_ok(st.slots_kept == 3 && !st.slots_written && slot_of(300) == slot,
		"and writes nothing");
	tap_ok(rule_of(300, 1) == 100 && rule_of(301, 6) == 205, "the rules are those");
	o.rule_max = 10;
	tap_ok(node_open(&node, &o, &e) == -E2BIG && strstr(e.text, "map rule holds 16 entries"),
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
		test_shared();
		test_extend_contents();
		test_extend();
		test_adopt();
		test_killed();
	}
	node_leave(&node);
	return tap_done();
}
