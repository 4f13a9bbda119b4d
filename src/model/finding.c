/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of findings. Called by the parsers of policies when all mistakes are wanted, and by
 * policy/lint. Owns their texts. Must hold: every finding says what to do.
 */
#include "model/finding.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* What to do where the text does not say it: what the message begins with, or has inside. */
static const struct {
	const char *text, *hint;
} advice[] = {
	{"while parsing", "correct the YAML: look at indentation, brackets and quotes"},
	{"while scanning", "correct the YAML: look at indentation, brackets and quotes"},
	{"did not find", "correct the YAML: look at indentation, brackets and quotes"},
	{"No such file", "look at the path"},
	{"is no name", "rename it"},
	{"expected an object", "give it apiVersion and kind, or move it out of these files"},
	{"expected a mapping", "write fields below it: {key: value}"},
	{"expected a list", "write items: a line with \"- \" for each"},
	{"expected a string", "put it in quotes"},
	{"expected an integer", "write a number without quotes"},
	{"expected true or false", "write true or false without quotes"},
	{"expected", "write what is expected"},
	{"is missing", "add it"},
	{"is empty", "fill it in, or leave the field out"},
	{"needs exactly one of", "keep one of them"},
	{"needs one of", "add one of them"},
	{"cannot be combined", "leave one of the two out, or write two rules"},
	{"is longer than", "shorten it"},
	{"items where at most", "divide them among several rules"},
	{"is not inside", "an except takes away from the CIDR beside it: name a part of that"},
	{"is not in ", "use a number of this range"},
	{"in a list of", "give it a document of its own"},
	{"is no label", "see the rules for labels of Kubernetes"},
	{"is no CIDR", "write an address, a slash and a length"},
	{"is for egress only", "move it to an egress rule"},
	{"are for egress only", "move them to an egress rule"},
};

static const char *advice_for(const char *message)
{
	for (size_t i = 0; i < ARRAY_SIZE(advice); i++) {
		if (strstr(message, advice[i].text))
			return advice[i].hint;
	}
	return "see doc/policy-language.md for what may stand here";
}

void findings_add(struct findings *l, enum finding_severity severity, const char *file, int line,
	int column, const char *field, const char *text)
{
	char *message;
	char *hint;

	if (l->count >= FINDINGS_MAX)
		return;
	message = arena_strdup(&l->mem, text);
	hint = strstr(message, "; ");
	if (hint) {
		*hint = 0;
		hint += 2;
	}
	mem_grow(&l->finding, &l->room, l->count + 1, sizeof(*l->finding));
	l->finding[l->count++] = (struct finding){severity, arena_strdup(&l->mem, file), line,
		column, arena_strdup(&l->mem, field), message, hint ? hint : advice_for(message)};
}

static int finding_order(const struct finding *a, const struct finding *b)
{
	int r = strcmp(a->file, b->file);

	r = r ? r : (a->line > b->line) - (a->line < b->line);
	return r ? r : (a->column > b->column) - (a->column < b->column);
}

/* Merge sort: equal ones stay as they are. */
static void sort(struct finding *at, size_t count, struct finding *scratch)
{
	size_t half = count / 2, i = 0, k = half;

	if (count < 2)
		return;
	sort(at, half, scratch);
	sort(at + half, count - half, scratch);
	for (size_t n = 0; n < count; n++) {
		bool first = k == count || (i < half && finding_order(&at[i], &at[k]) <= 0);

		scratch[n] = first ? at[i++] : at[k++];
	}
	memcpy(at, scratch, count * sizeof(*at));
}

void findings_sort(struct findings *l)
{
	SCOPED(freep) struct finding *scratch = mem_array(l->count, sizeof(*scratch));

	sort(l->finding, l->count, scratch);
}

void findings_done(struct findings *l)
{
	free(l->finding);
	arena_done(&l->mem);
	*l = (struct findings){0};
}

const char *finding_severity_name(enum finding_severity s)
{
	static const char *const names[] = {"hint", "warning", "error"};

	return names[s];
}
