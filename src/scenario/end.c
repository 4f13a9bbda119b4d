/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ends of a packet as texts, and their addresses. Called for probes and for command lines. Owns
 * nothing. Must hold: an address of somebody in the scenario is never taken for one outside.
 */
#include <errno.h>
#include <string.h>

#include "scenario/parse.h"

static int parse_named(
	const char *name, const struct hash *names, const char *what, size_t *ret, struct err *e)
{
	uintptr_t found = (uintptr_t)hash_get_str(names, name);
	SCOPED(str_done) struct str hint = {0};

	if (found) {
		*ret = found - 1;
		return 0;
	}
	near_name(&hint, name, names);
	return err_set(e, -EINVAL, "there is no %s \"%.100s\"%s", what, name, str_text(&hint));
}

static int parse_world(
	const struct scenario *s, const char *text, struct scenario_end *ret, struct err *e)
{
	const struct scenario_end *owner;
	SCOPED(str_done) struct str name = {0};

	*ret = (struct scenario_end){.kind = END_ADDRESS};
	if (addr_parse(text, &ret->addr) < 0)
		return err_set(e, -EINVAL, "\"%.60s\" is no address", text);
	owner = hash_get(&s->owner, &ret->addr, sizeof(ret->addr));
	if (!owner)
		return 0;
	scenario_end_format(&name, s, owner);
	return err_set(e, -EINVAL, "%s is not outside: it is %s", text, str_text(&name));
}

int scenario_end_parse(
	const struct scenario *s, const char *text, struct scenario_end *ret, struct err *e)
{
	struct scenario_end end = {.kind = END_ENDPOINT};
	int r = 0;

	if (str_eq(text, "host"))
		end.kind = END_HOST;
	else if (str_eq(text, "remote-node"))
		end.kind = END_REMOTE_NODE;
	else if (str_has_prefix(text, "world:"))
		r = parse_world(s, text + strlen("world:"), &end, e);
	else if (str_has_prefix(text, "node:"))
		r = parse_named(text + strlen("node:"), &s->node_by_name, "node", &end.index, e);
	else
		r = parse_named(text, &s->endpoint_by_name, "endpoint", &end.index, e);
	if (r >= 0 && str_has_prefix(text, "node:"))
		end.kind = END_NODE;
	if (r >= 0)
		*ret = end;
	return r;
}

void scenario_end_format(struct str *out, const struct scenario *s, const struct scenario_end *end)
{
	char text[ADDR_TEXT];

	switch (end->kind) {
	case END_ENDPOINT:
		str_add(out, s->endpoint[end->index].name);
		break;
	case END_ADDRESS:
		str_printf(out, "world:%s", addr_format(&end->addr, text));
		break;
	case END_HOST:
		str_add(out, "host");
		break;
	case END_REMOTE_NODE:
		str_add(out, "remote-node");
		break;
	case END_NODE:
		if (*s->node[end->index].name)
			str_printf(out, "node:%s", s->node[end->index].name);
		else
			str_add(out, "the node without a name");
		break;
	}
}

/* ---- what only a command line says ---- */

/* x/app=web: the length of the namespace in front; a prefix with dots is the label's own. */
static size_t namespace_len(const char *text)
{
	size_t len = strcspn(text, "/=.:,");

	return text[len] == '/' ? len : 0;
}

/* Labels to those of a new endpoint; the one that says the namespace becomes its namespace. */
static int parse_labels(
	struct scenario *s, const char *text, struct scenario_endpoint *at, struct err *e)
{
	size_t len = namespace_len(text), most = 1;
	SCOPED(freep) char *copy = mem_strdup(text + (len ? len + 1 : 0));
	char *rest = copy;

	if (len)
		at->namespace = arena_printf(&s->mem, "%.*s", (int)len, text);
	for (const char *c = text; *c; c++)
		most += *c == ',';
	at->given.label = arena_array(&s->mem, most, sizeof(*at->given.label));
	for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
		struct label *l = &at->given.label[at->given.count];

		if (label_parse(&s->mem, word, "k8s", l, e) < 0)
			return -EINVAL;
		if (str_eq(l->key, LABEL_NAMESPACE))
			at->namespace = l->value;
		else if (label_is_authority(l))
			return err_set(e, -EINVAL, "%s: no workload has this label", word);
		else
			at->given.count++;
	}
	return 0;
}

/* x/app=web, whichever way the namespace was said. */
static void set_name(struct scenario *s, struct scenario_endpoint *at)
{
	SCOPED(str_done) struct str name = {0};

	str_printf(&name, "%s/", at->namespace);
	for (size_t i = 0; i < at->given.count; i++) {
		const struct label *l = &at->given.label[i];

		str_printf(&name, "%s%s%s%s=%s", i ? "," : "",
			str_eq(l->source, "k8s") ? "" : l->source,
			str_eq(l->source, "k8s") ? "" : ":", l->key, l->value);
	}
	at->name = arena_strdup(&s->mem, str_text(&name));
}

static int add_endpoint(
	struct scenario *s, const char *text, struct scenario_end *ret, struct err *e)
{
	struct scenario_endpoint *more =
		arena_array(&s->mem, s->endpoints + 1, sizeof(*s->endpoint));
	struct scenario_endpoint *at = &more[s->endpoints];
	int r;

	if (s->endpoints)
		memcpy(more, s->endpoint, s->endpoints * sizeof(*more));
	*at = (struct scenario_endpoint){.namespace = s->settings.context.default_namespace,
		.node = s->nodes - 1,
		.origin = {.file = "the command line"}};
	r = parse_labels(s, text, at, e);
	if (r < 0)
		return r;
	set_name(s, at);
	*ret = (struct scenario_end){.kind = END_ENDPOINT, .index = s->endpoints};
	s->endpoint = more;
	endpoint_make_addresses(s, s->endpoints++);
	return 0;
}

int scenario_end_resolve(
	struct scenario *s, const char *text, struct scenario_end *ret, struct err *e)
{
	const struct scenario_end *owner;
	struct addr a;

	if (addr_parse(text, &a) < 0)
		return strchr(text, '=') ? add_endpoint(s, text, ret, e)
					 : scenario_end_parse(s, text, ret, e);
	owner = hash_get(&s->owner, &a, sizeof(a));
	*ret = owner ? *owner : (struct scenario_end){.kind = END_ADDRESS, .addr = a};
	return 0;
}

/* ---- addresses ---- */

struct addr scenario_end_addr(const struct scenario *s, const struct scenario_end *end,
	const struct scenario_end *other, enum family f)
{
	const struct scenario_node *n = NULL;

	switch (end->kind) {
	case END_ENDPOINT:
		return s->endpoint[end->index].addr[f];
	case END_ADDRESS:
		return addr_is_v4(&end->addr) == (f == FAMILY_V4) ? end->addr : (struct addr){0};
	case END_REMOTE_NODE:
		return remote_node_addr(f);
	case END_HOST:
		n = &s->node[other->kind == END_ENDPOINT ? s->endpoint[other->index].node
							 : s->nodes - 1];
		break;
	case END_NODE:
		n = &s->node[end->index];
		break;
	}
	for (size_t i = 0; i < n->addrs; i++) {
		if (addr_is_v4(&n->addr[i]) == (f == FAMILY_V4))
			return n->addr[i];
	}
	return (struct addr){0};
}

unsigned scenario_families(const struct scenario *s, const struct scenario_end *from,
	const struct scenario_end *to, const struct traffic *t)
{
	unsigned families = 0;

	for (enum family f = 0; f < FAMILIES; f++) {
		struct addr a = scenario_end_addr(s, from, to, f);
		struct addr b = scenario_end_addr(s, to, from, f);

		if (!addr_is_zero(&a) && !addr_is_zero(&b) && traffic_is_of(t, f))
			families |= 1u << f;
	}
	return families;
}
