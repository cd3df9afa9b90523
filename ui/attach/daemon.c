// SPDX-License-Identifier: PostgreSQL
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAILED 1

/* They are of the terminal we were started on, and would mislead about those that come. SSH_AUTH_SOCK stays: it
 * may serve for as long as its login does. */
static const char *const of_the_terminal[] = { "TERM", "COLORTERM", "LINES", "COLUMNS", "NO_COLOR", "SSH_TTY",
	"SSH_CONNECTION", "SSH_CLIENT", "DISPLAY", "WINDOWID", "TMUX", "TMUX_PANE", "STY" };

static void leave_the_terminal(void)
{
	static const int ignored[] = { SIGHUP, SIGPIPE, SIGTTIN, SIGTTOU, SIGTSTP };
	const char *home = getenv("HOME");
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(of_the_terminal); i++)
		unsetenv(of_the_terminal[i]);
	umask(077);
	/* No file system is kept busy but that of the state, and what is saved by a short name is found. */
	if (!home || chdir(home) != 0)
		if (chdir("/") != 0)
			_exit(FAILED);
	/* Names come from databases in any script, whatever the starter's locale was. */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		setlocale(LC_CTYPE, "");
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close(null);
}

static void close_others(int kept)
{
	if (kept > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)kept - 1, 0);
	close_range((unsigned)kept + 1, ~0u, 0);
}

static void tell(int starter, int code)
{
	uint8_t byte = (uint8_t)code;
	if (write(starter, &byte, 1) < 0) {
		/* it did not wait */
	}
}

static void run(int (*body)(void *data, int *ready), void *data, int ready)
{
	close_others(ready);
	leave_the_terminal();
	int code = body(data, &ready);
	if (ready >= 0)
		tell(ready, code);
	exit(code);
}

/* Forks twice: what has led no session can get no terminal. */
int daemon_start(int (*body)(void *data, int *ready), void *data)
{
	int ends[2];
	uint8_t code = FAILED;
	fflush(NULL);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return FAILED;
	pid_t child = fork();
	if (child == 0) {
		if (setsid() < 0)
			_exit(FAILED);
		pid_t grandchild = fork();
		if (grandchild != 0)
			_exit(grandchild < 0 ? FAILED : 0);
		run(body, data, ends[1]);
	}
	close(ends[1]);
	if (child > 0)
		waitpid(child, NULL, 0);
	while (read(ends[0], &code, 1) < 0 && errno == EINTR)
		;
	close(ends[0]);
	return code;
}

void daemon_ready(int *ready, int err_file)
{
	fflush(stderr);
	dup2(err_file, STDERR_FILENO);
	tell(*ready, 0);
	close(*ready);
	*ready = -1;
}
