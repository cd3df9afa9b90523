// SPDX-License-Identifier: PostgreSQL
#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The last of what it says is what matters, after any number of notices. */
#define MOST_SAID 4000
#define MOST_TOLD 600

extern char **environ;

/* ---- starting ---- */

static bool names_same(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");
	return strncmp(a, b, n) == 0 && b[n] == '=';
}

static bool is_replaced(const char *ours, const char *const *env)
{
	for (; *env; env++)
		if (names_same(*env, ours))
			return true;
	return false;
}

/* Borrows every string. */
static const char **merged(const char *const *env)
{
	size_t n = 0, own = 0;
	while (environ[own])
		own++;
	while (env[n])
		n++;
	const char **all = xcalloc(own + n + 1, sizeof(*all));
	size_t count = 0;
	for (size_t i = 0; i < own; i++)
		if (!is_replaced(environ[i], env))
			all[count++] = environ[i];
	memcpy(all + count, env, n * sizeof(*all));
	return all;
}

static void hand_over(posix_spawn_file_actions_t *actions, int fd, int as)
{
	if (fd >= 0)
		posix_spawn_file_actions_adddup2(actions, fd, as);
	else
		posix_spawn_file_actions_addopen(actions, as, "/dev/null", as == STDIN_FILENO ? O_RDONLY : O_WRONLY, 0);
}

/* posix_spawn takes the strings as its own for no reason but its age. */
static char *const *spawn_words(const char *const *words)
{
	union {
		const char *const *given;
		char *const *wanted;
	} u = { .given = words };
	return u.wanted;
}

bool child_start(const char *const *argv, const char *const *env, struct child_io io, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	const char **own = env ? merged(env) : NULL;
	posix_spawn_file_actions_init(&actions);
	hand_over(&actions, io.in, STDIN_FILENO);
	hand_over(&actions, io.out, STDOUT_FILENO);
	hand_over(&actions, io.err, STDERR_FILENO);
	/* Our threads block all signals; a child must not inherit that. */
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, io.foreground ? POSIX_SPAWN_SETSIGMASK
														: POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	bool ok = posix_spawn(pid, argv[0], &actions, &attributes, spawn_words(argv),
				  own ? spawn_words(own) : environ) == 0;
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(own);
	return ok;
}

bool child_start_shell(const char *command, struct child_io io, pid_t *pid)
{
	const char *argv[] = { "/bin/sh", "-c", command, NULL };
	return child_start(argv, NULL, io, pid);
}

void child_kill(pid_t pid)
{
	kill(-pid, SIGKILL); /* fails when it leads no group */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- running to the end ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* Keeps the last of it. False at its end. */
static bool read_said(int fd, struct strbuf *said)
{
	char piece[1024];
	ssize_t n = read(fd, piece, sizeof(piece));
	if (n <= 0)
		return false;
	strbuf_addn(said, piece, (size_t)n);
	if (said->len > 2 * MOST_SAID) {
		size_t cut = said->len - MOST_SAID;
		memmove(said->text, said->text + cut, MOST_SAID + 1);
		said->len = MOST_SAID;
	}
	return true;
}

/* Its stderr may stay open in the hands of what it started; its own end is what counts, but that can't be
 * polled for: so the end of stderr is waited for, and then the child's. */
static bool wait_for(int fd, pid_t pid, const struct stop *stop, int timeout_ms, struct strbuf *said, int *status)
{
	int64_t until = clock_us() + (int64_t)timeout_ms * 1000;
	for (bool open = true; open;) {
		int left_ms = timeout_ms < 0 ? -1 : (int)((until - clock_us()) / 1000);
		if ((timeout_ms >= 0 && left_ms <= 0) || stop_raised(stop)) {
			child_kill(pid);
			return false;
		}
		if (stop_poll(stop, fd, POLLIN, left_ms))
			open = read_said(fd, said);
	}
	return waitpid(pid, status, 0) == pid;
}

/* One line: what it says of itself ("pg_dump: error: "), then each further line after a blank. */
static char *fold(const char *text)
{
	struct strbuf line = STRBUF_INIT;
	while (*text) {
		text += strspn(text, " \t\r\n");
		size_t n = strcspn(text, "\r\n");
		if (n > 0)
			strbuf_addf(&line, "%s%.*s", line.len ? " " : "", (int)n, text);
		text += n;
	}
	while (line.len && strchr(" \t", line.text[line.len - 1]))
		line.text[--line.len] = '\0';
	return strbuf_take(&line);
}

/* Warnings come first and are many: from the first error on it counts, else the end. */
static const char *from_error(const char *said, const char *program)
{
	char *mark = xasprintf("%s: error:", program);
	const char *found = strstr(said, mark);
	free(mark);
	if (found || strlen(said) <= MOST_TOLD)
		return found ? found : said;
	said += strlen(said) - MOST_TOLD;
	return strchr(said, '\n') ? strchr(said, '\n') : said;
}

static bool failed(const char *program, int status, const struct strbuf *said, struct error *e)
{
	char *line = fold(from_error(said->len ? said->text : "", program));
	if (line[0])
		error_set(e, ERROR_DATA, "%s", line);
	else if (WIFSIGNALED(status))
		error_set(e, ERROR_DATA, "%s: ended by signal %d", program, WTERMSIG(status));
	else
		error_set(e, ERROR_DATA, "%s: ended with exit code %d", program, WEXITSTATUS(status));
	free(line);
	return false;
}

bool child_run(const char *const *argv, const char *const *env, int in, int out, const struct stop *stop,
	int timeout_ms, struct error *e)
{
	struct strbuf said = STRBUF_INIT;
	const char *program = base_name(argv[0]);
	int ends[2], status = 0;
	pid_t pid;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set(e, ERROR_BUG, "%s: no pipe for its messages", program);
	bool started = child_start(argv, env, (struct child_io){ .in = in, .out = out, .err = ends[1] }, &pid);
	close(ends[1]);
	if (!started)
		error_set(e, ERROR_CONFIG, "could not run %s", argv[0]);
	bool ended = started && wait_for(ends[0], pid, stop, timeout_ms, &said, &status);
	close(ends[0]);
	bool ok = ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (ended && !ok)
		failed(program, status, &said, e);
	else if (started && !ended && stop_raised(stop))
		error_set(e, ERROR_CANCELLED, "%s: stopped", program);
	else if (started && !ended)
		error_set(e, ERROR_DATA, "%s: did not end within %d s and was killed", program, timeout_ms / 1000);
	strbuf_free(&said);
	return ok;
}
