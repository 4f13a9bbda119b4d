/* SPDX-License-Identifier: Apache-2.0 */
/* kilim endpoint add: connects a network namespace as a workload. Owns the request that it builds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/json.h"
#include "cli/cli.h"
#include "cli/commands.h"

static const struct cli_option add_options[] = {
	{0, "netns", "PATH|NAME", NULL, 0, "network namespace: a file, or a name in /run/netns"},
	{0, "name", "NAME", NULL, 0, "name of the workload [the namespace's file name]"},
	{'n', "namespace", "NAMESPACE", NULL, 0,
		"Kubernetes-like namespace that it belongs to [default]"},
	{'l', "label", "[SOURCE:]KEY[=VALUE]", NULL, CLI_REPEAT,
		"label; without a source it is k8s"},
	{'p', "port", "NAME=PORT[/PROTOCOL]", NULL, CLI_REPEAT,
		"a port that policies may call by this name"},
	{0, "ifname", "NAME", NULL, 0, "device in the namespace [eth0]"},
	{0, "ipv4", NULL, NULL, CLI_NEGATABLE, "an IPv4 address or none [as the agent is set]"},
	{0, "ipv6", NULL, NULL, CLI_NEGATABLE, "an IPv6 address or none [as the agent is set]"},
	{0, "address", "ADDRESS", NULL, CLI_REPEAT,
		"this address of the node's pool; one per family"},
	{0},
};

/* A name is a file in /run/netns; a relative path is made absolute, for the agent runs elsewhere.
 */
static int add_netns(json_t *rq, const char *netns, struct err *e)
{
	SCOPED(str_done) struct str path = {0};
	SCOPED(freep) char *here = NULL;

	if (!strchr(netns, '/')) {
		str_printf(&path, "/run/netns/%s", netns);
	} else if (*netns == '/') {
		str_add(&path, netns);
	} else {
		here = getcwd(NULL, 0);
		if (!here)
			return err_set(e, -errno, "--netns %s: %s", netns, strerror(errno));
		str_printf(&path, "%s/%s", here, netns);
	}
	return json_object_set_new(rq, "netns", json_string(str_text(&path)));
}

/* app=web is k8s:app=web; a colon behind the '=' belongs to the value. */
static int add_label(json_t *labels, const char *text, struct err *e)
{
	const char *colon = strchr(text, ':'), *equals = strchr(text, '=');
	bool has_source = colon && (!equals || colon < equals);
	const char *key = has_source ? colon + 1 : text;
	json_t *label;

	if (!*key || *key == '=' || (has_source && colon == text))
		return err_set(e, -EINVAL, "--label '%s': expected [SOURCE:]KEY[=VALUE]", text);
	label = json_sprintf("%s%s", has_source ? "" : "k8s:", text);
	if (!label)
		return err_set(e, -EINVAL, "--label: not UTF-8");
	return json_array_append_new(labels, label);
}

static int add_address(json_t *rq, const char *text, struct err *e)
{
	unsigned char buf[16];
	const char *key = inet_pton(AF_INET, text, buf) == 1    ? "address4"
			  : inet_pton(AF_INET6, text, buf) == 1 ? "address6"
								: NULL;

	if (!key)
		return err_set(e, -EINVAL, "--address '%s' is no IP address", text);
	if (json_object_get(rq, key))
		return err_set(e, -EINVAL,
			"--address: there can be one per family, '%s' is a second", text);
	return json_object_set_new(rq, key, json_string(text));
}

static int add_option(json_t *rq, const struct cli_value *v, struct err *e)
{
	const char *name = v->option->name;

	if (str_eq(name, "netns"))
		return add_netns(rq, v->value, e);
	if (str_eq(name, "label"))
		return add_label(json_object_get(rq, "labels"), v->value, e);
	if (str_eq(name, "port"))
		return json_array_append_new(json_object_get(rq, "ports"), json_string(v->value));
	if (str_eq(name, "address"))
		return add_address(rq, v->value, e);
	if (str_eq(name, "ipv4") || str_eq(name, "ipv6"))
		return json_object_set_new(rq, name, json_boolean(str_eq(v->value, "true")));
	if (str_eq(name, "name") || str_eq(name, "namespace") || str_eq(name, "ifname"))
		return json_object_set_new(rq, name, json_string(v->value));
	return 0;
}

static void print_added(const struct cli *c, const json_t *j)
{
	const json_t *addresses = json_object_get(j, "addresses");
	const char *namespace = cli_text(j, "namespace");
	SCOPED(str_done) struct str text = {0}, clean = {0};

	if (c->format != CLI_TABLE) {
		cli_print_value(c, j);
		return;
	}
	str_printf(&text, "endpoint %lld %s%s%s added: identity %lld", cli_number(j, "id"),
		namespace, *namespace ? "/" : "", cli_text(j, "name"), cli_number(j, "identity"));
	if (*cli_text(addresses, "ipv4"))
		str_printf(&text, ", %s", cli_text(addresses, "ipv4"));
	if (*cli_text(addresses, "ipv6"))
		str_printf(&text, ", %s", cli_text(addresses, "ipv6"));
	str_printf(&text, ", %s", cli_text(j, "state"));
	str_add_printable(&clean, str_text(&text));
	str_add(&clean, "\n");
	cli_print(str_text(&clean), clean.len);
}

static int run_add(const struct cli *c)
{
	SCOPED(json_unrefp)
	json_t *rq = json_pack("{s:[], s:[], s:s}", "labels", "ports", "source", "cli");
	SCOPED(json_unrefp) json_t *j = NULL;
	struct err e = {0};
	int r;

	if (!cli_value(c, "netns") || !*cli_value(c, "netns"))
		return cli_misused(
			c, "--netns is missing: which network namespace is the workload in?");
	for (size_t i = 0; i < c->values; i++) {
		r = add_option(rq, &c->value[i], &e);
		if (r < 0)
			return cli_misused(c, "%s", *e.text ? e.text : "an option is not UTF-8");
	}
	r = cli_call(c, "POST", "/v1/endpoint", rq, "endpoint to be added", &j);
	if (!r)
		print_added(c, j);
	return r;
}

const struct cli_command endpoint_add_command = {"endpoint add", "",
	"connect a network namespace as a workload", 0, 0, add_options, run_add};
