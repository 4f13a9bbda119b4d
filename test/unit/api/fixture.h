/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_UNIT_API_FIXTURE_H
#define KILIM_TEST_UNIT_API_FIXTURE_H
/* A server in a thread of its own, and raw connections to it. Included after the headers of cmocka
 * by one test each. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/server.h"
#include "loop/loop.h"

struct fixture {
	char dir[64], address[96], path[96];
	const struct api_route *routes;
	const char *listen; /* a TCP address instead of the unix socket, or NULL */
	pthread_t thread;
	int quit, ready;
	int started; /* what api_server_start() returned */
	/* called in the server's thread when poked */
	void (*poke)(void *data);
	int poked;
};

static int fixture_on_quit(int fd, uint32_t events, void *data)
{
	(void)fd;
	(void)events;
	loop_exit(data, 0);
	return 0;
}

static int fixture_on_poke(int fd, uint32_t events, void *data)
{
	struct fixture *f = data;
	eventfd_t n;

	(void)events;
	(void)eventfd_read(fd, &n);
	f->poke(f);
	return 0;
}

static void *fixture_serve(void *data)
{
	struct fixture *f = data;
	struct loop *l = loop_new();
	struct loop_source *quit = loop_add_fd(l, f->quit, EPOLLIN, fixture_on_quit, l);
	struct loop_source *poke = loop_add_fd(l, f->poked, EPOLLIN, fixture_on_poke, f);
	struct api_server *s = NULL;

	f->started =
		api_server_start(l, f->listen ? f->listen : f->address, f->routes, f, &s, NULL);
	(void)eventfd_write(f->ready, 1);
	if (f->started >= 0)
		(void)loop_run(l);
	api_server_stop(s);
	loop_source_free(poke);
	loop_source_free(quit);
	loop_free(l);
	return NULL;
}

static inline void fixture_start(struct fixture *f, const struct api_route *routes)
{
	eventfd_t n;

	strcpy(f->dir, "/tmp/kilim-api-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
	snprintf(f->address, sizeof(f->address), "unix:%s", f->path);
	f->routes = routes;
	f->quit = eventfd(0, 0);
	f->poked = eventfd(0, 0);
	f->ready = eventfd(0, 0);
	assert_int_equal(pthread_create(&f->thread, NULL, fixture_serve, f), 0);
	assert_int_equal(eventfd_read(f->ready, &n), 0);
	assert_int_equal(f->started, 0);
}

static inline void fixture_poke(struct fixture *f)
{
	(void)eventfd_write(f->poked, 1);
}

static inline void fixture_stop(struct fixture *f)
{
	(void)eventfd_write(f->quit, 1);
	(void)pthread_join(f->thread, NULL);
	close(f->quit);
	close(f->poked);
	close(f->ready);
	assert_int_equal(access(f->path, F_OK), -1); /* the socket is gone */
	assert_int_equal(rmdir(f->dir), 0);
}

static inline int fixture_connect(const struct fixture *f)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sa.sun_path, f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

/* Send the text, end the sending half, and return all that comes until the server closes; free()
 * it. */
static inline char *fixture_exchange(int fd, const char *text, size_t len)
{
	size_t n = 0, room = 1 << 16;
	char *out = calloc(1, room);
	ssize_t got;

	assert_non_null(out);
	for (size_t sent = 0; sent < len; sent += (size_t)got) {
		got = send(fd, text + sent, len - sent, MSG_NOSIGNAL);
		if (got <= 0)
			break;
	}
	(void)shutdown(fd, SHUT_WR);
	while (n < room - 1 && (got = recv(fd, out + n, room - 1 - n, 0)) > 0)
		n += (size_t)got;
	close(fd);
	return out;
}

#endif
