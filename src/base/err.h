/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_BASE_ERR_H
#define KILIM_BASE_ERR_H
/*
 * The text of a failure for a person: what failed, on what, why, what to do. It lives on the
 * caller's stack; libraries fill it and never log, programs print it once. Functions return 0 or
 * more when good and a negative errno when bad.
 */
struct err {
	int code; /* the negative errno that err_set() got */
	char text[512];
};

/* Fill *e (which may be NULL) and return code, so that a failure is one statement: return
 * err_set(e, -EINVAL, ...). */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Put a prefix and ": " before the text that is there already; returns e->code. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
