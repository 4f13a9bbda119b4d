/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_POLICY_FIXTURE_H
#define KILIM_TEST_POLICY_FIXTURE_H
/*
 * A small world for policy tests: workloads in three namespaces, the reserved identities, and the
 * prefixes that the policies at hand name. Peers are named by a letter, by a reserved word, or by
 * an address (which gets the identity of its longest prefix).
 */
#include <errno.h>
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
};

static const struct workload workloads[] = {
	{"a", "default", "k8s:app=a k8s:tier=front"},
	{"b", "default", "k8s:app=b k8s:tier=back"},
	{"c", "default", "k8s:app=c container:app=x"},
	{"x", "other", "k8s:app=a k8s:tier=front"},
	{"y", "other", "k8s:app=b"},
	{"z", "third", "k8s:app=c"},
};

struct world {
	struct identities *identities;
	struct arena mem;
	struct policy_set set;
	struct yaml_docs docs[16];
	size_t files;
	struct rule_ids *ids;
	struct compiled_set out;
	struct prefix *prefix;
	size_t prefixes;
	struct policy_context context;
	enum policy_enforce enforce;
	struct err e;
	uint32_t number[ARRAY_SIZE(workloads)];
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
	*w = (struct world){.context = {.cluster = cluster, .default_namespace = "default"}};
	w->identities = identities_new(cluster, true);
	w->ids = rule_ids_new();
	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
		struct labels l = workload_labels(&w->mem, &workloads[i], cluster);
		const struct identity_info *info = NULL;

		assert_int_equal(identity_get(w->identities, &l, &info, &w->e), 0);
		w->number[i] = info->number;
	}
}

static inline void world_init(struct world *w)
{
	world_init_cluster(w, "kilim");
}

static inline void world_done(struct world *w)
{
	compiled_set_done(&w->out);
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

/* Compile for every identity there is. */
static inline int world_compile(struct world *w)
{
	const struct identity_info *info;
	uint32_t *subject = NULL;
	size_t count = 0, capacity = 0;
	int r;

	world_add_prefixes(w);
	for (info = identity_after(w->identities, 0); info;
		info = identity_after(w->identities, info->number)) {
		mem_grow(&subject, &capacity, count + 1, sizeof(*subject));
		subject[count++] = info->number;
	}
	compiled_set_done(&w->out);
	r = policy_compile(
		&w->set, w->identities, subject, count, w->enforce, w->ids, &w->out, &w->e);
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
#define X(id, value, text)                                                                         \
	if (!strcmp(text, name))                                                                   \
		return value;
	IDENTITY_RESERVED(X)
#undef X
	if (addr_parse(name, &a) < 0)
		fail_msg("no such peer: %s", name);
	return world_of_address(w, &a);
}

static inline const struct compiled_slot *world_slot(const struct world *w, uint32_t identity)
{
	for (size_t i = 0; i < w->out.slots; i++) {
		if (w->out.slot[i].identity == identity)
			return &w->out.slot[i];
	}
	fail_msg("no slot for identity %u", identity);
	return NULL;
}

static inline const struct decision *world_decide(const struct world *w, enum policy_direction d,
	const char *subject, const char *peer, uint8_t protocol, uint16_t port)
{
	const struct decision *found = compiled_lookup(
		world_slot(w, world_number(w, subject)), d, world_number(w, peer), protocol, port);

	assert_non_null(found);
	return found;
}

#endif
