/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts told by BTF that is made here: comparison and conversion. */
#include "datapath/layout.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/btf.h>

/* Numbers of 1, 2, 4 and 8 bytes are types 1 to 4 of every BTF here. */
enum { U8 = 1, U16, U32, U64 };

static struct btf *numbers(void)
{
	struct btf *b = btf__new_empty();

	assert_int_equal(btf__add_int(b, "unsigned char", 1, 0), U8);
	assert_int_equal(btf__add_int(b, "unsigned short", 2, 0), U16);
	assert_int_equal(btf__add_int(b, "unsigned int", 4, 0), U32);
	assert_int_equal(btf__add_int(b, "unsigned long long", 8, 0), U64);
	return b;
}

static int struct_of(struct btf *b, const char *name, uint32_t size)
{
	return btf__add_struct(b, name, size);
}

static void field(struct btf *b, const char *name, int type, uint32_t byte)
{
	assert_int_equal(btf__add_field(b, name, type, byte * 8, 0), 0);
}

static void equal_layouts(void **state)
{
	struct btf *a = numbers(), *b = numbers();
	int other = btf__add_typedef(b, "__u32", U32), x, y, z, w;

	(void)state;
	x = struct_of(a, "x", 8);
	field(a, "one", U32, 0);
	field(a, "two", U16, 4);
	y = struct_of(b, "y", 8);
	field(b, "one", other, 0);
	field(b, "two", U16, 4);
	z = struct_of(b, "x", 8);
	field(b, "one", U32, 0);
	field(b, "zwo", U16, 4);
	w = struct_of(b, "x", 8);
	field(b, "one", U32, 0);
	field(b, "two", U16, 6);
	assert_true(layout_equal(a, (uint32_t)x, b, (uint32_t)y));
	assert_false(layout_equal(a, (uint32_t)x, b, (uint32_t)z)); /* a name */
	assert_false(layout_equal(a, (uint32_t)x, b, (uint32_t)w)); /* a place */
	assert_false(layout_equal(a, U32, b, U64));
	assert_true(layout_equal(a, U32, b, (uint32_t)other));
	assert_false(layout_equal(a, 0, b, 0));
	assert_false(layout_equal(NULL, 1, b, 1));
	btf__free(a);
	btf__free(b);
}

struct before {
	uint32_t count;
	uint8_t kept, gone;
	uint16_t narrow;
	uint64_t wide;
	uint16_t list[3];
	uint16_t pad;
	struct {
		uint8_t a, b, c, d;
	} inner;
};

struct after {
	uint64_t narrow;
	uint8_t fresh, kept;
	uint16_t wide;
	struct {
		uint8_t d;
		uint8_t a;
	} inner;
	uint16_t list[2];
	uint16_t pad;
	uint64_t count;
};

static int before_type(struct btf *b)
{
	int list = btf__add_array(b, U32, U16, 3), inner = struct_of(b, "", 4), s;

	field(b, "a", U8, 0);
	field(b, "b", U8, 1);
	field(b, "c", U8, 2);
	field(b, "d", U8, 3);
	s = struct_of(b, "thing", sizeof(struct before));
	field(b, "count", U32, offsetof(struct before, count));
	field(b, "kept", U8, offsetof(struct before, kept));
	field(b, "gone", U8, offsetof(struct before, gone));
	field(b, "narrow", U16, offsetof(struct before, narrow));
	field(b, "wide", U64, offsetof(struct before, wide));
	field(b, "list", list, offsetof(struct before, list));
	field(b, "pad", U16, offsetof(struct before, pad));
	field(b, "inner", inner, offsetof(struct before, inner));
	return s;
}

static int after_type(struct btf *b)
{
	int list = btf__add_array(b, U32, U16, 2), inner = struct_of(b, "", 2), s;

	field(b, "d", U8, 0);
	field(b, "a", U8, 1);
	s = struct_of(b, "thing", sizeof(struct after));
	field(b, "narrow", U64, offsetof(struct after, narrow));
	field(b, "fresh", U8, offsetof(struct after, fresh));
	field(b, "kept", U8, offsetof(struct after, kept));
	field(b, "wide", U16, offsetof(struct after, wide));
	field(b, "inner", inner, offsetof(struct after, inner));
	field(b, "list", list, offsetof(struct after, list));
	field(b, "pad", U16, offsetof(struct after, pad));
	field(b, "count", U64, offsetof(struct after, count));
	return s;
}

static void convert(void **state)
{
	struct btf *a = numbers(), *b = numbers();
	const struct before from = {.count = 70000,
		.kept = 7,
		.gone = 8,
		.narrow = 513,
		.wide = 0x1234567890,
		.list = {1, 2, 3},
		.inner = {4, 5, 6, 7}};
	struct layout_plan p = {0};
	struct after to;
	struct err e = {0};

	(void)state;
	memset(&to, 0xff, sizeof(to));
	assert_int_equal(
		layout_plan(a, (uint32_t)before_type(a), b, (uint32_t)after_type(b), &p, &e), 0);
	layout_convert(&p, &from, &to);
	assert_int_equal(to.count, 70000);
	assert_int_equal(to.kept, 7);
	assert_int_equal(to.fresh, 0);
	assert_int_equal(to.narrow, 513);
	assert_int_equal(to.wide, 0x7890);
	assert_int_equal(to.list[0], 1);
	assert_int_equal(to.list[1], 2);
	assert_int_equal(to.inner.d, 7);
	assert_int_equal(to.inner.a, 4);
	layout_plan_done(&p);
	btf__free(a);
	btf__free(b);
}

/* Neighbours are copied as one piece, and nothing outside the types is touched. */
static void convert_same(void **state)
{
	struct btf *a = numbers();
	int type = before_type(a);
	struct layout_plan p = {0};
	struct before from, to;
	struct err e = {0};

	(void)state;
	memset(&from, 0x5a, sizeof(from));
	assert_int_equal(layout_plan(a, (uint32_t)type, a, (uint32_t)type, &p, &e), 0);
	assert_int_equal(p.count, 1);
	assert_int_equal(p.to_size, sizeof(to));
	layout_convert(&p, &from, &to);
	assert_memory_equal(&from, &to, sizeof(to));
	layout_plan_done(&p);
	btf__free(a);
}

static void unions(void **state)
{
	struct btf *a = numbers(), *b = numbers();
	int bytes = btf__add_array(a, U32, U8, 8), words = btf__add_array(a, U32, U32, 2),
	    in = btf__add_union(a, NULL, 8), x, y, in_b;
	const uint64_t from = 0x1122334455667788;
	struct layout_plan p = {0};
	struct err e = {0};
	uint64_t to[2];

	(void)state;
	field(a, "byte", bytes, 0);
	field(a, "word", words, 0);
	x = struct_of(a, "addr", 8);
	field(a, "", in, 0);
	bytes = btf__add_array(b, U32, U8, 8);
	words = btf__add_array(b, U32, U32, 2);
	in_b = btf__add_union(b, NULL, 8);
	field(b, "byte", bytes, 0);
	field(b, "word", words, 0);
	y = struct_of(b, "addr", 16);
	field(b, "more", U64, 0);
	field(b, "", in_b, 8);
	assert_int_equal(layout_plan(a, (uint32_t)x, b, (uint32_t)y, &p, &e), 0);
	layout_convert(&p, &from, to);
	assert_int_equal(to[0], 0);
	assert_true(to[1] == from);
	layout_plan_done(&p);
	btf__free(a);
	btf__free(b);
}

static void refused(void **state)
{
	struct btf *a = numbers(), *b = numbers();
	int x = struct_of(a, "x", 8), list = btf__add_array(b, U32, U32, 2), y;
	struct layout_plan p = {0};
	struct err e = {0};

	(void)state;
	field(a, "one", U64, 0);
	y = struct_of(b, "x", 8);
	field(b, "one", list, 0);
	assert_int_equal(layout_plan(a, (uint32_t)x, b, (uint32_t)y, &p, &e), -ENOTSUP);
	assert_true(layout_plan(a, (uint32_t)x, b, 9999, &p, &e) < 0);
	btf__free(a);
	btf__free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_layouts),
		cmocka_unit_test(convert),
		cmocka_unit_test(convert_same),
		cmocka_unit_test(unions),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests_name("datapath/layout", tests, NULL, NULL);
}
