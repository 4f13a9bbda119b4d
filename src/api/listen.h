/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_API_LISTEN_H
#define KILIM_API_LISTEN_H
/* The listening socket of a server, unix or TCP. */
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"

struct listener {
	int fd;
	bool local; /* a unix socket */
	bool loopback; /* TCP on 127.0.0.0/8 or ::1 */
	char *path; /* of a unix socket */
	dev_t dev; /* which file it was when we made it */
	ino_t ino;
};

/* As api_server_start() says of address. On success close fd and call listener_done(). */
int listener_open(const char *address, struct listener *ret, struct err *e) MUST_USE;
/* Remove the socket file unless it is another one by now; fd is not touched. */
void listener_done(struct listener *l);

#endif
