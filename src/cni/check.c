/* SPDX-License-Identifier: Apache-2.0 */
/* CHECK: asks the agent whether device, addresses and routes are as ADD left them. Called by
 * main.c; changes nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cni/cni.h"
#include "codec/json.h"

/* Whether the result that the runtime kept has this address of the endpoint. */
static bool result_has(const json_t *result, const char *address)
{
	size_t len = strlen(address), i;
	const json_t *ip;

	json_array_foreach(json_object_get(result, "ips"), i, ip)
	{
		const char *text = json_string_value(json_object_get(ip, "address"));

		if (text && !strncmp(text, address, len) && (text[len] == '/' || !text[len]))
			return true;
	}
	return false;
}

int cni_check(const struct cni_request *rq, json_t **ret_out, struct cni_error *x)
{
	const json_t *result = json_object_get(rq->conf, "prevResult");
	SCOPED(freep)
	char *path = cni_endpoint_path(rq, "");
	SCOPED(freep)
	char *check = cni_endpoint_path(rq, "/check");
	SCOPED(json_unrefp)
	json_t *endpoint = NULL;
	SCOPED(json_unrefp)
	json_t *answer = NULL;
	const char *family;
	json_t *address;
	int status, r;

	(void)ret_out;
	if (!json_is_object(result))
		return cni_fail(x, CNI_CONFIG, NULL, "prevResult: CHECK needs the result of ADD");
	r = cni_call(rq, "GET", path, NULL, &status, &endpoint, x);
	if (r)
		return r;
	json_object_foreach(json_object_get(endpoint, "addresses"), family, address)
	{
		const char *text = json_string_value(address);

		if (text && *text && !result_has(result, text))
			return cni_fail(x, CNI_BROKEN, NULL,
				"prevResult lacks the endpoint's %s address %s", family, text);
	}
	r = cni_call(rq, "GET", check, NULL, &status, &answer, x);
	if (r && status == 500)
		x->code = r = CNI_BROKEN;
	return r;
}
