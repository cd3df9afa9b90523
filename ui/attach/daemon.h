// SPDX-License-Identifier: PostgreSQL
/* A process that no terminal owns: its own session, no controlling terminal, nothing of the shell's it was started
 * from but the environment that PostgreSQL's libraries read. Until it says that it is ready it may use the starter's
 * stderr, so that what is wrong is read where it was asked for. */
#ifndef ATTACH_DAEMON_H
#define ATTACH_DAEMON_H

#include <pgpier/error.h>

/* Runs body in a process of its own. Returns what it told daemon_ready(), or what it returned before that; in the new
 * process this does not return. To be called before any thread is started. */
int daemon_start(int (*body)(void *data, int *ready), void *data);
/* In the new process: the starter goes its way. stderr is err_file from now on, for what the libraries may say. */
void daemon_ready(int *ready, int err_file);

#endif
