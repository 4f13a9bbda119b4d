/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_MODEL_POLICY_H
#define KILIM_MODEL_POLICY_H
/*
 * Policies as plain data, normalized from CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy and
 * Kubernetes' NetworkPolicy and ClusterNetworkPolicy. What is not supported is refused with file,
 * line and field. Difference of absent, empty and null is exact (doc/policy-language.md).
 */
#include "abi/policy.h"
#include "base/arena.h"
#include "codec/yaml.h"
#include "model/addr.h"
#include "model/finding.h"
#include "model/selector.h"

/* Where something stood: for errors and for explain. */
struct origin {
	const char *file; /* path or "api:NAME" */
	int line, column;
};

/*
 * Ports: protocol 0 is any of TCP, UDP, SCTP; 0..65535 is any port (and none, for protocols
 * without). ICMP: protocol says the family, first = type << 8, last = type << 8 | 0xff.
 */
struct port_range {
	uint8_t protocol; /* IPPROTO_*, or 0 */
	uint16_t first, last;
	const char *name; /* a named port, lower case: its number is whatever the receiver calls
			     so; NULL for a number. first and last are 0 */
};

/* Whether the range has ports, or types, of the protocol. */
bool port_range_is_of(const struct port_range *r, uint8_t protocol);

enum peer_kind {
	PEER_ANY, /* no peer field: everything */
	PEER_SELECTOR, /* identities of endpoints, and reserved ones, that match any of selector[]
			*/
	PEER_NODE, /* identities of nodes other than the endpoint's own that match any of selector[]
		    */
	PEER_PREFIX, /* prefix[] without except[] */
	PEER_GROUP, /* the prefixes of CIDR groups, by group name or by selector[] on the groups'
		       labels, without except[] */
	PEER_SERVICE, /* the backends of services: by group (its name) and namespace, or by
			 selector[] on the services' labels and namespace */
	PEER_NONE, /* a peer field that is there and empty, or resolves to nothing */
};

/* What a prefix may mean beside addresses outside. */
enum prefix_reach {
	PREFIX_PODS = 1 << 0, /* endpoints, too */
	PREFIX_NODES = 1 << 1, /* nodes, too */
};

/* One peer term; entities become selectors on reserved labels (and the cluster label). */
struct peer {
	enum peer_kind kind;
	unsigned reach; /* enum prefix_reach of prefix[] and of groups' prefixes */
	bool own_node; /* PEER_NODE: the endpoint's own node, too */
	struct selector *selector;
	size_t selectors;
	struct prefix *prefix;
	size_t prefixes;
	struct prefix *except; /* applies to every prefix of this peer */
	size_t excepts;
	const char *name; /* PEER_GROUP, PEER_SERVICE: one object by name; NULL: by selector[] */
	const char *namespace; /* PEER_SERVICE: "" is any */
};

/* In the order in which they decide. */
enum policy_tier { TIER_ADMIN, TIER_NORMAL, TIER_BASELINE, TIERS };

enum rule_action {
	ACTION_ALLOW,
	ACTION_DENY,
	ACTION_PASS, /* the rest of the tier is skipped; never in TIER_NORMAL */
};

enum { RULE_UNORDERED = INT32_MAX };

struct rule {
	enum policy_direction direction;
	enum rule_action action;
	int32_t order; /* TIER_NORMAL: place in its policy, lower is first; RULE_UNORDERED: none
			  given. Other tiers: index in the list */
	struct peer
		*peer; /* any of them; peers == 0 does not occur (PEER_ANY / PEER_NONE say it) */
	size_t peers;
	struct port_range *port; /* any of them; ports == 0: every protocol and port */
	size_t ports;
	bool is_blank; /* Cilium's {}, which names nobody and is there to deny by default */
	struct origin origin; /* of the rule element */
	char *path; /* ingress[0], egressDeny[2] ...: with a spec index in front for specs[] */
};

/* One spec: who it is for, and its rules. */
struct policy_spec {
	struct selector subject; /* with the namespace requirement of a namespaced policy inside */
	bool default_deny[POLICY_DIRECTIONS]; /* final: rules of that direction are there and not
						 switched off */
	bool spares_own_node; /* its default deny of egress does not stop traffic to the endpoint's
				 own node (Kubernetes NetworkPolicy) */
	struct rule *rule;
	size_t rules;
	struct labels labels; /* spec.labels: labels of the rules */
	const char *description; /* "" for none */
	const char *log; /* log.value, what flows show as policy_log; "" for none */
	struct origin origin;
};

enum policy_mode {
	MODE_ENFORCE,
	MODE_SHADOW, /* decides nothing: what it would change is reported */
};

struct policy {
	const char *kind; /* CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy, NetworkPolicy,
			     ClusterNetworkPolicy, AdminNetworkPolicy, BaselineAdminNetworkPolicy */
	enum policy_tier tier;
	enum policy_mode mode;
	int32_t priority; /* tiers other than TIER_NORMAL: lower decides first; else 0 */
	const char *namespace; /* "" for clusterwide ones */
	const char *name;
	const char *uid;
	struct labels labels; /* metadata.labels, source k8s */
	struct policy_spec *spec;
	size_t specs;
	struct origin origin;
	uint64_t digest; /* of what it says, not of where; 0: not known */
	const json_t *source; /* the object as read; lives as long as the document, everything else
				 in mem of the set */
};

/*
 * Objects that policies refer to and that come from the same files: model/object.h parses them.
 */
struct policy_namespace { /* v1 Namespace */
	const char *name;
	struct labels labels; /* as in the object, source k8s */
	struct origin origin;
};

struct policy_node { /* v1 Node, CiliumNode */
	const char *name;
	struct labels labels; /* source node */
	struct addr *addr; /* v4-mapped */
	size_t addrs;
	struct origin origin;
};

struct policy_group { /* CiliumCIDRGroup */
	const char *name;
	struct labels labels; /* source cidrgroup */
	struct prefix *prefix;
	size_t prefixes;
	struct origin origin;
};

struct policy_service { /* v1 Service with its v1 Endpoints or discovery.k8s.io EndpointSlices */
	const char *namespace, *name;
	struct labels labels; /* source k8s */
	bool has_selector;
	struct selector selector; /* spec.selector, with the namespace inside: which endpoints */
	struct addr *backend; /* without a selector: addresses; v4-mapped */
	size_t backends;
	struct origin origin;
};

struct policy_set {
	struct arena mem; /* owns everything below */
	struct policy *policy;
	size_t count, capacity;
	struct policy_namespace *namespace;
	size_t namespaces, namespace_room;
	struct policy_node *node;
	size_t nodes, node_room;
	struct policy_group *group;
	size_t groups, group_room;
	struct policy_service *service; /* a slice or Endpoints of its own is an element without
					   selector; same-named elements belong together */
	size_t services, service_room;
};

/* What parsing needs to know beside the file. */
struct policy_context {
	const char *cluster;
	const char *default_namespace; /* of a CNP or NP without metadata.namespace: "default" */
	bool local_cluster; /* policy-default-local-cluster: selectors of Cilium's policies mean
			       this cluster unless they name one */
	unsigned cilium_reach; /* policy-cidr-match-mode: enum prefix_reach of Cilium's CIDRs */
	unsigned kubernetes_reach; /* kubernetes-cidr-match-mode: of ipBlock and networks */
};

/*
 * Add what one document holds (a policy or an object that policies refer to, or a v1 List / *List
 * of them) to the set. On failure nothing is added and e says "file:line:column: field.path: what,
 * and what to do".
 */
int policy_parse(struct policy_set *set, const struct policy_context *ctx, const char *file,
	const struct yaml_doc *doc, struct err *e) MUST_USE;
/*
 * The same, but what is wrong does not end it: all mistakes of the document are noted, and
 * warnings, too, which are no reason to refuse it. Policies without a mistake are added.
 */
void policy_parse_all(struct policy_set *set, const struct policy_context *ctx, const char *file,
	const struct yaml_doc *doc, struct findings *ret);
/*
 * Whether apiVersion/kind of the document is one that policy_parse() takes (so that other objects
 * in a file can be told apart): a policy or an object that policies refer to, of any version, a
 * list of them, or a v1 List that holds one. Other objects of a v1 List are passed over.
 */
bool policy_is_kind(const json_t *doc);
/*
 * Other objects lie beside policies in people's manifests and say nothing about policy. -EINVAL for
 * what should have been one: a kind of a policy's API group that is not known, or no object at all.
 */
int policy_check_other(const char *file, const struct yaml_doc *doc, struct err *e) MUST_USE;
void policy_set_done(struct policy_set *set);
/* "CiliumNetworkPolicy/default/l3-rule"; "CiliumClusterwideNetworkPolicy/name". */
void policy_format_name(struct str *out, const struct policy *p);

#endif
