/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seqload: load whose every packet is accounted for, between two namespaces a and b: TCP
 * connections with numbered messages, numbered datagrams at a rate, and probes that must not get
 * through. Runs until --seconds or SIGTERM, waits for what is under way, prints one JSON object.
 * Prints "ready" when all connections stand. The tests judge; this only counts.
 */
#include "test/tool/seqload.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { DRAIN_MS = 1000 };

struct options {
	const char *address[2];
	unsigned seconds;
	unsigned tcp_port, tcp_count, tcp_interval_ms;
	unsigned probe_port, probe_rate;
	char complement[2][NAME_MAX_BYTES];
};

static struct udp_flow udp_flows[UDP_FLOWS_MAX];
static unsigned udp_count;
static volatile sig_atomic_t stopped;

static void stop(int signo)
{
	(void)signo;
	stopped = 1;
}

void source_add(struct load *l, struct source *s, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = s};

	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, s->fd, &ev) < 0)
		err(1, "epoll");
}

int load_bind(struct load *l, int end, unsigned port, int type)
{
	int left = sock_enter(l->netns[end]), fd;
	union sock_addr a = l->address[end];

	sock_addr_set_port(&a, port);
	fd = sock_bind(&a, type);
	sock_return(left);
	return fd;
}

/* The key's value when the word is "key=value", else NULL. */
static const char *value_of(const char *word, const char *key)
{
	size_t n = strlen(key);

	return !strncmp(word, key, n) && word[n] == '=' ? word + n + 1 : NULL;
}

static void parse_udp(char *text)
{
	struct udp_flow *f = &udp_flows[udp_count];
	const char *v;

	if (udp_count == UDP_FLOWS_MAX)
		errx(2, "more than %d flows", UDP_FLOWS_MAX);
	f->index = udp_count++;
	f->rate = 100;
	for (char *word = strtok(text, ","); word; word = strtok(NULL, ",")) {
		if ((v = value_of(word, "name")))
			snprintf(f->name, sizeof(f->name), "%s", v);
		else if ((v = value_of(word, "from")))
			f->from = *v == 'b';
		else if ((v = value_of(word, "port")))
			f->port = (unsigned)atoi(v);
		else if ((v = value_of(word, "rate")))
			f->rate = (unsigned)atoi(v);
		else if (!strcmp(word, "echo"))
			f->echo = true;
		else if (!strcmp(word, "fresh"))
			f->fresh = true;
		else
			errx(2, "--udp: %s is unknown", word);
	}
}

static void parse_pair(char *text, unsigned *a, unsigned *b, unsigned *c)
{
	if (sscanf(text, "%u,%u,%u", a, b, c ? c : &(unsigned){0}) < (c ? 3 : 2))
		errx(2, "%s: numbers with commas between them are expected", text);
}

static void parse(int argc, char **argv, struct options *o, struct load *l)
{
	static const struct option longs[] = {{"a", 1, 0, 'a'}, {"b", 1, 0, 'b'},
		{"a-address", 1, 0, 'A'}, {"b-address", 1, 0, 'B'}, {"seconds", 1, 0, 's'},
		{"udp", 1, 0, 'u'}, {"tcp", 1, 0, 't'}, {"probe", 1, 0, 'p'},
		{"complement", 1, 0, 'c'}, {0, 0, 0, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'a':
			l->netns[0] = optarg;
			break;
		case 'b':
			l->netns[1] = optarg;
			break;
		case 'A':
			o->address[0] = optarg;
			break;
		case 'B':
			o->address[1] = optarg;
			break;
		case 's':
			o->seconds = (unsigned)atoi(optarg);
			break;
		case 'u':
			parse_udp(optarg);
			break;
		case 't':
			parse_pair(optarg, &o->tcp_port, &o->tcp_count, &o->tcp_interval_ms);
			break;
		case 'p':
			parse_pair(optarg, &o->probe_port, &o->probe_rate, NULL);
			break;
		case 'c':
			if (sscanf(optarg, "%31[^,],%31s", o->complement[0], o->complement[1]) != 2)
				errx(2, "--complement: two names are expected");
			break;
		default:
			errx(2, "usage: seqload --a NETNS --b NETNS --a-address A --b-address B "
				"[--seconds N] [--tcp PORT,COUNT,INTERVAL-MS]\n"
				"  [--udp name=N,from=a|b,port=P,rate=PPS[,echo][,fresh]]... "
				"[--probe PORT,RATE] [--complement NAME,NAME]");
		}
	}
	if (!o->address[0] || !o->address[1])
		errx(2, "--a-address and --b-address are needed");
}

static void wait_events(struct load *l, int timeout_ms)
{
	struct epoll_event ev[64];
	int n = epoll_wait(l->epoll, ev, 64, timeout_ms);

	l->now_ns = sock_now_ns();
	for (int i = 0; i < n; i++) {
		struct source *s = ev[i].data.ptr;

		s->fn(s, l);
	}
}

static void run(
	const struct options *o, struct load *l, struct tcp_load *tcp, struct tcp_probe *probe)
{
	uint64_t start = sock_now_ns(), end = start + o->seconds * 1000000000ull;

	l->now_ns = start;
	while (!stopped && (!o->seconds || l->now_ns < end)) {
		uint64_t elapsed = l->now_ns - start;

		for (unsigned i = 0; i < udp_count; i++)
			udp_flow_tick(&udp_flows[i], l, elapsed);
		if (tcp)
			tcp_load_tick(tcp, l, elapsed);
		if (probe)
			tcp_probe_tick(probe, l, elapsed);
		wait_events(l, 1);
	}
	/* What is still under way comes in, retransmissions included. */
	end = sock_now_ns() + DRAIN_MS * 1000000ull;
	while (l->now_ns < end ||
		(tcp && tcp_load_outstanding(tcp) && l->now_ns < end + 3000000000ull))
		wait_events(l, 10);
}

static const struct udp_flow *find(const char *name)
{
	for (unsigned i = 0; i < udp_count; i++) {
		if (!strcmp(udp_flows[i].name, name))
			return &udp_flows[i];
	}
	errx(2, "no flow %s", name);
}

static void report(const struct options *o, struct tcp_load *tcp, struct tcp_probe *probe)
{
	printf("{\"udp\": {");
	for (unsigned i = 0; i < udp_count; i++) {
		printf("%s\"%s\": ", i ? ", " : "", udp_flows[i].name);
		udp_flow_report(&udp_flows[i]);
	}
	printf("}");
	if (tcp) {
		printf(", \"tcp\": ");
		tcp_load_report(tcp);
	}
	if (probe) {
		printf(", \"probe\": ");
		tcp_probe_report(probe);
	}
	if (*o->complement[0])
		printf(", \"equal\": %llu",
			(unsigned long long)udp_flow_equal(
				find(o->complement[0]), find(o->complement[1])));
	printf("}\n");
}

int main(int argc, char **argv)
{
	struct load l = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
	struct options o = {0};
	struct tcp_load *tcp = NULL;
	struct tcp_probe *probe = NULL;

	parse(argc, argv, &o, &l);
	for (int i = 0; i < 2; i++)
		sock_addr_parse(o.address[i], 0, &l.address[i]);
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	close(sock_enter(l.netns[0]));
	for (unsigned i = 0; i < udp_count; i++)
		udp_flow_start(&udp_flows[i], &l);
	if (o.tcp_count)
		tcp = tcp_load_start(&l, o.tcp_port, o.tcp_count, o.tcp_interval_ms);
	if (o.probe_rate)
		probe = tcp_probe_start(&l, o.probe_port, o.probe_rate);
	puts("ready");
	fflush(stdout);
	run(&o, &l, tcp, probe);
	report(&o, tcp, probe);
	return 0;
}
