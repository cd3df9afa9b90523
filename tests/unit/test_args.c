// SPDX-License-Identifier: PostgreSQL
/* The command line as people and scripts type it: what is accepted, and what a slip is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/suggest.h"
#include "cli/verbs.h"

#define MOST_WORDS 12

/* Splits a line at its spaces and parses it. What args point to lives until the next call. */
static bool parse(struct args *a, struct error *e, const char *line)
{
	static char text[512];
	char *argv[MOST_WORDS] = { NULL };
	int argc = 0;
	char *rest = NULL;
	copy_text(text, sizeof(text), line);
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	*e = (struct error){ 0 };
	return args_parse(a, argc, argv, e);
}

static void accepts(struct args *a, const char *line)
{
	struct error e;
	if (!parse(a, &e, line))
		fail_msg("%s: %s", line, e.text);
}

static void refuses(const char *line, const char *text, const char *next)
{
	struct args a;
	struct error e;
	if (parse(&a, &e, line))
		fail_msg("accepted: %s", line);
	assert_int_equal(e.class, ERROR_USAGE);
	assert_string_equal(e.text, text);
	assert_string_equal(e.next, next);
}

static void test_no_verb_is_the_console(void **state)
{
	(void)state;
	struct args a;
	accepts(&a, "pgpier --ascii --color=never --no-mouse");
	assert_null(a.verb);
	assert_non_null(a.given[OPTION_ASCII]);
	assert_string_equal(a.given[OPTION_COLOR], "never");
	assert_non_null(a.given[OPTION_NO_MOUSE]);
	assert_null(a.given[OPTION_READONLY]);
}

static void test_options_stand_anywhere(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"pgpier --config c.conf run shop --json --until loaded",
		"pgpier run --json --until=loaded --config=c.conf shop",
		"pgpier run --config c.conf --json --until loaded -- shop",
	};
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct args a;
		accepts(&a, lines[i]);
		assert_string_equal(a.verb->name, "run");
		assert_string_equal(a.name, "shop");
		assert_string_equal(a.given[OPTION_CONFIG], "c.conf");
		assert_string_equal(a.given[OPTION_UNTIL], "loaded");
		assert_non_null(a.given[OPTION_JSON]);
	}
}

static void test_verbs_of_two_words(void **state)
{
	(void)state;
	struct args a;
	accepts(&a, "pgpier peer test");
	assert_string_equal(a.verb->name, "peer test");
	assert_null(a.name);
	accepts(&a, "pgpier peer test rds17");
	assert_string_equal(a.name, "rds17");
	refuses("pgpier peer", "peer needs a second word", "did you mean peer list?");
	refuses("pgpier peer tets", "there is no verb \"peer tets\"", "did you mean peer test?");
	refuses("pgpier mirror drop shop", "there is no verb \"mirror drop\"", "see pgpier --help");
}

static void test_verbs_of_two_names(void **state)
{
	(void)state;
	struct args a;
	accepts(&a, "pgpier settings old --script rds17");
	assert_string_equal(a.name, "old");
	assert_string_equal(a.other, "rds17");
	assert_non_null(a.given[OPTION_SCRIPT]);
	accepts(&a, "pgpier run shop");
	assert_null(a.other);
	refuses("pgpier settings", "settings needs two names", "usage: pgpier settings SOURCE TARGET");
	refuses("pgpier settings old", "settings needs two names", "usage: pgpier settings SOURCE TARGET");
	refuses("pgpier settings old new more", "one argument too many: \"more\"", "see pgpier --help");
	refuses("pgpier check shop --script", "check takes no --script", "see pgpier --help");
}

static void test_names_that_look_like_options(void **state)
{
	(void)state;
	struct args a;
	accepts(&a, "pgpier status -- --json");
	assert_string_equal(a.name, "--json");
	assert_null(a.given[OPTION_JSON]);
}

static void test_slips_are_answered(void **state)
{
	(void)state;
	refuses("pgpier stauts", "there is no verb \"stauts\"", "did you mean status?");
	refuses("pgpier ru shop", "there is no verb \"ru\"", "did you mean run?");
	refuses("pgpier frobnicate", "there is no verb \"frobnicate\"", "see pgpier --help");
	refuses("pgpier run shop --jsno", "there is no option --jsno", "did you mean --json?");
	refuses("pgpier -x", "there is no option -x", "see pgpier --help");
}

static void test_verbs_of_a_cutover(void **state)
{
	(void)state;
	struct args a;
	accepts(&a, "pgpier cutover shop --dry-run --json");
	assert_string_equal(a.verb->name, "cutover");
	assert_string_equal(a.name, "shop");
	assert_non_null(a.given[OPTION_DRY_RUN]);
	assert_null(a.given[OPTION_YES_I_MEAN]);
	accepts(&a, "pgpier rollback --yes-i-mean=shop --writers-stopped shop");
	assert_string_equal(a.verb->name, "rollback");
	assert_string_equal(a.given[OPTION_YES_I_MEAN], "shop");
	assert_non_null(a.given[OPTION_WRITERS_STOPPED]);
	accepts(&a, "pgpier cutover shop --undo");
	assert_non_null(a.given[OPTION_UNDO]);
	accepts(&a, "pgpier finish shop --yes-i-mean shop");
	assert_string_equal(a.given[OPTION_YES_I_MEAN], "shop");
	refuses("pgpier cutover", "cutover needs a name", "usage: pgpier cutover MIRROR");
	refuses("pgpier cutover shop --yes", "cutover takes no --yes", "see pgpier --help");
	refuses("pgpier finish shop --undo", "finish takes no --undo", "see pgpier --help");
	refuses("pgpier finish shop --yes-i-mean", "--yes-i-mean needs a value: --yes-i-mean MIRROR", "see pgpier --help");
	refuses("pgpier run shop --dry-run", "run takes no --dry-run", "see pgpier --help");
	refuses("pgpier rolback shop", "there is no verb \"rolback\"", "did you mean rollback?");
}

static void test_operands(void **state)
{
	(void)state;
	refuses("pgpier run", "run needs a name", "usage: pgpier run MIRROR");
	refuses("pgpier run a b", "run: one argument too many: \"b\"", "usage: pgpier run MIRROR");
	refuses("pgpier peer list a", "peer list: one argument too many: \"a\"",
		"usage: pgpier peer list");
	refuses("pgpier peer test a b", "one argument too many: \"b\"", "see pgpier --help");
	refuses("pgpier script shop", "script needs --out DIR", "see pgpier --help");
	refuses("pgpier script shop --out=", "--out needs a value: --out DIR", "see pgpier --help");
	refuses("pgpier run shop --out x", "run takes no --out", "see pgpier --help");
	refuses("pgpier verify shop --level bits", "--level does not take \"bits\"",
		"it takes counts, checksum, sample, full");
	refuses("pgpier mirror list --yes", "mirror list takes no --yes", "see pgpier --help");
}

static void test_values(void **state)
{
	(void)state;
	refuses("pgpier run shop --until verified", "--until does not take \"verified\"",
		"it takes loaded, caught-up");
	refuses("pgpier --config", "--config needs a value: --config FILE", "see pgpier --help");
	refuses("pgpier --config=", "--config needs a value: --config FILE", "see pgpier --help");
	refuses("pgpier --ascii=yes", "--ascii takes no value", "see pgpier --help");
	refuses("pgpier --color=red", "--color does not take \"red\"", "it takes auto, always, never");
	refuses("pgpier --json", "--json needs a verb", "see pgpier --help");
}

static void test_help_needs_nothing_else(void **state)
{
	(void)state;
	struct args a;
	accepts(&a, "pgpier run --help");
	assert_string_equal(a.verb->name, "run");
	accepts(&a, "pgpier -hV");
	assert_non_null(a.given[OPTION_HELP]);
	assert_non_null(a.given[OPTION_VERSION]);
}

/* Narrow enough for every terminal, short enough to be read. */
static void test_help_fits_a_terminal(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size = 0, lines = 0;
	FILE *out = open_memstream(&text, &size);
	help_print(out);
	fclose(out);
	for (const char *line = text; *line != '\0'; lines++) {
		size_t length = strcspn(line, "\n");
		assert_in_range(length, 0, 79);
		line += length + 1;
	}
	assert_in_range(lines, 10, 24);
	for (size_t i = 0; i < verb_count; i++)
		assert_non_null(strstr(text, verbs[i].name));
	free(text);
}

static void test_suggestions_keep_their_distance(void **state)
{
	(void)state;
	struct suggestion near = { .word = "shop-2025" };
	suggest_try(&near, "audit");
	assert_null(near.best);
	suggest_try(&near, "shop-1999");
	assert_null(near.best);
	suggest_try(&near, "shop-2062");
	assert_string_equal(near.best, "shop-2062");
	suggest_try(&near, "shop-2026");
	assert_string_equal(near.best, "shop-2026");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_verb_is_the_console),
		cmocka_unit_test(test_options_stand_anywhere),
		cmocka_unit_test(test_verbs_of_two_words),
		cmocka_unit_test(test_verbs_of_two_names),
		cmocka_unit_test(test_names_that_look_like_options),
		cmocka_unit_test(test_slips_are_answered),
		cmocka_unit_test(test_verbs_of_a_cutover),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_help_needs_nothing_else),
		cmocka_unit_test(test_help_fits_a_terminal),
		cmocka_unit_test(test_suggestions_keep_their_distance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
