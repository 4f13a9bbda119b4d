/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens the agent's parts in order and connects them: read from top to bottom, this is the agent.
 * Called by main.c. Must hold: the policy that is pinned stays in force until all sources were read
 * once; the API takes endpoints only after that; closing changes nothing in the kernel.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "abi/identity.h"
#include "agent/address.h"
#include "agent/agent.h"
#include "agent/api.h"
#include "agent/cni_conf.h"
#include "agent/conf.h"
#include "agent/endpoint.h"
#include "agent/flows.h"
#include "agent/invariant.h"
#include "agent/manifests.h"
#include "agent/policy.h"
#include "agent/pools.h"
#include "agent/sysctl.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/time.h"
#include "datapath/datapath.h"
#include "ipam/pool.h"
#include "kern/device.h"
#include "loop/loop.h"
#include "model/identity.h"

LOG_MODULE("agent");

enum { TRIM_DELAY_NS = 500000000, SWEEP_NS = 1000000000 };
#define FRAGMENT_TIMEOUT_NS 15000000000u

/* --- node: devices, forwarding, pools --- */

static int open_node(struct agent *a, struct err *e)
{
	int r = device_open(&a->device, e);

	return r ?: sysctl_forward(a->conf, e) ?: pools_open(a, e);
}

/* --- data path --- */

static int open_datapath(struct agent *a, struct err *e)
{
	const struct conf *c = a->conf;
	const struct datapath_options o = {
		.bpf_root = c->bpf_root,
		.config =
			{
				.gateway4 = a->gateway4,
				.gateway6 = a->gateway6,
				.timeout_tcp = c->timeout_tcp_ns,
				.timeout_tcp_syn = c->timeout_syn_ns,
				.timeout_tcp_fin = c->timeout_fin_ns,
				.timeout_any = c->timeout_any_ns,
				.timeout_frag = FRAGMENT_TIMEOUT_NS,
				.sweep_ns = SWEEP_NS,
				.world4 = IDENTITY_WORLD_IPV4,
				.world6 = IDENTITY_WORLD_IPV6,
				.allow_localhost = c->localhost != CONF_LOCALHOST_POLICY,
				.trace = c->aggregation == CONF_AGGREGATE_MEDIUM,
			},
		.flow_max = (uint32_t)c->flow_max,
		.half_max = (uint32_t)c->half_max,
		.rule_max = (uint32_t)c->rule_max,
		.peer_max = (uint32_t)c->peer_max,
		.rule_hit_max = (uint32_t)c->rule_hit_max,
	};
	int r = datapath_open(&o, &a->datapath, &a->adopted, e);

	if (!r)
		a->addresses = addresses_new(a->datapath);
	return r;
}

/* --- state: identities, endpoints, policies of the API, node addresses --- */

static void on_node_addresses(void *data)
{
	struct agent *a = data;
	struct err e = {0};
	int r = agent_sync_node_addresses(a, &e);

	agent_problem(a, "node addresses", r ? e.text : NULL);
}

static int open_state(struct agent *a, struct err *e)
{
	const struct conf *c = a->conf;
	int r;

	a->identities = identities_new(c->cluster_name, true);
	agent_load_identities(a);
	a->endpoints = endpoints_new(a);
	a->policies = policies_new(a);
	r = guard_open(a, &a->guard, e);
	r = r ?: flows_new(a, &a->flows, e);
	r = r ?: agent_sync_node_addresses(a, e);
	r = r ?: endpoints_restore(a->endpoints, e);
	if (!r)
		policies_restore(a->policies);
	return r ?: device_watch_addresses(a->device, a->loop, on_node_addresses, a, e);
}

/* --- outputs and inputs --- */

static int on_signal(void *data)
{
	struct agent *a = data;

	log_info("stopping; enforcement stays in place");
	loop_exit(a->loop, 0);
	return 0;
}

static int on_trim(void *data)
{
	(void)data;
	(void)malloc_trim(0);
	return 0;
}

void agent_trim(struct agent *a)
{
	loop_timer_in(a->trim, TRIM_DELAY_NS);
}

static int open_servers(struct agent *a, struct err *e)
{
	SCOPED(str_done)
	struct str address = {0};
	int r;

	str_printf(&address, "unix:%s/kilim.sock", a->conf->run_dir);
	r = api_server_start(a->loop, str_text(&address), agent_routes, a, &a->api, e);
	if (!r && *a->conf->prometheus)
		r = api_server_start(
			a->loop, a->conf->prometheus, metrics_routes, a, &a->metrics, e);
	return r;
}

/* All that was there at the start has been read: now policy is known, and the node can take
 * workloads. */
static void on_synced(struct agent *a)
{
	struct err e = {0};

	/* a failure is a problem that is logged and shown; what was in force stays */
	(void)policies_start(a->policies, &e);
	a->ready = true;
	endpoints_replay_deletions(a->endpoints);
	if (cni_conf_write(a->conf, &e) < 0)
		agent_problem(a, "write-cni-conf-when-ready", e.text);
	log_info("ready: revision=%u endpoints=%zu adopted=%s after_ms=%llu",
		policies_revision(a->policies), endpoints_count(a->endpoints, ENDPOINT_STATE_READY),
		a->adopted ? "yes" : "no",
		(unsigned long long)(time_mono_ns() - a->started_ns) / 1000000);
	(void)sd_notify(0, "READY=1\nSTATUS=ready");
	agent_trim(a);
}

int agent_open(struct agent *a, const struct conf *conf, struct err *e)
{
	int r;

	*a = (struct agent){
		.conf = conf, .run_lock = -1, .state_lock = -1, .started_ns = time_mono_ns()};
	r = agent_lock(a, e);
	if (r)
		return r;
	a->loop = loop_new();
	a->sigterm = loop_add_signal(a->loop, SIGTERM, on_signal, a);
	a->sigint = loop_add_signal(a->loop, SIGINT, on_signal, a);
	a->trim = loop_add_timer(a->loop, on_trim, a);
	r = open_node(a, e);
	r = r ?: open_datapath(a, e);
	r = r ?: open_state(a, e);
	r = r ?: flows_start(a->flows, e);
	r = r ?: open_servers(a, e);
	return r ?: manifests_open(a, on_synced, &a->manifests, e);
}

int agent_run(struct agent *a)
{
	return loop_run(a->loop);
}

void agent_close(struct agent *a)
{
	(void)sd_notify(0, "STOPPING=1");
	manifests_close(a->manifests);
	guard_close(a->guard);
	api_server_stop(a->metrics);
	api_server_stop(a->api);
	flows_free(a->flows);
	endpoints_free(a->endpoints);
	policies_free(a->policies);
	addresses_free(a->addresses);
	identities_free(a->identities);
	datapath_close(a->datapath);
	device_close(a->device);
	pool_free(a->pool4);
	pool_free(a->pool6);
	HASH_EACH(&a->problems, h)
		free(h->value);
	hash_done(&a->problems);
	loop_source_free(a->trim);
	loop_source_free(a->sigint);
	loop_source_free(a->sigterm);
	loop_free(a->loop);
	fd_closep(&a->run_lock);
	fd_closep(&a->state_lock);
}
