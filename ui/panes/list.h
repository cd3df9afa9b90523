// SPDX-License-Identifier: PostgreSQL
/* A pane whose body is a list. The pane embeds this first and says only what is its own: how a row reads
 * (struct table_source), where rows come from (sync), what can be done to one (act), what stands around them
 * (render). Moving, sorting, filtering, the mouse and the detail beside the list are here: a pane's ops name these
 * functions, or wrap them. */
#ifndef PGPIER_PANES_LIST_H
#define PGPIER_PANES_LIST_H

#include "panes/panes.h"

struct list {
	struct pane pane; /* first, so that the functions below can find the rest */
	struct table table;
	void *rows; /* owned; NULL where a pane counts and reads its rows by itself */
	size_t row_size, count;
};

/* The table's callbacks get the pane itself as their data. */
void list_init(struct list *l, struct ui *u, const struct pane_ops *ops, unsigned contexts,
	const struct table_source *source);
void list_finish(struct list *l);

/* An array that the model has just given takes the place of the rows there were. */
void list_take(struct list *l, void *take, size_t count, size_t row_size);
/* For the callbacks of a table whose rows came by list_take(). */
size_t list_count(const void *list);
const void *list_row(const void *list, size_t row);
const void *list_selected(const struct pane *p); /* NULL: none */

/* For the ops of a pane. */
void list_render(struct pane *p, const struct canvas *c);
bool list_act(struct pane *p, enum action a);
bool list_takes_text(const struct pane *p);
bool list_input(struct pane *p, const struct input *in);
bool list_busy(const struct pane *p); /* of one whose rows are sampled while it is seen */
void list_free(struct pane *p); /* of a pane that owns nothing but its list */

/* The list, and beside it what describe() says of the selected row, where there are so many columns. */
void list_render_split(struct pane *p, const struct canvas *c, int least,
	void (*describe)(const struct pane *p, struct facts *f));
/* Selects the object that ui_choose() named, if the list has it by now. */
void list_choose(struct list *l, enum root root);

#endif
