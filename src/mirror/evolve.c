// SPDX-License-Identifier: PostgreSQL
#include "evolve.h"

#include <pgpier/format.h>
#include <pgpier/selection.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One table's changes, as they are being done. */
struct evolving {
	const struct evolve *v;
	const struct store_table *table;
	const struct ddl_relation *now;
	struct evolve_sides sides;
	struct evolve_result *out;
	const struct ddl_column **added; /* whose existing rows need a value, here or already */
	size_t added_count;
	char *statement; /* the last ALTER TABLE, for the person who has to do it */
};

void evolve_result_free(struct evolve_result *r)
{
	strings_free(&r->done);
	free(r->description);
	*r = (struct evolve_result){ 0 };
}

/* ---- what a person must do ---- */

static void differs(struct evolving *x, const char *next, const char *fmt, ...) PG_PRINTF(3, 4);
static void differs(struct evolving *x, const char *next, const char *fmt, ...)
{
	va_list args;
	char text[600];
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	x->out->end = EVOLVE_DIFFERS;
	error_set(&x->out->difference, ERROR_CONFLICT, "%s.%s: %s", x->table->source_schema, x->table->source_name,
		text);
	error_next(&x->out->difference, "%s", next);
}

/* ALTER TABLE target, and what comes then with names quoted: %s of the column, then more. */
static char *alter(const struct evolving *x, const char *verb, const char *column, const char *more)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_addf(&b, "ALTER TABLE %s %s ", x->sides.root, verb);
	quote_name(&b, column);
	strbuf_add(&b, more);
	return strbuf_take(&b);
}

static bool is_excluded(const struct evolving *x, const char *column)
{
	return selection_leaves_out(
		x->v->config, x->table->source_schema, x->table->source_name, column);
}

static const char *target_name(const struct evolving *x, const char *column)
{
	return renames_target(&x->table->renamed, column);
}

static bool on_target(const struct evolving *x, const char *column)
{
	return evolve_target_has(&x->sides, target_name(x, column));
}

static void judge_dropped(struct evolving *x, const struct ddl_column *was)
{
	if (is_excluded(x, was->name) || !on_target(x, was->name))
		return;
	char *next = alter(x, "DROP COLUMN", target_name(x, was->name), "");
	differs(x, next, "column %s was dropped on the source", was->name);
	free(next);
}

/* The other column of the source that has its name on the target; NULL: it is its own. */
static const struct ddl_column *rival_of(const struct evolving *x, const struct ddl_column *c)
{
	const char *name = target_name(x, c->name);
	for (size_t i = 0; x->table->renamed.count > 0 && i < x->now->count; i++) {
		const struct ddl_column *other = &x->now->columns[i];
		if (strcmp(other->name, c->name) != 0 && strcmp(target_name(x, other->name), name) == 0 &&
			!is_excluded(x, other->name))
			return other;
	}
	return NULL;
}

/* The source has given a name that the mirror gave to another column. */
static bool judge_rival(struct evolving *x, const struct ddl_column *now)
{
	const struct ddl_column *rival = rival_of(x, now);
	if (!rival)
		return false;
	char *next = xasprintf("add %s.%s.%s to columns_exclude; or rename it on the source and resync the table",
		x->table->source_schema, x->table->source_name, now->name);
	differs(x, next, "the source has a column %s now, and %s on the target is its column %s", now->name,
		target_name(x, now->name), rival->name);
	free(next);
	return true;
}

static void judge_renamed(struct evolving *x, const struct ddl_change *c)
{
	if (is_excluded(x, c->now->name) || judge_rival(x, c->now) ||
		strcmp(target_name(x, c->now->name), target_name(x, c->before->name)) == 0 ||
		(on_target(x, c->now->name) && !on_target(x, c->before->name)))
		return;
	struct strbuf to = STRBUF_INIT;
	strbuf_add(&to, " TO ");
	quote_name(&to, target_name(x, c->now->name));
	char *next = alter(x, "RENAME COLUMN", target_name(x, c->before->name), to.text);
	differs(x, next, "column %s is %s on the source now", c->before->name, c->now->name);
	free(next);
	strbuf_free(&to);
}

/* The target has the column; of the source's type? */
static void judge_type(struct evolving *x, const struct ddl_column *now, const struct evolve_column *c)
{
	if (strcmp(c->target_type, c->type) == 0)
		return;
	char *more = xasprintf(" TYPE %s", c->type), *next = alter(x, "ALTER COLUMN", target_name(x, now->name), more);
	differs(x, next, "column %s is of type %s on the source now, on the target of type %s", now->name, c->type,
		c->target_type);
	free(more);
	free(next);
}

static bool judge_retyped(struct evolving *x, const struct ddl_column *now, struct error *e)
{
	struct evolve_column c;
	if (!evolve_column_read(x->v, x->table, x->now, now, &x->sides, &c, e))
		return false;
	if (c.there && !is_excluded(x, now->name))
		judge_type(x, now, &c);
	return true;
}

static void judge_table(struct evolving *x, enum ddl_kind kind)
{
	char *source = x->sides.source;
	char *again = xasprintf("ALTER TABLE %s REPLICA IDENTITY %s, on the source", source,
		x->sides.key.count > 0 ? "DEFAULT" : "FULL");
	if (kind == DDL_RENAMED)
		differs(x, "rename it back on the source; or take the old name out of the mirror's tables, and the new "
				   "one in", "it is called %s.%s on the source now", x->now->schema, x->now->name);
	else if (kind == DDL_REPLACED)
		differs(x, "resync the table", "the source has another table of this name now");
	else
		differs(x, again, "it has no replica identity on the source any more");
	free(again);
}

/* ---- adding columns ---- */

static bool wants_refill(const struct evolving *x, const struct evolve_column *c)
{
	return c->found && !c->missing && x->sides.rewritten;
}

/* NOT NULL, and every row gets a value at once. */
static bool is_full(const struct evolving *x, const struct evolve_column *c)
{
	return c->not_null && (c->missing || (wants_refill(x, c) && (c->identity || c->default_text)));
}

/* In a table that was not rewritten rows got nothing, whatever the default is now. */
static void add_clause(const struct evolving *x, struct strbuf *b, const char *name,
	const struct evolve_column *c)
{
	bool refill = wants_refill(x, c), identity = refill && c->identity;
	strbuf_addf(b, "ALTER TABLE %s ADD COLUMN ", x->sides.root);
	quote_name(b, name);
	strbuf_addf(b, " %s", c->type);
	if (c->collation[0])
		strbuf_addf(b, " COLLATE %s", c->collation);
	if (c->missing) {
		strbuf_add(b, " DEFAULT ");
		quote_literal(b, c->missing);
		strbuf_addf(b, "::%s", c->type);
	} else if (identity) {
		strbuf_addf(b, " GENERATED %s AS IDENTITY", c->identity == 'a' ? "ALWAYS" : "BY DEFAULT");
	} else if (refill && c->default_text) {
		strbuf_addf(b, " DEFAULT %s", c->default_text);
	}
	if (is_full(x, c))
		strbuf_add(b, " NOT NULL");
}

/* NOT NULL for when the stream has passed the rows that may come without a value. */
static void later_clause(const struct evolving *x, struct strbuf *b, const char *name,
	const struct evolve_column *c)
{
	if (!c->not_null || is_full(x, c) || !x->v->id)
		return;
	char *statement = alter(x, "ALTER COLUMN", name, " SET NOT NULL");
	strbuf_add(b, "; ");
	store_sql_later(b, x->v->id, statement);
	free(statement);
}

/* The default of rows to come, where the one that filled the old ones is another. */
static void default_clause(const struct evolving *x, struct strbuf *b, const char *name,
	const struct evolve_column *c)
{
	if (!c->missing && (wants_refill(x, c) || !c->default_text))
		return;
	strbuf_addf(b, "; ALTER TABLE %s ALTER COLUMN ", x->sides.root);
	quote_name(b, name);
	if (c->default_text)
		strbuf_addf(b, " SET DEFAULT %s", c->default_text);
	else
		strbuf_add(b, " DROP DEFAULT");
}

static void sequence_clauses(const struct evolving *x, const char *name, const struct evolve_column *c,
	struct strbuf *before, struct strbuf *after)
{
	if (!c->sequence)
		return;
	strbuf_addf(before, "CREATE SEQUENCE IF NOT EXISTS %s %s; ", c->sequence, c->sequence_options);
	strbuf_addf(after, "; ALTER SEQUENCE %s OWNED BY %s.", c->sequence, x->sides.root);
	quote_name(after, name);
}

static bool add_column(struct evolving *x, const struct ddl_column *now, const struct evolve_column *c,
	struct error *e)
{
	struct strbuf sql = STRBUF_INIT, clause = STRBUF_INIT, after = STRBUF_INIT;
	const char *name = target_name(x, now->name);
	sequence_clauses(x, name, c, &sql, &after);
	add_clause(x, &clause, name, c);
	free(x->statement);
	x->statement = xstrdup(clause.text);
	strbuf_add(&sql, clause.text);
	default_clause(x, &sql, name, c);
	if (after.len)
		strbuf_add(&sql, after.text);
	later_clause(x, &sql, name, c);
	bool ok = pg_run(x->v->target, e, sql.text);
	strbuf_free(&sql);
	strbuf_free(&clause);
	strbuf_free(&after);
	char *line = xasprintf("%s.%s: column %s added (%s)", x->table->target_schema, x->table->target_name,
		name, c->type);
	if (ok)
		strings_add(&x->out->done, line);
	free(line);
	return ok;
}

/* Of a column that was there before us: of a partition whose tree got it, or made by hand. */
static bool fill_missing(struct evolving *x, const struct ddl_column *now, const struct evolve_column *c,
	struct error *e)
{
	if (!c->there || !c->missing || c->target_filled)
		return true;
	struct strbuf sql = STRBUF_INIT;
	const char *name = target_name(x, now->name);
	strbuf_addf(&sql, "UPDATE ONLY %s SET ", x->sides.target);
	quote_name(&sql, name);
	strbuf_add(&sql, " = ");
	quote_literal(&sql, c->missing);
	strbuf_addf(&sql, "::%s WHERE ", c->type);
	quote_name(&sql, name);
	strbuf_add(&sql, " IS NULL");
	bool ok = pg_run(x->v->target, e, sql.text);
	strbuf_free(&sql);
	return ok;
}

static bool refill(struct evolving *x, const char **columns, size_t n, struct error *e)
{
	int64_t rows;
	char count[FORMAT_SIZE];
	struct strbuf names = STRBUF_INIT;
	const struct evolve_fill f = { x->sides.source, x->sides.target, &x->sides.key, columns, n,
		&x->table->renamed };
	if (n == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&names, "%s%s", i ? ", " : "", target_name(x, columns[i]));
	bool ok = true;
	if (x->sides.key.count == 0) {
		differs(x, "resync the table",
			"values of column %s in existing rows can't be told from the stream, and the table has no key",
			names.text);
	} else if ((ok = evolve_fill(x->v, &f, &rows, e))) {
		char *line = xasprintf("%s.%s: column %s of %s rows read again from the source",
			x->table->target_schema, x->table->target_name, names.text, format_count(rows, count));
		strings_add(&x->out->done, line);
		free(line);
	}
	strbuf_free(&names);
	return ok;
}

static bool add_all(struct evolving *x, struct error *e)
{
	const char **again = xcalloc(x->added_count, sizeof(*again));
	size_t n = 0;
	bool ok = true;
	for (size_t i = 0; ok && i < x->added_count; i++) {
		struct evolve_column c;
		ok = evolve_column_read(x->v, x->table, x->now, x->added[i], &x->sides, &c, e) &&
			 (c.there || add_column(x, x->added[i], &c, e)) && fill_missing(x, x->added[i], &c, e);
		if (ok && wants_refill(x, &c))
			again[n++] = x->added[i]->name;
	}
	ok = ok && refill(x, again, n, e);
	free(again);
	return ok;
}

static bool is_passing(const struct error *e)
{
	return e->class == ERROR_CONNECTION || e->class == ERROR_CANCELLED || e->class == ERROR_BUG;
}

/* All columns in one transaction: whoever finds them there finds their rows filled. Triggers of the target
 * leave filled rows alone where our role may ask for that. */
static bool add_in_transaction(struct evolving *x, struct error *e)
{
	struct error ignored;
	struct pg *c = x->v->target;
	bool replica = pg_run(c, &ignored, "SET session_replication_role = replica");
	bool ok = pg_run(c, e, "BEGIN") && add_all(x, e) && x->out->end != EVOLVE_DIFFERS && pg_run(c, e, "COMMIT");
	pg_rollback(c);
	if (replica && !pg_lost(c) && !pg_run(c, &ignored, "RESET session_replication_role"))
		pg_abandon(c);
	return ok;
}

static bool add_columns(struct evolving *x, struct error *e)
{
	if (!evolve_types(x->v, x->now->id, x->out, e))
		return false;
	if (x->out->end == EVOLVE_DIFFERS)
		return true;
	if (add_in_transaction(x, e)) {
		x->out->end = EVOLVE_DONE;
		return true;
	}
	if (x->out->end == EVOLVE_DIFFERS)
		return true;
	if (is_passing(e) || pg_lost(x->v->target) || pg_lost(x->v->source))
		return false;
	char *next = xasprintf("mend that, or do it on the target: %s", x->statement ? x->statement : "ADD COLUMN");
	differs(x, next, "a column was added on the source, and could not be on the target: %s", e->text);
	free(next);
	return true;
}

/* ---- all of it ---- */

static bool judge_added(struct evolving *x, const struct ddl_column *now, struct error *e)
{
	struct evolve_column c;
	if (is_excluded(x, now->name) || judge_rival(x, now))
		return true;
	if (!evolve_column_read(x->v, x->table, x->now, now, &x->sides, &c, e))
		return false;
	if (c.there)
		judge_type(x, now, &c);
	GROW(x->added, x->added_count);
	x->added[x->added_count++] = now;
	return true;
}

static bool judge(struct evolving *x, const struct ddl_change *c, struct error *e)
{
	switch (c->kind) {
	case DDL_ADDED:
		return judge_added(x, c->now, e);
	case DDL_DROPPED:
		judge_dropped(x, c->before);
		return true;
	case DDL_COLUMN_RENAMED:
		judge_renamed(x, c);
		return true;
	case DDL_RETYPED:
		return judge_retyped(x, c->now, e);
	default:
		judge_table(x, c->kind);
		return true;
	}
}

/* Of a table that nothing is known of: what the target has was there from the beginning. */
static void suppose(struct ddl_relation *out, const struct evolving *x)
{
	*out = (struct ddl_relation){ .id = x->now->id, .schema = xstrdup(x->now->schema),
		.name = xstrdup(x->now->name), .identity = x->now->identity };
	for (size_t i = 0; i < x->now->count; i++) {
		const struct ddl_column *c = &x->now->columns[i];
		if ((on_target(x, c->name) && !rival_of(x, c)) || is_excluded(x, c->name))
			ddl_add(out, c->name, c->type, c->typmod, c->key, 0);
	}
}

static bool evolve_from(struct evolving *x, const struct ddl_relation *before, lsn_t final, struct error *e)
{
	struct ddl_change *changes;
	struct ddl_relation merged;
	size_t n = ddl_changes(before, x->now, final, &changes);
	bool ok = true;
	for (size_t i = 0; ok && i < n && x->out->end != EVOLVE_DIFFERS; i++)
		ok = judge(x, &changes[i], e);
	if (ok && x->added_count > 0 && x->out->end != EVOLVE_DIFFERS)
		ok = add_columns(x, e);
	if (ok && x->out->end != EVOLVE_DIFFERS) {
		ddl_merge(&merged, before, x->now, final);
		x->out->description = ddl_describe(&merged);
		ddl_free(&merged);
	}
	free(changes);
	return ok;
}

bool evolve_relation(const struct evolve *v, const struct store_table *t, const struct ddl_relation *before,
	const struct ddl_relation *now, lsn_t final, struct evolve_result *out, struct error *e)
{
	struct evolving x = { .v = v, .table = t, .now = now, .out = out };
	struct ddl_relation supposed = { 0 };
	*out = (struct evolve_result){ .end = EVOLVE_NOTHING };
	bool ok = evolve_sides_read(v, t, now, &x.sides, e);
	if (ok && !x.sides.target_found) {
		differs(&x, "resync the table", "the target has no table %s", x.sides.target);
	} else if (ok) {
		if (!before)
			suppose(&supposed, &x);
		ok = evolve_from(&x, before ? before : &supposed, final, e);
	}
	ddl_free(&supposed);
	evolve_sides_free(&x.sides);
	free(x.added);
	free(x.statement);
	if (!ok)
		evolve_result_free(out);
	return ok;
}
