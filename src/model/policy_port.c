/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toPorts and the ports of a NetworkPolicy to port ranges. Called by policy_cilium.c and
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
#include "model/protocol.h"

enum { PORT_MAX = 65535, PORTS_PER_RULE = 40, PORT_NAME_MAX = 15 };

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

/* The letters, digits and single '-' of an IANA service name, with a letter among them. */
static bool is_port_name(const char *s)
{
	size_t len = strlen(s);
	bool letter = false;

	for (size_t i = 0; i < len; i++) {
		bool dash = s[i] == '-';

		if (!isalnum((unsigned char)s[i]) &&
			(!dash || !i || i + 1 == len || s[i + 1] == '-'))
			return false;
		letter |= isalpha((unsigned char)s[i]) != 0;
	}
	return letter && len <= PORT_NAME_MAX;
}

int policy_parse_port_name(
	const struct walk *w, const struct node *n, const char *s, const char **ret)
{
	bool upper = false;
	char *name;

	for (const char *c = s; *c; c++)
		upper |= isupper((unsigned char)*c) != 0;
	if (!is_port_name(s) || (upper && w->strict_names))
		return walk_error(w, n,
			"\"%.40s\" is no name of a port: at most %d %sletters, digits and "
			"single '-' between them, with a letter among them",
			s, PORT_NAME_MAX, w->strict_names ? "lower-case " : "");
	name = arena_strdup(w->mem, s);
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	*ret = name;
	return 0;
}

/* A number, its digits as a string, or a name; ret->number is -1 when absent. */
struct port {
	int64_t number;
	const char *name;
};

static int parse_port(const struct walk *w, const struct node *n, struct port *ret)
{
	const char *s = json_string_value(n->value);
	uint64_t number;

	*ret = (struct port){.number = -1};
	if (!n->value)
		return 0;
	if (json_is_integer(n->value)) {
		ret->number = json_integer_value(n->value);
	} else if (!s) {
		return walk_error(w, n, "expected a port, found %s", json_kind(n->value));
	} else if (!str_to_u64(s, PORT_MAX, &number)) {
		ret->number = (int64_t)number;
	} else if (!strpbrk(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
		return walk_error(w, n, "\"%.40s\" is no port; use 0 to 65535", s);
	} else {
		return policy_parse_port_name(w, n, s, &ret->name);
	}
	if (ret->number < (w->strict_names ? 1 : 0) || ret->number > PORT_MAX)
		return walk_error(w, n, "%lld is no port; use %d to 65535", (long long)ret->number,
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

static int parse_ends(const struct walk *w, const struct node *port, const struct node *end,
	struct port *ret_from, int64_t *ret_last)
{
	int r = parse_port(w, port, ret_from);

	return r < 0 ? r : parse_end(w, end, ret_from->number, ret_last);
}

/* One {port, endPort, protocol}. */
static int parse_range(const struct walk *w, const struct node *n, struct port_range *ret)
{
	static const struct field fields[] = {
		{"port", NULL}, {"endPort", NULL}, {"protocol", NULL}};
	struct node port = node_member(n, "port"), end = node_member(n, "endPort");
	struct node protocol = node_member(n, "protocol");
	struct port from = {0};
	int64_t first, last = 0;
	size_t which = 0;
	int r = walk_mapping(w, n);

	if (r < 0)
		return r;
	r = WALK_FIELDS(w, n, fields);
	r = WALK_ALSO(w, r, parse_protocol(w, &protocol, &which));
	r = WALK_ALSO(w, r, parse_ends(w, &port, &end, &from, &last));
	if (r < 0)
		return r;
	first = from.number;
	if ((first > 0 || from.name) && !protocols[which].has_ports)
		return walk_error(
			w, &port, "%s has no ports; leave the port out", protocols[which].name);
	if (from.name) {
		*ret = (struct port_range){
			.protocol = protocols[which].protocol, .name = from.name};
		return 0;
	}
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

	for (size_t i = 0; walk_on(w, r) && i < node_items(list); i++) {
		struct node item = node_item(list, i);

		r = WALK_ALSO(w, r, parse_range(w, &item, &out->port[out->count++]));
	}
	return r;
}

/* An element of toPorts. */
static int parse_port_rule(const struct walk *w, const struct node *n, enum policy_direction d,
	bool deny, struct rule_ports *out)
{
	static const struct field deny_fields[] = {{"ports", NULL}};
	struct node ports = node_member(n, "ports");
	int r = walk_mapping(w, n);

	if (r < 0)
		return r;
	if (deny)
		r = WALK_FIELDS(w, n, deny_fields);
	if (!node_items(&ports))
		walk_warn(w, ports.value ? &ports : n,
			"has no ports, which fits nothing; name ports, or leave toPorts out for "
			"every "
			"port");
	r = WALK_ALSO(w, r, walk_list_max(w, &ports, PORTS_PER_RULE));
	r = WALK_ALSO(w, r, parse_ranges(w, &ports, out));
	return deny ? r : WALK_ALSO(w, r, policy_check_port_rule(w, n, d));
}

static int parse_to_ports(const struct walk *w, const struct node *list, enum policy_direction d,
	bool deny, struct rule_ports *out)
{
	size_t total = 0;
	int r = walk_list(w, list);

	for (size_t i = 0; i < node_items(list); i++)
		total += json_array_size(json_object_get(json_array_get(list->value, i), "ports"));
	out->port = arena_array(w->mem, total, sizeof(*out->port));
	for (size_t i = 0; walk_on(w, r) && i < node_items(list); i++) {
		struct node item = node_item(list, i);

		r = WALK_ALSO(w, r, parse_port_rule(w, &item, d, deny, out));
	}
	return r;
}

int policy_parse_ports(const struct walk *w, const struct node *rule, enum policy_direction d,
	bool deny, struct rule_ports *ret)
{
	struct node ports = node_member(rule, "toPorts"), icmps = node_member(rule, "icmps");
	struct rule_ports out = {0};
	int r = walk_list(w, &ports);

	r = WALK_ALSO(w, r, walk_list(w, &icmps));
	if (!walk_on(w, r))
		return r;
	if (node_items(&ports) && node_items(&icmps))
		return walk_error(w, &icmps,
			"cannot be combined with toPorts; give the ICMP types a rule of their own");
	out.limited = node_items(&ports) || node_items(&icmps);
	if (node_items(&ports))
		r = WALK_ALSO(w, r, parse_to_ports(w, &ports, d, deny, &out));
	else
		r = WALK_ALSO(w, r, policy_parse_icmps(w, &icmps, &out));
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

	if (json_is_array(ports->value) && !node_items(ports))
		walk_warn(w, ports, "is empty, which means every port; leave it out to say so");
	out.port = arena_array(w->mem, node_items(ports), sizeof(*out.port));
	r = parse_ranges(w, ports, &out);
	if (r < 0)
		return r;
	*ret = out;
	return 0;
}

bool port_range_is_of(const struct port_range *r, uint8_t protocol)
{
	return r->protocol ? r->protocol == protocol : protocol_has_ports(protocol);
}
