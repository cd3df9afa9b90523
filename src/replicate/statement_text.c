// SPDX-License-Identifier: PostgreSQL
/* Every value is a text parameter with a cast to the column's type. Sets of rows come as one array a column
 * and are taken apart by unnest(); what unnest() would take apart too far comes as text[] and is cast row by
 * row. All names are qualified, operators too: the search path is empty. */
#include "statement_text.h"

#include <stdlib.h>

struct draft {
	struct strbuf *sql;
	struct statement *s;
	const struct relation *r;
	size_t params; /* so far */
};

static const char *separator(bool *first, const char *text)
{
	const char *s = *first ? "" : text;
	*first = false;
	return s;
}

static const struct relation_column *column_of(const struct draft *d, size_t i)
{
	return &d->r->columns[i];
}

bool statement_inserts(const struct relation *r, size_t column)
{
	return !r->columns[column].generated;
}

/* Whether an UPDATE with the statement's mask sets the column. */
static bool sets(const struct draft *d, size_t i)
{
	bool key = i < d->r->batch.key && d->s->kind != ROW_REKEY;
	return !key && statement_inserts(d->r, i) && !column_of(d, i)->always &&
		   relation_mask_has(d->r, d->s->mask, i);
}

/* ---- parameters ---- */

static size_t add_param(struct draft *d, size_t column, bool old)
{
	GROW(d->s->params, d->params);
	d->s->params[d->params] = (struct statement_param){ (uint16_t)column, old };
	return ++d->params;
}

/* "$3::integer" */
static void row_value(struct draft *d, size_t column, bool old)
{
	strbuf_addf(d->sql, "$%zu::%s", add_param(d, column, old), column_of(d, column)->type);
}

/* Where a column is among a set's parameters; they are listed before the text is made. */
static size_t set_position(const struct draft *d, size_t column)
{
	size_t i = 0;
	while (d->s->params[i].column != column)
		i++;
	return i;
}

/* "u.c3", with a cast when it came as text. */
static void set_value(struct draft *d, size_t column)
{
	const struct relation_column *c = column_of(d, column);
	strbuf_addf(d->sql, "u.c%zu%s%s", set_position(d, column), c->array ? "" : "::", c->array ? "" : c->type);
}

/* "unnest($1::integer[], $2::text[]) AS u(c0, c1)" */
static void set_source(struct draft *d)
{
	strbuf_add(d->sql, "unnest(");
	for (size_t i = 0; i < d->params; i++) {
		const struct relation_column *c = column_of(d, d->s->params[i].column);
		strbuf_addf(d->sql, "%s$%zu::%s", i ? ", " : "", i + 1, c->array ? c->array : "text[]");
	}
	strbuf_add(d->sql, ") AS u(");
	for (size_t i = 0; i < d->params; i++)
		strbuf_addf(d->sql, "%sc%zu", i ? ", " : "", i);
	strbuf_add(d->sql, ")");
}

/* ---- clauses ---- */

/* What the mirror itself writes: as assignments, or as lists of names and of values. */
static void own_columns(struct draft *d, bool *first, bool names, bool values, const char *deleted)
{
	const struct apply_table *t = d->r->table;
	const struct { const char *name, *value; } own[] = {
		{ deleted ? t->deleted_column : NULL, deleted }, { t->synced_column, "pg_catalog.now()" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (!own[i].name)
			continue;
		strbuf_add(d->sql, separator(first, ", "));
		if (names)
			quote_name(d->sql, own[i].name);
		strbuf_add(d->sql, names && values ? " = " : "");
		strbuf_add(d->sql, values ? own[i].value : "");
	}
}

/* Rows marked as deleted are looked for when their keys come anew, else passed over. */
static void by_mark(struct draft *d, const char *alias)
{
	strbuf_addf(d->sql, " AND %s.", alias);
	quote_name(d->sql, d->r->table->deleted_column);
	strbuf_add(d->sql, d->s->kind == ROW_CLEAR || d->s->kind == SET_CLEAR ? "" : " IS NOT TRUE");
}

static void add_columns_of_key(struct draft *d)
{
	for (size_t i = 0; i < d->r->batch.key; i++)
		add_param(d, i, true);
}

/* "t.id = u.c0 AND ..." */
static void where_set(struct draft *d)
{
	bool first = true;
	strbuf_add(d->sql, " WHERE ");
	for (size_t i = 0; i < d->r->batch.columns; i++) {
		const struct relation_column *c = column_of(d, i);
		/* A value that can't be set must be there already, or no row is found. */
		if (i >= d->r->batch.key && (d->s->kind != SET_UPDATE || !c->always))
			continue;
		strbuf_addf(d->sql, "%st.%s %s ", separator(&first, " AND "), c->name, c->equals);
		set_value(d, i);
	}
}

static void where_key(struct draft *d)
{
	strbuf_add(d->sql, " WHERE ");
	for (size_t i = 0; i < d->r->batch.key; i++) {
		strbuf_addf(d->sql, "%st.%s %s ", i ? " AND " : "", column_of(d, i)->name, column_of(d, i)->equals);
		row_value(d, i, true);
	}
}

/* One of the rows whose every bit is the same: *= knows NULL, json and all other types that have no equality.
 * What an index can find is said once more, as equality. */
static void same_row(struct draft *d)
{
	size_t n = d->r->batch.columns, first = d->params;
	strbuf_addf(d->sql, " FROM %s%s AS s WHERE ROW(", d->r->only, d->r->target);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(d->sql, "%ss.%s", i ? ", " : "", column_of(d, i)->name);
	strbuf_add(d->sql, ")::record OPERATOR(pg_catalog.*=) ROW(");
	for (size_t i = 0; i < n; i++) {
		strbuf_add(d->sql, i ? ", " : "");
		row_value(d, i, true);
	}
	strbuf_add(d->sql, ")::record");
	for (size_t i = 0; i < n; i++) {
		const struct relation_column *c = column_of(d, i);
		if (!c->indexed)
			continue;
		if (relation_mask_has(d->r, d->s->nulls, i))
			strbuf_addf(d->sql, " AND s.%s IS NULL", c->name);
		else
			strbuf_addf(d->sql, " AND s.%s %s $%zu::%s", c->name, c->equals, first + i + 1, c->type);
	}
	if (d->r->table->deleted_column)
		by_mark(d, "s");
	strbuf_add(d->sql, " LIMIT 1");
}

/* A row's place is only unique within a partition. */
static void where_row(struct draft *d)
{
	if (d->r->batch.key > 0) {
		where_key(d);
	} else if (d->r->partitioned) {
		strbuf_add(d->sql, " WHERE (t.tableoid, t.ctid) IN (SELECT s.tableoid, s.ctid");
		same_row(d);
		strbuf_add(d->sql, ")");
	} else {
		strbuf_add(d->sql, " WHERE t.ctid = (SELECT s.ctid");
		same_row(d);
		strbuf_add(d->sql, ")");
	}
}

/* ---- statements ---- */

static void delete_text(struct draft *d, bool set)
{
	strbuf_addf(d->sql, "DELETE FROM %s%s AS t", d->r->only, d->r->target);
	if (set) {
		add_columns_of_key(d);
		strbuf_add(d->sql, " USING ");
		set_source(d);
		where_set(d);
	} else {
		where_row(d);
	}
	if (d->s->kind == SET_CLEAR || d->s->kind == ROW_CLEAR)
		by_mark(d, "t");
}

static void mark_text(struct draft *d, bool set)
{
	bool first = true;
	strbuf_addf(d->sql, "UPDATE %s%s AS t SET ", d->r->only, d->r->target);
	own_columns(d, &first, true, true, "true");
	if (set) {
		add_columns_of_key(d);
		strbuf_add(d->sql, " FROM ");
		set_source(d);
		where_set(d);
	} else {
		where_row(d);
	}
}

static void update_text(struct draft *d, bool set)
{
	bool first = true;
	if (set) {
		add_columns_of_key(d);
		for (size_t i = d->r->batch.key; i < d->r->batch.columns; i++)
			if (sets(d, i) || column_of(d, i)->always)
				add_param(d, i, false);
	}
	strbuf_addf(d->sql, "UPDATE %s%s AS t SET ", d->r->only, d->r->target);
	for (size_t i = 0; i < d->r->batch.columns; i++) {
		if (!sets(d, i))
			continue;
		strbuf_addf(d->sql, "%s%s = ", separator(&first, ", "), column_of(d, i)->name);
		if (set)
			set_value(d, i);
		else
			row_value(d, i, false);
	}
	own_columns(d, &first, true, true, NULL);
	d->s->empty = first;
	if (set) {
		strbuf_add(d->sql, " FROM ");
		set_source(d);
		where_set(d);
	} else {
		where_row(d);
	}
}

static void insert_head(struct draft *d, bool *first)
{
	strbuf_addf(d->sql, "%s (", d->r->target);
	for (size_t i = 0; i < d->r->batch.columns; i++)
		if (statement_inserts(d->r, i))
			strbuf_addf(d->sql, "%s%s", separator(first, ", "), column_of(d, i)->name);
}

static void insert_text(struct draft *d, bool set, int server_version)
{
	bool first = true;
	strbuf_add(d->sql, "INSERT INTO ");
	insert_head(d, &first);
	own_columns(d, &first, true, false, "false");
	if (first) { /* nothing to name: a row of defaults */
		strbuf_clear(d->sql);
		strbuf_addf(d->sql, "INSERT INTO %s DEFAULT VALUES", d->r->target);
		return;
	}
	strbuf_addf(d->sql, ")%s %s", server_version >= 100000 ? " OVERRIDING SYSTEM VALUE" : "",
		set ? "SELECT " : "VALUES (");
	first = true;
	for (size_t i = 0; i < d->r->batch.columns && set; i++)
		if (statement_inserts(d->r, i))
			add_param(d, i, false);
	for (size_t i = 0; i < d->r->batch.columns; i++) {
		if (!statement_inserts(d->r, i))
			continue;
		strbuf_add(d->sql, separator(&first, ", "));
		if (set)
			set_value(d, i);
		else
			row_value(d, i, false);
	}
	own_columns(d, &first, false, true, "false");
	strbuf_add(d->sql, set ? " FROM " : ")");
	if (set)
		set_source(d);
}

/* What was not sent, and what is not mirrored, comes from the row that goes. */
static void move_text(struct draft *d, int server_version)
{
	bool first = true;
	strbuf_addf(d->sql, "WITH w AS (DELETE FROM %s%s AS t", d->r->only, d->r->target);
	where_row(d);
	strbuf_add(d->sql, " RETURNING t.*) INSERT INTO ");
	insert_head(d, &first);
	for (size_t i = 0; i < d->r->others.count; i++)
		strbuf_addf(d->sql, "%s%s", separator(&first, ", "), d->r->others.items[i]);
	strbuf_addf(d->sql, ")%s SELECT ", server_version >= 100000 ? " OVERRIDING SYSTEM VALUE" : "");
	first = true;
	for (size_t i = 0; i < d->r->batch.columns; i++) {
		if (!statement_inserts(d->r, i))
			continue;
		strbuf_add(d->sql, separator(&first, ", "));
		if (relation_mask_has(d->r, d->s->mask, i))
			row_value(d, i, false);
		else
			strbuf_addf(d->sql, "w.%s", column_of(d, i)->name);
	}
	for (size_t i = 0; i < d->r->others.count; i++)
		strbuf_addf(d->sql, "%sw.%s", separator(&first, ", "), d->r->others.items[i]);
	strbuf_add(d->sql, " FROM w");
}

static void plain_text(struct draft *d, int server_version)
{
	switch (d->s->kind) {
	case SET_DELETE:
	case SET_CLEAR:
		delete_text(d, true);
		break;
	case ROW_DELETE:
	case ROW_CLEAR:
		delete_text(d, false);
		break;
	case SET_MARK:
	case ROW_MARK:
		mark_text(d, d->s->kind == SET_MARK);
		break;
	case SET_UPDATE:
	case ROW_UPDATE:
	case ROW_REKEY:
		update_text(d, d->s->kind == SET_UPDATE);
		break;
	case ROW_MOVE:
		move_text(d, server_version);
		break;
	case SET_INSERT:
	case ROW_INSERT:
		insert_text(d, d->s->kind == SET_INSERT, server_version);
		break;
	}
}

void statement_text(struct strbuf *sql, struct statement *s, int server_version)
{
	struct draft d = { .sql = sql, .s = s, .r = s->relation };
	free(s->params);
	s->params = NULL;
	strbuf_add(sql, s->guarded ? "WITH w AS (" : "");
	plain_text(&d, server_version);
	if (s->guarded)
		strbuf_addf(sql, " RETURNING 1) SELECT 1 / (count(*) = $%zu::bigint)::int FROM w", d.params + 1);
	s->param_count = d.params;
}

void statement_copy_text(struct strbuf *sql, const struct relation *r)
{
	struct draft d = { .sql = sql, .r = r };
	bool first = true;
	strbuf_add(sql, "COPY ");
	insert_head(&d, &first);
	own_columns(&d, &first, true, false, "false");
	strbuf_add(sql, ") FROM STDIN");
}

/* CASCADE is left out on purpose: the source names all tables that it emptied, and what else hangs on them on
 * the target is not ours. */
void statement_truncate_text(struct strbuf *sql, struct batch_table *const *tables, uint8_t options)
{
	bool first = true;
	for (; *tables; tables++) {
		const struct relation *r = (const struct relation *)*tables;
		if (!r->table->deleted_column)
			strbuf_addf(sql, "%s%s%s", first ? "TRUNCATE " : ", ", r->only, r->target);
		first &= r->table->deleted_column != NULL;
	}
	if (!first && (options & PGOUTPUT_TRUNCATE_RESTART))
		strbuf_add(sql, " RESTART IDENTITY");
}

void statement_empty_text(struct strbuf *sql, const struct relation *r)
{
	struct draft d = { .sql = sql, .r = r };
	bool first = true;
	if (!r->table->deleted_column) {
		strbuf_addf(sql, "DELETE FROM %s%s", r->only, r->target);
		return;
	}
	strbuf_addf(sql, "UPDATE %s%s AS t SET ", r->only, r->target);
	own_columns(&d, &first, true, true, "true");
	strbuf_add(sql, " WHERE t.");
	quote_name(sql, r->table->deleted_column);
	strbuf_add(sql, " IS NOT TRUE");
}
