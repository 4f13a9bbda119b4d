/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_POLICY_INTERNAL_H
#define KILIM_POLICY_INTERNAL_H
/* What the files of policy/ share with each other only. */
#include "policy/compile.h"
#include "policy/object.h"

/* rule_ids.c: the number of a rule's name, made when new; keep the number of a rule that is not
 * made anew; a compilation has succeeded; the highest number. */
uint32_t rule_ids_get(struct rule_ids *t, const char *name);
void rule_ids_keep(struct rule_ids *t, uint32_t id);
void rule_ids_commit(struct rule_ids *t);
size_t rule_ids_max(const struct rule_ids *t);

/* compiled.c: where the slot of the identity, or the entry of the peer, is or would be inserted. */
size_t compiled_slot_position(const struct compiled_set *c, uint32_t identity);
size_t compiled_peer_position(const struct compiled_content *c, uint32_t peer);

/* The two questions that are answered side by side. */
enum view {
	VIEW_ENFORCED, /* without the policies in shadow mode */
	VIEW_SHADOW, /* as if these were in force */
	VIEWS,
};

/* A rule as one class of peers sees it. */
struct claim {
	uint32_t id;
	enum rule_action action;
	enum policy_tier tier;
	bool in[VIEWS];
	bool specific; /* names peers, rather than any */
	uint32_t group; /* claims of one policy that has an order; 0: none */
	int32_t order;
	const struct port_range *port; /* numbers only; ports == 0: every protocol and port */
	size_t ports;
};

/* What is decided, before it is an entry. */
struct outcome {
	uint32_t rule;
	uint8_t verdict, match; /* enum policy_verdict, enum policy_match */
	uint8_t enforced; /* some policy selects the endpoint in this direction */
};

/* What holds where no claim says anything. */
struct fallback {
	bool denies; /* the normal tier denies by default: the baseline tier is not asked */
	struct outcome denial, rest;
};

struct cut_want {
	const struct claim *claim; /* best first among equals */
	size_t claims;
	struct fallback fallback[VIEWS];
	bool shadow; /* the views may differ */
	bool audit; /* denials pass, and say so */
};

/* The entries of one class: a list that grows; entry[] is freed by cut_done(). */
struct cut {
	struct class_entry *entry;
	size_t count, capacity;
};

/*
 * cut.c: what the claims decide for each protocol and port, as entries for a longest-prefix
 * look-up. The first entry is the base, which covers everything.
 */
void cut_claims(struct cut *c, const struct cut_want *w);
void cut_done(struct cut *c);

/* resolve.c: intervals of ports of one protocol, and what each view decides on them. */
struct interval {
	uint32_t first, last;
	struct decision decision;
};

/*
 * What the claims decide on a protocol's ports, from port 0 to the last, neighbours differing;
 * free() the array. Protocol RESOLVE_OTHER stands for all that no rule names: one interval.
 */
enum { RESOLVE_PORTS = 65536, RESOLVE_OTHER = 0xff };
struct interval *resolve_protocol(const struct cut_want *w, uint8_t protocol, size_t *ret_count);

#endif
