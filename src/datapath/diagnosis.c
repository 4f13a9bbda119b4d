/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reasons of failed loads. Owns the buffer that libbpf prints into; called by whatever loads a
 * BPF object. Must hold: libraries print nothing themselves.
 */
#include "datapath/diagnosis.h"

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { KEEP = 8192, PICK = 380 };

static char collected[KEEP];

/* Keep the last KEEP bytes. */
static void keep(const char *text, size_t len)
{
	size_t have = strlen(collected);

	if (len >= KEEP) {
		text += len - (KEEP - 1);
		len = KEEP - 1;
	}
	if (have + len >= KEEP) {
		size_t drop = have + len - (KEEP - 1);

		memmove(collected, collected + drop, have - drop);
		have -= drop;
	}
	memcpy(collected + have, text, len);
	collected[have + len] = 0;
}

static int on_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	static char line[65536]; /* a verifier log comes as one message */

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), fmt, ap);
	keep(line, strlen(line));
	return 0;
}

void diagnosis_begin(void)
{
	collected[0] = 0;
	libbpf_set_print(on_print);
}

/* Lines that follow every failure and explain none. */
static bool is_noise(const char *line, size_t len)
{
	static const char *const noise[] = {"processed ", "-- END", "-- BEGIN",
		"libbpf: failed to load object", "verification time"};

	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		if (memmem(line, len, noise[i], strlen(noise[i])))
			return true;
	}
	return len == 0;
}

void diagnosis_pick(const char *text, char *ret, unsigned size)
{
	const char *end = text + strlen(text);
	unsigned at = size - 1; /* filled from the end */

	ret[at] = 0;
	while (end > text) {
		const char *start = end;
		size_t len;

		while (start > text && start[-1] != '\n')
			start--;
		len = (size_t)(end - start);
		if (!is_noise(start, len)) {
			if (len + 3 > at)
				break;
			if (ret[at]) {
				at -= 3;
				memcpy(ret + at, " | ", 3);
			}
			at -= (unsigned)len;
			memcpy(ret + at, start, len);
		}
		end = start > text ? start - 1 : text;
	}
	memmove(ret, ret + at, size - at);
}

int diagnosis_set(struct err *e, int code, const char *what)
{
	char text[PICK];

	diagnosis_pick(collected, text, sizeof(text));
	return err_set(e, code, "%s: %s%s%s", what, strerror(-code), text[0] ? ": " : "", text);
}
