// SPDX-License-Identifier: PostgreSQL
#include "survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../replicate/ready.h"
#include "../schema/check.h"
#include "run.h"
#include "survey_inside.h"

void survey_find(struct survey *s, size_t table, enum severity severity, const char *subject,
	const char *text, const char *next)
{
	GROW(s->findings, s->finding_count);
	s->findings[s->finding_count++] = (struct survey_finding){
		.table = table,
		.finding = { severity, xstrdup(subject), xstrdup(text), xstrdup(next) },
	};
	s->blockers += severity == SEVERITY_BLOCKER;
}

/* What is wrong with a table that replicates already is told, but holds nobody up: the stream says soon enough
 * whether it can go on. */
void find_of_table(struct survey *s, size_t table, enum severity severity, const char *text,
	const char *next)
{
	const struct schema_table *t = &s->tables[table].names;
	char subject[2 * NAME_SIZE];
	if (s->tables[table].settled && severity == SEVERITY_BLOCKER)
		severity = SEVERITY_WARNING;
	snprintf(subject, sizeof(subject), "%s.%s", t->source_schema, t->source_name);
	survey_find(s, table, severity, subject, text, next);
}

/* ---- what the target has ---- */

static bool made_by_us(const struct reading *r, const struct schema_table *t)
{
	char mark[4 * NAME_SIZE];
	if (!r->known)
		return false;
	snprintf(mark, sizeof(mark), "%s %s.%s", schema_kind_name(SCHEMA_TABLE), t->target_schema, t->target_name);
	return strings_sorted_have(&r->known->steps, mark);
}

static char *target_names(const struct survey *s, bool schema)
{
	struct strbuf b = STRBUF_INIT;
	const char **names = xmalloc(s->table_count * sizeof(*names));
	for (size_t i = 0; i < s->table_count; i++)
		names[i] = schema ? s->tables[i].names.target_schema : s->tables[i].names.target_name;
	quote_array(&b, s->table_count, names);
	free(names);
	return strbuf_take(&b);
}

/* Loaded, with all that belongs to it, in a mirror that replicates: from now on it is a table that is there, and
 * what is made later joins it. A parent's indexes are whole only when all of its first partitions are; a partition
 * that came later is done before it is attached. */
static bool is_settled(const struct reading *r, size_t table, bool attached)
{
	const struct store_mirror *k = r->known;
	bool in_tree;
	return r->begun && r->mirror->continuous && table < k->table_count && k->tables[table].done &&
		   ancestors_are_done(r, &r->out->tables[table].info, &in_tree) && (attached || !in_tree);
}

/* oids[i]: the target's table, or 0. */
static bool find_targets(struct reading *r, int64_t *oids, struct error *e)
{
	struct survey *s = r->out;
	char *schemas = target_names(s, true), *names = target_names(s, false);
	struct rows *rows = PG_ROWS(r->target, e,
		"SELECT t.no, c.oid, c.relkind IN ('r', 'p'),"
		" EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) FROM unnest($1::text[], $2::text[]) WITH ORDINALITY t (s, n, no)"
		" JOIN pg_catalog.pg_namespace p ON p.nspname = t.s"
		" JOIN pg_catalog.pg_class c ON c.relnamespace = p.oid AND c.relname = t.n", schemas, names);
	free(schemas);
	free(names);
	for (int i = 0; rows && i < rows_count(rows); i++) {
		size_t table = (size_t)rows_int(rows, i, 0) - 1;
		oids[table] = rows_int(rows, i, 1);
		s->tables[table].settled = is_settled(r, table, rows_bool(rows, i, 3));
		s->tables[table].names.exists =
			s->tables[table].settled || !made_by_us(r, &s->tables[table].names);
		if (!rows_bool(rows, i, 2))
			find_of_table(s, table, SEVERITY_BLOCKER,
				"the target has something of this name that is not a table", "map it to another name");
	}
	rows_free(rows);
	return rows != NULL;
}

/* ---- what stands in the way ---- */

static void judge_table(struct reading *r, size_t i)
{
	struct survey *s = r->out;
	const struct survey_table *t = &s->tables[i];
	const char *target = t->names.target_name;
	char next[300];
	if (!t->info.oid) {
		find_of_table(s, i, SEVERITY_WARNING, "the source has this table no more",
			"drop the mirror and make it anew without the table");
		return;
	}
	if (t->info.notes & NOTE_NO_SELECT) {
		snprintf(next, sizeof(next), "GRANT SELECT on %s.%s to the source peer's role", t->info.schema,
			t->info.name);
		find_of_table(s, i, SEVERITY_WARNING, "our role may not read it: this table will fail", next);
	}
	if (t->info.notes & NOTE_ROW_SECURITY)
		find_of_table(s, i, SEVERITY_WARNING,
			"row security would hide rows from our role: this table will fail",
			"use a role with BYPASSRLS on the source");
	if (r->mirror->schema == SCHEMA_NONE && !t->names.exists && !t->parent && !made_by_us(r, &t->names)) {
		snprintf(next, sizeof(next), "create %.100s on the target, or set schema = \"tables\"", target);
		find_of_table(s, i, SEVERITY_BLOCKER, "the target has no such table", next);
	}
	bool joins = !r->begun || i >= r->known->table_count;
	if (joins && t->names.exists && t->has_rows && r->mirror->on_existing_rows == EXISTING_REFUSE)
		find_of_table(s, i, SEVERITY_BLOCKER, "the target's table has rows",
			"empty it yourself, or set on_existing_rows to \"truncate\" or \"append\"");
	if (joins && t->names.exists && t->has_rows && r->mirror->on_existing_rows == EXISTING_TRUNCATE)
		find_of_table(s, i, SEVERITY_WARNING, "the target's rows of this table will be removed",
			"set on_existing_rows to \"refuse\" if that is not wanted");
}

/* A mirror onto itself would empty what it reads. Host names tell nothing; a server's start does. */
static bool judge_places(struct reading *r, struct error *e)
{
	static const char sql[] = "SELECT pg_postmaster_start_time()::text || ' ' || current_database()";
	struct rows *a = PG_ROWS(r->source, e, sql), *b = a ? PG_ROWS(r->target, e, sql) : NULL;
	if (b && strcmp(rows_text(a, 0, 0), rows_text(b, 0, 0)) == 0)
		survey_find(r->out, SCHEMA_NO_TABLE, SEVERITY_BLOCKER, "peers",
			"source and target are the same database", "choose another target peer");
	bool ok = b != NULL;
	rows_free(a);
	rows_free(b);
	return ok;
}

/* Of a mirror that goes on after its load. Tables that are gone are told of elsewhere. */
static bool judge_replication(struct reading *r, struct error *e)
{
	const struct survey *s = r->out;
	char slot[NAME_SIZE], publication[NAME_SIZE];
	struct ready_table *tables = xmalloc(s->table_count * sizeof(*tables));
	struct ready found = { 0 };
	mirror_slot_name(r->mirror, slot);
	mirror_publication_name(r->mirror, publication);
	for (size_t i = 0; i < s->table_count; i++)
		tables[i] = (struct ready_table){ s->tables[i].info.oid, s->tables[i].parent };
	const struct ready_plan plan = { slot, publication, r->known && r->known->replication.slot[0], tables,
		s->table_count };
	bool ok = ready_check(r->source, &plan, &found, e);
	for (size_t i = 0; ok && i < found.count; i++) {
		const struct finding *f = &found.items[i].finding;
		survey_find(r->out, found.items[i].table, f->severity, f->subject, f->text, f->next);
	}
	ready_free(&found);
	free(tables);
	return ok;
}

struct schema_table *survey_names(const struct survey *s)
{
	struct schema_table *names = xmalloc(s->table_count * sizeof(*names));
	for (size_t i = 0; i < s->table_count; i++)
		names[i] = s->tables[i].names;
	return names;
}

static void take_findings(struct survey *s, const struct schema_findings *f)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct schema_finding *x = &f->items[i];
		if (x->table == SCHEMA_NO_TABLE)
			survey_find(s, x->table, x->severity, "schema", x->text, x->next);
		else if (!s->tables[x->table].info.oid) /* of one that is gone we say so ourselves */
			continue;
		else
			find_of_table(s, x->table, x->severity, x->text, x->next);
		s->findings[s->finding_count - 1].of_load = x->of_load;
	}
}

/* A table that the dump makes is none of the plan's, whether it is there yet or not. */
static bool leave_to_dump(const struct reading *r, struct schema_table *names)
{
	bool all = true;
	for (size_t i = 0; i < r->out->table_count; i++) {
		char name[2 * NAME_SIZE];
		snprintf(name, sizeof(name), "%s.%s", names[i].source_schema, names[i].source_name);
		bool dumped = !r->begun || strings_sorted_have(&r->known->dumped, name);
		names[i].exists = names[i].exists || dumped;
		all = all && dumped;
	}
	return all;
}

/* Tables that came later, and columns of our own, are no part of the dump. */
static bool needs_plan(const struct reading *r, struct schema_table *names)
{
	const struct mirror_config *m = r->mirror;
	if (m->schema != SCHEMA_DATABASE)
		return m->schema == SCHEMA_TABLES;
	bool all = leave_to_dump(r, names);
	return !all || m->sync_columns || m->soft_delete;
}

static bool plan_definitions(struct reading *r, struct schema_table *names, struct error *e)
{
	struct survey *s = r->out;
	if (!needs_plan(r, names)) {
		s->schema = xcalloc(1, sizeof(*s->schema));
		return true;
	}
	s->schema = schema_plan_new(r->source, r->target, r->mirror, names, s->table_count, e);
	if (s->schema)
		take_findings(s, &s->schema->findings);
	return s->schema;
}

static bool check_definitions(struct reading *r, struct error *e)
{
	struct survey *s = r->out;
	struct schema_table *names = survey_names(s);
	struct schema_check check;
	bool ok = schema_check(r->source, r->target, r->mirror, names, s->table_count, &check, e);
	if (ok) {
		for (size_t i = 0; i < s->table_count; i++)
			s->tables[i].has_rows = check.has_rows[i];
		take_findings(s, &check.findings);
		schema_check_free(&check);
	}
	ok = ok && plan_definitions(r, names, e);
	free(names);
	return ok;
}

bool survey_read(struct pg *source, struct pg *target, const struct mirror_config *m,
	const struct store_mirror *known, bool grow, struct survey *out, struct error *e)
{
	*out = (struct survey){ 0 };
	struct reading r = { .source = source, .target = target, .mirror = m, .known = known, .out = out,
		.begun = known && known->table_count > 0 };
	if (!judge_places(&r, e) || !tables_read(source, &r.infos, &r.info_count, e)) {
		survey_free(out);
		return false;
	}
	infos_sort(&r);
	if (r.begun)
		choose_known(&r);
	if (r.begun && grow)
		choose_more(&r);
	else if (!r.begun)
		choose_new(&r);
	rename_columns(&r);
	int64_t *target_oids = xcalloc(out->table_count, sizeof(*target_oids));
	bool ok = find_targets(&r, target_oids, e) && read_columns(&r, target_oids, e) && check_definitions(&r, e);
	for (size_t i = 0; ok && i < out->table_count; i++)
		judge_table(&r, i);
	ok = ok && (!m->continuous || judge_replication(&r, e));
	free(target_oids);
	free(r.by_oid);
	tables_free(r.infos, r.info_count);
	if (!ok)
		survey_free(out);
	return ok;
}

void survey_free(struct survey *s)
{
	for (size_t i = 0; i < s->table_count; i++) {
		struct table_info *info = &s->tables[i].info;
		free(info->schema);
		free(info->name);
		free(info->key_column);
		free(info->key_type);
		free(s->tables[i].columns);
		free(s->tables[i].target_columns);
		renames_free(&s->tables[i].renamed);
	}
	for (size_t i = 0; i < s->finding_count; i++) {
		free(s->findings[i].finding.subject);
		free(s->findings[i].finding.text);
		free(s->findings[i].finding.next);
	}
	free(s->tables);
	free(s->findings);
	strings_free(&s->unclaimed);
	schema_plan_free(s->schema);
	*s = (struct survey){ 0 };
}

bool survey_error(const struct survey *s, struct error *e)
{
	for (size_t i = 0; i < s->finding_count; i++) {
		const struct finding *f = &s->findings[i].finding;
		if (f->severity != SEVERITY_BLOCKER)
			continue;
		error_set(e, ERROR_CONFLICT, "%s: %s%s", f->subject, f->text,
			s->blockers > 1 ? " (and more: pgpier check lists all)" : "");
		if (f->next)
			error_next(e, "%s", f->next);
		return false;
	}
	return true;
}
