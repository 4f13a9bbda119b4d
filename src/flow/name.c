/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of enum values as Hubble's clients write and read them (interfaces 1a). Called by flow/json
 * and flow/filter. Owns nothing. Must hold: all public drop reasons are here, also those that kilim
 * does not give, because scripts ask for them.
 */
#include "flow/name.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "abi/event.h"
#include "flow/record.h"
#include "model/protocol.h"

struct pair {
	uint32_t number;
	const char *name;
};

/* X(number, name) */
#define DROP_REASON_NAMES(X)                                                                       \
	X(0, "DROP_REASON_UNKNOWN")                                                                \
	X(130, "INVALID_SOURCE_MAC")                                                               \
	X(131, "INVALID_DESTINATION_MAC")                                                          \
	X(132, "INVALID_SOURCE_IP")                                                                \
	X(133, "POLICY_DENIED")                                                                    \
	X(134, "INVALID_PACKET_DROPPED")                                                           \
	X(135, "CT_TRUNCATED_OR_INVALID_HEADER")                                                   \
	X(136, "CT_MISSING_TCP_ACK_FLAG")                                                          \
	X(137, "CT_UNKNOWN_L4_PROTOCOL")                                                           \
	X(138, "CT_CANNOT_CREATE_ENTRY_FROM_PACKET")                                               \
	X(139, "UNSUPPORTED_L3_PROTOCOL")                                                          \
	X(140, "MISSED_TAIL_CALL")                                                                 \
	X(141, "ERROR_WRITING_TO_PACKET")                                                          \
	X(142, "UNKNOWN_L4_PROTOCOL")                                                              \
	X(143, "UNKNOWN_ICMPV4_CODE")                                                              \
	X(144, "UNKNOWN_ICMPV4_TYPE")                                                              \
	X(145, "UNKNOWN_ICMPV6_CODE")                                                              \
	X(146, "UNKNOWN_ICMPV6_TYPE")                                                              \
	X(147, "ERROR_RETRIEVING_TUNNEL_KEY")                                                      \
	X(148, "ERROR_RETRIEVING_TUNNEL_OPTIONS")                                                  \
	X(149, "INVALID_GENEVE_OPTION")                                                            \
	X(150, "UNKNOWN_L3_TARGET_ADDRESS")                                                        \
	X(151, "STALE_OR_UNROUTABLE_IP")                                                           \
	X(152, "NO_MATCHING_LOCAL_CONTAINER_FOUND")                                                \
	X(153, "ERROR_WHILE_CORRECTING_L3_CHECKSUM")                                               \
	X(154, "ERROR_WHILE_CORRECTING_L4_CHECKSUM")                                               \
	X(155, "CT_MAP_INSERTION_FAILED")                                                          \
	X(156, "INVALID_IPV6_EXTENSION_HEADER")                                                    \
	X(157, "IP_FRAGMENTATION_NOT_SUPPORTED")                                                   \
	X(158, "SERVICE_BACKEND_NOT_FOUND")                                                        \
	X(160, "NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT")                                              \
	X(161, "FAILED_TO_INSERT_INTO_PROXYMAP")                                                   \
	X(162, "REACHED_EDT_RATE_LIMITING_DROP_HORIZON")                                           \
	X(163, "UNKNOWN_CONNECTION_TRACKING_STATE")                                                \
	X(164, "LOCAL_HOST_IS_UNREACHABLE")                                                        \
	X(165, "NO_CONFIGURATION_AVAILABLE_TO_PERFORM_POLICY_DECISION")                            \
	X(166, "UNSUPPORTED_L2_PROTOCOL")                                                          \
	X(167, "NO_MAPPING_FOR_NAT_MASQUERADE")                                                    \
	X(168, "UNSUPPORTED_PROTOCOL_FOR_NAT_MASQUERADE")                                          \
	X(169, "FIB_LOOKUP_FAILED")                                                                \
	X(170, "ENCAPSULATION_TRAFFIC_IS_PROHIBITED")                                              \
	X(171, "INVALID_IDENTITY")                                                                 \
	X(172, "UNKNOWN_SENDER")                                                                   \
	X(173, "NAT_NOT_NEEDED")                                                                   \
	X(174, "IS_A_CLUSTERIP")                                                                   \
	X(175, "FIRST_LOGICAL_DATAGRAM_FRAGMENT_NOT_FOUND")                                        \
	X(176, "FORBIDDEN_ICMPV6_MESSAGE")                                                         \
	X(177, "DENIED_BY_LB_SRC_RANGE_CHECK")                                                     \
	X(178, "SOCKET_LOOKUP_FAILED")                                                             \
	X(179, "SOCKET_ASSIGN_FAILED")                                                             \
	X(180, "PROXY_REDIRECTION_NOT_SUPPORTED_FOR_PROTOCOL")                                     \
	X(181, "POLICY_DENY")                                                                      \
	X(182, "VLAN_FILTERED")                                                                    \
	X(183, "INVALID_VNI")                                                                      \
	X(184, "INVALID_TC_BUFFER")                                                                \
	X(185, "NO_SID")                                                                           \
	X(186, "MISSING_SRV6_STATE")                                                               \
	X(187, "NAT46")                                                                            \
	X(188, "NAT64")                                                                            \
	X(189, "AUTH_REQUIRED")                                                                    \
	X(190, "CT_NO_MAP_FOUND")                                                                  \
	X(191, "SNAT_NO_MAP_FOUND")                                                                \
	X(192, "INVALID_CLUSTER_ID")                                                               \
	X(193, "UNSUPPORTED_PROTOCOL_FOR_DSR_ENCAP")                                               \
	X(194, "NO_EGRESS_GATEWAY")                                                                \
	X(195, "UNENCRYPTED_TRAFFIC")                                                              \
	X(196, "TTL_EXCEEDED")                                                                     \
	X(197, "NO_NODE_ID")                                                                       \
	X(198, "DROP_RATE_LIMITED")                                                                \
	X(199, "IGMP_HANDLED")                                                                     \
	X(200, "IGMP_SUBSCRIBED")                                                                  \
	X(201, "MULTICAST_HANDLED")                                                                \
	X(202, "DROP_HOST_NOT_READY")                                                              \
	X(203, "DROP_EP_NOT_READY")                                                                \
	X(204, "DROP_NO_EGRESS_IP")                                                                \
	X(205, "DROP_PUNT_PROXY")                                                                  \
	X(207, "DROP_FRAG_NOT_FOUND_WORLD")

static const struct pair verdicts[] = {{FLOW_VERDICT_UNKNOWN, "VERDICT_UNKNOWN"},
	{FLOW_FORWARDED, "FORWARDED"}, {FLOW_DROPPED, "DROPPED"}, {FLOW_ERROR, "ERROR"},
	{FLOW_AUDIT, "AUDIT"}, {FLOW_REDIRECTED, "REDIRECTED"}, {FLOW_TRACED, "TRACED"},
	{FLOW_TRANSLATED, "TRANSLATED"}, {0, NULL}};

static const struct pair drop_reasons[] = {
#define X(number, name) {number, name},
	DROP_REASON_NAMES(X)
#undef X
		{0, NULL}};

static const struct pair directions[] = {{FLOW_DIRECTION_UNKNOWN, "TRAFFIC_DIRECTION_UNKNOWN"},
	{FLOW_INGRESS, "INGRESS"}, {FLOW_EGRESS, "EGRESS"}, {0, NULL}};

static const struct pair trace_points[] = {{TRACE_TO_ENDPOINT, "TO_ENDPOINT"},
	{TRACE_TO_HOST, "TO_HOST"}, {TRACE_TO_STACK, "TO_STACK"},
	{TRACE_FROM_ENDPOINT, "FROM_ENDPOINT"}, {TRACE_FROM_HOST, "FROM_HOST"},
	{TRACE_FROM_STACK, "FROM_STACK"}, {0, NULL}};

static const struct pair trace_reasons[] = {{FLOW_TRACE_UNKNOWN, "TRACE_REASON_UNKNOWN"},
	{FLOW_TRACE_NEW, "NEW"}, {FLOW_TRACE_ESTABLISHED, "ESTABLISHED"},
	{FLOW_TRACE_REPLY, "REPLY"}, {FLOW_TRACE_RELATED, "RELATED"}, {0, NULL}};

static const struct pair ip_versions[] = {{0, "IP_NOT_USED"}, {1, "IPv4"}, {2, "IPv6"}, {0, NULL}};

static const struct pair *table(enum flow_enum what)
{
	switch (what) {
	case FLOW_ENUM_VERDICT:
		return verdicts;
	case FLOW_ENUM_DROP_REASON:
		return drop_reasons;
	case FLOW_ENUM_DIRECTION:
		return directions;
	case FLOW_ENUM_TRACE_POINT:
		return trace_points;
	case FLOW_ENUM_TRACE_REASON:
		return trace_reasons;
	case FLOW_ENUM_IP_VERSION:
		break;
	}
	return ip_versions;
}

const char *flow_name(enum flow_enum what, uint32_t number)
{
	for (const struct pair *p = table(what); p->name; p++) {
		if (p->number == number)
			return p->name;
	}
	return NULL;
}

int flow_number(enum flow_enum what, const char *name, uint32_t *ret)
{
	for (const struct pair *p = table(what); p->name; p++) {
		if (!strcmp(p->name, name)) {
			*ret = p->number;
			return 0;
		}
	}
	return -EINVAL;
}

const char *flow_protocol_name(uint8_t protocol)
{
	if (protocol == IPPROTO_ICMP)
		return "ICMPv4";
	return protocol_has_ports(protocol) || protocol_is_icmp(protocol) ? protocol_name(protocol)
									  : NULL;
}

const char *flow_protocol_format(uint8_t protocol, char buf[FLOW_PROTOCOL_TEXT])
{
	const char *name = flow_protocol_name(protocol);

	if (name)
		return name;
	snprintf(buf, FLOW_PROTOCOL_TEXT, "%u", protocol);
	return buf;
}
