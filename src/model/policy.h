/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_MODEL_POLICY_H
#define KILIM_MODEL_POLICY_H
/*
 * Policies as plain data, normalized from CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy and
 * Kubernetes NetworkPolicy. What is not supported is refused with file, line and field. Difference
 * of absent, empty and null is exact (interfaces 1b).
 */
#include "abi/policy.h"
#include "base/arena.h"
#include "codec/yaml.h"
#include "model/addr.h"
#include "model/selector.h"

/* Where something stood: for errors and for explain. */
struct origin {
	const char *file; /* path or "api:NAME" */
	int line;
};

/*
 * Ports: protocol 0 is any of TCP, UDP, SCTP; 0..65535 is any port (and none, for protocols
 * without). ICMP: protocol says the family, first = type << 8, last = type << 8 | 0xff.
 */
struct port_range {
	uint8_t protocol; /* IPPROTO_*, or 0 */
	uint16_t first, last;
};

enum peer_kind {
	PEER_ANY, /* no peer field: everything */
	PEER_SELECTOR, /* identities whose labels match any of selector[] */
	PEER_PREFIX, /* prefix[] without except[] */
	PEER_NONE, /* a peer field that is there and empty, or resolves to nothing */
};

/* One peer term; entities become selectors on reserved labels (and the cluster label). */
struct peer {
	enum peer_kind kind;
	struct selector *selector;
	size_t selectors;
	struct prefix *prefix;
	size_t prefixes;
	struct prefix *except; /* applies to every prefix of this peer */
	size_t excepts;
};

struct rule {
	enum policy_direction direction;
	bool deny;
	struct peer
		*peer; /* any of them; peers == 0 does not occur (PEER_ANY / PEER_NONE say it) */
	size_t peers;
	struct port_range *port; /* any of them; ports == 0: every protocol and port */
	size_t ports;
	struct origin origin; /* of the rule element */
	char *path; /* ingress[0], egressDeny[2] ...: with a spec index in front for specs[] */
};

/* One spec: who it is for, and its rules. */
struct policy_spec {
	struct selector subject; /* with the namespace requirement of a namespaced policy inside */
	bool default_deny[POLICY_DIRECTIONS]; /* final: rules of that direction are there and not
						 switched off */
	struct rule *rule;
	size_t rules;
	struct labels labels; /* spec.labels: labels of the rules */
	const char *description; /* "" for none */
	const char *log; /* log.value, what flows show as policy_log; "" for none */
};

struct policy {
	const char *kind; /* CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy, NetworkPolicy */
	const char *namespace; /* "" for clusterwide ones */
	const char *name;
	const char *uid;
	struct labels labels; /* metadata.labels, source k8s */
	struct policy_spec *spec;
	size_t specs;
	struct origin origin;
	const json_t *source; /* the object as read; lives as long as the document, everything else
				 in mem of the set */
};

struct policy_set {
	struct arena mem; /* owns everything below */
	struct policy *policy;
	size_t count, capacity;
};

/* What parsing needs to know beside the file. */
struct policy_context {
	const char *cluster;
	const char *default_namespace; /* of a CNP or NP without metadata.namespace: "default" */
};

/*
 * Add the policies of one document (a policy, or a v1 List / *List of policies) to the set. On
 * failure nothing is added and e says "file:line:column: field.path: what, and what to do".
 */
int policy_parse(struct policy_set *set, const struct policy_context *ctx, const char *file,
	const struct yaml_doc *doc, struct err *e) MUST_USE;
/*
 * Whether apiVersion/kind of the document is one that policy_parse() takes (so that other objects
 * in a file can be told apart): a policy of any version, a list of policies, or a v1 List that
 * holds one. Objects of a v1 List that are no policies are passed over.
 */
bool policy_is_kind(const json_t *doc);
void policy_set_done(struct policy_set *set);
/* "CiliumNetworkPolicy/default/l3-rule"; "CiliumClusterwideNetworkPolicy/name". */
void policy_format_name(struct str *out, const struct policy *p);

#endif
