// SPDX-License-Identifier: PostgreSQL
/* SQL that gives the same bits on both servers for the same value, and other bits for another one. Pure.
 *
 * A value is compared as its text under the fixed settings of pg_connect(), which is exact for every type: NULL is
 * not '', 1.0 is not 1.00, -0 is not 0, 'a' is not 'a ' and no collation has a say. Where a major prints a type in
 * another way than a later one, the expression is not the text but something that both have in common; where there
 * is no such thing, the column can't be compared, and that is said.
 *
 * A row is compared as 64 bits. Hashing columns one by one and combining them costs half of what hashing the text
 * of the row does; every column has seeds of its own, so that values can't change places unseen. Servers before 11
 * lack the functions for it: then it is the first half of an md5 of the row's text. */
#ifndef VERIFY_EXPRESS_H
#define VERIFY_EXPRESS_H

#include "value_types.h"

enum { SOURCE, TARGET, SIDES };

/* What the two servers have in common. */
struct servers {
	int version[SIDES];
	bool hashes;     /* the extended hash functions were tried on both, and agree */
	bool convert;    /* their databases' encodings differ: text is compared in UTF-8 */
	bool same_money; /* lc_monetary of both databases is the same */
};

/* What a column's hash is made of. */
enum way { WAY_TEXT, WAY_INTEGER, WAY_BOOLEAN, WAY_UUID, WAY_TIMESTAMP };

struct expressed {
	const struct value_type *type; /* on this side */
	enum way way;
	const char *operand; /* the column, quoted */
};

#define WHY_SIZE 200

/* May columns of these types be compared, and how? False: why tells. */
bool express_way(const struct servers *s, const struct value_type *source, const struct value_type *target,
	enum way *way, char why[WHY_SIZE]) MUST_CHECK;
/* The text of one value; NULL for NULL. */
void express_text(struct strbuf *sql, const struct servers *s, const struct value_type *t, const char *operand);
/* The text as a person reads it: what the type's output function prints. */
void express_shown(struct strbuf *sql, const struct value_type *t, const char *operand);
/* A bigint of a row. */
void express_row(struct strbuf *sql, const struct servers *s, const struct expressed *columns, size_t n);

/* One text of what the hash functions make of known values: servers that agree in it agree in all. */
extern const char express_probe_sql[];
#define EXPRESS_HASHES_SINCE 110000

#endif
