/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_POLICY_INTERNAL_H
#define KILIM_POLICY_INTERNAL_H
/* What the files of policy/ share with each other only. */
#include "policy/compile.h"
#include "policy/resolve.h"

/* rule_ids.c: the number of a rule's name, made when new; a compilation has succeeded; the highest
 * number. */
uint32_t rule_ids_get(struct rule_ids *t, const char *name);
void rule_ids_commit(struct rule_ids *t);
size_t rule_ids_max(const struct rule_ids *t);

/* A rule as one class of peers sees it. */
struct claim {
	uint32_t id;
	bool deny;
	bool specific; /* names peers, rather than any */
	const struct port_range *port; /* ports == 0: every protocol and port */
	size_t ports;
};

/* An entry of one class and direction: prefixlen, protocol and port as in struct rule_key. */
struct cut_entry {
	uint32_t prefixlen;
	uint8_t protocol;
	uint8_t pad;
	uint16_t port; /* host order */
	struct decision decision;
};

/* A list that grows; entries[] is freed with free(). */
struct cut {
	struct cut_entry *entry;
	size_t count, capacity;
};

/*
 * cut.c: what the claims (best first among equals) decide for each protocol and port, as entries
 * for a longest-prefix look-up. fallback is what holds where no claim says anything. The first
 * entry is the base, which covers everything.
 */
void cut_claims(
	struct cut *c, const struct claim *claim, size_t claims, const struct decision *fallback);
void cut_done(struct cut *c);

#endif
