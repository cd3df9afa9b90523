// SPDX-License-Identifier: PostgreSQL
#include "widgets/textview.h"

#include <stdlib.h>

void textview_free(struct textview *v)
{
	free(v->text);
	strings_free(&v->lines);
	*v = (struct textview){ 0 };
}

void textview_take(struct textview *v, char *text)
{
	size_t top = v->top, page = v->page;
	textview_free(v);
	v->text = text;
	v->top = top;
	v->page = page;
}

bool textview_act(struct textview *v, enum action a)
{
	size_t page = MAX(v->page, 1);
	size_t last = v->lines.count > page ? v->lines.count - page : 0;
	if (a == ACTION_UP)
		v->top -= v->top > 0;
	else if (a == ACTION_DOWN)
		v->top++;
	else if (a == ACTION_PAGE_UP)
		v->top -= MIN(v->top, page);
	else if (a == ACTION_PAGE_DOWN)
		v->top += page;
	else if (a == ACTION_FIRST)
		v->top = 0;
	else if (a == ACTION_LAST)
		v->top = last;
	else
		return false;
	v->top = MIN(v->top, last);
	return true;
}

bool textview_mouse(struct textview *v, const struct input *in)
{
	if (in->kind == INPUT_WHEEL_UP)
		return textview_act(v, ACTION_UP);
	return in->kind == INPUT_WHEEL_DOWN && textview_act(v, ACTION_DOWN);
}

void textview_render(struct textview *v, const struct canvas *c)
{
	if (v->wrapped_at != c->cols) {
		strings_free(&v->lines);
		v->lines = (struct strings){ 0 };
		text_wrap(&v->lines, v->text, c->cols);
		v->wrapped_at = c->cols;
	}
	v->page = (size_t)MAX(c->rows, 0);
	for (size_t i = 0; i < v->page && v->top + i < v->lines.count; i++)
		canvas_add(c, (int)i, 0, ROLE_TEXT, v->lines.items[v->top + i]);
}
