/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An explanation as lines for people and as JSON. Called by whoever has one. Owns nothing. Must
 * hold: names and labels are other people's text; whoever prints lines cleans them.
 */
#include <string.h>

#include "scenario/explain.h"
#include "scenario/judge.h"

static const char *direction_name(enum policy_direction d)
{
	return d == POLICY_INGRESS ? "ingress" : "egress";
}

static const char *tier_name(enum policy_tier t)
{
	static const char *const names[] = {"admin", "normal", "baseline"};

	return names[t];
}

static const struct rule *find_rule(const struct rule_info *r)
{
	const struct policy *p = r->kind == RULE_DEFAULT_DENY || !r->policies ? NULL : r->policy[0];

	for (size_t i = 0; p && i < p->specs; i++) {
		for (size_t k = 0; k < p->spec[i].rules; k++) {
			const struct rule *rule = &p->spec[i].rule[k];

			if (rule->direction == r->direction && str_eq(rule->path, r->path))
				return rule;
		}
	}
	return NULL;
}

static void format_policies(struct str *out, const struct rule_info *r)
{
	for (size_t i = 0; i < r->policies; i++) {
		str_add(out, i ? ", " : "");
		policy_format_name(out, r->policy[i]);
		str_printf(out, " (%s:%d)", r->policy[i]->origin.file, r->policy[i]->origin.line);
	}
}

void explain_format_rule(struct str *out, const struct rule_info *r)
{
	if (r->kind == RULE_DEFAULT_DENY) {
		str_add(out, "default deny of ");
		for (size_t i = 0; i < r->policies; i++) {
			str_add(out, i ? ", " : "");
			policy_format_name(out, r->policy[i]);
		}
		if (!r->policies)
			str_add(out, "enable-policy: always");
		return;
	}
	policy_format_name(out, r->policy[0]);
	str_printf(out, " %s", r->path);
}

/* Tier, and what gives the rule its place there. */
static void format_place(struct str *out, const struct rule_info *r)
{
	const struct policy *p = r->policy[0];
	const struct rule *rule = find_rule(r);

	str_printf(out, "tier %s", tier_name(p->tier));
	if (p->tier != TIER_NORMAL)
		str_printf(out, ", priority %d", p->priority);
	else if (rule && rule->order != RULE_UNORDERED)
		str_printf(out, ", order %d", rule->order);
}

static void write_rule(struct str *out, const struct rule_info *r, const char *does)
{
	str_printf(out, "%s ", does);
	explain_format_rule(out, r);
	str_printf(out, " (%s:%d), ", r->origin.file, r->origin.line);
	format_place(out, r);
	str_add(out, "\n");
}

static void write_default_deny(struct str *out, const struct explain_side *s, const char *indent)
{
	const struct explain_near *n = &s->near;

	str_add(out, "denied by default");
	if (s->rule && s->rule->policies) {
		str_add(out, ", because of ");
		format_policies(out, s->rule);
	} else {
		str_add(out, ": enable-policy is always");
	}
	str_printf(out, "\n%s         ", indent);
	if (!n->policy) {
		str_printf(out, "no policy that selects it has a rule that allows %s\n",
			direction_name(s->direction));
		return;
	}
	str_add(out, "nearest: ");
	policy_format_name(out, n->policy);
	str_printf(out, " %s (%s:%d) %s [%s]\n", n->rule->path, n->rule->origin.file,
		n->rule->origin.line, n->text, n->field);
}

static void write_undecided(struct str *out, const struct explain_side *s, const char *who)
{
	if (s->is_spared)
		str_printf(out,
			"allowed: a NetworkPolicy does not stop traffic of %s to its own node\n",
			who);
	else if (s->is_enforced)
		str_printf(out, "allowed: no rule for %s of %s fits, and none is needed\n",
			direction_name(s->direction), who);
	else
		str_printf(out, "allowed: no policy restricts %s of %s\n",
			direction_name(s->direction), who);
}

static void write_side(struct str *out, const struct explanation *x, const struct explain_side *s,
	const char *indent)
{
	const char *who = s->direction == POLICY_INGRESS ? x->to.name : x->from.name;

	if (!s->is_judged)
		return;
	str_printf(out, "%s%-7s  ", indent, direction_name(s->direction));
	switch (s->because) {
	case BECAUSE_ALLOW_RULE:
		if (s->rule)
			write_rule(out, s->rule, "allowed by");
		break;
	case BECAUSE_DENY_RULE:
		if (s->rule)
			write_rule(out, s->rule, "denied by");
		break;
	case BECAUSE_DEFAULT_DENY:
		write_default_deny(out, s, indent);
		break;
	case BECAUSE_OWN_NODE:
		str_printf(out, "allowed: the node of %s always reaches it\n", who);
		break;
	default:
		write_undecided(out, s, who);
		break;
	}
}

void explanation_write(struct str *out, const struct explanation *x, const char *indent)
{
	if (x->because == BECAUSE_SELF)
		str_printf(out, "%san endpoint always reaches itself\n", indent);
	if (x->because == BECAUSE_NO_ENDPOINT)
		str_printf(out, "%sneither end is an endpoint: no policy applies\n", indent);
	write_side(out, x, &x->side[POLICY_EGRESS], indent);
	write_side(out, x, &x->side[POLICY_INGRESS], indent);
	if (x->because == BECAUSE_DROPPED)
		str_printf(out, "%sdropped for another reason than policy: %s\n", indent,
			drop_reason_text(x->reason));
}

static json_t *near_json(const struct explain_near *n)
{
	SCOPED(str_done) struct str name = {0};

	if (!n->policy)
		return json_null();
	policy_format_name(&name, n->policy);
	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "policy", str_text(&name), "path",
		n->rule->path, "file", n->rule->origin.file, "line", n->rule->origin.line, "field",
		n->field, "text", n->text);
}

static json_t *policies_json(const struct rule_info *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->policies; i++) {
		SCOPED(str_done) struct str name = {0};

		policy_format_name(&name, r->policy[i]);
		(void)json_array_append_new(list,
			json_pack("{s:s, s:s, s:i}", "policy", str_text(&name), "file",
				r->policy[i]->origin.file, "line", r->policy[i]->origin.line));
	}
	return list;
}

static json_t *rule_json(const struct rule_info *r)
{
	SCOPED(str_done) struct str name = {0};
	const struct rule *rule = find_rule(r);
	json_t *j;

	if (r->kind == RULE_DEFAULT_DENY)
		return json_null();
	policy_format_name(&name, r->policy[0]);
	j = json_pack("{s:s, s:s, s:s, s:i, s:s, s:i}", "policy", str_text(&name), "path", r->path,
		"file", r->origin.file, "line", r->origin.line, "tier",
		tier_name(r->policy[0]->tier), "priority", (int)r->policy[0]->priority);
	if (rule && r->policy[0]->tier == TIER_NORMAL && rule->order != RULE_UNORDERED)
		(void)json_object_set_new(j, "order", json_integer(rule->order));
	return j;
}

static json_t *side_json(const struct explain_side *s)
{
	bool denies = s->because == BECAUSE_DEFAULT_DENY || s->because == BECAUSE_DENY_RULE;
	json_t *j;

	if (!s->is_judged)
		return json_null();
	j = json_pack("{s:s, s:s, s:o}", "verdict", denies ? "deny" : "allow", "because",
		because_name(s->because), "rule", s->rule ? rule_json(s->rule) : json_null());
	if (s->because != BECAUSE_DEFAULT_DENY)
		return j;
	(void)json_object_set_new(j, "policies", s->rule ? policies_json(s->rule) : json_array());
	(void)json_object_set_new(j, "nearest", near_json(&s->near));
	return j;
}

json_t *explanation_json(const struct explanation *x)
{
	SCOPED(str_done) struct str traffic = {0}, text = {0};
	json_t *j;

	traffic_format(&traffic, &x->traffic);
	explanation_write(&text, x, "");
	j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s}", "from", x->from.name, "to",
		x->to.name, "port", str_text(&traffic), "family", family_name(x->family), "verdict",
		scenario_verdict_name(x->verdict), "because", because_name(x->because), "egress",
		side_json(&x->side[POLICY_EGRESS]), "ingress", side_json(&x->side[POLICY_INGRESS]),
		"text", str_text(&text));
	if (x->because == BECAUSE_DROPPED)
		(void)json_object_set_new(j, "reason", json_string(drop_reason_text(x->reason)));
	return j;
}
