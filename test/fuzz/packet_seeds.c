/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the seeds of the packet target: the packets of the tables in test/bpf and some of the
 * generator, as scripts. Run by hand after the tables have changed: packet_seeds
 * test/fuzz/corpus/packet
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "bpf/shot.h"
#include "bpf/table.h"
#include "fuzz/script.h"
#include "twin/generate.h"

enum { SEED_BYTES = 1500, GENERATED = 12, GENERATED_PACKETS = 10, FRAME_MAX = 200 };

static unsigned seeds;

static void seed_write(const char *folder, struct str *s)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%03u", folder, seeds++);
	f = fopen(path, "we");
	if (!f || fwrite(s->text, 1, s->len, f) != s->len || fclose(f))
		err(1, "%s", path);
	s->len = 0;
}

static void packet_add(struct str *s, enum plane_hook hook, uint32_t ifindex, uint32_t ingress,
	const uint8_t *bytes, size_t len)
{
	uint8_t head[3] = {(uint8_t)(ifindex - who_ifindex(A)), (uint8_t)len, (uint8_t)(len >> 8)};

	if (len > FRAME_MAX) /* a seed is small */
		return;
	if (hook == PLANE_INGRESS)
		head[0] |= SCRIPT_STACK | (ingress == who_ifindex(A) ? SCRIPT_OWN
						  : ingress          ? SCRIPT_UPLINK
								     : 0);
	str_addn(s, head, sizeof(head));
	str_addn(s, bytes, len);
}

static void case_add(struct str *s, const struct packet_case *c, int family)
{
	uint8_t bytes[PLANE_ROOM];

	for (int i = 0; i < SHOTS_MAX && (c->shot[i].from || c->shot[i].raw); i++) {
		const struct shot *shot = &c->shot[i];
		size_t len = shot_build(shot, family, false, bytes);

		if (shot->before)
			str_addn(s, (uint8_t[]){SCRIPT_CHANGE | SCRIPT_BUMP, 0}, 2);
		packet_add(s, shot_is_ingress(shot) ? PLANE_INGRESS : PLANE_EGRESS,
			who_ifindex(shot_device(shot)), shot_ingress_ifindex(shot), bytes, len);
	}
}

static void table_write(const char *folder, const struct packet_case *cases)
{
	SCOPED(str_done)
	struct str s = {0};

	for (const struct packet_case *c = cases; c->name; c++) {
		for (int family = 4; family <= 6; family += 2) {
			if (c->family && c->family != family)
				continue;
			if (!s.len)
				str_addn(&s, (uint8_t[]){0}, 1);
			case_add(&s, c, family);
			if (s.len > SEED_BYTES)
				seed_write(folder, &s);
		}
	}
	if (s.len)
		seed_write(folder, &s);
}

static void generated_write(const char *folder, uint8_t number)
{
	SCOPED(str_done)
	struct str s = {0};
	struct generator g;

	generate_init(&g, number);
	str_addn(&s, (uint8_t[]){(uint8_t)(number | (number & 1) << 7)}, 1);
	for (int i = 0; i < GENERATED_PACKETS; i++) {
		struct plane_packet p;

		generate_packet(&g, &p);
		packet_add(&s, p.hook, p.ifindex, p.ingress_ifindex, p.bytes, p.len);
		if (generate_once_in(&g, 4))
			str_addn(&s,
				(uint8_t[]){(uint8_t)(SCRIPT_CHANGE |
						      generate_below(&g, SCRIPT_CHANGES)),
					number},
				2);
	}
	seed_write(folder, &s);
}

int main(int argc, char **argv)
{
	const struct packet_case *const table[] = {cases_parse, cases_fragment, cases_icmp,
		cases_tcp, cases_policy, cases_sender, cases_again, cases_gateway};

	if (argc != 2)
		errx(1, "usage: %s FOLDER", argv[0]);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		table_write(argv[1], table[i]);
	for (uint8_t i = 0; i < GENERATED; i++)
		generated_write(argv[1], i);
	return 0;
}
