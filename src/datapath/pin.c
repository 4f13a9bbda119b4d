/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pins in the BPF file system. Called by the other files of datapath. Must hold: names never have a
 * dot (bpffs refuses them); a name that other processes look for is replaced by rename only.
 */
#include "datapath/pin.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

/* The source of a bpffs that was mounted here, so that it can be told from others and taken away
 * again. */
static const char mount_source[] = "kilim";
static const char *const folders[] = {"map", "prog"};

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

static int mount_root(const char *root, struct err *e)
{
	struct stat st;

	if (stat(root, &st) < 0)
		return err_set(e, -errno, "BPF root %s: %s", root, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(e, -ENOTDIR, "BPF root %s: not a directory", root);
	if (is_bpffs(root))
		return 0;
	if (mount(mount_source, root, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return err_set(e, -errno, "BPF root %s: cannot mount a bpf file system: %s", root,
			strerror(errno));
	return 0;
}

static int path_of(const struct pins *p, const char *folder, const char *name, const char *suffix,
	char ret[PIN_PATH])
{
	return snprintf(ret, PIN_PATH, "%s/%s/%s%s", p->root, folder, name, suffix) < PIN_PATH
		       ? 0
		       : -ENAMETOOLONG;
}

int pins_open(const char *bpf_root, struct pins *ret, struct err *e)
{
	char path[PIN_PATH];
	int r;

	if (snprintf(ret->root, sizeof(ret->root), "%s/kilim", bpf_root) >= (int)sizeof(ret->root))
		return err_set(e, -ENAMETOOLONG, "BPF root %s: path too long", bpf_root);
	r = mount_root(bpf_root, e);
	if (r)
		return r;
	for (size_t i = 0; i <= ARRAY_SIZE(folders); i++) {
		snprintf(
			path, sizeof(path), i ? "%s/%s" : "%s", ret->root, i ? folders[i - 1] : "");
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return err_set(e, -errno, "%s: %s", path, strerror(errno));
	}
	return 0;
}

int pins_find(const char *bpf_root, struct pins *ret)
{
	if (snprintf(ret->root, sizeof(ret->root), "%s/kilim", bpf_root) >= (int)sizeof(ret->root))
		return -ENAMETOOLONG;
	return is_bpffs(ret->root) ? 0 : -ENOENT;
}

int pins_lock(const struct pins *p, int *ret_fd, struct err *e)
{
	SCOPED(fd_closep) int fd = open(p->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, -errno, "%s: %s", p->root, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, errno == EWOULDBLOCK ? -EBUSY : -errno,
			"%s: another agent uses this BPF root", p->root);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int pin_get(const struct pins *p, const char *folder, const char *name)
{
	char path[PIN_PATH];
	int fd;

	if (path_of(p, folder, name, "", path))
		return -ENAMETOOLONG;
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int pin_put(const struct pins *p, const char *folder, const char *name, const char *suffix, int fd,
	struct err *e)
{
	char path[PIN_PATH];
	int r = path_of(p, folder, name, suffix, path);

	if (!r && bpf_obj_pin(fd, path) < 0) {
		r = -errno;
		if (r == -EEXIST && !unlink(path))
			r = bpf_obj_pin(fd, path) < 0 ? -errno : 0;
	}
	return r ? err_set(e, r, "pin %s: %s", path, strerror(-r)) : 0;
}

int pin_settle(const struct pins *p, const char *folder, const char *name, struct err *e)
{
	char from[PIN_PATH], to[PIN_PATH];
	int r = path_of(p, folder, name, PIN_NEW, from);

	r = r ? r : path_of(p, folder, name, "", to);
	if (!r && rename(from, to) < 0)
		r = -errno;
	return r ? err_set(e, r, "pin %s/%s: %s", folder, name, strerror(-r)) : 0;
}

void pin_remove(const struct pins *p, const char *folder, const char *name)
{
	char path[PIN_PATH];

	if (!path_of(p, folder, name, "", path))
		(void)unlink(path);
}

void pin_each(const struct pins *p, const char *folder,
	void (*fn)(const struct pins *p, const char *folder, const char *name, void *), void *data)
{
	char path[PIN_PATH];
	struct dirent **entry = NULL;
	int n;

	snprintf(path, sizeof(path), "%s/%s", p->root, folder);
	n = scandir(path, &entry, NULL, NULL);
	for (int i = 0; i < n; i++) {
		if (entry[i]->d_name[0] != '.')
			fn(p, folder, entry[i]->d_name, data);
		free(entry[i]);
	}
	free(entry);
}

static void remove_one(const struct pins *p, const char *folder, const char *name, void *data)
{
	(void)data;
	pin_remove(p, folder, name);
}

int pins_remove(const struct pins *p, struct err *e)
{
	char path[PIN_PATH];

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		pin_each(p, folders[i], remove_one, NULL);
		snprintf(path, sizeof(path), "%s/%s", p->root, folders[i]);
		if (rmdir(path) < 0 && errno != ENOENT)
			return err_set(e, -errno, "%s: %s", path, strerror(errno));
	}
	if (rmdir(p->root) < 0 && errno != ENOENT)
		return err_set(e, -errno, "%s: %s", p->root, strerror(errno));
	return 0;
}

/* The kernel's own entries of a bpffs do not count. */
static int is_foreign(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "maps.debug") &&
	       strcmp(entry->d_name, "progs.debug");
}

static bool is_empty(const char *path)
{
	struct dirent **entry = NULL;
	int n = scandir(path, &entry, is_foreign, NULL);

	for (int i = 0; i < n; i++)
		free(entry[i]);
	free(entry);
	return n == 0;
}

void pins_unmount(const char *bpf_root)
{
	SCOPED(freep) char *text = NULL;
	SCOPED(str_done) struct str want = {0};
	char found[PATH_MAX];
	char *save = NULL;

	if (!realpath(bpf_root, found) || !is_empty(found) ||
		fd_read_file("/proc/self/mountinfo", 4 << 20, &text, NULL, NULL))
		return;
	str_printf(&want, " / %s ", found);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strstr(line, str_text(&want)) && strstr(line, " - bpf kilim ")) {
			(void)umount2(found, 0);
			return;
		}
	}
}
