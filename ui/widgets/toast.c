// SPDX-License-Identifier: PostgreSQL
#include "widgets/toast.h"

#define SHOWN_US 4000000

void toast_show(struct toast *t, int64_t now_us, bool error, const char *text)
{
	bool standing = t->error && toast_shown(t, now_us);
	/* Good news must not hide an error that nobody has seen yet. */
	if (standing && !error)
		return;
	t->more = standing ? t->more + 1 : 0;
	copy_text(t->text, sizeof(t->text), text);
	t->error = error;
	t->until = now_us + SHOWN_US;
}

bool toast_shown(const struct toast *t, int64_t now_us)
{
	return t->until != 0 && (t->error || now_us < t->until);
}

bool toast_key(struct toast *t)
{
	bool error = t->error;
	if (error)
		*t = (struct toast){ 0 };
	return error;
}

void toast_render(const struct toast *t, const struct canvas *line)
{
	enum role role = t->error ? ROLE_ERROR : ROLE_OK;
	canvas_put(line, 0, 0, line->cols, ALIGN_LEFT, ROLE_TEXT, "");
	int x = canvas_add(
		line, 0, 1, role, theme_glyph(line->theme, t->error ? GLYPH_TROUBLE : GLYPH_DONE));
	x = canvas_add(line, 0, x + 1, role, t->text);
	if (t->more > 0)
		canvas_addf(line, 0, x + 1, ROLE_DIM, "(+%d)", t->more);
}
