/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_FLOW_DECODE_H
#define KILIM_FLOW_DECODE_H
/* From an event of the data path to the flows that clients know: one event, up to three of them. */
#include "flow/record.h"

enum { FLOW_RECORDS_MAX = 3 };

/*
 * A policy-verdict flow for each direction that was judged and enforced (egress first, as the
 * packet met them), then the trace or drop flow. offset_ns is what CLOCK_REALTIME is ahead of
 * CLOCK_MONOTONIC. Ends, rules, uuid and number stay empty: flow_enrich() fills them. Returns how
 * many; 0 for an event of an unknown type.
 */
size_t flow_decode(
	const struct event *ev, uint64_t offset_ns, struct flow_record ret[FLOW_RECORDS_MAX]);

#endif
