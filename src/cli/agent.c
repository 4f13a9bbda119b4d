/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to the agent. Called by the commands. Owns the notice that tells a person what is waited
 * for. Must hold: "the agent cannot be reached" is told apart from "the agent says no", and Ctrl-C
 * ends a stream with everything printed that came.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "api/client.h"
#include "cli/cli.h"

enum { CALL_MS = 120000 };

/* What the signal handler of the notice prints; a fixed buffer, for it may come at any time. */
static struct {
	char text[160];
	size_t len;
	volatile sig_atomic_t shown;
} notice;

static void on_second(int signo)
{
	int saved = errno;

	(void)signo;
	if (!notice.shown)
		(void)!write(STDERR_FILENO, notice.text, notice.len);
	else
		(void)!write(STDERR_FILENO, ".", 1);
	notice.shown = 1;
	errno = saved;
}

/* From now on, say every second that it goes on; only to a terminal. */
static void notice_start(const char *what)
{
	struct sigaction sa = {.sa_handler = on_second, .sa_flags = SA_RESTART};
	struct itimerval every = {{1, 0}, {1, 0}};
	SCOPED(str_done) struct str clean = {0};

	notice.shown = 0;
	if (!isatty(STDERR_FILENO))
		return;
	str_add_printable(&clean, what);
	snprintf(notice.text, sizeof(notice.text), "kilim: waiting for kilimd: %s .",
		str_text(&clean));
	notice.len = strlen(notice.text);
	(void)sigaction(SIGALRM, &sa, NULL);
	(void)setitimer(ITIMER_REAL, &every, NULL);
}

static void notice_stop(void)
{
	struct itimerval never = {{0, 0}, {0, 0}};

	(void)setitimer(ITIMER_REAL, &never, NULL);
	if (notice.shown)
		(void)!write(STDERR_FILENO, "\n", 1);
	notice.shown = 0;
}

static char *socket_path(const struct cli *c)
{
	struct str path = {0};

	str_printf(&path, "%s/kilim.sock", c->run_dir);
	return str_take(&path);
}

static int call_failed(int status, const struct err *e)
{
	(void)cli_fail(e);
	return status ? CLI_FAILED : CLI_UNREACHABLE;
}

int cli_try(const struct cli *c, const char *method, const char *path, const json_t *body,
	const char *what, int *ret_status, json_t **ret, struct err *e)
{
	SCOPED(freep) char *socket = socket_path(c);
	int r;

	notice_start(what);
	r = api_call(socket, method, path, body, CALL_MS, ret_status, ret, e);
	notice_stop();
	return r;
}

int cli_call(const struct cli *c, const char *method, const char *path, const json_t *body,
	const char *what, json_t **ret)
{
	struct err e = {0};
	int status = 0;
	int r = cli_try(c, method, path, body, what, &status, ret, &e);

	return r < 0 ? call_failed(status, &e) : CLI_OK;
}

int cli_get(const struct cli *c, const char *path, json_t **ret)
{
	json_t *j = NULL;
	int r = cli_call(c, "GET", path, NULL, c->command->name, &j);

	if (r)
		return r;
	if (!j)
		return cli_fail(&(struct err){.text = "kilimd's answer is empty"});
	*ret = j;
	return CLI_OK;
}

int cli_list(const struct cli *c, const char *path, const struct text_column *columns,
	void (*row)(struct text_table *t, const json_t *j))
{
	json_t *list = NULL;
	int r = cli_get(c, path, &list);

	if (r)
		return r;
	cli_print_list(c, list, columns, row);
	json_decref(list);
	return CLI_OK;
}

int cli_get_text(const struct cli *c, const char *path, char **ret)
{
	SCOPED(freep) char *socket = socket_path(c);
	struct err e = {0};
	int status = 0, r;

	notice_start(c->command->name);
	r = api_call_text(socket, path, CALL_MS, &status, ret, &e);
	notice_stop();
	return r < 0 ? call_failed(status, &e) : CLI_OK;
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signo)
{
	(void)signo;
	interrupted = 1;
	/* once more ends kilim even where it does not look; so does a signal between the look and
	 * the wait */
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	alarm(1);
}

struct forward {
	int (*line)(const char *line, size_t len, void *data);
	void *data;
};

static int on_line(const char *line, size_t len, void *data)
{
	const struct forward *f = data;

	if (interrupted)
		return -EINTR;
	return f->line(line, len, f->data);
}

static void on_late(int signo)
{
	(void)signo;
}

int cli_stream(const struct cli *c, const char *path,
	int (*line)(const char *line, size_t len, void *data), void *data)
{
	SCOPED(freep) char *socket = socket_path(c);
	struct sigaction interrupt = {.sa_handler = on_interrupt}, late = {.sa_handler = on_late};
	struct forward f = {line, data};
	struct err e = {0};
	int status = 0, r;

	/* without SA_RESTART: the wait in the client ends; the alarm a second later ends one that
	 * was just about to begin */
	(void)sigaction(SIGINT, &interrupt, NULL);
	(void)sigaction(SIGTERM, &interrupt, NULL);
	(void)sigaction(SIGALRM, &late, NULL);
	r = api_call_stream(socket, path, on_line, &f, &status, &e);
	if (cli_flush())
		return CLI_FAILED;
	return r < 0 && !interrupted ? call_failed(status, &e) : CLI_OK;
}
