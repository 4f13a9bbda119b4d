/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_SCENARIO_SCENARIO_H
#define KILIM_SCENARIO_SCENARIO_H
/*
 * A scenario: who exists, which policies are in force, and what is asked. One YAML document each;
 * kilim-scenario(5) describes it. Plain data; world.h makes identities and entries of it.
 */
#include "base/hash.h"
#include "codec/yaml.h"
#include "model/identity.h"
#include "model/invariant.h"
#include "model/policy.h"
#include "policy/compile.h"
#include "scenario/traffic.h"

/* What would be the agent's settings. {0} is not usable: scenario_settings_default(). */
struct scenario_settings {
	struct policy_context context; /* its cluster: unless the scenario names one */
	enum policy_enforce enforce;
	bool audit; /* policy-audit-mode */
	bool localhost; /* allow-localhost: the node always reaches its endpoints */
};

struct scenario_settings scenario_settings_default(void);

struct scenario_node {
	const char *name; /* "" for the one of endpoints that name none */
	struct labels labels; /* source node */
	struct addr *addr; /* v4-mapped */
	size_t addrs;
	uint32_t identity; /* as other nodes see it */
	/* what its addresses go by in policies, in their order: elsewhere, and on itself */
	uint32_t *part, *host_part;
};

struct scenario_endpoint {
	const char *name, *namespace;
	struct labels given; /* as written */
	struct addr addr[FAMILIES]; /* all zero for none */
	size_t node; /* index */
	struct named_traffic *port;
	size_t ports;
	struct origin origin;
	struct labels labels; /* of its identity */
	uint32_t identity;
	uint32_t part[FAMILIES]; /* what it goes by in policies */
};

enum end_kind {
	END_ENDPOINT,
	END_ADDRESS, /* outside */
	END_HOST, /* the node of the endpoint at the other end */
	END_REMOTE_NODE, /* a node that the scenario does not name */
	END_NODE,
};

struct scenario_end {
	enum end_kind kind;
	size_t index; /* of the endpoint or node */
	struct addr addr; /* END_ADDRESS */
};

enum scenario_verdict {
	VERDICT_ALLOW,
	VERDICT_DENY,
	VERDICT_AUDIT, /* denied, but passes in audit mode */
	VERDICT_MIXED, /* the families differ */
	VERDICT_NONE, /* not asked, or of no family */
};

const char *scenario_verdict_name(enum scenario_verdict v);

/* Why a direction, or a whole probe, got its verdict. X(NAME, text as probes write it). */
#define BECAUSE_LIST(X)                                                                            \
	X(ALLOW_RULE, "allow-rule")                                                                \
	X(DENY_RULE, "deny-rule")                                                                  \
	X(DEFAULT_DENY, "default-deny")                                                            \
	X(NO_POLICY, "no-policy") /* no policy decides it, so it is allowed */                     \
	X(OWN_NODE, "own-node") /* the node always reaches its endpoints */                        \
	X(SELF, "self") /* an endpoint always reaches itself */                                    \
	X(NO_ENDPOINT, "no-endpoint") /* neither end is one: nothing is judged */                  \
	X(DROPPED, "dropped") /* for a reason that is no policy */

enum because {
#define X(name, text) BECAUSE_##name,
	BECAUSE_LIST(X)
#undef X
		BECAUSE_COUNT,
};

const char *because_name(enum because b);

/* Truth table of all endpoints: expect[column][row * endpoints + column of the table], or NULL. */
struct scenario_matrix {
	struct traffic *traffic;
	size_t columns;
	uint8_t **expect; /* enum scenario_verdict */
};

struct scenario_probe {
	struct scenario_end from, to;
	struct traffic traffic;
	unsigned families; /* bit per enum family: asked for, of those that both ends have */
	enum scenario_verdict expect;
	int because; /* enum because; -1: any reason will do */
	struct scenario_matrix *matrix; /* the probe is a whole table: nothing above counts */
	int line;
};

struct scenario {
	struct arena mem;
	const char *file; /* as in messages */
	int line;
	struct scenario_settings settings;
	struct policy_namespace *namespace;
	size_t namespaces;
	struct scenario_node *node; /* the nameless one last */
	size_t nodes;
	struct scenario_endpoint *endpoint;
	size_t endpoints;
	struct hash endpoint_by_name, node_by_name; /* to index + 1 */
	struct hash owner; /* struct addr to struct scenario_end, of endpoints and nodes */
	struct policy_set set;
	struct invariants invariants;
	struct scenario_probe *probe;
	size_t probes;
	struct scenario_matrix matrix; /* what `kilim policy matrix` shows */
};

/*
 * The scenario of a document. file is what messages say; directory is where the paths of policies
 * start. On failure e says "file:line:column: field: what".
 */
int scenario_parse(const struct scenario_settings *settings, const char *file,
	const char *directory, const struct yaml_doc *doc, struct scenario *ret,
	struct err *e) MUST_USE;
void scenario_done(struct scenario *s); /* for SCOPED too */
/* Without a scenario: nobody, and the policies of a file or directory. */
int scenario_of_policies(const struct scenario_settings *settings, const char *path,
	struct scenario *ret, struct err *e) MUST_USE;

/* x/a, world:ADDRESS, host, remote-node, node:NAME. -EINVAL says what is wrong, and what was meant.
 */
int scenario_end_parse(const struct scenario *s, const char *text, struct scenario_end *ret,
	struct err *e) MUST_USE;
/*
 * The same, and what only a command line says: an address, of whoever has it, or labels such as
 * x/app=web,tier=front with their namespace in front (or as io.kubernetes.pod.namespace among
 * them; else default). Labels become an endpoint of the scenario, so this is done before
 * world_make().
 */
int scenario_end_resolve(
	struct scenario *s, const char *text, struct scenario_end *ret, struct err *e) MUST_USE;
void scenario_end_format(struct str *out, const struct scenario *s, const struct scenario_end *end);
/* The address of an end in a family, as the endpoint at the other end sees it; all zero for none.
 */
struct addr scenario_end_addr(const struct scenario *s, const struct scenario_end *end,
	const struct scenario_end *other, enum family f);
/* The families that both ends have and the traffic exists in, a bit each. */
unsigned scenario_families(const struct scenario *s, const struct scenario_end *from,
	const struct scenario_end *to, const struct traffic *t);

#endif
