// SPDX-License-Identifier: PostgreSQL
/* The log file: one line an event, the same lines as the Events pane. Safe from any thread. */
#ifndef LOG_H
#define LOG_H

#include <pgpier/error.h>
#include <pgpier/model.h>

/* Opens dir/pgpier.log for appending, making dir (0700). NULL: $XDG_STATE_HOME/pgpier, or
 * ~/.local/state/pgpier. */
bool log_open(const char *dir, struct error *e) MUST_CHECK;
void log_close(void);
/* Writes nothing when no log is open. Texts are sanitised. */
void log_event(const struct event *event);

#endif
