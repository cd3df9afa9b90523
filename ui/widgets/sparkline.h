// SPDX-License-Identifier: PostgreSQL
/* A measured value over time in eighths of a row, so that one row already shows a shape. */
#ifndef PGPIER_WIDGETS_SPARKLINE_H
#define PGPIER_WIDGETS_SPARKLINE_H

#include "canvas.h"

/* All values in all of c, oldest first; more of them than columns share one, which shows the highest of its
 * values. The highest of all fills the height. Negative ones are unknown: a column of only such stays empty.
 * Nothing is drawn while all are 0. */
double sparkline_highest(const double *values, size_t count); /* 0 when none is above */
void sparkline_render(const struct canvas *c, enum role role, const double *values, size_t count);

#define SPARK_SIZE 240
/* The last values of something that is measured once a second. */
struct spark {
	double values[SPARK_SIZE];
	size_t count;
	int64_t sampled_at; /* us of clock_us() */
};
/* Takes a sample if a second went by. */
void spark_sample(struct spark *s, int64_t now_us, double value);
void spark_render(const struct spark *s, const struct canvas *c, int y, int x, int cells);

#endif
