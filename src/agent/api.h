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

/* api_endpoint.c */
void api_endpoint_list(const struct api_request *rq, struct api_reply *reply, void *data);
void api_endpoint_create(const struct api_request *rq, struct api_reply *reply, void *data);
void api_endpoint_get(const struct api_request *rq, struct api_reply *reply, void *data);
void api_endpoint_delete(const struct api_request *rq, struct api_reply *reply, void *data);
void api_endpoint_check(const struct api_request *rq, struct api_reply *reply, void *data);
void api_endpoint_gc(const struct api_request *rq, struct api_reply *reply, void *data);

/* api_policy.c */
void api_policy_list(const struct api_request *rq, struct api_reply *reply, void *data);
void api_policy_get(const struct api_request *rq, struct api_reply *reply, void *data);
void api_policy_put(const struct api_request *rq, struct api_reply *reply, void *data);
void api_policy_delete(const struct api_request *rq, struct api_reply *reply, void *data);
void api_policy_invariants(const struct api_request *rq, struct api_reply *reply, void *data);

/* api_explain.c */
void api_policy_explain(const struct api_request *rq, struct api_reply *reply, void *data);

/* api_flow.c */
void api_flow_list(const struct api_request *rq, struct api_reply *reply, void *data);
void api_flow_table(const struct api_request *rq, struct api_reply *reply, void *data);
void api_monitor(const struct api_request *rq, struct api_reply *reply, void *data);

#endif
