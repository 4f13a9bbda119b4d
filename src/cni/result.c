/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The result of ADD in every shape that the specification has had: ip4/ip6 objects up to 0.2.0, ips
 * with a version from 0.3.0, without one from 1.0.0, the MTU of interfaces from 1.1.0. Called by
 * add.c; pure. Must hold: what earlier plugins of the chain found stays in the result.
 */
#include <string.h>

#include "base/str.h"
#include "cni/cni.h"
#include "codec/json.h"

enum { INTERFACE_HOST, INTERFACE_INSIDE };

/* What there is of one family. */
struct family {
	const char *address, *gateway;
	const char *key; /* ip4, ip6 */
	const char *version; /* 4, 6 */
	const char *bits, *everything;
};

static int families(const json_t *endpoint, struct family ret[2])
{
	const json_t *addresses = json_object_get(endpoint, "addresses"),
		     *gateway = json_object_get(endpoint, "gateway");
	const struct family init[2] = {
		{json_string_value(json_object_get(addresses, "ipv4")),
			json_string_value(json_object_get(gateway, "ipv4")), "ip4", "4", "32",
			"0.0.0.0/0"},
		{json_string_value(json_object_get(addresses, "ipv6")),
			json_string_value(json_object_get(gateway, "ipv6")), "ip6", "6", "128",
			"::/0"},
	};

	memcpy(ret, init, sizeof(init));
	for (int i = 0; i < 2; i++) {
		if (ret[i].address && !*ret[i].address)
			ret[i].address = NULL;
		if (ret[i].gateway && !*ret[i].gateway)
			ret[i].gateway = NULL;
	}
	return ret[0].address || ret[1].address ? 0 : -1;
}

static json_t *route_object(const struct family *f)
{
	json_t *j = json_pack("{s:s}", "dst", f->everything);

	if (f->gateway)
		(void)json_object_set_new(j, "gw", json_string(f->gateway));
	return j;
}

/* Up to 0.2.0: one address of each family, nothing about interfaces. */
static json_t *result_old(const struct family family[2])
{
	json_t *out = json_object();

	for (int i = 0; i < 2; i++) {
		const struct family *f = &family[i];
		json_t *ip;

		if (!f->address)
			continue;
		ip = json_pack("{s:s++, s:[o]}", "ip", f->address, "/", f->bits, "routes",
			route_object(f));
		if (ip && f->gateway)
			(void)json_object_set_new(ip, "gateway", json_string(f->gateway));
		(void)json_object_set_new(out, f->key, ip);
	}
	return out;
}

static json_t *ip_object(const struct family *f, size_t interface, enum cni_version v)
{
	json_t *ip = json_pack("{s:s++, s:I}", "address", f->address, "/", f->bits, "interface",
		(json_int_t)interface);

	if (f->gateway)
		(void)json_object_set_new(ip, "gateway", json_string(f->gateway));
	if (v < CNI_1_0_0)
		(void)json_object_set_new(ip, "version", json_string(f->version));
	return ip;
}

/* A member of the result that is a list: what earlier plugins put there, to be added to. NULL when
 * it is no list. */
static json_t *list_member(json_t *out, const char *key)
{
	json_t *list = json_object_get(out, key);

	if (!list || json_is_null(list)) {
		list = json_array();
		(void)json_object_set_new(out, key, list);
	}
	return json_is_array(list) ? list : NULL;
}

static json_t *interface_object(const char *name, const json_t *mac, const json_t *mtu,
	const char *sandbox, enum cni_version v)
{
	json_t *j = json_pack("{s:s}", "name", name ? name : "");

	if (json_is_string(mac))
		(void)json_object_set(j, "mac", (json_t *)mac);
	if (v >= CNI_1_1_0 && json_is_integer(mtu))
		(void)json_object_set(j, "mtu", (json_t *)mtu);
	if (sandbox)
		(void)json_object_set_new(j, "sandbox", json_string(sandbox));
	return j;
}

static int result_new(const struct cni_request *rq, const json_t *endpoint,
	const struct family family[2], json_t *out, struct cni_error *x)
{
	json_t *interfaces = list_member(out, "interfaces"), *ips = list_member(out, "ips"),
	       *routes = list_member(out, "routes");
	const json_t *mtu = json_object_get(endpoint, "mtu");
	size_t first;

	if (!interfaces || !ips || !routes)
		return cni_fail(
			x, CNI_CONFIG, NULL, "prevResult: interfaces, ips and routes are lists");
	first = json_array_size(interfaces);
	(void)json_array_append_new(
		interfaces, interface_object(json_string_value(json_object_get(endpoint, "device")),
				    json_object_get(endpoint, "host_mac"), mtu, NULL, rq->version));
	(void)json_array_append_new(
		interfaces, interface_object(rq->env.ifname, json_object_get(endpoint, "mac"), mtu,
				    rq->env.netns, rq->version));
	for (int i = 0; i < 2; i++) {
		if (!family[i].address)
			continue;
		(void)json_array_append_new(
			ips, ip_object(&family[i], first + INTERFACE_INSIDE, rq->version));
		(void)json_array_append_new(routes, route_object(&family[i]));
	}
	return 0;
}

int cni_result(
	const struct cni_request *rq, const json_t *endpoint, json_t **ret, struct cni_error *x)
{
	const json_t *previous = json_object_get(rq->conf, "prevResult"),
		     *dns = json_object_get(rq->conf, "dns");
	SCOPED(json_unrefp)
	json_t *out = NULL;
	struct family family[2];

	if (families(endpoint, family))
		return cni_fail(x, CNI_AGENT, NULL, "the agent's answer has no address");
	if (previous && !json_is_null(previous) && !json_is_object(previous))
		return cni_fail(x, CNI_CONFIG, NULL, "prevResult: expected an object, found %s",
			json_kind(previous));
	if (rq->version < CNI_0_3_0) {
		out = result_old(family);
	} else {
		int r;

		out = json_is_object(previous) ? json_deep_copy(previous) : json_object();
		r = result_new(rq, endpoint, family, out, x);
		if (r)
			return r;
	}
	if (json_is_object(dns))
		(void)json_object_set(out, "dns", (json_t *)dns);
	(void)json_object_set_new(out, "cniVersion", json_string(cni_version_text(rq->version)));
	*ret = TAKE(out);
	return 0;
}
