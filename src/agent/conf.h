/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_CONF_H
#define KILIM_AGENT_CONF_H
/*
 * Settings of kilimd. One table of fields makes the flags, the environment, kilim.yaml, --help and
 * the reference page. Where a key means what a cilium-config key means it has that name.
 * Precedence: flag, environment (KILIM_RUN_DIR), file, default. Fixed once loaded.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/addr.h"

enum conf_type {
	CONF_TEXT,
	CONF_BOOL,
	CONF_NUMBER, /* uint64_t within min..max */
	CONF_DURATION, /* uint64_t nanoseconds within min..max seconds */
	CONF_CHOICE, /* unsigned: position in choices */
	CONF_SET, /* unsigned: 1 << position in choices of each word; in the file also a list */
	CONF_PREFIX4, /* struct prefix of IPv4, IPv6 */
	CONF_PREFIX6,
};

struct conf_field {
	const char *key;
	const char *alias; /* another key with the same meaning, or NULL */
	enum conf_type type;
	size_t offset; /* in struct conf */
	const char *value; /* default, as text */
	uint64_t min, max;
	const char *choices; /* a|b|c */
	const char *help;
};

enum conf_enforce { CONF_ENFORCE_DEFAULT, CONF_ENFORCE_ALWAYS, CONF_ENFORCE_NEVER };
enum conf_localhost { CONF_LOCALHOST_AUTO, CONF_LOCALHOST_ALWAYS, CONF_LOCALHOST_POLICY };
enum conf_mode { CONF_MODE_AUTO, CONF_MODE_VETH, CONF_MODE_NETKIT };
enum conf_aggregation { CONF_AGGREGATE_MEDIUM, CONF_AGGREGATE_MAXIMUM };

struct conf {
	struct arena mem; /* owns the strings */
	const char *file; /* the configuration file that was read, or NULL */
	const char *config, *run_dir, *state_dir, *manifest_dir, *bpf_root, *cgroup_root;
	const char *node_name, *cluster_name;
	const char *cni_conf, *prometheus, *invariants;
	bool debug, ipv4, ipv6, local_cluster, audit;
	struct prefix range4, range6;
	unsigned enforce, localhost, mode, aggregation; /* the enums above */
	unsigned cilium_reach, kubernetes_reach; /* enum prefix_reach */
	uint64_t mtu;
	uint64_t timeout_tcp_ns, timeout_syn_ns, timeout_fin_ns, timeout_any_ns;
	uint64_t flow_max, half_max, rule_max, peer_max, rule_hit_max, history_max, events_max;
};

/* What the command line asks for. */
enum conf_action {
	CONF_RUN,
	CONF_HELP,
	CONF_HELP_MARKDOWN,
	CONF_VERSION,
	CONF_CHECK,
	CONF_UNINSTALL
};

/* Ended by a row with key NULL. */
extern const struct conf_field conf_fields[];

/*
 * Read flags, environment (NULL-ended list of NAME=VALUE) and file. Failures name flag, variable or
 * file:line:column, the key, and for an unknown key the nearest known one. With CONF_HELP,
 * CONF_HELP_MARKDOWN and CONF_VERSION nothing but the flags is looked at.
 */
int conf_load(int argc, char **argv, char **env, struct conf *ret, enum conf_action *ret_action,
	struct err *e) MUST_USE;
void conf_done(struct conf *c);
void conf_write_help(struct str *out);
void conf_write_markdown(struct str *out);

#endif
