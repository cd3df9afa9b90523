// SPDX-License-Identifier: PostgreSQL
/* Publication and slot of src/replicate, one step a call.
 *
 *   slot_tool SERVER publish NAME new|ours TABLE...    TABLE is schema.name, with * behind a partitioned parent
 *   slot_tool SERVER add|remove NAME TABLE...
 *   slot_tool SERVER unpublish NAME
 *   slot_tool SERVER create NAME       prints the snapshot and the walsender, keeps both until stdin ends
 *   slot_tool SERVER status NAME
 *   slot_tool SERVER blockers PID AGE
 *   slot_tool SERVER drop MIRROR NAME
 *
 * SERVER is a libpq string. Exit code 2 with the error on stderr. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pgpier/format.h>

#include "lsn.h"
#include "pg/conn.h"
#include "replicate/publication.h"
#include "replicate/slot.h"

struct tool {
	struct peer_config peer;
	struct stop *stop;
	struct pg *source;
	int argc; /* of the command's own words */
	char **argv;
};

static struct publication_table *tables_of(const struct tool *t, int first, size_t *n)
{
	struct publication_table *tables = NULL;
	*n = 0;
	for (int i = first; i < t->argc; i++) {
		char *schema = t->argv[i], *name = strchr(schema, '.');
		size_t end = strlen(schema);
		bool parent = schema[end - 1] == '*';
		*name++ = '\0';
		if (parent)
			schema[end - 1] = '\0';
		GROW(tables, *n);
		tables[(*n)++] = (struct publication_table){ schema, name, parent };
	}
	return tables;
}

static bool publish(struct tool *t, struct error *e)
{
	size_t n;
	struct publication_table *tables = tables_of(t, 2, &n);
	bool ok = publication_create(t->source, t->argv[0], strcmp(t->argv[1], "ours") == 0, tables, n, e);
	free(tables);
	return ok;
}

static bool add(struct tool *t, struct error *e)
{
	size_t n;
	struct publication_table *tables = tables_of(t, 1, &n);
	bool ok = publication_add(t->source, t->argv[0], tables, n, e);
	free(tables);
	return ok;
}

static bool take_away(struct tool *t, struct error *e)
{
	size_t n;
	struct publication_table *tables = tables_of(t, 1, &n);
	bool ok = publication_remove(t->source, t->argv[0], tables, n, e);
	free(tables);
	return ok;
}

static bool unpublish(struct tool *t, struct error *e)
{
	return publication_drop(t->source, t->argv[0], e);
}

static bool create(struct tool *t, struct error *e)
{
	struct slot_made made;
	char lsn[FORMAT_SIZE];
	struct pg *replication = pg_connect_replication(&t->peer, "tool", "slot", t->stop, e);
	if (!replication)
		return false;
	printf("walsender %d\n", pg_pid(replication));
	fflush(stdout);
	bool ok = slot_create(replication, t->argv[0], true, &made, e);
	if (ok) {
		printf("snapshot %s\nconsistent %s\n", made.snapshot, format_lsn(made.consistent, lsn));
		fflush(stdout);
		while (getchar() != EOF)
			;
	}
	pg_free(replication);
	return ok;
}

static bool status(struct tool *t, struct error *e)
{
	struct slot_status s;
	if (!slot_status(t->source, t->argv[0], &s, e))
		return false;
	printf("exists %d\nactive %d\nplugin %s\ndatabase %s\nwal_status %s\nlost %d\nretained %d\n", s.exists,
		s.pid != 0, s.plugin, s.database, s.wal_status, slot_is_lost(&s), s.retained_bytes >= 0);
	return true;
}

static bool blockers(struct tool *t, struct error *e)
{
	struct slot_blocker *list;
	size_t n;
	char text[512];
	if (!slot_blockers(t->source, atoi(t->argv[0]), atof(t->argv[1]), &list, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		slot_blocker_text(&list[i], text, sizeof(text));
		printf("%s %s\n", list[i].direct ? "waits" : "older", text);
	}
	free(list);
	return true;
}

static bool drop(struct tool *t, struct error *e)
{
	return slot_drop(t->source, t->argv[0], t->argv[1], e);
}

static const struct {
	const char *name;
	int words; /* at least */
	bool (*run)(struct tool *t, struct error *e);
} commands[] = {
	{ "publish", 2, publish }, { "add", 1, add }, { "remove", 1, take_away }, { "unpublish", 1, unpublish },
	{ "create", 1, create }, { "status", 1, status }, { "blockers", 2, blockers }, { "drop", 2, drop },
};

static bool run(struct tool *t, const char *name, struct error *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0 && t->argc >= commands[i].words)
			return commands[i].run(t, e);
	return error_set(e, ERROR_USAGE, "no command %s of %d words", name, t->argc);
}

int main(int argc, char **argv)
{
	struct error e = { 0 };
	char line[1200];
	if (argc < 3)
		return 2;
	struct tool t = { .peer = { .name = xstrdup("source"), .conninfo = xstrdup(argv[1]) }, .argc = argc - 3,
		.argv = argv + 3, .stop = stop_new(NULL) };
	t.source = pg_connect(&t.peer, "tool", "check", t.stop, &e);
	bool ok = t.source && run(&t, argv[2], &e);
	if (!ok)
		fprintf(stderr, "%s: %s\n", error_class_name(e.class), error_line(&e, line, sizeof(line)));
	pg_free(t.source);
	stop_free(t.stop);
	peer_config_free(&t.peer);
	return ok ? 0 : 2;
}
