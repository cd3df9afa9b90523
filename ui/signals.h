// SPDX-License-Identifier: PostgreSQL
/* Signals while the terminal is ours. A signal has no argument to carry a pointer in, so this file keeps
 * what its handlers need in static storage; nothing else in ui/ does. */
#ifndef PGPIER_UI_SIGNALS_H
#define PGPIER_UI_SIGNALS_H

#include <pgpier/base.h>

/* From now on: SIGINT, SIGTERM and SIGHUP ask to end, SIGWINCH wakes, and a fatal signal first writes
 * `sequence` to the terminal `fd` and restores the modes it has now. Call before curses starts, so that
 * its own handlers stay away. Returns the descriptor to poll, -1 when there is none. */
int signals_install(int fd);
/* What brings the terminal back, once it is known. */
void signals_set_restore(const char *sequence);
bool signals_drain(void); /* true when one of them asked to end */
void signals_uninstall(void);

#endif
