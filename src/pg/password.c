// SPDX-License-Identifier: PostgreSQL
#include "password.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../child.h"

#define COMMAND_TIMEOUT_MS 30000
#define LONGEST_PASSWORD 1024

void password_wipe(char *password)
{
	if (password)
		explicit_bzero(password, strlen(password));
	free(password);
}

/* Reads to the end of the output; false on time-out or stop. */
static bool collect(int fd, const struct stop *stop, char *text, size_t size)
{
	int64_t until = clock_us() + (int64_t)COMMAND_TIMEOUT_MS * 1000;
	size_t len = 0;
	for (;;) {
		int left_ms = (int)((until - clock_us()) / 1000);
		if (left_ms <= 0 || !stop_poll(stop, fd, POLLIN, left_ms))
			return false;
		ssize_t n = read(fd, text + len, size - 1 - len);
		if (n <= 0 || len + (size_t)n >= size - 1)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	return true;
}

static bool run_command(const struct peer_config *peer, const struct stop *stop, char **password,
	struct error *e)
{
	char text[LONGEST_PASSWORD] = "";
	int ends[2], status = 0;
	pid_t pid;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set(e, ERROR_BUG, "peer %s: no pipe for password_command", peer->name);
	bool started = child_start_shell(peer->password_command,
		(struct child_io){ .in = -1, .out = ends[1], .err = STDERR_FILENO, .foreground = true }, &pid);
	close(ends[1]);
	bool complete = started && collect(ends[0], stop, text, sizeof(text));
	close(ends[0]);
	if (!started)
		return error_set(e, ERROR_CONFIG, "peer %s: could not run password_command", peer->name);
	if (complete)
		waitpid(pid, &status, 0);
	else
		child_kill(pid);
	if (complete && WIFEXITED(status) && WEXITSTATUS(status) == 0 && text[0]) {
		*password = xstrdup(text);
		explicit_bzero(text, sizeof(text));
		return true;
	}
	explicit_bzero(text, sizeof(text));
	if (stop_raised(stop))
		return error_set(e, ERROR_CANCELLED, "peer %s: stopped", peer->name);
	error_set(e, ERROR_CONFIG, "peer %s: password_command %s", peer->name,
		!complete				? "gave no password within 30 s"
		: WIFEXITED(status) && WEXITSTATUS(status) ? "failed"
												   : "printed nothing");
	return error_next(e, "run it by hand: its first line of output is the password");
}

bool password_of(const struct peer_config *peer, const struct stop *stop, char **password,
	struct error *e)
{
	*password = NULL;
	if (peer->password_command)
		return run_command(peer, stop, password, e);
	*password = xstrdup(peer->password);
	return true;
}
