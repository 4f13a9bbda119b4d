/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Death at every step: a child opens the data path with maps of other sizes and is killed before
 * its n-th system call that changes something, for all n. Each time packets go on while it is dead,
 * and the next process finds everything. Needs root.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/node.h"
#include "bpf/tap.h"
#include "bpf/traffic.h"

enum { STEPS_MAX = 2000, FLOWS = 4 };

static struct node node;
static struct err e;

static bool ok(int r, const char *what)
{
	if (r)
		tap_note("%d: %s", r, e.text);
	return tap_ok(!r, "%s", what);
}

static bool changes_something(const struct __ptrace_syscall_info *i)
{
	switch (i->entry.nr) {
	case __NR_rename:
	case __NR_unlink:
	case __NR_mkdir:
	case __NR_rmdir:
		return true;
	case __NR_bpf:
		return i->entry.args[0] == BPF_OBJ_PIN || i->entry.args[0] == BPF_MAP_UPDATE_ELEM ||
		       i->entry.args[0] == BPF_MAP_DELETE_ELEM ||
		       i->entry.args[0] == BPF_MAP_DELETE_BATCH ||
		       i->entry.args[0] == BPF_PROG_TEST_RUN;
	default:
		return false;
	}
}

static void child_open(uint32_t flow_max)
{
	struct datapath_options o = node_options(&node);

	o.flow_max = flow_max;
	o.half_max = flow_max / 4;
	o.rule_max = flow_max / 10;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(3);
	raise(SIGSTOP);
	_exit(node_open(&node, &o, &e) ? 1 : 0);
}

/*
 * Let the child run to its step-th change and kill it there. 1: killed; 0: it ended well before;
 * negative: it failed.
 */
static int open_until(uint32_t flow_max, unsigned step)
{
	pid_t child = fork();
	unsigned changes = 0;
	int status;

	if (child == 0)
		child_open(flow_max);
	waitpid(child, &status, 0);
	(void)ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	while (WIFSTOPPED(status)) {
		struct __ptrace_syscall_info info = {0};

		if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) > 0 &&
			info.op == PTRACE_SYSCALL_INFO_ENTRY && changes_something(&info) &&
			++changes == step) {
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
			return 1;
		}
		(void)ptrace(PTRACE_SYSCALL, child, NULL, NULL);
		waitpid(child, &status, 0);
	}
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -1;
}

static bool check(struct traffic *t, unsigned step, uint64_t flows)
{
	struct datapath_options o = node_options(&node);
	uint64_t answered = 0, half;
	unsigned lost = t->lost;

	t->port = TRAFFIC_PORT + 1; /* few flows, so that few steps are their moving */
	traffic_exchange(t);
	if (t->lost != lost)
		tap_note("step %u: lost while it was dead", step);
	/* the build before comes back, or a third one */
	o.flow_max = step & 1 ? 20000 : 24000;
	o.half_max = o.flow_max / 4;
	if (node_open(&node, &o, &e)) {
		tap_note("step %u: %s", step, e.text);
		return false;
	}
	lost = t->lost;
	t->port = TRAFFIC_PORT + 1;
	traffic_exchange(t);
	if (t->lost != lost)
		tap_note("step %u: lost after the next had opened", step);
	datapath_flow_count(node.dp, &answered, &half);
	if (answered < flows)
		tap_note("step %u: %llu of %llu flows", step, (unsigned long long)answered,
			(unsigned long long)flows);
	node_close(&node);
	return answered >= flows;
}

static void test_interrupt(struct workload *a, struct workload *b)
{
	unsigned step = 0, stride = getenv("KILIM_TEST_LONG") ? 1 : getenv("KILIM_VM") ? 13 : 3;
	struct traffic t;
	bool good = true;
	int r = 1;

	traffic_begin(&t, a, b);
	ok(traffic_policy(&node, 1, &e), "only one may open");
	for (int i = 0; i < FLOWS; i++)
		traffic_exchange(&t);
	node_close(&node);
	while (r > 0 && good && step < STEPS_MAX) {
		step += stride;
		r = open_until(22000, step);
		good = check(&t, step, FLOWS + 1);
	}
	tap_ok(good && r == 0 && step > 50,
		"killed at each %u. of %u steps, the next one opened with all flows", stride,
		step - stride);
	tap_ok(!t.lost, "%u exchanges, %u lost", t.exchanges, t.lost);
	tap_ok(!traffic_leaks(&t), "what may not pass does not");
	traffic_end(&t);
}

int main(void)
{
	struct datapath_options o;
	struct workload a, b;

	if (node_enter(&node, &e))
		return tap_skip_all(e.text);
	o = node_options(&node);
	o.flow_max = 20000;
	if (ok(node_open(&node, &o, &e), "open") &&
		ok(workload_make(&node, &a, 1, 300, &e), "first workload") &&
		ok(workload_make(&node, &b, 2, 301, &e), "second workload") &&
		ok(workload_join(&node, &a, &e), "the first joins") &&
		ok(workload_join(&node, &b, &e), "the second joins") && !workload_bind(&b)) {
		test_interrupt(&a, &b);
		workload_done(&node, &a);
		workload_done(&node, &b);
	}
	node_leave(&node);
	return tap_done();
}
