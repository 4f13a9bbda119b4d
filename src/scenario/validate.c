/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of policies to findings. Called by `kilim policy validate`. Owns nothing beyond a
 * validation. Must hold: what the agent refuses is an error here, with the same words; a mistake
 * in one document hides none in another.
 */
#include "scenario/validate.h"

#include <stdlib.h>
#include <string.h>

/* "FILE:LINE:COLUMN: TEXT" of an error as a finding. */
static void add_error(struct validation *v, const char *file, const struct err *e)
{
	const char *text = e->text;
	long line = 1, column = 1;
	char *end;

	if (str_has_prefix(text, file) && text[strlen(file)] == ':') {
		text += strlen(file) + 1;
		line = strtol(text, &end, 10);
		column = *end == ':' ? strtol(end + 1, &end, 10) : 1;
		text = *end == ':' ? end + 1 + (end[1] == ' ') : end;
	}
	findings_add(&v->findings, FINDING_ERROR, file, line > 0 ? (int)line : 1,
		column > 0 ? (int)column : 1, "", text);
}

static void read_documents(struct validation *v, const char *file, const struct yaml_docs *docs)
{
	for (size_t i = 0; i < docs->count; i++) {
		const struct yaml_doc *doc = &docs->doc[i];
		struct err e = {0};

		if (policy_is_kind(doc->root))
			policy_parse_all(&v->set, &v->context, file, doc, &v->findings);
		else if (policy_check_other(file, doc, &e) < 0)
			add_error(v, file, &e);
	}
}

static bool read_yaml(
	struct validation *v, const char *file, const char *text, size_t len, struct err *e)
{
	SCOPED(yaml_docs_done) struct yaml_docs docs = {0};

	if (yaml_parse(file, text, len, &docs, e) < 0)
		return false;
	read_documents(v, file, &docs);
	return true;
}

/* Where the line behind the next "---" begins, or the end. */
static size_t next_document(const char *text, size_t len, size_t at)
{
	while (at < len) {
		const char *newline = memchr(text + at, '\n', len - at);

		if (!newline)
			return len;
		at = (size_t)(newline - text) + 1;
		if (len - at >= 3 && !memcmp(text + at, "---", 3))
			return at;
	}
	return len;
}

/* Each document by itself, with empty lines in front so that places stay what they are. "---" at
 * the beginning of a line divides documents wherever it stands. */
static void read_one_by_one(struct validation *v, const char *file, const char *text, size_t len)
{
	SCOPED(str_done) struct str one = {0};

	for (size_t at = 0, end; at < len; at = end) {
		size_t lines = one.len;
		struct err e = {0};

		end = next_document(text, len, at);
		str_addn(&one, text + at, end - at);
		if (!read_yaml(v, file, str_text(&one), one.len, &e))
			add_error(v, file, &e);
		one.len = lines;
		for (size_t i = at; i < end; i++) {
			if (text[i] == '\n')
				str_add(&one, "\n");
		}
	}
}

void validate_text(struct validation *v, const char *file, const char *text, size_t len)
{
	struct err e = {0};

	v->files++;
	if (!read_yaml(v, file, text, len, &e))
		read_one_by_one(v, file, text, len);
}

void validate_policies(struct validation *v, const struct lint_options *o)
{
	lint(&v->set, o, &v->findings);
	findings_sort(&v->findings);
}

void validation_done(struct validation *v)
{
	policy_set_done(&v->set);
	findings_done(&v->findings);
}

size_t findings_count(const struct findings *l, enum finding_severity s)
{
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += l->finding[i].severity == s;
	return n;
}

void findings_write(struct str *out, const struct findings *l)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct finding *f = &l->finding[i];
		SCOPED(str_done) struct str line = {0};

		str_printf(&line, "%s:%d:%d: %s: %s%s%s; %s", f->file, f->line, f->column,
			finding_severity_name(f->severity), f->field, *f->field ? ": " : "",
			f->message, f->hint);
		str_add_printable(out, str_text(&line));
		str_add(out, "\n");
	}
}

json_t *findings_json(const struct findings *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->count; i++) {
		const struct finding *f = &l->finding[i];

		(void)json_array_append_new(
			list, json_pack("{s:s, s:s, s:i, s:i, s:s, s:s, s:s}", "severity",
				      finding_severity_name(f->severity), "file", f->file, "line",
				      f->line, "column", f->column, "field", f->field, "message",
				      f->message, "hint", f->hint));
	}
	return list;
}
