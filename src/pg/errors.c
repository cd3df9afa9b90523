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

static const char *field(const PGresult *r, int code)
{
	const char *s = r ? PQresultErrorField(r, code) : NULL;
	return s ? s : "";
}

static void trim(char *text)
{
	size_t n = strlen(text);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		text[--n] = '\0';
}

bool pg_error(struct pg *c, struct error *e, const PGresult *r, const char *statement)
{
	const char *state = field(r, PG_DIAG_SQLSTATE);
	const char *primary = field(r, PG_DIAG_MESSAGE_PRIMARY);
	char text[600];
	copy_text(text, sizeof(text), primary[0] ? primary : PQerrorMessage(pg_conn_borrow(c)));
	trim(text);
	bool gone = pg_lost(c) || state[0] == '\0';
	error_set(e, gone ? ERROR_CONNECTION : pg_error_class(state), "%s",
		text[0] ? text : "the connection was lost");
	copy_text(e->sqlstate, sizeof(e->sqlstate), state);
	snprintf(e->detail, sizeof(e->detail), "%s%s%s%s%s", field(r, PG_DIAG_MESSAGE_DETAIL),
		field(r, PG_DIAG_MESSAGE_HINT)[0] ? "\nHINT: " : "", field(r, PG_DIAG_MESSAGE_HINT),
		field(r, PG_DIAG_CONTEXT)[0] ? "\nCONTEXT: " : "", field(r, PG_DIAG_CONTEXT));
	copy_text(e->statement, sizeof(e->statement), statement);
	return false;
}
