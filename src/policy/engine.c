/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled sets, one after the other. Called by the agent at each change, by scenarios and tests.
 * Owns what is remembered between sets: selections, classes. Must hold: a set that takes over from
 * another is what compiling anew would give; what fails leaves the set before as it was.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/content.h"

struct engine {
	struct selections selections;
	struct hash classes;
	struct scratch scratch;
	struct rule_ids *ids;
	struct policy_options options;
	uint64_t tokens;
};

/* What a set was made of. */
struct version {
	struct engine *own; /* policy_compile(): freed with the set */
	struct arena mem; /* of the set's rule infos */
	struct object **object; /* in policy_order(), beside policy[] */
	const struct policy **policy;
	bool *replaced; /* a shadow policy stands for its replacement */
	size_t objects;
	struct use *use; /* all specs, in order */
	size_t uses;
	struct hash by_key; /* uses and ports to struct content; one reference each */
	size_t slot_room;
};

struct engine *engine_new(
	const struct identities *t, struct rule_ids *ids, const struct policy_options *o)
{
	struct engine *g = mem_alloc(sizeof(*g));

	selections_init(&g->selections, t);
	g->ids = ids;
	g->options = *o;
	return g;
}

void engine_free(struct engine *g)
{
	if (!g)
		return;
	selections_done(&g->selections);
	hash_done(&g->classes);
	scratch_done(&g->scratch);
	free(g);
}

static struct content_maker maker_of(struct engine *g)
{
	return (struct content_maker){.selections = &g->selections,
		.classes = &g->classes,
		.ids = g->ids,
		.scratch = &g->scratch,
		.options = g->options,
		.tokens = &g->tokens};
}

static void set_free(struct engine *g, struct compiled_set *c)
{
	struct version *v = c->version;

	HASH_EACH(&v->by_key, x)
		content_unref(&g->classes, x->value);
	hash_done(&v->by_key);
	for (size_t i = 0; i < v->objects; i++)
		object_unref(&g->selections, v->object[i]);
	free(v->object);
	free(v->policy);
	free(v->replaced);
	free(v->use);
	arena_done(&v->mem);
	free(v);
	free(c->slot);
	free(c);
}

void compiled_set_free(struct engine *g, struct compiled_set *c)
{
	if (c)
		set_free(g, c);
}

void compiled_set_freep(struct compiled_set **c)
{
	struct engine *own;

	if (!*c)
		return;
	own = (*c)->version->own;
	set_free(own, *c);
	engine_free(own);
	*c = NULL;
}

/* --- objects --------------------------------------------------------------------------------- */

static int pointer_order(const void *pa, const void *pb)
{
	const struct policy *const *a = pa, *const *b = pb;

	return policy_order(*a, *b);
}

static int check_double(const struct policy *a, const struct policy *b, struct err *e)
{
	if (policy_order(a, b))
		return 0;
	return err_set(e, -EEXIST, "%s:%d: %s %s is also in %s:%d; rename one", b->origin.file,
		b->origin.line, b->kind, b->name, a->origin.file, a->origin.line);
}

static int sort_policies(struct version *v, const struct policy_set *set, struct err *e)
{
	int r = 0;

	v->policy = mem_array(set->count, sizeof(struct policy *));
	v->object = mem_array(set->count, sizeof(struct object *));
	v->replaced = mem_array(set->count, sizeof(bool));
	for (size_t i = 0; i < set->count; i++)
		v->policy[i] = &set->policy[i];
	if (set->count)
		qsort(v->policy, set->count, sizeof(struct policy *), pointer_order);
	for (size_t i = 1; !r && i < set->count; i++)
		r = check_double(v->policy[i - 1], v->policy[i], e);
	return r;
}

static void object_key(struct str *out, const struct policy *p)
{
	out->len = 0;
	str_printf(out, "%d ", (int)p->mode);
	policy_format_name(out, p);
}

/* A shadow policy replaces the enforced one of the same kind, namespace and name, of whatever
 * tier and priority. */
static void note_replaced(struct version *v, size_t count)
{
	struct hash SCOPED(hash_done) shadows = {0};

	for (size_t i = 0; i < count; i++) {
		SCOPED(str_done) struct str name = {0};

		policy_format_name(&name, v->policy[i]);
		if (v->policy[i]->mode == MODE_SHADOW)
			(void)hash_put_str(&shadows, str_text(&name), v);
	}
	for (size_t i = 0; i < count; i++) {
		SCOPED(str_done) struct str name = {0};

		policy_format_name(&name, v->policy[i]);
		v->replaced[i] = v->policy[i]->mode == MODE_ENFORCE &&
				 hash_get_str(&shadows, str_text(&name));
	}
}

static void keep_ids(struct engine *g, const struct object *o)
{
	for (size_t i = 0; i < o->specs; i++) {
		for (size_t k = 0; k < o->spec[i].elements; k++)
			rule_ids_keep(g->ids, o->spec[i].element[k].id);
	}
}

/* What is in force keeps its numbers, whatever is compiled beside it. */
static void keep_ids_in_force(struct engine *g, const struct compiled_set *c)
{
	for (size_t i = 0; i < c->version->objects; i++)
		keep_ids(g, c->version->object[i]);
	HASH_EACH(&c->version->by_key, x) {
		const struct content *content = x->value;

		for (size_t i = 0; i < content->denials; i++)
			rule_ids_keep(g->ids, content->denial[i].id);
	}
}

static void add_uses(struct version *v, const struct object *o, bool replaced, size_t *room)
{
	for (size_t i = 0; i < o->specs; i++) {
		mem_grow(&v->use, room, v->uses + 1, sizeof(*v->use));
		v->use[v->uses++] = (struct use){
			.spec = &o->spec[i], .in = {o->mode == MODE_ENFORCE, !replaced}};
	}
}

/* Where the objects of a set are; index + 1 as a pointer. */
static void index_objects(const struct compiled_set *c, struct hash *ret)
{
	for (size_t i = 0; c && i < c->version->objects; i++) {
		SCOPED(str_done) struct str key = {0};

		object_key(&key, c->version->policy[i]);
		(void)hash_put_str(ret, str_text(&key), (void *)(i + 1));
	}
}

/*
 * Objects for all policies: those of the set before where they say the same. touched gets the
 * subjects of every spec that is new, has gone, or counts otherwise than before.
 */
static void take_objects(struct engine *g, struct version *v, const struct compiled_set *before,
	const struct policy_set *set, struct ids *touched)
{
	const struct object_maker maker = {&g->selections, g->ids, set};
	uint64_t references = object_references_digest(set);
	struct hash SCOPED(hash_done) old = {0};
	size_t room = 0;

	index_objects(before, &old);
	for (size_t i = 0; i < set->count; i++) {
		SCOPED(str_done) struct str key = {0};
		uint64_t digest = object_digest(v->policy[i], references);
		struct object *was = NULL, *o;
		size_t at;

		object_key(&key, v->policy[i]);
		at = (size_t)hash_get_str(&old, str_text(&key));
		if (at && before->version->object[at - 1]->digest == digest && digest)
			was = before->version->object[at - 1];
		o = was ? object_ref(was) : object_new(&maker, v->policy[i], digest);
		v->object[v->objects++] = o;
		add_uses(v, o, v->replaced[i], &room);
		if (was && before->version->replaced[at - 1] == v->replaced[i]) {
			(void)hash_remove_str(&old, str_text(&key));
			continue;
		}
		for (size_t k = 0; k < o->specs; k++)
			ids_unite(touched, &o->spec[k].subject->ids);
	}
	HASH_EACH(&old, x) {
		const struct object *o = before->version->object[(size_t)x->value - 1];

		for (size_t k = 0; k < o->specs; k++)
			ids_unite(touched, &o->spec[k].subject->ids);
	}
}

/* --- slots ----------------------------------------------------------------------------------- */

/* Equal keys mean equal contents: the specs that select the identity, and its named ports. */
static void content_key(
	struct str *out, const struct use *use, size_t uses, const struct identity_info *subject)
{
	bool named = false;

	for (size_t i = 0; i < uses; i++) {
		const struct spec *s = use[i].spec;

		str_addn(out, (const char *)&s, sizeof(s));
		str_addn(out, (const char *)use[i].in, sizeof(use[i].in));
		for (size_t k = 0; k < s->elements; k++)
			named |= s->element[k].named && s->element[k].direction == POLICY_INGRESS;
	}
	for (size_t i = 0; named && i < subject->ports; i++) {
		const struct named_port *p = &subject->port[i];

		str_printf(out, "%s %u %u,", p->name, p->protocol, p->number);
	}
}

static struct content *content_for(struct engine *g, struct version *v,
	const struct compiled_set *before, const struct identity_info *subject)
{
	const struct content_maker maker = maker_of(g);
	SCOPED(freep) struct use *use = mem_array(v->uses, sizeof(*use));
	SCOPED(str_done) struct str key = {0};
	struct content *c;
	size_t uses = 0;

	for (size_t i = 0; i < v->uses; i++) {
		if (ids_has(&v->use[i].spec->subject->ids, subject->number))
			use[uses++] = v->use[i];
	}
	subject = selections_ports(&g->selections, subject->number);
	content_key(&key, use, uses, subject);
	c = hash_get(&v->by_key, str_text(&key), key.len);
	if (c && c->stale) /* nobody had it when it became so */
		content_unref(&g->classes, content_renew(&maker, c, subject));
	if (c)
		return c;
	c = before ? hash_get(&before->version->by_key, str_text(&key), key.len) : NULL;
	if (c && !c->stale)
		c->references++;
	else
		c = content_new(&maker, use, uses, subject);
	(void)hash_put(&v->by_key, str_text(&key), key.len, c);
	return c;
}

/* The content of a slot that nothing has touched: that of the set before, under the same key. */
static void inherit(
	struct compiled_set *out, const struct hash *keys, const struct compiled_slot *was)
{
	struct content *c = (struct content *)was->content;
	const struct hash_entry *key = hash_get(keys, &c, sizeof(c));

	if (hash_put(&out->version->by_key, key->key, key->len, c) != c)
		c->references++;
	out->slot[out->slots++] = *was;
}

static void index_contents(const struct compiled_set *before, struct hash *ret)
{
	if (!before)
		return;
	HASH_EACH(&before->version->by_key, x) {
		struct content *c = x->value;

		(void)hash_put(ret, &c, sizeof(c), x);
	}
}

/* A content that was made anew and holds what it held before keeps its token. */
static void keep_token(const struct compiled_slot *was, struct content *now)
{
	const struct content *c = was ? (const struct content *)was->content : NULL;

	if (c && c != now && !c->stale && content_equal(&c->out, &now->out))
		now->out.token = c->out.token;
}

static int make_slots(struct engine *g, struct compiled_set *out, const struct compiled_set *before,
	const struct ids *subject, const struct ids *touched, struct err *e)
{
	struct hash SCOPED(hash_done) keys = {0};

	index_contents(before, &keys);
	mem_grow(&out->slot, &out->version->slot_room, subject->count, sizeof(*out->slot));
	for (size_t i = 0; i < subject->count; i++) {
		const struct member *m = selections_member(&g->selections, subject->id[i]);
		const struct compiled_slot *was =
			before ? compiled_slot_find(before, subject->id[i]) : NULL;
		struct content *c;

		if (!m)
			return err_set(e, -ENOENT, "identity %u is not known", subject->id[i]);
		if (was && was->serial == m->serial && !ids_has(touched, m->number) &&
			!((const struct content *)was->content)->stale) {
			inherit(out, &keys, was);
			continue;
		}
		c = content_for(g, out->version, before, m->info);
		for (size_t k = 0; k < c->denials; k++)
			rule_ids_keep(g->ids, c->denial[k].id);
		keep_token(was, c);
		out->slot[out->slots++] = (struct compiled_slot){m->number, m->serial, &c->out};
	}
	return 0;
}

/* --- what rule ids mean ---------------------------------------------------------------------- */

static enum rule_kind kind_of(enum rule_action action)
{
	switch (action) {
	case ACTION_ALLOW:
		return RULE_ALLOW;
	case ACTION_DENY:
		return RULE_DENY;
	case ACTION_PASS:
		return RULE_PASS;
	}
	return RULE_DENY;
}

static void describe_object(struct compiled_set *c, size_t at)
{
	const struct version *v = c->version;
	const struct object *o = v->object[at];

	for (size_t i = 0; i < o->specs; i++) {
		for (size_t k = 0; k < o->spec[i].elements; k++) {
			const struct element *e = &o->spec[i].element[k];
			const struct rule *r = &v->policy[at]->spec[i].rule[e->index];

			c->rule[e->id - 1] = (struct rule_info){.id = e->id,
				.kind = kind_of(e->action),
				.direction = e->direction,
				.policy = &v->policy[at],
				.policies = 1,
				.origin = r->origin,
				.path = r->path};
		}
	}
}

static const struct policy *policy_of(
	const struct version *v, const struct hash *at, const struct object *o)
{
	size_t i = (size_t)hash_get(at, &o, sizeof(o));

	return i ? v->policy[i - 1] : NULL;
}

static void describe_denial(struct compiled_set *c, const struct content *content,
	const struct denial *d, const struct hash *at)
{
	struct rule_info *info = &c->rule[d->id - 1];
	const struct object *last = NULL;

	if (info->id)
		return;
	*info = (struct rule_info){
		.id = d->id, .kind = RULE_DEFAULT_DENY, .direction = d->direction, .path = ""};
	info->policy = arena_array(&c->version->mem, content->uses, sizeof(struct policy *));
	for (size_t i = 0; i < content->uses; i++) {
		const struct use *u = &content->use[i];

		if (!u->in[d->view] || !u->spec->default_deny[d->direction] ||
			u->spec->object == last)
			continue;
		last = u->spec->object;
		info->policy[info->policies++] = policy_of(c->version, at, last);
	}
	if (info->policies)
		info->origin = info->policy[0]->origin;
}

static void describe_rules(struct engine *g, struct compiled_set *c)
{
	struct version *v = c->version;
	struct hash SCOPED(hash_done) at = {0};

	arena_done(&v->mem);
	c->rules = rule_ids_max(g->ids);
	c->rule = arena_array(&v->mem, c->rules, sizeof(*c->rule));
	for (size_t i = 0; i < v->objects; i++) {
		(void)hash_put(&at, &v->object[i], sizeof(struct object *), (void *)(i + 1));
		describe_object(c, i);
	}
	HASH_EACH(&v->by_key, x) {
		const struct content *content = x->value;

		for (size_t i = 0; i < content->denials; i++)
			describe_denial(c, content, &content->denial[i], &at);
	}
}

/* --- sets ------------------------------------------------------------------------------------ */

static void add_subjects(struct ids *out, const uint32_t *subject, size_t subjects)
{
	for (size_t i = 0; i < subjects; i++)
		(void)ids_add(out, subject[i]);
}

int engine_compile(struct engine *g, const struct compiled_set *before,
	const struct policy_set *set, const uint32_t *subject, size_t subjects,
	struct compiled_set **ret, struct err *e)
{
	struct compiled_set *out = mem_alloc(sizeof(*out));
	struct ids SCOPED(ids_done) wanted = {0}, SCOPED(ids_done) touched = {0};
	int r;

	if (!before)
		selections_refresh(&g->selections, NULL, NULL);
	out->version = mem_alloc(sizeof(*out->version));
	add_subjects(&wanted, subject, subjects);
	r = sort_policies(out->version, set, e);
	if (!r) {
		note_replaced(out->version, set->count);
		take_objects(g, out->version, before, set, &touched);
		r = make_slots(g, out, before, &wanted, &touched, e);
	}
	if (r) {
		set_free(g, out);
		return r;
	}
	describe_rules(g, out);
	if (before)
		keep_ids_in_force(g, before);
	rule_ids_commit(g->ids);
	*ret = out;
	return 0;
}

int policy_compile(const struct policy_set *set, const struct identities *t,
	const uint32_t *subject, size_t subjects, const struct policy_options *o,
	struct rule_ids *ids, struct compiled_set **ret, struct err *e)
{
	struct engine *g = engine_new(t, ids, o);
	int r = engine_compile(g, NULL, set, subject, subjects, ret, e);

	if (r)
		engine_free(g);
	else
		(*ret)->version->own = g;
	return r;
}

struct following {
	struct engine *engine;
	struct compiled_set *now;
	struct compiled_changes *out;
	struct hash slot_of; /* content to an identity whose slot has it */
	struct ids gone; /* subjects that have lost their slots */
};

static void represent(struct following *f, const struct compiled_slot *s)
{
	(void)hash_put(
		&f->slot_of, &s->content, sizeof(s->content), (void *)(uintptr_t)s->identity);
}

/* The identity is nobody's any more, and so is its slot. */
static void drop_slot(struct following *f, uint32_t number)
{
	struct compiled_set *now = f->now;
	const struct compiled_slot *s = compiled_slot_find(now, number);
	const struct compiled_content *c = s ? s->content : NULL;

	if (!s)
		return;
	ids_append(&f->gone, number);
	now->slots--;
	memmove((void *)s, s + 1, (size_t)(now->slot + now->slots - s) * sizeof(*s));
	if ((uintptr_t)hash_get(&f->slot_of, &c, sizeof(c)) != number)
		return;
	(void)hash_remove(&f->slot_of, &c, sizeof(c));
	for (size_t i = 0; i < now->slots; i++) {
		if (now->slot[i].content == c) {
			represent(f, &now->slot[i]);
			return;
		}
	}
}

static void tell(struct following *f, uint32_t slot, const struct compiled_content *c,
	const struct compiled_peer *peer, bool gone)
{
	struct compiled_changes *out = f->out;

	mem_grow(&out->change, &out->room, out->changes + 1, sizeof(*out->change));
	out->change[out->changes++] = (struct compiled_change){slot, c, *peer, gone};
}

static void follow_content(
	struct following *f, struct content *c, uint32_t number, const struct identity_info *info)
{
	const struct content_maker maker = maker_of(f->engine);
	uint32_t slot = (uint32_t)(uintptr_t)hash_get(&f->slot_of, &c, sizeof(c));
	struct compiled_peer peer;

	if (content_follow(&maker, c, number, info, &peer) && slot)
		tell(f, slot, &c->out, &peer, !info);
}

/* What a peer of the content is of now. */
static struct compiled_peer peer_now(const struct compiled_content *c, uint32_t identity)
{
	struct compiled_peer p = {identity, {c->base[POLICY_INGRESS], c->base[POLICY_EGRESS]}};
	const struct compiled_peer *found = compiled_peer_find(c, identity);

	return found ? *found : p;
}

static void tell_difference(struct following *f, uint32_t slot, const struct compiled_content *was,
	const struct compiled_content *now, uint32_t identity)
{
	struct compiled_peer p = peer_now(now, identity);

	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		if (compiled_class_of(was, d, identity) != now->class[p.class[d]]) {
			tell(f, slot, now, &p, false);
			return;
		}
	}
}

/* A content that could not follow named ports of its peers: those that have it learn how what is
 * worked out anew differs. */
static void renew(struct following *f, struct content *c)
{
	const struct content_maker maker = maker_of(f->engine);
	uint32_t slot = (uint32_t)(uintptr_t)hash_get(&f->slot_of, &c, sizeof(c));
	struct compiled_changes *out = f->out;
	struct content *was;

	if (!slot)
		return;
	was = content_renew(&maker, c, selections_ports(&f->engine->selections, slot));
	/* what was told already has the old indexes of classes */
	for (size_t i = 0; i < out->changes; i++) {
		struct compiled_change *x = &out->change[i];

		if (x->content == &c->out)
			x->peer = peer_now(&c->out, x->peer.identity);
	}
	for (size_t i = 0; i < was->out.peers; i++)
		tell_difference(f, slot, &was->out, &c->out, was->out.peer[i].identity);
	for (size_t i = 0; i < c->out.peers; i++)
		tell_difference(f, slot, &was->out, &c->out, c->out.peer[i].identity);
	content_unref(&f->engine->classes, was);
}

static void on_change(uint32_t number, const struct identity_info *info, void *data)
{
	struct following *f = data;

	if (!f->now)
		return;
	HASH_EACH(&f->now->version->by_key, x)
		follow_content(f, x->value, number, info);
	if (!info)
		drop_slot(f, number);
	else if (ids_has(&f->gone, number))
		f->out->stale = true; /* a subject that stands for something else now */
}

/* What went and came again: the last word counts. */
static void keep_last(struct engine *g, struct compiled_changes *c)
{
	struct hash SCOPED(hash_done) seen = {0};
	size_t kept = c->changes;

	for (size_t i = c->changes; i-- > 0;) {
		struct compiled_change *x = &c->change[i];
		struct {
			const struct compiled_content *content;
			uint64_t peer;
		} key = {x->content, x->peer.identity};

		if (hash_put(&seen, &key, sizeof(key), g))
			continue;
		c->change[--kept] = *x;
		c->change[kept].gone &= !selections_member(&g->selections, x->peer.identity);
	}
	c->changes -= kept;
	if (kept)
		memmove(c->change, c->change + kept, c->changes * sizeof(*c->change));
}

void engine_distrust(struct engine *g, struct compiled_set *now)
{
	HASH_EACH(&now->version->by_key, x) {
		struct content *c = x->value;

		c->out.token = ++g->tokens;
	}
}

void engine_follow(struct engine *g, struct compiled_set *now, struct compiled_changes *ret)
{
	struct following f = {.engine = g, .now = now, .out = ret};

	*ret = (struct compiled_changes){0};
	for (size_t i = 0; now && i < now->slots; i++)
		represent(&f, &now->slot[i]);
	selections_refresh(&g->selections, on_change, &f);
	for (size_t i = 0; now && i < now->slots; i++) {
		struct content *c = (struct content *)now->slot[i].content;

		if (c->stale)
			renew(&f, c);
	}
	keep_last(g, ret);
	hash_done(&f.slot_of);
	ids_done(&f.gone);
}

const struct compiled_slot *engine_add_subject(
	struct engine *g, struct compiled_set *now, uint32_t identity)
{
	const struct member *m = selections_member(&g->selections, identity);
	struct version *v = now->version;
	struct content *c;
	size_t i = compiled_slot_position(now, identity);

	if (!m)
		return NULL;
	c = content_for(g, v, NULL, m->info);
	mem_grow(&now->slot, &v->slot_room, now->slots + 1, sizeof(*now->slot));
	if (i == now->slots || now->slot[i].identity != identity) {
		memmove(&now->slot[i + 1], &now->slot[i], (now->slots - i) * sizeof(*now->slot));
		now->slots++;
	}
	now->slot[i] = (struct compiled_slot){identity, m->serial, &c->out};
	for (size_t k = 0; k < c->denials; k++) {
		if (c->denial[k].id > now->rules || !now->rule[c->denial[k].id - 1].id) {
			describe_rules(g, now);
			break;
		}
	}
	return &now->slot[i];
}
