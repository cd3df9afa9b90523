// SPDX-License-Identifier: PostgreSQL
/* The types of columns, taken apart as far as their text depends on it. A domain is what it is made of. */
#ifndef VERIFY_VALUE_TYPES_H
#define VERIFY_VALUE_TYPES_H

#include "../pg/conn.h"

enum type_kind { TYPE_BASE, TYPE_ENUM, TYPE_RANGE, TYPE_ARRAY, TYPE_COMPOSITE };

struct value_type {
	enum type_kind kind;
	bool built_in;
	char name[NAME_SIZE]; /* as pg_type has it: "float8" */
	char *field;          /* of a composite's field: its name */
	struct value_type *parts; /* the element, the subtype, the fields */
	size_t part_count;
};

void value_type_free(struct value_type *t); /* what it owns, not the struct */
void value_type_copy(struct value_type *dst, const struct value_type *src);

/* The types of one server, as far as some tables have columns of them. */
struct value_types;
/* tables: an oid[] as text, "{16384,16385}". NULL on error. */
struct value_types *value_types_read(struct pg *c, const char *tables, struct error *e) MUST_CHECK;
void value_types_free(struct value_types *t);
/* Fills *out, which the caller frees. */
void value_types_expand(const struct value_types *t, int64_t oid, struct value_type *out);

#endif
