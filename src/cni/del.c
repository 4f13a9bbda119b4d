/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DEL: has the agent delete the endpoint; without an agent it leaves a note in RUN-DIR/cni-delete/
 * that the agent acts on when it starts. Called by main.c. Must hold: DEL succeeds for what is gone
 * already; a note is written before the second try, and the agent reads the notes after it has
 * begun to listen, so that no deletion falls between the two.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/str.h"
#include "cni/cni.h"
#include "codec/json.h"

static int note_write(const struct cni_request *rq, struct str *path, struct cni_error *x)
{
	SCOPED(json_unrefp)
	json_t *note = json_pack(
		"{s:s, s:s}", "container_id", rq->env.container_id, "ifname", rq->env.ifname);
	SCOPED(freep)
	char *text = json_text(note);
	uint64_t name = hash_bytes(rq->env.ifname, strlen(rq->env.ifname),
		hash_bytes(rq->env.container_id, strlen(rq->env.container_id), 0));
	struct err e = {0};
	int r;

	str_printf(path, "%s/cni-delete", rq->run_dir);
	r = fd_mkdir(path->text, 0700, &e);
	str_printf(path, "/%016llx.json", (unsigned long long)name);
	if (!r)
		r = fd_write_file(path->text, text, strlen(text), 0600, &e);
	return r ? cni_fail(x, CNI_TRY_AGAIN, e.text,
			   "the kilim agent does not answer and the deletion cannot be noted")
		 : 0;
}

int cni_del(const struct cni_request *rq, json_t **ret_out, struct cni_error *x)
{
	SCOPED(freep)
	char *path = cni_endpoint_path(rq, "");
	SCOPED(str_done)
	struct str note = {0};
	SCOPED(json_unrefp)
	json_t *answer = NULL;
	int status, r;

	(void)ret_out;
	r = cni_call(rq, "DELETE", path, NULL, &status, &answer, x);
	if (!r || status == 404)
		return 0;
	if (r != CNI_TRY_AGAIN)
		return r;
	r = note_write(rq, &note, x);
	if (r)
		return r;
	r = cni_call(rq, "DELETE", path, NULL, &status, &answer, x);
	if (!r || status == 404)
		(void)unlink(note.text);
	return 0;
}
