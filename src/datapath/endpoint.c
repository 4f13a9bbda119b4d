/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of endpoints and of their addresses. Called by the agent. Must hold: an address leads to a
 * row that is there; it is written after the row and removed before it.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "datapath/handle.h"
#include "datapath/table.h"

static bool is_none(const struct addr *a)
{
	return !(a->word[0] | a->word[1] | a->word[2] | a->word[3]);
}

/* Another endpoint that is there has this address. */
static bool is_taken(
	struct datapath *d, const struct endpoint_key *key, uint32_t domain, const struct addr *a)
{
	struct addr_key k = {.domain = domain, .addr = *a};
	struct endpoint_key owner;
	struct endpoint row;

	return !is_none(a) && !bpf_map_lookup_elem(d->map[DP_MAP_local], &k, &owner) &&
	       memcmp(&owner, key, sizeof(owner)) &&
	       !bpf_map_lookup_elem(d->map[DP_MAP_endpoint], &owner, &row) &&
	       row.domain == domain &&
	       (!memcmp(&row.addr4, a, sizeof(*a)) || !memcmp(&row.addr6, a, sizeof(*a)));
}

static void forget_address(
	struct datapath *d, const struct endpoint_key *key, uint32_t domain, const struct addr *a)
{
	struct addr_key k = {.domain = domain, .addr = *a};
	struct endpoint_key owner;

	if (!is_none(a) && !bpf_map_lookup_elem(d->map[DP_MAP_local], &k, &owner) &&
		!memcmp(&owner, key, sizeof(owner)))
		(void)bpf_map_delete_elem(d->map[DP_MAP_local], &k);
}

static int write_address(struct datapath *d, const struct endpoint_key *key, uint32_t domain,
	const struct addr *a, struct err *e)
{
	struct addr_key k = {.domain = domain, .addr = *a};

	if (is_none(a) || !bpf_map_update_elem(d->map[DP_MAP_local], &k, key, BPF_ANY))
		return 0;
	return err_set(e, -errno, "address of an endpoint: map local: %s", strerror(errno));
}

int datapath_endpoint_put(struct datapath *d, const struct endpoint_key *key,
	const struct endpoint *row, struct err *e)
{
	struct endpoint old;
	bool had = !bpf_map_lookup_elem(d->map[DP_MAP_endpoint], key, &old);
	int r;

	if (is_taken(d, key, row->domain, &row->addr4) ||
		is_taken(d, key, row->domain, &row->addr6))
		return err_set(
			e, -EADDRINUSE, "endpoint %u: another endpoint has its address", row->id);
	if (bpf_map_update_elem(d->map[DP_MAP_endpoint], key, row, BPF_ANY) < 0)
		return err_set(e, -errno, "endpoint %u: map endpoint (room for %u): %s", row->id,
			d->map_max[DP_MAP_endpoint], strerror(errno));
	r = write_address(d, key, row->domain, &row->addr4, e);
	r = r ? r : write_address(d, key, row->domain, &row->addr6, e);
	if (r || !had)
		return r;
	if (old.domain != row->domain || memcmp(&old.addr4, &row->addr4, sizeof(old.addr4)))
		forget_address(d, key, old.domain, &old.addr4);
	if (old.domain != row->domain || memcmp(&old.addr6, &row->addr6, sizeof(old.addr6)))
		forget_address(d, key, old.domain, &old.addr6);
	return 0;
}

int datapath_endpoint_remove(struct datapath *d, const struct endpoint_key *key, struct err *e)
{
	struct endpoint row;

	if (bpf_map_lookup_elem(d->map[DP_MAP_endpoint], key, &row) < 0)
		return errno == ENOENT ? 0
				       : err_set(e, -errno, "map endpoint: %s", strerror(errno));
	forget_address(d, key, row.domain, &row.addr4);
	forget_address(d, key, row.domain, &row.addr6);
	if (bpf_map_delete_elem(d->map[DP_MAP_endpoint], key) < 0 && errno != ENOENT)
		return err_set(e, -errno, "endpoint %u: map endpoint: %s", row.id, strerror(errno));
	flow_forget(d, row.domain, &row.addr4, &row.addr6);
	return 0;
}

struct each {
	int (*fn)(const struct endpoint_key *, const struct endpoint *, void *);
	void *data;
};

static int each_row(const void *key, const void *value, void *data)
{
	const struct each *each = data;

	return each->fn(key, value, each->data);
}

int datapath_endpoint_each(struct datapath *d,
	int (*fn)(const struct endpoint_key *, const struct endpoint *, void *), void *data)
{
	struct each each = {fn, data};
	struct table t;
	int r = table_info(d->map[DP_MAP_endpoint], &t);

	return r ? r : table_each(&t, each_row, &each);
}
