// SPDX-License-Identifier: PostgreSQL
/* Where a person's log lies, and what else is this host's own; all that matters of a mirror is on its target. */
#include <errno.h>
#include <limits.h>
#include <pgpier/engine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void default_dir(char *path, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	if (state && state[0])
		snprintf(path, size, "%s/pgpier", state);
	else
		snprintf(path, size, "%s/.local/state/pgpier", home && home[0] ? home : ".");
}

static bool make_dirs(char *path)
{
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		int failed = mkdir(path, 0700);
		*p = '/';
		if (failed && errno != EEXIST)
			return false;
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

bool engine_state_dir(const char *given, char *path, size_t size, struct error *e)
{
	char relative[PATH_MAX], here[PATH_MAX] = "";
	if (given)
		copy_text(relative, sizeof(relative), given);
	else
		default_dir(relative, sizeof(relative));
	if (relative[0] != '/' && !getcwd(here, sizeof(here)))
		return error_set(e, ERROR_CONFIG, "could not tell the working directory: %s", strerror(errno));
	int n = snprintf(path, size, "%s%s%s", here, here[0] ? "/" : "", relative);
	if (n >= 0 && (size_t)n < size && make_dirs(path))
		return true;
	error_set(e, ERROR_CONFIG, "could not make the folder %s: %s", relative, strerror(n < 0 || (size_t)n >= size ? ENAMETOOLONG : errno));
	return error_next(e, "name a writable folder with --state DIR");
}
