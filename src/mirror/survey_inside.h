// SPDX-License-Identifier: PostgreSQL
/* A survey while it is being made, shared by its own files only. */
#ifndef MIRROR_SURVEY_INSIDE_H
#define MIRROR_SURVEY_INSIDE_H

#include <pgpier/selection.h>

#include "survey.h"

struct reading {
	struct pg *source, *target;
	const struct mirror_config *mirror;
	const struct store_mirror *known; /* NULL: nothing is written down; it may have no tables yet */
	bool begun;                       /* it has */
	struct table_info *infos; /* all tables of the source, by schema and name */
	size_t info_count;
	const struct table_info **by_oid; /* the same, by oid */
	struct survey *out;
};

void survey_find(struct survey *s, size_t table, enum severity severity, const char *subject, const char *text,
	const char *next);

/* ---- survey_choose.c ---- */
/* The tables of a new mirror, of one that has begun, and those that should join it. */
void choose_new(struct reading *r);
void choose_known(struct reading *r);
void choose_more(struct reading *r);
/* Are the known partitioned tables above it whole, with all indexes? *any: there are such. */
bool ancestors_are_done(const struct reading *r, const struct table_info *t, bool *any);

void infos_sort(struct reading *r);
/* What the store has of a table, or NULL. */
const struct store_table *known_table(const struct reading *r, const struct table_info *t);
/* The source's table of an oid, or NULL. */
const struct table_info *info_of_oid(const struct reading *r, int64_t oid);

/* ---- survey_columns.c ---- */
/* Which columns get another name, once the tables are chosen. */
void rename_columns(struct reading *r);
/* The columns that travel, whether they may do so in binary, and what is wrong with their new names.
 * target_oids: the target's tables, 0 for none, in the survey's order. */
bool read_columns(struct reading *r, const int64_t *target_oids, struct error *e) MUST_CHECK;
/* A finding of a table; of one that replicates already it blocks nothing. */
void find_of_table(struct survey *s, size_t table, enum severity severity, const char *text, const char *next);

#endif
