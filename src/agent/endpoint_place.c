/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What endpoints go by in policies: their identity, made of their own labels and their namespace's,
 * and the part of it that a prefix or named ports tell apart. Called when an endpoint is made, and
 * at each apply. Must hold: an endpoint keeps what it goes by until the slots in force know what
 * comes next; it has a reference on both.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/address.h"
#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/endpoint.h"
#include "base/log.h"
#include "datapath/datapath.h"
#include "model/identity.h"
#include "policy/compile.h"

LOG_MODULE("endpoint");

static const struct labels *namespace_labels(const struct policy_set *set, const char *name)
{
	static const struct labels none;

	for (size_t i = 0; i < set->namespaces; i++) {
		if (str_eq(set->namespace[i].name, name))
			return &set->namespace[i].labels;
	}
	return &none;
}

/* The labels and the identity that it shall have. Of its labels, those that say where it belongs
 * are left out and come from there. */
static int place_identity(
	struct agent *a, struct agent_endpoint *ep, const struct policy_set *set, struct err *e)
{
	const struct workload_place place = {.namespace = ep->namespace,
		.cluster = a->conf->cluster_name,
		.namespace_labels = *namespace_labels(set, ep->namespace)};
	struct arena mem SCOPED(arena_done) = {0};
	const struct identity_info *info;
	struct labels labels;
	int r = labels_of_workload(&mem, &ep->labels, &place, &labels, e);

	r = r < 0 ? r : identity_get(a->identities, &labels, &info, e);
	if (r < 0)
		return r;
	ep->next.identity = info->number;
	ep->next.labels =
		labels_eq(&labels, &ep->labels) ? ep->labels : labels_copy(&ep->mem, &labels);
	return 0;
}

static bool ports_equal(const struct agent_endpoint *a, const struct agent_endpoint *b)
{
	for (size_t i = 0; a->ports == b->ports && i < a->ports; i++) {
		if (a->port[i].protocol != b->port[i].protocol ||
			a->port[i].number != b->port[i].number ||
			!str_eq(a->port[i].name, b->port[i].name))
			return false;
	}
	return a->ports == b->ports;
}

/* Whether the row's endpoint goes by the identity's ports, rather than by a part for its own. */
static bool has_its_ports(const struct agent *a, const struct agent_endpoint *ep, uint32_t identity)
{
	const struct identity_info *part = identity_find(a->identities, ep->row_part[0]);

	return ep->is_placed && ep->identity == identity && ep->row_part[0] && part &&
	       !labels_find(&part->labels, "inside", "ports");
}

/*
 * The identity has the named ports of those of its endpoints that go by it already, so that its
 * number does not change its meaning under them; else of its first one. One with others is a part
 * of it.
 */
static const struct agent_endpoint *first_of(
	struct endpoints *t, const struct agent_endpoint *of, uint32_t identity)
{
	for (struct agent_endpoint *ep = endpoint_after(t, 0); ep; ep = endpoint_after(t, ep->id)) {
		if (has_its_ports(endpoints_agent(t), ep, identity))
			return ep;
	}
	for (struct agent_endpoint *ep = endpoint_after(t, 0); ep; ep = endpoint_after(t, ep->id)) {
		uint32_t its = ep->next.is ? ep->next.identity : ep->identity;

		if (its == identity)
			return ep->id < of->id ? ep : of;
	}
	return of;
}

static int place_part(
	struct endpoints *t, struct agent_endpoint *ep, const struct reach *reach, struct err *e)
{
	struct agent *a = endpoints_agent(t);
	const struct agent_endpoint *first = first_of(t, ep, ep->next.identity);
	const struct addr *addr[] = {&ep->addr4, &ep->addr6};
	struct identity_part part = {0};
	const struct identity_info *info;
	int r;

	identity_set_ports(a->identities, ep->next.identity, first->port, first->ports);
	part.own_ports = !ports_equal(first, ep);
	part.port = ep->port;
	part.ports = part.own_ports ? ep->ports : 0;
	for (size_t i = 0; i < ARRAY_SIZE(addr); i++) {
		part.inside = addr_is_zero(addr[i])
				      ? NULL
				      : prefixes_longest(reach->prefix, reach->prefixes, addr[i]);
		r = identity_get_part(a->identities, ep->next.identity, &part, &info, e);
		if (r < 0 && i)
			identity_put(a->identities, ep->next.part[0]);
		if (r < 0)
			return r;
		ep->next.part[i] = info->number;
	}
	return 0;
}

int endpoint_place(struct endpoints *t, struct agent_endpoint *ep, const struct policy_set *set,
	const struct reach *reach, struct err *e)
{
	struct agent *a = endpoints_agent(t);
	int r;

	endpoint_stay(a, ep);
	r = place_identity(a, ep, set, e);
	if (r < 0)
		return r;
	ep->next.is = true;
	r = place_part(t, ep, reach, e);
	if (r < 0) {
		identity_put(a->identities, ep->next.identity);
		ep->next.is = false;
	}
	return r;
}

int endpoints_place(
	struct endpoints *t, const struct policy_set *set, const struct reach *reach, struct err *e)
{
	int r = 0;

	for (struct agent_endpoint *ep = endpoint_after(t, 0); !r && ep;
		ep = endpoint_after(t, ep->id)) {
		r = endpoint_place(t, ep, set, reach, e);
		if (r)
			err_prefix(e, "endpoint %u", ep->id);
	}
	return r;
}

static void put_place(struct agent *a, uint32_t identity, const uint32_t part[2])
{
	identity_put(a->identities, part[0]);
	identity_put(a->identities, part[1]);
	identity_put(a->identities, identity);
}

void endpoint_leave(struct agent *a, struct agent_endpoint *ep)
{
	endpoint_stay(a, ep);
	if (ep->is_placed)
		put_place(a, ep->identity, ep->part);
	ep->is_placed = false;
}

void endpoint_stay(struct agent *a, struct agent_endpoint *ep)
{
	if (!ep->next.is)
		return;
	put_place(a, ep->next.identity, ep->next.part);
	ep->next.is = false;
}

void endpoints_stay(struct endpoints *t)
{
	for (struct agent_endpoint *ep = endpoint_after(t, 0); ep; ep = endpoint_after(t, ep->id))
		endpoint_stay(endpoints_agent(t), ep);
}

void endpoint_take_place(struct agent *a, struct agent_endpoint *ep)
{
	if (ep->is_placed)
		put_place(a, ep->identity, ep->part);
	ep->identity = ep->next.identity;
	memcpy(ep->part, ep->next.part, sizeof(ep->part));
	ep->labels = ep->next.labels;
	ep->next.is = false;
	ep->is_placed = true;
}

/* One moves: the row says what is new, and the state file. */
static int move(struct endpoints *t, struct agent_endpoint *ep, struct err *e)
{
	struct agent *a = endpoints_agent(t);
	bool renamed = ep->identity != ep->next.identity;
	int r = 0;

	endpoint_take_place(a, ep);
	if (!renamed && !memcmp(ep->part, ep->row_part, sizeof(ep->part)))
		return 0;
	if (renamed)
		log_info("endpoint %u has identity %u now", ep->id, ep->identity);
	if (renamed)
		r = endpoint_save(t, ep, e);
	r = r ?: endpoint_write_row(a, ep, e);
	return r ? r : 1;
}

int endpoints_move(struct endpoints *t, struct err *e)
{
	int moved = 0;

	for (struct agent_endpoint *ep = endpoint_after(t, 0); ep; ep = endpoint_after(t, ep->id)) {
		int r = ep->next.is ? move(t, ep, e) : 0;

		if (r < 0)
			return r;
		moved += r;
	}
	return moved;
}
