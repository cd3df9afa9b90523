// SPDX-License-Identifier: PostgreSQL
/* Signals while the terminal is ours. A signal has no argument to carry a pointer in, so this file keeps
 * what its handlers need in static storage; nothing else in ui/ does. */
#ifndef PGPIER_UI_SIGNALS_H
#define PGPIER_UI_SIGNALS_H

#include <pgpier/base.h>

/* From now on: SIGINT, SIGTERM and SIGHUP ask to end, SIGWINCH and SIGCONT wake, and a fatal signal first
 * writes `sequence` to the terminal `fd` and restores the modes it has now. fd -1: there is no terminal, and
 * SIGHUP is none of our business. Call before curses starts, so that its own handlers stay away. Returns the
 * descriptor to poll, -1 when there is none. */
int signals_install(int fd);
/* What brings the terminal back, once it is known. */
void signals_set_restore(const char *sequence);
int signals_fd(void);         /* what signals_install() returned */
bool signals_drain(void);     /* true when one of them asked to end */
bool signals_continued(void); /* true once after we were stopped: the terminal may look and be set otherwise */
void signals_uninstall(void);

#endif
