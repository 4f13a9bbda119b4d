/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing and converting layouts by BTF. Pure. Called by load.c and migrate.c. Must hold: what
 * the plan copies lies inside both types. What numbers mean (enumerators, units) BTF does not tell:
 * abi never gives an old number another meaning.
 */
#include "datapath/layout.h"

#include <bpf/btf.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NESTING_MAX = 16 };

/* The type behind typedefs and qualifiers; NULL for void. */
static const struct btf_type *plain(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_typedef(t) || btf_is_mod(t)))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_void(t) ? NULL : t;
}

static const char *name_of(const struct btf *btf, uint32_t offset)
{
	const char *s = btf__name_by_offset(btf, offset);

	return s ? s : "";
}

static bool is_number(const struct btf_type *t)
{
	return btf_is_int(t) || btf_is_any_enum(t);
}

static bool equal(
	const struct btf *a, uint32_t a_type, const struct btf *b, uint32_t b_type, unsigned depth);

static bool equal_members(const struct btf *a, const struct btf_type *ta, const struct btf *b,
	const struct btf_type *tb, unsigned depth)
{
	const struct btf_member *ma = btf_members(ta), *mb = btf_members(tb);

	if (ta->size != tb->size || btf_vlen(ta) != btf_vlen(tb))
		return false;
	for (uint16_t i = 0; i < btf_vlen(ta); i++) {
		if (strcmp(name_of(a, ma[i].name_off), name_of(b, mb[i].name_off)) ||
			btf_member_bit_offset(ta, i) != btf_member_bit_offset(tb, i) ||
			btf_member_bitfield_size(ta, i) != btf_member_bitfield_size(tb, i) ||
			!equal(a, ma[i].type, b, mb[i].type, depth))
			return false;
	}
	return true;
}

static bool equal(
	const struct btf *a, uint32_t a_type, const struct btf *b, uint32_t b_type, unsigned depth)
{
	const struct btf_type *ta = plain(a, a_type), *tb = plain(b, b_type);

	if (!ta || !tb || depth > NESTING_MAX)
		return false;
	if (is_number(ta) && is_number(tb))
		return ta->size == tb->size;
	if (btf_kind(ta) != btf_kind(tb))
		return false;
	if (btf_is_array(ta))
		return btf_array(ta)->nelems == btf_array(tb)->nelems &&
		       equal(a, btf_array(ta)->type, b, btf_array(tb)->type, depth + 1);
	return btf_is_composite(ta) && equal_members(a, ta, b, tb, depth + 1);
}

bool layout_equal(const struct btf *a, uint32_t a_type, const struct btf *b, uint32_t b_type)
{
	return a && b && a_type && b_type && equal(a, a_type, b, b_type, 0);
}

/* A type at a place in an entry. */
struct spot {
	const struct btf *btf;
	uint32_t type, offset;
};

static void add_move(
	struct layout_plan *p, uint32_t from, uint32_t from_size, uint32_t to, uint32_t to_size)
{
	struct layout_move *last = p->count ? &p->move[p->count - 1] : NULL;

	/* neighbours that stay neighbours are one piece */
	if (last && from_size == to_size && last->from_size == last->to_size &&
		last->from + last->from_size == from && last->to + last->to_size == to) {
		last->from_size += from_size;
		last->to_size += to_size;
		return;
	}
	mem_grow(&p->move, &p->capacity, p->count + 1, sizeof(*p->move));
	p->move[p->count++] = (struct layout_move){from, to, from_size, to_size};
}

static int plan_spot(
	struct layout_plan *p, struct spot from, struct spot to, unsigned depth, struct err *e);

static const struct btf_member *member_named(
	const struct btf *btf, const struct btf_type *t, const char *name)
{
	for (uint16_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = btf_members(t) + i;

		if (!strcmp(name_of(btf, m->name_off), name))
			return m;
	}
	return NULL;
}

static int plan_member(struct layout_plan *p, struct spot from, const struct btf_type *tf,
	struct spot to, const struct btf_type *tt, uint16_t i, unsigned depth, struct err *e)
{
	const struct btf_member *mt = btf_members(tt) + i;
	const char *name = name_of(to.btf, mt->name_off);
	const struct btf_member *mf = member_named(from.btf, tf, name);

	if (!mf)
		return 0;
	if (btf_member_bitfield_size(tt, i) ||
		btf_member_bitfield_size(tf, (uint32_t)(mf - btf_members(tf))))
		return err_set(e, -ENOTSUP, "member %s is a bit field", name);
	from.offset += btf_member_bit_offset(tf, (uint32_t)(mf - btf_members(tf))) / 8;
	from.type = mf->type;
	to.offset += btf_member_bit_offset(tt, i) / 8;
	to.type = mt->type;
	return plan_spot(p, from, to, depth + 1, e);
}

static int plan_array(struct layout_plan *p, struct spot from, const struct btf_type *tf,
	struct spot to, const struct btf_type *tt, unsigned depth, struct err *e)
{
	const struct btf_array *af = btf_array(tf), *at = btf_array(tt);
	int64_t from_size = btf__resolve_size(from.btf, af->type),
		to_size = btf__resolve_size(to.btf, at->type);
	int r = 0;

	if (from_size <= 0 || to_size <= 0)
		return err_set(e, -ENOTSUP, "array of elements without a size");
	from.type = af->type;
	to.type = at->type;
	for (uint32_t i = 0; !r && i < af->nelems && i < at->nelems; i++) {
		r = plan_spot(p, from, to, depth + 1, e);
		from.offset += (uint32_t)from_size;
		to.offset += (uint32_t)to_size;
	}
	return r;
}

static int plan_spot(
	struct layout_plan *p, struct spot from, struct spot to, unsigned depth, struct err *e)
{
	const struct btf_type *tf = plain(from.btf, from.type), *tt = plain(to.btf, to.type);
	int r = 0;

	if (!tf || !tt || depth > NESTING_MAX)
		return err_set(e, -ENOTSUP, "type without a layout");
	if (is_number(tf) && is_number(tt)) {
		add_move(p, from.offset, tf->size, to.offset, tt->size);
		return 0;
	}
	if (btf_kind(tf) != btf_kind(tt))
		return err_set(e, -ENOTSUP, "type %s has become another kind",
			name_of(to.btf, tt->name_off));
	if (equal(from.btf, from.type, to.btf, to.type, depth)) {
		int64_t size = btf__resolve_size(to.btf, to.type);

		add_move(p, from.offset, (uint32_t)size, to.offset, (uint32_t)size);
		return 0;
	}
	if (btf_is_array(tf))
		return plan_array(p, from, tf, to, tt, depth, e);
	if (!btf_is_composite(tf))
		return err_set(
			e, -ENOTSUP, "type %s cannot be converted", name_of(to.btf, tt->name_off));
	for (uint16_t i = 0; !r && i < btf_vlen(tt); i++)
		r = plan_member(p, from, tf, to, tt, i, depth, e);
	return r;
}

int layout_plan(const struct btf *from, uint32_t from_type, const struct btf *to, uint32_t to_type,
	struct layout_plan *ret, struct err *e)
{
	SCOPED(layout_plan_done) struct layout_plan p = {0};
	int64_t size = btf__resolve_size(to, to_type);
	int r;

	if (size <= 0)
		return err_set(e, -ENOTSUP, "type without a size");
	p.to_size = (uint32_t)size;
	r = plan_spot(&p, (struct spot){from, from_type, 0}, (struct spot){to, to_type, 0}, 0, e);
	if (r)
		return r;
	*ret = p;
	p = (struct layout_plan){0};
	return 0;
}

void layout_plan_done(struct layout_plan *p)
{
	free(p->move);
	*p = (struct layout_plan){0};
}

void layout_convert(const struct layout_plan *p, const void *from, void *to)
{
	memset(to, 0, p->to_size);
	for (size_t i = 0; i < p->count; i++) {
		const struct layout_move *m = &p->move[i];
		uint32_t size = m->from_size < m->to_size ? m->from_size : m->to_size;
		/* the low bytes of a number stand at its end where the big one comes first */
		bool end = htobe16(1) == 1;

		memcpy((char *)to + m->to + (end ? m->to_size - size : 0),
			(const char *)from + m->from + (end ? m->from_size - size : 0), size);
	}
}
