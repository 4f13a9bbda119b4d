/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of /v1/healthz, /v1/status, /v1/map, /v1/identity. Called by the API server; they only
 * read. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "abi/map.h"
#include "agent/agent.h"
#include "agent/api.h"
#include "agent/conf.h"
#include "agent/endpoint.h"
#include "agent/flows.h"
#include "agent/policy.h"
#include "agent/process.h"
#include "base/time.h"
#include "codec/json.h"
#include "datapath/datapath.h"
#include "ipam/pool.h"
#include "model/identity.h"

void api_healthz(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	struct err e = {0};

	(void)rq;
	if (a->ready)
		reply->body = json_pack("{s:s}", "status", "ok");
	else
		api_fail(reply,
			err_set(&e, -EAGAIN,
				"the agent is starting: policies are not in force yet"),
			&e);
}

static size_t count_endpoints(struct agent *a)
{
	return endpoints_count(a->endpoints, ENDPOINT_STATE_CREATING) +
	       endpoints_count(a->endpoints, ENDPOINT_STATE_PENDING) +
	       endpoints_count(a->endpoints, ENDPOINT_STATE_READY);
}

static size_t count_identities(struct agent *a)
{
	size_t n = 0;

	for (const struct identity_info *i = identity_after(a->identities, 0); i;
		i = identity_after(a->identities, i->number))
		n++;
	return n;
}

static size_t count_rules(const struct policy_set *set)
{
	size_t n = 0;

	for (size_t i = 0; i < set->count; i++) {
		for (size_t j = 0; j < set->policy[i].specs; j++)
			n += set->policy[i].spec[j].rules;
	}
	return n;
}

json_t *confirm_json(struct agent *a)
{
	const struct confirm *c = policies_confirming(a->policies);
	char deadline[TIME_TEXT];

	return json_pack("{s:I, s:s, s:I}", "back_to", (json_int_t)c->base, "deadline",
		time_format(c->deadline_ns, deadline), "left_ms",
		(json_int_t)(confirm_left_ns(c, time_wall_ns()) / 1000000));
}

static json_t *policy_status(struct agent *a)
{
	const struct policy_set *set = policies_set(a->policies);
	const char *error = hash_get_str(&a->problems, "policy");
	const struct confirm *c = policies_confirming(a->policies);
	struct dp_policy_stats s = {0};
	json_t *j;

	datapath_policy_stats(a->datapath, &s);
	j = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "revision",
		(json_int_t)s.revision, "epoch", (json_int_t)s.epoch, "policies",
		(json_int_t)set->count, "rules", (json_int_t)count_rules(set), "slots",
		(json_int_t)s.slots, "peer_entries", (json_int_t)s.peer_entries, "peer_max",
		(json_int_t)s.peer_max, "rule_entries", (json_int_t)s.rule_entries, "rule_max",
		(json_int_t)s.rule_max, "error", error ? error : "");
	(void)json_object_set_new(j, "audit", json_boolean(a->conf->audit));
	if (c->base)
		(void)json_object_set_new(j, "confirm", confirm_json(a));
	return j;
}

static json_t *pool_status(const struct pool *p)
{
	char text[ADDR_TEXT];

	return json_pack("{s:s, s:I, s:I}", "cidr", prefix_format(pool_prefix(p), text), "used",
		(json_int_t)pool_used(p), "total", (json_int_t)pool_total(p));
}

static json_t *ipam_status(struct agent *a)
{
	json_t *list = json_array();

	if (a->pool4)
		(void)json_array_append_new(list, pool_status(a->pool4));
	if (a->pool6)
		(void)json_array_append_new(list, pool_status(a->pool6));
	return list;
}

static json_t *hold_text(const struct source *s)
{
	return json_sprintf(
		"%s: held at revision %u by rollback; %s when the file changes again or "
		"by 'kilim policy release'",
		s->origin, s->held,
		*s->disk ? "its newer text comes into force" : "it goes, as the file has,");
}

/* The files and the API as one source each, with what is wrong in them. */
static json_t *source_status(
	struct agent *a, enum source_kind kind, const char *name, const char *path)
{
	const struct sources *t = policies_sources(a->policies);
	json_t *errors = json_array(), *held = json_array();
	size_t objects = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct source *s = t->source[i];

		if (s->kind != kind)
			continue;
		objects += s->content ? s->content->set.count : 0;
		if (s->held)
			(void)json_array_append_new(held, hold_text(s));
		if (s->error)
			(void)json_array_append_new(errors, json_string(s->error));
		if (s->conflict)
			(void)json_array_append_new(errors, json_string(s->conflict));
	}
	return json_pack("{s:s, s:s, s:s, s:I, s:o, s:o}", "name", name, "path", path, "state",
		json_array_size(errors) ? "error" : "ok", "objects", (json_int_t)objects, "errors",
		errors, "held", held);
}

static json_t *flow_status(struct agent *a)
{
	uint64_t answered = 0, half_open = 0;

	datapath_flow_count(a->datapath, &answered, &half_open);
	return json_pack("{s:I, s:I, s:I, s:I}", "answered", (json_int_t)answered, "half_open",
		(json_int_t)half_open, "max", (json_int_t)(2 * a->conf->flow_max), "half_open_max",
		(json_int_t)(2 * a->conf->half_max));
}

static json_t *event_status(struct agent *a)
{
	uint64_t n[COUNTER_COUNT] = {0};
	struct err e = {0};

	(void)datapath_counters(a->datapath, n, &e);
	return json_pack("{s:I, s:I, s:I}", "written",
		(json_int_t)(n[COUNTER_EVENT_DROP] + n[COUNTER_EVENT_TRACE]), "lost",
		(json_int_t)(n[COUNTER_EVENT_LOST_DROP] + n[COUNTER_EVENT_LOST_TRACE]),
		"ring_bytes", (json_int_t)EVENT_RING_BYTES);
}

static int add_bytes(const char *name, uint64_t entries_max, uint64_t bytes, void *data)
{
	(void)name;
	(void)entries_max;
	*(uint64_t *)data += bytes;
	return 0;
}

static json_t *memory_status(struct agent *a)
{
	struct process_usage usage;
	uint64_t bytes = 0;

	process_usage(&usage);
	(void)datapath_map_each(a->datapath, add_bytes, &bytes);
	return json_pack("{s:I, s:I}", "resident_bytes", (json_int_t)usage.resident_bytes,
		"map_bytes", (json_int_t)bytes);
}

static json_t *problem_status(struct agent *a)
{
	const struct sources *t = policies_sources(a->policies);
	json_t *list = json_array();

	for (size_t i = 0; i < t->count; i++) {
		if (t->source[i]->error)
			(void)json_array_append_new(list,
				json_sprintf("policy: %s; what was good before stays in force",
					t->source[i]->error));
	}

	HASH_EACH(&a->problems, h)
		(void)json_array_append_new(
			list, json_sprintf("%s: %s", h->key, (const char *)h->value));
	return list;
}

void api_status(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	const struct conf *c = a->conf;
	struct utsname un = {0};
	json_t *j;

	(void)rq;
	(void)uname(&un);
	j = json_pack("{s:s, s:s, s:s, s:i, s:I, s:b, s:s, s:b}", "version", KILIM_VERSION, "node",
		c->node_name, "cluster", c->cluster_name, "pid", (int)getpid(), "uptime_s",
		(json_int_t)((time_mono_ns() - a->started_ns) / 1000000000u), "ready", a->ready,
		"kernel", un.release, "adopted", a->adopted);
	(void)json_object_set_new(j, "endpoints",
		json_pack("{s:I, s:I, s:I}", "total", (json_int_t)count_endpoints(a), "ready",
			(json_int_t)endpoints_count(a->endpoints, ENDPOINT_STATE_READY), "pending",
			(json_int_t)(endpoints_count(a->endpoints, ENDPOINT_STATE_PENDING) +
				     endpoints_count(a->endpoints, ENDPOINT_STATE_CREATING))));
	(void)json_object_set_new(j, "identities", json_integer((json_int_t)count_identities(a)));
	(void)json_object_set_new(j, "policy", policy_status(a));
	(void)json_object_set_new(j, "flows", flow_status(a));
	(void)json_object_set_new(j, "events", event_status(a));
	(void)json_object_set_new(j, "ipam", ipam_status(a));
	(void)json_object_set_new(j, "sources",
		json_pack("[o, o]", source_status(a, SOURCE_FILE, "file", c->manifest_dir),
			source_status(a, SOURCE_API, "api", "")));
	(void)json_object_set_new(j, "memory", memory_status(a));
	(void)json_object_set_new(j, "problems", problem_status(a));
	reply->body = j;
}

static int add_map(const char *name, uint64_t entries_max, uint64_t bytes, void *data)
{
	(void)json_array_append_new(
		data, json_pack("{s:s, s:I, s:I}", "name", name, "entries_max",
			      (json_int_t)entries_max, "bytes", (json_int_t)bytes));
	return 0;
}

void api_map_list(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;

	(void)rq;
	reply->body = json_array();
	(void)datapath_map_each(a->datapath, add_map, reply->body);
}

static json_t *identity_json(const struct identity_info *i)
{
	json_t *labels = json_array(), *j;
	char text[ADDR_TEXT];

	for (size_t n = 0; n < i->labels.count; n++) {
		SCOPED(str_done)
		struct str label = {0};

		label_format(&label, &i->labels.label[n]);
		(void)json_array_append_new(labels, json_string(str_text(&label)));
	}
	j = json_pack("{s:I, s:o, s:I}", "id", (json_int_t)i->number, "labels", labels,
		"references", (json_int_t)i->references);
	if (i->is_prefix)
		(void)json_object_set_new(
			j, "prefix", json_string(prefix_format(&i->prefix, text)));
	return j;
}

void api_identity_list(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;

	(void)rq;
	reply->body = json_array();
	for (const struct identity_info *i = identity_after(a->identities, 0); i;
		i = identity_after(a->identities, i->number))
		(void)json_array_append_new(reply->body, identity_json(i));
}
