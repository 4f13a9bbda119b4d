/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_SCENARIO_TRAFFIC_H
#define KILIM_SCENARIO_TRAFFIC_H
/* What a first packet carries: protocol and port, or ICMP type and code. */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/protocol.h"

enum family { FAMILY_V4, FAMILY_V6, FAMILIES };

struct traffic {
	uint8_t protocol; /* IPPROTO_* */
	uint16_t port; /* ICMP: type << 8 | code; 0 for protocols without */
};

/* A port that an endpoint has a name for. */
struct named_traffic {
	const char *name;
	struct traffic traffic;
};

const char *family_name(enum family f); /* IPv4, IPv6 */
/* 80/TCP, 80 (TCP), 8/ICMP (a type), 3:1/ICMP (with a code), GRE. -EINVAL. */
int traffic_parse(const char *text, struct traffic *ret, struct err *e) MUST_USE;
/* The same text back; an ICMP code is only written when it is not 0. */
void traffic_format(struct str *out, const struct traffic *t);
/* ICMP is of IPv4 and ICMPv6 of IPv6. */
bool traffic_is_of(const struct traffic *t, enum family f);

#endif
