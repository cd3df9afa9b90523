// SPDX-License-Identifier: PostgreSQL
/* The sequences that the mirror's tables own or use. A sequence knows no snapshots: what is compared is its value
 * now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

/* Branches of one UNION ALL: the parser recurses into each. */
#define READ_AT_ONCE 200
#define PG_HAS_SEQUENCE_CATALOG 100000

struct seq {
	char *names[SIDES]; /* quoted; NULL: there is none */
	char *plain[SIDES];
	int64_t value[SIDES];
	bool called[SIDES], down;
	size_t table; /* of the store: whose column it belongs to */
};

struct seqs {
	struct seq *items;
	size_t count;
};

static const char owned_sql[] =
	"SELECT DISTINCT ON (s.oid) s.oid, n.nspname, s.relname, u.no - 1, d.column_name FROM ("
	"   SELECT d.objid AS seq, d.refobjid AS tab, a.attname AS column_name, 1 AS rank FROM pg_depend d"
	"    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
	"    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0"
	"     AND d.deptype IN ('a', 'i')"
	"  UNION ALL"
	"   SELECT d.refobjid, f.adrelid, NULL, 2 FROM pg_attrdef f JOIN pg_depend d"
	"    ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass) d"
	" JOIN (SELECT c.oid, t.no FROM unnest($1::text[], $2::text[]) WITH ORDINALITY t (s, n, no)"
	"   JOIN pg_namespace p ON p.nspname = t.s JOIN pg_class c ON c.relnamespace = p.oid AND c.relname = t.n) u"
	"  ON u.oid = d.tab"
	" JOIN pg_class s ON s.oid = d.seq AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace"
	" ORDER BY s.oid, d.rank, u.no";

/* That of the column, whatever its name; else the one of the same name. */
static const char target_sql[] =
	"SELECT u.no - 1, n.nspname, s.relname FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY u (t, c, s, no)"
	" JOIN pg_class s ON s.relkind = 'S' AND s.oid = coalesce((SELECT pg_get_serial_sequence(u.t, a.attname)::regclass"
	"   FROM pg_attribute a WHERE a.attrelid = to_regclass(u.t) AND a.attname = u.c AND a.attnum > 0), to_regclass(u.s))"
	" JOIN pg_namespace n ON n.oid = s.relnamespace";

static char *quoted_name(const char *schema, const char *name)
{
	struct strbuf b = STRBUF_INIT;
	quote_qualified(&b, schema, name);
	return strbuf_take(&b);
}

static void take_name(struct seq *s, int side, const struct rows *r, int row, int column)
{
	free(s->names[side]);
	free(s->plain[side]);
	s->names[side] = quoted_name(rows_text(r, row, column), rows_text(r, row, column + 1));
	s->plain[side] = xasprintf("%s.%s", rows_text(r, row, column), rows_text(r, row, column + 1));
}

/* Of all tables, also those whose rows are in partitions. */
static struct rows *query_owned(struct verify_run *r, struct pg *c, struct error *e)
{
	size_t n = r->store.table_count;
	const char **schemas = xcalloc(n, sizeof(*schemas)), **names = xcalloc(n, sizeof(*names));
	struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
	for (size_t i = 0; i < n; i++) {
		schemas[i] = r->store.tables[i].source_schema;
		names[i] = r->store.tables[i].source_name;
	}
	quote_array(&a, n, schemas);
	quote_array(&b, n, names);
	struct rows *rows = PG_ROWS(c, e, owned_sql, a.text, b.text);
	strbuf_free(&a);
	strbuf_free(&b);
	free(schemas);
	free(names);
	return rows;
}

static struct rows *read_owned(struct verify_run *r, struct pg *c, struct seqs *l, struct error *e)
{
	struct rows *rows = query_owned(r, c, e);
	l->count = rows ? (size_t)rows_count(rows) : 0;
	l->items = xcalloc(l->count, sizeof(*l->items));
	for (size_t i = 0; i < l->count; i++) {
		take_name(&l->items[i], SOURCE, rows, (int)i, 1);
		l->items[i].table = (size_t)rows_int(rows, (int)i, 3);
	}
	return rows;
}

static bool find_on_target(struct verify_run *r, struct pg *c, const struct rows *owned, struct seqs *l, struct error *e)
{
	char **tables = xcalloc(l->count, sizeof(*tables));
	const char **columns = xcalloc(l->count, sizeof(*columns)), **names = xcalloc(l->count, sizeof(*names));
	struct strbuf b[3] = { STRBUF_INIT, STRBUF_INIT, STRBUF_INIT };
	for (size_t i = 0; i < l->count; i++) {
		const struct store_table *t = &r->store.tables[l->items[i].table];
		tables[i] = quoted_name(t->target_schema, t->target_name);
		columns[i] = rows_null(owned, (int)i, 4) ? NULL : describe_target_name(t, rows_text(owned, (int)i, 4));
		names[i] = l->items[i].names[SOURCE];
	}
	quote_array(&b[0], l->count, (const char *const *)tables);
	quote_array(&b[1], l->count, columns);
	quote_array(&b[2], l->count, names);
	struct rows *rows = PG_ROWS(c, e, target_sql, b[0].text, b[1].text, b[2].text);
	for (int i = 0; rows && i < rows_count(rows); i++)
		take_name(&l->items[rows_int(rows, i, 0)], TARGET, rows, i, 1);
	for (size_t i = 0; i < l->count; i++)
		free(tables[i]);
	for (size_t i = 0; i < ARRAY_SIZE(b); i++)
		strbuf_free(&b[i]);
	free(tables);
	free(columns);
	free(names);
	rows_free(rows);
	return rows != NULL;
}

/* ---- values ---- */

static void add_reading(struct strbuf *sql, const struct pg *c, const char *name, size_t number)
{
	bool catalog = pg_version(c) >= PG_HAS_SEQUENCE_CATALOG;
	struct strbuf literal = STRBUF_INIT;
	quote_literal(&literal, name);
	strbuf_addf(sql, "%sSELECT %zu, last_value, is_called, ", sql->len ? " UNION ALL " : "", number);
	if (catalog)
		strbuf_addf(sql, "(SELECT seqincrement < 0 FROM pg_sequence WHERE seqrelid = %s::regclass)", literal.text);
	else
		strbuf_add(sql, "increment_by < 0");
	strbuf_addf(sql, " FROM %s", name);
	strbuf_free(&literal);
}

/* Outside of a transaction, so that no locks pile up. */
static bool read_values(struct pg *c, int side, struct seqs *l, struct error *e)
{
	bool ok = true;
	for (size_t first = 0; ok && first < l->count; first += READ_AT_ONCE) {
		struct strbuf sql = STRBUF_INIT;
		for (size_t i = first; i < MIN(first + READ_AT_ONCE, l->count); i++)
			if (l->items[i].names[side])
				add_reading(&sql, c, l->items[i].names[side], i);
		struct rows *r = sql.len ? PG_ROWS(c, e, sql.text) : NULL;
		ok = r || !sql.len;
		for (int i = 0; r && i < rows_count(r); i++) {
			struct seq *s = &l->items[rows_int(r, i, 0)];
			s->value[side] = rows_int(r, i, 1);
			s->called[side] = rows_bool(r, i, 2);
			s->down = s->down || (side == SOURCE && rows_bool(r, i, 3));
		}
		rows_free(r);
		strbuf_free(&sql);
	}
	return ok;
}

/* ---- verdicts ---- */

static int compare_positions(const struct seq *s)
{
	int64_t a = s->value[SOURCE], b = s->value[TARGET];
	if (a == b)
		return s->called[SOURCE] - s->called[TARGET];
	return (a > b) != s->down ? 1 : -1;
}

/* A sequence that is ahead gives no value twice; one that nobody keeps level is nobody's fault. */
static void judge(const struct verify_run *r, const struct seq *s, struct verify_sequence *out)
{
	const struct mirror_config *m = r->set->config;
	int order = s->names[TARGET] ? compare_positions(s) : 0;
	if (!s->names[TARGET]) {
		out->verdict = m->schema == SCHEMA_NONE ? VERIFY_EQUAL : VERIFY_UNSURE;
		out->note = xstrdup("the target has no such sequence");
	} else if (order < 0) {
		out->note = xstrdup("the target is ahead");
	} else if (order > 0 && m->schema == SCHEMA_NONE) {
		out->note = xstrdup("the target is behind; with schema = \"none\" sequences are not set");
	} else if (order > 0 && m->continuous && !r->set->at_rest) {
		out->note = xstrdup("the target is behind, as long as the mirror replicates");
	} else if (order > 0) {
		out->verdict = VERIFY_DIFFERS;
		out->note = xstrdup("the target is behind: it would give values twice");
	}
}

static void tell(struct verify_run *r, const struct seqs *l)
{
	struct verification *v = r->result;
	v->sequences = xcalloc(l->count, sizeof(*v->sequences));
	v->sequence_count = l->count;
	for (size_t i = 0; i < l->count; i++) {
		const struct seq *s = &l->items[i];
		v->sequences[i] = (struct verify_sequence){ .source = xstrdup(s->plain[SOURCE]),
			.target = xstrdup(s->plain[TARGET]), .source_value = s->value[SOURCE], .target_value = s->value[TARGET],
			.source_called = s->called[SOURCE], .target_called = s->called[TARGET] };
		judge(r, s, &v->sequences[i]);
	}
}

static void seqs_free(struct seqs *l)
{
	for (size_t i = 0; i < l->count; i++)
		for (int side = 0; side < SIDES; side++) {
			free(l->items[i].names[side]);
			free(l->items[i].plain[side]);
		}
	free(l->items);
}

bool compare_sequences(struct verify_run *r, struct error *e)
{
	struct seqs l = { 0 };
	struct pg *c[SIDES] = { NULL };
	struct rows *owned = read_owned(r, snapshot_connection(r->snapshot[SOURCE]), &l, e);
	bool ok = owned && find_on_target(r, snapshot_connection(r->snapshot[TARGET]), owned, &l, e);
	for (int side = 0; ok && l.count > 0 && side < SIDES; side++) {
		c[side] = pg_connect(r->peer[side], r->label, "sequences", r->stop, e);
		ok = c[side] && read_values(c[side], side, &l, e);
	}
	if (ok)
		tell(r, &l);
	rows_free(owned);
	seqs_free(&l);
	pg_free(c[SOURCE]);
	pg_free(c[TARGET]);
	return ok;
}
