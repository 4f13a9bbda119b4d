/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_POLICY_OPINION_H
#define KILIM_TEST_POLICY_OPINION_H
/*
 * A second opinion on policies: walks the manifests' JSON for one packet at a time, by addresses
 * and labels, and knows nothing of identities, classes, intervals or prefixes of ports.
 */
#include <netinet/in.h>
#include <stdio.h>

#include "fixture.h"

/* A peer or subject as the evaluator sees it. */
struct party {
	const char *name; /* for world_number() */
	struct labels labels;
	struct addr addr; /* all zero for those that are no addresses */
};

static inline bool party_has(const struct party *p, const char *key, const char *value)
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

static inline bool says_selector(json_t *s, const struct party *p)
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
static inline bool selector_names(json_t *s, const char *word)
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

static inline const char *policy_namespace(json_t *doc)
{
	return json_string_value(json_object_get(json_object_get(doc, "metadata"), "namespace"));
}

static inline bool in_namespace(const struct party *p, const char *namespace)
{
	return party_has(p, "k8s:io.kubernetes.pod.namespace", namespace);
}

static inline bool says_endpoints(json_t *s, const struct party *p, const char *namespace)
{
	if (!says_selector(s, p))
		return false;
	if (selector_names(s, "reserved:"))
		return true;
	if (selector_names(s, "io.kubernetes.pod.namespace") ||
		selector_names(s, "namespace.labels"))
		return in_namespace(p, NULL);
	return in_namespace(p, namespace);
}

static inline bool says_entity(const char *entity, const struct party *p)
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

static inline bool says_cidr(const char *cidr, const struct party *p)
{
	struct prefix x;

	assert_int_equal(prefix_parse(cidr, true, &x), 0);
	return !addr_is_zero(&p->addr) && prefix_has(&x, &p->addr);
}

static inline bool says_cidr_set(json_t *set, const struct party *p)
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
static inline int says_peers(json_t *rule, const struct party *p, bool in, const char *namespace)
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

static inline bool says_port(json_t *port, uint8_t protocol, uint16_t number, const char *standard)
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
static inline int says_ports(json_t *rule, uint8_t protocol, uint16_t number)
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

static inline void opinion_add(struct opinion *o, bool deny, json_t *doc, const char *path)
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

static inline void ask_cilium(struct opinion *o, json_t *doc, bool in, const struct party *subject,
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
	o->selected |= any || json_is_true(deny_field);
	o->denies_by_default |= json_is_true(deny_field) || (any && !json_is_false(deny_field));
}

/* What Kubernetes knows of a pod's labels: no other source. */
static inline bool says_pods(json_t *selector, const struct party *p)
{
	struct label label[32];
	struct party own = {.labels = {label, 0}};

	for (size_t i = 0; i < p->labels.count; i++) {
		if (!strcmp(p->labels.label[i].source, "k8s"))
			label[own.labels.count++] = p->labels.label[i];
	}
	return says_selector(selector, &own);
}

static inline bool says_network_peer(json_t *e, const struct party *p, const char *namespace)
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

static inline void ask_network(struct opinion *o, json_t *doc, bool in, const struct party *subject,
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
	o->selected = true;
	/* "traffic to and from the node where a Pod is running is always allowed" */
	o->denies_by_default |= in || strcmp(peer->name, "host");
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

static inline enum policy_verdict ask(json_t *docs, enum policy_direction d,
	const struct party *subject, const struct party *peer, uint8_t protocol, uint16_t number,
	struct opinion *o)
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

#endif
