/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings about policies: cases by hand, and at random that no verdict changes when a rule is
 * taken away that is called useless. KILIM_TEST_SEED repeats a run, KILIM_TEST_ROUNDS makes it
 * longer.
 */
#include "policy/lint.h"

#include "made_up.h"

/* ---- by hand ---- */

#define CNP(spec)                                                                                  \
	"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p}\nspec:\n"        \
	"  endpointSelector: {}\n" spec
#define OTHER(name, spec)                                                                          \
	"---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: " name         \
	"}\nspec:\n  endpointSelector: {matchLabels: {app: a}}\n" spec
#define TIER(name, tier, rules)                                                                    \
	"---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"         \
	"metadata: {name: " name "}\nspec:\n  tier: " tier "\n  priority: 1\n"                     \
	"  subject: {namespaces: {}}\n  ingress:\n" rules
#define NP(spec)                                                                                   \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec:\n"      \
	"  podSelector: {}\n" spec
#define WEB    "toPorts: [{ports: [{port: '80', protocol: TCP}]}]"
#define LOW    "toPorts: [{ports: [{port: '1', endPort: 1023, protocol: TCP}]}]"
#define FROM_A "fromEndpoints: [{matchLabels: {app: a}}]"
#define FROM_B "fromEndpoints: [{matchLabels: {app: b}}]"

/* says: all findings, a line each: SEVERITY LINE FIELD: MESSAGE. */
static const struct {
	const char *text, *says;
	bool scenario; /* who there is is known */
} cases[] = {
	/* an allow rule that a deny rule takes everything from */
	{CNP("  ingress:\n  - {" FROM_A ", " WEB "}\n  ingressDeny:\n  - {" FROM_A "}\n"),
		"warning 7 spec.ingress[0]: allows nothing: CiliumNetworkPolicy/default/p "
		"ingressDeny[0] (p.yaml:9) denies all of it, and goes before it\n",
		false},
	{CNP("  ingress:\n  - {" FROM_A ", " WEB "}\n  ingressDeny:\n  - {" LOW "}\n"),
		"warning 7 spec.ingress[0]: allows nothing: CiliumNetworkPolicy/default/p "
		"ingressDeny[0] (p.yaml:9) denies all of it, and goes before it\n",
		false},
	/* of another policy; for the endpoints of this one only in that direction */
	{CNP("  ingressDeny:\n  - {" FROM_A "}\n") OTHER("q", "  ingress:\n  - {" FROM_A "}\n"),
		"warning 15 spec.ingress[0]: allows nothing: CiliumNetworkPolicy/default/p "
		"ingressDeny[0] (p.yaml:7) denies all of it, and goes before it\n",
		false},
	{CNP("  ingress:\n  - {" FROM_A "}\n") OTHER("q", "  ingressDeny:\n  - {" FROM_A "}\n"), "",
		false},
	/* not all of it */
	{CNP("  ingress:\n  - {" FROM_A "}\n  ingressDeny:\n  - {" FROM_A ", " WEB "}\n"), "",
		false},
	{CNP("  ingress:\n  - {" FROM_A "}\n  ingressDeny:\n  - {" FROM_B "}\n"), "", false},
	{CNP("  ingress:\n  - {" FROM_A "}\n  egressDeny:\n  - {toEndpoints: [{}]}\n"), "", false},
	{CNP("  ingress:\n  - fromCIDR: [192.0.2.0/24]\n  ingressDeny:\n  - fromCIDRSet: [{cidr: "
	     "192.0.0.0/16, except: [192.0.2.128/25]}]\n"),
		"", false},
	{CNP("  ingress:\n  - fromCIDR: [192.0.2.0/24]\n  ingressDeny:\n  - fromCIDRSet: [{cidr: "
	     "192.0.0.0/16, except: [192.0.3.0/24]}]\n"),
		"warning 7 spec.ingress[0]: allows nothing: CiliumNetworkPolicy/default/p "
		"ingressDeny[0] (p.yaml:9) denies all of it, and goes before it\n",
		false},
	/* twice the same; one inside another; policies of several people are left alone */
	{CNP("  ingress:\n  - {" FROM_A "}\n  - {" FROM_A "}\n"),
		"warning 8 spec.ingress[1]: adds nothing: CiliumNetworkPolicy/default/p ingress[0] "
		"(p.yaml:7) says all of it\n",
		false},
	{CNP("  ingress:\n  - {" FROM_A ", " WEB "}\n  - {" FROM_A ", " LOW "}\n"),
		"warning 7 spec.ingress[0]: adds nothing: CiliumNetworkPolicy/default/p ingress[1] "
		"(p.yaml:8) says all of it\n",
		false},
	{CNP("  ingress:\n  - {" FROM_A "}\n")
			OTHER("q", "  ingress:\n  - {" FROM_A ", " WEB "}\n"),
		"", false},
	/* orders */
	{CNP("  ingress:\n  - {order: 1, " FROM_A "}\n  ingressDeny:\n  - {order: 2, " FROM_A
	     ", " WEB "}\n"),
		"warning 9 spec.ingressDeny[0]: decides nothing: CiliumNetworkPolicy/default/p "
		"ingress[0] (p.yaml:7) allows all of it, and goes before it\n",
		false},
	{CNP("  ingress:\n  - {order: 1, " FROM_A "}\n  - {order: 2, " FROM_A ", " WEB "}\n"),
		"warning 8 spec.ingress[1]: is never reached: CiliumNetworkPolicy/default/p "
		"ingress[0] "
		"(p.yaml:7) comes first and fits all of it\n",
		false},
	{CNP("  ingress:\n  - {order: 1, " FROM_A ", " WEB
	     "}\n  ingressDeny:\n  - {order: 2, " FROM_A "}\n"),
		"", false},
	/* tiers */
	{TIER("t", "Admin",
		 "  - {action: Deny, from: [{namespaces: {}}]}\n  - {action: Accept, from: [{pods: "
		 "{namespaceSelector: {}, podSelector: {matchLabels: {app: a}}}}]}\n"),
		"warning 11 spec.ingress[1]: allows nothing: ClusterNetworkPolicy/t ingress[0] "
		"(p.yaml:10) denies all of it, and goes before it\n",
		false},
	{TIER("t", "Admin",
		 "  - {action: Deny, from: [{namespaces: {}}]}\n  - {action: Deny, from: [{pods: "
		 "{namespaceSelector: {}, podSelector: {matchLabels: {app: a}}}}]}\n"),
		"warning 11 spec.ingress[1]: is never reached: ClusterNetworkPolicy/t ingress[0] "
		"(p.yaml:10) comes first and fits all of it\n",
		false},
	{CNP("  ingress:\n  - {" FROM_A "}\n")
			TIER("t", "Admin", "  - {action: Deny, from: [{namespaces: {}}]}\n"),
		"warning 7 spec.ingress[0]: allows nothing: ClusterNetworkPolicy/t ingress[0] "
		"(p.yaml:17) denies all of it, and goes before it\n",
		false},
	{CNP("  ingress:\n  - {" FROM_A "}\n") TIER("t", "Admin",
		 "  - {action: Pass, from: [{namespaces: {}}]}\n  - {action: Deny, "
		 "from: [{namespaces: {}}]}\n"),
		"warning 18 spec.ingress[1]: decides nothing: ClusterNetworkPolicy/t ingress[0] "
		"(p.yaml:17) passes all of it, and goes before it\n",
		false},
	/* shadow policies stand beside */
	{CNP("  mode: shadow\n  ingressDeny:\n  - {" FROM_A "}\n")
			OTHER("q", "  ingress:\n  - {" FROM_A "}\n"),
		"", false},
	/* selectors that contradict themselves */
	{CNP("  ingress:\n  - fromEndpoints: [{matchExpressions: [{key: app, operator: In, values: "
	     "[a]}, {key: app, operator: NotIn, values: [a]}]}]\n"),
		"warning 4 spec: every rule means nobody, so it only denies by default\n"
		"warning 7 spec.ingress[0]: asks for any:app=a and any:app notin (a), which nobody "
		"has "
		"both\n",
		false},
	{CNP("  ingress:\n  - fromEndpoints: [{matchLabels: {'k8s:app': a}, matchExpressions: "
	     "[{key: "
	     "'k8s:app', operator: In, values: [b]}]}, {}]\n"),
		"warning 7 spec.ingress[0]: asks for k8s:app=a and k8s:app=b, which nobody has "
		"both\n",
		false},
	{CNP("  ingress:\n  - fromEndpoints: [{matchLabels: {app: a}, matchExpressions: [{key: "
	     "app, "
	     "operator: In, values: [b]}]}]\n"),
		"hint 7 spec.ingress[0]: asks for any:app=a and any:app=b, which only an endpoint "
		"with labels of two sources has both\n",
		false},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p}\nspec:\n"
	 "  endpointSelector: {matchLabels: {io.kubernetes.pod.namespace: x}}\n  ingress: [{}]\n",
		"warning 4 spec.endpointSelector: asks for k8s:io.kubernetes.pod.namespace=x and "
		"k8s:io.kubernetes.pod.namespace=default, which nobody has both\n",
		false},
	/* excepts */
	{CNP("  egress:\n  - toCIDRSet: [{cidr: 192.0.2.0/24, except: [192.0.2.0/25, "
	     "192.0.2.128/25]}, {cidr: 192.0.0.0/24}]\n"),
		"warning 7 spec.egress[0]: the excepts take away all of 192.0.2.0/24\n", false},
	/* a CIDR of pods */
	{CNP("  egress:\n  - toCIDR: [10.0.0.2/32]\n"),
		"warning 7 spec.egress[0]: 10.0.0.2/32 is inside 10.0.0.0/8, which is of pods or "
		"nodes, "
		"and here a CIDR never means these\n",
		false},
	{CNP("  egress:\n  - toCIDR: [0.0.0.0/0]\n"), "", false},
	{NP("  ingress:\n  - from: [{ipBlock: {cidr: 10.0.0.0/24}}]\n"), "", false},
	/* {} is the way to deny by default */
	{CNP("  ingress: [{}]\n"), "", false},
	/* DNS */
	{CNP("  egress:\n  - {toEndpoints: [{}], " WEB "}\n"),
		"hint 4 spec.egress: denies egress by default, and no policy allows DNS (port "
		"53)\n",
		false},
	{CNP("  egress:\n  - {toEndpoints: [{}], " WEB "}\n") OTHER(
		 "q", "  egress:\n  - {toEntities: [world], toPorts: [{ports: [{port: '53'}]}]}\n"),
		"", false},
	{CNP("  egress:\n  - toEndpoints: [{}]\n"), "", false},
	/* who there is */
	{CNP("  ingress:\n  - fromEndpoints: [{matchLabels: {app: nix}}]\n  - {" FROM_A
	     ", toPorts: [{ports: [{port: nix}, {port: web}]}]}\n"),
		"warning 7 spec.ingress[0]: the selector "
		"any:app=nix,k8s:io.cilium.k8s.policy.cluster=kilim,k8s:io.kubernetes.pod."
		"namespace=default means nobody that there is\n"
		"warning 8 spec.ingress[1]: no endpoint that is selected calls a port \"nix\"\n",
		true},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p}\nspec:\n"
	 "  endpointSelector: {matchLabels: {app: nix}}\n  ingress: [{}]\n",
		"warning 4 spec.endpointSelector: selects no endpoint that there is\n", true},
	/* twice the same name */
	{CNP("  ingress: [{}]\n") "---\n" CNP("  ingress: [{}]\n"),
		"error 8 metadata.name: CiliumNetworkPolicy/default/p is in p.yaml:1, too\n",
		false},
};

static void test_cases(void **state)
{
	struct prefix pods;

	(void)state;
	assert_int_equal(prefix_parse("10.0.0.0/8", false, &pods), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		SCOPED(findings_done) struct findings found = {0};
		SCOPED(str_done) struct str says = {0};
		struct lint_options o = {&pods, 1, NULL};
		struct world w;

		world_init(&w);
		if (world_read(&w, "p.yaml", cases[i].text) < 0)
			fail_msg("%s\n%s", w.e.text, cases[i].text);
		o.identities = cases[i].scenario ? w.identities : NULL;
		lint(&w.set, &o, &found);
		findings_sort(&found);
		for (size_t k = 0; k < found.count; k++) {
			const struct finding *f = &found.finding[k];

			assert_true(*f->hint != 0 && f->column > 0);
			str_printf(&says, "%s %d %s: %s\n", finding_severity_name(f->severity),
				f->line, f->field, f->message);
		}
		if (strcmp(str_text(&says), cases[i].says) != 0)
			fail_msg("%s\nsays:\n%s\nnot:\n%s", cases[i].text, str_text(&says),
				cases[i].says);
		world_done(&w);
	}
}

/* ---- at random ---- */

static const struct {
	uint8_t protocol;
	uint16_t port;
} samples[] = {{6, 1}, {6, 53}, {6, 80}, {6, 81}, {6, 1023}, {6, 1024}, {6, 8080}, {6, 8081},
	{6, 65535}, {17, 50}, {17, 53}, {17, 60}, {17, 61}, {17, 80}, {132, 53}, {132, 80},
	{132, 1}, {1, 0}, {1, 8 << 8}, {58, 0}, {58, 8 << 8}, {47, 0}, {50, 0}};

/* Everybody that the whole set tells apart. */
static uint32_t everybody[256];
static size_t bodies;

static void gather(const struct world *w)
{
	assert_true(w->out->slots <= ARRAY_SIZE(everybody));
	for (bodies = 0; bodies < w->out->slots; bodies++)
		everybody[bodies] = w->out->slot[bodies].identity;
}

/* What each says to each, one after the other. */
static void verdicts(const struct world *w, struct str *out)
{
	for (size_t i = 0; i < bodies; i++) {
		const struct compiled_slot *s = world_slot(w, everybody[i]);

		for (size_t n = 0; n < bodies; n++) {
			for (size_t k = 0; k < 2 * ARRAY_SIZE(samples); k++) {
				const struct decision *d = compiled_lookup(s, k & 1, everybody[n],
					samples[k / 2].protocol, samples[k / 2].port);
				const char c[] = {
					(char)('0' + d->verdict), (char)('0' + d->shadow)};

				str_addn(out, c, sizeof(c));
			}
		}
	}
}

/* Without one rule, and with it again. */
static void check_pair(
	struct world *w, const struct lint_pair *x, const struct str *before, const char *policies)
{
	struct policy_spec *s = (struct policy_spec *)x->rule.spec;
	struct rule *at = (struct rule *)x->rule.rule, kept = *at;
	size_t behind = (size_t)(s->rule + s->rules - at) - 1;
	SCOPED(str_done) struct str after = {0}, name = {0}, by = {0};

	memmove(at, at + 1, behind * sizeof(*at));
	s->rules--;
	assert_int_equal(world_compile(w), 0);
	verdicts(w, &after);
	memmove(at + 1, at, behind * sizeof(*at));
	*at = kept;
	s->rules++;
	if (after.len == before->len && !memcmp(after.text, before->text, after.len))
		return;
	policy_format_name(&name, x->rule.policy);
	policy_format_name(&by, x->by.policy);
	fail_msg("%s %s decides something beside %s %s (%d)\n%s", str_text(&name), kept.path,
		str_text(&by), x->by.rule == at ? kept.path : x->by.rule->path, (int)x->why,
		policies);
}

static void test_random(void **state)
{
	const char *rounds = getenv("KILIM_TEST_ROUNDS");
	size_t n = rounds ? (size_t)atoi(rounds) : 60, seen[3] = {0};

	(void)state;
	random_begin();
	for (size_t i = 0; i < n; i++) {
		SCOPED(str_done) struct str policies = {0}, before = {0};
		SCOPED(freep) struct lint_pair *pair = NULL;
		size_t pairs;
		struct world w;

		make_policies(&policies, 8);
		world_init(&w);
		if (world_read(&w, "p.yaml", str_text(&policies)) < 0)
			fail_msg("%s\n%s", w.e.text, str_text(&policies));
		assert_int_equal(world_compile(&w), 0);
		gather(&w);
		verdicts(&w, &before);
		pairs = lint_useless_rules(&w.set, &pair);
		for (size_t k = 0; k < pairs && k < 6; k++) {
			const struct lint_pair *x = &pair[(k + i) % pairs];

			check_pair(&w, x, &before, str_text(&policies));
			seen[x->why]++;
		}
		world_done(&w);
	}
	/* that it says something */
	assert_true(seen[LINT_OVERRULED] && seen[LINT_UNREACHABLE] && seen[LINT_DUPLICATE]);
	print_message(
		"# %zu overruled, %zu unreachable, %zu duplicates\n", seen[0], seen[1], seen[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases), cmocka_unit_test(test_random)};

	return cmocka_run_group_tests_name("policy lint", tests, NULL, NULL);
}
