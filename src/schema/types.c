// SPDX-License-Identifier: PostgreSQL
/* Reading types level by level, and making them. */
#include "types.h"

#include <stdlib.h>
#include <string.h>

#include "defs.h"
#include "text.h"

enum type_field {
	FIELD_OID,
	FIELD_SCHEMA,
	FIELD_NAME,
	FIELD_KIND,
	FIELD_EXTENSION,
	FIELD_EXTENSION_SCHEMA,
	FIELD_RELATED,
	FIELD_BASE,
	FIELD_COLLATION,
	FIELD_DEFAULT,
	FIELD_NOT_NULL,
	FIELD_OPCLASS,
	FIELD_CANONICAL,
	FIELD_DIFFERENCE,
	FIELD_MULTIRANGE,
};

static char *types_sql(const struct pg *c)
{
	bool multi = pg_version(c) >= SINCE_MULTIRANGE;
	return xasprintf(
		"select t.oid, n.nspname, t.typname,"
		" case when el.oid is not null then 'A' when rc.relkind <> 'c' then 't' else t.typtype end,"
		" x.extname, xn.nspname,"
		" case when el.oid is not null then el.oid when t.typtype = 'd' then t.typbasetype"
		" when t.typtype = 'm' then %s else r.rngsubtype end,"
		" case t.typtype when 'd' then format_type(t.typbasetype, t.typtypmod)"
		" when 'r' then format_type(r.rngsubtype, null) end,"
		" case when co.oid <> bt.typcollation"
		" then quote_ident(cn.nspname) || '.' || quote_ident(co.collname) end,"
		" pg_get_expr(t.typdefaultbin, 'pg_type'::regclass), t.typnotnull,"
		" case when not oc.opcdefault"
		" then quote_ident(ocn.nspname) || '.' || quote_ident(oc.opcname) end,"
		" nullif(r.rngcanonical::oid, 0)::regproc, nullif(r.rngsubdiff::oid, 0)::regproc, %s"
		" from pg_type t join pg_namespace n on n.oid = t.typnamespace"
		" left join pg_type el on el.oid = t.typelem and el.typarray = t.oid"
		" left join pg_class rc on rc.oid = t.typrelid"
		" left join pg_range r on r.rngtypid = t.oid"
		" left join pg_type bt on bt.oid = coalesce(nullif(t.typbasetype, 0), r.rngsubtype)"
		" left join pg_collation co on co.oid = case t.typtype when 'd' then t.typcollation"
		" else r.rngcollation end left join pg_namespace cn on cn.oid = co.collnamespace"
		" left join pg_opclass oc on oc.oid = r.rngsubopc"
		" left join pg_namespace ocn on ocn.oid = oc.opcnamespace"
		" left join pg_depend e on e.classid = 'pg_type'::regclass and e.objid = t.oid"
		" and e.deptype = 'e' and e.refclassid = 'pg_extension'::regclass"
		" left join pg_extension x on x.oid = e.refobjid"
		" left join pg_namespace xn on xn.oid = x.extnamespace"
		" where t.oid = any($1::oid[]) and n.nspname not in ('pg_catalog', 'information_schema')"
		" order by t.oid",
		multi ? "(select rngtypid from pg_range where rngmultitypid = t.oid)" : "null::oid",
		multi ? "(select typname from pg_type where oid = r.rngmultitypid)" : "null");
}

/* Labels, attributes and checks: type, name, text, collation, type of an attribute, valid. */
#define MEMBERS_SQL                                                                                \
	"select m.of, m.name, m.text, m.collation, m.type, m.valid from ("                             \
	"select enumtypid as of, enumlabel::text as name, null as text, null as collation,"            \
	" null::oid as type, true as valid,"                                                           \
	" row_number() over (order by enumtypid, enumsortorder) as place"                              \
	" from pg_enum where enumtypid = any($1::oid[])"                                               \
	" union all select c.reltype, a.attname::text, format_type(a.atttypid, a.atttypmod),"          \
	" case when a.attcollation <> t.typcollation"                                                  \
	" then quote_ident(cn.nspname) || '.' || quote_ident(co.collname) end,"                        \
	" a.atttypid, true, a.attnum from pg_class c"                                                  \
	" join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"           \
	" join pg_type t on t.oid = a.atttypid"                                                        \
	" left join pg_collation co on co.oid = a.attcollation"                                        \
	" left join pg_namespace cn on cn.oid = co.collnamespace where c.relkind = 'c'"                \
	" and c.oid in (select typrelid from pg_type where oid = any($1::oid[]))"                      \
	" union all select contypid, conname::text, pg_get_constraintdef(oid), null, null,"            \
	" convalidated, row_number() over (order by contypid, conname) from pg_constraint"             \
	" where contypid = any($1::oid[]) and contype = 'c') m order by m.of, m.place"

static const struct rows *query(
	struct def_types *t, struct pg *c, const char *sql, const char *oids, struct error *e)
{
	struct rows *r = PG_ROWS(c, e, sql, oids);
	if (!r)
		return NULL;
	GROW(t->kept, t->kept_count);
	t->kept[t->kept_count++] = r;
	return r;
}

static struct def_type type_at(const struct rows *r, int row)
{
	return (struct def_type){
		.oid = rows_int(r, row, FIELD_OID),
		.schema = rows_text(r, row, FIELD_SCHEMA),
		.name = rows_text(r, row, FIELD_NAME),
		.kind = (enum def_type_kind)rows_text(r, row, FIELD_KIND)[0],
		.extension = rows_text(r, row, FIELD_EXTENSION),
		.extension_schema = rows_text(r, row, FIELD_EXTENSION_SCHEMA),
		.related = rows_int(r, row, FIELD_RELATED),
		.base = rows_text(r, row, FIELD_BASE),
		.collation = rows_text(r, row, FIELD_COLLATION),
		.default_text = rows_text(r, row, FIELD_DEFAULT),
		.not_null = rows_bool(r, row, FIELD_NOT_NULL),
		.opclass = rows_text(r, row, FIELD_OPCLASS),
		.canonical = rows_text(r, row, FIELD_CANONICAL),
		.difference = rows_text(r, row, FIELD_DIFFERENCE),
		.multirange = rows_text(r, row, FIELD_MULTIRANGE),
		.table = SCHEMA_NO_TABLE,
	};
}

static int compare_types(const void *a, const void *b)
{
	int64_t x = ((const struct def_type *)a)->oid, y = ((const struct def_type *)b)->oid;
	return (x > y) - (x < y);
}

struct def_type *types_find(const struct def_types *t, int64_t oid)
{
	const struct def_type key = { .oid = oid };
	return t->count == 0 ? NULL : bsearch(&key, t->items, t->count, sizeof(key), compare_types);
}

bool types_load(struct def_types *t, struct pg *c, const char *oids, struct error *e)
{
	char *sql = types_sql(c);
	const struct rows *r = query(t, c, sql, oids, e);
	free(sql);
	const struct rows *members = r ? query(t, c, MEMBERS_SQL, oids, e) : NULL;
	if (!members)
		return false;
	for (int row = 0; row < rows_count(r); row++) {
		GROW(t->items, t->count);
		t->items[t->count++] = type_at(r, row);
	}
	if (t->count > 0)
		qsort(t->items, t->count, sizeof(*t->items), compare_types);
	for (int row = 0; row < rows_count(members); row++) {
		struct def_type *of = types_find(t, rows_int(members, row, 0));
		if (!of || of->kind == TYPE_ROW)
			continue;
		GROW(of->members, of->member_count);
		of->members[of->member_count++] = (struct def_member){
			.name = rows_text(members, row, 1),
			.text = rows_text(members, row, 2),
			.collation = rows_text(members, row, 3),
			.type_oid = rows_int(members, row, 4),
			.valid = rows_bool(members, row, 5),
		};
	}
	return true;
}

/* The oids that have been asked for, sorted. */
struct oid_set {
	int64_t *items;
	size_t count;
};

static bool set_add(struct oid_set *s, int64_t oid)
{
	size_t low = 0, high = s->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (s->items[middle] < oid)
			low = middle + 1;
		else
			high = middle;
	}
	if (oid == 0 || (low < s->count && s->items[low] == oid))
		return false;
	GROW(s->items, s->count);
	memmove(s->items + low + 1, s->items + low, (s->count - low) * sizeof(*s->items));
	s->items[low] = oid;
	s->count++;
	return true;
}

/* What the loaded types are made of and nobody has asked for yet; NULL when nothing is left. */
static char *next_level(const struct def_types *t, struct oid_set *asked)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; i < t->count; i++) {
		const struct def_type *type = &t->items[i];
		if (set_add(asked, type->related))
			text_oids_add(&b, type->related);
		for (size_t m = 0; m < type->member_count; m++)
			if (set_add(asked, type->members[m].type_oid))
				text_oids_add(&b, type->members[m].type_oid);
	}
	if (b.len == 0)
		return NULL;
	text_oids_end(&b);
	return strbuf_take(&b);
}

/* What one type is made of stands before it and serves the same table. */
static bool settle(const struct def_types *t, struct def_type *type, int64_t part)
{
	struct def_type *p = types_find(t, part);
	if (!p)
		return false;
	bool moved = type->depth <= p->depth;
	type->depth = MAX(type->depth, p->depth + 1);
	if (p->table == SCHEMA_NO_TABLE && type->table != SCHEMA_NO_TABLE) {
		p->table = type->table;
		moved = true;
	}
	return moved;
}

/* Types that hold each other in a ring can't exist, so this ends. */
static void settle_all(struct def_types *t)
{
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < t->count; i++) {
			struct def_type *type = &t->items[i];
			moved = settle(t, type, type->related) || moved;
			for (size_t m = 0; m < type->member_count; m++)
				moved = settle(t, type, type->members[m].type_oid) || moved;
		}
	}
}

bool types_read(struct def_types *t, struct pg *source, const struct type_use *uses, size_t count,
	struct error *e)
{
	struct oid_set asked = { 0 };
	struct strbuf first = STRBUF_INIT;
	for (size_t i = 0; i < count; i++)
		if (set_add(&asked, uses[i].oid))
			text_oids_add(&first, uses[i].oid);
	text_oids_end(&first);
	char *oids = strbuf_take(&first);
	bool ok = true;
	while (ok && oids) {
		ok = types_load(t, source, oids, e);
		free(oids);
		oids = ok ? next_level(t, &asked) : NULL;
	}
	free(asked.items);
	for (size_t i = 0; i < count; i++) {
		struct def_type *type = types_find(t, uses[i].oid);
		if (type && type->table == SCHEMA_NO_TABLE)
			type->table = uses[i].table;
	}
	settle_all(t);
	return ok;
}

void types_free(struct def_types *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->items[i].members);
	for (size_t i = 0; i < t->kept_count; i++)
		rows_free(t->kept[i]);
	free(t->items);
	free(t->kept);
	*t = (struct def_types){ 0 };
}

/* ---- statements ---- */

bool type_can_be_made(const struct def_type *t)
{
	return t->kind == TYPE_ENUM || t->kind == TYPE_DOMAIN || t->kind == TYPE_COMPOSITE ||
		   (t->kind == TYPE_RANGE && t->canonical[0] == '\0');
}

static void create_enum(struct strbuf *b, const struct def_type *t)
{
	strbuf_add(b, " AS ENUM (");
	for (size_t i = 0; i < t->member_count; i++) {
		strbuf_add(b, i > 0 ? ", " : "");
		quote_literal(b, t->members[i].name);
	}
	strbuf_add(b, ")");
}

static void create_composite(struct strbuf *b, const struct def_type *t)
{
	strbuf_add(b, " AS (");
	for (size_t i = 0; i < t->member_count; i++) {
		strbuf_add(b, i > 0 ? ", " : "");
		quote_name(b, t->members[i].name);
		strbuf_addf(b, " %s", t->members[i].text);
		if (t->members[i].collation[0] != '\0')
			strbuf_addf(b, " COLLATE %s", t->members[i].collation);
	}
	strbuf_add(b, ")");
}

static void create_range(struct strbuf *b, const struct def_type *t, bool multiranges)
{
	strbuf_addf(b, " AS RANGE (SUBTYPE = %s", t->base);
	if (t->opclass[0] != '\0')
		strbuf_addf(b, ", SUBTYPE_OPCLASS = %s", t->opclass);
	if (t->collation[0] != '\0')
		strbuf_addf(b, ", COLLATION = %s", t->collation);
	if (t->difference[0] != '\0')
		strbuf_addf(b, ", SUBTYPE_DIFF = %s", t->difference);
	if (multiranges && t->multirange[0] != '\0') {
		strbuf_add(b, ", MULTIRANGE_TYPE_NAME = ");
		quote_qualified(b, t->schema, t->multirange);
	}
	strbuf_add(b, ")");
}

/* Checks that are not valid can't be part of CREATE DOMAIN. */
static void create_domain(struct strbuf *b, const struct def_type *t)
{
	strbuf_addf(b, " AS %s", t->base);
	if (t->collation[0] != '\0')
		strbuf_addf(b, " COLLATE %s", t->collation);
	if (t->default_text[0] != '\0')
		strbuf_addf(b, " DEFAULT %s", t->default_text);
	strbuf_add(b, t->not_null ? " NOT NULL" : "");
	for (size_t i = 0; i < t->member_count; i++) {
		strbuf_add(b, "; ALTER DOMAIN ");
		quote_qualified(b, t->schema, t->name);
		strbuf_add(b, " ADD CONSTRAINT ");
		quote_name(b, t->members[i].name);
		strbuf_addf(b, " %s", t->members[i].text);
	}
}

void type_create(struct strbuf *b, const struct def_type *t, bool multiranges)
{
	strbuf_add(b, t->kind == TYPE_DOMAIN ? "CREATE DOMAIN " : "CREATE TYPE ");
	quote_qualified(b, t->schema, t->name);
	if (t->kind == TYPE_ENUM)
		create_enum(b, t);
	else if (t->kind == TYPE_COMPOSITE)
		create_composite(b, t);
	else if (t->kind == TYPE_RANGE)
		create_range(b, t, multiranges);
	else
		create_domain(b, t);
}
