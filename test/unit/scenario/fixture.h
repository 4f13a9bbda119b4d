/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_SCENARIO_FIXTURE_H
#define KILIM_TEST_SCENARIO_FIXTURE_H
/* A scenario from a text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scenario/outcome.h"

/* A document with a CiliumNetworkPolicy of namespace default, as an element of `policies`. */
#define CNP(name, spec)                                                                            \
	"{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: " name             \
	"}, spec: " spec "}"

static inline int fixture_parse(const char *text, const struct scenario_settings *settings,
	struct scenario *s, struct err *e)
{
	struct scenario_settings usual = scenario_settings_default();
	struct yaml_docs docs = {0};
	int r = yaml_parse("t.yaml", text, strlen(text), &docs, e);

	assert_int_equal(r, 0);
	assert_int_equal(docs.count, 1);
	r = scenario_parse(settings ? settings : &usual, "t.yaml", "", &docs.doc[0], s, e);
	yaml_docs_done(&docs);
	return r;
}

static inline void fixture_world(const char *text, const struct scenario_settings *settings,
	struct scenario *s, struct world *w)
{
	struct err e = {0};

	if (fixture_parse(text, settings, s, &e) < 0 || world_make(s, w, &e) < 0)
		fail_msg("%s", e.text);
}

#endif
