/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_API_ANSWER_H
#define KILIM_API_ANSWER_H
/* Reading an HTTP/1.1 answer from a socket: head, then the body in pieces, whatever its framing.
 * For client.c. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"

enum answer_framing { ANSWER_UNTIL_CLOSE, ANSWER_LENGTH, ANSWER_CHUNKED };

struct answer {
	int fd;
	uint64_t deadline_ns; /* on the monotonic clock; 0: none */
	bool interruptible; /* a signal while waiting ends it with -EINTR */
	int status;
	enum answer_framing framing;
	uint64_t left; /* bytes of the body, or of the chunk, to come */
	bool in_chunks, ended;
	size_t pos, len;
	char buf[16384];
};

/* Send all bytes. A peer that has closed already is no failure: its answer may be there. */
int answer_request(struct answer *a, const void *bytes, size_t len, struct err *e) MUST_USE;
/* Read the status line and the headers; 1xx answers are passed over. Fills status, framing, left.
 */
int answer_head(struct answer *a, struct err *e) MUST_USE;
/* The next bytes of the body, at most len. 0 at its end. -ECONNRESET when it breaks off, -EPROTO
 * when it is malformed. */
ssize_t answer_body(struct answer *a, void *buf, size_t len, struct err *e) MUST_USE;

#endif
