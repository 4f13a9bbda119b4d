/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kilimd: the agent. Reads the settings, opens the agent and runs it until a signal. Exit status: 0
 * stopped or done, 1 failed, 2 settings that are not good.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "agent/agent.h"
#include "agent/conf.h"
#include "base/log.h"
#include "base/str.h"

LOG_MODULE("agent");

extern char **environ;

enum { EXIT_GOOD, EXIT_FAILED, EXIT_SETTINGS };

static int print(void (*write)(struct str *out))
{
	SCOPED(str_done)
	struct str out = {0};

	write(&out);
	return fputs(str_text(&out), stdout) < 0 || fflush(stdout) ? EXIT_FAILED : EXIT_GOOD;
}

static void write_version(struct str *out)
{
	str_printf(out, "kilimd %s\n", KILIM_VERSION);
}

static int run(const struct conf *conf)
{
	struct agent agent;
	struct err e = {0};
	int r = agent_open(&agent, conf, &e);

	if (r)
		log_err("%s", e.text);
	else
		r = agent_run(&agent);
	agent_close(&agent);
	return r ? EXIT_FAILED : EXIT_GOOD;
}

static int uninstall(const struct conf *conf)
{
	struct err e = {0};

	if (agent_uninstall(conf, &e) == 0)
		return EXIT_GOOD;
	log_err("uninstall: %s", e.text);
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	SCOPED(conf_done)
	struct conf conf = {0};
	enum conf_action action;
	struct err e = {0};

	umask(027);
	if (conf_load(argc, argv, environ, &conf, &action, &e) < 0) {
		log_err("%s", e.text);
		return EXIT_SETTINGS;
	}
	log_set_level(conf.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	(void)signal(SIGPIPE, SIG_IGN);
	switch (action) {
	case CONF_HELP:
		return print(conf_write_help);
	case CONF_HELP_MARKDOWN:
		return print(conf_write_markdown);
	case CONF_VERSION:
		return print(write_version);
	case CONF_CHECK:
		return puts("the settings are good") < 0 || fflush(stdout) ? EXIT_FAILED
									   : EXIT_GOOD;
	case CONF_UNINSTALL:
		return uninstall(&conf);
	case CONF_RUN:
		break;
	}
	return run(&conf);
}
