/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports of a ClusterNetworkPolicy, in both generations of its schema: protocols, and the older
 * ports. Called by policy_cluster.c. Owns nothing beside what it puts into the set's arena. Must
 * hold: absent means every protocol and port; a list that is there has something in it.
 */
#include <netinet/in.h>

#include "base/str.h"
#include "codec/json.h"
#include "model/policy_walk.h"

enum { PORT_MAX = 65535 };

static const struct {
	const char *name, *field;
	uint8_t protocol;
} protocols[] = {
	{"TCP", "tcp", IPPROTO_TCP}, {"UDP", "udp", IPPROTO_UDP}, {"SCTP", "sctp", IPPROTO_SCTP}};

static int parse_number(const struct walk *w, const struct node *n, uint16_t *ret)
{
	int64_t number = 0;
	int r;

	if (!n->value)
		return walk_error(w, n, "is missing; use 1 to %d", PORT_MAX);
	r = walk_integer(w, n, 1, PORT_MAX, &number);
	*ret = (uint16_t)number;
	return r;
}

/* {start, end}, and protocol in the older form. */
static int parse_range(const struct walk *w, const struct node *n, struct port_range *ret)
{
	struct node start = node_member(n, "start"), end = node_member(n, "end");
	int r = parse_number(w, &start, &ret->first);

	r = WALK_ALSO(w, r, parse_number(w, &end, &ret->last));
	if (!r && ret->last < ret->first)
		return walk_error(w, &end, "%u is before the start, %u", ret->last, ret->first);
	return r;
}

static int parse_name(const struct walk *w, const struct node *n, struct port_range *ret)
{
	const char *s = NULL;
	int r = walk_string_needed(w, n, &s);

	return r < 0 ? r : policy_parse_port_name(w, n, s, &ret->name);
}

/* destinationPort: {number} or {range}. */
static int parse_destination(const struct walk *w, const struct node *n, struct port_range *ret)
{
	static const struct field fields[] = {{"number", NULL}, {"range", NULL}};
	static const struct field range_fields[] = {{"start", NULL}, {"end", NULL}};
	struct node number = node_member(n, "number"), range = node_member(n, "range");
	int r = WALK_FIELDS(w, n, fields);

	if (!r && !number.value == !range.value)
		return walk_error(w, n, "needs exactly one of number and range");
	if (!r && number.value) {
		r = parse_number(w, &number, &ret->first);
		ret->last = ret->first;
		return r;
	}
	r = r < 0 ? r : WALK_FIELDS(w, &range, range_fields);
	return r < 0 ? r : parse_range(w, &range, ret);
}

/* {tcp | udp | sctp: {destinationPort}} or {destinationNamedPort}. */
static int parse_protocol(const struct walk *w, const struct node *n, struct port_range *ret)
{
	static const struct field fields[] = {
		{"tcp", NULL}, {"udp", NULL}, {"sctp", NULL}, {"destinationNamedPort", NULL}};
	static const struct field inner_fields[] = {{"destinationPort", NULL}};
	struct node name = node_member(n, "destinationNamedPort"), inner = {0}, port;
	size_t given = name.value != NULL;
	int r = walk_mapping(w, n);

	r = r < 0 ? r : WALK_FIELDS(w, n, fields);
	for (size_t i = 0; !r && i < ARRAY_SIZE(protocols); i++) {
		struct node one = node_member(n, protocols[i].field);

		if (!one.value)
			continue;
		given++;
		inner = one;
		ret->protocol = protocols[i].protocol;
	}
	if (!r && given != 1)
		return walk_error(
			w, n, "needs exactly one of tcp, udp, sctp and destinationNamedPort");
	if (!r && name.value)
		return parse_name(w, &name, ret);
	r = r < 0 ? r : WALK_FIELDS(w, &inner, inner_fields);
	port = node_member(&inner, "destinationPort");
	ret->last = PORT_MAX;
	return r < 0 || !port.value ? r : parse_destination(w, &port, ret);
}

static int parse_protocol_word(const struct walk *w, const struct node *n, uint8_t *ret)
{
	const char *s = NULL;
	int r = walk_string(w, n, &s);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (!s || str_eq(protocols[i].name, s)) {
			*ret = protocols[i].protocol; /* TCP when it is absent */
			return 0;
		}
	}
	return walk_error(w, n, "\"%.40s\" is no protocol; use TCP, UDP or SCTP", s);
}

/* The older form: {portNumber: {protocol, port}}, {portRange: {protocol, start, end}} or
 * {namedPort}. */
static int parse_old_port(const struct walk *w, const struct node *n, struct port_range *ret)
{
	static const struct field fields[] = {
		{"portNumber", NULL}, {"portRange", NULL}, {"namedPort", NULL}};
	static const struct field number_fields[] = {{"protocol", NULL}, {"port", NULL}};
	static const struct field range_fields[] = {
		{"protocol", NULL}, {"start", NULL}, {"end", NULL}};
	struct node number = node_member(n, "portNumber"), range = node_member(n, "portRange");
	struct node name = node_member(n, "namedPort"), port = node_member(&number, "port");
	const struct node *of = number.value ? &number : &range;
	struct node protocol = node_member(of, "protocol");
	int r = walk_mapping(w, n);

	r = r < 0 ? r : WALK_FIELDS(w, n, fields);
	if (!r && (number.value != NULL) + (range.value != NULL) + (name.value != NULL) != 1)
		return walk_error(w, n, "needs exactly one of portNumber, portRange and namedPort");
	if (!r && name.value)
		return parse_name(w, &name, ret);
	r = r < 0 ? r : WALK_FIELDS(w, &number, number_fields);
	r = r < 0 ? r : WALK_FIELDS(w, &range, range_fields);
	r = r < 0 ? r : parse_protocol_word(w, &protocol, &ret->protocol);
	if (!r && range.value)
		return parse_range(w, &range, ret);
	r = r < 0 ? r : parse_number(w, &port, &ret->first);
	ret->last = ret->first;
	return r;
}

int policy_parse_cluster_ports(
	const struct walk *w, const struct node *rule, struct rule_ports *ret)
{
	struct node ports = node_member(rule, "ports"), list = node_member(rule, "protocols");
	bool old = ports.value != NULL;
	struct rule_ports out = {0};
	int r;

	if (ports.value && list.value)
		return walk_error(w, &list, "cannot be combined with ports, its older form");
	if (old)
		list = ports;
	r = walk_list(w, &list);
	if (!r && list.value && !node_items(&list))
		return walk_error(w, &list, "is empty; leave it out for every port");
	out.limited = node_items(&list) > 0;
	out.port = arena_array(w->mem, node_items(&list), sizeof(*out.port));
	for (size_t i = 0; walk_on(w, r) && i < node_items(&list); i++) {
		struct node item = node_item(&list, i);
		struct port_range *port = &out.port[out.count++];

		r = WALK_ALSO(w, r,
			old ? parse_old_port(w, &item, port) : parse_protocol(w, &item, port));
	}
	*ret = out;
	return r;
}
