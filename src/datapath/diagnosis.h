/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_DIAGNOSIS_H
#define KILIM_DATAPATH_DIAGNOSIS_H
/* What libbpf and the verifier say when loading fails: kept for the error text instead of going to
 * stderr. */
#include "base/err.h"

/* From now on libbpf's warnings are collected; what was collected is forgotten. */
void diagnosis_begin(void);
/* err_set() with what, strerror and the lines that tell why. */
int diagnosis_set(struct err *e, int code, const char *what);
/* The lines of a libbpf warning that tell why, the last ones that fit; ret is a string. Split off
 * for its test. */
void diagnosis_pick(const char *text, char *ret, unsigned size);

#endif
