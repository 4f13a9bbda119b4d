/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: where they come from, which source counts, and what an error says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/conf.h"
#include "model/policy.h"

enum { ARGS_MAX = 16 };

static char file[] = "/tmp/kilim-conf-XXXXXX";

static void write_file(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int group_setup(void **state)
{
	int fd = mkstemp(file);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int group_teardown(void **state)
{
	(void)state;
	return unlink(file);
}

/* Flags as one text, separated by blanks; the file is always ours. */
static int load(
	const char *flags, char **env, struct conf *c, enum conf_action *action, struct err *e)
{
	SCOPED(freep)
	char *copy = mem_strdup(flags);
	char config[64], *argv[ARGS_MAX] = {(char *)"kilimd", config}, *rest = copy;
	int argc = 2;

	snprintf(config, sizeof(config), "--config=%s", file);
	while (rest && *rest && argc < ARGS_MAX)
		argv[argc++] = strsep(&rest, " ");
	return conf_load(argc, argv, env, c, action, e);
}

static void expect_error(const char *flags, const char *text, const char *want)
{
	struct conf c = {0};
	enum conf_action action;
	struct err e = {0};

	write_file(text);
	assert_int_equal(load(flags, NULL, &c, &action, &e), -EINVAL);
	if (!strstr(e.text, want))
		fail_msg("'%s' is not in '%s'", want, e.text);
}

static void test_defaults(void **state)
{
	SCOPED(conf_done)
	struct conf c = {0};
	enum conf_action action;
	struct err e = {0};
	char text[ADDR_TEXT];

	(void)state;
	write_file("");
	assert_int_equal(load("", NULL, &c, &action, &e), 0);
	assert_int_equal(action, CONF_RUN);
	assert_string_equal(c.run_dir, "/run/kilim");
	assert_true(c.ipv4 && c.ipv6 && !c.debug);
	assert_string_equal(prefix_format(&c.range4, text), "10.200.0.0/24");
	assert_string_equal(prefix_format(&c.range6, text), "fd00:200::/120");
	assert_int_equal(c.timeout_tcp_ns / 1000000000u, 8000);
	assert_int_equal(c.events_max, 4095);
	assert_true(c.local_cluster);
	assert_int_equal(c.cilium_reach, 0);
	assert_int_equal(c.kubernetes_reach, PREFIX_PODS | PREFIX_NODES);
	assert_true(strlen(c.node_name) > 0);
}

static void test_precedence(void **state)
{
	SCOPED(conf_done)
	struct conf c = {0};
	char *env[] = {(char *)"PATH=/bin", (char *)"KILIM_RUN_DIR=/env",
		(char *)"KILIM_STATE_DIR=/env", (char *)"KILIM_SERVICE_PORT=tcp://1", NULL};
	enum conf_action action;
	struct err e = {0};

	(void)state;
	write_file("run-dir: /file\nstate-dir: /file\nbpf-root: /file\nmtu: 1400\ndebug: true\n");
	assert_int_equal(
		load("--run-dir=/flag --enable-policy always --debug=false", env, &c, &action, &e),
		0);
	assert_string_equal(c.run_dir, "/flag");
	assert_string_equal(c.state_dir, "/env");
	assert_string_equal(c.bpf_root, "/file");
	assert_int_equal(c.mtu, 1400);
	assert_int_equal(c.enforce, CONF_ENFORCE_ALWAYS);
	assert_false(c.debug);
}

/* A set is words with commas between, or a list in the file; none of them is a set, too. */
static void test_sets(void **state)
{
	static const struct {
		const char *flags, *file;
		unsigned cilium, kubernetes;
	} rows[] = {
		{"", "policy-cidr-match-mode: nodes\nkubernetes-cidr-match-mode: ''\n",
			PREFIX_NODES, 0},
		{"", "policy-cidr-match-mode: [nodes, pods]\nkubernetes-cidr-match-mode: []\n",
			PREFIX_PODS | PREFIX_NODES, 0},
		{"--policy-cidr-match-mode=pods,nodes, --kubernetes-cidr-match-mode=",
			"kubernetes-cidr-match-mode: [pods]\n", PREFIX_PODS | PREFIX_NODES, 0},
		{"", "kubernetes-cidr-match-mode: [pods]\n", 0, PREFIX_PODS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		SCOPED(conf_done)
		struct conf c = {0};
		enum conf_action action;
		struct err e = {0};

		write_file(rows[i].file);
		assert_int_equal(load(rows[i].flags, NULL, &c, &action, &e), 0);
		assert_int_equal(c.cilium_reach, rows[i].cilium);
		assert_int_equal(c.kubernetes_reach, rows[i].kubernetes);
	}
	expect_error("", "policy-cidr-match-mode: [node]\n",
		":1:1: policy-cidr-match-mode: node,: a list of pods|nodes is needed");
	expect_error("", "policy-cidr-match-mode: [[pods]]\n",
		"policy-cidr-match-mode: expected a value, found a list");
	expect_error("", "mtu: [1]\n", "mtu: expected a value, found a list");
}

static void test_flags(void **state)
{
	SCOPED(conf_done)
	struct conf c = {0};
	enum conf_action action;
	struct err e = {0};

	(void)state;
	write_file("");
	assert_int_equal(load("--debug --mtu 9000 --mtu 1300 --enable-ipv6 false --static-cnp-path "
			      "/m --check-config",
				 NULL, &c, &action, &e),
		0);
	assert_int_equal(action, CONF_CHECK);
	assert_true(c.debug);
	assert_false(c.ipv6);
	assert_int_equal(c.mtu, 1300);
	assert_string_equal(c.manifest_dir, "/m");
}

/* The data of a ConfigMap are strings. */
static void test_config_map(void **state)
{
	SCOPED(conf_done)
	struct conf c = {0};
	enum conf_action action;
	struct err e = {0};

	(void)state;
	write_file("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: kilim-config\ndata:\n  "
		   "mtu: \"1450\"\n  enable-ipv6: \"false\"\n"
		   "  bpf-ct-timeout-regular-any: \"1m30s\"\n  cluster-name: c1\n");
	assert_int_equal(load("", NULL, &c, &action, &e), 0);
	assert_int_equal(c.mtu, 1450);
	assert_false(c.ipv6);
	assert_int_equal(c.timeout_any_ns / 1000000000u, 90);
	assert_string_equal(c.cluster_name, "c1");
}

static void test_unknown(void **state)
{
	(void)state;
	expect_error("--run-dri=/x", "",
		"--run-dri=/x: no setting is called run-dri; did you mean run-dir?");
	expect_error("", "enable-ipv5: true\n",
		":1:1: no setting is called enable-ipv5; did you mean enable-ipv4?");
	expect_error("", "mtu: 1400\nkube-proxy-replacement: true\n",
		":2:1: no setting is called kube-proxy-replacement; kilimd --help");
	expect_error("", "config: /x\n", "no setting is called config");
	expect_error("run", "", "takes only flags");
	expect_error("--", "", "takes only flags");
}

static void test_values(void **state)
{
	(void)state;
	expect_error("--mtu=70000", "", "--mtu: mtu: 70000 is not a number from 0 to 65535");
	expect_error("--mtu=-1", "", "is not a number");
	expect_error("--mtu", "", "--mtu: a value is missing");
	expect_error("", "mtu: [1]\n", ":1:1: mtu: expected a value, found a list");
	expect_error("", "mtu: 1e3\n", "mtu");
	expect_error("--debug=yes", "", "yes is neither true nor false");
	expect_error("--enable-policy=sometimes", "", "sometimes is none of default|always|never");
	expect_error("--enable-policy=", "", "is none of");
	expect_error("--ipv4-range=10.0.0.1/24", "", "IPv4 prefix");
	expect_error("--ipv4-range=fd00::/120", "", "IPv4 prefix");
	expect_error("--ipv4-range=10.0.0.0/31", "", "from /16 to /30");
	expect_error("--ipv6-range=10.0.0.0/24", "", "IPv6 prefix");
	expect_error("--bpf-ct-timeout-regular-any=soon", "", "is not a duration");
	expect_error("--hubble-event-buffer-capacity=4096", "", "one less than a power of two");
	expect_error("--cluster-name=Cluster_1", "", "cluster-name");
	expect_error("--run-dir=run", "", "run-dir: run is not an absolute path");
	expect_error("--enable-ipv4=false --enable-ipv6=false", "", "both false");
	expect_error("--mtu=1000", "", "IPv6 (1280)");
	expect_error("", "a\n", "key: value");
	expect_error("", "mtu: 1\n---\nmtu: 2\n", "more than one document");
	expect_error("", "mtu: 1400\nmtu: 1500\n", "mtu");
}

static void test_file_must_exist(void **state)
{
	struct conf c = {0};
	enum conf_action action;
	struct err e = {0};
	char *argv[] = {(char *)"kilimd", (char *)"--config=/nowhere/kilim.yaml"};

	(void)state;
	assert_int_equal(conf_load(2, argv, NULL, &c, &action, &e), -ENOENT);
	assert_non_null(strstr(e.text, "/nowhere/kilim.yaml"));
}

/* Every setting is in the help and in the reference page, with its default. */
static void test_texts(void **state)
{
	SCOPED(str_done)
	struct str help = {0}, page = {0};

	(void)state;
	conf_write_help(&help);
	conf_write_markdown(&page);
	for (const struct conf_field *f = conf_fields; f->key; f++) {
		char key[80];

		snprintf(key, sizeof(key), "--%s ", f->key);
		assert_non_null(strstr(str_text(&help), key));
		snprintf(key, sizeof(key), "| `%s` |", f->key);
		assert_non_null(strstr(str_text(&page), key));
		assert_non_null(strstr(str_text(&help), f->help));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_config_map),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_file_must_exist),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
