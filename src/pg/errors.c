// SPDX-License-Identifier: PostgreSQL
/* What a server's error means for us. */
#include <stdio.h>
#include <string.h>

#include "conn.h"

/* Longest prefix wins. */
static const struct {
	const char *prefix;
	enum error_class class;
} classes[] = {
	{ "08", ERROR_CONNECTION },     { "57P01", ERROR_CONNECTION }, { "57P02", ERROR_CONNECTION },
	{ "57P03", ERROR_CONNECTION },  { "57P05", ERROR_CONNECTION }, { "53300", ERROR_CONNECTION },
	{ "28", ERROR_PERMISSION },     { "42501", ERROR_PERMISSION }, { "3D000", ERROR_CONFIG },
	{ "57014", ERROR_CANCELLED },   { "53", ERROR_CONFLICT },      { "55", ERROR_CONFLICT },
	{ "40", ERROR_CONFLICT },       { "25006", ERROR_CONFLICT },   { "72", ERROR_LOST },
};

enum error_class pg_error_class(const char *sqlstate)
{
	enum error_class class = ERROR_DATA;
	size_t longest = 0;
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		size_t n = strlen(classes[i].prefix);
		if (n > longest && strncmp(sqlstate, classes[i].prefix, n) == 0) {
			class = classes[i].class;
			longest = n;
		}
	}
	return class;
}

void pg_fold(char *text)
{
	size_t n = 0;
	for (const char *p = text; *p; p++) {
		bool space = *p == '\n' || *p == '\t' || *p == ' ';
		if (!space)
			text[n++] = *p;
		else if (n > 0 && text[n - 1] != ' ')
			text[n++] = ' ';
	}
	while (n > 0 && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
}

/* What a server says of an error, wherever it was read from. Never NULL. */
struct said {
	const char *state, *primary, *detail, *hint, *context;
};

static void fill(struct error *e, const struct said *s, const char *statement)
{
	error_set(e, pg_error_class(s->state), "%s", s->primary);
	copy_text(e->sqlstate, sizeof(e->sqlstate), s->state);
	snprintf(e->detail, sizeof(e->detail), "%s%s%s%s%s", s->detail, s->hint[0] ? "\nHINT: " : "", s->hint,
		s->context[0] ? "\nCONTEXT: " : "", s->context);
	copy_text(e->statement, sizeof(e->statement), statement);
}

static const char *field(const PGresult *r, int code)
{
	const char *s = r ? PQresultErrorField(r, code) : NULL;
	return s ? s : "";
}

bool pg_error(struct pg *c, struct error *e, const PGresult *r, const char *statement)
{
	const struct said s = { field(r, PG_DIAG_SQLSTATE), field(r, PG_DIAG_MESSAGE_PRIMARY),
		field(r, PG_DIAG_MESSAGE_DETAIL), field(r, PG_DIAG_MESSAGE_HINT), field(r, PG_DIAG_CONTEXT) };
	if (s.state[0] && !pg_lost(c)) {
		fill(e, &s, statement);
		return false;
	}
	char text[600];
	copy_text(text, sizeof(text), s.primary[0] ? s.primary : PQerrorMessage(pg_conn_borrow(c)));
	pg_fold(text);
	error_set(e, ERROR_CONNECTION, "%s", text[0] ? text : "the connection was lost");
	copy_text(e->sqlstate, sizeof(e->sqlstate), s.state);
	return false;
}

bool pg_error_fields(struct error *e, const char *fields, size_t size, const char *statement)
{
	struct said s = { "", "", "", "", "" };
	const char *end = fields + size;
	for (const char *p = fields; p < end && *p;) {
		const char *value = p + 1, *stop = memchr(value, '\0', (size_t)(end - value));
		if (!stop)
			break;
		switch (*p) {
		case PG_DIAG_SQLSTATE:
			s.state = value;
			break;
		case PG_DIAG_MESSAGE_PRIMARY:
			s.primary = value;
			break;
		case PG_DIAG_MESSAGE_DETAIL:
			s.detail = value;
			break;
		case PG_DIAG_MESSAGE_HINT:
			s.hint = value;
			break;
		case PG_DIAG_CONTEXT:
			s.context = value;
			break;
		}
		p = stop + 1;
	}
	fill(e, &s, statement);
	return false;
}
