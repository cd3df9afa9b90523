// SPDX-License-Identifier: PostgreSQL
/* Runs the steps of schema/ without the engine, so that a test can compare the catalogs of both
 * sides.
 *
 *   schema_tool [options] SOURCE TARGET PATTERN...
 *     -p          print the steps, run nothing
 *     -c          print the column check of the tables that exist on the target, run nothing
 *     -m A=B      map schema.table A to B
 *     -r S.T|C=D  call the column C of S.T and of its partitions D
 *     -x S.T.C    exclude a column
 *     -s SQL      run this on the target between the two halves, as a load would
 *     -a          on_existing_rows = "append"
 *     -d          schema = "database": nothing but the values of sequences
 *
 * Findings go to stdout as "severity: text; next". Exit code 1 with blockers, 2 when a step fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pgpier/selection.h>

#include "pg/conn.h"
#include "pg/tables.h"
#include "schema/check.h"
#include "schema/schema.h"

struct tool {
	struct mirror_config mirror;
	bool print, check;
	const char *load;
	struct pg *source, *target;
	struct schema_table *tables;
	struct renames *renamed; /* of the tables */
	size_t count;
};

static int fail(const struct error *e)
{
	char line[1200];
	fprintf(stderr, "%s (%s) %s\n", error_line(e, line, sizeof(line)), e->sqlstate, e->detail);
	return 2;
}

static void add_map(struct mirror_config *m, const char *text)
{
	const char *equals = strchr(text, '=');
	GROW(m->map, m->map_count);
	m->map[m->map_count++] = (struct table_map){
		.source = strndup(text, equals ? (size_t)(equals - text) : 0),
		.target = xstrdup(equals ? equals + 1 : ""),
	};
}

static void add_rename(struct mirror_config *m, const char *text)
{
	const char *bar = strchr(text, '|'), *equals = strchr(text, '=');
	char *table = strndup(text, (size_t)(bar - text));
	struct table_map *map = NULL;
	for (size_t i = 0; i < m->map_count; i++)
		if (strcmp(m->map[i].source, table) == 0)
			map = &m->map[i];
	if (!map) {
		GROW(m->map, m->map_count);
		map = &m->map[m->map_count++];
		*map = (struct table_map){ .source = xstrdup(table) };
	}
	GROW(map->columns, map->column_count);
	map->columns[map->column_count++] = (struct column_map){
		.source = strndup(bar + 1, (size_t)(equals - bar - 1)), .target = xstrdup(equals + 1)
	};
	free(table);
}

static bool read_options(struct tool *t, int argc, char **argv)
{
	int option;
	while ((option = getopt(argc, argv, "pcadm:r:x:s:")) != -1) {
		switch (option) {
		case 'p':
			t->print = true;
			break;
		case 'c':
			t->check = true;
			break;
		case 'd':
			t->mirror.schema = SCHEMA_DATABASE;
			break;
		case 'a':
			t->mirror.on_existing_rows = EXISTING_APPEND;
			break;
		case 'm':
			add_map(&t->mirror, optarg);
			break;
		case 'r':
			add_rename(&t->mirror, optarg);
			break;
		case 'x':
			strings_add(&t->mirror.columns_exclude, optarg);
			break;
		case 's':
			t->load = optarg;
			break;
		default:
			return false;
		}
	}
	for (int i = optind + 2; i < argc; i++)
		strings_add(&t->mirror.tables, argv[i]);
	return optind + 2 < argc;
}

static bool exists(struct pg *target, const struct schema_table *t, struct error *e)
{
	struct strbuf name = STRBUF_INIT;
	quote_qualified(&name, t->target_schema, t->target_name);
	struct rows *r = PG_ROWS(target, e, "select to_regclass($1) is not null", name.text);
	bool there = r && rows_bool(r, 0, 0);
	strbuf_free(&name);
	rows_free(r);
	return there;
}

/* Of the table and all above it. */
static void choose_names(struct tool *t, const struct table_info *all, size_t n, size_t table)
{
	for (size_t i = table; i < n;) {
		const struct table_map *map = selection_map(&t->mirror, all[i].schema, all[i].name);
		int64_t parent = all[i].parent;
		for (size_t k = 0; map && k < map->column_count; k++)
			renames_add(&t->renamed[t->count], map->columns[k].source, map->columns[k].target);
		for (i = 0; i < n && (parent == 0 || all[i].oid != parent); i++)
			;
	}
}

static bool choose(struct tool *t, struct error *e)
{
	struct table_info *all;
	size_t n;
	if (!tables_read(t->source, &all, &n, e))
		return false;
	t->renamed = xcalloc(n, sizeof(*t->renamed));
	for (size_t i = 0; i < n; i++) {
		if (!selection_takes(&t->mirror, all[i].schema, all[i].name))
			continue;
		choose_names(t, all, n, i);
		GROW(t->tables, t->count);
		struct schema_table *one = &t->tables[t->count];
		*one = (struct schema_table){ .oid = all[i].oid, .renamed = &t->renamed[t->count++] };
		copy_text(one->source_schema, NAME_SIZE, all[i].schema);
		copy_text(one->source_name, NAME_SIZE, all[i].name);
		selection_target(
			&t->mirror, all[i].schema, all[i].name, one->target_schema, one->target_name);
		one->exists = exists(t->target, one, e);
	}
	tables_free(all, n);
	return true;
}

static void print_findings(const struct schema_findings *f)
{
	static const char *const words[] = { "ok", "note", "warning", "blocker" };
	for (size_t i = 0; i < f->count; i++)
		printf("%s: %s%s%s\n", words[f->items[i].severity], f->items[i].text,
			f->items[i].next ? "; " : "", f->items[i].next ? f->items[i].next : "");
}

static bool run_steps(struct tool *t, const struct schema_steps *steps, struct error *e)
{
	for (size_t i = 0; i < steps->count; i++) {
		const struct schema_step *s = &steps->items[i];
		if (t->print)
			printf("%s %d %s: %s\n", schema_kind_name(s->kind), s->stage, s->name, s->sql);
		else if (!pg_run(t->target, e, s->sql))
			return error_prefix(e, "%s %s: %s", schema_kind_name(s->kind), s->name, s->sql);
	}
	return true;
}

static bool run_values(struct tool *t, struct error *e)
{
	/* As the engine does: in the transaction of a snapshot. */
	struct schema_steps values;
	if (!pg_run(t->source, e, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY") ||
		!schema_values(t->source, t->target, &t->mirror, t->tables, t->count, &values, e))
		return false;
	bool ok = run_steps(t, &values, e);
	for (size_t i = 0; i < values.unread.count; i++)
		printf("unread: %s\n", values.unread.items[i]);
	schema_steps_free(&values);
	return ok;
}

static bool run_plan(struct tool *t, const struct schema_plan *plan, struct error *e)
{
	return run_steps(t, &plan->before, e) && (!t->load || pg_run(t->target, e, t->load)) &&
		   run_steps(t, &plan->after, e) && run_steps(t, &plan->final, e) && run_values(t, e);
}

static int check(struct tool *t, struct error *e)
{
	struct schema_check result;
	if (!schema_check(t->source, t->target, &t->mirror, t->tables, t->count, &result, e))
		return fail(e);
	print_findings(&result.findings);
	for (size_t i = 0; i < t->count; i++)
		if (result.has_rows[i])
			printf("rows: %s.%s\n", t->tables[i].target_schema, t->tables[i].target_name);
	int code = result.findings.blockers > 0;
	schema_check_free(&result);
	return code;
}

static int work(struct tool *t, struct error *e)
{
	if (!choose(t, e))
		return fail(e);
	if (t->check)
		return check(t, e);
	if (t->mirror.schema == SCHEMA_DATABASE)
		return run_values(t, e) ? 0 : fail(e);
	int64_t began = clock_us();
	struct schema_plan *plan =
		schema_plan_new(t->source, t->target, &t->mirror, t->tables, t->count, e);
	if (!plan)
		return fail(e);
	fprintf(stderr, "%zu tables, %zu + %zu + %zu steps planned in %.3f s\n", t->count,
		plan->before.count, plan->after.count, plan->final.count,
		(double)(clock_us() - began) / 1e6);
	print_findings(&plan->findings);
	int code = plan->findings.blockers > 0 ? 1 : run_plan(t, plan, e) ? 0 : fail(e);
	schema_plan_free(plan);
	return code;
}

int main(int argc, char **argv)
{
	struct tool t = { 0 };
	struct error e = { 0 };
	mirror_config_defaults(&t.mirror);
	if (!read_options(&t, argc, argv)) {
		fputs("usage: schema_tool [-pcad] [-m A=B] [-r S.T|C=D] [-x S.T.C] [-s SQL] SOURCE TARGET PATTERN...\n",
			stderr);
		return 2;
	}
	struct peer_config source = { .name = xstrdup("source"), .conninfo = xstrdup(argv[optind]) };
	struct peer_config target = { .name = xstrdup("target"),
		.conninfo = xstrdup(argv[optind + 1]) };
	struct stop *stop = stop_new(NULL);
	t.source = pg_connect(&source, NULL, "schema", stop, &e);
	t.target = t.source ? pg_connect(&target, NULL, "schema", stop, &e) : NULL;
	int code = t.target ? work(&t, &e) : fail(&e);
	pg_free(t.source);
	pg_free(t.target);
	stop_free(stop);
	for (size_t i = 0; i < t.count; i++)
		renames_free(&t.renamed[i]);
	free(t.renamed);
	free(t.tables);
	mirror_config_free(&t.mirror);
	peer_config_free(&source);
	peer_config_free(&target);
	return code;
}
