/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_SCENARIO_PARSE_H
#define KILIM_SCENARIO_PARSE_H
/* What the files that parse a scenario share with each other only. */
#include "model/policy_walk.h"
#include "scenario/scenario.h"

struct reader {
	struct walk walk; /* its mem is the scenario's */
	struct scenario *scenario;
	const char *directory;
};

/* parse.c: the integer within min..max; *ret is untouched when absent. */
int read_int(const struct reader *r, const struct node *n, int64_t min, int64_t max,
	int64_t *ret) MUST_USE;
/* parse.c: what nodes and endpoints without addresses have. */
void node_make_addresses(struct scenario *s, size_t index);
void endpoint_make_addresses(struct scenario *s, size_t index);
struct addr remote_node_addr(enum family f);
/* source.c: the policies of the list. */
int read_policies(struct reader *r, const struct node *list) MUST_USE;
/* source.c: the assertions of the list. */
int read_invariants(struct reader *r, const struct node *list) MUST_USE;
/* parse_probe.c: probes, and what the matrix shows (the scenario's matrix, else those of probes,
 * else 80/TCP). */
int read_probes(struct reader *r, const struct node *list, const struct node *matrix) MUST_USE;
/* "; did you mean x?" when a name in the table (of anything) is near. */
void near_name(struct str *out, const char *written, const struct hash *names);

#endif
