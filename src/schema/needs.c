// SPDX-License-Identifier: PostgreSQL
/* pg_depend has no lines about what initdb made, so what it names is exactly what another server
 * may lack. */
#include "needs.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

#define KIND_SQL                                                                                   \
	"case d.refclassid when 'pg_proc'::regclass then 'f' when 'pg_operator'::regclass then 'o'"    \
	" when 'pg_collation'::regclass then 'l' when 'pg_opclass'::regclass then 'c'"                 \
	" when 'pg_ts_config'::regclass then 's' when 'pg_ts_dict'::regclass then 'n'"                 \
	" when 'pg_type'::regclass then 'T' end"

#define TABLE_NEEDS_SQL                                                                            \
	"select * from (select 'd', a.oid, " KIND_SQL " as kind, d.refobjid from pg_attrdef a"         \
	" join pg_depend d on d.classid = 'pg_attrdef'::regclass and d.objid = a.oid"                  \
	" where a.adrelid = any($1::oid[])"                                                            \
	" union all select 'k', k.oid, " KIND_SQL ", d.refobjid from pg_constraint k"                  \
	" join pg_depend d on d.classid = 'pg_constraint'::regclass and d.objid = k.oid"               \
	" where k.conrelid = any($1::oid[]) and k.contype = 'c'"                                       \
	" union all select 'i', i.indexrelid, " KIND_SQL ", d.refobjid from pg_index i"                \
	" join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = i.indexrelid"             \
	" where i.indrelid = any($1::oid[])"                                                           \
	" union all select 't', d.objid, " KIND_SQL ", d.refobjid from pg_depend d"                    \
	" where d.classid = 'pg_class'::regclass and d.objid = any($1::oid[])"                         \
	" and d.refclassid <> 'pg_type'::regclass) n where kind is not null"

/* A composite's dependencies hang on its pg_class row. */
#define TYPE_NEEDS_SQL                                                                             \
	"select * from (select 'y', d.objid, " KIND_SQL " as kind, d.refobjid from pg_depend d"        \
	" where d.classid = 'pg_type'::regclass and d.objid = any($1::oid[])"                          \
	" union all select 'y', t.oid, " KIND_SQL ", d.refobjid from pg_type t"                        \
	" join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = t.typrelid"               \
	" where t.oid = any($1::oid[]) and t.typrelid <> 0"                                            \
	" union all select 'y', k.contypid, " KIND_SQL ", d.refobjid from pg_constraint k"             \
	" join pg_depend d on d.classid = 'pg_constraint'::regclass and d.objid = k.oid"               \
	" where k.contypid = any($1::oid[])) n where kind is not null and kind <> 'T'"

static bool read_needs(
	struct needs *n, struct defs *d, const char *sql, const char *oids, struct error *e)
{
	const struct rows *r = defs_query(d, e, xstrdup(sql), oids);
	for (int row = 0; r && row < rows_count(r); row++) {
		GROW(n->items, n->count);
		n->items[n->count++] = (struct need){
			.of = (enum need_of)rows_text(r, row, 0)[0],
			.of_oid = rows_int(r, row, 1),
			.kind = (enum need_kind)rows_text(r, row, 2)[0],
			.oid = rows_int(r, row, 3),
		};
	}
	return r != NULL;
}

bool needs_read_tables(struct needs *n, struct defs *d, struct error *e)
{
	return read_needs(n, d, TABLE_NEEDS_SQL, d->made_oids, e);
}

bool needs_read_types(
	struct needs *n, struct defs *d, const struct def_types *types, struct error *e)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; i < types->count; i++)
		if (types->items[i].made)
			text_oids_add(&b, types->items[i].oid);
	text_oids_end(&b);
	bool ok = read_needs(n, d, TYPE_NEEDS_SQL, b.text, e);
	strbuf_free(&b);
	return ok;
}

void needs_free(struct needs *n)
{
	free(n->items);
	*n = (struct needs){ 0 };
}

/* ---- by name, on either server ---- */

enum identity_field {
	IDENTITY_KIND,
	IDENTITY_OID,
	IDENTITY_TEXT,
	IDENTITY_NAME,
	IDENTITY_EXTENSION,
	IDENTITY_SCHEMA,
};

struct catalog_kind {
	char kind;
	const char *words, *catalog, *name, *identity;
};

static const struct catalog_kind kinds[] = {
	{ NEED_FUNCTION, "function", "pg_proc", "proname", "o.oid::regprocedure::text" },
	{ NEED_OPERATOR, "operator", "pg_operator", "oprname", "o.oid::regoperator::text" },
	{ NEED_COLLATION, "collation", "pg_collation", "collname",
		"(select quote_ident(nspname) from pg_namespace where oid = o.collnamespace)"
		" || '.' || quote_ident(o.collname)" },
	{ NEED_OPCLASS, "operator class", "pg_opclass", "opcname",
		"(select quote_ident(nspname) from pg_namespace where oid = o.opcnamespace)"
		" || '.' || quote_ident(o.opcname) || ' USING '"
		" || (select amname from pg_am where oid = o.opcmethod)" },
	{ NEED_TS_CONFIG, "text search configuration", "pg_ts_config", "cfgname",
		"o.oid::regconfig::text" },
	{ NEED_TS_DICTIONARY, "text search dictionary", "pg_ts_dict", "dictname",
		"o.oid::regdictionary::text" },
};

static const char *kind_words(char kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].words;
	return "object";
}

/* Every object of those oids (source) or of those names in any schema (target). */
static char *identities_sql(bool by_name)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct catalog_kind *k = &kinds[i];
		strbuf_addf(&b,
			"%sselect '%c', o.oid, %s, o.%s, x.extname, n.nspname from %s o"
			" left join pg_depend e on e.classid = '%s'::regclass and e.objid = o.oid"
			" and e.deptype = 'e' and e.refclassid = 'pg_extension'::regclass"
			" left join pg_extension x on x.oid = e.refobjid"
			" left join pg_namespace n on n.oid = x.extnamespace where ",
			i > 0 ? " union all " : "", k->kind, k->identity, k->name, k->catalog, k->catalog);
		if (by_name)
			strbuf_addf(&b, "o.%s = any($1::name[])", k->name);
		else
			strbuf_add(&b, "o.oid = any($1::oid[])");
	}
	return strbuf_take(&b);
}

static const struct rows *source_identities(const struct needs *n, struct defs *d, struct error *e)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; i < n->count; i++)
		if (n->items[i].kind != NEED_TYPE)
			text_oids_add(&b, n->items[i].oid);
	text_oids_end(&b);
	const struct rows *r = defs_query(d, e, identities_sql(false), b.text);
	strbuf_free(&b);
	return r;
}

static struct rows *target_identities(const struct rows *needed, struct pg *target, struct error *e)
{
	size_t count = (size_t)rows_count(needed);
	const char **names = xcalloc(count, sizeof(*names));
	for (size_t i = 0; i < count; i++)
		names[i] = rows_text(needed, (int)i, IDENTITY_NAME);
	struct strbuf b = STRBUF_INIT;
	quote_array(&b, count, names);
	char *sql = identities_sql(true);
	struct rows *r = PG_ROWS(target, e, sql, b.text);
	free(sql);
	free(names);
	strbuf_free(&b);
	return r;
}

static bool has_identity(const struct rows *r, const char *kind, const char *text)
{
	for (int row = 0; row < rows_count(r); row++)
		if (rows_text(r, row, IDENTITY_KIND)[0] == kind[0] &&
			strcmp(rows_text(r, row, IDENTITY_TEXT), text) == 0)
			return true;
	return false;
}

/* ---- who needs it ---- */

/* "default of public.t.c" and the like; false for what is not made after all. */
static bool user_in_table(
	const struct def_table *t, const struct need *need, char *buf, size_t size)
{
	const char *schema = t->wanted->source_schema, *name = t->wanted->source_name;
	struct strbuf b = STRBUF_INIT;
	if (need->of == OF_TABLE && t->wanted->oid == need->of_oid)
		strbuf_addf(&b, "table %s.%s", schema, name);
	for (size_t i = 0; need->of == OF_DEFAULT && i < t->column_count; i++)
		if (t->columns[i].default_oid == need->of_oid && !t->columns[i].excluded)
			strbuf_addf(&b, "default of %s.%s.%s", schema, name, t->columns[i].name);
	for (size_t i = 0; need->of == OF_CHECK && i < t->check_count; i++)
		if (t->checks[i].oid == need->of_oid && !t->checks[i].excluded)
			strbuf_addf(&b, "check %s of %s.%s", t->checks[i].name, schema, name);
	for (size_t i = 0; need->of == OF_INDEX && i < t->index_count; i++)
		if (t->indexes[i].oid == need->of_oid && !t->indexes[i].excluded)
			strbuf_addf(&b, "index %s.%s", schema, t->indexes[i].name);
	copy_text(buf, size, b.text ? b.text : "");
	bool found = b.len > 0;
	strbuf_free(&b);
	return found;
}

static bool user_of(const struct defs *d, const struct def_types *types, const struct need *need,
	size_t *table, char *buf, size_t size)
{
	const struct def_type *type = need->of == OF_TYPE ? types_find(types, need->of_oid) : NULL;
	if (type) {
		char *name = xasprintf("type %s.%s", type->schema, type->name);
		copy_text(buf, size, name);
		free(name);
		*table = type->table;
		return true;
	}
	for (size_t i = 0; i < d->table_count; i++) {
		*table = i;
		if (d->tables[i].made && user_in_table(&d->tables[i], need, buf, size))
			return true;
	}
	return false;
}

static void report(
	const struct rows *needed, int row, size_t table, const char *user, struct schema_findings *f)
{
	const char *words = kind_words(rows_text(needed, row, IDENTITY_KIND)[0]);
	const char *text = rows_text(needed, row, IDENTITY_TEXT);
	if (rows_null(needed, row, IDENTITY_EXTENSION)) {
		schema_findings_add(
			f, table, SEVERITY_BLOCKER, "%s needs %s %s, which the target lacks", user, words, text)
			->next = xasprintf("create that %s on the target", words);
		return;
	}
	struct strbuf next = STRBUF_INIT;
	strbuf_add(&next, "CREATE EXTENSION ");
	quote_name(&next, rows_text(needed, row, IDENTITY_EXTENSION));
	strbuf_add(&next, " SCHEMA ");
	quote_name(&next, rows_text(needed, row, IDENTITY_SCHEMA));
	schema_findings_add(f, table, SEVERITY_BLOCKER,
		"%s needs %s %s of extension %s, which the target lacks", user, words, text,
		rows_text(needed, row, IDENTITY_EXTENSION))
		->next = strbuf_take(&next);
}

static void report_missing(const struct needs *n, const struct defs *d,
	const struct def_types *types, const struct rows *needed, int row, struct schema_findings *f)
{
	char user[3 * NAME_SIZE + 32];
	size_t table;
	for (size_t i = 0; i < n->count; i++) {
		const struct need *need = &n->items[i];
		if (need->oid != rows_int(needed, row, IDENTITY_OID) ||
			(char)need->kind != rows_text(needed, row, IDENTITY_KIND)[0])
			continue;
		if (user_of(d, types, need, &table, user, sizeof(user))) {
			report(needed, row, table, user, f);
			return;
		}
	}
}

bool needs_check(const struct needs *n, struct defs *d, const struct def_types *types,
	struct pg *target, struct schema_findings *f, struct error *e)
{
	const struct rows *needed = target ? source_identities(n, d, e) : NULL;
	if (!needed || rows_count(needed) == 0)
		return !target || needed;
	struct rows *there = target_identities(needed, target, e);
	for (int row = 0; there && row < rows_count(needed); row++)
		if (!has_identity(there, rows_text(needed, row, IDENTITY_KIND),
				rows_text(needed, row, IDENTITY_TEXT)))
			report_missing(n, d, types, needed, row, f);
	rows_free(there);
	return there != NULL;
}
