/* SPDX-License-Identifier: Apache-2.0 */
/* Traffic between two workloads for tests that replace the data path under it. */
#include "bpf/traffic.h"

#include "base/fd.h"

enum { STAYING_PORT = 9000, CLOSED_PORT = 9001, FIRST_PORT = 10000, LAST_PORT = 60000 };
enum { SETTLE_TRIES = 40 };

int traffic_policy(struct node *n, uint32_t revision, struct err *e)
{
	struct dp_rule rule[2] = {0}; /* allow, deny */
	struct dp_class class[2] = {{&rule[0], 1}, {&rule[1], 1}};
	const struct dp_class *classes[2] = {&class[0], &class[1]};
	struct dp_slot slot[2] = {{.identity = 300, .base = {[POLICY_INGRESS] = 1}},
		{.identity = 301, .base = {[POLICY_EGRESS] = 1}}};

	for (uint32_t i = 0; i < 2; i++) {
		rule[i].key.prefixlen = RULE_PREFIX_CLASS;
		rule[i].decision.verdict = rule[i].decision.shadow =
			i ? POLICY_DEFAULT_DENY : POLICY_ALLOW;
		rule[i].decision.flags = POLICY_ENFORCED;
		slot[i].class = classes;
		slot[i].classes = 2;
	}
	return datapath_policy_apply(n->dp, slot, 2, revision, NULL, e);
}

void traffic_begin(struct traffic *t, const struct workload *a, const struct workload *b)
{
	*t = (struct traffic){
		.a = a, .b = b, .port = FIRST_PORT, .socket = workload_socket(a, STAYING_PORT)};
}

void traffic_end(struct traffic *t)
{
	fd_closep(&t->socket);
}

void traffic_exchange(struct traffic *t)
{
	SCOPED(fd_closep) int fresh = workload_socket(t->a, t->port);
	int b = t->b->udp;

	t->exchanges++;
	t->lost += !socket_send(t->socket, t->b, TRAFFIC_PORT, b) ||
		   !socket_send(b, t->a, STAYING_PORT, t->socket);
	t->lost += fresh < 0 || !socket_send(fresh, t->b, TRAFFIC_PORT, b) ||
		   !socket_send(b, t->a, t->port, fresh);
	t->port = t->port < LAST_PORT ? t->port + 1 : FIRST_PORT;
}

void traffic_settle(struct traffic *t)
{
	for (int i = 0; i < SETTLE_TRIES; i++) {
		t->exchanges = t->lost = 0;
		traffic_exchange(t);
		if (!t->lost)
			break;
	}
	t->exchanges = t->lost = 0;
}

bool traffic_leaks(const struct traffic *t)
{
	SCOPED(fd_closep) int closed = workload_socket(t->a, CLOSED_PORT);

	return closed < 0 || socket_send(t->b->udp, t->a, CLOSED_PORT, closed);
}
