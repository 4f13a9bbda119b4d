/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_MODEL_PROTOCOL_H
#define KILIM_MODEL_PROTOCOL_H
/* IP protocols (IPPROTO_*, the IANA registry) by name, and what their packets have. */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

/* The protocol by its name (any case) or number. -EINVAL. */
int protocol_parse(const char *text, uint8_t *ret, struct err *e) MUST_USE;
/* TCP, ICMPv6 and so on, or NULL for one that has no name here. */
const char *protocol_name(uint8_t protocol);
/* The name, or the number of one without. */
void protocol_format(struct str *out, uint8_t protocol);
/* TCP, UDP, SCTP: what "any protocol" of a port means. */
bool protocol_has_ports(uint8_t protocol);
/* ICMP or ICMPv6. */
bool protocol_is_icmp(uint8_t protocol);

#endif
