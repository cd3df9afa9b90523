// SPDX-License-Identifier: PostgreSQL
/* The report of a verification: as text for people, and as JSON for scripts. */
#ifndef CLI_VERIFIED_H
#define CLI_VERIFIED_H

#include <stdio.h>

#include <pgpier/json.h>
#include <pgpier/verify.h>

/* most_rows: of each table that are printed with their values. */
void verified_print(const struct verification *v, size_t most_rows, FILE *out);
void verified_shape(struct json *j, const char *key, const struct verification *v);

#endif
