// SPDX-License-Identifier: PostgreSQL
/* Small pictures of a fraction: a progress bar, a percentage. */
#ifndef PGPIER_WIDGETS_BARS_H
#define PGPIER_WIDGETS_BARS_H

#include "canvas.h"

/* A bar of `cells`; it is full only when fraction is 1. */
void progress_render(const struct canvas *c, int y, int x, int cells, double fraction);
/* The same as text, for a cell of a table. */
void progress_text(const struct theme *t, int cells, double fraction, char *buf, size_t size);
/* "99.9 %": never rounds up to 100 before it is true. */
const char *percent_text(double fraction, char *buf, size_t size);

#endif
