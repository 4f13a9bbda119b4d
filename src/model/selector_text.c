/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads selectors that people type. Called for the label filters of flows and of the API. The text
 * comes from outside. Must hold: what is not understood is refused, never ignored; the result lives
 * in the caller's arena only.
 */
#include "model/selector_text.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum { REQUIREMENTS_MAX = 100, VALUES_MAX = 1000 };

struct scan {
	struct arena *mem;
	const char *text, *at;
	struct err *e;
};

static int refuse(const struct scan *s, const char *what)
{
	if (!*s->at)
		return err_set(
			s->e, -EINVAL, "label selector \"%.200s\": %s at its end", s->text, what);
	return err_set(
		s->e, -EINVAL, "label selector \"%.200s\": %s at \"%.40s\"", s->text, what, s->at);
}

static void skip_blanks(struct scan *s)
{
	while (isspace((unsigned char)*s->at))
		s->at++;
}

/* The next run of characters that mean nothing else; "" for none. */
static const char *take_word(struct scan *s)
{
	size_t len;
	char *word;

	skip_blanks(s);
	len = strcspn(s->at, "=!,()<> \t\r\n\v\f");
	word = arena_alloc(s->mem, len + 1);
	memcpy(word, s->at, len);
	s->at += len;
	skip_blanks(s);
	return word;
}

static bool take(struct scan *s, const char *token)
{
	skip_blanks(s);
	if (strncmp(s->at, token, strlen(token)))
		return false;
	s->at += strlen(token);
	return true;
}

/* The operator words must end where a word ends: "key inside" is no "key in". */
static bool take_operator(struct scan *s, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(s->at, word, len) || (s->at[len] != '(' && !isspace((unsigned char)s->at[len])))
		return false;
	s->at += len;
	return true;
}

static int parse_key(struct scan *s, struct requirement *q)
{
	const char *word = take_word(s);
	int r;

	if (!*word)
		return refuse(s, "a label key is missing");
	r = label_parse(s->mem, word, "any", &q->key, s->e);
	return r < 0 ? r : 0;
}

static int parse_values(struct scan *s, struct requirement *q)
{
	const char *values[VALUES_MAX];
	size_t count = 0;

	if (!take(s, "("))
		return refuse(s, "\"(\" is missing");
	do {
		if (count == VALUES_MAX)
			return refuse(s, "too many values");
		values[count++] = take_word(s);
	} while (take(s, ","));
	if (!take(s, ")"))
		return refuse(s, "\")\" is missing");
	q->values = count;
	q->value = arena_array(s->mem, count, sizeof(*q->value));
	memcpy(q->value, values, count * sizeof(*q->value));
	return 0;
}

static int parse_one_value(struct scan *s, struct requirement *q, enum selector_op op)
{
	q->op = op;
	q->values = 1;
	q->value = arena_array(s->mem, 1, sizeof(*q->value));
	q->value[0] = take_word(s);
	return 0;
}

static int parse_requirement(struct scan *s, struct requirement *q)
{
	bool is_absent = take(s, "!");
	int r = parse_key(s, q);

	q->op = is_absent ? SELECTOR_DOES_NOT_EXIST : SELECTOR_EXISTS;
	if (r < 0 || is_absent || !*s->at || *s->at == ',')
		return r;
	if (take(s, "!="))
		return parse_one_value(s, q, SELECTOR_NOT_IN);
	if (take(s, "==") || take(s, "="))
		return parse_one_value(s, q, SELECTOR_IN);
	if (*s->at == '<' || *s->at == '>')
		return refuse(s, "< and > are not supported; use in (...)");
	q->op = SELECTOR_IN;
	if (take_operator(s, "in"))
		return parse_values(s, q);
	q->op = SELECTOR_NOT_IN;
	if (take_operator(s, "notin"))
		return parse_values(s, q);
	return refuse(s, "expected =, ==, !=, in or notin");
}

int selector_parse(struct arena *mem, const char *text, struct selector *ret, struct err *e)
{
	struct scan s = {mem, text, text, e};
	struct requirement list[REQUIREMENTS_MAX] = {0};
	size_t count = 0;

	skip_blanks(&s);
	while (*s.at) {
		int r;

		if (count == REQUIREMENTS_MAX)
			return refuse(&s, "too many requirements");
		r = parse_requirement(&s, &list[count++]);
		if (r < 0)
			return r;
		skip_blanks(&s);
		if (!*s.at)
			break;
		if (!take(&s, ","))
			return refuse(&s, "expected a comma");
		skip_blanks(&s);
		if (!*s.at)
			return refuse(&s, "nothing follows the comma");
	}
	ret->count = count;
	ret->requirement = arena_array(mem, count, sizeof(*list));
	memcpy(ret->requirement, list, count * sizeof(*list));
	return 0;
}
