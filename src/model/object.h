/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_MODEL_OBJECT_H
#define KILIM_MODEL_OBJECT_H
/*
 * Inside model/policy*: the objects that policies refer to, as Kubernetes has them. They are whole
 * objects of other people: fields that say nothing about policy are not looked at, those that do
 * must be of the right type. Each adds its object to the set.
 */
#include "model/policy_walk.h"

int object_parse_namespace(struct walk *w, const struct node *n, const struct kind *k,
	struct policy_set *set) MUST_USE;
int object_parse_node(struct walk *w, const struct node *n, const struct kind *k,
	struct policy_set *set) MUST_USE;
int object_parse_cilium_node(struct walk *w, const struct node *n, const struct kind *k,
	struct policy_set *set) MUST_USE;
int object_parse_group(struct walk *w, const struct node *n, const struct kind *k,
	struct policy_set *set) MUST_USE;
int object_parse_service(struct walk *w, const struct node *n, const struct kind *k,
	struct policy_set *set) MUST_USE;
int object_parse_endpoints(struct walk *w, const struct node *n, const struct kind *k,
	struct policy_set *set) MUST_USE;
/* A slice that names no service adds nothing. */
int object_parse_slice(struct walk *w, const struct node *n, const struct kind *k,
	struct policy_set *set) MUST_USE;

#endif
