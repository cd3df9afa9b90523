// SPDX-License-Identifier: PostgreSQL
/* Queries about roles, some of which are let in. */
#ifndef CUTOVER_ALLOWED_H
#define CUTOVER_ALLOWED_H

#include "../pg/conn.h"

/* One statement whose $1 is a text[] of their names (NULL: none). */
struct rows *query_allowed(struct pg *c, const struct strings *allow, const char *sql, struct error *e) MUST_CHECK;

#endif
