/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands above addresses and ports: rules for HTTP and DNS, TLS, listeners, DNS names as
 * peers, authentication. Called by policy_port.c, policy_peer.c and policy_cilium.c. Owns nothing
 * and keeps nothing. Must hold: a field with something in it is read as strictly as if it were in
 * force, and then refused by its name, because nothing enforces it yet; never is a rule taken
 * without a part of it.
 */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "codec/json.h"
#include "model/policy_walk.h"

enum { DNS_NAME_MAX = 255, PRIORITY_MAX = 100 };

/* What is said of the parts that nothing enforces yet. */
#define HTTP_REFUSED     "HTTP-aware policy is not there yet"
#define DNS_REFUSED      "DNS-aware policy is not there yet"
#define TLS_REFUSED      "interception of TLS is not there yet"
#define SNI_REFUSED      "TLS server names are not looked at yet"
#define LISTENER_REFUSED "redirection to a listener is not there yet"
#define AUTH_REFUSED     "mutual authentication is not there yet"
#define KAFKA_REFUSED    "Kafka rules are no longer part of the language (gone since Cilium 1.20)"
#define PROXY_REFUSED                                                                              \
	"rules of proxy plug-ins are no longer part of the language (gone since Cilium 1.20)"

/* Labels of letters, digits, '-' and '_' (and '*' where wild is set), each ended by a '.' or the
 * end. */
static bool is_dns_name(const char *s, bool wild)
{
	bool in_label = false;

	for (const char *c = s; *c; c++) {
		if (*c == '.' && !in_label)
			return false;
		if (*c != '.' && !isalnum((unsigned char)*c) && *c != '-' && *c != '_' &&
			(*c != '*' || !wild))
			return false;
		in_label = *c != '.';
	}
	return *s && strlen(s) <= DNS_NAME_MAX;
}

static int check_dns_text(const struct walk *w, const struct node *n, bool wild)
{
	const char *s = NULL;
	int r = walk_string_needed(w, n, &s);

	if (r < 0 || is_dns_name(s, wild))
		return r;
	return walk_error(w, n,
		"\"%.100s\" is no %s of at most %d bytes: letters, digits, '-', '_'%s "
		"between dots",
		s, wild ? "pattern" : "DNS name", DNS_NAME_MAX, wild ? ", '*'" : "");
}

/* {matchName} or {matchPattern}. */
static int check_fqdn(const struct walk *w, const struct node *n)
{
	static const struct field fields[] = {{"matchName", NULL}, {"matchPattern", NULL}};
	struct node name = node_member(n, "matchName"), pattern = node_member(n, "matchPattern");
	int r = walk_mapping(w, n);

	r = r < 0 ? r : WALK_FIELDS(w, n, fields);
	if (!r && !name.value == !pattern.value)
		return walk_error(w, n, "needs exactly one of matchName and matchPattern");
	if (r < 0)
		return r;
	return name.value ? check_dns_text(w, &name, false) : check_dns_text(w, &pattern, true);
}

int policy_check_fqdns(const struct walk *w, const struct node *list)
{
	int r = 0;

	for (size_t i = 0; walk_on(w, r) && i < node_items(list); i++) {
		struct node item = node_item(list, i);

		r = WALK_ALSO(w, r, check_fqdn(w, &item));
	}
	return WALK_ALSO(w, r, walk_refuse(w, list, DNS_REFUSED));
}

static int check_secret(const struct walk *w, const struct node *n)
{
	static const struct field fields[] = {{"namespace", NULL}, {"name", NULL}};
	struct node namespace = node_member(n, "namespace"), name = node_member(n, "name");
	const char *s = NULL;
	int r = WALK_FIELDS(w, n, fields);

	r = WALK_ALSO(w, r, walk_string(w, &namespace, &s));
	return WALK_ALSO(w, r, walk_string_needed(w, &name, &s));
}

static int check_word(const struct walk *w, const struct node *n, const char *const *words)
{
	const char *s = NULL, *nearest;
	int r = walk_string(w, n, &s);

	if (r < 0 || !s)
		return r;
	for (const char *const *word = words; *word; word++) {
		if (str_eq(*word, s))
			return 0;
	}
	nearest = walk_nearest(s, words);
	return walk_error(w, n, "\"%.40s\" is not known here%s%s%s", s,
		nearest ? "; did you mean " : "; one that is: ", nearest ? nearest : words[0],
		nearest ? "?" : "");
}

static int check_header_match(const struct walk *w, const struct node *n)
{
	static const struct field fields[] = {
		{"name", NULL}, {"value", NULL}, {"secret", NULL}, {"mismatch", NULL}};
	static const char *const mismatches[] = {"LOG", "ADD", "DELETE", "REPLACE", NULL};
	struct node name = node_member(n, "name"), value = node_member(n, "value");
	struct node secret = node_member(n, "secret"), mismatch = node_member(n, "mismatch");
	const char *s = NULL;
	int r = walk_mapping(w, n);

	if (r < 0)
		return r;
	r = WALK_FIELDS(w, n, fields);
	r = WALK_ALSO(w, r, walk_string_needed(w, &name, &s));
	r = WALK_ALSO(w, r, walk_string(w, &value, &s));
	r = WALK_ALSO(w, r, check_word(w, &mismatch, mismatches));
	return secret.value ? WALK_ALSO(w, r, check_secret(w, &secret)) : r;
}

/* Each item of a list, or of none when it is absent. */
static int check_each(const struct walk *w, const struct node *list,
	int (*check)(const struct walk *w, const struct node *n))
{
	int r = walk_list(w, list);

	for (size_t i = 0; walk_on(w, r) && i < node_items(list); i++) {
		struct node item = node_item(list, i);

		r = WALK_ALSO(w, r, check(w, &item));
	}
	return r;
}

static int check_http_rule(const struct walk *w, const struct node *n)
{
	static const struct field fields[] = {{"path", NULL}, {"method", NULL}, {"host", NULL},
		{"headers", NULL}, {"headerMatches", NULL}};
	enum { TEXTS = 3 };
	struct node headers = node_member(n, "headers");
	struct node matches = node_member(n, "headerMatches");
	int r = walk_mapping(w, n);

	if (r < 0)
		return r;
	r = WALK_FIELDS(w, n, fields);
	for (size_t i = 0; i < TEXTS; i++) {
		struct node text = node_member(n, fields[i].name);
		const char *s = NULL;

		r = WALK_ALSO(w, r, walk_string(w, &text, &s));
	}
	r = WALK_ALSO(w, r, walk_strings(w, &headers));
	return WALK_ALSO(w, r, check_each(w, &matches, check_header_match));
}

/* What the ports beside a list of rules must be. */
struct port_needs {
	const char *rules, *protocol; /* the only one that can carry the rules, or NULL */
	bool number; /* no range */
};

static int check_ports(const struct walk *w, const struct node *ports, const struct port_needs *o)
{
	if (!node_items(ports))
		return walk_error(w, ports, "are needed beside %s rules", o->rules);
	for (size_t i = 0; i < node_items(ports); i++) {
		struct node item = node_item(ports, i), port = node_member(&item, "port");
		struct node protocol = node_member(&item, "protocol");
		struct node end = node_member(&item, "endPort");
		const char *s = json_string_value(protocol.value);

		if (!port.value || str_eq(json_string_value(port.value), "0") ||
			(json_is_integer(port.value) && !json_integer_value(port.value)))
			return walk_error(w, &item, "%s rules need a port that is not 0", o->rules);
		if (o->protocol && s && strcasecmp(s, o->protocol) && strcasecmp(s, "ANY"))
			return walk_error(w, &protocol, "%s rules need %s", o->rules, o->protocol);
		if (o->number && end.value)
			return walk_error(w, &end, "%s rules cannot have a range", o->rules);
	}
	return 0;
}

static int check_http(const struct walk *w, const struct node *list, const struct node *ports)
{
	const struct port_needs needs = {.rules = "HTTP", .protocol = "TCP"};
	int r = check_each(w, list, check_http_rule);

	r = WALK_ALSO(w, r, check_ports(w, ports, &needs));
	return WALK_ALSO(w, r, walk_refuse(w, list, HTTP_REFUSED));
}

static int check_dns(const struct walk *w, const struct node *list, const struct node *ports,
	enum policy_direction d)
{
	const struct port_needs needs = {.rules = "DNS", .number = true};
	int r = check_each(w, list, check_fqdn);

	if (d == POLICY_INGRESS)
		return WALK_ALSO(w, r, walk_error(w, list, "DNS rules are for egress only"));
	r = WALK_ALSO(w, r, check_ports(w, ports, &needs));
	return WALK_ALSO(w, r, walk_refuse(w, list, DNS_REFUSED));
}

/* rules: {} says nothing; a list of one protocol, even an empty one, is more than ports. */
static int check_rules(const struct walk *w, const struct node *n, const struct node *ports,
	enum policy_direction d)
{
	static const struct field fields[] = {{"http", NULL}, {"dns", NULL},
		{"kafka", KAFKA_REFUSED}, {"l7proto", PROXY_REFUSED}, {"l7", PROXY_REFUSED}};
	struct node http = node_member(n, "http"), dns = node_member(n, "dns");
	int r = WALK_FIELDS(w, n, fields);

	if (http.value && dns.value)
		return WALK_ALSO(
			w, r, walk_error(w, &dns, "cannot be combined with http in one rule"));
	if (http.value)
		return WALK_ALSO(w, r, check_http(w, &http, ports));
	return dns.value ? WALK_ALSO(w, r, check_dns(w, &dns, ports, d)) : r;
}

static int check_tls(const struct walk *w, const struct node *n)
{
	static const struct field fields[] = {
		{"secret", NULL}, {"trustedCA", NULL}, {"certificate", NULL}, {"privateKey", NULL}};
	struct node secret = node_member(n, "secret");
	int r;

	if (!n->value)
		return 0;
	r = WALK_FIELDS(w, n, fields);
	if (secret.value)
		r = WALK_ALSO(w, r, check_secret(w, &secret));
	else
		r = WALK_ALSO(w, r, walk_error(w, &secret, "is missing"));
	for (size_t i = 1; i < ARRAY_SIZE(fields); i++) {
		struct node text = node_member(n, fields[i].name);
		const char *s = NULL;

		r = WALK_ALSO(w, r, walk_string(w, &text, &s));
	}
	return WALK_ALSO(w, r, walk_refuse(w, n, TLS_REFUSED));
}

static int check_server_names(const struct walk *w, const struct node *list)
{
	int r = walk_list(w, list);

	if (r < 0 || !list->value)
		return r;
	if (!node_items(list))
		return walk_error(w, list, "is empty; leave it out or name a server");
	for (size_t i = 0; walk_on(w, r) && i < node_items(list); i++) {
		struct node item = node_item(list, i);

		r = WALK_ALSO(w, r, check_dns_text(w, &item, true));
	}
	return WALK_ALSO(w, r, walk_refuse(w, list, SNI_REFUSED));
}

static int check_listener(const struct walk *w, const struct node *n, enum policy_direction d)
{
	static const struct field fields[] = {
		{"envoyConfig", NULL}, {"name", NULL}, {"priority", NULL}};
	static const struct field config_fields[] = {{"kind", NULL}, {"name", NULL}};
	static const char *const kinds[] = {
		"CiliumEnvoyConfig", "CiliumClusterwideEnvoyConfig", NULL};
	struct node config = node_member(n, "envoyConfig"), name = node_member(n, "name");
	struct node kind = node_member(&config, "kind"), of = node_member(&config, "name");
	struct node priority = node_member(n, "priority");
	int64_t number = 0;
	const char *s = NULL;
	int r;

	if (!n->value)
		return 0;
	r = WALK_FIELDS(w, n, fields);
	if (!config.value)
		return WALK_ALSO(w, r, walk_error(w, &config, "is missing"));
	r = WALK_ALSO(w, r, WALK_FIELDS(w, &config, config_fields));
	r = WALK_ALSO(w, r, check_word(w, &kind, kinds));
	r = WALK_ALSO(w, r, walk_string_needed(w, &of, &s));
	r = WALK_ALSO(w, r, walk_string_needed(w, &name, &s));
	r = WALK_ALSO(w, r, walk_integer(w, &priority, 1, PRIORITY_MAX, &number));
	if (d == POLICY_INGRESS)
		return WALK_ALSO(w, r, walk_error(w, n, "a listener is for egress only"));
	return WALK_ALSO(w, r, walk_refuse(w, n, LISTENER_REFUSED));
}

/* What forbids two fields beside each other, before the first of them is refused by itself. */
static int check_combinations(const struct walk *w, const struct node *n)
{
	struct node rules = node_member(n, "rules"), listener = node_member(n, "listener");
	struct node names = node_member(n, "serverNames"), tls = node_member(n, "terminatingTLS");

	if (json_object_size(rules.value) && listener.value)
		return walk_error(w, &listener, "cannot be combined with rules");
	if (json_object_size(rules.value) && node_items(&names) && !tls.value)
		return walk_error(w, &names, "beside rules need terminatingTLS");
	return 0;
}

int policy_check_port_rule(
	const struct walk *w, const struct node *port_rule, enum policy_direction d)
{
	static const struct field fields[] = {{"ports", NULL}, {"rules", NULL},
		{"terminatingTLS", NULL}, {"originatingTLS", NULL}, {"serverNames", NULL},
		{"listener", NULL}};
	struct node ports = node_member(port_rule, "ports");
	struct node rules = node_member(port_rule, "rules");
	struct node terminating = node_member(port_rule, "terminatingTLS");
	struct node originating = node_member(port_rule, "originatingTLS");
	struct node names = node_member(port_rule, "serverNames");
	struct node listener = node_member(port_rule, "listener");
	int r = WALK_FIELDS(w, port_rule, fields);

	r = WALK_ALSO(w, r, check_combinations(w, port_rule));
	r = WALK_ALSO(w, r, check_rules(w, &rules, &ports, d));
	r = WALK_ALSO(w, r, check_tls(w, &terminating));
	r = WALK_ALSO(w, r, check_tls(w, &originating));
	r = WALK_ALSO(w, r, check_server_names(w, &names));
	return WALK_ALSO(w, r, check_listener(w, &listener, d));
}

int policy_check_authentication(const struct walk *w, const struct node *rule)
{
	static const struct field fields[] = {{"mode", NULL}};
	struct node n = node_member(rule, "authentication"), mode = node_member(&n, "mode");
	const char *s = NULL;
	int r = WALK_FIELDS(w, &n, fields);

	if (r < 0 || !n.value)
		return r;
	r = walk_string_needed(w, &mode, &s);
	if (r < 0 || str_eq(s, "disabled"))
		return r;
	if (str_eq(s, "required") || str_eq(s, "test-always-fail"))
		return walk_refuse(w, &mode, AUTH_REFUSED);
	return walk_error(
		w, &mode, "\"%.40s\" is no mode; use disabled, required or test-always-fail", s);
}
