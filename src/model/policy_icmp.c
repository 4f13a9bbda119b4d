/* SPDX-License-Identifier: Apache-2.0 */
/*
 * icmps of the Cilium kinds to port ranges. Called by policy_port.c. Owns nothing beside what it
 * puts into the set's arena. Must hold: a type is one range of 256, all its codes.
 */
#include <netinet/in.h>

#include "base/str.h"
#include "codec/json.h"
#include "model/policy_walk.h"

enum { FIELDS_PER_RULE = 40, ICMP_TYPE_MAX = 255 };

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

static int parse_icmp_type(const struct walk *w, const struct node *n, uint8_t family, uint8_t *ret)
{
	const char *s = json_string_value(n->value);
	const char *words[ARRAY_SIZE(icmp_names) + 1], *nearest;
	uint64_t number = 0;
	size_t count = 0;

	if (!n->value)
		return walk_error(w, n, "is missing; use a number or a name such as EchoRequest");
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

	r = walk_mapping(w, n);
	r = r < 0 ? r : WALK_FIELDS(w, n, fields);
	r = WALK_ALSO(w, r, walk_string(w, &family, &name));
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

int policy_parse_icmps(const struct walk *w, const struct node *list, struct rule_ports *out)
{
	static const struct field fields[] = {{"fields", NULL}};
	size_t total = 0;
	int r = walk_list(w, list);

	for (size_t i = 0; i < node_items(list); i++)
		total += json_array_size(json_object_get(json_array_get(list->value, i), "fields"));
	out->port = arena_array(w->mem, total, sizeof(*out->port));
	for (size_t i = 0; walk_on(w, r) && i < node_items(list); i++) {
		struct node item = node_item(list, i), one = node_member(&item, "fields");

		r = WALK_ALSO(w, r, walk_mapping(w, &item));
		r = WALK_ALSO(w, r, WALK_FIELDS(w, &item, fields));
		r = WALK_ALSO(w, r, walk_list_max(w, &one, FIELDS_PER_RULE));
		if (!node_items(&one))
			walk_warn(w, &item, "has no types, which fits nothing; name some");
		for (size_t k = 0; walk_on(w, r) && k < node_items(&one); k++) {
			struct node field = node_item(&one, k);

			r = WALK_ALSO(w, r, parse_icmp_field(w, &field, &out->port[out->count++]));
		}
	}
	return r;
}
