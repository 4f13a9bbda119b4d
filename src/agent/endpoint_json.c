/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints as JSON: requests of the API, state files, answers. Called by endpoint.c,
 * endpoint_restore.c and api_endpoint.c. Must hold: a string from a request is checked here before
 * it becomes part of a path, a label or a line of output.
 */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/endpoint.h"
#include "base/time.h"
#include "model/addr.h"
#include "model/protocol.h"

enum { NAME_BYTES_MAX = 253, LABELS_MAX = 256, LABEL_BYTES_MAX = 1024, PATH_BYTES_MAX = 4000 };
enum { PORTS_MAX = 64, PORT_NAME_MAX = 15 /* RFC 6335, 5.1 */ };

static const char *const state_texts[ENDPOINT_STATES] = {
	"creating", "pending", "ready", "deleting"};

const char *endpoint_state_text(enum agent_endpoint_state s)
{
	return state_texts[s];
}

void endpoint_free(struct agent_endpoint *ep)
{
	struct arena mem;

	if (!ep)
		return;
	/* the endpoint itself lies in its arena */
	mem = ep->mem;
	arena_done(&mem);
}

void endpoint_freep(struct agent_endpoint **ep)
{
	endpoint_free(*ep);
}

static struct agent_endpoint *endpoint_new(void)
{
	struct arena mem = {0};
	struct agent_endpoint *ep = arena_alloc(&mem, sizeof(*ep));

	ep->mem = mem;
	return ep;
}

static json_t *mac_json(const uint8_t mac[6])
{
	return json_sprintf(
		"%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static void set_address(json_t *j, const char *key, const struct addr *a)
{
	char text[ADDR_TEXT];

	if (!addr_is_zero(a))
		(void)json_object_set_new(j, key, json_string(addr_format(a, text)));
}

/* web=80/TCP */
static json_t *ports_json(const struct agent_endpoint *ep)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ep->ports; i++) {
		const struct named_port *p = &ep->port[i];

		(void)json_array_append_new(list,
			json_sprintf("%s=%u/%s", p->name, p->number, protocol_name(p->protocol)));
	}
	return list;
}

json_t *endpoint_json(const struct agent_endpoint *ep)
{
	json_t *labels = json_array(), *addresses = json_object();
	char created[TIME_TEXT];

	for (size_t i = 0; i < ep->labels.count; i++) {
		SCOPED(str_done)
		struct str text = {0};

		label_format(&text, &ep->labels.label[i]);
		(void)json_array_append_new(labels, json_string(str_text(&text)));
	}
	set_address(addresses, "ipv4", &ep->addr4);
	set_address(addresses, "ipv6", &ep->addr6);
	return json_pack("{s:i, s:s, s:s, s:i, s:o, s:o, s:s, s:s, s:i, s:i, s:o, s:o, s:s, s:I, "
			 "s:s, s:s, s:s, s:s, s:i, s:s, s:o}",
		"id", (int)ep->id, "name", ep->name, "namespace", ep->namespace, "identity",
		(int)ep->identity, "labels", labels, "addresses", addresses, "device",
		ep->pair.host_name, "kind", ep->pair.kind == DEVICE_NETKIT ? "netkit" : "veth",
		"ifindex", (int)ep->pair.host_ifindex, "ifindex_inside", (int)ep->pair.ifindex,
		"mac", mac_json(ep->pair.mac), "host_mac", mac_json(ep->pair.host_mac), "netns",
		ep->netns, "netns_inode", (json_int_t)ep->netns_inode, "ifname", ep->ifname,
		"container_id", ep->container_id, "source", ep->source, "state",
		endpoint_state_text(ep->state), "mtu", (int)ep->mtu, "created",
		time_format(ep->created_ns, created), "ports", ports_json(ep));
}

static int get_string(const json_t *j, const char *key, const char *fallback, struct arena *mem,
	const char **ret, struct err *e)
{
	const char *text = NULL;
	int r = json_get_string(j, key, &text, e);

	if (r)
		return r;
	*ret = arena_strdup(mem, text && *text ? text : fallback);
	return 0;
}

static int get_number(const json_t *j, const char *key, int64_t max, uint32_t *ret, struct err *e)
{
	int64_t n = *ret;
	int r = json_get_int(j, key, 0, max, &n, e);

	*ret = (uint32_t)n;
	return r;
}

static int get_address(const json_t *j, const char *key, bool v4, struct addr *ret, struct err *e)
{
	const char *text = NULL;
	struct addr a;
	int r = json_get_string(j, key, &text, e);

	if (r || !text || !*text)
		return r;
	if (addr_parse(text, &a) || addr_is_v4(&a) != v4)
		return err_set(e, -EINVAL, "%s: %.60s is not an %s address", key, text,
			v4 ? "IPv4" : "IPv6");
	*ret = a;
	return 0;
}

static int get_mac(const json_t *j, const char *key, uint8_t ret[6], struct err *e)
{
	const char *text = NULL;
	unsigned m[6];
	int r = json_get_string(j, key, &text, e);

	if (r)
		return r;
	if (!text || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &m[0], &m[1], &m[2], &m[3], &m[4],
			     &m[5]) != 6)
		return err_set(e, -EINVAL, "%s: not a MAC address", key);
	for (int i = 0; i < 6; i++)
		ret[i] = (uint8_t)m[i];
	return 0;
}

static int get_labels(const json_t *j, struct agent_endpoint *ep, struct err *e)
{
	const json_t *list = json_object_get(j, "labels"), *item;
	size_t count = json_array_size(list), i;

	if (list && !json_is_null(list) && !json_is_array(list))
		return err_set(e, -EINVAL, "labels: expected a list, found %s", json_kind(list));
	if (count > LABELS_MAX)
		return err_set(e, -EINVAL, "labels: %zu of them; at most %d", count, LABELS_MAX);
	/* room for the namespace and the cluster */
	ep->labels.label = arena_array(&ep->mem, count, sizeof(struct label));
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);
		int r;

		if (!text || strlen(text) > LABEL_BYTES_MAX)
			return err_set(e, -EINVAL, "labels: expected strings of at most %d bytes",
				LABEL_BYTES_MAX);
		r = label_parse(&ep->mem, text, "k8s", &ep->labels.label[ep->labels.count], e);
		if (r)
			return r;
		ep->labels.count++;
	}
	return 0;
}

static bool port_name_is_valid(const char *s)
{
	bool letter = false;

	for (const char *c = s; *c; c++) {
		letter |= islower((unsigned char)*c) != 0;
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '-')
			return false;
	}
	return letter && strlen(s) <= PORT_NAME_MAX;
}

/* NAME=PORT[/PROTOCOL]; names are lower case, as rules have them. */
static int port_parse(struct arena *mem, const char *text, struct named_port *ret, struct err *e)
{
	char *name = arena_strdup(mem, text), *number = strchr(name, '='), *protocol, *end = NULL;
	unsigned long n;

	if (!number)
		return err_set(e, -EINVAL, "ports: \"%.60s\": expected NAME=PORT[/PROTOCOL]", text);
	*number++ = 0;
	protocol = strchr(number, '/');
	if (protocol)
		*protocol++ = 0;
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	n = isdigit((unsigned char)*number) ? strtoul(number, &end, 10) : 0;
	if (!n || n > UINT16_MAX || *end)
		return err_set(e, -EINVAL, "ports: \"%.60s\": expected a port of 1..65535", text);
	if (!port_name_is_valid(name))
		return err_set(e, -EINVAL,
			"ports: \"%.60s\": expected a name of at most %d letters, digits and -, "
			"with "
			"a letter",
			text, PORT_NAME_MAX);
	*ret = (struct named_port){name, IPPROTO_TCP, (uint16_t)n};
	if (protocol && !strcasecmp(protocol, "udp"))
		ret->protocol = IPPROTO_UDP;
	else if (protocol && !strcasecmp(protocol, "sctp"))
		ret->protocol = IPPROTO_SCTP;
	else if (protocol && strcasecmp(protocol, "tcp"))
		return err_set(e, -EINVAL, "ports: \"%.60s\": expected TCP, UDP or SCTP", text);
	return 0;
}

static int port_order(const void *pa, const void *pb)
{
	const struct named_port *a = pa, *b = pb;
	int r = strcmp(a->name, b->name);

	r = r ? r : (a->protocol > b->protocol) - (a->protocol < b->protocol);
	return r ? r : (a->number > b->number) - (a->number < b->number);
}

static int get_ports(const json_t *j, struct agent_endpoint *ep, struct err *e)
{
	const json_t *list = json_object_get(j, "ports"), *item;
	size_t count = json_array_size(list), i;

	if (list && !json_is_null(list) && !json_is_array(list))
		return err_set(e, -EINVAL, "ports: expected a list, found %s", json_kind(list));
	if (count > PORTS_MAX)
		return err_set(e, -EINVAL, "ports: %zu of them; at most %d", count, PORTS_MAX);
	ep->port = arena_array(&ep->mem, count, sizeof(*ep->port));
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);
		int r;

		if (!text || strlen(text) > NAME_BYTES_MAX)
			return err_set(e, -EINVAL, "ports: expected strings");
		r = port_parse(&ep->mem, text, &ep->port[ep->ports], e);
		if (r)
			return r;
		ep->ports++;
	}
	if (ep->ports)
		qsort(ep->port, ep->ports, sizeof(*ep->port), port_order);
	return 0;
}

static int state_parse(const json_t *j, enum agent_endpoint_state *ret, struct err *e)
{
	const char *text = json_string_value(json_object_get(j, "state"));

	for (int s = 0; s < ENDPOINT_STATES; s++) {
		if (str_eq(text, state_texts[s])) {
			*ret = (enum agent_endpoint_state)s;
			return 0;
		}
	}
	return err_set(e, -EINVAL, "state: none of creating, pending, ready, deleting");
}

/* What a state file says of the device. */
static int get_device(const json_t *j, struct agent_endpoint *ep, struct err *e)
{
	const char *device = json_string_value(json_object_get(j, "device"));
	const char *kind = json_string_value(json_object_get(j, "kind"));
	int64_t inode = 0;
	int r;

	if (!device || strlen(device) >= DEVICE_NAME || strlen(ep->ifname) >= DEVICE_NAME)
		return err_set(e, -EINVAL, "device: missing or too long");
	snprintf(ep->pair.host_name, sizeof(ep->pair.host_name), "%s", device);
	snprintf(ep->pair.name, sizeof(ep->pair.name), "%s", ep->ifname);
	ep->pair.kind = str_eq(kind, "netkit") ? DEVICE_NETKIT : DEVICE_VETH;
	ep->pair.mtu = ep->mtu;
	r = get_number(j, "ifindex", INT32_MAX, &ep->pair.host_ifindex, e) ?:
		get_number(j, "ifindex_inside", INT32_MAX, &ep->pair.ifindex, e) ?: get_mac(j, "mac", ep->pair.mac, e) ?:
		get_mac(j, "host_mac", ep->pair.host_mac, e) ?: json_get_int(j, "netns_inode", 0, INT64_MAX, &inode, e);
	ep->netns_inode = (uint64_t)inode;
	return r;
}

int endpoint_from_json(const json_t *j, struct agent_endpoint **ret, struct err *e)
{
	SCOPED(endpoint_freep)
	struct agent_endpoint *ep = endpoint_new();
	const json_t *addresses = json_object_get(j, "addresses");
	const char *created = json_string_value(json_object_get(j, "created"));
	int r = get_string(j, "name", "", &ep->mem, &ep->name, e) ?: get_string(j, "namespace", "", &ep->mem, &ep->namespace, e) ?:
		get_string(j, "netns", "", &ep->mem, &ep->netns, e) ?: get_string(j, "ifname", "", &ep->mem, &ep->ifname, e) ?:
		get_string(j, "container_id", "", &ep->mem, &ep->container_id, e) ?: get_string(j, "source", "cli", &ep->mem, &ep->source, e);

	r = r ?: get_number(j, "id", 65535, &ep->id, e) ?: get_number(j, "identity", UINT32_MAX, &ep->identity, e) ?:
		get_number(j, "mtu", 65535, &ep->mtu, e) ?: get_labels(j, ep, e) ?: get_ports(j, ep, e) ?: labels_normalize(&ep->labels, e) ?:
		get_address(addresses, "ipv4", true, &ep->addr4, e) ?: get_address(addresses, "ipv6", false, &ep->addr6, e) ?:
		state_parse(j, &ep->state, e) ?: get_device(j, ep, e);
	if (r)
		return r;
	if (!ep->id)
		return err_set(e, -EINVAL, "id: missing");
	if (created)
		(void)time_parse(created, &ep->created_ns);
	*ret = TAKE(ep);
	return 0;
}

static bool name_is_valid(const char *s)
{
	size_t len = strlen(s);

	if (!len || len > NAME_BYTES_MAX || !isalnum((unsigned char)*s))
		return false;
	for (; *s; s++) {
		if (!isalnum((unsigned char)*s) && !strchr("_.-", *s))
			return false;
	}
	return true;
}

static bool ifname_is_valid(const char *s)
{
	size_t len = strlen(s);

	if (!len || len >= DEVICE_NAME || str_eq(s, ".") || str_eq(s, ".."))
		return false;
	for (; *s; s++) {
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f || *s == '/' || *s == ':')
			return false;
	}
	return true;
}

static int request_check(const struct agent_endpoint *ep, struct err *e)
{
	if (*ep->netns != '/' || strlen(ep->netns) > PATH_BYTES_MAX)
		return err_set(
			e, -EINVAL, "netns: expected the absolute path of a network namespace");
	if (!name_is_valid(ep->name))
		return err_set(e, -EINVAL,
			"name: %.60s: expected letters, digits, _ . -, at most %d", ep->name,
			NAME_BYTES_MAX);
	if (!name_is_valid(ep->namespace))
		return err_set(e, -EINVAL,
			"namespace: %.60s: expected letters, digits, _ . -, at most %d",
			ep->namespace, NAME_BYTES_MAX);
	if (!ifname_is_valid(ep->ifname))
		return err_set(e, -EINVAL,
			"ifname: %.60s: expected at most 15 printable characters without / and :",
			ep->ifname);
	if (*ep->container_id && !name_is_valid(ep->container_id))
		return err_set(e, -EINVAL, "container_id: %.60s: expected letters, digits, _ . -",
			ep->container_id);
	if (!str_eq(ep->source, "cli") && !str_eq(ep->source, "cni"))
		return err_set(e, -EINVAL, "source: %.60s: expected cli or cni", ep->source);
	if (str_eq(ep->source, "cni") && !*ep->container_id)
		return err_set(e, -EINVAL, "container_id: missing");
	return 0;
}

/* What says where a workload belongs is not the workload's to say (GHSA-pfhr-pccp-hwmh). */
static int labels_check(const struct labels *l, struct err *e)
{
	for (size_t i = 0; i < l->count; i++) {
		SCOPED(str_done) struct str text = {0};

		if (!label_is_authority(&l->label[i]))
			continue;
		label_format(&text, &l->label[i]);
		return err_set(e, -EINVAL,
			"%.120s: only kilim gives this one, from the endpoint's namespace "
			"and cluster",
			str_text(&text));
	}
	return 0;
}

/* Every endpoint is in a namespace and a cluster; what says nothing about identity is left out. */
static int labels_complete(struct agent *a, struct agent_endpoint *ep, struct err *e)
{
	const struct workload_place place = {
		.namespace = ep->namespace, .cluster = a->conf->cluster_name};
	struct labels complete;
	int r = labels_check(&ep->labels, e);

	r = r ?: labels_of_workload(&ep->mem, &ep->labels, &place, &complete, e);
	if (r) {
		/* two values for one key: the request is wrong, nothing is there already */
		(void)err_prefix(e, "labels");
		return -EINVAL;
	}
	ep->labels = complete;
	return 0;
}

int endpoint_from_request(
	struct agent *a, const json_t *j, struct agent_endpoint **ret, struct err *e)
{
	SCOPED(endpoint_freep)
	struct agent_endpoint *ep = endpoint_new();
	const char *slash;
	bool ipv4 = true, ipv6 = true;
	int r;

	if (!json_is_object(j))
		return err_set(e, -EINVAL, "expected an endpoint request, found %s",
			j ? json_kind(j) : "nothing");
	r = get_string(j, "netns", "", &ep->mem, &ep->netns, e);
	if (r)
		return r;
	slash = strrchr(ep->netns, '/');
	r = get_string(j, "name", slash ? slash + 1 : "", &ep->mem, &ep->name, e) ?:
		get_string(j, "namespace", "default", &ep->mem, &ep->namespace, e) ?: get_string(j, "ifname", "eth0", &ep->mem, &ep->ifname, e) ?:
		get_string(j, "container_id", "", &ep->mem, &ep->container_id, e) ?: get_string(j, "source", "cli", &ep->mem, &ep->source, e);
	ep->mtu = a->conf->mtu ? (uint32_t)a->conf->mtu : 1500;
	r = r ?: get_number(j, "mtu", 65535, &ep->mtu, e) ?: get_address(j, "address4", true, &ep->addr4, e) ?:
		get_address(j, "address6", false, &ep->addr6, e) ?: json_get_bool(j, "ipv4", &ipv4, e) ?: json_get_bool(j, "ipv6", &ipv6, e) ?:
		request_check(ep, e) ?: get_labels(j, ep, e) ?: get_ports(j, ep, e) ?: labels_complete(a, ep, e);
	if (r)
		return r;
	ipv4 = ipv4 && a->pool4;
	ipv6 = ipv6 && a->pool6;
	if ((!ipv4 && !addr_is_zero(&ep->addr4)) || (!ipv6 && !addr_is_zero(&ep->addr6)))
		return err_set(e, -EINVAL, "an address is asked for of a family that is off");
	if (!ipv4 && !ipv6)
		return err_set(e, -EINVAL, "ipv4, ipv6: the endpoint would have no address");
	ep->want4 = ipv4;
	ep->want6 = ipv6;
	if (!ep->mtu)
		ep->mtu = 1500;
	if (ep->mtu < (ipv6 ? 1280u : 576u))
		return err_set(e, -EINVAL, "mtu: %u is too small", ep->mtu);
	snprintf(ep->pair.name, sizeof(ep->pair.name), "%s", ep->ifname);
	ep->pair.mtu = ep->mtu;
	*ret = TAKE(ep);
	return 0;
}
