/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_BASE_FD_H
#define KILIM_BASE_FD_H
/* File descriptors and whole files. */
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"

/* The descriptor in fd, which is -1 afterwards. */
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int take_ = (fd);                                                                  \
		(fd) = -1;                                                                         \
		take_;                                                                             \
	})

/* For SCOPED: close *fd unless it is negative; errno is kept. */
void fd_closep(int *fd);
/* The whole file as a NUL-terminated string (free() it), at most limit bytes. -EFBIG when longer.
 */
int fd_read_file(
	const char *path, size_t limit, char **ret_text, size_t *ret_len, struct err *e) MUST_USE;
/* Replace the file in one step (temporary file beside it, then rename); readers see the old or the
 * new. */
int fd_write_file(
	const char *path, const void *bytes, size_t len, mode_t mode, struct err *e) MUST_USE;
/* The same, and on the disk when it returns: also after a power cut it is the old or the new. */
int fd_write_file_sync(
	const char *path, const void *bytes, size_t len, mode_t mode, struct err *e) MUST_USE;
/* Remove a file, on the disk when it returns; one that is not there is fine. */
int fd_unlink_sync(const char *path, struct err *e) MUST_USE;
/* Write a short text to an existing file, such as a sysctl. */
int fd_write_text(const char *path, const char *text, struct err *e) MUST_USE;
/* mkdir -p; existing directories keep their mode. */
int fd_mkdir(const char *path, mode_t mode, struct err *e) MUST_USE;

#endif
