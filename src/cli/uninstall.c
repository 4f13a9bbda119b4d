/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kilim uninstall: hands over to kilimd --uninstall, which knows the data path; the agent need not
 * run. Owns nothing. Must hold: the kilimd of the same installation is taken before any other.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"

static const struct cli_option uninstall_options[] = {
	{0, "config", "FILE", NULL, 0, "as of kilimd: where the instance's settings are"},
	{0, "state-dir", "DIR", NULL, 0, "as of kilimd"},
	{0, "manifest-dir", "DIR", NULL, 0, "as of kilimd"},
	{0, "bpf-root", "DIR", NULL, 0, "as of kilimd"},
	{0, "cgroup-root", "DIR", NULL, 0, "as of kilimd"},
	{0, "node-name", "NAME", NULL, 0, "as of kilimd"},
	{0},
};

enum { FLAGS_MAX = 16 };

/* Beside this program: in its directory, and in the sbin beside its bin. Returns only when there is
 * none. */
static void exec_beside(char **argv)
{
	static const char *const places[] = {"kilimd", "../sbin/kilimd"};
	char self[4096], path[4200];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n <= 0)
		return;
	self[n] = 0;
	slash = strrchr(self, '/');
	if (!slash)
		return;
	slash[1] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), "%s%s", self, places[i]);
		(void)execv(path, argv);
	}
}

static int run_uninstall(const struct cli *c)
{
	char *argv[FLAGS_MAX + 3] = {(char[]){"kilimd"}, (char[]){"--uninstall"}};
	size_t count = 2;
	struct err e = {0};

	for (size_t i = 0; i < c->values && count < FLAGS_MAX; i++) {
		const struct cli_value *v = &c->value[i];
		struct str flag = {0};

		/* what is for kilim's own output means nothing to kilimd */
		if (str_eq(v->option->name, "output") || str_eq(v->option->name, "color") ||
			str_eq(v->option->name, "no-headers"))
			continue;
		str_printf(&flag, "--%s=%s", v->option->name, v->value);
		argv[count++] = str_take(&flag);
	}
	(void)signal(SIGPIPE, SIG_DFL);
	exec_beside(argv);
	(void)execvp("kilimd", argv);
	(void)err_set(&e, -errno,
		"kilimd cannot be run: %s; it is looked for beside kilim and in PATH",
		strerror(errno));
	while (count > 2)
		free(argv[--count]);
	return cli_fail(&e);
}

const struct cli_command uninstall_command = {"uninstall", "",
	"remove every trace of the agent from this node", 0, 0, uninstall_options, run_uninstall};
