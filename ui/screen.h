// SPDX-License-Identifier: PostgreSQL
/* The terminal: taken over, read, and given back whatever happens. One screen at a time in a process; all of
 * it belongs to the thread that opened it, but the fatal-signal handler, which only writes and re-raises. */
#ifndef PGPIER_UI_SCREEN_H
#define PGPIER_UI_SCREEN_H

#include "keys.h"
#include "theme.h"

enum input_kind {
	INPUT_NONE, /* nothing more for now */
	INPUT_KEY,
	INPUT_PASTE,
	INPUT_CLICK,
	INPUT_DOUBLE_CLICK,
	INPUT_WHEEL_UP,
	INPUT_WHEEL_DOWN,
	INPUT_HANGUP, /* the terminal is gone */
};

struct input {
	enum input_kind kind;
	int key;
	const char *text; /* of a paste: UTF-8, valid until the next screen_read() */
	int y, x;         /* of the mouse */
};

struct screen_options {
	int in, out;      /* of the terminal; the caller's, and may be the same */
	const char *term; /* its type, as $TERM says it; NULL unknown */
	enum color_mode color;
	bool ascii;
	bool latin; /* it does not take UTF-8, whatever the locale says */
	bool mouse;
	bool tmux; /* tmux is in between */
};

struct screen;

/* Signals are the caller's to install before this, for curses has handlers of its own else. NULL, with one line in problem, when there is no terminal. An unknown TERM is no reason: descriptions
 * that nearly every terminal understands are tried in its place. */
struct screen *screen_open(const struct screen_options *o, char *problem, size_t size);
void screen_close(struct screen *s); /* restores the terminal; NULL is fine */

const struct theme *screen_theme_borrow(const struct screen *s);
int screen_fd(const struct screen *s); /* poll for POLLIN, then screen_read until INPUT_NONE */
const char *screen_restore_borrow(const struct screen *s); /* what gives the terminal back, but for its modes */
struct input screen_read(struct screen *s);
/* Adopts the size the terminal has now. */
void screen_size(struct screen *s, int *rows, int *cols);

void screen_begin(struct screen *s); /* an empty frame, cursor hidden */
void screen_end(struct screen *s);   /* puts it on the terminal */
void screen_repaint(struct screen *s);
void screen_set_mouse(struct screen *s, bool on);
/* Offers text to the clipboard of the person's own terminal (OSC 52). False when it is too long. */
bool screen_copy(struct screen *s, const char *text);

#endif
