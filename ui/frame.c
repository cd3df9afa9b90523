// SPDX-License-Identifier: PostgreSQL
#include "ui.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <string.h>

#define LEAST_ROWS 15
#define LEAST_COLS 60

static const char *const root_names[ROOT_COUNT] = { "Peers", "Mirrors", "Events" };

bool frame_too_small(const struct canvas *screen)
{
	return screen->rows < LEAST_ROWS || screen->cols < LEAST_COLS;
}

static void render_too_small(const struct canvas *c)
{
	char lines[3][48] = { "", "", "q quits" };
	snprintf(lines[0], sizeof(lines[0]), "%dx%d is too small", c->cols, c->rows);
	snprintf(lines[1], sizeof(lines[1]), "pgpier needs %dx%d", LEAST_COLS, LEAST_ROWS);
	int y = MAX((c->rows - 3) / 2, 0);
	for (int i = 0; i < 3; i++)
		canvas_add(c, y + i, MAX((c->cols - text_width(lines[i])) / 2, 0),
			i == 0 ? ROLE_TEXT : ROLE_DIM, lines[i]);
}

/* "2 running  184 MB/s  14:02", right-aligned. */
static void render_status(const struct ui *u, const struct canvas *c, int from)
{
	char text[160] = "", rate[FORMAT_SIZE], clock[FORMAT_SIZE];
	size_t n = 0;
	if (u->readonly)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "read-only  ");
	if (u->running > 0)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %zu running  ",
			theme_glyph(u->theme, GLYPH_ACTIVE), u->running);
	if (u->rate > 0)
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "%s  ", format_rate(u->rate, rate));
	snprintf(text + n, sizeof(text) - n, "%s ", format_clock(wall_us(), clock));
	int cells = text_width(text);
	if (from + cells <= c->cols)
		canvas_put(c, 0, c->cols - cells, cells, ALIGN_LEFT,
			u->running > 0 ? ROLE_PROGRESS : ROLE_DIM, text);
}

static void render_title(const struct ui *u, const struct canvas *c)
{
	int x = canvas_add(c, 0, 1, ROLE_TITLE, "pgpier") + 2;
	for (int r = 0; r < ROOT_COUNT; r++)
		x = canvas_addf(c, 0, x, r == (int)u->root ? ROLE_SELECTION : ROLE_TEXT, " %d %s ", r + 1,
			root_names[r]);
	render_status(u, c, x + 1);
}

static const char *hint_label(const struct pane *p, enum action a)
{
	const char *label = p->ops->label ? p->ops->label(p, a) : NULL;
	if (a == ACTION_QUIT && p->ui->background)
		a = ACTION_DETACH; /* so nobody fears for the work */
	return label ? label : action_label(a);
}

static const char *hint_key(const struct ui *u, enum action a, char buf[16])
{
	const char *key = action_key(a, buf);
	return strcmp(key, "enter") == 0 ? theme_glyph(u->theme, GLYPH_ENTER) : key;
}

/* One hint, if it fits; an empty label leaves it out. */
static int render_hint(
	struct ui *u, const struct pane *p, const struct canvas *c, int x, int room, enum action a)
{
	char buf[16];
	const char *label = hint_label(p, a), *key = hint_key(u, a, buf);
	int cells = text_width(key) + 1 + text_width(label);
	if (*label == '\0' || x + cells > room || u->hint_count == (int)ARRAY_SIZE(u->hints))
		return x;
	bool can = ui_refusal(u, p, a) == NULL;
	int end = canvas_add(c, 0, x, can ? ROLE_KEY : ROLE_DIM, key) + 1;
	canvas_add(c, 0, end, can ? ROLE_TEXT : ROLE_DIM, label);
	u->hints[u->hint_count].x = x;
	u->hints[u->hint_count].cells = cells;
	u->hints[u->hint_count++].action = a;
	return x + cells + 2;
}

static void render_hints(struct ui *u, const struct canvas *c)
{
	static const enum action always[] = { ACTION_PALETTE, ACTION_HELP, ACTION_QUIT };
	struct pane *p = ui_top(u);
	int kept = 0, x = 1;
	char buf[16];
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		kept += text_width(action_key(always[i], buf)) + 3 + text_width(hint_label(p, always[i]));
	u->hint_count = 0;
	u->hint_row = c->y;
	const enum action *hints = p->ops->hints_now ? p->ops->hints_now(p) : p->ops->hints;
	for (const enum action *a = hints; *a != ACTION_NONE; a++)
		x = render_hint(u, p, c, x, c->cols - kept, *a);
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		x = render_hint(u, p, c, x, c->cols, always[i]);
}

static void render_pane(struct ui *u, struct pane *p, const struct canvas *c)
{
	char title[256], crumbs[512] = "";
	for (int i = 0; i < u->depth[u->root]; i++) {
		const struct pane *below = u->stacks[u->root][i];
		size_t n = strlen(crumbs);
		below->ops->title(below, title, sizeof(title));
		snprintf(crumbs + n, sizeof(crumbs) - n, "%s%s%s%s", i > 0 ? " " : "",
			i > 0 ? theme_glyph(u->theme, GLYPH_CRUMB) : "", i > 0 ? " " : "", title);
	}
	struct canvas in = canvas_box(c, ROLE_FOCUS, crumbs, NULL, NULL);
	p->ops->render(p, &in);
}

static void render_overlay(struct ui *u, const struct canvas *body)
{
	char title[128];
	int cols = MIN(body->cols - 4, 84), rows = MIN(body->rows - 2, 30);
	struct canvas c = canvas_part(
		body, (body->rows - rows) / 2, (body->cols - cols) / 2, rows, cols);
	u->overlay->ops->title(u->overlay, title, sizeof(title));
	canvas_clear(&c);
	struct canvas in = canvas_box(&c, ROLE_FOCUS, title, NULL, "Esc closes");
	u->overlay->ops->render(u->overlay, &in);
}

void frame_render(struct ui *u, const struct canvas *screen)
{
	if (frame_too_small(screen)) {
		render_too_small(screen);
		return;
	}
	struct canvas body = canvas_part(screen, 1, 0, screen->rows - 2, screen->cols);
	struct canvas last = canvas_part(screen, screen->rows - 1, 0, 1, screen->cols);
	render_title(u, screen);
	render_pane(u, u->stacks[u->root][u->depth[u->root] - 1], &body);
	if (u->overlay)
		render_overlay(u, &body);
	render_hints(u, &last);
	if (toast_shown(&u->toast, u->now))
		toast_render(&u->toast, &last);
	else
		u->toast.until = 0;
	if (u->dialog.open)
		dialog_render(&u->dialog, screen);
}
