// SPDX-License-Identifier: PostgreSQL
/* The console: on the person's own terminal until one of both leaves, or, in the background, on each that the relay
 * offers, one after the other, until the engine is told to stop. */
#ifndef PGPIER_UI_CONSOLE_H
#define PGPIER_UI_CONSOLE_H

#include "theme.h"

struct engine;
struct relay;

struct console_options {
	bool ascii; /* else as the locale says */
	enum color_mode color;
	bool mouse;
	bool readonly; /* nothing that changes a server or a file */
};

/* Returns the exit status: 0 left with q, 2 no terminal, 130 ended by a signal or a hangup. */
int console_run(struct engine *g, const struct console_options *o);

/* In the background: 0 when it was told to stop. *sentence says how to whoever waits for that. */
int console_serve(struct engine *g, struct relay *r, char *sentence, size_t size);

/* Before anything is drawn, and before other threads are: without any setting of the locale a terminal is most
 * likely UTF-8, as nearly all are. */
void console_locale(void);

#endif
