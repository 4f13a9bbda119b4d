/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_MODEL_FLOW_TEXT_H
#define KILIM_MODEL_FLOW_TEXT_H
/*
 * Flows for people: from a GetFlowsResponse in JSON (as the agent's API and Hubble give it) to the
 * lines of `hubble observe`. All text that workloads can influence is free of control characters.
 */
#include "codec/json.h"

enum flow_text_format {
	FLOW_TEXT_COMPACT, /* one line: TIME: SOURCE (ID) -> DESTINATION (ID) TYPE VERDICT (SUMMARY)
			    */
	FLOW_TEXT_DICT, /* a block of KEY: VALUE lines */
	FLOW_TEXT_TAB, /* a table, written by flow_text_end() */
	FLOW_TEXT_JSON, /* the response itself, one per line */
};

struct flow_text_options {
	enum flow_text_format format;
	bool color; /* not for tables and JSON */
	bool node_name; /* show which node saw it */
	bool numeric; /* addresses instead of names of pods */
	bool reasons; /* name the rule behind a verdict */
};

struct flow_text;

/* The format by its name on the command line (compact, dict, tab, json, jsonpb); -EINVAL. */
int flow_text_format_parse(const char *name, enum flow_text_format *ret) MUST_USE;
struct flow_text *flow_text_new(const struct flow_text_options *options);
void flow_text_free(struct flow_text *t);
void flow_text_freep(struct flow_text **t); /* for SCOPED */
/* Add what the response looks like (whole lines) to out; responses that are not flows or lost
 * events add nothing. */
void flow_text_add(struct flow_text *t, const json_t *response, struct str *out);
/* What was held back until the last response was seen: the table. */
void flow_text_end(struct flow_text *t, struct str *out);

#endif
