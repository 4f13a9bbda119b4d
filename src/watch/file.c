/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches a manifest directory. Called by the agent. inotify only says where to look: what is
 * reported comes from stat() and read(), so lost or merged events cost a scan and nothing else. A
 * timer looks whether the path still is the directory that is watched (removed, replaced, mounted
 * over). Must hold: links are followed to regular files only, and no read blocks.
 */
#include "watch/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/str.h"
#include "loop/loop.h"

enum { FILES_MAX = 65536 };

/* Values in watch_dir.dirty. */
static char was_written, was_deleted;

static const uint64_t CHECK_NS = 2000000000; /* is the path still what we watch? */
static const uint64_t RETRY_NS = 100000000; /* is the directory back? */

static const uint32_t MASK = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
			     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK;

/* What tells one state of a file from another. */
struct signature {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

/* A file that was reported as there. */
struct known {
	struct signature signature;
	int error; /* negative errno of the last read, or 0 */
	uint64_t scan;
};

struct watch_dir {
	struct loop *loop;
	char *path;
	struct watch_dir_fns fns;
	void *data;
	int inotify, wd; /* wd < 0: the directory is not watched */
	dev_t dev; /* of the directory that is watched */
	ino_t ino;
	struct loop_source *on_inotify, *on_turn, *on_timer;
	struct hash known; /* name to struct known */
	struct hash dirty; /* names to look at; to a char that says what the last event was */
	uint64_t scans;
	bool rescan, reread; /* look at all names; and take none as unchanged */
	bool was_gone, synced;
};

/* The files of one report, each name once, in its last state. */
struct batch {
	struct watch_file *file;
	size_t count, capacity;
	struct hash index; /* name to 1 + its place in file */
};

static void file_done(struct watch_file *f)
{
	free((char *)f->name);
	free((char *)f->text);
	free((char *)f->error);
}

static void batch_done(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		file_done(&b->file[i]);
	free(b->file);
	hash_done(&b->index);
}

/* text and error, if any, are taken over. */
static void batch_add(struct batch *b, const char *name, enum watch_change change, char *text,
	size_t len, char *error)
{
	size_t at = (uintptr_t)hash_get_str(&b->index, name);
	struct watch_file f = {.name = mem_strdup(name),
		.change = change,
		.text = text,
		.len = len,
		.error = error};

	if (at) {
		file_done(&b->file[at - 1]);
		b->file[at - 1] = f;
		return;
	}
	mem_grow(&b->file, &b->capacity, b->count + 1, sizeof(*b->file));
	b->file[b->count++] = f;
	hash_put_str(&b->index, name, (void *)(uintptr_t)b->count);
}

static int batch_compare(const void *a, const void *b)
{
	return strcmp(((const struct watch_file *)a)->name, ((const struct watch_file *)b)->name);
}

bool watch_is_manifest(const char *name)
{
	return *name != '.' && (str_has_suffix(name, ".yaml") || str_has_suffix(name, ".yml") ||
				       str_has_suffix(name, ".json"));
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_signature(const struct signature *a, const struct signature *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       same_time(&a->mtime, &b->mtime) && same_time(&a->ctime, &b->ctime);
}

static struct signature signature_of(const struct stat *st)
{
	return (struct signature){st->st_dev, st->st_ino, st->st_size, st->st_mtim, st->st_ctim};
}

static int read_all(int fd, const char *path, char **ret_text, size_t *ret_len, struct err *e)
{
	SCOPED(freep)
	char *text = NULL;
	size_t len = 0, capacity = 0;

	for (;;) {
		ssize_t n;

		mem_grow(&text, &capacity, len + 4096, 1);
		n = read(fd, text + len, capacity - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, -errno, "%s: %s", path, strerror(errno));
		if (!n)
			break;
		len += (size_t)n;
		if (len > WATCH_FILE_MAX)
			return err_set(e, -EFBIG, "%s: larger than %d bytes; split it", path,
				WATCH_FILE_MAX);
	}
	text[len] = 0;
	*ret_text = TAKE(text);
	*ret_len = len;
	return 0;
}

/* O_NONBLOCK: a FIFO must not hold up the loop; it is refused once it is open. */
static int read_manifest(const char *path, struct signature *ret_signature, char **ret_text,
	size_t *ret_len, struct err *e)
{
	SCOPED(fd_closep)
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return err_set(e, -ENOENT, "%s: a link to nothing", path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	*ret_signature = signature_of(&st);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "%s: not a regular file", path);
	return read_all(fd, path, ret_text, ret_len, e);
}

static struct known *known_get(struct watch_dir *w, const char *name)
{
	struct known *k = hash_get_str(&w->known, name);

	if (!k) {
		k = mem_alloc(sizeof(*k));
		hash_put_str(&w->known, name, k);
	}
	return k;
}

static void forget(struct watch_dir *w, const char *name, struct batch *b)
{
	struct known *k = hash_get_str(&w->known, name);

	if (!k)
		return;
	free(k);
	batch_add(b, name, WATCH_REMOVED, NULL, 0, NULL);
	(void)hash_remove_str(&w->known, name); /* name may be the table's own copy */
}

/* Look at one name. force: report it even if it looks as it did before. */
static void check_file(struct watch_dir *w, const char *name, bool force, struct batch *b)
{
	struct known *k = hash_get_str(&w->known, name);
	struct signature signature = {0};
	char path[PATH_MAX], *text = NULL;
	struct err e = {0};
	struct stat st;
	size_t len = 0;
	int r;

	if (snprintf(path, sizeof(path), "%s/%s", w->path, name) >= (int)sizeof(path))
		return;
	if (lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		forget(w, name, b);
		return;
	}
	if (k)
		k->scan = w->scans;
	if (k && !force && !k->error && !stat(path, &st)) {
		signature = signature_of(&st);
		if (same_signature(&k->signature, &signature))
			return;
	}
	r = read_manifest(path, &signature, &text, &len, &e);
	if (k && r < 0 && k->error == r && !force)
		return;
	k = known_get(w, name);
	*k = (struct known){.signature = signature, .error = r, .scan = w->scans};
	if (r < 0)
		batch_add(b, name, WATCH_FAILED, NULL, 0, mem_strdup(e.text));
	else
		batch_add(b, name, WATCH_CHANGED, text, len, NULL);
}

static void directory_failed(struct watch_dir *w, int code, struct batch *b)
{
	struct str text = {0};

	if (w->was_gone)
		return;
	w->was_gone = true;
	str_printf(&text, "%s: %s", w->path, strerror(-code));
	batch_add(b, "", WATCH_FAILED, NULL, 0, str_take(&text));
}

static void close_dirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* All names in the directory, then those that are known and were not met. */
static int scan(struct watch_dir *w, bool force, struct batch *b)
{
	SCOPED(close_dirp)
	DIR *d = opendir(w->path);
	const struct dirent *entry;
	size_t count = 0;

	if (!d)
		return -errno;
	w->scans++;
	errno = 0;
	while ((entry = readdir(d))) {
		if (!watch_is_manifest(entry->d_name))
			continue;
		if (++count > FILES_MAX)
			return -E2BIG;
		check_file(w, entry->d_name, force, b);
		errno = 0;
	}
	if (errno)
		return -errno;
	HASH_EACH(&w->known, e) {
		if (((struct known *)e->value)->scan != w->scans)
			check_file(w, e->key, false, b);
	}
	return 0;
}

static void unwatch(struct watch_dir *w)
{
	if (w->wd >= 0)
		(void)inotify_rm_watch(w->inotify, w->wd);
	w->wd = -1;
}

/*
 * Watch what the path is now. stat() comes first: whatever takes the path's place behind it differs
 * from what is noted here, and the timer finds out.
 */
static int arm(struct watch_dir *w)
{
	struct stat st;

	unwatch(w);
	if (stat(w->path, &st) < 0)
		return -errno;
	w->wd = inotify_add_watch(w->inotify, w->path, MASK);
	if (w->wd < 0)
		return -errno;
	w->dev = st.st_dev;
	w->ino = st.st_ino;
	w->rescan = true;
	return 0;
}

/* What was asked for since the last turn; the directory is watched. */
static int look(struct watch_dir *w, struct batch *b)
{
	bool rescan = w->rescan || w->reread, reread = w->reread;

	w->rescan = w->reread = false;
	if (rescan) {
		int r = scan(w, reread, b);

		if (r < 0) {
			w->rescan = true;
			w->reread = reread;
			return r;
		}
	}
	HASH_EACH(&w->dirty, e) {
		if (!reread)
			check_file(w, e->key, true, b);
	}
	hash_done(&w->dirty);
	return 0;
}

static void deliver(struct watch_dir *w, struct batch *b)
{
	if (b->count) {
		qsort(b->file, b->count, sizeof(*b->file), batch_compare);
		w->fns.changed(b->file, b->count, w->data);
	}
	if (!w->synced) {
		w->synced = true;
		if (w->fns.synced)
			w->fns.synced(w->data);
	}
}

/* The directory is away: only what was removed from it before that is known to be gone. */
static void look_without(struct watch_dir *w, struct batch *b)
{
	HASH_EACH(&w->dirty, e) {
		if (e->value == &was_deleted)
			forget(w, e->key, b);
	}
	hash_done(&w->dirty);
}

static int on_turn(void *data)
{
	struct watch_dir *w = data;
	SCOPED(batch_done)
	struct batch b = {0};
	int r = w->wd < 0 ? arm(w) : 0;

	if (!r)
		r = look(w, &b);
	if (r < 0) {
		unwatch(w);
		look_without(w, &b);
		directory_failed(w, r, &b);
	} else if (w->was_gone) {
		w->was_gone = false;
		batch_add(&b, "", WATCH_CHANGED, NULL, 0, NULL);
	}
	loop_timer_in(w->on_timer, r == -ENOENT ? RETRY_NS : CHECK_NS);
	deliver(w, &b);
	return 0;
}

/* The directory is back, or it is not the one that we watch any more. */
static int on_timer(void *data)
{
	struct watch_dir *w = data;
	struct stat st;

	if (w->wd >= 0 && !stat(w->path, &st) && st.st_dev == w->dev && st.st_ino == w->ino) {
		loop_timer_in(w->on_timer, CHECK_NS);
		return 0;
	}
	unwatch(w);
	loop_defer(w->on_turn);
	return 0;
}

/* A file that was just created is complete only when it is closed; links are complete at once. */
static bool is_complete_at_once(const struct watch_dir *w, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%s", w->path, name) >= (int)sizeof(path))
		return false;
	return !lstat(path, &st) && (!S_ISREG(st.st_mode) || st.st_nlink > 1);
}

static void on_event(struct watch_dir *w, const struct inotify_event *ev)
{
	const char *name = ev->len ? ev->name : "";

	if (ev->mask & IN_Q_OVERFLOW) {
		w->reread = true;
		return;
	}
	if (ev->wd != w->wd)
		return; /* of a directory that was watched before */
	if (ev->mask & IN_IGNORED)
		w->wd = -1;
	else if (ev->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT))
		unwatch(w);
	else if (!watch_is_manifest(name))
		w->rescan |= !strncmp(name, "..", 2); /* Kubernetes turns the link ..data */
	else if (ev->mask & (IN_DELETE | IN_MOVED_FROM))
		hash_put_str(&w->dirty, name, &was_deleted);
	else if (!(ev->mask & IN_CREATE) || is_complete_at_once(w, name))
		hash_put_str(&w->dirty, name, &was_written);
}

static int on_inotify(int fd, uint32_t epoll_events, void *data)
{
	struct watch_dir *w = data;
	char buf[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	(void)epoll_events;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			const struct inotify_event *ev = (const void *)p;

			on_event(w, ev);
			p += sizeof(*ev) + ev->len;
		}
	}
	if (w->wd < 0 || w->rescan || w->reread || w->dirty.count)
		loop_defer(w->on_turn);
	return 0;
}

int watch_dir_open(struct loop *l, const char *path, const struct watch_dir_fns *fns, void *data,
	struct watch_dir **ret, struct err *e)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct watch_dir *w;

	if (fd < 0)
		return err_set(e, -errno, "%s: inotify: %s", path, strerror(errno));
	w = mem_alloc(sizeof(*w));
	w->loop = l;
	w->path = mem_strdup(path);
	w->fns = *fns;
	w->data = data;
	w->inotify = fd;
	w->wd = -1;
	w->on_inotify = loop_add_fd(l, fd, EPOLLIN, on_inotify, w);
	w->on_turn = loop_add_defer(l, on_turn, w);
	w->on_timer = loop_add_timer(l, on_timer, w);
	loop_defer(w->on_turn);
	*ret = w;
	return 0;
}

void watch_dir_reread(struct watch_dir *w)
{
	w->reread = true;
	loop_defer(w->on_turn);
}

void watch_dir_close(struct watch_dir *w)
{
	if (!w)
		return;
	loop_source_free(w->on_inotify);
	loop_source_free(w->on_turn);
	loop_source_free(w->on_timer);
	fd_closep(&w->inotify);
	HASH_EACH(&w->known, e)
		free(e->value);
	hash_done(&w->known);
	hash_done(&w->dirty);
	free(w->path);
	free(w);
}

void watch_dir_closep(struct watch_dir **w)
{
	watch_dir_close(*w);
}
