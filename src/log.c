// SPDX-License-Identifier: PostgreSQL
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pgpier/engine.h>
#include <pgpier/format.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A process has one log. O_APPEND makes each line one atomic write, so no lock is needed. */
static atomic_int log_fd = -1;

bool log_open(const char *dir, struct error *e)
{
	char path[PATH_MAX - 16], file[PATH_MAX];
	if (!engine_state_dir(dir, path, sizeof(path), e))
		return false;
	snprintf(file, sizeof(file), "%s/pgpier.log", path);
	int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		error_set(e, ERROR_CONFIG, "could not open the log %s: %s", file, strerror(errno));
		return error_next(e, "name a writable folder with --state DIR");
	}
	int old = atomic_exchange(&log_fd, fd);
	if (old >= 0)
		close(old);
	return true;
}

void log_close(void)
{
	int fd = atomic_exchange(&log_fd, -1);
	if (fd >= 0)
		close(fd);
}

void log_event(const struct event *event)
{
	static const char *const levels[] = { "debug", "info", "warning", "error" };
	char at[FORMAT_SIZE], text[2048], detail[1024], statement[512], line[4096];
	int fd = atomic_load(&log_fd);
	if (fd < 0)
		return;
	format_sanitized(event->text, text, sizeof(text));
	format_sanitized(event->detail, detail, sizeof(detail));
	format_sanitized(event->statement, statement, sizeof(statement));
	int n = snprintf(line, sizeof(line), "%s %s %s: %s%s%s%s%s%s%s\n", format_time(event->at, at),
		levels[event->level], event->object, text, event->sqlstate[0] ? " SQLSTATE " : "",
		event->sqlstate, detail[0] ? " DETAIL: " : "", detail, statement[0] ? " STATEMENT: " : "",
		statement);
	ssize_t written = write(fd, line, MIN((size_t)MAX(n, 0), sizeof(line) - 1));
	(void)written; /* a full disk must not stop a migration */
}
