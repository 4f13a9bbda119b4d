/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rr: latency of request and response. "rr server" answers; "rr tcp_rr" sends requests over one
 * connection, "rr tcp_crr" opens one for each, "rr udp_rr" sends datagrams. Blocking calls on both
 * sides, so that the path is what is measured. Used by test/perf and by hand.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test/tool/sample.h"
#include "test/tool/sock.h"

enum { REQUEST_MAX = 65000, LOST_MAX = 100 };

/* First byte of a request: whether the server closes after its answer. It closes first, so that
 * TIME_WAIT does not use up the client's ports. */
enum { ASK_STAY = 'r', ASK_CLOSE = 'c' };

struct options {
	const char *address;
	unsigned port, size, seconds;
	int core;
};

struct result {
	struct sample latency;
	unsigned lost;
	double seconds;
};

static void *udp_server(void *data)
{
	const struct options *o = data;
	static char buf[REQUEST_MAX];
	union sock_addr a;
	int fd;

	sock_addr_parse(o->address, o->port, &a);
	fd = sock_bind(&a, SOCK_DGRAM);
	for (;;) {
		socklen_t len = sizeof(a);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, &a.any, &len);

		if (n >= 0)
			(void)sendto(fd, buf, (size_t)n, 0, &a.any, len);
	}
	return NULL;
}

static void serve_connection(int fd, unsigned size)
{
	static char buf[REQUEST_MAX];
	size_t have = 0;
	ssize_t n;

	sock_no_delay(fd);
	while ((n = read(fd, buf + have, size - have)) > 0) {
		have += (size_t)n;
		if (have < size)
			continue;
		have = 0;
		if (write(fd, buf, size) != (ssize_t)size || buf[0] == ASK_CLOSE)
			break;
	}
	close(fd);
}

static void server(struct options *o)
{
	pthread_t thread;
	union sock_addr a;
	int fd;

	if (pthread_create(&thread, NULL, udp_server, o))
		errx(1, "no thread");
	sock_addr_parse(o->address, o->port, &a);
	fd = sock_bind(&a, SOCK_STREAM);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int c = accept(fd, NULL, NULL);

		if (c >= 0)
			serve_connection(c, o->size);
	}
}

/* One request and its answer; false when the peer has gone or nothing came in time. */
static bool exchange(int fd, char *buf, size_t size)
{
	size_t have = 0;

	if (write(fd, buf, size) != (ssize_t)size)
		return false;
	while (have < size) {
		ssize_t n = read(fd, buf + have, size - have);

		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

static void tcp_rr(
	const struct options *o, const union sock_addr *a, uint64_t end_ns, struct result *ret)
{
	char buf[REQUEST_MAX] = {ASK_STAY};
	int fd = sock_connect(a, SOCK_STREAM);
	uint64_t now = sock_now_ns();

	sock_no_delay(fd);
	sock_timeout(fd, 5000);
	while (now < end_ns) {
		uint64_t start = now;

		if (!exchange(fd, buf, o->size))
			err(1, "request %zu", ret->latency.count);
		now = sock_now_ns();
		sample_add(&ret->latency, now - start);
	}
	close(fd);
}

static void tcp_crr(
	const struct options *o, const union sock_addr *a, uint64_t end_ns, struct result *ret)
{
	char buf[REQUEST_MAX];
	uint64_t now = sock_now_ns();

	while (now < end_ns) {
		uint64_t start = now;
		int fd = sock_connect(a, SOCK_STREAM);

		buf[0] = ASK_CLOSE;
		sock_timeout(fd, 5000);
		if (!exchange(fd, buf, o->size) || read(fd, buf, sizeof(buf)) != 0)
			err(1, "connection %zu", ret->latency.count);
		close(fd);
		now = sock_now_ns();
		sample_add(&ret->latency, now - start);
	}
}

static void udp_rr(
	const struct options *o, const union sock_addr *a, uint64_t end_ns, struct result *ret)
{
	char buf[REQUEST_MAX] = {ASK_STAY};
	int fd = sock_connect(a, SOCK_DGRAM);
	uint64_t now = sock_now_ns();

	sock_timeout(fd, 200);
	while (now < end_ns) {
		uint64_t start = now;

		if (send(fd, buf, o->size, 0) < 0 || recv(fd, buf, sizeof(buf), 0) < 0) {
			if (++ret->lost > LOST_MAX)
				errx(1, "more than %d answers lost", LOST_MAX);
			now = sock_now_ns();
			continue;
		}
		now = sock_now_ns();
		sample_add(&ret->latency, now - start);
	}
	close(fd);
}

static const struct mode {
	const char *name;
	void (*fn)(const struct options *, const union sock_addr *, uint64_t, struct result *);
} modes[] = {{"tcp_rr", tcp_rr}, {"tcp_crr", tcp_crr}, {"udp_rr", udp_rr}};

static void client(const struct mode *m, const struct options *o)
{
	struct result r = {0};
	struct rusage u;
	union sock_addr a;
	uint64_t start = sock_now_ns();

	if (!o->address)
		errx(2, "%s needs --address", m->name);
	sock_addr_parse(o->address, o->port, &a);
	m->fn(o, &a, start + o->seconds * 1000000000ull, &r);
	r.seconds = (double)(sock_now_ns() - start) / 1e9;
	getrusage(RUSAGE_SELF, &u);
	printf("{\"mode\": \"%s\", \"count\": %zu, \"lost\": %u, \"per_second\": %.0f, ", m->name,
		r.latency.count, r.lost, (double)r.latency.count / r.seconds);
	sample_print_us(&r.latency);
	printf(", \"cpu_s\": %.3f}\n",
		(double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
			(double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	sample_done(&r.latency);
}

static void usage(void)
{
	errx(2, "usage: rr server|tcp_rr|tcp_crr|udp_rr [--address A] [--port N] [--size BYTES] "
		"[--seconds N] [--core N]");
}

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"address", 1, 0, 'a'}, {"port", 1, 0, 'p'},
		{"size", 1, 0, 's'}, {"seconds", 1, 0, 't'}, {"core", 1, 0, 'c'}, {0, 0, 0, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'a')
			o->address = optarg;
		else if (c == 'p')
			o->port = (unsigned)atoi(optarg);
		else if (c == 's')
			o->size = (unsigned)atoi(optarg);
		else if (c == 't')
			o->seconds = (unsigned)atoi(optarg);
		else if (c == 'c')
			o->core = atoi(optarg);
		else
			usage();
	}
	if (!o->size || o->size > REQUEST_MAX)
		errx(2, "--size is 1 to %d", REQUEST_MAX);
}

int main(int argc, char **argv)
{
	struct options o = {.port = 7000, .size = 1, .seconds = 2, .core = -1};

	if (argc < 2)
		usage();
	parse(argc - 1, argv + 1, &o);
	sock_pin(o.core);
	if (!strcmp(argv[1], "server"))
		server(&o);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (!strcmp(argv[1], modes[i].name)) {
			client(&modes[i], &o);
			return 0;
		}
	}
	usage();
	return 2;
}
