// SPDX-License-Identifier: PostgreSQL
/* Other programs that run for us: with no signal blocked and none of our descriptors, in a process group of
 * their own (ctrl-C in our terminal is not meant for them, and what they start can be killed with them). */
#ifndef CHILD_H
#define CHILD_H

#include <sys/types.h>

#include <pgpier/error.h>

#include "stop.h"

/* Descriptors that become the child's; -1: /dev/null. They stay the caller's to close. */
struct child_io {
	int in, out, err;
	bool foreground; /* in our own group, so that it may ask something on the terminal */
};

/* argv[0] is the program's path; env: "NAME=value" put over our own environment, ended by NULL, or NULL. */
bool child_start(const char *const *argv, const char *const *env, struct child_io io, pid_t *pid) MUST_CHECK;
/* With the shell. */
bool child_start_shell(const char *command, struct child_io io, pid_t *pid) MUST_CHECK;
/* Kills it with what it started (not that of one in the foreground), and waits for its end. */
void child_kill(pid_t pid);

/* Runs it to its end with stdin and stdout as given, or until stop is raised or the time is over (negative:
 * none is set), when it is killed. An end other than exit code 0 is an error with the last lines of its stderr,
 * folded into one; the class is ERROR_CANCELLED for stop, else ERROR_DATA. */
bool child_run(const char *const *argv, const char *const *env, int in, int out, const struct stop *stop,
	int timeout_ms, struct error *e) MUST_CHECK;

#endif
