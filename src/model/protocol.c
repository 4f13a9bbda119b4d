/* SPDX-License-Identifier: Apache-2.0 */
/* Names and kinds of IP protocols. Called by everything that reads, judges or shows them. Owns
 * nothing. Must hold: what protocol_format() writes, protocol_parse() reads back. */
#include "model/protocol.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum { VRRP = 112 };

static const struct {
	const char *name;
	uint8_t protocol;
} protocols[] = {{"TCP", IPPROTO_TCP}, {"UDP", IPPROTO_UDP}, {"SCTP", IPPROTO_SCTP},
	{"ICMP", IPPROTO_ICMP}, {"ICMPv6", IPPROTO_ICMPV6}, {"IGMP", IPPROTO_IGMP},
	{"GRE", IPPROTO_GRE}, {"IPIP", IPPROTO_IPIP}, {"IPV6", IPPROTO_IPV6}, {"ESP", IPPROTO_ESP},
	{"AH", IPPROTO_AH}, {"VRRP", VRRP}};

int protocol_parse(const char *text, uint8_t *ret, struct err *e)
{
	const char *nearest = NULL;
	unsigned best = 3;
	uint64_t number;

	if (!str_to_u64(text, 255, &number)) {
		*ret = (uint8_t)number;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		unsigned d = str_distance(text, protocols[i].name);

		if (!strcasecmp(text, protocols[i].name)) {
			*ret = protocols[i].protocol;
			return 0;
		}
		if (d < best) {
			best = d;
			nearest = protocols[i].name;
		}
	}
	return err_set(e, -EINVAL, "\"%.40s\" is no protocol%s%s%s", text,
		nearest ? "; did you mean " : "; use TCP, UDP, SCTP, ICMP, ICMPv6 or a number",
		nearest ? nearest : "", nearest ? "?" : "");
}

const char *protocol_name(uint8_t protocol)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (protocols[i].protocol == protocol)
			return protocols[i].name;
	}
	return NULL;
}

void protocol_format(struct str *out, uint8_t protocol)
{
	const char *name = protocol_name(protocol);

	if (name)
		str_add(out, name);
	else
		str_printf(out, "%u", protocol);
}

bool protocol_has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

bool protocol_is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}
