/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What policy costs at scale: 10,000 identities, 2,000 policies, 1,000 subjects, through the engine
 * and into real maps, as the agent does it, without endpoints. Called by bench; prints JSON:
 * milliseconds per round and entries written. policyscale --bpf-root DIR [--rounds N]
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/generation.h"
#include "base/time.h"
#include "codec/yaml.h"
#include "datapath/datapath.h"

enum { PODS = 10000, NAMESPACES = 200, APPS = 2000, POLICIES = 2000, SUBJECTS = 1000, MORE = 1000 };

struct bench {
	struct identities *identities;
	struct rule_ids *ids;
	struct engine *engine;
	struct datapath *dp;
	struct policy_set set;
	struct generation now;
	uint32_t subject[SUBJECTS];
	size_t subjects;
	uint32_t revision;
};

static _Noreturn void die(const char *what, const struct err *e)
{
	fprintf(stderr, "policyscale: %s: %s\n", what, e ? e->text : "");
	exit(1);
}

static double ms_since(uint64_t start_ns)
{
	return (double)(time_mono_ns() - start_ns) / 1e6;
}

static double heap_mib(void)
{
	return (double)mallinfo2().uordblks / (1 << 20);
}

static uint32_t add_pod(struct bench *b, unsigned i, const char *name)
{
	char namespace[32], app[32], pod[48];
	struct label l[] = {{"k8s", "app", app}, {"k8s", LABEL_NAMESPACE, namespace},
		{"k8s", "pod", pod}, {"k8s", "tier", i % 3 ? "front" : "back"},
		{"k8s", LABEL_CLUSTER, "default"}};
	const struct identity_info *info;
	struct err e = {0};

	snprintf(namespace, sizeof(namespace), "ns%u", i % NAMESPACES);
	snprintf(app, sizeof(app), "app%u", i % APPS);
	snprintf(pod, sizeof(pod), "%s%u", name, i);
	if (identity_get(b->identities, &(struct labels){l, ARRAY_SIZE(l)}, &info, &e))
		die("identity", &e);
	return info->number;
}

/* A policy as an application has it: who may come in on which port, and where it goes. */
static void add_policy(struct policy_set *set, unsigned i, unsigned port)
{
	static const struct policy_context context = {
		.cluster = "default", .default_namespace = "default", .local_cluster = true};
	struct yaml_docs docs = {0};
	struct err e = {0};
	char text[1024];

	snprintf(text, sizeof(text),
		"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p%u, "
		"namespace: ns%u}\n"
		"spec:\n  endpointSelector: {matchLabels: {app: app%u}}\n  ingress:\n"
		"  - fromEndpoints: [{matchLabels: {app: app%u}}]\n"
		"    toPorts: [{ports: [{port: '%u', protocol: TCP}]}]\n"
		"  - fromEndpoints: [{matchLabels: {tier: front, io.kubernetes.pod.namespace: "
		"ns%u}}]\n"
		"  egress:\n  - toEndpoints: [{matchLabels: {app: app%u}}]\n  - toEntities: "
		"[kube-apiserver]\n",
		i, i % NAMESPACES, i % APPS, (i + NAMESPACES) % APPS, port, i * 7 % NAMESPACES,
		(i + 3 * NAMESPACES) % APPS);
	if (yaml_parse("bench", text, strlen(text), &docs, &e) ||
		policy_parse(set, &context, "bench", &docs.doc[0], &e))
		die("policy", &e);
	yaml_docs_done(&docs);
}

/* As agent/policy.c: compile beside what is in force, and switch. Returns milliseconds. */
static double apply(struct bench *b, size_t *ret_written)
{
	struct arena mem = {0};
	struct generation next = {0};
	struct compiled_changes changes;
	struct dp_policy_stats stats;
	struct dp_slot *slot;
	struct err e = {0};
	uint64_t start = time_mono_ns();
	double ms;

	if (b->now.compiled) {
		engine_follow(b->engine, b->now.compiled, &changes);
		free(changes.change);
	}
	if (engine_compile(b->engine, b->now.compiled, &b->set, b->subject, b->subjects,
		    &next.compiled, &e))
		die("compile", &e);
	slot = generation_slots(&next, b->now.compiled ? &b->now : NULL, &mem);
	if (datapath_policy_apply(b->dp, slot, next.compiled->slots, ++b->revision, &stats, &e))
		die("apply", &e);
	ms = ms_since(start);
	compiled_set_free(b->engine, b->now.compiled);
	b->now = next;
	arena_done(&mem);
	*ret_written = stats.written;
	return ms;
}

/* A new identity becomes a peer of the slots in force and gets a slot of its own. Returns
 * milliseconds. */
static double add_one(struct bench *b, unsigned i, size_t *ret_written)
{
	uint64_t start = time_mono_ns();
	uint32_t number = add_pod(b, i, "new");
	struct compiled_changes changes;
	struct dp_policy_stats stats;
	struct dp_slot *more, fresh;
	struct arena mem = {0};
	struct err e = {0};
	size_t mores;
	double ms;

	engine_follow(b->engine, b->now.compiled, &changes);
	more = generation_changes(&changes, &mem, &mores);
	fresh = generation_slot_for(engine_add_subject(b->engine, b->now.compiled, number), &mem);
	if (datapath_policy_extend(b->dp, more, mores, &fresh, 1, &e))
		die("extend", &e);
	ms = ms_since(start);
	datapath_policy_stats(b->dp, &stats);
	*ret_written = stats.written;
	free(changes.change);
	arena_done(&mem);
	return ms;
}

static void print_list(const char *name, const double *value, size_t count)
{
	printf("\"%s\": [", name);
	for (size_t i = 0; i < count; i++)
		printf("%s%.4f", i ? ", " : "", value[i]);
	printf("],\n");
}

static void open_datapath(struct bench *b, const char *root)
{
	struct datapath_options o = {.bpf_root = root, .peer_max = 1 << 20, .rule_max = 1 << 18};
	struct err e = {0};
	bool adopted;

	o.config.timeout_tcp = o.config.timeout_tcp_syn = o.config.timeout_tcp_fin = 1000000000;
	o.config.timeout_any = o.config.timeout_frag = o.config.sweep_ns = 1000000000;
	o.config.world4 = IDENTITY_WORLD_IPV4;
	o.config.world6 = IDENTITY_WORLD_IPV6;
	if (datapath_open(&o, &b->dp, &adopted, &e))
		die("open", &e);
}

static void measure(struct bench *b, size_t rounds)
{
	double *ms = mem_array(rounds, sizeof(*ms)), *entries = mem_array(rounds, sizeof(*entries));
	size_t written, rules, peers;

	for (size_t i = 0; i < rounds; i++) {
		ms[i] = add_one(b, (unsigned)i * 37, &written);
		entries[i] = (double)written;
	}
	print_list("policy_pod_added", ms, rounds);
	print_list("policy_pod_added_entries", entries, rounds);
	/* what waits to be removed would be waited for in the next round: as in an agent that has a
	 * pause */
	for (size_t i = 0; i < rounds; i++) {
		struct policy_set one = {0};
		unsigned at = (unsigned)(i * 31 % POLICIES);

		add_policy(&one, at, 9000 + (unsigned)i);
		b->set.policy[at] = one.policy[0];
		datapath_policy_collect(b->dp);
		ms[i] = apply(b, &written);
		entries[i] = (double)written;
	}
	print_list("policy_changed", ms, rounds);
	print_list("policy_changed_entries", entries, rounds);
	compiled_count(b->now.compiled, &rules, &peers);
	printf("\"rules\": %zu, \"peers\": %zu, \"slots\": %zu,\n", rules, peers,
		b->now.compiled->slots);
	free(ms);
	free(entries);
}

/* Bytes of heap for each identity and each policy more. */
static void growth(struct bench *b)
{
	double before = heap_mib(), after;
	size_t written;

	for (unsigned i = 0; i < MORE; i++)
		(void)add_pod(b, i * 13, "more");
	(void)apply(b, &written);
	after = heap_mib();
	printf("\"bytes_per_identity\": %.0f,\n", (after - before) * (1 << 20) / MORE);
	before = after;
	for (unsigned i = 0; i < MORE; i++)
		add_policy(&b->set, POLICIES + i, 8000 + i % 1000);
	(void)apply(b, &written);
	printf("\"bytes_per_policy\": %.0f,\n", (heap_mib() - before) * (1 << 20) / MORE);
}

static double resident_mib(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long total = 0, resident = 0;

	if (!f || fscanf(f, "%ld %ld", &total, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return (double)resident * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"bpf-root", required_argument, NULL, 'b'},
		{"rounds", required_argument, NULL, 'r'}, {0}};
	const struct policy_options how = {.enforce = POLICY_ENFORCE_DEFAULT};
	struct bench b = {.identities = identities_new("default", true), .ids = rule_ids_new()};
	const char *root = NULL;
	size_t rounds = 100, written;
	double full;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 'b')
			root = optarg;
		else if (c == 'r')
			rounds = (size_t)atoi(optarg);
		else
			return 2;
	}
	if (!root || !rounds)
		return 2;
	for (unsigned i = 0; i < PODS; i++) {
		uint32_t number = add_pod(&b, i, "pod");

		if (i % (PODS / SUBJECTS) == 0)
			b.subject[b.subjects++] = number;
	}
	/* the compiled set points into the array: it must not move */
	mem_grow(&b.set.policy, &b.set.capacity, POLICIES + MORE, sizeof(*b.set.policy));
	for (unsigned i = 0; i < POLICIES; i++)
		add_policy(&b.set, i, 80 + i % 10);
	b.engine = engine_new(b.identities, b.ids, &how);
	open_datapath(&b, root);
	printf("{\n");
	full = apply(&b, &written);
	printf("\"policy_full\": [%.3f], \"policy_full_entries\": %zu,\n", full, written);
	measure(&b, rounds);
	malloc_trim(0);
	printf("\"rss_policy_scale\": [%.2f],\n", resident_mib());
	growth(&b);
	printf("\"rounds\": %zu\n}\n", rounds);
	compiled_set_free(b.engine, b.now.compiled);
	engine_free(b.engine);
	datapath_close(b.dp);
	return 0;
}
