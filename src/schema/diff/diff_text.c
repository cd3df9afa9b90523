// SPDX-License-Identifier: PostgreSQL
/* Texts of definitions, freed of what does not matter: white space, quotes that a name does not need, comments,
 * the order of grants. */
#include <ctype.h>
#include <stdlib.h>

#include "../../pg/conn.h"
#include "diff_inside.h"

/* ---- one token ---- */

static bool is_plain(const char *name)
{
	if (!islower((unsigned char)*name) && *name != '_')
		return false;
	for (; *name; name++)
		if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

void add_plain_name(struct strbuf *b, const char *name)
{
	if (is_plain(name))
		strbuf_add(b, name);
	else
		quote_name(b, name);
}

/* 'app.t_id_seq'::regclass is a name in a string. */
static bool add_regclass(struct strbuf *b, const struct token *t, const char *end)
{
	static const char cast[] = "::regclass";
	const char *behind = t->start + t->len, *at = t->start + 1;
	char schema[NAME_SIZE], name[NAME_SIZE];
	if (t->start[0] != '\'' || (size_t)(end - behind) < sizeof(cast) - 1 ||
		memcmp(behind, cast, sizeof(cast) - 1) != 0 || !lexer_qualified(&at, behind - 1, schema, name) ||
		at != behind - 1)
		return false;
	strbuf_add(b, "'");
	if (schema[0])
		add_plain_name(b, schema);
	strbuf_add(b, ".");
	add_plain_name(b, name);
	strbuf_add(b, "'");
	return true;
}

static void add_token(struct strbuf *b, const struct token *t, const char *end)
{
	char name[NAME_SIZE];
	if (b->len)
		strbuf_add(b, " ");
	if (t->kind == TOKEN_NAME && token_name(t, name))
		add_plain_name(b, name);
	else if (t->kind != TOKEN_STRING || !add_regclass(b, t, end))
		strbuf_addn(b, t->start, t->len);
}

/* Servers before 12 print EXECUTE PROCEDURE for a trigger's function. */
static bool is_old_word(const struct token *last, const struct token *t)
{
	return token_is(t, "PROCEDURE") && token_is(last, "EXECUTE");
}

char *canon_piece(struct piece p)
{
	struct strbuf b = STRBUF_INIT;
	struct token last = { 0 };
	const char *at = p.start;
	for (struct token t; (t = lexer_code(&at, p.end)).kind != TOKEN_END; last = t) {
		if (is_old_word(&last, &t))
			strbuf_add(&b, " FUNCTION");
		else
			add_token(&b, &t, p.end);
	}
	return strbuf_take(&b);
}

char *canon(const char *sql)
{
	return canon_piece((struct piece){ sql, sql + strlen(sql) });
}

/* ---- statements ---- */

struct piece *statements_of(const char *sql, size_t *count)
{
	struct piece *list = NULL;
	const char *at = sql, *end = sql + strlen(sql), *start = NULL;
	int depth = 0;
	*count = 0;
	for (struct token t; (t = lexer_code(&at, end)).kind != TOKEN_END;) {
		start = start ? start : t.start;
		depth += token_is_char(&t, '(') - token_is_char(&t, ')');
		if (!token_is_char(&t, ';') || depth > 0)
			continue;
		GROW(list, *count);
		list[(*count)++] = (struct piece){ start, at };
		start = NULL;
	}
	return list;
}

void add_piece(struct strbuf *b, struct piece p)
{
	strbuf_addn(b, p.start, (size_t)(p.end - p.start));
}

bool piece_same(struct piece a, struct piece b)
{
	char *x = canon_piece(a), *y = canon_piece(b);
	bool same = strcmp(x, y) == 0;
	free(x);
	free(y);
	return same;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *canon_sorted(const char *sql)
{
	size_t n;
	struct piece *list = statements_of(sql, &n);
	struct strings texts = { 0 };
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; i < n; i++) {
		char *text = canon_piece(list[i]);
		strings_add(&texts, text);
		free(text);
	}
	if (n > 1)
		qsort(texts.items, texts.count, sizeof(*texts.items), compare_texts);
	for (size_t i = 0; i < texts.count; i++)
		strbuf_addf(&b, "%s\n", texts.items[i]);
	strings_free(&texts);
	free(list);
	return strbuf_take(&b);
}

/* ---- other majors ---- */

/* Up to the comma, which goes too: one option of CREATE TYPE ... AS RANGE. */
static void skip_option(const char **at, const char *end)
{
	const char *behind = *at;
	for (struct token t; (t = lexer_code(&behind, end)).kind != TOKEN_END && !token_is_char(&t, ')');) {
		*at = behind;
		if (token_is_char(&t, ','))
			return;
	}
}

/* Queries of servers before 16 have the table's name before each column, later ones only where it is needed.
 * Ranges have multiranges since 14. The comma before an option that is last stays behind, so none counts. */
char *canon_loose(const char *sql)
{
	struct strbuf b = STRBUF_INIT;
	const char *at = sql, *end = sql + strlen(sql);
	for (struct token t; (t = lexer_code(&at, end)).kind != TOKEN_END;) {
		const char *behind = at;
		struct token next = lexer_code(&behind, end);
		if ((t.kind == TOKEN_WORD || t.kind == TOKEN_NAME) && token_is_char(&next, '.'))
			at = behind;
		else if (token_is(&t, "multirange_type_name"))
			skip_option(&at, end);
		else if (!token_is_char(&t, ','))
			add_token(&b, &t, end);
	}
	return strbuf_take(&b);
}

bool names_word(const char *canonical, const char *name)
{
	const char *at = canonical, *end = at + strlen(at);
	char text[NAME_SIZE];
	for (struct token t; (t = lexer_code(&at, end)).kind != TOKEN_END;)
		if (token_name(&t, text) && strcmp(text, name) == 0)
			return true;
	return false;
}
