/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks into and changes the texts of policy sources. Called by api_apply.c and
 * journal.c. Must hold: only
 * stored manifests are changed, never a file of the manifest directory; a text that was rewritten
 * parses as before, without the one policy.
 */
#include "agent/source_edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/yaml.h"

static bool object_is(const json_t *object, const struct policy_name *n)
{
	const json_t *meta = json_object_get(object, "metadata");
	const char *ns = json_string_value(json_object_get(meta, "namespace"));
	bool clusterwide = !*n->namespace;

	return str_eq(json_string_value(json_object_get(object, "kind")), n->kind) &&
	       str_eq(json_string_value(json_object_get(meta, "name")), n->name) &&
	       (clusterwide || str_eq(ns && *ns ? ns : "default", n->namespace));
}

/* The objects of a document: those of a list, or itself. The list is a new reference. */
static json_t *objects_of(json_t *root)
{
	json_t *items = json_object_get(root, "items");

	if (str_has_suffix(json_string_value(json_object_get(root, "kind")), "List") &&
		json_is_array(items))
		return json_incref(items);
	return json_pack("[O]", root);
}

/* Call fn for each object of the text until it returns true. */
static void each_object(
	const struct source_content *c, bool (*fn)(json_t *object, void *data), void *data)
{
	SCOPED(yaml_docs_done)
	struct yaml_docs docs = {0};
	struct err e = {0};

	if (yaml_parse("stored", c->text, c->len, &docs, &e) < 0)
		return;
	for (size_t i = 0; i < docs.count; i++) {
		SCOPED(json_unrefp)
		json_t *list = objects_of(docs.doc[i].root);
		json_t *object;
		size_t j;

		json_array_foreach(list, j, object)
		{
			if (fn(object, data))
				return;
		}
	}
}

struct search {
	const struct policy_name *name;
	json_t *found;
	struct str *rest;
};

static bool on_search(json_t *object, void *data)
{
	struct search *s = data;

	if (!object_is(object, s->name))
		return false;
	/* a copy: the documents are shared with nobody after this */
	s->found = json_deep_copy(object);
	return true;
}

json_t *source_object(const struct source_content *c, const struct policy_name *n)
{
	struct search s = {.name = n};

	each_object(c, on_search, &s);
	return s.found;
}

static bool on_keep(json_t *object, void *data)
{
	struct search *s = data;
	SCOPED(freep)
	char *text = NULL;

	if (object_is(object, s->name))
		return false;
	text = json_text(object);
	str_printf(s->rest, "---\n%s\n", text);
	return false;
}

char *source_text_without(const struct source_content *c, const struct policy_name *n)
{
	struct str rest = {0};
	struct search s = {.name = n, .rest = &rest};

	each_object(c, on_keep, &s);
	return str_take(&rest);
}

/* Remember what the source has before it is changed. */
static void note(
	struct source_change *ch, enum source_kind kind, const char *name, const char *origin)
{
	const struct source *s = sources_find(ch->sources, kind, name);
	struct changed *item;

	mem_grow(&ch->item, &ch->capacity, ch->count + 1, sizeof(*ch->item));
	item = &ch->item[ch->count++];
	*item = (struct changed){
		.kind = kind, .name = mem_strdup(name), .origin = mem_strdup(origin), .was = s};
	if (!s)
		return;
	item->before = source_content_ref(s->content);
	item->error = s->error ? mem_strdup(s->error) : NULL;
	item->held = s->held;
	memcpy(item->disk, s->disk, sizeof(item->disk));
}

void source_change_put(struct source_change *ch, const char *name, struct source_content *content)
{
	SCOPED(str_done)
	struct str origin = {0};

	str_printf(&origin, "api:%s", name);
	note(ch, SOURCE_API, name, str_text(&origin));
	sources_replace(ch->sources, SOURCE_API, name, str_text(&origin), content);
}

void source_change_hold(struct source_change *ch, const char *name, const char *origin,
	struct source_content *content, uint32_t revision, const char *disk)
{
	note(ch, SOURCE_FILE, name, origin);
	sources_hold(ch->sources, name, origin, content, revision, disk);
}

int source_change_take(
	struct source_change *ch, const char *name, const struct policy_name *n, struct err *e)
{
	const struct source *s = sources_find(ch->sources, SOURCE_API, name);
	SCOPED(source_content_unrefp)
	struct source_content *content = NULL;
	SCOPED(freep)
	char *rest = NULL;
	int r;

	if (!s || !s->content)
		return err_set(e, -ENOENT, "%s: no such stored manifest", name);
	rest = source_text_without(s->content, n);
	r = source_parse(&ch->sources->context, s->origin, rest, strlen(rest), &content, e);
	if (r)
		return r;
	source_change_put(ch, name, content->set.count ? TAKE(content) : NULL);
	return 0;
}

int source_change_store(const struct source_change *ch, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < ch->count; i++) {
		const struct source *s;

		if (ch->item[i].kind != SOURCE_API)
			continue;
		s = sources_find(ch->sources, SOURCE_API, ch->item[i].name);
		if (s && s->content)
			r = sources_store(
				ch->sources, s->name, s->content->text, s->content->len, e);
		else
			r = sources_unstore(ch->sources, ch->item[i].name, e);
	}
	return r;
}

static void changed_free(struct changed *item)
{
	source_content_unref(item->before);
	free(item->name);
	free(item->origin);
	free(item->error);
}

static void undo_one(struct sources *t, struct changed *item)
{
	struct source *s;

	if (item->kind == SOURCE_API || !item->was) {
		sources_replace(t, item->kind, item->name, item->origin, TAKE(item->before));
		return;
	}
	sources_hold(t, item->name, item->origin, TAKE(item->before), item->held, item->disk);
	s = sources_find(t, item->kind, item->name);
	s->error = TAKE(item->error);
}

void source_change_undo(struct source_change *ch)
{
	while (ch->count) {
		struct changed *item = &ch->item[--ch->count];

		undo_one(ch->sources, item);
		changed_free(item);
	}
}

void source_change_done(struct source_change *ch)
{
	for (size_t i = 0; i < ch->count; i++)
		changed_free(&ch->item[i]);
	free(ch->item);
	*ch = (struct source_change){0};
}
