/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes the flow tables of a data path under test. Called by table.c and the randomized
 * test. Must hold: keys are made here from the words of abi/flow.h, not by the data path's code.
 */
#include "bpf/flow.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bpf/table.h"

static const char *const tables[] = {"flow4", "flow6", "half4", "half6"};

/* The key with end `lower` of the tuple first. */
static void key_make(const struct tuple *t, int lower, uint8_t *ret)
{
	const struct addr *a = &t->addr[lower], *b = &t->addr[!lower];
	uint8_t side = !t->echo ? 0 : t->request == lower ? 1 : 2;

	if (t->family == 4) {
		struct flow_key4 k = {
			.addr = {a->word[3], b->word[3]},
			.port = {htons(t->port[lower]), htons(t->port[!lower])},
			.protocol = t->protocol,
			.side = side,
			.domain = t->domain,
		};

		memcpy(ret, &k, sizeof(k));
	} else {
		struct flow_key6 k = {
			.addr = {*a, *b},
			.port = {htons(t->port[lower]), htons(t->port[!lower])},
			.protocol = t->protocol,
			.side = side,
			.domain = t->domain,
		};

		memcpy(ret, &k, sizeof(k));
	}
}

int flow_find_tuple(struct plane *p, const struct tuple *t, struct flow *ret)
{
	uint8_t key[sizeof(struct flow_key6)];

	for (int lower = 0; lower < 2; lower++) {
		key_make(t, lower, key);
		if (!plane_lookup(p, t->family == 4 ? "flow4" : "flow6", key, ret))
			return FULL_TABLE;
		if (!plane_lookup(p, t->family == 4 ? "half4" : "half6", key, ret))
			return HALF_TABLE;
	}
	return 0;
}

/* The table that is being read. */
struct reading {
	struct flow_rows *rows;
	size_t table;
};

static int row_add(const void *key, const void *value, void *data)
{
	struct reading *r = data;
	struct flow_row *row;

	mem_grow(&r->rows->row, &r->rows->room, r->rows->count + 1, sizeof(*row));
	row = &r->rows->row[r->rows->count++];
	memset(row, 0, sizeof(*row));
	row->half = (uint8_t)r->table;
	memcpy(row->key, key, r->table & 1 ? sizeof(struct flow_key6) : sizeof(struct flow_key4));
	memcpy(&row->flow, value, sizeof(row->flow));
	row->flow.expires >>= WORLD_TIMEOUT_SHIFT;
	row->flow.created = 0;
	return 0;
}

static int row_compare(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct flow_row, flow));
}

void flow_rows_read(struct plane *p, struct flow_rows *ret)
{
	ret->count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct reading r = {ret, i};

		plane_each(p, tables[i], row_add, &r);
	}
	if (ret->count)
		qsort(ret->row, ret->count, sizeof(*ret->row), row_compare);
}

void flow_rows_done(struct flow_rows *r)
{
	free(r->row);
	*r = (struct flow_rows){0};
}

struct changing {
	struct plane *plane;
	const char *table;
	void (*change)(struct flow *f);
};

static int change_entry(const void *key, const void *value, void *data)
{
	struct changing *c = data;
	uint8_t copy[sizeof(struct flow_key6)];
	struct flow f;

	memcpy(copy, key,
		strchr(c->table, '4') ? sizeof(struct flow_key4) : sizeof(struct flow_key6));
	memcpy(&f, value, sizeof(f));
	c->change(&f);
	plane_update(c->plane, c->table, copy, &f);
	return 0;
}

void flow_change(struct plane *p, void (*change)(struct flow *f))
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct changing c = {p, tables[i], change};

		plane_each(p, tables[i], change_entry, &c);
	}
}

const char *flow_text(const struct flow *f)
{
	static char text[512];

	snprintf(text, sizeof(text),
		"expires %llu epoch %u state %u flags %02x reason %u direction %u identity %u %u "
		"endpoint %u %u rule %u %u"
		" way0 %llu/%llu from %u to %u action %u tcp %02x way1 %llu/%llu from %u to %u "
		"action "
		"%u tcp %02x",
		(unsigned long long)f->expires, f->epoch, f->state, f->flags, f->reason,
		f->direction, f->identity[0], f->identity[1], f->endpoint[0], f->endpoint[1],
		f->rule[0], f->rule[1], (unsigned long long)f->way[0].packets,
		(unsigned long long)f->way[0].bytes, f->way[0].from, f->way[0].to, f->way[0].action,
		f->way[0].tcp_flags, (unsigned long long)f->way[1].packets,
		(unsigned long long)f->way[1].bytes, f->way[1].from, f->way[1].to, f->way[1].action,
		f->way[1].tcp_flags);
	return text;
}
