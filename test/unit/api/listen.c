/* SPDX-License-Identifier: Apache-2.0 */
/* api/listen.c: permissions whatever the umask, stale sockets are replaced, live ones and other
 * files are left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/listen.h"

static char dir[64], path[96], address[112];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/kilim-listen-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(address, sizeof(address), "unix:%s", path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(dir); /* fails when anything is left behind */
}

static void expect_mode(mode_t mask)
{
	struct listener l = {0};
	struct stat st;
	mode_t before = umask(mask);
	int r = listener_open(address, &l, NULL);

	umask(before);
	assert_int_equal(r, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
	close(l.fd);
	listener_done(&l);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_mode(void **state)
{
	(void)state;
	expect_mode(0);
	expect_mode(022);
	expect_mode(0777);
}

static void test_live(void **state)
{
	struct listener l = {0}, other = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(listener_open(address, &l, NULL), 0);
	assert_int_equal(listener_open(address, &other, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, path));
	assert_int_equal(access(path, F_OK), 0);
	close(l.fd);
	listener_done(&l);
}

/* The first server died: its socket file is there and nobody listens. */
static void test_stale(void **state)
{
	struct listener dead = {0}, l = {0};

	(void)state;
	assert_int_equal(listener_open(address, &dead, NULL), 0);
	close(dead.fd);
	assert_int_equal(listener_open(address, &l, NULL), 0);
	listener_done(&dead); /* not its file any more */
	assert_int_equal(access(path, F_OK), 0);
	close(l.fd);
	listener_done(&l);
}

static void test_not_a_socket(void **state)
{
	struct listener l = {0};
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	(void)state;
	close(fd);
	assert_int_equal(listener_open(address, &l, NULL), -EEXIST);
	assert_int_equal(unlink(path), 0);
}

static void test_long_path(void **state)
{
	struct listener l = {0};
	char name[200] = "unix:/tmp/";
	struct err e = {0};

	(void)state;
	memset(name + 10, 'x', 150);
	assert_int_equal(listener_open(name, &l, &e), -ENAMETOOLONG);
	assert_non_null(strstr(e.text, "longer"));
}

static void test_tcp(void **state)
{
	static const char *const good[] = {"127.0.0.1:0", ":0"};
	static const char *const bad[] = {"", "1.2.3.4", "localhost:1", "127.0.0.1:65536", "[::1:1",
		"127.0.0.1:x", "::1:80:"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct listener l = {0};

		assert_int_equal(listener_open(good[i], &l, NULL), 0);
		assert_false(l.local);
		assert_int_equal(l.loopback, i == 0);
		close(l.fd);
		listener_done(&l);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct listener l = {0};

		assert_int_equal(listener_open(bad[i], &l, NULL), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(test_live, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_socket, setup, teardown),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_tcp),
	};

	return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
