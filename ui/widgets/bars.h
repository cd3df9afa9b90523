// SPDX-License-Identifier: PostgreSQL
/* Small pictures of numbers: a progress bar and a sparkline. */
#ifndef PGPIER_WIDGETS_BARS_H
#define PGPIER_WIDGETS_BARS_H

#include "canvas.h"

/* A bar of `cells`; it is full only when fraction is 1. */
void progress_render(const struct canvas *c, int y, int x, int cells, double fraction);
/* The same as text, for a cell of a table. */
void progress_text(const struct theme *t, int cells, double fraction, char *buf, size_t size);
/* "99.9 %": never rounds up to 100 before it is true. */
const char *percent_text(double fraction, char *buf, size_t size);

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
