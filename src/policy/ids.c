/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of identity numbers. Called by all of policy/; each set belongs to whoever has it. Must
 * hold: sorted, each number once. */
#include "policy/ids.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void ids_done(struct ids *s)
{
	free(s->id);
	*s = (struct ids){0};
}

size_t ids_position(const struct ids *s, uint32_t id)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->id[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool ids_has(const struct ids *s, uint32_t id)
{
	size_t i = ids_position(s, id);

	return i < s->count && s->id[i] == id;
}

void ids_append(struct ids *s, uint32_t id)
{
	if (s->count && s->id[s->count - 1] == id)
		return;
	mem_grow(&s->id, &s->room, s->count + 1, sizeof(*s->id));
	s->id[s->count++] = id;
}

bool ids_add(struct ids *s, uint32_t id)
{
	size_t i = ids_position(s, id);

	if (i < s->count && s->id[i] == id)
		return false;
	mem_grow(&s->id, &s->room, s->count + 1, sizeof(*s->id));
	memmove(&s->id[i + 1], &s->id[i], (s->count - i) * sizeof(*s->id));
	s->id[i] = id;
	s->count++;
	return true;
}

bool ids_remove(struct ids *s, uint32_t id)
{
	size_t i = ids_position(s, id);

	if (i == s->count || s->id[i] != id)
		return false;
	s->count--;
	memmove(&s->id[i], &s->id[i + 1], (s->count - i) * sizeof(*s->id));
	return true;
}

void ids_unite(struct ids *s, const struct ids *other)
{
	struct ids both = {0};
	size_t i = 0, k = 0;

	if (!other->count)
		return;
	mem_grow(&both.id, &both.room, s->count + other->count, sizeof(*both.id));
	while (i < s->count || k < other->count) {
		if (k == other->count || (i < s->count && s->id[i] <= other->id[k]))
			ids_append(&both, s->id[i++]);
		else
			ids_append(&both, other->id[k++]);
	}
	free(s->id);
	*s = both;
}
