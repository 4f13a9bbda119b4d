/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_CLI_LINE_DIFF_H
#define KILIM_CLI_LINE_DIFF_H
/* What lines differ between two texts. */
#include "base/str.h"

/* Lines with '-' in front that only the first text has, with '+' that only the second has, and with
 * a blank up to three around them that both have; "@@ LINE @@" of the second before each place. */
void line_diff(struct str *out, const char *before, const char *after);

#endif
