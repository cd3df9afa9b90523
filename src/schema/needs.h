// SPDX-License-Identifier: PostgreSQL
/* What definitions call by name and we do not make: functions, operators, collations, operator
 * classes, text search configurations. What the target lacks is a blocker, named together with what
 * needs it. */
#ifndef SCHEMA_NEEDS_H
#define SCHEMA_NEEDS_H

#include "defs.h"
#include "types.h"

/* One line of pg_depend: of whom ... */
enum need_of { OF_DEFAULT = 'd', OF_CHECK = 'k', OF_INDEX = 'i', OF_TABLE = 't', OF_TYPE = 'y' };
/* ... upon what. */
enum need_kind {
	NEED_FUNCTION = 'f', NEED_OPERATOR = 'o', NEED_COLLATION = 'l', NEED_OPCLASS = 'c',
	NEED_TS_CONFIG = 's', NEED_TS_DICTIONARY = 'n', NEED_TYPE = 'T',
};

struct need {
	enum need_of of;
	int64_t of_oid;
	enum need_kind kind;
	int64_t oid;
};

struct needs {
	struct need *items;
	size_t count;
};

/* Those of the tables to make; the types among them belong to what types_read() is given. */
bool needs_read_tables(struct needs *n, struct defs *d, struct error *e) MUST_CHECK;
/* Those of the types to make. */
bool needs_read_types(
	struct needs *n, struct defs *d, const struct def_types *types, struct error *e) MUST_CHECK;
bool needs_check(const struct needs *n, struct defs *d, const struct def_types *types,
	struct pg *target, struct schema_findings *f, struct error *e) MUST_CHECK;
void needs_free(struct needs *n);

#endif
