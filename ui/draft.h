// SPDX-License-Identifier: PostgreSQL
/* A mirror that is being made: what all pages of the wizard share, so that going back loses nothing. */
#ifndef PGPIER_UI_DRAFT_H
#define PGPIER_UI_DRAFT_H

#include <pgpier/catalog.h>
#include <pgpier/config.h>

/* What was chosen of one table of the catalog. */
struct pick {
	bool taken;
	char *target; /* schema.table as unquoted text; NULL: the same names */
	bool *left_out; /* a flag for each column; NULL: none is left out */
	char **renamed; /* a name on the target for each column, NULL: the same; NULL: no other names */
};

struct draft {
	struct mirror_config config;
	bool editing; /* the mirror exists already */
	bool live;    /* and replicates: only its tables can change */
	struct mirror_config running; /* of a live one: as it runs now */
	const struct catalog *catalog; /* held; NULL until the source's tables are known */
	struct pick *picks;            /* one for each of its tables */
	size_t *first; /* index of each schema's first table, and one more for the end */
	size_t schema_count;
};

struct draft_totals {
	size_t tables, taken;
	int64_t rows, bytes; /* of the taken */
	bool rows_known;     /* false when some table has no estimate */
};

struct draft *draft_new(void);
void draft_free(struct draft *d);
/* Takes over a reference to the catalog. What was picked of an earlier one, or is chosen by the
 * configuration's patterns, is picked in this one. */
void draft_take_catalog(struct draft *d, const struct catalog *take);
/* Writes the picks into config: tables, columns_exclude and map. */
void draft_store(struct draft *d);
/* What a live one is not following yet, and what it would no longer follow; schema.table. */
void draft_changes(const struct draft *d, struct strings *come, struct strings *go);
struct draft_totals draft_totals(const struct draft *d);
bool draft_can_take(const struct draft *d, size_t table);
void draft_set_target(struct draft *d, size_t table, const char *target); /* schema.table, "" = same */
void draft_rename_column(struct draft *d, size_t table, size_t column, const char *name); /* "" = same */
const char *draft_column_name(const struct draft *d, size_t table, size_t column); /* on the target */
/* Does no other column that is taken have the name, or get it? */
bool draft_name_is_free(const struct draft *d, size_t table, size_t column, const char *name);
/* Every table of the schema goes to this schema of the target; "" = the same. */
void draft_map_schema(struct draft *d, size_t schema, const char *target_schema);

#endif
