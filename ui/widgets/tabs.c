// SPDX-License-Identifier: PostgreSQL
#include "widgets/tabs.h"

/* Narrow terminals get all names with less between them. */
static int gap_in(const struct tabs *t, int cols)
{
	int cells = 1 + 2 * (t->count - 1);
	for (int i = 0; i < t->count; i++)
		cells += text_width(t->names[i]) + 2;
	return cells <= cols ? 2 : 1;
}

bool tabs_act(struct tabs *t, enum action a)
{
	if (a == ACTION_NEXT || a == ACTION_RIGHT)
		t->shown = (t->shown + 1) % t->count;
	else if (a == ACTION_PREVIOUS || a == ACTION_LEFT)
		t->shown = (t->shown + t->count - 1) % t->count;
	else
		return false;
	return true;
}

bool tabs_mouse(struct tabs *t, const struct input *in)
{
	if (in->kind != INPUT_CLICK || !canvas_hit(&t->drawn, in->y, in->x))
		return false;
	int x = t->drawn.x + 1, gap = gap_in(t, t->drawn.cols);
	for (int i = 0; i < t->count; i++) {
		int cells = text_width(t->names[i]) + 2;
		if (in->x >= x && in->x < x + cells)
			t->shown = i;
		x += cells + gap;
	}
	return true;
}

void tabs_render(struct tabs *t, const struct canvas *c)
{
	int x = 1, gap = gap_in(t, c->cols);
	t->drawn = canvas_part(c, 0, 0, 1, c->cols);
	for (int i = 0; i < t->count; i++) {
		enum role role = i == t->shown ? ROLE_SELECTION : ROLE_DIM;
		x = canvas_addf(c, 0, x, role, " %s ", t->names[i]) + gap;
	}
}
