// SPDX-License-Identifier: PostgreSQL
/* The JSON writer: commas by nesting, and documents that stay valid whatever bytes a name has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include <pgpier/json.h>

static void nesting_places_commas(void **state)
{
	struct json j = JSON_INIT;
	(void)state;
	json_object(&j, NULL);
	json_text(&j, "mirror", "shop");
	json_array(&j, "tables");
	json_object(&j, NULL);
	json_end_object(&j);
	json_object(&j, NULL);
	json_int(&j, "rows", INT64_MIN);
	json_bool(&j, "done", false);
	json_end_object(&j);
	json_end_array(&j);
	json_array(&j, "errors");
	json_end_array(&j);
	json_null(&j, "error");
	json_text(&j, "state", NULL);
	json_end_object(&j);
	assert_string_equal(j.out.text,
		"{\"mirror\":\"shop\",\"tables\":[{},{\"rows\":-9223372036854775808,"
		"\"done\":false}],\"errors\":[],\"error\":null,\"state\":null}");
	json_free(&j);
	assert_null(j.out.text);
}

static const char *text_of(struct json *j, const char *value)
{
	json_free(j);
	json_text(j, NULL, value);
	return j->out.text;
}

static void strings_are_escaped(void **state)
{
	struct json j = JSON_INIT;
	(void)state;
	assert_string_equal(text_of(&j, "a\"b\\c/"), "\"a\\\"b\\\\c/\"");
	assert_string_equal(text_of(&j, "\b\f\n\r\t\x01\x1b"), "\"\\b\\f\\n\\r\\t\\u0001\\u001b\"");
	assert_string_equal(text_of(&j, "\x7f\xc2\x9b\xe2\x80\xae"), "\"\\u007f\\u009b\\u202e\"");
	assert_string_equal(text_of(&j, "東京 😀"), "\"東京 😀\"");
	assert_string_equal(text_of(&j, "x\xc0\xafy"), "\"x\xEF\xBF\xBD\xEF\xBF\xBDy\"");
	assert_string_equal(text_of(&j, "\xe6\x9d"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
	json_free(&j);
	json_object(&j, NULL);
	json_bool(&j, "k\"\n", true);
	json_end_object(&j);
	assert_string_equal(j.out.text, "{\"k\\\"\\n\":true}");
	json_free(&j);
}

static const char *number_of(struct json *j, double value)
{
	json_free(j);
	json_number(j, NULL, value);
	return j->out.text;
}

static void numbers_have_three_decimals(void **state)
{
	struct json j = JSON_INIT;
	(void)state;
	assert_string_equal(number_of(&j, 0), "0.000");
	assert_string_equal(number_of(&j, 12.3456), "12.346");
	assert_string_equal(number_of(&j, -0.5), "-0.500");
	assert_string_equal(number_of(&j, -0.0001), "0.000");
	assert_string_equal(number_of(&j, 0.9996), "1.000");
	assert_string_equal(number_of(&j, 1e18), "1000000000000000000");
	assert_string_equal(number_of(&j, (double)NAN), "null");
	assert_string_equal(number_of(&j, -(double)INFINITY), "null");
	json_free(&j);
}

static void times_are_utc(void **state)
{
	struct json j = JSON_INIT;
	(void)state;
	json_array(&j, NULL);
	json_time(&j, NULL, INT64_C(1795266423) * 1000000 + 45678);
	json_time(&j, NULL, 0);
	json_end_array(&j);
	assert_string_equal(j.out.text, "[\"2026-11-21T13:07:03.045Z\",null]");
	json_free(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting_places_commas),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(numbers_have_three_decimals),
		cmocka_unit_test(times_are_utc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
