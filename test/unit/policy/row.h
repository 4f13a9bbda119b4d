/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_POLICY_ROW_H
#define KILIM_TEST_POLICY_ROW_H
/*
 * One row per policy text: checks are "DIRECTION SUBJECT PEER PROTOCOL/PORT VERDICT" divided by
 * ';'. in: to the subject; out: from it. Verdict A allow, D deny rule, N default deny, with
 * Hubble's match type behind it, and '!' where the shadow verdict is another one.
 */
#include "fixture.h"

#include <netinet/in.h>
#include <stdio.h>

#define CNP                                                                                        \
	"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p}\nspec:\n"        \
	"  endpointSelector: {matchLabels: {app: a}}\n"
#define CCNP                                                                                       \
	"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: p}\n"    \
	"spec:\n  endpointSelector: {matchLabels: {app: a}}\n"
#define NP                                                                                         \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec:\n"      \
	"  podSelector: {matchLabels: {app: a}}\n"

struct row {
	const char *name, *text, *checks;
};

static inline uint8_t protocol_of(const char *s)
{
	return !strcmp(s, "tcp")     ? IPPROTO_TCP
	       : !strcmp(s, "udp")   ? IPPROTO_UDP
	       : !strcmp(s, "sctp")  ? IPPROTO_SCTP
	       : !strcmp(s, "icmp")  ? IPPROTO_ICMP
	       : !strcmp(s, "icmp6") ? IPPROTO_ICMPV6
				     : (uint8_t)atoi(s);
}

static inline void check(const struct world *w, const char *text)
{
	char direction[8], subject[64], peer[64], protocol[16], verdict, match, shadow = 0;
	static const char verdicts[] = {'N', 'A', 'D'};
	const struct decision *d;
	unsigned port;

	if (sscanf(text, " %7s %63s %63s %15[^/]/%u %c%c%c", direction, subject, peer, protocol,
		    &port, &verdict, &match, &shadow) < 7)
		fail_msg("bad check: %s", text);
	d = world_decide(w, direction[0] == 'i' ? POLICY_INGRESS : POLICY_EGRESS, subject, peer,
		protocol_of(protocol), (uint16_t)port);
	if (verdicts[d->verdict] != verdict || '0' + d->match != match)
		fail_msg("%s: got %c%u", text, verdicts[d->verdict], d->match);
	if ((d->shadow != d->verdict) != (shadow == '!'))
		fail_msg("%s: shadow verdict %c", text, verdicts[d->shadow]);
	if (!shadow)
		assert_int_equal(d->shadow_rule, 0);
	/* the rule explains the verdict */
	if (d->verdict != POLICY_ALLOW ||
		(d->flags & POLICY_ENFORCED && d->match != POLICY_MATCH_ALL))
		assert_int_not_equal(d->rule, 0);
	if (!(d->flags & POLICY_ENFORCED))
		assert_int_equal(d->rule, 0);
	if (d->rule) {
		const struct rule_info *info = &w->out->rule[d->rule - 1];

		assert_int_equal(info->id, d->rule);
		assert_int_equal(info->kind, d->verdict == POLICY_ALLOW  ? RULE_ALLOW
					     : d->verdict == POLICY_DENY ? RULE_DENY
									 : RULE_DEFAULT_DENY);
		assert_int_equal(
			info->direction, direction[0] == 'i' ? POLICY_INGRESS : POLICY_EGRESS);
		assert_true(info->policies > 0);
	}
}

static inline void run_row(const struct row *row, const char *cluster)
{
	char *checks = strdup(row->checks), *save = NULL;
	struct world w;

	world_init_cluster(&w, cluster);
	if (row->text && world_read(&w, "p.yaml", row->text) < 0)
		fail_msg("%s", w.e.text);
	if (world_compile(&w) < 0)
		fail_msg("%s", w.e.text);
	for (char *c = strtok_r(checks, ";", &save); c; c = strtok_r(NULL, ";", &save))
		check(&w, c);
	free(checks);
	world_done(&w);
}

/* The name of the cluster changes no verdict. */
static inline void test_row(void **state)
{
	static const char *const clusters[] = {"kilim", "default", "c1"};

	for (size_t i = 0; i < ARRAY_SIZE(clusters); i++)
		run_row((const struct row *)*state, clusters[i]);
}

#endif
