/* SPDX-License-Identifier: Apache-2.0 */
/* kilim status: how the agent and its data path are, at a glance. Owns nothing. */
#include <stdio.h>
#include <time.h>

#include "base/time.h"
#include "codec/json.h"
#include "cli/cli.h"
#include "cli/commands.h"

enum { WAIT_STEP_MS = 100, WAIT_DEFAULT_S = 60 };

static const struct cli_option status_options[] = {
	{0, "wait", "DURATION", NULL, CLI_OPTIONAL,
		"wait until the agent is ready, at most so long [60s]"},
	{0, "brief", NULL, NULL, 0, "one line: OK, or what is wrong"},
	{0},
};

static void heading(struct str *out, const char *title)
{
	str_printf(out, "%-13s", title);
}

static void add_policy(struct str *out, const json_t *p)
{
	const char *error = cli_text(p, "error");
	const json_t *confirm = json_object_get(p, "confirm");

	heading(out, "Policy:");
	str_printf(out,
		"revision %lld: %lld policies, %lld rules in %lld slots; %lld of %lld rule "
		"entries, %lld of %lld peer entries\n",
		cli_number(p, "revision"), cli_number(p, "policies"), cli_number(p, "rules"),
		cli_number(p, "slots"), cli_number(p, "rule_entries"), cli_number(p, "rule_max"),
		cli_number(p, "peer_entries"), cli_number(p, "peer_max"));
	if (*error)
		str_printf(out, "             error: %s\n", error);
	if (json_is_true(json_object_get(p, "audit")))
		str_add(out, "             audit mode: what is denied passes\n");
	if (confirm)
		str_printf(out,
			"             waits for its confirmation: back to revision %lld in %lld s "
			"unless 'kilim policy confirm' comes\n",
			cli_number(confirm, "back_to"),
			(cli_number(confirm, "left_ms") + 999) / 1000);
}

static void add_addresses(struct str *out, const json_t *pools)
{
	for (size_t i = 0; i < json_array_size(pools); i++) {
		const json_t *pool = json_array_get(pools, i);

		heading(out, i ? "" : "Addresses:");
		str_printf(out, "%s: %lld of %lld in use\n", cli_text(pool, "cidr"),
			cli_number(pool, "used"), cli_number(pool, "total"));
	}
}

static void add_lines(struct str *out, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		str_printf(out, "             %s\n", text ? text : "");
	}
}

static void add_sources(struct str *out, const json_t *sources)
{
	for (size_t i = 0; i < json_array_size(sources); i++) {
		const json_t *s = json_array_get(sources, i);
		const char *path = cli_text(s, "path");

		heading(out, i ? "" : "Sources:");
		str_printf(out, "%s%s%s: %s, policies: %lld\n", cli_text(s, "name"),
			*path ? " " : "", path, cli_text(s, "state"), cli_number(s, "objects"));
		add_lines(out, json_object_get(s, "errors"));
		add_lines(out, json_object_get(s, "held"));
	}
}

static void add_flows(struct str *out, const json_t *j)
{
	const json_t *flows = json_object_get(j, "flows"), *events = json_object_get(j, "events");

	heading(out, "Flows:");
	str_printf(out, "%lld of %lld answered, %lld of %lld half-open\n",
		cli_number(flows, "answered"), cli_number(flows, "max"),
		cli_number(flows, "half_open"), cli_number(flows, "half_open_max"));
	heading(out, "Events:");
	str_printf(out, "%lld written, %lld lost\n", cli_number(events, "written"),
		cli_number(events, "lost"));
}

static void add_head(struct str *out, const json_t *j)
{
	const json_t *endpoints = json_object_get(j, "endpoints");

	heading(out, "Agent:");
	str_printf(out, "kilim %s on node %s of cluster %s, process %lld, up ",
		cli_text(j, "version"), cli_text(j, "node"), cli_text(j, "cluster"),
		cli_number(j, "pid"));
	cli_format_seconds(out, cli_number(j, "uptime_s"));
	str_add(out, "\n");
	heading(out, "State:");
	str_printf(out, "%s%s\n",
		json_is_true(json_object_get(j, "ready")) ? "ready" : "not ready yet",
		json_is_true(json_object_get(j, "adopted")) ? ", took over a running data path"
							    : "");
	heading(out, "Kernel:");
	str_printf(out, "%s\n", cli_text(j, "kernel"));
	heading(out, "Endpoints:");
	str_printf(out, "%lld: %lld ready, %lld pending\n", cli_number(endpoints, "total"),
		cli_number(endpoints, "ready"), cli_number(endpoints, "pending"));
	heading(out, "Identities:");
	str_printf(out, "%lld\n", cli_number(j, "identities"));
}

static void add_tail(struct str *out, const json_t *j)
{
	const json_t *memory = json_object_get(j, "memory"),
		     *problems = json_object_get(j, "problems");

	heading(out, "Memory:");
	cli_format_bytes(out, (double)cli_number(memory, "resident_bytes"));
	str_add(out, " resident, ");
	cli_format_bytes(out, (double)cli_number(memory, "map_bytes"));
	str_add(out, " in maps\n");
	heading(out, "Problems:");
	str_add(out, json_array_size(problems) ? "" : "none\n");
	for (size_t i = 0; i < json_array_size(problems); i++) {
		const char *text = json_string_value(json_array_get(problems, i));

		str_printf(out, "%s%s\n", i ? "             " : "", text ? text : "");
	}
}

static void print_brief(const json_t *j, bool ready)
{
	const json_t *problems = json_object_get(j, "problems");
	SCOPED(str_done) struct str text = {0}, clean = {0};

	if (json_array_size(problems))
		cli_join(&text, problems, "; ");
	else
		str_add(&text, ready ? "OK" : "not ready yet");
	str_add_printable(&clean, str_text(&text));
	str_add(&clean, "\n");
	cli_print(str_text(&clean), clean.len);
}

static void print_status(const struct cli *c, const json_t *j, bool ready)
{
	SCOPED(str_done) struct str text = {0}, clean = {0};

	if (c->format != CLI_TABLE) {
		cli_print_value(c, j);
		return;
	}
	if (cli_flag(c, "brief", false)) {
		print_brief(j, ready);
		return;
	}
	add_head(&text, j);
	add_policy(&text, json_object_get(j, "policy"));
	add_flows(&text, j);
	add_addresses(&text, json_object_get(j, "ipam"));
	add_sources(&text, json_object_get(j, "sources"));
	add_tail(&text, j);
	cli_clean(&clean, str_text(&text));
	cli_print(str_text(&clean), clean.len);
}

/* Until the agent says that it is ready. A failure is printed when the time is over. */
static int wait_ready(const struct cli *c, uint64_t limit_ns)
{
	uint64_t end_ns = time_mono_ns() + limit_ns;

	for (;;) {
		const struct timespec step = {0, WAIT_STEP_MS * 1000000L};
		struct err e = {0};
		int status = 0;

		if (cli_try(c, "GET", "/v1/healthz", NULL, "to be ready", &status, NULL, &e) >= 0)
			return CLI_OK;
		if (time_mono_ns() >= end_ns) {
			(void)err_prefix(&e, "still not ready");
			(void)cli_fail(&e);
			return status ? CLI_FAILED : CLI_UNREACHABLE;
		}
		(void)nanosleep(&step, NULL);
	}
}

static int run_status(const struct cli *c)
{
	SCOPED(json_unrefp) json_t *j = NULL;
	const char *wait = cli_value(c, "wait");
	uint64_t limit_ns = WAIT_DEFAULT_S * 1000000000ull;
	bool ready;
	int r = 0;

	if (wait && *wait && str_to_duration(wait, &limit_ns) < 0)
		return cli_misused(c, "--wait: '%s' is no duration such as 30s or 2m", wait);
	if (wait)
		r = wait_ready(c, limit_ns);
	if (!r)
		r = cli_get(c, "/v1/status", &j);
	if (r)
		return r;
	ready = json_is_true(json_object_get(j, "ready"));
	print_status(c, j, ready);
	return ready ? CLI_OK : CLI_FAILED;
}

const struct cli_command status_command = {
	"status", "", "how the agent and its data path are", 0, 0, status_options, run_status};
