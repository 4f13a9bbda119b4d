/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy manager. Called by the manifest watcher, the API and endpoint.c. Must hold, in this order:
 * an identity is known as a peer to the slots in force before an address gets it; rule ids and
 * identities are on disk before the kernel has them; the revision switches in one store; what the
 * old revision alone needed goes last.
 */
#include "agent/policy_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/endpoint.h"
#include "agent/flows.h"
#include "agent/invariant.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/time.h"
#include "codec/json.h"
#include "datapath/datapath.h"
#include "loop/loop.h"

LOG_MODULE("policy");

enum { RULES_FILE_MAX_BYTES = 64 << 20 };

/* What is wrong with the history and the state beside it, for status. */
void policy_say_problems(struct policies *p)
{
	agent_problem(p->agent, "policy history", p->history.problem);
	agent_problem(p->agent, "policy change", p->journal.problem);
}

static int on_changed(void *data)
{
	struct err e = {0};

	/* a failure is a problem that status shows and the log has */
	(void)policies_apply(data, &e);
	return 0;
}

static void load_rule_ids(struct policies *p)
{
	SCOPED(str_done)
	struct str path = {0};
	SCOPED(freep)
	char *text = NULL;
	SCOPED(json_unrefp)
	json_t *j = NULL;
	struct err e = {0};
	size_t len;
	int r;

	str_printf(&path, "%s/rules.json", p->agent->conf->state_dir);
	r = fd_read_file(str_text(&path), RULES_FILE_MAX_BYTES, &text, &len, &e);
	if (r == -ENOENT)
		return;
	r = r ?: json_parse_text(text, len, RULES_FILE_MAX_BYTES, &j, &e);
	r = r ?: rule_ids_load(p->ids, j, &e);
	if (r)
		log_warn("%s: numbers of rules start anew: %s", str_text(&path), e.text);
	else
		p->ids_saved = hash_bytes(text, len, 0);
}

int policy_save_rule_ids(struct policies *p, struct err *e)
{
	SCOPED(json_unrefp)
	json_t *j = rule_ids_save(p->ids);
	SCOPED(freep)
	char *text = json_text(j);
	SCOPED(str_done)
	struct str path = {0};
	size_t len = strlen(text);
	uint64_t digest = hash_bytes(text, len, 0);
	int r;

	if (digest == p->ids_saved)
		return 0;
	str_printf(&path, "%s/rules.json", p->agent->conf->state_dir);
	r = fd_write_file(str_text(&path), text, len, 0600, e);
	if (!r)
		p->ids_saved = digest;
	return r;
}

void policies_restore(struct policies *p)
{
	const struct conf *c = p->agent->conf;

	history_open(&p->history, c->state_dir, (size_t)c->history_max);
	journal_open(&p->journal, &p->history, &p->sources, c->state_dir);
	sources_load_stored(&p->sources);
	policy_say_problems(p);
}

struct policies *policies_new(struct agent *a)
{
	struct policies *p = mem_alloc(sizeof(*p));
	/* struct conf's sets have the bits of enum prefix_reach */
	const struct policy_context ctx = {.cluster = a->conf->cluster_name,
		.default_namespace = "default",
		.local_cluster = a->conf->local_cluster,
		.cilium_reach = a->conf->cilium_reach,
		.kubernetes_reach = a->conf->kubernetes_reach};

	p->agent = a;
	p->ids = rule_ids_new();
	/* struct conf's and the compiler's enums have the same order */
	p->engine = engine_new(a->identities, p->ids,
		&(struct policy_options){
			.enforce = (enum policy_enforce)a->conf->enforce, .audit = a->conf->audit});
	p->defer = loop_add_defer(a->loop, on_changed, p);
	p->deadline = loop_add_timer(a->loop, policy_on_deadline, p);
	sources_init(&p->sources, &ctx, a->conf->state_dir);
	load_rule_ids(p);
	return p;
}

void policies_free(struct policies *p)
{
	if (!p)
		return;
	loop_source_free(p->defer);
	loop_source_free(p->deadline);
	journal_done(&p->journal);
	history_done(&p->history);
	policy_release_pinned(p);
	generation_free(p->now, p->engine, p->agent->identities);
	engine_free(p->engine);
	sources_done(&p->sources);
	rule_ids_free(p->ids);
	free(p);
}

struct sources *policies_sources(struct policies *p)
{
	return &p->sources;
}

void policies_changed(struct policies *p)
{
	if (p->started)
		loop_defer(p->defer);
}

static int apply(struct policies *p, bool applied, struct err *e)
{
	struct agent *a = p->agent;
	struct generation *next = NULL, *old = p->now;
	struct err ignored = {0};
	int r;

	if (!old)
		policy_hold_pinned(p);
	r = policy_generation_make(p, applied, &next, e);
	if (r)
		return r;
	r = policy_announce(p, applied, next, e) ?: policy_switch_to(p, next, e);
	if (r) {
		/* what only the refused generation knows goes again */
		if (policy_return_places(p, &ignored))
			log_err("endpoints go by what was refused: %s", ignored.text);
		(void)policy_settle_addresses(p, &ignored);
		generation_free(next, p->engine, a->identities);
		return r;
	}
	p->now = next;
	if (!old)
		r = policy_announce_places(p, next, e);
	r = r ?: policy_settle_addresses(p, e);
	policy_release_pinned(p);
	generation_free(old, p->engine, a->identities);
	return r;
}

/* Rules whose numbers are beyond the counters decide all the same. */
static void note_uncounted(struct policies *p)
{
	SCOPED(str_done)
	struct str text = {0};
	struct dp_policy_stats s;

	datapath_policy_stats(p->agent->datapath, &s);
	if (p->now->compiled->rules >= s.rule_hit_max)
		str_printf(&text,
			"rules have numbers up to %zu and %zu are counted (policy-rule-hit-max): "
			"hits of the others are not known",
			p->now->compiled->rules, s.rule_hit_max);
	agent_problem(p->agent, "policy-rule-hit-max", text.len ? str_text(&text) : NULL);
}

static void after_apply(struct policies *p)
{
	note_uncounted(p);
	endpoints_policy_applied(p->agent->endpoints);
	flows_names_changed(p->agent->flows);
	guard_changed(p->agent->guard);
	agent_trim(p->agent);
}

/*
 * What the sources have now was refused. What was in force before goes on, and is compiled for
 * endpoints that came since; nobody waits for the refused change to be mended.
 */
static void go_on_with_last(struct policies *p)
{
	SCOPED(freep) uint32_t *subject = NULL;
	size_t subjects = endpoints_parts(p->agent->endpoints, &subject);
	struct err e = {0};
	bool known = p->now;

	for (size_t i = 0; known && i < subjects; i++)
		known = generation_knows(p->now, p->agent->identities, subject[i]);
	if (known)
		return;
	sources_recall(&p->sources);
	if (apply(p, true, &e) < 0)
		log_err("what was in force before cannot be compiled again: %s", e.text);
	else
		after_apply(p);
}

static struct history_counts count(const struct policies *p)
{
	const struct policy_set *set = &p->now->set;
	struct history_counts n = {.policies = set->count, .slots = p->now->compiled->slots};

	for (size_t i = 0; i < set->count; i++) {
		for (size_t k = 0; k < set->policy[i].specs; k++)
			n.rules += set->policy[i].spec[k].rules;
	}
	compiled_count(p->now->compiled, &n.rule_entries, &n.peer_entries);
	return n;
}

/*
 * What the sources have is in force, and on disk as far as it is ours: it is what counts from now
 * on, in this run and the next.
 */
void policy_settle_sources(struct policies *p, const char *reason)
{
	const struct history_entry *newest = history_newest(&p->history);
	struct history_counts counts;
	struct err e = {0};

	sources_settle(&p->sources);
	if (journal_settle(&p->journal, &p->sources, &e))
		log_err("%s", e.text);
	if (!newest || !history_entry_is(newest, &p->sources)) {
		counts = count(p);
		if (history_add(&p->history, &p->sources, p->now->revision, reason, &counts,
			    p->journal.confirm.base, &e))
			log_err("%s", e.text);
	}
	policy_say_problems(p);
}

/* Compile and switch; the sources are not settled yet. */
int policy_try(struct policies *p, struct err *e)
{
	uint64_t start = time_mono_ns();
	int r = apply(p, false, e);

	p->apply_ns = time_mono_ns() - start;
	if (r) {
		p->bad++;
		return r;
	}
	p->good++;
	agent_problem(p->agent, "policy", NULL);
	log_debug("revision %u: %zu policies, %zu slots, %llu us", p->now->revision,
		p->now->set.count, p->now->compiled->slots, (unsigned long long)p->apply_ns / 1000);
	after_apply(p);
	return 0;
}

int policies_apply(struct policies *p, struct err *e)
{
	int r = policy_try(p, e);

	if (r) {
		agent_problem(p->agent, "policy", e->text);
		go_on_with_last(p);
		return r;
	}
	policy_settle_sources(p, NULL);
	return 0;
}

int policies_check(struct policies *p, struct err *e)
{
	struct agent *a = p->agent;
	struct generation *g = NULL;
	SCOPED(arena_done)
	struct arena mem = {0};
	int r = policy_generation_make(p, false, &g, e);

	if (r)
		return r;
	r = policy_generation_compile(p, false, g, e);
	r = r
		    ?: datapath_policy_check(
			       a->datapath, generation_slots(g, NULL, &mem), g->compiled->slots, e);
	endpoints_stay(a->endpoints);
	generation_free(g, p->engine, a->identities);
	return r;
}

int policies_place(struct policies *p, struct agent_endpoint *ep, struct err *e)
{
	static const struct reach none;

	return endpoint_place(
		p->agent->endpoints, ep, policies_set(p), p->now ? &p->now->reach : &none, e);
}

bool policies_know(const struct policies *p, const uint32_t part[2])
{
	return p->now && generation_knows(p->now, p->agent->identities, part[0]) &&
	       generation_knows(p->now, p->agent->identities, part[1]);
}

/* Slots for a new endpoint's numbers, beside those in force. */
static int add_subject(struct policies *p, const uint32_t part[2], struct err *e)
{
	bool stale = false;
	int r = policy_follow(p, &stale, e);

	if (r || stale || p->behind)
		return r ? r : -ESTALE;
	return policy_extend_subjects(p, part, 2, e);
}

bool policies_want(struct policies *p, const uint32_t part[2])
{
	struct err e = {0};

	if (policies_know(p, part))
		return true;
	if (!p->started)
		return false;
	if (!p->now || add_subject(p, part, &e))
		(void)policies_apply(p, &e);
	else
		guard_changed(p->agent->guard);
	return !p->behind && policies_know(p, part);
}

const struct compiled_slot *policies_slot(const struct policies *p, uint32_t identity)
{
	return p->now ? compiled_slot_find(p->now->compiled, identity) : NULL;
}

bool policies_enforced(const struct policies *p, uint32_t identity, enum policy_direction d)
{
	const struct compiled_slot *s = policies_slot(p, identity);

	return s &&
	       s->content->class[s->content->base[d]]->entry[0].decision.flags & POLICY_ENFORCED;
}

const struct rule_info *policies_rule(const struct policies *p, uint32_t id)
{
	return p->now ? generation_rule(p->now, id) : NULL;
}

const struct compiled_set *policies_compiled(const struct policies *p)
{
	return p->now ? p->now->compiled : NULL;
}

const struct policy_set *policies_set(const struct policies *p)
{
	static const struct policy_set none;

	return p->now ? &p->now->set : &none;
}

uint32_t policies_revision(const struct policies *p)
{
	uint32_t revision, epoch;

	datapath_state(p->agent->datapath, &revision, &epoch);
	return revision;
}

void policies_counts(const struct policies *p, uint64_t *ret_good, uint64_t *ret_bad)
{
	*ret_good = p->good;
	*ret_bad = p->bad;
}

const struct history *policies_history(const struct policies *p)
{
	return &p->history;
}

const struct confirm *policies_confirming(const struct policies *p)
{
	return &p->journal.confirm;
}

json_t *policies_rule_ids(const struct policies *p)
{
	return rule_ids_save(p->ids);
}
