/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BPF links that Debian's libbpf and headers do not know yet, by bpf(2) itself. Called by datapath. Must hold: the thread is in the
 * device's namespace, or the ifindex means another device.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kern/tc.h"

/* linux/bpf.h of 6.7 */
enum { ATTACH_NETKIT_PRIMARY = 54, ATTACH_NETKIT_PEER = 55 };

/* union bpf_attr of BPF_LINK_CREATE; the kernel takes what is missing at the end as zero */
struct link_create {
	uint32_t program, ifindex, type, flags;
	uint32_t relative, pad;
	uint64_t revision;
};

/* struct bpf_link_info as far as netkit links fill it */
struct link_info {
	uint32_t type, id, program, pad;
	uint32_t ifindex, attach_type;
	uint64_t rest[8];
};

int netkit_link_create(uint32_t ifindex, enum tc_hook hook, int program, int *ret_fd, struct err *e)
{
	struct link_create attr = {.program = (uint32_t)program, .ifindex = ifindex,
		.type = hook == TC_HOOK_INGRESS ? ATTACH_NETKIT_PEER : ATTACH_NETKIT_PRIMARY};
	int fd = (int)syscall(__NR_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	if (fd < 0)
		return err_set(e, -errno, "netkit link at device %u: %s", ifindex, strerror(errno));
	*ret_fd = fd;
	return 0;
}

int netkit_link_info(int fd, uint32_t *ret_ifindex, uint32_t *ret_program)
{
	struct link_info info = {0};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	*ret_ifindex = info.ifindex;
	*ret_program = info.program;
	return 0;
}
