// SPDX-License-Identifier: PostgreSQL
/* A list with columns, for three rows or fifty thousand.
 *
 * The pane describes its rows by callbacks; the table keeps their order, the filter, and which one is selected:
 * by the row's identity, so that neither a refresh nor a new order moves the selection to another object.
 * Cells are asked for only for the rows that are on the screen. */
#ifndef PGPIER_WIDGETS_TABLE_H
#define PGPIER_WIDGETS_TABLE_H

#include "widgets/edit.h"

#define TABLE_COLUMNS 16
#define TABLE_NOTHING SIZE_MAX

struct column {
	const char *title;
	short min, max; /* cells */
	enum align align;
	short rank; /* columns of the highest rank leave first when it gets narrow; 0 never leaves */
	bool grows; /* takes what is left over */
	bool fixed; /* can't be sorted by */
	/* Makes a text that is too wide fit better than by losing its end, which is what becomes of what still
	 * is too wide. NULL: nothing better. */
	void (*shorten)(char *text, size_t size, int cells, const char *ellipsis);
};

struct cell {
	char text[512];
	enum role role;
};

struct table;
struct table_source {
	const struct column *columns;
	int column_count;
	const char *empty; /* said when there are no rows */
	size_t (*count)(const void *data);
	uint64_t (*identity)(const void *data, size_t row);
	void (*cell)(const void *data, size_t row, int column, struct cell *out);
	/* These may be NULL. Without compare, rows stay in their own order. */
	int (*compare)(const void *data, int column, size_t a, size_t b);
	void (*words)(const void *data, size_t row, struct strbuf *out); /* what the filter looks at */
	void (*window)(void *data, const size_t *rows, size_t n); /* these are about to be drawn */
	/* Makes table->rows in place of the usual filter and order. */
	void (*arrange)(void *data, struct table *t);
};

struct table {
	const struct table_source *source;
	void *data;
	size_t *rows; /* rows of the source, in the order shown; owned */
	size_t count;
	size_t selected, top; /* places in rows */
	uint64_t anchor;      /* identity of the selected row */
	bool anchored;
	int sort; /* column, or -1 for the rows' own order */
	bool descending;
	struct edit filter;
	bool filtering; /* the filter line has the keys */
	int seen[TABLE_COLUMNS]; /* widest cell so far */
	int seen_cols;           /* the width of the window those are for */
	int shown[TABLE_COLUMNS]; /* cells of each column in the last frame; 0 hidden */
	size_t heads;             /* of the rows: those of groups, which are no rows of the source */
	struct canvas drawn;      /* where the rows were drawn last */
};

void table_init(struct table *t, const struct table_source *source, void *data);
void table_free(struct table *t);
/* After the rows changed: order, filter, and the selection back on its row. */
void table_refresh(struct table *t);
/* Row of the source that is selected; TABLE_NOTHING when the list is empty. */
size_t table_selected(const struct table *t);
/* False, and nothing changed, when no row that is shown has it. */
bool table_select(struct table *t, uint64_t identity);
/* "12 of 3480" while a filter is on, else empty. */
const char *table_filter_note(const struct table *t, char *buf, size_t size);

bool table_act(struct table *t, enum action a);
bool table_takes_text(const struct table *t);
bool table_input(struct table *t, const struct input *in); /* while it takes text */
/* True when the input was for the table; *opened when a row was double-clicked. */
bool table_mouse(struct table *t, const struct input *in, bool *opened);
/* Header line and rows; the filter line below while one is typed or set. */
void table_render(struct table *t, const struct canvas *c, bool focused);

/* For texts whose parts stand two spaces apart: those that do not fit leave whole. */
void table_shorten_parts(char *text, size_t size, int cells, const char *ellipsis);

/* For compare callbacks: numbers by <, and cells of text as they read. */
#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))
int table_order_text(void (*cell)(const void *data, size_t row, int column, struct cell *out), const void *data,
	int column, size_t a, size_t b);

/* FNV-1a of a name: an identity for rows that have no number. */
uint64_t table_identity(const char *name);

#endif
