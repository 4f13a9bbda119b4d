/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate of the data path's object: the only symbols of it that stay visible once it is linked
 * (meson.build hides the rest, so that names such as state or flow_find meet nobody else's). Called
 * by twin.c. Must hold: config is defined here and nowhere else, since bpf/config.bpf.c has it
 * read-only.
 */
#include <linux/bpf.h>

#include "abi/config.h"
#include "twin/gate.h"

#define VISIBLE __attribute__((visibility("default")))

int endpoint_egress(struct __sk_buff *skb);
int endpoint_ingress(struct __sk_buff *skb);

extern struct dp_config config;
struct dp_config config;

VISIBLE struct dp_config *twin_gate_config(void)
{
	return &config;
}

VISIBLE int twin_gate_egress(struct __sk_buff *skb)
{
	return endpoint_egress(skb);
}

VISIBLE int twin_gate_ingress(struct __sk_buff *skb)
{
	return endpoint_ingress(skb);
}
