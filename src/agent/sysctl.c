/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forwarding of the node. Called by wire.c and uninstall.c. Must hold: a value is noted before it
 * is changed, and a note is never replaced, so that it tells what was there before kilim. A node
 * that forwards IPv6 would forget the default routes that its routers announce; its devices are
 * told to go on listening before.
 */
#include "agent/sysctl.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "codec/json.h"
#include "kern/device.h"

LOG_MODULE("agent");

#define IPV6_CONF "/proc/sys/net/ipv6/conf"

enum { NOTE_MAX_BYTES = 1 << 20, VALUE_MAX_BYTES = 64 };

static void note_path(const struct conf *c, struct str *out)
{
	str_printf(out, "%s/sysctl.json", c->state_dir);
}

/* What was noted; an empty object when nothing was. */
static json_t *notes_load(const struct conf *c)
{
	SCOPED(str_done) struct str path = {0};
	SCOPED(freep) char *text = NULL;
	json_t *j = NULL;
	size_t len;

	note_path(c, &path);
	if (fd_read_file(str_text(&path), NOTE_MAX_BYTES, &text, &len, NULL) < 0 ||
		json_parse_text(text, len, NOTE_MAX_BYTES, &j, NULL) < 0)
		return json_object();
	return j;
}

static int notes_save(const struct conf *c, const json_t *notes, struct err *e)
{
	SCOPED(str_done) struct str path = {0};
	SCOPED(freep) char *text = json_text(notes);

	note_path(c, &path);
	return fd_write_file(str_text(&path), text, strlen(text), 0600, e);
}

/* Note the sysctl when it has this value, which will be changed. Whether it has. */
static bool note(json_t *notes, const char *path, const char *value)
{
	SCOPED(freep) char *text = NULL;

	if (fd_read_file(path, VALUE_MAX_BYTES, &text, NULL, NULL) < 0)
		return false;
	text[strcspn(text, "\n")] = 0;
	if (!str_eq(text, value))
		return false;
	if (!json_object_get(notes, path))
		(void)json_object_set_new(notes, path, json_string(value));
	return true;
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* Call fn with the accept_ra of each device that listens to routers as hosts do. */
static void each_listener(json_t *notes, void (*fn)(const char *path))
{
	SCOPED(closedirp) DIR *dir = opendir(IPV6_CONF);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		SCOPED(str_done) struct str path = {0};

		if (*d->d_name == '.' || str_eq(d->d_name, "all") || str_eq(d->d_name, "default") ||
			str_eq(d->d_name, "lo"))
			continue;
		str_printf(&path, IPV6_CONF "/%s/accept_ra", d->d_name);
		if (note(notes, str_text(&path), "1") && fn)
			fn(str_text(&path));
	}
}

static void listen_on(const char *path)
{
	(void)fd_write_text(path, "2", NULL);
}

int sysctl_forward(const struct conf *c, struct err *e)
{
	SCOPED(json_unrefp) json_t *notes = notes_load(c);
	bool off4 = c->ipv4 && note(notes, "/proc/sys/net/ipv4/ip_forward", "0");
	bool off6 = c->ipv6 && note(notes, IPV6_CONF "/all/forwarding", "0");
	int r;

	if (!off4 && !off6)
		return 0;
	if (off6)
		each_listener(notes, NULL);
	r = notes_save(c, notes, e);
	if (r)
		return r;
	if (off6)
		each_listener(notes, listen_on);
	return device_forwarding(off4, off6, e);
}

void sysctl_restore(const struct conf *c)
{
	SCOPED(json_unrefp) json_t *notes = notes_load(c);
	SCOPED(str_done) struct str path = {0};
	const char *name;
	json_t *value;

	json_object_foreach(notes, name, value)
	{
		struct err e = {0};

		if (!str_has_prefix(name, "/proc/sys/net/") || strstr(name, "..") ||
			!json_is_string(value))
			continue;
		if (fd_write_text(name, json_string_value(value), &e) < 0 &&
			access(name, F_OK) == 0)
			log_warn("%s", e.text);
	}
	note_path(c, &path);
	(void)unlink(str_text(&path));
}
