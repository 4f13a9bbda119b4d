/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs first packets through the twin, node by node. Called by whoever has questions. Owns the twin
 * while it runs. Must hold: each packet goes through the hooks that it would meet, the sender's
 * egress on its node and then the receiver's ingress on its own, and each is a first packet.
 */
#include "scenario/judge.h"

#include <string.h>

#include "abi/drop.h"
#include "scenario/load.h"
#include "scenario/packet.h"

const char *drop_reason_text(uint8_t reason)
{
	switch (reason) {
#define X(name, number, hubble, text)                                                              \
	case number:                                                                               \
		return text;
		DROP_REASONS(X)
#undef X
	default:
		return "dropped";
	}
}

/* Why a direction that was judged is as it is. */
static enum because because_of(const struct world *w, const struct event_decision *d,
	enum policy_direction direction, uint32_t peer)
{
	if (d->verdict == POLICY_DENY)
		return BECAUSE_DENY_RULE;
	if (d->verdict == POLICY_DEFAULT_DENY)
		return BECAUSE_DEFAULT_DENY;
	if (d->rule)
		return BECAUSE_ALLOW_RULE;
	return direction == POLICY_INGRESS && peer == IDENTITY_HOST &&
			       w->scenario->settings.localhost
		       ? BECAUSE_OWN_NODE
		       : BECAUSE_NO_POLICY;
}

static void note(const struct world *w, const struct event *e, struct answer *a)
{
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		struct judged *j = &a->judged[d];

		if (!(e->flags &
			    (d == POLICY_INGRESS ? EVENT_JUDGED_INGRESS : EVENT_JUDGED_EGRESS)))
			continue;
		*j = (struct judged){.is_judged = true,
			.decision = e->decision[d],
			.peer = d == POLICY_INGRESS ? e->source_identity : e->destination_identity};
		j->because = (uint8_t)because_of(w, &e->decision[d], d, j->peer);
	}
}

/* What passes because of audit mode only. */
static void conclude_audit(struct answer *a)
{
	static const enum policy_direction order[] = {POLICY_EGRESS, POLICY_INGRESS};

	for (size_t i = 0; i < POLICY_DIRECTIONS; i++) {
		const struct judged *j = &a->judged[order[i]];

		if (a->verdict != VERDICT_ALLOW || !j->is_judged ||
			j->decision.verdict == POLICY_ALLOW || !(j->decision.flags & POLICY_AUDIT))
			continue;
		a->verdict = VERDICT_AUDIT;
		a->direction = (uint8_t)order[i];
		a->because = j->because;
	}
}

static void conclude(const struct world *w, const struct twin_packet *p, struct answer *a)
{
	enum policy_direction hook = p->hook == TWIN_EGRESS ? POLICY_EGRESS : POLICY_INGRESS;
	bool is_told = false;
	struct event e;

	while (twin_event(&e)) {
		is_told = true;
		note(w, &e, a);
		a->reason = e.type == EVENT_DROP ? e.reason : 0;
		if (e.type == EVENT_DROP)
			hook = e.flags & EVENT_INGRESS ? POLICY_INGRESS : POLICY_EGRESS;
	}
	if (p->action != TWIN_DROP) {
		conclude_audit(a);
		return;
	}
	if (!is_told) /* the only drops without a word */
		a->reason = DROP_MULTICAST_HANDLED;
	a->direction = (uint8_t)hook;
	a->verdict = VERDICT_DENY;
	a->because = a->reason == DROP_POLICY_DENIED || a->reason == DROP_POLICY_DENY
			     ? a->judged[hook].because
			     : BECAUSE_DROPPED;
}

/* What allowed it: the last direction in which a rule did, or else the last one. */
static void conclude_allowed(struct answer *a)
{
	static const enum policy_direction order[] = {POLICY_INGRESS, POLICY_EGRESS};

	for (int any = 0; any < 2; any++) {
		for (size_t i = 0; i < POLICY_DIRECTIONS; i++) {
			const struct judged *j = &a->judged[order[i]];

			if (!j->is_judged || (!any && !j->decision.rule))
				continue;
			a->direction = (uint8_t)order[i];
			a->because = j->because;
			return;
		}
	}
}

static void run(
	const struct world *w, const struct question *q, enum twin_hook hook, struct answer *a)
{
	const struct scenario *s = w->scenario;
	const struct scenario_end *here = hook == TWIN_EGRESS ? &q->from : &q->to;
	struct addr from = scenario_end_addr(s, &q->from, &q->to, q->family);
	struct addr to = scenario_end_addr(s, &q->to, &q->from, q->family);
	struct packet p;
	struct twin_packet t = {.bytes = p.bytes,
		.room = sizeof(p.bytes),
		.hook = hook,
		.ifindex = load_ifindex(here->index)};

	if (hook == TWIN_EGRESS)
		load_macs(here->index, p.smac, p.dmac);
	else
		load_macs(here->index, p.dmac, p.smac);
	if (hook == TWIN_INGRESS && q->from.kind != END_HOST &&
		!(q->from.kind == END_NODE && q->from.index == s->endpoint[here->index].node))
		t.ingress_ifindex = LOAD_UPLINK;
	packet_make(&p, q->family, &from, &to, &q->traffic);
	t.len = p.len;
	twin_run(&t);
	load_forget();
	conclude(w, &t, a);
}

/* The node at which a hook judges it; -1 when it meets none. */
static ssize_t node_of(const struct world *w, const struct question *q, enum twin_hook hook)
{
	const struct scenario_endpoint *at = w->scenario->endpoint;
	bool from = q->from.kind == END_ENDPOINT, to = q->to.kind == END_ENDPOINT;

	if (from && to && q->from.index == q->to.index)
		return -1;
	if (hook == TWIN_EGRESS)
		return from ? (ssize_t)at[q->from.index].node : -1;
	/* on one node the sender's program judges both */
	if (!to || (from && at[q->from.index].node == at[q->to.index].node))
		return -1;
	return (ssize_t)at[q->to.index].node;
}

static void run_at(const struct world *w, size_t node, enum twin_hook hook,
	const struct question *q, size_t count, struct answer *ret)
{
	bool loaded = false;

	for (size_t i = 0; i < count; i++) {
		if (ret[i].verdict == VERDICT_DENY || ret[i].verdict == VERDICT_NONE ||
			node_of(w, &q[i], hook) != (ssize_t)node)
			continue;
		if (!loaded)
			load_node(w, node);
		loaded = true;
		run(w, &q[i], hook, &ret[i]);
	}
}

static void begin(const struct question *q, struct answer *a)
{
	bool from = q->from.kind == END_ENDPOINT, to = q->to.kind == END_ENDPOINT;

	*a = (struct answer){.verdict = VERDICT_ALLOW, .because = BECAUSE_NO_ENDPOINT};
	if (q->family == FAMILIES)
		a->verdict = VERDICT_NONE;
	if (from && to && q->from.index == q->to.index)
		a->because = BECAUSE_SELF;
}

void judge(const struct world *w, const struct question *question, size_t count, struct answer *ret)
{
	for (size_t i = 0; i < count; i++)
		begin(&question[i], &ret[i]);
	load_policy(w);
	for (size_t node = 0; node < w->scenario->nodes; node++)
		run_at(w, node, TWIN_EGRESS, question, count, ret);
	for (size_t node = 0; node < w->scenario->nodes; node++)
		run_at(w, node, TWIN_INGRESS, question, count, ret);
	for (size_t i = 0; i < count; i++) {
		if (ret[i].verdict == VERDICT_ALLOW)
			conclude_allowed(&ret[i]);
	}
	twin_reset(); /* its maps are large, and an agent lives long */
}

uint32_t answer_rule(const struct answer *a)
{
	return a->because == BECAUSE_DROPPED ? 0 : a->judged[a->direction].decision.rule;
}
