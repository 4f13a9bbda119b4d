/* SPDX-License-Identifier: Apache-2.0 */
/* Policy slots and classes in memory: one per content, and references that say when one is gone. */
#include "datapath/slot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { CLASS = RULE_PREFIX_CLASS, PROTOCOL = RULE_PREFIX_PROTOCOL, PORT = RULE_PREFIX_PORT };

static struct dp_rule rule(uint32_t prefixlen, uint8_t protocol, uint16_t port, uint32_t id)
{
	struct dp_rule r = {0};

	r.key = (struct rule_key){
		.prefixlen = prefixlen, .protocol = protocol, .port = htons(port)};
	r.decision.rule = id;
	return r;
}

/* Three classes, the last of which is equal to the first but for order and bits that nobody looks
 * at, and a table of slots to put them in. */
struct fixture {
	struct slots t;
	struct dp_rule rule[3][3];
	struct dp_class class[3];
	const struct dp_class *list[3];
	uint32_t gone; /* numbers of classes that went, as bits */
	struct hash seen;
};

static void on_gone(struct class *c, void *data)
{
	struct fixture *f = data;

	f->gone |= 1u << c->number;
}

static void begin(struct fixture *f)
{
	*f = (struct fixture){
		.rule = {{rule(CLASS, 0, 0, 2), rule(PORT, 6, 80, 1), rule(PORT - 8, 6, 0x1200, 3)},
			{rule(CLASS, 0, 0, 9)},
			{rule(PORT - 8, 6, 0x1234, 3), rule(PORT, 6, 80, 1),
				rule(CLASS, 17, 53, 2)}},
	};
	f->rule[2][0].key.pad = 7;
	f->rule[2][1].key.class = 4;
	f->rule[2][1].decision.pad = 9;
	f->t.class_gone = on_gone;
	f->t.data = f;
	for (int i = 0; i < 3; i++) {
		f->class[i] = (struct dp_class){f->rule[i], i == 1 ? 1 : 3};
		f->list[i] = &f->class[i];
	}
}

static void end(struct fixture *f)
{
	slots_done(&f->t);
	hash_done(&f->seen);
}

static struct dp_slot slot_in(const struct fixture *f, const struct dp_peer *peer, size_t peers)
{
	return (struct dp_slot){.identity = 300,
		.class = f->list,
		.classes = 3,
		.base = {1, 1},
		.peer = peer,
		.peers = peers};
}

static struct slot *make(struct fixture *f, const struct dp_slot *in)
{
	struct err e = {0};
	struct slot *s = NULL;

	assert_int_equal(slot_get(&f->t, in, &f->seen, &s, &e), 0);
	return s;
}

static void equal_classes(void **state)
{
	struct fixture f;
	struct class *a, *b, *c;

	(void)state;
	begin(&f);
	assert_int_equal(class_get(&f.t.classes, f.list[0], &a, NULL), 0);
	assert_int_equal(class_get(&f.t.classes, f.list[1], &b, NULL), 0);
	assert_int_equal(class_get(&f.t.classes, f.list[2], &c, NULL), 0);
	assert_ptr_equal(a, c);
	assert_ptr_not_equal(a, b);
	assert_int_equal(a->number, 1);
	assert_int_equal(b->number, 2);
	f.rule[2][0].decision.verdict = POLICY_DENY;
	assert_int_equal(class_get(&f.t.classes, f.list[2], &c, NULL), 0);
	assert_ptr_not_equal(a, c);
	class_drop(&f.t.classes, a);
	assert_int_equal(class_get(&f.t.classes, f.list[0], &a, NULL), 0);
	assert_int_equal(a->number, 1);
	end(&f);
}

static void equal_slots(void **state)
{
	struct dp_peer p1[] = {{5, {0, 1}}, {3, {1, 2}}, {4, {1, 1}}},
		       p2[] = {{3, {1, 0}}, {5, {2, 1}}};
	struct fixture f;
	struct dp_slot a, b;
	struct slot *x, *y;

	(void)state;
	begin(&f);
	a = slot_in(&f, p1, 3);
	b = slot_in(&f, p2, 2);
	x = make(&f, &a);
	y = make(&f, &b);
	/* order, a peer in the base classes, and equal classes make no difference */
	assert_ptr_equal(x, y);
	assert_int_equal(x->peers, 2);
	assert_int_equal(f.t.classes.count, 2);
	assert_null(slot_peer(x, 4));
	assert_int_equal(slot_class(x, 4).class[0], x -> base.class[0]);
	assert_int_equal(slot_class(x, 5).class[1], x -> base.class[1]);
	assert_int_not_equal(slot_class(x, 5).class[0], x -> base.class[0]);
	p2[1].class[1] = 0;
	y = make(&f, &b);
	assert_ptr_not_equal(x, y);
	assert_int_equal(y->number, 2);
	end(&f);
}

static void references(void **state)
{
	struct dp_peer one[] = {{5, {0, 1}}}, two[] = {{5, {0, 0}}, {6, {0, 1}}};
	struct fixture f;
	struct dp_slot a, b;
	struct slot *x, *y;

	(void)state;
	begin(&f);
	a = slot_in(&f, one, 1);
	b = slot_in(&f, two, 2);
	x = make(&f, &a);
	y = make(&f, &b);
	/* number 1 is the peers' (0), number 2 the base (1) */
	assert_int_equal(class_find(&f.t.classes, 1)->refs, 1 + 3);
	assert_int_equal(class_find(&f.t.classes, 2)->refs, 3 + 3);
	slot_drop(&f.t, y);
	assert_int_equal(f.gone, 0);
	assert_int_equal(class_find(&f.t.classes, 1)->refs, 1);
	slot_drop(&f.t, x);
	assert_int_equal(f.gone, 1 << 1 | 1 << 2);
	assert_int_equal(f.t.count + f.t.classes.count, 0);
	end(&f);
}

static void changes(void **state)
{
	struct dp_peer one[] = {{5, {0, 1}}}, more[] = {{7, {0, 0}}, {5, {1, 1}}, {6, {1, 1}}},
		       all[] = {{7, {0, 0}}};
	struct fixture f;
	struct dp_slot a, b, c;
	struct change to = {0}, back;
	struct slot *x, *y, *z;

	(void)state;
	begin(&f);
	a = slot_in(&f, one, 1);
	b = slot_in(&f, more, 3);
	c = slot_in(&f, all, 1);
	x = make(&f, &a);
	z = make(&f, &c);
	assert_int_equal(change_make(&f.t, &b, &f.seen, &to, NULL), 0);
	y = slot_changed(&f.t, x, &to);
	assert_ptr_equal(y, z);
	back = change_back(&f.t, x, &to);
	slot_change(&f.t, x, &to);
	assert_int_equal(x->peers, 1);
	assert_non_null(slot_peer(x, 7));
	assert_int_equal(x->digest, z->digest);
	slot_change(&f.t, x, &back);
	assert_int_equal(x->peers, 1);
	assert_non_null(slot_peer(x, 5));
	assert_ptr_equal(make(&f, &a), x);
	change_done(&f.t, &to);
	change_done(&f.t, &back);
	slot_drop(&f.t, x);
	slot_drop(&f.t, z);
	assert_int_equal(f.t.classes.count, 0);
	end(&f);
}

static void empty(void **state)
{
	struct dp_class none = {0}, other = {0};
	const struct dp_class *list[] = {&none, &other};
	struct fixture f;
	struct dp_slot a = {.identity = 1, .class = list, .classes = 2},
		       b = {.identity = 2, .class = list, .classes = 2, .base = {1, 0}};

	(void)state;
	begin(&f);
	assert_ptr_equal(make(&f, &a), make(&f, &b));
	end(&f);
}

static void refused(void **state)
{
	struct dp_peer twice[] = {{5, {1, 0}}, {5, {1, 1}}}, beyond[] = {{5, {1, 3}}};
	struct dp_rule same[] = {rule(PROTOCOL, 6, 80, 1), rule(PROTOCOL, 6, 81, 2)},
		       shorter = rule(CLASS - 1, 0, 0, 1), longer = rule(PORT + 1, 0, 0, 1),
		       between = rule(PROTOCOL - 1, 6, 0, 1);
	struct dp_class bad[] = {{same, 2}, {&shorter, 1}, {&longer, 1}, {&between, 1}};
	struct slot *s = NULL;
	struct fixture f;
	struct dp_slot in;
	struct err e = {0};

	(void)state;
	begin(&f);
	in = slot_in(&f, twice, 2);
	assert_int_equal(slot_get(&f.t, &in, &f.seen, &s, &e), -EINVAL);
	assert_string_equal(e.text, "policy of identity 300: two classes for peer 5");
	hash_done(&f.seen);
	in = slot_in(&f, beyond, 1);
	assert_int_equal(slot_get(&f.t, &in, &f.seen, &s, &e), -EINVAL);
	for (size_t i = 0; i < 4; i++) {
		hash_done(&f.seen);
		f.list[2] = &bad[i];
		in.base[1] = 2;
		in.peers = 0;
		assert_int_equal(slot_get(&f.t, &in, &f.seen, &s, &e), -EINVAL);
	}
	assert_null(s);
	assert_int_equal(f.t.count + f.t.classes.count, 0);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_classes),
		cmocka_unit_test(equal_slots),
		cmocka_unit_test(references),
		cmocka_unit_test(changes),
		cmocka_unit_test(empty),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests_name("datapath/slot", tests, NULL, NULL);
}
