/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cnidrive: calls a CNI plugin as a container runtime does (environment, configuration on stdin,
 * result on stdout), for many containers, in parallel if wanted, and measures each call from fork
 * to exit. Results of ADD are kept in --cache and given back as prevResult, as cnitool does.
 * Container i of --count has the id PREFIXi and the namespace NETNSi. Used by test/net/cni.sh and
 * test/perf.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/tool/sample.h"
#include "test/tool/sock.h"

enum { PARALLEL_MAX = 256, OUTPUT_MAX = 64 << 10, PATH_LEN = 512 };

struct options {
	const char *plugin, *conf, *command, *netns, *id, *ifname, *cache, *args, *path;
	unsigned first, count, parallel;
};

/* A call under way: output goes to a file without a name, so that no pipe has to be read. */
struct call {
	pid_t pid;
	unsigned index;
	int output;
	uint64_t start_ns;
};

struct drive {
	const struct options *o;
	json_t *conf, *results;
	struct sample latency;
	unsigned failed;
};

static int memory_file(const char *text)
{
	int fd = memfd_create("cni", MFD_CLOEXEC);

	if (fd < 0)
		err(1, "memfd");
	if (text && (write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
			    lseek(fd, 0, SEEK_SET) < 0))
		err(1, "memfd");
	return fd;
}

static void cache_path(const struct options *o, unsigned index, char path[PATH_LEN])
{
	snprintf(path, PATH_LEN, "%s/%s%u.json", o->cache, o->id, index);
}

/* The configuration, with prevResult when the command is about a container that was added. */
static int input_open(const struct drive *d, unsigned index)
{
	json_t *conf = json_copy(d->conf), *previous = NULL;
	char path[PATH_LEN], *text;
	int fd;

	cache_path(d->o, index, path);
	if (d->o->cache && (!strcmp(d->o->command, "CHECK") || !strcmp(d->o->command, "DEL")))
		previous = json_load_file(path, 0, NULL);
	if (previous)
		json_object_set_new(conf, "prevResult", previous);
	text = json_dumps(conf, 0);
	fd = memory_file(text);
	free(text);
	json_decref(conf);
	return fd;
}

static void child(const struct options *o, unsigned index, int input, int output)
{
	char id[PATH_LEN], netns[PATH_LEN];

	snprintf(id, sizeof(id), "%s%u", o->id, index);
	snprintf(netns, sizeof(netns), "%s%u", o->netns ? o->netns : "", index);
	if (setenv("CNI_COMMAND", o->command, 1) || setenv("CNI_CONTAINERID", id, 1) ||
		(o->netns && setenv("CNI_NETNS", netns, 1)) || setenv("CNI_IFNAME", o->ifname, 1) ||
		setenv("CNI_PATH", o->path, 1) || (o->args && setenv("CNI_ARGS", o->args, 1)))
		_exit(126);
	dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	execl(o->plugin, o->plugin, (char *)NULL);
	_exit(127);
}

static void call_start(struct call *c, const struct drive *d, unsigned index)
{
	int input = input_open(d, index);

	c->index = index;
	c->output = memory_file(NULL);
	c->start_ns = sock_now_ns();
	c->pid = fork();
	if (c->pid < 0)
		err(1, "fork");
	if (!c->pid)
		child(d->o, index, input, c->output);
	close(input);
}

/* The plugin's output as JSON, or NULL. */
static json_t *output_read(int fd)
{
	static char buf[OUTPUT_MAX];
	ssize_t n = pread(fd, buf, sizeof(buf), 0);

	return n > 0 ? json_loadb(buf, (size_t)n, 0, NULL) : NULL;
}

static void call_end(struct call *c, struct drive *d, int status)
{
	uint64_t took = sock_now_ns() - c->start_ns;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	json_t *output = output_read(c->output), *row = json_object();
	char path[PATH_LEN];

	close(c->output);
	sample_add(&d->latency, took);
	d->failed += code != 0;
	cache_path(d->o, c->index, path);
	if (!code && output && d->o->cache && !strcmp(d->o->command, "ADD") &&
		json_dump_file(output, path, 0))
		errx(1, "%s cannot be written", path);
	if (!code && d->o->cache && !strcmp(d->o->command, "DEL"))
		(void)unlink(path);
	json_object_set_new(row, "index", json_integer(c->index));
	json_object_set_new(row, "code", json_integer(code));
	json_object_set_new(row, "ms", json_real((double)took / 1e6));
	json_object_set_new(row, "output", output ? output : json_null());
	json_array_append_new(d->results, row);
	c->pid = 0;
}

static void wait_one(struct call *calls, struct drive *d)
{
	int status;
	pid_t pid = wait(&status);

	for (unsigned i = 0; i < d->o->parallel; i++) {
		if (calls[i].pid == pid)
			call_end(&calls[i], d, status);
	}
}

static struct call *idle_call(struct call *calls, struct drive *d)
{
	for (;;) {
		for (unsigned i = 0; i < d->o->parallel; i++) {
			if (!calls[i].pid)
				return &calls[i];
		}
		wait_one(calls, d);
	}
}

static void drive(struct drive *d)
{
	static struct call calls[PARALLEL_MAX];

	for (unsigned i = 0; i < d->o->count; i++)
		call_start(idle_call(calls, d), d, d->o->first + i);
	for (unsigned i = 0; i < d->o->parallel; i++) {
		while (calls[i].pid)
			wait_one(calls, d);
	}
}

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"plugin", 1, 0, 'p'}, {"conf", 1, 0, 'c'},
		{"command", 1, 0, 'x'}, {"netns", 1, 0, 'n'}, {"id", 1, 0, 'i'},
		{"ifname", 1, 0, 'I'}, {"cache", 1, 0, 'C'}, {"args", 1, 0, 'a'},
		{"path", 1, 0, 'P'}, {"first", 1, 0, 'f'}, {"count", 1, 0, 'N'},
		{"parallel", 1, 0, 'j'}, {0, 0, 0, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'p':
			o->plugin = optarg;
			break;
		case 'c':
			o->conf = optarg;
			break;
		case 'x':
			o->command = optarg;
			break;
		case 'n':
			o->netns = optarg;
			break;
		case 'i':
			o->id = optarg;
			break;
		case 'I':
			o->ifname = optarg;
			break;
		case 'C':
			o->cache = optarg;
			break;
		case 'a':
			o->args = optarg;
			break;
		case 'P':
			o->path = optarg;
			break;
		case 'f':
			o->first = (unsigned)atoi(optarg);
			break;
		case 'N':
			o->count = (unsigned)atoi(optarg);
			break;
		case 'j':
			o->parallel = (unsigned)atoi(optarg);
			break;
		default:
			errx(2, "usage: cnidrive --plugin FILE --conf FILE --command "
				"ADD|DEL|CHECK|GC|STATUS|VERSION [--netns PREFIX] [--id PREFIX]\n"
				"  [--ifname eth0] [--cache DIR] [--args K=V;..] [--path CNI_PATH] "
				"[--first N] [--count N] [--parallel N]");
		}
	}
	if (!o->plugin || !o->conf || !o->command || !o->parallel || o->parallel > PARALLEL_MAX)
		errx(2, "--plugin, --conf and --command are needed, --parallel is 1 to %d",
			PARALLEL_MAX);
}

int main(int argc, char **argv)
{
	struct options o = {
		.id = "c", .ifname = "eth0", .path = "/usr/lib/cni", .count = 1, .parallel = 1};
	struct drive d = {.o = &o, .results = json_array()};
	json_error_t je;

	parse(argc, argv, &o);
	d.conf = json_load_file(o.conf, 0, &je);
	if (!d.conf)
		errx(2, "%s: %s", o.conf, je.text);
	drive(&d);
	printf("{\"command\": \"%s\", \"count\": %u, \"failed\": %u, ", o.command, o.count,
		d.failed);
	sample_print_us(&d.latency);
	printf(", \"results\": ");
	json_dumpf(d.results, stdout, JSON_SORT_KEYS);
	printf("}\n");
	sample_done(&d.latency);
	json_decref(d.results);
	json_decref(d.conf);
	return 0;
}
