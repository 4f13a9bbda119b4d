/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow pipeline: datapath/events, flow/decode, flow/enrich, flow/ring, and the streams that read
 * it. Called by wire.c, api_flow.c and whoever changes names. Must hold: an event is copied into a
 * record before its callback returns; nothing here grows with the number of events.
 */
#include "agent/flows.h"

#include <stdlib.h>
#include <sys/random.h>

#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/endpoint.h"
#include "agent/flow_stream.h"
#include "agent/policy.h"
#include "base/time.h"
#include "datapath/datapath.h"
#include "flow/decode.h"
#include "flow/enrich.h"
#include "flow/json.h"
#include "flow/ring.h"
#include "loop/loop.h"
#include "model/identity.h"

struct flows {
	struct agent *agent;
	struct flow_ring *ring;
	struct flow_enricher *enricher;
	char *node_name;
	struct flow_node node;
	struct loop_source *wake; /* streams learn of new flows once a turn */
	struct flow_streams streams;
	struct str rule_text; /* of the answer to the enricher */
};

static const struct labels *lookup_identity(uint32_t number, void *data)
{
	const struct flows *f = data;
	const struct identity_info *info = identity_find(f->agent->identities, number);

	return info ? &info->labels : NULL;
}

static bool lookup_endpoint(
	uint32_t id, const char **ret_namespace, const char **ret_name, void *data)
{
	const struct flows *f = data;
	const struct agent_endpoint *ep = endpoint_by_id(f->agent->endpoints, id);

	if (!ep)
		return false;
	*ret_namespace = ep->namespace;
	*ret_name = ep->name;
	return true;
}

void rule_format(struct str *out, const struct rule_info *r)
{
	if (r->kind != RULE_DEFAULT_DENY) {
		if (r->policies)
			policy_format_name(out, r->policy[0]);
		str_printf(out, " %s at %s:%d", r->path, r->origin.file, r->origin.line);
		return;
	}
	str_add(out, "default deny");
	for (size_t i = 0; i < r->policies; i++) {
		str_add(out, i ? ", " : " by ");
		policy_format_name(out, r->policy[i]);
	}
	if (!r->policies)
		str_add(out, " (enable-policy is always)");
}

static bool lookup_rule(uint32_t id, uint32_t revision, struct flow_rule_info *ret, void *data)
{
	struct flows *f = data;
	const struct rule_info *r = policies_rule(f->agent->policies, id);
	const struct policy *p = r && r->policies ? r->policy[0] : NULL;

	if (!r)
		return false;
	f->rule_text.len = 0;
	rule_format(&f->rule_text, r);
	*ret = (struct flow_rule_info){
		.kind = p ? p->kind : "",
		.namespace = p && p->namespace ? p->namespace : "",
		.name = p ? p->name : "",
		.text = str_text(&f->rule_text),
		.revision = revision,
	};
	return true;
}

static void on_event(const struct event *ev, void *data)
{
	struct flows *f = data;
	struct flow_record record[FLOW_RECORDS_MAX];
	size_t count = flow_decode(ev, time_wall_ns() - time_mono_ns(), record);

	for (size_t i = 0; i < count; i++) {
		flow_enrich(f->enricher, ev, &record[i]);
		flow_ring_add(f->ring, &record[i]);
	}
	if (flow_streams_event(&f->streams, ev) || count)
		loop_defer(f->wake);
}

static int on_wake(void *data)
{
	struct flows *f = data;

	flow_streams_wake(&f->streams);
	return 0;
}

static char *make_node_name(const struct conf *c)
{
	struct str name = {0};

	if (!str_eq(c->cluster_name, "default"))
		str_printf(&name, "%s/", c->cluster_name);
	str_add(&name, c->node_name);
	return str_take(&name);
}

int flows_new(struct agent *a, struct flows **ret, struct err *e)
{
	struct flows *f = mem_alloc(sizeof(*f));
	const struct flow_lookup lookup = {
		lookup_identity, lookup_endpoint, lookup_rule, f, a->conf->cluster_name};
	uint64_t seed[2];
	int r = flow_ring_new(a->conf->events_max, &f->ring, e);

	if (r) {
		free(f);
		return r;
	}
	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		abort();
	f->agent = a;
	f->enricher = flow_enricher_new(&lookup, seed);
	f->node_name = make_node_name(a->conf);
	f->node = (struct flow_node){f->node_name, KILIM_VERSION};
	f->wake = loop_add_defer(a->loop, on_wake, f);
	flow_streams_init(&f->streams, f->ring, &f->node);
	*ret = f;
	return 0;
}

void flows_free(struct flows *f)
{
	if (!f)
		return;
	loop_source_free(f->wake);
	flow_ring_free(f->ring);
	flow_enricher_free(f->enricher);
	str_done(&f->rule_text);
	free(f->node_name);
	free(f);
}

int flows_start(struct flows *f, struct err *e)
{
	return datapath_events_start(f->agent->datapath, f->agent->loop, on_event, f, e);
}

void flows_names_changed(struct flows *f)
{
	if (f)
		flow_enricher_forget_ends(f->enricher);
}

const char *flows_node_name(const struct flows *f)
{
	return f->node_name;
}

int flows_stream(struct flows *f, const struct flow_request *rq, struct flow_filters *filters,
	struct api_stream **ret, struct err *e)
{
	return flow_stream_new(&f->streams, rq, filters, ret, e);
}

struct api_stream *flows_monitor(struct flows *f)
{
	return flow_monitor_new(&f->streams);
}

const struct flow_record *flows_find(const struct flows *f, const char *uuid)
{
	for (uint64_t n = flow_ring_seen(f->ring); n >= flow_ring_oldest(f->ring); n--) {
		const struct flow_record *record = flow_ring_get(f->ring, n);
		char text[FLOW_UUID_TEXT];

		if (record && str_eq(flow_uuid_format(record->uuid, text), uuid))
			return record;
	}
	return NULL;
}

void flows_counts(const struct flows *f, uint64_t *ret_seen, uint64_t *ret_now, uint64_t *ret_max)
{
	*ret_seen = flow_ring_seen(f->ring);
	*ret_now = flow_ring_count(f->ring);
	*ret_max = flow_ring_capacity(f->ring);
}

struct flow_ring *flows_ring(const struct flows *f)
{
	return f->ring;
}
