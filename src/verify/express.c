// SPDX-License-Identifier: PostgreSQL
#include "express.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Versions that changed how something is printed. */
#define SHORTEST_FLOATS 120000

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}
#define NAMED(t, ...) \
	is_one_of((t)->name, (const char *const[]){ __VA_ARGS__ }, \
		sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static bool is_integer(const struct value_type *t)
{
	return t->built_in && t->kind == TYPE_BASE && NAMED(t, "int2", "int4", "int8");
}

static bool is_text(const struct value_type *t)
{
	return t->kind == TYPE_BASE && (t->built_in ? NAMED(t, "text", "varchar", "bpchar", "name") : NAMED(t, "citext"));
}

static bool is_float(const struct value_type *t)
{
	return t->built_in && NAMED(t, "float4", "float8");
}

static bool is_made_of_floats(const struct value_type *t)
{
	return t->built_in && NAMED(t, "point", "lseg", "path", "box", "polygon", "line", "circle");
}

static bool is_catalog_name(const struct value_type *t)
{
	return t->built_in && NAMED(t, "regproc", "regoper");
}

static bool majors_differ(const struct servers *s)
{
	return s->version[SOURCE] / 10000 != s->version[TARGET] / 10000;
}

static bool floats_differ(const struct servers *s)
{
	return (s->version[SOURCE] < SHORTEST_FLOATS) != (s->version[TARGET] < SHORTEST_FLOATS);
}

/* Do both servers print all values of the type alike? */
static bool is_plain(const struct servers *s, const struct value_type *t)
{
	if (t->kind == TYPE_BASE)
		return !(floats_differ(s) && (is_float(t) || is_made_of_floats(t))) &&
			   !(majors_differ(s) && is_catalog_name(t)) && !(t->built_in && NAMED(t, "char"));
	for (size_t i = 0; i < t->part_count; i++)
		if (!is_plain(s, &t->parts[i]))
			return false;
	return true;
}

/* ---- may it be compared? ---- */

static bool incomparable(const struct servers *s, const struct value_type *t, bool inside, char why[WHY_SIZE])
{
	if (t->kind == TYPE_BASE && !t->name[0])
		snprintf(why, WHY_SIZE, "its type is not known");
	else if (t->kind == TYPE_BASE && t->built_in && NAMED(t, "money") && !s->same_money)
		snprintf(why, WHY_SIZE, "money: lc_monetary of the two databases differs, so equal amounts would not be equal");
	else if (t->kind == TYPE_BASE && !t->built_in && NAMED(t, "cube") && floats_differ(s))
		snprintf(why, WHY_SIZE, "type cube: a server before 12 prints its numbers in another way");
	else if (inside && is_catalog_name(t) && majors_differ(s))
		snprintf(why, WHY_SIZE, "type %s inside of another: majors print names of functions in different ways", t->name);
	else if (t->kind == TYPE_RANGE && !is_plain(s, t) && !is_float(t->parts))
		snprintf(why, WHY_SIZE, "range %s: a server before 12 prints its bounds in another way", t->name);
	else
		return false;
	return true;
}

static bool none_incomparable(const struct servers *s, const struct value_type *t, bool inside, char why[WHY_SIZE])
{
	if (incomparable(s, t, inside, why))
		return false;
	for (size_t i = 0; i < t->part_count; i++)
		if (!none_incomparable(s, &t->parts[i], true, why))
			return false;
	return true;
}

static bool same_thing(const struct value_type *a, const struct value_type *b)
{
	if ((is_integer(a) && is_integer(b)) || (is_text(a) && is_text(b)))
		return true;
	if (a->kind != b->kind || a->part_count != b->part_count)
		return false;
	if (a->kind == TYPE_BASE)
		return strcmp(a->name, b->name) == 0;
	for (size_t i = 0; i < a->part_count; i++)
		if (!same_thing(&a->parts[i], &b->parts[i]))
			return false;
	return true;
}

static enum way way_of(const struct value_type *t)
{
	if (is_integer(t))
		return WAY_INTEGER;
	if (!t->built_in || t->kind != TYPE_BASE)
		return WAY_TEXT;
	if (NAMED(t, "bool"))
		return WAY_BOOLEAN;
	if (NAMED(t, "uuid"))
		return WAY_UUID;
	return NAMED(t, "timestamp", "timestamptz") ? WAY_TIMESTAMP : WAY_TEXT;
}

bool express_way(const struct servers *s, const struct value_type *source, const struct value_type *target,
	enum way *way, char why[WHY_SIZE])
{
	if (!same_thing(source, target)) {
		snprintf(why, WHY_SIZE, "its type is %s on the source and %s on the target", source->name, target->name);
		return false;
	}
	*way = way_of(source) == way_of(target) ? way_of(source) : WAY_TEXT;
	return none_incomparable(s, source, false, why) && none_incomparable(s, target, false, why);
}

/* ---- text ---- */

/* A cast to text is the output function for whatever has no cast of its own: those built in that have one lose
 * nothing by it, but for bpchar its blanks. What an extension's cast does nobody knows; the text of a row asks the
 * output function. */
void express_shown(struct strbuf *sql, const struct value_type *t, const char *operand)
{
	if (t->kind == TYPE_BASE && t->built_in && NAMED(t, "bpchar"))
		strbuf_addf(sql, "textin(bpcharout(%s))", operand);
	else if (t->kind == TYPE_BASE && !t->built_in && !is_text(t))
		strbuf_addf(sql, "CASE WHEN %s IS NOT NULL THEN ROW(%s)::text END", operand, operand);
	else
		strbuf_addf(sql, "(%s)::text", operand);
}

/* Servers agree on the bits of a number, but for those of NaN, of which there are many. */
static void add_float(struct strbuf *sql, const struct value_type *t, const char *operand)
{
	strbuf_addf(sql, "CASE WHEN %s = 'NaN' THEN 'NaN' ELSE %ssend(%s)::text END", operand, t->name, operand);
}

static void add_made_of_floats(struct strbuf *sql, const struct value_type *t, const char *operand)
{
	const char *name = NAMED(t, "polygon") ? "poly" : t->name;
	strbuf_addf(sql, "%s_send(%s)::text", name, operand);
}

/* A newer server has more functions, so that a name which was enough needs its schema there. */
static void add_catalog_name(struct strbuf *sql, const char *operand)
{
	strbuf_addf(sql, "regexp_replace((%s)::text, '^pg_catalog[.]', '')", operand);
}

static void add_base(struct strbuf *sql, const struct value_type *t, const char *operand)
{
	if (is_float(t))
		add_float(sql, t, operand);
	else if (is_made_of_floats(t))
		add_made_of_floats(sql, t, operand);
	else if (is_catalog_name(t))
		add_catalog_name(sql, operand);
	else /* "char": of a byte that is no character majors print different things */
		strbuf_addf(sql, "charsend(%s)::text", operand);
}

static void add_composite(struct strbuf *sql, const struct servers *s, const struct value_type *t, const char *operand)
{
	/* IS NULL is also true of a row of NULLs, which its text is not. */
	strbuf_addf(sql, "CASE WHEN (%s)::text IS NOT NULL THEN ROW(", operand);
	for (size_t i = 0; i < t->part_count; i++) {
		struct strbuf field = STRBUF_INIT;
		strbuf_addf(&field, "(%s).", operand);
		quote_name(&field, t->parts[i].field);
		strbuf_add(sql, i ? ", " : "");
		express_text(sql, s, &t->parts[i], field.text);
		strbuf_free(&field);
	}
	strbuf_add(sql, ")::text END");
}

/* Its bounds, and its elements in their order. */
static void add_array(struct strbuf *sql, const struct servers *s, const struct value_type *t, const char *operand)
{
	strbuf_addf(sql, "CASE WHEN %s IS NOT NULL THEN concat(array_dims(%s), ARRAY(SELECT ", operand, operand);
	express_text(sql, s, t->parts, "e");
	strbuf_addf(sql, " FROM (SELECT unnest(%s) AS e) u)::text) END", operand);
}

void express_text(struct strbuf *sql, const struct servers *s, const struct value_type *t, const char *operand)
{
	if (is_plain(s, t)) {
		express_shown(sql, t, operand);
		return;
	}
	switch (t->kind) {
	case TYPE_BASE:
	case TYPE_ENUM:
		add_base(sql, t, operand);
		break;
	case TYPE_RANGE:
		strbuf_addf(sql, "range_send(%s)::text", operand);
		break;
	case TYPE_ARRAY:
		add_array(sql, s, t, operand);
		break;
	case TYPE_COMPOSITE:
		add_composite(sql, s, t, operand);
		break;
	}
}

/* ---- hashes ---- */

/* Well mixed numbers from 1, 2, 3 ... (the finalizer of splitmix64), as SQL writes them. */
static int64_t constant(uint64_t n)
{
	uint64_t x = n * 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return (int64_t)(x ^ (x >> 31));
}

/* An integer's hash folds its halves onto each other; the other half comes in as the seed. That of a timestamp is an
 * integer's as well, and what tells two apart that fold to the same is the number of seconds. */
static void add_hash(struct strbuf *sql, const struct servers *s, const struct expressed *x, int64_t seed)
{
	const char *o = x->operand;
	long long k = seed;
	switch (x->way) {
	case WAY_INTEGER:
		strbuf_addf(sql, "hashint8extended(%s, %s::int8 # '%lld'::int8)", o, o, k);
		break;
	case WAY_BOOLEAN:
		strbuf_addf(sql, "CASE WHEN %s THEN '%lld'::int8 WHEN NOT %s THEN '%lld'::int8 END", o, k, o, ~k);
		break;
	case WAY_UUID:
		strbuf_addf(sql, "uuid_hash_extended(%s, '%lld')", o, k);
		break;
	case WAY_TIMESTAMP:
		strbuf_addf(sql, "timestamp_hash_extended(%s::timestamp, hashfloat8extended(date_part('epoch', %s), '%lld'))",
			o, o, k);
		break;
	case WAY_TEXT:
		strbuf_add(sql, "hashtextextended(");
		express_text(sql, s, x->type, o);
		strbuf_addf(sql, " COLLATE \"C\", '%lld')", k);
		break;
	}
}

static void add_hashes(struct strbuf *sql, const struct servers *s, const struct expressed *columns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		strbuf_add(sql, i ? " # coalesce(" : "coalesce(");
		add_hash(sql, s, &columns[i], constant(2 * i + 1));
		strbuf_addf(sql, ", '%lld'::int8)", (long long)constant(2 * i + 2));
	}
}

static void add_md5(struct strbuf *sql, const struct servers *s, const struct expressed *columns, size_t n)
{
	strbuf_add(sql, s->convert ? "('x' || substr(md5(convert_to(ROW(" : "('x' || substr(md5(ROW(");
	for (size_t i = 0; i < n; i++) {
		strbuf_add(sql, i ? ", " : "");
		express_text(sql, s, columns[i].type, columns[i].operand);
	}
	strbuf_add(sql, s->convert ? ")::text, 'UTF8')), 1, 16))::bit(64)::int8" : ")::text), 1, 16))::bit(64)::int8");
}

void express_row(struct strbuf *sql, const struct servers *s, const struct expressed *columns, size_t n)
{
	if (n == 0)
		strbuf_add(sql, "0::int8");
	else if (s->hashes && !s->convert)
		add_hashes(sql, s, columns, n);
	else
		add_md5(sql, s, columns, n);
}

const char express_probe_sql[] =
	"SELECT string_agg(concat_ws(' ', hashtextextended(repeat('x' || i, i) COLLATE \"C\", i),"
	" hashtextextended(left('Zürich 東京 ' || repeat('q', i), i) COLLATE \"C\", -i),"
	" hashint8extended(i * 1234567890123, -i), hashint8extended(-i, i * 987654321987),"
	" uuid_hash_extended(md5(i::text)::uuid, i),"
	" timestamp_hash_extended('2024-02-29 12:00:00.000001'::timestamp + i * interval '17 days 3.000007 seconds',"
	"   hashfloat8extended(date_part('epoch', '1969-12-31 23:59:59.5'::timestamp + i * interval '13.000003 days'), i)),"
	" hashfloat8extended(date_part('epoch', 'infinity'::timestamptz), i)), ',' ORDER BY i)"
	" FROM generate_series(0, 60) AS i";
