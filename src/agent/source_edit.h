/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_SOURCE_EDIT_H
#define KILIM_AGENT_SOURCE_EDIT_H
/* Single policies inside the text of a source, and changes of stored manifests that are made as a
 * whole or not at all. */
#include "agent/source.h"
#include "codec/json.h"

/* The policy's object as it stands in the text; NULL when it is not in it. A new reference. */
json_t *source_object(const struct source_content *c, const struct policy_name *n);
/* The text without that policy: one JSON document for each object that stays; "" for none. free()
 * it. */
char *source_text_without(const struct source_content *c, const struct policy_name *n);

/* A change of several sources: stored manifests, and files that are held or let go. {0} with
 * sources set. */
struct source_change {
	struct sources *sources;
	struct changed {
		enum source_kind kind;
		char *name, *origin;
		bool was; /* there was a source before, and this is what it had: */
		struct source_content *before;
		char *error, disk[DIGEST_TEXT];
		uint32_t held;
	} * item;
	size_t count, capacity;
};

/* Put content (a reference is taken over; NULL: remove) under the name. */
void source_change_put(struct source_change *ch, const char *name, struct source_content *content);
/* Take one policy out of a stored manifest. */
int source_change_take(struct source_change *ch, const char *name, const struct policy_name *n,
	struct err *e) MUST_USE;
/* Give a file another content than it has (NULL: none) and hold it there; revision 0: it is the
 * file's own. Takes the reference over. */
void source_change_hold(struct source_change *ch, const char *name, const char *origin,
	struct source_content *content, uint32_t revision, const char *disk);
/* Write to disk what the table says now of the changed stored manifests. */
int source_change_store(const struct source_change *ch, struct err *e) MUST_USE;
/* Put the table (not the disk) back. */
void source_change_undo(struct source_change *ch);
void source_change_done(struct source_change *ch); /* for SCOPED */

#endif
