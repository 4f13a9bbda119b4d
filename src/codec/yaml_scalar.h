/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_CODEC_YAML_SCALAR_H
#define KILIM_CODEC_YAML_SCALAR_H
/* What a plain scalar of YAML stands for, by the core schema of YAML 1.2. For codec/yaml.c. */
#include <jansson.h>
#include <stddef.h>

#include "base/mem.h"

/* The value of text (valid UTF-8, no NUL inside). -ERANGE: an integer over 64 bits; -EDOM: infinity
 * or not a number. */
int yaml_scalar_resolve(const char *text, size_t len, json_t **ret) MUST_USE;

#endif
