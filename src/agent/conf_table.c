/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of kilimd, row by row, and what is written of them: --help and the reference page.
 * conf.c reads by the same rows, so that no setting exists that is not documented. Keys are
 * cilium-config's where the meaning is the same.
 */
#include "agent/conf.h"

#include <ctype.h>

#define AT(member) offsetof(struct conf, member)

enum { MTU_MAX = 65535, YEAR_S = 365 * 24 * 3600, MAP_MAX = 16777216, HISTORY_MAX = 1024 };

const struct conf_field conf_fields[] = {
	{"config", NULL, CONF_TEXT, AT(config), "/etc/kilim/kilim.yaml", 0, 0, NULL,
		"file with settings; the default one may be missing"},
	{"run-dir", NULL, CONF_TEXT, AT(run_dir), "/run/kilim", 0, 0, NULL,
		"directory of the API socket kilim.sock and of deletions that the CNI plugin left"},
	{"state-dir", NULL, CONF_TEXT, AT(state_dir), "/var/lib/kilim", 0, 0, NULL,
		"directory of what must outlive the agent: endpoints, identities, policies of the "
		"API"},
	{"manifest-dir", "static-cnp-path", CONF_TEXT, AT(manifest_dir), "/etc/kilim/manifests", 0,
		0, NULL,
		"directory whose *.yaml, *.yml and *.json policies are in force while they are "
		"there"},
	{"bpf-root", NULL, CONF_TEXT, AT(bpf_root), "/sys/fs/bpf", 0, 0, NULL,
		"BPF file system for the pins; mounted when it is not yet"},
	{"cgroup-root", NULL, CONF_TEXT, AT(cgroup_root), "/sys/fs/cgroup", 0, 0, NULL,
		"mount point of cgroup v2"},
	{"node-name", NULL, CONF_TEXT, AT(node_name), "", 0, 0, NULL,
		"name of this node; empty: the host name"},
	{"cluster-name", NULL, CONF_TEXT, AT(cluster_name), "default", 0, 0, NULL,
		"name of the cluster: at most 32 of a-z, 0-9 and -"},
	{"debug", NULL, CONF_BOOL, AT(debug), "false", 0, 0, NULL, "log debug messages"},
	{"enable-ipv4", NULL, CONF_BOOL, AT(ipv4), "true", 0, 0, NULL,
		"give endpoints IPv4 addresses"},
	{"enable-ipv6", NULL, CONF_BOOL, AT(ipv6), "true", 0, 0, NULL,
		"give endpoints IPv6 addresses"},
	{"ipv4-range", NULL, CONF_PREFIX4, AT(range4), "10.200.0.0/24", 16, 30, NULL,
		"pool of this node's IPv4 addresses; the first is the gateway"},
	{"ipv6-range", NULL, CONF_PREFIX6, AT(range6), "fd00:200::/120", 64, 126, NULL,
		"pool of this node's IPv6 addresses; the first is the gateway"},
	{"enable-policy", NULL, CONF_CHOICE, AT(enforce), "default", 0, 0, "default|always|never",
		"default: an endpoint is restricted once a policy selects it; always: every one "
		"is; never: none"},
	{"policy-audit-mode", NULL, CONF_BOOL, AT(audit), "false", 0, 0, NULL,
		"what policies deny passes, and its flows say AUDIT"},
	{"allow-localhost", NULL, CONF_CHOICE, AT(localhost), "auto", 0, 0, "auto|always|policy",
		"whether the node itself always reaches its endpoints; policy: only where a policy "
		"allows it; auto is always"},
	{"policy-default-local-cluster", NULL, CONF_BOOL, AT(local_cluster), "true", 0, 0, NULL,
		"selectors of Cilium's policies that name no cluster mean this one"},
	{"policy-cidr-match-mode", NULL, CONF_SET, AT(cilium_reach), "", 0, 0, "pods|nodes",
		"what CIDRs of Cilium's policies mean beside addresses outside, joined by commas"},
	{"kubernetes-cidr-match-mode", NULL, CONF_SET, AT(kubernetes_reach), "pods,nodes", 0, 0,
		"pods|nodes",
		"the same for ipBlock of NetworkPolicy and networks of ClusterNetworkPolicy"},
	{"policy-invariants", NULL, CONF_TEXT, AT(invariants), "", 0, 0, NULL,
		"file of assertions (kilim-invariants(5)) that no change of policy may break; "
		"empty: none"},
	{"mtu", NULL, CONF_NUMBER, AT(mtu), "0", 0, MTU_MAX, NULL,
		"MTU of the endpoints' devices; 0 is 1500"},
	{"bpf-ct-timeout-regular-tcp", NULL, CONF_DURATION, AT(timeout_tcp_ns), "2h13m20s", 1,
		YEAR_S, NULL, "how long an established TCP flow may be silent"},
	{"bpf-ct-timeout-regular-tcp-syn", NULL, CONF_DURATION, AT(timeout_syn_ns), "60s", 1,
		YEAR_S, NULL, "how long an unanswered TCP flow is kept"},
	{"bpf-ct-timeout-regular-tcp-fin", NULL, CONF_DURATION, AT(timeout_fin_ns), "10s", 1,
		YEAR_S, NULL, "how long a closed TCP flow is kept"},
	{"bpf-ct-timeout-regular-any", NULL, CONF_DURATION, AT(timeout_any_ns), "60s", 1, YEAR_S,
		NULL, "how long a flow of UDP, ICMP or another protocol may be silent"},
	{"bpf-ct-global-tcp-max", NULL, CONF_NUMBER, AT(flow_max), "131072", 1024, MAP_MAX, NULL,
		"answered flows in the flow table, for each address family"},
	{"flow-half-open-max", NULL, CONF_NUMBER, AT(half_max), "32768", 1024, MAP_MAX, NULL,
		"unanswered flows, for each address family; the least recently used makes room"},
	{"bpf-policy-map-max", NULL, CONF_NUMBER, AT(rule_max), "65536", 256, MAP_MAX, NULL,
		"rule entries of all policies of this node"},
	{"policy-peer-max", NULL, CONF_NUMBER, AT(peer_max), "262144", 1024, MAP_MAX, NULL,
		"peer entries of all policies of this node"},
	{"policy-rule-hit-max", NULL, CONF_NUMBER, AT(rule_hit_max), "65536", 1024, MAP_MAX, NULL,
		"rules whose decisions are counted"},
	{"policy-history-max", NULL, CONF_NUMBER, AT(history_max), "32", 2, HISTORY_MAX, NULL,
		"policy revisions that kilim policy history knows and rollback can go back to"},
	{"hubble-event-buffer-capacity", NULL, CONF_NUMBER, AT(events_max), "4095", 1, 65535, NULL,
		"flows that kilim observe can look back at: one less than a power of two"},
	{"monitor-aggregation", NULL, CONF_CHOICE, AT(aggregation), "medium", 0, 0,
		"medium|maximum",
		"medium: an event for the first packet of a flow each way, and for its end; "
		"maximum: only for drops"},
	{"datapath-mode", NULL, CONF_CHOICE, AT(mode), "auto", 0, 0, "auto|veth|netkit",
		"device pairs of endpoints; auto is veth"},
	{"prometheus-serve-addr", NULL, CONF_TEXT, AT(prometheus), "", 0, 0, NULL,
		"address such as :9962 that serves /metrics; empty: none"},
	{"write-cni-conf-when-ready", NULL, CONF_TEXT, AT(cni_conf), "", 0, 0, NULL,
		"write this CNI configuration (a .conflist) when the agent can take endpoints"},
	{NULL, NULL, CONF_TEXT, 0, NULL, 0, 0, NULL, NULL},
};

static const struct {
	const char *flag, *help;
} actions[] = {
	{"check-config", "read the settings, say whether they are good, and exit"},
	{"uninstall", "remove endpoints' devices, programs, maps, routes and state of this "
		      "instance, and exit"},
	{"help", "this text"},
	{"help-markdown", "the settings as a reference page"},
	{"version", "the version"},
};

static const char *type_name(const struct conf_field *f)
{
	static const char *const names[] = {
		[CONF_TEXT] = "TEXT",
		[CONF_BOOL] = "true|false",
		[CONF_NUMBER] = "NUMBER",
		[CONF_DURATION] = "DURATION",
		[CONF_PREFIX4] = "PREFIX",
		[CONF_PREFIX6] = "PREFIX",
	};

	return f->choices ? f->choices : names[f->type];
}

void conf_write_help(struct str *out)
{
	str_add(out, "kilimd: the kilim agent. It connects, polices and observes the workloads of "
		     "this node.\n\n"
		     "Usage: kilimd [--KEY=VALUE | --KEY VALUE]...\n\n"
		     "Every setting can be a flag, an environment variable (run-dir: "
		     "KILIM_RUN_DIR) or a line of the\n"
		     "configuration file (run-dir: /run/kilim); a flag goes before the "
		     "environment, that before the file.\n\nActions:\n");
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		str_printf(out, "  --%-32s %s\n", actions[i].flag, actions[i].help);
	str_add(out, "\nSettings:\n");
	for (const struct conf_field *f = conf_fields; f->key; f++) {
		SCOPED(str_done)
		struct str flag = {0};

		str_printf(&flag, "%s %s", f->key, type_name(f));
		str_printf(out, "  --%s\n        %s%s%s%s\n", str_text(&flag), f->help,
			*f->value ? " [" : "", f->value, *f->value ? "]" : "");
	}
}

static void add_env(struct str *out, const char *key)
{
	str_add(out, "KILIM_");
	for (; *key; key++) {
		char c = *key == '-' ? '_' : (char)toupper((unsigned char)*key);

		str_addn(out, &c, 1);
	}
}

/* For a cell of a table. */
static void add_escaped(struct str *out, const char *text)
{
	for (; *text; text++)
		str_printf(out, *text == '|' || *text == '*' ? "\\%c" : "%c", *text);
}

void conf_write_markdown(struct str *out)
{
	str_add(out, "# Settings of kilimd\n\n"
		     "Each is a flag (`--run-dir=/run/kilim`), an environment variable or a line "
		     "of `kilim.yaml` (`run-dir: /run/kilim`). A flag goes\n"
		     "before the environment, the environment before the file, the file before the "
		     "default. An unknown key is an error. This page is made\n"
		     "by `kilimd --help-markdown`.\n\n| key | environment | values | default | "
		     "meaning |\n|---|---|---|---|---|\n");
	for (const struct conf_field *f = conf_fields; f->key; f++) {
		str_printf(out, "| `%s` | `", f->key);
		add_env(out, f->key);
		str_add(out, "` | ");
		add_escaped(out, type_name(f));
		if (f->type == CONF_NUMBER)
			str_printf(out, " %llu..%llu", (unsigned long long)f->min,
				(unsigned long long)f->max);
		if (f->type == CONF_PREFIX4 || f->type == CONF_PREFIX6)
			str_printf(out, " /%llu../%llu", (unsigned long long)f->min,
				(unsigned long long)f->max);
		str_printf(
			out, " | %s%s%s | ", *f->value ? "`" : "", f->value, *f->value ? "`" : "");
		add_escaped(out, f->help);
		str_printf(out, "%s%s%s |\n", f->alias ? "; also `" : "", f->alias ? f->alias : "",
			f->alias ? "`" : "");
	}
}
