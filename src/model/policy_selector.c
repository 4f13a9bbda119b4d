/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LabelSelector objects to requirements. Called by the other model/policy*.c. Owns nothing beside
 * what it puts into the set's arena. Must hold: keys that say where a workload belongs always get
 * source k8s, whatever spelling a policy uses, so that no label that a workload brings can stand
 * for them (lessons A).
 */
#include "model/policy_walk.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "codec/json.h"

static const struct {
	const char *name;
	enum selector_op op;
} operators[] = {{"In", SELECTOR_IN}, {"NotIn", SELECTOR_NOT_IN}, {"Exists", SELECTOR_EXISTS},
	{"DoesNotExist", SELECTOR_DOES_NOT_EXIST}};

/*
 * The words that may end at a '.' as well as at a ':'. Only in keys without '/': k8s.io/role is a
 * plain name with a domain.
 */
static const char *dotted_source(const char *key, const char **ret_rest)
{
	static const char *const words[] = {"k8s", "any", "reserved"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = strlen(words[i]);

		if (!strncmp(key, words[i], len) && key[len] == '.' && key[len + 1] &&
			!strchr(key, '/')) {
			*ret_rest = key + len + 1;
			return words[i];
		}
	}
	return NULL;
}

static bool is_name(const char *s, size_t len, const char *also)
{
	if (!len || !isalnum((unsigned char)s[0]) || !isalnum((unsigned char)s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)s[i]) && !strchr(also, s[i]))
			return false;
	}
	return true;
}

/* Kubernetes' rule for keys: an optional DNS name and '/', then at most 63 of [A-Za-z0-9._-]. */
static bool is_kubernetes_key(const char *key)
{
	const char *slash = strchr(key, '/'), *name = slash ? slash + 1 : key;

	if (slash && (slash - key > 253 || !is_name(key, (size_t)(slash - key), "-.")))
		return false;
	/* the prefix of namespace labels comes on top of a whole key, hence the slack */
	return strlen(name) <= 253 && is_name(name, strlen(name), "-._");
}

static bool has_kubernetes_keys(const char *source)
{
	return str_eq(source, "any") || str_eq(source, "k8s") || str_eq(source, "node") ||
	       str_eq(source, "cidrgroup");
}

static bool is_value(const char *s)
{
	return !*s || (strlen(s) <= 63 && is_name(s, strlen(s), "-._"));
}

/* What a key without a source means. */
static const char *default_source(const struct walk *w, enum selector_of of)
{
	switch (of) {
	case SELECT_NODES:
		return "node";
	case SELECT_GROUPS:
		return "cidrgroup";
	case SELECT_NAMESPACES:
		return "k8s";
	case SELECT_ENDPOINTS:
		break;
	}
	return w->strict_names ? "k8s" : "any";
}

/* Source and key of a selector's key, as the kind of policy spells it. */
static int parse_key(const struct walk *w, const struct node *at, const char *text,
	enum selector_of of, struct label *ret)
{
	struct label l = {.source = default_source(w, of), .value = ""};
	const char *rest = NULL, *dotted = dotted_source(text, &rest);
	struct err e;

	if (w->strict_names) {
		l.key = arena_printf(w->mem, "%s%s",
			of == SELECT_NAMESPACES ? LABEL_NAMESPACE_LABELS : "", text);
	} else if (dotted) {
		l.source = dotted;
		l.key = arena_strdup(w->mem, rest);
	} else if (strchr(text, '=') || label_parse(w->mem, text, l.source, &l, &e) < 0) {
		return walk_error(w, at, "\"%.100s\" is no label key%s%s", text,
			strchr(text, '=') ? "" : ": ", strchr(text, '=') ? "" : e.text);
	}
	if (has_kubernetes_keys(l.source) && !is_kubernetes_key(l.key))
		return walk_error(w, at, "\"%.100s\" is no label key", text);
	if (str_eq(l.source, "any") &&
		(str_eq(l.key, LABEL_NAMESPACE) || str_has_prefix(l.key, LABEL_KUBERNETES)))
		l.source = "k8s";
	*ret = l;
	return 0;
}

static int parse_value(const struct walk *w, const struct node *n, const char **ret)
{
	const char *s = NULL;
	int r = walk_string(w, n, &s);

	if (r < 0)
		return r;
	if (!s)
		return walk_error(w, n, "expected a string, found null; an empty value is \"\"");
	if (!is_value(s))
		return walk_error(w, n,
			"\"%.100s\" is no label value: at most 63 letters, digits, '-', '_', '.', "
			"with a letter or digit at both ends",
			s);
	*ret = arena_strdup(w->mem, s);
	return 0;
}

/* s has room. */
static int parse_labels(
	const struct walk *w, const struct node *n, enum selector_of of, struct selector *s)
{
	const char *key;
	json_t *value;
	int r = 0;

	if (n->value && !json_is_object(n->value))
		return walk_error(w, n, "expected a mapping, found %s", json_kind(n->value));
	/* the iteration macro wants a mutable object but changes nothing */
	json_object_foreach((json_t *)n->value, key, value)
	{
		struct node at = node_member(n, key);
		struct requirement *q = &s->requirement[s->count++];

		q->op = SELECTOR_IN;
		q->values = 1;
		q->value = arena_array(w->mem, 1, sizeof(*q->value));
		r = WALK_ALSO(w, r, parse_key(w, &at, key, of, &q->key));
		r = WALK_ALSO(w, r, parse_value(w, &at, &q->value[0]));
		if (!walk_on(w, r))
			return r;
	}
	return r;
}

/* Any case is taken for the operator: "in" can mean nothing else. */
static int parse_operator(const struct walk *w, const struct node *n, enum selector_op *ret)
{
	const char *s = NULL;
	int r = walk_string_needed(w, n, &s);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (!strcasecmp(operators[i].name, s)) {
			*ret = operators[i].op;
			return 0;
		}
	}
	return walk_error(
		w, n, "\"%.60s\" is no operator; use In, NotIn, Exists or DoesNotExist", s);
}

static int parse_expression(
	const struct walk *w, const struct node *n, enum selector_of of, struct requirement *q)
{
	static const struct field fields[] = {{"key", NULL}, {"operator", NULL}, {"values", NULL}};
	struct node key = node_member(n, "key"), op = node_member(n, "operator");
	struct node values = node_member(n, "values");
	const char *text = NULL;
	bool wants_values;
	int r;

	if (!n->value)
		return walk_error(w, n, "expected a mapping, found null");
	r = WALK_FIELDS(w, n, fields);
	r = WALK_ALSO(w, r, walk_string_needed(w, &key, &text));
	if (text && *text)
		r = WALK_ALSO(w, r, parse_key(w, &key, text, of, &q->key));
	r = WALK_ALSO(w, r, parse_operator(w, &op, &q->op));
	r = WALK_ALSO(w, r, walk_list(w, &values));
	if (r < 0)
		return r;
	wants_values = q->op == SELECTOR_IN || q->op == SELECTOR_NOT_IN;
	q->values = node_items(&values);
	if (wants_values != (q->values > 0))
		return walk_error(w, &values, "%s with In and NotIn, and only with them",
			wants_values ? "are needed" : "are allowed");
	q->value = arena_array(w->mem, q->values, sizeof(*q->value));
	for (size_t i = 0; i < q->values; i++) {
		struct node item = node_item(&values, i);

		r = WALK_ALSO(w, r, parse_value(w, &item, &q->value[i]));
		if (!walk_on(w, r))
			return r;
	}
	return r;
}

int policy_parse_selector(
	const struct walk *w, const struct node *n, enum selector_of of, struct selector *ret)
{
	static const struct field fields[] = {{"matchLabels", NULL}, {"matchExpressions", NULL}};
	struct node labels = node_member(n, "matchLabels");
	struct node expressions = node_member(n, "matchExpressions");
	struct selector s = {0};
	int r;

	if (!n->value)
		return walk_error(w, n, "expected a mapping, found null; {} selects all");
	r = WALK_FIELDS(w, n, fields);
	r = WALK_ALSO(w, r, walk_list(w, &expressions));
	if (!walk_on(w, r))
		return r;
	s.requirement = arena_array(w->mem,
		json_object_size(labels.value) + node_items(&expressions), sizeof(*s.requirement));
	r = WALK_ALSO(w, r, parse_labels(w, &labels, of, &s));
	for (size_t i = 0; walk_on(w, r) && i < node_items(&expressions); i++) {
		struct node item = node_item(&expressions, i);

		r = WALK_ALSO(w, r, parse_expression(w, &item, of, &s.requirement[s.count++]));
	}
	if (!r)
		*ret = s; /* what is wrong may lack keys */
	return r;
}

int policy_parse_match_labels(
	const struct walk *w, const struct node *n, enum selector_of of, struct selector *ret)
{
	struct selector s = {
		arena_array(w->mem, json_object_size(n->value), sizeof(*s.requirement)), 0};
	int r = parse_labels(w, n, of, &s);

	if (!r)
		*ret = s;
	return r;
}

void policy_join(const struct walk *w, struct selector *a, const struct selector *b)
{
	struct requirement *all = arena_array(w->mem, a->count + b->count, sizeof(*all));

	if (a->count)
		memcpy(all, a->requirement, a->count * sizeof(*all));
	if (b->count)
		memcpy(all + a->count, b->requirement, b->count * sizeof(*all));
	a->requirement = all;
	a->count += b->count;
}

void policy_require(const struct walk *w, struct selector *s, const char *source, const char *key,
	const char *value)
{
	struct requirement q = {.key = {source, key, ""}, .op = SELECTOR_EXISTS};

	if (value) {
		q.op = SELECTOR_IN;
		q.values = 1;
		q.value = arena_array(w->mem, 1, sizeof(*q.value));
		q.value[0] = value;
	}
	policy_join(w, s, &(struct selector){&q, 1});
}

bool selector_has_source(const struct selector *s, const char *source)
{
	for (size_t i = 0; i < s->count; i++) {
		if (str_eq(s->requirement[i].key.source, source))
			return true;
	}
	return false;
}

bool selector_has_key(const struct selector *s, const char *key, bool is_prefix)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct label *k = &s->requirement[i].key;

		if (!str_eq(k->source, "k8s") && !str_eq(k->source, "any"))
			continue;
		if (is_prefix ? str_has_prefix(k->key, key) : str_eq(k->key, key))
			return true;
	}
	return false;
}

int policy_parse_pods(const struct walk *w, const struct node *namespaces, const struct node *pods,
	const char *namespace, struct selector *ret)
{
	struct selector of_pods = {0};
	int r = 0;

	if (namespaces->value)
		r = policy_parse_selector(w, namespaces, SELECT_NAMESPACES, ret);
	if (pods->value)
		r = WALK_ALSO(w, r, policy_parse_selector(w, pods, SELECT_ENDPOINTS, &of_pods));
	if (r < 0)
		return r;
	policy_join(w, ret, &of_pods);
	policy_require(w, ret, "k8s", LABEL_NAMESPACE, namespaces->value ? NULL : namespace);
	return 0;
}
