// SPDX-License-Identifier: PostgreSQL
#include "widgets/bars.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int full_cells(int cells, double fraction)
{
	if (!(fraction > 0))
		return 0;
	int full = (int)floor(fraction * cells);
	return MIN(full, fraction < 1 ? cells - 1 : cells);
}

void progress_render(const struct canvas *c, int y, int x, int cells, double fraction)
{
	int full = full_cells(cells, fraction);
	canvas_repeat(c, y, x, full, fraction < 1 ? ROLE_PROGRESS : ROLE_OK, GLYPH_FULL);
	canvas_repeat(c, y, x + full, cells - full, ROLE_DIM, GLYPH_EMPTY);
}

void progress_text(const struct theme *t, int cells, double fraction, char *buf, size_t size)
{
	int full = full_cells(cells, fraction);
	buf[0] = '\0';
	for (int i = 0; i < cells; i++) {
		size_t len = strlen(buf);
		copy_text(buf + len, size - len, theme_glyph(t, i < full ? GLYPH_FULL : GLYPH_EMPTY));
	}
}

const char *percent_text(double fraction, char *buf, size_t size)
{
	double percent = fraction < 1 ? floor(fraction * 100) : 100;
	if (fraction >= 0.99 && fraction < 1)
		snprintf(buf, size, "%.1f%%", MIN(floor(fraction * 1000) / 10, 99.9));
	else
		snprintf(buf, size, "%.0f%%", MAX(percent, 0));
	return buf;
}
