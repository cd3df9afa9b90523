// SPDX-License-Identifier: PostgreSQL
/* SQL text as tokens, as far as it takes to tell code from strings, names and comments: what pg_dump and the
 * server print, in which strings have backslash escapes only when they are written E''. Pure. */
#ifndef SCHEMA_LEXER_H
#define SCHEMA_LEXER_H

#include <pgpier/base.h>

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,    /* keyword or unquoted name; a number too */
	TOKEN_NAME,    /* "quoted" */
	TOKEN_STRING,  /* '...', E'...', $tag$...$tag$ */
	TOKEN_COMMENT, /* -- to the end of the line, which is not part of it; or one of slashes and stars */
	TOKEN_CHAR,    /* any other single character */
};

struct token {
	enum token_kind kind;
	const char *start;
	size_t len;
};

/* The next one of [*at, end), white space skipped; *at moves behind it. TOKEN_END, again and again, at the
 * end. What is not ended reaches to the end. */
struct token lexer_next(const char **at, const char *end);
/* The same without comments. */
struct token lexer_code(const char **at, const char *end);

bool token_is(const struct token *t, const char *word); /* a keyword, in any case */
bool token_is_char(const struct token *t, char c);
/* An identifier's text, unquoted (not folded to lower case: printed names that need folding are quoted).
 * false: it is none, or too long to be one. */
bool token_name(const struct token *t, char out[NAME_SIZE]);
/* name or schema.name at *at, which moves behind it; schema "" for one without. */
bool lexer_qualified(const char **at, const char *end, char schema[NAME_SIZE], char name[NAME_SIZE]);

#endif
