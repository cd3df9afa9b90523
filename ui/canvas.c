// SPDX-License-Identifier: PostgreSQL
#include "canvas.h"

#include <curses.h>
#include <stdio.h>

struct canvas canvas_part(const struct canvas *c, int y, int x, int rows, int cols)
{
	y = MIN(MAX(y, 0), c->rows);
	x = MIN(MAX(x, 0), c->cols);
	return (struct canvas){
		.theme = c->theme,
		.y = c->y + y,
		.x = c->x + x,
		.rows = MAX(0, MIN(rows, c->rows - y)),
		.cols = MAX(0, MIN(cols, c->cols - x)),
	};
}

bool canvas_hit(const struct canvas *c, int y, int x)
{
	return y >= c->y && y < c->y + c->rows && x >= c->x && x < c->x + c->cols;
}

/* `text` is clean and fits. */
static void draw(const struct canvas *c, int y, int x, enum role role, const char *text)
{
	wchar_t wide[TEXT_SIZE];
	int n = 0;
	while (*text != '\0' && n < TEXT_SIZE - 1)
		text += text_decode(text, &wide[n++]);
	wattrset(stdscr, (int)c->theme->attributes[role]);
	mvwaddnwstr(stdscr, c->y + y, c->x + x, wide, n);
	wattrset(stdscr, A_NORMAL);
}

void canvas_put(const struct canvas *c, int y, int x, int cells, enum align align, enum role role,
	const char *text)
{
	char line[TEXT_SIZE];
	cells = MIN(cells, c->cols - x);
	if (y < 0 || y >= c->rows || x < 0 || cells <= 0)
		return;
	text_pad(line, sizeof(line), text, cells, align, theme_glyph(c->theme, GLYPH_ELLIPSIS));
	draw(c, y, x, role, line);
}

int canvas_add(const struct canvas *c, int y, int x, enum role role, const char *text)
{
	char line[TEXT_SIZE];
	if (y < 0 || y >= c->rows || x < 0 || x >= c->cols)
		return x;
	int used = text_clip(
		line, sizeof(line), text, c->cols - x, theme_glyph(c->theme, GLYPH_ELLIPSIS));
	draw(c, y, x, role, line);
	return x + used;
}

int canvas_addf(const struct canvas *c, int y, int x, enum role role, const char *fmt, ...)
{
	char line[TEXT_SIZE];
	va_list args;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	return canvas_add(c, y, x, role, line);
}

void canvas_repeat(const struct canvas *c, int y, int x, int n, enum role role, enum glyph g)
{
	for (int i = 0; i < n && x + i < c->cols; i++)
		canvas_add(c, y, x + i, role, theme_glyph(c->theme, g));
}

void canvas_clear(const struct canvas *c)
{
	for (int y = 0; y < c->rows; y++)
		canvas_put(c, y, 0, c->cols, ALIGN_LEFT, ROLE_TEXT, "");
}

void canvas_cursor(const struct canvas *c, int y, int x)
{
	if (y >= 0 && y < c->rows && x >= 0 && x < c->cols) {
		curs_set(1);
		wmove(stdscr, c->y + y, c->x + x);
	}
}

static void corner(const struct canvas *c, int y, int x, enum role role, enum glyph g)
{
	canvas_add(c, y, x, role, theme_glyph(c->theme, g));
}

/* A text within the line y of the frame, with a space on both sides. */
static void inscribe(const struct canvas *c, int y, int x, int cells, enum role role, const char *text)
{
	int width = MIN(text_width(text), cells);
	if (width <= 0)
		return;
	canvas_put(c, y, x, 1, ALIGN_LEFT, role, "");
	canvas_put(c, y, x + 1, width, ALIGN_LEFT, role, text);
	canvas_put(c, y, x + 1 + width, 1, ALIGN_LEFT, role, "");
}

struct canvas canvas_box(const struct canvas *c, enum role role, const char *title,
	const char *top_right, const char *bottom)
{
	int last = c->rows - 1, right = c->cols - 1;
	canvas_repeat(c, 0, 1, right - 1, role, GLYPH_HORIZONTAL);
	canvas_repeat(c, last, 1, right - 1, role, GLYPH_HORIZONTAL);
	for (int y = 1; y < last; y++) {
		corner(c, y, 0, role, GLYPH_VERTICAL);
		corner(c, y, right, role, GLYPH_VERTICAL);
	}
	corner(c, 0, 0, role, GLYPH_TOP_LEFT);
	corner(c, 0, right, role, GLYPH_TOP_RIGHT);
	corner(c, last, 0, role, GLYPH_BOTTOM_LEFT);
	corner(c, last, right, role, GLYPH_BOTTOM_RIGHT);
	int noted = top_right && *top_right ? MIN(text_width(top_right), c->cols / 2) : 0;
	if (title)
		inscribe(c, 0, 1, c->cols - 6 - noted, ROLE_TITLE, title);
	if (noted)
		inscribe(c, 0, right - noted - 3, noted, ROLE_TEXT, top_right);
	if (bottom && *bottom)
		inscribe(c, last, 1, c->cols - 6, ROLE_TEXT, bottom);
	return canvas_part(c, 1, 1, c->rows - 2, c->cols - 2);
}

void canvas_scrollbar(const struct canvas *box, size_t top, size_t page, size_t total)
{
	size_t track = (size_t)MAX(box->rows - 2, 0);
	if (total <= page || track == 0)
		return;
	size_t size = MAX(track * page / total, 1);
	size_t from = top + page >= total ? track - size : (track - size) * top / (total - page);
	for (size_t i = 0; i < size; i++)
		corner(box, 1 + (int)(from + i), box->cols - 1, ROLE_FOCUS, GLYPH_THUMB);
}
