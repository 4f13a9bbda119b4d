/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_ABI_DROP_H
#define KILIM_ABI_DROP_H
/*
 * Reasons for a drop: numbers and texts are Hubble's public ones (interface sheet, drop-reasons).
 * Only those that kilim gives are listed. X(NAME, number, hubble enum name, text).
 */
#define DROP_REASONS(X)                                                                            \
	X(INVALID_SOURCE_MAC, 130, "INVALID_SOURCE_MAC", "Invalid source mac")                     \
	X(INVALID_SOURCE_IP, 132, "INVALID_SOURCE_IP", "Invalid source ip")                        \
	X(POLICY_DENIED, 133, "POLICY_DENIED", "Policy denied")                                    \
	X(INVALID_PACKET, 134, "INVALID_PACKET_DROPPED", "Invalid packet")                         \
	X(CT_TRUNCATED, 135, "CT_TRUNCATED_OR_INVALID_HEADER", "CT: Truncated or invalid header")  \
	X(UNSUPPORTED_L3, 139, "UNSUPPORTED_L3_PROTOCOL", "Unsupported L3 protocol")               \
	X(MISSED_TAIL_CALL, 140, "MISSED_TAIL_CALL", "Missed tail call")                           \
	X(WRITE_ERROR, 141, "ERROR_WRITING_TO_PACKET", "Error writing to packet")                  \
	X(UNKNOWN_L4, 142, "UNKNOWN_L4_PROTOCOL", "Unknown L4 protocol")                           \
	X(UNROUTABLE, 151, "STALE_OR_UNROUTABLE_IP", "Stale or unroutable IP")                     \
	X(FLOW_INSERT, 155, "CT_MAP_INSERTION_FAILED", "CT: Map insertion failed")                 \
	X(INVALID_EXTENSION, 156, "INVALID_IPV6_EXTENSION_HEADER",                                 \
		"Invalid IPv6 extension header")                                                   \
	X(UNKNOWN_FLOW, 163, "UNKNOWN_CONNECTION_TRACKING_STATE",                                  \
		"Unknown connection tracking state")                                               \
	X(UNSUPPORTED_L2, 166, "UNSUPPORTED_L2_PROTOCOL", "Unsupported L2 protocol")               \
	X(INVALID_IDENTITY, 171, "INVALID_IDENTITY", "Invalid identity")                           \
	X(UNKNOWN_SENDER, 172, "UNKNOWN_SENDER", "Unknown sender")                                 \
	X(FRAG_NOT_FOUND, 175, "FIRST_LOGICAL_DATAGRAM_FRAGMENT_NOT_FOUND",                        \
		"First logical datagram fragment not found")                                       \
	X(FORBIDDEN_ICMP6, 176, "FORBIDDEN_ICMPV6_MESSAGE", "Forbidden ICMPv6 message")            \
	X(POLICY_DENY, 181, "POLICY_DENY", "Policy denied by denylist")                            \
	X(VLAN_FILTERED, 182, "VLAN_FILTERED", "VLAN traffic disallowed by VLAN filter")           \
	X(TTL_EXCEEDED, 196, "TTL_EXCEEDED", "TTL exceeded")                                       \
	X(MULTICAST_HANDLED, 201, "MULTICAST_HANDLED", "Multicast handled")                        \
	X(EP_NOT_READY, 203, "DROP_EP_NOT_READY", "Endpoint policy program not available")

enum drop_reason {
	DROP_NONE = 0,
#define X(name, number, hubble, text) DROP_##name = number,
	DROP_REASONS(X)
#undef X
		DROP_MAX = 256,
};

#endif
