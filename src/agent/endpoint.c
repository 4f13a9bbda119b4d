/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of endpoints and their life. Called by the API handlers, policy.c and
 * endpoint_restore.c. Must hold: an address or number is in use exactly while a state file names
 * it; nothing of an endpoint passes before the policy in force knows its identity; ADD waits for no
 * disk and no grace period, so removal of devices is done after the answer.
 */
#include "agent/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/flows.h"
#include "agent/policy.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/time.h"
#include "datapath/datapath.h"
#include "ipam/pool.h"
#include "loop/loop.h"
#include "model/identity.h"

LOG_MODULE("endpoint");

enum { ID_MAX = 65535, DELETE_DELAY_NS = 2000000, DELETE_RETRY_NS = 1000000000 };

struct endpoints {
	struct agent *agent;
	struct agent_endpoint **endpoint; /* sorted by id */
	size_t count, capacity;
	uint32_t last_id; /* numbers are given in turn, so that an old one is not soon somebody
			     else's */
	struct endpoint_front *front;
	struct loop_source *deleter;
	bool delete_due; /* deleter is armed; it waits for more to come, but not again for each */
	size_t states[ENDPOINT_STATES];
};

static int on_delete(void *data);

struct endpoints *endpoints_new(struct agent *a)
{
	struct endpoints *t = mem_alloc(sizeof(*t));

	t->agent = a;
	t->front = endpoint_front_new(t);
	t->deleter = loop_add_timer(a->loop, on_delete, t);
	return t;
}

void endpoints_free(struct endpoints *t)
{
	if (!t)
		return;
	endpoint_front_free(t->front);
	loop_source_free(t->deleter);
	for (size_t i = 0; i < t->count; i++)
		endpoint_free(t->endpoint[i]);
	free(t->endpoint);
	free(t);
}

struct agent *endpoints_agent(struct endpoints *t)
{
	return t->agent;
}

/* The first position whose endpoint's number is not lower. */
static size_t position(const struct endpoints *t, uint32_t id)
{
	size_t low = 0, high = t->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->endpoint[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void endpoints_add(struct endpoints *t, struct agent_endpoint *ep)
{
	size_t i = position(t, ep->id);

	mem_grow(&t->endpoint, &t->capacity, t->count + 1, sizeof(struct agent_endpoint *));
	memmove(&t->endpoint[i + 1], &t->endpoint[i],
		(t->count - i) * sizeof(struct agent_endpoint *));
	t->endpoint[i] = ep;
	t->count++;
	t->states[ep->state]++;
	if (ep->id > t->last_id)
		t->last_id = ep->id;
}

static void table_remove(struct endpoints *t, struct agent_endpoint *ep)
{
	size_t i = position(t, ep->id);

	t->states[ep->state]--;
	t->count--;
	memmove(&t->endpoint[i], &t->endpoint[i + 1],
		(t->count - i) * sizeof(struct agent_endpoint *));
}

static void set_state(struct endpoints *t, struct agent_endpoint *ep, enum agent_endpoint_state s)
{
	t->states[ep->state]--;
	ep->state = s;
	t->states[ep->state]++;
}

size_t endpoints_count(const struct endpoints *t, enum agent_endpoint_state state)
{
	return t->states[state];
}

struct agent_endpoint *endpoint_after(struct endpoints *t, uint32_t id)
{
	for (size_t i = position(t, id + 1); i < t->count; i++) {
		if (t->endpoint[i]->state != ENDPOINT_STATE_DELETING)
			return t->endpoint[i];
	}
	return NULL;
}

struct agent_endpoint *endpoint_by_id(struct endpoints *t, uint32_t id)
{
	size_t i = position(t, id);

	return i < t->count && t->endpoint[i]->id == id ? t->endpoint[i] : NULL;
}

static void state_path(const struct endpoints *t, const struct agent_endpoint *ep, struct str *out)
{
	str_printf(out, "%s/endpoint/%u.json", t->agent->conf->state_dir, ep->id);
}

int endpoint_save(struct endpoints *t, const struct agent_endpoint *ep, struct err *e)
{
	SCOPED(json_unrefp)
	json_t *j = endpoint_json(ep);
	SCOPED(freep)
	char *text = json_text(j);
	SCOPED(str_done)
	struct str path = {0};

	state_path(t, ep, &path);
	return fd_write_file(str_text(&path), text, strlen(text), 0600, e);
}

static int take_id(struct endpoints *t, uint32_t *ret, struct err *e)
{
	for (unsigned tries = 0; tries < ID_MAX; tries++) {
		t->last_id = t->last_id % ID_MAX + 1;
		if (!endpoint_by_id(t, t->last_id)) {
			*ret = t->last_id;
			return 0;
		}
	}
	return err_set(e, -ENOSPC, "all %d endpoint numbers of this node are in use", ID_MAX);
}

int endpoint_take_addresses(struct agent *a, const struct agent_endpoint *ep, struct err *e)
{
	int r = 0;

	/* each by itself: that one family's pool was changed must not have the other's given out
	 * again */
	if (!addr_is_zero(&ep->addr4) && a->pool4)
		r = pool_take(a->pool4, &ep->addr4, e);
	if (!addr_is_zero(&ep->addr6) && a->pool6)
		r = pool_take(a->pool6, &ep->addr6, e) ?: r;
	return r;
}

static void release_addresses(struct agent *a, const struct agent_endpoint *ep)
{
	if (a->pool4 && !addr_is_zero(&ep->addr4))
		pool_release(a->pool4, &ep->addr4);
	if (a->pool6 && !addr_is_zero(&ep->addr6))
		pool_release(a->pool6, &ep->addr6);
}

static int pick_address(struct pool *p, bool wanted, struct addr *at, struct err *e)
{
	int r;

	if (!wanted)
		return 0;
	r = addr_is_zero(at) ? pool_alloc(p, at, e) : pool_take(p, at, e);
	return r == -ERANGE ? -EINVAL : r;
}

static int allocate_addresses(struct agent *a, struct agent_endpoint *ep, struct err *e)
{
	struct addr addr4 = ep->addr4, addr6 = ep->addr6;
	int r = pick_address(a->pool4, ep->want4, &addr4, e);

	if (r)
		return r;
	r = pick_address(a->pool6, ep->want6, &addr6, e);
	if (r) {
		if (ep->want4)
			pool_release(a->pool4, &addr4);
		return r;
	}
	ep->addr4 = addr4;
	ep->addr6 = addr6;
	return 0;
}

/* The last step of a life, when the device has gone: the file, the address and the number are free.
 */
static int forget(struct endpoints *t, struct agent_endpoint *ep, struct err *e)
{
	SCOPED(str_done)
	struct str path = {0};

	state_path(t, ep, &path);
	if (unlink(str_text(&path)) < 0 && errno != ENOENT)
		return err_set(e, -errno, "%s: %s", str_text(&path), strerror(errno));
	release_addresses(t->agent, ep);
	table_remove(t, ep);
	endpoint_free(ep);
	return 0;
}

static int finish_delete(struct endpoints *t, struct agent_endpoint *ep, struct err *e)
{
	struct device *d = t->agent->device;

	return device_remove(d, device_index(d, ep->pair.host_name), e) ?: forget(t, ep, e);
}

/* All that are due at once: the kernel takes 40 ms for one device, and hardly more for many. */
static int finish_deletes(struct endpoints *t, struct err *e)
{
	SCOPED(freep)
	uint32_t *ifindex = mem_array(t->count, sizeof(*ifindex));
	size_t count = 0;
	int r;

	for (size_t i = 0; i < t->count; i++) {
		uint32_t n =
			t->endpoint[i]->state == ENDPOINT_STATE_DELETING
				? device_index(t->agent->device, t->endpoint[i]->pair.host_name)
				: 0;

		if (n)
			ifindex[count++] = n;
	}
	r = device_remove_all(t->agent->device, ifindex, count, e);
	for (size_t i = 0; !r && i < t->count;) {
		if (t->endpoint[i]->state == ENDPOINT_STATE_DELETING)
			r = forget(t, t->endpoint[i], e);
		else
			i++;
	}
	return r;
}

static int on_delete(void *data)
{
	struct endpoints *t = data;
	struct err e = {0};

	t->delete_due = false;
	if (finish_deletes(t, &e) < 0) {
		log_warn("removing the devices of endpoints: %s; trying again", e.text);
		loop_timer_in(t->deleter, DELETE_RETRY_NS);
		t->delete_due = true;
	}
	return 0;
}

void endpoints_delete_later(struct endpoints *t, struct agent_endpoint *ep)
{
	if (ep->state != ENDPOINT_STATE_DELETING)
		set_state(t, ep, ENDPOINT_STATE_DELETING);
	if (!t->delete_due)
		loop_timer_in(t->deleter, DELETE_DELAY_NS);
	t->delete_due = true;
}

int endpoint_delete(struct endpoints *t, struct agent_endpoint *ep, struct err *e)
{
	struct agent *a = t->agent;
	enum agent_endpoint_state was = ep->state;
	int r;

	endpoint_front_later(t->front);
	set_state(t, ep, ENDPOINT_STATE_DELETING);
	r = endpoint_save(t, ep, e);
	r = r ?: endpoint_unplug(a, ep, e);
	if (r) {
		set_state(t, ep, was);
		return r;
	}
	log_info("deleted: id=%u name=%s/%s", ep->id, ep->namespace, ep->name);
	endpoint_leave(a, ep);
	flows_names_changed(a->flows);
	endpoints_delete_later(t, ep);
	return 0;
}

/* An earlier life of the same interface whose device is still on its way out. */
static int finish_earlier(
	struct endpoints *t, uint64_t netns_inode, const char *ifname, struct err *e)
{
	for (size_t i = 0; i < t->count; i++) {
		struct agent_endpoint *ep = t->endpoint[i];

		if (ep->state == ENDPOINT_STATE_DELETING && ep->netns_inode == netns_inode &&
			str_eq(ep->ifname, ifname))
			return finish_delete(t, ep, e);
	}
	return 0;
}

static int check_new(struct endpoints *t, struct agent_endpoint *ep, struct err *e)
{
	SCOPED(fd_closep)
	int netns = -1, own = -1;
	uint64_t own_inode;
	int r = netns_open(ep->netns, &netns, e) ?: netns_inode(netns, &ep->netns_inode) ?:
		netns_open("/proc/self/ns/net", &own, e) ?: netns_inode(own, &own_inode);

	if (r)
		return r;
	if (own_inode == ep->netns_inode)
		return err_set(
			e, -EINVAL, "netns: %s is the node's own network namespace", ep->netns);
	for (size_t i = 0; i < t->count; i++) {
		const struct agent_endpoint *o = t->endpoint[i];

		if (o->state == ENDPOINT_STATE_DELETING)
			continue;
		if (*ep->container_id && str_eq(o->container_id, ep->container_id) &&
			str_eq(o->ifname, ep->ifname))
			return err_set(e, -EEXIST,
				"container %s has interface %s already: endpoint %u",
				ep->container_id, ep->ifname, o->id);
		if (!*ep->container_id && !*o->container_id && str_eq(o->name, ep->name) &&
			str_eq(o->namespace, ep->namespace))
			return err_set(e, -EEXIST, "endpoint %s/%s is there already: %u",
				ep->namespace, ep->name, o->id);
	}
	return finish_earlier(t, ep->netns_inode, ep->ifname, e);
}

/* Make it ready when the policy in force knows it; 1 when it became so. */
static int try_ready(struct endpoints *t, struct agent_endpoint *ep, struct err *e)
{
	int r;

	if (ep->state != ENDPOINT_STATE_PENDING || !policies_know(t->agent->policies, ep->part))
		return 0;
	set_state(t, ep, ENDPOINT_STATE_READY);
	r = endpoint_write_row(t->agent, ep, e);
	if (r) {
		set_state(t, ep, ENDPOINT_STATE_PENDING);
		return r;
	}
	return 1;
}

void endpoints_policy_applied(struct endpoints *t)
{
	struct err e = {0};
	int ready = 0;

	for (size_t i = 0; i < t->count; i++) {
		int r = try_ready(t, t->endpoint[i], &e);

		if (r < 0)
			log_err("endpoint %u stays without its policy: %s", t->endpoint[i]->id,
				e.text);
		else
			ready += r;
	}
	if (ready)
		datapath_bump_epoch(t->agent->datapath);
	endpoint_front_later(t->front);
}

/* Steps that are undone by undo_create(). The state file comes first: what it names is in use. */
static int create_steps(struct endpoints *t, struct agent_endpoint *ep, struct err *e)
{
	struct agent *a = t->agent;
	int r = endpoint_save(t, ep, e) ?: agent_save_identities(a, e) ?: endpoint_make_device(a, ep, e);

	if (r)
		return r;
	set_state(t, ep, ENDPOINT_STATE_PENDING);
	(void)policies_want(a->policies, ep->part);
	r = try_ready(t, ep, e);
	if (r < 0)
		return r;
	datapath_bump_epoch(a->datapath);
	return endpoint_save(t, ep, e);
}

int endpoint_create(
	struct endpoints *t, const json_t *request, struct agent_endpoint **ret, struct err *e)
{
	SCOPED(endpoint_freep)
	struct agent_endpoint *ep = NULL;
	struct agent *a = t->agent;
	struct agent_endpoint *made;
	struct err ignored = {0};
	int r = endpoint_from_request(a, request, &ep, e);

	r = r ?: check_new(t, ep, e) ?: take_id(t, &ep->id, e) ?: allocate_addresses(a, ep, e);
	if (r)
		return r;
	r = policies_place(a->policies, ep, e);
	if (r) {
		release_addresses(a, ep);
		return r;
	}
	endpoint_take_place(a, ep);
	ep->created_ns = time_wall_ns();
	snprintf(ep->pair.host_name, sizeof(ep->pair.host_name), "kilim%u", ep->id);
	made = TAKE(ep);
	endpoints_add(t, made);
	r = create_steps(t, made, e);
	if (r) {
		if (made->pair.host_ifindex)
			(void)endpoint_unplug(a, made, &ignored);
		endpoint_leave(a, made);
		endpoints_delete_later(t, made);
		return r;
	}
	flows_names_changed(a->flows);
	endpoint_front_later(t->front);
	log_info("created: id=%u name=%s/%s identity=%u state=%s", made->id, made->namespace,
		made->name, made->identity, endpoint_state_text(made->state));
	*ret = made;
	return 0;
}

bool endpoint_is_disconnected(struct endpoints *t, const struct agent_endpoint *ep)
{
	return !device_exists(t->agent->device, ep->pair.host_ifindex, ep->pair.host_name);
}

int endpoint_check(struct endpoints *t, const struct agent_endpoint *ep, struct err *e)
{
	SCOPED(fd_closep)
	int netns = -1;
	int r;

	if (endpoint_is_disconnected(t, ep))
		return err_set(e, -ENODEV, "endpoint %u: its device %s is not there", ep->id,
			ep->pair.host_name);
	r = netns_open(ep->netns, &netns, e);
	return r
		       ?: device_check_inside(
				  t->agent->device, netns, ep->ifname, &ep->addr4, &ep->addr6, e);
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static size_t add_parts(uint32_t *list, const uint32_t part[2])
{
	list[0] = part[0];
	list[1] = part[1];
	return 2;
}

size_t endpoints_row_parts(struct endpoints *t, uint32_t **ret)
{
	uint32_t *list = mem_array(2 * t->count, sizeof(*list));
	size_t n = 0;

	for (struct agent_endpoint *ep = endpoint_after(t, 0); ep; ep = endpoint_after(t, ep->id))
		n += add_parts(&list[n], ep->row_part);
	*ret = list;
	return n;
}

size_t endpoints_parts(struct endpoints *t, uint32_t **ret)
{
	uint32_t *list = mem_array(2 * t->count, sizeof(*list));
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct agent_endpoint *ep = t->endpoint[i];

		if (ep->state != ENDPOINT_STATE_DELETING)
			n += add_parts(&list[n], ep->next.is ? ep->next.part : ep->part);
	}
	qsort(list, n, sizeof(*list), compare_u32);
	for (size_t i = 0; i < n; i++) {
		if (!i || list[i] != list[i - 1])
			list[kept++] = list[i];
	}
	*ret = list;
	return kept;
}
