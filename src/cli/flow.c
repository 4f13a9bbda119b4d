/* SPDX-License-Identifier: Apache-2.0 */
/* kilim flow list: the flow table of the data path. Owns the filter. */
#include <arpa/inet.h>
#include <string.h>

#include "codec/json.h"
#include "codec/text.h"
#include "model/addr.h"
#include "cli/cli.h"
#include "cli/commands.h"

static const struct cli_option list_options[] = {
	{0, "half-open", NULL, NULL, CLI_NEGATABLE,
		"only flows that wait for an answer; --no-half-open: only answered ones"},
	{0, "denied", NULL, NULL, CLI_NEGATABLE, "only flows that policy denies, or only others"},
	{0, "ip", "ADDRESS|PREFIX", NULL, CLI_REPEAT, "only flows from or to one of these"},
	{0, "port", "PORT", NULL, CLI_REPEAT, "only flows from or to one of these ports"},
	{0, "protocol", "PROTOCOL", NULL, CLI_REPEAT,
		"only tcp, udp, sctp, icmpv4, icmpv6, icmp or a number"},
	{0},
};

static const struct text_column columns[] = {{"PROTOCOL", false}, {"SOURCE", false},
	{"DESTINATION", false}, {"STATE", false}, {"VERDICT", false}, {"PACKETS", true},
	{"BYTES", true}, {"REPLY PACKETS", true}, {"REPLY BYTES", true}, {"EXPIRES IN", true}, {0}};

static void add_row(struct text_table *t, const json_t *j)
{
	const json_t *forward = json_object_get(j, "forward"), *reply = json_object_get(j, "reply");
	bool half_open = json_is_true(json_object_get(j, "half_open"));

	text_cell(t, "%s", cli_text(j, "protocol"));
	text_cell(t, "%s", cli_text(j, "source"));
	text_cell(t, "%s", cli_text(j, "destination"));
	text_cell(t, "%s%s", cli_text(j, "state"), half_open ? " (half-open)" : "");
	text_cell(t, "%s", json_is_true(json_object_get(j, "denied")) ? "denied" : "allowed");
	text_cell(t, "%lld", cli_number(forward, "packets"));
	text_cell(t, "%lld", cli_number(forward, "bytes"));
	text_cell(t, "%lld", cli_number(reply, "packets"));
	text_cell(t, "%lld", cli_number(reply, "bytes"));
	text_cell(t, "%s", cli_text(j, "expires_in"));
}

/* Split 10.0.0.5:80, [fd00::5]:80 or an address alone; *ret_port is "" then. */
static int end_parse(const char *text, struct addr *ret, const char **ret_port)
{
	char host[80];
	const char *end;

	if (*text == '[') {
		end = strchr(++text, ']');
		*ret_port = end && end[1] == ':' ? end + 2 : "";
	} else {
		end = strchr(text, ':');
		if (end && strchr(end + 1, ':'))
			end = NULL; /* IPv6 alone */
		*ret_port = end ? end + 1 : "";
	}
	if (!end)
		end = text + strlen(text);
	if ((size_t)(end - text) >= sizeof(host))
		return -1;
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = 0;
	return addr_parse(host, ret);
}

static bool end_matches(const char *text, const char *option, const char *wanted)
{
	const char *port = "";
	struct prefix p;
	struct addr a;

	if (end_parse(text, &a, &port) < 0)
		return false;
	if (str_eq(option, "port"))
		return str_eq(port, wanted);
	return prefix_parse(wanted, true, &p) >= 0 && prefix_has(&p, &a);
}

static bool protocol_matches(const char *protocol, const char *wanted)
{
	return !strcasecmp(protocol, wanted) ||
	       (!strcasecmp(wanted, "icmp") && str_has_prefix(protocol, "ICMP"));
}

static bool value_matches(const json_t *j, const struct cli_value *v)
{
	const char *name = v->option->name;

	if (str_eq(name, "protocol"))
		return protocol_matches(cli_text(j, "protocol"), v->value);
	return end_matches(cli_text(j, "source"), name, v->value) ||
	       end_matches(cli_text(j, "destination"), name, v->value);
}

/* Whether one of the values of this option matches; true when it is not given. */
static bool option_matches(const struct cli *c, const json_t *j, const char *name)
{
	bool given = false;

	for (size_t i = 0; i < c->values; i++) {
		if (!str_eq(c->value[i].option->name, name))
			continue;
		if (value_matches(j, &c->value[i]))
			return true;
		given = true;
	}
	return !given;
}

static bool flow_matches(const struct cli *c, const json_t *j)
{
	bool half_open = json_is_true(json_object_get(j, "half_open"));
	bool denied = json_is_true(json_object_get(j, "denied"));

	return half_open == cli_flag(c, "half-open", half_open) &&
	       denied == cli_flag(c, "denied", denied) && option_matches(c, j, "ip") &&
	       option_matches(c, j, "port") && option_matches(c, j, "protocol");
}

static int check_values(const struct cli *c)
{
	for (size_t i = 0; i < c->values; i++) {
		const char *name = c->value[i].option->name, *value = c->value[i].value;
		struct prefix p;
		uint64_t n;

		if (str_eq(name, "ip") && prefix_parse(value, true, &p) < 0)
			return cli_misused(c, "--ip: '%s' is no IP address or prefix", value);
		if (str_eq(name, "port") && str_to_u64(value, UINT16_MAX, &n) < 0)
			return cli_misused(c, "--port: '%s' is no port", value);
	}
	return CLI_OK;
}

static int run_list(const struct cli *c)
{
	SCOPED(json_unrefp) json_t *all = NULL, *list = json_array();
	int r = check_values(c);

	if (!r)
		r = cli_get(c, "/v1/flow/table", &all);
	if (r)
		return r;
	for (size_t i = 0; i < json_array_size(all); i++) {
		json_t *j = json_array_get(all, i);

		if (flow_matches(c, j))
			(void)json_array_append(list, j);
	}
	cli_print_list(c, list, columns, add_row);
	return CLI_OK;
}

const struct cli_command flow_list_command = {
	"flow list", "", "the flow table of the data path", 0, 0, list_options, run_list};
