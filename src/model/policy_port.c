/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toPorts, icmps and the ports of a NetworkPolicy to port ranges. Called by policy_cilium.c and
 * policy_network.c. Owns nothing beside what it puts into the set's arena. Must hold: a list of
 * ports that is there but names none limits the rule to nothing; only an absent (or empty) toPorts,
 * icmps or ports leaves it unlimited.
 */
#include "model/policy_walk.h"

#include <ctype.h>
#include <netinet/in.h>
#include <string.h>

#include "base/str.h"
#include "codec/json.h"

enum { PORT_MAX = 65535, PORTS_PER_RULE = 40, ICMP_TYPE_MAX = 255 };

static const struct {
	const char *name;
	uint8_t protocol;
	bool has_ports;
} protocols[] = {{"ANY", 0, true}, {"TCP", IPPROTO_TCP, true}, {"UDP", IPPROTO_UDP, true},
	{"SCTP", IPPROTO_SCTP, true}, {"VRRP", 112, false}, {"IGMP", IPPROTO_IGMP, false},
	{"GRE", IPPROTO_GRE, false}, {"IPIP", IPPROTO_IPIP, false}, {"IPV6", IPPROTO_IPV6, false},
	{"ESP", IPPROTO_ESP, false}, {"AH", IPPROTO_AH, false}};

/* How many of them Kubernetes' own NetworkPolicy knows, from TCP on. */
enum { NETWORK_PROTOCOL_FIRST = 1, NETWORK_PROTOCOL_LAST = 3 };

static const struct {
	uint8_t family, type;
	const char *name;
} icmp_names[] = {{4, 0, "EchoReply"}, {4, 3, "DestinationUnreachable"}, {4, 5, "Redirect"},
	{4, 8, "Echo"}, {4, 8, "EchoRequest"}, {4, 9, "RouterAdvertisement"},
	{4, 10, "RouterSelection"}, {4, 11, "TimeExceeded"}, {4, 12, "ParameterProblem"},
	{4, 13, "Timestamp"}, {4, 14, "TimestampReply"}, {4, 40, "Photuris"},
	{4, 42, "ExtendedEchoRequest"}, {4, 43, "ExtendedEchoReply"},
	{6, 1, "DestinationUnreachable"}, {6, 2, "PacketTooBig"}, {6, 3, "TimeExceeded"},
	{6, 4, "ParameterProblem"}, {6, 128, "EchoRequest"}, {6, 129, "EchoReply"},
	{6, 130, "MulticastListenerQuery"}, {6, 131, "MulticastListenerReport"},
	{6, 132, "MulticastListenerDone"}, {6, 133, "RouterSolicitation"},
	{6, 134, "RouterAdvertisement"}, {6, 135, "NeighborSolicitation"},
	{6, 136, "NeighborAdvertisement"}, {6, 137, "RedirectMessage"},
	{6, 138, "RouterRenumbering"}, {6, 139, "ICMPNodeInformationQuery"},
	{6, 140, "ICMPNodeInformationResponse"}, {6, 141, "InverseNeighborDiscoverySolicitation"},
	{6, 142, "InverseNeighborDiscoveryAdvertisement"},
	{6, 144, "HomeAgentAddressDiscoveryRequest"}, {6, 145, "HomeAgentAddressDiscoveryReply"},
	{6, 146, "MobilePrefixSolicitation"}, {6, 147, "MobilePrefixAdvertisement"},
	{6, 157, "DuplicateAddressRequestCodeSuffix"},
	{6, 158, "DuplicateAddressConfirmationCodeSuffix"}, {6, 160, "ExtendedEchoRequest"},
	{6, 161, "ExtendedEchoReply"}};

static int parse_protocol(const struct walk *w, const struct node *n, size_t *ret)
{
	size_t first = w->strict_names ? NETWORK_PROTOCOL_FIRST : 0;
	size_t last = w->strict_names ? NETWORK_PROTOCOL_LAST : ARRAY_SIZE(protocols) - 1;
	const char *s = NULL;
	int r = walk_string(w, n, &s);

	if (r < 0)
		return r;
	if (!s) {
		*ret = w->strict_names ? NETWORK_PROTOCOL_FIRST : 0;
		return 0;
	}
	for (size_t i = first; i <= last; i++) {
		if (!strcasecmp(protocols[i].name, s)) {
			*ret = i;
			return 0;
		}
	}
	return walk_error(w, n, "\"%.40s\" is no protocol; use TCP, UDP%s", s,
		w->strict_names
			? " or SCTP"
			: ", SCTP, ANY, VRRP, IGMP, GRE, IPIP, IPV6, ESP or AH (and icmps for "
			  "ICMP)");
}

/* A number or its digits as a string; -1 when absent. Names are refused here. */
static int parse_port(const struct walk *w, const struct node *n, int64_t *ret)
{
	const char *s = json_string_value(n->value);
	uint64_t number;

	*ret = -1;
	if (!n->value)
		return 0;
	if (json_is_integer(n->value)) {
		*ret = json_integer_value(n->value);
	} else if (!s) {
		return walk_error(w, n, "expected a port, found %s", json_kind(n->value));
	} else if (!str_to_u64(s, PORT_MAX, &number)) {
		*ret = (int64_t)number;
	} else if (!strpbrk(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
		return walk_error(w, n, "\"%.40s\" is no port; use 0 to 65535", s);
	} else {
		return walk_error(
			w, n, "named ports (\"%.40s\") are not supported yet; write the number", s);
	}
	if (*ret < (w->strict_names ? 1 : 0) || *ret > PORT_MAX)
		return walk_error(w, n, "%lld is no port; use %d to 65535", (long long)*ret,
			w->strict_names ? 1 : 0);
	return 0;
}

static int parse_end(const struct walk *w, const struct node *n, int64_t port, int64_t *ret)
{
	if (n->value && !json_is_integer(n->value))
		return walk_error(w, n, "expected an integer, found %s", json_kind(n->value));
	*ret = n->value ? json_integer_value(n->value) : 0;
	if (!*ret && !w->strict_names)
		return 0;
	if (n->value && port < 1)
		return walk_error(
			w, n, "needs a port number of 1 or more as the first of the range");
	if (n->value && (*ret < port || *ret > PORT_MAX))
		return walk_error(w, n, "%lld is not in %lld..65535, from the port on",
			(long long)*ret, (long long)port);
	return 0;
}

/* One {port, endPort, protocol}. */
static int parse_range(const struct walk *w, const struct node *n, struct port_range *ret)
{
	static const struct field fields[] = {
		{"port", NULL}, {"endPort", NULL}, {"protocol", NULL}};
	struct node port = node_member(n, "port"), end = node_member(n, "endPort");
	struct node protocol = node_member(n, "protocol");
	int64_t first = -1, last = 0;
	size_t which = 0;
	int r;

	if (!n->value)
		return walk_error(w, n, "expected a mapping, found null");
	r = WALK_FIELDS(w, n, fields);
	r = r < 0 ? r : parse_protocol(w, &protocol, &which);
	r = r < 0 ? r : parse_port(w, &port, &first);
	r = r < 0 ? r : parse_end(w, &end, first, &last);
	if (r < 0)
		return r;
	if (first > 0 && !protocols[which].has_ports)
		return walk_error(
			w, &port, "%s has no ports; leave the port out", protocols[which].name);
	*ret = (struct port_range){.protocol = protocols[which].protocol,
		.first = first > 0 ? (uint16_t)first : 0,
		.last = first <= 0 ? PORT_MAX
			: last     ? (uint16_t)last
				   : (uint16_t)first};
	return 0;
}

static int parse_ranges(const struct walk *w, const struct node *list, struct rule_ports *out)
{
	int r = walk_list(w, list);

	for (size_t i = 0; !r && i < node_items(list); i++) {
		struct node item = node_item(list, i);

		r = parse_range(w, &item, &out->port[out->count++]);
	}
	return r;
}

static int parse_to_ports(
	const struct walk *w, const struct node *list, bool deny, struct rule_ports *out)
{
	static const struct field fields[] = {{"ports", NULL},
		{"rules", "layer-7 rules are not supported yet"},
		{"terminatingTLS", "TLS termination is not supported yet"},
		{"originatingTLS", "TLS origination is not supported yet"},
		{"serverNames", "TLS server names are not supported yet"},
		{"listener", "redirection to a listener is not supported yet"}};
	static const struct field deny_fields[] = {{"ports", NULL}};
	size_t total = 0;
	int r = walk_list(w, list);

	for (size_t i = 0; i < node_items(list); i++)
		total += json_array_size(json_object_get(json_array_get(list->value, i), "ports"));
	out->port = arena_array(w->mem, total, sizeof(*out->port));
	for (size_t i = 0; !r && i < node_items(list); i++) {
		struct node item = node_item(list, i), ports = node_member(&item, "ports");

		if (!item.value)
			return walk_error(w, &item, "expected a mapping, found null");
		r = deny ? WALK_FIELDS(w, &item, deny_fields) : WALK_FIELDS(w, &item, fields);
		r = r < 0 ? r : walk_list_max(w, &ports, PORTS_PER_RULE);
		r = r < 0 ? r : parse_ranges(w, &ports, out);
	}
	return r;
}

static int parse_icmp_type(const struct walk *w, const struct node *n, uint8_t family, uint8_t *ret)
{
	const char *s = json_string_value(n->value);
	const char *words[ARRAY_SIZE(icmp_names) + 1], *nearest;
	uint64_t number = 0;
	size_t count = 0;

	if (!n->value)
		return walk_error(
			w, n, "type is missing; use a number or a name such as EchoRequest");
	if (json_is_integer(n->value)) {
		json_int_t i = json_integer_value(n->value);

		if (i < 0 || i > ICMP_TYPE_MAX)
			return walk_error(w, n, "%lld is no ICMP type; use 0 to 255", (long long)i);
		*ret = (uint8_t)i;
		return 0;
	}
	if (!s)
		return walk_error(
			w, n, "expected a number or a name, found %s", json_kind(n->value));
	if (!str_to_u64(s, ICMP_TYPE_MAX, &number)) {
		*ret = (uint8_t)number;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(icmp_names); i++) {
		if (icmp_names[i].family != family)
			continue;
		words[count++] = icmp_names[i].name;
		if (str_eq(icmp_names[i].name, s)) {
			*ret = icmp_names[i].type;
			return 0;
		}
	}
	words[count] = NULL;
	nearest = walk_nearest(s, words);
	return walk_error(w, n, "\"%.60s\" is no ICMPv%u type%s%s%s", s, family,
		nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

static int parse_icmp_field(const struct walk *w, const struct node *n, struct port_range *ret)
{
	static const struct field fields[] = {{"family", NULL}, {"type", NULL}};
	struct node family = node_member(n, "family"), type = node_member(n, "type");
	const char *name = NULL;
	uint8_t number = 0;
	bool v6;
	int r;

	if (!n->value)
		return walk_error(w, n, "expected a mapping, found null");
	r = WALK_FIELDS(w, n, fields);
	r = r < 0 ? r : walk_string(w, &family, &name);
	if (r < 0)
		return r;
	if (name && !str_eq(name, "IPv4") && !str_eq(name, "IPv6"))
		return walk_error(w, &family, "\"%.40s\" is no family; use IPv4 or IPv6", name);
	v6 = name && str_eq(name, "IPv6");
	r = parse_icmp_type(w, &type, v6 ? 6 : 4, &number);
	if (r < 0)
		return r;
	*ret = (struct port_range){.protocol = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
		.first = (uint16_t)(number << 8),
		.last = (uint16_t)(number << 8 | 0xff)};
	return 0;
}

static int parse_icmps(const struct walk *w, const struct node *list, struct rule_ports *out)
{
	static const struct field fields[] = {{"fields", NULL}};
	size_t total = 0;
	int r = walk_list(w, list);

	for (size_t i = 0; i < node_items(list); i++)
		total += json_array_size(json_object_get(json_array_get(list->value, i), "fields"));
	out->port = arena_array(w->mem, total, sizeof(*out->port));
	for (size_t i = 0; !r && i < node_items(list); i++) {
		struct node item = node_item(list, i), one = node_member(&item, "fields");

		if (!item.value)
			return walk_error(w, &item, "expected a mapping, found null");
		r = WALK_FIELDS(w, &item, fields);
		r = r < 0 ? r : walk_list_max(w, &one, PORTS_PER_RULE);
		for (size_t k = 0; !r && k < node_items(&one); k++) {
			struct node field = node_item(&one, k);

			r = parse_icmp_field(w, &field, &out->port[out->count++]);
		}
	}
	return r;
}

int policy_parse_ports(
	const struct walk *w, const struct node *rule, bool deny, struct rule_ports *ret)
{
	struct node ports = node_member(rule, "toPorts"), icmps = node_member(rule, "icmps");
	struct rule_ports out = {0};
	int r = walk_list(w, &ports);

	r = r < 0 ? r : walk_list(w, &icmps);
	if (r < 0)
		return r;
	if (node_items(&ports) && node_items(&icmps))
		return walk_error(w, &icmps,
			"cannot be combined with toPorts; give the ICMP types a rule of their own");
	out.limited = node_items(&ports) || node_items(&icmps);
	if (node_items(&ports))
		r = parse_to_ports(w, &ports, deny, &out);
	else
		r = parse_icmps(w, &icmps, &out);
	if (r < 0)
		return r;
	*ret = out;
	return 0;
}

int policy_parse_network_ports(
	const struct walk *w, const struct node *ports, struct rule_ports *ret)
{
	struct rule_ports out = {.limited = node_items(ports) > 0};
	int r;

	out.port = arena_array(w->mem, node_items(ports), sizeof(*out.port));
	r = parse_ranges(w, ports, &out);
	if (r < 0)
		return r;
	*ret = out;
	return 0;
}
