/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kilim-cni: the CNI plugin. A container runtime calls it with CNI_* variables and a network
 * configuration on stdin; it asks the agent and prints a result. Must hold: exactly one JSON object
 * on stdout, or nothing where the specification says so; every failure is an error object there and
 * a non-zero exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/time.h"
#include "cni/cni.h"
#include "codec/json.h"

static const struct {
	const char *command;
	int (*fn)(const struct cni_request *rq, json_t **ret_out, struct cni_error *x);
} verbs[] = {
	{"ADD", cni_add},
	{"DEL", cni_del},
	{"CHECK", cni_check},
	{"GC", cni_gc},
	{"STATUS", cni_status},
	{"VERSION", cni_versions},
};

static int read_stdin(char **ret, size_t *ret_len, struct cni_error *x)
{
	SCOPED(freep)
	char *text = NULL;
	size_t len = 0, capacity = 0;

	for (;;) {
		ssize_t n;

		mem_grow(&text, &capacity, len + 4096, 1);
		n = read(STDIN_FILENO, text + len, capacity - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cni_fail(x, CNI_IO, strerror(errno),
				"the network configuration cannot be read from stdin");
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > CNI_STDIN_MAX)
			return cni_fail(x, CNI_DECODE, NULL,
				"the network configuration is larger than %d bytes", CNI_STDIN_MAX);
	}
	*ret = TAKE(text);
	*ret_len = len;
	return 0;
}

/* One line per call; whatever goes wrong here must not fail the call. */
static void write_log(const struct cni_request *rq, const struct cni_error *x, int code)
{
	SCOPED(fd_closep)
	int fd = -1;
	SCOPED(str_done)
	struct str line = {0};
	char now[TIME_TEXT];

	if (!rq->log_file)
		return;
	fd = open(rq->log_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return;
	str_printf(&line, "%s %s container=", time_format(time_wall_ns(), now), rq->env.command);
	str_add_printable(&line, rq->env.container_id ? rq->env.container_id : "-");
	str_add(&line, " ifname=");
	str_add_printable(&line, rq->env.ifname ? rq->env.ifname : "-");
	if (code) {
		str_printf(&line, " code=%d error=", code);
		str_add_printable(&line, x->msg);
		str_add(&line, ": ");
		str_add_printable(&line, x->details);
	}
	str_add(&line, "\n");
	if (write(fd, line.text, line.len) < 0)
		return;
}

static int run(
	const struct cni_env *env, struct cni_request *rq, json_t **ret_out, struct cni_error *x)
{
	SCOPED(freep)
	char *text = NULL;
	size_t len = 0;
	int r;

	rq->version = CNI_1_1_0;
	if (!env->command)
		return cni_fail(x, CNI_ENVIRONMENT, NULL, "CNI_COMMAND is not set");
	r = read_stdin(&text, &len, x);
	if (r)
		return r;
	r = cni_request_parse(env, text, len, rq, x);
	if (r)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (str_eq(env->command, verbs[i].command))
			return verbs[i].fn(rq, ret_out, x);
	}
	return cni_fail(x, CNI_ENVIRONMENT, NULL,
		"CNI_COMMAND is none of ADD, DEL, CHECK, GC, STATUS, VERSION");
}

static json_t *error_object(const struct cni_request *rq, const struct cni_error *x)
{
	json_t *j = json_pack("{s:s, s:i, s:s}", "cniVersion", cni_version_text(rq->version),
		"code", x->code, "msg", x->msg);

	/* a text that is not UTF-8 cannot be packed; the object without it is still an error */
	if (!j)
		j = json_pack("{s:s, s:i, s:s}", "cniVersion", cni_version_text(rq->version),
			"code", x->code, "msg", "kilim-cni failed");
	if (x->details[0])
		(void)json_object_set_new(j, "details", json_string(x->details));
	return j;
}

int main(void)
{
	struct cni_env env = {
		.command = getenv("CNI_COMMAND"),
		.container_id = getenv("CNI_CONTAINERID"),
		.netns = getenv("CNI_NETNS"),
		.ifname = getenv("CNI_IFNAME"),
		.args = getenv("CNI_ARGS"),
	};
	SCOPED(cni_request_done)
	struct cni_request rq = {0};
	SCOPED(json_unrefp)
	json_t *out = NULL;
	struct cni_error x = {0};
	int code;

	umask(077);
	code = run(&env, &rq, &out, &x);
	write_log(&rq, &x, code);
	if (code) {
		json_unrefp(&out);
		out = error_object(&rq, &x);
	}
	if (out) {
		SCOPED(freep)
		char *text = json_text(out);

		if (puts(text) < 0 || fflush(stdout) != 0)
			return 1;
	}
	return code ? 1 : 0;
}
