/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_FLOW_RECORD_H
#define KILIM_FLOW_RECORD_H
/*
 * A flow record: what clients see (Hubble's message Flow, interfaces 1a), as plain data in fixed
 * size, cheap to keep in a ring. Names are looked up when a record is made (enrich) and shared by
 * reference.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/event.h"
#include "abi/flow.h"
#include "model/label.h"

/* Hubble's numbers. */
enum flow_verdict {
	FLOW_VERDICT_UNKNOWN,
	FLOW_FORWARDED,
	FLOW_DROPPED,
	FLOW_ERROR,
	FLOW_AUDIT,
	FLOW_REDIRECTED,
	FLOW_TRACED,
	FLOW_TRANSLATED,
};

enum flow_event_type {
	FLOW_EVENT_DROP = 1,
	FLOW_EVENT_TRACE = 4,
	FLOW_EVENT_POLICY_VERDICT = 5,
};

enum flow_direction { FLOW_DIRECTION_UNKNOWN, FLOW_INGRESS, FLOW_EGRESS };

enum flow_trace_reason {
	FLOW_TRACE_UNKNOWN,
	FLOW_TRACE_NEW,
	FLOW_TRACE_ESTABLISHED,
	FLOW_TRACE_REPLY,
	FLOW_TRACE_RELATED,
};

enum flow_reply { FLOW_REPLY_NO, FLOW_REPLY_YES, FLOW_REPLY_UNKNOWN };

/* Interned facts about one end, shared by records through a reference count (flow/enrich makes
 * them). */
struct flow_end {
	unsigned references;
	uint32_t id, identity; /* id: of the endpoint, 0 when it is not of this node */
	char *namespace, *pod; /* "" when it has none; for endpoints without Kubernetes pod is the
				  endpoint's name */
	char *cluster; /* "" for what belongs to no cluster */
	char **label; /* k8s:app=web ..., sorted */
	size_t labels;
	struct labels set; /* the same, for selectors; in mem */
	struct arena mem; /* owns all of it */
};

/* Interned facts about a rule. */
struct flow_rule {
	unsigned references;
	uint32_t id;
	char *kind, *namespace, *name; /* of the policy; for a default deny of the first */
	char *text; /* "CiliumNetworkPolicy/default/x ingress[0] at file:12" or "default deny by A,
		       B" */
	uint64_t revision;
};

struct flow_record {
	uint64_t time_ns; /* wall clock */
	uint64_t number; /* position in the ring's history, from 1 */
	struct addr source, destination;
	uint16_t source_port, destination_port; /* host byte order; ICMP: 0 */
	uint8_t icmp_type, icmp_code;
	uint8_t protocol; /* IPPROTO_*, 0: not understood so far */
	uint8_t family; /* 4, 6, or 0: no addresses */
	uint8_t tcp_flags;
	uint8_t verdict; /* enum flow_verdict */
	uint8_t event_type; /* enum flow_event_type */
	uint8_t sub_type; /* trace point, drop reason, or 0 / drop reason for policy verdicts */
	uint8_t drop_reason; /* enum drop_reason */
	uint8_t direction; /* enum flow_direction */
	uint8_t match; /* enum policy_match */
	uint8_t is_reply; /* enum flow_reply */
	uint8_t trace_reason; /* enum flow_trace_reason */
	uint8_t smac[6], dmac[6];
	uint32_t ifindex, length, file_line;
	uint8_t uuid[16];
	struct flow_end *source_end, *destination_end; /* NULL only before flow_enrich() */
	struct flow_rule *rule[POLICY_DIRECTIONS]; /* those that made the verdict; NULL: none */
	uint8_t rule_verdict[POLICY_DIRECTIONS]; /* enum policy_verdict, where rule is set */
	bool is_shadow; /* of policy verdicts: a policy in shadow mode would decide otherwise */
	uint8_t shadow_verdict; /* enum policy_verdict */
	struct flow_rule *shadow_rule; /* that would; NULL: none */
};

struct flow_end *flow_end_ref(struct flow_end *end); /* of NULL: NULL */
void flow_end_unref(struct flow_end *end); /* NULL is fine */
struct flow_rule *flow_rule_ref(struct flow_rule *rule); /* of NULL: NULL */
void flow_rule_unref(struct flow_rule *rule); /* NULL is fine */
/* Drop the references that the record holds; it is all zero afterwards. */
void flow_record_done(struct flow_record *record);

enum { FLOW_UUID_TEXT = 37 }; /* bytes that flow_uuid_format() needs */

const char *flow_uuid_format(const uint8_t uuid[16], char buf[FLOW_UUID_TEXT]);

#endif
