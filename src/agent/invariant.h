/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_INVARIANT_H
#define KILIM_AGENT_INVARIANT_H
/*
 * The assertions of the file that setting policy-invariants names: a change of policy that breaks
 * one is refused; what breaks otherwise (a workload that has come, a file of assertions that has
 * changed) is a problem that status shows. All functions take NULL, which is no such file.
 */
#include "codec/json.h"
#include "policy/compile.h"

struct agent;
struct guard;

/* Read the file, and follow it. *ret is NULL where the setting is empty. A file that is missing or
 * wrong is a problem, and what was good before counts. */
int guard_open(struct agent *a, struct guard **ret, struct err *e) MUST_USE;
void guard_close(struct guard *g);
/* Whether a set may be put in force: -EPERM with the counterexample when it breaks an assertion
 * that refuses. */
int guard_check(const struct guard *g, const struct compiled_set *next, struct err *e) MUST_USE;
/* Policy, identities or assertions have changed: see at the loop's next turn whether something is
 * broken now. */
void guard_changed(struct guard *g);
/* {"file", "error", "invariants": [..]} for what is in force. */
json_t *guard_json(const struct guard *g);

#endif
