/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pps: numbered datagrams. "pps sink" counts what comes, what is missing and what overtook; "pps
 * send" sends; "pps pair" holds both sockets, one in each namespace, sends a batch and receives it,
 * all on one core: packets per second are then one over the cost of a packet, and no scheduler is
 * in between. Used by test/perf (pair) and by hand.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/tool/sock.h"

enum { SIZE_MAX_BYTES = 1472, BATCH_MAX = 256 };

struct options {
	const char *address, *from, *to;
	unsigned port, size, seconds, batch;
	uint64_t rate; /* packets a second; 0: as fast as it goes */
	int core;
};

/* What the numbers of the packets received tell. */
struct tally {
	uint64_t received, highest, overtaken;
};

static volatile sig_atomic_t stopped;

static void stop(int signo)
{
	(void)signo;
	stopped = 1;
}

static void tally_add(struct tally *t, const char *packet)
{
	uint64_t number;

	memcpy(&number, packet, sizeof(number));
	t->received++;
	if (number < t->highest)
		t->overtaken++;
	else
		t->highest = number;
}

/* Buffers and headers for sendmmsg and recvmmsg. */
struct batch {
	struct mmsghdr m[BATCH_MAX];
	struct iovec io[BATCH_MAX];
	char buf[BATCH_MAX][SIZE_MAX_BYTES];
};

static void batch_init(struct batch *b, unsigned count, unsigned size)
{
	for (unsigned i = 0; i < count; i++) {
		b->io[i] = (struct iovec){b->buf[i], size};
		b->m[i].msg_hdr = (struct msghdr){.msg_iov = &b->io[i], .msg_iovlen = 1};
	}
}

/* Send count packets numbered from *number on; returns how many the socket took. */
static unsigned batch_send(struct batch *b, int fd, unsigned count, uint64_t *number)
{
	unsigned done = 0;

	for (unsigned i = 0; i < count; i++) {
		uint64_t n = ++*number;

		memcpy(b->buf[i], &n, sizeof(n));
	}
	while (done < count) {
		int r = sendmmsg(fd, b->m + done, count - done, 0);

		if (r > 0)
			done += (unsigned)r;
		else if (errno != ECONNREFUSED && errno != ENOBUFS && errno != EINTR)
			err(1, "send");
	}
	return done;
}

static unsigned batch_receive(struct batch *b, int fd, unsigned count, int flags, struct tally *t)
{
	int r = recvmmsg(fd, b->m, count, flags, NULL);

	for (int i = 0; i < r; i++)
		tally_add(t, b->buf[i]);
	return r < 0 ? 0 : (unsigned)r;
}

static void report(const char *mode, uint64_t sent, const struct tally *t, double seconds)
{
	uint64_t missing = sent - t->received;

	printf("{\"mode\": \"%s\", \"sent\": %llu, \"received\": %llu, \"lost\": %llu, "
	       "\"overtaken\": %llu, "
	       "\"seconds\": %.3f, \"pps\": %.0f}\n",
		mode, (unsigned long long)sent, (unsigned long long)t->received,
		(unsigned long long)missing, (unsigned long long)t->overtaken, seconds,
		(double)(t->received ? t->received : sent) / seconds);
}

static void pair(const struct options *o)
{
	static struct batch out, in;
	struct tally t = {0};
	union sock_addr a;
	uint64_t number = 0, start, end;
	int sink, source, left;

	sock_addr_parse(o->address, o->port, &a);
	left = sock_enter(o->to);
	sink = sock_bind(&a, SOCK_DGRAM | SOCK_NONBLOCK);
	sock_return(left);
	left = sock_enter(o->from);
	source = sock_connect(&a, SOCK_DGRAM);
	sock_return(left);
	sock_big_buffers(sink);
	sock_big_buffers(source);
	batch_init(&out, o->batch, o->size);
	batch_init(&in, o->batch, SIZE_MAX_BYTES);
	start = sock_now_ns();
	end = start + o->seconds * 1000000000ull;
	do {
		unsigned have = 0, idle = 0;

		batch_send(&out, source, o->batch, &number);
		while (have < o->batch && idle < 1000) {
			unsigned n = batch_receive(&in, sink, o->batch - have, 0, &t);

			idle = n ? 0 : idle + 1;
			have += n;
		}
	} while (sock_now_ns() < end && !stopped);
	report("pair", number, &t, (double)(sock_now_ns() - start) / 1e9);
}

static void sender(const struct options *o)
{
	static struct batch b;
	union sock_addr a;
	uint64_t number = 0, start = sock_now_ns(), end = start + o->seconds * 1000000000ull;
	int fd;

	sock_addr_parse(o->address, o->port, &a);
	fd = sock_connect(&a, SOCK_DGRAM);
	sock_big_buffers(fd);
	batch_init(&b, o->batch, o->size);
	while (sock_now_ns() < end && !stopped) {
		double due = (double)(sock_now_ns() - start) / 1e9 * (double)o->rate;

		if (!o->rate)
			batch_send(&b, fd, o->batch, &number);
		else if ((double)number < due)
			batch_send(&b, fd, 1, &number);
		else
			usleep(200);
	}
	report("send", number, &(struct tally){0}, (double)(sock_now_ns() - start) / 1e9);
}

/* Until --seconds have passed or SIGTERM; the numbers say how many were sent. */
static void sink(const struct options *o)
{
	static struct batch b;
	struct tally t = {0};
	union sock_addr a;
	uint64_t start = sock_now_ns(), end = start + o->seconds * 1000000000ull;
	int fd;

	sock_addr_parse(o->address, o->port, &a);
	fd = sock_bind(&a, SOCK_DGRAM);
	sock_big_buffers(fd);
	sock_timeout(fd, 100);
	batch_init(&b, o->batch, SIZE_MAX_BYTES);
	puts("ready");
	fflush(stdout);
	while (!stopped && (!o->seconds || sock_now_ns() < end))
		batch_receive(&b, fd, o->batch, MSG_WAITFORONE, &t);
	report("sink", t.highest, &t, (double)(sock_now_ns() - start) / 1e9);
}

static void usage(void)
{
	errx(2, "usage: pps pair|send|sink [--address A] [--port N] [--size BYTES] [--seconds N] "
		"[--rate PPS] [--batch N] "
		"[--from NETNS --to NETNS] [--core N]");
}

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"address", 1, 0, 'a'}, {"port", 1, 0, 'p'},
		{"size", 1, 0, 's'}, {"seconds", 1, 0, 't'}, {"rate", 1, 0, 'r'},
		{"batch", 1, 0, 'b'}, {"from", 1, 0, 'f'}, {"to", 1, 0, 'o'}, {"core", 1, 0, 'c'},
		{0, 0, 0, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'a':
			o->address = optarg;
			break;
		case 'p':
			o->port = (unsigned)atoi(optarg);
			break;
		case 's':
			o->size = (unsigned)atoi(optarg);
			break;
		case 't':
			o->seconds = (unsigned)atoi(optarg);
			break;
		case 'r':
			o->rate = strtoull(optarg, NULL, 10);
			break;
		case 'b':
			o->batch = (unsigned)atoi(optarg);
			break;
		case 'f':
			o->from = optarg;
			break;
		case 'o':
			o->to = optarg;
			break;
		case 'c':
			o->core = atoi(optarg);
			break;
		default:
			usage();
		}
	}
	if (o->size < sizeof(uint64_t) || o->size > SIZE_MAX_BYTES || !o->batch ||
		o->batch > BATCH_MAX)
		errx(2, "--size is 8 to %d, --batch 1 to %d", SIZE_MAX_BYTES, BATCH_MAX);
}

int main(int argc, char **argv)
{
	struct options o = {.port = 7001, .size = 64, .seconds = 2, .batch = 32, .core = -1};

	if (argc < 2)
		usage();
	parse(argc - 1, argv + 1, &o);
	sock_pin(o.core);
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	if (!strcmp(argv[1], "pair"))
		pair(&o);
	else if (!strcmp(argv[1], "send"))
		sender(&o);
	else if (!strcmp(argv[1], "sink"))
		sink(&o);
	else
		usage();
	return 0;
}
