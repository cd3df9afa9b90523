// SPDX-License-Identifier: PostgreSQL
/* The report of a verification: as text for people, and as JSON for scripts. */
#ifndef PGPIER_UI_VERIFIED_H
#define PGPIER_UI_VERIFIED_H

#include <stdio.h>

#include <pgpier/json.h>
#include <pgpier/verify.h>

/* most_rows: of each table that are printed with their values. */
void verified_print(const struct verification *v, size_t most_rows, FILE *out);
void verified_shape(struct json *j, const char *key, const struct verification *v);
/* One of a table's rows, a column a line. */
void verified_print_row(const struct verify_table *t, const struct verify_row *r, FILE *out);
/* "changed", "missing on the target", "only on the target" */
const char *verified_kind(const struct verify_row *r);
/* A value as it is told apart from any other: "\"text\"", "NULL", "\"beginning\"... (10000 bytes)". */
void verified_value(struct strbuf *b, const struct verify_value *v);
/* The whole report, and those of single tables since then. JSON when the file's name ends so. */
void verified_report(const struct verification *v, const struct verification *const *later, size_t later_count,
	const char *path, FILE *out);

#endif
