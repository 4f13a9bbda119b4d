/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_KERN_NETNS_H
#define KILIM_KERN_NETNS_H
/* Stepping into a network namespace and back, for the calling thread. netns_open() and
 * netns_inode() are in kern/device.h. */
#include "base/err.h"
#include "base/mem.h"

/* The namespace that the thread is in: close it. */
int netns_open_own(int *ret_fd, struct err *e) MUST_USE;
/* The calling thread goes into the namespace; it must come back with netns_leave() before it does
 * anything else. */
int netns_enter(int fd, struct err *e) MUST_USE;
/* Back to own. Aborts when that fails: nothing sane can be done in the wrong namespace. */
void netns_leave(int own);

#endif
