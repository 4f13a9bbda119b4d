/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_API_PERCENT_H
#define KILIM_API_PERCENT_H
/* Percent-decoding of parts of a URL; api_encode() of client.h is its inverse. */
#include "base/mem.h"

/* Decode in place. -EINVAL for a broken escape and for one that stands for NUL; s is then
 * unspecified. */
int percent_decode(char *s) MUST_USE;

#endif
