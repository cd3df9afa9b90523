// SPDX-License-Identifier: PostgreSQL
/* struct rows is a PGresult by another name: callers above pg/ need no libpq header to read one. */
#include <stdlib.h>
#include <string.h>

#include "conn.h"

static PGresult *result(const struct rows *r)
{
	return (PGresult *)(uintptr_t)r;
}

int rows_count(const struct rows *r)
{
	return PQntuples(result(r));
}

const char *rows_text(const struct rows *r, int row, int column)
{
	return PQgetvalue(result(r), row, column);
}

bool rows_null(const struct rows *r, int row, int column)
{
	return PQgetisnull(result(r), row, column);
}

int64_t rows_int(const struct rows *r, int row, int column)
{
	return strtoll(rows_text(r, row, column), NULL, 10);
}

double rows_number(const struct rows *r, int row, int column)
{
	return strtod(rows_text(r, row, column), NULL);
}

bool rows_bool(const struct rows *r, int row, int column)
{
	return strcmp(rows_text(r, row, column), "t") == 0;
}

void rows_free(struct rows *r)
{
	PQclear(result(r));
}
