/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TWIN_GATE_H
#define KILIM_TWIN_GATE_H
/* The way into the data path's object; for twin.c only. */
struct __sk_buff;
struct dp_config;

struct dp_config *twin_gate_config(void);
int twin_gate_egress(struct __sk_buff *skb);
int twin_gate_ingress(struct __sk_buff *skb);

#endif
