// SPDX-License-Identifier: PostgreSQL
/* A comparison as text for people or one JSON object, and what it means for a script. */
#ifndef CLI_COMPARE_H
#define CLI_COMPARE_H

#include <pgpier/compare.h>

#include "session.h"

/* Runs a command whose outcome is a comparison and prints it. EXIT_DIFFERENT when something is worse than a
 * note, else EXIT_INCOMPLETE when something could not be compared. */
enum exit_code compare_command(struct session *s, struct command *take);

#endif
