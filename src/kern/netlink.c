/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtnetlink requests in batches. Owns the socket; called by the rest of kern. Must hold: after
 * netlink_send() every request of the batch was answered, so that the next answer on the socket
 * belongs to the next request.
 */
#include "kern/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ANSWER_BYTES = 65536 };

struct netlink {
	int fd;
	uint32_t sequence;
	unsigned char answer[ANSWER_BYTES] __attribute__((aligned(8)));
};

int netlink_open(unsigned groups, struct netlink **ret, struct err *e)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = groups};
	struct netlink *n = mem_alloc(sizeof(*n));
	int one = 1, room = 1 << 20;

	n->fd = socket(
		AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | (groups ? SOCK_NONBLOCK : 0), NETLINK_ROUTE);
	if (n->fd < 0 || bind(n->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		int r = -errno;

		netlink_close(n);
		return err_set(e, r, "netlink socket: %s", strerror(-r));
	}
	/* without these the error texts are shorter and big answers may need another try: no
	 * failure */
	(void)setsockopt(n->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	(void)setsockopt(n->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	(void)setsockopt(n->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	(void)setsockopt(n->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	*ret = n;
	return 0;
}

void netlink_close(struct netlink *n)
{
	if (!n)
		return;
	if (n->fd >= 0)
		close(n->fd);
	free(n);
}

void netlink_closep(struct netlink **n)
{
	netlink_close(*n);
}

int netlink_fd(const struct netlink *n)
{
	return n->fd;
}

void netlink_batch_done(struct netlink_batch *b)
{
	for (unsigned i = 0; i < b->count; i++)
		nlmsg_free(b->request[i].msg);
	b->count = 0;
}

struct nl_msg *netlink_add(struct netlink_batch *b, const char *what, int type, int flags,
	const void *header, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!msg || b->count == NETLINK_BATCH ||
		!nlmsg_put(msg, 0, 0, type, 0, NLM_F_REQUEST | NLM_F_ACK | flags) ||
		nlmsg_append(msg, (void *)header, len, NLMSG_ALIGNTO) < 0)
		abort(); /* out of memory, or a batch that its author counted wrong */
	memset(&b->request[b->count], 0, sizeof(b->request[0]));
	b->request[b->count].msg = msg;
	b->request[b->count].what = what;
	b->count++;
	return msg;
}

void netlink_forgive(struct netlink_batch *b, int code)
{
	int *forgiven = b->request[b->count - 1].forgiven;

	forgiven[forgiven[0] ? 1 : 0] = code;
}

/* The kernel's own words about a failure, or "". */
static const char *answer_text(struct nlmsghdr *h)
{
	struct nlmsgerr *err = nlmsg_data(h);
	size_t skip = sizeof(*err);
	struct nlattr *attr;
	int rest;

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS) || nlmsg_datalen(h) < (int)sizeof(*err))
		return "";
	if (!(h->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len > sizeof(err->msg))
		skip += NLMSG_ALIGN(err->msg.nlmsg_len) - sizeof(err->msg);
	if ((size_t)nlmsg_datalen(h) <= skip)
		return "";
	rest = nlmsg_datalen(h) - (int)skip;
	nla_for_each_attr(attr, (struct nlattr *)(void *)((char *)err + skip), rest, rest)
	{
		if (nla_type(attr) == NLMSGERR_ATTR_MSG && nla_len(attr) > 0 &&
			!((char *)nla_data(attr))[nla_len(attr) - 1])
			return nla_data(attr);
	}
	return "";
}

static int fail(struct err *e, const char *what, int code, const char *text)
{
	return err_set(e, code, "%s: %s%s%s", what, strerror(-code), *text ? ": " : "", text);
}

static ssize_t receive(struct netlink *n)
{
	ssize_t len;

	do
		len = recv(n->fd, n->answer, sizeof(n->answer), MSG_TRUNC);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	return len > (ssize_t)sizeof(n->answer) ? -EMSGSIZE : len;
}

/* Where the answers to a batch stand. */
struct answers {
	struct netlink_batch *batch;
	uint32_t first; /* sequence number of the batch's first request */
	unsigned missing;
	netlink_fn fn;
	void *data;
	int result;
	struct err *e;
};

static int write_batch(struct netlink *n, struct netlink_batch *b, struct err *e)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct iovec part[NETLINK_BATCH];
	struct msghdr m = {.msg_name = &kernel,
		.msg_namelen = sizeof(kernel),
		.msg_iov = part,
		.msg_iovlen = b->count};

	for (unsigned i = 0; i < b->count; i++) {
		struct nlmsghdr *h = nlmsg_hdr(b->request[i].msg);

		h->nlmsg_seq = n->sequence + i;
		part[i] = (struct iovec){h, NLMSG_ALIGN(h->nlmsg_len)};
	}
	if (sendmsg(n->fd, &m, 0) < 0)
		return err_set(e, -errno, "%s: netlink: %s", b->request[0].what, strerror(errno));
	n->sequence += b->count;
	return 0;
}

/* The outcome of the request that h acknowledges. */
static void take_outcome(struct answers *a, unsigned index, struct nlmsghdr *h)
{
	int code = ((struct nlmsgerr *)nlmsg_data(h))->error;
	const int *forgiven = a->batch->request[index].forgiven;

	a->missing--;
	if (!code || -code == forgiven[0] || -code == forgiven[1] || a->result)
		return;
	a->result = fail(a->e, a->batch->request[index].what, code, answer_text(h));
}

static void take_answers(struct answers *a, struct nlmsghdr *h, int len)
{
	for (; nlmsg_ok(h, len); h = nlmsg_next(h, &len)) {
		unsigned index = h->nlmsg_seq - a->first;

		if (index >= a->batch->count) /* of a request before, that was given up */
			continue;
		if (h->nlmsg_type == NLMSG_ERROR &&
			nlmsg_datalen(h) >= (int)sizeof(struct nlmsgerr))
			take_outcome(a, index, h);
		else if (a->fn)
			a->fn(h, a->data);
	}
}

int netlink_send(
	struct netlink *n, struct netlink_batch *b, netlink_fn fn, void *data, struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch own = *b;
	struct answers a = {&own, n->sequence, own.count, fn, data, 0, e};
	int r;

	b->count = 0;
	if (!own.count)
		return 0;
	r = write_batch(n, &own, e);
	if (r)
		return r;
	while (a.missing) {
		ssize_t len = receive(n);

		if (len < 0)
			return err_set(e, (int)len, "%s: netlink: %s", own.request[0].what,
				strerror((int)-len));
		take_answers(&a, (void *)n->answer, (int)len);
	}
	return a.result;
}

/* 1: the dump is over. */
static int take_dump(
	struct nlmsghdr *h, int len, uint32_t sequence, netlink_fn fn, void *data, bool *ret_torn)
{
	for (; nlmsg_ok(h, len); h = nlmsg_next(h, &len)) {
		if (h->nlmsg_seq != sequence)
			continue;
		if (h->nlmsg_flags & NLM_F_DUMP_INTR)
			*ret_torn = true;
		if (h->nlmsg_type == NLMSG_DONE)
			return nlmsg_datalen(h) >= (int)sizeof(int) && *(int *)nlmsg_data(h) < 0
				       ? *(int *)nlmsg_data(h)
				       : 1;
		if (h->nlmsg_type == NLMSG_ERROR)
			return nlmsg_datalen(h) >= (int)sizeof(int)
				       ? ((struct nlmsgerr *)nlmsg_data(h))->error ?: 1
				       : -EBADMSG;
		fn(h, data);
	}
	return 0;
}

int netlink_dump(struct netlink *n, int type, const void *header, size_t len, netlink_fn fn,
	void *data, struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};
	uint32_t sequence = n->sequence;
	bool torn = false;
	int r;

	netlink_add(&b, "dump", type, NLM_F_DUMP, header, len);
	r = write_batch(n, &b, e);
	while (!r) {
		ssize_t got = receive(n);

		r = got < 0 ? (int)got
			    : take_dump((void *)n->answer, (int)got, sequence, fn, data, &torn);
	}
	if (r < 0)
		return err_set(e, r, "netlink dump: %s", strerror(-r));
	return torn ? -EAGAIN : 0;
}
