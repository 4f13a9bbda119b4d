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

#include "agent/source.h"
#include "policy/compile.h"

struct agent;
struct agent_endpoint;
struct policies;

struct policies *policies_new(struct agent *a);
void policies_free(struct policies *p);
struct sources *policies_sources(struct policies *p);
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
/* The same for a change that the caller takes back when it is refused: a failure leaves no trace.
 */
int policies_try(struct policies *p, struct err *e) MUST_USE;
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
uint32_t policies_revision(const struct policies *p);
/* Applies that switched, and that failed. */
void policies_counts(const struct policies *p, uint64_t *ret_good, uint64_t *ret_bad);

#endif
