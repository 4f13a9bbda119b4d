/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_POLICY_CONTENT_H
#define KILIM_POLICY_CONTENT_H
/*
 * The content of a slot, and how it was come to: for each direction the rules that apply, and a
 * tree of classes. The root is the peers that no rule names; a child is what a part takes out of
 * its parent. So a peer's class is found by walking the parts in order, also for one that comes
 * later.
 */
#include "policy/internal.h"

/* A rule as it applies to this slot, with the numbers that its named ports stand for. */
struct part {
	const struct element *element; /* NULL: not a rule, but the endpoint's own node */
	bool any; /* every peer; never a step in the tree */
	struct ids *only; /* these peers instead of the element's, or NULL */
	const struct port_range *port;
	size_t ports;
	bool in[VIEWS];
};

struct tree_node {
	uint32_t parent, part;
	uint32_t class; /* index in content.class + 1; 0: not worked out */
};

struct side {
	enum policy_direction direction;
	struct part *part; /* in the order in which rules of equal weight win */
	size_t parts, part_room;
	struct tree_node *node; /* [0] is the root */
	size_t nodes, node_room;
	struct fallback fallback[VIEWS],
		own_node[VIEWS]; /* own_node: what holds for the node itself */
	bool spares; /* they differ */
	bool shadow; /* the views may differ */
};

/* A spec that selects the slot's identities, and in which views it counts. */
struct use {
	const struct spec *spec;
	bool in[VIEWS];
};

struct denial {
	uint32_t id;
	enum policy_direction direction;
	enum view view;
};

struct content {
	struct compiled_content out;
	unsigned references;
	struct use *use;
	size_t uses;
	struct side side[POLICY_DIRECTIONS];
	struct denial denial[POLICY_DIRECTIONS * VIEWS];
	size_t denials;
	bool follows_ports; /* depends on the named ports of peers */
	bool stale; /* must be worked out again: content_renew() */
};

/* What compiling needs beside its input; scratch is by identity and all zero between uses. */
struct scratch {
	uint32_t *low, *local; /* tree node by number, for numbers below 65536 and local ones */
	size_t local_room;
};

struct content_maker {
	struct selections *selections;
	struct hash *classes; /* entries to struct compiled_class */
	struct rule_ids *ids;
	struct scratch *scratch;
	struct policy_options options;
	uint64_t *tokens;
};

/* One reference. uses are in policy_order(); subject has the ports that ingress rules may name. */
struct content *content_new(const struct content_maker *m, const struct use *use, size_t uses,
	const struct identity_info *subject);
void content_unref(struct hash *classes, struct content *c);
/* Work out a stale content anew, in its place. Returns what it was before, with one reference. */
struct content *content_renew(
	const struct content_maker *m, struct content *c, const struct identity_info *subject);
/*
 * A new identity (info, with selection.fresh set) or one that has gone (info NULL). Whether its
 * entry in the slot changes; *ret is what it is then.
 */
bool content_follow(const struct content_maker *m, struct content *c, uint32_t number,
	const struct identity_info *info, struct compiled_peer *ret);
/* Whether both hold the same, entry by entry. */
bool content_equal(const struct compiled_content *a, const struct compiled_content *b);
void scratch_done(struct scratch *s);

#endif
