/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Percent-encoding (RFC 3986). Called by server and clients. Owns nothing. Must hold: decoding what
 * was encoded gives the same bytes, everything but unreserved characters is encoded, and a decoded
 * text never has a NUL inside.
 */
#include "api/percent.h"

#include <errno.h>
#include <string.h>

#include "api/client.h"
#include "base/str.h"

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~", c));
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *api_encode(const char *s)
{
	static const char digits[] = "0123456789ABCDEF";
	struct str out = {0};

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (is_unreserved(c))
			str_addn(&out, s, 1);
		else
			str_addn(&out, (char[]){'%', digits[c >> 4], digits[c & 15]}, 3);
	}
	return str_take(&out);
}

int percent_decode(char *s)
{
	char *out = s;

	for (; *s; s++) {
		int high, low;

		if (*s != '%') {
			*out++ = *s;
			continue;
		}
		high = hex_value(s[1]);
		low = high < 0 ? -1 : hex_value(s[2]);
		if (low < 0 || !(high | low))
			return -EINVAL;
		*out++ = (char)(high << 4 | low);
		s += 2;
	}
	*out = 0;
	return 0;
}
