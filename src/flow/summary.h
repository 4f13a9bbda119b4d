/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_FLOW_SUMMARY_H
#define KILIM_FLOW_SUMMARY_H
/* The one-line summary of a packet, flow.Summary. */
#include "base/str.h"
#include "flow/record.h"

/* "TCP Flags: SYN, ACK", "UDP", "ICMPv4 EchoRequest", ... */
void flow_summary(struct str *out, const struct flow_record *record);

#endif
