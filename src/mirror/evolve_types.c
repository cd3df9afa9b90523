// SPDX-License-Identifier: PostgreSQL
/* Types and labels that a table's columns need, made on the target. Each label is a transaction of its own,
 * because no value of it can be written before that has ended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../schema/types.h"
#include "evolve.h"

#define PG_HAS_MULTIRANGES 140000

static void differs(struct evolve_result *out, const char *next, const char *fmt, ...) PG_PRINTF(3, 4);
static void differs(struct evolve_result *out, const char *next, const char *fmt, ...)
{
	va_list args;
	char text[512];
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	out->end = EVOLVE_DIFFERS;
	error_set(&out->difference, ERROR_CONFLICT, "%s", text);
	if (next)
		error_next(&out->difference, "%s", next);
}

static void did(struct evolve_result *out, char *take_line)
{
	strings_add(&out->done, take_line);
	free(take_line);
	if (out->end == EVOLVE_NOTHING)
		out->end = EVOLVE_DONE;
}

/* ---- labels ---- */

static bool has_label(const struct rows *labels, const char *name)
{
	for (int i = 0; i < rows_count(labels); i++)
		if (strcmp(rows_text(labels, i, 0), name) == 0)
			return true;
	return false;
}

static bool is_of(const struct def_type *t, const char *name)
{
	for (size_t i = 0; i < t->member_count; i++)
		if (strcmp(t->members[i].name, name) == 0)
			return true;
	return false;
}

/* A label that only the target has, where the source has one that the target lacks: most likely the same. */
static bool is_renamed(struct evolve_result *out, const struct def_type *t, const struct rows *labels, size_t i)
{
	if (i >= (size_t)rows_count(labels) || is_of(t, rows_text(labels, (int)i, 0)))
		return false;
	struct strbuf next = STRBUF_INIT;
	strbuf_add(&next, "ALTER TYPE ");
	quote_qualified(&next, t->schema, t->name);
	strbuf_add(&next, " RENAME VALUE ");
	quote_literal(&next, rows_text(labels, (int)i, 0));
	strbuf_add(&next, " TO ");
	quote_literal(&next, t->members[i].name);
	differs(out, next.text, "type %s.%s: label '%s' of the target is '%s' on the source", t->schema, t->name,
		rows_text(labels, (int)i, 0), t->members[i].name);
	strbuf_free(&next);
	return true;
}

static bool add_label(const struct evolve *v, const struct def_type *t, size_t i, const char *first,
	struct evolve_result *out, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "ALTER TYPE ");
	quote_qualified(&sql, t->schema, t->name);
	strbuf_add(&sql, " ADD VALUE IF NOT EXISTS ");
	quote_literal(&sql, t->members[i].name);
	if (i > 0 || first) {
		strbuf_add(&sql, i > 0 ? " AFTER " : " BEFORE ");
		quote_literal(&sql, i > 0 ? t->members[i - 1].name : first);
	}
	bool ok = pg_run(v->target, e, sql.text);
	strbuf_free(&sql);
	if (ok)
		did(out, xasprintf("type %s.%s: label '%s' added", t->schema, t->name, t->members[i].name));
	return ok;
}

/* In the source's order, so that the label before each one is there. */
static bool add_labels(const struct evolve *v, const struct def_type *t, struct evolve_result *out,
	struct error *e)
{
	struct rows *labels = PG_ROWS(v->target, e,
		"SELECT l.enumlabel FROM pg_catalog.pg_enum l JOIN pg_catalog.pg_type t ON t.oid = l.enumtypid"
		" JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = $1 AND t.typname = $2"
		" ORDER BY l.enumsortorder", t->schema, t->name);
	bool ok = labels != NULL, there = ok && rows_count(labels) > 0;
	for (size_t i = 0; ok && there && i < t->member_count && out->end != EVOLVE_DIFFERS; i++)
		if (!has_label(labels, t->members[i].name) && !is_renamed(out, t, labels, i))
			ok = add_label(v, t, i, rows_text(labels, 0, 0), out, e);
	rows_free(labels);
	return ok;
}

/* ---- types ---- */

static bool make(const struct evolve *v, const struct def_type *t, struct evolve_result *out, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "CREATE SCHEMA IF NOT EXISTS ");
	quote_name(&sql, t->schema);
	strbuf_add(&sql, "; ");
	type_create(&sql, t, pg_version(v->target) >= PG_HAS_MULTIRANGES);
	bool ok = pg_run(v->target, e, sql.text);
	strbuf_free(&sql);
	if (ok)
		did(out, xasprintf("type %s.%s created", t->schema, t->name));
	return ok;
}

/* Those that others are made of come first. */
static bool make_all(const struct evolve *v, const struct def_types *types, struct evolve_result *out,
	struct error *e)
{
	int deepest = -1;
	for (size_t i = 0; i < types->count; i++)
		deepest = types->items[i].made ? MAX(deepest, types->items[i].depth) : deepest;
	for (int depth = 0; depth <= deepest; depth++)
		for (size_t i = 0; i < types->count; i++)
			if (types->items[i].made && types->items[i].depth == depth && !make(v, &types->items[i], out, e))
				return false;
	return true;
}

static bool judge(struct evolve_result *out, const struct schema_findings *f)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->items[i].severity != SEVERITY_BLOCKER)
			continue;
		differs(out, f->items[i].next, "%s", f->items[i].text);
		return false;
	}
	return true;
}

static bool read_uses(struct pg *source, uint32_t table, struct type_use **uses, size_t *count, struct error *e)
{
	char oid[12];
	snprintf(oid, sizeof(oid), "%u", table);
	struct rows *r = PG_ROWS(source, e, "SELECT DISTINCT atttypid FROM pg_catalog.pg_attribute"
		" WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped", oid);
	if (!r)
		return false;
	*count = (size_t)rows_count(r);
	*uses = xcalloc(*count, sizeof(**uses));
	for (size_t i = 0; i < *count; i++)
		(*uses)[i] = (struct type_use){ rows_int(r, (int)i, 0), SCHEMA_NO_TABLE };
	rows_free(r);
	return true;
}

bool evolve_types(const struct evolve *v, uint32_t source_table, struct evolve_result *out, struct error *e)
{
	struct def_types types = { 0 };
	struct schema_findings findings = { 0 };
	struct type_use *uses = NULL;
	size_t count = 0;
	bool ok = read_uses(v->source, source_table, &uses, &count, e) &&
			  types_read(&types, v->source, uses, count, e);
	for (size_t i = 0; ok && i < types.count; i++)
		if (types.items[i].kind == TYPE_ENUM)
			ok = add_labels(v, &types.items[i], out, e);
	if (ok && out->end != EVOLVE_DIFFERS)
		ok = types_compare(&types, v->source, v->target, &findings, e) &&
			 (!judge(out, &findings) || make_all(v, &types, out, e));
	schema_findings_free(&findings);
	types_free(&types);
	free(uses);
	return ok;
}
