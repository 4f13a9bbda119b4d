/* SPDX-License-Identifier: Apache-2.0 */
/* Identities of address prefixes. Called by the agent. Must hold: the caller has told the slots in
 * force about a new identity before. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "datapath/handle.h"
#include "datapath/table.h"

int datapath_identity_put(struct datapath *d, const struct identity_key *key,
	const struct identity_value *v, struct err *e)
{
	if (!bpf_map_update_elem(d->map[DP_MAP_identity], key, v, BPF_ANY))
		return 0;
	if (errno == ENOSPC || errno == E2BIG)
		return err_set(e, -E2BIG, "identities of addresses: all %u entries are in use",
			d->map_max[DP_MAP_identity]);
	return err_set(e, -errno, "map identity: %s", strerror(errno));
}

int datapath_identity_remove(struct datapath *d, const struct identity_key *key, struct err *e)
{
	if (!bpf_map_delete_elem(d->map[DP_MAP_identity], key) || errno == ENOENT)
		return 0;
	return err_set(e, -errno, "map identity: %s", strerror(errno));
}

struct each {
	int (*fn)(const struct identity_key *, const struct identity_value *, void *);
	void *data;
};

static int each_entry(const void *key, const void *value, void *data)
{
	const struct each *each = data;

	return each->fn(key, value, each->data);
}

int datapath_identity_each(struct datapath *d,
	int (*fn)(const struct identity_key *, const struct identity_value *, void *), void *data)
{
	struct each each = {fn, data};
	struct table t;
	int r = table_info(d->map[DP_MAP_identity], &t);

	return r ? r : table_each(&t, each_entry, &each);
}
