/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbered messages over TCP for seqload: connections that must live, each sending a message every
 * so often whether the last was answered or not, and attempts to connect where none may succeed.
 * Retransmissions are counted by the kernel at both ends; those that the other side reported as
 * needless (DSACK: it was late, not lost) are shown apart.
 */
#include <err.h>
#include <errno.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "test/tool/seqload.h"

enum { MESSAGE = 64, PROBE_AGE_MS = 1500, PROBES_MAX = 4096 };

/* One end of a connection: what it expects next, and the message that is coming in. */
struct tcp_end {
	struct source source;
	struct tcp_load *load;
	struct tcp_end *other;
	uint64_t sent, expect, last_ns;
	size_t have;
	uint8_t buf[MESSAGE];
	bool client, broken;
};

struct tcp_load {
	struct tcp_end *client, *server;
	unsigned count, interval_ms;
	uint64_t messages, disordered, broken, gap_ns;
};

static void end_break(struct tcp_end *e, struct load *l)
{
	if (e->broken)
		return;
	e->broken = true;
	e->load->broken++;
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, e->source.fd, NULL);
}

static void end_send(struct tcp_end *e, struct load *l, uint64_t number)
{
	uint8_t message[MESSAGE] = {0};

	memcpy(message, &number, sizeof(number));
	if (send(e->source.fd, message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL) != MESSAGE)
		end_break(e, l);
}

static void end_message(struct tcp_end *e, struct load *l)
{
	uint64_t number;

	memcpy(&number, e->buf, sizeof(number));
	if (number != e->expect)
		e->load->disordered++;
	e->expect = number + 1;
	if (!e->client) {
		end_send(e, l, number);
		return;
	}
	e->load->messages++;
	if (l->now_ns - e->last_ns > e->load->gap_ns)
		e->load->gap_ns = l->now_ns - e->last_ns;
	e->last_ns = l->now_ns;
}

static void on_end(struct source *self, struct load *l)
{
	struct tcp_end *e = self->data;

	while (!e->broken) {
		ssize_t n = recv(self->fd, e->buf + e->have, MESSAGE - e->have, MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			end_break(e, l);
			return;
		}
		e->have += (size_t)n;
		if (e->have < MESSAGE)
			continue;
		e->have = 0;
		end_message(e, l);
	}
}

static void end_init(struct tcp_end *e, struct tcp_load *t, struct load *l, int fd, bool client)
{
	e->source = (struct source){on_end, fd, e};
	e->load = t;
	e->client = client;
	e->last_ns = sock_now_ns();
	sock_no_delay(fd);
	source_add(l, &e->source, EPOLLIN);
}

struct tcp_load *tcp_load_start(struct load *l, unsigned port, unsigned count, unsigned interval_ms)
{
	struct tcp_load *t = calloc(1, sizeof(*t));
	union sock_addr to = l->address[1];
	int listener = load_bind(l, 1, port, SOCK_STREAM);

	if (!t || !(t->client = calloc(count, sizeof(*t->client))) ||
		!(t->server = calloc(count, sizeof(*t->server))))
		err(1, "connections");
	t->count = count;
	t->interval_ms = interval_ms;
	sock_addr_set_port(&to, port);
	for (unsigned i = 0; i < count; i++) {
		int fd = sock_connect(&to, SOCK_STREAM), other = accept(listener, NULL, NULL);

		if (other < 0)
			err(1, "accept");
		end_init(&t->client[i], t, l, fd, true);
		end_init(&t->server[i], t, l, other, false);
	}
	close(listener);
	return t;
}

void tcp_load_tick(struct tcp_load *t, struct load *l, uint64_t elapsed_ns)
{
	for (unsigned i = 0; i < t->count; i++) {
		struct tcp_end *e = &t->client[i];
		/* Spread over the interval, so that some connection always has something on the
		 * way. */
		uint64_t shift = (uint64_t)t->interval_ms * 1000000 * i / t->count;
		uint64_t due =
			elapsed_ns < shift ? 0 : (elapsed_ns - shift) / 1000000 / t->interval_ms;

		while (e->sent < due && !e->broken)
			end_send(e, l, e->sent++);
	}
}

uint64_t tcp_load_outstanding(const struct tcp_load *t)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < t->count; i++)
		n += t->client[i].sent - t->client[i].expect;
	return n;
}

/* Adds what the kernel retransmitted at this end. */
static void end_retransmits(const struct tcp_end *e, uint64_t *all, uint64_t *needless)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(e->source.fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return;
	*all += info.tcpi_total_retrans;
	*needless += info.tcpi_dsack_dups;
}

void tcp_load_report(struct tcp_load *t)
{
	uint64_t retransmits = 0, needless = 0, dsack_client = 0, dsack_server = 0;

	for (unsigned i = 0; i < t->count; i++) {
		end_retransmits(&t->client[i], &retransmits, &dsack_client);
		end_retransmits(&t->server[i], &retransmits, &dsack_server);
	}
	needless = dsack_client + dsack_server;
	printf("{\"connections\": %u, \"messages\": %llu, \"unanswered\": %llu, \"disordered\": "
	       "%llu, \"broken\": %llu, "
	       "\"retransmits\": %llu, \"needless\": %llu, \"gap_ms\": %.1f}",
		t->count, (unsigned long long)t->messages,
		(unsigned long long)tcp_load_outstanding(t), (unsigned long long)t->disordered,
		(unsigned long long)t->broken, (unsigned long long)retransmits,
		(unsigned long long)needless, (double)t->gap_ns / 1e6);
}

/* Attempts under way, in a ring by age. */
struct tcp_probe {
	struct source listener;
	union sock_addr to;
	unsigned rate;
	uint64_t tried, failed, connected, accepted;
	int fd[PROBES_MAX];
	uint64_t since_ns[PROBES_MAX];
	uint64_t oldest;
};

static void on_listener(struct source *self, struct load *l)
{
	struct tcp_probe *p = self->data;
	int fd;

	(void)l;
	while ((fd = accept4(self->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		p->accepted++;
		close(fd);
	}
}

struct tcp_probe *tcp_probe_start(struct load *l, unsigned port, unsigned rate)
{
	struct tcp_probe *p = calloc(1, sizeof(*p));

	if (!p)
		err(1, "probes");
	p->rate = rate;
	p->to = l->address[1];
	sock_addr_set_port(&p->to, port);
	p->listener =
		(struct source){on_listener, load_bind(l, 1, port, SOCK_STREAM | SOCK_NONBLOCK), p};
	source_add(l, &p->listener, EPOLLIN);
	return p;
}

/* A probe has had its time: established means that it passed. */
static void probe_end(struct tcp_probe *p)
{
	int fd = p->fd[p->oldest++ % PROBES_MAX];
	union sock_addr a;
	socklen_t len = sizeof(a);

	if (!getpeername(fd, &a.any, &len))
		p->connected++;
	else
		p->failed++;
	close(fd);
}

void tcp_probe_tick(struct tcp_probe *p, struct load *l, uint64_t elapsed_ns)
{
	uint64_t due = elapsed_ns / 1000 * p->rate / 1000000;

	while (p->oldest < p->tried &&
		l->now_ns - p->since_ns[p->oldest % PROBES_MAX] > PROBE_AGE_MS * 1000000ull)
		probe_end(p);
	while (p->tried < due && p->tried - p->oldest < PROBES_MAX) {
		int fd = sock_open(&p->to, SOCK_STREAM | SOCK_NONBLOCK);

		(void)connect(fd, &p->to.any, sock_addr_len(&p->to));
		p->fd[p->tried % PROBES_MAX] = fd;
		p->since_ns[p->tried++ % PROBES_MAX] = l->now_ns;
	}
}

void tcp_probe_report(struct tcp_probe *p)
{
	while (p->oldest < p->tried)
		probe_end(p);
	printf("{\"tried\": %llu, \"failed\": %llu, \"connected\": %llu, \"accepted\": %llu}",
		(unsigned long long)p->tried, (unsigned long long)p->failed,
		(unsigned long long)p->connected, (unsigned long long)p->accepted);
}
