/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an engine takes over from one set to the next, what it says of changes, and what rule
 * numbers stand for: step by step, each with its cause.
 */
#include "fixture.h"

#include "policy/content.h"
#include "policy/internal.h"

#define POLICY(name, app, rest)                                                                    \
	"---\napiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\n"                    \
	"metadata: {name: " name "}\nspec:\n  endpointSelector: {matchLabels: {app: " app          \
	"}}\n" rest
#define FROM(app) "  ingress: [{fromEndpoints: [{matchLabels: {app: " app "}}]}]\n"

#define TWO_PEERS(port)                                                                            \
	"  ingress: [{fromEndpoints: [{matchLabels: {app: b}}]}, "                                 \
	"{fromEndpoints: [{matchLabels: {app: c}}], toPorts: [{ports: [{port: '" port "'}]}]}]\n"

/* b's own class says the same whichever port it is that all may use. */
#define AND_ALL(port)                                                                              \
	"  ingress: [{fromEndpoints: [{matchLabels: {app: b}}]}, "                                 \
	"{toPorts: [{ports: [{port: '" port "'}]}]}]\n"                                            \
	"  ingressDeny: [{fromEndpoints: [{matchLabels: {app: b}}]}]\n"

enum { SETS = 12 };

/* A world and an engine over it; sets of policies are kept until the end. */
struct lab {
	struct world w;
	struct engine *engine;
	struct policy_set set[SETS];
	struct yaml_docs docs[SETS];
	size_t sets;
	struct compiled_set *now;
};

static void lab_init(struct lab *l, enum policy_enforce enforce)
{
	const struct policy_options options = {.enforce = enforce};

	*l = (struct lab){0};
	world_init(&l->w);
	l->engine = engine_new(l->w.identities, l->w.ids, &options);
}

static void lab_done(struct lab *l)
{
	compiled_set_free(l->engine, l->now);
	engine_free(l->engine);
	for (size_t i = 0; i < l->sets; i++) {
		policy_set_done(&l->set[i]);
		yaml_docs_done(&l->docs[i]);
	}
	world_done(&l->w);
}

static struct policy_set *lab_read(struct lab *l, const char *text)
{
	struct policy_set *set = &l->set[l->sets];
	struct yaml_docs *docs = &l->docs[l->sets++];

	assert_true(l->sets <= SETS);
	assert_int_equal(yaml_parse("p.yaml", text, strlen(text), docs, &l->w.e), 0);
	for (size_t i = 0; i < docs->count; i++) {
		if (policy_parse(set, &l->w.context, "p.yaml", &docs->doc[i], &l->w.e) < 0)
			fail_msg("%s", l->w.e.text);
	}
	return set;
}

/* Compile for the workloads with these letters, after what there was before. Returns the set
 * before, to be freed. */
static struct compiled_set *lab_compile(struct lab *l, const char *text, const char *letters)
{
	struct policy_set *set = text ? lab_read(l, text) : &l->set[l->sets - 1];
	struct compiled_set *before = l->now, *next = NULL;
	uint32_t subject[8];
	size_t count = 0;

	for (; *letters; letters++)
		subject[count++] = world_number(&l->w, (char[]){*letters, '\0'});
	assert_int_equal(engine_compile(l->engine, before, set, subject, count, &next, &l->w.e), 0);
	l->now = next;
	return before;
}

static const struct compiled_slot *slot_of(
	const struct lab *l, const struct compiled_set *set, const char *letter)
{
	const struct compiled_slot *s = compiled_slot_find(set, world_number(&l->w, letter));

	assert_non_null(s);
	return s;
}

static const struct decision *decide(
	const struct lab *l, const char *subject, enum policy_direction d, const char *peer)
{
	return compiled_lookup(
		slot_of(l, l->now, subject), d, world_number(&l->w, peer), IPPROTO_TCP, 80);
}

static const struct rule_info *rule_of(const struct lab *l, const struct decision *d)
{
	assert_true(d->rule > 0 && d->rule <= l->now->rules);
	assert_int_equal(l->now->rule[d->rule - 1].id, d->rule);
	return &l->now->rule[d->rule - 1];
}

static void test_failures(void **state)
{
	struct compiled_set *untouched = (struct compiled_set *)state, *ret = untouched;
	const uint32_t nobody = 4711;
	struct policy_set *set;
	struct lab l;

	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	set = lab_read(&l, POLICY("p", "a", FROM("b")));
	assert_int_equal(engine_compile(l.engine, NULL, set, &nobody, 1, &ret, &l.w.e), -ENOENT);
	assert_string_equal(l.w.e.text, "identity 4711 is not known");
	assert_ptr_equal(ret, untouched);
	set = lab_read(&l, POLICY("p", "a", FROM("b")) POLICY("o", "a", FROM("b"))
				   POLICY("p", "b", FROM("c")));
	assert_int_equal(engine_compile(l.engine, NULL, set, NULL, 0, &ret, &l.w.e), -EEXIST);
	assert_string_equal(l.w.e.text,
		"p.yaml:16: CiliumClusterwideNetworkPolicy p is also in p.yaml:2; rename one");
	assert_ptr_equal(ret, untouched);
	lab_done(&l);
	engine_free(NULL);
	compiled_set_freep(&(struct compiled_set *){NULL});
}

/* Only slots that a changed policy selects, or has selected, are compiled again. */
static void test_taken_over(void **state)
{
	struct compiled_set *before;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	assert_null(lab_compile(&l,
		POLICY("p", "a", FROM("b")) POLICY("q", "b", FROM("a")) POLICY("r", "c", FROM("a")),
		"abcxa"));
	assert_int_equal(l.now->slots, 4);
	assert_ptr_equal(slot_of(&l, l.now, "a")->content, slot_of(&l, l.now, "x")->content);
	/* the same again, read anew */
	before = lab_compile(&l,
		POLICY("p", "a", FROM("b")) POLICY("q", "b", FROM("a")) POLICY("r", "c", FROM("a")),
		"abcxy");
	for (const char *s = "a\0b\0c\0x\0"; *s; s += 2)
		assert_ptr_equal(slot_of(&l, l.now, s)->content, slot_of(&l, before, s)->content);
	assert_ptr_equal(slot_of(&l, l.now, "y")->content, slot_of(&l, before, "b")->content);
	compiled_set_free(l.engine, before);
	/* q has another rule, r is gone */
	before = lab_compile(&l, POLICY("p", "a", FROM("b")) POLICY("q", "b", FROM("c")), "abcx");
	assert_ptr_equal(slot_of(&l, l.now, "a")->content, slot_of(&l, before, "a")->content);
	assert_ptr_not_equal(slot_of(&l, l.now, "b")->content, slot_of(&l, before, "b")->content);
	assert_ptr_not_equal(slot_of(&l, l.now, "c")->content, slot_of(&l, before, "c")->content);
	compiled_set_free(l.engine, before);
	assert_int_equal(decide(&l, "b", POLICY_INGRESS, "c")->verdict, POLICY_ALLOW);
	assert_int_equal(decide(&l, "b", POLICY_INGRESS, "a")->verdict, POLICY_DEFAULT_DENY);
	assert_int_equal(decide(&l, "c", POLICY_INGRESS, "b")->verdict, POLICY_ALLOW);
	assert_int_equal(decide(&l, "c", POLICY_INGRESS, "b")->flags, 0);
	lab_done(&l);
}

/* A content that is made anew and says the same keeps its token; one that says something else, or
 * that is not to be trusted, has another. */
static void test_tokens(void **state)
{
	struct compiled_set *before;
	uint64_t a, b;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l, POLICY("p", "a", FROM("b")) POLICY("q", "b", FROM("a")), "ab");
	a = slot_of(&l, l.now, "a")->content->token;
	b = slot_of(&l, l.now, "b")->content->token;
	assert_int_not_equal(a, b);
	before = lab_compile(&l,
		POLICY("p", "a",
			"  ingress: [{fromEndpoints: [{matchExpressions: [{key: app, operator: In, "
			"values: [b, never]}]}]}]\n") POLICY("q", "b", FROM("c")),
		"ab");
	assert_ptr_not_equal(slot_of(&l, l.now, "a")->content, slot_of(&l, before, "a")->content);
	assert_int_equal(slot_of(&l, l.now, "a")->content->token, a);
	assert_int_not_equal(slot_of(&l, l.now, "b")->content->token, b);
	assert_int_not_equal(slot_of(&l, l.now, "b")->content->token, a);
	compiled_set_free(l.engine, before);
	/* the same peers, and everybody else has other ports */
	before = lab_compile(&l, POLICY("p", "a", AND_ALL("80")) POLICY("q", "b", FROM("c")), "ab");
	compiled_set_free(l.engine, before);
	a = slot_of(&l, l.now, "a")->content->token;
	before = lab_compile(&l, POLICY("p", "a", AND_ALL("81")) POLICY("q", "b", FROM("c")), "ab");
	compiled_set_free(l.engine, before);
	assert_int_not_equal(slot_of(&l, l.now, "a")->content->token, a);
	/* the same peers, of which the last has other ports */
	before = lab_compile(
		&l, POLICY("p", "a", TWO_PEERS("80")) POLICY("q", "b", FROM("c")), "ab");
	compiled_set_free(l.engine, before);
	a = slot_of(&l, l.now, "a")->content->token;
	before = lab_compile(
		&l, POLICY("p", "a", TWO_PEERS("81")) POLICY("q", "b", FROM("c")), "ab");
	compiled_set_free(l.engine, before);
	assert_int_not_equal(slot_of(&l, l.now, "a")->content->token, a);
	a = slot_of(&l, l.now, "a")->content->token;
	b = slot_of(&l, l.now, "b")->content->token;
	engine_distrust(l.engine, l.now);
	assert_int_not_equal(slot_of(&l, l.now, "a")->content->token, a);
	assert_int_not_equal(slot_of(&l, l.now, "b")->content->token, b);
	assert_int_not_equal(
		slot_of(&l, l.now, "a")->content->token, slot_of(&l, l.now, "b")->content->token);
	lab_done(&l);
}

/* A number is kept while its rule is in force, also where nothing is compiled again. */
static void test_numbers_kept(void **state)
{
	uint32_t allow, denial;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l, POLICY("gone", "b", FROM("a")), "ab");
	compiled_set_free(l.engine, lab_compile(&l, POLICY("p", "a", FROM("b")), "ab"));
	allow = decide(&l, "a", POLICY_INGRESS, "b")->rule;
	denial = decide(&l, "a", POLICY_INGRESS, "c")->rule;
	assert_int_equal(l.now->rules, 4);
	for (int i = 0; i < 70; i++)
		compiled_set_free(l.engine, lab_compile(&l, NULL, "ab"));
	assert_int_equal(decide(&l, "a", POLICY_INGRESS, "b")->rule, allow);
	assert_int_equal(decide(&l, "a", POLICY_INGRESS, "c")->rule, denial);
	assert_string_equal(rule_of(&l, decide(&l, "a", POLICY_INGRESS, "b"))->path, "ingress[0]");
	assert_int_equal(
		rule_of(&l, decide(&l, "a", POLICY_INGRESS, "c"))->kind, RULE_DEFAULT_DENY);
	/* those of "gone" are free again: two new rules get them */
	compiled_set_free(l.engine,
		lab_compile(&l, POLICY("p", "a", FROM("b")) POLICY("q", "b", FROM("a")), "ab"));
	assert_int_equal(l.now->rules, 4);
	assert_true(decide(&l, "b", POLICY_INGRESS, "a")->rule < allow);
	lab_done(&l);
}

/* Subjects that take turns with a content keep its numbers, too. */
static void test_numbers_of_turns(void **state)
{
	uint32_t in, out;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l, POLICY("p", "a", FROM("b") "  egress: [{}]\n"), "a");
	in = decide(&l, "a", POLICY_INGRESS, "c")->rule;
	out = decide(&l, "a", POLICY_EGRESS, "c")->rule;
	for (int i = 0; i < 140; i++)
		compiled_set_free(l.engine, lab_compile(&l, NULL, i % 2 ? "a" : "x"));
	(void)rule_ids_get(l.w.ids, "another");
	assert_int_equal(rule_of(&l, decide(&l, "a", POLICY_INGRESS, "c"))->id, in);
	assert_int_equal(rule_of(&l, decide(&l, "a", POLICY_EGRESS, "c"))->id, out);
	assert_int_equal(rule_ids_max(l.w.ids), 5);
	lab_done(&l);
}

/* The names that numbers go by: a policy's shadow has its own. */
static void test_names(void **state)
{
	static const char *const names[] = {"CiliumClusterwideNetworkPolicy/p ingress[0]",
		"CiliumClusterwideNetworkPolicy/p (shadow) ingress[0]",
		"default deny ingress: CiliumClusterwideNetworkPolicy/p",
		"CiliumClusterwideNetworkPolicy/r egress[0]",
		"default deny egress: CiliumClusterwideNetworkPolicy/e",
		"default deny egress: CiliumClusterwideNetworkPolicy/q "
		"CiliumClusterwideNetworkPolicy/r"};
	json_t *saved, *rules;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l,
		POLICY("p", "a", FROM("b")) POLICY("p", "a", "  mode: shadow\n" FROM("c"))
			POLICY("e", "a", "  egress: [{}]\n") POLICY("r", "b", "  egress: [{}]\n")
				POLICY("q", "b", "  egress: [{}, {}]\n"),
		"ab");
	saved = rule_ids_save(l.w.ids);
	rules = json_object_get(saved, "rules");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!json_object_get(rules, names[i]))
			fail_msg("%s has no number", names[i]);
	}
	assert_int_equal(json_object_size(rules), 6 + 3);
	json_decref(saved);
	lab_done(&l);
}

/* A shadow policy stands for the one of its name also where that is all it changes. */
static void test_replaced(void **state)
{
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l, POLICY("p", "a", FROM("b")) POLICY("q", "a", FROM("c")), "ab");
	assert_int_equal(decide(&l, "a", POLICY_INGRESS, "b")->shadow, POLICY_ALLOW);
	compiled_set_free(l.engine, lab_compile(&l,
					    POLICY("p", "a", FROM("b")) POLICY("q", "a", FROM("c"))
						    POLICY("p", "b", "  mode: shadow\n" FROM("c")),
					    "ab"));
	assert_int_equal(decide(&l, "a", POLICY_INGRESS, "b")->verdict, POLICY_ALLOW);
	assert_int_equal(decide(&l, "a", POLICY_INGRESS, "b")->shadow, POLICY_DEFAULT_DENY);
	assert_int_equal(decide(&l, "a", POLICY_INGRESS, "c")->shadow, POLICY_ALLOW);
	compiled_set_free(l.engine,
		lab_compile(&l, POLICY("p", "a", FROM("b")) POLICY("q", "a", FROM("c")), "ab"));
	assert_int_equal(decide(&l, "a", POLICY_INGRESS, "b")->shadow, POLICY_ALLOW);
	lab_done(&l);
}

/* Each spec of a policy that comes or goes touches what it selects. */
static void test_specs(void **state)
{
	static const char both[] = "---\napiVersion: cilium.io/v2\n"
				   "kind: CiliumClusterwideNetworkPolicy\nmetadata: {name: s}\n"
				   "specs:\n- endpointSelector: {matchLabels: {app: a}}\n"
				   "  ingress: [{}]\n- endpointSelector: {matchLabels: {app: b}}\n"
				   "  ingress: [{}]\n";
	static const char *const subjects[] = {"a", "b"};
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l, POLICY("p", "c", FROM("b")), "ab");
	compiled_set_free(l.engine, lab_compile(&l, both, "ab"));
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
		assert_int_equal(
			decide(&l, subjects[i], POLICY_INGRESS, "c")->verdict, POLICY_DEFAULT_DENY);
	compiled_set_free(l.engine, lab_compile(&l, POLICY("p", "c", FROM("b")), "ab"));
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
		assert_int_equal(
			decide(&l, subjects[i], POLICY_INGRESS, "c")->verdict, POLICY_ALLOW);
	lab_done(&l);
}

/* Subjects that differ in named ports do not share a content where an ingress rule names one. */
static void test_subject_ports(void **state)
{
	const struct compiled_slot *a, *x;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l,
		POLICY("p", "a",
			"  ingress: [{toPorts: [{ports: [{port: web, protocol: TCP}]}]}]\n"),
		"ax");
	a = slot_of(&l, l.now, "a");
	x = slot_of(&l, l.now, "x");
	assert_int_equal(
		compiled_lookup(a, POLICY_INGRESS, 7, IPPROTO_TCP, 80)->verdict, POLICY_ALLOW);
	assert_int_equal(compiled_lookup(a, POLICY_INGRESS, 7, IPPROTO_TCP, 8081)->verdict,
		POLICY_DEFAULT_DENY);
	assert_int_equal(compiled_lookup(x, POLICY_INGRESS, 7, IPPROTO_TCP, 80)->verdict,
		POLICY_DEFAULT_DENY);
	assert_int_equal(
		compiled_lookup(x, POLICY_INGRESS, 7, IPPROTO_TCP, 8081)->verdict, POLICY_ALLOW);
	lab_done(&l);
}

/* Identities at both ends of their range. */
static void test_ends_of_range(void **state)
{
	json_t *saved = json_pack("{s:[{s:i, s:[s, s, s]}, {s:i, s:[s, s, s]}]}", "identities",
		"id", 256, "labels", "k8s:app=low", "k8s:io.kubernetes.pod.namespace=n",
		"k8s:io.cilium.k8s.policy.cluster=kilim", "id", 65535, "labels", "k8s:app=high",
		"k8s:io.kubernetes.pod.namespace=n", "k8s:io.cilium.k8s.policy.cluster=kilim");
	static const char *const apps[] = {"low", "high"};
	struct label l[] = {{"k8s", "app", ""}, {"k8s", "io.kubernetes.pod.namespace", "n"},
		{"k8s", "io.cilium.k8s.policy.cluster", "kilim"}};
	const struct identity_info *info;
	struct lab lab;

	(void)state;
	lab_init(&lab, POLICY_ENFORCE_DEFAULT);
	identities_free(lab.w.identities);
	engine_free(lab.engine);
	lab.w.identities = identities_new("kilim", true);
	lab.engine = engine_new(lab.w.identities, lab.w.ids, &(struct policy_options){0});
	assert_int_equal(identities_load(lab.w.identities, saved, &lab.w.e), 0);
	for (size_t i = 0; i < 2; i++) {
		l[0].value = apps[i];
		assert_int_equal(
			identity_get(lab.w.identities, &(struct labels){l, 3}, &info, NULL), 0);
		assert_int_equal(info->number, i ? 65535 : 256);
		lab.w.number[i] = info->number;
	}
	(void)lab_compile(&lab, POLICY("p", "low", FROM("high")), "ab");
	assert_int_equal(decide(&lab, "a", POLICY_INGRESS, "b")->verdict, POLICY_ALLOW);
	assert_int_equal(decide(&lab, "a", POLICY_INGRESS, "a")->verdict, POLICY_DEFAULT_DENY);
	json_decref(saved);
	lab_done(&lab);
}

/* ---- what rule numbers stand for ---- */

static void test_rules_described(void **state)
{
	const struct rule_info *info;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l,
		POLICY("p", "a",
			"  egressDeny: [{toEndpoints: [{matchLabels: {app: c}}]}]\n"
			"  egress:\n  - {toEndpoints: [{matchLabels: {app: x}}]}\n"
			"  - {toEndpoints: [{matchLabels: {app: b}}]}\n")
			POLICY("q", "a", "  egress: [{}]\n") POLICY("r", "b", "  egress: [{}]\n"),
		"abc");
	info = rule_of(&l, decide(&l, "a", POLICY_EGRESS, "b"));
	assert_int_equal(info->kind, RULE_ALLOW);
	assert_int_equal(info->direction, POLICY_EGRESS);
	assert_int_equal(info->policies, 1);
	assert_string_equal((*info->policy)->name, "p");
	assert_string_equal(info->path, "egress[1]");
	assert_int_equal(info->origin.line, 10);
	info = rule_of(&l, decide(&l, "a", POLICY_EGRESS, "c"));
	assert_int_equal(info->kind, RULE_DENY);
	assert_string_equal(info->path, "egressDeny[0]");
	info = rule_of(&l, decide(&l, "a", POLICY_EGRESS, "world"));
	assert_int_equal(info->kind, RULE_DEFAULT_DENY);
	assert_int_equal(info->direction, POLICY_EGRESS);
	assert_int_equal(info->policies, 2);
	assert_string_equal(info->policy[0]->name, "p");
	assert_string_equal(info->policy[1]->name, "q");
	assert_string_equal(info->path, "");
	assert_int_equal(info->origin.line, info->policy[0]->origin.line);
	info = rule_of(&l, decide(&l, "b", POLICY_EGRESS, "world"));
	assert_int_equal(info->policies, 1);
	assert_string_equal(info->policy[0]->name, "r");
	lab_done(&l);
}

/* Under enable-policy "always" nobody causes the default deny. */
static void test_always(void **state)
{
	const struct rule_info *info;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_ALWAYS);
	(void)lab_compile(&l, POLICY("p", "a", FROM("b")), "ac");
	info = rule_of(&l, decide(&l, "c", POLICY_EGRESS, "b"));
	assert_int_equal(info->kind, RULE_DEFAULT_DENY);
	assert_int_equal(info->direction, POLICY_EGRESS);
	assert_int_equal(info->policies, 0);
	assert_null(info->origin.file);
	lab_done(&l);
}

/* ---- following ---- */

static const struct compiled_change *change_of(
	const struct compiled_changes *c, const struct compiled_content *content, uint32_t peer)
{
	const struct compiled_change *found = NULL;

	for (size_t i = 0; i < c->changes; i++) {
		if (c->change[i].content != content || c->change[i].peer.identity != peer)
			continue;
		assert_null(found); /* once per slot and peer */
		found = &c->change[i];
	}
	return found;
}

static uint32_t come(struct lab *l, const char *labels)
{
	const struct workload wl = {"new", "default", labels, "10.0.0.9", {{0}}};
	struct labels own = workload_labels(&l->w.mem, &wl, "kilim");
	const struct identity_info *info;

	assert_int_equal(identity_get(l->w.identities, &own, &info, NULL), 0);
	return info->number;
}

static void test_peer_comes_and_goes(void **state)
{
	const struct compiled_content *a, *b;
	const struct compiled_change *change;
	struct compiled_changes changes;
	uint32_t number;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l, POLICY("p", "a", FROM("new")) POLICY("q", "b", FROM("other")), "abx");
	a = slot_of(&l, l.now, "a")->content;
	b = slot_of(&l, l.now, "b")->content;
	engine_follow(l.engine, l.now, &changes);
	assert_int_equal(changes.changes, 0);
	assert_null(changes.change);
	number = come(&l, "k8s:app=new");
	engine_follow(l.engine, l.now, &changes);
	assert_false(changes.stale);
	assert_int_equal(changes.changes, 1);
	change = change_of(&changes, a, number);
	assert_non_null(change);
	assert_null(change_of(&changes, b, number));
	assert_true(
		change->slot == world_number(&l.w, "a") || change->slot == world_number(&l.w, "x"));
	assert_false(change->gone);
	assert_int_not_equal(change->peer.class[POLICY_INGRESS], a -> base[POLICY_INGRESS]);
	assert_int_equal(change->peer.class[POLICY_EGRESS], a -> base[POLICY_EGRESS]);
	free(changes.change);
	/* it goes: the base is told */
	identity_put(l.w.identities, number);
	engine_follow(l.engine, l.now, &changes);
	assert_int_equal(changes.changes, 1);
	change = change_of(&changes, a, number);
	assert_non_null(change);
	assert_true(change->gone);
	assert_int_equal(change->peer.class[POLICY_INGRESS], a -> base[POLICY_INGRESS]);
	assert_int_equal(a->peers, 0);
	free(changes.change);
	lab_done(&l);
}

/* One that goes and comes at once is told once, as what it is then. */
static void test_peer_changes(void **state)
{
	const struct compiled_change *change;
	struct compiled_changes changes;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l, POLICY("p", "a", FROM("b")), "a");
	identity_set_ports(l.w.identities, world_number(&l.w, "b"),
		&(struct named_port){"other", IPPROTO_TCP, 1}, 1);
	engine_follow(l.engine, l.now, &changes);
	assert_int_equal(changes.changes, 1);
	change = change_of(&changes, slot_of(&l, l.now, "a")->content, world_number(&l.w, "b"));
	assert_non_null(change);
	assert_false(change->gone);
	assert_int_not_equal(
		change->peer.class[POLICY_INGRESS], change -> content -> base[POLICY_INGRESS]);
	assert_false(changes.stale);
	free(changes.change);
	assert_int_equal(decide(&l, "a", POLICY_INGRESS, "b")->verdict, POLICY_ALLOW);
	lab_done(&l);
}

/* A rule that names ports of its peers is worked out anew, and the slot learns the difference. */
static void test_named_ports(void **state)
{
	struct compiled_changes changes;
	const struct compiled_content *c;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l,
		POLICY("p", "c",
			"  egress: [{toPorts: [{ports: [{port: web, protocol: TCP}]}]}]\n"),
		"ac");
	assert_int_equal(decide(&l, "c", POLICY_EGRESS, "a")->verdict, POLICY_ALLOW);
	assert_int_equal(decide(&l, "c", POLICY_EGRESS, "b")->verdict, POLICY_DEFAULT_DENY);
	identity_set_ports(l.w.identities, world_number(&l.w, "b"),
		&(struct named_port){"web", IPPROTO_TCP, 80}, 1);
	c = slot_of(&l, l.now, "c")->content;
	engine_follow(l.engine, l.now, &changes);
	assert_false(changes.stale);
	assert_ptr_equal(slot_of(&l, l.now, "c")->content, c);
	assert_int_equal(changes.changes, 1);
	assert_int_equal(changes.change[0].peer.identity, world_number(&l.w, "b"));
	free(changes.change);
	assert_int_equal(decide(&l, "c", POLICY_EGRESS, "b")->verdict, POLICY_ALLOW);
	/* without ports it can be followed */
	identity_set_ports(l.w.identities, world_number(&l.w, "b"), NULL, 0);
	engine_follow(l.engine, l.now, &changes);
	assert_false(changes.stale);
	c = slot_of(&l, l.now, "c")->content;
	assert_non_null(change_of(&changes, c, world_number(&l.w, "b")));
	assert_false(change_of(&changes, c, world_number(&l.w, "b"))->gone);
	free(changes.change);
	assert_int_equal(decide(&l, "c", POLICY_EGRESS, "b")->verdict, POLICY_DEFAULT_DENY);
	assert_int_equal(decide(&l, "c", POLICY_EGRESS, "a")->verdict, POLICY_ALLOW);
	lab_done(&l);
}

/* A subject that goes takes its slot along; others that share the content stand for it. */
static void test_subject_goes(void **state)
{
	uint32_t a, b, x, number;
	struct compiled_changes changes;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l, POLICY("p", "a", FROM("new")) POLICY("q", "b", FROM("new")), "abx");
	a = world_number(&l.w, "a");
	b = world_number(&l.w, "b");
	x = world_number(&l.w, "x");
	identity_put(l.w.identities, a);
	identity_put(l.w.identities, b);
	engine_follow(l.engine, l.now, &changes);
	assert_int_equal(l.now->slots, 1);
	assert_null(compiled_slot_find(l.now, a));
	assert_null(compiled_slot_find(l.now, b));
	assert_int_equal(changes.changes, 0);
	assert_false(changes.stale);
	/* b's content has no slot: nobody is told of it */
	number = come(&l, "k8s:app=new");
	engine_follow(l.engine, l.now, &changes);
	assert_int_equal(changes.changes, 1);
	assert_int_equal(changes.change[0].slot, x);
	assert_int_equal(changes.change[0].peer.identity, number);
	free(changes.change);
	lab_done(&l);
}

/* In one step: a peer comes when the slot that stood for its content has gone. */
static void test_subject_and_peer(void **state)
{
	struct compiled_changes changes;
	struct lab l;
	uint32_t a;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l, POLICY("p", "a", FROM("new")), "abx");
	a = world_number(&l.w, "a");
	identity_put(l.w.identities, world_number(&l.w, "x"));
	(void)come(&l, "k8s:app=new");
	engine_follow(l.engine, l.now, &changes);
	assert_int_equal(l.now->slots, 2);
	assert_int_equal(changes.changes, 1);
	assert_int_equal(changes.change[0].slot, a);
	free(changes.change);
	/* and when none is left */
	identity_put(l.w.identities, a);
	(void)come(&l, "k8s:app=new k8s:tier=2");
	engine_follow(l.engine, l.now, &changes);
	assert_int_equal(l.now->slots, 1);
	assert_int_equal(changes.changes, 0);
	free(changes.change);
	lab_done(&l);
}

/* A subject whose number means something else now: the set must be compiled again. */
static void test_subject_changes(void **state)
{
	struct compiled_changes changes;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l, POLICY("p", "a", FROM("b")), "ab");
	identity_set_ports(l.w.identities, world_number(&l.w, "a"),
		&(struct named_port){"other", IPPROTO_TCP, 1}, 1);
	engine_follow(l.engine, l.now, &changes);
	assert_true(changes.stale);
	assert_int_equal(l.now->slots, 1);
	free(changes.change);
	engine_follow(l.engine, NULL, &changes);
	assert_int_equal(changes.changes, 0);
	assert_false(changes.stale);
	lab_done(&l);
}

/* ---- adding subjects ---- */

static void test_add_subject(void **state)
{
	const struct compiled_slot *s;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l, POLICY("p", "a", FROM("b")) POLICY("q", "c", FROM("b")), "bz");
	assert_null(engine_add_subject(l.engine, l.now, 4711));
	assert_int_equal(l.now->slots, 2);
	/* with a rule number of its own: the default deny that p causes */
	s = engine_add_subject(l.engine, l.now, world_number(&l.w, "a"));
	assert_ptr_equal(s, slot_of(&l, l.now, "a"));
	assert_int_equal(l.now->slots, 3);
	for (size_t i = 1; i < l.now->slots; i++)
		assert_true(l.now->slot[i - 1].identity < l.now->slot[i].identity);
	assert_int_equal(decide(&l, "a", POLICY_INGRESS, "b")->verdict, POLICY_ALLOW);
	assert_string_equal(
		rule_of(&l, decide(&l, "a", POLICY_INGRESS, "c"))->policy[0]->name, "p");
	assert_string_equal(
		rule_of(&l, decide(&l, "z", POLICY_INGRESS, "c"))->policy[0]->name, "q");
	/* again, and one that shares a content */
	s = engine_add_subject(l.engine, l.now, world_number(&l.w, "a"));
	assert_int_equal(l.now->slots, 3);
	assert_ptr_equal(s->content, slot_of(&l, l.now, "a")->content);
	s = engine_add_subject(l.engine, l.now, world_number(&l.w, "x"));
	assert_int_equal(l.now->slots, 4);
	assert_ptr_equal(s->content, slot_of(&l, l.now, "a")->content);
	lab_done(&l);
}

/* A rule number that was there, and of which nothing was known for a while. */
static void test_add_subject_of_old(void **state)
{
	uint32_t denial;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l, POLICY("p", "a", FROM("b")) POLICY("q", "c", FROM("b")), "az");
	denial = decide(&l, "a", POLICY_INGRESS, "c")->rule;
	compiled_set_free(l.engine, lab_compile(&l, NULL, "z"));
	assert_int_equal(l.now->rule[denial - 1].id, 0);
	assert_non_null(engine_add_subject(l.engine, l.now, world_number(&l.w, "a")));
	assert_int_equal(decide(&l, "a", POLICY_INGRESS, "c")->rule, denial);
	assert_string_equal(
		rule_of(&l, decide(&l, "a", POLICY_INGRESS, "c"))->policy[0]->name, "p");
	lab_done(&l);
}

/* Default denies are known once, also where both views have them. */
static void test_denials(void **state)
{
	const struct content *c;
	struct lab l;

	(void)state;
	lab_init(&l, POLICY_ENFORCE_DEFAULT);
	(void)lab_compile(&l, POLICY("p", "a", FROM("b") "  egress: [{}]\n"), "ab");
	c = (const struct content *)slot_of(&l, l.now, "a")->content;
	assert_int_equal(c->denials, 2);
	c = (const struct content *)slot_of(&l, l.now, "b")->content;
	assert_int_equal(c->denials, 0);
	lab_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_taken_over),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_numbers_kept),
		cmocka_unit_test(test_numbers_of_turns),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_specs),
		cmocka_unit_test(test_subject_ports),
		cmocka_unit_test(test_ends_of_range),
		cmocka_unit_test(test_rules_described),
		cmocka_unit_test(test_always),
		cmocka_unit_test(test_peer_comes_and_goes),
		cmocka_unit_test(test_peer_changes),
		cmocka_unit_test(test_named_ports),
		cmocka_unit_test(test_subject_goes),
		cmocka_unit_test(test_subject_and_peer),
		cmocka_unit_test(test_subject_changes),
		cmocka_unit_test(test_add_subject),
		cmocka_unit_test(test_add_subject_of_old),
		cmocka_unit_test(test_denials),
	};

	return cmocka_run_group_tests_name("policy engine", tests, NULL, NULL);
}
