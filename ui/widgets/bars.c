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

void spark_sample(struct spark *s, int64_t now_us, double value)
{
	if (s->count > 0 && now_us - s->sampled_at < 1000000)
		return;
	if (s->count == SPARK_SIZE) {
		memmove(s->values, s->values + 1, sizeof(s->values) - sizeof(s->values[0]));
		s->count--;
	}
	s->values[s->count++] = value;
	s->sampled_at = now_us;
}

void spark_render(const struct spark *s, const struct canvas *c, int y, int x, int cells)
{
	size_t n = MIN(s->count, (size_t)MAX(cells, 0));
	double top = 0;
	for (size_t i = s->count - n; i < s->count; i++)
		top = MAX(top, s->values[i]);
	for (size_t i = 0; i < n && top > 0; i++) {
		double part = s->values[s->count - n + i] / top;
		canvas_add(c, y, x + (int)i, ROLE_PROGRESS, theme_height(c->theme, (int)(part * 7.99)));
	}
}
