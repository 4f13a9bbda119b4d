/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the specs that select an identity to the content of its slot. Called by engine.c. Owns
 * contents. Must hold: identities that no part tells apart share a class; the root's class, which
 * any unknown peer gets, is allowed what rules for any peer allow and no more; content_follow()
 * leads where compiling anew would.
 */
#include "policy/content.h"

#include <stdlib.h>
#include <string.h>

/* --- parts ----------------------------------------------------------------------------------- */

static struct part *add_part(struct side *s, const struct use *u, const struct element *e)
{
	struct part *p;

	mem_grow(&s->part, &s->part_room, s->parts + 1, sizeof(*s->part));
	p = &s->part[s->parts++];
	*p = (struct part){.element = e, .any = e && e->any};
	for (enum view v = 0; u && v < VIEWS; v++)
		p->in[v] = u->in[v];
	return p;
}

static bool protocol_fits(uint8_t wanted, uint8_t protocol)
{
	return !wanted || wanted == protocol;
}

/* The numbers among the element's ports, and for an ingress rule what the names stand for on the
 * subject. The part owns the array. */
static size_t resolve_ports(
	const struct element *e, const struct identity_info *subject, const struct port_range **ret)
{
	struct port_range *port = NULL;
	size_t count = 0, room = 0;

	for (size_t i = 0; i < e->ports; i++) {
		const struct port_range *r = &e->port[i];

		if (!r->name) {
			mem_grow(&port, &room, count + 1, sizeof(*port));
			port[count++] = *r;
		}
		for (size_t k = 0; r->name && subject && k < subject->ports; k++) {
			const struct named_port *n = &subject->port[k];

			if (!str_eq(n->name, r->name) || !protocol_fits(r->protocol, n->protocol))
				continue;
			mem_grow(&port, &room, count + 1, sizeof(*port));
			port[count++] =
				(struct port_range){n->protocol, n->number, n->number, NULL};
		}
	}
	*ret = port;
	return count;
}

/* The part for a number that a name of an egress rule stands for on some peers. */
static struct part *port_part(struct side *s, size_t first, const struct use *u,
	const struct element *e, const struct named_port *n)
{
	struct port_range *port;
	struct part *p;

	for (size_t i = first; i < s->parts; i++) {
		p = &s->part[i];
		if (p->only && p->port[0].protocol == n->protocol && p->port[0].first == n->number)
			return p;
	}
	p = add_part(s, u, e);
	port = mem_alloc(sizeof(*port));
	*port = (struct port_range){n->protocol, n->number, n->number, NULL};
	p->port = port;
	p->ports = 1;
	p->any = false;
	p->only = mem_alloc(sizeof(*p->only));
	return p;
}

static void add_peer_ports(const struct content_maker *m, struct side *s, size_t first,
	const struct use *u, const struct element *e, const struct ids *peers)
{
	for (size_t i = 0; i < peers->count; i++) {
		const struct identity_info *info = selections_ports(m->selections, peers->id[i]);

		for (size_t k = 0; info && k < info->ports; k++) {
			const struct named_port *n = &info->port[k];

			for (size_t r = 0; r < e->ports; r++) {
				if (e->port[r].name && str_eq(e->port[r].name, n->name) &&
					protocol_fits(e->port[r].protocol, n->protocol))
					(void)ids_add(
						port_part(s, first, u, e, n)->only, peers->id[i]);
			}
		}
	}
}

/* An egress rule with names: a part for its numbers, and one for each number that a name stands
 * for. Parts of identities have the ports of their base, so all identities are looked at. */
static void add_named(
	const struct content_maker *m, struct side *s, const struct use *u, const struct element *e)
{
	const struct port_range *port;
	size_t ports = resolve_ports(e, NULL, &port), first;

	if (ports) {
		struct part *p = add_part(s, u, e);

		p->port = port;
		p->ports = ports;
	}
	first = s->parts;
	if (e->any) {
		add_peer_ports(m, s, first, u, e, &m->selections->with_ports);
		add_peer_ports(m, s, first, u, e, &m->selections->parts);
	}
	for (size_t i = 0; !e->any && i < e->selections; i++)
		add_peer_ports(m, s, first, u, e, &e->selection[i]->ids);
}

static void add_element(const struct content_maker *m, struct content *c, struct side *s,
	const struct use *u, const struct element *e, const struct identity_info *subject)
{
	const struct port_range *port = NULL;
	size_t ports;

	if (!e->any && !e->selections)
		return;
	if (e->named && s->direction == POLICY_EGRESS) {
		c->follows_ports = true;
		add_named(m, s, u, e);
		return;
	}
	ports = resolve_ports(e, subject, &port);
	if (e->ports && !ports)
		return; /* nobody has the name */
	add_part(s, u, e)->port = port;
	s->part[s->parts - 1].ports = ports;
}

static bool part_has(const struct part *p, uint32_t number, const struct identity_info *fresh)
{
	if (!p->element)
		return number == IDENTITY_HOST || (fresh && fresh->base == IDENTITY_HOST);
	if (p->only)
		return ids_has(p->only, number);
	for (size_t i = 0; i < p->element->selections; i++) {
		if (p->element->selection[i]->fresh)
			return true;
	}
	return false;
}

/* --- what no rule decides -------------------------------------------------------------------- */

static uint32_t denial_id(
	const struct content_maker *m, struct content *c, enum policy_direction d, enum view view)
{
	const struct object *last = NULL;
	SCOPED(str_done) struct str name = {0};
	uint32_t id;

	str_printf(&name, "default deny %s:", d == POLICY_INGRESS ? "ingress" : "egress");
	for (size_t i = 0; i < c->uses; i++) {
		const struct spec *s = c->use[i].spec;

		if (!c->use[i].in[view] || !s->default_deny[d] || s->object == last)
			continue;
		last = s->object;
		str_printf(&name, " %s", last->name);
	}
	id = rule_ids_get(m->ids, str_text(&name));
	for (size_t i = 0; i < c->denials; i++) {
		if (c->denial[i].id == id)
			return id;
	}
	c->denial[c->denials++] = (struct denial){id, d, view};
	return id;
}

static struct outcome denied_by(uint32_t id)
{
	return (struct outcome){.rule = id, .verdict = POLICY_DEFAULT_DENY, .enforced = 1};
}

static void set_fallback(
	const struct content_maker *m, struct content *c, struct side *s, enum view view)
{
	bool always = m->options.enforce == POLICY_ENFORCE_ALWAYS, selected = false;
	bool denies = false, strict = false; /* strict: the own node is not spared */
	struct fallback f = {.rest = {.verdict = POLICY_ALLOW}};

	for (size_t i = 0; i < c->uses; i++) {
		const struct spec *spec = c->use[i].spec;

		if (!c->use[i].in[view])
			continue;
		selected |= spec->selects[s->direction];
		denies |= spec->default_deny[s->direction];
		strict |= spec->default_deny[s->direction] && !spec->spares_own_node;
	}
	if (selected)
		f.rest = (struct outcome){
			.verdict = POLICY_ALLOW, .match = POLICY_MATCH_ALL, .enforced = 1};
	if (denies || always) {
		struct outcome denial = denied_by(denial_id(m, c, s->direction, view));

		f.denies = denies;
		f.denial = denial;
		if (always)
			f.rest = denial;
	}
	s->fallback[view] = f;
	/* what spares it is the last word: the baseline tier is for whom no policy isolates */
	if (s->direction == POLICY_EGRESS && denies && !strict) {
		s->spares = true;
		f.denial = (struct outcome){
			.verdict = POLICY_ALLOW, .match = POLICY_MATCH_ALL, .enforced = 1};
	}
	s->own_node[view] = f;
}

static void side_init(const struct content_maker *m, struct content *c, enum policy_direction d,
	const struct identity_info *subject)
{
	struct side *s = &c->side[d];

	s->direction = d;
	for (size_t i = 0; i < c->uses; i++)
		s->shadow |= c->use[i].in[VIEW_ENFORCED] != c->use[i].in[VIEW_SHADOW];
	for (enum view v = 0; v < VIEWS; v++)
		set_fallback(m, c, s, v);
	for (size_t i = 0; i < c->uses; i++) {
		const struct spec *spec = c->use[i].spec;

		for (size_t k = 0; k < spec->elements; k++) {
			if (spec->element[k].direction == d)
				add_element(m, c, s, &c->use[i], &spec->element[k], subject);
		}
	}
	if (s->spares)
		(void)add_part(s, NULL, NULL);
	mem_grow(&s->node, &s->node_room, 1, sizeof(*s->node));
	s->nodes = 1;
}

static void side_done(struct side *s)
{
	for (size_t i = 0; i < s->parts; i++) {
		free((void *)s->part[i].port);
		if (s->part[i].only)
			ids_done(s->part[i].only);
		free(s->part[i].only);
	}
	free(s->part);
	free(s->node);
}

/* --- classes --------------------------------------------------------------------------------- */

static struct compiled_class *class_get(struct hash *classes, const struct cut *cut)
{
	size_t size = cut->count * sizeof(*cut->entry);
	struct compiled_class *class = hash_get(classes, cut->entry, size);

	if (!class) {
		class = mem_alloc(sizeof(*class));
		class->entry = mem_dup(cut->entry, size);
		class->entries = cut->count;
		(void)hash_put(classes, cut->entry, size, class);
	}
	return class;
}

static void class_put(struct hash *classes, struct compiled_class *class)
{
	if (--class->references)
		return;
	(void)hash_remove(classes, class->entry, class->entries * sizeof(*class->entry));
	free((void *)class->entry);
	free(class);
}

/* The index of the class in the content; the content has one reference on each. */
static uint32_t class_index(struct content *c, struct compiled_class *class)
{
	struct compiled_content *out = &c->out;

	for (size_t i = 0; i < out->classes; i++) {
		if (out->class[i] == class)
			return (uint32_t)i;
	}
	mem_grow(&out->class, &out->class_room, out->classes + 1, sizeof(struct compiled_class *));
	class->references++;
	out->class[out->classes] = class;
	return (uint32_t)out->classes++;
}

static struct claim claim_of(const struct part *p)
{
	const struct element *e = p->element;
	const struct spec *spec = e->spec;

	return (struct claim){.id = e->id,
		.action = e->action,
		.tier = spec->object->tier,
		.in = {p->in[VIEW_ENFORCED], p->in[VIEW_SHADOW]},
		.specific = !e->any,
		.order = e->order,
		.port = p->port,
		.ports = p->ports};
}

/* The claims that hold at a node of the tree: those for any peer, and those on the way from the
 * root. */
static void claims_of(
	const struct side *s, uint32_t node, struct cut_want *w, struct claim *claim, bool *taken)
{
	bool own_node = false;
	const struct object *last = NULL;
	uint32_t group = 0;

	for (; node; node = s->node[node].parent) {
		taken[s->node[node].part] = true;
		own_node |= !s->part[s->node[node].part].element;
	}
	for (size_t i = 0; i < s->parts; i++) {
		const struct part *p = &s->part[i];

		if (!p->element || !(p->any || taken[i]))
			continue;
		claim[w->claims] = claim_of(p);
		if (p->element->spec->object->ordered[s->direction]) {
			group += p->element->spec->object != last;
			last = p->element->spec->object;
			claim[w->claims].group = group;
		}
		w->claims++;
	}
	w->claim = claim;
	for (enum view v = 0; v < VIEWS; v++)
		w->fallback[v] = own_node ? s->own_node[v] : s->fallback[v];
}

/* The class of the peers at a node, as index in the content. */
static uint32_t class_at(
	const struct content_maker *m, struct content *c, struct side *s, uint32_t node)
{
	struct tree_node *n = &s->node[node];
	struct cut SCOPED(cut_done) cut = {0};
	SCOPED(freep) struct claim *claim = NULL;
	SCOPED(freep) bool *taken = NULL;
	struct cut_want w = {.shadow = s->shadow, .audit = m->options.audit};

	if (n->class)
		return n->class - 1;
	claim = mem_array(s->parts, sizeof(*claim));
	taken = mem_array(s->parts, sizeof(*taken));
	claims_of(s, node, &w, claim, taken);
	cut_claims(&cut, &w);
	n->class = class_index(c, class_get(m->classes, &cut)) + 1;
	return n->class - 1;
}

static uint32_t child_new(struct side *s, uint32_t parent, uint32_t part)
{
	mem_grow(&s->node, &s->node_room, s->nodes + 1, sizeof(*s->node));
	s->node[s->nodes] = (struct tree_node){parent, part, 0};
	return (uint32_t)s->nodes++;
}

static uint32_t child_find(struct side *s, uint32_t parent, uint32_t part)
{
	for (size_t i = 1; i < s->nodes; i++) {
		if (s->node[i].parent == parent && s->node[i].part == part)
			return (uint32_t)i;
	}
	return child_new(s, parent, part);
}

/* --- sorting the identities into the tree ---------------------------------------------------- */

static uint32_t *scratch_at(struct scratch *s, uint32_t number)
{
	if (number <= IDENTITY_CLUSTER_MAX) {
		if (!s->low)
			s->low = mem_array(IDENTITY_CLUSTER_MAX + 1, sizeof(*s->low));
		return &s->low[number];
	}
	number -= IDENTITY_LOCAL_MIN;
	mem_grow(&s->local, &s->local_room, (size_t)number + 1, sizeof(*s->local));
	return &s->local[number];
}

void scratch_done(struct scratch *s)
{
	free(s->low);
	free(s->local);
}

struct sorting {
	struct side *side;
	struct scratch *scratch;
	uint32_t *child,
		*used; /* by node: its child by the part at hand; the nodes that have one */
	size_t child_room, used_room, useds;
	uint32_t part;
	struct ids seen; /* in no order */
};

static void move(struct sorting *w, uint32_t number)
{
	uint32_t *at = scratch_at(w->scratch, number), from = *at;

	if (from && w->side->node[from].part == w->part)
		return; /* two selections of one rule mean it */
	if (!from) {
		mem_grow(&w->seen.id, &w->seen.room, w->seen.count + 1, sizeof(*w->seen.id));
		w->seen.id[w->seen.count++] = number;
	}
	mem_grow(&w->child, &w->child_room, w->side->nodes + 1, sizeof(*w->child));
	if (!w->child[from]) {
		w->child[from] = child_new(w->side, from, w->part);
		mem_grow(&w->used, &w->used_room, w->useds + 1, sizeof(*w->used));
		w->used[w->useds++] = from;
	}
	*at = w->child[from];
}

static void move_part(const struct content_maker *m, struct sorting *w)
{
	const struct part *p = &w->side->part[w->part];

	if (!p->element) {
		move(w, IDENTITY_HOST);
		for (size_t i = 0; i < m->selections->parts.count; i++) {
			const struct member *x =
				selections_member(m->selections, m->selections->parts.id[i]);

			if (x->info->base == IDENTITY_HOST)
				move(w, x->number);
		}
	} else if (p->only) {
		for (size_t i = 0; i < p->only->count; i++)
			move(w, p->only->id[i]);
	} else {
		for (size_t k = 0; !p->any && k < p->element->selections; k++) {
			const struct ids *ids = &p->element->selection[k]->ids;

			for (size_t i = 0; i < ids->count; i++)
				move(w, ids->id[i]);
		}
	}
	for (size_t i = 0; i < w->useds; i++)
		w->child[w->used[i]] = 0;
	w->useds = 0;
}

static int number_order(const void *pa, const void *pb)
{
	const uint32_t *a = pa, *b = pb;

	return *a < *b ? -1 : *a > *b;
}

/* Peers of one direction, sorted, with their class. */
struct classed {
	uint32_t *identity, *class;
	size_t count;
};

static void classed_done(struct classed *x)
{
	free(x->identity);
	free(x->class);
}

static void sort_side(
	const struct content_maker *m, struct content *c, struct side *s, struct classed *ret)
{
	struct sorting w = {.side = s, .scratch = m->scratch};

	for (w.part = 0; w.part < s->parts; w.part++)
		move_part(m, &w);
	if (w.seen.count)
		qsort(w.seen.id, w.seen.count, sizeof(*w.seen.id), number_order);
	c->out.base[s->direction] = class_at(m, c, s, 0);
	ret->identity = w.seen.id;
	ret->count = w.seen.count;
	ret->class = mem_array(w.seen.count, sizeof(*ret->class));
	for (size_t i = 0; i < w.seen.count; i++) {
		uint32_t *at = scratch_at(m->scratch, w.seen.id[i]);

		ret->class[i] = class_at(m, c, s, *at);
		*at = 0;
	}
	free(w.child);
	free(w.used);
}

static bool is_base(const struct compiled_content *c, const struct compiled_peer *p)
{
	return p->class[POLICY_INGRESS] == c->base[POLICY_INGRESS] &&
	       p->class[POLICY_EGRESS] == c->base[POLICY_EGRESS];
}

/* One list of both directions. */
static void join_sides(struct compiled_content *out, const struct classed side[POLICY_DIRECTIONS])
{
	size_t at[POLICY_DIRECTIONS] = {0};

	for (;;) {
		struct compiled_peer p = {.identity = UINT32_MAX};

		for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
			if (at[d] < side[d].count && side[d].identity[at[d]] < p.identity)
				p.identity = side[d].identity[at[d]];
		}
		if (p.identity == UINT32_MAX)
			return;
		for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
			p.class[d] = out->base[d];
			if (at[d] < side[d].count && side[d].identity[at[d]] == p.identity)
				p.class[d] = side[d].class[at[d]++];
		}
		if (is_base(out, &p))
			continue;
		mem_grow(&out->peer, &out->peer_room, out->peers + 1, sizeof(*out->peer));
		out->peer[out->peers++] = p;
	}
}

/* --- contents -------------------------------------------------------------------------------- */

struct content *content_new(const struct content_maker *m, const struct use *use, size_t uses,
	const struct identity_info *subject)
{
	struct content *c = mem_alloc(sizeof(*c));
	struct classed classed[POLICY_DIRECTIONS];

	c->references = 1;
	c->use = mem_dup(use, uses * sizeof(*use));
	c->uses = m->options.enforce == POLICY_ENFORCE_NEVER ? 0 : uses;
	c->out.token = ++*m->tokens;
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		side_init(m, c, d, subject);
		sort_side(m, c, &c->side[d], &classed[d]);
	}
	join_sides(&c->out, classed);
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++)
		classed_done(&classed[d]);
	return c;
}

void content_unref(struct hash *classes, struct content *c)
{
	if (--c->references)
		return;
	for (size_t i = 0; i < c->out.classes; i++)
		class_put(classes, c->out.class[i]);
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++)
		side_done(&c->side[d]);
	free(c->out.class);
	free(c->out.peer);
	free(c->use);
	free(c);
}

struct content *content_renew(
	const struct content_maker *m, struct content *c, const struct identity_info *subject)
{
	struct content *was = content_new(m, c->use, c->uses, subject), fresh = *was;

	fresh.references = c->references;
	fresh.out.token = c->out.token; /* whoever has it is told how it differs */
	*was = *c;
	was->references = 1;
	*c = fresh;
	return was;
}

static bool remove_peer(struct compiled_content *c, uint32_t number, struct compiled_peer *ret)
{
	size_t i = compiled_peer_position(c, number);

	if (i == c->peers || c->peer[i].identity != number)
		return false;
	*ret = (struct compiled_peer){number, {c->base[POLICY_INGRESS], c->base[POLICY_EGRESS]}};
	c->peers--;
	memmove(&c->peer[i], &c->peer[i + 1], (c->peers - i) * sizeof(*c->peer));
	return true;
}

/* Whoever has the number next need not have its ports. */
static void forget_port(struct content *c, uint32_t number)
{
	struct side *s = &c->side[POLICY_EGRESS];

	for (size_t i = 0; c->follows_ports && i < s->parts; i++) {
		if (s->part[i].only)
			(void)ids_remove(s->part[i].only, number);
	}
}

static uint32_t walk(const struct content_maker *m, struct content *c, struct side *s,
	const struct identity_info *info)
{
	uint32_t node = 0;

	for (uint32_t i = 0; i < s->parts; i++) {
		if (!s->part[i].any && part_has(&s->part[i], info->number, info))
			node = child_find(s, node, i);
	}
	return class_at(m, c, s, node);
}

bool content_follow(const struct content_maker *m, struct content *c, uint32_t number,
	const struct identity_info *info, struct compiled_peer *ret)
{
	struct compiled_content *out = &c->out;
	size_t i;

	if (!info) {
		forget_port(c, number);
		return remove_peer(out, number, ret);
	}
	if (c->follows_ports && selections_ports(m->selections, number)->ports) {
		c->stale = true;
		return false;
	}
	ret->identity = number;
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++)
		ret->class[d] = walk(m, c, &c->side[d], info);
	if (is_base(out, ret))
		return false;
	i = compiled_peer_position(out, number);
	mem_grow(&out->peer, &out->peer_room, out->peers + 1, sizeof(*out->peer));
	memmove(&out->peer[i + 1], &out->peer[i], (out->peers - i) * sizeof(*out->peer));
	out->peer[i] = *ret;
	out->peers++;
	return true;
}

static bool class_equal(const struct compiled_content *a, uint32_t ca,
	const struct compiled_content *b, uint32_t cb)
{
	return a->class[ca] == b->class[cb];
}

bool content_equal(const struct compiled_content *a, const struct compiled_content *b)
{
	if (a->peers != b->peers)
		return false;
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		if (!class_equal(a, a->base[d], b, b->base[d]))
			return false;
		for (size_t i = 0; i < a->peers; i++) {
			if (a->peer[i].identity != b->peer[i].identity ||
				!class_equal(a, a->peer[i].class[d], b, b -> peer[i].class[d]))
				return false;
		}
	}
	return true;
}
