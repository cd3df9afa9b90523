// SPDX-License-Identifier: PostgreSQL
#include "password.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#define COMMAND_TIMEOUT_MS 30000
#define LONGEST_PASSWORD 1024

extern char **environ;

void password_wipe(char *password)
{
	if (password)
		explicit_bzero(password, strlen(password));
	free(password);
}

static bool start(const char *command, int *out, pid_t *pid)
{
	int ends[2];
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, xstrdup(command), NULL };
	if (pipe2(ends, O_CLOEXEC) != 0) {
		free(argv[2]);
		return false;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	/* Our threads block all signals; the command must not inherit that. */
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	int failed = posix_spawn(pid, "/bin/sh", &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(argv[2]);
	close(ends[1]);
	*out = ends[0];
	if (failed)
		close(ends[0]);
	return !failed;
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
	int fd, status = 0;
	pid_t pid;
	if (!start(peer->password_command, &fd, &pid))
		return error_set(e, ERROR_CONFIG, "peer %s: could not run password_command", peer->name);
	bool complete = collect(fd, stop, text, sizeof(text));
	close(fd);
	if (!complete)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
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
