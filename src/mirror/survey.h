// SPDX-License-Identifier: PostgreSQL
/* What a mirror's configuration comes to on the two servers as they are: the tables it chooses, how their rows
 * travel, what the target has of them, and all that stands in the way. Reads only. The preflight shows it;
 * a run starts from it. */
#ifndef MIRROR_SURVEY_H
#define MIRROR_SURVEY_H

#include <pgpier/preflight.h>

#include "../pg/tables.h"
#include "../schema/schema.h"
#include "../store/store.h"

struct survey_table {
	struct schema_table names; /* .exists: on the target, and not made by this mirror */
	struct table_info info;    /* owned; .oid 0 when the source has it no more */
	struct renames renamed;    /* what names.renamed points to */
	char *columns;             /* quoted and joined; "" for none */
	char *target_columns;      /* the same, as the target calls them */
	bool binary;
	bool has_rows; /* the existing target table */
	bool settled;  /* it replicates already */
	bool parent;   /* partitioned: rows are in its leaves */
};

struct survey_finding {
	size_t table; /* SCHEMA_NO_TABLE: of the mirror as a whole */
	struct finding finding;
	bool of_load; /* of no interest where no rows are loaded */
};

struct survey {
	struct survey_table *tables; /* in the store's order, or by name */
	size_t table_count;
	struct schema_plan *schema; /* an empty one when the mirror makes no definitions */
	struct strings unclaimed; /* schema.table that the mirror's patterns choose and that came after it began */
	struct survey_finding *findings;
	size_t finding_count, blockers;
};

/* known: what the store says of the mirror, or NULL for a new one. The source connection may be inside a
 * snapshot; the survey is then as of it. grow: behind the tables that are known come those that should join
 * them: new partitions of known parents, and when the mirror's patterns have changed whatever they choose. */
bool survey_read(struct pg *source, struct pg *target, const struct mirror_config *m,
	const struct store_mirror *known, bool grow, struct survey *out, struct error *e) MUST_CHECK;
/* The mirror's patterns as one text, for the store. */
char *survey_selection(const struct mirror_config *m) MUST_CHECK;
/* Would the mirror choose the known table now? With its partitioned parents, which choose for it. */
bool survey_still_chosen(const struct mirror_config *m, const struct store_mirror *known, size_t table);
/* The tables alone that a new mirror would have, from the source alone. */
bool survey_choose(struct pg *source, const struct mirror_config *m, struct survey *out, struct error *e) MUST_CHECK;
/* Of its tables; the caller frees. */
struct schema_table *survey_names(const struct survey *s) MUST_CHECK;
void survey_free(struct survey *s);
/* The first blocker, as an error. */
bool survey_error(const struct survey *s, struct error *e);

#endif
