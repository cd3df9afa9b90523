// SPDX-License-Identifier: PostgreSQL
/* Two CREATE TABLE, compared by columns and checks, so that what is not the same can be mended by ALTER TABLE
 * with all rows in place. */
#include <stdlib.h>

#include "../../pg/conn.h"
#include "diff_inside.h"

struct column {
	char name[NAME_SIZE];
	struct piece whole; /* name and all */
	struct piece type, fallback, generated; /* empty: has none */
	bool not_null;
};

struct check {
	char name[NAME_SIZE];
	struct piece whole;
};

struct table {
	struct piece name; /* qualified, as printed */
	struct column *columns;
	size_t column_count;
	struct check *checks;
	size_t check_count;
	struct piece head, tail; /* what stands before the name and behind the columns */
	struct piece *more;      /* statements behind */
	size_t more_count;
};

static bool is_empty(struct piece p)
{
	return p.start == p.end;
}

static void table_free(struct table *t)
{
	free(t->columns);
	free(t->checks);
	free(t->more);
}

/* ---- reading ---- */

static bool ends_part(const struct token *t)
{
	return token_is(t, "DEFAULT") || token_is(t, "NOT") || token_is(t, "GENERATED") || token_is(t, "CONSTRAINT");
}

/* Up to the next word that begins another part of the column. */
static struct piece read_part(const char **at, const char *end)
{
	struct piece p = { NULL, NULL };
	int depth = 0;
	for (;;) {
		const char *behind = *at;
		struct token t = lexer_code(&behind, end);
		if (t.kind == TOKEN_END || (depth == 0 && ends_part(&t)))
			return p;
		depth += token_is_char(&t, '(') - token_is_char(&t, ')');
		p.start = p.start ? p.start : t.start;
		p.end = *at = behind;
	}
}

static bool add_column(struct table *t, struct piece whole)
{
	struct column c = { .whole = whole };
	const char *at = whole.start;
	struct token word = lexer_code(&at, whole.end);
	if (!token_name(&word, c.name))
		return false;
	c.type = read_part(&at, whole.end);
	for (word = lexer_code(&at, whole.end); word.kind != TOKEN_END; word = lexer_code(&at, whole.end)) {
		if (token_is(&word, "DEFAULT"))
			c.fallback = read_part(&at, whole.end);
		else if (token_is(&word, "GENERATED"))
			c.generated = read_part(&at, whole.end);
		else if (token_is(&word, "NOT"))
			c.not_null = true;
	}
	GROW(t->columns, t->column_count);
	t->columns[t->column_count++] = c;
	return true;
}

static bool add_item(struct table *t, struct piece whole)
{
	struct check c = { .whole = whole };
	const char *at = whole.start;
	struct token word = lexer_code(&at, whole.end);
	if (!token_is(&word, "CONSTRAINT"))
		return add_column(t, whole);
	word = lexer_code(&at, whole.end);
	GROW(t->checks, t->check_count);
	t->checks[t->check_count] = c;
	return token_name(&word, t->checks[t->check_count++].name);
}

/* at is behind the opening parenthesis, and then behind the closing one. */
static bool read_items(struct table *t, const char **at, const char *end)
{
	struct piece item = { NULL, NULL };
	for (int depth = 1; depth > 0;) {
		struct token word = lexer_code(at, end);
		depth += token_is_char(&word, '(') - token_is_char(&word, ')');
		bool ends = depth == 0 || (depth == 1 && token_is_char(&word, ','));
		if (word.kind == TOKEN_END || (ends && item.start && !add_item(t, item)))
			return false;
		if (ends)
			item = (struct piece){ NULL, NULL };
		else
			item = (struct piece){ item.start ? item.start : word.start, *at };
	}
	return true;
}

/* A table that goes to a schema which the source lacks has CREATE SCHEMA in front. */
static size_t skip_schema(struct piece *list, size_t n)
{
	const char *at = list[0].start;
	struct token word = lexer_code(&at, list[0].end);
	word = lexer_code(&at, list[0].end);
	if (!token_is(&word, "SCHEMA") || n < 2)
		return n;
	memmove(list, list + 1, (n - 1) * sizeof(*list));
	return n - 1;
}

/* CREATE [UNLOGGED] TABLE name ( ... ) ...; and statements behind it. */
static bool read_table(const char *sql, struct table *t)
{
	size_t n;
	char schema[NAME_SIZE], name[NAME_SIZE];
	*t = (struct table){ 0 };
	t->more = statements_of(sql, &n);
	if (n == 0)
		return false;
	n = skip_schema(t->more, n);
	struct piece first = t->more[0];
	const char *at = first.start;
	struct token word = lexer_code(&at, first.end);
	while (word.kind != TOKEN_END && !token_is(&word, "TABLE"))
		word = lexer_code(&at, first.end);
	t->head = (struct piece){ first.start, at };
	t->name.start = at;
	if (word.kind == TOKEN_END || !lexer_qualified(&at, first.end, schema, name))
		return false;
	t->name.end = at;
	t->name.start += strspn(t->name.start, " \n");
	word = lexer_code(&at, first.end);
	if (!token_is_char(&word, '(') || !read_items(t, &at, first.end))
		return false;
	t->tail = (struct piece){ at, first.end - 1 };
	t->more_count = n - 1;
	memmove(t->more, t->more + 1, t->more_count * sizeof(*t->more));
	return true;
}

/* ---- leaving out ---- */

static bool is_listed(const struct strings *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->items[i], name) == 0)
			return true;
	return false;
}

/* ALTER TABLE ... ALTER COLUMN c SET ... */
static bool is_about(struct piece statement, const struct strings *names)
{
	const char *at = statement.start;
	struct token last = { 0 };
	char name[NAME_SIZE];
	for (struct token t; (t = lexer_code(&at, statement.end)).kind != TOKEN_END; last = t)
		if (token_is(&last, "COLUMN"))
			return token_name(&t, name) && is_listed(names, name);
	return false;
}

static void leave_out(struct table *t, const struct strings *names)
{
	size_t n = 0;
	for (size_t i = 0; i < t->column_count; i++)
		if (!is_listed(names, t->columns[i].name))
			t->columns[n++] = t->columns[i];
	t->column_count = n;
	n = 0;
	for (size_t i = 0; i < t->more_count; i++)
		if (!is_about(t->more[i], names))
			t->more[n++] = t->more[i];
	t->more_count = n;
}

/* ---- comparing ---- */

struct writing {
	const struct table *source, *target;
	struct strbuf meaning, statement;
	bool drops, unclear;
};

static void mean(struct writing *w, const char *fmt, ...) PG_PRINTF(2, 3);
static void mean(struct writing *w, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	char *text = xvasprintf(fmt, args);
	va_end(args);
	strbuf_addf(&w->meaning, "%s%s", w->meaning.len ? "; " : "", text);
	free(text);
}

/* "ALTER TABLE t ", for what comes next. */
static struct strbuf *alter(struct writing *w)
{
	strbuf_add(&w->statement, w->statement.len ? "\nALTER TABLE " : "ALTER TABLE ");
	add_piece(&w->statement, w->target->name);
	strbuf_add(&w->statement, " ");
	return &w->statement;
}

static void alter_column(struct writing *w, const char *name, const char *action, struct piece value)
{
	struct strbuf *b = alter(w);
	strbuf_add(b, "ALTER COLUMN ");
	quote_name(b, name);
	strbuf_addf(b, " %s", action);
	add_piece(b, value);
	strbuf_add(b, ";");
}

static const struct column *find_column(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->column_count; i++)
		if (strcmp(t->columns[i].name, name) == 0)
			return &t->columns[i];
	return NULL;
}

static void compare_default(struct writing *w, const struct column *s, const struct column *t)
{
	if (piece_same(s->fallback, t->fallback))
		return;
	mean(w, "column %s has another default", s->name);
	alter_column(w, s->name, is_empty(s->fallback) ? "DROP DEFAULT" : "SET DEFAULT ", s->fallback);
}

static void compare_column(struct writing *w, const struct column *s, const struct column *t)
{
	static const struct piece nothing = { NULL, NULL };
	if (!piece_same(s->generated, t->generated)) {
		mean(w, "column %s is generated in another way", s->name);
		w->unclear = true;
	}
	if (!piece_same(s->type, t->type)) {
		mean(w, "column %s has type %.*s, not %.*s", s->name, (int)(t->type.end - t->type.start), t->type.start,
			(int)(s->type.end - s->type.start), s->type.start);
		alter_column(w, s->name, "TYPE ", s->type);
		w->drops = true;
	}
	compare_default(w, s, t);
	if (s->not_null != t->not_null) {
		mean(w, "column %s is %s", s->name, s->not_null ? "not NOT NULL" : "NOT NULL");
		alter_column(w, s->name, s->not_null ? "SET NOT NULL" : "DROP NOT NULL", nothing);
	}
}

static void compare_columns(struct writing *w)
{
	const struct table *s = w->source, *t = w->target;
	for (size_t i = 0; i < s->column_count; i++) {
		const struct column *other = find_column(t, s->columns[i].name);
		if (other) {
			compare_column(w, &s->columns[i], other);
			continue;
		}
		mean(w, "column %s is missing", s->columns[i].name);
		struct strbuf *b = alter(w);
		strbuf_add(b, "ADD COLUMN ");
		add_piece(b, s->columns[i].whole);
		strbuf_add(b, ";");
	}
	for (size_t i = 0; i < t->column_count; i++) {
		if (find_column(s, t->columns[i].name))
			continue;
		mean(w, "column %s is on the target only", t->columns[i].name);
		struct strbuf *b = alter(w);
		strbuf_add(b, "DROP COLUMN ");
		quote_name(b, t->columns[i].name);
		strbuf_add(b, ";");
		w->drops = true;
	}
}

/* Those that both have, in their order. */
static bool same_order(const struct table *a, const struct table *b)
{
	size_t k = 0;
	for (size_t i = 0; i < a->column_count; i++) {
		if (!find_column(b, a->columns[i].name))
			continue;
		while (k < b->column_count && !find_column(a, b->columns[k].name))
			k++;
		if (k == b->column_count || strcmp(b->columns[k++].name, a->columns[i].name) != 0)
			return false;
	}
	return true;
}

static const struct check *find_check(const struct table *t, const struct check *c)
{
	for (size_t i = 0; i < t->check_count; i++)
		if (strcmp(t->checks[i].name, c->name) == 0)
			return &t->checks[i];
	return NULL;
}

static void drop_check(struct writing *w, const struct check *c)
{
	struct strbuf *b = alter(w);
	strbuf_add(b, "DROP CONSTRAINT ");
	quote_name(b, c->name);
	strbuf_add(b, ";");
	w->drops = true;
}

static void compare_checks(struct writing *w)
{
	for (size_t i = 0; i < w->source->check_count; i++) {
		const struct check *c = &w->source->checks[i], *other = find_check(w->target, c);
		if (other && piece_same(c->whole, other->whole))
			continue;
		mean(w, "constraint %s is %s", c->name, other ? "another" : "missing");
		if (other)
			drop_check(w, other);
		struct strbuf *b = alter(w);
		strbuf_add(b, "ADD ");
		add_piece(b, c->whole);
		strbuf_add(b, ";");
	}
	for (size_t i = 0; i < w->target->check_count; i++) {
		const struct check *c = &w->target->checks[i];
		if (find_check(w->source, c))
			continue;
		mean(w, "constraint %s is on the target only", c->name);
		drop_check(w, c);
	}
}

static bool has_statement(const struct table *t, struct piece p)
{
	for (size_t i = 0; i < t->more_count; i++)
		if (piece_same(t->more[i], p))
			return true;
	return false;
}

/* Storage, statistics, replica identity: the source's are run again, what only the target has is beyond that. */
static void compare_more(struct writing *w)
{
	for (size_t i = 0; i < w->source->more_count; i++) {
		struct piece p = w->source->more[i];
		if (has_statement(w->target, p))
			continue;
		mean(w, "\"%.*s\" is missing", (int)(p.end - p.start - 1), p.start);
		strbuf_add(&w->statement, w->statement.len ? "\n" : "");
		add_piece(&w->statement, p);
	}
	for (size_t i = 0; i < w->target->more_count; i++) {
		struct piece p = w->target->more[i];
		if (has_statement(w->source, p))
			continue;
		mean(w, "\"%.*s\" is of the target only", (int)(p.end - p.start - 1), p.start);
		w->unclear = true;
	}
}

static void compare_frame(struct writing *w)
{
	if (!piece_same(w->source->head, w->target->head)) {
		mean(w, "one of them is unlogged");
		w->unclear = true;
	}
	if (!piece_same(w->source->tail, w->target->tail)) {
		mean(w, "options, inheritance or partitioning are not the same");
		w->unclear = true;
	}
	if (!same_order(w->source, w->target))
		mean(w, "columns are in another order, which SELECT * and INSERT without names show");
}

bool table_compare(const char *source_sql, const char *target_sql, const struct strings *left_out,
	const struct strings *added, struct table_diff *out)
{
	struct table s, t = { 0 };
	struct writing w = { .source = &s, .target = &t };
	*out = (struct table_diff){ 0 };
	bool ok = read_table(source_sql, &s) && read_table(target_sql, &t);
	if (ok) {
		leave_out(&s, left_out);
		leave_out(&t, added);
		compare_columns(&w);
		compare_checks(&w);
		compare_more(&w);
		compare_frame(&w);
		out->meaning = w.meaning.len ? strbuf_take(&w.meaning) : NULL;
		out->statement = w.statement.len && !w.unclear ? strbuf_take(&w.statement) : NULL;
		out->drops = w.drops;
	}
	strbuf_free(&w.meaning);
	strbuf_free(&w.statement);
	table_free(&s);
	table_free(&t);
	return ok;
}
