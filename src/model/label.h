/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_MODEL_LABEL_H
#define KILIM_MODEL_LABEL_H
/*
 * Labels: source:key=value. Sources are typed words, never found by prefix matching (lessons A). A
 * set is sorted by source, key and value, and has each (source, key) once.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* Keys that say where a workload belongs; only kilim sets them, with source k8s. */
#define LABEL_NAMESPACE        "io.kubernetes.pod.namespace"
#define LABEL_KUBERNETES       "io.cilium.k8s."
#define LABEL_NAMESPACE_LABELS LABEL_KUBERNETES "namespace.labels."
#define LABEL_CLUSTER          LABEL_KUBERNETES "policy.cluster"
#define LABEL_SERVICE_ACCOUNT  LABEL_KUBERNETES "policy.serviceaccount"

struct label {
	const char *source; /* "k8s", "reserved", "cidr", "container", "node", ...; in selectors
			       also "any" */
	const char *key;
	const char *value; /* never NULL; "" for none */
};

struct labels {
	struct label *label;
	size_t count;
};

/* "k8s:app=web", "app=web" (default_source), "reserved:host", "$host". Strings are copied into the
 * arena. -EINVAL. */
int label_parse(struct arena *mem, const char *text, const char *default_source, struct label *ret,
	struct err *e) MUST_USE;
void label_format(
	struct str *out, const struct label *l); /* k8s:app=web; without "=" when value is empty */
/* Sort and check a set in place; -EEXIST names a key that is there twice with different values. */
int labels_normalize(struct labels *l, struct err *e) MUST_USE;
/* The label with this source ("any": of any source) and key, or NULL. */
const struct label *labels_find(const struct labels *l, const char *source, const char *key);
/* Canonical text, labels sorted and each ended by ';': equal sets have equal texts. The key of an
 * identity. */
void labels_text(struct str *out, const struct labels *l);
bool labels_eq(const struct labels *a, const struct labels *b);
/* Deep copy. */
struct labels labels_copy(struct arena *mem, const struct labels *l);
/* Whether a label may be part of an identity by default (interfaces 1b: the filter list). */
bool label_is_identity_relevant(const struct label *l);
/* Whether only kilim may set it: namespace, namespace's labels, cluster, service account;
 * reserved:, cidr:, fqdn:, node:, any: ... */
bool label_is_authority(const struct label *l);

/* Where a workload belongs, from whoever has the authority to say so; never from the workload. */
struct workload_place {
	const char *namespace; /* "" or NULL: none */
	const char *cluster;
	const char *service_account;
	struct labels namespace_labels; /* keys as in the Namespace object */
};

/*
 * The label set that makes a workload's identity: of its own labels those that are
 * identity-relevant and within its authority, and what place says (also the namespace's
 * kubernetes.io/metadata.name). Normalized, in mem.
 */
int labels_of_workload(struct arena *mem, const struct labels *given,
	const struct workload_place *place, struct labels *ret, struct err *e) MUST_USE;

#endif
