/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scenario's document to plain data: namespaces, nodes, endpoints. Called through scenario.h.
 * Owns what is in the scenario's arena. Must hold: a key that is not known is an error, and no
 * address belongs to two.
 */
#include "scenario/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"

/* Addresses for those that have none: the ranges of RFC 2544 and RFC 5180, which no policy names.
 */
enum { MADE_NODE = 0, MADE_ENDPOINT = 1, MADE_REMOTE = 255 };

struct scenario_settings scenario_settings_default(void)
{
	return (struct scenario_settings){
		.context = {.cluster = "default",
			.default_namespace = "default",
			.local_cluster = true,
			.kubernetes_reach = PREFIX_PODS | PREFIX_NODES},
		.enforce = POLICY_ENFORCE_DEFAULT,
		.localhost = true,
	};
}

const char *scenario_verdict_name(enum scenario_verdict v)
{
	static const char *const names[] = {"allow", "deny", "audit", "mixed", "none"};

	return names[v];
}

const char *because_name(enum because b)
{
	static const char *const names[] = {
#define X(name, text) [BECAUSE_##name] = (text),
		BECAUSE_LIST(X)
#undef X
	};

	return names[b];
}

static struct addr made_addr(unsigned what, size_t number, enum family f)
{
	struct addr a = {
		.word = {0, 0, htonl(0xffff),
			htonl(0xc6120000 | (what & 1) << 16 | (uint32_t)(number & 0xffff))}};

	if (f == FAMILY_V6)
		a = (struct addr){
			.word = {htonl(0x20010002), 0, htonl(what), htonl((uint32_t)number)}};
	return a;
}

void near_name(struct str *out, const char *written, const struct hash *names)
{
	unsigned best = (unsigned)strlen(written) / 2 + 1;
	const char *nearest = NULL;

	HASH_EACH(names, n) {
		unsigned d = str_distance(written, n->key);

		/* the table has no order: among equals the first in the alphabet */
		if (d < best || (nearest && d == best && strcmp(n->key, nearest) < 0)) {
			best = d;
			nearest = n->key;
		}
	}
	if (nearest)
		str_printf(out, "; did you mean %s?", nearest);
}

int read_int(const struct reader *r, const struct node *n, int64_t min, int64_t max, int64_t *ret)
{
	if (!n->value)
		return 0;
	if (!json_is_integer(n->value) || json_integer_value(n->value) < min ||
		json_integer_value(n->value) > max)
		return walk_error(&r->walk, n, "expected a number from %lld to %lld",
			(long long)min, (long long)max);
	*ret = json_integer_value(n->value);
	return 0;
}

struct addr remote_node_addr(enum family f)
{
	return made_addr(MADE_NODE, MADE_REMOTE << 8, f);
}

void node_make_addresses(struct scenario *s, size_t index)
{
	struct scenario_node *at = &s->node[index];

	at->addr = arena_array(&s->mem, FAMILIES, sizeof(*at->addr));
	for (enum family f = 0; f < FAMILIES; f++)
		at->addr[at->addrs++] = made_addr(MADE_NODE, index + 1, f);
}

void endpoint_make_addresses(struct scenario *s, size_t index)
{
	for (enum family f = 0; f < FAMILIES; f++)
		s->endpoint[index].addr[f] = made_addr(MADE_ENDPOINT, index + 1, f);
}

/* workload: of workloads, whose labels may not say what only kilim says. */
static int read_labels(struct reader *r, const struct node *n, const char *source, bool workload,
	struct labels *ret)
{
	struct labels l = {0};
	const char *key;
	json_t *value;

	if (n->value && !json_is_object(n->value))
		return walk_error(&r->walk, n, "expected a mapping, found %s", json_kind(n->value));
	l.label = arena_array(r->walk.mem, json_object_size(n->value), sizeof(*l.label));
	/* the iteration macro wants a mutable object but changes nothing */
	json_object_foreach((json_t *)n->value, key, value)
	{
		struct node at = node_member(n, key);
		SCOPED(str_done) struct str word = {0};
		const char *text = NULL;
		struct err e = {0};
		int bad = walk_string(&r->walk, &at, &text);

		if (bad < 0)
			return bad;
		str_printf(&word, "%s=%s", key, text ? text : "");
		if (label_parse(r->walk.mem, str_text(&word), source, &l.label[l.count], &e) < 0)
			return walk_error(&r->walk, &at, "%s", e.text);
		if (workload && label_is_authority(&l.label[l.count]))
			return walk_error(&r->walk, &at,
				"only the namespace and the cluster say this; leave it out");
		l.count++;
	}
	*ret = l;
	return 0;
}

static int name_index(struct reader *r, const struct node *n, struct hash *names, const char *name,
	size_t index, const char *what)
{
	if (hash_get_str(names, name))
		return walk_error(&r->walk, n, "there is another %s of this name", what);
	(void)hash_put_str(names, name, (void *)(uintptr_t)(index + 1));
	return 0;
}

static int read_address(struct reader *r, const struct node *n, struct addr *ret)
{
	const char *text = NULL;
	int bad = walk_string_needed(&r->walk, n, &text);

	if (bad < 0)
		return bad;
	if (addr_parse(text, ret) < 0)
		return walk_error(&r->walk, n, "\"%.60s\" is no address", text);
	return 0;
}

static int read_namespaces(struct reader *r, const struct node *list)
{
	static const struct field fields[] = {{"name", NULL}, {"labels", NULL}};
	struct scenario *s = r->scenario;
	struct hash SCOPED(hash_done) names = {0};
	int bad = walk_list(&r->walk, list);

	s->namespace = arena_array(&s->mem, node_items(list), sizeof(*s->namespace));
	for (size_t i = 0; bad >= 0 && i < node_items(list); i++) {
		struct node n = node_item(list, i), name = node_member(&n, "name");
		struct node labels = node_member(&n, "labels");
		struct policy_namespace *at = &s->namespace[i];

		at->origin = walk_origin(&r->walk, &n);
		bad = WALK_FIELDS(&r->walk, &n, fields);
		bad = bad < 0 ? bad : walk_string_needed(&r->walk, &name, &at->name);
		bad = bad < 0 ? bad : read_labels(r, &labels, "k8s", false, &at->labels);
		bad = bad < 0 ? bad : name_index(r, &name, &names, at->name, i, "namespace");
		if (bad >= 0)
			at->name = arena_strdup(&s->mem, at->name);
		s->namespaces = i + 1;
	}
	return bad;
}

static int read_node(struct reader *r, const struct node *n, size_t index)
{
	static const struct field fields[] = {
		{"name", NULL}, {"addresses", NULL}, {"labels", NULL}};
	struct node name = node_member(n, "name"), labels = node_member(n, "labels");
	struct node list = node_member(n, "addresses");
	struct scenario *s = r->scenario;
	struct scenario_node *at = &s->node[index];
	int bad = WALK_FIELDS(&r->walk, n, fields);

	bad = bad < 0 ? bad : walk_string_needed(&r->walk, &name, &at->name);
	bad = bad < 0 ? bad : name_index(r, &name, &s->node_by_name, at->name, index, "node");
	bad = bad < 0 ? bad : read_labels(r, &labels, "node", false, &at->labels);
	bad = bad < 0 ? bad : walk_list(&r->walk, &list);
	if (bad < 0)
		return bad;
	at->name = arena_strdup(&s->mem, at->name);
	at->addr = arena_array(&s->mem, node_items(&list), sizeof(*at->addr));
	for (; bad >= 0 && at->addrs < node_items(&list); at->addrs++) {
		struct node item = node_item(&list, at->addrs);

		bad = read_address(r, &item, &at->addr[at->addrs]);
	}
	return bad;
}

/* The nodes, and behind them the one of endpoints that name none. */
static int read_nodes(struct reader *r, const struct node *list)
{
	struct scenario *s = r->scenario;
	int bad = walk_list(&r->walk, list);

	s->nodes = node_items(list) + 1;
	s->node = arena_array(&s->mem, s->nodes, sizeof(*s->node));
	for (size_t i = 0; bad >= 0 && i + 1 < s->nodes; i++) {
		struct node n = node_item(list, i);

		bad = read_node(r, &n, i);
	}
	s->node[s->nodes - 1].name = "";
	for (size_t i = 0; bad >= 0 && i < s->nodes; i++) {
		if (!s->node[i].addrs)
			node_make_addresses(s, i);
	}
	return bad;
}

static int read_addresses(struct reader *r, const struct node *list, size_t index)
{
	struct scenario_endpoint *at = &r->scenario->endpoint[index];
	int bad = walk_list(&r->walk, list);

	for (size_t i = 0; bad >= 0 && i < node_items(list); i++) {
		struct node n = node_item(list, i);
		struct addr a;

		bad = read_address(r, &n, &a);
		if (bad < 0)
			break;
		if (!addr_is_zero(&at->addr[addr_is_v4(&a) ? FAMILY_V4 : FAMILY_V6]))
			return walk_error(
				&r->walk, &n, "an endpoint has one address of each family at most");
		at->addr[addr_is_v4(&a) ? FAMILY_V4 : FAMILY_V6] = a;
	}
	if (!node_items(list))
		endpoint_make_addresses(r->scenario, index);
	return bad;
}

static int read_ports(struct reader *r, const struct node *n, struct scenario_endpoint *at)
{
	const char *key;
	json_t *value;

	if (n->value && !json_is_object(n->value))
		return walk_error(&r->walk, n, "expected a mapping of names to ports, found %s",
			json_kind(n->value));
	at->port = arena_array(r->walk.mem, json_object_size(n->value), sizeof(*at->port));
	/* the iteration macro wants a mutable object but changes nothing */
	json_object_foreach((json_t *)n->value, key, value)
	{
		struct named_traffic *p = &at->port[at->ports++];
		struct node port = node_member(n, key);
		SCOPED(str_done) struct str text = {0};
		struct err e = {0};
		char *name = arena_strdup(r->walk.mem, key);

		for (char *c = name; *c; c++)
			*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
		p->name = name;
		if (json_is_integer(port.value))
			str_printf(&text, "%lld", (long long)json_integer_value(port.value));
		else
			str_add(&text,
				json_string_value(port.value) ? json_string_value(port.value) : "");
		if (traffic_parse(str_text(&text), &p->traffic, &e) < 0 ||
			!protocol_has_ports(p->traffic.protocol))
			return walk_error(&r->walk, &port, "expected a port such as 80/TCP%s%s",
				*e.text ? ": " : "", e.text);
	}
	return 0;
}

static int read_endpoint(struct reader *r, const struct node *n, size_t index)
{
	static const struct field fields[] = {{"name", NULL}, {"labels", NULL}, {"addresses", NULL},
		{"node", NULL}, {"ports", NULL}};
	struct node name = node_member(n, "name"), labels = node_member(n, "labels");
	struct node addresses = node_member(n, "addresses"), node = node_member(n, "node");
	struct node ports = node_member(n, "ports");
	struct scenario *s = r->scenario;
	struct scenario_endpoint *at = &s->endpoint[index];
	const char *slash, *of = NULL;
	int bad = WALK_FIELDS(&r->walk, n, fields);

	at->origin = walk_origin(&r->walk, n);
	bad = bad < 0 ? bad : walk_string_needed(&r->walk, &name, &at->name);
	bad = bad < 0 ? bad
		      : name_index(r, &name, &s->endpoint_by_name, at->name, index, "endpoint");
	bad = bad < 0 ? bad : read_labels(r, &labels, "k8s", true, &at->given);
	bad = bad < 0 ? bad : read_addresses(r, &addresses, index);
	bad = bad < 0 ? bad : walk_string(&r->walk, &node, &of);
	bad = bad < 0 ? bad : read_ports(r, &ports, at);
	if (bad < 0)
		return bad;
	at->name = arena_strdup(&s->mem, at->name);
	slash = strchr(at->name, '/');
	at->namespace = slash ? arena_printf(&s->mem, "%.*s", (int)(slash - at->name), at->name)
			      : s->settings.context.default_namespace;
	at->node = s->nodes - 1;
	if (of && !hash_get_str(&s->node_by_name, of)) {
		SCOPED(str_done) struct str hint = {0};

		near_name(&hint, of, &s->node_by_name);
		return walk_error(
			&r->walk, &node, "there is no node \"%.60s\"%s", of, str_text(&hint));
	}
	if (of)
		at->node = (uintptr_t)hash_get_str(&s->node_by_name, of) - 1;
	return 0;
}

static int own(struct reader *r, const struct node *n, const struct addr *a, enum end_kind kind,
	size_t index)
{
	struct scenario_end *owner = arena_alloc(r->walk.mem, sizeof(*owner));
	char text[ADDR_TEXT];

	*owner = (struct scenario_end){.kind = kind, .index = index};
	if (addr_is_zero(a) || !hash_put(&r->scenario->owner, a, sizeof(*a), owner))
		return 0;
	return walk_error(
		&r->walk, n, "address %s belongs to another one already", addr_format(a, text));
}

/* Each address once: the data path knows its owner by it. */
static int own_addresses(struct reader *r, const struct node *nodes, const struct node *endpoints)
{
	struct scenario *s = r->scenario;
	int bad = 0;

	for (size_t i = 0; i < s->nodes; i++) {
		struct node n = node_item(nodes, i);

		for (size_t k = 0; bad >= 0 && k < s->node[i].addrs; k++)
			bad = own(r, &n, &s->node[i].addr[k], END_NODE, i);
	}
	for (size_t i = 0; i < s->endpoints; i++) {
		struct node n = node_item(endpoints, i);

		for (enum family f = 0; bad >= 0 && f < FAMILIES; f++)
			bad = own(r, &n, &s->endpoint[i].addr[f], END_ENDPOINT, i);
	}
	return bad;
}

static int read_endpoints(struct reader *r, const struct node *list)
{
	struct scenario *s = r->scenario;
	int bad = walk_list(&r->walk, list);

	s->endpoint = arena_array(&s->mem, node_items(list), sizeof(*s->endpoint));
	for (; bad >= 0 && s->endpoints < node_items(list); s->endpoints++) {
		struct node n = node_item(list, s->endpoints);

		bad = read_endpoint(r, &n, s->endpoints);
	}
	return bad;
}

static int read_scenario(struct reader *r, const struct node *root)
{
	static const struct field fields[] = {{"cluster", NULL}, {"namespaces", NULL},
		{"nodes", NULL}, {"endpoints", NULL}, {"policies", NULL}, {"probes", NULL},
		{"matrix", NULL}, {"invariants", NULL}};
	struct node cluster = node_member(root, "cluster"), nodes = node_member(root, "nodes");
	struct node namespaces = node_member(root, "namespaces"),
		    probes = node_member(root, "probes");
	struct node endpoints = node_member(root, "endpoints");
	struct node policies = node_member(root, "policies"), matrix = node_member(root, "matrix");
	struct node invariants = node_member(root, "invariants");
	struct scenario *s = r->scenario;
	const char *name = NULL;
	int bad = WALK_FIELDS(&r->walk, root, fields);

	bad = bad < 0 ? bad : walk_string(&r->walk, &cluster, &name);
	if (bad >= 0 && name && *name)
		s->settings.context.cluster = arena_strdup(&s->mem, name);
	bad = bad < 0 ? bad : read_namespaces(r, &namespaces);
	bad = bad < 0 ? bad : read_nodes(r, &nodes);
	bad = bad < 0 ? bad : read_endpoints(r, &endpoints);
	bad = bad < 0 ? bad : own_addresses(r, &nodes, &endpoints);
	bad = bad < 0 ? bad : read_policies(r, &policies);
	bad = bad < 0 ? bad : read_invariants(r, &invariants);
	return bad < 0 ? bad : read_probes(r, &probes, &matrix);
}

int scenario_parse(const struct scenario_settings *settings, const char *file,
	const char *directory, const struct yaml_doc *doc, struct scenario *ret, struct err *e)
{
	struct scenario SCOPED(scenario_done) s = {.line = doc->line, .settings = *settings};
	struct reader r = {.scenario = &s, .directory = directory};
	const struct node root = {.value = doc->root};
	int bad;

	s.file = arena_strdup(&s.mem, file);
	r.walk = (struct walk){
		.mem = &s.mem, .context = &s.settings.context, .doc = doc, .file = s.file, .e = e};
	bad = read_scenario(&r, &root);
	if (bad < 0)
		return bad;
	*ret = s;
	s = (struct scenario){0};
	return 0;
}

void scenario_done(struct scenario *s)
{
	hash_done(&s->endpoint_by_name);
	hash_done(&s->node_by_name);
	hash_done(&s->owner);
	policy_set_done(&s->set);
	invariants_done(&s->invariants);
	arena_done(&s->mem);
	*s = (struct scenario){0};
}
