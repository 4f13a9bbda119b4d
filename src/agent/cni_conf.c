/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the CNI configuration. Called by wire.c when the agent can take endpoints, because
 * runtimes report the node as ready when they see it. Must hold: cniVersion is one that every
 * runtime in use knows; cniVersions tells newer ones what else works.
 */
#include "agent/cni_conf.h"

#include <string.h>

#include "base/fd.h"
#include "codec/json.h"

/* The directory of the file, made when it is missing. */
static int make_parent(const char *path, struct err *e)
{
	SCOPED(freep)
	char *dir = mem_strdup(path);
	char *slash = strrchr(dir, '/');

	if (!slash || slash == dir)
		return 0;
	*slash = 0;
	return fd_mkdir(dir, 0755, e);
}

int cni_conf_write(const struct conf *c, struct err *e)
{
	SCOPED(json_unrefp)
	json_t *j = NULL;
	SCOPED(freep)
	char *text = NULL;
	json_t *plugin;
	int r;

	if (!*c->cni_conf)
		return 0;
	plugin = json_pack("{s:s, s:s}", "type", "kilim-cni", "run-dir", c->run_dir);
	if (c->mtu)
		(void)json_object_set_new(plugin, "mtu", json_integer((json_int_t)c->mtu));
	j = json_pack("{s:s, s:[s, s, s, s], s:s, s:[o]}", "cniVersion", "1.0.0", "cniVersions",
		"0.3.1", "0.4.0", "1.0.0", "1.1.0", "name", "kilim", "plugins", plugin);
	text = json_text(j);
	r = make_parent(c->cni_conf, e);
	return r ?: fd_write_file(c->cni_conf, text, strlen(text), 0644, e);
}
