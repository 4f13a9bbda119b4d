/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of the agent's API, as doc/api.md lists them. Called by wire.c, which gives them to
 * the server. */
#include "agent/api.h"

const struct api_route agent_routes[] = {
	{"GET", "/v1/healthz", api_healthz},
	{"GET", "/v1/status", api_status},
	{"GET", "/v1/endpoint", api_endpoint_list},
	{"POST", "/v1/endpoint", api_endpoint_create},
	{"POST", "/v1/endpoint/gc", api_endpoint_gc},
	{"GET", "/v1/endpoint/{}", api_endpoint_get},
	{"DELETE", "/v1/endpoint/{}", api_endpoint_delete},
	{"GET", "/v1/endpoint/{}/check", api_endpoint_check},
	{"GET", "/v1/identity", api_identity_list},
	{"GET", "/v1/policy", api_policy_list},
	{"GET", "/v1/policy/explain", api_policy_explain},
	{"GET", "/v1/policy/invariants", api_policy_invariants},
	{"POST", "/v1/policy", api_policy_apply},
	{"POST", "/v1/policy/{}/{}/{}/promote", api_policy_promote},
	{"GET", "/v1/policy/history", api_history_list},
	{"GET", "/v1/policy/history/{}", api_history_get},
	{"POST", "/v1/policy/diff", api_policy_diff},
	{"POST", "/v1/policy/rollback", api_policy_rollback},
	{"POST", "/v1/policy/release", api_policy_release},
	{"POST", "/v1/policy/confirm", api_policy_confirm},
	{"GET", "/v1/policy/{}/{}/{}", api_policy_get},
	{"PUT", "/v1/policy/{}", api_policy_put},
	{"DELETE", "/v1/policy/{}/{}/{}", api_policy_delete},
	{"GET", "/v1/flow", api_flow_list},
	{"GET", "/v1/flow/table", api_flow_table},
	{"GET", "/v1/monitor", api_monitor},
	{"GET", "/v1/map", api_map_list},
	{"GET", "/metrics", api_metrics},
	{0},
};

const struct api_route metrics_routes[] = {
	{"GET", "/metrics", api_metrics},
	{0},
};
