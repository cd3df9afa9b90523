// SPDX-License-Identifier: PostgreSQL
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include <pgpier/selection.h>

#include "defs.h"
#include "text.h"

/* Tables in one statement that looks for rows. */
#define PROBED_AT_ONCE 200

/* One chosen table on both sides; rows of each side's columns are slices of one result. */
struct pair {
	const struct schema_table *wanted;
	size_t number;
	int64_t oid; /* on the target; 0 none */
	char relkind;
	bool readable;
	int indexes, unique, triggers;
};

struct slice {
	const struct rows *rows;
	int from, to;
};

struct checker {
	const struct mirror_config *mirror;
	struct pair *pairs; /* of the tables that exist */
	size_t count;
	struct schema_check *out;
};

/* ---- the target's tables ---- */

enum target_field { T_PLACE, T_OID, T_RELKIND, T_READABLE, T_INDEXES, T_UNIQUE, T_TRIGGERS };

static bool find_targets(struct checker *c, struct pg *target, struct error *e)
{
	const char **schemas = xcalloc(c->count, sizeof(*schemas));
	const char **names = xcalloc(c->count, sizeof(*names));
	for (size_t i = 0; i < c->count; i++) {
		schemas[i] = c->pairs[i].wanted->target_schema;
		names[i] = c->pairs[i].wanted->target_name;
	}
	struct strbuf s = STRBUF_INIT, n = STRBUF_INIT;
	quote_array(&s, c->count, schemas);
	quote_array(&n, c->count, names);
	struct rows *r = PG_ROWS(target, e,
		"select u.i - 1, c.oid, c.relkind, has_table_privilege(c.oid, 'SELECT'),"
		" (select count(*) from pg_index where indrelid = c.oid),"
		" (select count(*) from pg_index where indrelid = c.oid and indisunique),"
		" (select count(*) from pg_trigger where tgrelid = c.oid and not tgisinternal"
		" and tgenabled in ('O', 'A'))"
		" from unnest($1::text[], $2::text[]) with ordinality u (s, n, i)"
		" join pg_namespace ns on ns.nspname = u.s"
		" join pg_class c on c.relnamespace = ns.oid and c.relname = u.n",
		s.text, n.text);
	for (int row = 0; r && row < rows_count(r); row++) {
		struct pair *p = &c->pairs[rows_int(r, row, T_PLACE)];
		p->oid = rows_int(r, row, T_OID);
		p->relkind = rows_text(r, row, T_RELKIND)[0];
		p->readable = rows_bool(r, row, T_READABLE);
		p->indexes = (int)rows_int(r, row, T_INDEXES);
		p->unique = (int)rows_int(r, row, T_UNIQUE);
		p->triggers = (int)rows_int(r, row, T_TRIGGERS);
	}
	bool ok = r != NULL;
	rows_free(r);
	free(schemas);
	free(names);
	strbuf_free(&s);
	strbuf_free(&n);
	return ok;
}

static bool is_table(const struct pair *p)
{
	return p->relkind == 'r' || p->relkind == 'p';
}

/* ---- columns ---- */

/* The rows of one table, which are together and by oid. */
static struct slice slice_of(const struct rows *r, int64_t oid)
{
	int low = 0, high = rows_count(r);
	while (low < high) {
		int middle = low + (high - low) / 2;
		if (rows_int(r, middle, COLUMN_TABLE) < oid)
			low = middle + 1;
		else
			high = middle;
	}
	struct slice s = { r, low, low };
	while (s.to < rows_count(r) && rows_int(r, s.to, COLUMN_TABLE) == oid)
		s.to++;
	return s;
}

static int column_in(const struct slice *s, const char *name)
{
	for (int row = s->from; row < s->to; row++)
		if (strcmp(rows_text(s->rows, row, COLUMN_NAME), name) == 0)
			return row;
	return -1;
}

/* ALTER TABLE "s"."t" + the rest. */
static char *alter(const struct pair *p, const char *action, const char *column, const char *rest)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_add(&b, "ALTER TABLE ");
	quote_qualified(&b, p->wanted->target_schema, p->wanted->target_name);
	strbuf_addf(&b, " %s ", action);
	quote_name(&b, column);
	strbuf_addf(&b, "%s%s", rest[0] != '\0' ? " " : "", rest);
	return strbuf_take(&b);
}

static void report(struct checker *c, const struct pair *p, enum severity severity,
	const char *column, char *take_what, char *take_next)
{
	schema_findings_add(&c->out->findings, p->number, severity, "%s.%s on the target: column %s %s",
		p->wanted->target_schema, p->wanted->target_name, column, take_what)
		->next = take_next;
	free(take_what);
}

static void check_type(struct checker *c, const struct pair *p, const char *column,
	const char *source, const char *target)
{
	char *type = xasprintf("TYPE %s", source);
	switch (text_type_fit(source, target)) {
	case TYPE_SAME:
		break;
	case TYPE_FITS:
		report(c, p, SEVERITY_NOTE, column,
			xasprintf("is %s, and %s on the source, which fits", target, source), NULL);
		break;
	case TYPE_MAY_FIT:
		report(c, p, SEVERITY_WARNING, column,
			xasprintf("is %s, and %s on the source: some values may not fit", target, source),
			alter(p, "ALTER COLUMN", column, type));
		break;
	case TYPE_DIFFERS:
		report(c, p, SEVERITY_BLOCKER, column,
			xasprintf("is %s, but %s on the source", target, source),
			alter(p, "ALTER COLUMN", column, type));
		break;
	}
	free(type);
}

static void check_column(struct checker *c, const struct pair *p, const struct slice *source,
	int row, const struct slice *target)
{
	const char *name = renames_target(p->wanted->renamed, rows_text(source->rows, row, COLUMN_NAME));
	const char *type = rows_text(source->rows, row, COLUMN_TYPE);
	bool generated = rows_text(source->rows, row, COLUMN_GENERATED)[0] != '\0';
	int other = column_in(target, name);
	if (other < 0) {
		/* A generated column's values are not sent, so nothing is lost that can't be computed. */
		report(c, p, generated ? SEVERITY_WARNING : SEVERITY_BLOCKER, name,
			xasprintf("(%s) is missing", type), alter(p, "ADD COLUMN", name, type));
		return;
	}
	bool computed = rows_text(target->rows, other, COLUMN_GENERATED)[0] != '\0';
	if (computed && !generated)
		report(c, p, SEVERITY_BLOCKER, name, xstrdup("is generated, but has values on the source"),
			alter(p, "ALTER COLUMN", name, "DROP EXPRESSION"));
	else if (generated && !computed)
		report(c, p, SEVERITY_WARNING, name,
			xstrdup("is not generated, but is so on the source: it gets no values"),
			xstrdup("make it a generated column on the target"));
	else if (!generated)
		check_type(c, p, name, type, rows_text(target->rows, other, COLUMN_TYPE));
	if (!computed && !generated && rows_bool(target->rows, other, COLUMN_NOT_NULL) &&
		!rows_bool(source->rows, row, COLUMN_NOT_NULL))
		report(c, p, SEVERITY_WARNING, name, xstrdup("is NOT NULL, but may be null on the source"),
			alter(p, "ALTER COLUMN", name, "DROP NOT NULL"));
}

static bool left_out(const struct checker *c, const struct pair *p, const char *column)
{
	return selection_leaves_out(
		c->mirror, p->wanted->source_schema, p->wanted->source_name, column);
}

/* Is a value sent for this column of the target? */
static bool is_sent(
	const struct checker *c, const struct pair *p, const struct slice *source, const char *column)
{
	const char *name = renames_source(p->wanted->renamed, column);
	int row = name ? column_in(source, name) : -1;
	return row >= 0 && !left_out(c, p, name) &&
		   rows_text(source->rows, row, COLUMN_GENERATED)[0] == '\0';
}

static void check_unfed(
	struct checker *c, const struct pair *p, const struct slice *source, const struct slice *target)
{
	for (int row = target->from; row < target->to; row++) {
		const char *name = rows_text(target->rows, row, COLUMN_NAME);
		if (!rows_bool(target->rows, row, COLUMN_NOT_NULL) ||
			!rows_null(target->rows, row, COLUMN_DEFAULT) ||
			rows_text(target->rows, row, COLUMN_IDENTITY)[0] != '\0' || is_sent(c, p, source, name))
			continue;
		report(c, p, SEVERITY_BLOCKER, name,
			xstrdup("is NOT NULL without a default, and the source sends no values for it"),
			alter(p, "ALTER COLUMN", name, "DROP NOT NULL"));
	}
}

/* What makes a load slow, or more than a load. */
static void check_load(struct schema_findings *f, const struct pair *p)
{
	const struct schema_table *w = p->wanted;
	if (p->indexes > 0)
		schema_findings_add(f, p->number, SEVERITY_NOTE,
			"%s.%s on the target has %d index%s already (%d unique), which slow its load",
			w->target_schema, w->target_name, p->indexes, p->indexes == 1 ? "" : "es", p->unique)->of_load = true;
	if (p->triggers == 0)
		return;
	struct schema_finding *x = schema_findings_add(f, p->number, SEVERITY_WARNING,
		"%s.%s on the target has %d trigger%s, which will fire for the rows loaded",
		w->target_schema, w->target_name, p->triggers, p->triggers == 1 ? "" : "s");
	x->next = xstrdup("disable them there for the load: ALTER TABLE ... DISABLE TRIGGER USER");
	x->of_load = true;
}

static void check_pair(
	struct checker *c, const struct pair *p, const struct rows *source, const struct rows *target)
{
	struct schema_findings *f = &c->out->findings;
	const struct schema_table *w = p->wanted;
	struct slice ours = slice_of(source, w->oid), theirs = slice_of(target, p->oid);
	if (!is_table(p)) {
		schema_findings_add(f, p->number, SEVERITY_BLOCKER,
			"%s.%s on the target is no table but something else of that name", w->target_schema,
			w->target_name)
			->next = xstrdup("rename it, or map the table to another name");
		return;
	}
	for (int row = ours.from; row < ours.to; row++)
		if (!left_out(c, p, rows_text(source, row, COLUMN_NAME)))
			check_column(c, p, &ours, row, &theirs);
	check_unfed(c, p, &ours, &theirs);
	check_load(f, p);
}

/* The columns of all tables on one side. */
static struct rows *read_side(
	const struct checker *c, struct pg *server, bool source, struct error *e)
{
	struct strbuf oids = STRBUF_INIT;
	for (size_t i = 0; i < c->count; i++)
		text_oids_add(&oids, source ? c->pairs[i].wanted->oid : c->pairs[i].oid);
	text_oids_end(&oids);
	char *sql = defs_columns_sql(server);
	struct rows *r = PG_ROWS(server, e, sql, oids.text);
	free(sql);
	strbuf_free(&oids);
	return r;
}

static bool check_pairs(struct checker *c, struct pg *source, struct pg *target, struct error *e)
{
	struct rows *ours = read_side(c, source, true, e);
	struct rows *theirs = ours ? read_side(c, target, false, e) : NULL;
	for (size_t i = 0; theirs && i < c->count; i++)
		check_pair(c, &c->pairs[i], ours, theirs);
	bool ok = theirs != NULL;
	rows_free(ours);
	rows_free(theirs);
	return ok;
}

/* ---- rows ---- */

/* The children of an inheritance parent are tables of their own; a partitioned one has rows only
 * there. */
static void add_probe(struct strbuf *b, const struct pair *p)
{
	strbuf_addf(b, "%sselect %zu where exists (select 1 from %s", b->len > 0 ? " union all " : "",
		p->number, p->relkind == 'p' ? "" : "only ");
	quote_qualified(b, p->wanted->target_schema, p->wanted->target_name);
	strbuf_add(b, " limit 1)");
}

static bool probe_rows(struct checker *c, struct pg *target, struct error *e)
{
	for (size_t i = 0; i < c->count;) {
		struct strbuf b = STRBUF_INIT;
		for (size_t n = 0; i < c->count && n < PROBED_AT_ONCE; i++, n++)
			if (is_table(&c->pairs[i]) && c->pairs[i].readable)
				add_probe(&b, &c->pairs[i]);
		struct rows *r = b.len > 0 ? PG_ROWS(target, e, b.text) : NULL;
		for (int row = 0; r && row < rows_count(r); row++)
			c->out->has_rows[rows_int(r, row, 0)] = true;
		bool ok = r || b.len == 0;
		rows_free(r);
		strbuf_free(&b);
		if (!ok)
			return false;
	}
	return true;
}

bool schema_check(struct pg *source, struct pg *target, const struct mirror_config *m,
	const struct schema_table *tables, size_t count, struct schema_check *out, struct error *e)
{
	struct checker c = { .mirror = m, .out = out };
	*out = (struct schema_check){ .has_rows = xcalloc(count, sizeof(bool)) };
	for (size_t i = 0; i < count; i++) {
		GROW(c.pairs, c.count);
		if (tables[i].exists)
			c.pairs[c.count++] = (struct pair){ .wanted = &tables[i], .number = i };
	}
	bool ok = c.count == 0 || (find_targets(&c, target, e) && check_pairs(&c, source, target, e) &&
								  probe_rows(&c, target, e));
	free(c.pairs);
	if (!ok)
		schema_check_free(out);
	return ok;
}

void schema_check_free(struct schema_check *c)
{
	schema_findings_free(&c->findings);
	free(c->has_rows);
	*c = (struct schema_check){ 0 };
}
