// SPDX-License-Identifier: PostgreSQL
#include "panes/list.h"

#include <stdlib.h>

static bool takes_text(const struct pane *p)
{
	return table_takes_text(&((const struct list *)p)->table);
}

void list_init(struct list *l, struct ui *u, const struct pane_ops *ops, unsigned contexts,
	const struct table_source *source)
{
	l->ops = *ops;
	l->ops.render = ops->render ? ops->render : list_render;
	l->ops.act = ops->act ? ops->act : list_act;
	l->ops.takes_text = ops->takes_text ? ops->takes_text : takes_text;
	l->ops.input = ops->input ? ops->input : list_input;
	l->ops.free = ops->free ? ops->free : list_free;
	l->source = *source;
	l->source.count = source->count ? source->count : list_count;
	l->pane = (struct pane){ &l->ops, u, contexts };
	table_init(&l->table, &l->source, l);
}

void list_free(struct pane *p)
{
	struct list *l = (struct list *)p;
	free(l->rows);
	table_free(&l->table);
	free(l);
}

/* ---- rows ---- */

void list_take(struct list *l, void *take, size_t count, size_t row_size)
{
	free(l->rows);
	l->rows = take;
	l->count = count;
	l->row_size = row_size;
	table_refresh(&l->table);
}

size_t list_count(const void *list)
{
	return ((const struct list *)list)->count;
}

const void *list_row(const void *list, size_t row)
{
	const struct list *l = list;
	return (const char *)l->rows + row * l->row_size;
}

const void *list_selected(const struct pane *p)
{
	size_t row = table_selected(&((const struct list *)p)->table);
	return row < list_count(p) ? list_row(p, row) : NULL;
}

void list_choose(struct list *l, enum root root)
{
	char *name = l->pane.ui->chosen[root];
	if (name[0] != '\0' && table_select(&l->table, table_identity(name)))
		name[0] = '\0';
}

/* ---- ops ---- */

void list_render(struct pane *p, const struct canvas *c)
{
	table_render(&((struct list *)p)->table, c, true);
}

void list_render_split(struct pane *p, const struct canvas *c, int least,
	void (*describe)(const struct pane *p, struct facts *f))
{
	struct list *l = (struct list *)p;
	struct facts f = { 0 };
	struct canvas list, detail;
	split_detail(p->ui, c, least, &list, &detail);
	table_render(&l->table, &list, true);
	if (detail.cols == 0 || table_selected(&l->table) == TABLE_NOTHING)
		return;
	describe(p, &f);
	facts_render(&f, &detail);
	facts_clear(&f);
}

bool list_act(struct pane *p, enum action a)
{
	return table_act(&((struct list *)p)->table, a);
}

bool list_sampled(const struct pane *p)
{
	(void)p;
	return true;
}

bool list_table_input(struct pane *p, struct table *t, const struct input *in)
{
	bool opened;
	if (in->kind == INPUT_KEY || in->kind == INPUT_PASTE)
		return table_takes_text(t) && table_input(t, in);
	bool taken = table_mouse(t, in, &opened);
	if (opened)
		ui_act(p->ui, ACTION_OPEN);
	return taken;
}

bool list_input(struct pane *p, const struct input *in)
{
	return list_table_input(p, &((struct list *)p)->table, in);
}
