// SPDX-License-Identifier: PostgreSQL
#include "lexer.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool starts_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool continues_word(char c)
{
	return starts_word(c) || c == '$';
}

static const char *end_of_word(const char *p, const char *end)
{
	while (p < end && continues_word(*p))
		p++;
	return p;
}

/* p is behind the opening quote; a doubled one is part of the text. */
static const char *end_of_quoted(const char *p, const char *end, char quote, bool backslashes)
{
	for (; p < end; p++) {
		if (backslashes && *p == '\\' && p + 1 < end)
			p++;
		else if (*p == quote && p + 1 < end && p[1] == quote)
			p++;
		else if (*p == quote)
			return p + 1;
	}
	return end;
}

/* p is at a dollar; NULL: it opens no string ($1, a$b). */
static const char *end_of_dollar_string(const char *p, const char *end)
{
	const char *tag = p + 1;
	if (tag < end && isdigit((unsigned char)*tag))
		return NULL;
	while (tag < end && starts_word(*tag))
		tag++;
	if (tag >= end || *tag != '$')
		return NULL;
	size_t len = (size_t)(tag + 1 - p);
	const char *close = memmem(tag + 1, (size_t)(end - tag - 1), p, len);
	return close ? close + len : end;
}

/* They nest. */
static const char *end_of_block_comment(const char *p, const char *end)
{
	int depth = 0;
	for (; p + 1 < end; p++) {
		bool opens = p[0] == '/' && p[1] == '*', closes = p[0] == '*' && p[1] == '/';
		if (!opens && !closes)
			continue;
		depth += opens ? 1 : -1;
		p++;
		if (depth == 0)
			return p + 1;
	}
	return end;
}

static const char *end_of_line(const char *p, const char *end)
{
	const char *newline = memchr(p, '\n', (size_t)(end - p));
	return newline ? newline : end;
}

static const char *scan(const char *p, const char *end, enum token_kind *kind)
{
	char c = *p, next = p + 1 < end ? p[1] : '\0';
	const char *behind;
	if ((c == 'E' || c == 'e') && next == '\'') {
		*kind = TOKEN_STRING;
		return end_of_quoted(p + 2, end, '\'', true);
	}
	if (starts_word(c)) {
		*kind = TOKEN_WORD;
		return end_of_word(p, end);
	}
	if (c == '\'' || c == '"') {
		*kind = c == '"' ? TOKEN_NAME : TOKEN_STRING;
		return end_of_quoted(p + 1, end, c, false);
	}
	if (c == '-' && next == '-') {
		*kind = TOKEN_COMMENT;
		return end_of_line(p, end);
	}
	if (c == '/' && next == '*') {
		*kind = TOKEN_COMMENT;
		return end_of_block_comment(p, end);
	}
	if (c == '$' && (behind = end_of_dollar_string(p, end))) {
		*kind = TOKEN_STRING;
		return behind;
	}
	*kind = TOKEN_CHAR;
	return p + 1;
}

struct token lexer_next(const char **at, const char *end)
{
	const char *p = *at;
	while (p < end && isspace((unsigned char)*p))
		p++;
	struct token t = { TOKEN_END, p, 0 };
	if (p < end) {
		const char *behind = scan(p, end, &t.kind);
		t.len = (size_t)(behind - p);
		p = behind;
	}
	*at = p;
	return t;
}

struct token lexer_code(const char **at, const char *end)
{
	struct token t;
	do
		t = lexer_next(at, end);
	while (t.kind == TOKEN_COMMENT);
	return t;
}

bool token_is(const struct token *t, const char *word)
{
	return t->kind == TOKEN_WORD && strlen(word) == t->len && strncasecmp(t->start, word, t->len) == 0;
}

bool token_is_char(const struct token *t, char c)
{
	return t->kind == TOKEN_CHAR && *t->start == c;
}

bool token_name(const struct token *t, char out[NAME_SIZE])
{
	if (t->kind != TOKEN_WORD && t->kind != TOKEN_NAME)
		return false;
	bool quoted = t->kind == TOKEN_NAME;
	size_t n = 0;
	for (size_t i = quoted; i + quoted < t->len; i++) {
		if (n == NAME_SIZE - 1)
			return false;
		out[n++] = t->start[i];
		if (quoted && t->start[i] == '"')
			i++;
	}
	out[n] = '\0';
	return true;
}

bool lexer_qualified(const char **at, const char *end, char schema[NAME_SIZE], char name[NAME_SIZE])
{
	struct token t = lexer_code(at, end);
	schema[0] = '\0';
	if (!token_name(&t, name))
		return false;
	const char *behind = *at;
	t = lexer_code(&behind, end);
	if (!token_is_char(&t, '.'))
		return true;
	memcpy(schema, name, NAME_SIZE);
	t = lexer_code(&behind, end);
	*at = behind;
	return token_name(&t, name);
}
