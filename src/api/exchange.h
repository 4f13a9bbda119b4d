/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_API_EXCHANGE_H
#define KILIM_API_EXCHANGE_H
/* One request while it comes in: its query, its body, and why it is refused if it is. */
#include <microhttpd.h>

#include "api/listen.h"
#include "api/server.h"
#include "base/arena.h"
#include "base/str.h"

struct parameter {
	const char *name, *value; /* decoded */
};

struct exchange {
	struct arena mem;
	struct parameter *parameter;
	size_t parameters, capacity;
	struct str body;
	size_t received; /* bytes of the body so far, kept or not */
	unsigned refused; /* status, or 0 */
	const char *why;
};

/* Take the request's headers and query; refusals are noted, never returned. */
struct exchange *exchange_new(struct MHD_Connection *connection, const struct listener *listener);
/* Take a piece of the body. MHD_NO when the client goes on sending far behind the limit. */
enum MHD_Result exchange_body(struct exchange *x, const char *bytes, size_t len);
void exchange_free(struct exchange *x);
/*
 * Find the route and fill rq's path and arguments. NULL: x->refused is set, and *ret_allow to the
 * methods that the path has (for 405), else NULL.
 */
const struct api_route *exchange_route(struct exchange *x, const struct api_route *routes,
	const char *method, const char *path, struct api_request *rq, const char **ret_allow);

#endif
