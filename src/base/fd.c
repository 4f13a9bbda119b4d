/* SPDX-License-Identifier: Apache-2.0 */
/* Whole-file input and output. Called by watch, agent, cni, cli. Must hold: a file is replaced by
 * rename or not at all. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

int fd_read_file(const char *path, size_t limit, char **ret_text, size_t *ret_len, struct err *e)
{
	SCOPED(fd_closep)
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	SCOPED(freep)
	char *text = NULL;
	size_t len = 0, capacity = 0;

	if (fd < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	for (;;) {
		ssize_t n;

		mem_grow(&text, &capacity, len + 4096, 1);
		n = read(fd, text + len, capacity - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, -errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > limit)
			return err_set(e, -EFBIG, "%s: larger than %zu bytes", path, limit);
	}
	text[len] = 0;
	if (ret_len)
		*ret_len = len;
	*ret_text = TAKE(text);
	return 0;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* What was renamed or removed in the directory of this path is on the disk. */
static int sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	SCOPED(fd_closep)
	int fd = -1;
	char dir[PATH_MAX] = ".";

	if (slash)
		(void)snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path) ?: 1, path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int replace_file(
	const char *path, const void *bytes, size_t len, mode_t mode, bool sync, struct err *e)
{
	SCOPED(fd_closep)
	int fd = -1;
	char tmp[PATH_MAX];
	int r;

	if (snprintf(tmp, sizeof(tmp), "%s.tmp%d", path, getpid()) >= (int)sizeof(tmp))
		return err_set(e, -ENAMETOOLONG, "%s: path too long", path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0)
		return err_set(e, -errno, "%s: %s", tmp, strerror(errno));
	r = write_all(fd, bytes, len);
	if (!r && fchmod(fd, mode) < 0)
		r = -errno;
	if (!r && sync && fsync(fd) < 0)
		r = -errno;
	if (!r && rename(tmp, path) < 0)
		r = -errno;
	if (r) {
		(void)unlink(tmp);
		return err_set(e, r, "%s: %s", path, strerror(-r));
	}
	r = sync ? sync_directory(path) : 0;
	return r ? err_set(e, r, "%s: %s", path, strerror(-r)) : 0;
}

int fd_write_file(const char *path, const void *bytes, size_t len, mode_t mode, struct err *e)
{
	return replace_file(path, bytes, len, mode, false, e);
}

int fd_write_file_sync(const char *path, const void *bytes, size_t len, mode_t mode, struct err *e)
{
	return replace_file(path, bytes, len, mode, true, e);
}

int fd_unlink_sync(const char *path, struct err *e)
{
	int r = unlink(path) < 0 && errno != ENOENT ? -errno : sync_directory(path);

	return r ? err_set(e, r, "%s: %s", path, strerror(-r)) : 0;
}

int fd_write_text(const char *path, const char *text, struct err *e)
{
	SCOPED(fd_closep)
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : write_all(fd, text, strlen(text));

	return r ? err_set(e, r, "%s: %s", path, strerror(-r)) : 0;
}

int fd_mkdir(const char *path, mode_t mode, struct err *e)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (!len || len >= sizeof(part))
		return err_set(e, -ENAMETOOLONG, "%s: empty or too long", path);
	memcpy(part, path, len + 1);
	for (char *p = part + 1;; p++) {
		char was = *p;

		if (was && was != '/')
			continue;
		*p = 0;
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return err_set(e, -errno, "%s: %s", part, strerror(errno));
		*p = was;
		if (!was)
			return 0;
	}
}
