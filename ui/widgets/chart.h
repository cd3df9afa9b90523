// SPDX-License-Identifier: PostgreSQL
/* A measured value of the last seconds with its scale: the highest value at the top, 0 at the bottom, and how long
 * ago it began. */
#ifndef PGPIER_WIDGETS_CHART_H
#define PGPIER_WIDGETS_CHART_H

#include "canvas.h"

#include <pgpier/format.h>

struct chart {
	const char *title;
	enum role role;
	const double *values; /* one a second, oldest first; negative ones are unknown */
	size_t count;
	const char *(*format)(double value, char buf[FORMAT_SIZE]);
};

/* On all of c: four rows or more have the title above and the time below; fewer have both beside. Nothing is drawn
 * while no value is above 0. */
void chart_render(const struct chart *t, const struct canvas *c);

#endif
