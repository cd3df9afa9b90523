// SPDX-License-Identifier: PostgreSQL
/* What the panes of a verification share: what is known of a mirror's tables, put together from the one that is
 * under way, the last one of all tables, and those of single tables since then. */
#ifndef PGPIER_PANES_VERIFY_H
#define PGPIER_PANES_VERIFY_H

#include "panes/list.h"

/* What needs a person stands first, then what moves or waits, then what is over. */
enum verify_look {
	LOOK_DIFFERS,
	LOOK_UNSURE,
	LOOK_LOCATING,
	LOOK_COMPARING,
	LOOK_WAITING,
	LOOK_EQUAL,
	LOOK_COUNT,
};

/* What was found of a table: held by its run. */
struct verify_found {
	const struct verification *run; /* held; NULL: nothing */
	const struct verify_table *table;
	const struct verify_table *repaired; /* as it was before its rows were repaired; NULL */
};
bool verify_find(struct model *m, const char *mirror, const char *table, struct verify_found *out);
void verify_found_free(struct verify_found *f);

enum verify_line_kind { LINE_TABLE, LINE_SEQUENCE, LINE_NOTE };

/* A table, a sequence, or a note of the last run. Texts are the lines'. */
struct verify_line {
	enum verify_line_kind kind;
	enum verify_look look;
	const char *name;
	bool known[2]; /* source and target below */
	int64_t source, target; /* rows; of a sequence its values */
	int64_t bytes; /* of both sides; 0 unknown */
	int64_t differing;
	bool more;
	double took_s;
	const struct verify_table *table, *repaired; /* NULL while it is under way */
	const struct verification *run;
	const struct verify_sequence *sequence;
};

struct verify_lines {
	struct verify_view view;
	bool begun; /* there was one in this process */
	const struct verification *whole;  /* held; NULL */
	const struct verification **later; /* held */
	size_t later_count;
	uint64_t run;
	struct strings names; /* of the one under way */
	size_t counts[LOOK_COUNT], tables, sequences; /* of the lines; notes do not count */
};

/* Asks the model; returns the lines, the caller's array, whose texts live until the next call. */
struct verify_line *verify_lines_fetch(struct verify_lines *l, struct model *m, const char *mirror, size_t *n);
void verify_lines_free(struct verify_lines *l);

enum verify_look verify_look_of(enum verify_verdict v);

/* verify_text.c */
enum role verify_look_role(enum verify_look look);
const char *verify_look_text(const struct ui *u, enum verify_look look, char *buf, size_t size); /* "! differs" */
/* "3 rows changed, 1 missing on the target"; empty when none does. */
const char *verify_rows_text(const struct verify_table *t, char *buf, size_t size);
void verify_line_facts(struct facts *f, const struct ui *u, const struct verify_line *l);
/* What matters most of it, where it has to stand below the list. */
void verify_line_brief(struct facts *f, const struct verify_line *l);
/* Two lines: the bar and the figures of the one under way, or the verdict of the last one, and of when it is. */
void verify_head_render(const struct verify_lines *l, const struct ui *u, const struct canvas *c);

/* verify_level.c */
struct pane *verify_level_pane_new(struct ui *u, const struct mirror_view *v); /* chooses one, and begins */
void verify_ask_repair(struct pane *p, const struct mirror_view *v, const struct verify_table *t);
void verify_repair_table(struct ui *u, const char *mirror, const char *table); /* the answer was yes */

/* verify_rows.c */
struct pane *verify_rows_pane_new(struct ui *u, const struct mirror_view *v, const char *table);

#endif
