/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a change of policy writes. Called by policy.c and extend.c. Must hold: everything that will
 * be written is counted before the first entry is, and each class and slot once, whoever shares it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/policy.h"

void plan_begin(struct plan *p, struct policy_table *t, size_t wishes)
{
	*p = (struct plan){.table = t, .stamp = ++t->stamp};
	p->wish = mem_array(wishes + 1, sizeof(*p->wish));
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->wishes; i++) {
		p->wish[i].row->wish = NULL;
		if (p->wish[i].slot)
			slot_unref(p->table, p->wish[i].slot);
	}
	rows_sweep(p->table);
	free(p->wish);
	free(p->slot);
	free(p->class);
	free(p->by_rules);
	free(p->by_peers);
	hash_done(&p->seen);
	hash_done(&p->content);
}

struct row *row_get(struct policy_table *t, uint32_t identity)
{
	struct row *row = hash_get(&t->row, &identity, sizeof(identity));

	if (row)
		return row;
	row = mem_alloc(sizeof(*row));
	row->identity = identity;
	(void)hash_put(&t->row, &identity, sizeof(identity), row);
	return row;
}

void rows_sweep(struct policy_table *t)
{
	HASH_EACH(&t->row, x) {
		const struct row *row = x->value;

		if (!row->slot && !row->value[0].slot && !row->value[1].slot)
			free(hash_remove(&t->row, x->key, x->len));
	}
}

static struct contribution *contribution(struct plan *p, uint32_t identity)
{
	mem_grow(&p->by_rules, &p->contributor_room, p->contributors + 1, sizeof(*p->by_rules));
	mem_grow(&p->by_peers, &p->peer_room, p->contributors + 1, sizeof(*p->by_peers));
	p->by_rules[p->contributors].identity = identity;
	p->by_peers[p->contributors].identity = identity;
	return &p->by_rules[p->contributors++];
}

static size_t count_class(struct plan *p, uint32_t number)
{
	struct class *c = class_find(&p->table->slots.classes, number);

	if (c->written || c->counted == p->stamp)
		return 0;
	c->counted = p->stamp;
	mem_grow(&p->class, &p->class_room, p->classes + 1, sizeof(struct class *));
	p->class[p->classes++] = c;
	p->rules += c->rules;
	return c->rules;
}

static size_t count_pair(struct plan *p, const struct peer_class *pair)
{
	return count_class(p, pair->class[POLICY_INGRESS]) +
	       count_class(p, pair->class[POLICY_EGRESS]);
}

void plan_count(struct plan *p, uint32_t identity, struct slot *s)
{
	size_t rules;

	if (s->written || s->counted == p->stamp)
		return;
	s->counted = p->stamp;
	mem_grow(&p->slot, &p->slot_room, p->slots + 1, sizeof(struct slot *));
	p->slot[p->slots++] = s;
	p->peers += s->peers;
	rules = count_pair(p, &s->base);
	for (size_t i = 0; i < s->peers; i++)
		rules += count_pair(p, &s->peer[i].class);
	contribution(p, identity)->entries = rules;
	p->by_peers[p->contributors - 1].entries = s->peers;
}

void plan_count_change(struct plan *p, uint32_t identity, const struct change *c, size_t new_peers)
{
	size_t rules = 0;

	for (size_t i = 0; i < c->peers; i++)
		rules += count_pair(p, &c->peer[i].class);
	p->peers += new_peers;
	contribution(p, identity)->entries = rules;
	p->by_peers[p->contributors - 1].entries = new_peers;
}

int plan_wish(struct plan *p, const struct dp_slot *in, struct err *e)
{
	struct row *row = row_get(p->table, in->identity);
	struct slot *s = NULL;
	int r = 0;

	if (row->wish)
		return err_set(e, -EINVAL, "policy: two slots for identity %u", in->identity);
	if (in->content && row->slot && row->content == in->content)
		s = row->slot;
	else if (in->content)
		s = hash_get(&p->content, &in->content, sizeof(in->content));
	if (!s)
		r = slot_get(&p->table->slots, in, &p->seen, &s, e);
	if (r)
		return r;
	if (in->content)
		(void)hash_put(&p->content, &in->content, sizeof(in->content), s);
	s->refs++;
	plan_count(p, in->identity, s);
	p->wish[p->wishes] = (struct wish){row, s, in->content};
	row->wish = &p->wish[p->wishes++];
	return 0;
}

static int check(const struct plan *p, size_t rows, struct err *e)
{
	const struct policy_table *t = p->table;
	const struct demand rule = {"rule", "bpf-policy-map-max", p->rules, t->rules,
				    t->rule_map.max_entries},
			    peer = {"peer", "policy-peer-max", p->peers, t->peers,
				    t->peer_map.max_entries},
			    /* both generations have a row for each identity */
		slot = {"slot", "the build's limit", rows, t->subjects, t->slot_map.max_entries};
	int r = demand_check(&rule, p->by_rules, p->contributors, e);

	r = r ? r : demand_check(&peer, p->by_peers, p->contributors, e);
	return r ? r : demand_check(&slot, NULL, 0, e);
}

int plan_check(struct plan *p, size_t rows, struct err *e)
{
	int r = check(p, rows, e);

	if (r != -E2BIG || !p->table->olds)
		return r;
	policy_settle(p->table);
	policy_collect_unread(p->table);
	return check(p, rows, e);
}

int plan_write(struct plan *p, struct err *e)
{
	SCOPED(writer_done) struct writer rules = rule_writer(p->table);
	SCOPED(writer_done) struct writer peers = peer_writer(p->table);
	int r = 0;

	for (size_t i = 0; !r && i < p->classes; i++) {
		p->class[i]->written = true;
		r = class_write(&rules, p->class[i], e);
	}
	r = r ? r : writer_flush(&rules, e);
	for (size_t i = 0; !r && i < p->slots; i++) {
		p->slot[i]->written = true;
		r = slot_write(&peers, p->slot[i], e);
	}
	r = r ? r : writer_flush(&peers, e);
	p->table->written += rules.written + peers.written;
	if (r)
		plan_unwrite(p);
	return r;
}

void plan_unwrite(struct plan *p)
{
	SCOPED(writer_done) struct writer rules = rule_writer(p->table);
	SCOPED(writer_done) struct writer peers = peer_writer(p->table);
	int r = 0;

	rules.removes = peers.removes = true;
	for (size_t i = 0; !r && i < p->slots; i++) {
		if (p->slot[i]->written)
			r = slot_write(&peers, p->slot[i], NULL);
		p->slot[i]->written = false;
	}
	r = r ? r : writer_flush(&peers, NULL);
	for (size_t i = 0; !r && i < p->classes; i++) {
		if (p->class[i] -> written)
			r = class_write(&rules, p->class[i], NULL);
		p->class[i]->written = false;
	}
	(void)(r ? r : writer_flush(&rules, NULL));
	policy_recount(p->table);
}
