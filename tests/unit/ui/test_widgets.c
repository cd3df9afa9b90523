// SPDX-License-Identifier: PostgreSQL
/* The table's order, filter and selection, the form's fields, the line editor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "house.h"
#include "widgets/bars.h"
#include "widgets/form.h"
#include "widgets/table.h"

/* ---- a table of numbers ---- */

struct numbers {
	int values[1000];
	size_t count;
	size_t cells_asked;
};

static size_t count(const void *data)
{
	return ((const struct numbers *)data)->count;
}

static uint64_t identity(const void *data, size_t row)
{
	return (uint64_t)((const struct numbers *)data)->values[row];
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	(void)column;
	snprintf(out->text, sizeof(out->text), "n%d", ((const struct numbers *)data)->values[row]);
	out->role = ROLE_TEXT;
}

static void window(void *data, const size_t *rows, size_t n)
{
	(void)rows;
	((struct numbers *)data)->cells_asked = n;
}

static int compare(const void *data, int column, size_t a, size_t b)
{
	const struct numbers *n = data;
	(void)column;
	return n->values[a] - n->values[b];
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	strbuf_addf(out, "n%d", ((const struct numbers *)data)->values[row]);
}

static const struct column columns[] = { { "NUMBER", 8, 20, ALIGN_RIGHT, 0, false, false } };
static const struct table_source source = {
	.columns = columns,
	.column_count = 1,
	.empty = "none",
	.count = count,
	.identity = identity,
	.cell = cell,
	.compare = compare,
	.words = words,
	.window = window,
};

static int selected_value(const struct table *t)
{
	size_t row = table_selected(t);
	return row == TABLE_NOTHING ? -1 : ((const struct numbers *)t->data)->values[row];
}

static void fill(struct numbers *n, size_t rows)
{
	*n = (struct numbers){ .count = rows };
	for (size_t i = 0; i < rows; i++)
		n->values[i] = (int)((i * 7919) % 100003) + 1;
}

static void type(struct table *t, const char *text)
{
	for (; *text; text++)
		table_input(t, &(struct input){ .kind = INPUT_KEY, .key = *text });
}

static void selection_stays_on_its_row(void **state)
{
	struct numbers *n = malloc(sizeof(*n));
	struct table t;
	(void)state;
	fill(n, 1000);
	table_init(&t, &source, n);
	table_refresh(&t);
	for (int i = 0; i < 5; i++)
		table_act(&t, ACTION_DOWN);
	int value = selected_value(&t);
	t.shown[0] = 8;
	table_act(&t, ACTION_SORT_RIGHT);
	assert_int_equal(selected_value(&t), value);
	table_act(&t, ACTION_FLIP);
	assert_int_equal(selected_value(&t), value);
	memmove(n->values, n->values + 3, (n->count - 3) * sizeof(n->values[0])); /* rows left in front */
	n->count -= 3;
	table_refresh(&t);
	assert_int_equal(selected_value(&t), value);
	table_free(&t);
	free(n);
}

static void order_is_right(void **state)
{
	struct numbers *n = malloc(sizeof(*n));
	struct table t;
	(void)state;
	fill(n, 500);
	table_init(&t, &source, n);
	t.shown[0] = 8;
	table_refresh(&t);
	table_act(&t, ACTION_SORT_RIGHT); /* numbers come largest first */
	for (size_t i = 1; i < t.count; i++)
		assert_true(n->values[t.rows[i - 1]] >= n->values[t.rows[i]]);
	table_act(&t, ACTION_FLIP);
	for (size_t i = 1; i < t.count; i++)
		assert_true(n->values[t.rows[i - 1]] <= n->values[t.rows[i]]);
	table_free(&t);
	free(n);
}

static void filter_and_back(void **state)
{
	struct numbers *n = malloc(sizeof(*n));
	struct table t;
	char note[64];
	(void)state;
	fill(n, 1000);
	table_init(&t, &source, n);
	table_refresh(&t);
	table_act(&t, ACTION_LAST);
	int value = selected_value(&t);
	table_act(&t, ACTION_FILTER);
	assert_true(table_takes_text(&t));
	type(&t, "n77");
	assert_true(t.count > 0 && t.count < 1000);
	for (size_t i = 0; i < t.count; i++) {
		char text[16];
		snprintf(text, sizeof(text), "n%d", n->values[t.rows[i]]);
		assert_non_null(strstr(text, "n77"));
	}
	assert_string_not_equal(table_filter_note(&t, note, sizeof(note)), "");
	table_input(&t, &(struct input){ .kind = INPUT_KEY, .key = KEY_RETURN });
	assert_false(table_takes_text(&t));
	assert_true(table_act(&t, ACTION_BACK)); /* Esc clears the filter first */
	assert_int_equal(t.count, 1000);
	assert_int_equal(selected_value(&t), value); /* and the row is found again */
	assert_false(table_act(&t, ACTION_BACK));
	type(&t, "");
	table_free(&t);
	free(n);
}

static void only_the_window_is_asked_for(void **state)
{
	struct house *h = house_open(80, 24, false);
	struct numbers *n = malloc(sizeof(*n));
	struct table t;
	struct canvas c = { &h->theme, 0, 0, 12, 40 };
	(void)state;
	fill(n, 1000);
	table_init(&t, &source, n);
	table_refresh(&t);
	table_render(&t, &c, true);
	assert_int_equal(n->cells_asked, 11);
	table_act(&t, ACTION_LAST);
	table_render(&t, &c, true);
	assert_int_equal(t.top, 1000 - 11);
	n->count = 0;
	table_refresh(&t);
	table_render(&t, &c, true);
	assert_int_equal(table_selected(&t), TABLE_NOTHING);
	table_act(&t, ACTION_DOWN);
	table_free(&t);
	free(n);
	house_close(h);
}

/* ---- texts that are too long for their column ---- */

enum { WIDE_NAME, WIDE_TEXT, WIDE_LAST, WIDE_COUNT };

static size_t two(const void *data)
{
	(void)data;
	return 2;
}

static uint64_t row_number(const void *data, size_t row)
{
	(void)data;
	return row;
}

/* The first row has a last cell, the second has none. */
static void wide_cell(const void *data, size_t row, int column, struct cell *out)
{
	static const char *const texts[2][WIDE_COUNT] = { { "a", "one part  and  another one", "9" },
		{ "b", "one part  and  another one", "" } };
	(void)data;
	copy_text(out->text, sizeof(out->text), texts[row][column]);
	out->role = ROLE_TEXT;
}

static const struct column wide_columns[WIDE_COUNT] = {
	[WIDE_NAME] = { "N", 3, 3, ALIGN_LEFT, 0, false, false },
	[WIDE_TEXT] = { "TEXT", 15, 15, ALIGN_LEFT, 0, false, false, table_shorten_parts },
	[WIDE_LAST] = { "LAST", 5, 5, ALIGN_RIGHT, 0, false, false },
};
static const struct table_source wide_source = {
	.columns = wide_columns,
	.column_count = WIDE_COUNT,
	.count = two,
	.identity = row_number,
	.cell = wide_cell,
};

static void long_texts(void **state)
{
	struct house *h = house_open(80, 24, false);
	struct canvas c = { &h->theme, 4, 10, 5, 40 };
	struct table t;
	char line[400];
	(void)state;
	table_init(&t, &wide_source, NULL);
	table_refresh(&t);
	house_draw(h);
	canvas_clear(&c);
	table_render(&t, &c, false);
	house_read(h, line, sizeof(line), 5);
	assert_non_null(strstr(line, "a    one part  and        9")); /* whole parts, no half of one */
	house_read(h, line, sizeof(line), 6);
	assert_non_null(strstr(line, "b    one part  and  another one")); /* over what is empty, to the edge */
	table_free(&t);
	house_close(h);
}

/* ---- the form ---- */

enum { F_NAME, F_PORT, F_MODE, F_FOLD, F_HIDDEN, F_OK, F_COUNT };
static const char *const modes[] = { "auto", "ntile", "ctid" };
static const struct field fields[F_COUNT] = {
	[F_NAME] = { FIELD_TEXT, "Name" },
	[F_PORT] = { FIELD_NUMBER, "Port", NULL, "5432", 1, 65535 },
	[F_MODE] = { FIELD_CHOICE, "Mode", NULL, NULL, 0, 0, modes, 3 },
	[F_FOLD] = { FIELD_FOLD, "More" },
	[F_HIDDEN] = { FIELD_NUMBER, "Deep", NULL, NULL, 5, 9 },
	[F_OK] = { FIELD_BUTTON, "OK" },
};

static void check(void *data, struct form *f, int field)
{
	(void)data;
	if (field == F_NAME && *form_text(f, F_NAME) == '\0')
		copy_text(f->fields[F_NAME].error, sizeof(f->fields[F_NAME].error), "missing");
}

static void key(struct form *f, int k)
{
	form_input(f, &(struct input){ .kind = INPUT_KEY, .key = k });
}

static void wrong_fields_are_said_and_left(void **state)
{
	struct form f;
	(void)state;
	form_init(&f, fields, F_COUNT, NULL, check);
	form_act(&f, ACTION_NEXT);
	assert_string_equal(f.fields[F_NAME].error, "missing");
	assert_int_equal(f.focus, F_PORT); /* nobody is held back */
	key(&f, '7');
	key(&f, 'x');
	form_act(&f, ACTION_NEXT);
	assert_non_null(strstr(f.fields[F_PORT].error, "65535"));
	assert_false(form_valid(&f));
	assert_int_equal(f.focus, F_NAME);
	key(&f, 'a');
	form_act(&f, ACTION_NEXT);
	key(&f, KEY_RUBOUT);
	assert_true(form_valid(&f));
	assert_int_equal(form_number(&f, F_PORT, 5432), 7);
	form_free(&f);
}

static void folded_fields_are_not_reached_but_checked(void **state)
{
	struct form f;
	(void)state;
	form_init(&f, fields, F_COUNT, NULL, check);
	form_set_text(&f, F_NAME, "a");
	form_set_text(&f, F_HIDDEN, "77");
	f.focus = F_FOLD;
	form_act(&f, ACTION_NEXT);
	assert_int_equal(f.focus, F_OK);
	assert_false(form_valid(&f));
	assert_true(f.fields[F_FOLD].on); /* what is wrong is shown */
	assert_int_equal(f.focus, F_HIDDEN);
	form_free(&f);
}

static void choices_turn_and_are_typed(void **state)
{
	struct form f;
	(void)state;
	form_init(&f, fields, F_COUNT, NULL, NULL);
	f.focus = F_MODE;
	key(&f, KEY_ARROW_LEFT);
	assert_int_equal(f.fields[F_MODE].choice, 2);
	key(&f, ' ');
	assert_int_equal(f.fields[F_MODE].choice, 0);
	key(&f, 'n');
	assert_int_equal(f.fields[F_MODE].choice, 1);
	assert_true(f.changed);
	f.focus = F_OK;
	form_act(&f, ACTION_OPEN);
	assert_int_equal(form_take_pressed(&f), F_OK);
	assert_int_equal(form_take_pressed(&f), -1);
	form_free(&f);
}

/* ---- the line editor ---- */

static void editing_by_characters(void **state)
{
	struct edit e = { 0 };
	(void)state;
	edit_input(&e, &(struct input){ .kind = INPUT_PASTE, .text = "  a京e\u0301\n" });
	assert_string_equal(edit_text(&e), "a京e\u0301");
	edit_input(&e, &(struct input){ .kind = INPUT_KEY, .key = KEY_RUBOUT });
	assert_string_equal(edit_text(&e), "a京"); /* the mark goes with its letter */
	edit_input(&e, &(struct input){ .kind = INPUT_KEY, .key = KEY_ARROW_LEFT });
	edit_input(&e, &(struct input){ .kind = INPUT_KEY, .key = 0xE9 });
	assert_string_equal(edit_text(&e), "aé京");
	edit_input(&e, &(struct input){ .kind = INPUT_KEY, .key = KEY_CTRL('u') });
	assert_string_equal(edit_text(&e), "京");
	assert_false(edit_input(&e, &(struct input){ .kind = INPUT_KEY, .key = KEY_TABULATOR }));
	edit_free(&e);
}

static void a_huge_paste_is_cut(void **state)
{
	struct house *h = house_open(80, 24, false);
	struct canvas c = { &h->theme, 0, 0, 3, 40 };
	char *text = malloc((1 << 20) + 1);
	struct edit e = { 0 };
	(void)state;
	memset(text, 'x', 1 << 20);
	memcpy(text + 10, "\033[2J\n\t", 6);
	text[1 << 20] = '\0';
	edit_input(&e, &(struct input){ .kind = INPUT_PASTE, .text = text });
	assert_true(strlen(edit_text(&e)) <= EDIT_MAX);
	assert_null(strchr(edit_text(&e), '\033'));
	assert_null(strchr(edit_text(&e), '\n'));
	edit_render(&e, &c, 0, 0, 40, true, NULL);
	edit_free(&e);
	free(text);
	house_close(h);
}

static void never_full_before_the_end(void **state)
{
	char text[32];
	struct theme t = { .ascii = true };
	(void)state;
	assert_string_equal(percent_text(0.9999999, text, sizeof(text)), "99.9%");
	assert_string_equal(percent_text(1, text, sizeof(text)), "100%");
	assert_string_equal(percent_text(0.649, text, sizeof(text)), "64%");
	assert_string_equal(percent_text(-1, text, sizeof(text)), "0%");
	progress_text(&t, 4, 0.9999, text, sizeof(text));
	assert_string_equal(text, "###-");
	progress_text(&t, 4, 1, text, sizeof(text));
	assert_string_equal(text, "####");
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_texts),
		cmocka_unit_test(selection_stays_on_its_row),
		cmocka_unit_test(order_is_right),
		cmocka_unit_test(filter_and_back),
		cmocka_unit_test(only_the_window_is_asked_for),
		cmocka_unit_test(wrong_fields_are_said_and_left),
		cmocka_unit_test(folded_fields_are_not_reached_but_checked),
		cmocka_unit_test(choices_turn_and_are_typed),
		cmocka_unit_test(editing_by_characters),
		cmocka_unit_test(a_huge_paste_is_cut),
		cmocka_unit_test(never_full_before_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
