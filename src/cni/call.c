/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to the agent and what their failures mean in codes of the CNI specification. Called by the
 * verbs. Must hold: a failure that passes by itself (no agent yet) is code 11, so that the runtime
 * tries again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/client.h"
#include "base/str.h"
#include "cni/cni.h"

enum { CALL_TIMEOUT_MS = 30000 };

static enum cni_code code_of(int status)
{
	switch (status) {
	case 0:
	case 429:
	case 503:
		return CNI_TRY_AGAIN;
	case 400:
		return CNI_CONFIG;
	case 404:
		return CNI_UNKNOWN_CONTAINER;
	case 409:
		return CNI_EXISTS;
	case 507:
		return CNI_EXHAUSTED;
	default:
		return CNI_AGENT;
	}
}

int cni_call(const struct cni_request *rq, const char *method, const char *path, const json_t *body,
	int *ret_status, json_t **ret, struct cni_error *x)
{
	SCOPED(str_done)
	struct str socket = {0};
	struct err e = {0};
	int status = 0, r;

	str_printf(&socket, "%s/kilim.sock", rq->run_dir);
	r = api_call(str_text(&socket), method, path, body, CALL_TIMEOUT_MS, &status, ret, &e);
	*ret_status = r < 0 && status < 400 ? 0 : status;
	if (r < 0 || status >= 400)
		return cni_fail(x, code_of(*ret_status), e.text,
			*ret_status ? "the kilim agent refused %s"
				    : "the kilim agent does not answer (%s)",
			rq->env.command);
	return 0;
}

char *cni_endpoint_path(const struct cni_request *rq, const char *suffix)
{
	SCOPED(str_done)
	struct str id = {0}, path = {0};
	SCOPED(freep)
	char *encoded = NULL;

	str_printf(&id, "cni-attachment-id:%s:%s", rq->env.container_id, rq->env.ifname);
	encoded = api_encode(str_text(&id));
	str_printf(&path, "/v1/endpoint/%s%s", encoded, suffix);
	return str_take(&path);
}
