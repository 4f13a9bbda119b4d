/* SPDX-License-Identifier: Apache-2.0 */
/* kilim policy explain: what becomes of a packet, and which rules say so; by the agent, or by
 * files. Owns nothing. Must hold: with --offline no agent and no right is needed. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>

#include "api/client.h"
#include "base/fd.h"
#include "codec/json.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/scenario.h"
#include "scenario/outcome.h"

static const struct cli_option explain_options[] = {
	{0, "from", "END", NULL, 0,
		"who sends: an endpoint, an address, labels (NAMESPACE/app=web,tier=front), host, "
		"remote-node, node:NAME"},
	{0, "to", "END", NULL, 0, "who receives"},
	{0, "port", "PORT", NULL, 0, "such as 443/TCP, 443, 8/ICMP"},
	{0, "protocol", "PROTOCOL", NULL, 0, "for a port without one [TCP]"},
	{0, "icmp-type", "TYPE", NULL, 0, "a number; with --protocol ICMP or ICMPv6"},
	{0, "icmp-code", "CODE", NULL, 0, "a number [0]"},
	{0, "family", "FAMILY", "IPv4|IPv6", 0, "only this one [all that both ends have]"},
	{0, "flow", "UUID", NULL, 0, "a flow of kilim observe instead: its two ends and its port"},
	{0, "offline", NULL, NULL, 0, "without the agent: by the policies of -f"},
	{'f', "filename", "FILE|DIR", NULL, 0, "a scenario, or a file or directory of policies"},
	SCENARIO_OPTIONS,
	{0},
};

/* The port that the options say. */
static int parse_traffic(const struct cli *c, struct traffic *ret, struct err *e)
{
	const char *port = cli_value(c, "port"), *protocol = cli_value(c, "protocol");
	const char *type = cli_value(c, "icmp-type"), *code = cli_value(c, "icmp-code");
	SCOPED(str_done) struct str text = {0};
	uint64_t number = 0;
	int r;

	if (port && type)
		return err_set(e, -EINVAL, "--port and --icmp-type exclude each other");
	if (!port && !protocol)
		return err_set(e, -EINVAL, "--port is missing: which, such as 443/TCP?");
	if (type || port)
		str_add(&text, type ? type : port);
	if (protocol)
		str_printf(&text, "%s%s", text.len ? "/" : "", protocol);
	r = traffic_parse(str_text(&text), ret, e);
	if (r >= 0 && (type || code) && !protocol_is_icmp(ret->protocol))
		return err_set(e, -EINVAL, "only ICMP and ICMPv6 have types; --protocol ICMP?");
	if (r >= 0 && code && str_to_u64(code, 255, &number) < 0)
		return err_set(e, -EINVAL, "--icmp-code: '%.20s' is no number up to 255", code);
	if (r >= 0 && code)
		ret->port |= (uint16_t)number;
	return r;
}

/* The first document says what the file is: a scenario, or policies. */
static int read_file(const struct scenario_settings *settings, const char *path,
	struct scenario *ret, struct err *e)
{
	SCOPED(yaml_docs_done) struct yaml_docs docs = {0};
	SCOPED(freep) char *text = NULL;
	size_t len;
	int r = fd_read_file(path, SCENARIO_BYTES_MAX, &text, &len, e);

	r = r < 0 ? r : yaml_parse(path, text, len, &docs, e);
	if (r < 0)
		return r;
	if (!docs.count)
		return err_set(e, -EINVAL, "%s: nothing in it", path);
	if (json_object_get(docs.doc[0].root, "kind"))
		return scenario_of_policies(settings, path, ret, e);
	if (docs.count > 1)
		return err_set(e, -EINVAL, "%s: %zu scenarios; which?", path, docs.count);
	return scenario_read(settings, path, &docs.doc[0], ret, e);
}

static int read_scenario(const struct scenario_settings *settings, const char *path,
	struct scenario *ret, struct err *e)
{
	struct stat st;

	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return scenario_of_policies(settings, path, ret, e);
	return read_file(settings, path, ret, e);
}

static int parse_question(
	const struct cli *c, struct scenario *s, struct question *q, unsigned *ret, struct err *e)
{
	const char *family = cli_value(c, "family");
	int r = parse_traffic(c, &q->traffic, e);

	if (r < 0)
		return r;
	r = scenario_end_resolve(s, cli_value(c, "from"), &q->from, e);
	if (r < 0)
		return err_prefix(e, "--from");
	r = scenario_end_resolve(s, cli_value(c, "to"), &q->to, e);
	if (r < 0)
		return err_prefix(e, "--to");
	*ret = scenario_families(s, &q->from, &q->to, &q->traffic);
	if (family)
		*ret &= 1u << (str_eq(family, "IPv4") ? FAMILY_V4 : FAMILY_V6);
	return *ret ? 0
		    : err_set(e, -EINVAL,
			      "there is no such packet: the ends have no addresses of one family "
			      "that the protocol is of%s%s",
			      family ? ", and not of " : "", family ? family : "");
}

/* What is printed already, and the text of the last one. */
struct text {
	struct str out, body;
	size_t head_end; /* where the last one's family ends */
};

static void text_done(struct text *t)
{
	str_done(&t->out);
	str_done(&t->body);
}

static void add_verdict(struct str *out, const char *verdict, bool color)
{
	const char *code = str_eq(verdict, "allow") ? "32" : str_eq(verdict, "deny") ? "31" : "33";

	if (color)
		str_printf(out, "  \033[%sm", code);
	else
		str_add(out, "  ");
	str_add_printable(out, verdict);
	str_add(out, color ? "\033[0m\n" : "\n");
}

/* What a flow's record says of its own time. */
static void add_recorded(struct str *out, const json_t *j)
{
	const json_t *list = json_object_get(j, "rules");

	if (!j)
		return;
	str_printf(out, "recorded %s: %s\n", cli_text(j, "time"), cli_text(j, "verdict"));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *r = json_array_get(list, i);

		str_printf(out, "  %-7s  %s\n", cli_text(r, "direction"), cli_text(r, "text"));
	}
}

/* A second family for which all is the same only adds its name. */
static void add_text(struct text *t, const json_t *j, bool color)
{
	SCOPED(str_done) struct str body = {0}, rest = {0}, head = {0};
	SCOPED(freep) char *copy = mem_strdup(cli_text(j, "text"));
	char *at = copy;

	add_verdict(&body, cli_text(j, "verdict"), color);
	for (char *line = strsep(&at, "\n"); line && *line; line = strsep(&at, "\n"))
		str_printf(&rest, "  %s\n", line);
	add_recorded(&rest, json_object_get(j, "recorded"));
	cli_clean(&body, str_text(&rest));
	if (t->body.len && str_eq(str_text(&t->body), str_text(&body))) {
		t->out.len = t->head_end;
		str_add(&head, ", ");
	} else {
		str_printf(&head, "%s -> %s  %s  ", cli_text(j, "from"), cli_text(j, "to"),
			cli_text(j, "port"));
	}
	str_add(&head, cli_text(j, "family"));
	cli_clean(&t->out, str_text(&head));
	t->head_end = t->out.len;
	str_add(&t->out, str_text(&body));
	str_done(&t->body);
	t->body = body;
	body = (struct str){0};
}

static int print(const struct cli *c, const json_t *list)
{
	struct text SCOPED(text_done) text = {0};

	if (c->format != CLI_TABLE) {
		cli_print_value(c, list);
		return CLI_OK;
	}
	for (size_t i = 0; i < json_array_size(list); i++)
		add_text(&text, json_array_get(list, i), c->color);
	cli_print(str_text(&text.out), text.out.len);
	return CLI_OK;
}

static int run_offline(const struct cli *c)
{
	struct scenario SCOPED(scenario_done) s = {0};
	struct world SCOPED(world_done) w = {0};
	SCOPED(json_unrefp) json_t *list = json_array();
	struct scenario_settings settings;
	struct question q = {0};
	unsigned families = 0;
	struct err e = {0};

	if (scenario_options(c, &settings, &e) < 0)
		return cli_misused(c, "%s", e.text);
	if (read_scenario(&settings, cli_value(c, "filename"), &s, &e) < 0 ||
		parse_question(c, &s, &q, &families, &e) < 0 || world_make(&s, &w, &e) < 0)
		return scenario_fail(&e);
	for (q.family = 0; q.family < FAMILIES; q.family++) {
		struct explanation x SCOPED(explanation_done) = {0};
		struct answer a;

		if (!(families & 1u << q.family))
			continue;
		judge(&w, &q, 1, &a);
		answer_explain(&w, &q, &a, &x);
		(void)json_array_append_new(list, explanation_json(&x));
	}
	return print(c, list);
}

static void add_query(struct str *path, const char *name, const char *value)
{
	SCOPED(freep) char *encoded = value ? api_encode(value) : NULL;

	if (value)
		str_printf(path, "%c%s=%s", strchr(path->text, '?') ? '&' : '?', name, encoded);
}

static int run_live(const struct cli *c)
{
	SCOPED(json_unrefp) json_t *list = NULL;
	SCOPED(str_done) struct str path = {0}, port = {0};
	const char *flow = cli_value(c, "flow");
	struct traffic t;
	struct err e = {0};
	int r;

	str_add(&path, "/v1/policy/explain");
	if (!flow && parse_traffic(c, &t, &e) < 0)
		return cli_misused(c, "%s", e.text);
	if (!flow)
		traffic_format(&port, &t);
	add_query(&path, "flow", flow);
	add_query(&path, "from", cli_value(c, "from"));
	add_query(&path, "to", cli_value(c, "to"));
	add_query(&path, "port", flow ? NULL : str_text(&port));
	add_query(&path, "family", cli_value(c, "family"));
	r = cli_get(c, str_text(&path), &list);
	return r ? r : print(c, list);
}

/* Options that say nothing without, or together with, another one. */
static const char *misuse(const struct cli *c)
{
	bool ends = cli_value(c, "from") || cli_value(c, "to");
	bool offline = cli_flag(c, "offline", false);

	if (cli_value(c, "flow"))
		return offline ? "--flow is the agent's: it and --offline exclude each other"
		       : ends  ? "--flow says who the ends are: leave out --from and --to"
			       : NULL;
	if (!cli_value(c, "from") || !cli_value(c, "to"))
		return "--from and --to are needed: between whom?";
	if (offline && !cli_value(c, "filename"))
		return "-f is missing: which scenario, or which policies?";
	if (!offline && cli_value(c, "filename"))
		return "-f is for --offline: the agent has its own policies";
	return NULL;
}

static int run_explain(const struct cli *c)
{
	const char *wrong = misuse(c);

	if (wrong)
		return cli_misused(c, "%s", wrong);
	return cli_flag(c, "offline", false) ? run_offline(c) : run_live(c);
}

const struct cli_command policy_explain_command = {"policy explain", "",
	"what becomes of a packet between two, and which rules say so", 0, 0, explain_options,
	run_explain};
