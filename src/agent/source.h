/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_SOURCE_H
#define KILIM_AGENT_SOURCE_H
/*
 * Where policies come from: files of the manifest directory and manifests stored by the API. Each
 * source keeps its last good text, in memory and below STATE-DIR/last-good, so that a file that is
 * broken now (or at the next start) stays in force as it was.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/policy.h"

enum {
	POLICY_FILE_MAX_BYTES = 4 << 20,
	DIGEST_TEXT = 56, /* bytes of a digest as text, with its NUL */
};

enum source_kind { SOURCE_FILE, SOURCE_API };

/* The last good content of a source. Policies point into it, so a replaced one lives until no
 * compiled set needs it. */
struct source_content {
	unsigned references;
	char *text;
	size_t len;
	char digest[DIGEST_TEXT]; /* of the text */
	struct policy_set set;
};

struct source {
	enum source_kind kind;
	char *name; /* x.yaml: file name, or name given to the API */
	char *origin; /* what errors and rules say: the path, or api:x.yaml */
	struct source_content *content; /* NULL: never was good */
	struct source_content *applied; /* what of it was in force last; NULL: nothing */
	bool applied_known; /* whether applied says something, in this run */
	char *error; /* why the newest text is not in force; NULL: it is */
	char *conflict; /* a policy of it is defined by another source already, whose definition
			   counts; NULL: none */
	bool seen; /* mark of a scan */
	char disk[DIGEST_TEXT]; /* SOURCE_FILE: of what the file says now; "": there is no file */
	uint32_t held; /* SOURCE_FILE: a rollback to this revision gave it its content (NULL:
			  nothing), and the file has not changed since; 0: not held */
};

struct sources {
	struct policy_context context;
	char *state_dir;
	struct source **source; /* sorted by kind, name */
	size_t count, capacity;
};

/* The digest by which a text is known: two 64-bit ones and its length. */
void source_digest(const char *text, size_t len, char ret[DIGEST_TEXT]);
/* Parse a text; *ret has one reference. Objects that are no policies are skipped, unless they
 * belong to a policy's API group. */
int source_parse(const struct policy_context *ctx, const char *origin, const char *text, size_t len,
	struct source_content **ret, struct err *e) MUST_USE;
struct source_content *source_content_ref(struct source_content *c);
void source_content_unref(struct source_content *c); /* NULL is fine */
void source_content_unrefp(struct source_content **c);

/* The digest of a content, "" for none. */
const char *source_content_digest(const struct source_content *c);

void sources_init(struct sources *t, const struct policy_context *ctx, const char *state_dir);
void sources_done(struct sources *t);
struct source *sources_find(const struct sources *t, enum source_kind kind, const char *name);
/*
 * The text of a source has changed (or is new). When it is good it replaces the old content; when
 * not, the old content stays (or the last good one of an earlier run) and the source's error says
 * why. Returns what parsing returned. A text that a held source has had since it was held changes
 * nothing; another one that is good ends the hold.
 */
int sources_update(struct sources *t, enum source_kind kind, const char *name, const char *origin,
	const char *text, size_t len, struct err *e);
/* The source cannot be read: as a text that is not good. */
void sources_fail(struct sources *t, enum source_kind kind, const char *name, const char *origin,
	const char *why);
/* All contents are in force now: they are what counts when a later change is refused, in this run
 * and the next. */
void sources_settle(struct sources *t);
/* Find out what was in force last, where this run has not had it in force itself yet. */
void sources_recall(struct sources *t);
/* Put a content (one reference is taken over; NULL removes the source), as it is after a refused
 * change. */
void sources_replace(struct sources *t, enum source_kind kind, const char *name, const char *origin,
	struct source_content *content);
void sources_remove(struct sources *t, enum source_kind kind, const char *name);
/* Give a file's source a content (one reference is taken over; NULL: nothing of it is in force) and
 * hold it there, or, with revision 0, let it be what the file says. */
void sources_hold(struct sources *t, const char *name, const char *origin,
	struct source_content *content, uint32_t revision, const char *disk);
/* What names a policy: one of a mode. */
struct policy_name {
	const char *kind, *namespace, *name; /* namespace "" for clusterwide ones */
	enum policy_mode mode;
};

/* The policy of this name, and the source that has it. */
const struct policy *sources_policy(
	const struct sources *t, const struct policy_name *n, const struct source **ret_source);

/* Stored manifests of the API: STATE-DIR/policy/NAME. A name that ends in .shadow.yaml (or .yml,
 * .json) puts its policies in shadow mode, whatever they say. */
int sources_store(const struct sources *t, const char *name, const char *text, size_t len,
	struct err *e) MUST_USE;
int sources_unstore(const struct sources *t, const char *name, struct err *e) MUST_USE;
/* Read all stored manifests, at start. */
void sources_load_stored(struct sources *t);
/* Whether a name may be that of a stored manifest: letters, digits, . _ -, none of them first but a
 * letter or digit. */
bool source_name_is_valid(const char *name);
bool source_name_is_shadow(const char *name);

#endif
