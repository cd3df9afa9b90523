// SPDX-License-Identifier: PostgreSQL
/* The console without a terminal: draws on a curses screen that goes nowhere, and reads its cells back. */
#ifndef TESTS_HOUSE_H
#define TESTS_HOUSE_H

#include "stage.h"
#include "ui.h"

struct house {
	struct engine *engine;
	struct theme theme;
	struct ui ui;
	int rows, cols;
	char *text; /* of the last frame, a line a row */
};

struct house *house_open(int cols, int rows, bool ascii);
void house_close(struct house *h);
void house_resize(struct house *h, int cols, int rows);
/* Presses keys by their names, separated by spaces: "n tab ^s". */
void house_press(struct house *h, const char *keys);
void house_type(struct house *h, const char *text); /* character by character */
void house_paste(struct house *h, const char *text);
void house_click(struct house *h, enum input_kind kind, int y, int x);
const char *house_draw(struct house *h);
/* A row as it stands on the screen now, without drawing it anew. */
void house_read(const struct house *h, char *buf, size_t size, int row);
bool house_sees(struct house *h, const char *what);
/* The line that holds `what`; NULL when none does. Valid until the next frame. */
const char *house_line(struct house *h, const char *what, char *buf, size_t size);

#define assert_sees(h, what)                                       \
	do {                                                           \
		if (!house_sees((h), (what)))                              \
			fail_msg("\"%s\" is not on\n%s", (what), (h)->text);   \
	} while (0)
#define assert_not_sees(h, what)                                   \
	do {                                                           \
		if (house_sees((h), (what)))                               \
			fail_msg("\"%s\" is on\n%s", (what), (h)->text);       \
	} while (0)

#endif
