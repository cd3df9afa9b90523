// SPDX-License-Identifier: PostgreSQL
#include "widgets/chart.h"

#include "widgets/sparkline.h"

#include <stdio.h>
#include <string.h>

#define TALL 4 /* rows */
#define NOW "now"

/* "4m 10s ago      now" under the n columns of values. */
static void render_time(const struct canvas *c, int y, int x, int n, const char *span)
{
	int end = canvas_addf(c, y, x, ROLE_DIM, "%s ago", span);
	int now = x + n - (int)strlen(NOW);
	if (now > end)
		canvas_add(c, y, now, ROLE_DIM, NOW);
}

/* The values and, left of them, what their top and their bottom stand for. Returns the column of the first value. */
static int render_plot(const struct chart *t, const struct canvas *c, int right, const char *top)
{
	int scale = text_width(top), x = scale + 1;
	struct canvas plot = canvas_part(c, 0, x, c->rows, c->cols - x - right);
	canvas_put(c, 0, 0, scale, ALIGN_RIGHT, ROLE_DIM, top);
	if (c->rows > 1)
		canvas_put(c, c->rows - 1, 0, scale, ALIGN_RIGHT, ROLE_DIM, "0");
	sparkline_render(&plot, t->role, t->values, t->count);
	return x;
}

void chart_render(const struct chart *t, const struct canvas *c)
{
	char top[FORMAT_SIZE], span[FORMAT_SIZE], beside[64] = "";
	double highest = sparkline_highest(t->values, t->count);
	bool tall = c->rows >= TALL;
	if (highest <= 0)
		return;
	t->format(highest, top);
	format_duration((double)t->count, span);
	if (!tall)
		snprintf(beside, sizeof(beside), "  %s, the last %s", t->title, span);
	struct canvas plot = tall ? canvas_part(c, 1, 0, c->rows - 2, c->cols) : *c;
	int right = text_width(beside), x = render_plot(t, &plot, right, top);
	int n = MIN((int)t->count, c->cols - x - right);
	if (tall) {
		canvas_add(c, 0, x, ROLE_DIM, t->title);
		render_time(c, c->rows - 1, x, n, span);
	} else {
		canvas_add(c, c->rows - 1, x + n, ROLE_DIM, beside);
	}
}
