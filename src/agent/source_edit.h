/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_SOURCE_EDIT_H
#define KILIM_AGENT_SOURCE_EDIT_H
/* Single policies inside the text of a source, and changes of stored manifests that are made as a
 * whole or not at all. */
#include "agent/source.h"
#include "codec/json.h"

/* What names a policy. */
struct policy_name {
	const char *kind, *namespace, *name; /* namespace "" for clusterwide ones */
};

/* The policy's object as it stands in the text; NULL when it is not in it. A new reference. */
json_t *source_object(const struct source_content *c, const struct policy_name *n);
/* The text without that policy: one JSON document for each object that stays; "" for none. free()
 * it. */
char *source_text_without(const struct source_content *c, const struct policy_name *n);

/* A change of several stored manifests. {0} with sources set. */
struct source_change {
	struct sources *sources;
	struct changed {
		char *name;
		struct source_content *before; /* NULL: there was none */
	} * item;
	size_t count, capacity;
};

/* Put content (a reference is taken over; NULL: remove) under the name. */
void source_change_put(struct source_change *ch, const char *name, struct source_content *content);
/* Take one policy out of a stored manifest. */
int source_change_take(struct source_change *ch, const char *name, const struct policy_name *n,
	struct err *e) MUST_USE;
/* Write to disk what the table says now of the changed ones. */
int source_change_store(const struct source_change *ch, struct err *e) MUST_USE;
/* Put the table (not the disk) back. */
void source_change_undo(struct source_change *ch);
void source_change_done(struct source_change *ch); /* for SCOPED */

#endif
