/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_ENDPOINT_H
#define KILIM_AGENT_ENDPOINT_H
/*
 * The endpoints of this node: creation, deletion, adoption after a restart. Each has one state
 * file, STATE-DIR/endpoint/ID.json, which is written before anything else is done and again when
 * all is done; addresses in use are exactly those of the state files.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "codec/json.h"
#include "kern/device.h"
#include "model/label.h"
#include "model/identity.h"
#include "model/policy.h"
#include "model/selector.h"

struct agent;

enum agent_endpoint_state {
	ENDPOINT_STATE_CREATING, /* its device is being made; found after a crash: it is removed */
	ENDPOINT_STATE_PENDING, /* it is there and passes nothing: its policy is not compiled yet */
	ENDPOINT_STATE_READY,
	ENDPOINT_STATE_DELETING, /* out of the data path; its device goes in the background */
	ENDPOINT_STATES,
};

struct agent_endpoint {
	struct arena mem; /* owns the strings and labels */
	uint32_t id, identity;
	/* what it goes by in policies, with IPv4 and with IPv6: its identity, or a part of it */
	uint32_t part[2];
	uint32_t row_part[2]; /* the same, as the kernel's row has it */
	bool is_placed; /* it has a reference on each */
	struct { /* what comes next, when is; with references */
		bool is;
		uint32_t identity, part[2];
		struct labels labels;
	} next;
	enum agent_endpoint_state state;
	const char *name, *namespace, *netns, *ifname, *container_id;
	const char *source; /* cli or cni */
	struct labels labels; /* what its identity is made of: with those of its place */
	struct named_port *port; /* ports that it gives names */
	size_t ports;
	struct addr addr4, addr6; /* all zero: none */
	bool want4, want6; /* while it is being made: the families it is to have */
	uint64_t netns_inode, created_ns;
	uint32_t mtu;
	struct device_pair pair;
};

struct endpoints;

struct endpoints *endpoints_new(struct agent *a);
void endpoints_free(struct endpoints *t); /* forgets them; the kernel keeps them */

/* Make an endpoint from a request of the API. -EEXIST: it is there; -ENOSPC: no address or number
 * is left; -EINVAL, -ENOENT: the request. */
int endpoint_create(struct endpoints *t, const json_t *request, struct agent_endpoint **ret,
	struct err *e) MUST_USE;
/* Take it out of the data path now and remove its device soon; its address is free when that is
 * done. */
int endpoint_delete(struct endpoints *t, struct agent_endpoint *ep, struct err *e) MUST_USE;
/* Whether device, addresses and routes are as they should be. */
int endpoint_check(struct endpoints *t, const struct agent_endpoint *ep, struct err *e) MUST_USE;
/* The endpoint's device has gone. */
bool endpoint_is_disconnected(struct endpoints *t, const struct agent_endpoint *ep);

/* By "12", name, ns/name, ipv4:A, ipv6:A or cni-attachment-id:CONTAINER:IFNAME; NULL: none. Those
 * being deleted are not found. */
struct agent_endpoint *endpoint_find(struct endpoints *t, const char *text);
struct agent_endpoint *endpoint_by_id(struct endpoints *t, uint32_t id);
struct agent_endpoint *endpoint_by_attachment(
	struct endpoints *t, const char *container_id, const char *ifname);
/* In order of numbers, without those being deleted; start with 0, NULL at the end. */
struct agent_endpoint *endpoint_after(struct endpoints *t, uint32_t id);
/* How many are in a state. */
size_t endpoints_count(const struct endpoints *t, enum agent_endpoint_state state);
/* What all endpoints go by in policies, now or next, each once, sorted; free() the array. */
size_t endpoints_parts(struct endpoints *t, uint32_t **ret);
/* What the kernel's rows say that endpoints go by; free() the array. */
size_t endpoints_row_parts(struct endpoints *t, uint32_t **ret);
/* A policy revision came into force: what waited for it becomes ready. */
void endpoints_policy_applied(struct endpoints *t);

/*
 * endpoint_place.c: by the namespaces and prefixes of these policies, work out what the endpoint
 * goes by next; nothing changes yet. endpoints_place() does it for all.
 */
struct reach { /* prefixes that reach endpoints, sorted */
	struct prefix *prefix;
	size_t prefixes;
};
int endpoint_place(struct endpoints *t, struct agent_endpoint *ep, const struct policy_set *set,
	const struct reach *reach, struct err *e) MUST_USE;
int endpoints_place(struct endpoints *t, const struct policy_set *set, const struct reach *reach,
	struct err *e) MUST_USE;
/* It is nobody in policies any more. */
void endpoint_leave(struct agent *a, struct agent_endpoint *ep);
/* Forget what was worked out. */
void endpoint_stay(struct agent *a, struct agent_endpoint *ep);
void endpoints_stay(struct endpoints *t);
/* It goes by what was worked out from now on; the row is written by others. */
void endpoint_take_place(struct agent *a, struct agent_endpoint *ep);
/* All do, and so in the kernel, which must know the new numbers. Returns how many rows were
 * written. */
int endpoints_move(struct endpoints *t, struct err *e) MUST_USE;

/* endpoint_restore.c: adopt what the state files name and is there, remove the rest, and rows of
 * the data path that no file names. */
int endpoints_restore(struct endpoints *t, struct err *e) MUST_USE;
/* Act on the deletions that the CNI plugin noted while no agent ran. */
void endpoints_replay_deletions(struct endpoints *t);

/* endpoint_json.c: the endpoint as the API and the state file have it, and back. */
json_t *endpoint_json(const struct agent_endpoint *ep);
int endpoint_from_json(const json_t *j, struct agent_endpoint **ret, struct err *e) MUST_USE;
/* A request of the API: everything but numbers, addresses and devices. */
int endpoint_from_request(
	struct agent *a, const json_t *j, struct agent_endpoint **ret, struct err *e) MUST_USE;
const char *endpoint_state_text(enum agent_endpoint_state s);
void endpoint_free(struct agent_endpoint *ep);
void endpoint_freep(struct agent_endpoint **ep);

/* endpoint_device.c: the steps of creation and removal that touch the kernel. */
int endpoint_write_row(struct agent *a, struct agent_endpoint *ep, struct err *e) MUST_USE;
int endpoint_make_device(struct agent *a, struct agent_endpoint *ep, struct err *e) MUST_USE;
/* Remove rows, addresses' identities and flows; 0 also when some were missing. */
int endpoint_unplug(struct agent *a, const struct agent_endpoint *ep, struct err *e) MUST_USE;

/* endpoint_front.c: something has changed: when it is quiet again, every endpoint that has not got
 * its programs in front of its filters gets them there. */
struct endpoint_front;
struct endpoint_front *endpoint_front_new(struct endpoints *t);
void endpoint_front_free(struct endpoint_front *f);
void endpoint_front_later(struct endpoint_front *f);

/* For endpoint_restore.c: put an endpoint into the table, and finish the deletion of one. */
void endpoints_add(struct endpoints *t, struct agent_endpoint *ep);
void endpoints_delete_later(struct endpoints *t, struct agent_endpoint *ep);
struct agent *endpoints_agent(struct endpoints *t);
int endpoint_save(struct endpoints *t, const struct agent_endpoint *ep, struct err *e) MUST_USE;
/* Take the addresses that a state file names from the pools: each that can be had, also when the
 * other one fails. -EEXIST, -ERANGE. */
int endpoint_take_addresses(
	struct agent *a, const struct agent_endpoint *ep, struct err *e) MUST_USE;

#endif
