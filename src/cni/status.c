/* SPDX-License-Identifier: Apache-2.0 */
/* STATUS and VERSION: what the plugin can do now, and what it can do at all. Called by main.c. */
#include "cni/cni.h"
#include "codec/json.h"

int cni_status(const struct cni_request *rq, json_t **ret_out, struct cni_error *x)
{
	SCOPED(json_unrefp)
	json_t *answer = NULL;
	int status, r = cni_call(rq, "GET", "/v1/healthz", NULL, &status, &answer, x);

	(void)ret_out;
	/* what runs keeps its connectivity without the agent, so 50 and not 51 */
	if (r)
		x->code = r = CNI_NOT_AVAILABLE;
	return r;
}

int cni_versions(const struct cni_request *rq, json_t **ret_out, struct cni_error *x)
{
	json_t *list = json_array();

	(void)x;
	for (int v = 0; v < CNI_VERSIONS; v++)
		(void)json_array_append_new(
			list, json_string(cni_version_text((enum cni_version)v)));
	*ret_out = json_pack("{s:s, s:o}", "cniVersion", cni_version_text(rq->version),
		"supportedVersions", list);
	return 0;
}
