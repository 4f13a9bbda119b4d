/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings changes of the manifest directory into the table of sources. Called by wire.c; the watcher
 * calls back from the loop. Must hold: a file that is broken or cannot be read stays in force as it
 * last was good, and so does all of a directory that is not there.
 */
#include "agent/manifests.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/policy.h"
#include "base/log.h"
#include "base/str.h"
#include "watch/file.h"

LOG_MODULE("policy");

struct manifests {
	struct agent *agent;
	struct watch_dir *watch;
	void (*synced)(struct agent *a);
	bool missing; /* the directory itself cannot be read */
};

static void origin_of(const struct manifests *m, const char *name, struct str *out)
{
	str_printf(out, "%s/%s", m->agent->conf->manifest_dir, name);
}

static void on_directory(struct manifests *m, const struct watch_file *file)
{
	m->missing = file->change == WATCH_FAILED;
	agent_problem(m->agent, "manifest directory", m->missing ? file->error : NULL);
}

static void on_file(struct manifests *m, const struct watch_file *file)
{
	struct sources *t = policies_sources(m->agent->policies);
	SCOPED(str_done)
	struct str origin = {0};
	struct err e = {0};

	origin_of(m, file->name, &origin);
	switch (file->change) {
	case WATCH_CHANGED:
		if (sources_update(t, SOURCE_FILE, file->name, str_text(&origin), file->text,
			    file->len, &e) < 0)
			log_err("%s", e.text);
		break;
	case WATCH_REMOVED:
		sources_remove(t, SOURCE_FILE, file->name);
		break;
	case WATCH_FAILED:
		log_err("%s", file->error);
		sources_fail(t, SOURCE_FILE, file->name, str_text(&origin), file->error);
		break;
	}
}

static void on_changed(const struct watch_file *file, size_t count, void *data)
{
	struct manifests *m = data;

	for (size_t i = 0; i < count; i++) {
		if (*file[i].name)
			on_file(m, &file[i]);
		else
			on_directory(m, &file[i]);
	}
	policies_changed(m->agent->policies);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/*
 * What was good in an earlier run and has no file now: forgotten when the directory is there, and
 * in force when it is not.
 */
static void settle_last_good(struct manifests *m)
{
	struct sources *t = policies_sources(m->agent->policies);
	SCOPED(str_done)
	struct str path = {0};
	SCOPED(closedirp)
	DIR *dir = NULL;
	struct dirent *d;

	str_printf(&path, "%s/last-good", m->agent->conf->state_dir);
	dir = opendir(str_text(&path));
	while (dir && (d = readdir(dir))) {
		SCOPED(str_done)
		struct str origin = {0};

		if (!watch_is_manifest(d->d_name) || sources_find(t, SOURCE_FILE, d->d_name))
			continue;
		origin_of(m, d->d_name, &origin);
		if (m->missing)
			sources_fail(t, SOURCE_FILE, d->d_name, str_text(&origin),
				"the manifest directory cannot be read; as it was before");
		else
			(void)unlinkat(dirfd(dir), d->d_name, 0);
	}
}

/* Files that were held when the agent ended and are gone: nothing of them is in force. */
static void drop_gone(struct manifests *m)
{
	struct sources *t = policies_sources(m->agent->policies);

	for (size_t i = t->count; !m->missing && i-- > 0;) {
		const struct source *s = t->source[i];

		if (s->kind == SOURCE_FILE && s->held && *s->disk && !s->seen)
			sources_remove(t, SOURCE_FILE, s->name);
	}
}

static void on_synced(void *data)
{
	struct manifests *m = data;

	drop_gone(m);
	settle_last_good(m);
	m->synced(m->agent);
}

int manifests_open(
	struct agent *a, void (*synced)(struct agent *a), struct manifests **ret, struct err *e)
{
	static const struct watch_dir_fns fns = {on_changed, on_synced};
	struct manifests *m = mem_alloc(sizeof(*m));
	int r;

	m->agent = a;
	m->synced = synced;
	r = watch_dir_open(a->loop, a->conf->manifest_dir, &fns, m, &m->watch, e);
	if (r) {
		free(m);
		return r;
	}
	*ret = m;
	return 0;
}

void manifests_close(struct manifests *m)
{
	if (!m)
		return;
	watch_dir_close(m->watch);
	free(m);
}
