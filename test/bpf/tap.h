/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_BPF_TAP_H
#define KILIM_TEST_BPF_TAP_H
/* The output of tests that are tables: TAP, with the reasons of a failure as comments below it. */
#include <stdbool.h>

/* One line more; returns ok. */
bool tap_ok(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As tap_ok(), for what cannot be tried here. */
void tap_skip(const char *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A reason, kept until the next line has been written. */
void tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The plan, behind all lines; returns main()'s exit status. */
int tap_done(void);
/* Instead of everything: nothing can be tried here. Returns main()'s exit status. */
int tap_skip_all(const char *reason);

#endif
