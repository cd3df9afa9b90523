// SPDX-License-Identifier: PostgreSQL
/* Finding pg_dump and pg_restore. They are taken from one folder, so that they are of one version. */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../child.h"
#include "dump.h"

#define VERSION_TIMEOUT_MS 10000
#define OLDEST_TOOLS 120000 /* "-f -" and access methods */

/* Where packages and people put PostgreSQL, beside PATH. */
static const char *const usual_places[] = {
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/usr/lib/postgresql*/bin",
	"/usr/libexec/postgresql*",
	"/usr/local/pgsql*/bin",
	"/usr/local/bin",
	"/opt/pgsql*/bin",
	"/opt/postgresql*/bin",
	"/opt/homebrew/opt/libpq/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/libpq/bin",
	"/usr/local/opt/postgresql*/bin",
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
};

struct search {
	struct tools best;
	int wanted;            /* the server's version */
	struct strings looked; /* folders, as they really are */
	struct strings found;  /* "15.3 in /usr/lib/...": of those that are too old */
};

/* "pg_dump (PostgreSQL) 15.3 (Debian ...)": 150003; "9.6.24": 90624; "18beta1": 180000. 0: not like that. */
static int version_of(const char *text)
{
	const char *p = strstr(text, "(PostgreSQL) ");
	int major = 0, minor = 0, patch = 0;
	if (!p || sscanf(p, "(PostgreSQL) %d.%d.%d", &major, &minor, &patch) < 1 || major < 8 || major > 99)
		return 0;
	return major >= 10 ? major * 10000 + minor : major * 10000 + minor * 100 + patch;
}

static int ask_version(const char *program)
{
	const char *argv[] = { program, "--version", NULL };
	const char *env[] = { "LC_ALL=C", NULL };
	char text[200] = "";
	struct error e;
	int fd = memfd_create("version", MFD_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = child_run(argv, env, -1, fd, NULL, VERSION_TIMEOUT_MS, &e) ? pread(fd, text, sizeof(text) - 1, 0) : 0;
	close(fd);
	return n > 0 ? version_of(text) : 0;
}

static bool remember(struct strings *l, const char *s)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->items[i], s) == 0)
			return false;
	strings_add(l, s);
	return true;
}

/* Debian's /usr/bin/pg_dump is a script that picks a version by the clusters of this machine, which are none
 * of our business. */
static bool is_wrapper(const char *program)
{
	char *real = realpath(program, NULL);
	const char *slash = real ? strrchr(real, '/') : NULL;
	bool is = slash && strcmp(slash, "/pg_wrapper") == 0;
	free(real);
	return is;
}

static void look_in(struct search *s, const char *folder)
{
	struct tools t = { .version = 0 };
	char *real = realpath(folder, NULL);
	if (!real || !remember(&s->looked, real) ||
		snprintf(t.dump, sizeof(t.dump), "%s/pg_dump", real) >= (int)sizeof(t.dump) ||
		snprintf(t.restore, sizeof(t.restore), "%s/pg_restore", real) >= (int)sizeof(t.restore) ||
		access(t.dump, X_OK) != 0 || access(t.restore, X_OK) != 0 || is_wrapper(t.dump)) {
		free(real);
		return;
	}
	t.version = ask_version(t.dump);
	bool fits = t.version / 10000 >= s->wanted / 10000 && t.version >= OLDEST_TOOLS;
	if (fits && t.version > s->best.version)
		s->best = t;
	if (!fits && t.version) {
		char *line = xasprintf("%d in %s", t.version / 10000, real);
		strings_add(&s->found, line);
		free(line);
	}
	free(real);
}

static void look_in_path(struct search *s)
{
	char *path = xstrdup(getenv("PATH")), *rest = path;
	for (char *folder; path && (folder = strsep(&rest, ":"));)
		if (folder[0] == '/')
			look_in(s, folder);
	free(path);
}

static void look_everywhere(struct search *s)
{
	look_in_path(s);
	for (size_t i = 0; i < ARRAY_SIZE(usual_places); i++) {
		glob_t g = { 0 };
		if (glob(usual_places[i], 0, NULL, &g) == 0)
			for (size_t k = 0; k < g.gl_pathc; k++)
				look_in(s, g.gl_pathv[k]);
		globfree(&g);
	}
}

static bool none_found(const struct search *s, const char *bindir, struct error *e)
{
	struct strbuf list = STRBUF_INIT;
	int major = MAX(s->wanted, OLDEST_TOOLS) / 10000;
	for (size_t i = 0; i < s->found.count; i++)
		strbuf_addf(&list, "%s%s", i ? ", " : "", s->found.items[i]);
	if (list.len)
		error_set(e, ERROR_CONFIG, "pg_dump is too old for a server of version %d: found %s", s->wanted / 10000,
			list.text);
	else
		error_set(e, ERROR_CONFIG, "no pg_dump with its pg_restore was found in %s",
			bindir ? bindir : "PATH and the usual places");
	strbuf_free(&list);
	return error_next(e, "install postgresql-client-%d (Debian, from apt.postgresql.org) or set pg_bindir", major);
}

bool tools_find(const char *bindir, int server_version, struct tools *out, struct error *e)
{
	struct search s = { .wanted = server_version };
	if (bindir && bindir[0])
		look_in(&s, bindir);
	else
		look_everywhere(&s);
	*out = s.best;
	bool ok = s.best.version > 0 || none_found(&s, bindir && bindir[0] ? bindir : NULL, e);
	strings_free(&s.looked);
	strings_free(&s.found);
	return ok;
}
