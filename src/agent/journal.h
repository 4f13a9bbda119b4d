/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_JOURNAL_H
#define KILIM_AGENT_JOURNAL_H
/*
 * Changes of policy that span several files, as a whole or not at all, and what of them must
 * outlive the agent: which files a rollback holds, which change waits for its confirmation. All of
 * it is one file, STATE-DIR/policy-change.json, which is replaced in one step: that is the instant
 * of a change on disk. Stored manifests that it says are to be written are written after it, and
 * again at the next start when that was cut short.
 */
#include "agent/history.h"
#include "agent/source_edit.h"

/* A change that is taken back at the deadline. base 0: none. */
struct confirm {
	uint32_t base; /* revision to go back to: an entry of the history */
	uint64_t deadline_ns; /* wall clock */
	uint64_t timeout_ns;
};

struct journal {
	char *path;
	const struct history *history;
	struct confirm confirm;
	json_t *redo; /* stored manifests that could not be written yet; NULL: none */
	uint64_t written; /* digest of what is on disk; 0: no file */
	char *problem; /* what was lost or could not be written; NULL: nothing */
};

/* Read what there is and finish what was cut short: before stored manifests and the manifest
 * directory are read. Held files are in the table afterwards. */
void journal_open(
	struct journal *c, const struct history *h, struct sources *t, const char *state_dir);
void journal_done(struct journal *c);
/*
 * Put a change that is in force on disk: stored manifests, holds as the table has them, and what
 * waits for confirmation from now on (base 0: nothing). On failure the disk says what it said.
 */
int journal_commit(struct journal *c, const struct sources *t, const struct source_change *ch,
	const struct confirm *confirm, struct err *e) MUST_USE;
/* The holds on disk are those of the table: a file that has changed is not held any more. */
int journal_settle(struct journal *c, const struct sources *t, struct err *e) MUST_USE;
/* How long until the deadline: 0 when it is over, never more than the timeout, whatever the clock
 * says. */
uint64_t confirm_left_ns(const struct confirm *c, uint64_t wall_ns);
/* Put what a revision had into the table, as a change that is not in force yet: stored manifests
 * get its texts, files that say something else are held. */
int journal_to_entry(struct source_change *ch, const struct history *h,
	const struct history_entry *x, const char *manifest_dir, struct err *e) MUST_USE;

#endif
