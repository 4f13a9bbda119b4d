/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_POLICY_COMPILE_H
#define KILIM_POLICY_COMPILE_H
/*
 * From policies and identities to the entries of abi/policy.h. Pure: same input, same output,
 * whatever was compiled before. An engine remembers what it has worked out, so that a change costs
 * what it touches; a compiled set is what the policies of a moment come to.
 */
#include "abi/policy.h"
#include "base/hash.h"
#include "model/identity.h"
#include "model/policy.h"

/* One entry of a class: prefixlen (RULE_PREFIX_*), protocol and port as in struct rule_key. */
struct class_entry {
	uint32_t prefixlen;
	uint8_t protocol;
	uint8_t pad;
	uint16_t port; /* host order */
	struct decision decision;
};

/* What holds for peers that no rule tells apart. The same content is the same class, whichever
 * slots and directions use it. The first entry covers everything. */
struct compiled_class {
	const struct class_entry *entry;
	size_t entries;
	unsigned references;
};

/* A peer that is not of the slot's base class in both directions. */
struct compiled_peer {
	uint32_t identity;
	uint32_t class[POLICY_DIRECTIONS]; /* indexes of content.class */
};

/* What a slot holds; identities that the same policies select share one. */
struct compiled_content {
	uint64_t token; /* contents of an engine with the same token hold the same */
	struct compiled_class **class;
	size_t classes, class_room;
	uint32_t base[POLICY_DIRECTIONS]; /* class of peers that are not in peer[] */
	struct compiled_peer *peer; /* sorted by identity */
	size_t peers, peer_room;
};

struct compiled_slot {
	uint32_t identity;
	uint64_t serial; /* of the identity when it was compiled */
	const struct compiled_content *content;
};

enum rule_kind { RULE_ALLOW, RULE_DENY, RULE_DEFAULT_DENY, RULE_PASS };

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
	struct compiled_slot *slot; /* sorted by identity: one per identity asked for */
	size_t slots;
	struct rule_info *rule; /* rule[id - 1]; id is 0 in it where no rule has the number now */
	size_t rules;
	struct version *version; /* the engine's */
};

/* Rule ids that stay the same over recompilations and restarts: a table from a rule's name to its
 * id. */
struct rule_ids;
struct rule_ids *rule_ids_new(void);
void rule_ids_free(struct rule_ids *t);
json_t *rule_ids_save(const struct rule_ids *t);
int rule_ids_load(struct rule_ids *t, const json_t *j, struct err *e) MUST_USE;

enum policy_enforce { POLICY_ENFORCE_DEFAULT, POLICY_ENFORCE_ALWAYS, POLICY_ENFORCE_NEVER };

/* Settings that verdicts depend on. */
struct policy_options {
	enum policy_enforce enforce; /* enable-policy */
	bool audit; /* policy-audit-mode */
};

/* identities and ids must outlive the engine. */
struct engine *engine_new(
	const struct identities *t, struct rule_ids *ids, const struct policy_options *o);
/* After all its compiled sets. NULL is fine. */
void engine_free(struct engine *g);

/*
 * Compile the set for the given subject identities against all identities there are (which must
 * already hold those of every prefix that the set names: policy_prefixes()). before, or NULL, is
 * what to take over from: a set that has followed the identities (engine_follow()). A failure
 * leaves *ret alone: -ENOENT for a subject that is not known, -EEXIST for two policies of one kind,
 * namespace, name and mode.
 */
int engine_compile(struct engine *g, const struct compiled_set *before,
	const struct policy_set *set, const uint32_t *subject, size_t subjects,
	struct compiled_set **ret, struct err *e) MUST_USE;
void compiled_set_free(struct engine *g, struct compiled_set *c); /* NULL is fine */
void compiled_set_freep(struct compiled_set **c); /* for sets of policy_compile() */

/* A slot learns that a peer is of these classes now (which may be new in content.class). */
struct compiled_change {
	uint32_t slot; /* an identity whose slot has the content */
	const struct compiled_content *content;
	struct compiled_peer peer;
	bool gone; /* the peer's number is nobody's now; the classes are the base */
};

struct compiled_changes {
	struct compiled_change *change;
	size_t changes, room;
	/* Subjects of the set stand for something else now, or have other ports: they have lost
	 * their slots (engine_add_subject(), engine_compile()). */
	bool stale;
};

/*
 * Bring the set up to date with the identities: for each that has come or gone, what the slots must
 * learn, once per slot and peer. now may be NULL. free(ret->change).
 */
void engine_follow(struct engine *g, struct compiled_set *now, struct compiled_changes *ret);
/* Contents of the set are not what the kernel holds: changes that were told could not be written.
 * They get new tokens. */
void engine_distrust(struct engine *g, struct compiled_set *now);

/* Add a slot for a new subject to the set. NULL: the identity is not known. */
const struct compiled_slot *engine_add_subject(
	struct engine *g, struct compiled_set *now, uint32_t identity);

/* The same in one go, for those who compile once: an engine of its own, freed with the set
 * (compiled_set_freep()). */
int policy_compile(const struct policy_set *set, const struct identities *t,
	const uint32_t *subject, size_t subjects, const struct policy_options *o,
	struct rule_ids *ids, struct compiled_set **ret, struct err *e) MUST_USE;

/* The rule of a number, or NULL. */
const struct rule_info *compiled_rule(const struct compiled_set *c, uint32_t id);
/* The slot of an identity, or NULL. */
const struct compiled_slot *compiled_slot_find(const struct compiled_set *c, uint32_t identity);
/* The entry of a peer, or NULL: it is of the base classes. */
const struct compiled_peer *compiled_peer_find(const struct compiled_content *c, uint32_t peer);
/* The class of a peer in one direction. */
const struct compiled_class *compiled_class_of(
	const struct compiled_content *c, enum policy_direction d, uint32_t peer);
/*
 * The decision that the entries give, by the kernel's own rules (longest prefix). dport in host
 * order; for ICMP it is type << 8 | code.
 */
const struct decision *compiled_lookup(const struct compiled_slot *s, enum policy_direction d,
	uint32_t peer, uint8_t protocol, uint16_t dport);
/* Distinct classes' entries, and peers of distinct contents: what the kernel's maps need. */
void compiled_count(const struct compiled_set *c, size_t *ret_rules, size_t *ret_peers);

/* All prefixes that the set names (cidr and except, groups, backends of services), sorted, without
 * duplicates and without /0, which is the world; free() the array. */
size_t policy_prefixes(const struct policy_set *set, struct prefix **ret);
/* Of these, those that may mean endpoints and nodes, too: what identity_get_part() is asked for. */
size_t policy_reach_prefixes(const struct policy_set *set, struct prefix **ret);
/* The longest of sorted prefixes that has the address, or NULL. */
const struct prefix *prefixes_longest(
	const struct prefix *prefix, size_t prefixes, const struct addr *a);

#endif
