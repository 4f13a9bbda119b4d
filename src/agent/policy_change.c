/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of policy that can be taken back: commit, confirm, rollback, release. Called by the API
 * and at the start. Must hold: what waits for a confirmation is on disk with its deadline, so that
 * a new run takes it back as this one would; a change that cannot be kept leaves no trace.
 */
#include "agent/policy_state.h"

#include <errno.h>

#include "agent/agent.h"
#include "agent/conf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/time.h"
#include "loop/loop.h"

LOG_MODULE("policy");

#define TAKE_BACK_AGAIN_NS 5000000000u

int policies_commit(struct policies *p, struct source_change *ch, const char *reason,
	uint64_t confirm_ns, struct err *e)
{
	const struct history_entry *base = history_newest(&p->history);
	struct confirm confirm = {0};
	struct err ignored = {0};
	int r = policy_try(p, e);

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
	policy_settle_sources(p, reason);
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

int policy_on_deadline(void *data)
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
