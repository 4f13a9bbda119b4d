/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_TEST_PERF_PEER_H
#define KILIM_TEST_PERF_PEER_H
/* What peer.bpf.c and bpfrun.c share. */
#include <linux/types.h>

enum {
	FRAME_HEAD = 42, /* Ethernet, IPv4 without options, UDP */
	FRAME_BYTES = 64, /* as sent */
	FRAMES_MAX = 131072, /* frames that the driver goes through */
};

/* The head of a frame: the driver writes it over the test packet's. */
struct frame {
	__u8 head[FRAME_HEAD];
	__u8 pad[6];
};

#endif
