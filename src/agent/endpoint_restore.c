/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints after a restart: state files against devices and rows. Called by wire.c at start. Must
 * hold: what is there and right is adopted without being touched; what was being made or deleted
 * when the agent died is removed; a row without a state file goes.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/address.h"
#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/endpoint.h"
#include "base/fd.h"
#include "base/log.h"
#include "datapath/datapath.h"
#include "model/identity.h"

LOG_MODULE("endpoint");

enum { STATE_FILE_MAX_BYTES = 1 << 20, NOTE_MAX_BYTES = 4096 };

/* Rows of the data path by key, as they were at start; those that an endpoint claims are taken out.
 */
struct restore {
	struct endpoints *table;
	struct agent *agent;
	struct hash row; /* struct endpoint_key to struct endpoint */
	unsigned adopted, removed;
};

static int on_row(const struct endpoint_key *key, const struct endpoint *row, void *data)
{
	struct restore *rs = data;

	free(hash_put(&rs->row, key, sizeof(*key), mem_dup(row, sizeof(*row))));
	return 0;
}

static bool row_is_right(const struct endpoint *row, const struct agent_endpoint *ep)
{
	return row && row->id == ep->id && row->identity == ep->identity &&
	       (row->flags & ENDPOINT_READY) && addr_eq(&row->addr4, &ep->addr4) &&
	       addr_eq(&row->addr6, &ep->addr6) && !memcmp(row->mac, ep->pair.mac, 6) &&
	       !memcmp(row->host_mac, ep->pair.host_mac, 6);
}

static void want_identities(struct agent *a, const struct agent_endpoint *ep)
{
	struct prefix p4 = address_host(&ep->addr4), p6 = address_host(&ep->addr6);

	if (!addr_is_zero(&ep->addr4))
		addresses_set(a->addresses, ADDRESS_ENDPOINT, &p4, ep->identity, ep->row_part[0]);
	if (!addr_is_zero(&ep->addr6))
		addresses_set(a->addresses, ADDRESS_ENDPOINT, &p6, ep->identity, ep->row_part[1]);
}

/* The endpoint is there: take its addresses and identity; a row that is not right is written when
 * the policy is known. */
static int adopt(struct restore *rs, struct agent_endpoint *ep, struct err *e)
{
	struct agent *a = rs->agent;
	struct endpoint_key key = {.id = ep->pair.host_ifindex, .kind = ENDPOINT_KIND_DEVICE};
	SCOPED(freep)
	struct endpoint *row = hash_remove(&rs->row, &key, sizeof(key));
	const struct identity_info *info;
	int r = identity_get(a->identities, &ep->labels, &info, e);

	if (r)
		return r;
	/* the numbers of its parts come back with the first policies; until then the row has them
	 */
	ep->next.identity = ep->next.part[0] = ep->next.part[1] = info->number;
	ep->next.labels = ep->labels;
	for (int i = 0; i < 2; i++) {
		(void)identity_get(a->identities, &ep->labels, &info, NULL);
		ep->row_part[i] = row && row->peer[i] ? row->peer[i] : info->number;
	}
	endpoint_take_place(a, ep);
	ep->state = row_is_right(row, ep) ? ENDPOINT_STATE_READY : ENDPOINT_STATE_PENDING;
	r = datapath_attach(a->datapath, ep->pair.host_ifindex, e);
	if (!r && !row)
		r = endpoint_write_row(a, ep, e);
	if (r) {
		endpoint_leave(a, ep);
		return r;
	}
	/* an address outside the pool is kept: the pool was changed, the endpoint was not */
	if (endpoint_take_addresses(a, ep, e) < 0)
		log_warn("endpoint %u keeps its address: %s", ep->id, e->text);
	if (ep->state == ENDPOINT_STATE_READY)
		want_identities(a, ep);
	rs->adopted++;
	return 0;
}

static int restore_endpoint(struct restore *rs, struct agent_endpoint *ep, struct err *e)
{
	struct agent *a = rs->agent;
	bool whole = ep->state == ENDPOINT_STATE_PENDING || ep->state == ENDPOINT_STATE_READY;
	struct err ignored = {0};

	if (whole && device_exists(a->device, ep->pair.host_ifindex, ep->pair.host_name)) {
		int r = adopt(rs, ep, e);

		if (!r)
			endpoints_add(rs->table, ep);
		return r;
	}
	if (whole)
		log_info("endpoint %u (%s/%s) has gone while no agent ran", ep->id, ep->namespace,
			ep->name);
	/* its row is removed with all rows that nobody claims */
	(void)endpoint_take_addresses(a, ep, &ignored);
	ep->state = ENDPOINT_STATE_DELETING;
	endpoints_add(rs->table, ep);
	endpoints_delete_later(rs->table, ep);
	rs->removed++;
	return 0;
}

/* A file that cannot be understood is left for a person to look at, beside the others. */
static void set_aside(struct restore *rs, const char *path, const char *why)
{
	SCOPED(str_done)
	struct str aside = {0};

	str_printf(&aside, "%s.broken", path);
	(void)rename(path, str_text(&aside));
	agent_problem(rs->agent, path, why);
}

static void restore_file(struct restore *rs, const char *path)
{
	SCOPED(endpoint_freep)
	struct agent_endpoint *ep = NULL;
	SCOPED(freep)
	char *text = NULL;
	SCOPED(json_unrefp)
	json_t *j = NULL;
	struct err e = {0};
	size_t len;
	int r = fd_read_file(path, STATE_FILE_MAX_BYTES, &text, &len, &e) ?: json_parse_text(text, len, STATE_FILE_MAX_BYTES, &j, &e) ?:
		endpoint_from_json(j, &ep, &e);

	if (!r && endpoint_by_id(rs->table, ep->id))
		r = err_set(&e, -EEXIST, "endpoint %u is there twice", ep->id);
	if (!r)
		r = restore_endpoint(rs, ep, &e);
	if (r)
		set_aside(rs, path, e.text);
	else
		(void)TAKE(ep);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* Call fn with the path of each *.json in a directory. */
static void each_json(
	const char *parent, const char *dir, void (*fn)(void *data, const char *path), void *data)
{
	SCOPED(str_done)
	struct str name = {0};
	SCOPED(closedirp)
	DIR *d = NULL;
	struct dirent *entry;

	str_printf(&name, "%s/%s", parent, dir);
	d = opendir(str_text(&name));
	while (d && (entry = readdir(d))) {
		SCOPED(str_done)
		struct str path = {0};

		if (!str_has_suffix(entry->d_name, ".json"))
			continue;
		str_printf(&path, "%s/%s", str_text(&name), entry->d_name);
		fn(data, str_text(&path));
	}
}

static void on_state_file(void *data, const char *path)
{
	restore_file(data, path);
}

static int remove_stale_rows(struct restore *rs, struct err *e)
{
	int r = 0;

	HASH_EACH(&rs->row, h) {
		struct endpoint_key key;

		memcpy(&key, h->key, sizeof(key));
		if (!r)
			r = datapath_endpoint_remove(rs->agent->datapath, &key, e);
		free(h->value);
	}
	hash_done(&rs->row);
	return r == -ENOENT ? 0 : r;
}

int endpoints_restore(struct endpoints *t, struct err *e)
{
	struct restore rs = {.table = t, .agent = endpoints_agent(t)};
	int r;

	(void)datapath_endpoint_each(rs.agent->datapath, on_row, &rs);
	each_json(rs.agent->conf->state_dir, "endpoint", on_state_file, &rs);
	r = remove_stale_rows(&rs, e);
	if (rs.adopted || rs.removed)
		log_info("adopted %u endpoints, removing %u", rs.adopted, rs.removed);
	return r;
}

static void on_note(void *data, const char *path)
{
	struct endpoints *t = data;
	SCOPED(freep)
	char *text = NULL;
	SCOPED(json_unrefp)
	json_t *j = NULL;
	const char *container_id = NULL, *ifname = NULL;
	struct agent_endpoint *ep;
	struct err e = {0};
	size_t len;
	int r = fd_read_file(path, NOTE_MAX_BYTES, &text, &len, &e) ?: json_parse_text(text, len, NOTE_MAX_BYTES, &j, &e) ?:
		json_get_string(j, "container_id", &container_id, &e) ?: json_get_string(j, "ifname", &ifname, &e);

	ep = !r && container_id && ifname ? endpoint_by_attachment(t, container_id, ifname) : NULL;
	if (ep)
		r = endpoint_delete(t, ep, &e);
	if (r)
		log_warn("deletion noted in %s: %s", path, e.text);
	if (!r || !ep)
		(void)unlink(path);
}

void endpoints_replay_deletions(struct endpoints *t)
{
	each_json(endpoints_agent(t)->conf->run_dir, "cni-delete", on_note, t);
}
