// SPDX-License-Identifier: PostgreSQL
#include "widgets/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2 /* between columns */
#define MARGIN 1 /* on both sides; the pointer at the selected row is in the left one */

uint64_t table_identity(const char *name)
{
	uint64_t h = 0xCBF29CE484222325u;
	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001B3u;
	return h;
}

void table_init(struct table *t, const struct table_source *source, void *data)
{
	*t = (struct table){ .source = source, .data = data, .sort = -1 };
}

void table_free(struct table *t)
{
	free(t->rows);
	edit_free(&t->filter);
	t->rows = NULL;
	t->count = 0;
}

size_t table_selected(const struct table *t)
{
	return t->selected < t->count ? t->rows[t->selected] : TABLE_NOTHING;
}

/* ---- order ---- */

int table_order_text(void (*cell)(const void *data, size_t row, int column, struct cell *out), const void *data,
	int column, size_t a, size_t b)
{
	struct cell left, right;
	cell(data, a, column, &left);
	cell(data, b, column, &right);
	return strcmp(left.text, right.text);
}

static int compare_rows(const void *a, const void *b, void *table)
{
	const struct table *t = table;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = t->source->compare(t->data, t->sort, x, y);
	if (order != 0)
		return t->descending ? -order : order;
	return x < y ? -1 : x > y;
}

static void arrange(struct table *t)
{
	size_t n = t->source->count(t->data);
	const char *what = edit_text(&t->filter);
	struct strbuf words = STRBUF_INIT;
	t->rows = xrealloc(t->rows, n * sizeof(*t->rows));
	t->count = 0;
	for (size_t row = 0; row < n; row++) {
		if (*what != '\0' && t->source->words) {
			strbuf_clear(&words);
			t->source->words(t->data, row, &words);
			if (!text_matches(words.text ? words.text : "", what))
				continue;
		}
		t->rows[t->count++] = row;
	}
	strbuf_free(&words);
	if (t->sort >= 0 && t->source->compare)
		qsort_r(t->rows, t->count, sizeof(*t->rows), compare_rows, t);
}

static void anchor_here(struct table *t)
{
	t->anchored = t->selected < t->count;
	if (t->anchored)
		t->anchor = t->source->identity(t->data, t->rows[t->selected]);
}

/* Puts the selection back on its row, at the same height of the window. A row that has gone leaves
 * the selection where it was. */
static void follow_anchor(struct table *t)
{
	size_t height = t->selected - MIN(t->top, t->selected);
	for (size_t i = 0; t->anchored && i < t->count; i++) {
		if (t->source->identity(t->data, t->rows[i]) == t->anchor) {
			t->selected = i;
			t->top = i - MIN(height, i);
			return;
		}
	}
	t->selected = t->count > 0 ? MIN(t->selected, t->count - 1) : 0;
	if (*edit_text(&t->filter) == '\0')
		anchor_here(t);
}

void table_refresh(struct table *t)
{
	if (t->source->arrange)
		t->source->arrange(t->data, t);
	else
		arrange(t);
	follow_anchor(t);
}

static void move_to(struct table *t, size_t place)
{
	t->selected = t->count > 0 ? MIN(place, t->count - 1) : 0;
	anchor_here(t);
}

bool table_select(struct table *t, uint64_t identity)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->source->identity(t->data, t->rows[i]) != identity)
			continue;
		move_to(t, i);
		return true;
	}
	return false;
}

const char *table_filter_note(const struct table *t, char *buf, size_t size)
{
	buf[0] = '\0';
	if (*edit_text(&t->filter) != '\0')
		snprintf(buf, size, "%zu of %zu", t->count - t->heads, t->source->count(t->data));
	return buf;
}

/* ---- keys ---- */

static size_t page_rows(const struct table *t)
{
	return (size_t)MAX(t->drawn.rows, 1);
}

static bool act_move(struct table *t, enum action a)
{
	size_t page = page_rows(t), at = t->selected;
	switch (a) {
	case ACTION_UP:
		move_to(t, at - MIN(at, 1));
		return true;
	case ACTION_DOWN:
		move_to(t, at + 1);
		return true;
	case ACTION_PAGE_UP:
		move_to(t, at - MIN(at, page));
		return true;
	case ACTION_PAGE_DOWN:
		move_to(t, at + page);
		return true;
	case ACTION_FIRST:
		move_to(t, 0);
		return true;
	case ACTION_LAST:
		move_to(t, t->count);
		return true;
	default:
		return false;
	}
}

/* The next visible column in that direction; one step before the first is the rows' own order. */
static void sort_step(struct table *t, int step)
{
	int n = t->source->column_count;
	for (int i = 0; i <= n; i++) {
		t->sort += step;
		if (t->sort < -1)
			t->sort = n - 1;
		else if (t->sort >= n)
			t->sort = -1;
		if (t->sort < 0 || (t->shown[t->sort] > 0 && !t->source->columns[t->sort].fixed))
			break;
	}
	/* Numbers are looked at from the largest. */
	t->descending = t->sort >= 0 && t->source->columns[t->sort].align == ALIGN_RIGHT;
}

static bool act_sort(struct table *t, enum action a)
{
	bool can = t->source->compare || t->source->arrange;
	if (!can || (a != ACTION_SORT_LEFT && a != ACTION_SORT_RIGHT && a != ACTION_FLIP))
		return false;
	if (a == ACTION_FLIP)
		t->descending = !t->descending;
	else
		sort_step(t, a == ACTION_SORT_LEFT ? -1 : 1);
	table_refresh(t);
	return true;
}

bool table_act(struct table *t, enum action a)
{
	if (act_move(t, a) || act_sort(t, a))
		return true;
	bool can_filter = t->source->words || t->source->arrange;
	if (a == ACTION_FILTER && can_filter) {
		t->filtering = true;
		return true;
	}
	if (a == ACTION_BACK && *edit_text(&t->filter) != '\0') {
		edit_set(&t->filter, "");
		table_refresh(t);
		return true;
	}
	return false;
}

bool table_takes_text(const struct table *t)
{
	return t->filtering;
}

bool table_input(struct table *t, const struct input *in)
{
	if (in->kind == INPUT_KEY) {
		if (in->key == KEY_ESCAPE)
			edit_set(&t->filter, "");
		if (in->key == KEY_ESCAPE || in->key == KEY_RETURN || in->key == KEY_TABULATOR)
			t->filtering = false;
		if (in->key == KEY_ARROW_UP || in->key == KEY_ARROW_DOWN)
			return act_move(t, in->key == KEY_ARROW_UP ? ACTION_UP : ACTION_DOWN);
	}
	if (t->filtering && !edit_input(&t->filter, in))
		return false;
	table_refresh(t);
	return true;
}

/* ---- mouse ---- */

static void click_header(struct table *t, int x)
{
	int at = t->drawn.x + MARGIN;
	for (int i = 0; i < t->source->column_count; i++) {
		if (t->shown[i] == 0)
			continue;
		if (x >= at && x < at + t->shown[i] && !t->source->columns[i].fixed) {
			t->descending = t->sort == i ? !t->descending
										 : t->source->columns[i].align == ALIGN_RIGHT;
			t->sort = i;
			table_refresh(t);
			return;
		}
		at += t->shown[i] + GAP;
	}
}

bool table_mouse(struct table *t, const struct input *in, bool *opened)
{
	*opened = false;
	if (in->kind == INPUT_WHEEL_UP || in->kind == INPUT_WHEEL_DOWN) {
		for (int i = 0; i < 3; i++)
			act_move(t, in->kind == INPUT_WHEEL_UP ? ACTION_UP : ACTION_DOWN);
		return true;
	}
	if (in->kind != INPUT_CLICK && in->kind != INPUT_DOUBLE_CLICK)
		return false;
	bool can_sort = t->source->compare || t->source->arrange;
	if (in->y == t->drawn.y - 1 && can_sort) {
		click_header(t, in->x);
		return true;
	}
	if (!canvas_hit(&t->drawn, in->y, in->x))
		return false;
	size_t place = t->top + (size_t)(in->y - t->drawn.y);
	if (place < t->count) {
		move_to(t, place);
		*opened = in->kind == INPUT_DOUBLE_CLICK;
	}
	return true;
}

/* ---- drawing ---- */

static int clamp_width(const struct column *c, int seen)
{
	return MIN(MAX(seen, c->min), c->max);
}

static int sum_widths(const int *widths, int n)
{
	int sum = MARGIN;
	for (int i = 0; i < n; i++)
		sum += widths[i] > 0 ? widths[i] + GAP : 0;
	return sum - GAP;
}

/* The column that can best spare a cell: of those above their least, the widest. */
static int widest(const struct table *t, const int *widths)
{
	int found = -1;
	for (int i = 0; i < t->source->column_count; i++)
		if (widths[i] > t->source->columns[i].min && (found < 0 || widths[i] >= widths[found]))
			found = i;
	return found;
}

/* Narrower than wished: first columns shrink to their least, then they leave. */
static void shrink(const struct table *t, int *widths, int room)
{
	int n = t->source->column_count, spare;
	while (sum_widths(widths, n) > room && (spare = widest(t, widths)) >= 0)
		widths[spare]--;
	while (sum_widths(widths, n) > room) {
		int leaves = -1;
		for (int i = 0; i < n; i++)
			if (widths[i] > 0 && t->source->columns[i].rank > 0 &&
				(leaves < 0 || t->source->columns[i].rank >= t->source->columns[leaves].rank))
				leaves = i;
		if (leaves < 0)
			return;
		widths[leaves] = 0;
	}
}

static void lay_out(struct table *t, int room)
{
	int n = t->source->column_count, least = 0;
	/* What leaves at this width leaves first, so that the others needn't shrink for it. */
	for (int i = 0; i < n; i++)
		t->shown[i] = t->source->columns[i].min;
	shrink(t, t->shown, room);
	for (int i = 0; i < n; i++)
		if (t->shown[i] > 0)
			t->shown[i] = clamp_width(&t->source->columns[i], t->seen[i]);
	shrink(t, t->shown, room);
	least = sum_widths(t->shown, n);
	for (int i = 0; i < n && least < room; i++) {
		if (t->shown[i] > 0 && t->source->columns[i].grows) {
			t->shown[i] += room - least;
			return;
		}
	}
}

static void render_header(const struct table *t, const struct canvas *c)
{
	int x = MARGIN;
	for (int i = 0; i < t->source->column_count; i++) {
		if (t->shown[i] == 0)
			continue;
		char title[64];
		const char *mark = theme_glyph(c->theme, t->descending ? GLYPH_DESCENDING : GLYPH_ASCENDING);
		bool sorted = i == t->sort;
		snprintf(title, sizeof(title), "%s%s", t->source->columns[i].title, sorted ? mark : "");
		canvas_put(c, 0, x, t->shown[i], t->source->columns[i].align,
			sorted ? ROLE_TITLE : ROLE_DIM, title);
		x += t->shown[i] + GAP;
	}
}

/* Where a text runs to: over the cells after it that are empty; at the end of a row to the edge. *next is
 * the first column that is not covered. */
static int run_over(const struct table *t, const struct cell *cells, int column, int room, int *next)
{
	int n = t->source->column_count, cells_wide = t->shown[column];
	*next = column + 1;
	if (t->source->columns[column].align != ALIGN_LEFT)
		return cells_wide;
	while (*next < n && (t->shown[*next] == 0 || cells[*next].text[0] == '\0')) {
		cells_wide += t->shown[*next] > 0 ? GAP + t->shown[*next] : 0;
		++*next;
	}
	return *next == n ? room : cells_wide;
}

void table_shorten_parts(char *text, size_t size, int cells, const char *ellipsis)
{
	char *at = text + strlen(text);
	(void)size;
	(void)ellipsis;
	while (text_width(text) > cells) {
		do {
			at -= at > text;
		} while (at > text && (at[0] != ' ' || at[-1] != ' '));
		if (at == text)
			return;
		at[-1] = '\0';
	}
}

static void render_row(
	const struct table *t, const struct canvas *c, int y, struct cell *cells, bool selected)
{
	int x = MARGIN;
	if (selected) {
		canvas_put(c, y, 0, c->cols, ALIGN_LEFT, ROLE_SELECTION, "");
		canvas_add(c, y, 0, ROLE_SELECTION, theme_glyph(c->theme, GLYPH_POINTER));
	}
	for (int i = 0, next; i < t->source->column_count; i = next) {
		next = i + 1;
		if (t->shown[i] == 0)
			continue;
		int wide = run_over(t, cells, i, c->cols - MARGIN - x, &next);
		if (t->source->columns[i].shorten && text_width(cells[i].text) > wide)
			t->source->columns[i].shorten(cells[i].text, sizeof(cells[i].text), wide,
				theme_glyph(c->theme, GLYPH_ELLIPSIS));
		canvas_put(c, y, x, wide, t->source->columns[i].align, selected ? ROLE_SELECTION : cells[i].role,
			cells[i].text);
		x += wide + GAP;
	}
}

static void scroll_to_selected(struct table *t, size_t page)
{
	if (t->selected < t->top)
		t->top = t->selected;
	if (page > 0 && t->selected >= t->top + page)
		t->top = t->selected - page + 1;
	if (t->top + page > t->count)
		t->top = t->count > page ? t->count - page : 0;
}

/* Cells of the n rows from top; remembers how wide they are. */
static struct cell *fetch_cells(struct table *t, size_t n)
{
	int columns = t->source->column_count;
	struct cell *cells = xcalloc(n * (size_t)columns, sizeof(*cells));
	if (t->source->window)
		t->source->window(t->data, t->rows + t->top, n);
	for (size_t i = 0; i < n; i++) {
		for (int col = 0; col < columns; col++) {
			struct cell *cell = &cells[i * (size_t)columns + (size_t)col];
			t->source->cell(t->data, t->rows[t->top + i], col, cell);
			t->seen[col] = MAX(t->seen[col], text_width(cell->text));
		}
	}
	return cells;
}

static void forget_widths(struct table *t, int cols)
{
	if (t->seen_cols == cols)
		return;
	t->seen_cols = cols;
	for (int i = 0; i < t->source->column_count; i++)
		t->seen[i] = text_width(t->source->columns[i].title) + 1;
}

static void render_filter(const struct table *t, const struct canvas *c)
{
	int y = c->rows - 1;
	char note[64];
	canvas_add(c, y, 0, ROLE_KEY, "/");
	edit_render(&t->filter, c, y, 1, c->cols - 24, t->filtering, "type to filter");
	canvas_put(c, y, c->cols - 22, 22, ALIGN_RIGHT, ROLE_DIM,
		table_filter_note(t, note, sizeof(note)));
}

void table_render(struct table *t, const struct canvas *c, bool focused)
{
	bool filter = t->filtering || *edit_text(&t->filter) != '\0';
	t->drawn = canvas_part(c, 1, 0, c->rows - 1 - filter, c->cols);
	size_t page = (size_t)t->drawn.rows;
	scroll_to_selected(t, page);
	size_t n = MIN(page, t->count - MIN(t->top, t->count));
	forget_widths(t, c->cols);
	struct cell *cells = fetch_cells(t, n);
	lay_out(t, c->cols - MARGIN);
	render_header(t, c);
	for (size_t i = 0; i < n; i++)
		render_row(t, &t->drawn, (int)i, cells + i * (size_t)t->source->column_count,
			focused && t->top + i == t->selected);
	free(cells);
	if (t->count == 0)
		canvas_add(&t->drawn, 0, 2, ROLE_DIM,
			filter ? "nothing matches the filter; Esc clears it" : t->source->empty);
	if (filter)
		render_filter(t, c);
}
