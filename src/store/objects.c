// SPDX-License-Identifier: PostgreSQL
#include "objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

void store_object_free(struct store_object *o)
{
	free(o->kind);
	free(o->schema);
	free(o->name);
	free(o->owner);
	free(o->table);
	free(o->sql);
	free(o->give_sql);
	free(o->needs);
	free(o->note);
	free(o->text);
	free(o->next);
	*o = (struct store_object){ 0 };
}

void store_objects_free(struct store_object *o, size_t n)
{
	for (size_t i = 0; i < n; i++)
		store_object_free(&o[i]);
	free(o);
}

void store_object_set(struct store_object *o, enum object_state state, const struct error *why)
{
	free(o->text);
	free(o->next);
	o->state = state;
	o->text = why ? xstrdup(why->text) : NULL;
	o->next = why && why->next[0] ? xstrdup(why->next) : NULL;
	copy_text(o->sqlstate, sizeof(o->sqlstate), why ? why->sqlstate : "");
}

/* ---- columns as arrays ---- */

/* The text of one field; NULL is SQL's. What it points to is freed by array_of(). */
typedef char *field(const struct store_object *o);

static char *field_id(const struct store_object *o) { return number(o->id); }
static char *field_post(const struct store_object *o) { return xstrdup(o->post ? "t" : "f"); }
static char *field_kind(const struct store_object *o) { return xstrdup(o->kind); }
static char *field_schema(const struct store_object *o) { return xstrdup(o->schema); }
static char *field_name(const struct store_object *o) { return xstrdup(o->name); }
static char *field_owner(const struct store_object *o) { return xstrdup(o->owner); }
static char *field_table(const struct store_object *o) { return xstrdup(o->table); }
static char *field_wanted(const struct store_object *o) { return xstrdup(o->wanted ? "t" : "f"); }
static char *field_sql(const struct store_object *o) { return xstrdup(o->sql); }
static char *field_give(const struct store_object *o) { return xstrdup(o->give_sql); }
static char *field_bytes(const struct store_object *o) { return number(o->bytes); }
static char *field_state(const struct store_object *o) { return xstrdup(object_state_name(o->state)); }
static char *field_note(const struct store_object *o) { return xstrdup(o->note); }
static char *field_text(const struct store_object *o) { return xstrdup(o->text); }
static char *field_next(const struct store_object *o) { return xstrdup(o->next); }
static char *field_sqlstate(const struct store_object *o) { return xstrdup(o->sqlstate); }
static char *field_took(const struct store_object *o) { return number(o->took_us); }

/* "{1,2}" as text: an array of arrays must be rectangular. */
static char *field_needs(const struct store_object *o)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_add(&b, "{");
	for (size_t i = 0; i < o->need_count; i++)
		strbuf_addf(&b, "%s%d", i ? "," : "", o->needs[i]);
	strbuf_add(&b, "}");
	return strbuf_take(&b);
}

static char *array_of(field *get, const struct store_object *const *o, size_t n)
{
	struct strbuf b = STRBUF_INIT;
	char **items = xmalloc((n + 1) * sizeof(*items));
	for (size_t i = 0; i < n; i++)
		items[i] = get(o[i]);
	quote_array(&b, n, (const char *const *)items);
	for (size_t i = 0; i < n; i++)
		free(items[i]);
	free(items);
	return strbuf_take(&b);
}

/* ---- writing ---- */

static bool write_some(struct pg *target, int64_t id, const struct store_object *const *p, size_t n, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("INSERT INTO pgpier.objects (mirror_id, object_no, post, kind, schema, name, owner, belongs_to,"
			" wanted, statement, give_statement, needs, bytes, state, note, why, next, sqlstate)"
			" SELECT $1, no, post, kind, schema, name, owner, tab, wanted, sql, give, needs::int[], bytes, state, note,"
			" why, next, sqlstate FROM unnest($2::int[], $3::bool[], $4::text[], $5::text[], $6::text[], $7::text[],"
			" $8::text[], $9::text[], $10::text[], $11::text[], $12::int8[], $13::text[], $14::text[], $15::text[],"
			" $16::text[], $17::text[], $18::bool[])"
			" o (no, post, kind, schema, name, owner, tab, sql, give, needs, bytes, state, note, why, next, sqlstate,"
			" wanted)"),
		number(id), array_of(field_id, p, n), array_of(field_post, p, n), array_of(field_kind, p, n),
		array_of(field_schema, p, n), array_of(field_name, p, n), array_of(field_owner, p, n),
		array_of(field_table, p, n), array_of(field_sql, p, n), array_of(field_give, p, n),
		array_of(field_needs, p, n), array_of(field_bytes, p, n), array_of(field_state, p, n),
		array_of(field_note, p, n), array_of(field_text, p, n), array_of(field_next, p, n),
		array_of(field_sqlstate, p, n), array_of(field_wanted, p, n));
}

/* Some thousand in a statement: a message has its limits, and functions can be long. */
#define WRITTEN_AT_ONCE 2000

bool store_objects_add(struct pg *target, int64_t id, const struct store_object *const *o, size_t n, struct error *e)
{
	bool ok = true;
	for (size_t i = 0; ok && i < n; i += WRITTEN_AT_ONCE)
		ok = write_some(target, id, o + i, MIN(n - i, WRITTEN_AT_ONCE), e);
	return ok;
}

bool store_objects_write(struct pg *target, int64_t id, const char *settings, const struct store_object *o, size_t n,
	struct error *e)
{
	const struct store_object **p = xmalloc((n + 1) * sizeof(*p));
	for (size_t i = 0; i < n; i++)
		p[i] = &o[i];
	bool ok = RUN_FREEING(target, e, SQL("UPDATE pgpier.mirrors SET settings = $2 WHERE mirror_id = $1"), number(id),
		xstrdup(settings));
	ok = ok && store_objects_add(target, id, p, n, e);
	free(p);
	return ok;
}

bool store_objects_chosen(struct pg *target, int64_t id, const struct store_object *const *o, size_t n,
	struct error *e)
{
	if (n == 0)
		return true;
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.objects o SET wanted = s.wanted, statement = s.sql, give_statement = s.give, state = s.state,"
			" note = s.note, why = s.why, next = s.next, sqlstate = s.sqlstate FROM unnest($2::int[], $3::bool[],"
			" $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])"
			" s (no, wanted, sql, give, state, note, why, next, sqlstate) WHERE o.mirror_id = $1 AND o.object_no = s.no"),
		number(id), array_of(field_id, o, n), array_of(field_wanted, o, n), array_of(field_sql, o, n),
		array_of(field_give, o, n), array_of(field_state, o, n), array_of(field_note, o, n), array_of(field_text, o, n),
		array_of(field_next, o, n), array_of(field_sqlstate, o, n));
}

bool store_objects_states(struct pg *target, int64_t id, const struct store_object *const *o, size_t n,
	struct error *e)
{
	if (n == 0)
		return true;
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.objects o SET state = s.state, note = s.note, why = s.why, next = s.next,"
			" sqlstate = s.sqlstate, took_us = s.took FROM unnest($2::int[], $3::text[], $4::text[], $5::text[],"
			" $6::text[], $7::text[], $8::int8[]) s (no, state, note, why, next, sqlstate, took)"
			" WHERE o.mirror_id = $1 AND o.object_no = s.no"),
		number(id), array_of(field_id, o, n), array_of(field_state, o, n), array_of(field_note, o, n),
		array_of(field_text, o, n), array_of(field_next, o, n), array_of(field_sqlstate, o, n),
		array_of(field_took, o, n));
}

void store_sql_objects_state(struct strbuf *sql, int64_t id, size_t n, const int *objects, enum object_state state,
	int64_t took_us)
{
	for (size_t i = 0; i < n; i++) {
		if (i == 0)
			strbuf_addf(sql,
				"UPDATE pgpier.objects SET state = '%s', why = NULL, next = NULL, sqlstate = '', took_us = %lld"
				" WHERE object_no IN (", object_state_name(state), (long long)took_us);
		strbuf_addf(sql, "%s%d", i ? ", " : "", objects[i]);
	}
	if (n > 0)
		strbuf_addf(sql, ") AND mirror_id = %lld;", (long long)id);
}

/* ---- reading ---- */

static enum object_state state_of(const char *name)
{
	for (int s = 0; s < OBJECT_STATE_COUNT; s++)
		if (strcmp(object_state_name((enum object_state)s), name) == 0)
			return (enum object_state)s;
	return OBJECT_WAITING;
}

static void parse_needs(struct store_object *o, const char *text)
{
	char *end;
	for (const char *p = text; *p; p = end) {
		p += strspn(p, "{,}");
		long id = strtol(p, &end, 10);
		if (end == p)
			break;
		GROW(o->needs, o->need_count);
		o->needs[o->need_count++] = (int)id;
	}
}

static char *text_or_null(const struct rows *r, int row, int column)
{
	return rows_null(r, row, column) ? NULL : xstrdup(rows_text(r, row, column));
}

enum column {
	C_ID, C_POST, C_KIND, C_SCHEMA, C_NAME, C_OWNER, C_TABLE, C_SQL, C_GIVE, C_NEEDS, C_BYTES, C_STATE, C_NOTE, C_TEXT,
	C_NEXT, C_SQLSTATE, C_TOOK, C_WANTED,
};

static void object_fill(struct store_object *o, const struct rows *r, int i)
{
	*o = (struct store_object){
		.id = (int)rows_int(r, i, C_ID),
		.post = rows_bool(r, i, C_POST),
		.kind = xstrdup(rows_text(r, i, C_KIND)),
		.schema = xstrdup(rows_text(r, i, C_SCHEMA)),
		.name = xstrdup(rows_text(r, i, C_NAME)),
		.owner = xstrdup(rows_text(r, i, C_OWNER)),
		.table = text_or_null(r, i, C_TABLE),
		.sql = text_or_null(r, i, C_SQL),
		.give_sql = text_or_null(r, i, C_GIVE),
		.bytes = rows_int(r, i, C_BYTES),
		.state = state_of(rows_text(r, i, C_STATE)),
		.note = text_or_null(r, i, C_NOTE),
		.text = text_or_null(r, i, C_TEXT),
		.next = text_or_null(r, i, C_NEXT),
		.took_us = rows_int(r, i, C_TOOK),
		.wanted = rows_bool(r, i, C_WANTED),
	};
	parse_needs(o, rows_text(r, i, C_NEEDS));
	copy_text(o->sqlstate, sizeof(o->sqlstate), rows_text(r, i, C_SQLSTATE));
}

static bool exists(struct pg *target, bool *yes, struct error *e)
{
	struct rows *r = PG_ROWS(target, e, "SELECT to_regclass('pgpier.objects') IS NOT NULL");
	*yes = r && rows_bool(r, 0, 0);
	rows_free(r);
	return r != NULL;
}

bool store_objects_read(struct pg *target, int64_t id, char **settings, struct store_object **out, size_t *n,
	struct error *e)
{
	char text[24];
	bool any;
	*out = NULL;
	*n = 0;
	*settings = NULL;
	snprintf(text, sizeof(text), "%lld", (long long)id);
	if (!exists(target, &any, e))
		return false;
	if (!any) /* a store that an older pgpier made */
		return true;
	struct rows *set = PG_ROWS(target, e, "SELECT settings FROM pgpier.mirrors WHERE mirror_id = $1", text);
	struct rows *r = !set ? NULL : PG_ROWS(target, e,
		"SELECT object_no, post, kind, schema, name, owner, belongs_to, statement, give_statement, needs, bytes,"
		" state, note, why, next, sqlstate, took_us, wanted FROM pgpier.objects WHERE mirror_id = $1"
		" ORDER BY post, object_no", text);
	if (r) {
		*settings = rows_count(set) == 1 ? xstrdup(rows_text(set, 0, 0)) : NULL;
		*n = (size_t)rows_count(r);
		*out = xcalloc(*n + 1, sizeof(**out));
	}
	for (size_t i = 0; i < *n; i++)
		object_fill(&(*out)[i], r, (int)i);
	rows_free(set);
	rows_free(r);
	return r != NULL;
}
