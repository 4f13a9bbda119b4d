/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent keeps on disk beside endpoints and policies, and what is wrong with it. Called by
 * wire.c, policy.c, endpoint.c. Must hold: one agent per run directory and state directory (a lock
 * on the directory itself, gone with the process); identities are on disk before the kernel has
 * their numbers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/conf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/json.h"
#include "model/identity.h"

LOG_MODULE("agent");

enum { IDENTITIES_FILE_MAX_BYTES = 64 << 20 };

static int dir_make(const char *parent, const char *name, struct err *e)
{
	SCOPED(str_done)
	struct str path = {0};

	str_printf(&path, "%s/%s", parent, name);
	return fd_mkdir(str_text(&path), 0700, e);
}

static bool dir_exists(const char *parent, const char *name)
{
	SCOPED(str_done)
	struct str path = {0};

	str_printf(&path, "%s/%s", parent, name);
	return access(str_text(&path), F_OK) == 0;
}

/* A predecessor that was just killed holds its locks until the kernel has closed its files, so they
 * are asked for again for a while. */
static int lock_patiently(int fd)
{
	enum { TRIES = 40, STEP_NS = 50 * 1000000 };
	const struct timespec step = {.tv_nsec = STEP_NS};

	for (unsigned i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EINTR && (errno != EWOULDBLOCK || i == TRIES))
			return -errno;
		(void)nanosleep(&step, NULL);
	}
	return 0;
}

static int dir_lock(const char *path, int *ret, struct err *e)
{
	SCOPED(fd_closep)
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	r = lock_patiently(fd);
	if (r == -EWOULDBLOCK)
		return err_set(e, -EBUSY, "%s: another kilimd uses this directory", path);
	if (r)
		return err_set(e, r, "%s: %s", path, strerror(-r));
	*ret = TAKE_FD(fd);
	return 0;
}

int agent_lock(struct agent *a, struct err *e)
{
	const struct conf *c = a->conf;
	int r = fd_mkdir(c->run_dir, 0750, e) ?: fd_mkdir(c->state_dir, 0700, e);

	/* later on a missing manifest directory is a fault: what it had stays in force */
	if (!r && !dir_exists(c->state_dir, "last-good"))
		r = fd_mkdir(c->manifest_dir, 0755, e);
	r = r ?: dir_lock(c->run_dir, &a->run_lock, e) ?: dir_lock(c->state_dir, &a->state_lock, e);
	return r ?: dir_make(c->run_dir, "cni-delete", e) ?: dir_make(c->state_dir, "endpoint", e) ?: dir_make(c->state_dir, "policy", e) ?:
		dir_make(c->state_dir, "last-good", e);
}

void agent_load_identities(struct agent *a)
{
	SCOPED(str_done)
	struct str path = {0};
	SCOPED(freep)
	char *text = NULL;
	SCOPED(json_unrefp)
	json_t *j = NULL;
	struct err e = {0};
	size_t len;
	int r;

	str_printf(&path, "%s/identities.json", a->conf->state_dir);
	r = fd_read_file(str_text(&path), IDENTITIES_FILE_MAX_BYTES, &text, &len, &e);
	if (r == -ENOENT)
		return;
	r = r ?: json_parse_text(text, len, IDENTITIES_FILE_MAX_BYTES, &j, &e) ?: identities_load(a->identities, j, &e);
	if (r)
		agent_problem(a, str_text(&path), e.text);
	else
		a->identities_saved = identities_revision(a->identities);
}

int agent_save_identities(struct agent *a, struct err *e)
{
	uint64_t revision = identities_revision(a->identities);
	SCOPED(str_done)
	struct str path = {0};
	SCOPED(json_unrefp)
	json_t *j = NULL;
	SCOPED(freep)
	char *text = NULL;
	int r;

	if (revision == a->identities_saved)
		return 0;
	j = identities_save(a->identities);
	text = json_text(j);
	str_printf(&path, "%s/identities.json", a->conf->state_dir);
	r = fd_write_file(str_text(&path), text, strlen(text), 0600, e);
	if (!r)
		a->identities_saved = revision;
	return r;
}

void agent_problem(struct agent *a, const char *subject, const char *text)
{
	char *old =
		text ? hash_get_str(&a->problems, subject) : hash_remove_str(&a->problems, subject);

	if (!text) {
		if (old)
			log_info("%s: good again", subject);
		free(old);
		return;
	}
	if (str_eq(old, text))
		return;
	log_err("%s: %s", subject, text);
	free(hash_put_str(&a->problems, subject, mem_strdup(text)));
}
