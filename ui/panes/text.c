// SPDX-License-Identifier: PostgreSQL
/* A text at full length. */
#include "panes/panes.h"

#include "widgets/textview.h"

#include <stdlib.h>

struct text_pane {
	struct pane pane;
	char title[160];
	struct textview view;
};

static void title(const struct pane *p, char *buf, size_t size)
{
	copy_text(buf, size, ((const struct text_pane *)p)->title);
}

static void render(struct pane *p, const struct canvas *c)
{
	struct canvas in = canvas_part(c, 0, 1, c->rows, c->cols - 2);
	textview_render(&((struct text_pane *)p)->view, &in);
}

static bool act(struct pane *p, enum action a)
{
	struct text_pane *s = (struct text_pane *)p;
	if (a == ACTION_COPY) {
		ui_copy(p->ui, s->view.text);
		return true;
	}
	return textview_act(&s->view, a);
}

static bool input(struct pane *p, const struct input *in)
{
	return textview_mouse(&((struct text_pane *)p)->view, in);
}

static void pane_free(struct pane *p)
{
	textview_free(&((struct text_pane *)p)->view);
	free(p);
}

static const enum action hints[] = { ACTION_BACK, ACTION_COPY, ACTION_DOWN, ACTION_UP, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.render = render,
	.act = act,
	.input = input,
	.free = pane_free,
};

struct pane *text_pane_new(struct ui *u, const char *heading, char *take)
{
	struct text_pane *s = xcalloc(1, sizeof(*s));
	s->pane = (struct pane){ &ops, u, IN_TEXT };
	copy_text(s->title, sizeof(s->title), heading);
	textview_take(&s->view, take);
	return &s->pane;
}
