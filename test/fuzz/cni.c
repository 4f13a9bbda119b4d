/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a runtime may put on kilim-cni's stdin. The first byte picks the verb; the rest is the
 * configuration. Parses it, makes the endpoint request, and shapes a result: whatever comes in,
 * each ends with an object or a code of the specification.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cni/cni.h"
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const verbs[] = {"ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"};

static void check_code(int code)
{
	switch (code) {
	case 0:
	case CNI_VERSION:
	case CNI_UNSUPPORTED_FIELD:
	case CNI_ENVIRONMENT:
	case CNI_DECODE:
	case CNI_CONFIG:
	case CNI_AGENT:
		return;
	default:
		abort();
	}
}

static void try_add(const struct cni_request *rq)
{
	SCOPED(json_unrefp)
	json_t *body = NULL;
	SCOPED(json_unrefp)
	json_t *out = NULL;
	SCOPED(json_unrefp)
	json_t *endpoint = json_pack("{s:{s:s, s:s}, s:{s:s}, s:s, s:s, s:s, s:i}", "addresses",
		"ipv4", "10.0.0.5", "ipv6", "fd00::5", "gateway", "ipv4", "10.0.0.1", "device",
		"kilim1", "mac", "02:00:00:00:00:01", "host_mac", "02:00:00:00:00:02", "mtu", 1500);
	struct cni_error x = {0};
	int r = cni_endpoint_request(rq, &body, &x);

	check_code(r);
	if (!r && !json_is_object(body))
		abort();
	r = cni_result(rq, endpoint, &out, &x);
	check_code(r);
	if (!r && !str_eq(json_string_value(json_object_get(out, "cniVersion")),
			  cni_version_text(rq->version)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cni_env env = {.container_id = "c1", .netns = "/run/netns/a", .ifname = "eth0"};
	SCOPED(cni_request_done)
	struct cni_request rq = {0};
	SCOPED(freep)
	char *args = NULL;
	struct cni_error x = {0};
	int r;

	if (!size)
		return 0;
	env.command = verbs[data[0] % ARRAY_SIZE(verbs)];
	/* with the highest bit set the rest is CNI_ARGS */
	if (data[0] & 0x80) {
		static const char conf[] = "{\"cniVersion\":\"1.0.0\",\"name\":\"n\"}";

		args = mem_dup(data + 1, size - 1);
		env.args = args;
		r = cni_request_parse(&env, conf, strlen(conf), &rq, &x);
	} else {
		r = cni_request_parse(&env, (const char *)data + 1, size - 1, &rq, &x);
	}
	check_code(r);
	if (!r && str_eq(env.command, "ADD"))
		try_add(&rq);
	return 0;
}
