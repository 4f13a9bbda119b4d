/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_POLICY_MADE_UP_H
#define KILIM_TEST_POLICY_MADE_UP_H
/*
 * Policies made up at random for the world of fixture.h: all kinds with tiers, orders, deny rules,
 * shadow and named ports, from few words, so that rules meet each other often.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/time.h"
#include "fixture.h"

static uint64_t random_state;

static inline uint32_t draw(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % n;
}

#define PICK(array) ((array)[draw(ARRAY_SIZE(array))])

static inline void random_begin(void)
{
	const char *seed = getenv("KILIM_TEST_SEED");

	random_state = seed ? strtoull(seed, NULL, 0) : time_wall_ns();
	print_message("# KILIM_TEST_SEED=%" PRIu64 "\n", random_state);
}

static const char *const made_prefixes[] = {"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24",
	"10.64.0.0/10", "10.0.0.0/9", "10.128.0.0/9", "::/0", "fd00::/64", "2001:db8::/32"};
static const char *const made_namespaces[] = {"default", "other", "third"};

static inline void make_selector(struct str *out, bool endpoints)
{
	static const char *const selectors[] = {"{}", "{matchLabels: {app: a}}",
		"{matchLabels: {app: b}}", "{matchLabels: {app: a, tier: front}}",
		"{matchExpressions: [{key: app, operator: In, values: [a, b]}]}",
		"{matchExpressions: [{key: app, operator: NotIn, values: [a]}]}",
		"{matchExpressions: [{key: app, operator: NotIn, values: [a, c]}]}",
		"{matchExpressions: [{key: tier, operator: Exists}]}",
		"{matchExpressions: [{key: tier, operator: DoesNotExist}]}",
		"{matchExpressions: [{key: app, operator: In, values: [a]}, {key: app, operator: "
		"NotIn, values: [a]}]}",
		/* of Cilium's kinds only, from here on */
		"{matchLabels: {'k8s:app': a}}",
		"{matchLabels: {'k8s:io.kubernetes.pod.namespace': "
		"other}}",
		"{matchExpressions: [{key: 'k8s:io.kubernetes.pod.namespace', operator: Exists}]}",
		"{matchExpressions: [{key: 'container:app', operator: Exists}]}",
		"{matchExpressions: [{key: 'reserved:host', operator: DoesNotExist}]}"};
	enum { PLAIN = 10 };

	str_add(out, selectors[draw(endpoints ? ARRAY_SIZE(selectors) : PLAIN)]);
}

static inline void make_cidr_set(struct str *out, const char *key)
{
	const char *cidr = PICK(made_prefixes);
	struct prefix outer, inner;
	bool first = true;

	assert_int_equal(prefix_parse(cidr, true, &outer), 0);
	str_printf(out, "{%s: '%s', except: [", key, cidr);
	for (uint32_t n = draw(3); n; n--) {
		const char *e = PICK(made_prefixes);

		assert_int_equal(prefix_parse(e, true, &inner), 0);
		if (prefix_contains(&outer, &inner)) {
			str_printf(out, "%s'%s'", first ? "" : ", ", e);
			first = false;
		}
	}
	str_add(out, "]}");
}

static inline void make_cilium_peers(struct str *out, bool in)
{
	static const char *const entities[] = {
		"all", "world", "cluster", "host", "remote-node", "world-ipv4", "none"};
	static const char *const fields[][2] = {{"fromEndpoints", "toEndpoints"},
		{"fromEntities", "toEntities"}, {"fromCIDR", "toCIDR"},
		{"fromCIDRSet", "toCIDRSet"}, {"fromNodes", "toNodes"}};
	uint32_t kind = draw(7);

	if (kind >= ARRAY_SIZE(fields))
		return;
	str_printf(out, ", %s: [", fields[kind][!in]);
	for (uint32_t n = draw(5) ? 1 + draw(2) : 0, i = 0; i < n; i++) {
		str_add(out, i ? ", " : "");
		if (kind == 0)
			make_selector(out, true);
		else if (kind == 1)
			str_add(out, PICK(entities));
		else if (kind == 2)
			str_printf(out, "'%s'", PICK(made_prefixes));
		else if (kind == 3)
			make_cidr_set(out, "cidr");
		else
			str_add(out, draw(2) ? "{}" : "{matchLabels: {zone: a}}");
	}
	str_add(out, "]");
}

static inline void make_cilium_ports(struct str *out)
{
	static const char *const ports[] = {"{port: '80', protocol: TCP}", "{port: '80'}",
		"{port: '53', protocol: UDP}", "{port: '1', endPort: 1023, protocol: TCP}",
		"{protocol: TCP}", "{port: '0'}", "{port: web, protocol: TCP}", "{port: web}",
		"{port: '1024', endPort: 65535, protocol: TCP}", "{protocol: GRE}"};
	uint32_t kind = draw(8);

	if (kind == 0)
		str_printf(out, ", icmps: [{fields: [{type: %u, family: IPv%u}]}]", draw(2) * 8,
			draw(2) ? 4u : 6u);
	if (kind < 3)
		return;
	str_add(out, ", toPorts: [{ports: [");
	for (uint32_t n = 1 + draw(2), i = 0; i < n; i++)
		str_printf(out, "%s%s", i ? ", " : "", PICK(ports));
	str_add(out, "]}]");
}

static inline void make_cilium_rules(struct str *out, const char *list, bool in, bool ordered)
{
	str_printf(out, "  %s:\n", list);
	for (uint32_t n = 1 + draw(3); n; n--) {
		str_add(out, "    - {description: x");
		out->len -= strlen("description: x");
		if (ordered && draw(4))
			str_printf(out, "order: %u", draw(3));
		else
			str_add(out, "order: null");
		make_cilium_peers(out, in);
		make_cilium_ports(out);
		str_add(out, "}\n");
	}
}

static inline void make_cilium(struct str *out, uint32_t number)
{
	static const char *const lists[] = {"ingress", "egress", "ingressDeny", "egressDeny"};
	bool clusterwide = !draw(3), ordered = !draw(3);
	uint32_t must = draw(ARRAY_SIZE(lists));

	str_printf(out, "apiVersion: cilium.io/v2\nkind: %s\nmetadata: {name: p%u%s%s}\nspec:\n",
		clusterwide ? "CiliumClusterwideNetworkPolicy" : "CiliumNetworkPolicy", number,
		clusterwide ? "" : ", namespace: ", clusterwide ? "" : PICK(made_namespaces));
	str_add(out, "  endpointSelector: ");
	make_selector(out, true);
	str_printf(out, "\n%s", draw(8) ? "" : "  mode: shadow\n");
	for (uint32_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (i == must || draw(2))
			make_cilium_rules(out, lists[i], !(i & 1), ordered);
	}
}

static inline void make_network_rules(struct str *out, const char *list, const char *peers)
{
	static const char *const ports[] = {"{port: 80}", "{port: 53, protocol: UDP}",
		"{port: web}", "{port: 1, endPort: 1023}", "{protocol: TCP}"};

	str_printf(out, "  %s:\n", list);
	for (uint32_t n = 1 + draw(3); n; n--) {
		str_printf(out, "    - {%s: [", peers);
		for (uint32_t k = draw(3), i = 0; i < k; i++) {
			str_printf(out, "%s{", i ? ", " : "");
			if (!draw(4)) {
				str_add(out, "ipBlock: ");
				make_cidr_set(out, "cidr");
			} else {
				str_add(out, "podSelector: ");
				make_selector(out, false);
				str_add(out, draw(2) ? "" : ", namespaceSelector: {}");
			}
			str_add(out, "}");
		}
		str_add(out, "], ports: [");
		for (uint32_t k = draw(3), i = 0; i < k; i++)
			str_printf(out, "%s%s", i ? ", " : "", PICK(ports));
		str_add(out, "]}\n");
	}
}

static inline void make_network(struct str *out, uint32_t number)
{
	str_printf(out,
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p%u, "
		"namespace: %s}\nspec:\n  podSelector: ",
		number, PICK(made_namespaces));
	make_selector(out, false);
	str_add(out, "\n");
	make_network_rules(out, "ingress", "from");
	if (draw(2))
		make_network_rules(out, "egress", "to");
}

static inline void make_tier_rules(struct str *out, const char *list, const char *peers)
{
	static const char *const actions[] = {"Accept", "Deny", "Pass"};
	static const char *const protocols[] = {"", ", protocols: [{tcp: {}}]",
		", protocols: [{tcp: {destinationPort: {number: 80}}}]",
		", protocols: [{udp: {destinationPort: {range: {start: 50, end: 60}}}}]",
		", protocols: [{destinationNamedPort: web}]"};

	str_printf(out, "  %s:\n", list);
	for (uint32_t n = 1 + draw(3); n; n--) {
		str_printf(out, "    - {action: %s, %s: [", PICK(actions), peers);
		if (*peers == 't' && !draw(3)) {
			str_printf(out, "{networks: ['%s']}", PICK(made_prefixes));
		} else if (draw(2)) {
			str_add(out, "{pods: {namespaceSelector: {}, podSelector: ");
			make_selector(out, false);
			str_add(out, "}}");
		} else {
			str_add(out, draw(2) ? "{namespaces: {}}"
					     : "{namespaces: {matchLabels: {env: prod}}}");
		}
		str_add(out, "]");
		/* only pods call their ports by names */
		str_add(out,
			strstr(str_text(out), "networks") ? protocols[draw(4)] : PICK(protocols));
		str_add(out, "}\n");
	}
}

static inline void make_tier(struct str *out, uint32_t number)
{
	str_printf(out,
		"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
		"metadata: {name: p%u}\nspec:\n  tier: %s\n  priority: %u\n  subject: %s\n",
		number, draw(3) ? "Admin" : "Baseline", draw(3),
		draw(2) ? "{namespaces: {}}" : "{namespaces: {matchLabels: {env: prod}}}");
	if (draw(2))
		make_tier_rules(out, "ingress", "from");
	else
		make_tier_rules(out, "egress", "to");
}

/* Up to so many policies, a document each. */
static inline void make_policies(struct str *out, uint32_t most)
{
	for (uint32_t n = 1 + draw(most); n; n--) {
		uint32_t kind = draw(5);

		str_add(out, "---\n");
		if (kind < 2)
			make_cilium(out, n);
		else if (kind == 2)
			make_network(out, n);
		else
			make_tier(out, n);
	}
}

#endif
