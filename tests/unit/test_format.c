// SPDX-License-Identifier: PostgreSQL
/* Texts for people: the edges where rounding reaches the next unit, and text that means harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include <pgpier/format.h>
#include <pgpier/utf8.h>

static void bytes_have_three_digits(void **state)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 88, "88 B" },
		{ 999, "999 B" },
		{ 1000, "1.00 kB" },
		{ 1420000000000, "1.42 TB" },
		{ 28800000000, "28.8 GB" },
		{ 341000000000, "341 GB" },
		{ 9994999, "9.99 MB" },
		{ 9995000, "10.0 MB" },
		{ 99950000, "100 MB" },
		{ 999499999, "999 MB" },
		{ 999500000, "1.00 GB" },
		{ 999950, "1.00 MB" },
		{ INT64_MAX, "9.22 EB" },
		{ INT64_MIN, "-9.22 EB" },
		{ -2500, "-2.50 kB" },
	};
	char buf[FORMAT_SIZE];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(format_bytes(cases[i].bytes, buf), cases[i].text);
}

static void counts_have_one_decimal(void **state)
{
	static const struct {
		int64_t n;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 812, "812" },
		{ 999, "999" },
		{ 1000, "1.0 k" },
		{ 12345, "12.3 k" },
		{ 999949, "999.9 k" },
		{ 999950, "1.0 M" },
		{ 812400000, "812.4 M" },
		{ 1204000000, "1.2 G" },
		{ -1, "-1" },
		{ INT64_MAX, "9.2 E" },
	};
	char buf[FORMAT_SIZE];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(format_count(cases[i].n, buf), cases[i].text);
}

static void rates(void **state)
{
	char buf[FORMAT_SIZE];
	(void)state;
	assert_string_equal(format_rate(184.2e6, buf), "184 MB/s");
	assert_string_equal(format_rate(999.95, buf), "1.00 kB/s");
	assert_string_equal(format_rate(0, buf), "-");
	assert_string_equal(format_rate(-3, buf), "-");
	assert_string_equal(format_rate((double)NAN, buf), "-");
	assert_string_equal(format_rate((double)INFINITY, buf), "-");
	assert_string_equal(format_rate(1e300, buf), "9.00 EB/s");
}

static void durations(void **state)
{
	static const struct {
		double seconds;
		const char *text;
	} cases[] = {
		{ 0, "0.0 s" },
		{ 0.84, "0.8 s" },
		{ 9.94, "9.9 s" },
		{ 9.96, "10 s" },
		{ 38.4, "38 s" },
		{ 59.49, "59 s" },
		{ 59.5, "1m 00s" },
		{ 124, "2m 04s" },
		{ 250, "4m 10s" },
		{ 3599.4, "59m 59s" },
		{ 3599.6, "1h 00m" },
		{ 3930, "1h 06m" },
		{ 3900, "1h 05m" },
		{ 86369, "23h 59m" },
		{ 86370, "1d 00h" },
		{ 3 * 86400 + 4 * 3600, "3d 04h" },
		{ -1, "-" },
		{ (double)NAN, "-" },
		{ (double)INFINITY, "-" },
	};
	char buf[FORMAT_SIZE];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(format_duration(cases[i].seconds, buf), cases[i].text);
}

static void etas(void **state)
{
	static const struct {
		double seconds;
		const char *text;
	} cases[] = {
		{ 0, "~1 s" }, /* never 0 */
		{ 0.4, "~1 s" },
		{ 59.4, "~59 s" },
		{ 59.6, "~1m" },
		{ 38 * 60 + 20, "~38m" },
		{ 59.49 * 60, "~59m" },
		{ 59.5 * 60, "~1h 00m" },
		{ 65 * 60, "~1h 05m" },
		{ 76 * 3600, "~3d 04h" },
		{ -1, "-" },
		{ (double)INFINITY, "-" },
	};
	char buf[FORMAT_SIZE];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(format_eta(cases[i].seconds, buf), cases[i].text);
}

static void replication(void **state)
{
	char buf[FORMAT_SIZE];
	(void)state;
	assert_string_equal(format_lag(-1, buf), "-");
	assert_string_equal(format_lag(0, buf), "<1 ms");
	assert_string_equal(format_lag(0.00099, buf), "<1 ms");
	assert_string_equal(format_lag(0.001, buf), "1 ms");
	assert_string_equal(format_lag(0.0034, buf), "3 ms");
	assert_string_equal(format_lag(0.0994, buf), "99 ms");
	assert_string_equal(format_lag(0.0996, buf), "0.1 s");
	assert_string_equal(format_lag(250, buf), "4m 10s");
	assert_string_equal(format_per_second(0, buf), "0");
	assert_string_equal(format_per_second(0.44, buf), "0.4");
	assert_string_equal(format_per_second(9.96, buf), "10");
	assert_string_equal(format_per_second(1234, buf), "1.2 k");
	assert_string_equal(format_lsn(0x16B3748, buf), "0/16B3748");
	assert_string_equal(format_lsn(UINT64_C(0x16B3748000000FF), buf), "16B3748/FF");
	assert_string_equal(format_lsn(0, buf), "0/0");
}

static void times_are_local(void **state)
{
	char buf[FORMAT_SIZE];
	(void)state;
	setenv("TZ", "UTC-2", 1);
	tzset();
	assert_string_equal(format_time(INT64_C(1795266423) * 1000000, buf), "2026-11-21 15:07:03");
	assert_string_equal(format_clock(INT64_C(1795266423) * 1000000 + 999999, buf), "15:07");
	assert_string_equal(format_clock(0, buf), "-");
}

static void sanitizing_shows_what_a_terminal_would_obey(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "plain", "plain" }, { "Zürich 東京 😀", "Zürich 東京 😀" },
		{ "a\nb\tc\rd", "a\\nb\\tc\\rd" }, { "\x1b]0;x\x07", "\\x1b]0;x\\x07" },
		{ "\x7f", "\\x7f" },
		{ "\xc2\x9b"
		  "31m",
			"\\u009b31m" }, /* CSI as one C1 character */
		{ "\x9b"
		  "31m",
			"\\x9b31m" },             /* and as a bare byte */
		{ "\xc0\x9b", "\\xc0\\x9b" }, /* overlong ESC */
		{ "\xe0\x80\x9b", "\\xe0\\x80\\x9b" }, { "\xf0\x80\x80\x9b", "\\xf0\\x80\\x80\\x9b" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },                        /* surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },               /* above U+10FFFF */
		{ "\xff\xfe", "\\xff\\xfe" }, { "x\xe6\x9d", "x\\xe6\\x9d" }, /* cut in the middle */
		{ "\xe2\x80\xaa\xe2\x80\xae", "\\u202a\\u202e" },             /* embeddings and overrides */
		{ "\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069" },             /* isolates */
		{ "\xe2\x80\xa8", "\\u2028" },
		{ "\xe2\x80\xa7\xe2\x80\xaf", "\xe2\x80\xa7\xe2\x80\xaf" }, /* their harmless neighbours */
	};
	char buf[64];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(format_sanitized(cases[i].text, buf, sizeof(buf)), cases[i].shown);
	assert_string_equal(format_sanitized(NULL, buf, sizeof(buf)), "");
}

static void sanitizing_cuts_between_characters(void **state)
{
	char buf[16];
	(void)state;
	assert_string_equal(format_sanitized("東京", buf, 7), "東京");
	assert_string_equal(format_sanitized("東京", buf, 6), "東");
	assert_string_equal(format_sanitized("a\x1b"
										 "b",
							buf, 6),
		"a\\x1b");
	assert_string_equal(format_sanitized("a\x1b"
										 "b",
							buf, 5),
		"a"); /* an escape is whole or absent */
	assert_string_equal(format_sanitized("a", buf, 1), "");
	buf[0] = '!';
	format_sanitized("a", buf, 0);
	assert_int_equal(buf[0], '!');
}

/* Whatever three bytes come in, only printable UTF-8 goes out. */
static void sanitizing_is_safe_for_all_bytes(void **state)
{
	(void)state;
	for (uint32_t bytes = 0; bytes < 0x1000000; bytes += 7) {
		char text[4] = { (char)(bytes >> 16), (char)(bytes >> 8), (char)bytes, '\0' };
		char buf[32];
		const char *s = format_sanitized(text, buf, sizeof(buf));
		while (*s != '\0') {
			uint32_t code;
			size_t length = utf8_decode(s, &code);
			if (length == 0 || utf8_is_control(code))
				fail_msg("bytes %06x came out as %s", bytes, buf);
			s += length;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_have_three_digits),
		cmocka_unit_test(counts_have_one_decimal),
		cmocka_unit_test(rates),
		cmocka_unit_test(durations),
		cmocka_unit_test(etas),
		cmocka_unit_test(times_are_local),
		cmocka_unit_test(replication),
		cmocka_unit_test(sanitizing_shows_what_a_terminal_would_obey),
		cmocka_unit_test(sanitizing_cuts_between_characters),
		cmocka_unit_test(sanitizing_is_safe_for_all_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
