/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes what one instance has on the machine: devices, programs, maps, routes, state. Called by
 * main.c for kilimd --uninstall. Must hold: the agent does not run (its locks are taken here); only
 * what carries this instance's names is touched; what is gone already is fine.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/endpoint.h"
#include "agent/pools.h"
#include "agent/sysctl.h"
#include "base/fd.h"
#include "base/log.h"
#include "datapath/datapath.h"
#include "kern/device.h"

LOG_MODULE("uninstall");

enum { STATE_FILE_MAX_BYTES = 1 << 20 };

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static void device_closep(struct device **d)
{
	device_close(*d);
}

/* The device that a state file names. */
static int remove_endpoint(struct device *d, const char *path, struct err *e)
{
	SCOPED(endpoint_freep)
	struct agent_endpoint *ep = NULL;
	SCOPED(freep)
	char *text = NULL;
	SCOPED(json_unrefp)
	json_t *j = NULL;
	struct err ignored = {0};
	size_t len;
	int r = fd_read_file(path, STATE_FILE_MAX_BYTES, &text, &len, &ignored) ?:
		json_parse_text(text, len, STATE_FILE_MAX_BYTES, &j, &ignored) ?: endpoint_from_json(j, &ep, &ignored);

	if (r) {
		log_warn("%s", ignored.text);
		return 0;
	}
	return device_remove(d, device_index(d, ep->pair.host_name), e);
}

static int remove_endpoints(const struct conf *c, struct device *d, struct err *e)
{
	SCOPED(str_done)
	struct str name = {0};
	SCOPED(closedirp)
	DIR *dir = NULL;
	struct dirent *entry;
	int r = 0;

	str_printf(&name, "%s/endpoint", c->state_dir);
	dir = opendir(str_text(&name));
	while (!r && dir && (entry = readdir(dir))) {
		SCOPED(str_done)
		struct str path = {0};

		str_printf(&path, "%s/%s", str_text(&name), entry->d_name);
		if (str_has_suffix(entry->d_name, ".json"))
			r = remove_endpoint(d, str_text(&path), e);
	}
	return r;
}

/* The files of a directory, and the directory when nothing else is in it. */
static void remove_dir(const char *parent, const char *name)
{
	SCOPED(str_done)
	struct str path = {0};
	SCOPED(closedirp)
	DIR *dir = NULL;
	struct dirent *entry;

	str_printf(&path, "%s/%s", parent, name);
	dir = opendir(str_text(&path));
	while (dir && (entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	(void)rmdir(str_text(&path));
}

static void remove_file(const char *parent, const char *name)
{
	SCOPED(str_done)
	struct str path = {0};

	str_printf(&path, "%s/%s", parent, name);
	(void)unlink(str_text(&path));
}

static void remove_files(const struct conf *c)
{
	remove_dir(c->state_dir, "endpoint");
	remove_dir(c->state_dir, "policy");
	remove_dir(c->state_dir, "last-good");
	remove_dir(c->state_dir, "history/text");
	remove_dir(c->state_dir, "history");
	remove_file(c->state_dir, "identities.json");
	remove_file(c->state_dir, "pools.json");
	remove_file(c->state_dir, "rules.json");
	remove_file(c->state_dir, "policy-change.json");
	remove_dir(c->run_dir, "cni-delete");
	remove_file(c->run_dir, "kilim.sock");
	(void)rmdir(c->state_dir);
	(void)rmdir(c->run_dir);
	if (*c->cni_conf)
		(void)unlink(c->cni_conf);
}

int agent_uninstall(const struct conf *conf, struct err *e)
{
	struct agent locks = {.conf = conf, .run_lock = -1, .state_lock = -1};
	SCOPED(device_closep)
	struct device *d = NULL;
	int r = agent_lock(&locks, e);

	if (r == -EBUSY)
		(void)err_prefix(e, "stop the agent first");
	/* workloads lose their devices before they lose their policy */
	r = r ?: device_open(&d, e);
	r = r ?: remove_endpoints(conf, d, e);
	r = r ?: datapath_uninstall(conf->bpf_root, e);
	r = r ?: pools_remove(conf, d, e);
	if (!r) {
		sysctl_restore(conf);
		remove_files(conf);
	}
	fd_closep(&locks.run_lock);
	fd_closep(&locks.state_lock);
	return r;
}
