/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels and label sets. Called by identities, selectors, policies and whoever brings workloads.
 * Owns nothing: sets live in arenas or in their identity. Must hold: the canonical text of a set
 * can be read in one way only, so no part of a label holds a ';' or a control character and no key
 * a '='; a workload never sets a label that says where it belongs.
 */
#include "model/label.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The words that may stand before the ':'. */
static const char *const sources[] = {"k8s", "any", "reserved", "cidr", "cidrgroup", "fqdn", "node",
	"cni", "gen", "container", "inside", "unspec"};

static const char *source_find(const char *s, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		if (strlen(sources[i]) == len && !strncmp(sources[i], s, len))
			return sources[i];
	}
	return NULL;
}

/* What stands in the way of an unambiguous text, or NULL. */
static const char *part_fault(const char *s, bool is_key)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x20 || c == 0x7f)
			return "a control character";
		if (c == ';' || (is_key && c == '='))
			return c == ';' ? "a ';'" : "a '='";
	}
	return NULL;
}

static int label_check(const struct label *l, struct err *e)
{
	const char *fault = part_fault(l->key, true);

	if (!fault)
		fault = part_fault(l->value, false);
	if (fault)
		return err_set(e, -EINVAL, "label \"%.100s\": %s is not allowed in a label", l->key,
			fault);
	if (!*l->key)
		return err_set(
			e, -EINVAL, "label \"%s:=%.100s\": the key is empty", l->source, l->value);
	if (!source_find(l->source, strlen(l->source)))
		return err_set(e, -EINVAL,
			"label \"%.100s:%.100s\": unknown source; use k8s, container, "
			"reserved, cidr, node, fqdn, cidrgroup, cni or gen",
			l->source, l->key);
	return 0;
}

int label_parse(struct arena *mem, const char *text, const char *default_source, struct label *ret,
	struct err *e)
{
	const char *value = strchr(text, '='), *colon = strchr(text, ':');
	struct label l = {.source = default_source};
	char *key;
	int r;

	if (*text == '$') {
		l.source = "reserved";
		key = arena_strdup(mem, text + 1);
	} else if (colon && (!value || colon < value)) {
		l.source = source_find(text, (size_t)(colon - text));
		if (!l.source)
			return err_set(e, -EINVAL,
				"label \"%.200s\": \"%.*s\" is no label source; use k8s, "
				"container, reserved, cidr, node, fqdn, cidrgroup, cni or gen",
				text, (int)(colon - text > 64 ? 64 : colon - text), text);
		key = arena_strdup(mem, colon + 1);
	} else {
		key = arena_strdup(mem, text);
	}
	l.value = "";
	if (strchr(key, '=')) {
		char *at = strchr(key, '=');

		*at = 0;
		l.value = at + 1;
	}
	l.key = key;
	r = label_check(&l, e);
	if (r < 0)
		return r;
	*ret = l;
	return 0;
}

void label_format(struct str *out, const struct label *l)
{
	str_printf(out, "%s:%s", l->source, l->key);
	if (*l->value)
		str_printf(out, "=%s", l->value);
}

static int label_compare(const void *pa, const void *pb)
{
	const struct label *a = pa, *b = pb;
	int r = strcmp(a->source, b->source);

	if (!r)
		r = strcmp(a->key, b->key);
	return r ? r : strcmp(a->value, b->value);
}

int labels_normalize(struct labels *l, struct err *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		int r = label_check(&l->label[i], e);

		if (r < 0)
			return r;
	}
	if (l->count)
		qsort(l->label, l->count, sizeof(*l->label), label_compare);
	for (size_t i = 0; i < l->count; i++) {
		const struct label *a = &l->label[i], *b = kept ? &l->label[kept - 1] : NULL;

		if (!b || !str_eq(a->source, b->source) || !str_eq(a->key, b->key)) {
			l->label[kept++] = *a;
		} else if (!str_eq(a->value, b->value)) {
			return err_set(e, -EEXIST,
				"label %s:%.100s is there twice, with value \"%.100s\" and with "
				"\"%.100s\"",
				a->source, a->key, b->value, a->value);
		}
	}
	l->count = kept;
	return 0;
}

const struct label *labels_find(const struct labels *l, const char *source, const char *key)
{
	bool any = str_eq(source, "any");

	for (size_t i = 0; i < l->count; i++) {
		if (str_eq(l->label[i].key, key) && (any || str_eq(l->label[i].source, source)))
			return &l->label[i];
	}
	return NULL;
}

void labels_text(struct str *out, const struct labels *l)
{
	for (size_t i = 0; i < l->count; i++)
		str_printf(
			out, "%s:%s=%s;", l->label[i].source, l->label[i].key, l->label[i].value);
}

bool labels_eq(const struct labels *a, const struct labels *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (label_compare(&a->label[i], &b->label[i]))
			return false;
	}
	return true;
}

struct labels labels_copy(struct arena *mem, const struct labels *l)
{
	struct labels copy = {.count = l->count};

	copy.label = arena_array(mem, l->count, sizeof(*l->label));
	for (size_t i = 0; i < l->count; i++)
		copy.label[i] = (struct label){arena_strdup(mem, l->label[i].source),
			arena_strdup(mem, l->label[i].key), arena_strdup(mem, l->label[i].value)};
	return copy;
}

bool label_is_identity_relevant(const struct label *l)
{
	static const char *const prefixes[] = {"io.kubernetes", "kubernetes.io", "k8s.io",
		"pod-template-hash", "pod-template-generation", "controller-revision-hash",
		"controller-uid", "statefulset.kubernetes.io/pod-name",
		"apps.kubernetes.io/pod-index", "batch.kubernetes.io/job-completion-index",
		"batch.kubernetes.io/controller-uid", "annotation.", "etcd_node",
		"topology.kubernetes.io"};

	if (str_eq(l->source, "reserved") || str_has_prefix(l->key, LABEL_NAMESPACE) ||
		str_has_prefix(l->key, LABEL_KUBERNETES))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (str_has_prefix(l->key, prefixes[i]))
			return false;
	}
	return !strstr(l->key, "beta.kubernetes.io");
}

bool label_is_authority(const struct label *l)
{
	if (!str_eq(l->source, "k8s") && !str_eq(l->source, "container") &&
		!str_eq(l->source, "cni") && !str_eq(l->source, "gen") &&
		!str_eq(l->source, "unspec"))
		return true;
	return str_eq(l->key, LABEL_NAMESPACE) || str_has_prefix(l->key, LABEL_KUBERNETES);
}

static void put(struct labels *l, struct arena *mem, const char *key, const char *value)
{
	l->label[l->count++] =
		(struct label){"k8s", arena_strdup(mem, key), arena_strdup(mem, value)};
}

int labels_of_workload(struct arena *mem, const struct labels *given,
	const struct workload_place *place, struct labels *ret, struct err *e)
{
	static const char own_name[] = LABEL_NAMESPACE_LABELS "kubernetes.io/metadata.name";
	const struct labels *of_namespace = &place->namespace_labels;
	struct labels l = {0};
	int r;

	l.label = arena_array(mem, given->count + of_namespace->count + 4, sizeof(*l.label));
	for (size_t i = 0; i < given->count; i++) {
		if (!label_is_authority(&given->label[i]) &&
			label_is_identity_relevant(&given->label[i]))
			l.label[l.count++] = given->label[i];
	}
	for (size_t i = 0; i < of_namespace->count; i++) {
		const char *key = of_namespace->label[i].key;

		if (!str_eq(key, "kubernetes.io/metadata.name"))
			put(&l, mem, arena_printf(mem, LABEL_NAMESPACE_LABELS "%s", key),
				of_namespace->label[i].value);
	}
	if (place->namespace && *place->namespace) {
		put(&l, mem, LABEL_NAMESPACE, place->namespace);
		put(&l, mem, own_name, place->namespace);
	}
	if (place->service_account && *place->service_account)
		put(&l, mem, LABEL_SERVICE_ACCOUNT, place->service_account);
	if (place->cluster && *place->cluster)
		put(&l, mem, LABEL_CLUSTER, place->cluster);
	r = labels_normalize(&l, e);
	if (r < 0)
		return r;
	*ret = labels_copy(mem, &l);
	return 0;
}
