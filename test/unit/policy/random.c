/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random sets of policies against a second opinion: an evaluator that walks the manifests' JSON for
 * one packet at a time, by addresses and labels, and knows nothing of identities, classes,
 * intervals or prefixes of ports. Also: splitting rules and the order of files change nothing.
 * KILIM_TEST_SEED repeats a run, KILIM_TEST_ROUNDS makes it longer.
 */
#include "opinion.h"

#include <inttypes.h>

#include "base/time.h"

enum { POLICIES_MAX = 6, SAMPLES = 1500 };

static uint64_t random_state;
static size_t seen[3][2]; /* samples by verdict and whether the direction is enforced */

static uint32_t draw(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % n;
}

#define PICK(array) ((array)[draw(ARRAY_SIZE(array))])

static const uint16_t ports[] = {1, 53, 80, 443, 1023, 1024, 2000, 32768, 65535};
static const char *const prefixes[] = {"0.0.0.0/0", "0.0.0.0/1", "10.0.0.0/8", "10.1.0.0/16",
	"10.1.1.0/24", "10.1.1.1/32", "10.2.0.0/15", "::/0", "::/1", "2001:db8::/32",
	"2001:db8:1::/48", "2001:db8:1::1"};
static const char *const addresses[] = {"10.1.1.1", "10.1.1.2", "10.1.2.1", "10.2.0.1", "10.9.0.1",
	"9.9.9.9", "200.1.1.1", "2001:db8:1::1", "2001:db8:1::2", "2001:db8:2::1", "2001:db9::1",
	"fd00::1"};
static const char *const reserved[] = {
	"host", "remote-node", "health", "init", "ingress", "unmanaged", "kube-apiserver"};

/* ---- making policies up ---- */

static json_t *make_expression(bool network)
{
	static const char *const keys[] = {"app", "tier", "k8s:app", "any:app", "container:app",
		"io.kubernetes.pod.namespace", "k8s:io.cilium.k8s.namespace.labels.env",
		"reserved:host"};
	static const char *const values[] = {
		"a", "b", "c", "front", "default", "other", "prod", "x"};
	static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist"};
	uint32_t op = draw(4);
	json_t *e = json_pack("{s:s, s:s}", "key", keys[draw(network ? 2 : ARRAY_SIZE(keys))],
		"operator", operators[op]);

	if (op < 2) {
		json_t *list = json_array();

		for (uint32_t n = 1 + draw(3); n; n--)
			json_array_append_new(list, json_string(PICK(values)));
		json_object_set_new(e, "values", list);
	}
	return e;
}

static json_t *make_selector(bool network)
{
	static const char *const apps[] = {"a", "b", "c"};
	json_t *s = json_object();

	if (draw(2))
		json_object_set_new(s, "matchLabels", json_pack("{s:s}", "app", PICK(apps)));
	if (!draw(3))
		json_object_set_new(
			s, "matchExpressions", json_pack("[o]", make_expression(network)));
	return s;
}

static json_t *make_cidr_set(void)
{
	const char *cidr = PICK(prefixes);
	json_t *set = json_pack("{s:s}", "cidr", cidr), *except = json_array();
	struct prefix outer, inner;

	assert_int_equal(prefix_parse(cidr, true, &outer), 0);
	for (uint32_t n = draw(4); n; n--) {
		const char *e = PICK(prefixes);

		assert_int_equal(prefix_parse(e, true, &inner), 0);
		if (prefix_contains(&outer, &inner))
			json_array_append_new(except, json_string(e));
	}
	json_object_set_new(set, "except", except);
	return set;
}

static void make_peers(json_t *rule, bool in)
{
	static const char *const entities[] = {"all", "world", "cluster", "host", "world-ipv4",
		"kube-apiserver", "remote-node", "init", "none"};
	json_t *list = json_array();
	uint32_t kind = draw(6);

	for (uint32_t n = draw(4); n && kind < 4; n--) {
		json_t *e = kind == 0   ? make_selector(false)
			    : kind == 1 ? json_string(PICK(entities))
			    : kind == 2 ? json_string(PICK(prefixes))
					: make_cidr_set();

		json_array_append_new(list, e);
	}
	if (kind == 0)
		json_object_set(rule, in ? "fromEndpoints" : "toEndpoints", list);
	else if (kind == 1)
		json_object_set(rule, in ? "fromEntities" : "toEntities", list);
	else if (kind == 2)
		json_object_set(rule, in ? "fromCIDR" : "toCIDR", list);
	else if (kind == 3)
		json_object_set(rule, in ? "fromCIDRSet" : "toCIDRSet", list);
	json_decref(list);
}

static json_t *make_port(bool network)
{
	static const char *const protocols[] = {"TCP", "UDP", "SCTP", "ANY", "GRE"};
	const char *protocol = protocols[draw(network ? 3 : 5)];
	json_t *p = json_object();
	char text[8];

	if (draw(4))
		json_object_set_new(p, "protocol", json_string(protocol));
	else
		protocol = "";
	if (strcmp(protocol, "GRE") && draw(8)) {
		uint16_t first = PICK(ports), last = PICK(ports);

		snprintf(text, sizeof(text), "%u", first);
		json_object_set_new(p, "port", network ? json_integer(first) : json_string(text));
		if (last >= first && draw(2))
			json_object_set_new(p, "endPort", json_integer(last));
	}
	return p;
}

static void make_ports(json_t *rule)
{
	uint32_t kind = draw(4);
	json_t *list = json_array();

	for (uint32_t n = draw(4); n && kind; n--) {
		if (kind == 3)
			json_array_append_new(
				list, json_pack("{s:s, s:i}", "family", draw(2) ? "IPv4" : "IPv6",
					      "type", (int)draw(4) * 8));
		else
			json_array_append_new(list, make_port(false));
	}
	if (kind == 3)
		json_object_set_new(rule, "icmps", json_pack("[{s:O}]", "fields", list));
	else if (kind)
		json_object_set_new(rule, "toPorts", json_pack("[{s:O}]", "ports", list));
	json_decref(list);
}

static json_t *make_rules(bool in)
{
	json_t *list = json_array();

	for (uint32_t n = draw(4); n; n--) {
		json_t *rule = json_object();

		make_peers(rule, in);
		make_ports(rule);
		json_array_append_new(list, rule);
	}
	return list;
}

static json_t *make_network_rules(const char *peers)
{
	json_t *list = json_array();

	for (uint32_t n = draw(3); n; n--) {
		json_t *rule = json_object(), *from = json_array(), *to = json_array();

		for (uint32_t k = draw(3); k; k--) {
			uint32_t kind = draw(4);
			json_t *e = json_object();

			if (kind == 3)
				json_object_set_new(e, "ipBlock", make_cidr_set());
			if (kind != 3 && kind)
				json_object_set_new(e, "podSelector", make_selector(true));
			if (kind != 3 && kind != 1)
				json_object_set_new(e, "namespaceSelector",
					draw(2) ? json_pack(
							  "{s:{s:s}}", "matchLabels", "env", "prod")
						: json_pack("{s:[{s:s,s:s,s:[s]}]}",
							  "matchExpressions", "key", "env",
							  "operator", "NotIn", "values", "prod"));
			json_array_append_new(from, e);
		}
		for (uint32_t k = draw(3); k; k--)
			json_array_append_new(to, make_port(true));
		json_object_set_new(rule, peers, from);
		json_object_set_new(rule, "ports", to);
		json_array_append_new(list, rule);
	}
	return list;
}

static json_t *make_policy(uint32_t number)
{
	static const char *const kinds[] = {
		"CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "NetworkPolicy"};
	static const char *const namespaces[] = {"default", "other", "third"};
	const char *kind = PICK(kinds);
	bool network = !strcmp(kind, "NetworkPolicy");
	char name[16];
	json_t *doc, *spec = json_object(), *metadata;

	snprintf(name, sizeof(name), "p%u", number);
	metadata = json_pack("{s:s}", "name", name);
	if (strcmp(kind, kinds[1]))
		json_object_set_new(metadata, "namespace", json_string(PICK(namespaces)));
	doc = json_pack("{s:s, s:s, s:o}", "apiVersion",
		network ? "networking.k8s.io/v1" : "cilium.io/v2", "kind", kind, "metadata",
		metadata);
	if (network) {
		json_object_set_new(spec, "podSelector", make_selector(true));
		json_object_set_new(spec, "ingress", make_network_rules("from"));
		json_object_set_new(spec, "egress", make_network_rules("to"));
		if (draw(2))
			json_object_set_new(spec, "policyTypes",
				draw(2) ? json_pack("[s]", "Egress")
					: json_pack("[s, s]", "Ingress", "Egress"));
	} else {
		json_object_set_new(spec, "endpointSelector", make_selector(false));
		json_object_set_new(spec, "ingress", make_rules(true));
		json_object_set_new(spec, "egress", make_rules(false));
		if (draw(2))
			json_object_set_new(spec, "ingressDeny", make_rules(true));
		if (draw(2))
			json_object_set_new(spec, "egressDeny", make_rules(false));
		if (!draw(3))
			json_object_set_new(spec, "enableDefaultDeny",
				json_pack("{s:b, s:b}", "ingress", (int)draw(2), "egress",
					(int)draw(2)));
	}
	json_object_set_new(doc, "spec", spec);
	return doc;
}

/* ---- the comparison ---- */

static void world_of(struct world *w, json_t *docs)
{
	json_t *doc;
	size_t i;

	world_init(w);
	/* as opinion.h has it */
	w->context.kubernetes_reach = 0;
	w->context.local_cluster = false;
	json_array_foreach(docs, i, doc)
	{
		char *text = json_dumps(doc, 0), file[16];

		snprintf(file, sizeof(file), "%zu.json", i);
		if (world_read(w, file, text) < 0)
			fail_msg("%s\n%s", w->e.text, text);
		free(text);
	}
	if (world_compile(w) < 0)
		fail_msg("%s", w->e.text);
}

static struct party draw_party(struct world *w, bool may_be_address)
{
	uint32_t kind = draw(may_be_address ? 3 : 2);
	struct party p = {0};

	if (kind == 0) {
		const struct workload *wl = &PICK(workloads);

		p.name = wl->name;
	} else if (kind == 1) {
		p.name = PICK(reserved);
	} else {
		p.name = PICK(addresses);
		assert_int_equal(addr_parse(p.name, &p.addr), 0);
	}
	p.labels = identity_find(w->identities, world_number(w, p.name))->labels;
	return p;
}

static void compare(struct world *w, json_t *docs, struct world *split)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP,
		IPPROTO_ICMPV6, IPPROTO_GRE, 99};
	enum policy_direction d = draw(2);
	struct party subject = draw_party(w, false), peer = draw_party(w, true);
	uint8_t protocol = PICK(protocols);
	uint16_t number = (uint16_t)(draw(4) ? PICK(ports) + draw(3) - 1 : draw(65536));
	enum policy_verdict want;
	struct opinion o;
	const struct decision *got;

	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		number = (uint16_t)((draw(5) * 8) << 8 | draw(3));
	want = ask(docs, d, &subject, &peer, protocol, number, &o);
	got = world_decide(w, d, subject.name, peer.name, protocol, number);
	if (got->verdict != want || !(got->flags & POLICY_ENFORCED) != !o.selected) {
		char *text = json_dumps(docs, JSON_INDENT(1));

		fprintf(stderr, "%s\n", text);
		free(text);
		fail_msg("%s: %s with %s, protocol %u port %u: got %u, want %u by%s (enforced %u, "
			 "%d)",
			d ? "egress" : "ingress", subject.name, peer.name, protocol, number,
			got->verdict, want, o.rules[want == POLICY_DENY], got->flags, o.selected);
	}
	seen[want][o.selected]++;
	if (got->rule && got->verdict != POLICY_DEFAULT_DENY) {
		const struct rule_info *info = &w->out->rule[got->rule - 1];
		char name[128];

		snprintf(name, sizeof(name), " %s/%s/%s ", info->policy[0]->kind,
			info->policy[0]->name, info->path);
		if (!strstr(o.rules[want == POLICY_DENY], name)) {
			char *text = json_dumps(docs, JSON_INDENT(1));

			fprintf(stderr, "%s\n", text);
			free(text);
			fail_msg("%s %s with %s, protocol %u port %u: rule%snot among%s",
				d ? "egress" : "ingress", subject.name, peer.name, protocol, number,
				name, o.rules[want == POLICY_DENY]);
		}
	}
	got = world_decide(split, d, subject.name, peer.name, protocol, number);
	assert_int_equal(got->verdict, want);
	free(o.rules[0]);
	free(o.rules[1]);
}

/* The rule once for each item of the list under the key. */
static void split_by(json_t *rules, const char *key, bool inner)
{
	size_t count = json_array_size(rules);

	for (size_t i = 0; i < count; i++) {
		json_t *rule = json_array_get(rules, 0), *list = json_object_get(rule, key), *item;
		size_t k;

		if (inner)
			list = json_object_get(json_array_get(list, 0), "ports");
		json_array_foreach(list, k, item)
		{
			json_t *one = json_deep_copy(rule);
			json_t *value = json_pack("[O]", item);

			if (inner)
				value = json_pack("[{s:o}]", "ports", value);
			json_object_set_new(one, key, value);
			json_array_append_new(rules, one);
		}
		if (!json_array_size(list))
			json_array_append(rules, rule);
		json_array_remove(rules, 0);
	}
}

static json_t *split_docs(json_t *docs)
{
	static const char *const lists[] = {"ingress", "egress", "ingressDeny", "egressDeny"};
	static const char *const keys[] = {"fromEndpoints", "toEndpoints", "fromEntities",
		"toEntities", "fromCIDR", "toCIDR", "fromCIDRSet", "toCIDRSet", "from", "to",
		"ports"};
	json_t *copy = json_deep_copy(docs), *doc;
	size_t i;

	json_array_foreach(copy, i, doc)
	{
		for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
			json_t *rules = json_object_get(json_object_get(doc, "spec"), lists[k]);

			for (size_t n = 0; n < ARRAY_SIZE(keys); n++)
				split_by(rules, keys[n], false);
			split_by(rules, "toPorts", true);
		}
	}
	return copy;
}

static json_t *shuffled(json_t *docs)
{
	json_t *copy = json_copy(docs);

	for (size_t i = json_array_size(copy); i > 1; i--) {
		json_t *moved = json_incref(json_array_get(copy, draw((uint32_t)i)));
		json_t *last = json_incref(json_array_get(copy, i - 1));
		size_t from = 0;

		while (json_array_get(copy, from) != moved)
			from++;
		json_array_set_new(copy, from, last);
		json_array_set_new(copy, i - 1, moved);
	}
	return copy;
}

static void test_random(void **state)
{
	const char *rounds = getenv("KILIM_TEST_ROUNDS"), *seed = getenv("KILIM_TEST_SEED");
	int n = rounds ? atoi(rounds) : 150;

	(void)state;
	random_state = seed ? strtoull(seed, NULL, 0) : time_wall_ns();
	print_message("# KILIM_TEST_SEED=%" PRIu64 "\n", random_state);
	for (int i = 0; i < n; i++) {
		json_t *docs = json_array(), *split, *other;
		struct world w, w_split, w_other;

		for (uint32_t k = 1 + draw(POLICIES_MAX); k; k--)
			json_array_append_new(docs, make_policy(k));
		split = split_docs(docs);
		other = shuffled(docs);
		world_of(&w, docs);
		world_of(&w_split, split);
		world_of(&w_other, other);
		assert_set_same(w.out, w_other.out);
		for (int k = 0; k < SAMPLES; k++)
			compare(&w, docs, &w_split);
		world_done(&w);
		world_done(&w_split);
		world_done(&w_other);
		json_decref(docs);
		json_decref(split);
		json_decref(other);
	}
	/* that it says something: no verdict is rare */
	for (int verdict = 0; verdict < 3; verdict++)
		assert_true(seen[verdict][1] > (size_t)n * SAMPLES / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

	return cmocka_run_group_tests_name("policy random", tests, NULL, NULL);
}
