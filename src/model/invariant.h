/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_MODEL_INVARIANT_H
#define KILIM_MODEL_INVARIANT_H
/*
 * Assertions about what policies may come to (kilim-invariants(5)) as plain data: nothing of this
 * kind may ever pass, or all of it always does.
 */
#include "model/policy_walk.h"

enum invariant_party_kind {
	PARTY_ANY, /* everybody */
	PARTY_WORLD, /* addresses outside */
	PARTY_HOST, /* the node of the endpoint at the other end */
	PARTY_REMOTE_NODE, /* other nodes */
	PARTY_ENDPOINTS, /* endpoints that the selector matches */
	PARTY_PREFIX, /* addresses outside, inside the prefix */
};

struct invariant_party {
	enum invariant_party_kind kind;
	struct selector selector;
	struct prefix prefix;
};

enum { INVARIANT_EXCEPTS_MAX = 64 };

/* Traffic: between these, on any of these ports. */
struct invariant_scope {
	struct invariant_party from, to;
	struct port_range *port; /* never a name; ports == 0: every protocol and port */
	size_t ports;
};

struct invariant {
	const char *name;
	bool always; /* all of it passes; else none of it does */
	bool warns; /* mode: a change that breaks it is reported, but not refused */
	struct invariant_scope scope;
	struct invariant_scope *except; /* what is no matter of this assertion */
	size_t excepts;
	struct origin origin;
};

/* {0} is the empty list. */
struct invariants {
	struct arena mem; /* owns everything below */
	struct invariant *invariant;
	size_t count, room;
};

void invariants_done(struct invariants *l); /* for SCOPED too */
/*
 * Add the assertions of a document: a list of them, or a mapping with the list under `invariants`.
 * On failure e says "file:line:column: field: what", and what was added before stays.
 */
int invariants_parse(
	struct invariants *l, const char *file, const struct yaml_doc *doc, struct err *e) MUST_USE;
/* The same for one assertion inside another document; w->mem owns it. */
int invariant_parse(const struct walk *w, const struct node *n, struct invariant *ret) MUST_USE;
/* Add one whose strings live as long as the list; its name must be new. */
int invariants_add(struct invariants *l, const struct walk *w, const struct node *n,
	const struct invariant *one) MUST_USE;

#endif
