/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the settings by the rows of conf_table.c: flags, environment, file, default, whichever
 * comes first. Called once by main. Must hold: a key or value that is not understood is an error
 * with its place, never ignored; only environment variables of unknown names are left alone,
 * because container platforms make up KILIM_* ones for services.
 */
#include "agent/conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "codec/json.h"
#include "codec/yaml.h"

enum {
	FIELDS_MAX = 64,
	FILE_MAX_BYTES = 1 << 20,
	CLUSTER_NAME_MAX = 32,
	NODE_NAME_MAX = 253,
	SOCKET_PATH_MAX = 107
};

/* Where each field got its value from; a later source does not replace an earlier one. */
struct conf_reader {
	struct conf *conf;
	bool is_set[FIELDS_MAX];
};

static const struct conf_field *field_find(const char *key, size_t len)
{
	for (const struct conf_field *f = conf_fields; f->key; f++) {
		if (strlen(f->key) == len && !strncmp(f->key, key, len))
			return f;
		if (f->alias && strlen(f->alias) == len && !strncmp(f->alias, key, len))
			return f;
	}
	return NULL;
}

static int field_unknown(const char *where, const char *key, struct err *e)
{
	const char *nearest = NULL;
	unsigned best = 64;

	for (const struct conf_field *f = conf_fields; f->key; f++) {
		unsigned d = str_distance(key, f->key);

		if (d < best) {
			best = d;
			nearest = f->key;
		}
	}
	if (nearest && best <= 1 + strlen(key) / 3)
		return err_set(e, -EINVAL, "%s: no setting is called %.60s; did you mean %s?",
			where, key, nearest);
	return err_set(
		e, -EINVAL, "%s: no setting is called %.60s; kilimd --help lists them", where, key);
}

static int choice_parse(const char *choices, const char *text, size_t len, unsigned *ret)
{
	unsigned n = 0;

	for (const char *p = choices; p; p = strchr(p, '|'), p = p ? p + 1 : NULL, n++) {
		if (len && !strncmp(p, text, len) && (p[len] == '|' || !p[len])) {
			*ret = n;
			return 0;
		}
	}
	return -EINVAL;
}

/* Words between commas or blanks, in any order. */
static int set_parse(const char *choices, const char *text, unsigned *ret)
{
	static const char between[] = ", ";
	unsigned set = 0, n;

	for (text += strspn(text, between); *text; text += strspn(text, between)) {
		size_t len = strcspn(text, between);

		if (choice_parse(choices, text, len, &n))
			return -EINVAL;
		set |= 1u << n;
		text += len;
	}
	*ret = set;
	return 0;
}

static int prefix_set(const struct conf_field *f, const char *text, struct prefix *ret)
{
	bool v4 = f->type == CONF_PREFIX4;
	unsigned lead = v4 ? ADDR_V4_PREFIX : 0;
	struct prefix p;
	int r = prefix_parse(text, false, &p);

	if (r || addr_is_v4(&p.addr) != v4 || p.bits < lead + f->min || p.bits > lead + f->max)
		return -EINVAL;
	*ret = p;
	return 0;
}

static int number_set(const struct conf_field *f, const char *text, uint64_t *ret)
{
	uint64_t n, unit = f->type == CONF_DURATION ? 1000000000u : 1;
	int r = f->type == CONF_DURATION ? str_to_duration(text, &n)
					 : str_to_u64(text, UINT64_MAX, &n);

	if (r || n < f->min * unit || n > f->max * unit)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int field_error(
	const struct conf_field *f, const char *where, const char *text, struct err *e)
{
	unsigned long long min = f->min, max = f->max;

	switch (f->type) {
	case CONF_BOOL:
		return err_set(
			e, -EINVAL, "%s: %s: %.80s is neither true nor false", where, f->key, text);
	case CONF_CHOICE:
		return err_set(
			e, -EINVAL, "%s: %s: %.80s is none of %s", where, f->key, text, f->choices);
	case CONF_SET:
		return err_set(e, -EINVAL, "%s: %s: %.80s: a list of %s is needed", where, f->key,
			text, f->choices);
	case CONF_DURATION:
		return err_set(e, -EINVAL,
			"%s: %s: %.80s is not a duration from %llus to %llus, such as 60s or 2h",
			where, f->key, text, min, max);
	case CONF_PREFIX4:
	case CONF_PREFIX6:
		return err_set(e, -EINVAL,
			"%s: %s: %.80s is not an %s prefix from /%llu to /%llu without host bits",
			where, f->key, text, f->type == CONF_PREFIX4 ? "IPv4" : "IPv6", min, max);
	default:
		return err_set(e, -EINVAL, "%s: %s: %.80s is not a number from %llu to %llu", where,
			f->key, text, min, max);
	}
}

static int field_set(struct conf *c, const struct conf_field *f, const char *where,
	const char *text, struct err *e)
{
	void *at = (char *)c + f->offset;
	int r = 0;

	switch (f->type) {
	case CONF_TEXT:
		*(const char **)at = arena_strdup(&c->mem, text);
		break;
	case CONF_BOOL:
		if (!str_eq(text, "true") && !str_eq(text, "false"))
			r = -EINVAL;
		*(bool *)at = str_eq(text, "true");
		break;
	case CONF_NUMBER:
	case CONF_DURATION:
		r = number_set(f, text, at);
		break;
	case CONF_CHOICE:
		r = choice_parse(f->choices, text, strlen(text), at);
		break;
	case CONF_SET:
		r = set_parse(f->choices, text, at);
		break;
	case CONF_PREFIX4:
	case CONF_PREFIX6:
		r = prefix_set(f, text, at);
		break;
	}
	return r ? field_error(f, where, text, e) : 0;
}

static int reader_set(struct conf_reader *rd, const struct conf_field *f, const char *where,
	const char *text, struct err *e)
{
	size_t i = (size_t)(f - conf_fields);

	if (rd->is_set[i])
		return 0;
	rd->is_set[i] = true;
	return field_set(rd->conf, f, where, text, e);
}

static int action_parse(const char *name, enum conf_action *ret)
{
	static const struct {
		const char *name;
		enum conf_action action;
	} actions[] = {{"help", CONF_HELP}, {"help-markdown", CONF_HELP_MARKDOWN},
		{"version", CONF_VERSION}, {"check-config", CONF_CHECK},
		{"uninstall", CONF_UNINSTALL}};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (str_eq(name, actions[i].name)) {
			*ret = actions[i].action;
			return 0;
		}
	}
	return -ENOENT;
}

/* One flag at argv[0]; returns how many arguments it took. */
static int read_flag(
	struct conf_reader *rd, int argc, char **argv, enum conf_action *action, struct err *e)
{
	const char *name = argv[0] + 2, *value = strchr(name, '=');
	size_t len = value ? (size_t)(value - name) : strlen(name);
	const struct conf_field *f = field_find(name, len);
	char where[80];
	int used = 1, r;

	if (!f) {
		SCOPED(freep)
		char *key = mem_dup(name, len);

		if (!value && !action_parse(name, action))
			return 1;
		return field_unknown(argv[0], key, e);
	}
	snprintf(where, sizeof(where), "--%s", f->key);
	if (value) {
		value++;
	} else if (f->type == CONF_BOOL &&
		   (argc < 2 || (!str_eq(argv[1], "true") && !str_eq(argv[1], "false")))) {
		value = "true";
	} else {
		if (argc < 2)
			return err_set(e, -EINVAL, "%s: a value is missing", where);
		value = argv[1];
		used = 2;
	}
	/* the last of several equal flags counts, as everywhere */
	rd->is_set[f - conf_fields] = false;
	r = reader_set(rd, f, where, value, e);
	return r ? r : used;
}

static int read_flags(
	struct conf_reader *rd, int argc, char **argv, enum conf_action *action, struct err *e)
{
	for (int i = 1; i < argc;) {
		int r;

		if (str_eq(argv[i], "-h")) {
			*action = CONF_HELP;
			return 0;
		}
		if (!str_has_prefix(argv[i], "--") || !argv[i][2])
			return err_set(e, -EINVAL,
				"%.80s: kilimd takes only flags; kilimd --help lists them",
				argv[i]);
		r = read_flag(rd, argc - i, argv + i, action, e);
		if (r < 0)
			return r;
		i += r;
	}
	return 0;
}

static bool env_matches(const char *variable, const char *key, const char **ret_value)
{
	const char *p = variable + strlen("KILIM_");

	for (; *key; key++, p++) {
		if (*p != (*key == '-' ? '_' : toupper((unsigned char)*key)))
			return false;
	}
	*ret_value = p + 1;
	return *p == '=';
}

static int read_env(struct conf_reader *rd, char **env, struct err *e)
{
	for (; env && *env; env++) {
		const char *value;
		char where[80];
		int r;

		if (!str_has_prefix(*env, "KILIM_"))
			continue;
		for (const struct conf_field *f = conf_fields; f->key; f++) {
			if (!env_matches(*env, f->key, &value))
				continue;
			snprintf(where, sizeof(where), "environment, %.*s", (int)(value - 1 - *env),
				*env);
			r = reader_set(rd, f, where, value, e);
			if (r)
				return r;
		}
	}
	return 0;
}

static int scalar_text(const json_t *v, struct str *out)
{
	if (json_is_string(v))
		str_add(out, json_string_value(v));
	else if (json_is_integer(v))
		str_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_boolean(v))
		str_add(out, json_is_true(v) ? "true" : "false");
	else
		return -EINVAL;
	return 0;
}

/* The value of a line: of a set, a list of its words, too. */
static int value_text(const struct conf_field *f, const json_t *v, struct str *out)
{
	int r = 0;

	if (f->type != CONF_SET || !json_is_array(v))
		return scalar_text(v, out);
	for (size_t i = 0; !r && i < json_array_size(v); i++) {
		r = scalar_text(json_array_get(v, i), out);
		str_add(out, ",");
	}
	return r;
}

/* One line of the file. */
static int read_member(struct conf_reader *rd, const struct yaml_doc *doc, const json_t *mapping,
	const char *key, const json_t *value, struct err *e)
{
	const struct conf_field *f = field_find(key, strlen(key));
	SCOPED(str_done)
	struct str text = {0}, where = {0};
	int line = doc->line, column = 1;

	(void)yaml_where_key(doc, mapping, key, &line, &column);
	str_printf(&where, "%s:%d:%d", rd->conf->file, line, column);
	if (!f || str_eq(f->key, "config"))
		return field_unknown(str_text(&where), key, e);
	if (value_text(f, value, &text))
		return err_set(e, -EINVAL, "%s: %s: expected a value, found %s", str_text(&where),
			f->key, json_kind(value));
	return reader_set(rd, f, str_text(&where), str_text(&text), e);
}

static int read_doc(struct conf_reader *rd, const struct yaml_doc *doc, struct err *e)
{
	const json_t *mapping = doc->root, *value;
	const char *key;

	/* a ConfigMap such as cilium-config: the settings are its data */
	if (str_eq(json_string_value(json_object_get(mapping, "kind")), "ConfigMap"))
		mapping = json_object_get(mapping, "data");
	if (!json_is_object(mapping))
		return err_set(e, -EINVAL, "%s:%d:1: expected lines of the form key: value",
			rd->conf->file, doc->line);
	json_object_foreach((json_t *)mapping, key, value)
	{
		int r = read_member(rd, doc, mapping, key, value, e);

		if (r)
			return r;
	}
	return 0;
}

static int read_file(struct conf_reader *rd, bool must_exist, struct err *e)
{
	struct conf *c = rd->conf;
	SCOPED(yaml_docs_done)
	struct yaml_docs docs = {0};
	SCOPED(freep)
	char *text = NULL;
	size_t len;
	int r = fd_read_file(c->config, FILE_MAX_BYTES, &text, &len, e);

	if (r == -ENOENT && !must_exist)
		return 0;
	if (r)
		return r;
	c->file = c->config;
	r = yaml_parse(c->file, text, len, &docs, e);
	if (r)
		return r;
	if (docs.count > 1)
		return err_set(e, -EINVAL,
			"%s:%d:1: more than one document; settings are one mapping", c->file,
			docs.doc[1].line);
	return docs.count ? read_doc(rd, &docs.doc[0], e) : 0;
}

static bool name_is_valid(const char *s, size_t max)
{
	size_t len = strlen(s);

	return len && len <= max && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
	       *s != '-' && s[len - 1] != '-';
}

static int dir_check(const char *key, const char *path, struct err *e)
{
	if (path[0] != '/' || strlen(path) > 4000)
		return err_set(e, -EINVAL, "%s: %.80s is not an absolute path", key, path);
	return 0;
}

/* What one row alone cannot say. */
static int conf_check(struct conf *c, struct err *e)
{
	char host[NODE_NAME_MAX + 1] = "";
	int r;

	if (!*c->node_name) {
		(void)gethostname(host, sizeof(host) - 1);
		c->node_name = arena_strdup(&c->mem, *host ? host : "localhost");
	}
	r = dir_check("run-dir", c->run_dir, e) ?: dir_check("state-dir", c->state_dir, e) ?:
		dir_check("manifest-dir", c->manifest_dir, e) ?: dir_check("bpf-root", c->bpf_root, e) ?:
		dir_check("cgroup-root", c->cgroup_root, e);
	if (r)
		return r;
	if (strlen(c->run_dir) + strlen("/kilim.sock") > SOCKET_PATH_MAX)
		return err_set(e, -EINVAL,
			"run-dir: %.120s is too long for a socket path (%d bytes)", c->run_dir,
			SOCKET_PATH_MAX);
	if (!name_is_valid(c->cluster_name, CLUSTER_NAME_MAX))
		return err_set(e, -EINVAL, "cluster-name: %.80s: at most 32 of a-z, 0-9 and -",
			c->cluster_name);
	if (strlen(c->node_name) > NODE_NAME_MAX || strpbrk(c->node_name, "/ \t\n"))
		return err_set(e, -EINVAL,
			"node-name: %.80s: at most 253 characters without / and blanks",
			c->node_name);
	if (!c->ipv4 && !c->ipv6)
		return err_set(e, -EINVAL,
			"enable-ipv4 and enable-ipv6 are both false: endpoints need an address");
	if (c->mtu && c->mtu < (c->ipv6 ? 1280u : 576u))
		return err_set(e, -EINVAL, "mtu: %u is less than %s needs", (unsigned)c->mtu,
			c->ipv6 ? "IPv6 (1280)" : "IPv4 (576)");
	if (c->events_max & (c->events_max + 1))
		return err_set(e, -EINVAL,
			"hubble-event-buffer-capacity: %u is not one less than a power of two, "
			"such as 4095",
			(unsigned)c->events_max);
	return *c->cni_conf ? dir_check("write-cni-conf-when-ready", c->cni_conf, e) : 0;
}

static int read_all(struct conf_reader *rd, int argc, char **argv, char **env,
	enum conf_action *action, struct err *e)
{
	bool must_exist;
	int r = read_flags(rd, argc, argv, action, e);

	if (r || *action == CONF_HELP || *action == CONF_HELP_MARKDOWN || *action == CONF_VERSION)
		return r;
	r = read_env(rd, env, e);
	if (r)
		return r;
	must_exist = rd->conf->config;
	if (!must_exist)
		rd->conf->config = field_find("config", strlen("config"))->value;
	r = read_file(rd, must_exist, e);
	for (const struct conf_field *f = conf_fields; !r && f->key; f++) {
		if (!str_eq(f->key, "config"))
			r = reader_set(rd, f, "default", f->value, e);
	}
	return r ? r : conf_check(rd->conf, e);
}

int conf_load(int argc, char **argv, char **env, struct conf *ret, enum conf_action *ret_action,
	struct err *e)
{
	SCOPED(conf_done)
	struct conf c = {0};
	struct conf_reader rd = {.conf = &c};
	enum conf_action action = CONF_RUN;
	int r = read_all(&rd, argc, argv, env, &action, e);

	if (r < 0)
		return r;
	*ret = c;
	c = (struct conf){0};
	*ret_action = action;
	return 0;
}

void conf_done(struct conf *c)
{
	arena_done(&c->mem);
	*c = (struct conf){0};
}
