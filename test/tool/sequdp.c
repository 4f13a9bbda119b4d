/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbered datagrams for seqload. Every packet carries the flow's index and its own number; what
 * comes is ticked off by number, so that lost, doubled and overtaken packets are told apart, and
 * where the verdict on a flow changed.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "test/tool/seqload.h"

enum { PACKET_MAGIC = 0x6b696c6d, RANGES_MAX = 8 };

struct packet {
	uint32_t magic, flow;
	uint64_t number;
	uint8_t fill[48];
};

static void seen_add(struct seen *s, uint64_t number)
{
	if (number >= s->capacity) {
		size_t capacity = s->capacity ? s->capacity : 1 << 16;

		while (capacity <= number)
			capacity *= 2;
		s->count = realloc(s->count, capacity);
		if (!s->count)
			err(1, "numbers");
		memset(s->count + s->capacity, 0, capacity - s->capacity);
		s->capacity = capacity;
	}
	if (s->count[number]++)
		s->duplicated++;
	else
		s->received++;
	if (s->received > 1 && number < s->highest)
		s->overtaken++;
	else
		s->highest = number;
}

static bool seen_has(const struct seen *s, uint64_t number)
{
	return number < s->capacity && s->count[number];
}

static bool packet_is_of(const struct packet *p, ssize_t len, const struct udp_flow *f)
{
	return len == (ssize_t)sizeof(*p) && p->magic == PACKET_MAGIC && p->flow == f->index;
}

static void on_receiver(struct source *self, struct load *l)
{
	struct udp_flow *f = self->data;
	union sock_addr from;
	struct packet p;

	(void)l;
	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(self->fd, &p, sizeof(p), MSG_DONTWAIT, &from.any, &len);

		if (n < 0)
			return;
		if (!packet_is_of(&p, n, f))
			continue;
		seen_add(&f->there, p.number);
		if (f->echo)
			(void)sendto(self->fd, &p, sizeof(p), MSG_DONTWAIT, &from.any, len);
	}
}

static void on_sender(struct source *self, struct load *l)
{
	struct udp_flow *f = self->data;
	struct packet p;

	(void)l;
	for (;;) {
		ssize_t n = recv(self->fd, &p, sizeof(p), MSG_DONTWAIT);

		if (n < 0 && errno != ECONNREFUSED)
			return;
		if (packet_is_of(&p, n, f))
			seen_add(&f->back, p.number);
	}
}

/* A connected socket at the sending end. The process is in namespace a already. */
static int open_sender(const struct udp_flow *f, const struct load *l)
{
	union sock_addr to = l->address[!f->from];
	int left = f->from ? sock_enter(l->netns[1]) : -1, fd;

	sock_addr_set_port(&to, f->port);
	fd = sock_connect(&to, SOCK_DGRAM | SOCK_NONBLOCK);
	if (left >= 0)
		sock_return(left);
	return fd;
}

void udp_flow_start(struct udp_flow *f, struct load *l)
{
	f->receiver.fd = load_bind(l, !f->from, f->port, SOCK_DGRAM | SOCK_NONBLOCK);
	f->receiver.fn = on_receiver;
	f->receiver.data = f;
	sock_big_buffers(f->receiver.fd);
	source_add(l, &f->receiver, EPOLLIN);
	f->sender.fd = -1;
	f->sender.fn = on_sender;
	f->sender.data = f;
	if (f->fresh)
		return;
	f->sender.fd = open_sender(f, l);
	sock_big_buffers(f->sender.fd);
	source_add(l, &f->sender, EPOLLIN);
}

static void send_one(struct udp_flow *f, struct load *l)
{
	struct packet p = {.magic = PACKET_MAGIC, .flow = f->index, .number = f->sent++};
	int fd = f->fresh ? open_sender(f, l) : f->sender.fd;

	/* An ICMP error of an earlier packet is reported once and cleared by that: send again. */
	if (send(fd, &p, sizeof(p), 0) < 0 && errno == ECONNREFUSED)
		(void)send(fd, &p, sizeof(p), 0);
	if (f->fresh)
		close(fd);
}

void udp_flow_tick(struct udp_flow *f, struct load *l, uint64_t elapsed_ns)
{
	uint64_t due = elapsed_ns / 1000 * f->rate / 1000000;

	while (f->sent < due)
		send_one(f, l);
}

static void seen_report(const char *name, const struct seen *s, uint64_t sent)
{
	uint64_t flips = 0, ranges = 0, start = 0;

	for (uint64_t i = 1; i < sent; i++)
		flips += seen_has(s, i) != seen_has(s, i - 1);
	printf("\"%s\": {\"received\": %llu, \"lost\": %lld, \"duplicated\": %llu, \"overtaken\": "
	       "%llu, \"flips\": %llu, \"lost_ranges\": [",
		name, (unsigned long long)s->received, (long long)(sent - s->received),
		(unsigned long long)s->duplicated, (unsigned long long)s->overtaken,
		(unsigned long long)flips);
	for (uint64_t i = 0; i <= sent && ranges < RANGES_MAX; i++) {
		bool lost = i < sent && !seen_has(s, i);
		bool before = i > 0 && !seen_has(s, i - 1);

		if (lost && !before)
			start = i;
		if (!lost && before)
			printf("%s[%llu, %llu]", ranges++ ? ", " : "", (unsigned long long)start,
				(unsigned long long)(i - start));
	}
	printf("]}");
}

void udp_flow_report(const struct udp_flow *f)
{
	printf("{\"sent\": %llu, ", (unsigned long long)f->sent);
	seen_report("there", &f->there, f->sent);
	if (f->echo) {
		printf(", ");
		seen_report("back", &f->back, f->sent);
	}
	printf("}");
}

uint64_t udp_flow_equal(const struct udp_flow *a, const struct udp_flow *b)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < a->sent && i < b->sent; i++)
		n += seen_has(&a->there, i) == seen_has(&b->there, i);
	return n;
}
