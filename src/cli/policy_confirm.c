/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kilim policy confirm, and the wait for it after apply --confirm. Owns the handler of Ctrl-C. Must
 * hold: the deadline is the agent's; nothing that happens here changes it.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "codec/json.h"
#include "cli/commands.h"
#include "cli/policy.h"

enum { STEP_MS = 250, GRACE_MS = 5000 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signo)
{
	(void)signo;
	interrupted = 1;
}

/* Whether the change is the one that the history ends with. */
static bool is_kept(const struct cli *c, long long revision)
{
	SCOPED(json_unrefp) json_t *list = NULL;

	if (cli_get(c, "/v1/policy/history", &list))
		return false;
	return cli_number(json_array_get(list, 0), "revision") == revision;
}

/* How many milliseconds are left by the agent's clock; -1: nothing waits any more; -2: the agent
 * does not answer. */
static long long ask_left(const struct cli *c)
{
	SCOPED(json_unrefp) json_t *j = NULL;
	const json_t *confirm;
	struct err e = {0};
	int status = 0;

	if (cli_try(c, "GET", "/v1/status", NULL, "status", &status, &j, &e) < 0)
		return -2;
	confirm = json_object_get(json_object_get(j, "policy"), "confirm");
	return confirm ? cli_number(confirm, "left_ms") : -1;
}

static int ended(const struct cli *c, long long revision)
{
	fprintf(stderr, "\r\033[K");
	if (is_kept(c, revision)) {
		printf("confirmed, revision %lld stays\n", revision);
		return cli_flush();
	}
	return cli_fail(&(struct err){.text = "taken back: what was before is in force again"});
}

static int count_down(const struct cli *c, long long revision, long long left_ms)
{
	const struct sigaction interrupt = {.sa_handler = on_interrupt};
	const struct timespec step = {0, STEP_MS * 1000000L};
	uint64_t end_ns = time_mono_ns() + (uint64_t)left_ms * 1000000;

	(void)sigaction(SIGINT, &interrupt, NULL);
	while (!interrupted) {
		long long left = ask_left(c);

		if (left == -1)
			return ended(c, revision);
		if (left == -2 && time_mono_ns() > end_ns + GRACE_MS * 1000000ull)
			return cli_fail(&(struct err){
				.text = "kilimd does not answer; when it starts again it takes the "
					"change back"});
		if (left >= 0)
			fprintf(stderr,
				"\r\033[Ktaken back in %lld s unless confirmed; Ctrl-C leaves the "
				"timer running ",
				(left + 999) / 1000);
		(void)nanosleep(&step, NULL);
	}
	fprintf(stderr, "\r\033[Kthe timer runs on: 'kilim policy confirm' keeps revision %lld\n",
		revision);
	return CLI_OK;
}

int policy_countdown(const struct cli *c, const json_t *applied)
{
	const json_t *confirm = json_object_get(applied, "confirm");
	long long revision = cli_number(applied, "revision"),
		  left_ms = cli_number(confirm, "left_ms");

	printf("revision %lld is taken back in %lld s, to revision %lld, unless you run: kilim "
	       "policy confirm\n",
		revision, (left_ms + 999) / 1000, cli_number(confirm, "back_to"));
	if (cli_flush())
		return CLI_FAILED;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return CLI_OK;
	return count_down(c, revision, left_ms);
}

static int run_confirm(const struct cli *c)
{
	SCOPED(json_unrefp) json_t *j = NULL;
	int r = cli_call(c, "POST", "/v1/policy/confirm", NULL, "confirm", &j);

	if (r)
		return r;
	if (c->format != CLI_TABLE)
		cli_print_value(c, j);
	else
		printf("confirmed, revision %lld stays\n", cli_number(j, "revision"));
	return CLI_OK;
}

const struct cli_command policy_confirm_command = {
	"policy confirm", "", "keep what was applied with --confirm", 0, 0, NULL, run_confirm};
