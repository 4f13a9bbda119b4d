/* SPDX-License-Identifier: Apache-2.0 */
/* The tick's frequency from readings, and timeouts in ticks. */
#include "datapath/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "abi/clock.h"

/* What a kernel of this frequency shows after so many seconds. */
static struct clock reading(uint32_t hz, uint64_t uptime_ms)
{
	return (struct clock){.jiffies = (1ull << 32) - 300ull * hz + uptime_ms * hz / 1000,
		.mono_ns = uptime_ms * 1000000};
}

static void one_reading(void **state)
{
	static const uint32_t hz[] = {100, 250, 300, 1000};
	static const uint64_t uptime_ms[] = {100, 5000, 200000, 400000, 86400000, 31536000000ull};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (size_t k = 0; k < 6; k++) {
			struct clock now = reading(hz[i], uptime_ms[k]);

			assert_int_equal(clock_hz_of_one(&now), hz[i]);
		}
	}
}

/* Five minutes after the start jiffies say nothing by themselves. */
static void one_reading_at_the_turn(void **state)
{
	struct clock now = reading(250, 299000), odd = reading(250, 4000000);

	(void)state;
	assert_int_equal(clock_hz_of_one(&now), 0);
	odd.jiffies += odd.jiffies / 10 - (1ull << 32) / 10; /* ticks were lost or a clock jumped */
	assert_int_equal(clock_hz_of_one(&odd), 0);
}

static void two_readings(void **state)
{
	struct clock a = reading(250, 299000), b = reading(250, 299100), c = reading(1000, 299000),
		     d = reading(1000, 299060);

	(void)state;
	assert_int_equal(clock_hz_of_two(&a, &b), 250);
	assert_int_equal(clock_hz_of_two(&c, &d), 1000);
	assert_int_equal(clock_hz_of_two(&b, &a), 0);
	assert_int_equal(clock_hz_of_two(&a, &a), 0);
	b.jiffies += 10;
	assert_int_equal(clock_hz_of_two(&a, &b), 0);
}

static void timeouts(void **state)
{
	(void)state;
	assert_int_equal(clock_jiffies(0, 250), 0);
	assert_int_equal(clock_jiffies(1, 250), 1);
	assert_int_equal(clock_jiffies(4000000, 250), 1);
	assert_int_equal(clock_jiffies(4000001, 250), 2);
	assert_int_equal(clock_jiffies(1000000000, 1000), 1000);
	assert_int_equal(clock_jiffies(8000ull * 1000000000, 100), 800000);
	assert_true(clock_jiffies(UINT64_MAX, 1000) > clock_jiffies(UINT64_MAX / 2, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_reading),
		cmocka_unit_test(one_reading_at_the_turn),
		cmocka_unit_test(two_readings),
		cmocka_unit_test(timeouts),
	};

	return cmocka_run_group_tests_name("datapath/clock", tests, NULL, NULL);
}
