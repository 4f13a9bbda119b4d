/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood: TCP SYNs with random sources and ports, written to a device as raw frames from the
 * namespace that it runs in. The count is bounded and the random numbers come from a seed, so that
 * a run can be repeated. Used by test/net/flood.sh.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/tool/sock.h"

enum {
	BATCH = 64,
	FRAME = sizeof(struct ether_header) + sizeof(struct ip6_hdr) + sizeof(struct tcphdr)
};

struct options {
	const char *device, *mac, *source_mac, *destination, *source;
	bool fixed; /* the source address is the one given */
	unsigned port; /* 0: random ones */
	uint64_t count, rate, seed;
};

struct frame {
	union sock_addr destination,
		source; /* source: the network that sources are taken from, /8 or /64 */
	struct ether_header ether;
	unsigned port;
	uint64_t random; /* state of the generator */
	bool fixed;
};

static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static uint32_t sum(uint32_t s, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i + 1 < len; i += 2)
		s += (uint32_t)p[i] << 8 | p[i + 1];
	return s;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return htons((uint16_t)~s);
}

static struct tcphdr syn(struct frame *f, uint32_t addresses)
{
	uint64_t r = next_random(&f->random);
	struct tcphdr t = {.syn = 1, .doff = 5, .window = htons(64240)};

	t.source = htons((uint16_t)(1024 + r % 64000));
	t.dest = htons((uint16_t)(f->port ? f->port : 1 + (r >> 16) % 65535));
	t.seq = (uint32_t)(r >> 32);
	t.check = fold(sum(addresses + IPPROTO_TCP + sizeof(t), &t, sizeof(t)));
	return t;
}

static size_t build4(struct frame *f, uint8_t *p)
{
	struct iphdr ip = {.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_TCP,
		.tot_len = htons(sizeof(ip) + sizeof(struct tcphdr))};
	struct tcphdr t;

	ip.daddr = f->destination.in4.sin_addr.s_addr;
	ip.saddr = (f->source.in4.sin_addr.s_addr & htonl(0xff000000)) |
		   htonl((uint32_t)next_random(&f->random) & 0xffffff);
	if (f->fixed)
		ip.saddr = f->source.in4.sin_addr.s_addr;
	ip.check = fold(sum(0, &ip, sizeof(ip)));
	t = syn(f, sum(0, &ip.saddr, 8));
	memcpy(p, &f->ether, sizeof(f->ether));
	memcpy(p + sizeof(f->ether), &ip, sizeof(ip));
	memcpy(p + sizeof(f->ether) + sizeof(ip), &t, sizeof(t));
	return sizeof(f->ether) + sizeof(ip) + sizeof(t);
}

static size_t build6(struct frame *f, uint8_t *p)
{
	struct ip6_hdr ip = {
		.ip6_src = f->source.in6.sin6_addr, .ip6_dst = f->destination.in6.sin6_addr};
	uint64_t r = next_random(&f->random);
	struct tcphdr t;

	ip.ip6_flow = htonl(6u << 28);
	ip.ip6_plen = htons(sizeof(t));
	ip.ip6_nxt = IPPROTO_TCP;
	ip.ip6_hlim = 64;
	if (!f->fixed)
		memcpy(&ip.ip6_src.s6_addr[8], &r, sizeof(r));
	t = syn(f, sum(0, &ip.ip6_src, 32));
	memcpy(p, &f->ether, sizeof(f->ether));
	memcpy(p + sizeof(f->ether), &ip, sizeof(ip));
	memcpy(p + sizeof(f->ether) + sizeof(ip), &t, sizeof(t));
	return FRAME;
}

static int open_device(const char *name, struct frame *f)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		err(1, "packet socket");
	a.sll_ifindex = (int)if_nametoindex(name);
	if (!a.sll_ifindex || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		err(1, "device %s", name);
	(void)setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
	memset(f->ether.ether_shost, 2, sizeof(f->ether.ether_shost));
	return fd;
}

static void parse_mac(const char *text, uint8_t mac[6])
{
	if (!text || sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", mac, mac + 1, mac + 2,
			     mac + 3, mac + 4, mac + 5) != 6)
		errx(2, "--mac is like 02:00:00:00:00:01");
}

static uint64_t run(const struct options *o, int fd, struct frame *f)
{
	static uint8_t buf[BATCH][FRAME];
	struct mmsghdr m[BATCH] = {0};
	struct iovec io[BATCH];
	uint64_t sent = 0, start = sock_now_ns();
	unsigned have = 0;

	while (sent < o->count) {
		int r;

		for (; have < BATCH && sent + have < o->count; have++) {
			size_t len = f->destination.any.sa_family == AF_INET ? build4(f, buf[have])
									     : build6(f, buf[have]);

			io[have] = (struct iovec){buf[have], len};
			m[have].msg_hdr = (struct msghdr){.msg_iov = &io[have], .msg_iovlen = 1};
		}
		r = sendmmsg(fd, m, have, 0);
		if (r < 0 && errno != ENOBUFS && errno != EAGAIN)
			err(1, "send");
		if (r == (int)have) {
			sent += have;
			have = 0;
		} else if (r > 0) {
			sent += (unsigned)r;
			have = 0; /* the rest is made anew: the numbers are random anyway */
		}
		while (o->rate &&
			(double)sent / (double)o->rate > (double)(sock_now_ns() - start) / 1e9)
			usleep(500);
	}
	return sent;
}

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"device", 1, 0, 'd'}, {"mac", 1, 0, 'm'},
		{"destination", 1, 0, 'a'}, {"source", 1, 0, 's'}, {"port", 1, 0, 'p'},
		{"count", 1, 0, 'n'}, {"rate", 1, 0, 'r'}, {"seed", 1, 0, 'e'},
		{"source-mac", 1, 0, 'M'}, {"fixed", 0, 0, 'F'}, {0, 0, 0, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'd':
			o->device = optarg;
			break;
		case 'm':
			o->mac = optarg;
			break;
		case 'a':
			o->destination = optarg;
			break;
		case 's':
			o->source = optarg;
			break;
		case 'p':
			o->port = (unsigned)atoi(optarg);
			break;
		case 'n':
			o->count = strtoull(optarg, NULL, 10);
			break;
		case 'r':
			o->rate = strtoull(optarg, NULL, 10);
			break;
		case 'e':
			o->seed = strtoull(optarg, NULL, 10);
			break;
		case 'M':
			o->source_mac = optarg;
			break;
		case 'F':
			o->fixed = true;
			break;
		default:
			errx(2, "usage: flood --device D --mac M --destination A --source NETWORK "
				"[--port N] [--count N] [--rate PPS] [--seed N] [--source-mac M] "
				"[--fixed]");
		}
	}
	if (!o->device || !o->destination || !o->source)
		errx(2, "--device, --destination and --source are needed");
}

int main(int argc, char **argv)
{
	struct options o = {.count = 1000000, .seed = 1};
	struct frame f = {0};
	uint64_t start, sent;
	double seconds;
	int fd;

	parse(argc, argv, &o);
	sock_addr_parse(o.destination, 0, &f.destination);
	sock_addr_parse(o.source, 0, &f.source);
	if (f.source.any.sa_family != f.destination.any.sa_family)
		errx(2, "--source and --destination are of different families");
	f.port = o.port;
	f.fixed = o.fixed;
	f.random = o.seed;
	f.ether.ether_type =
		htons(f.destination.any.sa_family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	fd = open_device(o.device, &f);
	parse_mac(o.mac, f.ether.ether_dhost);
	if (o.source_mac)
		parse_mac(o.source_mac, f.ether.ether_shost);
	start = sock_now_ns();
	sent = run(&o, fd, &f);
	seconds = (double)(sock_now_ns() - start) / 1e9;
	printf("{\"sent\": %llu, \"seconds\": %.3f, \"pps\": %.0f}\n", (unsigned long long)sent,
		seconds, (double)sent / seconds);
	return 0;
}
