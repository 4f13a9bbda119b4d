/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: policy manifests, from the text to slots. Whatever the bytes are,
 * policy_parse() refuses with a place or gives policies that compile; in each slot every direction
 * has an answer for any peer, protocol and port, and a second compilation gives the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"
#include "policy/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { PREFIXES_MAX = 2000, SUBJECTS = 3 };

static uint32_t add_workload(struct identities *t, const char *namespace, const char *app)
{
	struct label label = {"k8s", "app", app};
	const struct workload_place place = {.namespace = namespace, .cluster = "kilim"};
	const struct identity_info *info = NULL;
	struct arena mem SCOPED(arena_done) = {0};
	struct labels given = {&label, 1}, l = {0};

	if (labels_of_workload(&mem, &given, &place, &l, NULL) < 0 ||
		identity_get(t, &l, &info, NULL) < 0)
		abort();
	return info->number;
}

static void check_slot(const struct compiled_slot *s)
{
	static const uint32_t peers[] = {
		0, IDENTITY_HOST, IDENTITY_WORLD_IPV4, 256, 257, 1 << 24 | 1};
	static const uint16_t ports[] = {0, 1, 53, 80, 2048, 65535};
	static const uint8_t protocols[] = {0, 1, 6, 17, 58, 132, 255};

	for (size_t i = 0; i < ARRAY_SIZE(peers) * ARRAY_SIZE(protocols) * ARRAY_SIZE(ports); i++) {
		for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
			const struct decision *found = compiled_lookup(
				s, d, peers[i % 6], protocols[i / 6 % 7], ports[i / 42]);

			assert(found);
			assert(found->verdict <= POLICY_DENY);
			assert(found->rule || found->verdict == POLICY_ALLOW);
		}
	}
}

static void check_set(const struct policy_set *set)
{
	struct identities *t = identities_new("kilim", true);
	uint32_t subject[SUBJECTS] = {add_workload(t, "default", "a"),
		add_workload(t, "default", "b"), add_workload(t, "other", "a")};
	struct prefix *prefix = NULL;
	size_t prefixes = policy_prefixes(set, &prefix);
	const struct identity_info *info;
	struct rule_ids *ids = rule_ids_new();
	const struct policy_options options = {0};
	struct compiled_set *once = NULL, *again = NULL;
	struct findings found = {0};
	struct err e = {0};

	for (size_t i = 0; i < prefixes && i < PREFIXES_MAX; i++) {
		if (identity_get_prefix(t, &prefix[i], &info, &e) < 0)
			abort();
	}
	/* fails only for two policies of one name */
	if (!policy_compile(set, t, subject, SUBJECTS, &options, ids, &once, &e)) {
		if (policy_compile(set, t, subject, SUBJECTS, &options, ids, &again, &e))
			abort();
		for (size_t i = 0; i < once->slots; i++) {
			check_slot(&once->slot[i]);
			assert(once->slot[i].content->peers == again->slot[i].content->peers);
		}
	} else {
		assert(*e.text);
	}
	lint(set, &(struct lint_options){prefix, prefixes, t}, &found);
	findings_done(&found);
	compiled_set_freep(&once);
	compiled_set_freep(&again);
	rule_ids_free(ids);
	identities_free(t);
	free(prefix);
}

/* All mistakes are found exactly where the first one is. */
static void check_all(const struct policy_context *context, const struct yaml_doc *doc, bool good)
{
	SCOPED(policy_set_done) struct policy_set set = {0};
	SCOPED(findings_done) struct findings all = {0};
	size_t errors = 0;

	policy_parse_all(&set, context, "fuzz", doc, &all);
	for (size_t i = 0; i < all.count; i++) {
		const struct finding *f = &all.finding[i];

		errors += f->severity == FINDING_ERROR;
		assert(f->line > 0 && f->column > 0 && *f->message && *f->hint);
	}
	assert(good == !errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct policy_context context = {.cluster = "kilim",
		.default_namespace = "default",
		.local_cluster = true,
		.kubernetes_reach = PREFIX_PODS | PREFIX_NODES};
	SCOPED(yaml_docs_done) struct yaml_docs docs = {0};
	SCOPED(policy_set_done) struct policy_set set = {0};
	SCOPED(freep) char *text = mem_dup(bytes, len);
	struct err e = {0};

	if (yaml_parse("fuzz", text, len, &docs, &e) < 0)
		return 0;
	for (size_t i = 0; i < docs.count; i++) {
		size_t before = set.count;
		int r = policy_parse(&set, &context, "fuzz", &docs.doc[i], &e);

		check_all(&context, &docs.doc[i], !r);
		if (r < 0) {
			assert(!strncmp(e.text, "fuzz:", 5));
			assert(set.count == before);
		}
	}
	check_set(&set);
	return 0;
}
