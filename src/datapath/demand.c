/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a policy fits. Pure; called by policy.c before it writes anything. */
#include "datapath/demand.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"

enum { CONTRIBUTORS = 3, NUMBER_TEXT = 32 };

/* 71,304 */
static const char *grouped(size_t n, char buf[NUMBER_TEXT])
{
	char digits[NUMBER_TEXT];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%zu", n), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = digits[i];
	}
	buf[at] = 0;
	return buf;
}

/* "identity 4711: 60,000, identity 12: 9" */
static void largest(const struct contribution *c, size_t count, struct str *to)
{
	const struct contribution *top[CONTRIBUTORS] = {0};
	char n[NUMBER_TEXT];

	for (size_t i = 0; i < count; i++) {
		const struct contribution *x = c[i].entries ? &c[i] : NULL;

		for (int k = 0; x && k < CONTRIBUTORS; k++) {
			const struct contribution *was = top[k];

			if (was && was->entries >= x->entries)
				continue;
			top[k] = x;
			x = was;
		}
	}
	for (int k = 0; k < CONTRIBUTORS && top[k]; k++)
		str_printf(to, "%sidentity %u: %s", k ? ", " : "", top[k]->identity,
			grouped(top[k]->entries, n));
}

int demand_check(const struct demand *d, const struct contribution *c, size_t count, struct err *e)
{
	SCOPED(str_done) struct str top = {0};
	char wanted[NUMBER_TEXT], there[NUMBER_TEXT], max[NUMBER_TEXT];

	if (d->wanted <= d->max && d->there <= d->max - d->wanted)
		return 0;
	largest(c, count, &top);
	return err_set(e, -E2BIG,
		"policy needs %s %s entries beside %s in force, %s are configured (%s): not "
		"activated%s%s",
		grouped(d->wanted, wanted), d->what, grouped(d->there, there), grouped(d->max, max),
		d->key, top.len ? "; the largest contributors are " : "", str_text(&top));
}
