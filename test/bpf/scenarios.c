/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every packet that a scenario asks about, in the twin and in the kernel. The linker puts the
 * functions __wrap_* here between src/scenario and the twin, so that what is loaded and asked is
 * what `kilim policy test` and `kilim policy matrix` load and ask. Run by test/conformance/kernel,
 * as root. Must hold: the kernel's maps have the twin's entries before each packet, and each packet
 * is a first one on both sides.
 *
 *     scenarios [OPTION]... FILE...     a TAP line for each
 *
 * --fault: the kernel's rules are not the twin's, and that is what must be noticed. The other
 * options are three of the command's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/map.h"
#include "abi/policy.h"
#include "base/fd.h"
#include "base/hash.h"
#include "bpf/plane.h"
#include "bpf/tap.h"
#include "scenario/judge.h"
#include "scenario/load.h"
#include "scenario/outcome.h"

enum { ENDPOINTS_MAX = 32, EVENTS_MAX = 4, SHOWN_MAX = 3, BYTES_MAX = 64 << 20 };

/* An entry as the kernel has it. */
struct row {
	bool is_current; /* the twin has it too */
	uint8_t value[];
};

/* A map that src/scenario writes, and the kernel's entries of it. */
struct mirror {
	const char *name;
	struct twin_map *twin;
	struct hash row;
	bool is_stale; /* the twin's may be other ones */
};

static struct mirror mirrors[] = {{.name = "state"}, {.name = "slot"}, {.name = "peer"},
	{.name = "rule"}, {.name = "endpoint"}, {.name = "local"}, {.name = "identity"}};
static struct plane *kernel;
static struct dp_config kernel_config;
static struct event waiting[EVENTS_MAX]; /* for src/scenario to take */
static size_t waiting_count, waiting_taken;
static size_t packets, entries_written, differences; /* packets: of a file */
static bool is_faulty;
static struct scenario_settings settings;

void __real_twin_run(struct twin_packet *p);
bool __real_twin_event(struct event *ret);
int __real_twin_map_update(struct twin_map *m, const void *key, const void *value, uint64_t flags);
void __real_twin_map_clear(struct twin_map *m);
void __real_twin_reset(void);
void __wrap_twin_run(struct twin_packet *p);
bool __wrap_twin_event(struct event *ret);
int __wrap_twin_map_update(struct twin_map *m, const void *key, const void *value, uint64_t flags);
void __wrap_twin_map_clear(struct twin_map *m);
void __wrap_twin_reset(void);

/* Nothing can be compared any more. */
static void give_up(const char *what, const char *detail)
{
	printf("Bail out! %s: %s\n", what, detail);
	exit(1);
}

/* --- the kernel's maps --- */

static void forget_rows(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mirrors); i++) {
		struct mirror *m = &mirrors[i];

		HASH_EACH(&m->row, e)
			free(e->value);
		hash_done(&m->row);
		m->row = (struct hash){0};
		m->is_stale = true;
	}
}

static void kernel_open(void)
{
	uint32_t ifindex[ENDPOINTS_MAX + 1] = {LOAD_UPLINK};
	struct plane_options o = {
		.config = *twin_config(), .ifindex = ifindex, .ifindexes = ARRAY_SIZE(ifindex)};
	struct err e = {0};

	if (kernel && !memcmp(&kernel_config, twin_config(), sizeof(kernel_config)))
		return;
	for (size_t i = 0; i < ENDPOINTS_MAX; i++)
		ifindex[i + 1] = load_ifindex(i);
	plane_close(kernel);
	forget_rows();
	if (plane_open_kernel(&o, &kernel, &e) < 0)
		give_up("the object", e.text);
	kernel_config = *twin_config();
}

static void put_row(struct mirror *m, const void *key, const void *value)
{
	struct decision other;

	if (is_faulty && str_eq(m->name, "rule")) {
		other = *(const struct decision *)value;
		other.rule++;
		value = &other;
	}
	if (plane_update(kernel, m->name, key, value) < 0)
		give_up(m->name, "an entry cannot be written");
	entries_written++;
}

static int mirror_entry(const void *key, void *value, void *data)
{
	struct mirror *m = data;
	size_t key_size = twin_map_key_size(m->twin), size = twin_map_value_size(m->twin);
	struct row *row = hash_get(&m->row, key, key_size);

	if (!row || memcmp(row->value, value, size) != 0) {
		put_row(m, key, value);
		if (!row) {
			row = mem_alloc(sizeof(*row) + size);
			(void)hash_put(&m->row, key, key_size, row);
		}
		memcpy(row->value, value, size);
	}
	row->is_current = true;
	return 0;
}

static void remove_others(struct mirror *m)
{
	HASH_EACH(&m->row, e) {
		struct row *row = e->value;

		if (row->is_current) {
			row->is_current = false;
			continue;
		}
		if (plane_delete(kernel, m->name, e->key) < 0)
			give_up(m->name, "an entry cannot be removed");
		free(hash_remove(&m->row, e->key, e->len));
	}
}

static void mirror_all(void)
{
	const uint32_t zero = 0;

	for (size_t i = 0; i < ARRAY_SIZE(mirrors); i++) {
		struct mirror *m = &mirrors[i];

		if (!m->is_stale)
			continue;
		m->is_stale = false;
		m->twin = twin_map(m->name);
		if (str_eq(m->name, "state")) { /* an array: its entry is always there */
			put_row(m, &zero, twin_map_lookup(m->twin, &zero));
			continue;
		}
		(void)twin_map_each(m->twin, mirror_entry, m);
		remove_others(m);
	}
}

static void map_changes(const struct twin_map *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(mirrors); i++) {
		if (twin_map(mirrors[i].name) == t)
			mirrors[i].is_stale = true;
	}
}

/* --- what stands between src/scenario and the twin --- */

int __wrap_twin_map_update(struct twin_map *m, const void *key, const void *value, uint64_t flags)
{
	map_changes(m);
	return __real_twin_map_update(m, key, value, flags);
}

static int forget_flow(const void *key, void *value, void *data)
{
	(void)value;
	if (plane_delete(kernel, data, key) < 0) {
		differences++;
		tap_note("%s: the twin has opened a flow, the kernel has not", (char *)data);
	}
	return 0;
}

/* Flows are removed by their keys: the kernel's tables are large. */
void __wrap_twin_map_clear(struct twin_map *m)
{
	static char half[][6] = {"half4", "half6"};

	for (size_t i = 0; i < ARRAY_SIZE(half); i++) {
		if (m == twin_map(half[i]))
			(void)twin_map_each(m, forget_flow, half[i]);
	}
	map_changes(m);
	__real_twin_map_clear(m);
}

void __wrap_twin_reset(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mirrors); i++)
		mirrors[i].is_stale = true;
	__real_twin_reset();
}

bool __wrap_twin_event(struct event *ret)
{
	if (waiting_taken == waiting_count)
		return false;
	*ret = waiting[waiting_taken++];
	return true;
}

/* --- one packet --- */

static void note_event(const char *side, const struct event *e)
{
	tap_note("  %s: type %u reason %u flags %02x line %08x identities %u to %u endpoints %u to "
		 "%u state %u revision %u",
		side, e->type, e->reason, e->flags, e->file_line, e->source_identity,
		e->destination_identity, e->source_endpoint, e->destination_endpoint, e->state,
		e->revision);
	for (int d = 0; d < POLICY_DIRECTIONS; d++)
		tap_note("    %s: verdict %u rule %u flags %02x match %u shadow %u rule %u",
			d == POLICY_INGRESS ? "ingress" : "egress", e->decision[d].verdict,
			e->decision[d].rule, e->decision[d].flags, e->decision[d].match,
			e->decision[d].shadow, e->decision[d].shadow_rule);
}

static void note_packet(const struct plane_packet *in, const struct twin_packet *twin,
	const struct plane_packet *out)
{
	SCOPED(str_done) struct str hex = {0};

	for (size_t i = 0; i < in->len; i++)
		str_printf(&hex, "%02x", in->bytes[i]);
	tap_note("%s at ifindex %u from %u, action %d by the twin, %d by the kernel: %s",
		in->hook == PLANE_EGRESS ? "egress" : "ingress", in->ifindex, in->ingress_ifindex,
		twin->action, out->action, str_text(&hex));
}

static size_t events_of_kernel(struct event *ret)
{
	size_t count = 0;

	while (count < EVENTS_MAX && plane_event(kernel, &ret[count]))
		count++;
	return count;
}

/* But for the clock and the processor. */
static bool same_events(const struct event *kernel_event, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct event a = kernel_event[i], b = waiting[i];

		a.time_ns = b.time_ns;
		a.cpu = b.cpu;
		if (memcmp(&a, &b, sizeof(a)) != 0)
			return false;
	}
	return true;
}

static void compare(const struct plane_packet *in, const struct twin_packet *twin,
	const struct plane_packet *out)
{
	struct event event[EVENTS_MAX];
	size_t count = events_of_kernel(event);

	if (out->action == twin->action && out->len == twin->len &&
		!memcmp(out->bytes, twin->bytes, twin->len) && count == waiting_count &&
		same_events(event, count))
		return;
	if (++differences > SHOWN_MAX)
		return;
	note_packet(in, twin, out);
	for (size_t i = 0; i < waiting_count; i++)
		note_event("twin", &waiting[i]);
	for (size_t i = 0; i < count; i++)
		note_event("kernel", &event[i]);
}

void __wrap_twin_run(struct twin_packet *p)
{
	static struct plane_packet in, out;

	kernel_open();
	mirror_all();
	in.hook = p->hook == TWIN_EGRESS ? PLANE_EGRESS : PLANE_INGRESS;
	in.ifindex = p->ifindex;
	in.ingress_ifindex = p->ingress_ifindex;
	in.len = p->len;
	memcpy(in.bytes, p->bytes, p->len);
	out = in;
	if (plane_run(kernel, &out) < 0)
		give_up("BPF_PROG_TEST_RUN", "the kernel does not take the packet");
	__real_twin_run(p);
	waiting_count = 0;
	waiting_taken = 0;
	while (waiting_count < EVENTS_MAX && __real_twin_event(&waiting[waiting_count]))
		waiting_count++;
	packets++;
	compare(&in, p, &out);
}

/* --- scenarios --- */

static size_t ask_matrix(const struct world *w)
{
	const struct scenario *s = w->scenario;
	size_t most = FAMILIES * s->matrix.columns * s->endpoints * s->endpoints;
	SCOPED(freep) struct question *question = mem_array(most, sizeof(*question));
	SCOPED(freep) struct answer *answer = mem_array(most, sizeof(*answer));

	judge(w, question, matrix_questions(s, &s->matrix, question), answer);
	return most;
}

static int ask_all(const char *file, size_t *ret_cells, size_t *ret_probes, struct err *e)
{
	struct scenario SCOPED(scenario_done) s = {0};
	struct world SCOPED(world_done) w = {0};
	struct outcome SCOPED(outcome_done) o = {0};
	SCOPED(yaml_docs_done) struct yaml_docs docs = {0};
	SCOPED(freep) char *text = NULL;
	size_t len;

	if (fd_read_file(file, BYTES_MAX, &text, &len, e) < 0 ||
		yaml_parse(file, text, len, &docs, e) < 0)
		return -1;
	if (docs.count != 1)
		return err_set(e, -1, "%s: not one scenario", file);
	if (scenario_parse(&settings, file, "", &docs.doc[0], &s, e) < 0 ||
		world_make(&s, &w, e) < 0)
		return -1;
	if (s.endpoints > ENDPOINTS_MAX)
		return err_set(e, -1, "%s: more than %d endpoints", file, ENDPOINTS_MAX);
	*ret_cells = ask_matrix(&w);
	outcome_make(&w, &o);
	*ret_probes = s.probes;
	return 0;
}

static void run_file(const char *file)
{
	size_t cells = 0, probes = 0;
	struct err e = {0};
	bool ok;

	packets = 0;
	differences = 0;
	if (ask_all(file, &cells, &probes, &e) < 0) {
		tap_note("%s", e.text);
		tap_ok(false, "%s", file);
		return;
	}
	ok = packets && !differences == !is_faulty;
	if (!ok)
		tap_note("%zu of %zu packets differ", differences, packets);
	tap_ok(ok, "%s: %zu cells, %zu probes, %zu packets", file, cells, probes, packets);
}

static void take_option(const char *text)
{
	if (str_eq(text, "--fault"))
		is_faulty = true;
	else if (str_eq(text, "--policy-audit-mode"))
		settings.audit = true;
	else if (str_eq(text, "--allow-localhost=policy"))
		settings.localhost = false;
	else if (str_eq(text, "--enable-policy=always"))
		settings.enforce = POLICY_ENFORCE_ALWAYS;
	else
		give_up("unknown option", text);
}

int main(int argc, char **argv)
{
	int i = 1;

	settings = scenario_settings_default();
	for (; i < argc && !strncmp(argv[i], "--", 2); i++)
		take_option(argv[i]);
	for (; i < argc; i++)
		run_file(argv[i]);
	forget_rows();
	plane_close(kernel);
	printf("# %zu entries written\n", entries_written);
	return tap_done();
}
