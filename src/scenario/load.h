/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_SCENARIO_LOAD_H
#define KILIM_SCENARIO_LOAD_H
/* A world in the twin's maps. The only place here that knows their layout. */
#include "scenario/world.h"
#include "twin/twin.h"

/* Start the twin anew with the world's policy. */
void load_policy(const struct world *w);
/* Put the twin on a node: its endpoints are local, everybody else is an address. */
void load_node(const struct world *w, size_t node);
/* Forget all flows, so that the next packet is a first one. */
void load_forget(void);
/* How the endpoint is attached. */
uint32_t load_ifindex(size_t endpoint);
void load_macs(size_t endpoint, uint8_t ret_mac[6], uint8_t ret_host_mac[6]);
/* The device by which a node's packets come from outside. */
enum { LOAD_UPLINK = 2 };

#endif
