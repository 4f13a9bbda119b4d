/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_BPF_WORLD_H
#define KILIM_TEST_BPF_WORLD_H
/* The small universe of the data path's tests: who exists, and the maps that say so. */
#include "abi/addr.h"
#include "abi/endpoint.h"
#include "abi/policy.h"
#include "bpf/plane.h"

enum who {
	NOBODY,
	A, /* an endpoint */
	B, /* another */
	C, /* has B's identity */
	COLD, /* its row is not ready */
	PENDING, /* its identity has no slot */
	FOUR, /* has no IPv6 address */
	TENANT, /* B's addresses in another domain */
	TENANT2, /* A's addresses there */
	UPLINK, /* a device without endpoint */
	NODE, /* the node itself */
	GATEWAY, /* what ARP and ND ask for */
	OUTSIDE, /* somewhere */
	OFFICE, /* an address with an identity of its own */
	STRANGER, /* an address without identity */
	WHO_COUNT,
};

enum { WORLD_REVISION = 6, WORLD_EPOCH = 100, WORLD_TENANT_DOMAIN = 7, WORLD_RULES = 12 };

/* One line of a policy. Class 0 is everybody, a named peer has a class of its own. Of those who
 * share an identity the first is named; OUTSIDE, whose identity differs by family, is never. */
struct world_rule {
	enum who of;
	uint8_t direction; /* enum policy_direction */
	enum who peer;
	uint8_t protocol; /* 0: any */
	uint16_t port;
	uint8_t port_bits; /* 0: all 16 when port is set, else none */
	uint8_t verdict; /* enum policy_verdict */
	uint32_t rule; /* id */
	bool audit; /* a denial lets pass */
	uint8_t shadow; /* enum policy_verdict + 1; 0: as the verdict */
	uint32_t shadow_rule;
};

const char *who_name(enum who w);
bool who_is_endpoint(enum who w);
/* The address as both sides see it; all zero when there is none. family is 4 or 6. */
struct addr who_addr(enum who w, int family);
uint32_t who_identity(enum who w);
uint32_t who_ifindex(enum who w);
uint16_t who_domain(enum who w);
/* The workload's MAC and the node's side's; for others one of the outside. */
void who_mac(enum who w, uint8_t ret[6]);
void who_host_mac(enum who w, uint8_t ret[6]);

/* Everything but rodata's map sizes; timeouts are told apart by expires >> WORLD_TIMEOUT_SHIFT. */
enum { WORLD_TIMEOUT_SHIFT = 40 };
enum world_timeout {
	TIMEOUT_PAST,
	TIMEOUT_TCP,
	TIMEOUT_SYN,
	TIMEOUT_FIN,
	TIMEOUT_ANY,
	TIMEOUT_FRAG
};
struct plane_options world_options(void);

/* Write all rows, addresses, identities and the policy (NULL or up to a rule without of). */
void world_write(struct plane *p, const struct world_rule *rules);
/* Write one endpoint's row with these flags, or remove it. */
void world_endpoint(struct plane *p, enum who w, uint32_t flags);
void world_endpoint_remove(struct plane *p, enum who w);
/* Remove the addresses of w from map local, or put them back. */
void world_local_remove(struct plane *p, enum who w);
void world_local(struct plane *p, enum who w);
/* A policy beside the one in force, under the next revision, and the switch to it. */
void world_policy(struct plane *p, const struct world_rule *rules);
/* Judge every flow again. */
void world_bump(struct plane *p);

#endif
