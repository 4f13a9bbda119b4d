/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assertions about policy. Called by policy.c before a switch and by the API. Owns the list, and
 * the watch on its file. Must hold: what is in force never changes here, so that an assertion can
 * refuse a change of policy but never a workload.
 */
#include "agent/invariant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/policy.h"
#include "base/fd.h"
#include "base/log.h"
#include "loop/loop.h"
#include "scenario/invariants.h"
#include "watch/file.h"

LOG_MODULE("policy");

#define SUBJECT "policy-invariants"

struct guard {
	struct agent *agent;
	const char *path, *name; /* name: of the file in its directory */
	struct invariants list; /* the last good ones */
	uint64_t digest; /* of the text that was read last */
	char *error; /* why that text does not count; NULL: it does */
	struct watch_dir *watch;
	struct loop_source *defer;
};

static struct invariant_view view_of(const struct guard *g, const struct compiled_set *c)
{
	const struct agent *a = g->agent;

	return (struct invariant_view){
		c, a->identities, a->conf->localhost != CONF_LOCALHOST_POLICY};
}

static void fail(struct guard *g, const char *why)
{
	char *error = mem_strdup(why);

	free(g->error);
	g->error = error;
	agent_problem(g->agent, SUBJECT, why);
}

static void problem_of(const struct guard *g, const struct invariant *i, const char *text)
{
	SCOPED(str_done) struct str subject = {0};

	str_add(&subject, "invariant ");
	str_add_printable(&subject, i->name);
	agent_problem(g->agent, str_text(&subject), text);
}

static void read_text(struct guard *g, const char *text, size_t len)
{
	struct invariants next = {0};
	uint64_t digest = hash_bytes(text, len, 0);
	struct err e = {0};

	if (digest == g->digest && !g->error)
		return;
	g->digest = digest;
	if (invariants_read_text(&next, g->path, text, len, &e) < 0) {
		fail(g, e.text);
		invariants_done(&next);
		return;
	}
	for (size_t i = 0; i < g->list.count; i++)
		problem_of(g, &g->list.invariant[i], NULL);
	invariants_done(&g->list);
	g->list = next;
	free(TAKE(g->error));
	agent_problem(g->agent, SUBJECT, NULL);
	log_info("%s: %zu invariants", g->path, g->list.count);
	guard_changed(g);
}

static void on_file(const struct watch_file *file, size_t count, void *data)
{
	struct guard *g = data;

	for (size_t i = 0; i < count; i++) {
		if (!str_eq(file[i].name, g->name))
			continue;
		if (file[i].change == WATCH_CHANGED)
			read_text(g, file[i].text, file[i].len);
		else
			fail(g, file[i].change == WATCH_FAILED
					? file[i].error
					: "the file has gone; what it said still counts");
	}
}

/* What is broken is a problem. */
static int on_changed(void *data)
{
	struct guard *g = data;
	const struct compiled_set *c = policies_compiled(g->agent->policies);
	const struct invariant_view view = view_of(g, c);

	for (size_t i = 0; c && i < g->list.count; i++) {
		const struct invariant *v = &g->list.invariant[i];
		SCOPED(str_done) struct str text = {0};
		struct invariant_result r;

		invariant_check(&view, v, &r);
		if (r.broken)
			invariant_describe(&text, &view, v, &r);
		problem_of(g, v, r.broken ? str_text(&text) : NULL);
	}
	return 0;
}

int guard_open(struct agent *a, struct guard **ret, struct err *e)
{
	static const struct watch_dir_fns fns = {on_file, NULL};
	const char *path = a->conf->invariants, *slash = strrchr(path, '/');
	SCOPED(str_done) struct str directory = {0};
	SCOPED(freep) char *text = NULL;
	struct err missing = {0};
	struct guard *g;
	size_t len;

	*ret = NULL;
	if (!*path)
		return 0;
	if (*path != '/' || !watch_is_manifest(slash + 1))
		return err_set(e, -EINVAL,
			SUBJECT ": %.200s: expected an absolute path that ends in .yaml, .yml or "
				".json",
			path);
	g = mem_alloc(sizeof(*g));
	*g = (struct guard){.agent = a, .path = path, .name = slash + 1};
	g->defer = loop_add_defer(a->loop, on_changed, g);
	*ret = g;
	if (fd_read_file(path, WATCH_FILE_MAX, &text, &len, &missing) < 0)
		fail(g, missing.text);
	else
		read_text(g, text, len);
	str_addn(&directory, path, slash == path ? 1 : (size_t)(slash - path));
	return watch_dir_open(a->loop, str_text(&directory), &fns, g, &g->watch, e);
}

void guard_close(struct guard *g)
{
	if (!g)
		return;
	watch_dir_close(g->watch);
	loop_source_free(g->defer);
	invariants_done(&g->list);
	free(g->error);
	free(g);
}

int guard_check(const struct guard *g, const struct compiled_set *next, struct err *e)
{
	for (size_t i = 0; g && i < g->list.count; i++) {
		const struct invariant *v = &g->list.invariant[i];
		const struct invariant_view view = view_of(g, next);
		SCOPED(str_done) struct str text = {0};
		struct invariant_result r;

		if (v->warns)
			continue;
		invariant_check(&view, v, &r);
		if (!r.broken)
			continue;
		invariant_describe(&text, &view, v, &r);
		return err_set(e, -EPERM, "%s", str_text(&text));
	}
	return 0;
}

void guard_changed(struct guard *g)
{
	if (g)
		loop_defer(g->defer);
}

json_t *guard_json(const struct guard *g)
{
	const struct compiled_set *c = g ? policies_compiled(g->agent->policies) : NULL;
	json_t *list = json_array();

	for (size_t i = 0; c && i < g->list.count; i++) {
		const struct invariant_view view = view_of(g, c);
		struct invariant_result r;

		invariant_check(&view, &g->list.invariant[i], &r);
		(void)json_array_append_new(list, invariant_json(&view, &g->list.invariant[i], &r));
	}
	return json_pack("{s:s, s:s, s:o}", "file", g ? g->path : "", "error",
		g && g->error ? g->error : "", "invariants", list);
}
