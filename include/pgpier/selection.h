// SPDX-License-Identifier: PostgreSQL
/* Which tables a mirror takes, and where each goes. Pure functions of the mirror's configuration. */
#ifndef PGPIER_SELECTION_H
#define PGPIER_SELECTION_H

#include <pgpier/config.h>

/* Does `tables` minus `exclude` choose schema.name? Shell patterns (* ? [..], \ escapes) against
 * "schema.name" with both names as they are, unquoted; * also matches dots. */
bool selection_takes(const struct mirror_config *m, const char *schema, const char *name);
/* Is this column left out by columns_exclude? */
bool selection_leaves_out(
	const struct mirror_config *m, const char *schema, const char *name, const char *column);
/* What the map says of schema.name: borrowed; NULL when it says nothing. */
const struct table_map *selection_map(
	const struct mirror_config *m, const char *schema, const char *name);
/* Target of schema.name: the map's, else the same names. Buffers of NAME_SIZE. The target text of a
 * map is split by selection_split(). */
void selection_target(const struct mirror_config *m, const char *schema, const char *name,
	char *target_schema, char *target_name);
/* Splits a map's target at its first dot: false unless that leaves two names of 1 to 63 bytes. */
bool selection_split(const char *text, char schema[NAME_SIZE], char name[NAME_SIZE]);
/* The target's role for one of the source: by roles_map, unless owners = keep. Borrowed. */
const char *selection_role(const struct mirror_config *m, const char *role);
/* schema.name as a pattern that matches just this table (escapes * ? [ \). Caller frees. */
char *selection_pattern(const char *schema, const char *name);

/* The same answers for very many tables: a picker may have written 10,000 names, and each of 50,000 tables is
 * asked for. Names without wildcards are found by bisection. Keeps nothing of m; any thread may read it. */
struct selection;
struct selection *selection_new(const struct mirror_config *m);
void selection_free(struct selection *s); /* NULL is fine */
bool selection_has(const struct selection *s, const char *schema, const char *name);
void selection_has_target(const struct selection *s, const char *schema, const char *name,
	char *target_schema, char *target_name);

#endif
