/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random sets of policies against a second opinion: an evaluator that walks the manifests' JSON for
 * one packet at a time, by addresses and labels, and knows nothing of identities, classes,
 * intervals or prefixes of ports. Also: splitting rules and the order of files change nothing.
 * KILIM_TEST_SEED repeats a run, KILIM_TEST_ROUNDS makes it longer.
 */
#include "fixture.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>

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

/* A peer or subject as the evaluator sees it. */
struct party {
	const char *name; /* for world_number() */
	struct labels labels;
	struct addr addr; /* all zero for those that are no addresses */
};

/* ---- the second opinion ---- */

static bool party_has(const struct party *p, const char *key, const char *value)
{
	const char *colon = strchr(key, ':');

	for (size_t i = 0; i < p->labels.count; i++) {
		const struct label *l = &p->labels.label[i];

		if (colon && strncmp(key, "any:", 4) &&
			(strlen(l->source) != (size_t)(colon - key) ||
				strncmp(key, l->source, strlen(l->source))))
			continue;
		if (!strcmp(l->key, colon ? colon + 1 : key) &&
			(!value || !strcmp(value, l->value)))
			return true;
	}
	return false;
}

static bool says_selector(json_t *s, const struct party *p)
{
	json_t *labels = json_object_get(s, "matchLabels"), *value, *e;
	const char *key;
	size_t i, k;

	json_object_foreach(labels, key, value)
	{
		if (!party_has(p, key, json_string_value(value)))
			return false;
	}
	json_array_foreach(json_object_get(s, "matchExpressions"), i, e)
	{
		const char *op = json_string_value(json_object_get(e, "operator"));
		bool in = false;

		key = json_string_value(json_object_get(e, "key"));
		json_array_foreach(json_object_get(e, "values"), k, value) in |=
			party_has(p, key, json_string_value(value));
		if (!strcmp(op, "Exists") || !strcmp(op, "DoesNotExist"))
			in = party_has(p, key, NULL);
		if (in != (!strcmp(op, "In") || !strcmp(op, "Exists")))
			return false;
	}
	return true;
}

/* Whether a key of the selector holds the word. */
static bool selector_names(json_t *s, const char *word)
{
	json_t *value, *e;
	const char *key;
	size_t i;

	json_object_foreach(json_object_get(s, "matchLabels"), key, value)
	{
		if (strstr(key, word))
			return true;
	}
	json_array_foreach(json_object_get(s, "matchExpressions"), i, e)
	{
		if (strstr(json_string_value(json_object_get(e, "key")), word))
			return true;
	}
	return false;
}

static const char *policy_namespace(json_t *doc)
{
	return json_string_value(json_object_get(json_object_get(doc, "metadata"), "namespace"));
}

static bool in_namespace(const struct party *p, const char *namespace)
{
	return party_has(p, "k8s:io.kubernetes.pod.namespace", namespace);
}

static bool says_endpoints(json_t *s, const struct party *p, const char *namespace)
{
	if (!says_selector(s, p))
		return false;
	if (selector_names(s, "reserved:") || selector_names(s, "io.kubernetes.pod.namespace") ||
		selector_names(s, "namespace.labels"))
		return true;
	return in_namespace(p, namespace);
}

static bool says_entity(const char *entity, const struct party *p)
{
	bool pod = party_has(p, "k8s:io.cilium.k8s.policy.cluster", NULL);
	bool address = !addr_is_zero(&p->addr);
	char key[64];

	if (!strcmp(entity, "all"))
		return true;
	if (!strcmp(entity, "world"))
		return address;
	if (!strcmp(entity, "cluster"))
		return !address;
	if (!strcmp(entity, "world-ipv4"))
		return address && addr_is_v4(&p->addr);
	snprintf(key, sizeof(key), "reserved:%s", entity);
	return !pod && party_has(p, key, NULL);
}

static bool says_cidr(const char *cidr, const struct party *p)
{
	struct prefix x;

	assert_int_equal(prefix_parse(cidr, true, &x), 0);
	return !addr_is_zero(&p->addr) && prefix_has(&x, &p->addr);
}

static bool says_cidr_set(json_t *set, const struct party *p)
{
	json_t *e;
	size_t i;

	if (!says_cidr(json_string_value(json_object_get(set, "cidr")), p))
		return false;
	json_array_foreach(json_object_get(set, "except"), i, e)
	{
		if (says_cidr(json_string_value(e), p))
			return false;
	}
	return true;
}

/* 1: a peer field is there and names p; 0: is there and does not; -1: there is none. */
static int says_peers(json_t *rule, const struct party *p, bool in, const char *namespace)
{
	json_t *endpoints = json_object_get(rule, in ? "fromEndpoints" : "toEndpoints");
	json_t *entities = json_object_get(rule, in ? "fromEntities" : "toEntities");
	json_t *cidr = json_object_get(rule, in ? "fromCIDR" : "toCIDR");
	json_t *sets = json_object_get(rule, in ? "fromCIDRSet" : "toCIDRSet");
	json_t *e;
	size_t i;

	json_array_foreach(endpoints, i, e)
	{
		if (says_endpoints(e, p, namespace))
			return 1;
	}
	json_array_foreach(entities, i, e)
	{
		if (says_entity(json_string_value(e), p))
			return 1;
	}
	json_array_foreach(cidr, i, e)
	{
		if (says_cidr(json_string_value(e), p))
			return 1;
	}
	json_array_foreach(sets, i, e)
	{
		if (says_cidr_set(e, p))
			return 1;
	}
	return endpoints || entities || cidr || sets ? 0 : -1;
}

static bool says_port(json_t *port, uint8_t protocol, uint16_t number, const char *standard)
{
	json_t *first = json_object_get(port, "port"), *end = json_object_get(port, "endPort");
	const char *name = json_string_value(json_object_get(port, "protocol"));
	int low = json_is_string(first) ? atoi(json_string_value(first))
					: (int)json_integer_value(first);
	bool tus = protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;

	name = name ? name : standard;
	if (!strcmp(name, "ANY") ? !tus
				 : protocol != (!strcmp(name, "TCP")           ? IPPROTO_TCP
						       : !strcmp(name, "UDP")  ? IPPROTO_UDP
						       : !strcmp(name, "SCTP") ? IPPROTO_SCTP
									       : IPPROTO_GRE))
		return false;
	return !low || (number >= low && number <= (end ? json_integer_value(end) : low));
}

/* As says_peers(). */
static int says_ports(json_t *rule, uint8_t protocol, uint16_t number)
{
	json_t *to = json_object_get(rule, "toPorts"), *icmps = json_object_get(rule, "icmps");
	json_t *e, *x;
	size_t i, k;

	json_array_foreach(to, i, e)
	{
		json_array_foreach(json_object_get(e, "ports"), k, x)
		{
			if (says_port(x, protocol, number, "ANY"))
				return 1;
		}
	}
	json_array_foreach(icmps, i, e)
	{
		json_array_foreach(json_object_get(e, "fields"), k, x)
		{
			json_t *family = json_object_get(x, "family");
			bool v6 = family && !strcmp(json_string_value(family), "IPv6");

			if (protocol == (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) &&
				number >> 8 == json_integer_value(json_object_get(x, "type")))
				return 1;
		}
	}
	return json_array_size(to) || json_array_size(icmps) ? 0 : -1;
}

struct opinion {
	bool selected, denies_by_default;
	char *rules[2]; /* names of the matching allow and deny rules, each in blanks */
};

static void opinion_add(struct opinion *o, bool deny, json_t *doc, const char *path)
{
	char *old = o->rules[deny], *name = NULL;

	if (asprintf(&name, "%s%s/%s/%s ", old ? old : " ",
		    json_string_value(json_object_get(doc, "kind")),
		    json_string_value(json_object_get(json_object_get(doc, "metadata"), "name")),
		    path) < 0)
		abort();
	free(old);
	o->rules[deny] = name;
}

static void ask_cilium(struct opinion *o, json_t *doc, bool in, const struct party *subject,
	const struct party *peer, uint8_t protocol, uint16_t number)
{
	json_t *spec = json_object_get(doc, "spec"), *e, *deny_field;
	const char *namespace = policy_namespace(doc);
	bool any = false;

	if (!says_selector(json_object_get(spec, "endpointSelector"), subject) ||
		(namespace && !in_namespace(subject, namespace)))
		return;
	for (int deny = 0; deny < 2; deny++) {
		const char *list = in     ? deny ? "ingressDeny" : "ingress"
				   : deny ? "egressDeny"
					  : "egress";
		size_t i;

		json_array_foreach(json_object_get(spec, list), i, e)
		{
			int of_peer = says_peers(e, peer, in, namespace);
			int of_port = says_ports(e, protocol, number);
			char path[32];

			any = true;
			snprintf(path, sizeof(path), "%s[%zu]", list, i);
			if ((of_peer > 0 && of_port) || (of_peer < 0 && of_port > 0))
				opinion_add(o, deny, doc, path);
		}
	}
	deny_field = json_object_get(
		json_object_get(spec, "enableDefaultDeny"), in ? "ingress" : "egress");
	o->selected |= any;
	o->denies_by_default |= any && !json_is_false(deny_field);
}

/* What Kubernetes knows of a pod's labels: no other source. */
static bool says_pods(json_t *selector, const struct party *p)
{
	struct label label[32];
	struct party own = {.labels = {label, 0}};

	for (size_t i = 0; i < p->labels.count; i++) {
		if (!strcmp(p->labels.label[i].source, "k8s"))
			label[own.labels.count++] = p->labels.label[i];
	}
	return says_selector(selector, &own);
}

static bool says_network_peer(json_t *e, const struct party *p, const char *namespace)
{
	json_t *pods = json_object_get(e, "podSelector");
	json_t *namespaces = json_object_get(e, "namespaceSelector");
	static const char prefix[] = "io.cilium.k8s.namespace.labels.";
	struct label label[8];
	struct party its_namespace = {.labels = {label, 0}};
	const char *of = NULL;

	if (json_object_get(e, "ipBlock"))
		return says_cidr_set(json_object_get(e, "ipBlock"), p);
	for (size_t i = 0; i < p->labels.count; i++) {
		struct label l = p->labels.label[i];

		if (!strcmp(l.key, "io.kubernetes.pod.namespace"))
			of = l.value;
		if (!strncmp(l.key, prefix, strlen(prefix))) {
			l.key += strlen(prefix);
			label[its_namespace.labels.count++] = l;
		}
	}
	if (!of ||
		!(namespaces ? says_selector(namespaces, &its_namespace) : !strcmp(of, namespace)))
		return false;
	return !pods || says_pods(pods, p);
}

static void ask_network(struct opinion *o, json_t *doc, bool in, const struct party *subject,
	const struct party *peer, uint8_t protocol, uint16_t number)
{
	json_t *spec = json_object_get(doc, "spec"), *types = json_object_get(spec, "policyTypes");
	json_t *rules = json_object_get(spec, in ? "ingress" : "egress"), *e, *x;
	bool listed = in || json_array_size(rules);
	size_t i, k;

	if (json_array_size(types)) {
		listed = false;
		json_array_foreach(types, i, e) listed |=
			!strcmp(json_string_value(e), in ? "Ingress" : "Egress");
	}
	if (!listed || !in_namespace(subject, policy_namespace(doc)) ||
		!says_pods(json_object_get(spec, "podSelector"), subject))
		return;
	o->selected = o->denies_by_default = true;
	json_array_foreach(rules, i, e)
	{
		json_t *peers = json_object_get(e, in ? "from" : "to");
		json_t *list = json_object_get(e, "ports");
		bool of_peer = !json_array_size(peers), of_port = !json_array_size(list);
		char path[32];

		json_array_foreach(peers, k, x) of_peer |=
			says_network_peer(x, peer, policy_namespace(doc));
		json_array_foreach(list, k, x) of_port |= says_port(x, protocol, number, "TCP");
		snprintf(path, sizeof(path), "%s[%zu]", in ? "ingress" : "egress", i);
		if (of_peer && of_port)
			opinion_add(o, false, doc, path);
	}
}

static enum policy_verdict ask(json_t *docs, enum policy_direction d, const struct party *subject,
	const struct party *peer, uint8_t protocol, uint16_t number, struct opinion *o)
{
	json_t *doc;
	size_t i;

	*o = (struct opinion){0};
	json_array_foreach(docs, i, doc)
	{
		if (!strcmp(json_string_value(json_object_get(doc, "kind")), "NetworkPolicy"))
			ask_network(o, doc, d == POLICY_INGRESS, subject, peer, protocol, number);
		else
			ask_cilium(o, doc, d == POLICY_INGRESS, subject, peer, protocol, number);
	}
	if (o->rules[1])
		return POLICY_DENY;
	return o->rules[0] || !o->denies_by_default ? POLICY_ALLOW : POLICY_DEFAULT_DENY;
}

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
		"kube-apiserver", "remote-node", "init"};
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
		fail_msg("%s: %s with %s, protocol %u port %u: got %u, want %u (enforced %u, %d)",
			d ? "egress" : "ingress", subject.name, peer.name, protocol, number,
			got->verdict, want, got->flags, o.selected);
	}
	seen[want][o.selected]++;
	if (got->rule && got->verdict != POLICY_DEFAULT_DENY) {
		const struct rule_info *info = &w->out.rule[got->rule - 1];
		char name[128];

		snprintf(name, sizeof(name), " %s/%s/%s ", info->policy[0]->kind,
			info->policy[0]->name, info->path);
		if (!strstr(o.rules[want == POLICY_DENY], name))
			fail_msg("rule%snot among%s", name, o.rules[want == POLICY_DENY]);
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

static void check_same(const struct world *a, const struct world *b)
{
	assert_int_equal(a->out.slots, b->out.slots);
	for (size_t i = 0; i < a->out.slots; i++) {
		const struct compiled_slot *s = &a->out.slot[i], *t = &b->out.slot[i];

		assert_int_equal(s->identity, t->identity);
		assert_int_equal(s->peers, t->peers);
		assert_int_equal(s->rules, t->rules);
		assert_true(s->digest == t->digest);
		assert_memory_equal(s->rule, t->rule, s->rules * sizeof(*s->rule));
	}
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
		check_same(&w, &w_other);
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
