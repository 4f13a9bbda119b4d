/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dispatchers that devices hold and the program array that they jump through. Called by load.c
 * and attach.c. Must hold: a dispatcher that some device has is not replaced while its program
 * array serves, so that an upgrade touches no device.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "datapath/diagnosis.h"
#include "datapath/handle.h"
#include "datapath/table.h"
#include "dispatch.skel.h"
#include "kern/tc.h"

/* What a device receives comes from the workload. */
static const char *const dispatch_name[TC_HOOKS] = {
	[TC_HOOK_INGRESS] = "dispatch_egress", [TC_HOOK_EGRESS] = "dispatch_ingress"};

static int program_info(int fd, uint32_t *ret_id, uint32_t *map_id, uint32_t maps)
{
	struct bpf_prog_info info = {.nr_map_ids = maps, .map_ids = (uint64_t)(uintptr_t)map_id};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	*ret_id = info.id;
	return 0;
}

/* Whether the pinned dispatcher jumps through this array. */
static bool jumps_through(int fd, uint32_t entry_id, uint32_t *ret_id)
{
	uint32_t map_id = 0;

	return !program_info(fd, ret_id, &map_id, 1) && map_id == entry_id;
}

bool dispatch_is(int program, int hook)
{
	struct bpf_map_info map = {0};
	uint32_t map_id = 0, len = sizeof(map);
	struct bpf_prog_info info = {.nr_map_ids = 1, .map_ids = (uint64_t)(uintptr_t)&map_id};
	uint32_t info_len = sizeof(info);
	SCOPED(fd_closep) int fd = -1;

	if (bpf_obj_get_info_by_fd(program, &info, &info_len) < 0 || info.nr_map_ids != 1 ||
		strncmp(info.name, dispatch_name[hook], sizeof(info.name) - 1))
		return false;
	fd = bpf_map_get_fd_by_id(map_id);
	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &len) &&
	       map.type == BPF_MAP_TYPE_PROG_ARRAY && str_eq(map.name, "entry");
}

static bool adopt(struct datapath *d)
{
	SCOPED(fd_closep) int entry = pin_get(&d->pins, "map", "entry");
	SCOPED(fd_closep) int in = pin_get(&d->pins, "prog", dispatch_name[TC_HOOK_INGRESS]);
	SCOPED(fd_closep) int out = pin_get(&d->pins, "prog", dispatch_name[TC_HOOK_EGRESS]);
	struct table t;

	if (entry < 0 || in < 0 || out < 0 || table_info(entry, &t) || t.max_entries < ENTRY_COUNT)
		return false;
	if (!jumps_through(in, t.id, &d->dispatch_id[TC_HOOK_INGRESS]) ||
		!jumps_through(out, t.id, &d->dispatch_id[TC_HOOK_EGRESS]))
		return false;
	d->entry = TAKE_FD(entry);
	d->dispatch[TC_HOOK_INGRESS] = TAKE_FD(in);
	d->dispatch[TC_HOOK_EGRESS] = TAKE_FD(out);
	return true;
}

static void skeleton_freep(struct dispatch_bpf **s)
{
	dispatch_bpf__destroy(*s);
}

static int keep(struct datapath *d, struct dispatch_bpf *s, struct err *e)
{
	const int program[TC_HOOKS] = {
		[TC_HOOK_INGRESS] = bpf_program__fd(s->progs.dispatch_egress),
		[TC_HOOK_EGRESS] = bpf_program__fd(s->progs.dispatch_ingress)};
	int r = pin_put(&d->pins, "map", "entry", "", bpf_map__fd(s->maps.entry), e);

	d->entry = dup(bpf_map__fd(s->maps.entry));
	for (int i = 0; !r && i < TC_HOOKS; i++) {
		r = pin_put(&d->pins, "prog", dispatch_name[i], "", program[i], e);
		d->dispatch[i] = dup(program[i]);
		r = r ? r : program_info(program[i], &d->dispatch_id[i], NULL, 0);
	}
	return r;
}

int dispatch_open(struct datapath *d, struct err *e)
{
	SCOPED(skeleton_freep) struct dispatch_bpf *s = NULL;
	SCOPED(fd_closep) int entry = -1;
	struct table t;

	if (adopt(d))
		return 0;
	diagnosis_begin();
	s = dispatch_bpf__open();
	if (!s)
		return diagnosis_set(e, -errno, "open the dispatchers");
	/* one that serves is kept: half of the pins were lost, or were not written yet */
	entry = pin_get(&d->pins, "map", "entry");
	if (entry >= 0 && !table_info(entry, &t) && t.max_entries >= ENTRY_COUNT &&
		bpf_map__reuse_fd(s->maps.entry, entry) < 0)
		return err_set(e, -errno, "program array: %s", strerror(errno));
	if (dispatch_bpf__load(s))
		return diagnosis_set(e, -errno, "load the dispatchers");
	return keep(d, s, e);
}
