/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_GRACE_H
#define KILIM_DATAPATH_GRACE_H

/*
 * Return when every BPF program that was running at the call has ended: about 10 ms. Programs run
 * inside RCU read-side sections, and membarrier(2) waits for those.
 */
void grace_wait(void);

#endif
