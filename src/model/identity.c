/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of identities. Called by the agent (workloads, policy prefixes, state) and read by the
 * compiler. Owns every entry, each one block with its labels. Must hold: number[] is sorted; a
 * label set has one number at most; a number is given to another label set as late as the range
 * allows, so that what still carries it elsewhere is long gone.
 */
#include "model/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* Unused entries are kept so that the same labels get the same number again, but not without end.
 */
enum { UNUSED_MAX = 4096, UNUSED_DROP = 1024 };

struct entry {
	struct identity_info info;
	uint64_t released; /* order of the release; counts while info.references is 0 */
	struct named_port *port; /* one block with the names */
};

/* Numbers of one kind: next-fit. */
struct range {
	uint32_t min, max, next;
};

struct identities {
	struct entry **number; /* sorted by number */
	size_t count, capacity, unused;
	struct hash by_text;
	struct range cluster_range, local_range;
	char *cluster;
	bool dual_stack;
	uint64_t revision, releases, serials;
};

static bool is_reserved(uint32_t number)
{
	return number < IDENTITY_CLUSTER_MIN;
}

/* Index of the first entry with this number or a higher one. */
static size_t position(const struct identities *t, uint32_t number)
{
	size_t low = 0, high = t->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->number[middle]->info.number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct entry *find(const struct identities *t, uint32_t number)
{
	size_t i = position(t, number);

	return i < t->count && t->number[i]->info.number == number ? t->number[i] : NULL;
}

/* One block: the entry, its labels, their strings. */
static struct entry *entry_new(const struct labels *l)
{
	size_t size = sizeof(struct entry) + l->count * sizeof(struct label);
	struct entry *n;
	struct label *label;
	char *at;

	for (size_t i = 0; i < l->count; i++)
		size += strlen(l->label[i].source) + strlen(l->label[i].key) +
			strlen(l->label[i].value) + 3;
	n = mem_alloc(size);
	label = (struct label *)(n + 1);
	at = (char *)(label + l->count);
	for (size_t i = 0; i < l->count; i++) {
		label[i].source = at;
		at = stpcpy(at, l->label[i].source) + 1;
		label[i].key = at;
		at = stpcpy(at, l->label[i].key) + 1;
		label[i].value = at;
		at = stpcpy(at, l->label[i].value) + 1;
	}
	n->info.labels = (struct labels){label, l->count};
	return n;
}

static void entry_free(struct entry *n)
{
	free(n->port);
	free(n);
}

static struct entry *insert(struct identities *t, uint32_t number, const struct labels *l)
{
	SCOPED(str_done) struct str text = {0};
	size_t i = position(t, number);
	struct entry *n = entry_new(l);

	n->info.number = number;
	n->info.serial = ++t->serials;
	mem_grow(&t->number, &t->capacity, t->count + 1, sizeof(struct entry *));
	memmove(&t->number[i + 1], &t->number[i], (t->count - i) * sizeof(struct entry *));
	t->number[i] = n;
	t->count++;
	labels_text(&text, l);
	(void)hash_put(&t->by_text, str_text(&text), text.len, n);
	return n;
}

static void add_reserved(struct identities *t, uint32_t number, const char *key)
{
	/* an API server that is not this node is one of the other nodes, too */
	struct label label[] = {{"reserved", key, ""}, {"reserved", "remote-node", ""}};
	struct labels l = {label, number == IDENTITY_KUBE_APISERVER ? 2 : 1};

	(void)insert(t, number, &l);
}

struct identities *identities_new(const char *cluster, bool dual_stack)
{
	struct identities *t = mem_alloc(sizeof(*t));

	t->cluster = mem_strdup(cluster ? cluster : "");
	t->dual_stack = dual_stack;
	t->cluster_range =
		(struct range){IDENTITY_CLUSTER_MIN, IDENTITY_CLUSTER_MAX, IDENTITY_CLUSTER_MIN};
	t->local_range = (struct range){IDENTITY_LOCAL_MIN, IDENTITY_LOCAL_MAX, IDENTITY_LOCAL_MIN};
#define X(name, value, text) add_reserved(t, value, text);
	IDENTITY_RESERVED(X)
#undef X
	return t;
}

void identities_free(struct identities *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		entry_free(t->number[i]);
	free(t->number);
	hash_done(&t->by_text);
	free(t->cluster);
	free(t);
}

static int entry_release_order(const void *pa, const void *pb)
{
	const struct entry *const *a = pa, *const *b = pb;

	return (*a)->released < (*b)->released ? -1 : (*a)->released > (*b)->released;
}

static bool in_range(const struct range *r, const struct entry *n)
{
	return n->info.number >= r->min && n->info.number <= r->max;
}

/* Forget the entries of the range that have been unused for longest, at most so many; returns how
 * many. */
static size_t drop_unused(struct identities *t, const struct range *r, size_t at_most)
{
	SCOPED(freep) struct entry **unused = mem_array(t->unused, sizeof(*unused));
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < t->count && count < t->unused; i++) {
		struct entry *n = t->number[i];

		if (!is_reserved(n->info.number) && !n->info.references && in_range(r, n))
			unused[count++] = n;
	}
	qsort(unused, count, sizeof(struct entry *), entry_release_order);
	if (count > at_most)
		count = at_most;
	for (size_t i = 0; i < count; i++) {
		SCOPED(str_done) struct str text = {0};

		labels_text(&text, &unused[i]->info.labels);
		(void)hash_remove(&t->by_text, str_text(&text), text.len);
		unused[i]->info.number = 0; /* the mark for the sweep below */
	}
	for (size_t i = 0; i < t->count; i++) {
		if (!i || t->number[i]->info.number)
			t->number[kept++] = t->number[i];
	}
	t->count = kept;
	t->unused -= count;
	for (size_t i = 0; i < count; i++)
		entry_free(unused[i]);
	return count;
}

/* A number that no entry has, behind the one given last; 0 when the range is full of entries. */
static uint32_t number_pick(const struct identities *t, struct range *r)
{
	uint32_t number = r->next;
	size_t i = position(t, number);

	for (int wrapped = 0;;) {
		while (i < t->count && t->number[i]->info.number == number) {
			i++;
			number++;
		}
		if (number <= r->max)
			break;
		if (wrapped++)
			return 0;
		number = r->min;
		i = position(t, number);
	}
	r->next = number == r->max ? r->min : number + 1;
	return number;
}

static void reference(struct identities *t, struct entry *n)
{
	if (is_reserved(n->info.number))
		return;
	if (!n->info.references++) {
		t->unused--;
		t->revision++;
	}
}

/* The entry of a label set, made when new; without a reference. */
static int get(struct identities *t, struct range *r, const struct labels *l, struct entry **ret,
	struct err *e)
{
	SCOPED(str_done) struct str text = {0};
	uint32_t number;
	struct entry *n;

	labels_text(&text, l);
	n = hash_get(&t->by_text, str_text(&text), text.len);
	if (n) {
		*ret = n;
		return 0;
	}
	if (t->unused > UNUSED_MAX)
		(void)drop_unused(t,
			&(struct range){.min = IDENTITY_CLUSTER_MIN, .max = IDENTITY_LOCAL_MAX},
			UNUSED_DROP);
	number = number_pick(t, r);
	if (!number && drop_unused(t, r, UNUSED_DROP))
		number = number_pick(t, r);
	if (!number)
		return err_set(e, -ENOSPC,
			"identities: all %u numbers in %u..%u are in use; keep labels that differ "
			"per workload out of the identity",
			r->max - r->min + 1, r->min, r->max);
	*ret = insert(t, number, l);
	t->unused++;
	return 0;
}

int identity_get(struct identities *t, const struct labels *l, const struct identity_info **ret,
	struct err *e)
{
	struct arena mem SCOPED(arena_done) = {0};
	struct labels sorted = labels_copy(&mem, l);
	struct entry *n;
	int r = labels_normalize(&sorted, e);

	if (r < 0)
		return r;
	if (!sorted.count)
		return err_set(e, -EINVAL, "identities: an identity needs at least one label");
	r = get(t, &t->cluster_range, &sorted, &n, e);
	if (r < 0)
		return r;
	reference(t, n);
	*ret = &n->info;
	return 0;
}

/* 10.0.0.0/8; in an IPv6 prefix ':' is written '-', with a 0 at a bare end: fd00--0/8. */
static char *prefix_key(struct arena *mem, const struct prefix *p)
{
	char text[ADDR_TEXT], *slash;

	prefix_format(p, text);
	if (prefix_is_v4(p))
		return arena_strdup(mem, text);
	for (char *c = text; *c; c++) {
		if (*c == ':')
			*c = '-';
	}
	slash = strchr(text, '/');
	*slash = 0;
	return arena_printf(mem, "%s%s%s/%s", *text == '-' ? "0" : "", text,
		slash[-1] == '-' ? "0" : "", slash + 1);
}

static uint32_t world_of(const struct identities *t, bool v4)
{
	return !t->dual_stack ? IDENTITY_WORLD : v4 ? IDENTITY_WORLD_IPV4 : IDENTITY_WORLD_IPV6;
}

int identity_get_prefix(struct identities *t, const struct prefix *p,
	const struct identity_info **ret, struct err *e)
{
	struct arena mem SCOPED(arena_done) = {0};
	const struct entry *world = find(t, world_of(t, prefix_is_v4(p)));
	struct label label[2] = {{.source = "cidr", .value = ""}, world->info.labels.label[0]};
	struct labels l = {label, 2};
	struct entry *n;
	int r;

	if (p->bits == (prefix_is_v4(p) ? ADDR_V4_PREFIX : 0)) {
		*ret = &world->info;
		return 0;
	}
	label[0].key = prefix_key(&mem, p);
	r = get(t, &t->local_range, &l, &n, e);
	if (r < 0)
		return r;
	n->info.is_prefix = true;
	n->info.prefix = *p;
	reference(t, n);
	*ret = &n->info;
	return 0;
}

static int port_order(const void *pa, const void *pb)
{
	const struct named_port *a = pa, *b = pb;
	int r = strcmp(a->name, b->name);

	r = r ? r : (a->protocol > b->protocol) - (a->protocol < b->protocol);
	return r ? r : (a->number > b->number) - (a->number < b->number);
}

static bool ports_equal(const struct named_port *a, const struct named_port *b, size_t ports)
{
	for (size_t i = 0; i < ports; i++) {
		if (port_order(&a[i], &b[i]))
			return false;
	}
	return true;
}

/* Parts that have the ports of their base have others now. */
static void renew_parts(struct identities *t, uint32_t base)
{
	for (size_t i = 0; i < t->count; i++) {
		struct identity_info *n = &t->number[i]->info;

		if (n->base == base && !n->own_ports)
			n->serial = ++t->serials;
	}
}

static void set_ports(
	struct identities *t, struct entry *n, const struct named_port *port, size_t ports)
{
	SCOPED(freep) struct named_port *sorted = mem_dup(port, ports * sizeof(*port));
	size_t kept = 0, size = 0;
	char *at;

	if (ports)
		qsort(sorted, ports, sizeof(*sorted), port_order);
	for (size_t i = 0; i < ports; i++) {
		if (!kept || port_order(&sorted[kept - 1], &sorted[i]))
			sorted[kept++] = sorted[i];
	}
	if (n->info.ports == kept && ports_equal(n->port, sorted, kept))
		return;
	for (size_t i = 0; i < kept; i++)
		size += strlen(sorted[i].name) + 1;
	free(n->port);
	n->port = mem_alloc(kept * sizeof(*sorted) + size);
	at = (char *)(n->port + kept);
	for (size_t i = 0; i < kept; i++) {
		n->port[i] = sorted[i];
		n->port[i].name = at;
		at = stpcpy(at, sorted[i].name) + 1;
	}
	n->info.port = n->port;
	n->info.ports = kept;
	n->info.serial = ++t->serials;
	renew_parts(t, n->info.number);
	t->revision++;
}

/* The label that tells a part from its base: inside:10.0.0.0/8. */
static void add_inside(struct arena *mem, struct labels *l, const struct prefix *p)
{
	if (p)
		l->label[l->count++] = (struct label){"inside", prefix_key(mem, p), ""};
}

/* The labels of a part: those of its base, and what is its own. */
static struct labels part_labels(
	struct arena *mem, const struct labels *base, const struct identity_part *p)
{
	struct labels l = {
		arena_array(mem, base->count + p->labels.count + p->ports + 3, sizeof(*l.label)),
		base->count};

	memcpy(l.label, base->label, l.count * sizeof(*l.label));
	for (size_t i = 0; i < p->labels.count; i++)
		l.label[l.count++] = p->labels.label[i];
	add_inside(mem, &l, p->inside);
	if (p->own_ports)
		l.label[l.count++] = (struct label){"inside", "ports", ""};
	for (size_t i = 0; p->own_ports && i < p->ports; i++)
		l.label[l.count++] = (struct label){"inside",
			arena_printf(mem, "%s/%u/%u", p->port[i].name, p->port[i].protocol,
				p->port[i].number),
			""};
	return l;
}

int identity_get_part(struct identities *t, uint32_t base, const struct identity_part *p,
	const struct identity_info **ret, struct err *e)
{
	struct arena mem SCOPED(arena_done) = {0};
	struct entry *of = find(t, base), *n;
	struct labels l;
	int r;

	if (!of)
		return err_set(e, -ENOENT, "identities: there is no identity %u", base);
	if (!p->inside && !p->own_ports && !p->labels.count) {
		reference(t, of);
		*ret = &of->info;
		return 0;
	}
	l = part_labels(&mem, &of->info.labels, p);
	r = labels_normalize(&l, e);
	r = r < 0 ? r : get(t, &t->local_range, &l, &n, e);
	if (r < 0)
		return r;
	n->info.base = base;
	n->info.is_inside = p->inside != NULL;
	if (p->inside)
		n->info.inside = *p->inside;
	n->info.own_ports = p->own_ports;
	if (p->own_ports)
		set_ports(t, n, p->port, p->ports);
	reference(t, n);
	*ret = &n->info;
	return 0;
}

void identity_set_ports(
	struct identities *t, uint32_t number, const struct named_port *port, size_t ports)
{
	struct entry *n = find(t, number);

	if (n)
		set_ports(t, n, port, ports);
}

bool identity_hold(struct identities *t, uint32_t number)
{
	struct entry *n = find(t, number);

	if (n)
		reference(t, n);
	return n != NULL;
}

void identity_put(struct identities *t, uint32_t number)
{
	struct entry *n = find(t, number);

	if (!n || is_reserved(number) || !n->info.references || --n->info.references)
		return;
	n->released = ++t->releases;
	t->unused++;
	t->revision++;
}

const struct identity_info *identity_find(const struct identities *t, uint32_t number)
{
	const struct entry *n = find(t, number);

	return n ? &n->info : NULL;
}

const struct identity_info *identity_after(const struct identities *t, uint32_t number)
{
	size_t i = number == UINT32_MAX ? t->count : position(t, number + 1);

	for (; i < t->count; i++) {
		const struct identity_info *n = &t->number[i]->info;

		if (is_reserved(n->number) || n->references)
			return n;
	}
	return NULL;
}

const struct identity_info *identities_next(const struct identities *t, size_t *cursor)
{
	while (*cursor < t->count) {
		const struct identity_info *n = &t->number[(*cursor)++]->info;

		if (is_reserved(n->number) || n->references)
			return n;
	}
	return NULL;
}

uint64_t identities_revision(const struct identities *t)
{
	return t->revision;
}

bool identities_dual_stack(const struct identities *t)
{
	return t->dual_stack;
}

const char *identities_cluster(const struct identities *t)
{
	return t->cluster;
}

static bool labels_has_source(const struct labels *l, const char *source)
{
	for (size_t i = 0; i < l->count; i++) {
		if (str_eq(l->label[i].source, source))
			return true;
	}
	return false;
}

json_t *identities_save(const struct identities *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->count; i++) {
		const struct identity_info *n = &t->number[i]->info;
		char prefix[ADDR_TEXT];
		json_t *labels, *one;

		if (is_reserved(n->number))
			continue;
		labels = json_array();
		for (size_t k = 0; k < n->labels.count; k++) {
			SCOPED(str_done) struct str text = {0};

			label_format(&text, &n->labels.label[k]);
			(void)json_array_append_new(labels, json_string(str_text(&text)));
		}
		one = json_pack("{s:I, s:o}", "id", (json_int_t)n->number, "labels", labels);
		if (n->is_prefix)
			(void)json_object_set_new(
				one, "prefix", json_string(prefix_format(&n->prefix, prefix)));
		if (n->base || labels_has_source(&n->labels, "inside"))
			(void)json_object_set_new(one, "part", json_true());
		(void)json_array_append_new(list, one);
	}
	return json_pack("{s:o, s:I, s:I}", "identities", list, "next",
		(json_int_t)t->cluster_range.next, "next_local", (json_int_t)t->local_range.next);
}

static int load_labels(struct arena *mem, const json_t *j, struct labels *ret, struct err *e)
{
	const json_t *list = json_object_get(j, "labels");
	struct labels l = {.count = json_array_size(list)};

	l.label = arena_array(mem, l.count, sizeof(*l.label));
	for (size_t i = 0; i < l.count; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		int r;

		if (!text)
			return err_set(e, -EINVAL, "labels: expected a list of strings");
		r = label_parse(mem, text, "unspec", &l.label[i], e);
		if (r < 0)
			return r;
	}
	*ret = l;
	return l.count ? labels_normalize(ret, e) : err_set(e, -EINVAL, "labels: none");
}

/* inside:10.0.0.0/8, inside:fd00--0/8 */
static bool inside_parse(const char *key, struct prefix *ret)
{
	char text[ADDR_TEXT];

	if (strlen(key) >= sizeof(text))
		return false;
	strcpy(text, key);
	for (char *c = text; *c && !strchr(key, '.'); c++) {
		if (*c == '-')
			*c = ':';
	}
	return !prefix_parse(text, false, ret);
}

/* What a part that was loaded is a part of, by its labels. Its ports are not known. */
static void find_base(struct identities *t, struct entry *n)
{
	struct arena mem SCOPED(arena_done) = {0};
	struct labels base = {arena_array(&mem, n->info.labels.count, sizeof(struct label)), 0};
	SCOPED(str_done) struct str text = {0};
	const struct entry *of;

	for (size_t i = 0; i < n->info.labels.count; i++) {
		const struct label *l = &n->info.labels.label[i];

		if (!str_eq(l->source, "inside"))
			base.label[base.count++] = *l;
		else if (inside_parse(l->key, &n->info.inside))
			n->info.is_inside = true;
		else
			n->info.own_ports = true;
	}
	/* of the host, the labels of its node are its own, too */
	if (labels_find(&base, "reserved", "host")) {
		n->info.base = IDENTITY_HOST;
		return;
	}
	labels_text(&text, &base);
	of = hash_get(&t->by_text, str_text(&text), text.len);
	n->info.base = of && of != n ? of->info.number : 0;
}

/* As far as it is what identities_save() wrote: a number of the right range, free here, and labels
 * that have none. */
static int load_one(struct identities *t, const json_t *j, struct err *e)
{
	struct arena mem SCOPED(arena_done) = {0};
	SCOPED(str_done) struct str text = {0};
	const struct range *range = &t->cluster_range;
	const char *prefix = NULL;
	struct prefix p = {.bits = 0};
	bool is_part = false;
	struct labels l;
	struct entry *n;
	int64_t number = 0;
	int r = json_get_int(j, "id", IDENTITY_CLUSTER_MIN, IDENTITY_LOCAL_MAX, &number, e);

	r = r < 0 ? r : json_get_string(j, "prefix", &prefix, e);
	/* what it is a part of, and why, is known again when somebody asks for it */
	r = r < 0 ? r : json_get_bool(j, "part", &is_part, e);
	r = r < 0 ? r : load_labels(&mem, j, &l, e);
	if (r < 0)
		return r;
	if (is_part)
		range = &t->local_range;
	if (prefix) {
		range = &t->local_range;
		if (prefix_parse(prefix, false, &p) < 0)
			return err_set(e, -EINVAL, "prefix: \"%.60s\" is no prefix", prefix);
		/* world may have been split or joined since */
		if (l.count != 2 || !labels_eq(&(struct labels){&l.label[1], 1},
					    &find(t, world_of(t, prefix_is_v4(&p)))->info.labels))
			return 0;
	}
	labels_text(&text, &l);
	if (number < range->min || number > range->max || find(t, (uint32_t)number) ||
		hash_get(&t->by_text, str_text(&text), text.len))
		return err_set(e, -EINVAL, "id %lld: not in its range, or there already",
			(long long)number);
	n = insert(t, (uint32_t)number, &l);
	n->info.is_prefix = prefix != NULL;
	n->info.prefix = p;
	n->released = ++t->releases;
	t->unused++;
	if (is_part)
		find_base(t, n);
	return 0;
}

int identities_load(struct identities *t, const json_t *j, struct err *e)
{
	const json_t *list = json_object_get(j, "identities");
	int64_t next = t->cluster_range.next, next_local = t->local_range.next;
	int r;

	if (!json_is_array(list))
		return err_set(
			e, -EINVAL, "identities: expected a list, found %s", json_kind(list));
	for (size_t i = 0; i < json_array_size(list); i++) {
		r = load_one(t, json_array_get(list, i), e);
		if (r < 0) {
			err_prefix(e, "identities[%zu]", i);
			return r;
		}
	}
	r = json_get_int(j, "next", IDENTITY_CLUSTER_MIN, IDENTITY_CLUSTER_MAX, &next, e);
	r = r < 0 ? r
		  : json_get_int(j, "next_local", IDENTITY_LOCAL_MIN, IDENTITY_LOCAL_MAX,
			    &next_local, e);
	if (r < 0)
		return r;
	t->cluster_range.next = (uint32_t)next;
	t->local_range.next = (uint32_t)next_local;
	return 0;
}
