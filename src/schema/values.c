// SPDX-License-Identifier: PostgreSQL
/* Sequence values. The target's sequence is the one its column owns, whatever its name: an
 * identity's name was the server's choice, and a table that existed has its own; else the one of
 * the same name. */
#include <stdlib.h>

#include "sequences.h"
#include "steps.h"

/* setval calls in one statement: many tables must not become many round trips. */
#define VALUES_AT_ONCE 500

struct value {
	const char *last;
	bool called;
};

static void note_value(void *context, size_t sequence, const struct rows *r, int row)
{
	((struct value *)context)[sequence] =
		(struct value){ rows_text(r, row, 1), rows_bool(r, row, 2) };
}

/* place in d->sequences, name on the target. */
static struct rows *find_on_target(const struct defs *d, struct pg *target, struct error *e)
{
	size_t n = d->sequence_count;
	char **tables = xcalloc(n, sizeof(*tables)), **names = xcalloc(n, sizeof(*names));
	const char **columns = xcalloc(n, sizeof(*columns));
	for (size_t i = 0; i < n; i++) {
		const struct def_sequence *s = &d->sequences[i];
		struct strbuf b = STRBUF_INIT;
		if (s->unread)
			continue;
		def_sequence_target(&b, s);
		names[i] = strbuf_take(&b);
		if (s->owner == SCHEMA_NO_TABLE)
			continue;
		def_target(&b, &d->tables[s->owner]);
		tables[i] = strbuf_take(&b);
		columns[i] = s->owner_column_name;
	}
	struct strbuf t = STRBUF_INIT, c = STRBUF_INIT, s = STRBUF_INIT;
	quote_array(&t, n, (const char *const *)tables);
	quote_array(&c, n, columns);
	quote_array(&s, n, (const char *const *)names);
	struct rows *r = PG_ROWS(target, e,
		"select u.i - 1, q.oid::regclass"
		" from unnest($1::text[], $2::text[], $3::text[]) with ordinality u (t, c, s, i)"
		" join pg_class q on q.relkind = 'S' and q.oid = coalesce("
		"(select pg_get_serial_sequence(u.t, a.attname)::regclass from pg_attribute a"
		" where a.attrelid = to_regclass(u.t) and a.attname = u.c and a.attnum > 0),"
		" to_regclass(u.s))",
		t.text, c.text, s.text);
	for (size_t i = 0; i < n; i++) {
		free(tables[i]);
		free(names[i]);
	}
	free(tables);
	free(names);
	free(columns);
	strbuf_free(&t);
	strbuf_free(&c);
	strbuf_free(&s);
	return r;
}

/* Beside rows that the target already had, a sequence must not go back. */
static bool keeps_own(const struct defs *d, const struct def_sequence *s)
{
	return d->mirror->on_existing_rows == EXISTING_APPEND &&
		   (s->user == SCHEMA_NO_TABLE || d->tables[s->user].wanted->exists);
}

static void add_value(struct strbuf *b, const struct defs *d, const struct def_sequence *s,
	const struct value *v, const char *name)
{
	struct strbuf q = STRBUF_INIT;
	quote_literal(&q, name);
	strbuf_addf(b, "(%s::regclass, ", q.text);
	if (keeps_own(d, s)) {
		strbuf_addf(b, "%s('%s'::bigint, pg_sequence_last_value(%s::regclass)), ",
			s->increment[0] == '-' ? "least" : "greatest", v->last, q.text);
		strbuf_addf(b, "%s or pg_sequence_last_value(%s::regclass) is not null)",
			v->called ? "true" : "false", q.text);
	} else {
		strbuf_addf(b, "'%s'::bigint, %s)", v->last, v->called ? "true" : "false");
	}
	strbuf_free(&q);
}

/* Rows first .. first + n of what was found on the target, as one statement. */
static void add_step(struct schema_steps *steps, const struct defs *d, const struct value *values,
	const struct rows *found, int first, int n)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_add(&b, "SELECT setval(v.s, v.n, v.c) FROM (VALUES ");
	for (int row = first; row < first + n; row++) {
		int64_t i = rows_int(found, row, 0);
		strbuf_add(&b, row > first ? ", " : "");
		add_value(&b, d, &d->sequences[i], &values[i], rows_text(found, row, 1));
	}
	strbuf_add(&b, ") v (s, n, c)");
	const char *name = rows_text(found, first, 1);
	steps_add(steps, SCHEMA_VALUE, SCHEMA_NO_TABLE, 0,
		n == 1 ? xstrdup(name) : xasprintf("%s and %d more", name, n - 1), &b);
}

static void add_unread(struct schema_steps *steps, const struct def_sequence *s)
{
	char *name = xasprintf("%s.%s", s->schema, s->name);
	strings_add(&steps->unread, name);
	free(name);
}

bool schema_values(struct pg *source, struct pg *target, const struct mirror_config *m,
	const struct schema_table *tables, size_t count, struct schema_steps *steps, struct error *e)
{
	struct defs d;
	struct value *values = NULL;
	struct rows *found = NULL;
	*steps = (struct schema_steps){ 0 };
	defs_init(&d, source, target, m, tables, count);
	bool ok = defs_read_tables(&d, e) && defs_read_sequences(&d, false, e);
	if (ok) {
		values = xcalloc(d.sequence_count, sizeof(*values));
		ok = sequences_select(&d, "last_value, is_called", note_value, values, e) &&
			 (found = find_on_target(&d, target, e)) != NULL;
	}
	int n = ok ? rows_count(found) : 0;
	for (int first = 0; first < n; first += VALUES_AT_ONCE)
		add_step(steps, &d, values, found, first, MIN(VALUES_AT_ONCE, n - first));
	for (size_t i = 0; ok && i < d.sequence_count; i++)
		if (d.sequences[i].unread)
			add_unread(steps, &d.sequences[i]);
	rows_free(found);
	free(values);
	defs_free(&d);
	return ok;
}
