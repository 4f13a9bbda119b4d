/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared parts of flow records. Called by enrich, which makes them, and by the ring, which
 * drops them with the records that it overwrites. Must hold: single-threaded counts; an end or rule
 * never changes once a record points at it.
 */
#include "flow/record.h"

#include <stdlib.h>

struct flow_end *flow_end_ref(struct flow_end *end)
{
	if (end)
		end->references++;
	return end;
}

void flow_end_unref(struct flow_end *end)
{
	if (!end || --end->references)
		return;
	arena_done(&end->mem);
	free(end);
}

struct flow_rule *flow_rule_ref(struct flow_rule *rule)
{
	if (rule)
		rule->references++;
	return rule;
}

void flow_rule_unref(struct flow_rule *rule)
{
	if (!rule || --rule->references)
		return;
	free(rule->kind);
	free(rule->namespace);
	free(rule->name);
	free(rule->text);
	free(rule);
}

void flow_record_done(struct flow_record *record)
{
	flow_end_unref(record->source_end);
	flow_end_unref(record->destination_end);
	for (size_t i = 0; i < POLICY_DIRECTIONS; i++)
		flow_rule_unref(record->rule[i]);
	flow_rule_unref(record->shadow_rule);
	*record = (struct flow_record){0};
}

const char *flow_uuid_format(const uint8_t uuid[16], char buf[FLOW_UUID_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	char *at = buf;

	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = hex[uuid[i] >> 4];
		*at++ = hex[uuid[i] & 15];
	}
	*at = 0;
	return buf;
}
