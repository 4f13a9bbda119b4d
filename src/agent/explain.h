/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_EXPLAIN_H
#define KILIM_AGENT_EXPLAIN_H
/* Questions to the policy in force: what would become of a packet, and why. */
#include "codec/json.h"
#include "scenario/traffic.h"

struct agent;

/* The packet in question. */
struct explain_question {
	const char *from, *to; /* an endpoint by any of its names, an address, labels, host */
	struct traffic traffic;
	unsigned families; /* a bit per enum family that will do */
};

/*
 * A list with an explanation per family: as `kilim policy explain --offline` gives it. It is the
 * data path's own verdict (the twin's), by the slots and addresses that the kernel has. -EINVAL,
 * -ENOENT: the question.
 */
int explain_live(
	struct agent *a, const struct explain_question *q, json_t **ret, struct err *e) MUST_USE;

#endif
