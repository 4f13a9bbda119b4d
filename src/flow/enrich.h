/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_FLOW_ENRICH_H
#define KILIM_FLOW_ENRICH_H
/*
 * Names for numbers: who the ends of a flow are and which rule decided. What is looked up once is
 * kept and shared by all records that show it, so a record of the past keeps the names of its time.
 */
#include "flow/record.h"

/* What people read about a rule; the strings are copied. */
struct flow_rule_info {
	const char *kind, *namespace, *name; /* of the policy */
	const char *text; /* what decided, for a person */
	uint64_t revision;
};

/* What the enricher asks its owner; answers are copied before the next call. */
struct flow_lookup {
	/* The labels of an identity, or NULL when it is not known (any more). */
	const struct labels *(*identity)(uint32_t number, void *data);
	/* Namespace and name of an endpoint of this node; false when it is gone. */
	bool (*endpoint)(
		uint32_t id, const char **ret_namespace, const char **ret_name, void *data);
	/* The rule that this id meant in this policy revision; false when nobody knows. */
	bool (*rule)(uint32_t id, uint32_t revision, struct flow_rule_info *ret, void *data);
	void *data;
	const char *cluster; /* of this node's endpoints */
};

struct flow_enricher;

/* seed: 128 random bits, from which the uuids of all flows come. cluster and data must outlive the
 * enricher. */
struct flow_enricher *flow_enricher_new(const struct flow_lookup *lookup, const uint64_t seed[2]);
void flow_enricher_free(struct flow_enricher *en);
void flow_enricher_freep(struct flow_enricher **en); /* for SCOPED */
/* Fill ends, rules and uuid of a record that flow_decode() made of ev. The record holds references:
 * flow_record_done(). */
void flow_enrich(struct flow_enricher *en, const struct event *ev, struct flow_record *record);
/* An identity or endpoint has changed: look up again. Records keep what they have. */
void flow_enricher_forget_ends(struct flow_enricher *en);
/* Rules have changed in another way than by a new revision. */
void flow_enricher_forget_rules(struct flow_enricher *en);

#endif
