// SPDX-License-Identifier: PostgreSQL
#include "widgets/dialog.h"

#include <stdlib.h>
#include <string.h>

void dialog_open(struct dialog *d, const struct question *q)
{
	dialog_close(d);
	d->open = true;
	d->kind = q->kind;
	d->action = q->action;
	copy_text(d->title, sizeof(d->title), q->title);
	copy_text(d->subject, sizeof(d->subject), q->subject);
	d->text = xstrdup(q->text ? q->text : "");
	d->edit.secret = q->kind == ASK_SECRET;
	edit_set(&d->edit, q->kind == ASK_VALUE ? q->value : "");
}

void dialog_close(struct dialog *d)
{
	free(d->text);
	edit_free(&d->edit);
	*d = (struct dialog){ 0 };
}

enum answer dialog_input(struct dialog *d, const struct input *in)
{
	if (in->kind == INPUT_KEY && (in->key == KEY_ESCAPE || in->key == KEY_CTRL('c')))
		return ANSWER_NO;
	if (d->kind == ASK_YES_NO) {
		if (in->kind != INPUT_KEY)
			return ANSWER_NONE;
		if (in->key == 'y' || in->key == 'Y')
			return ANSWER_YES;
		bool no = in->key == 'n' || in->key == 'N' || in->key == KEY_RETURN || in->key == 'q';
		return no ? ANSWER_NO : ANSWER_NONE;
	}
	if (in->kind == INPUT_KEY && in->key == KEY_RETURN) {
		bool typed = d->kind != ASK_NAME || strcmp(edit_text(&d->edit), d->subject) == 0;
		return typed ? ANSWER_YES : ANSWER_NONE;
	}
	edit_input(&d->edit, in);
	return ANSWER_NONE;
}

static void render_keys(const struct dialog *d, const struct canvas *c, int y)
{
	int x = 1;
	if (d->kind == ASK_YES_NO) {
		x = canvas_add(c, y, x, ROLE_KEY, "y") + 1;
		x = canvas_add(c, y, x, ROLE_TEXT, "yes") + 3;
		x = canvas_add(c, y, x, ROLE_KEY, "N") + 1;
		canvas_add(c, y, x, ROLE_TEXT, "no (default)");
		return;
	}
	static const char *const labels[] = { [ASK_NAME] = "type the name:", [ASK_VALUE] = "value:",
		[ASK_SECRET] = "password:" };
	x = canvas_add(c, y, x, ROLE_TEXT, labels[d->kind]) + 1;
	edit_render(&d->edit, c, y, x, c->cols - x - 1, true, NULL);
}

void dialog_render(const struct dialog *d, const struct canvas *screen)
{
	struct strings lines = { 0 };
	int cols = MIN(72, screen->cols - 4);
	text_wrap(&lines, d->text, cols - 4);
	int rows = MIN((int)lines.count + 4, screen->rows - 2);
	struct canvas c =
		canvas_part(screen, (screen->rows - rows) / 2, (screen->cols - cols) / 2, rows, cols);
	canvas_clear(&c);
	struct canvas in = canvas_box(&c, ROLE_FOCUS, d->title, NULL, "Esc back");
	for (int i = 0; i < (int)lines.count && i < in.rows - 2; i++)
		canvas_add(&in, i, 1, ROLE_TEXT, lines.items[i]);
	render_keys(d, &in, in.rows - 1);
	strings_free(&lines);
}
