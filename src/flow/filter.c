/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow filters: lists of filters, of fields, of values. Called by the agent per request (parse) and
 * per record (match). The JSON comes from outside. Must hold: a field that cannot be compared is
 * refused, because a filter that ignores a field shows what the user asked not to see.
 */
#include "flow/filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/filter_field.h"

enum { FILTERS_MAX = 256, VALUES_MAX = 4096 };

struct clause {
	const struct filter_field *field;
	union filter_value *value;
	size_t values;
};

struct filter {
	struct clause *clause;
	size_t clauses;
};

struct filter_list {
	struct filter *filter;
	size_t count;
};

struct flow_filters {
	struct arena mem;
	struct filter_list white, black;
};

void flow_filters_free(struct flow_filters *filters)
{
	if (!filters)
		return;
	arena_done(&filters->mem);
	free(filters);
}

void flow_filters_freep(struct flow_filters **filters)
{
	flow_filters_free(*filters);
}

static int parse_clause(
	const struct filter_context *ctx, const json_t *list, struct clause *c, struct err *e)
{
	const char *name = c->field->name;

	c->values = json_array_size(list);
	if (!c->field->parse && (c->values || !json_is_array(list)))
		return err_set(e, -EINVAL, "%s: filtering by this is not supported yet", name);
	if (!json_is_array(list))
		return err_set(e, -EINVAL, "%s: expected a list, found %s", name, json_kind(list));
	if (c->values > VALUES_MAX)
		return err_set(e, -EINVAL, "%s: more than %d values", name, VALUES_MAX);
	c->value = arena_array(ctx->mem, c->values, sizeof(*c->value));
	for (size_t i = 0; i < c->values; i++) {
		int r = c->field->parse(ctx, json_array_get(list, i), &c->value[i], e);

		if (r < 0) {
			(void)err_prefix(e, "%s[%zu]", name, i);
			return r;
		}
	}
	return 0;
}

static int parse_filter(
	const struct filter_context *ctx, const json_t *j, struct filter *f, struct err *e)
{
	const char *name;
	json_t *list;

	if (!json_is_object(j))
		return err_set(e, -EINVAL, "expected a filter, found %s", json_kind(j));
	f->clause = arena_array(ctx->mem, json_object_size(j), sizeof(*f->clause));
	json_object_foreach((json_t *)j, name, list)
	{
		struct clause *c = &f->clause[f->clauses];
		int r;

		c->field = filter_field_find(name);
		if (!c->field)
			return err_set(e, -EINVAL, "%.60s: a flow filter has no such field", name);
		if (json_is_null(list))
			continue;
		r = parse_clause(ctx, list, c, e);
		if (r < 0)
			return r;
		f->clauses += c->values > 0; /* an empty list is as good as none */
	}
	return 0;
}

static int parse_list(const struct filter_context *ctx, const json_t *j, const char *name,
	struct filter_list *ret, struct err *e)
{
	const json_t *list = json_object_get(j, name);

	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list))
		return err_set(e, -EINVAL, "%s: expected a list of filters, found %s", name,
			json_kind(list));
	ret->count = json_array_size(list);
	if (ret->count > FILTERS_MAX)
		return err_set(e, -EINVAL, "%s: more than %d filters", name, FILTERS_MAX);
	ret->filter = arena_array(ctx->mem, ret->count, sizeof(*ret->filter));
	for (size_t i = 0; i < ret->count; i++) {
		struct err inner = {0};
		int r = parse_filter(ctx, json_array_get(list, i), &ret->filter[i], &inner);

		if (r < 0)
			return err_set(e, r, "%s[%zu].%s", name, i, inner.text);
	}
	return 0;
}

int flow_filters_parse(const json_t *j, const char *node, struct flow_filters **ret, struct err *e)
{
	SCOPED(flow_filters_freep)
	struct flow_filters *filters = mem_alloc(sizeof(*filters));
	struct filter_context ctx = {.mem = &filters->mem};
	const char *name;
	json_t *value;
	int r;

	ctx.node = strchr(node, '/') ? node : arena_printf(ctx.mem, "default/%s", node);
	if (j && !json_is_object(j))
		return err_set(e, -EINVAL,
			"filter: expected {\"whitelist\": .., \"blacklist\": ..}, "
			"found %s",
			json_kind(j));
	json_object_foreach((json_t *)j, name, value)
	{
		if (strcmp(name, "whitelist") && strcmp(name, "blacklist"))
			return err_set(e, -EINVAL,
				"filter: %.60s is neither whitelist nor blacklist", name);
	}
	r = parse_list(&ctx, j, "whitelist", &filters->white, e);
	if (!r)
		r = parse_list(&ctx, j, "blacklist", &filters->black, e);
	if (r < 0)
		return r;
	*ret = TAKE(filters);
	return 0;
}

static bool clause_matches(const struct clause *c, const struct flow_record *record)
{
	for (size_t i = 0; i < c->values; i++) {
		if (c->field->match(record, c->field->is_destination, &c->value[i]))
			return true;
	}
	return false;
}

static bool filter_matches(const struct filter *f, const struct flow_record *record)
{
	for (size_t i = 0; i < f->clauses; i++) {
		if (!clause_matches(&f->clause[i], record))
			return false;
	}
	return true;
}

static bool any_matches(const struct filter_list *l, const struct flow_record *record)
{
	for (size_t i = 0; i < l->count; i++) {
		if (filter_matches(&l->filter[i], record))
			return true;
	}
	return false;
}

bool flow_filters_match(const struct flow_filters *filters, const struct flow_record *record)
{
	if (!filters)
		return true;
	if (filters->white.count && !any_matches(&filters->white, record))
		return false;
	return !any_matches(&filters->black, record);
}
