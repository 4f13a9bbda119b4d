/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what -f names. Called by policy apply and policy delete. Owns the texts. Must hold: whether
 * a policy is right is for the agent to say; here a text is only read as far as to know which
 * policies are in it.
 */
#include "cli/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "codec/yaml.h"

static void add_file(struct manifests *m, const char *path, char *text, size_t len)
{
	mem_grow(&m->file, &m->capacity, m->count + 1, sizeof(*m->file));
	m->file[m->count++] = (struct manifest){mem_strdup(path), text, len};
}

static int read_stdin(struct manifests *m, struct err *e)
{
	SCOPED(str_done) struct str text = {0};
	char buf[16384];

	for (;;) {
		ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, -errno, "standard input: %s", strerror(errno));
		if (!n)
			break;
		if (text.len + (size_t)n > MANIFEST_BYTES_MAX)
			return err_set(e, -EFBIG, "standard input: more than %d MiB",
				MANIFEST_BYTES_MAX >> 20);
		str_addn(&text, buf, (size_t)n);
	}
	add_file(m, "-", str_take(&text), text.len);
	return 0;
}

static int read_file(struct manifests *m, const char *path, struct err *e)
{
	char *text;
	size_t len;
	int r = fd_read_file(path, MANIFEST_BYTES_MAX, &text, &len, e);

	if (r >= 0)
		add_file(m, path, text, len);
	return r;
}

static int is_manifest(const struct dirent *d)
{
	return *d->d_name != '.' &&
	       (str_has_suffix(d->d_name, ".yaml") || str_has_suffix(d->d_name, ".yml") ||
		       str_has_suffix(d->d_name, ".json"));
}

static int read_directory(struct manifests *m, const char *path, struct err *e)
{
	struct dirent **entry = NULL;
	int n = scandir(path, &entry, is_manifest, alphasort), r = 0;

	if (n < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	if (!n)
		r = err_set(
			e, -ENOENT, "%s: no *.yaml, *.yml or *.json file in this directory", path);
	for (int i = 0; i < n; i++) {
		SCOPED(str_done) struct str file = {0};

		str_printf(&file, "%s%s%s", path, str_has_suffix(path, "/") ? "" : "/",
			entry[i]->d_name);
		if (r >= 0)
			r = read_file(m, str_text(&file), e);
		free(entry[i]);
	}
	free(entry);
	return r;
}

int manifests_read(struct manifests *m, const char *path, struct err *e)
{
	struct stat st;

	if (str_eq(path, "-"))
		return read_stdin(m, e);
	if (stat(path, &st) < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	return S_ISDIR(st.st_mode) ? read_directory(m, path, e) : read_file(m, path, e);
}

void manifests_done(struct manifests *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->file[i].path);
		free(m->file[i].text);
	}
	free(m->file);
	*m = (struct manifests){0};
}

static const char *text_of(const json_t *j, const char *key)
{
	const char *text = json_string_value(json_object_get(j, key));

	return text ? text : "";
}

static void add_id(struct policy_ids *ids, const json_t *object, const char *kind, bool clusterwide)
{
	const json_t *meta = json_object_get(object, "metadata");
	const char *namespace = text_of(meta, "namespace");

	if (clusterwide)
	namespace = "";
	else if (!*namespace) namespace = "default";
	mem_grow(&ids->id, &ids->capacity, ids->count + 1, sizeof(*ids->id));
	ids->id[ids->count++] = (struct policy_id){
		mem_strdup(kind), mem_strdup(namespace), mem_strdup(text_of(meta, "name"))};
}

/* A policy, or a list of them. */
static void add_object(struct policy_ids *ids, const json_t *object)
{
	static const struct {
		const char *name;
		bool clusterwide;
	} kinds[] = {{"CiliumNetworkPolicy", false}, {"CiliumClusterwideNetworkPolicy", true},
		{"NetworkPolicy", false}, {"ClusterNetworkPolicy", true},
		{"AdminNetworkPolicy", true}, {"BaselineAdminNetworkPolicy", true}};
	const char *kind = text_of(object, "kind");
	const json_t *items = json_object_get(object, "items");

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		SCOPED(str_done) struct str list = {0};

		str_printf(&list, "%sList", kinds[i].name);
		if (str_eq(kind, kinds[i].name))
			add_id(ids, object, kind, kinds[i].clusterwide);
		/* items of a typed list need not say their kind */
		for (size_t k = 0; str_eq(kind, str_text(&list)) && k < json_array_size(items); k++)
			add_id(ids, json_array_get(items, k), kinds[i].name, kinds[i].clusterwide);
	}
	for (size_t k = 0; str_eq(kind, "List") && k < json_array_size(items); k++) {
		const json_t *item = json_array_get(items, k);

		if (!str_eq(text_of(item, "kind"), "List"))
			add_object(ids, item);
	}
}

int policy_ids_parse(struct policy_ids *ids, const struct manifest *m, struct err *e)
{
	SCOPED(yaml_docs_done) struct yaml_docs docs = {0};
	int r = yaml_parse(m->path, m->text, m->len, &docs, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < docs.count; i++)
		add_object(ids, docs.doc[i].root);
	return 0;
}

bool policy_ids_have(
	const struct policy_ids *ids, const char *kind, const char *namespace, const char *name)
{
	for (size_t i = 0; i < ids->count; i++) {
		if (str_eq(ids->id[i].kind, kind) && str_eq(ids->id[i].namespace, namespace) &&
			str_eq(ids->id[i].name, name))
			return true;
	}
	return false;
}

void policy_ids_done(struct policy_ids *ids)
{
	for (size_t i = 0; i < ids->count; i++) {
		free(ids->id[i].kind);
		free(ids->id[i].namespace);
		free(ids->id[i].name);
	}
	free(ids->id);
	*ids = (struct policy_ids){0};
}
