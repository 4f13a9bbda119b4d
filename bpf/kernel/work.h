/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_BPF_KERNEL_WORK_H
#define KILIM_BPF_KERNEL_WORK_H
/* Work items run in a kernel thread (bpf_wq, Linux 6.10); weak: where they are missing the address
 * is NULL. */
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

struct bpf_wq {
	__u64 __opaque[2];
} __attribute__((aligned(8)));

extern int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) __weak __ksym;
extern int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __weak __ksym;
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq,
	int(callback)(void *map, int *key, void *value), unsigned int flags,
	void *aux) __weak __ksym;

#endif
