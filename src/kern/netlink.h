/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_KERN_NETLINK_H
#define KILIM_KERN_NETLINK_H
/*
 * rtnetlink: requests that are sent together and answered one by one. libnl makes the messages; the
 * reading of answers is here, so that the kernel's own error text (extended ack) reaches the
 * person.
 */
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

enum { NETLINK_BATCH = 12 }; /* requests that one write may carry */

struct netlink;

/* A socket in the thread's current network namespace; groups: RTMGRP_* to listen to, 0 for
 * requests. */
int netlink_open(unsigned groups, struct netlink **ret, struct err *e) MUST_USE;
void netlink_close(struct netlink *n); /* NULL is fine */
void netlink_closep(struct netlink **n); /* for SCOPED */
int netlink_fd(const struct netlink *n);

/* {0} is the empty batch. */
struct netlink_batch {
	struct {
		struct nl_msg *msg;
		const char *what; /* for the error text */
		int forgiven[2]; /* errnos that are no failure */
	} request[NETLINK_BATCH];
	unsigned count;
};

void netlink_batch_done(struct netlink_batch *b); /* for SCOPED */
/*
 * Append a request with its fixed header and return its message for attributes. what ("address of
 * eth0") must outlive the batch. flags are besides NLM_F_REQUEST and NLM_F_ACK.
 */
struct nl_msg *netlink_add(struct netlink_batch *b, const char *what, int type, int flags,
	const void *header, size_t len);
/* The last request may fail with this positive errno (at most two calls per request). */
void netlink_forgive(struct netlink_batch *b, int code);

typedef void (*netlink_fn)(struct nlmsghdr *h, void *data);
/*
 * Send all and wait for every answer. fn (or NULL) gets what is no acknowledgement. Returns the
 * first failure that is not forgiven; later requests have been carried out all the same. The batch
 * is empty afterwards.
 */
int netlink_send(struct netlink *n, struct netlink_batch *b, netlink_fn fn, void *data,
	struct err *e) MUST_USE;
/* A dump: fn gets each object. -EAGAIN: it changed while it was read. */
int netlink_dump(struct netlink *n, int type, const void *header, size_t len, netlink_fn fn,
	void *data, struct err *e) MUST_USE;

#endif
