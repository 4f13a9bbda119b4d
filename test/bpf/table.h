/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_BPF_TABLE_H
#define KILIM_TEST_BPF_TABLE_H
/*
 * Tables of cases for the data path: maps before, packets in, and for each packet the verdict, the
 * packet out, the event, the counters and the flow afterwards. Most of that follows from few words.
 */
#include "abi/drop.h"
#include "abi/flow.h"
#include "bpf/packet.h"
#include "bpf/plane.h"
#include "bpf/world.h"

/* ICMP messages by meaning; their numbers depend on the family. */
enum message {
	NOT_ICMP,
	ECHO,
	ECHO_REPLY,
	UNREACHABLE,
	TOO_BIG,
	TIME_EXCEEDED,
	PARAMETER,
	REDIRECT,
	TIMESTAMP, /* stateless: neither echo nor error */
};

/* The flow of a packet afterwards: where it is, and its state. */
enum {
	FLOW_UNCHECKED,
	NO_FLOW,
	HALF_TABLE = 0x10,
	FULL_TABLE = 0x20,
	IS_DENIED = 0x40,
	HALF_NEW = HALF_TABLE | FLOW_STATE_NEW,
	HALF_CLOSED = HALF_TABLE | FLOW_STATE_CLOSED,
	HALF_ESTABLISHED = HALF_TABLE | FLOW_STATE_ESTABLISHED, /* no room in the flow table */
	ESTABLISHED = FULL_TABLE | FLOW_STATE_ESTABLISHED,
	CLOSING = FULL_TABLE | FLOW_STATE_CLOSING,
	CLOSED = FULL_TABLE | FLOW_STATE_CLOSED,
};

enum event_want { EVENT_UNCHECKED, EVENT_WANTED, EVENT_UNWANTED };

/* One packet and its outcome. */
struct shot {
	void (*before)(struct plane *p); /* something changes first */
	/* where: by default an endpoint's packet is seen at its device, another's on its way in */
	enum who from, to;
	enum who at; /* another device */
	bool in; /* from an endpoint, but brought by the stack */
	enum who via; /* brought to the stack by this device; by default UPLINK for the outside */
	/* what */
	enum message icmp;
	const struct shot *about; /* ICMP errors */
	struct packet_spec p; /* family, addresses and MACs are filled in unless they are set */
	size_t (*raw)(uint8_t *bytes); /* instead of p */
	bool vlan;
	/* outcome: forwarded, unless */
	uint8_t drop; /* enum drop_reason */
	bool quiet; /* dropped without an event */
	size_t (*answer)(uint8_t *bytes); /* the gateway answers with these bytes */
	bool stack; /* handed to the stack although both ends are endpoints */
	uint8_t flow;
	uint8_t event; /* enum event_want; a drop that is not quiet always has one */
	uint8_t event_flags; /* that the event must have; with EVENT_JUDGED_*, decisions are looked
				at */
	uint8_t event_flags_not; /* that it must not have */
	uint32_t rule; /* rule id that the event names, in either direction */
	uint32_t source_identity; /* that the event names */
	uint8_t decision_flags; /* enum policy_flag that one of the event's decisions has */
	uint32_t shadow_rule; /* that one of them names */
	uint32_t hits; /* of .rule, afterwards */
};

enum { SHOTS_MAX = 12, BOTH_FAMILIES = 0, ONLY_IPV4 = 4, ONLY_IPV6 = 6 };

struct packet_case {
	const char *name;
	uint8_t family; /* 0: once for each */
	bool both_paths; /* again with an option in each packet, so that none takes the known-flow
			    path */
	struct world_rule rules[WORLD_RULES]; /* none: all is allowed */
	struct shot shot[SHOTS_MAX]; /* up to the first without from and raw */
};

#define TCP(sport, dport, flags, ...)                                                              \
	.p = {.protocol = 6,                                                                       \
		.source_port = (sport),                                                            \
		.destination_port = (dport),                                                       \
		.tcp_flags = (flags),                                                              \
		##__VA_ARGS__}
#define UDP(sport, dport, ...)                                                                     \
	.p = {.protocol = 17, .source_port = (sport), .destination_port = (dport), ##__VA_ARGS__}
#define PROTOCOL(number, ...) .p = {.protocol = (number), ##__VA_ARGS__}
/* An echo message with this id. */
#define ICMP(message, id, ...) .icmp = (message), .p = {.icmp_id = (id), ##__VA_ARGS__}
#define ABOUT(message, ...)                                                                        \
	.icmp = (message), .about = &(const struct shot)                                           \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
/* An endpoint's rule: peer NOBODY is everybody, protocol 0 any, port 0 any. */
#define ALLOW(who, dir, peer_, proto, port_, id)                                                   \
	{                                                                                          \
		.of = (who), .direction = POLICY_##dir, .peer = (peer_), .protocol = (proto),      \
		.port = (port_), .verdict = POLICY_ALLOW, .rule = (id)                             \
	}
#define DENY(who, dir, peer_, proto, port_, id)                                                    \
	{                                                                                          \
		.of = (who), .direction = POLICY_##dir, .peer = (peer_), .protocol = (proto),      \
		.port = (port_), .verdict = POLICY_DENY, .rule = (id)                              \
	}

/* The tables, each ends with a case without a name. */
extern const struct packet_case cases_parse[], cases_fragment[], cases_icmp[], cases_tcp[],
	cases_policy[], cases_sender[], cases_again[], cases_gateway[];

/* --- changes between packets --- */
void change_bump(struct plane *p);
void change_expire(struct plane *p); /* all flows have been silent for too long */

/* Run one table; each case is one line of TAP per family and path. */
void table_run(struct plane *p, const struct packet_case *cases);
/* Build the packet of a shot; returns its length. */
size_t shot_build(const struct shot *s, int family, bool with_option, uint8_t *bytes);
/* Whether any case was dropped for the reason so far. */
bool table_has_seen(uint8_t reason);

#endif
