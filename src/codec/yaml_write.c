/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON values as YAML text, for -o yaml. Called by the CLI. Must hold: what is written here reads
 * back as the same value with yaml_parse() and with readers of YAML 1.1, so a string that either
 * could take for something else is quoted.
 */
#include <string.h>
#include <stdlib.h>

#include "codec/json.h"

static bool is_one_of(const char *s, const char *const *words)
{
	for (; *words; words++) {
		if (!strcasecmp(s, *words))
			return true;
	}
	return false;
}

/* Whether some reader may take the string for null, a boolean, a number, a time or a date. */
static bool reads_as_other(const char *s)
{
	static const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off", "y",
		"n", ".inf", "-.inf", "+.inf", ".nan", "~", NULL};
	size_t dots = 0;
	const char *p;

	if (is_one_of(s, words))
		return true;
	if (!strchr("0123456789.+-", *s))
		return false;
	for (p = s; *p; p++)
		dots += *p == '.';
	if (dots == 3 && !s[strspn(s, "0123456789.")])
		return false; /* an IPv4 address */
	return !s[strspn(s, "0123456789abcdefABCDEFxXoO_:+-.TZtz ")];
}

/* U+0080..U+009F, U+2028, U+2029, U+FEFF, U+FFFE, U+FFFF: not printable in YAML, or line breaks. 0,
 * or the bytes of it. */
static size_t special_len(const unsigned char *p)
{
	if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
		return 2;
	if (p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9))
		return 3;
	if (p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
		return 3;
	if (p[0] == 0xef && p[1] == 0xbf && (p[2] == 0xbe || p[2] == 0xbf))
		return 3;
	return 0;
}

static bool is_plain(const char *s, size_t len)
{
	if (!len || strlen(s) != len || reads_as_other(s))
		return false;
	if (!strchr("/_$.(", *s) && (unsigned char)*s < 0x80 &&
		!((*s | 32) >= 'a' && (*s | 32) <= 'z') && !(*s >= '0' && *s <= '9'))
		return false;
	if (!strncmp(s, "...", 3))
		return false;
	for (const char *p = s; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c == 0x7f || special_len((const unsigned char *)p))
			return false;
		if (c == ':' && (!p[1] || p[1] == ' '))
			return false;
		if (c == ' ' && (!p[1] || p[1] == '#'))
			return false;
	}
	return true;
}

static void write_quoted(struct str *out, const char *s, size_t len)
{
	str_add(out, "\"");
	for (const char *p = s; p < s + len; p++) {
		unsigned char c = (unsigned char)*p;
		size_t n = special_len((const unsigned char *)p);

		if (n == 2) {
			str_printf(out, "\\x%02x", (unsigned char)p[1]);
			p++;
		} else if (n == 3) {
			str_printf(out, "\\u%04x",
				(c & 15u) << 12 | ((unsigned char)p[1] & 63u) << 6 |
					((unsigned char)p[2] & 63u));
			p += 2;
		} else if (c == '\n' || c == '\t') {
			str_add(out, c == '\n' ? "\\n" : "\\t");
		} else if (c < 0x20 || c == 0x7f) {
			str_printf(out, "\\x%02x", c);
		} else {
			if (c == '"' || c == '\\')
				str_add(out, "\\");
			str_addn(out, p, 1);
		}
	}
	str_add(out, "\"");
}

static void write_string(struct str *out, const char *s, size_t len)
{
	if (is_plain(s, len))
		str_addn(out, s, len);
	else
		write_quoted(out, s, len);
}

static void write_scalar(struct str *out, const json_t *j)
{
	SCOPED(freep)
	char *text = NULL;

	if (json_is_string(j)) {
		write_string(out, json_string_value(j), json_string_length(j));
		return;
	}
	text = json_text(j);
	str_add(out, text);
}

/* The key and its colon; YAML wants a mark in front of keys of over 1024 characters. */
static void write_key(struct str *out, const char *key, unsigned indent)
{
	size_t len = strlen(key);

	if (len <= 1000) {
		write_string(out, key, len);
	} else {
		str_add(out, "? ");
		write_string(out, key, len);
		str_printf(out, "\n%*s", (int)indent, "");
	}
	str_add(out, ":");
}

static void write_value(struct str *out, const json_t *j, unsigned indent, bool at_start);

static void write_mapping(struct str *out, const json_t *j, unsigned indent, bool at_start)
{
	json_t *value;
	const char *key;

	/* the iteration macro wants a mutable object but changes nothing */
	json_object_foreach((json_t *)j, key, value)
	{
		if (!at_start)
			str_printf(out, "%*s", (int)indent, "");
		at_start = false;
		write_key(out, key, indent);
		if (json_object_size(value)) {
			str_add(out, "\n");
			write_mapping(out, value, indent + 2, false);
		} else if (json_array_size(value)) {
			str_add(out, "\n");
			write_value(out, value, indent, false);
		} else {
			str_add(out, " ");
			write_value(out, value, indent, true);
		}
	}
}

/* at_start: the cursor stands where the value begins already, behind "- " or "key: ". */
static void write_value(struct str *out, const json_t *j, unsigned indent, bool at_start)
{
	if (json_object_size(j)) {
		write_mapping(out, j, indent, at_start);
	} else if (json_array_size(j)) {
		for (size_t i = 0; i < json_array_size(j); i++) {
			str_printf(out, "%*s- ", at_start && !i ? 0 : (int)indent, "");
			write_value(out, json_array_get(j, i), indent + 2, true);
		}
	} else if (json_is_object(j) || json_is_array(j)) {
		str_add(out, json_is_object(j) ? "{}\n" : "[]\n");
	} else {
		write_scalar(out, j);
		str_add(out, "\n");
	}
}

void json_write_yaml(struct str *out, const json_t *j)
{
	write_value(out, j, 0, true);
}
