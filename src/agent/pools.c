/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address pools of the node. Called by wire.c and uninstall.c. Must hold: STATE-DIR/pools.json
 * names every pool that may have a route or a gateway in the kernel, so that a change of the
 * settings, or an uninstall with other settings, leaves nothing behind.
 */
#include "agent/pools.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "codec/json.h"
#include "ipam/pool.h"
#include "kern/device.h"

enum { NOTE_MAX_BYTES = 65536 };

static void note_path(const struct conf *c, struct str *out)
{
	str_printf(out, "%s/pools.json", c->state_dir);
}

/* A list of prefixes as texts; NULL when there is no note. */
static json_t *note_load(const struct conf *c)
{
	SCOPED(str_done) struct str path = {0};
	SCOPED(freep) char *text = NULL;
	json_t *j = NULL;
	size_t len;

	note_path(c, &path);
	if (fd_read_file(str_text(&path), NOTE_MAX_BYTES, &text, &len, NULL) < 0 ||
		json_parse_text(text, len, NOTE_MAX_BYTES, &j, NULL) < 0)
		return NULL;
	return j;
}

static json_t *note_make(const struct conf *c)
{
	json_t *list = json_array();
	char text[ADDR_TEXT];

	if (c->ipv4)
		(void)json_array_append_new(list, json_string(prefix_format(&c->range4, text)));
	if (c->ipv6)
		(void)json_array_append_new(list, json_string(prefix_format(&c->range6, text)));
	return list;
}

static int note_save(const struct conf *c, const json_t *note, struct err *e)
{
	SCOPED(str_done) struct str path = {0};
	SCOPED(freep) char *text = json_text(note);

	note_path(c, &path);
	return fd_write_file(str_text(&path), text, strlen(text), 0600, e);
}

static bool note_has(const json_t *note, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(note, i, item)
	{
		if (str_eq(json_string_value(item), text))
			return true;
	}
	return false;
}

/* Remove what the kernel has of each pool in the note that is not in keep. */
static int remove_pools(const json_t *note, const json_t *keep, struct device *d, struct err *e)
{
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(note, i, item)
	{
		const char *text = json_string_value(item);
		struct prefix range;
		struct addr gateway;

		if (r || !text || note_has(keep, text) || prefix_parse(text, false, &range) < 0)
			continue;
		gateway = addr_add(range.addr, 1);
		r = device_pool_route(d, &range.addr, range.bits, true, e);
		r = r ?: device_gateway_address(d, &gateway, DEVICE_GATEWAY_NONE, e);
	}
	return r;
}

static int open_pool(struct agent *a, const struct prefix *range, struct pool **ret_pool,
	struct addr *ret_gateway, struct err *e)
{
	struct addr gateway = addr_add(range->addr, 1);
	int r = pool_new(range, &gateway, ret_pool, e);

	if (r)
		return r;
	*ret_gateway = gateway;
	return device_pool_route(a->device, &range->addr, range->bits, false, e);
}

int pools_open(struct agent *a, struct err *e)
{
	const struct conf *c = a->conf;
	SCOPED(json_unrefp) json_t *old = note_load(c);
	SCOPED(json_unrefp) json_t *now = note_make(c);
	int r = remove_pools(old, now, a->device, e);

	r = r ?: note_save(c, now, e);
	if (!r && c->ipv4)
		r = open_pool(a, &c->range4, &a->pool4, &a->gateway4, e);
	if (!r && c->ipv6)
		r = open_pool(a, &c->range6, &a->pool6, &a->gateway6, e);
	return r;
}

int pools_remove(const struct conf *c, struct device *d, struct err *e)
{
	SCOPED(json_unrefp) json_t *note = note_load(c);
	SCOPED(json_unrefp) json_t *none = json_array();

	if (!note)
		note = note_make(c);
	return remove_pools(note, none, d, e);
}
