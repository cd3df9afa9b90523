// SPDX-License-Identifier: PostgreSQL
#include "widgets/clock.h"

#include <math.h>
#include <stdio.h>

/* A picture element is a mark in these. */
struct shape {
	char character;
	int width;
	const char *rows[CLOCK_ROWS];
};

static const struct shape shapes[] = {
	{ '0', 3, { "###", "# #", "# #", "# #", "###" } },
	{ '1', 3, { " # ", "## ", " # ", " # ", "###" } },
	{ '2', 3, { "###", "  #", "###", "#  ", "###" } },
	{ '3', 3, { "###", "  #", "###", "  #", "###" } },
	{ '4', 3, { "# #", "# #", "###", "  #", "  #" } },
	{ '5', 3, { "###", "#  ", "###", "  #", "###" } },
	{ '6', 3, { "###", "#  ", "###", "# #", "###" } },
	{ '7', 3, { "###", "  #", "  #", "  #", "  #" } },
	{ '8', 3, { "###", "# #", "###", "# #", "###" } },
	{ '9', 3, { "###", "# #", "###", "  #", "###" } },
	{ ':', 1, { " ", "#", " ", "#", " " } },
	{ '.', 1, { " ", " ", " ", " ", "#" } },
};

const char *clock_text(double seconds, char buf[FORMAT_SIZE])
{
	long tenths = lround(MIN(MAX(seconds, 0), 359999) * 10), s = tenths / 10;
	if (s < 3600)
		snprintf(buf, FORMAT_SIZE, "%ld:%02ld.%ld", s / 60, s % 60, tenths % 10);
	else
		snprintf(buf, FORMAT_SIZE, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
	return buf;
}

static int render_shape(const struct canvas *c, int y, int x, enum role role, const struct shape *s, int scale)
{
	for (int row = 0; row < CLOCK_ROWS; row++)
		for (int i = 0; i < s->width; i++)
			if (s->rows[row][i] == '#')
				canvas_repeat(c, y + row, x + i * scale, scale, role, GLYPH_BLOCK);
	return x + s->width * scale;
}

int clock_render(const struct canvas *c, int y, int x, enum role role, const char *text, bool broad)
{
	int scale = broad ? 2 : 1, end = x;
	for (; *text != '\0'; text++)
		for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
			if (shapes[i].character == *text) {
				end = render_shape(c, y, x, role, &shapes[i], scale);
				x = end + scale;
			}
	return end;
}
