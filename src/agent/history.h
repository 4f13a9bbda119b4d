/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_HISTORY_H
#define KILIM_AGENT_HISTORY_H
/*
 * Which policy sources were in force at which revision, on disk below STATE-DIR/history: an entry
 * REVISION.json per change of the sources, and each text once, under its digest, in text/.
 * Revisions in between (new identities, say) have the sources of the entry before them.
 */
#include "agent/source.h"
#include "codec/json.h"

struct history_source {
	enum source_kind kind;
	char *name;
	char digest[DIGEST_TEXT];
};

/* What a revision came to. */
struct history_counts {
	size_t policies, rules, slots, rule_entries, peer_entries;
};

struct history_entry {
	uint32_t revision;
	uint64_t time_ns; /* wall clock */
	char *reason;
	struct history_counts counts;
	struct history_source *source; /* sorted by kind and name */
	size_t sources;
};

struct history {
	char *dir;
	size_t max; /* entries that are kept */
	struct history_entry **entry; /* oldest first */
	size_t count, capacity;
	char *problem; /* what of it cannot be read or written; NULL: nothing */
};

/* Read what there is; an entry that is torn is passed over, and problem names it. */
void history_open(struct history *h, const char *state_dir, size_t max);
void history_done(struct history *h);
/* The newest entry, or NULL; the one that was in force at a revision; the one before an entry. */
const struct history_entry *history_newest(const struct history *h);
const struct history_entry *history_at(const struct history *h, uint32_t revision);
const struct history_entry *history_before(const struct history *h, const struct history_entry *x);
/* Whether the sources in force are those of the entry. */
bool history_entry_is(const struct history_entry *x, const struct sources *t);
const struct history_source *history_source_find(
	const struct history_entry *x, enum source_kind kind, const char *name);
/*
 * Write down what is in force. reason NULL: what differs from the newest entry. Texts first, then
 * the entry, each on disk before the next; what is too old goes, but for the entry of revision keep
 * and the texts that the sources have.
 */
int history_add(struct history *h, const struct sources *t, uint32_t revision, const char *reason,
	const struct history_counts *counts, uint32_t keep, struct err *e) MUST_USE;
/* The text of a digest; -EILSEQ when what is on disk is not what was written. */
int history_text(const struct history *h, const char *digest, char **ret, size_t *ret_len,
	struct err *e) MUST_USE;
/* Have the text on disk. */
int history_text_put(
	const struct history *h, const struct source_content *c, struct err *e) MUST_USE;
/* For each source that is different in b, one after the other: was NULL when it is new there, is
 * NULL when it is gone. a NULL: nothing was. */
typedef void (*history_change_fn)(
	const struct history_source *was, const struct history_source *is, void *data);
void history_each_change(const struct history_entry *a, const struct history_entry *b,
	history_change_fn fn, void *data);
/* added, changed, removed */
const char *history_change_name(const struct history_source *was, const struct history_source *is);
/* What is different in b: "file web.yaml changed", "api x.yaml added". a NULL: nothing was. */
void history_changes(struct str *out, const struct history_entry *a, const struct history_entry *b);
/* The entry as the API has it. */
json_t *history_entry_json(const struct history_entry *x);

#endif
