/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes listening sockets. Called by server.c. Must hold: a unix socket is never reachable with
 * wider permissions than 0660, whatever the umask is, and appears under its name in one step; the
 * socket of a server that lives is never taken away from it.
 */
#include "api/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

enum { SOCKET_MODE = 0660, BACKLOG = 511 };

static const char temporary[] = ".new"; /* behind the path, until the socket listens */

static int address_fill(struct sockaddr_un *sa, const char *path, const char *suffix, struct err *e)
{
	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) + strlen(suffix) >= sizeof(sa->sun_path))
		return err_set(e, -ENAMETOOLONG,
			"socket %s: the path is longer than the %zu bytes that a unix socket can "
			"have; choose a shorter directory",
			path, sizeof(sa->sun_path) - sizeof(temporary));
	snprintf(sa->sun_path, sizeof(sa->sun_path), "%s%s", path, suffix);
	return 0;
}

/* -EADDRINUSE when somebody listens at the path or it is no socket; 0 when the name may be taken.
 */
static int path_probe(const char *path, struct err *e)
{
	SCOPED(fd_closep)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sa;
	struct stat st;
	int r = address_fill(&sa, path, temporary, e);

	if (r < 0)
		return r;
	sa.sun_path[strlen(path)] = 0;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0
				       : err_set(e, -errno, "socket %s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return err_set(
			e, -EEXIST, "socket %s: there is something else under that name", path);
	if (fd < 0)
		return err_set(e, -errno, "socket %s: %s", path, strerror(errno));
	if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)) || errno == EAGAIN)
		return err_set(
			e, -EADDRINUSE, "socket %s: another server answers there already", path);
	if (errno != ECONNREFUSED && errno != ENOENT)
		return err_set(e, -errno, "socket %s: %s", path, strerror(errno));
	return 0;
}

static int listen_unix(const char *path, struct listener *ret, struct err *e)
{
	SCOPED(fd_closep)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sa;
	struct stat st;
	int r = path_probe(path, e);

	if (r >= 0)
		r = address_fill(&sa, path, temporary, e);
	if (r < 0)
		return r;
	if (fd < 0)
		return err_set(e, -errno, "socket %s: %s", path, strerror(errno));
	/* the mode of the unbound socket bounds the file's; chmod() after bind() only puts back
	 * what the umask took */
	(void)unlink(sa.sun_path);
	if (fchmod(fd, SOCKET_MODE) < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
		chmod(sa.sun_path, SOCKET_MODE) < 0 || listen(fd, BACKLOG) < 0 ||
		stat(sa.sun_path, &st) < 0 || rename(sa.sun_path, path) < 0) {
		r = -errno;
		(void)unlink(sa.sun_path);
		return err_set(e, r, "socket %s: %s", path, strerror(-r));
	}
	*ret = (struct listener){.fd = TAKE_FD(fd),
		.local = true,
		.path = mem_strdup(path),
		.dev = st.st_dev,
		.ino = st.st_ino};
	return 0;
}

/* "127.0.0.1:9962", "[::1]:9962", ":9962" (all addresses). */
static int parse_tcp(const char *address, struct sockaddr_in6 *ret, struct err *e)
{
	SCOPED(freep)
	char *host = mem_strdup(address);
	char *colon = strrchr(host, ':'), *name = host;
	char mapped[INET6_ADDRSTRLEN + 8];
	uint64_t port;
	size_t len;

	*ret = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
	if (!colon || str_to_u64(colon + 1, UINT16_MAX, &port) < 0)
		return err_set(e, -EINVAL, "address %s: expected ADDRESS:PORT or :PORT", address);
	*colon = 0;
	ret->sin6_port = htons((uint16_t)port);
	len = strlen(name);
	if (!len)
		return 0;
	if (*name == '[' && name[len - 1] == ']') {
		name[len - 1] = 0;
		snprintf(mapped, sizeof(mapped), "%s", name + 1);
	} else {
		snprintf(mapped, sizeof(mapped), "::ffff:%s", name);
	}
	if (inet_pton(AF_INET6, mapped, &ret->sin6_addr) != 1)
		return err_set(e, -EINVAL,
			"address %s: %s is not an IP address (IPv6 ones stand in brackets; names "
			"are not looked up)",
			address, name);
	return 0;
}

/* The address as IPv4, for machines without IPv6; 0 when it is none. */
static int as_ipv4(const struct sockaddr_in6 *in6, struct sockaddr_in *ret)
{
	bool any = IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);

	if (!any && !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return 0;
	*ret = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = in6->sin6_port};
	if (!any)
		memcpy(&ret->sin_addr, &in6->sin6_addr.s6_addr[12], 4);
	return 1;
}

static int tcp_socket(int family, const void *sa, socklen_t len)
{
	SCOPED(fd_closep)
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1, zero = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return -errno;
	if (family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) < 0)
		return -errno;
	if (bind(fd, sa, len) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int listen_tcp(const char *address, struct listener *ret, struct err *e)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	bool four, loopback;
	int r = parse_tcp(address, &in6, e);

	if (r < 0)
		return r;
	four = as_ipv4(&in6, &in);
	loopback = IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr) ||
		   (four && ntohl(in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET);
	if (four && in.sin_addr.s_addr) {
		r = tcp_socket(AF_INET, &in, sizeof(in));
	} else {
		r = tcp_socket(AF_INET6, &in6, sizeof(in6));
		if (r < 0 && r != -EADDRINUSE && four)
			r = tcp_socket(AF_INET, &in, sizeof(in));
	}
	if (r < 0)
		return err_set(e, r, "address %s: cannot listen: %s", address, strerror(-r));
	*ret = (struct listener){.fd = r, .loopback = loopback};
	return 0;
}

int listener_open(const char *address, struct listener *ret, struct err *e)
{
	if (str_has_prefix(address, "unix:"))
		return listen_unix(address + 5, ret, e);
	return listen_tcp(address, ret, e);
}

void listener_done(struct listener *l)
{
	struct stat st;

	if (l->path && !lstat(l->path, &st) && st.st_dev == l->dev && st.st_ino == l->ino)
		(void)unlink(l->path);
	free(l->path);
	l->path = NULL;
}
