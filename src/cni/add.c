/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ADD: turns the network configuration into an endpoint request, has the agent make the endpoint,
 * and shapes the result. Called by main.c. Must hold: a setting that kilim cannot honour is an
 * error here, not ignored, unless the specification gives it to another plugin.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cni/cni.h"
#include "codec/json.h"

/* Members of a network configuration that mean something to kilim-cni or to others in the chain. */
static const char *const members[] = {"cniVersion", "cniVersions", "name", "type", "run-dir", "mtu",
	"log-file", "args", "capabilities", "runtimeConfig", "prevResult", "dns", "ipam", "ipMasq",
	"disableCheck", "disableGC", "loadOnlyInlinedPlugins"};

static int members_check(const json_t *conf, struct cni_error *x)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)conf, key, value)
	{
		bool is_known = strchr(key, '/'); /* cni.dev/... and other extensions */

		for (size_t i = 0; !is_known && i < ARRAY_SIZE(members); i++)
			is_known = str_eq(key, members[i]);
		if (!is_known)
			return cni_fail(x, CNI_UNSUPPORTED_FIELD,
				"known: run-dir, mtu, log-file, args, dns",
				"%.60s: kilim-cni has no such setting", key);
	}
	value = json_object_get(conf, "ipam");
	if (value && !json_is_null(value) && json_object_size(value))
		return cni_fail(x, CNI_UNSUPPORTED_FIELD, "leave ipam out",
			"ipam: kilim gives addresses from its own pool");
	if (json_is_true(json_object_get(conf, "ipMasq")))
		return cni_fail(x, CNI_UNSUPPORTED_FIELD, "leave ipMasq out",
			"ipMasq: kilim-cni does not masquerade");
	return 0;
}

static int label_add(json_t *list, const json_t *label, struct cni_error *x)
{
	const char *key = json_string_value(json_object_get(label, "key"));
	const json_t *value = json_object_get(label, "value");
	SCOPED(str_done)
	struct str text = {0};

	if (!key || !*key || strpbrk(key, " =;\t\n") || (value && !json_is_string(value)))
		return cni_fail(x, CNI_CONFIG, NULL,
			"args.cni.labels: expected objects with key and value");
	/* a key may bring its source; labels without one are Kubernetes' */
	str_printf(&text, "%s%s=%s", strchr(key, ':') ? "" : "k8s:", key,
		value ? json_string_value(value) : "");
	(void)json_array_append_new(list, json_string(str_text(&text)));
	return 0;
}

int cni_labels(const struct cni_request *rq, json_t **ret, struct cni_error *x)
{
	const json_t *labels = json_object_get(
		json_object_get(json_object_get(rq->conf, "args"), "cni"), "labels");
	SCOPED(json_unrefp)
	json_t *list = json_array();
	const json_t *label;
	size_t i;

	if (labels && !json_is_null(labels) && !json_is_array(labels))
		return cni_fail(x, CNI_CONFIG, NULL, "args.cni.labels: expected a list, found %s",
			json_kind(labels));
	json_array_foreach(labels, i, label)
	{
		int r = label_add(list, label, x);

		if (r)
			return r;
	}
	*ret = TAKE(list);
	return 0;
}

/* runtimeConfig.ips or args.cni.ips: addresses that the runtime wants, with or without a prefix
 * length. */
static int ips_add(json_t *body, const json_t *ips, struct cni_error *x)
{
	const json_t *ip;
	size_t i;

	if (ips && !json_is_null(ips) && !json_is_array(ips))
		return cni_fail(
			x, CNI_CONFIG, NULL, "ips: expected a list, found %s", json_kind(ips));
	json_array_foreach(ips, i, ip)
	{
		SCOPED(freep)
		char *text = mem_strdup(json_string_value(ip));
		char *slash = text ? strchr(text, '/') : NULL;
		const char *key;

		if (!text)
			return cni_fail(x, CNI_CONFIG, NULL, "ips: expected strings, found %s",
				json_kind(ip));
		if (slash)
			*slash = 0;
		key = strchr(text, ':') ? "address6" : "address4";
		if (json_object_get(body, key))
			return cni_fail(
				x, CNI_CONFIG, NULL, "ips: more than one address of a family");
		(void)json_object_set_new(body, key, json_string(text));
	}
	return 0;
}

int cni_endpoint_request(const struct cni_request *rq, json_t **ret, struct cni_error *x)
{
	const json_t *runtime = json_object_get(rq->conf, "runtimeConfig");
	const json_t *args = json_object_get(json_object_get(rq->conf, "args"), "cni");
	const json_t *mtu = json_object_get(rq->conf, "mtu");
	SCOPED(json_unrefp)
	json_t *labels = NULL;
	SCOPED(json_unrefp)
	json_t *body = NULL;
	int r = members_check(rq->conf, x) ?: cni_labels(rq, &labels, x);

	if (r)
		return r;
	if (json_object_get(runtime, "mac"))
		return cni_fail(x, CNI_UNSUPPORTED_FIELD, NULL,
			"runtimeConfig.mac: kilim chooses the MAC address");
	body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:O}", "name",
		rq->pod ? rq->pod : rq->env.container_id, "netns", rq->env.netns, "ifname",
		rq->env.ifname, "container_id", rq->env.container_id, "source", "cni", "labels",
		labels);
	if (!body)
		return cni_fail(x, CNI_ENVIRONMENT, NULL, "CNI_NETNS is not UTF-8");
	if (rq->namespace)
		(void)json_object_set_new(body, "namespace", json_string(rq->namespace));
	if (mtu)
		(void)json_object_set(body, "mtu", (json_t *)mtu);
	r = ips_add(body, json_object_get(runtime, "ips") ?: json_object_get(args, "ips"), x);
	if (r)
		return r;
	*ret = TAKE(body);
	return 0;
}

int cni_add(const struct cni_request *rq, json_t **ret_out, struct cni_error *x)
{
	SCOPED(json_unrefp)
	json_t *body = NULL;
	SCOPED(json_unrefp)
	json_t *endpoint = NULL;
	int status, r;

	r = cni_endpoint_request(rq, &body, x);
	if (r)
		return r;
	r = cni_call(rq, "POST", "/v1/endpoint", body, &status, &endpoint, x);
	if (r)
		return r;
	return cni_result(rq, endpoint, ret_out, x);
}
