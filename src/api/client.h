/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_API_CLIENT_H
#define KILIM_API_CLIENT_H
/* The other end of api/server.h, for the CLI and the CNI plugin: blocking, one connection per call,
 * no library but jansson. */
#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

enum {
	API_ANSWER_MAX = 256 << 20,
	API_LINE_MAX = 1 << 20
}; /* bytes of a body, of a stream's line */

/*
 * One call. body may be NULL. ret_status gets the HTTP status, 0 when no answer came; *ret the
 * parsed body or NULL when empty. Returns a negative errno when no answer came (-ENOENT,
 * -ECONNREFUSED: "kilimd does not run at PATH ..."), or when status is 4xx/5xx (mapped back as in
 * api_fail(), text in e). timeout_ms bounds the whole call; 0: no bound.
 */
int api_call(const char *socket_path, const char *method, const char *path, const json_t *body,
	unsigned timeout_ms, int *ret_status, json_t **ret, struct err *e) MUST_USE;
/* As api_call() with GET, for text bodies such as metrics; free() it. */
int api_call_text(const char *socket_path, const char *path, unsigned timeout_ms, int *ret_status,
	char **ret, struct err *e) MUST_USE;
/*
 * GET a stream: fn for each line (NUL-terminated, without newline); a non-zero return ends it and
 * is returned. Interrupted by signals: -EINTR. -ECONNRESET when the agent broke off in the middle.
 */
int api_call_stream(const char *socket_path, const char *path,
	int (*fn)(const char *line, size_t len, void *data), void *data, int *ret_status,
	struct err *e) MUST_USE;
/* Percent-encode for a path part or query value; free() it. */
char *api_encode(const char *s);

#endif
