/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_PROCESS_H
#define KILIM_AGENT_PROCESS_H
/* What the agent's own process uses, from /proc/self. */
#include <stdint.h>

struct process_usage {
	uint64_t resident_bytes, virtual_bytes, open_fds, max_fds;
	double cpu_s, start_s; /* start_s: seconds since 1970 */
};

void process_usage(struct process_usage *ret);

#endif
