/* SPDX-License-Identifier: Apache-2.0 */
/* Reads /proc/self. Called for status and metrics; a number that cannot be had is 0. */
#include "agent/process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/time.h"

static uint64_t count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!d)
		return 0;
	while (readdir(d))
		n++;
	(void)closedir(d);
	/* . and .. and the directory itself */
	return n > 3 ? n - 3 : 0;
}

/* Seconds since boot at which the process started: field 22 of /proc/self/stat. */
static double start_since_boot(void)
{
	SCOPED(freep)
	char *text = NULL;
	unsigned long long ticks = 0;
	const char *p;

	if (fd_read_file("/proc/self/stat", 4096, &text, NULL, NULL) < 0)
		return 0;
	/* the name in brackets may contain anything; after it comes field 3 */
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1,
			  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			  "%*d %*d %llu",
			  &ticks) != 1)
		return 0;
	return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double boot_time_s(void)
{
	struct timespec up;

	clock_gettime(CLOCK_BOOTTIME, &up);
	return (double)time_wall_ns() / 1e9 - (double)up.tv_sec - (double)up.tv_nsec / 1e9;
}

void process_usage(struct process_usage *ret)
{
	SCOPED(freep)
	char *statm = NULL;
	unsigned long long size = 0, resident = 0;
	struct rusage ru = {0};
	struct rlimit limit = {0};
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (fd_read_file("/proc/self/statm", 4096, &statm, NULL, NULL) == 0)
		(void)sscanf(statm, "%llu %llu", &size, &resident);
	(void)getrusage(RUSAGE_SELF, &ru);
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	*ret = (struct process_usage){
		.resident_bytes = resident * page,
		.virtual_bytes = size * page,
		.open_fds = count_fds(),
		.max_fds = limit.rlim_cur,
		.cpu_s = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
			 (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6,
		.start_s = boot_time_s() + start_since_boot(),
	};
}
