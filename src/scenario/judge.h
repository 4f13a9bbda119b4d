/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_SCENARIO_JUDGE_H
#define KILIM_SCENARIO_JUDGE_H
/* Questions to the data path: a first packet each, and what becomes of it. */
#include "abi/event.h"
#include "scenario/world.h"

struct question {
	struct scenario_end from, to;
	struct traffic traffic;
	enum family family; /* one that both ends have; FAMILIES: nothing is asked */
};

/* One direction of it. */
struct judged {
	bool is_judged;
	uint8_t because; /* enum because */
	struct event_decision decision;
	uint32_t peer; /* identity of the other end */
};

struct answer {
	uint8_t verdict; /* enum scenario_verdict */
	uint8_t because; /* enum because */
	uint8_t reason; /* enum drop_reason; 0: it passes */
	uint8_t direction; /* the one that decided */
	struct judged judged[POLICY_DIRECTIONS];
};

/* Judge them all, in whatever order is fastest. */
void judge(
	const struct world *w, const struct question *question, size_t count, struct answer *ret);
/* The rule that decided, by its id; 0 for none. */
uint32_t answer_rule(const struct answer *a);
/* "Policy denied" ...: the text of a drop reason. */
const char *drop_reason_text(uint8_t reason);

#endif
