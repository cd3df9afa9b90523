// SPDX-License-Identifier: PostgreSQL
/* The types that chosen tables need: enums, domains, composites and ranges, with all that they are
 * made of. Both servers are read with the same queries, so that definitions can be compared part by
 * part. */
#ifndef SCHEMA_TYPES_H
#define SCHEMA_TYPES_H

#include "schema.h"

enum def_type_kind {
	TYPE_ENUM = 'e', TYPE_DOMAIN = 'd', TYPE_COMPOSITE = 'c', TYPE_RANGE = 'r',
	TYPE_MULTIRANGE = 'm',
	TYPE_ARRAY = 'A', TYPE_BASE = 'b', TYPE_ROW = 't' /* of a table */,
};

/* A label, an attribute or a check of a type. */
struct def_member {
	const char *name;
	const char *text; /* attribute: its type; check: its definition */
	const char *collation;
	int64_t type_oid;
	bool valid; /* a check */
};

struct def_type {
	int64_t oid;
	const char *schema, *name;
	enum def_type_kind kind;
	const char *extension, *extension_schema; /* empty: of none */
	int64_t related;   /* element, base, subtype, or a multirange's range */
	const char *base;  /* text of a domain's base or a range's subtype */
	const char *collation, *default_text; /* empty: none */
	bool not_null;
	const char *opclass, *canonical, *difference, *multirange; /* of a range; empty: none */
	struct def_member *members;
	size_t member_count;
	int depth;
	size_t table; /* the first that needs it */
	bool made;    /* not on the target: ours to make */
};

struct def_types {
	struct def_type *items; /* by oid; system types are not among them */
	size_t count;
	struct rows **kept;
	size_t kept_count;
};

/* One type that a table uses. */
struct type_use {
	int64_t oid;
	size_t table;
};

/* Reads the types of uses and, recursively, what they are made of. */
bool types_read(struct def_types *t, struct pg *source, const struct type_use *uses, size_t count,
	struct error *e) MUST_CHECK;
/* Finds out which of them the target has, and what is in the way. */
bool types_compare(struct def_types *t, struct pg *source, struct pg *target,
	struct schema_findings *f, struct error *e) MUST_CHECK;
void types_free(struct def_types *t);

/* One level: the types of oids ("{1,2}") are added. */
bool types_load(struct def_types *t, struct pg *c, const char *oids, struct error *e) MUST_CHECK;
struct def_type *types_find(const struct def_types *t, int64_t oid); /* or NULL */

/* The statements that make it; for a kind that can be made. */
void type_create(struct strbuf *b, const struct def_type *t, bool multiranges);
bool type_can_be_made(const struct def_type *t);

#endif
