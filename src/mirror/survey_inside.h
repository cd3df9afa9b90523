// SPDX-License-Identifier: PostgreSQL
/* A survey while it is being made, shared by its own files only. */
#ifndef MIRROR_SURVEY_INSIDE_H
#define MIRROR_SURVEY_INSIDE_H

#include "survey.h"

struct reading {
	struct pg *source, *target;
	const struct mirror_config *mirror;
	const struct store_mirror *known; /* NULL: nothing is written down; it may have no tables yet */
	bool begun;                       /* it has */
	struct table_info *infos; /* all tables of the source, by schema and name */
	size_t info_count;
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

#endif
