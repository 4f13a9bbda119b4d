/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads assertions and writes what became of them. Called by `kilim policy invariants`, by
 * scenarios that have some, and by the agent. Owns nothing. Must hold: a counterexample names both
 * ends by their labels and each direction's rule with its place.
 */
#include "scenario/invariants.h"

#include <errno.h>

#include "base/fd.h"
#include "scenario/explain.h"

enum { INVARIANTS_BYTES_MAX = 4 << 20 };

#define INDENT "        "

int invariants_read_text(
	struct invariants *l, const char *file, const char *text, size_t len, struct err *e)
{
	SCOPED(yaml_docs_done) struct yaml_docs docs = {0};
	int r = yaml_parse(file, text, len, &docs, e);

	for (size_t i = 0; !r && i < docs.count; i++)
		r = invariants_parse(l, file, &docs.doc[i], e);
	return r;
}

int invariants_read(struct invariants *l, const char *path, struct err *e)
{
	SCOPED(freep) char *text = NULL;
	size_t len;
	int r = fd_read_file(path, INVARIANTS_BYTES_MAX, &text, &len, e);

	return r < 0 ? r : invariants_read_text(l, path, text, len, e);
}

void invariant_format(struct str *out, const struct invariant *i)
{
	str_printf(out, "%s %s", i->always ? "always" : "never", i->name);
}

/* 203.0.113.0/24; x/app=web,tier=front; reserved:host. */
static void format_identity(struct str *out, const struct identity_info *n)
{
	const struct label *namespace = labels_find(&n->labels, "k8s", LABEL_NAMESPACE);
	char text[ADDR_TEXT];
	bool first = true;

	if (n->is_prefix) {
		str_add(out, prefix_format(&n->prefix, text));
		return;
	}
	if (namespace)
		str_printf(out, "%s/", namespace->value);
	for (size_t i = 0; i < n->labels.count; i++) {
		const struct label *l = &n->labels.label[i];
		bool is_k8s = str_eq(l->source, "k8s");

		/* what only kilim says follows from the namespace */
		if (is_k8s && label_is_authority(l))
			continue;
		str_printf(out, "%s%s%s%s%s%s", first ? "" : ",", is_k8s ? "" : l->source,
			is_k8s ? "" : ":", l->key, *l->value ? "=" : "", l->value);
		first = false;
	}
	if (first)
		str_add(out, "no labels");
}

static void format_end(struct str *out, const struct invariant_view *v, uint32_t number)
{
	const struct identity_info *n = identity_find(v->identities, number);

	if (n)
		format_identity(out, n);
	str_printf(out, " (identity %u)", number);
}

/* allowed by CiliumNetworkPolicy/x/web ingress[0] (web.yaml:7) */
static void format_side(struct str *out, const struct invariant_view *v,
	const struct invariant_result *r, enum policy_direction d)
{
	const struct decision *by = &r->decision[d];
	const struct rule_info *rule = compiled_rule(v->compiled, by->rule);

	if (!r->judged[d]) {
		str_add(out, "not judged here");
		return;
	}
	str_add(out, by->verdict == POLICY_ALLOW ? "allowed" : "denied");
	if (!rule) {
		str_add(out, ": no policy decides it");
		return;
	}
	str_add(out, " by ");
	explain_format_rule(out, rule);
	if (rule->origin.file)
		str_printf(out, " (%s:%d)", rule->origin.file, rule->origin.line);
}

static void format_traffic(struct str *out, const struct invariant_result *r)
{
	traffic_format(out, &(struct traffic){r->protocol, r->port});
}

static const char *finding(const struct invariant *i)
{
	return i->always ? "is denied" : "is allowed";
}

void invariant_describe(struct str *out, const struct invariant_view *v, const struct invariant *i,
	const struct invariant_result *r)
{
	str_printf(out, "%s:%d: invariant ", i->origin.file, i->origin.line);
	invariant_format(out, i);
	str_add(out, " is broken: ");
	format_traffic(out, r);
	str_add(out, " from ");
	format_end(out, v, r->from);
	str_add(out, " to ");
	format_end(out, v, r->to);
	str_printf(out, " %s", finding(i));
	for (size_t k = POLICY_DIRECTIONS; k-- > 0;) {
		if (!r->judged[k])
			continue;
		str_printf(out, "; %s ", k == POLICY_INGRESS ? "ingress" : "egress");
		format_side(out, v, r, (enum policy_direction)k);
	}
}

void invariant_write(struct str *out, const struct invariant_view *v, const struct invariant *i,
	const struct invariant_result *r, const char *indent)
{
	if (!r->broken)
		return;
	str_add(out, indent);
	format_traffic(out, r);
	str_printf(out, " %s\n%sfrom     ", finding(i), indent);
	format_end(out, v, r->from);
	str_printf(out, "\n%sto       ", indent);
	format_end(out, v, r->to);
	for (size_t k = POLICY_DIRECTIONS; k-- > 0;) {
		str_printf(out, "\n%s%-9s", indent, k == POLICY_INGRESS ? "ingress" : "egress");
		format_side(out, v, r, (enum policy_direction)k);
	}
	str_add(out, "\n");
}

/* --- JSON ------------------------------------------------------------------------------------ */

static json_t *end_json(const struct invariant_view *v, uint32_t number)
{
	const struct identity_info *n = identity_find(v->identities, number);
	json_t *labels = json_array(),
	       *j = json_pack("{s:I, s:o}", "identity", (json_int_t)number, "labels", labels);
	char text[ADDR_TEXT];

	for (size_t i = 0; n && i < n->labels.count; i++) {
		SCOPED(str_done) struct str label = {0};

		label_format(&label, &n->labels.label[i]);
		(void)json_array_append_new(labels, json_string(str_text(&label)));
	}
	if (n && n->is_prefix)
		(void)json_object_set_new(
			j, "prefix", json_string(prefix_format(&n->prefix, text)));
	return j;
}

static json_t *side_json(
	const struct invariant_view *v, const struct invariant_result *r, enum policy_direction d)
{
	const struct rule_info *rule = compiled_rule(v->compiled, r->decision[d].rule);
	SCOPED(str_done) struct str name = {0}, place = {0};
	json_t *j;

	if (!r->judged[d])
		return json_null();
	j = json_pack(
		"{s:s}", "verdict", r->decision[d].verdict == POLICY_ALLOW ? "allow" : "deny");
	if (!rule)
		return j;
	explain_format_rule(&name, rule);
	(void)json_object_set_new(j, "rule", json_string(str_text(&name)));
	if (rule->origin.file) {
		str_printf(&place, "%s:%d", rule->origin.file, rule->origin.line);
		(void)json_object_set_new(j, "place", json_string(str_text(&place)));
	}
	return j;
}

json_t *invariant_json(
	const struct invariant_view *v, const struct invariant *i, const struct invariant_result *r)
{
	SCOPED(str_done) struct str traffic = {0}, text = {0};
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:i}", "name", i->name, "assertion",
		i->always ? "always" : "never", "mode", i->warns ? "warn" : "refuse", "state",
		r->broken ? "broken" : "ok", "pairs", (json_int_t)r->pairs, "file", i->origin.file,
		"line", i->origin.line);

	if (!r->broken)
		return j;
	format_traffic(&traffic, r);
	invariant_write(&text, v, i, r, INDENT);
	(void)json_object_set_new(j, "counterexample",
		json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s}", "traffic", str_text(&traffic),
			"verdict", i->always ? "deny" : "allow", "from", end_json(v, r->from), "to",
			end_json(v, r->to), "egress", side_json(v, r, POLICY_EGRESS), "ingress",
			side_json(v, r, POLICY_INGRESS), "text", str_text(&text)));
	return j;
}
