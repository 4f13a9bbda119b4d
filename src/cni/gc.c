/* SPDX-License-Identifier: Apache-2.0 */
/* GC: has the agent delete every attachment of this node that the runtime does not list. Called by
 * main.c. Must hold: no list, no deletion. */
#include "base/str.h"
#include "cni/cni.h"
#include "codec/json.h"

int cni_gc(const struct cni_request *rq, json_t **ret_out, struct cni_error *x)
{
	const json_t *valid = json_object_get(rq->conf, "cni.dev/valid-attachments");
	SCOPED(json_unrefp)
	json_t *list = json_array();
	SCOPED(json_unrefp)
	json_t *body = NULL;
	SCOPED(json_unrefp)
	json_t *answer = NULL;
	const json_t *item;
	size_t i;
	int status;

	(void)ret_out;
	if (!json_is_array(valid))
		return cni_fail(x, CNI_CONFIG, NULL,
			"cni.dev/valid-attachments: expected a list, found %s", json_kind(valid));
	json_array_foreach(valid, i, item)
	{
		const char *id = json_string_value(json_object_get(item, "containerID"));
		const char *ifname = json_string_value(json_object_get(item, "ifname"));

		if (!id || !ifname)
			return cni_fail(x, CNI_CONFIG, NULL,
				"cni.dev/valid-attachments: expected objects with containerID and "
				"ifname");
		(void)json_array_append_new(
			list, json_pack("{s:s, s:s}", "container_id", id, "ifname", ifname));
	}
	body = json_pack("{s:O}", "valid", list);
	return cni_call(rq, "POST", "/v1/endpoint/gc", body, &status, &answer, x);
}
