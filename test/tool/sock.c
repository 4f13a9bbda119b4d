/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets, cores and namespaces for the load programs. Called by rr, pps, seqload, flood and
 * cnidrive; every failure ends the program, so that a test never goes on with half of its load.
 */
#include "test/tool/sock.h"

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

void sock_addr_parse(const char *text, unsigned port, union sock_addr *ret)
{
	union sock_addr a = {0};

	if (!text || !strcmp(text, "*"))
		text = "::";
	if (inet_pton(AF_INET, text, &a.in4.sin_addr) == 1)
		a.any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &a.in6.sin6_addr) == 1)
		a.any.sa_family = AF_INET6;
	else
		errx(2, "%s: not an address", text);
	sock_addr_set_port(&a, port);
	*ret = a;
}

socklen_t sock_addr_len(const union sock_addr *a)
{
	return a->any.sa_family == AF_INET ? sizeof(a->in4) : sizeof(a->in6);
}

void sock_addr_set_port(union sock_addr *a, unsigned port)
{
	if (a->any.sa_family == AF_INET)
		a->in4.sin_port = htons(port);
	else
		a->in6.sin6_port = htons(port);
}

int sock_open(const union sock_addr *a, int type)
{
	int fd = socket(a->any.sa_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	return fd;
}

int sock_bind(const union sock_addr *a, int type)
{
	int fd = sock_open(a, type), on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		err(1, "SO_REUSEADDR");
	if (bind(fd, &a->any, sock_addr_len(a)) < 0)
		err(1, "bind to port %u", ntohs(a->in4.sin_port));
	if ((type & SOCK_STREAM) == SOCK_STREAM && listen(fd, 4096) < 0)
		err(1, "listen");
	return fd;
}

int sock_connect(const union sock_addr *a, int type)
{
	int fd = sock_open(a, type);

	if (connect(fd, &a->any, sock_addr_len(a)) < 0)
		err(1, "connect to port %u", ntohs(a->in4.sin_port));
	return fd;
}

void sock_big_buffers(int fd)
{
	int bytes = 16 << 20;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

void sock_no_delay(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		err(1, "TCP_NODELAY");
}

void sock_timeout(int fd, unsigned ms)
{
	struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000L};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) < 0)
		err(1, "SO_RCVTIMEO");
}

void sock_pin(int core)
{
	cpu_set_t set;

	if (core < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		err(1, "core %d", core);
}

int sock_enter(const char *path)
{
	int old = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd;

	if (old < 0)
		err(1, "/proc/self/ns/net");
	if (!path || !*path)
		return old;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	if (setns(fd, CLONE_NEWNET) < 0)
		err(1, "enter %s", path);
	close(fd);
	return old;
}

void sock_return(int netns_fd)
{
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		err(1, "return to the first namespace");
	close(netns_fd);
}

uint64_t sock_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
