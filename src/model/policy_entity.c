/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fromEntities and toEntities. Called by policy_peer.c. Owns nothing beside what it puts into the
 * set's arena. Must hold: an entity is nothing but reserved labels, and cluster and cluster-mesh
 * also the label of the cluster, so that no label of a workload makes it one.
 */
#include "base/str.h"
#include "codec/json.h"
#include "model/policy_walk.h"

/* Entities that stand for reserved labels. "all", "none", "cluster" and "cluster-mesh" are more
 * than that. */
static const struct {
	const char *name;
	const char *label[3];
} entities[] = {{"host", {"host"}}, {"world", {"world", "world-ipv4", "world-ipv6"}},
	{"world-ipv4", {"world-ipv4"}}, {"world-ipv6", {"world-ipv6"}},
	{"unmanaged", {"unmanaged"}}, {"health", {"health"}}, {"init", {"init"}},
	{"remote-node", {"remote-node"}}, {"kube-apiserver", {"kube-apiserver"}},
	{"ingress", {"ingress"}}};

/* What "cluster" stands for, beside the pods. */
static const char *const cluster_members[] = {
	"host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver"};

static void add_label_entity(const struct walk *w, struct peer *p, const char *source,
	const char *key, const char *value)
{
	policy_require(w, &p->selector[p->selectors++], source, key, value);
}

static void add_cluster(const struct walk *w, struct peer *p, const char *cluster)
{
	for (size_t i = 0; i < ARRAY_SIZE(cluster_members); i++)
		add_label_entity(w, p, "reserved", cluster_members[i], NULL);
	add_label_entity(w, p, "k8s", LABEL_CLUSTER, cluster);
}

static int unknown_entity(const struct walk *w, const struct node *n, const char *name)
{
	const char *words[ARRAY_SIZE(entities) + 5], *nearest;
	size_t count = 0;

	for (; count < ARRAY_SIZE(entities); count++)
		words[count] = entities[count].name;
	words[count++] = "all";
	words[count++] = "none";
	words[count++] = "cluster";
	words[count++] = "cluster-mesh";
	words[count] = NULL;
	nearest = walk_nearest(name, words);
	if (nearest)
		return walk_error(
			w, n, "unknown entity \"%.60s\"; did you mean %s?", name, nearest);
	return walk_error(w, n,
		"unknown entity \"%.60s\"; use all, cluster, cluster-mesh, world, world-ipv4, "
		"world-ipv6, host, remote-node, kube-apiserver, health, init, ingress, unmanaged "
		"or "
		"none",
		name);
}

/* p has room for cluster_members and one more of each entity. */
static int parse_entity(const struct walk *w, const struct node *n, struct peer *p)
{
	const char *name = NULL;
	int r = walk_string_needed(w, n, &name);

	if (r < 0)
		return r;
	if (str_eq(name, "all")) {
		p->kind = PEER_ANY;
		return 0;
	}
	if (str_eq(name, "none"))
		return 0;
	if (str_eq(name, "cluster") || str_eq(name, "cluster-mesh")) {
		add_cluster(w, p,
			str_eq(name, "cluster") ? arena_strdup(w->mem, w->context->cluster) : NULL);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(entities); i++) {
		if (!str_eq(entities[i].name, name))
			continue;
		for (size_t k = 0; k < 3 && entities[i].label[k]; k++)
			add_label_entity(w, p, "reserved", entities[i].label[k], NULL);
		return 0;
	}
	return unknown_entity(w, n, name);
}

int policy_parse_entities(const struct walk *w, const struct node *list,
	const struct peer_scope *scope, struct rule *r)
{
	struct peer *p = policy_add_peer(r, PEER_SELECTOR);
	int err = 0;

	(void)scope;
	p->selector = arena_array(
		w->mem, node_items(list) * (ARRAY_SIZE(cluster_members) + 1), sizeof(*p->selector));
	for (size_t i = 0; i < node_items(list); i++) {
		struct node item = node_item(list, i);

		err = WALK_ALSO(w, err, parse_entity(w, &item, p));
		if (!walk_on(w, err))
			return err;
	}
	if (p->kind == PEER_ANY)
		*p = (struct peer){.kind = PEER_ANY};
	else if (!p->selectors)
		p->kind = PEER_NONE;
	return err;
}
