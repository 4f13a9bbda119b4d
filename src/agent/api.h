/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_API_H
#define KILIM_AGENT_API_H
/* The agent's side of doc/api.md: one file of handlers per noun. Every handler gets the struct
 * agent as data and answers at once. */
#include "api/server.h"

/* api.c */
extern const struct api_route agent_routes[]; /* of the unix socket */
extern const struct api_route metrics_routes[]; /* of prometheus-serve-addr */

/* api_status.c */
void api_healthz(const struct api_request *rq, struct api_reply *reply, void *data);
void api_status(const struct api_request *rq, struct api_reply *reply, void *data);
void api_map_list(const struct api_request *rq, struct api_reply *reply, void *data);
void api_metrics(const struct api_request *rq, struct api_reply *reply, void *data);
void api_identity_list(const struct api_request *rq, struct api_reply *reply, void *data);

/* What waits for its confirmation, for an answer. */
struct agent;
json_t *confirm_json(struct agent *a);

/* api_endpoint.c */
void api_endpoint_list(const struct api_request *rq, struct api_reply *reply, void *data);
void api_endpoint_create(const struct api_request *rq, struct api_reply *reply, void *data);
void api_endpoint_get(const struct api_request *rq, struct api_reply *reply, void *data);
void api_endpoint_delete(const struct api_request *rq, struct api_reply *reply, void *data);
void api_endpoint_check(const struct api_request *rq, struct api_reply *reply, void *data);
void api_endpoint_gc(const struct api_request *rq, struct api_reply *reply, void *data);

/* api_policy.c: a policy for an answer, in force or not; the policy that a path names; and what is
 * said when there is none. */
struct policy;
struct policy_name;
json_t *api_policy_json(struct agent *a, const struct policy *p);
struct policy_name api_policy_name(struct agent *a, const struct api_request *rq);
int api_policy_missing(const struct policy_name *n, struct err *e);

void api_policy_list(const struct api_request *rq, struct api_reply *reply, void *data);
void api_policy_get(const struct api_request *rq, struct api_reply *reply, void *data);
void api_policy_invariants(const struct api_request *rq, struct api_reply *reply, void *data);

/* api_apply.c */
void api_policy_put(const struct api_request *rq, struct api_reply *reply, void *data);
void api_policy_apply(const struct api_request *rq, struct api_reply *reply, void *data);
void api_policy_delete(const struct api_request *rq, struct api_reply *reply, void *data);
void api_policy_promote(const struct api_request *rq, struct api_reply *reply, void *data);

/* api_explain.c */
void api_policy_explain(const struct api_request *rq, struct api_reply *reply, void *data);

/* api_diff.c */
void api_policy_diff(const struct api_request *rq, struct api_reply *reply, void *data);

/* api_history.c */
void api_history_list(const struct api_request *rq, struct api_reply *reply, void *data);
void api_history_get(const struct api_request *rq, struct api_reply *reply, void *data);
void api_policy_rollback(const struct api_request *rq, struct api_reply *reply, void *data);
void api_policy_release(const struct api_request *rq, struct api_reply *reply, void *data);
void api_policy_confirm(const struct api_request *rq, struct api_reply *reply, void *data);

/* api_flow.c */
void api_flow_list(const struct api_request *rq, struct api_reply *reply, void *data);
void api_flow_table(const struct api_request *rq, struct api_reply *reply, void *data);
void api_monitor(const struct api_request *rq, struct api_reply *reply, void *data);

#endif
