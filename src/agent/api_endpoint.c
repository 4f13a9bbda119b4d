/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of /v1/endpoint. Called by the API server; changes go through endpoint.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/api.h"
#include "agent/endpoint.h"
#include "agent/policy.h"
#include "codec/json.h"
#include "model/selector_text.h"

static json_t *address_json(const struct addr *a, bool wanted)
{
	char text[ADDR_TEXT];

	return json_string(wanted ? addr_format(a, text) : "");
}

/* What the state file does not have: gateways, policy, whether the device is still there. */
static json_t *endpoint_view(struct agent *a, const struct agent_endpoint *ep)
{
	json_t *j = endpoint_json(ep);
	json_t *gateway = json_object(), *policy;

	if (!addr_is_zero(&ep->addr4))
		(void)json_object_set_new(gateway, "ipv4", address_json(&a->gateway4, true));
	if (!addr_is_zero(&ep->addr6))
		(void)json_object_set_new(gateway, "ipv6", address_json(&a->gateway6, true));
	policy = json_pack("{s:b, s:b, s:i}", "ingress",
		policies_enforced(a->policies, ep->part[0], POLICY_INGRESS), "egress",
		policies_enforced(a->policies, ep->part[0], POLICY_EGRESS), "revision",
		(int)policies_revision(a->policies));
	(void)json_object_set_new(j, "gateway", gateway);
	(void)json_object_set_new(j, "policy", policy);
	(void)json_object_del(j, "ifindex_inside");
	(void)json_object_del(j, "netns_inode");
	if (endpoint_is_disconnected(a->endpoints, ep))
		(void)json_object_set_new(j, "state", json_string("disconnected"));
	return j;
}

/* The selectors of a request, label=app=web,tier!=db and so on: all must match. */
struct label_query {
	struct arena mem;
	struct selector *selector;
	size_t count, capacity;
	struct err err;
	int failed;
};

static void on_label(const char *value, void *data)
{
	struct label_query *q = data;

	if (q->failed)
		return;
	mem_grow(&q->selector, &q->capacity, q->count + 1, sizeof(*q->selector));
	q->failed = selector_parse(&q->mem, value, &q->selector[q->count++], &q->err);
}

static void label_query_done(struct label_query *q)
{
	free(q->selector);
	arena_done(&q->mem);
}

static bool label_query_matches(const struct label_query *q, const struct labels *l)
{
	for (size_t i = 0; i < q->count; i++) {
		if (!selector_matches(&q->selector[i], l))
			return false;
	}
	return true;
}

void api_endpoint_list(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	SCOPED(label_query_done)
	struct label_query q = {0};
	json_t *list;

	api_query_each(rq, "label", on_label, &q);
	if (q.failed) {
		(void)err_prefix(&q.err, "label");
		api_fail(reply, q.failed, &q.err);
		return;
	}
	list = json_array();
	for (struct agent_endpoint *ep = endpoint_after(a->endpoints, 0); ep;
		ep = endpoint_after(a->endpoints, ep->id)) {
		if (label_query_matches(&q, &ep->labels))
			(void)json_array_append_new(list, endpoint_view(a, ep));
	}
	reply->body = list;
}

static bool refuse_unready(const struct agent *a, struct api_reply *reply)
{
	struct err e = {0};

	if (a->ready)
		return false;
	api_fail(reply, err_set(&e, -EAGAIN, "the agent is starting; try again"), &e);
	return true;
}

void api_endpoint_create(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	struct agent_endpoint *ep;
	struct err e = {0};
	int r;

	if (refuse_unready(a, reply))
		return;
	r = endpoint_create(a->endpoints, rq->body, &ep, &e);
	if (r) {
		api_fail(reply, r, &e);
		return;
	}
	reply->status = 201;
	reply->body = endpoint_view(a, ep);
}

/* The endpoint that the path names; NULL with the reply made. */
static struct agent_endpoint *endpoint_of(
	const struct api_request *rq, struct agent *a, struct api_reply *reply)
{
	struct agent_endpoint *ep = endpoint_find(a->endpoints, rq->argument[0]);
	struct err e = {0};

	if (!ep)
		api_fail(reply,
			err_set(&e, -ENOENT, "endpoint %.200s: there is none", rq->argument[0]),
			&e);
	return ep;
}

void api_endpoint_get(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	struct agent_endpoint *ep = endpoint_of(rq, a, reply);

	if (ep)
		reply->body = endpoint_view(a, ep);
}

void api_endpoint_delete(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	struct agent_endpoint *ep = refuse_unready(a, reply) ? NULL : endpoint_of(rq, a, reply);
	struct err e = {0};
	int r;

	if (!ep)
		return;
	r = endpoint_delete(a->endpoints, ep, &e);
	if (r)
		api_fail(reply, r, &e);
	else
		reply->status = 204;
}

void api_endpoint_check(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	struct agent_endpoint *ep = endpoint_of(rq, a, reply);
	struct err e = {0};
	int r;

	if (!ep)
		return;
	r = endpoint_check(a->endpoints, ep, &e);
	if (r) {
		api_fail(reply, r, &e);
		reply->status = 500;
	} else {
		reply->status = 204;
	}
}

static bool is_valid(const json_t *valid, const struct agent_endpoint *ep)
{
	const json_t *item;
	size_t i;

	json_array_foreach(valid, i, item)
	{
		if (str_eq(json_string_value(json_object_get(item, "container_id")),
			    ep->container_id) &&
			str_eq(json_string_value(json_object_get(item, "ifname")), ep->ifname))
			return true;
	}
	return false;
}

void api_endpoint_gc(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	const json_t *valid = json_object_get(rq->body, "valid");
	struct err e = {0};
	int removed = 0, r = 0, failed = 0;

	if (refuse_unready(a, reply))
		return;
	if (!json_is_array(valid)) {
		api_fail(reply,
			err_set(&e, -EINVAL,
				"valid: expected a list of {container_id, ifname}, found %s",
				json_kind(valid)),
			&e);
		return;
	}
	for (struct agent_endpoint *ep = endpoint_after(a->endpoints, 0), *next; ep; ep = next) {
		next = endpoint_after(a->endpoints, ep->id);
		if (!str_eq(ep->source, "cni") || is_valid(valid, ep))
			continue;
		r = endpoint_delete(a->endpoints, ep, &e);
		failed = failed ? failed : r;
		removed += !r;
	}
	if (failed)
		api_fail(reply, failed, &e);
	else
		reply->body = json_pack("{s:i}", "removed", removed);
}
