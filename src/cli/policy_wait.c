/* SPDX-License-Identifier: Apache-2.0 */
/* kilim policy wait: until a revision is in force on all endpoints. Owns nothing. Must hold: what
 * is waited for is printed when it takes long, and the exit status tells late from never. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/time.h"
#include "codec/json.h"
#include "cli/commands.h"
#include "cli/policy.h"

enum { STEP_MS = 100, TALK_MS = 1000, WAIT_DEFAULT_S = 30 };

static const struct cli_option wait_options[] = {
	{0, "revision", "NUMBER", NULL, 0, "this revision or a later one [the newest accepted]"},
	{0, "timeout", "DURATION", NULL, 0, "at most so long [30s]"},
	{0},
};

struct wait {
	uint64_t revision; /* 0: whatever is accepted */
	long long seen, selected, realized, waiting;
};

/* What is not there yet: policies that come next, and endpoints that do not live by those that are
 * in force. */
static void look_at(struct wait *w, const json_t *list)
{
	w->selected = w->realized = w->waiting = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);

		if (str_eq(cli_text(j, "state"), "refused"))
			continue;
		w->waiting += str_eq(cli_text(j, "state"), "pending");
		w->selected += cli_number(j, "endpoints");
		w->realized += cli_number(j, "realized");
	}
}

/* 1: it is so; 0: not yet; negative: the agent does not answer, and e says why. */
static int ask(const struct cli *c, struct wait *w, struct err *e)
{
	SCOPED(json_unrefp) json_t *status = NULL, *list = NULL;
	const json_t *policy;
	int code = 0;
	int r = cli_try(c, "GET", "/v1/status", NULL, "status", &code, &status, e);

	if (r >= 0)
		r = cli_try(c, "GET", "/v1/policy", NULL, "policies", &code, &list, e);
	if (r < 0)
		return r;
	policy = json_object_get(status, "policy");
	w->seen = cli_number(policy, "revision");
	look_at(w, list);
	return json_is_true(json_object_get(status, "ready")) &&
	       w->seen >= (long long)w->revision && !w->waiting && w->realized == w->selected;
}

static void say(const struct wait *w)
{
	fprintf(stderr, "kilim: revision %lld is in force", w->seen);
	if (w->seen < (long long)w->revision)
		fprintf(stderr, ", %llu is waited for", (unsigned long long)w->revision);
	fprintf(stderr, "; realized %lld/%lld", w->realized, w->selected);
	if (w->waiting)
		fprintf(stderr, ", %lld policies to come", w->waiting);
	fprintf(stderr, "\n");
}

static int late(const struct wait *w, int last, const struct err *e)
{
	struct err text = {0};

	if (last < 0) {
		(void)cli_fail(e);
		return CLI_UNREACHABLE;
	}
	(void)err_set(&text, -ETIMEDOUT,
		"not in time: revision %lld is in force, realized %lld/%lld", w->seen, w->realized,
		w->selected);
	return cli_fail(&text);
}

static int run_wait(const struct cli *c)
{
	const struct timespec step = {0, STEP_MS * 1000000L};
	const char *revision = cli_value(c, "revision"), *timeout = cli_value(c, "timeout");
	uint64_t limit_ns = WAIT_DEFAULT_S * 1000000000ull, start = time_mono_ns(), said = start;
	struct wait w = {0};
	struct err e = {0};

	if (revision && policy_revision(c, revision, &w.revision))
		return CLI_USAGE;
	if (timeout && str_to_duration(timeout, &limit_ns) < 0)
		return cli_misused(c, "--timeout: '%s' is no duration such as 30s or 2m", timeout);
	for (;;) {
		int r = ask(c, &w, &e);
		uint64_t now = time_mono_ns();

		if (r > 0) {
			printf("revision %lld is in force, realized %lld/%lld\n", w.seen,
				w.realized, w.selected);
			return CLI_OK;
		}
		if (now - start >= limit_ns)
			return late(&w, r, &e);
		if (!r && now - said >= TALK_MS * 1000000ull) {
			say(&w);
			said = now;
		}
		(void)nanosleep(&step, NULL);
	}
}

const struct cli_command policy_wait_command = {"policy wait", "",
	"until a revision is in force on all endpoints", 0, 0, wait_options, run_wait};
