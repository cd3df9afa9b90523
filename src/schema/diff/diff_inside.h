// SPDX-License-Identifier: PostgreSQL
/* What the parts of the comparison share. */
#ifndef SCHEMA_DIFF_INSIDE_H
#define SCHEMA_DIFF_INSIDE_H

#include "../choose/choose_inside.h"
#include "../columns.h"
#include "diff.h"
#include "../dump/lexer.h"

struct piece {
	const char *start, *end;
};

/* ---- diff_side.c: what is compared ---- */

struct item {
	char *key;              /* kind, schema and tag, as they are on the target, with \1 between */
	const struct dump_entry *entry;
	const char *sql, *give; /* as they should be on the target */
	char *own;              /* what sql points to, when it was written here */
	char *text;             /* to compare */
	const char *why;        /* of what can't be made: in words */
	bool counts;            /* belongs to what is compared */
	bool paired;
};

struct side {
	const struct dump *dump;
	struct mirror_config config; /* in the names of this side */
	struct choose_facts facts;
	struct chosen *scope, *texts; /* texts may be scope */
	struct item *items;           /* by key */
};

struct heir {
	char *table, *parent; /* schema.table */
};

struct diffing {
	struct side source, target;
	const struct mirror_config *mirror;
	struct selection *selection; /* the source's tables */
	struct strings added;        /* columns of the mirror's own */
	struct comparison *out;
	struct renamed_tables renamed; /* those with columns of other names, as the target calls them */
	struct heir *heirs;            /* of the source, by table */
	size_t heir_count;
	size_t elsewhere, loose, public_schema, columns; /* for the notes */
};

void sides_read(struct diffing *d, const struct diff_side *source, const struct diff_side *target);
void sides_free(struct diffing *d);
/* Names that columns_exclude has of this table of the source. */
void columns_left_out(const struct diffing *d, const char *schema, const char *table, struct strings *out);

/* ---- diff_names.c: what the mirror calls otherwise ---- */

struct naming {
	char from_schema[NAME_SIZE], from[NAME_SIZE]; /* the source's table */
	char to_schema[NAME_SIZE], to[NAME_SIZE];
	const struct table_map *map;
};
/* The table that this is, or belongs to. */
bool table_of(const struct dump *d, const struct dump_entry *e, char schema[NAME_SIZE], char table[NAME_SIZE]);
/* false: neither the table of this entry of the source nor its columns have other names. */
bool naming_of(const struct diffing *d, const struct dump_entry *e, struct naming *n);
char *key_of(const struct dump_entry *e, const struct naming *n); /* n NULL: as it is */
char *columns_renamed(const struct dump_entry *e, const char *sql, const struct naming *n);
char *references_renamed(const struct diffing *d, const char *sql); /* of a foreign key */
void renamed_read(struct diffing *d); /* the trees of the source, and which tables have columns of other names */
void renamed_free(struct diffing *d);

/* ---- diff_text.c: when two texts say the same ---- */

/* Its tokens with single spaces between, names quoted only where they must be. */
char *canon(const char *sql);
char *canon_piece(struct piece p);
/* Of grants, which have no order. */
char *canon_sorted(const char *sql);
/* Without what servers of different majors print differently: see there. */
char *canon_loose(const char *sql);
void add_plain_name(struct strbuf *b, const char *name); /* quoted only where it must be, as a keyword not */
bool names_word(const char *canonical, const char *name); /* as an identifier of its own */
struct piece *statements_of(const char *sql, size_t *count);
void add_piece(struct strbuf *b, struct piece p);
bool piece_same(struct piece a, struct piece b);

/* ---- diff_table.c: CREATE TABLE by its columns ---- */

struct table_diff {
	char *meaning;   /* what is not the same, in words; NULL: nothing is */
	char *statement; /* NULL: it can't be said in ALTER TABLE, or nothing is to be done */
	bool drops;      /* the statement takes something away, or rewrites rows */
};
/* Columns of the source that `left_out` says and of the target that are the mirror's own do not count. false:
 * these are no such statements. */
bool table_compare(const char *source_sql, const char *target_sql, const struct strings *left_out,
	const struct strings *added, struct table_diff *out);

/* ---- diff_mend.c: statements ---- */

/* The words of a statement behind the first such word, before the second (NULL: up to its end); neither counts
 * in parentheses. */
bool between(const char *sql, const char *from, const char *to, struct piece *out);

/* Takes it away; NULL: no statement does that by itself. */
char *mend_drop(const struct dump_entry *e, const char *sql);
/* Makes the target's like the source's; NULL: there is no safe one. */
char *mend_replace(const struct dump_entry *e, const char *source_sql, const char *target_sql, bool *drops);

#endif
