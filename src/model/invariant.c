/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of assertions to plain data. Called by the agent and by scenarios. Owns what is in a list's
 * arena. Must hold: a key that is not known is an error, and so is a party that could be read in
 * two ways: an assertion that says less than its author thinks is worse than none.
 */
#include "model/invariant.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "codec/json.h"
#include "model/protocol.h"

enum { PORT_MAX = 65535, ICMP_TYPE_MAX = 255, INVARIANT_NAME_MAX = 100 };

static const struct {
	const char *name;
	uint8_t protocol;
	bool has_ports;
} protocols[] = {{"TCP", IPPROTO_TCP, true}, {"UDP", IPPROTO_UDP, true},
	{"SCTP", IPPROTO_SCTP, true}, {"ANY", 0, true}, {"ICMP", IPPROTO_ICMP, false},
	{"ICMPv6", IPPROTO_ICMPV6, false}, {"GRE", IPPROTO_GRE, false}, {"ESP", IPPROTO_ESP, false},
	{"AH", IPPROTO_AH, false}, {"IGMP", IPPROTO_IGMP, false}, {"IPIP", IPPROTO_IPIP, false},
	{"VRRP", 112, false}};

/* --- ports ----------------------------------------------------------------------------------- */

/* 80, 8000-8999, or an ICMP type. */
static int parse_numbers(
	const struct walk *w, const struct node *n, char *text, struct port_range *ret)
{
	uint64_t max = protocol_is_icmp(ret->protocol) ? ICMP_TYPE_MAX : PORT_MAX, first, last;
	char *dash = strchr(text, '-');

	if (dash)
		*dash++ = 0;
	if (str_to_u64(text, max, &first) < 0 || (dash && str_to_u64(dash, max, &last) < 0))
		return walk_error(w, n, "is no %s; use 0 to %d",
			protocol_is_icmp(ret->protocol) ? "ICMP type" : "port", (int)max);
	last = dash ? last : first;
	if (last < first)
		return walk_error(w, n, "ends before it begins");
	ret->first = (uint16_t)(protocol_is_icmp(ret->protocol) ? first << 8 : first);
	ret->last = (uint16_t)(protocol_is_icmp(ret->protocol) ? last << 8 | 0xff : last);
	return 0;
}

/* 443/TCP, 8000-8999/UDP, 53/ANY, TCP, 8/ICMP, GRE. */
static int parse_port(const struct walk *w, const struct node *n, struct port_range *ret)
{
	const char *text = NULL, *word;
	SCOPED(freep) char *numbers = NULL;
	size_t i = 0;
	int r;

	if (json_is_integer(n->value))
		return walk_error(w, n, "lacks the protocol; write %lld/TCP, or %lld/ANY",
			(long long)json_integer_value(n->value),
			(long long)json_integer_value(n->value));
	r = walk_string_needed(w, n, &text);
	if (r < 0)
		return r;
	word = strrchr(text, '/');
	word = word ? word + 1 : text;
	while (i < ARRAY_SIZE(protocols) && strcasecmp(protocols[i].name, word) != 0)
		i++;
	if (i == ARRAY_SIZE(protocols))
		return walk_error(w, n,
			"\"%.40s\" is no port; write 443/TCP, 8000-8999/UDP, 53/ANY, TCP or 8/ICMP",
			text);
	*ret = (struct port_range){.protocol = protocols[i].protocol, .last = PORT_MAX};
	if (word == text)
		return 0;
	if (!protocols[i].has_ports && !protocol_is_icmp(ret->protocol))
		return walk_error(
			w, n, "%s has no ports; write %s", protocols[i].name, protocols[i].name);
	numbers = mem_dup(text, (size_t)(word - text) - 1);
	return parse_numbers(w, n, numbers, ret);
}

static int parse_ports(const struct walk *w, const struct node *list, struct invariant_scope *ret)
{
	int r = walk_list(w, list);

	if (!r && list->value && !node_items(list))
		return walk_error(w, list, "is empty; leave it out for every port");
	ret->port = arena_array(w->mem, node_items(list), sizeof(*ret->port));
	for (size_t i = 0; !r && i < node_items(list); i++) {
		struct node item = node_item(list, i);

		r = parse_port(w, &item, &ret->port[ret->ports++]);
	}
	return r;
}

/* --- parties --------------------------------------------------------------------------------- */

static int parse_word(const struct walk *w, const struct node *n, struct invariant_party *ret)
{
	static const char *const words[] = {"any", "world", "host", "remote-node", NULL};
	const char *text = json_string_value(n->value), *nearest = walk_nearest(text, words);

	for (size_t i = 0; words[i]; i++) {
		if (str_eq(words[i], text)) {
			ret->kind = (enum invariant_party_kind)i;
			return 0;
		}
	}
	return walk_error(w, n, "\"%.60s\" is nobody%s%s%s", text,
		nearest ? "; did you mean "
			: "; use any, world, host, remote-node, or a mapping such as {ns: x}",
		nearest ? nearest : "", nearest ? "?" : "");
}

static int parse_endpoints(const struct walk *w, const struct node *n, struct invariant_party *ret)
{
	struct node ns = node_member(n, "ns"), labels = node_member(n, "labels");
	struct node selector = node_member(n, "selector");
	struct selector by_labels = {0};
	const char *name = NULL;
	int r = 0;

	ret->kind = PARTY_ENDPOINTS;
	if (selector.value)
		r = policy_parse_selector(w, &selector, SELECT_ENDPOINTS, &ret->selector);
	if (!r && labels.value)
		r = policy_parse_match_labels(w, &labels, SELECT_ENDPOINTS, &by_labels);
	if (r < 0)
		return r;
	policy_join(w, &ret->selector, &by_labels);
	if (!ns.value)
		return 0;
	r = walk_string_needed(w, &ns, &name);
	if (!r)
		policy_require(
			w, &ret->selector, "k8s", LABEL_NAMESPACE, arena_strdup(w->mem, name));
	return r;
}

static int parse_party(const struct walk *w, const struct node *n, struct invariant_party *ret)
{
	static const struct field fields[] = {
		{"ns", NULL}, {"labels", NULL}, {"selector", NULL}, {"cidr", NULL}};
	struct node cidr = node_member(n, "cidr");
	size_t given = json_object_size(n->value);
	int r;

	if (!n->value)
		return 0; /* anybody */
	if (json_is_string(n->value))
		return parse_word(w, n, ret);
	r = WALK_FIELDS(w, n, fields);
	if (!r && !given)
		return walk_error(
			w, n, "is empty; write any, or {selector: {}} for every endpoint");
	if (r < 0 || !cidr.value)
		return r < 0 ? r : parse_endpoints(w, n, ret);
	if (given > 1)
		return walk_error(
			w, &cidr, "cannot be combined with a selector: it means addresses outside");
	ret->kind = PARTY_PREFIX;
	return policy_parse_prefix(w, &cidr, &ret->prefix);
}

static int parse_parties(const struct walk *w, const struct node *n, struct invariant_scope *ret)
{
	struct node from = node_member(n, "from"), to = node_member(n, "to");
	struct node ports = node_member(n, "ports");
	int r = parse_party(w, &from, &ret->from);

	r = r < 0 ? r : parse_party(w, &to, &ret->to);
	return r < 0 ? r : parse_ports(w, &ports, ret);
}

static int parse_except(const struct walk *w, const struct node *n, struct invariant_scope *ret)
{
	static const struct field fields[] = {{"from", NULL}, {"to", NULL}, {"ports", NULL}};
	int r = walk_mapping(w, n);

	r = r < 0 ? r : WALK_FIELDS(w, n, fields);
	if (!r && !json_object_size(n->value))
		return walk_error(w, n, "is empty; it would take everything away");
	return r < 0 ? r : parse_parties(w, n, ret);
}

static int parse_scope(const struct walk *w, const struct node *n, struct invariant *ret)
{
	static const struct field fields[] = {
		{"from", NULL}, {"to", NULL}, {"ports", NULL}, {"except", NULL}};
	struct node list = node_member(n, "except");
	int r = walk_mapping(w, n);

	r = r < 0 ? r : WALK_FIELDS(w, n, fields);
	r = r < 0 ? r : parse_parties(w, n, &ret->scope);
	r = r < 0 ? r : walk_list_max(w, &list, INVARIANT_EXCEPTS_MAX);
	ret->except = arena_array(w->mem, node_items(&list), sizeof(*ret->except));
	for (size_t i = 0; !r && i < node_items(&list); i++) {
		struct node item = node_item(&list, i);

		r = parse_except(w, &item, &ret->except[ret->excepts++]);
	}
	return r;
}

/* --- assertions ------------------------------------------------------------------------------ */

static int parse_name(const struct walk *w, const struct node *n, const char **ret)
{
	const char *s = NULL;
	int r = walk_string_needed(w, n, &s);

	if (r < 0)
		return r;
	for (const char *c = s; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f || c - s >= INVARIANT_NAME_MAX)
			return walk_error(w, n, "is longer than %d bytes or not printable",
				INVARIANT_NAME_MAX);
	}
	*ret = arena_strdup(w->mem, s);
	return 0;
}

static int parse_mode(const struct walk *w, const struct node *n, bool *ret_warns)
{
	const char *s = NULL;
	int r = walk_string(w, n, &s);

	if (r < 0 || !s)
		return r;
	if (!str_eq(s, "refuse") && !str_eq(s, "warn"))
		return walk_error(w, n, "\"%.40s\" is no mode; use refuse or warn", s);
	*ret_warns = str_eq(s, "warn");
	return 0;
}

int invariant_parse(const struct walk *w, const struct node *n, struct invariant *ret)
{
	static const struct field fields[] = {
		{"name", NULL}, {"never", NULL}, {"always", NULL}, {"mode", NULL}};
	struct node name = node_member(n, "name"), mode = node_member(n, "mode");
	struct node never = node_member(n, "never"), always = node_member(n, "always");
	struct invariant one = {.origin = walk_origin(w, n), .always = always.value};
	int r = walk_mapping(w, n);

	r = r < 0 ? r : WALK_FIELDS(w, n, fields);
	r = r < 0 ? r : parse_name(w, &name, &one.name);
	r = r < 0 ? r : parse_mode(w, &mode, &one.warns);
	if (!r && !never.value == !always.value)
		return walk_error(w, n, "needs exactly one of never and always");
	r = r < 0 ? r : parse_scope(w, never.value ? &never : &always, &one);
	if (!r)
		*ret = one;
	return r;
}

int invariants_add(struct invariants *l, const struct walk *w, const struct node *n,
	const struct invariant *one)
{
	struct node name = node_member(n, "name");

	for (size_t i = 0; i < l->count; i++) {
		const struct invariant *other = &l->invariant[i];

		if (str_eq(other->name, one->name))
			return walk_error(w, &name,
				"is the name of another one, at %s:%d; rename one",
				other->origin.file, other->origin.line);
	}
	mem_grow(&l->invariant, &l->room, l->count + 1, sizeof(*l->invariant));
	l->invariant[l->count++] = *one;
	return 0;
}

int invariants_parse(
	struct invariants *l, const char *file, const struct yaml_doc *doc, struct err *e)
{
	static const struct field fields[] = {{"invariants", NULL}};
	const struct policy_context context = {0};
	const struct walk w = {.mem = &l->mem,
		.context = &context,
		.doc = doc,
		.file = arena_strdup(&l->mem, file),
		.e = e};
	const struct node root = {.value = doc->root};
	struct node member = node_member(&root, "invariants");
	const struct node *list = json_is_object(doc->root) ? &member : &root;
	int r = list == &root ? walk_list(&w, &root) : WALK_FIELDS(&w, &root, fields);

	if (!r && !list->value)
		return walk_error(&w, &root, "expected a list of assertions");
	r = r < 0 ? r : walk_list(&w, list);
	for (size_t i = 0; !r && i < node_items(list); i++) {
		struct node n = node_item(list, i);
		struct invariant one;

		r = invariant_parse(&w, &n, &one);
		r = r < 0 ? r : invariants_add(l, &w, &n, &one);
	}
	return r;
}

void invariants_done(struct invariants *l)
{
	free(l->invariant);
	arena_done(&l->mem);
	*l = (struct invariants){0};
}
