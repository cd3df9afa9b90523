// SPDX-License-Identifier: PostgreSQL
/* What the source's catalogs say of the chosen tables, as plain arrays. Texts point into query
 * results that the definitions keep, so reading copies next to nothing; after reading nothing
 * changes.
 *
 * Names that differ between majors are decided here once: a query asks for a column of a younger
 * catalog through defs_since(), which puts a constant in its place on an older server. */
#ifndef SCHEMA_DEFS_H
#define SCHEMA_DEFS_H

#include "schema.h"

/* server_version_num from which on a thing exists. */
enum {
	SINCE_REPLICA_IDENTITY = 90400,
	SINCE_PARTITIONS = 100000,
	SINCE_IDENTITY = 100000,
	SINCE_SEQUENCE_CATALOG = 100000,
	SINCE_PARTITIONED_INDEX = 110000,
	SINCE_INDEX_STATISTICS = 110000,
	SINCE_GENERATED = 120000,
	SINCE_TABLE_METHOD = 120000,
	SINCE_COMPRESSION = 140000,
	SINCE_MULTIRANGE = 140000,
	SINCE_DETACH_PENDING = 140000,
	SINCE_UNLOGGED_SEQUENCE = 150000,
	SINCE_INHERITED_IDENTITY = 170000,
	SINCE_NOT_NULL_NAMES = 180000,
	SINCE_VIRTUAL = 180000,
};
/* sql where the server has what it asks for, else `otherwise`. */
const char *defs_since(const struct pg *c, int version, const char *sql, const char *otherwise);

/* Storage parameters as WITH (...) takes them. */
#define OPTIONS_SQL(array, prefix) \
	"array_to_string(array(select " prefix "quote_ident(split_part(o, '=', 1)) || '=' || " \
	"quote_literal(substr(o, strpos(o, '=') + 1)) from unnest(" array ") o), ', ')"

struct def_sequence {
	int64_t oid;
	const char *schema, *name;
	const char *target_schema; /* its owner's, when that is chosen */
	const char *literal;       /* as default expressions name it: 'public.t_id_seq'::regclass */
	const char *type;          /* empty before 10 */
	const char *start, *increment, *minimum, *maximum, *cache;
	bool cycles, unlogged;
	size_t owner; /* the chosen table whose column owns it, or SCHEMA_NO_TABLE */
	int owner_column;
	const char *owner_column_name; /* on the target */
	bool identity;
	bool borrowed; /* of a chosen partition without its root, whose identity it shared */
	size_t user;   /* a table whose default uses it, or its owner */
	bool shared;   /* defaults of other tables than its owner use it as well */
	bool exists; /* on the target */
	bool unread; /* its value is asked for, but the role may not read it */
};

struct def_column {
	int number;
	const char *name, *type;
	const char *target_name;  /* the same unless the mirror's map has another */
	int64_t type_oid, default_oid;
	const char *collation;    /* qualified; empty: the type's own */
	const char *default_text; /* of default or generation; NULL none */
	char identity;            /* 'a', 'd' or 0 */
	char generated;           /* 's', 'v' or 0 */
	const char *storage, *compression, *options; /* empty: the type's, the server's, none */
	const char *statistics;                      /* target; empty: default */
	bool not_null, local, inherited, excluded;
	const char *not_null_name; /* 18+; empty: unnamed */
	bool not_null_local_only;  /* NO INHERIT */
	const char *uses_excluded; /* the excluded column that it is generated from; NULL none */
	const struct def_sequence *sequence; /* of an identity */
};

struct def_check {
	int64_t oid;
	const char *name, *definition;
	bool validated, local, inherited, not_null /* a NOT VALID one of 18+ */;
	bool excluded; /* uses an excluded column */
	bool renamed;  /* uses one that the target calls otherwise */
};

struct def_index {
	int64_t oid;
	const char *name, *definition; /* pg_get_indexdef */
	const char *prefix;            /* what that begins with */
	bool unique, valid, partitioned, replica_identity, clustered;
	const char *method;
	int64_t parent; /* the index it is attached to; 0 */
	int64_t bytes;
	const char *statistics; /* "1 500 2 100": targets of its columns 1 and 2 */
	bool excluded, renamed; /* as in a check */
	bool expressions;       /* has such, or a predicate */
	/* The constraint it is for. */
	char constraint; /* 'p', 'u', 'x' or 0 */
	const char *constraint_definition, *options;
	bool deferrable, deferred;
	/* On the target, upon the same table: all of it, or only the index without its constraint. */
	bool exists, built;
};

struct def_table {
	const struct schema_table *wanted;
	bool found; /* still on the source */
	bool made;  /* found and not on the target: ours to make */
	bool partitioned, partition, unlogged;
	char replica_identity;
	const char *method, *options, *partition_key, *bound;
	const char *key_uses_excluded; /* partition_key: a column of it that is excluded; NULL none */
	int64_t bytes;
	int depth;         /* 0, or one more than the deepest chosen parent's */
	bool has_children; /* chosen ones */
	size_t *parents;   /* chosen ones, in order */
	size_t parent_count;
	struct def_column *columns; /* by number */
	size_t column_count;
	struct def_check *checks;
	size_t check_count;
	struct def_index *indexes; /* by name */
	size_t index_count;
	const struct def_sequence **sequences; /* its columns own them */
	size_t sequence_count;
};

struct defs {
	struct pg *source;
	int target_version; /* 0 unknown: the newest */
	const struct mirror_config *mirror;
	struct def_table *tables; /* parallel to the tables given */
	size_t table_count;
	char *made_oids; /* of those to make: {1,2,3} */
	struct def_sequence *sequences;
	size_t sequence_count;
	struct oid_index *by_oid; /* tables, sorted */
	struct rows **kept;
	size_t kept_count;
	struct strings texts; /* of our own making */
};

void defs_init(struct defs *d, struct pg *source, struct pg *target, const struct mirror_config *m,
	const struct schema_table *tables, size_t count);
void defs_free(struct defs *d); /* the struct itself is the caller's */

/* Each fills its part of d; in this order. */
bool defs_read_tables(struct defs *d, struct error *e) MUST_CHECK;
bool defs_read_columns(struct defs *d, struct error *e) MUST_CHECK;
bool defs_read_checks(struct defs *d, struct error *e) MUST_CHECK;
bool defs_read_indexes(struct defs *d, struct error *e) MUST_CHECK;
/* Those that the tables own or use; made_only leaves out those of tables that exist on the target
 * and makes the columns' defaults name the sequences of the target. Else they are for their values,
 * and in schema = "database" those that belong to no table are among them. */
bool defs_read_sequences(struct defs *d, bool made_only, struct error *e) MUST_CHECK;

/* A query of one oid[] parameter, or of none, whose rows d keeps. Borrowed; NULL on error. */
const struct rows *defs_query(
	struct defs *d, struct error *e, char *take_sql, const char *oids) MUST_CHECK;
/* Borrowed for the life of d. */
const char *defs_text_take(struct defs *d, char *text);
/* The table of a source oid, or NULL. */
struct def_table *defs_table(const struct defs *d, int64_t oid);
struct def_column *def_column(const struct def_table *t, int number); /* or NULL */
/* Is one of these column numbers ("1 2 3") left out by columns_exclude? */
bool def_uses_excluded(const struct def_table *t, const char *numbers);
/* Or one that the target calls otherwise? */
bool def_uses_renamed(const struct def_table *t, const char *numbers);
size_t defs_table_number(const struct defs *d, const struct def_table *t);
/* Does the target have what came with this version? */
bool defs_target_has(const struct defs *d, int version);

/* "schema"."name" on the target. */
void def_target(struct strbuf *b, const struct def_table *t);
void def_sequence_target(struct strbuf *b, const struct def_sequence *s);

/* The catalog's view of columns, for whoever compares both sides: rows of one table are together,
 * by number. */
enum column_field {
	COLUMN_TABLE, COLUMN_NUMBER, COLUMN_NAME, COLUMN_TYPE, COLUMN_TYPE_OID, COLUMN_NOT_NULL,
	COLUMN_COLLATION, COLUMN_DEFAULT, COLUMN_DEFAULT_OID, COLUMN_IDENTITY, COLUMN_GENERATED,
	COLUMN_STORAGE, COLUMN_COMPRESSION, COLUMN_STATISTICS, COLUMN_OPTIONS, COLUMN_LOCAL,
	COLUMN_INHERITED, COLUMN_NOT_NULL_NAME, COLUMN_NOT_NULL_LOCAL_ONLY, COLUMN_NOT_NULL_VALID,
};
char *defs_columns_sql(const struct pg *c); /* $1 oid[]; caller frees */

#endif
