/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_WATCH_FILE_H
#define KILIM_WATCH_FILE_H
/*
 * A directory of manifests: the files *.yaml, *.yml and *.json in it, but for those whose names
 * begin with a dot. Changes come by inotify; the directory may be missing, be removed and come
 * back. While it is away nothing is reported as removed: the last good state stays in force. Links
 * are followed to regular files, also through the ..data link of Kubernetes volumes; a target that
 * changes elsewhere is seen at the next change in the directory.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

struct loop;
struct watch_dir;

enum { WATCH_FILE_MAX = 4 << 20 }; /* bytes of one file */

enum watch_change {
	WATCH_CHANGED, /* new, or written again: text and len */
	WATCH_REMOVED, /* gone, also after it could not be read */
	WATCH_FAILED, /* there, but not readable (too big, a dangling link, ...): error */
};

/* Valid during the callback only. */
struct watch_file {
	const char *name; /* below the directory; "" for the directory itself, which can be FAILED
			     or CHANGED (back again) */
	enum watch_change change;
	const char *text; /* CHANGED: NUL-terminated; NULL for the directory */
	size_t len;
	const char *error; /* FAILED: for a person, with the path */
};

struct watch_dir_fns {
	/* All changes of one turn of the loop, sorted by name, each name once. */
	void (*changed)(const struct watch_file *file, size_t count, void *data);
	/* Once, after the first look at the directory was reported (also when it was missing). May
	 * be NULL. */
	void (*synced)(void *data);
};

/* The first report comes from the loop, not from inside this call. Fails only when there is no
 * inotify to be had. */
int watch_dir_open(struct loop *l, const char *path, const struct watch_dir_fns *fns, void *data,
	struct watch_dir **ret, struct err *e) MUST_USE;
/* Read all files again at the next turn of the loop and report each as changed. */
void watch_dir_reread(struct watch_dir *w);
/* Not from inside a callback. NULL is fine. */
void watch_dir_close(struct watch_dir *w);
void watch_dir_closep(struct watch_dir **w); /* for SCOPED */
/* Whether a name is one of a manifest. */
bool watch_is_manifest(const char *name);

#endif
