// SPDX-License-Identifier: PostgreSQL
/* A rectangle of the screen to draw on: the only way by which panes and widgets reach curses. Everything is
 * clipped to the rectangle, and every text is sanitised, so a name from a server can't leave its cell. */
#ifndef PGPIER_UI_CANVAS_H
#define PGPIER_UI_CANVAS_H

#include "text.h"
#include "theme.h"

struct canvas {
	const struct theme *theme;
	int y, x; /* on the screen */
	int rows, cols;
};

/* The part of c at (y, x), cut to what c has. */
struct canvas canvas_part(const struct canvas *c, int y, int x, int rows, int cols);
bool canvas_hit(const struct canvas *c, int y, int x); /* screen coordinates */

/* Draws text into at most `cells` at (y, x), the rest of them blank. */
void canvas_put(const struct canvas *c, int y, int x, int cells, enum align align, enum role role,
	const char *text);
/* Draws what fits up to the right edge; returns the column after it. */
int canvas_add(const struct canvas *c, int y, int x, enum role role, const char *text);
int canvas_addf(const struct canvas *c, int y, int x, enum role role, const char *fmt, ...)
	PG_PRINTF(5, 6);
void canvas_repeat(const struct canvas *c, int y, int x, int n, enum role role, enum glyph g);
void canvas_clear(const struct canvas *c);
/* Shows the terminal's cursor there when the frame is done. */
void canvas_cursor(const struct canvas *c, int y, int x);

/* A frame with texts in its lines, any of which may be NULL; returns what is inside. */
struct canvas canvas_box(const struct canvas *c, enum role role, const char *title,
	const char *top_right, const char *bottom);
/* A mark on the right edge that says which part of `total` rows is seen. Nothing when all are. */
void canvas_scrollbar(const struct canvas *box, size_t top, size_t page, size_t total);

#endif
