/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_FLOW_NAME_H
#define KILIM_FLOW_NAME_H
/* The enums of Hubble's flow API: numbers to the names that stand in JSON, and back. */
#include <stdint.h>

#include "base/mem.h"

enum flow_enum {
	FLOW_ENUM_VERDICT,
	FLOW_ENUM_DROP_REASON,
	FLOW_ENUM_DIRECTION,
	FLOW_ENUM_TRACE_POINT, /* by trace point of the event: 0 is TO_ENDPOINT */
	FLOW_ENUM_TRACE_REASON,
	FLOW_ENUM_IP_VERSION,
};

/* The name, or NULL when the number has none. */
const char *flow_name(enum flow_enum what, uint32_t number);
/* The number of a name, or -EINVAL. */
int flow_number(enum flow_enum what, const char *name, uint32_t *ret) MUST_USE;
/* The member of l4 for the protocol (IPPROTO_*): TCP, UDP, SCTP, ICMPv4, ICMPv6, or NULL. */
const char *flow_protocol_name(uint8_t protocol);
enum { FLOW_PROTOCOL_TEXT = 4 }; /* bytes that flow_protocol_format() needs */
/* The same name, or the number of a protocol without. */
const char *flow_protocol_format(uint8_t protocol, char buf[FLOW_PROTOCOL_TEXT]);

#endif
