/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_AGENT_H
#define KILIM_AGENT_AGENT_H
/* The agent's parts, as wire.c connects them. Each part owns its state; this holds pointers only.
 */
#include <stdbool.h>
#include <stdint.h>

#include "abi/addr.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"

struct conf;
struct loop;
struct loop_source;
struct device;
struct datapath;
struct identities;
struct pool;
struct addresses;
struct endpoints;
struct policies;
struct flows;
struct api_server;
struct manifests;
struct guard;

struct agent {
	const struct conf *conf;
	struct loop *loop;
	struct device *device;
	struct datapath *datapath;
	struct identities *identities;
	struct pool *pool4, *pool6; /* NULL: that family is off */
	struct addr gateway4, gateway6;
	struct addresses *addresses;
	struct endpoints *endpoints;
	struct policies *policies;
	struct flows *flows;
	struct api_server *api, *metrics;
	struct manifests *manifests;
	struct guard *guard; /* assertions; NULL: none are set */
	struct loop_source *sigterm, *sigint, *trim;
	struct hash problems; /* what is wrong now: subject to text, for status */
	int run_lock, state_lock;
	uint64_t started_ns, identities_saved; /* identities_saved: revision that is on disk */
	bool adopted, ready;
};

/* wire.c: open everything in order and connect it; run until a signal; let go without touching the
 * kernel. */
int agent_open(struct agent *a, const struct conf *conf, struct err *e) MUST_USE;
int agent_run(struct agent *a);
void agent_close(struct agent *a);

/* Give memory that a burst of work needed back to the system, soon. */
void agent_trim(struct agent *a);

/* uninstall.c: remove what this instance has in the kernel and on disk. No agent may run on its
 * directories. */
int agent_uninstall(const struct conf *conf, struct err *e) MUST_USE;

/* state.c: directories, their locks, identities on disk, problems. */
int agent_lock(struct agent *a, struct err *e) MUST_USE;
void agent_load_identities(struct agent *a);
/* Write identities.json when they have changed; before a new number goes into the kernel. */
int agent_save_identities(struct agent *a, struct err *e) MUST_USE;
/* Note (and log, once) that something is wrong; text NULL: it is not any more. */
void agent_problem(struct agent *a, const char *subject, const char *text);

/* node.c: addresses of the node have identity host. */
int agent_sync_node_addresses(struct agent *a, struct err *e) MUST_USE;

#endif
