// SPDX-License-Identifier: PostgreSQL
/* A clock that can be read from the other end of the room. */
#ifndef PGPIER_WIDGETS_CLOCK_H
#define PGPIER_WIDGETS_CLOCK_H

#include "canvas.h"

#include <pgpier/format.h>

#define CLOCK_ROWS 5

/* "0:07.4", "12:03.0", "1:02:03" */
const char *clock_text(double seconds, char buf[FORMAT_SIZE]);
/* Digits, colons and points; broad ones take two columns where others take one. Returns the column after it. */
int clock_render(const struct canvas *c, int y, int x, enum role role, const char *text, bool broad);

#endif
