// SPDX-License-Identifier: PostgreSQL
/* What only a person can answer, on the terminal: passwords and confirmations. */
#ifndef ASK_H
#define ASK_H

#include "session.h"

/* One line from a terminal, without its end. False when it ended or a signal came. */
bool ask_line(struct session *s, int fd, char *buf, size_t size);
/* Asks for the passwords of those peers that ask for one and have none yet, on the controlling
 * terminal, so that redirected output stays clean. Anything but EXIT_DONE was reported. */
enum exit_code ask_passwords(struct session *s, const char *const *peers, size_t count);

#endif
