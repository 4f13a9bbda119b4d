/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_POLICY_COMPILE_H
#define KILIM_POLICY_COMPILE_H
/*
 * From policies and identities to the entries of abi/policy.h. Pure: same input, same output, also
 * the order. A slot's content does not hold its number, so that equal contents can be recognized
 * and kept.
 */
#include "abi/policy.h"
#include "base/hash.h"
#include "model/identity.h"
#include "model/policy.h"

struct compiled_peer {
	uint32_t identity;
	struct peer_class class;
};

/* class: of the slot; ingress has the even ones, egress the odd ones, and the lowest of each is
 * that of peers without an entry. */
struct compiled_rule {
	struct rule_key key;
	struct decision decision;
};

/* What one identity's slot holds. peer[] sorted by identity, rule[] by key. */
struct compiled_slot {
	uint32_t identity;
	struct compiled_peer *peer;
	size_t peers;
	struct compiled_rule *rule;
	size_t rules;
	uint64_t digest; /* of peers and rules */
};

enum rule_kind { RULE_ALLOW, RULE_DENY, RULE_DEFAULT_DENY };

/*
 * What a rule id stands for; default denies name all the policies that cause them (none when
 * enable-policy is "always" and no policy selects). Points into the policy set, which must outlive
 * the compiled one.
 */
struct rule_info {
	uint32_t id; /* from 1 */
	enum rule_kind kind;
	enum policy_direction direction;
	const struct policy **policy; /* one for rules, the causing ones for a default deny */
	size_t policies;
	struct origin origin; /* of the rule; of the first policy for a default deny */
	const char *path; /* ingress[0]; "" for a default deny */
};

struct compiled_set {
	struct arena mem;
	struct compiled_slot *slot; /* sorted by identity: one per identity asked for; equal ones
				       may share their arrays */
	size_t slots;
	struct rule_info *rule; /* rule[id - 1]; id is 0 in it where no rule has the number now */
	size_t rules;
	size_t peer_entries, rule_entries; /* sums over the slots */
};

/* Rule ids that stay the same over recompilations and restarts: a table from a rule's name to its
 * id. */
struct rule_ids;
struct rule_ids *rule_ids_new(void);
void rule_ids_free(struct rule_ids *t);
json_t *rule_ids_save(const struct rule_ids *t);
int rule_ids_load(struct rule_ids *t, const json_t *j, struct err *e) MUST_USE;

/*
 * Compile the set for the given subject identities against all identities in t (which must already
 * hold those of every prefix that the set names: policy_prefixes()). enforce: CiliumAgent's
 * enable-policy. A failure leaves *ret alone: -ENOENT for a subject that t does not have, -EEXIST
 * for two policies of one kind, namespace and name.
 */
enum policy_enforce { POLICY_ENFORCE_DEFAULT, POLICY_ENFORCE_ALWAYS, POLICY_ENFORCE_NEVER };
int policy_compile(const struct policy_set *set, const struct identities *t,
	const uint32_t *subject, size_t subjects, enum policy_enforce enforce, struct rule_ids *ids,
	struct compiled_set *ret, struct err *e) MUST_USE;
void compiled_set_done(struct compiled_set *c);
/* All prefixes that the set names (cidr and except), sorted, without duplicates and without /0,
 * which is the world; free() the array. */
size_t policy_prefixes(const struct policy_set *set, struct prefix **ret);
/*
 * The decision that the entries of a slot give, by the kernel's own rules (longest prefix): for
 * tests and status. dport in host order.
 */
const struct decision *compiled_lookup(const struct compiled_slot *s, enum policy_direction d,
	uint32_t peer, uint8_t protocol, uint16_t dport);

#endif
