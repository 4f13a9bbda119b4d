/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces. Called by device.c, address.c and the agent. Must hold: whoever enters leaves
 * again in the same function, with nothing between that could return early.
 */
#include "kern/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "kern/device.h"

enum { NSFS = 0x6e736673, PROCFS = 0x9fa0 };

int netns_open_own(int *ret_fd, struct err *e)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, -errno, "own network namespace: %s", strerror(errno));
	*ret_fd = fd;
	return 0;
}

int netns_enter(int fd, struct err *e)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		return err_set(e, -errno, "enter network namespace: %s", strerror(errno));
	return 0;
}

void netns_leave(int own)
{
	if (setns(own, CLONE_NEWNET) < 0)
		abort();
}

int netns_open(const char *path, int *ret_fd, struct err *e)
{
	SCOPED(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct statfs fs;

	if (fd < 0)
		return err_set(e, -errno, "network namespace %s: %s", path, strerror(errno));
	if (fstatfs(fd, &fs) < 0 || (fs.f_type != NSFS && fs.f_type != PROCFS) ||
		ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(e, -EINVAL, "%s: not a network namespace", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int netns_inode(int fd, uint64_t *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = st.st_ino;
	return 0;
}
