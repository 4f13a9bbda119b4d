/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_POLICY_H
#define KILIM_AGENT_POLICY_H
/*
 * The policy in force: compiles all good sources for the identities of this node's endpoints and
 * has the data path switch to it. doc/policy.md tells the order of writes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/journal.h"
#include "agent/source.h"
#include "policy/compile.h"

struct agent;
struct agent_endpoint;
struct policies;

struct policies *policies_new(struct agent *a);
void policies_free(struct policies *p);
struct sources *policies_sources(struct policies *p);
/* Read what earlier runs left: holds, the history, stored manifests. */
void policies_restore(struct policies *p);
/* All sources were read once: apply, and follow changes from now on. Until then the policy that is
 * pinned is left alone. */
int policies_start(struct policies *p, struct err *e) MUST_USE;
/* Something that policy depends on has changed: apply at the loop's next turn. No effect before
 * policies_start(). */
void policies_changed(struct policies *p);
/*
 * Compile and switch now. On failure everything stays as it was in the kernel, and the failure is a
 * problem that status shows until a later call succeeds. When it returns 0 every endpoint that
 * waited for its policy is ready.
 */
int policies_apply(struct policies *p, struct err *e) MUST_USE;
/*
 * Make a change of the sources, which is in the table already, the policy in force and have it on
 * disk, or take it back from the table: a failure leaves no trace. reason is for the history; NULL:
 * which sources are others. confirm_ns: taken back after so long unless policies_confirm() comes
 * before; 0: what waits for confirmation does not any more.
 */
int policies_commit(struct policies *p, struct source_change *ch, const char *reason,
	uint64_t confirm_ns, struct err *e) MUST_USE;
/* -EEXIST while a change waits for its confirmation: no other may come between. */
int policies_may_change(const struct policies *p, struct err *e) MUST_USE;
/* Whether a change may be made that waits for its confirmation. */
int policies_may_confirm(const struct policies *p, struct err *e) MUST_USE;
/* What waits becomes permanent. -ENOENT: nothing waits. */
int policies_confirm(struct policies *p, struct err *e) MUST_USE;
/* Everything as it was at a revision (0: that before the one in force). -ENOENT: not in the
 * history; -EALREADY: it is what is in force. */
int policies_rollback(
	struct policies *p, uint32_t revision, uint32_t *ret_to, struct err *e) MUST_USE;
/* Files that are held, one by its name or all (NULL), are what they say on disk. */
int policies_release(struct policies *p, const char *name, struct err *e) MUST_USE;
/* The numbers of rules, for an engine that gives the same ones. */
json_t *policies_rule_ids(const struct policies *p);
const struct history *policies_history(const struct policies *p);
/* What waits for its confirmation: base 0 for nothing. */
const struct confirm *policies_confirming(const struct policies *p);
/* What policies_apply() would say about the sources as they are, without switching. */
int policies_check(struct policies *p, struct err *e) MUST_USE;
/* Work out what an endpoint goes by in policies (endpoint_place()), by those in force. */
int policies_place(struct policies *p, struct agent_endpoint *ep, struct err *e) MUST_USE;
/* Whether the slots in force know what an endpoint goes by, with IPv4 and with IPv6. */
bool policies_know(const struct policies *p, const uint32_t part[2]);
/* As policies_know(), but makes it so at once where that is cheap, and at the next turn otherwise.
 */
bool policies_want(struct policies *p, const uint32_t part[2]);
/* The slot in force of an identity, or NULL: then nothing is known. */
const struct compiled_slot *policies_slot(const struct policies *p, uint32_t identity);
/* Whether a direction is enforced for an identity. */
bool policies_enforced(const struct policies *p, uint32_t identity, enum policy_direction d);
/* What a rule id stands for, or NULL. Valid until the next apply. */
const struct rule_info *policies_rule(const struct policies *p, uint32_t id);
/* The compiled set in force, or NULL before the first apply. */
const struct compiled_set *policies_compiled(const struct policies *p);
/* The policies in force (of all sources, without what conflicts). */
const struct policy_set *policies_set(const struct policies *p);
/* What a policy's rules have decided (api_policy.c). */
struct rule_hit policy_hits(struct agent *a, const struct policy *p);
uint32_t policies_revision(const struct policies *p);
/* Applies that switched, and that failed. */
void policies_counts(const struct policies *p, uint64_t *ret_good, uint64_t *ret_bad);

#endif
