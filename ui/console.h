// SPDX-License-Identifier: PostgreSQL
/* The console: takes over the terminal until the person leaves or the terminal does. */
#ifndef PGPIER_UI_CONSOLE_H
#define PGPIER_UI_CONSOLE_H

#include "theme.h"

struct engine;

struct console_options {
	bool ascii; /* else as the locale says */
	enum color_mode color;
	bool mouse;
	bool readonly; /* nothing that changes a server or a file */
};

/* Returns the exit status: 0 left with q, 2 no terminal, 130 ended by a signal or a hangup. */
int console_run(struct engine *g, const struct console_options *o);

#endif
