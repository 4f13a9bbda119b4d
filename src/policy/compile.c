/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies and identities to slots. Called by the agent at each change and by tests; owns its
 * scratch memory, the result owns the rest. Must hold: identities that no rule tells apart share a
 * class, class 0 is what any unknown peer gets, and it is allowed what rules for any peer allow and
 * no more; every class and direction has a base entry, so the kernel always finds a decision.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"

/* A rule of the set, in the order in which rules of equal weight win. */
struct element {
	const struct policy *policy;
	const struct rule *rule;
	const struct column *peers;
	uint32_t id;
};

/* A spec of the set and what it selects. */
struct spec {
	const struct policy *policy;
	const struct policy_spec *spec;
	struct element *element;
	const uint64_t *subject;
	bool selects[POLICY_DIRECTIONS]; /* has rules of the direction, or denies by default */
};

struct compiler {
	struct arena mem;
	struct resolver resolver;
	struct spec *spec; /* sorted by kind, namespace and name of the policy */
	size_t specs;
	enum policy_enforce enforce;
	struct rule_ids *ids;
	struct rule_info *info; /* of all rules that got a number, in no order */
	size_t infos, info_capacity;
	struct hash denies; /* text of a default deny to its place in info + 1 */
	struct hash contents; /* list of specs to struct compiled_slot */
	struct compiled_set *out;
};

/* One direction of one slot at work. */
struct side {
	enum policy_direction direction;
	const struct element **element; /* that apply, in order of weight */
	size_t elements;
	struct decision fallback;
	uint32_t *class_of; /* by index of the identity; final numbers once the rules are cut */
};

static int policy_order(const void *pa, const void *pb)
{
	const struct policy *const *a = pa, *const *b = pb;
	int r = strcmp((*a)->kind, (*b)->kind);

	r = r ? r : strcmp((*a)->namespace, (*b)->namespace);
	return r ? r : strcmp((*a)->name, (*b)->name);
}

static void note_rule(struct compiler *c, const struct rule_info *info)
{
	mem_grow(&c->info, &c->info_capacity, c->infos + 1, sizeof(*c->info));
	c->info[c->infos++] = *info;
}

static void add_element(struct compiler *c, struct spec *s, size_t index)
{
	const struct rule *rule = &s->spec->rule[index];
	struct element *e = &s->element[index];
	SCOPED(str_done) struct str name = {0};
	const struct policy **policy = arena_alloc(&c->out->mem, sizeof(*policy));

	policy_format_name(&name, s->policy);
	str_printf(&name, " %s", rule->path);
	*policy = s->policy;
	*e = (struct element){.policy = s->policy, .rule = rule};
	e->peers = resolver_peers(&c->resolver, rule->peer, rule->peers);
	e->id = rule_ids_get(c->ids, str_text(&name));
	s->selects[rule->direction] = true;
	note_rule(c, &(struct rule_info){.id = e->id,
			     .kind = rule->action == ACTION_DENY ? RULE_DENY : RULE_ALLOW,
			     .direction = rule->direction,
			     .policy = policy,
			     .policies = 1,
			     .origin = rule->origin,
			     .path = rule->path});
}

static void add_spec(struct compiler *c, const struct policy *p, const struct policy_spec *spec)
{
	struct spec *s = &c->spec[c->specs++];

	*s = (struct spec){.policy = p, .spec = spec};
	s->subject = resolver_selector(&c->resolver, &spec->subject);
	s->element = arena_array(&c->mem, spec->rules, sizeof(*s->element));
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++)
		s->selects[d] = spec->default_deny[d];
	for (size_t i = 0; i < spec->rules; i++)
		add_element(c, s, i);
}

static int add_specs(struct compiler *c, const struct policy_set *set, struct err *e)
{
	SCOPED(freep) const struct policy **sorted = mem_array(set->count, sizeof(*sorted));
	size_t specs = 0;

	for (size_t i = 0; i < set->count; i++) {
		sorted[i] = &set->policy[i];
		specs += set->policy[i].specs;
	}
	if (set->count)
		qsort(sorted, set->count, sizeof(*sorted), policy_order);
	c->spec = arena_array(&c->mem, specs, sizeof(*c->spec));
	for (size_t i = 0; i < set->count; i++) {
		if (i && !policy_order(&sorted[i - 1], &sorted[i]))
			return err_set(e, -EEXIST, "%s:%d: %s %s is also in %s:%d; rename one",
				sorted[i]->origin.file, sorted[i]->origin.line, sorted[i]->kind,
				sorted[i]->name, sorted[i - 1]->origin.file,
				sorted[i - 1]->origin.line);
		for (size_t k = 0; k < sorted[i]->specs; k++)
			add_spec(c, sorted[i], &sorted[i]->spec[k]);
	}
	return 0;
}

/* The number of the default deny that these specs cause together. */
static uint32_t default_deny_id(
	struct compiler *c, const uint32_t *list, size_t count, enum policy_direction d)
{
	const struct policy **policy = arena_array(&c->out->mem, count, sizeof(*policy));
	struct rule_info info = {.kind = RULE_DEFAULT_DENY, .direction = d, .path = ""};
	SCOPED(str_done) struct str name = {0};

	str_printf(&name, "default deny %s:", d == POLICY_INGRESS ? "ingress" : "egress");
	for (size_t i = 0; i < count; i++) {
		const struct spec *s = &c->spec[list[i]];

		if (!s->spec->default_deny[d] ||
			(info.policies && policy[info.policies - 1] == s->policy))
			continue;
		policy[info.policies++] = s->policy;
		str_add(&name, " ");
		policy_format_name(&name, s->policy);
	}
	info.policy = policy;
	info.id = rule_ids_get(c->ids, str_text(&name));
	if (info.policies)
		info.origin = policy[0]->origin;
	if (!hash_put_str(&c->denies, str_text(&name), c))
		note_rule(c, &info);
	return info.id;
}

/* What holds where no rule says anything. */
static struct decision fallback_of(
	struct compiler *c, const uint32_t *list, size_t count, enum policy_direction d)
{
	bool selected = c->enforce == POLICY_ENFORCE_ALWAYS, deny = selected;
	struct decision none = {.verdict = POLICY_ALLOW, .shadow = POLICY_ALLOW};

	for (size_t i = 0; i < count; i++) {
		selected |= c->spec[list[i]].selects[d];
		deny |= c->spec[list[i]].spec->default_deny[d];
	}
	if (!selected || c->enforce == POLICY_ENFORCE_NEVER)
		return none;
	if (!deny)
		return (struct decision){.verdict = POLICY_ALLOW,
			.flags = POLICY_ENFORCED,
			.match = POLICY_MATCH_ALL,
			.shadow = POLICY_ALLOW};
	return (struct decision){.verdict = POLICY_DEFAULT_DENY,
		.flags = POLICY_ENFORCED,
		.shadow = POLICY_DEFAULT_DENY,
		.rule = default_deny_id(c, list, count, d)};
}

static void side_init(struct compiler *c, struct side *s, struct arena *mem, const uint32_t *list,
	size_t count, enum policy_direction d)
{
	size_t most = 0;

	*s = (struct side){.direction = d, .fallback = fallback_of(c, list, count, d)};
	for (size_t i = 0; i < count; i++)
		most += c->spec[list[i]].spec->rules;
	s->element = arena_array(mem, most, sizeof(*s->element));
	s->class_of = arena_array(mem, c->resolver.count, sizeof(*s->class_of));
	for (size_t i = 0; i < count && c->enforce != POLICY_ENFORCE_NEVER; i++) {
		const struct spec *spec = &c->spec[list[i]];

		for (size_t k = 0; k < spec->spec->rules; k++) {
			const struct element *e = &spec->element[k];

			if (e->rule->direction == d && (e->peers->any || !e->peers->empty))
				s->element[s->elements++] = e;
		}
	}
}

/* Split each class into those inside the column and those outside; returns the new number of
 * classes. */
static uint32_t split(const struct resolver *r, const struct column *column, uint32_t *class_of,
	uint32_t classes, uint32_t *moved)
{
	uint32_t before = classes;

	for (size_t w = 0; w < r->words; w++) {
		for (uint64_t left = column->bits[w]; left; left &= left - 1) {
			size_t i = w * 64 + (size_t)__builtin_ctzll(left);

			if (!moved[class_of[i]])
				moved[class_of[i]] = classes++;
			class_of[i] = moved[class_of[i]];
		}
	}
	memset(moved, 0, before * sizeof(*moved));
	return classes;
}

/*
 * Group the identities by which rules name them, and return how many groups there are. Group 0 is
 * of those that none names. Groups that a split has emptied are squeezed out at once, so there are
 * never more than identities, and one.
 */
static uint32_t partition(const struct resolver *r, struct side *s)
{
	SCOPED(freep) uint32_t *moved = mem_array(2 * r->count + 2, sizeof(*moved));
	SCOPED(freep) uint32_t *number = mem_array(2 * r->count + 2, sizeof(*number));
	SCOPED(freep) bool *seen = mem_array(r->columns.count, sizeof(*seen));
	uint32_t classes = 1;

	for (size_t e = 0; e < s->elements; e++) {
		const struct column *column = s->element[e]->peers;
		uint32_t after, kept = 1;

		if (column->any || seen[column->index])
			continue;
		seen[column->index] = true;
		after = split(r, column, s->class_of, classes, moved);
		memset(number, 0, after * sizeof(*number));
		for (size_t i = 0; i < r->count; i++) {
			uint32_t *class = &s->class_of[i];

			if (*class && !number[*class])
				number[*class] = kept++;
			*class = number[*class];
		}
		classes = kept;
	}
	return classes;
}

/* The rules as a peer sees them: those for any peer, and those that name it (index; -1: none of
 * them). */
static size_t claims_of(const struct side *s, ssize_t index, struct claim *claim)
{
	size_t count = 0;

	for (size_t i = 0; i < s->elements; i++) {
		const struct element *e = s->element[i];

		if (!e->peers->any && (index < 0 || !bit_test(e->peers->bits, (size_t)index)))
			continue;
		claim[count++] = (struct claim){.id = e->id,
			.deny = e->rule->action == ACTION_DENY,
			.specific = !e->peers->any,
			.port = e->rule->port,
			.ports = e->rule->ports};
	}
	return count;
}

struct rules {
	struct compiled_rule *rule;
	size_t count, capacity;
};

static void append(
	struct rules *out, const struct cut *cut, uint32_t number, enum policy_direction d)
{
	for (size_t i = 0; i < cut->count; i++) {
		const struct cut_entry *e = &cut->entry[i];

		mem_grow(&out->rule, &out->capacity, out->count + 1, sizeof(*out->rule));
		out->rule[out->count++] =
			(struct compiled_rule){.key = {.prefixlen = e->prefixlen,
						       .class = number * POLICY_DIRECTIONS + d,
						       .protocol = e->protocol,
						       .port = htons(e->port)},
				.decision = e->decision};
	}
}

/*
 * Cut the rules of each raw class, in the order of their lowest identity, and give it its final
 * number: that of an earlier class that gets the same entries, or the next one.
 */
static void side_compile(const struct compiler *c, struct side *s, struct rules *out)
{
	uint32_t raw = partition(&c->resolver, s), classes = 0;
	SCOPED(freep) struct claim *claim = mem_array(s->elements, sizeof(*claim));
	SCOPED(freep) uint32_t *final = mem_array(raw, sizeof(*final));
	struct hash SCOPED(hash_done) by_entries = {0};
	struct cut SCOPED(cut_done) cut = {0};

	/* i is one behind the identity; at 0 stands what no rule names */
	for (size_t i = 0; i <= c->resolver.count; i++) {
		uint32_t class = i ? s->class_of[i - 1] : 0;
		uintptr_t known;

		if (i && (!class || final[class])) {
			s->class_of[i - 1] = class ? final[class] - 1 : 0;
			continue;
		}
		cut_claims(&cut, claim, claims_of(s, (ssize_t)i - 1, claim), &s->fallback);
		known = (uintptr_t)hash_get(&by_entries, cut.entry, cut.count * sizeof(*cut.entry));
		if (!known) {
			append(out, &cut, classes, s->direction);
			known = ++classes;
			(void)hash_put(&by_entries, cut.entry, cut.count * sizeof(*cut.entry),
				(void *)known);
		}
		final[class] = (uint32_t)known;
		if (i)
			s->class_of[i - 1] = (uint32_t)known - 1;
	}
}

static int rule_order(const void *pa, const void *pb)
{
	const struct rule_key *a = &((const struct compiled_rule *)pa)->key;
	const struct rule_key *b = &((const struct compiled_rule *)pb)->key;

	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	if (a->prefixlen != b->prefixlen)
		return a->prefixlen < b->prefixlen ? -1 : 1;
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	return memcmp(&a->port, &b->port, sizeof(a->port));
}

static void finish_slot(struct compiler *c, const struct side *side, struct rules *rules,
	struct compiled_slot *slot)
{
	struct arena *mem = &c->out->mem;
	size_t count = c->resolver.count;

	qsort(rules->rule, rules->count, sizeof(*rules->rule), rule_order);
	slot->rules = rules->count;
	slot->rule = arena_array(mem, rules->count, sizeof(*slot->rule));
	memcpy(slot->rule, rules->rule, rules->count * sizeof(*slot->rule));
	for (size_t i = 0; i < count; i++)
		slot->peers += side[POLICY_INGRESS].class_of[i] || side[POLICY_EGRESS].class_of[i];
	slot->peer = arena_array(mem, slot->peers, sizeof(*slot->peer));
	slot->peers = 0;
	for (size_t i = 0; i < count; i++) {
		struct compiled_peer p = {.identity = c->resolver.identity[i]->number};

		for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++)
			p.class.class[d] = side[d].class_of[i] * POLICY_DIRECTIONS + d;
		if (side[POLICY_INGRESS].class_of[i] || side[POLICY_EGRESS].class_of[i])
			slot->peer[slot->peers++] = p;
	}
	slot->digest = hash_bytes(slot->peer, slot->peers * sizeof(*slot->peer), 0);
	slot->digest = hash_bytes(slot->rule, slot->rules * sizeof(*slot->rule), slot->digest);
}

/* The slot that these specs give, of whatever identity. */
static void compile_specs(
	struct compiler *c, const uint32_t *list, size_t count, struct compiled_slot *slot)
{
	struct arena mem SCOPED(arena_done) = {0};
	struct side side[POLICY_DIRECTIONS];
	struct rules rules = {0};

	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		side_init(c, &side[d], &mem, list, count, d);
		side_compile(c, &side[d], &rules);
	}
	finish_slot(c, side, &rules, slot);
	free(rules.rule);
}

/* Identities that the same specs select have the same content. */
static int compile_subject(struct compiler *c, uint32_t identity, struct err *e)
{
	SCOPED(freep) uint32_t *list = mem_array(c->specs, sizeof(*list));
	struct compiled_slot *slot = &c->out->slot[c->out->slots], *same;
	ssize_t index = resolver_index(&c->resolver, identity);
	size_t count = 0;

	if (index < 0)
		return err_set(e, -ENOENT, "identity %u is not known", identity);
	for (size_t i = 0; i < c->specs; i++) {
		if (bit_test(c->spec[i].subject, (size_t)index))
			list[count++] = (uint32_t)i;
	}
	same = hash_get(&c->contents, list, count * sizeof(*list));
	if (!same) {
		same = arena_alloc(&c->mem, sizeof(*same));
		compile_specs(c, list, count, same);
		(void)hash_put(&c->contents, list, count * sizeof(*list), same);
	}
	*slot = *same;
	slot->identity = identity;
	c->out->slots++;
	c->out->peer_entries += slot->peers;
	c->out->rule_entries += slot->rules;
	return 0;
}

static int identity_order(const void *pa, const void *pb)
{
	const uint32_t *a = pa, *b = pb;

	return *a < *b ? -1 : *a > *b;
}

static int compile_subjects(
	struct compiler *c, const uint32_t *subject, size_t subjects, struct err *e)
{
	SCOPED(freep) uint32_t *sorted = mem_dup(subject, subjects * sizeof(*subject));
	int r = 0;

	if (subjects)
		qsort(sorted, subjects, sizeof(*sorted), identity_order);
	c->out->slot = arena_array(&c->out->mem, subjects, sizeof(*c->out->slot));
	for (size_t i = 0; !r && i < subjects; i++) {
		if (!i || sorted[i] != sorted[i - 1])
			r = compile_subject(c, sorted[i], e);
	}
	return r;
}

static void finish_rules(struct compiler *c)
{
	struct compiled_set *out = c->out;

	out->rules = rule_ids_max(c->ids);
	out->rule = arena_array(&out->mem, out->rules, sizeof(*out->rule));
	for (size_t i = 0; i < c->infos; i++)
		out->rule[c->info[i].id - 1] = c->info[i];
}

static void compiler_done(struct compiler *c)
{
	free(c->info);
	hash_done(&c->denies);
	hash_done(&c->contents);
	resolver_done(&c->resolver);
	arena_done(&c->mem);
}

int policy_compile(const struct policy_set *set, const struct identities *t,
	const uint32_t *subject, size_t subjects, enum policy_enforce enforce, struct rule_ids *ids,
	struct compiled_set *ret, struct err *e)
{
	struct compiled_set out = {0};
	struct compiler SCOPED(compiler_done) c = {.enforce = enforce, .ids = ids, .out = &out};
	int r;

	resolver_init(&c.resolver, t);
	r = add_specs(&c, set, e);
	r = r < 0 ? r : compile_subjects(&c, subject, subjects, e);
	if (r < 0) {
		compiled_set_done(&out);
		return r;
	}
	finish_rules(&c);
	rule_ids_commit(ids);
	*ret = out;
	return 0;
}

void compiled_set_done(struct compiled_set *c)
{
	arena_done(&c->mem);
	*c = (struct compiled_set){0};
}
