/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_MODEL_FIXTURE_H
#define KILIM_TEST_MODEL_FIXTURE_H
/* Policy documents that a test reads, and how parts of them are written in its tables. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/policy.h"

static const struct policy_context plain_context = {
	.cluster = "kilim", .default_namespace = "default"};

/* The documents of one text, which p.yaml would be called. */
struct reading {
	struct policy_set set;
	struct yaml_docs docs;
	struct err e;
};

static inline int reading_parse(
	struct reading *r, const struct policy_context *context, const char *text)
{
	int err = yaml_parse("p.yaml", text, strlen(text), &r->docs, &r->e);

	for (size_t i = 0; !err && i < r->docs.count; i++)
		err = policy_parse(&r->set, context, "p.yaml", &r->docs.doc[i], &r->e);
	return err;
}

static inline void reading_done(struct reading *r)
{
	policy_set_done(&r->set);
	yaml_docs_done(&r->docs);
}

static inline void reading_need(
	struct reading *r, const struct policy_context *context, const char *text)
{
	if (reading_parse(r, context, text) < 0)
		fail_msg("%s", r->e.text);
}

#endif
