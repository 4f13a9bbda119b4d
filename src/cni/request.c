/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks what the runtime hands over: environment and network configuration. Called by main.c;
 * pure, so that it can be fuzzed. Must hold: nothing of it reaches a path, a request or the log
 * before it was checked here, and DEL is refused only when it names nothing to delete.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cni/cni.h"
#include "codec/json.h"

enum {
	IFNAME_MAX = 15,
	CONTAINER_ID_MAX = 255,
	NETNS_MAX = 4000,
	ARGS_MAX = 65536,
	RUN_DIR_MAX = 96
};

/* What a verb needs. */
enum { NEED_CONTAINER = 1, NEED_NETNS = 2, NEED_CONF = 4 };

static const struct verb {
	const char *command;
	int needs;
	enum cni_version since;
} verbs[] = {
	{"ADD", NEED_CONTAINER | NEED_NETNS | NEED_CONF, CNI_0_1_0},
	{"DEL", NEED_CONTAINER | NEED_CONF, CNI_0_1_0},
	{"CHECK", NEED_CONTAINER | NEED_NETNS | NEED_CONF, CNI_0_4_0},
	{"GC", NEED_CONF, CNI_1_1_0},
	{"STATUS", NEED_CONF, CNI_1_1_0},
	{"VERSION", 0, CNI_0_1_0},
};

static const char *const version_texts[CNI_VERSIONS] = {
	"0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"};

int cni_fail(struct cni_error *x, enum cni_code code, const char *details, const char *fmt, ...)
{
	va_list ap;

	x->code = (int)code;
	va_start(ap, fmt);
	vsnprintf(x->msg, sizeof(x->msg), fmt, ap);
	va_end(ap);
	snprintf(x->details, sizeof(x->details), "%s", details ? details : "");
	return (int)code;
}

const char *cni_version_text(enum cni_version v)
{
	return version_texts[v];
}

static int version_find(const char *text, enum cni_version *ret)
{
	for (int v = 0; v < CNI_VERSIONS; v++) {
		if (str_eq(text, version_texts[v])) {
			*ret = (enum cni_version)v;
			return 0;
		}
	}
	return -1;
}

enum cni_version cni_version_of(const json_t *conf)
{
	enum cni_version v = CNI_1_1_0;

	(void)version_find(json_string_value(json_object_get(conf, "cniVersion")), &v);
	return v;
}

/* [a-zA-Z0-9][a-zA-Z0-9_.-]*, as the specification has it for container ids and network names. */
static bool word_is_valid(const char *s, size_t max)
{
	size_t len = strlen(s);

	if (!len || len > max || !isalnum((unsigned char)*s))
		return false;
	for (; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr("_.-", *s))
			return false;
	}
	return true;
}

static bool ifname_is_valid(const char *s)
{
	size_t len = strlen(s);

	if (!len || len > IFNAME_MAX || str_eq(s, ".") || str_eq(s, ".."))
		return false;
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c <= ' ' || c >= 0x7f || c == '/' || c == ':')
			return false;
	}
	return true;
}

static int env_check(const struct verb *v, const struct cni_env *env, struct cni_error *x)
{
	if (v->needs & NEED_CONTAINER) {
		if (!env->container_id || !*env->container_id)
			return cni_fail(x, CNI_ENVIRONMENT, NULL, "CNI_CONTAINERID is not set");
		if (!word_is_valid(env->container_id, CONTAINER_ID_MAX))
			return cni_fail(x, CNI_ENVIRONMENT,
				"letters, digits, _ . - and a letter or digit first",
				"CNI_CONTAINERID is not valid");
		if (!env->ifname || !*env->ifname)
			return cni_fail(x, CNI_ENVIRONMENT, NULL, "CNI_IFNAME is not set");
		if (!ifname_is_valid(env->ifname))
			return cni_fail(x, CNI_ENVIRONMENT,
				"at most 15 printable characters without / and :",
				"CNI_IFNAME is not valid");
	}
	if (v->needs & NEED_NETNS) {
		if (!env->netns || !*env->netns)
			return cni_fail(x, CNI_ENVIRONMENT, NULL, "CNI_NETNS is not set");
		if (*env->netns != '/' || strlen(env->netns) > NETNS_MAX)
			return cni_fail(
				x, CNI_ENVIRONMENT, NULL, "CNI_NETNS is not an absolute path");
	}
	return 0;
}

/* K8S_POD_NAME=web;K8S_POD_NAMESPACE=shop;... */
static int args_parse(struct cni_request *rq, struct cni_error *x)
{
	SCOPED(freep)
	char *copy = NULL;
	char *rest;

	if (!rq->env.args || !*rq->env.args)
		return 0;
	if (strlen(rq->env.args) > ARGS_MAX)
		return cni_fail(
			x, CNI_ENVIRONMENT, NULL, "CNI_ARGS is longer than %d bytes", ARGS_MAX);
	rest = copy = mem_strdup(rq->env.args);
	while (rest) {
		char *pair = strsep(&rest, ";"), *value = strchr(pair, '=');

		if (!*pair)
			continue;
		if (!value || value == pair)
			return cni_fail(x, CNI_ENVIRONMENT, "expected KEY=VALUE;KEY=VALUE",
				"CNI_ARGS is not valid");
		*value++ = 0;
		if (str_eq(pair, "K8S_POD_NAME") && !rq->pod)
			rq->pod = *value ? mem_strdup(value) : NULL;
		if (str_eq(pair, "K8S_POD_NAMESPACE") && !rq->namespace)
			rq->namespace = *value ? mem_strdup(value) : NULL;
	}
	if (rq->pod && !word_is_valid(rq->pod, 253))
		return cni_fail(x, CNI_ENVIRONMENT, NULL, "CNI_ARGS: K8S_POD_NAME is not a name");
	if (rq->namespace && !word_is_valid(rq->namespace, 253))
		return cni_fail(
			x, CNI_ENVIRONMENT, NULL, "CNI_ARGS: K8S_POD_NAMESPACE is not a name");
	return 0;
}

static int conf_version(const struct verb *v, struct cni_request *rq, struct cni_error *x)
{
	const json_t *j = json_object_get(rq->conf, "cniVersion");

	if (j && !json_is_string(j))
		return cni_fail(x, CNI_CONFIG, NULL, "cniVersion: expected a string, found %s",
			json_kind(j));
	/* the first version of the specification had no such member */
	if (!j)
		rq->version = CNI_0_1_0;
	else if (version_find(json_string_value(j), &rq->version))
		return cni_fail(x, CNI_VERSION,
			"supported: 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0",
			"cniVersion %.40s is not supported", json_string_value(j));
	if (rq->version < v->since)
		return cni_fail(x, CNI_VERSION, NULL,
			"%s came with cniVersion %s; the configuration says %s", v->command,
			cni_version_text(v->since), cni_version_text(rq->version));
	return 0;
}

static int conf_string(const json_t *conf, const char *key, const char **ret, struct cni_error *x)
{
	struct err e = {0};

	if (json_get_string(conf, key, ret, &e))
		return cni_fail(x, CNI_CONFIG, NULL, "%.200s", e.text);
	return 0;
}

static int conf_check(struct cni_request *rq, struct cni_error *x)
{
	const char *name = NULL, *type = NULL, *run_dir = NULL, *log_file = NULL;
	int64_t mtu = 0;
	struct err e = {0};
	int r = conf_string(rq->conf, "name", &name, x) ?: conf_string(rq->conf, "type", &type, x) ?:
		conf_string(rq->conf, "run-dir", &run_dir, x) ?: conf_string(rq->conf, "log-file", &log_file, x);

	if (r)
		return r;
	if (!name || !word_is_valid(name, 255))
		return cni_fail(
			x, CNI_CONFIG, NULL, name ? "name: not a network name" : "name: missing");
	if (run_dir && (*run_dir != '/' || strlen(run_dir) > RUN_DIR_MAX))
		return cni_fail(x, CNI_CONFIG, NULL,
			"run-dir: not an absolute path of at most %d bytes", RUN_DIR_MAX);
	if (log_file && *log_file && *log_file != '/')
		return cni_fail(x, CNI_CONFIG, NULL, "log-file: not an absolute path");
	if (json_get_int(rq->conf, "mtu", 0, 65535, &mtu, &e))
		return cni_fail(x, CNI_CONFIG, NULL, "%.200s", e.text);
	if (run_dir)
		rq->run_dir = run_dir;
	rq->log_file = log_file && *log_file ? log_file : NULL;
	return 0;
}

static const struct verb *verb_find(const char *command)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (str_eq(verbs[i].command, command))
			return &verbs[i];
	}
	return NULL;
}

static bool is_blank(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && strchr(" \t\r\n", text[i]) && text[i])
		i++;
	return i == len;
}

int cni_request_parse(const struct cni_env *env, const char *text, size_t len,
	struct cni_request *ret, struct cni_error *x)
{
	const struct verb *v = verb_find(env->command);
	struct err e = {0};
	int r;

	*ret = (struct cni_request){.env = *env, .version = CNI_1_1_0, .run_dir = "/run/kilim"};
	if (!v)
		return cni_fail(x, CNI_ENVIRONMENT, NULL,
			"CNI_COMMAND is none of ADD, DEL, CHECK, GC, STATUS, VERSION");
	if (!v->needs && is_blank(text, len))
		return 0;
	r = json_parse_text(text ? text : "", len, CNI_STDIN_MAX, &ret->conf, &e);
	if (r)
		return cni_fail(x, CNI_DECODE, e.text, "the network configuration is not JSON");
	if (!json_is_object(ret->conf))
		return cni_fail(x, CNI_DECODE, NULL,
			"the network configuration is %s, not an object", json_kind(ret->conf));
	ret->version = cni_version_of(ret->conf);
	if (!(v->needs & NEED_CONF))
		return 0;
	return conf_version(v, ret, x) ?: conf_check(ret, x) ?: env_check(v, env, x) ?: args_parse(ret, x);
}

void cni_request_done(struct cni_request *rq)
{
	json_unrefp(&rq->conf);
	free(rq->pod);
	free(rq->namespace);
	*rq = (struct cni_request){.version = CNI_1_1_0};
}
