// SPDX-License-Identifier: PostgreSQL
/* A pane whose body is a list. The pane embeds this first and says only what is its own: how a row reads
 * (struct table_source), where rows come from (sync), what can be done to one (act), what stands around them
 * (render). What its source and its ops leave out is done here: moving, sorting, filtering, the mouse, drawing. */
#ifndef PGPIER_PANES_LIST_H
#define PGPIER_PANES_LIST_H

#include "panes/panes.h"

struct list {
	struct pane pane; /* first, so that the functions below can find the rest */
	struct pane_ops ops;
	struct table_source source;
	struct table table;
	void *rows; /* owned; NULL where a pane counts and reads its rows by itself */
	size_t row_size, count;
};

/* The table's callbacks get the pane itself as their data. Left out of the source: count, with list_take(); of the
 * ops: render, act, takes_text, input, free. */
void list_init(struct list *l, struct ui *u, const struct pane_ops *ops, unsigned contexts,
	const struct table_source *source);

/* An array that the model has just given takes the place of the rows there were. */
void list_take(struct list *l, void *take, size_t count, size_t row_size);
size_t list_count(const void *list);
const void *list_row(const void *list, size_t row);
const void *list_selected(const struct pane *p); /* NULL: none */

/* For the ops that do more than these. */
void list_render(struct pane *p, const struct canvas *c);
bool list_act(struct pane *p, enum action a);
bool list_input(struct pane *p, const struct input *in);
void list_free(struct pane *p); /* the pane itself as well */
bool list_sampled(const struct pane *p); /* for busy: its rows are sampled as long as it is seen */

/* The list, and beside it what describe() says of the selected row, where there are so many columns. */
void list_render_split(struct pane *p, const struct canvas *c, int least,
	void (*describe)(const struct pane *p, struct facts *f));
/* Selects the object that ui_choose() named, if the list has it by now. */
void list_choose(struct list *l, enum root root);

#endif
