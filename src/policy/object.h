/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_POLICY_OBJECT_H
#define KILIM_POLICY_OBJECT_H
/*
 * A policy ready to be compiled: what its rules mean as selections, and their numbers. It holds
 * nothing of the policy that it was made of, so a policy that is read again and says the same keeps
 * its object. Counted references: one per compiled set that has it.
 */
#include "policy/compile.h"
#include "policy/selection.h"

/* A rule that does not mean nobody. */
struct element {
	const struct spec *spec;
	size_t index; /* of the rule in its spec */
	uint32_t id;
	enum policy_direction direction;
	enum rule_action action;
	int32_t order;
	bool any; /* any peer; else whoever a selection means */
	bool named; /* has a named port */
	struct selection **selection;
	size_t selections;
	const struct port_range *port; /* ports == 0: every protocol and port */
	size_t ports;
};

struct spec {
	const struct object *object;
	struct selection *subject;
	bool default_deny[POLICY_DIRECTIONS], selects[POLICY_DIRECTIONS];
	bool spares_own_node;
	struct element *element;
	size_t elements;
};

struct object {
	unsigned references;
	struct arena mem;
	char *name; /* policy_format_name() */
	uint64_t digest; /* of the policy and of what it refers to */
	enum policy_tier tier;
	enum policy_mode mode;
	bool ordered[POLICY_DIRECTIONS]; /* some rule has an order */
	struct spec *spec;
	size_t specs;
};

/* What an object is made with. */
struct object_maker {
	struct selections *selections;
	struct rule_ids *ids;
	const struct policy_set *set; /* groups and services */
};

/* Number of the set's groups and services as a digest, for object_digest(). */
uint64_t object_references_digest(const struct policy_set *set);
/* What object.digest is for this policy: 0 means that it cannot be told (made anew each time). */
uint64_t object_digest(const struct policy *p, uint64_t references);
struct object *object_new(const struct object_maker *m, const struct policy *p, uint64_t digest);
struct object *object_ref(struct object *o);
void object_unref(struct selections *t, struct object *o);
/* By tier, priority, kind, namespace and name: the order in which rules of equal weight win. */
int policy_order(const struct policy *a, const struct policy *b);

/* The prefixes of a peer's groups and services; free() *ret. */
size_t peer_prefixes(const struct policy_set *set, const struct peer *p, struct prefix **ret);

#endif
