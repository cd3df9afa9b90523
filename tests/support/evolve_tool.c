// SPDX-License-Identifier: PostgreSQL
/* Follows a definition that changed, without a stream: the table's description now is what a relation message
 * would say.
 *
 *   evolve_tool SOURCE TARGET describe TABLE
 *   evolve_tool SOURCE TARGET relation TABLE FILENODE BEFORE FINAL [TARGET_TABLE]   BEFORE is a file; - is none
 *   evolve_tool SOURCE TARGET mend TABLE SQLSTATE TEXT
 *   evolve_tool SOURCE TARGET begin TABLE...    the store of a mirror "tool" that made them; name* is a parent
 *   evolve_tool SOURCE TARGET settle
 *   evolve_tool SOURCE TARGET partitions
 *
 * SOURCE and TARGET are libpq strings, TABLE is schema.name. EXCLUDE in the environment is a columns_exclude.
 * What was done comes as "done LINE", what a person must do as "differs TEXT" and "next STATEMENT", the new
 * description as the rest behind "description". Exit code 2 with an error on stderr. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mirror/evolve.h"

struct tool {
	struct mirror_config mirror;
	struct evolve evolve;
	struct store_mirror store;
	int argc; /* of the command's own words */
	char **argv;
};

static struct store_table table_of(const char *text, const char *target)
{
	struct store_table t = { 0 };
	const char *dot = strchr(text, '.');
	copy_text(t.source_name, NAME_SIZE, dot + 1);
	snprintf(t.source_schema, NAME_SIZE, "%.*s", (int)(dot - text), text);
	dot = strchr(target, '.');
	copy_text(t.target_name, NAME_SIZE, dot + 1);
	snprintf(t.target_schema, NAME_SIZE, "%.*s", (int)(dot - target), target);
	return t;
}

/* NULL when the table is not there. */
static char *describe_now(struct tool *t, const char *name, struct error *e)
{
	struct store_table table = table_of(name, name);
	struct strbuf quoted = STRBUF_INIT;
	char *text = NULL;
	quote_qualified(&quoted, table.source_schema, table.source_name);
	struct rows *r = PG_ROWS(t->evolve.source, e, "SELECT to_regclass($1)::oid", quoted.text);
	int64_t oid = r ? rows_int(r, 0, 0) : 0;
	if (!r || !evolve_describe(t->evolve.source, &oid, 1, &text, e))
		text = NULL;
	else if (!text)
		error_set(e, ERROR_USAGE, "no table %s", name);
	rows_free(r);
	strbuf_free(&quoted);
	return text;
}

static bool describe(struct tool *t, struct error *e)
{
	char *text = describe_now(t, t->argv[0], e);
	if (text)
		puts(text);
	free(text);
	return text != NULL;
}

static void print(struct evolve_result *r)
{
	for (size_t i = 0; i < r->done.count; i++)
		printf("done %s\n", r->done.items[i]);
	if (r->end == EVOLVE_DIFFERS)
		printf("differs %s\nnext %s\n", r->difference.text, r->difference.next);
	else
		puts(r->end == EVOLVE_DONE ? "changed" : "unchanged");
	if (r->description)
		printf("description\n%s", r->description);
	evolve_result_free(r);
}

static bool read_before(const char *path, struct ddl_relation *out, struct error *e)
{
	static char text[65536];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	if (f)
		fclose(f);
	text[n] = '\0';
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	return ddl_parse(out, text) || error_set(e, ERROR_USAGE, "%s holds no description", path);
}

static bool relation(struct tool *t, struct error *e)
{
	struct store_table table = table_of(t->argv[0], t->argc > 4 ? t->argv[4] : t->argv[0]);
	struct ddl_relation before = { 0 }, now = { 0 };
	struct evolve_result result;
	bool known = strcmp(t->argv[2], "-") != 0;
	char *text = describe_now(t, t->argv[0], e);
	table.filenode = atoll(t->argv[1]);
	bool ok = text && ddl_parse(&now, text) && (!known || read_before(t->argv[2], &before, e)) &&
			  evolve_relation(&t->evolve, &table, known ? &before : NULL, &now, (lsn_t)atoll(t->argv[3]), &result, e);
	if (ok)
		print(&result);
	ddl_free(&before);
	ddl_free(&now);
	free(text);
	return ok;
}

static bool mend(struct tool *t, struct error *e)
{
	struct store_table table = table_of(t->argv[0], t->argv[0]);
	struct evolve_result result;
	struct error why;
	error_set(&why, ERROR_DATA, "%s", t->argv[2]);
	copy_text(why.sqlstate, sizeof(why.sqlstate), t->argv[1]);
	if (!evolve_mend(&t->evolve, &table, &why, &result, e))
		return false;
	print(&result);
	return true;
}

static bool begin(struct tool *t, struct error *e)
{
	struct store_table *tables = xcalloc((size_t)t->argc, sizeof(*tables));
	const char **kinds = xcalloc((size_t)t->argc, sizeof(*kinds));
	struct strbuf sql = STRBUF_INIT;
	for (int i = 0; i < t->argc; i++) {
		char *end = strchr(t->argv[i], '*');
		if (end)
			*end = '\0';
		tables[i] = table_of(t->argv[i], t->argv[i]);
		tables[i].parent = end != NULL;
		kinds[i] = schema_kind_name(SCHEMA_TABLE);
	}
	int64_t id;
	bool ok = store_prepare(t->evolve.target, e) && store_create(t->evolve.target, "tool", "source", &id, e) &&
			  store_add_tables(t->evolve.target, id, tables, (size_t)t->argc, 0, e);
	if (ok) {
		store_sql_steps_done(&sql, id, (size_t)t->argc, kinds, (const char *const *)t->argv);
		ok = pg_run(t->evolve.target, e, sql.text);
	}
	strbuf_free(&sql);
	free(kinds);
	free(tables);
	return ok;
}

static bool settle(struct tool *t, struct error *e)
{
	struct strings done = { 0 };
	bool ok = evolve_settle(&t->evolve, &t->store, &done, e);
	for (size_t i = 0; i < done.count; i++)
		printf("done %s\n", done.items[i]);
	strings_free(&done);
	return ok;
}

static bool partitions(struct tool *t, struct error *e)
{
	struct strings names = { 0 };
	bool ok = evolve_new_partitions(&t->evolve, &t->store, &names, e);
	for (size_t i = 0; i < names.count; i++)
		puts(names.items[i]);
	strings_free(&names);
	return ok;
}

static const struct {
	const char *name;
	int words; /* at least */
	bool (*run)(struct tool *t, struct error *e);
} commands[] = {
	{ "describe", 1, describe }, { "relation", 4, relation }, { "mend", 3, mend }, { "begin", 1, begin },
	{ "settle", 0, settle }, { "partitions", 0, partitions },
};

static bool run(struct tool *t, const char *name, struct error *e)
{
	bool found = false;
	if (store_exists(t->evolve.target, e) && !store_read(t->evolve.target, "tool", &t->store, &found, e))
		return false;
	t->evolve.id = found ? t->store.id : 0;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0 && t->argc >= commands[i].words)
			return commands[i].run(t, e);
	return error_set(e, ERROR_USAGE, "no command %s of %d words", name, t->argc);
}

int main(int argc, char **argv)
{
	struct error e = { 0 };
	char line[1200];
	if (argc < 4)
		return 2;
	struct tool t = { .argc = argc - 4, .argv = argv + 4 };
	struct peer_config source = { .name = xstrdup("source"), .conninfo = xstrdup(argv[1]) };
	struct peer_config target = { .name = xstrdup("target"), .conninfo = xstrdup(argv[2]) };
	struct stop *stop = stop_new(NULL);
	mirror_config_defaults(&t.mirror);
	if (getenv("EXCLUDE"))
		strings_add(&t.mirror.columns_exclude, getenv("EXCLUDE"));
	t.evolve.config = &t.mirror;
	t.evolve.source = pg_connect(&source, "tool", "ddl", stop, &e);
	t.evolve.target = t.evolve.source ? pg_connect(&target, "tool", "ddl", stop, &e) : NULL;
	bool ok = t.evolve.target && run(&t, argv[3], &e);
	if (!ok)
		fprintf(stderr, "%s %s: %s\n", error_class_name(e.class), e.sqlstate, error_line(&e, line, sizeof(line)));
	store_mirror_free(&t.store);
	pg_free(t.evolve.source);
	pg_free(t.evolve.target);
	stop_free(stop);
	mirror_config_free(&t.mirror);
	peer_config_free(&source);
	peer_config_free(&target);
	return ok ? 0 : 2;
}
