// SPDX-License-Identifier: PostgreSQL
#include "widgets/sparkline.h"

#include <string.h>

#define STEPS 8 /* of a cell */

/* The glyph of a column in a row counted from the bottom; NULL above its top. A value that is known shows
 * at least the lowest step. */
static const char *piece(const struct theme *t, int height, int row)
{
	int left = height - row * STEPS;
	if (left <= 0 && row > 0)
		return NULL;
	return theme_height(t, left - 1);
}

/* The highest of the values that column i of n shows; negative when none is known. */
static double column_value(const double *values, size_t count, size_t i, size_t n)
{
	double highest = -1;
	for (size_t k = i * count / n; k < (i + 1) * count / n; k++)
		highest = MAX(highest, values[k]);
	return highest;
}

double sparkline_highest(const double *values, size_t count)
{
	double highest = 0;
	for (size_t i = 0; i < count; i++)
		highest = MAX(highest, values[i]);
	return highest;
}

void sparkline_render(const struct canvas *c, enum role role, const double *values, size_t count)
{
	size_t n = MIN(count, (size_t)MAX(c->cols, 0));
	double top = sparkline_highest(values, count);
	for (size_t i = 0; i < n && top > 0; i++) {
		double value = column_value(values, count, i, n);
		int height = (int)(value / top * (c->rows * STEPS - 0.01)) + 1;
		for (int row = 0; row < c->rows && value >= 0; row++) {
			const char *glyph = piece(c->theme, height, row);
			if (glyph)
				canvas_add(c, c->rows - 1 - row, (int)i, role, glyph);
		}
	}
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
	struct canvas line = canvas_part(c, y, x, 1, cells);
	sparkline_render(&line, ROLE_PROGRESS, s->values, s->count);
}
