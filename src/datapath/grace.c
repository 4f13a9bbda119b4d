/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for the data path to let go of what was replaced. Called by policy.c and migrate.c. */
#include "datapath/grace.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * With one CPU the barrier does nothing and needs not: no program is under way while this thread
 * runs. Kernels with nohz_full CPUs refuse the barrier; a packet is through in microseconds, so
 * this is ages.
 */
enum { FALLBACK_NS = 250 * 1000000 };

void grace_wait(void)
{
	struct timespec ts = {.tv_nsec = FALLBACK_NS};

	if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0)
		(void)nanosleep(&ts, NULL);
}
