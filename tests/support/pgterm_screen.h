// SPDX-License-Identifier: PostgreSQL
/* What stands on a libvterm screen: as text to search, as JSON lines and as JSON cells with colours. */
#ifndef PGTERM_SCREEN_H
#define PGTERM_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

#include <vterm.h>

/* The screen's lines joined by newlines, without trailing blanks. Wide characters once. Caller frees. */
char *screen_text(VTermScreen *screen, int rows, int cols);
/* "lines":[...] and "cells":[[run, ...], ...]: a run is neighbouring cells of one look. */
void screen_print_lines(FILE *out, VTermScreen *screen, int rows, int cols);
void screen_print_cells(FILE *out, VTermScreen *screen, int rows, int cols);
void print_json_text(FILE *out, const char *utf8);

#endif
