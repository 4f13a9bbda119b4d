/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs every file of a corpus directory through one fuzz target, in the order of their names, and
 * speaks TAP. Linked with the target; a seed that crashes or takes more than SECONDS_EACH ends the
 * program, which the runner counts as a failure.
 */
#include <dirent.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECONDS_EACH = 20, SEED_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static int is_seed(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void seed_run(const char *folder, const char *name, int number)
{
	char path[4096];
	uint8_t *bytes = malloc(SEED_MAX);
	uint8_t *exact;
	size_t len;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		errx(1, "%s: name too long", name);
	f = fopen(path, "r");
	if (!f || !bytes)
		err(1, "%s", path);
	len = fread(bytes, 1, SEED_MAX, f);
	fclose(f);
	exact = malloc(len ? len : 1); /* so that the sanitizer sees the end of the input */
	if (!exact)
		err(1, "malloc");
	memcpy(exact, bytes, len);
	alarm(SECONDS_EACH);
	LLVMFuzzerTestOneInput(exact, len);
	printf("ok %d - %s\n", number, name);
	fflush(stdout);
	free(exact);
	free(bytes);
}

int main(int argc, char **argv)
{
	struct dirent **seed;
	int seeds;

	if (argc != 2)
		errx(1, "usage: %s CORPUS", argv[0]);
	seeds = scandir(argv[1], &seed, is_seed, alphasort);
	if (seeds < 0)
		err(1, "%s", argv[1]);
	if (!seeds)
		errx(1, "%s: no seeds", argv[1]);
	printf("1..%d\n", seeds);
	fflush(stdout);
	for (int i = 0; i < seeds; i++) {
		seed_run(argv[1], seed[i]->d_name, i + 1);
		free(seed[i]);
	}
	free(seed);
	return 0;
}
