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

/* A port that a workload gives a name; names are lower case. */
struct named_port {
	const char *name;
	uint8_t protocol; /* IPPROTO_* */
	uint16_t number;
};

struct identity_info {
	uint32_t number;
	struct labels labels; /* sorted */
	struct prefix prefix; /* prefix identities; bits 0 with is_prefix false otherwise */
	bool is_prefix;
	unsigned references;
	uint64_t serial; /* differs when the number stands for something else, or its ports have
			    changed */
	const struct named_port *port; /* of all its workloads, sorted by name, protocol, number */
	size_t ports;
	/*
	 * Part of another identity: those of its endpoints (or nodes) that have an address inside
	 * this prefix (the longest that a policy names which reaches them), for traffic of its
	 * family, or whose named ports are others. It has the labels of its base and more. base 0:
	 * no part.
	 */
	uint32_t base;
	struct prefix inside;
	bool is_inside;
	bool own_ports; /* a part whose named ports are its own, not those of its base */
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
/* What tells endpoints (or nodes) of one identity apart. */
struct identity_part {
	const struct prefix *inside; /* the longest named prefix around its address, or NULL */
	struct labels labels; /* more of them: of the node, for the host */
	const struct named_port *port; /* its named ports, when they are not the base's */
	size_t ports;
	bool own_ports; /* port counts, also when there is none */
};
/* The part of an identity; takes a reference. When nothing tells it apart it is base itself. */
int identity_get_part(struct identities *t, uint32_t base, const struct identity_part *p,
	const struct identity_info **ret, struct err *e) MUST_USE;
/* The named ports of an identity's workloads (copied; any order, duplicates are fine). */
void identity_set_ports(
	struct identities *t, uint32_t number, const struct named_port *port, size_t ports);
/* Take a reference on a number as it was loaded, when it is there. */
bool identity_hold(struct identities *t, uint32_t number);
/* Drop a reference; the number of an unused identity is kept for reuse by the same labels until it
 * is needed. */
void identity_put(struct identities *t, uint32_t number);
const struct identity_info *identity_find(const struct identities *t, uint32_t number);
/* In order of numbers; unused ones (references 0, not reserved) are left out. Start with 0; NULL at
 * the end. */
const struct identity_info *identity_after(const struct identities *t, uint32_t number);
/* The same by position: start with *cursor 0; NULL at the end. No identity may come or go in
 * between. */
const struct identity_info *identities_next(const struct identities *t, size_t *cursor);
/* Changes at each identity made or dropped. */
uint64_t identities_revision(const struct identities *t);
bool identities_dual_stack(const struct identities *t);
const char *identities_cluster(const struct identities *t);
/* Numbers and labels as JSON, and back (numbers come back unused, so that the same labels get them
 * again). */
json_t *identities_save(const struct identities *t);
int identities_load(struct identities *t, const json_t *j, struct err *e) MUST_USE;

#endif
