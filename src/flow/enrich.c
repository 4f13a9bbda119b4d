/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interning of ends and rules, and uuids. Called by the agent for every flow record, so the usual
 * case is two look-ups in a hash table and no allocation. Owns one reference to each thing that it
 * remembers. Must hold: the tables are bounded (they are emptied when full), and the owner forgets
 * ends whenever an identity or endpoint changes.
 */
#include "flow/enrich.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/drop.h"
#include "base/hash.h"

enum {
	ENDS_MAX = 8192,
	RULES_MAX = 8192,
};

struct end_key {
	uint32_t id, identity;
};

struct rule_id {
	uint32_t id, revision;
};

struct flow_enricher {
	struct flow_lookup lookup;
	struct hash ends; /* struct end_key to struct flow_end */
	struct hash rules; /* struct rule_id to struct flow_rule */
	uint64_t seed[2], uuids;
};

struct flow_enricher *flow_enricher_new(const struct flow_lookup *lookup, const uint64_t seed[2])
{
	struct flow_enricher *en = mem_alloc(sizeof(*en));

	en->lookup = *lookup;
	memcpy(en->seed, seed, sizeof(en->seed));
	return en;
}

void flow_enricher_forget_ends(struct flow_enricher *en)
{
	HASH_EACH(&en->ends, e)
		flow_end_unref(e->value);
	hash_done(&en->ends);
}

void flow_enricher_forget_rules(struct flow_enricher *en)
{
	HASH_EACH(&en->rules, e)
		flow_rule_unref(e->value);
	hash_done(&en->rules);
}

void flow_enricher_free(struct flow_enricher *en)
{
	if (!en)
		return;
	flow_enricher_forget_ends(en);
	flow_enricher_forget_rules(en);
	free(en);
}

void flow_enricher_freep(struct flow_enricher **en)
{
	flow_enricher_free(*en);
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void end_set_labels(struct flow_end *end, const struct labels *l)
{
	end->set = labels_copy(&end->mem, l);
	end->label = arena_array(&end->mem, l->count, sizeof(*end->label));
	end->labels = l->count;
	for (size_t i = 0; i < l->count; i++) {
		SCOPED(str_done)
		struct str text = {0};

		label_format(&text, &l->label[i]);
		end->label[i] = arena_strdup(&end->mem, str_text(&text));
	}
	if (end->labels)
		qsort(end->label, end->labels, sizeof(*end->label), compare_text);
}

/* The value of a Kubernetes label of the end, or "". */
static const char *end_label(const struct flow_end *end, const char *key)
{
	const struct label *l = labels_find(&end->set, "k8s", key);

	return l ? l->value : "";
}

static struct flow_end *end_new(struct flow_enricher *en, uint32_t id, uint32_t identity)
{
	struct flow_end *end = mem_alloc(sizeof(*end));
	const struct labels *l = en->lookup.identity(identity, en->lookup.data);
	const char *namespace = "", *pod = "", *cluster;

	end->references = 1;
	end->id = id;
	end->identity = identity;
	if (l)
		end_set_labels(end, l);
	if (!id || !en->lookup.endpoint(id, &namespace, &pod, en->lookup.data))
	namespace = end_label(end, LABEL_NAMESPACE);
	cluster = end_label(end, LABEL_CLUSTER);
	if (!*cluster && id)
		cluster = en->lookup.cluster;
	end->namespace = arena_strdup(&end->mem, namespace);
	end->pod = arena_strdup(&end->mem, pod);
	end->cluster = arena_strdup(&end->mem, cluster);
	return end;
}

static struct flow_end *end_get(struct flow_enricher *en, uint32_t id, uint32_t identity)
{
	struct end_key key = {id, identity};
	struct flow_end *end = hash_get(&en->ends, &key, sizeof(key));

	if (!end) {
		if (en->ends.count >= ENDS_MAX)
			flow_enricher_forget_ends(en);
		end = end_new(en, id, identity);
		hash_put(&en->ends, &key, sizeof(key), end);
	}
	return flow_end_ref(end);
}

static struct flow_rule *rule_new(struct flow_enricher *en, uint32_t id, uint32_t revision)
{
	struct flow_rule_info info = {.revision = revision};
	struct flow_rule *rule = mem_alloc(sizeof(*rule));
	char unknown[80];

	if (!en->lookup.rule(id, revision, &info, en->lookup.data)) {
		snprintf(unknown, sizeof(unknown),
			"rule %" PRIu32 " of policy revision %" PRIu32 ", which is gone", id,
			revision);
		info = (struct flow_rule_info){.text = unknown, .revision = revision};
	}
	rule->references = 1;
	rule->id = id;
	rule->kind = mem_strdup(info.kind ? info.kind : "");
	rule->namespace = mem_strdup(info.namespace ? info.namespace : "");
	rule->name = mem_strdup(info.name ? info.name : "");
	rule->text = mem_strdup(info.text ? info.text : "");
	rule->revision = info.revision;
	return rule;
}

static struct flow_rule *rule_get(struct flow_enricher *en, uint32_t id, uint32_t revision)
{
	struct rule_id key = {id, revision};
	struct flow_rule *rule = hash_get(&en->rules, &key, sizeof(key));

	if (!rule) {
		if (en->rules.count >= RULES_MAX)
			flow_enricher_forget_rules(en);
		rule = rule_new(en, id, revision);
		hash_put(&en->rules, &key, sizeof(key), rule);
	}
	return flow_rule_ref(rule);
}

/* A bijection of 64 bits that spreads them (splitmix64), so that no two flows of a seed get one
 * uuid. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static void make_uuid(struct flow_enricher *en, uint8_t uuid[16])
{
	uint64_t n = ++en->uuids;
	uint64_t half[2] = {mix(en->seed[0] + n * 0x9e3779b97f4a7c15u),
		mix(en->seed[1] ^ mix(n + en->seed[0]))};

	memcpy(uuid, half, 16);
	uuid[6] = (uuid[6] & 0x0f) | 0x40; /* version 4 */
	uuid[8] = (uuid[8] & 0x3f) | 0x80; /* variant 1 */
}

/* Whether a rule stands behind the record's verdict, rather than the state of the packet. */
static bool has_rule(const struct flow_record *r)
{
	if (r->event_type == FLOW_EVENT_POLICY_VERDICT)
		return true;
	return r->event_type == FLOW_EVENT_DROP &&
	       (r->drop_reason == DROP_POLICY_DENIED || r->drop_reason == DROP_POLICY_DENY);
}

void flow_enrich(struct flow_enricher *en, const struct event *ev, struct flow_record *record)
{
	enum policy_direction direction =
		record->direction == FLOW_EGRESS ? POLICY_EGRESS : POLICY_INGRESS;
	uint32_t id = ev->decision[direction].rule;

	record->source_end = end_get(en, ev->source_endpoint, ev->source_identity);
	record->destination_end = end_get(en, ev->destination_endpoint, ev->destination_identity);
	if (id && record->direction != FLOW_DIRECTION_UNKNOWN && has_rule(record))
		record->rule[direction] = rule_get(en, id, ev->revision);
	if (record->is_shadow && ev->decision[direction].shadow_rule)
		record->shadow_rule =
			rule_get(en, ev->decision[direction].shadow_rule, ev->revision);
	make_uuid(en, record->uuid);
}
