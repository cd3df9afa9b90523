// SPDX-License-Identifier: PostgreSQL
/* Filling in the files of a runbook: no value breaks out of its place, and patterns keep their
 * meaning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "script/render.h"
#include "script/tables.h"

static void writes(
	void (*write)(struct strbuf *, const char *), const char *text, const char *expected)
{
	struct strbuf b = STRBUF_INIT;
	write(&b, text);
	assert_string_equal(b.text, expected);
	strbuf_free(&b);
}

static void test_words_of_a_shell(void **state)
{
	(void)state;
	writes(render_shell, "", "''");
	writes(render_shell, "a $(b) `c` \\", "'a $(b) `c` \\'");
	writes(render_shell, "it's", "'it'\\''s'");
	writes(render_shell, "東京", "'東京'");
	writes(render_shell, "a\nb'\\", "$'a\\012b\\'\\\\'");
	writes(render_shell, "\033[2J東", "$'\\033[2J\\346\\235\\261'");
	writes(render_shell, "\xff", "$'\\377'");
}

static void test_comments_settings_tables(void **state)
{
	(void)state;
	writes(render_line, "a\nrm -rf /", "a\\nrm -rf /");
	writes(render_conf, "it's \\ \n", "'it''s \\\\ \\012'");
	writes(render_markdown, "", "`-`");
	writes(render_markdown, "a|b", "`a\\|b`");
	writes(render_markdown, "a`b``c", "``` a`b``c ```");
}

static void renders(const char *template, const char *expected)
{
	struct values v = { 0 };
	struct error e = { 0 };
	values_add(&v, "name", "it's");
	values_add(&v, "nothing", NULL);
	values_flag(&v, "on", true);
	values_flag(&v, "off", false);
	char *text = render(template, &v, &e);
	values_free(&v);
	if (!text)
		fail_msg("%s", e.text);
	assert_string_equal(text, expected);
	free(text);
}

static void test_values(void **state)
{
	(void)state;
	renders("", "");
	renders("A={{name|sh}} # {{name|line}}\n", "A='it'\\''s' # it's\n");
	renders("{{nothing|raw}}|{{nothing|sh}}", "|''\n");
	renders("${a} {b} { {\n", "${a} {b} { {\n");
}

static void test_sections(void **state)
{
	(void)state;
	renders("a\n{{#on}}\nb\n{{/on}}\n{{^on}}\nc\n{{/on}}\nd\n", "a\nb\nd\n");
	renders("{{#off}}\na\n{{#on}}\nb\n{{/on}}\nc\n{{/off}}\nd\n", "d\n");
	renders("{{#on}}\n{{#off}}\na\n{{/off}}\nb\n{{/on}}\n", "b\n");
	renders("{{^nothing}}\n{{name|raw}}\n{{/nothing}}\n", "it's\n");
}

static void test_templates_that_are_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *template, *text;
	} cases[] = {
		{ "{{nobody|sh}}", "template: no value for {{nobody|sh}}" },
		{ "{{name}}", "template: no way to write {{name}}" },
		{ "{{name|html}}", "template: no such way to write {{name|html}}" },
		{ "{{#nobody}}", "template: no value for {{#nobody}}" },
		{ "{{/name}}", "template: nothing to end at {{/name}}" },
		{ "{{#name}}\n", "template: a section has no end" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct values v = { 0 };
		struct error e = { 0 };
		values_add(&v, "name", "x");
		assert_null(render(cases[i].template, &v, &e));
		assert_int_equal(e.class, ERROR_BUG);
		assert_string_equal(e.text, cases[i].text);
		values_free(&v);
	}
}

static void test_patterns(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *regex;
	} cases[] = {
		{ "public.*", "^public\\..*$" },
		{ "s.t?", "^s\\.t.$" },
		{ "*.[a-z!]*", "^.*\\.[a-z\\!].*$" },
		{ "[!a^]", "^[^a\\^]$" },
		{ "[]x]", "^[\\]x]$" },
		{ "[a\\]-]", "^[a\\]\\-]$" },
		{ "[a-c-e]", "^[a-c\\-e]$" },
		{ "[z-a0]", "^[0]$" },
		{ "[!z-a][z-a]", "^.(?!.).$" },
		{ "[\\]-\\^]", "^[\\]-\\^]$" },
		{ "[open", "^\\[open$" },
		{ "a\\*b\\", "^a\\*b\\\\$" },
		{ "(x|y)+{2}$", "^\\(x\\|y\\)\\+\\{2\\}\\$$" },
		{ "東[京-都]", "^東[京-都]$" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *regex = tables_regex(cases[i].pattern);
		assert_string_equal(regex, cases[i].regex);
		free(regex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_of_a_shell),
		cmocka_unit_test(test_comments_settings_tables),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_templates_that_are_wrong),
		cmocka_unit_test(test_patterns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
