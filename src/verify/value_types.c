// SPDX-License-Identifier: PostgreSQL
#include "value_types.h"

#include <stdlib.h>
#include <string.h>

#define PG_HAS_MULTIRANGES 140000
#define FIRST_USER_OID 16384
/* A type can't contain itself; this holds if a catalog says otherwise. */
#define DEEPEST 32

struct type_entry {
	int64_t oid;
	char name[NAME_SIZE];
	char kind;      /* typtype */
	bool array;
	int64_t inner;  /* base of a domain, element, subtype */
	int64_t relation; /* of a composite */
};

struct field_entry {
	int64_t relation;
	char name[NAME_SIZE];
	int64_t type;
};

struct value_types {
	struct type_entry *entries; /* by oid */
	size_t count;
	struct field_entry *fields; /* by relation, in order */
	size_t field_count;
};

void value_type_free(struct value_type *t)
{
	for (size_t i = 0; i < t->part_count; i++)
		value_type_free(&t->parts[i]);
	free(t->parts);
	free(t->field);
	*t = (struct value_type){ 0 };
}

void value_type_copy(struct value_type *dst, const struct value_type *src)
{
	*dst = *src;
	dst->field = xstrdup(src->field);
	dst->parts = src->part_count ? xcalloc(src->part_count, sizeof(*dst->parts)) : NULL;
	for (size_t i = 0; i < src->part_count; i++)
		value_type_copy(&dst->parts[i], &src->parts[i]);
}

/* ---- reading ---- */

/* In order: the range that a multirange is of; a multirange in the last join. An array is what array_out prints:
 * int2vector and oidvector are none. */
static const char types_sql[] =
	"WITH RECURSIVE need (oid) AS ("
	"  SELECT DISTINCT atttypid FROM pg_attribute WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped"
	" UNION"
	"  SELECT p.oid FROM need n JOIN pg_type t ON t.oid = n.oid CROSS JOIN LATERAL ("
	"    SELECT t.typbasetype AS oid UNION ALL SELECT t.typelem WHERE t.typoutput = 'array_out'::regproc"
	"    UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid%s"
	"    UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = t.typrelid AND t.typtype = 'c'"
	"      AND a.attnum > 0 AND NOT a.attisdropped) p WHERE p.oid <> 0)"
	" SELECT t.oid, t.typname, t.typtype, t.typoutput = 'array_out'::regproc,"
	"  CASE WHEN t.typtype = 'd' THEN t.typbasetype WHEN t.typoutput = 'array_out'::regproc THEN t.typelem"
	"   ELSE coalesce((SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid%s), 0) END, t.typrelid"
	" FROM need JOIN pg_type t ON t.oid = need.oid ORDER BY t.oid";

static const char fields_sql[] =
	"SELECT attrelid, attname, atttypid FROM pg_attribute WHERE attrelid = ANY ($1::oid[]) AND attnum > 0"
	" AND NOT attisdropped ORDER BY attrelid, attnum";

static bool read_entries(struct pg *c, struct value_types *t, const char *tables, struct error *e)
{
	const char *multirange = pg_version(c) >= PG_HAS_MULTIRANGES ? " OR r.rngmultitypid = t.oid" : "";
	char *sql = xasprintf(types_sql, multirange, multirange);
	struct rows *r = PG_ROWS(c, e, sql, tables);
	free(sql);
	if (!r)
		return false;
	t->count = (size_t)rows_count(r);
	t->entries = xcalloc(t->count, sizeof(*t->entries));
	for (int i = 0; i < rows_count(r); i++) {
		struct type_entry *x = &t->entries[i];
		*x = (struct type_entry){ .oid = rows_int(r, i, 0), .kind = rows_text(r, i, 2)[0], .array = rows_bool(r, i, 3),
			.inner = rows_int(r, i, 4), .relation = rows_int(r, i, 5) };
		copy_text(x->name, sizeof(x->name), rows_text(r, i, 1));
	}
	rows_free(r);
	return true;
}

static bool read_fields(struct pg *c, struct value_types *t, struct error *e)
{
	struct strbuf relations = STRBUF_INIT;
	for (size_t i = 0; i < t->count; i++)
		if (t->entries[i].relation)
			strbuf_addf(&relations, "%s%lld", relations.len ? "," : "{", (long long)t->entries[i].relation);
	strbuf_add(&relations, relations.len ? "}" : "{}");
	struct rows *r = PG_ROWS(c, e, fields_sql, relations.text);
	strbuf_free(&relations);
	if (!r)
		return false;
	t->field_count = (size_t)rows_count(r);
	t->fields = xcalloc(t->field_count, sizeof(*t->fields));
	for (int i = 0; i < rows_count(r); i++) {
		t->fields[i].relation = rows_int(r, i, 0);
		t->fields[i].type = rows_int(r, i, 2);
		copy_text(t->fields[i].name, NAME_SIZE, rows_text(r, i, 1));
	}
	rows_free(r);
	return true;
}

struct value_types *value_types_read(struct pg *c, const char *tables, struct error *e)
{
	struct value_types *t = xcalloc(1, sizeof(*t));
	if (read_entries(c, t, tables, e) && read_fields(c, t, e))
		return t;
	value_types_free(t);
	return NULL;
}

void value_types_free(struct value_types *t)
{
	if (!t)
		return;
	free(t->entries);
	free(t->fields);
	free(t);
}

/* ---- expanding ---- */

static int by_oid(const void *a, const void *b)
{
	const struct type_entry *x = a, *y = b;
	return (x->oid > y->oid) - (x->oid < y->oid);
}

static const struct type_entry *entry_of(const struct value_types *t, int64_t oid)
{
	const struct type_entry *x = NULL;
	for (int depth = 0; depth < DEEPEST; depth++) {
		x = t->count ? bsearch(&(struct type_entry){ .oid = oid }, t->entries, t->count, sizeof(*x), by_oid) : NULL;
		if (!x || x->kind != 'd')
			return x;
		oid = x->inner;
	}
	return x;
}

static enum type_kind kind_of(const struct type_entry *x)
{
	if (x->array)
		return TYPE_ARRAY;
	switch (x->kind) {
	case 'e':
		return TYPE_ENUM;
	case 'c':
		return TYPE_COMPOSITE;
	case 'r':
	case 'm':
		return TYPE_RANGE;
	default:
		return TYPE_BASE;
	}
}

static void expand(const struct value_types *t, int64_t oid, int depth, struct value_type *out);

static void expand_fields(const struct value_types *t, int64_t relation, int depth, struct value_type *out)
{
	for (size_t i = 0; i < t->field_count; i++) {
		if (t->fields[i].relation != relation)
			continue;
		GROW(out->parts, out->part_count);
		struct value_type *part = &out->parts[out->part_count++];
		expand(t, t->fields[i].type, depth + 1, part);
		part->field = xstrdup(t->fields[i].name);
	}
}

static void expand(const struct value_types *t, int64_t oid, int depth, struct value_type *out)
{
	const struct type_entry *x = entry_of(t, oid);
	*out = (struct value_type){ .kind = TYPE_BASE };
	if (!x || depth > DEEPEST)
		return;
	out->kind = kind_of(x);
	out->built_in = x->oid < FIRST_USER_OID;
	copy_text(out->name, sizeof(out->name), x->name);
	if (out->kind == TYPE_COMPOSITE) {
		expand_fields(t, x->relation, depth, out);
	} else if (x->inner && (out->kind == TYPE_ARRAY || out->kind == TYPE_RANGE)) {
		out->parts = xcalloc(1, sizeof(*out->parts));
		out->part_count = 1;
		expand(t, x->inner, depth + 1, out->parts);
	}
}

void value_types_expand(const struct value_types *t, int64_t oid, struct value_type *out)
{
	expand(t, oid, 0, out);
}
