// SPDX-License-Identifier: PostgreSQL
/* Running pg_dump and pg_restore. What passes between them and us is in memory files: nothing is left behind
 * by a kill, and nobody else can read it. */
#include "dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../child.h"
#include "../../pg/params.h"
#include "../../pg/password.h"

#define NO_TIMEOUT (-1)

static int memory_file(const char *name, struct error *e)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	if (fd < 0)
		error_set(e, ERROR_BUG, "no memory file for pg_dump's output");
	return fd;
}

static char *read_all(int fd, struct error *e)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		st.st_size = 0;
	size_t size = (size_t)st.st_size, got = 0;
	char *text = xmalloc(size + 1);
	while (got < size) {
		ssize_t n = pread(fd, text + got, size - got, (off_t)got);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	text[got] = '\0';
	if (got == size && strlen(text) == size)
		return text;
	free(text);
	error_set(e, ERROR_BUG, "pg_restore's output could not be read");
	return NULL;
}

/* What went wrong decides whether trying again makes sense. */
static bool classify(const struct peer_config *peer, const char *snapshot, struct error *e)
{
	static const struct {
		const char *words;
		enum error_class class;
		const char *next;
	} known[] = {
		{ "permission denied", ERROR_PERMISSION,
			"pg_dump locks each table: grant SELECT on it and USAGE on its schema to the peer's role" },
		{ "password authentication failed", ERROR_PERMISSION, "check user and password of the peer" },
		{ "no password supplied", ERROR_PERMISSION, "check user and password of the peer" },
		{ "server version mismatch", ERROR_CONFIG, "set pg_bindir to a folder with a newer pg_dump" },
		{ "invalid snapshot identifier", ERROR_LOST, NULL },
		{ "connection to server", ERROR_CONNECTION, NULL },
		{ "server closed the connection", ERROR_CONNECTION, NULL },
		{ "terminating connection", ERROR_CONNECTION, NULL },
		{ "could not translate host name", ERROR_CONNECTION, NULL },
	};
	for (size_t i = 0; e->class == ERROR_DATA && i < ARRAY_SIZE(known); i++) {
		if (!strstr(e->text, known[i].words) || (known[i].class == ERROR_LOST && !snapshot))
			continue;
		e->class = known[i].class;
		if (known[i].next)
			error_next(e, "%s", known[i].next);
	}
	return error_prefix(e, "peer %s", peer->name ? peer->name : "(new)");
}

/* pg_dump of that peer into a memory file; -1 on error. */
static int dump_archive(const struct tools *tools, const struct peer_config *peer, const char *mirror,
	const char *snapshot, const struct stop *stop, struct error *e)
{
	struct pg_params params;
	char *password = NULL, *conninfo = NULL, *known = NULL;
	if (!password_of(peer, stop, &password, e))
		return -1;
	pg_params_fill(&params, peer, mirror, "dump", password);
	bool ok = pg_params_conninfo(&params, &conninfo, &known, e);
	password_wipe(password);
	char *target = xasprintf("--dbname=%s", conninfo);
	char *at = xasprintf("--snapshot=%s", snapshot ? snapshot : "");
	char *secret = known ? xasprintf("PGPASSWORD=%s", known) : NULL;
	const char *argv[] = { tools->dump, "--format=custom", "--compress=0", "--schema-only", "--no-password",
		"--encoding=UTF8", target, snapshot ? at : NULL, NULL };
	const char *env[] = { "LC_ALL=C", "PGCLIENTENCODING=UTF8", secret, NULL };
	int fd = ok ? memory_file("dump", e) : -1;
	if (fd >= 0 && !child_run(argv, env, -1, fd, stop, NO_TIMEOUT, e)) {
		classify(peer, snapshot, e);
		close(fd);
		fd = -1;
	}
	password_wipe(known);
	password_wipe(secret);
	free(conninfo);
	free(target);
	free(at);
	return fd;
}

/* One section of the archive as text; NULL on error. */
static char *section_text(const struct tools *tools, int archive, const char *section, const struct stop *stop,
	struct error *e)
{
	const char *argv[] = { tools->restore, "--verbose", section, "--file=-", NULL };
	const char *env[] = { "LC_ALL=C", NULL };
	int fd = memory_file("section", e);
	if (fd < 0)
		return NULL;
	bool ok = lseek(archive, 0, SEEK_SET) == 0 || error_set(e, ERROR_BUG, "pg_dump's output can't be read again");
	ok = ok && child_run(argv, env, archive, fd, stop, NO_TIMEOUT, e);
	char *text = ok ? read_all(fd, e) : NULL;
	close(fd);
	return text;
}

struct dump *dump_new(const struct peer_config *peer, const char *mirror, const char *bindir,
	int server_version, const char *snapshot, const struct stop *stop, struct error *e)
{
	struct tools tools;
	if (!tools_find(bindir, server_version, &tools, e))
		return NULL;
	int archive = dump_archive(&tools, peer, mirror, snapshot, stop, e);
	if (archive < 0)
		return NULL;
	char *pre = section_text(&tools, archive, "--section=pre-data", stop, e);
	char *post = pre ? section_text(&tools, archive, "--section=post-data", stop, e) : NULL;
	close(archive);
	if (post)
		return dump_parse_take(pre, post, e);
	free(pre);
	return NULL;
}
