/* SPDX-License-Identifier: Apache-2.0 */
/* Which lines of a failed load reach the person. */
#include "datapath/diagnosis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void verifier_log(void **state)
{
	static const char log[] =
		"libbpf: prog 'endpoint_egress': BPF program load failed: Permission denied\n"
		"libbpf: prog 'endpoint_egress': -- BEGIN PROG LOAD LOG --\n"
		"0: R1=ctx() R10=fp0\n"
		"12: (71) r1 = *(u8 *)(r2 +0)\n"
		"R2 invalid mem access 'scalar'\n"
		"processed 13 insns (limit 1000000) max_states_per_insn 0\n"
		"-- END PROG LOAD LOG --\n"
		"libbpf: prog 'endpoint_egress': failed to load: -13\n"
		"libbpf: failed to load object 'kilim_bpf'\n";
	char text[200];

	(void)state;
	diagnosis_pick(log, text, sizeof(text));
	assert_non_null(strstr(text, "R2 invalid mem access 'scalar' | libbpf: prog "
				     "'endpoint_egress': failed to load: -13"));
	assert_null(strstr(text, "processed"));
	assert_null(strstr(text, "END PROG"));
}

static void short_room(void **state)
{
	char text[16];

	(void)state;
	diagnosis_pick("first\nsecond\nthird\n", text, sizeof(text));
	assert_string_equal(text, "second | third");
	diagnosis_pick("a line that is longer than the room\n", text, sizeof(text));
	assert_string_equal(text, "");
	diagnosis_pick("", text, sizeof(text));
	assert_string_equal(text, "");
	diagnosis_pick("no newline", text, sizeof(text));
	assert_string_equal(text, "no newline");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifier_log),
		cmocka_unit_test(short_room),
	};

	return cmocka_run_group_tests_name("datapath/diagnosis", tests, NULL, NULL);
}
