/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_MODEL_IDENTITY_H
#define KILIM_MODEL_IDENTITY_H
/*
 * Identities: numbers for label sets. Endpoint identities come from 256..65535 by label set, prefix
 * (CIDR) identities from the local range; reserved ones are fixed. Counted references; numbers
 * survive a restart through identities_save/load.
 */
#include <stdint.h>

#include "abi/identity.h"
#include "codec/json.h"
#include "model/addr.h"
#include "model/label.h"

struct identity_info {
	uint32_t number;
	struct labels labels; /* sorted */
	struct prefix prefix; /* prefix identities; bits 0 with is_prefix false otherwise */
	bool is_prefix;
	unsigned references;
};

struct identities;

/* With all reserved identities inside. cluster: name of the cluster, for entity "cluster".
 * dual_stack: world is split in 9 and 10. */
struct identities *identities_new(const char *cluster, bool dual_stack);
void identities_free(struct identities *t);
/* The identity of this label set, made when new; takes a reference. -ENOSPC when the range is used
 * up. */
int identity_get(struct identities *t, const struct labels *l, const struct identity_info **ret,
	struct err *e) MUST_USE;
/* The identity of this prefix (labels cidr:... and reserved:world[-ipv4|-ipv6]); takes a reference.
 */
int identity_get_prefix(struct identities *t, const struct prefix *p,
	const struct identity_info **ret, struct err *e) MUST_USE;
/* Drop a reference; the number of an unused identity is kept for reuse by the same labels until it
 * is needed. */
void identity_put(struct identities *t, uint32_t number);
const struct identity_info *identity_find(const struct identities *t, uint32_t number);
/* In order of numbers; unused ones (references 0, not reserved) are left out. Start with 0; NULL at
 * the end. */
const struct identity_info *identity_after(const struct identities *t, uint32_t number);
/* Changes at each identity made or dropped. */
uint64_t identities_revision(const struct identities *t);
bool identities_dual_stack(const struct identities *t);
const char *identities_cluster(const struct identities *t);
/* Numbers and labels as JSON, and back (numbers come back unused, so that the same labels get them
 * again). */
json_t *identities_save(const struct identities *t);
int identities_load(struct identities *t, const json_t *j, struct err *e) MUST_USE;

#endif
