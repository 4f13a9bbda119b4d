/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy manager. Called by the manifest watcher, the API and endpoint.c. Must hold, in this order:
 * an identity is known as a peer to the slots in force before an address gets it; rule ids and
 * identities are on disk before the kernel has them; the revision switches in one store; what the
 * old revision alone needed goes last.
 */
#include "agent/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/address.h"
#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/endpoint.h"
#include "agent/flows.h"
#include "agent/generation.h"
#include "agent/invariant.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/time.h"
#include "codec/json.h"
#include "datapath/datapath.h"
#include "loop/loop.h"

LOG_MODULE("policy");

enum { RULES_FILE_MAX_BYTES = 64 << 20 };
#define TAKE_BACK_AGAIN_NS 5000000000u

struct policies {
	struct agent *agent;
	struct sources sources;
	struct rule_ids *ids;
	uint64_t ids_saved; /* digest of what is on disk */
	struct engine *engine;
	struct generation *now; /* in force; NULL before the first apply */
	bool behind; /* what the engine told the slots in force could not be written */
	struct loop_source *defer;
	bool started;
	struct history history;
	struct journal journal;
	struct loop_source *deadline; /* of what waits for its confirmation */
	uint64_t good, bad;
	uint64_t apply_ns; /* how long the last apply took */
};

static int on_deadline(void *data);

/* What is wrong with the history and the state beside it, for status. */
static void say_problems(struct policies *p)
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

static int save_rule_ids(struct policies *p, struct err *e)
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
	say_problems(p);
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
		&(struct policy_options){.enforce = (enum policy_enforce)a->conf->enforce});
	p->defer = loop_add_defer(a->loop, on_changed, p);
	p->deadline = loop_add_timer(a->loop, on_deadline, p);
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

/*
 * The slots in force learn what has come and gone among the identities, before any address or
 * endpoint has it. The old revision's verdicts stay the same: an identity of a prefix means what
 * the prefix around it does.
 */
static int follow(struct policies *p, bool *ret_stale, struct err *e)
{
	struct agent *a = p->agent;
	SCOPED(arena_done)
	struct arena mem = {0};
	struct compiled_changes changes;
	struct dp_slot *slot;
	uint32_t *gone;
	size_t slots, gones;
	int r = 0;

	engine_follow(p->engine, p->now ? p->now->compiled : NULL, &changes);
	*ret_stale = changes.stale;
	slot = generation_changes(&changes, &mem, &slots);
	gones = generation_gone(&changes, &mem, &gone);
	free(changes.change);
	if (slots)
		r = datapath_policy_extend(a->datapath, slot, slots, NULL, 0, e);
	if (!r && gones)
		r = datapath_policy_forget(a->datapath, gone, gones, e);
	p->behind |= r != 0;
	return r;
}

static void want_nodes(struct agent *a, const struct generation *g)
{
	for (size_t i = 0; i < g->nodes; i++) {
		const struct node_place *n = &g->node[i];

		addresses_set(a->addresses,
			n->identity == IDENTITY_HOST ? ADDRESS_HOST : ADDRESS_NODE, &n->address,
			n->identity, n->part);
	}
}

/* Addresses of nodes, and endpoints, go by what the next generation tells apart, which the slots in
 * force know. */
static int announce_places(struct policies *p, const struct generation *next, struct err *e)
{
	struct agent *a = p->agent;
	int written = 0, r = 0;

	want_nodes(a, next);
	for (size_t i = 0; r >= 0 && i < next->nodes; i++) {
		r = addresses_sync_one(a->addresses, &next->node[i].address, e);
		written += r > 0;
	}
	r = r < 0 ? r : endpoints_move(a->endpoints, e);
	if (r > 0 || written)
		datapath_bump_epoch(a->datapath);
	return r < 0 ? r : 0;
}

/* Slots for these subjects, as far as they have none, under the revision in force. */
static int extend_subjects(
	struct policies *p, const uint32_t *subject, size_t subjects, struct err *e)
{
	SCOPED(arena_done)
	struct arena mem = {0};
	struct dp_slot *slot = arena_array(&mem, subjects + 1, sizeof(*slot));
	size_t slots = 0;
	int r;

	for (size_t i = 0; i < subjects; i++) {
		const struct compiled_slot *s;

		if (generation_knows(p->now, p->agent->identities, subject[i]))
			continue;
		s = engine_add_subject(p->engine, p->now->compiled, subject[i]);
		if (s)
			slot[slots++] = generation_slot_for(s, &mem);
	}
	if (!slots)
		return 0;
	r = save_rule_ids(p, e);
	r = r ?: datapath_policy_extend(p->agent->datapath, NULL, 0, slot, slots, e);
	p->behind |= r != 0;
	return r;
}

/* Slots for what endpoints go by next. */
static int announce_subjects(struct policies *p, struct err *e)
{
	SCOPED(freep)
	uint32_t *subject = NULL;
	size_t subjects = endpoints_parts(p->agent->endpoints, &subject);

	return extend_subjects(p, subject, subjects, e);
}

/* New prefixes: their addresses get their identities, which the slots in force know. */
static int announce_prefixes(struct policies *p, const struct generation *next, struct err *e)
{
	struct agent *a = p->agent;
	int r = 0;

	for (size_t i = 0; !r && i < next->prefixes; i++) {
		addresses_set(a->addresses, ADDRESS_PREFIX, &next->prefix[i],
			next->prefix_identity[i], next->prefix_identity[i]);
		r = addresses_sync_one(a->addresses, &next->prefix[i], e);
		r = r > 0 ? 0 : r;
	}
	return r;
}

/* The addresses' prefixes are exactly those of the generation in force. */
static int settle_addresses(struct policies *p, struct err *e)
{
	struct agent *a = p->agent;
	int r;

	if (!p->now)
		return 0;
	addresses_clear_layer(a->addresses, ADDRESS_PREFIX);
	addresses_clear_layer(a->addresses, ADDRESS_NODE);
	for (size_t i = 0; i < p->now->prefixes; i++)
		addresses_set(a->addresses, ADDRESS_PREFIX, &p->now->prefix[i],
			p->now->prefix_identity[i], p->now->prefix_identity[i]);
	want_nodes(a, p->now);
	r = addresses_sync(a->addresses, e);
	if (r > 0)
		datapath_bump_epoch(a->datapath);
	return r < 0 ? r : 0;
}

static int switch_to(struct policies *p, struct generation *next, struct err *e)
{
	struct agent *a = p->agent;
	SCOPED(arena_done)
	struct arena mem = {0};
	struct dp_slot *slot = generation_slots(next, p->behind ? NULL : p->now, &mem);
	const struct history_entry *newest = history_newest(&p->history);
	struct dp_policy_stats stats;
	uint32_t revision, epoch;
	int r;

	datapath_state(a->datapath, &revision, &epoch);
	/* numbers of the history are not used again when the kernel's count has begun anew */
	if (newest && newest->revision > revision)
		revision = newest->revision;
	next->revision = revision + 1;
	r = datapath_policy_apply(
		a->datapath, slot, next->compiled->slots, next->revision, &stats, e);
	if (!r)
		p->behind = false;
	return r;
}

/* The sources merged, and what they name known as identities, to the slots in force too. */
static int generation_make(struct policies *p, bool applied, struct generation **ret, struct err *e)
{
	struct agent *a = p->agent;
	struct generation *g = generation_new(&p->sources, applied);
	bool stale;
	int r = generation_take_prefixes(g, a->identities, e);

	r = r ?: generation_take_nodes(g, p->now, a, e) ?: endpoints_place(a->endpoints, &g->set, &g->reach, e);
	r = r ?: agent_save_identities(a, e) ?: follow(p, &stale, e);
	if (!r && p->behind && p->now)
		engine_distrust(p->engine, p->now->compiled);
	if (r) {
		endpoints_stay(a->endpoints);
		generation_free(g, p->engine, a->identities);
		return r;
	}
	*ret = g;
	return 0;
}

/* Who is there is no question of policy: only what the sources say can break an invariant. */
static int generation_compile(struct policies *p, bool applied, struct generation *g, struct err *e)
{
	SCOPED(freep)
	uint32_t *subject = NULL;
	size_t subjects = endpoints_parts(p->agent->endpoints, &subject);

	int r = engine_compile(p->engine, p->now ? p->now->compiled : NULL, &g->set, subject,
		subjects, &g->compiled, e);

	if (!r && !applied && !generation_same_sources(g, p->now))
		r = guard_check(p->agent->guard, g->compiled, e);
	return r;
}

/* What leads to the switch: everything that is named is known before it is used. At the start there
 * are no slots that could learn; what is pinned stays as it is until the switch. */
static int announce(struct policies *p, bool applied, struct generation *next, struct err *e)
{
	int r = p->now ? announce_subjects(p, e) : 0;

	r = r ?: generation_compile(p, applied, next, e) ?: save_rule_ids(p, e);
	if (p->now)
		r = r ?: announce_places(p, next, e) ?: announce_prefixes(p, next, e);
	return r;
}

static int apply(struct policies *p, bool applied, struct err *e)
{
	struct agent *a = p->agent;
	struct generation *next = NULL, *old = p->now;
	struct err ignored = {0};
	int r = generation_make(p, applied, &next, e);

	if (r)
		return r;
	r = announce(p, applied, next, e) ?: switch_to(p, next, e);
	if (r) {
		/* what only the refused generation knows goes again */
		endpoints_stay(a->endpoints);
		(void)settle_addresses(p, &ignored);
		generation_free(next, p->engine, a->identities);
		return r;
	}
	p->now = next;
	if (!old)
		r = announce_places(p, next, e);
	r = r ?: settle_addresses(p, e);
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
static void settle(struct policies *p, const char *reason)
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
	say_problems(p);
}

/* Compile and switch; the sources are not settled yet. */
static int try(struct policies *p, struct err *e)
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
	int r = try(p, e);

	if (r) {
		agent_problem(p->agent, "policy", e->text);
		go_on_with_last(p);
		return r;
	}
	settle(p, NULL);
	return 0;
}

int policies_check(struct policies *p, struct err *e)
{
	struct agent *a = p->agent;
	struct generation *g = NULL;
	SCOPED(arena_done)
	struct arena mem = {0};
	int r = generation_make(p, false, &g, e);

	if (r)
		return r;
	r = generation_compile(p, false, g, e);
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
	int r = follow(p, &stale, e);

	if (r || stale || p->behind)
		return r ? r : -ESTALE;
	return extend_subjects(p, part, 2, e);
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

/* --- changes that can be taken back ---------------------------------------------------------- */

int policies_commit(struct policies *p, struct source_change *ch, const char *reason,
	uint64_t confirm_ns, struct err *e)
{
	const struct history_entry *base = history_newest(&p->history);
	struct confirm confirm = {0};
	struct err ignored = {0};
	int r = try(p, e);

	if (r) {
		source_change_undo(ch);
		return r;
	}
	if (confirm_ns)
		confirm = (struct confirm){base->revision, time_wall_ns() + confirm_ns, confirm_ns};
	r = journal_commit(&p->journal, &p->sources, ch, &confirm, e);
	if (r) {
		source_change_undo(ch);
		(void)policies_apply(p, &ignored);
		return r;
	}
	settle(p, reason);
	if (confirm_ns)
		loop_timer_in(p->deadline, confirm_ns);
	else
		loop_timer_stop(p->deadline);
	return 0;
}

int policies_may_confirm(const struct policies *p, struct err *e)
{
	const struct history_entry *base = history_newest(&p->history);
	int r = policies_may_change(p, e);

	if (r || (base && history_entry_is(base, &p->sources)))
		return r;
	return err_set(e, -EIO,
		"what is in force is not in the history, so it could not be brought back%s%s",
		p->history.problem ? ": " : "", p->history.problem ? p->history.problem : "");
}

int policies_may_change(const struct policies *p, struct err *e)
{
	const struct confirm *c = &p->journal.confirm;

	if (!p->agent->ready)
		return err_set(e, -EAGAIN, "the agent is starting; try again");
	if (!c->base)
		return 0;
	return err_set(e, -EEXIST,
		"revision %u waits for its confirmation, %llu s more: first 'kilim policy confirm' "
		"or 'kilim policy rollback'",
		history_newest(&p->history)->revision,
		(unsigned long long)(confirm_left_ns(c, time_wall_ns()) + 999999999) / 1000000000);
}

int policies_confirm(struct policies *p, struct err *e)
{
	int r;

	if (!p->journal.confirm.base)
		return err_set(e, -ENOENT, "nothing waits for a confirmation");
	r = journal_commit(&p->journal, &p->sources, NULL, &(struct confirm){0}, e);
	if (!r)
		loop_timer_stop(p->deadline);
	return r;
}

static int go_back(
	struct policies *p, const struct history_entry *to, const char *reason, struct err *e)
{
	SCOPED(source_change_done) struct source_change ch = {.sources = &p->sources};
	int r = journal_to_entry(&ch, &p->history, to, p->agent->conf->manifest_dir, e);

	if (r) {
		source_change_undo(&ch);
		return r;
	}
	return policies_commit(p, &ch, reason, 0, e);
}

/* Whether sources say something that is not in force. */
static bool is_refused(const struct policies *p)
{
	for (size_t i = 0; i < p->sources.count; i++) {
		if (p->sources.source[i]->content != p->sources.source[i]->applied)
			return true;
	}
	return false;
}

int policies_rollback(struct policies *p, uint32_t revision, uint32_t *ret_to, struct err *e)
{
	const struct history *h = &p->history;
	const struct history_entry *newest = history_newest(h), *to;
	SCOPED(str_done) struct str reason = {0};

	if (!p->agent->ready)
		return err_set(e, -EAGAIN, "the agent is starting; try again");
	if (!revision && p->journal.confirm.base)
		to = history_at(h, p->journal.confirm.base);
	else
		to = revision ? history_at(h, revision) : history_before(h, newest);
	if (!to || revision > policies_revision(p))
		return revision ? err_set(e, -ENOENT,
					  "revision %u is not in the history; see 'kilim policy "
					  "history'",
					  revision)
				: err_set(e, -ENOENT, "there is no revision before this one");
	if (history_entry_is(to, &p->sources) && !is_refused(p))
		return err_set(e, -EALREADY, "the policy of revision %u is in force", to->revision);
	*ret_to = to->revision;
	str_printf(&reason, "rollback to %u", to->revision);
	return go_back(p, to, str_text(&reason), e);
}

/* The time for a confirmation is over. */
static int take_back(struct policies *p, struct err *e)
{
	const struct history_entry *to = history_at(&p->history, p->journal.confirm.base);
	SCOPED(str_done) struct str reason = {0};
	int r;

	if (to && to->revision != p->journal.confirm.base)
		to = NULL;
	str_printf(&reason, "not confirmed in time: back to %u", p->journal.confirm.base);
	r = to ? go_back(p, to, str_text(&reason), e)
	       : err_set(e, -ENOENT, "revision %u is not in the history any more",
			 p->journal.confirm.base);
	agent_problem(p->agent, "policy not confirmed", r ? e->text : NULL);
	if (r)
		loop_timer_in(p->deadline, TAKE_BACK_AGAIN_NS);
	else
		log_warn("%s", str_text(&reason));
	return r;
}

static int on_deadline(void *data)
{
	struct policies *p = data;
	struct err e = {0};

	if (p->journal.confirm.base)
		(void)take_back(p, &e);
	return 0;
}

int policies_start(struct policies *p, struct err *e)
{
	const struct confirm *c = &p->journal.confirm;
	uint64_t left = confirm_left_ns(c, time_wall_ns());

	p->started = true;
	if (c->base && left)
		loop_timer_in(p->deadline, left);
	else if (c->base && !take_back(p, e))
		return 0;
	return policies_apply(p, e);
}

/* A file that was held, as it is on disk. */
static int release_one(struct policies *p, struct source_change *ch, const char *name,
	const char *origin, struct err *e)
{
	SCOPED(source_content_unrefp) struct source_content *content = NULL;
	SCOPED(freep) char *text = NULL;
	size_t len = 0;
	int r = fd_read_file(origin, POLICY_FILE_MAX_BYTES, &text, &len, e);

	if (!r)
		r = source_parse(&p->sources.context, origin, text, len, &content, e);
	if (r && r != -ENOENT)
		return r;
	source_change_hold(ch, name, origin, content ? source_content_ref(content) : NULL, 0,
		source_content_digest(content));
	return 0;
}

int policies_release(struct policies *p, const char *name, struct err *e)
{
	SCOPED(source_change_done) struct source_change ch = {.sources = &p->sources};
	SCOPED(str_done) struct str reason = {0};
	size_t held = 0;
	int r = policies_may_change(p, e);

	for (size_t i = 0; !r && i < p->sources.count; i++) {
		const struct source *s = p->sources.source[i];

		if (!s->held || (name && !str_eq(s->name, name)))
			continue;
		held++;
		r = release_one(p, &ch, s->name, s->origin, e);
	}
	if (!r && !held)
		r = name ? err_set(e, -ENOENT, "%.200s: no file of this name is held", name)
			 : err_set(e, -ENOENT, "no file is held");
	if (r) {
		source_change_undo(&ch);
		return r;
	}
	str_printf(&reason, "release of %s", name ? name : "all files");
	return policies_commit(p, &ch, str_text(&reason), 0, e);
}

const struct history *policies_history(const struct policies *p)
{
	return &p->history;
}

const struct confirm *policies_confirming(const struct policies *p)
{
	return &p->journal.confirm;
}
