/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs at the tcx hooks of a device, by bpf(2) itself: the headers of the oldest system that is
 * built on do not have them. Called by datapath. Must hold: a device is one of the network
 * namespace that the caller is in.
 */
#include "kern/tcx.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TCX_INGRESS = 46, TCX_EGRESS = 47 }; /* enum bpf_attach_type of Linux 6.6 */

/* union bpf_attr for BPF_PROG_ATTACH and BPF_PROG_DETACH. */
struct attach_attr {
	uint32_t ifindex, program, type, flags, other, relative;
	uint64_t revision;
};

/* For BPF_PROG_QUERY. */
struct query_attr {
	uint32_t ifindex, type, query_flags, attach_flags;
	uint64_t ids;
	uint32_t count, pad;
	uint64_t program_flags, link_ids, link_flags, revision;
};

static int bpf(int command, void *attr, unsigned size)
{
	return syscall(__NR_bpf, command, attr, size) < 0 ? -errno : 0;
}

static uint32_t type_of(enum tc_hook hook)
{
	return hook == TC_HOOK_INGRESS ? TCX_INGRESS : TCX_EGRESS;
}

static int change(int command, uint32_t ifindex, enum tc_hook hook, int program, int other,
	const char *what, struct err *e)
{
	struct attach_attr a = {.ifindex = ifindex,
		.program = (uint32_t)program,
		.type = type_of(hook),
		.flags = other >= 0 ? BPF_F_REPLACE : 0,
		.other = other >= 0 ? (uint32_t)other : 0};
	int r = bpf(command, &a, sizeof(a));

	if (r == -EINVAL) /* what is attached is a program that was loaded: it is the hook */
		r = -EOPNOTSUPP;
	return r ? err_set(e, r, "%s tcx program at device %u: %s", what, ifindex, strerror(-r))
		 : 0;
}

int tcx_get(uint32_t ifindex, enum tc_hook hook, uint32_t ret[TCX_MAX], struct err *e)
{
	struct query_attr q = {.ifindex = ifindex,
		.type = type_of(hook),
		.ids = (uint64_t)(uintptr_t)ret,
		.count = TCX_MAX};
	int r = bpf(BPF_PROG_QUERY, &q, sizeof(q));

	if (r == -EINVAL || r == -ENOENT) /* no tcx, nothing there */
		return 0;
	if (r)
		return err_set(e, r, "tcx programs at device %u: %s", ifindex, strerror(-r));
	return (int)q.count;
}

int tcx_attach(uint32_t ifindex, enum tc_hook hook, int program, struct err *e)
{
	return change(BPF_PROG_ATTACH, ifindex, hook, program, -1, "attach", e);
}

int tcx_replace(uint32_t ifindex, enum tc_hook hook, int program, int other, struct err *e)
{
	return change(BPF_PROG_ATTACH, ifindex, hook, program, other, "replace", e);
}

int tcx_detach(uint32_t ifindex, enum tc_hook hook, int program, struct err *e)
{
	return change(BPF_PROG_DETACH, ifindex, hook, program, -1, "detach", e);
}
