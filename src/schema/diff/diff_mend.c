// SPDX-License-Identifier: PostgreSQL
/* Statements that make an object of the target like the source's. The words that name an object in a DROP are
 * taken from the statements of the dump, where pg_dump has written them with all that it takes (arguments of a
 * function, method of an operator class). */
#include <stdlib.h>

#include "../../pg/conn.h"
#include "diff_inside.h"

/* ---- taking words from statements ---- */

bool between(const char *sql, const char *from, const char *to, struct piece *out)
{
	const char *at = sql, *end = sql + strlen(sql);
	int depth = 0;
	*out = (struct piece){ NULL, NULL };
	for (struct token t; (t = lexer_code(&at, end)).kind != TOKEN_END;) {
		depth += token_is_char(&t, '(') - token_is_char(&t, ')');
		bool stops = depth == 0 && (to ? token_is(&t, to) : token_is_char(&t, ';'));
		if (out->start && stops)
			return out->end > out->start;
		if (out->start)
			out->end = at;
		else if (depth == 0 && token_is(&t, from))
			out->start = out->end = at + strspn(at, " \n");
	}
	return false;
}

static char *worded(const char *before, struct piece p, const char *after)
{
	return xasprintf("%s %.*s%s", before, (int)(p.end - p.start), p.start, after);
}

/* "ALTER FUNCTION f(integer) OWNER TO o": what is altered is what is dropped. Whatever is like a table is altered
 * as one. */
static char *drop_owned(const struct dump_entry *e)
{
	struct piece p;
	if (!between(e->give_sql, "ALTER", "OWNER", &p))
		return NULL;
	if (!KIND_OF(e, "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE"))
		return worded("DROP", p, ";");
	const char *last_word = strrchr(e->kind, ' ') ? strrchr(e->kind, ' ') + 1 : e->kind;
	if (!between(e->give_sql, "TABLE", "OWNER", &p) && !between(e->give_sql, last_word, "OWNER", &p))
		return NULL;
	char *drop = xasprintf("DROP %s", e->kind);
	char *statement = worded(drop, p, ";");
	free(drop);
	return statement;
}

/* ---- of tables ---- */

static char *of_table(const struct dump_entry *e, const char *what)
{
	char schema[NAME_SIZE], table[NAME_SIZE];
	struct strbuf b = STRBUF_INIT;
	if (!dump_entry_table(NULL, e, schema, table))
		return NULL;
	strbuf_add(&b, "ALTER TABLE ");
	quote_qualified(&b, schema, table);
	strbuf_addf(&b, " %s", what);
	return strbuf_take(&b);
}

/* The identifier behind that word. */
static char *name_behind(const char *sql, const char *word)
{
	const char *at = sql, *end = sql + strlen(sql);
	struct strbuf b = STRBUF_INIT;
	char name[NAME_SIZE];
	struct token t;
	do
		t = lexer_code(&at, end);
	while (t.kind != TOKEN_END && !token_is(&t, word));
	t = lexer_code(&at, end);
	if (!token_name(&t, name))
		return NULL;
	quote_name(&b, name);
	return strbuf_take(&b);
}

static char *drop_named(const struct dump_entry *e, const char *sql, const char *word, const char *what)
{
	char *name = name_behind(sql, word);
	char *action = name ? xasprintf("%s %s;", what, name) : NULL;
	char *statement = action ? of_table(e, action) : NULL;
	free(action);
	free(name);
	return statement;
}

/* DROP TRIGGER x ON s.t */
static char *drop_on_table(const struct dump_entry *e, const char *sql)
{
	char schema[NAME_SIZE], table[NAME_SIZE];
	char *name = name_behind(sql, e->kind);
	struct strbuf b = STRBUF_INIT;
	if (!name || !dump_entry_table(NULL, e, schema, table)) {
		free(name);
		return NULL;
	}
	strbuf_addf(&b, "DROP %s %s ON ", e->kind, name);
	quote_qualified(&b, schema, table);
	strbuf_add(&b, ";");
	free(name);
	return strbuf_take(&b);
}

static char *drop_default(const struct dump_entry *e, const char *sql)
{
	char *name = name_behind(sql, "COLUMN");
	char *action = name ? xasprintf("ALTER COLUMN %s DROP DEFAULT;", name) : NULL;
	char *statement = action ? of_table(e, action) : NULL;
	free(action);
	free(name);
	return statement;
}

static char *drop_index(const struct dump_entry *e)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_add(&b, "DROP INDEX ");
	quote_qualified(&b, e->schema, e->name);
	strbuf_add(&b, ";");
	return strbuf_take(&b);
}

/* ---- grants ---- */

static bool begins_with(struct piece p, const char *word)
{
	const char *at = p.start;
	struct token t = lexer_code(&at, p.end);
	return token_is(&t, word);
}

/* The other word, of those that say in which direction it goes. */
static const char *opposite(const struct token *t, bool turned)
{
	if (!turned && token_is(t, "GRANT"))
		return "REVOKE";
	if (!turned && token_is(t, "REVOKE"))
		return "GRANT";
	return token_is(t, "TO") ? "FROM" : token_is(t, "FROM") ? "TO" : NULL;
}

/* GRANT x ON y TO z [WITH GRANT OPTION]: REVOKE x ON y FROM z; and the other way round, also behind ALTER
 * DEFAULT PRIVILEGES. */
static void add_inverse(struct strbuf *b, struct piece p)
{
	const char *at = p.start, *copied = p.start;
	bool turned = false;
	int depth = 0;
	for (struct token t; (t = lexer_code(&at, p.end)).kind != TOKEN_END; copied = at) {
		depth += token_is_char(&t, '(') - token_is_char(&t, ')');
		if (depth == 0 && (token_is_char(&t, ';') || (turned && token_is(&t, "WITH"))))
			break;
		const char *other = depth == 0 ? opposite(&t, turned) : NULL;
		turned = turned || token_is(&t, "GRANT") || token_is(&t, "REVOKE");
		if (t.start > copied)
			strbuf_add(b, " ");
		if (other)
			strbuf_add(b, other);
		else
			strbuf_addn(b, t.start, t.len);
	}
	strbuf_add(b, ";");
}

static bool has_piece(const struct piece *list, size_t n, struct piece p)
{
	for (size_t i = 0; i < n; i++)
		if (piece_same(list[i], p))
			return true;
	return false;
}

/* What only `there` says is undone, what only `here` says is done. Grants by another role than the owner come
 * between SET SESSION AUTHORIZATION and RESET: then all of `here` is run, so that they stay between them. */
static char *mend_grants(const char *here, const char *there)
{
	size_t n, m;
	struct strbuf b = STRBUF_INIT;
	struct piece *wanted = statements_of(here, &n), *had = statements_of(there, &m);
	bool by_others = false;
	for (size_t i = 0; i < n + m; i++)
		by_others = by_others || begins_with(i < n ? wanted[i] : had[i - n], "SET");
	for (size_t i = m; !by_others && i-- > 0;) {
		if (has_piece(wanted, n, had[i]))
			continue;
		strbuf_add(&b, b.len ? "\n" : "");
		add_inverse(&b, had[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (!by_others && has_piece(had, m, wanted[i]))
			continue;
		strbuf_add(&b, b.len ? "\n" : "");
		add_piece(&b, wanted[i]);
	}
	free(wanted);
	free(had);
	return strbuf_take(&b);
}

/* ---- dropping ---- */

/* COMMENT ON x IS 'y', SECURITY LABEL ON x IS 'y' */
static char *label_null(const char *sql)
{
	struct piece p;
	const char *at = sql;
	struct token t = lexer_code(&at, sql + strlen(sql));
	bool comment = token_is(&t, "COMMENT");
	if (!between(sql, comment ? "COMMENT" : "SECURITY", "IS", &p))
		return NULL;
	return worded(comment ? "COMMENT" : "SECURITY", p, " IS NULL;");
}

/* CREATE CAST (a AS b) WITH ...; CREATE USER MAPPING FOR x SERVER y OPTIONS ... */
static char *drop_created(const char *sql, const char *up_to)
{
	struct piece p;
	if (!between(sql, "CREATE", up_to, &p) && !between(sql, "CREATE", NULL, &p))
		return NULL;
	return worded("DROP", p, ";");
}

static char *drop_from_publication(const char *sql)
{
	struct piece p, table;
	if (!between(sql, "ALTER", "ADD", &p) || !between(sql, "ADD", "WHERE", &table)) {
		if (!between(sql, "ALTER", "ADD", &p) || !between(sql, "ADD", NULL, &table))
			return NULL;
	}
	return xasprintf("ALTER %.*s DROP %.*s;", (int)(p.end - p.start), p.start, (int)(table.end - table.start),
		table.start);
}

/* Parts of a column or of a table that are statements by themselves. */
static char *undo_alter(const char *sql, const char *word, const char *instead)
{
	struct piece p;
	return between(sql, "ALTER", word, &p) ? worded("ALTER", p, instead) : NULL;
}

static char *detach(const char *sql)
{
	struct piece table, partition;
	if (!between(sql, "ALTER", "ATTACH", &table) || !between(sql, "PARTITION", NULL, &partition))
		return NULL;
	const char *at = partition.start;
	char schema[NAME_SIZE], name[NAME_SIZE];
	if (!lexer_qualified(&at, partition.end, schema, name))
		return NULL;
	return xasprintf("ALTER %.*s DETACH PARTITION %.*s;", (int)(table.end - table.start), table.start,
		(int)(at - partition.start), partition.start);
}

static char *drop_by_name(const char *what, const struct dump_entry *e)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_addf(&b, "DROP %s ", what);
	quote_name(&b, e->name);
	strbuf_add(&b, ";");
	return strbuf_take(&b);
}

char *mend_drop(const struct dump_entry *e, const char *sql)
{
	if (KIND_OF(e, "COMMENT", "SECURITY LABEL"))
		return label_null(sql);
	if (KIND_OF(e, "ACL", "DEFAULT ACL"))
		return mend_grants("", sql);
	if (KIND_OF(e, "CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT"))
		return drop_named(e, sql, "CONSTRAINT", "DROP CONSTRAINT");
	if (KIND_OF(e, "TRIGGER", "RULE", "POLICY"))
		return drop_on_table(e, sql);
	if (is_kind(e, "ROW SECURITY"))
		return of_table(e, "DISABLE ROW LEVEL SECURITY;");
	if (is_kind(e, "DEFAULT"))
		return drop_default(e, sql);
	if (is_kind(e, "INDEX"))
		return drop_index(e);
	if (KIND_OF(e, "EXTENSION", "ACCESS METHOD"))
		return drop_by_name(e->kind, e);
	if (is_kind(e, "CAST"))
		return drop_created(sql, "WITH");
	if (is_kind(e, "TRANSFORM"))
		return drop_created(sql, "WITH");
	if (is_kind(e, "USER MAPPING"))
		return drop_created(sql, "OPTIONS");
	if (is_kind(e, "SEQUENCE OWNED BY"))
		return undo_alter(sql, "OWNED", " OWNED BY NONE;");
	if (is_kind(e, "SEQUENCE") && !e->give_sql)
		return undo_alter(sql, "ADD", " DROP IDENTITY;");
	if (is_kind(e, "TABLE ATTACH"))
		return detach(sql);
	if (strncmp(e->kind, "PUBLICATION TABLE", 17) == 0)
		return drop_from_publication(sql);
	return e->give_sql ? drop_owned(e) : NULL;
}

/* ---- replacing ---- */

/* CREATE x as CREATE OR REPLACE x. */
static char *or_replace(const char *sql)
{
	const char *at = sql;
	struct token t = lexer_code(&at, sql + strlen(sql));
	return token_is(&t, "CREATE") ? xasprintf("CREATE OR REPLACE%s", at) : NULL;
}

static char *drop_and_create(const struct dump_entry *e, const char *source_sql, const char *target_sql)
{
	char *gone = mend_drop(e, target_sql);
	char *both = gone ? xasprintf("%s\n%s", gone, source_sql) : NULL;
	free(gone);
	return both;
}

/* CREATE SEQUENCE s.x options as ALTER SEQUENCE s.x options; what a later one does not name stays as it is, and
 * only CYCLE is silent when it is off. */
static char *alter_sequence(const char *sql)
{
	struct piece p;
	const char *at = sql;
	struct token t = lexer_code(&at, sql + strlen(sql));
	if (!token_is(&t, "CREATE") || !between(sql, "CREATE", NULL, &p))
		return NULL;
	char *text = canon_piece(p);
	bool cycles = names_word(text, "CYCLE"), typed = names_word(text, "AS");
	free(text);
	return xasprintf("ALTER %.*s%s%s;", (int)(p.end - p.start), p.start, typed ? "" : "\n    AS bigint",
		cycles ? "" : "\n    NO CYCLE");
}

/* The labels of CREATE TYPE x AS ENUM (...). */
static struct piece *labels_of(const char *sql, size_t *n)
{
	const char *at = sql, *end = sql + strlen(sql);
	struct piece *list = NULL;
	*n = 0;
	for (struct token t; (t = lexer_code(&at, end)).kind != TOKEN_END && !token_is_char(&t, ';');) {
		if (t.kind != TOKEN_STRING)
			continue;
		GROW(list, *n);
		list[(*n)++] = (struct piece){ t.start, t.start + t.len };
	}
	return list;
}

/* A type is in use: labels can be added to it, nothing else. */
static char *add_labels(const char *source_sql, const char *target_sql)
{
	size_t n, m, k = 0;
	struct piece name, *wanted, *had;
	struct strbuf b = STRBUF_INIT;
	if (!between(source_sql, "CREATE", "AS", &name) || !strstr(source_sql, "AS ENUM") || !strstr(target_sql, "AS ENUM"))
		return NULL;
	wanted = labels_of(source_sql, &n);
	had = labels_of(target_sql, &m);
	for (size_t i = 0; i < n; i++) {
		if (k < m && piece_same(wanted[i], had[k])) {
			k++;
			continue;
		}
		strbuf_addf(&b, "%sALTER %.*s ADD VALUE ", b.len ? "\n" : "", (int)(name.end - name.start), name.start);
		add_piece(&b, wanted[i]);
		if (k < m) {
			strbuf_add(&b, " BEFORE ");
			add_piece(&b, had[k]);
		}
		strbuf_add(&b, ";");
	}
	free(wanted);
	free(had);
	char *text = strbuf_take(&b);
	if (k == m)
		return text;
	free(text);
	return NULL;
}

char *mend_replace(const struct dump_entry *e, const char *source_sql, const char *target_sql, bool *drops)
{
	*drops = false;
	if (KIND_OF(e, "FUNCTION", "PROCEDURE", "VIEW"))
		return or_replace(source_sql);
	if (KIND_OF(e, "COMMENT", "SECURITY LABEL", "DEFAULT", "SEQUENCE OWNED BY", "ROW SECURITY"))
		return xstrdup(source_sql);
	if (KIND_OF(e, "ACL", "DEFAULT ACL"))
		return mend_grants(source_sql, target_sql);
	if (is_kind(e, "SEQUENCE"))
		return alter_sequence(source_sql);
	if (is_kind(e, "TYPE"))
		return add_labels(source_sql, target_sql);
	*drops = true;
	if (KIND_OF(e, "CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "INDEX", "TRIGGER", "RULE", "POLICY", "STATISTICS",
			"MATERIALIZED VIEW", "AGGREGATE", "CAST", "EVENT TRIGGER", "FOREIGN TABLE", "PUBLICATION TABLE",
			"USER MAPPING"))
		return drop_and_create(e, source_sql, target_sql);
	return NULL;
}
