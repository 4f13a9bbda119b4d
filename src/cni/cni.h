/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_CNI_CNI_H
#define KILIM_CNI_CNI_H
/* What the verbs of kilim-cni share: the request, the errors of the CNI specification, the calls to
 * the agent. */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

/* Error codes of the specification, and ours from 100. */
enum cni_code {
	CNI_VERSION = 1,
	CNI_UNSUPPORTED_FIELD = 2,
	CNI_UNKNOWN_CONTAINER = 3,
	CNI_ENVIRONMENT = 4,
	CNI_IO = 5,
	CNI_DECODE = 6,
	CNI_CONFIG = 7,
	CNI_TRY_AGAIN = 11,
	CNI_NOT_AVAILABLE = 50,
	CNI_AGENT = 100, /* the agent refused or failed */
	CNI_EXHAUSTED = 101, /* no address is left in the node's pool */
	CNI_EXISTS = 102, /* the interface or the attachment is there already */
	CNI_BROKEN = 103, /* CHECK: something is not as it should be */
};

enum { CNI_STDIN_MAX = 1 << 20 };

struct cni_error {
	int code;
	char msg[256], details[512];
};

/* Fill x and return code, so that a failure is one statement. */
int cni_fail(struct cni_error *x, enum cni_code code, const char *details, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Versions of the specification, in order. */
enum cni_version {
	CNI_0_1_0,
	CNI_0_2_0,
	CNI_0_3_0,
	CNI_0_3_1,
	CNI_0_4_0,
	CNI_1_0_0,
	CNI_1_1_0,
	CNI_VERSIONS
};
const char *cni_version_text(enum cni_version v);

/* The environment variables, as they are; NULL: not set. */
struct cni_env {
	const char *command, *container_id, *netns, *ifname, *args;
};

struct cni_request {
	struct cni_env env;
	enum cni_version version;
	json_t *conf; /* the network configuration */
	const char *run_dir; /* of the agent */
	const char *log_file; /* NULL: none */
	char *pod, *namespace; /* from CNI_ARGS; NULL: not given */
};

/* Check environment and configuration for the verb. Returns 0 or an error code with *x filled;
 * ret->version is right in both cases. */
int cni_request_parse(const struct cni_env *env, const char *text, size_t len,
	struct cni_request *ret, struct cni_error *x) MUST_USE;
void cni_request_done(struct cni_request *rq); /* for SCOPED too */
/* The version that an answer to this text should carry: the one asked for when it is known, else
 * the newest. */
enum cni_version cni_version_of(const json_t *conf);
/* {"cni": {"labels": ...}} of args, as the labels of an endpoint request: *ret is a list of
 * strings. */
int cni_labels(const struct cni_request *rq, json_t **ret, struct cni_error *x) MUST_USE;
/* The body of POST /v1/endpoint for an ADD. */
int cni_endpoint_request(const struct cni_request *rq, json_t **ret, struct cni_error *x) MUST_USE;

/* The result of ADD in the shape of the request's version, made of the agent's endpoint and
 * prevResult. */
int cni_result(const struct cni_request *rq, const json_t *endpoint, json_t **ret,
	struct cni_error *x) MUST_USE;

/* One call to the agent. Returns 0 with *ret (may be NULL) or an error code; *ret_status is the
 * HTTP status, 0 when no answer came. */
int cni_call(const struct cni_request *rq, const char *method, const char *path, const json_t *body,
	int *ret_status, json_t **ret, struct cni_error *x) MUST_USE;
/* /v1/endpoint/cni-attachment-id:CONTAINER:IFNAME, percent-encoded, with the suffix behind it;
 * free() it. */
char *cni_endpoint_path(const struct cni_request *rq, const char *suffix);

/* The verbs: 0 or an error code; *ret_out is what goes to stdout, NULL for nothing. */
int cni_add(const struct cni_request *rq, json_t **ret_out, struct cni_error *x);
int cni_del(const struct cni_request *rq, json_t **ret_out, struct cni_error *x);
int cni_check(const struct cni_request *rq, json_t **ret_out, struct cni_error *x);
int cni_gc(const struct cni_request *rq, json_t **ret_out, struct cni_error *x);
int cni_status(const struct cni_request *rq, json_t **ret_out, struct cni_error *x);
int cni_versions(const struct cni_request *rq, json_t **ret_out, struct cni_error *x);

#endif
