/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests that the API stored: one file each below STATE-DIR/policy, read at start, replaced by
 * rename. Called by journal.c and source_edit.c. Must hold: names were checked by
 * source_name_is_valid() before they become part of a path.
 */
#include <dirent.h>

#include "agent/source.h"
#include "base/fd.h"
#include "base/log.h"

LOG_MODULE("policy");

static void stored_path(const struct sources *t, const char *name, struct str *out)
{
	str_printf(out, "%s/policy/%s", t->state_dir, name);
}

int sources_store(
	const struct sources *t, const char *name, const char *text, size_t len, struct err *e)
{
	SCOPED(str_done)
	struct str path = {0};

	stored_path(t, name, &path);
	return fd_write_file_sync(str_text(&path), text, len, 0600, e);
}

int sources_unstore(const struct sources *t, const char *name, struct err *e)
{
	SCOPED(str_done)
	struct str path = {0};

	stored_path(t, name, &path);
	return fd_unlink_sync(str_text(&path), e);
}

static void load_one(struct sources *t, const char *name)
{
	SCOPED(str_done)
	struct str path = {0}, origin = {0};
	SCOPED(freep)
	char *text = NULL;
	struct err e = {0};
	size_t len;
	int r;

	stored_path(t, name, &path);
	str_printf(&origin, "api:%s", name);
	r = fd_read_file(str_text(&path), POLICY_FILE_MAX_BYTES, &text, &len, &e);
	if (r)
		sources_fail(t, SOURCE_API, name, str_text(&origin), e.text);
	else
		r = sources_update(t, SOURCE_API, name, str_text(&origin), text, len, &e);
	if (r)
		log_err("stored policy %s is not in force: %s", name, e.text);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

void sources_load_stored(struct sources *t)
{
	SCOPED(str_done)
	struct str path = {0};
	SCOPED(closedirp)
	DIR *dir = NULL;
	struct dirent *d;

	str_printf(&path, "%s/policy", t->state_dir);
	dir = opendir(str_text(&path));
	while (dir && (d = readdir(dir))) {
		if (source_name_is_valid(d->d_name))
			load_one(t, d->d_name);
	}
}
