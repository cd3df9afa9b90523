// SPDX-License-Identifier: PostgreSQL
/* Widths, clipping and wrapping of what servers may send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static void widths(void **state)
{
	(void)state;
	assert_int_equal(text_width("orders"), 6);
	assert_int_equal(text_width("京都の表"), 8);
	assert_int_equal(text_width("e\u0301te\u0301"), 3); /* combining marks take no cell */
	assert_int_equal(text_width("a\x1b[31mb"), 2 + (int)strlen("\\x1b[31m"));
	assert_int_equal(text_width("\xff"), (int)strlen("\\xff"));
	assert_int_equal(text_width(NULL), 0);
}

static void clipping(void **state)
{
	static const struct {
		const char *text;
		int cells;
		const char *cut;
		int used;
	} cases[] = {
		{ "orders", 6, "orders", 6 },
		{ "orders", 5, "orde…", 5 },
		{ "orders", 1, "…", 1 },
		{ "orders", 0, "", 0 },
		{ "京都の表", 8, "京都の表", 8 },
		{ "京都の表", 7, "京都の…", 7 },
		{ "京都の表", 6, "京都…", 5 }, /* never half a character */
		{ "e\u0301te\u0301s", 3, "e\u0301t…", 3 },
		{ "", 4, "", 0 },
	};
	char out[64];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(text_clip(out, sizeof(out), cases[i].text, cases[i].cells, "…"),
			cases[i].used);
		assert_string_equal(out, cases[i].cut);
	}
}

static void cut_in_the_middle(void **state)
{
	static const struct {
		const char *text;
		int cells;
		const char *cut;
	} cases[] = {
		{ "10.1.1.5", 8, "10.1.1.5" },
		{ "db1.eu-west.example", 10, "db1.…ample" },
		{ "db1.eu-west.example", 9, "db1.…mple" },
		{ "京都の表の列", 6, "京…列" },
		{ "abc", 1, "…" },
		{ "", 3, "" },
	};
	char out[64];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		text_clip_middle(out, sizeof(out), cases[i].text, cases[i].cells, "…");
		assert_string_equal(out, cases[i].cut);
	}
}

static void padding(void **state)
{
	char out[64];
	(void)state;
	text_pad(out, sizeof(out), "京", 5, ALIGN_LEFT, "…");
	assert_string_equal(out, "京   ");
	text_pad(out, sizeof(out), "12", 5, ALIGN_RIGHT, "…");
	assert_string_equal(out, "   12");
	text_pad(out, sizeof(out), "京都の", 4, ALIGN_RIGHT, "…");
	assert_string_equal(out, " 京…"); /* a half-fitting character leaves a blank */
}

/* No escape sequence, whatever it is cut to, may reach a terminal. */
static void hostile(void **state)
{
	static const char text[] = "a\x1b]0;title\x07\x1b[2J\t\n\r\x7f\xc2\x9b" "31m\u202e\xf0\x9f";
	char out[256];
	(void)state;
	for (int cells = 0; cells < 80; cells++) {
		assert_true(text_clip(out, sizeof(out), text, cells, "…") <= cells);
		for (const char *p = out; *p; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
		assert_null(strstr(out, "\u202e"));
		assert_null(strstr(out, "\xc2\x9b"));
	}
}

static void wrapping(void **state)
{
	struct strings l = { 0 };
	(void)state;
	text_wrap(&l, "could not copy\npermission denied for table items\n\nabcdefghijkl", 10);
	const char *const expected[] = { "could not", "copy", "permission", "denied for", "table",
		"items", "", "abcdefghij", "kl" };
	assert_int_equal(l.count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < l.count; i++)
		assert_string_equal(l.items[i], expected[i]);
	strings_free(&l);
}

static void hanging_lines(void **state)
{
	struct strings l = { 0 };
	(void)state;
	text_wrap(&l, " · create schema sales\n  two words", 12);
	const char *const expected[] = { " · create", "   schema", "   sales", "  two words" };
	assert_int_equal(l.count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < l.count; i++)
		assert_string_equal(l.items[i], expected[i]);
	strings_free(&l);
}

static void wraps_anything(void **state)
{
	char text[300];
	(void)state;
	for (unsigned seed = 1; seed < 2000; seed++) {
		struct strings l = { 0 };
		srand(seed);
		size_t n = (size_t)rand() % sizeof(text);
		for (size_t i = 0; i + 1 < MAX(n, 1); i++)
			text[i] = (char)(rand() % 255 + 1);
		text[n ? n - 1 : 0] = '\0';
		text_wrap(&l, text, 12);
		for (size_t i = 0; i < l.count; i++)
			assert_true(text_cells(l.items[i]) <= 12);
		strings_free(&l);
	}
}

static void matching(void **state)
{
	(void)state;
	assert_true(text_matches("Sales.Orders", "orders"));
	assert_false(text_matches("sales.orders", "Orders")); /* an upper-case letter means it */
	assert_false(text_matches("sales.orders", "!orders"));
	assert_true(text_matches("sales.items", "!orders"));
	assert_true(text_matches("x", ""));
	assert_true(text_matches("x", "!"));
	assert_int_equal(text_fuzzy("workers", "wx"), 0);
	assert_true(text_fuzzy("pause", "pau") > text_fuzzy("peers a u", "pau"));
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(widths),
		cmocka_unit_test(clipping),
		cmocka_unit_test(cut_in_the_middle),
		cmocka_unit_test(padding),
		cmocka_unit_test(hostile),
		cmocka_unit_test(wrapping),
		cmocka_unit_test(hanging_lines),
		cmocka_unit_test(wraps_anything),
		cmocka_unit_test(matching),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
