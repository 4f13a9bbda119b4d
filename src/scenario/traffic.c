/* SPDX-License-Identifier: Apache-2.0 */
/* Protocols and ports as scenarios and command lines write them. Called by everything here. Owns
 * nothing. Must hold: what traffic_format() writes, traffic_parse() reads back. */
#include "scenario/traffic.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum { ICMP_ECHO = 8, ICMP6_ECHO = 128 };

const char *family_name(enum family f)
{
	return f == FAMILY_V4 ? "IPv4" : "IPv6";
}

/* TYPE or TYPE:CODE */
static int parse_icmp(const char *text, struct traffic *t, struct err *e)
{
	const char *colon = strchr(text, ':');
	SCOPED(str_done) struct str type = {0};
	uint64_t number, code = 0;

	str_addn(&type, text, colon ? (size_t)(colon - text) : strlen(text));
	if (str_to_u64(str_text(&type), 255, &number) < 0 ||
		(colon && str_to_u64(colon + 1, 255, &code) < 0))
		return err_set(e, -EINVAL,
			"\"%.40s\" is no ICMP type; use 0 to 255, and a code behind a colon", text);
	t->port = (uint16_t)(number << 8 | code);
	return 0;
}

static int parse_number(const char *text, struct traffic *t, struct err *e)
{
	uint64_t number;

	if (protocol_is_icmp(t->protocol))
		return parse_icmp(text, t, e);
	if (str_to_u64(text, 65535, &number) < 0)
		return err_set(e, -EINVAL, "\"%.40s\" is no port; use 0 to 65535", text);
	if (!protocol_has_ports(t->protocol) && number)
		return err_set(e, -EINVAL, "this protocol has no ports");
	t->port = (uint16_t)number;
	return 0;
}

int traffic_parse(const char *text, struct traffic *ret, struct err *e)
{
	const char *slash = strchr(text, '/');
	struct traffic t = {.protocol = IPPROTO_TCP};
	SCOPED(str_done) struct str number = {0};
	uint64_t bare;
	int r = 0;

	str_addn(&number, text, slash ? (size_t)(slash - text) : strlen(text));
	if (slash || str_to_u64(text, UINT64_MAX, &bare) == -EINVAL)
		r = protocol_parse(slash ? slash + 1 : text, &t.protocol, e);
	if (r < 0)
		return r;
	if (slash || str_to_u64(text, UINT64_MAX, &bare) != -EINVAL)
		r = parse_number(str_text(&number), &t, e);
	else if (protocol_has_ports(t.protocol))
		r = err_set(e, -EINVAL, "\"%.40s\" lacks the port: 80/TCP", text);
	else if (protocol_is_icmp(t.protocol))
		t.port = (t.protocol == IPPROTO_ICMP ? ICMP_ECHO : ICMP6_ECHO) << 8;
	if (r >= 0)
		*ret = t;
	return r;
}

void traffic_format(struct str *out, const struct traffic *t)
{
	if (protocol_is_icmp(t->protocol)) {
		str_printf(out, "%u", t->port >> 8);
		if (t->port & 0xff)
			str_printf(out, ":%u", t->port & 0xff);
		str_add(out, "/");
	} else if (protocol_has_ports(t->protocol)) {
		str_printf(out, "%u/", t->port);
	} else if (!protocol_name(t->protocol)) { /* a bare number is a port */
		str_add(out, "0/");
	}
	protocol_format(out, t->protocol);
}

bool traffic_is_of(const struct traffic *t, enum family f)
{
	return !protocol_is_icmp(t->protocol) || (t->protocol == IPPROTO_ICMP) == (f == FAMILY_V4);
}
