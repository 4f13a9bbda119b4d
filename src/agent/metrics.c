/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's metrics: Cilium's names and labels where it has the metric, kilim_ for the rest.
 * Called by the API server for /metrics. Must hold: counters of the data path are read from the
 * kernel each time, so that they go on over a restart.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "abi/drop.h"
#include "abi/metric.h"
#include "agent/address.h"
#include "agent/agent.h"
#include "agent/api.h"
#include "agent/conf.h"
#include "agent/endpoint.h"
#include "agent/flows.h"
#include "agent/policy.h"
#include "agent/process.h"
#include "base/str.h"
#include "datapath/datapath.h"
#include "export/prometheus.h"
#include "ipam/pool.h"
#include "model/identity.h"

static const char *const directions[POLICY_DIRECTIONS] = {"INGRESS", "EGRESS"};

static const char *reason_text(unsigned reason)
{
	static const char *const texts[DROP_MAX] = {
#define X(name, number, hubble, text) [number] = text,
		DROP_REASONS(X)
#undef X
	};

	return reason < DROP_MAX && texts[reason] ? texts[reason] : "unknown";
}

static void add_drops(struct str *out, const char *name, const char *help,
	const struct packet_count *c, bool bytes)
{
	prometheus_begin(out, name, "counter", help);
	for (unsigned i = POLICY_DIRECTIONS; i < PACKET_COUNTS; i++) {
		if (c[i].packets)
			prometheus_count(out, name, bytes ? c[i].bytes : c[i].packets, "reason",
				reason_text(i / POLICY_DIRECTIONS), "direction",
				directions[i % POLICY_DIRECTIONS], NULL);
	}
}

static void add_forwards(struct str *out, const char *name, const char *help,
	const struct packet_count *c, bool bytes)
{
	prometheus_begin(out, name, "counter", help);
	for (unsigned i = 0; i < POLICY_DIRECTIONS; i++)
		prometheus_count(out, name, bytes ? c[i].bytes : c[i].packets, "direction",
			directions[i], NULL);
}

static void add_packets(struct agent *a, struct str *out)
{
	SCOPED(freep)
	struct packet_count *c = mem_array(PACKET_COUNTS, sizeof(*c));
	struct err e = {0};

	if (datapath_packet_counts(a->datapath, c, &e) < 0)
		return;
	add_drops(out, "cilium_drop_count_total", "Total dropped packets, by reason and direction",
		c, false);
	add_drops(out, "cilium_drop_bytes_total", "Total dropped bytes, by reason and direction", c,
		true);
	add_forwards(out, "cilium_forward_count_total", "Total forwarded packets, by direction", c,
		false);
	add_forwards(
		out, "cilium_forward_bytes_total", "Total forwarded bytes, by direction", c, true);
}

static void add_counters(struct agent *a, struct str *out)
{
	static const struct {
		const char *name, *help;
	} texts[COUNTER_COUNT] = {
#define X(name, text, help) {"kilim_" text "_total", help},
		COUNTERS(X)
#undef X
	};
	uint64_t n[COUNTER_COUNT];
	struct err e = {0};

	if (datapath_counters(a->datapath, n, &e) < 0)
		return;
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		prometheus_single(out, texts[i].name, "counter", texts[i].help, n[i]);
}

static void add_endpoints(struct agent *a, struct str *out)
{
	size_t enforced[4] = {0};
	static const char *const names[] = {"none", "ingress", "egress", "both"};

	prometheus_begin(out, "cilium_endpoint_state", "gauge", "Endpoints by state");
	for (int s = 0; s < ENDPOINT_STATES; s++)
		prometheus_count(out, "cilium_endpoint_state",
			endpoints_count(a->endpoints, (enum agent_endpoint_state)s),
			"endpoint_state", endpoint_state_text((enum agent_endpoint_state)s), NULL);
	for (struct agent_endpoint *ep = endpoint_after(a->endpoints, 0); ep;
		ep = endpoint_after(a->endpoints, ep->id))
		enforced[policies_enforced(a->policies, ep->part[0], POLICY_INGRESS) +
			 2 * policies_enforced(a->policies, ep->part[0], POLICY_EGRESS)]++;
	prometheus_begin(out, "cilium_policy_endpoint_enforcement_status", "gauge",
		"Endpoints by directions that policies restrict");
	for (int i = 0; i < 4; i++)
		prometheus_count(out, "cilium_policy_endpoint_enforcement_status", enforced[i],
			"enforcement", names[i], NULL);
	prometheus_begin(out, "cilium_ip_addresses", "gauge", "Allocated addresses");
	if (a->pool4)
		prometheus_count(
			out, "cilium_ip_addresses", pool_used(a->pool4), "family", "ipv4", NULL);
	if (a->pool6)
		prometheus_count(
			out, "cilium_ip_addresses", pool_used(a->pool6), "family", "ipv6", NULL);
}

static void add_identities(struct agent *a, struct str *out)
{
	size_t n[3] = {0};
	static const char *const names[] = {"reserved", "cluster_local", "node_local"};

	for (const struct identity_info *i = identity_after(a->identities, 0); i;
		i = identity_after(a->identities, i->number))
		n[i->is_prefix ? 2 : i->number >= IDENTITY_CLUSTER_MIN]++;
	prometheus_begin(out, "cilium_identity", "gauge", "Identities in use");
	for (int i = 0; i < 3; i++)
		prometheus_count(out, "cilium_identity", n[i], "type", names[i], NULL);
}

static void add_policy(struct agent *a, struct str *out)
{
	struct dp_policy_stats s = {0};
	uint64_t good, bad;

	datapath_policy_stats(a->datapath, &s);
	policies_counts(a->policies, &good, &bad);
	prometheus_single(out, "cilium_policy", "gauge", "Policies in force",
		policies_set(a->policies)->count);
	prometheus_single(
		out, "cilium_policy_max_revision", "gauge", "Policy revision in force", s.revision);
	prometheus_begin(out, "cilium_policy_change_total", "counter", "Policy changes by outcome");
	prometheus_count(out, "cilium_policy_change_total", good, "outcome", "success", NULL);
	prometheus_count(out, "cilium_policy_change_total", bad, "outcome", "fail", NULL);
	prometheus_single(out, "kilim_policy_epoch", "gauge", "Epoch of verdicts", s.epoch);
	prometheus_single(out, "kilim_policy_slots", "gauge", "Policy slots in force", s.slots);
	prometheus_single(
		out, "kilim_policy_peer_entries", "gauge", "Peer entries in use", s.peer_entries);
	prometheus_single(
		out, "kilim_policy_rule_entries", "gauge", "Rule entries in use", s.rule_entries);
	prometheus_begin(out, "cilium_bpf_map_pressure", "gauge", "Part of a map that is in use");
	prometheus_value(out, "cilium_bpf_map_pressure",
		s.peer_max ? (double)s.peer_entries / (double)s.peer_max : 0, "map_name", "peer",
		NULL);
	prometheus_value(out, "cilium_bpf_map_pressure",
		s.rule_max ? (double)s.rule_entries / (double)s.rule_max : 0, "map_name", "rule",
		NULL);
}

static void add_shadow(struct agent *a, struct str *out)
{
	static const char name[] = "kilim_policy_shadow_differences_total";
	const struct policy_set *set = policies_set(a->policies);

	prometheus_begin(out, name, "counter",
		"Decisions that would have been others with a policy that is in shadow mode");
	for (size_t i = 0; i < set->count; i++) {
		const struct policy *p = &set->policy[i];

		if (p->mode == MODE_SHADOW)
			prometheus_count(out, name, policy_hits(a, p).shadow, "kind", p->kind,
				"namespace", p->namespace ? p->namespace : "", "policy", p->name,
				NULL);
	}
}

static int add_bytes(const char *name, uint64_t entries_max, uint64_t bytes, void *data)
{
	(void)name;
	(void)entries_max;
	*(uint64_t *)data += bytes;
	return 0;
}

static void add_flows(struct agent *a, struct str *out)
{
	uint64_t answered = 0, half_open = 0, seen, now, max, bytes = 0;

	datapath_flow_count(a->datapath, &answered, &half_open);
	flows_counts(a->flows, &seen, &now, &max);
	(void)datapath_map_each(a->datapath, add_bytes, &bytes);
	prometheus_begin(out, "kilim_flow_entries", "gauge", "Flows in the tables");
	prometheus_count(out, "kilim_flow_entries", answered, "table", "answered", NULL);
	prometheus_count(out, "kilim_flow_entries", half_open, "table", "half_open", NULL);
	prometheus_single(out, "kilim_flow_records_total", "counter",
		"Flow records made since the agent started", seen);
	prometheus_single(out, "kilim_flow_records", "gauge", "Flow records in the history", now);
	prometheus_single(out, "cilium_bpf_maps_virtual_memory_max_bytes", "gauge",
		"Kernel memory of all maps", bytes);
}

static void add_process(struct str *out)
{
	struct process_usage u;

	process_usage(&u);
	prometheus_begin(out, "cilium_process_cpu_seconds_total", "counter",
		"User and system CPU time of the agent");
	prometheus_value(out, "cilium_process_cpu_seconds_total", u.cpu_s, NULL);
	prometheus_single(
		out, "cilium_process_open_fds", "gauge", "Open file descriptors", u.open_fds);
	prometheus_single(out, "cilium_process_max_fds", "gauge", "Limit of open file descriptors",
		u.max_fds);
	prometheus_single(out, "cilium_process_resident_memory_bytes", "gauge", "Resident memory",
		u.resident_bytes);
	prometheus_single(out, "cilium_process_virtual_memory_bytes", "gauge", "Virtual memory",
		u.virtual_bytes);
	prometheus_begin(out, "cilium_process_start_time_seconds", "gauge",
		"Start of the agent, since 1970");
	prometheus_value(out, "cilium_process_start_time_seconds", u.start_s, NULL);
}

void api_metrics(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	struct str out = {0};
	struct utsname un = {0};

	(void)rq;
	(void)uname(&un);
	prometheus_begin(&out, "cilium_version", "gauge", "Version of the agent");
	prometheus_count(&out, "cilium_version", 1, "version", KILIM_VERSION, "revision", "",
		"arch", un.machine, NULL);
	add_endpoints(a, &out);
	add_identities(a, &out);
	add_policy(a, &out);
	add_shadow(a, &out);
	add_packets(a, &out);
	add_counters(a, &out);
	add_flows(a, &out);
	prometheus_single(&out, "kilim_problems", "gauge",
		"Things that kilim status reports as wrong", a->problems.count);
	add_process(&out);
	reply->text = str_take(&out);
	reply->content_type = PROMETHEUS_CONTENT_TYPE;
}
