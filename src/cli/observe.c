/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kilim observe: flows as hubble observe shows them. Owns the formatter. Must hold: while it
 * follows, each flow is on the screen before the next is waited for, and Ctrl-C ends it cleanly.
 */
#include <errno.h>
#include <unistd.h>

#include "api/client.h"
#include "base/time.h"
#include "codec/json.h"
#include "model/flow_text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/observe_filter.h"

enum { LAST_DEFAULT = 20 };

#define FILTER (CLI_REPEAT | CLI_FILTER)

static const struct cli_option observe_options[] = {
	{'f', "follow", NULL, NULL, 0, "go on with new flows"},
	{0, "last", "NUMBER", NULL, 0, "the newest so many flows [20]"},
	{0, "first", "NUMBER", NULL, 0, "the oldest so many flows that the agent remembers"},
	{0, "all", NULL, NULL, 0, "all flows that the agent remembers"},
	{0, "since", "DURATION|TIME", NULL, 0, "flows since then: 5m, 2026-01-02T03:04:05Z"},
	{0, "until", "DURATION|TIME", NULL, 0, "flows until then"},
	{'o', "output", "FORMAT", "compact|json|jsonpb|dict|tab|table", 0,
		"how to print [compact]"},
	{0, "reasons", NULL, NULL, CLI_NEGATABLE, "name the rule behind a drop [on a terminal]"},
	{0, "numeric", NULL, NULL, 0, "addresses instead of names"},
	{0, "print-node-name", NULL, NULL, 0, "show the node that saw the flow"},
	{0, "print-raw-filters", NULL, NULL, 0, "print the filters that the options make, and end"},
	{0, "pod", "[NAMESPACE/]NAME", NULL, FILTER, "pods whose names begin so, on either side"},
	{0, "from-pod", "[NAMESPACE/]NAME", NULL, FILTER, "the same, source"},
	{0, "to-pod", "[NAMESPACE/]NAME", NULL, FILTER, "the same, destination"},
	{0, "endpoint", "NAME", NULL, FILTER, "as --pod, but of any namespace"},
	{0, "from-endpoint", "NAME", NULL, FILTER, "the same, source"},
	{0, "to-endpoint", "NAME", NULL, FILTER, "the same, destination"},
	{'n', "namespace", "NAMESPACE", NULL, FILTER,
		"everything in a namespace, on either side; with --pod: where it is"},
	{0, "from-namespace", "NAMESPACE", NULL, FILTER, "the same, source"},
	{0, "to-namespace", "NAMESPACE", NULL, FILTER, "the same, destination"},
	{'l', "label", "SELECTOR", NULL, FILTER,
		"labels, such as app=web,tier!=db, on either side"},
	{0, "from-label", "SELECTOR", NULL, FILTER, "the same, source"},
	{0, "to-label", "SELECTOR", NULL, FILTER, "the same, destination"},
	{0, "ip", "ADDRESS|PREFIX", NULL, FILTER, "address, on either side"},
	{0, "from-ip", "ADDRESS|PREFIX", NULL, FILTER, "the same, source"},
	{0, "to-ip", "ADDRESS|PREFIX", NULL, FILTER, "the same, destination"},
	{0, "port", "PORT", NULL, FILTER, "port, on either side"},
	{0, "from-port", "PORT", NULL, FILTER, "the same, source"},
	{0, "to-port", "PORT", NULL, FILTER, "the same, destination"},
	{0, "identity", "NUMBER|NAME", NULL, FILTER,
		"security identity or reserved name, on either side"},
	{0, "from-identity", "NUMBER|NAME", NULL, FILTER, "the same, source"},
	{0, "to-identity", "NUMBER|NAME", NULL, FILTER, "the same, destination"},
	{0, "protocol", "PROTOCOL", NULL, FILTER, "tcp, udp, sctp, icmp, icmpv4, icmpv6"},
	{0, "verdict", "VERDICT", NULL, FILTER,
		"forwarded, dropped, error, audit, redirected, traced, translated"},
	{'t', "type", "TYPE[:SUB]", NULL, FILTER, "drop, trace, policy-verdict; trace:to-endpoint"},
	{0, "drop-reason-desc", "REASON", NULL, FILTER, "why it was dropped: POLICY_DENIED"},
	{0, "traffic-direction", "DIRECTION", NULL, FILTER, "ingress, egress"},
	{0, "reply", NULL, NULL, FILTER, "replies; --reply=false: what is known not to be one"},
	{0, "shadow", NULL, NULL, FILTER,
		"what a policy in shadow mode would have decided otherwise"},
	{0, "tcp-flags", "FLAG,...", NULL, FILTER, "all of these flags, such as SYN,ACK"},
	{'4', "ipv4", NULL, NULL, CLI_FILTER, "IPv4"},
	{'6', "ipv6", NULL, NULL, CLI_FILTER, "IPv6"},
	{0, "node-name", "PATTERN", NULL, FILTER, "node, [CLUSTER/]NODE with *"},
	{0, "uuid", "UUID", NULL, FILTER, "one flow"},
	{0},
};

struct observer {
	struct flow_text *text;
	bool follow;
	struct str out;
};

static int on_line(const char *line, size_t len, void *data)
{
	struct observer *o = data;
	SCOPED(json_unrefp) json_t *j = NULL;

	if (json_parse_text(line, len, API_LINE_MAX, &j, NULL) < 0)
		return 0;
	o->out.len = 0;
	flow_text_add(o->text, j, &o->out);
	cli_print(str_text(&o->out), o->out.len);
	return o->follow ? cli_flush() : 0;
}

/* A time, or how long ago, as the API wants it. */
static int time_option(const struct cli *c, const char *name, struct str *path)
{
	const char *text = cli_value(c, name);
	SCOPED(freep) char *encoded = NULL;
	char buf[TIME_TEXT];
	uint64_t ns;

	if (!text)
		return CLI_OK;
	if (str_to_duration(text, &ns) >= 0) {
		uint64_t now = time_wall_ns();

		ns = ns < now ? now - ns : 0;
	} else if (time_parse(text, &ns) < 0) {
		return cli_misused(c,
			"--%s: '%s' is neither a duration such as 5m nor a time such as "
			"2026-01-02T03:04:05Z",
			name, text);
	}
	encoded = api_encode(time_format(ns, buf));
	str_printf(path, "&%s=%s", name, encoded);
	return CLI_OK;
}

/* How many flows, from which end. */
static int number_option(const struct cli *c, struct str *path)
{
	const char *first = cli_value(c, "first"), *last = cli_value(c, "last");
	const char *text = first ? first : last;
	bool all = cli_flag(c, "all", false), follow = cli_flag(c, "follow", false);
	uint64_t n = LAST_DEFAULT;

	if ((first && last) || (all && text))
		return cli_misused(c, "only one of --first, --last and --all can be given");
	if (first && follow)
		return cli_misused(c, "--first and --follow do not go together");
	if (text && str_to_u64(text, UINT32_MAX, &n) < 0)
		return cli_misused(c, "--%s: '%s' is no number", first ? "first" : "last", text);
	if (!text && (all || follow || cli_value(c, "since") || cli_value(c, "until")))
		n = 0;
	if (all && follow)
		n = UINT32_MAX; /* 0 would be: only new ones */
	str_printf(path, "?number=%llu%s%s", (unsigned long long)n, first ? "&first=1" : "",
		follow ? "&follow=1" : "");
	return CLI_OK;
}

static int request_path(const struct cli *c, const json_t *filter, struct str *path)
{
	int r;

	str_add(path, "/v1/flow");
	r = number_option(c, path);
	if (!r)
		r = time_option(c, "since", path);
	if (!r)
		r = time_option(c, "until", path);
	if (!r && filter) {
		SCOPED(freep) char *text = json_text(filter), *encoded = api_encode(text);

		str_printf(path, "&filter=%s", encoded);
	}
	return r;
}

static int format_options(const struct cli *c, struct flow_text_options *ret)
{
	const char *format = cli_value(c, "output");
	bool tty = isatty(STDOUT_FILENO);

	if (flow_text_format_parse(format ? format : "compact", &ret->format) < 0)
		return cli_misused(c,
			"--output: flows are printed as compact, json, jsonpb, dict or tab, not as "
			"'%s'",
			format);
	if (ret->format == FLOW_TEXT_TAB && cli_flag(c, "follow", false))
		return cli_misused(
			c, "a table is printed when all its rows are known: not with --follow");
	ret->color = c->color;
	ret->node_name = cli_flag(c, "print-node-name", false);
	ret->numeric = cli_flag(c, "numeric", false);
	ret->reasons = cli_flag(c, "reasons", tty);
	return CLI_OK;
}

static int print_filter(const struct cli *c, const json_t *filter)
{
	struct cli as = *c;
	SCOPED(json_unrefp) json_t *none = json_object();

	as.format = CLI_JSON;
	cli_print_value(&as, filter ? filter : none);
	return CLI_OK;
}

static int run_observe(const struct cli *c)
{
	SCOPED(json_unrefp) json_t *filter = NULL;
	SCOPED(str_done) struct str path = {0};
	SCOPED(flow_text_freep) struct flow_text *text = NULL;
	struct flow_text_options options = {0};
	struct observer o = {.follow = cli_flag(c, "follow", false)};
	struct err e = {0};
	int r;

	if (observe_filter(c, &filter, &e) < 0)
		return cli_misused(c, "%s", e.text);
	if (cli_flag(c, "print-raw-filters", false))
		return print_filter(c, filter);
	r = request_path(c, filter, &path);
	if (!r)
		r = format_options(c, &options);
	if (r)
		return r;
	text = o.text = flow_text_new(&options);
	r = cli_stream(c, str_text(&path), on_line, &o);
	o.out.len = 0;
	flow_text_end(text, &o.out);
	cli_print(str_text(&o.out), o.out.len);
	str_done(&o.out);
	return r;
}

const struct cli_command observe_command = {
	"observe", "", "flows, as they come and as they came", 0, 0, observe_options, run_observe};
