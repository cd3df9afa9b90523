// SPDX-License-Identifier: PostgreSQL
/* How things look: roles instead of colours, glyphs with an ASCII twin. The only place that names either.
 * No role paints a background but the selection, which is reverse video, so any terminal theme works. */
#ifndef PGPIER_UI_THEME_H
#define PGPIER_UI_THEME_H

#include <pgpier/base.h>

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum role {
	ROLE_TEXT,
	ROLE_DIM,
	ROLE_TITLE,
	ROLE_FOCUS,
	ROLE_SELECTION,
	ROLE_OK,
	ROLE_WARN,
	ROLE_ERROR,
	ROLE_PROGRESS,
	ROLE_KEY,
	ROLE_COUNT,
};

/*       name          UTF-8   ASCII */
#define GLYPHS(X)          \
	X(TOP_LEFT, "┌", "+")     \
	X(TOP_RIGHT, "┐", "+")    \
	X(BOTTOM_LEFT, "└", "+")  \
	X(BOTTOM_RIGHT, "┘", "+") \
	X(HORIZONTAL, "─", "-")   \
	X(VERTICAL, "│", "|")     \
	X(POINTER, "▸", ">")      \
	X(OPEN, "▾", "-")         \
	X(CLOSED, "▸", "+")       \
	X(ACTIVE, "●", "*")       \
	X(IDLE, "○", "o")         \
	X(DONE, "✓", "=")         \
	X(TROUBLE, "!", "!")      \
	X(FULL, "▰", "#")         \
	X(EMPTY, "▱", "-")        \
	X(ELLIPSIS, "…", "~")     \
	X(ARROW, "→", "->")       \
	X(DOT, "·", "-")          \
	X(ENTER, "⏎", "enter")    \
	X(ASCENDING, "▲", "^")    \
	X(DESCENDING, "▼", "v")   \
	X(LESS, "‹", "<")         \
	X(MORE, "›", ">")         \
	X(THUMB, "┃", "#")        \
	X(CRUMB, "›", ">")        \
	X(BLOCK, "█", "#")

enum glyph {
#define GLYPH_ID(name, utf8, ascii) GLYPH_##name,
	GLYPHS(GLYPH_ID)
#undef GLYPH_ID
		GLYPH_COUNT,
};

struct theme {
	unsigned long attributes[ROLE_COUNT]; /* curses attributes with their colour pair */
	bool ascii;
};

/* After the terminal is open. Order of decision: mode, what the terminal can. */
void theme_init(struct theme *t, enum color_mode mode, bool dumb, bool ascii);
const char *theme_glyph(const struct theme *t, enum glyph g);
/* One frame of the spinner, one cell wide; moves 8 times a second. */
const char *theme_spinner(const struct theme *t, int64_t now_us);
/* One of eight heights for a sparkline, level 0..7. */
const char *theme_height(const struct theme *t, int level);

#endif
