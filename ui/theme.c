// SPDX-License-Identifier: PostgreSQL
#include "theme.h"

#include <curses.h>

/* Colours are of the terminal's own palette; -1 is its default. Grey counts as a colour. */
static const struct {
	attr_t mono;
	short color16;
	attr_t attr16;
	short color256;
	attr_t attr256;
} roles[ROLE_COUNT] = {
	[ROLE_TEXT] = { A_NORMAL, -1, A_NORMAL, -1, A_NORMAL },
	[ROLE_DIM] = { A_DIM, -1, A_DIM, 245, A_NORMAL },
	[ROLE_TITLE] = { A_BOLD, -1, A_BOLD, -1, A_BOLD },
	[ROLE_FOCUS] = { A_BOLD, COLOR_CYAN, A_NORMAL, 74, A_NORMAL },
	[ROLE_SELECTION] = { A_REVERSE, -1, A_REVERSE, -1, A_REVERSE },
	[ROLE_OK] = { A_NORMAL, COLOR_GREEN, A_NORMAL, 71, A_NORMAL },
	[ROLE_WARN] = { A_BOLD, COLOR_YELLOW, A_NORMAL, 172, A_NORMAL },
	[ROLE_ERROR] = { A_BOLD, COLOR_RED, A_BOLD, 167, A_BOLD },
	[ROLE_PROGRESS] = { A_NORMAL, COLOR_CYAN, A_NORMAL, 74, A_NORMAL },
	[ROLE_KEY] = { A_BOLD, COLOR_CYAN, A_BOLD, 74, A_BOLD },
};

static const struct {
	const char *utf8, *ascii;
} glyphs[GLYPH_COUNT] = {
#define GLYPH_TEXT(name, utf8, ascii) { utf8, ascii },
	GLYPHS(GLYPH_TEXT)
#undef GLYPH_TEXT
};

static int colors_wanted(enum color_mode mode, bool dumb)
{
	if (mode == COLOR_NEVER || (mode == COLOR_AUTO && dumb))
		return 0;
	if (!has_colors() || start_color() == ERR)
		return 0;
	return COLORS;
}

void theme_init(struct theme *t, enum color_mode mode, bool dumb, bool ascii)
{
	int colors = colors_wanted(mode, dumb);
	short plain = colors > 0 && use_default_colors() == OK ? -1 : COLOR_WHITE;
	t->ascii = ascii;
	for (short r = 0; r < ROLE_COUNT; r++) {
		if (colors < 8) {
			t->attributes[r] = roles[r].mono;
			continue;
		}
		short color = colors >= 256 ? roles[r].color256 : roles[r].color16;
		attr_t attr = colors >= 256 ? roles[r].attr256 : roles[r].attr16;
		if (color >= 0 && init_pair((short)(r + 1), color, plain < 0 ? -1 : COLOR_BLACK) == OK)
			attr |= (attr_t)COLOR_PAIR(r + 1);
		t->attributes[r] = attr;
	}
}

const char *theme_glyph(const struct theme *t, enum glyph g)
{
	return t->ascii ? glyphs[g].ascii : glyphs[g].utf8;
}

const char *theme_spinner(const struct theme *t, int64_t now_us)
{
	static const char *const dots[] = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧" };
	static const char *const lines[] = { "|", "/", "-", "\\", "|", "/", "-", "\\" };
	size_t frame = (size_t)(now_us / 125000) % ARRAY_SIZE(dots);
	return t->ascii ? lines[frame] : dots[frame];
}

const char *theme_height(const struct theme *t, int level)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const signs[] = { "_", ".", ",", "-", "=", "+", "*", "#" };
	level = MIN(MAX(level, 0), 7);
	return t->ascii ? signs[level] : blocks[level];
}
