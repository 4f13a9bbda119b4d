/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of slots and classes. Pure; called by slot.c and class.c. Must hold: no number is out
 * twice. */
#include "datapath/number.h"

#include <stdlib.h>

#include "base/mem.h"

void number_claim(struct numbers *t, uint32_t number)
{
	mem_grow(&t->used, &t->room, (size_t)number + 1, 1);
	t->used[number] = 1;
}

uint32_t number_take(struct numbers *t)
{
	uint32_t n = t->low ? t->low : 1;

	while (n < t->room && t->used[n])
		n++;
	number_claim(t, n);
	t->low = n + 1;
	return n;
}

void number_give(struct numbers *t, uint32_t number)
{
	t->used[number] = 0;
	if (number < t->low)
		t->low = number;
}

void numbers_done(struct numbers *t)
{
	free(t->used);
	*t = (struct numbers){0};
}
