/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings about policies, one by one and together. Called by `kilim policy validate`. Owns
 * nothing. Must hold: nothing is told of a rule that is certainly in order; what depends on who
 * there is is only told when that is known.
 */
#include "policy/lint.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cover.h"
#include "policy/object.h"
#include "policy/party.h"

enum { DNS_PORT = 53 };

struct linter {
	const struct policy_set *set;
	const struct lint_options *options;
	struct findings *out;
};

/* --- telling --------------------------------------------------------------------------------- */

/* spec.ingress[0]; the name of a rule, which stands behind its path, is no field. */
static void add_field(struct str *out, const struct rule *r)
{
	size_t len = strcspn(r->path, " ");

	str_add(out, str_has_prefix(r->path, "specs[") ? "" : "spec.");
	str_addn(out, r->path, len);
}

static void tell(const struct linter *t, enum finding_severity severity, const struct origin *o,
	const char *field, const struct str *text)
{
	findings_add(t->out, severity, o->file ? o->file : "", o->line, o->column ? o->column : 1,
		field, str_text(text));
}

static void tell_rule(const struct linter *t, const struct rule *r, const char *below,
	enum finding_severity severity, const struct str *text)
{
	SCOPED(str_done) struct str field = {0};

	add_field(&field, r);
	str_add(&field, below);
	tell(t, severity, &r->origin, str_text(&field), text);
}

/* spec.endpointSelector of a policy with one spec, specs[1].endpointSelector. */
static void tell_spec(const struct linter *t, const struct policy *p, size_t index,
	const char *below, enum finding_severity severity, const struct str *text)
{
	SCOPED(str_done) struct str field = {0};

	if (p->specs > 1)
		str_printf(&field, "specs[%zu]%s", index, below);
	else
		str_printf(&field, "spec%s", below);
	tell(t, severity, &p->spec[index].origin, str_text(&field), text);
}

static const char *subject_field(const struct policy *p)
{
	return p->tier != TIER_NORMAL             ? ".subject"
	       : str_eq(p->kind, "NetworkPolicy") ? ".podSelector"
						  : ".endpointSelector";
}

/* CiliumNetworkPolicy/x/web ingress[0] (web.yaml:7) */
static void add_rule(struct str *out, const struct lint_rule *r)
{
	policy_format_name(out, r->policy);
	str_printf(out, " %s (%s:%d)", r->rule->path, r->rule->origin.file, r->rule->origin.line);
}

/* --- rules that decide nothing --------------------------------------------------------------- */

static void useless_rules(const struct linter *t)
{
	SCOPED(freep) struct lint_pair *pair = NULL;
	size_t count = lint_useless_rules(t->set, &pair);

	for (size_t i = 0; i < count; i++) {
		const struct lint_pair *x = &pair[i];
		bool allows = x->rule.rule->action == ACTION_ALLOW;
		SCOPED(str_done) struct str text = {0};

		switch (x->why) {
		case LINT_OVERRULED:
			str_printf(&text, "%s nothing: ", allows ? "allows" : "decides");
			add_rule(&text, &x->by);
			str_printf(&text,
				" %s all of it, and goes before it; remove one of the two, "
				"or narrow the other",
				x->by.rule->action == ACTION_DENY    ? "denies"
				: x->by.rule->action == ACTION_ALLOW ? "allows"
								     : "passes");
			break;
		case LINT_UNREACHABLE:
			str_add(&text, "is never reached: ");
			add_rule(&text, &x->by);
			str_add(&text,
				" comes first and fits all of it; remove it, or put it in front");
			break;
		case LINT_DUPLICATE:
			str_add(&text, "adds nothing: ");
			add_rule(&text, &x->by);
			str_add(&text, " says all of it; remove one of the two");
			break;
		}
		tell_rule(t, x->rule.rule, "", FINDING_WARNING, &text);
	}
}

/* --- selectors and peers --------------------------------------------------------------------- */

static void add_requirement(struct str *out, const struct requirement *q)
{
	const struct selector one = {(struct requirement *)q, 1};

	selector_format(out, &one);
}

/* What contradicts itself in a selector, if something does. */
static bool find_conflict(struct str *out, const struct selector *s, bool *ret_certain)
{
	const struct requirement *other, *q = selector_conflict(s, false, &other);

	*ret_certain = q;
	if (!q)
		q = selector_conflict(s, true, &other);
	if (!q)
		return false;
	str_add(out, "asks for ");
	add_requirement(out, q);
	str_add(out, " and ");
	add_requirement(out, other);
	str_add(out, *ret_certain ? ", which nobody has both; remove one of the two"
				  : ", which only an endpoint with labels of two sources has both; "
				    "remove one of the two");
	return true;
}

static bool matches_somebody(const struct linter *t, const struct selector *s, bool endpoints)
{
	const struct identity_info *n;
	size_t cursor = 0;

	while ((n = identities_next(t->options->identities, &cursor))) {
		if ((!endpoints || identity_is_endpoint(n)) && selector_matches(s, &n->labels))
			return true;
	}
	return false;
}

static void check_peer_selector(const struct linter *t, const struct rule *r, const struct peer *p,
	const struct selector *s)
{
	SCOPED(str_done) struct str text = {0};
	bool certain;

	if (find_conflict(&text, s, &certain)) {
		tell_rule(t, r, "", certain ? FINDING_WARNING : FINDING_HINT, &text);
		return;
	}
	if (!t->options->identities || p->kind != PEER_SELECTOR || !s->count ||
		selector_has_source(s, "reserved") || matches_somebody(t, s, false))
		return;
	str_add(&text, "the selector ");
	selector_format(&text, s);
	str_add(&text, " means nobody that there is; compare it with the labels of the endpoints");
	tell_rule(t, r, "", FINDING_WARNING, &text);
}

static void check_prefix(const struct linter *t, const struct rule *r, const struct peer *p,
	const struct prefix *prefix)
{
	char text[ADDR_TEXT], range[ADDR_TEXT];
	SCOPED(str_done) struct str out = {0};

	if (peer_excepts_all(p, prefix)) {
		str_printf(&out, "the excepts take away all of %s; remove the CIDR, or except less",
			prefix_format(prefix, text));
		tell_rule(t, r, "", FINDING_WARNING, &out);
		return;
	}
	for (size_t i = 0; !(p->reach & PREFIX_PODS) && i < t->options->ranges; i++) {
		if (!prefix_contains(&t->options->range[i], prefix))
			continue;
		str_add(&out, prefix_format(prefix, text));
		if (prefix_compare(&t->options->range[i], prefix))
			str_printf(&out, " is inside %s, which",
				prefix_format(&t->options->range[i], range));
		str_printf(&out, " is of pods or nodes, and here a CIDR never means these; use %s",
			r->direction == POLICY_INGRESS ? "fromEndpoints or fromNodes"
						       : "toEndpoints or toNodes");
		tell_rule(t, r, "", FINDING_WARNING, &out);
		return;
	}
}

static void check_peers(const struct linter *t, const struct rule *r)
{
	for (size_t i = 0; i < r->peers; i++) {
		const struct peer *p = &r->peer[i];

		for (size_t k = 0; k < p->selectors; k++)
			check_peer_selector(t, r, p, &p->selector[k]);
		for (size_t k = 0; p->kind == PEER_PREFIX && k < p->prefixes; k++)
			check_prefix(t, r, p, &p->prefix[k]);
	}
}

/* --- ports ----------------------------------------------------------------------------------- */

static bool has_port(const struct identity_info *n, const struct port_range *wanted)
{
	for (size_t i = 0; i < n->ports; i++) {
		if (str_eq(n->port[i].name, wanted->name) &&
			(!wanted->protocol || wanted->protocol == n->port[i].protocol))
			return true;
	}
	return false;
}

/* A port's name is looked for where it would be looked up: on the subjects, or on any peer. */
static void check_names(const struct linter *t, const struct policy_spec *s, const struct rule *r)
{
	for (size_t i = 0; t->options->identities && i < r->ports; i++) {
		SCOPED(str_done) struct str text = {0};
		const struct identity_info *n;
		bool found = !r->port[i].name;
		size_t cursor = 0;

		while (!found && (n = identities_next(t->options->identities, &cursor)))
			found = has_port(n, &r->port[i]) &&
				(r->direction == POLICY_EGRESS ||
					selector_matches(&s->subject, &n->labels));
		if (found)
			continue;
		str_printf(&text,
			"no endpoint %scalls a port \"%s\"; use a number, or the name that it has",
			r->direction == POLICY_INGRESS ? "that is selected " : "", r->port[i].name);
		tell_rule(t, r, "", FINDING_WARNING, &text);
	}
}

/* --- DNS ------------------------------------------------------------------------------------- */

static bool may_allow_dns(const struct rule *r)
{
	if (r->direction != POLICY_EGRESS || r->action != ACTION_ALLOW || rule_is_nobody(r))
		return false;
	for (size_t i = 0; i < r->ports; i++) {
		const struct port_range *p = &r->port[i];
		bool fits =
			!p->protocol || p->protocol == IPPROTO_UDP || p->protocol == IPPROTO_TCP;

		if (fits && (p->name || (p->first <= DNS_PORT && DNS_PORT <= p->last)))
			return true;
	}
	return !r->ports;
}

/* Some policy that may select the same endpoints allows DNS to somebody. */
static bool dns_is_allowed(const struct linter *t, const struct policy_spec *of)
{
	for (size_t i = 0; i < t->set->count; i++) {
		const struct policy *p = &t->set->policy[i];

		for (size_t k = 0; k < p->specs; k++) {
			const struct policy_spec *s = &p->spec[k];

			for (size_t n = 0; n < s->rules; n++) {
				if (may_allow_dns(&s->rule[n]) &&
					!selectors_disjoint(&s->subject, &of->subject))
					return true;
			}
		}
	}
	return false;
}

static bool allows_something(const struct policy_spec *s)
{
	for (size_t i = 0; i < s->rules; i++) {
		const struct rule *r = &s->rule[i];

		if (r->direction == POLICY_EGRESS && r->action == ACTION_ALLOW &&
			!rule_is_nobody(r))
			return true;
	}
	return false;
}

static void check_dns(const struct linter *t, const struct policy *p, size_t index)
{
	const struct policy_spec *s = &p->spec[index];
	SCOPED(str_done) struct str text = {0};

	if (p->tier != TIER_NORMAL || !s->default_deny[POLICY_EGRESS] || !allows_something(s) ||
		dns_is_allowed(t, s))
		return;
	str_add(&text,
		"denies egress by default, and no policy allows DNS (port 53); allow 53/UDP and "
		"53/TCP to the DNS server, unless no names are used");
	tell_spec(t, p, index, ".egress", FINDING_HINT, &text);
}

/* --- policies -------------------------------------------------------------------------------- */

/* {} says nothing and is there to deny by default; a rule that only seems to say something is
 * not. */
static void check_nobody(const struct linter *t, const struct policy *p, size_t index)
{
	const struct policy_spec *s = &p->spec[index];
	bool denies = p->tier == TIER_NORMAL &&
		      (s->default_deny[POLICY_INGRESS] || s->default_deny[POLICY_EGRESS]);
	SCOPED(str_done) struct str text = {0};
	size_t blank = 0;

	for (size_t i = 0; i < s->rules; i++) {
		if (!rule_is_nobody(&s->rule[i]))
			return;
		blank += s->rule[i].is_blank;
	}
	if (blank == s->rules)
		return;
	str_printf(&text, "every rule means nobody, so it %s; say whom they mean",
		denies ? "only denies by default" : "does nothing");
	tell_spec(t, p, index, "", FINDING_WARNING, &text);
}

static void check_subject(const struct linter *t, const struct policy *p, size_t index)
{
	const struct selector *s = &p->spec[index].subject;
	SCOPED(str_done) struct str text = {0};
	bool certain;

	if (find_conflict(&text, s, &certain)) {
		tell_spec(t, p, index, subject_field(p), certain ? FINDING_WARNING : FINDING_HINT,
			&text);
	} else if (t->options->identities && !matches_somebody(t, s, true)) {
		str_add(&text, "selects no endpoint that there is; compare it with their labels");
		tell_spec(t, p, index, subject_field(p), FINDING_WARNING, &text);
	}
}

static void check_spec(const struct linter *t, const struct policy *p, size_t index)
{
	const struct policy_spec *s = &p->spec[index];

	check_subject(t, p, index);
	check_nobody(t, p, index);
	check_dns(t, p, index);
	for (size_t i = 0; i < s->rules; i++) {
		check_peers(t, &s->rule[i]);
		check_names(t, s, &s->rule[i]);
	}
}

static int by_order(const void *pa, const void *pb)
{
	const struct policy *const *a = pa, *const *b = pb;
	int r = policy_order(*a, *b);

	return r ? r : (*a > *b) - (*a < *b);
}

/* Of two policies of one name only one counts, so that is a mistake and not only odd. */
static void check_names_twice(const struct linter *t)
{
	SCOPED(freep) const struct policy **p = mem_array(t->set->count, sizeof(struct policy *));

	for (size_t i = 0; i < t->set->count; i++)
		p[i] = &t->set->policy[i];
	if (t->set->count)
		qsort(p, t->set->count, sizeof(struct policy *), by_order);
	for (size_t i = 1; i < t->set->count; i++) {
		SCOPED(str_done) struct str text = {0};

		if (policy_order(p[i - 1], p[i]))
			continue;
		policy_format_name(&text, p[i]);
		str_printf(&text, " is in %s:%d, too; rename one of the two", p[i - 1]->origin.file,
			p[i - 1]->origin.line);
		tell(t, FINDING_ERROR, &p[i]->origin, "metadata.name", &text);
	}
}

void lint(const struct policy_set *set, const struct lint_options *o, struct findings *ret)
{
	const struct linter t = {set, o, ret};

	check_names_twice(&t);
	useless_rules(&t);
	for (size_t i = 0; i < set->count; i++) {
		for (size_t k = 0; k < set->policy[i].specs; k++)
			check_spec(&t, &set->policy[i], k);
	}
}
