/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_POLICY_FIXTURE_H
#define KILIM_TEST_POLICY_FIXTURE_H
/*
 * A small world for policy tests: workloads in three namespaces, the reserved identities, and the
 * prefixes that the policies at hand name. Peers are named by a letter, by a reserved word, or by
 * an address (which gets the identity of its longest prefix).
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/compile.h"

struct workload {
	const char *name, *namespace, *labels; /* labels divided by blanks */
	const char *address;
	struct named_port port[2];
};

static const struct workload workloads[] = {
	{"a", "default", "k8s:app=a k8s:tier=front", "10.0.0.1",
		{{"web", IPPROTO_TCP, 80}, {"dns", IPPROTO_UDP, 53}}},
	{"b", "default", "k8s:app=b k8s:tier=back", "10.0.0.2", {{"web", IPPROTO_TCP, 8080}}},
	{"c", "default", "k8s:app=c container:app=x", "10.0.0.3", {{0}}},
	{"x", "other", "k8s:app=a k8s:tier=front", "10.0.1.1", {{"web", IPPROTO_TCP, 8081}}},
	{"y", "other", "k8s:app=b", "10.0.1.2", {{"web", IPPROTO_UDP, 80}}},
	{"z", "third", "k8s:app=c", "fd00::3", {{0}}},
};

/* Other nodes: labels beside reserved:remote-node. */
static const struct workload nodes[] = {
	{"n1", "", "node:zone=a", "172.30.0.1", {{0}}},
	{"n2", "", "node:zone=b", "172.30.0.2", {{0}}},
};

struct world {
	struct identities *identities;
	struct arena mem;
	struct policy_set set;
	struct yaml_docs docs[16];
	size_t files;
	struct rule_ids *ids;
	struct compiled_set *out;
	struct prefix *prefix;
	size_t prefixes;
	struct policy_context context;
	enum policy_enforce enforce;
	bool audit;
	struct err e;
	uint32_t number[ARRAY_SIZE(workloads)], node[ARRAY_SIZE(nodes)];
	/* as peers: parts where a prefix that reaches them tells them apart */
	uint32_t peer[ARRAY_SIZE(workloads)], node_peer[ARRAY_SIZE(nodes)], host_peer;
};

/* Labels of namespaces: "other" is in production, "third" in test. */
static inline struct labels namespace_labels(struct arena *mem, const char *namespace)
{
	struct labels l = {arena_array(mem, 1, sizeof(struct label)), 0};

	if (strcmp(namespace, "default"))
		l.label[l.count++] =
			(struct label){"k8s", "env", strcmp(namespace, "other") ? "test" : "prod"};
	return l;
}

static inline struct labels workload_labels(
	struct arena *mem, const struct workload *wl, const char *cluster)
{
	struct workload_place place = {.namespace = wl->namespace, .cluster = cluster};
	char *text = arena_strdup(mem, wl->labels), *save = NULL;
	struct labels given = {arena_array(mem, 16, sizeof(struct label)), 0}, l = {0};

	place.namespace_labels = namespace_labels(mem, wl->namespace);
	for (char *t = strtok_r(text, " ", &save); t; t = strtok_r(NULL, " ", &save))
		assert_int_equal(label_parse(mem, t, "k8s", &given.label[given.count++], NULL), 0);
	assert_int_equal(labels_of_workload(mem, &given, &place, &l, NULL), 0);
	return l;
}

static inline void world_init_cluster(struct world *w, const char *cluster)
{
	*w = (struct world){.context = {.cluster = cluster,
				    .default_namespace = "default",
				    .local_cluster = true,
				    .kubernetes_reach = PREFIX_PODS | PREFIX_NODES}};
	w->identities = identities_new(cluster, true);
	w->ids = rule_ids_new();
	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
		struct labels l = workload_labels(&w->mem, &workloads[i], cluster);
		const struct identity_info *info = NULL;

		assert_int_equal(identity_get(w->identities, &l, &info, &w->e), 0);
		w->number[i] = info->number;
		identity_set_ports(w->identities, info->number, workloads[i].port,
			!!workloads[i].port[0].name + !!workloads[i].port[1].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		struct label l[2] = {{"reserved", "remote-node", ""}};
		const struct identity_info *info = NULL;

		assert_int_equal(label_parse(&w->mem, nodes[i].labels, "node", &l[1], NULL), 0);
		assert_int_equal(
			identity_get(w->identities, &(struct labels){l, 2}, &info, &w->e), 0);
		w->node[i] = info->number;
	}
}

static inline void world_init(struct world *w)
{
	world_init_cluster(w, "kilim");
}

static inline void world_done(struct world *w)
{
	compiled_set_freep(&w->out);
	policy_set_done(&w->set);
	for (size_t i = 0; i < w->files; i++)
		yaml_docs_done(&w->docs[i]);
	rule_ids_free(w->ids);
	identities_free(w->identities);
	free(w->prefix);
	arena_done(&w->mem);
}

/* Read a manifest; what policy_parse() says of its first bad document. */
static inline int world_read(struct world *w, const char *file, const char *text)
{
	struct yaml_docs *docs = &w->docs[w->files];
	int r = yaml_parse(file, text, strlen(text), docs, &w->e);

	if (r < 0)
		return r;
	w->files++;
	for (size_t i = 0; !r && i < docs->count; i++)
		r = policy_parse(&w->set, &w->context, file, &docs->doc[i], &w->e);
	return r;
}

static inline void world_add_prefixes(struct world *w)
{
	const struct identity_info *info;

	free(w->prefix);
	w->prefixes = policy_prefixes(&w->set, &w->prefix);
	for (size_t i = 0; i < w->prefixes; i++)
		assert_int_equal(
			identity_get_prefix(w->identities, &w->prefix[i], &info, &w->e), 0);
}

static inline uint32_t world_part(struct world *w, uint32_t base, const char *address,
	const struct prefix *reach, size_t count)
{
	const struct identity_info *info;
	struct identity_part part = {0};
	const struct prefix *inside;
	struct addr a;

	assert_int_equal(addr_parse(address, &a), 0);
	inside = prefixes_longest(reach, count, &a);
	part.inside = inside;
	assert_int_equal(identity_get_part(w->identities, base, &part, &info, &w->e), 0);
	return info->number;
}

static inline void world_add_parts(struct world *w)
{
	struct prefix *reach;
	size_t count = policy_reach_prefixes(&w->set, &reach);

	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++)
		w->peer[i] = world_part(w, w->number[i], workloads[i].address, reach, count);
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		w->node_peer[i] = world_part(w, w->node[i], nodes[i].address, reach, count);
	w->host_peer = world_part(w, IDENTITY_HOST, "172.30.0.9", reach, count);
	free(reach);
}

/* Compile for every identity there is. */
static inline int world_compile(struct world *w)
{
	const struct identity_info *info;
	uint32_t *subject = NULL;
	size_t count = 0, capacity = 0;
	int r;

	world_add_prefixes(w);
	world_add_parts(w);
	for (info = identity_after(w->identities, 0); info;
		info = identity_after(w->identities, info->number)) {
		mem_grow(&subject, &capacity, count + 1, sizeof(*subject));
		subject[count++] = info->number;
	}
	compiled_set_freep(&w->out);
	r = policy_compile(&w->set, w->identities, subject, count,
		&(struct policy_options){.enforce = w->enforce, .audit = w->audit}, w->ids, &w->out,
		&w->e);
	free(subject);
	return r;
}

static inline uint32_t world_of_address(const struct world *w, const struct addr *a)
{
	const struct prefix *best = NULL;
	const struct identity_info *info;

	for (size_t i = 0; i < w->prefixes; i++) {
		if (prefix_has(&w->prefix[i], a) && (!best || best->bits < w->prefix[i].bits))
			best = &w->prefix[i];
	}
	if (!best)
		return addr_is_v4(a) ? IDENTITY_WORLD_IPV4 : IDENTITY_WORLD_IPV6;
	assert_int_equal(identity_get_prefix(w->identities, best, &info, NULL), 0);
	return info->number;
}

static inline uint32_t world_number(const struct world *w, const char *name)
{
	struct addr a;

	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
		if (!strcmp(workloads[i].name, name))
			return w->number[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		if (!strcmp(nodes[i].name, name))
			return w->node[i];
	}
#define X(id, value, text)                                                                         \
	if (!strcmp(text, name))                                                                   \
		return value;
	IDENTITY_RESERVED(X)
#undef X
	if (addr_parse(name, &a) < 0)
		fail_msg("no such peer: %s", name);
	return world_of_address(w, &a);
}

/* As world_number(), but as a peer. */
static inline uint32_t world_peer(const struct world *w, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
		if (!strcmp(workloads[i].name, name))
			return w->peer[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		if (!strcmp(nodes[i].name, name))
			return w->node_peer[i];
	}
	return !strcmp(name, "host") ? w->host_peer : world_number(w, name);
}

static inline const struct compiled_slot *world_slot(const struct world *w, uint32_t identity)
{
	const struct compiled_slot *s = compiled_slot_find(w->out, identity);

	if (!s)
		fail_msg("no slot for identity %u", identity);
	return s;
}

static inline void assert_class_same(const struct compiled_class *a, const struct compiled_class *b)
{
	assert_int_equal(a->entries, b->entries);
	assert_memory_equal(a->entry, b->entry, a->entries * sizeof(*a->entry));
}

/* Both say the same to every peer, entry by entry, though their classes may be in another order. */
static inline void assert_content_same(
	const struct compiled_content *a, const struct compiled_content *b)
{
	assert_int_equal(a->peers, b->peers);
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		assert_class_same(a->class[a->base[d]], b -> class[b->base[d]]);
		for (size_t i = 0; i < a->peers; i++) {
			assert_int_equal(a->peer[i].identity, b->peer[i].identity);
			assert_class_same(
				a->class[a->peer[i].class[d]], b -> class[b->peer[i].class[d]]);
		}
	}
}

static inline void assert_set_same(const struct compiled_set *a, const struct compiled_set *b)
{
	assert_int_equal(a->slots, b->slots);
	for (size_t i = 0; i < a->slots; i++) {
		assert_int_equal(a->slot[i].identity, b->slot[i].identity);
		assert_content_same(a->slot[i].content, b->slot[i].content);
	}
}

static inline const struct decision *world_decide(const struct world *w, enum policy_direction d,
	const char *subject, const char *peer, uint8_t protocol, uint16_t port)
{
	const struct decision *found = compiled_lookup(
		world_slot(w, world_number(w, subject)), d, world_peer(w, peer), protocol, port);

	assert_non_null(found);
	return found;
}

#endif
