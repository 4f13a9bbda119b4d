/* SPDX-License-Identifier: Apache-2.0 */
/* What may have been meant by a word that is not known. Called by option.c and by the commands.
 * Owns nothing. */
#include <string.h>

#include "cli/cli.h"

void nearest_offer(struct nearest *n, const char *word)
{
	size_t len = strlen(n->wanted);
	unsigned distance = str_distance(n->wanted, word);
	unsigned most = len <= 2 ? 1 : len <= 5 ? 2 : 3;

	/* the beginning of a word is near, but less so than a slip of a letter */
	if (len >= 2 && distance > most && str_has_prefix(word, n->wanted))
		distance = most;
	if (distance > most || distance >= len || (n->best && distance >= n->distance))
		return;
	n->best = word;
	n->distance = distance;
}

void nearest_write(const struct nearest *n, const char *prefix, struct str *out)
{
	if (n->best)
		str_printf(out, "; did you mean '%s%s'?", prefix, n->best);
}
