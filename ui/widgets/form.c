// SPDX-License-Identifier: PostgreSQL
#include "widgets/form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_CELLS 24
#define VALUE_CELLS 56

void form_init(struct form *f, const struct field *fields, int count, void *data,
	void (*check)(void *data, struct form *f, int field))
{
	*f = (struct form){ .count = count, .pressed = -1, .data = data, .check = check };
	f->fields = xcalloc((size_t)count, sizeof(*fields));
	for (int i = 0; i < count; i++) {
		f->fields[i] = fields[i];
		f->fields[i].edit.secret = fields[i].kind == FIELD_SECRET;
	}
}

void form_free(struct form *f)
{
	for (int i = 0; i < f->count; i++)
		edit_free(&f->fields[i].edit);
	free(f->fields);
	f->fields = NULL;
	f->count = 0;
}

const char *form_text(const struct form *f, int field)
{
	return edit_text(&f->fields[field].edit);
}

int64_t form_number(const struct form *f, int field, int64_t empty)
{
	const char *text = form_text(f, field);
	return *text != '\0' ? strtoll(text, NULL, 10) : empty;
}

void form_set_text(struct form *f, int field, const char *text)
{
	edit_set(&f->fields[field].edit, text);
	f->fields[field].error[0] = '\0';
}

void form_set_number(struct form *f, int field, int64_t n)
{
	char text[32];
	snprintf(text, sizeof(text), "%lld", (long long)n);
	form_set_text(f, field, text);
}

/* ---- which fields can be seen and reached ---- */

static bool visible(const struct form *f, int field)
{
	if (f->fields[field].hidden)
		return false;
	if (f->fields[field].kind == FIELD_FOLD || f->fields[field].kind == FIELD_BUTTON)
		return true;
	for (int i = field - 1; i >= 0; i--)
		if (f->fields[i].kind == FIELD_FOLD)
			return f->fields[i].on;
	return true;
}

static void check_number(struct field *d)
{
	const char *text = edit_text(&d->edit);
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (*text == '\0')
		return;
	if (*end != '\0' || errno != 0 || n < d->least || n > d->most)
		snprintf(d->error, sizeof(d->error), "a number from %lld to %lld", (long long)d->least,
			(long long)d->most);
}

static void check_field(struct form *f, int field)
{
	struct field *d = &f->fields[field];
	d->error[0] = '\0';
	if (d->kind == FIELD_NUMBER)
		check_number(d);
	if (f->check && d->error[0] == '\0')
		f->check(f->data, f, field);
}

void form_focus(struct form *f, int field)
{
	if (field == f->focus)
		return;
	check_field(f, f->focus);
	f->focus = field;
}

bool form_valid(struct form *f)
{
	int wrong = -1;
	f->accepting = true;
	for (int i = 0; i < f->count; i++) {
		if (f->fields[i].hidden)
			continue;
		check_field(f, i);
		if (f->fields[i].error[0] != '\0' && wrong < 0)
			wrong = i;
	}
	f->accepting = false;
	if (wrong < 0)
		return true;
	for (int i = wrong; i >= 0 && !visible(f, wrong); i--)
		f->fields[i].on = f->fields[i].on || f->fields[i].kind == FIELD_FOLD;
	f->focus = wrong;
	return false;
}

int form_take_pressed(struct form *f)
{
	int pressed = f->pressed;
	f->pressed = -1;
	return pressed;
}

static void step(struct form *f, int direction)
{
	for (int i = f->focus + direction; i >= 0 && i < f->count; i += direction) {
		if (visible(f, i) && !f->fields[i].locked) {
			form_focus(f, i);
			return;
		}
	}
}

/* ---- keys ---- */

static bool is_text(const struct field *d)
{
	return (d->kind == FIELD_TEXT || d->kind == FIELD_SECRET || d->kind == FIELD_NUMBER) &&
		   !d->locked;
}

bool form_takes_text(const struct form *f)
{
	const struct field *d = &f->fields[f->focus];
	return is_text(d);
}

static void turn(struct form *f, int direction)
{
	struct field *d = &f->fields[f->focus];
	if (d->locked)
		return;
	if (d->kind == FIELD_TOGGLE || d->kind == FIELD_FOLD) {
		d->on = !d->on;
	} else if (d->kind == FIELD_CHOICE && d->choice_count > 0) {
		d->choice = (d->choice + direction + d->choice_count) % d->choice_count;
	} else {
		return;
	}
	f->changed = f->changed || d->kind != FIELD_FOLD;
	check_field(f, f->focus);
}

bool form_act(struct form *f, enum action a)
{
	struct field *d = &f->fields[f->focus];
	if (a == ACTION_NEXT || a == ACTION_PREVIOUS) {
		step(f, a == ACTION_NEXT ? 1 : -1);
	} else if (a == ACTION_REVEAL) {
		for (int i = 0; i < f->count; i++)
			f->fields[i].edit.revealed = !f->fields[i].edit.revealed;
	} else if (a == ACTION_OPEN) {
		if (d->kind == FIELD_BUTTON)
			f->pressed = d->locked ? -1 : f->focus;
		else if (d->kind == FIELD_FOLD)
			turn(f, 1);
		else
			step(f, 1);
	} else {
		return false;
	}
	return true;
}

/* A letter chooses the next choice that begins with it. */
static bool choose_by_letter(struct form *f, int key)
{
	struct field *d = &f->fields[f->focus];
	if (d->kind != FIELD_CHOICE || d->locked || key <= ' ' || key >= 0x7F)
		return false;
	for (int i = 1; i <= d->choice_count; i++) {
		int at = (d->choice + i) % d->choice_count;
		if ((d->choices[at][0] | 0x20) == (key | 0x20)) {
			d->choice = at;
			f->changed = true;
			check_field(f, f->focus);
			return true;
		}
	}
	return false;
}

static bool take_typed(struct form *f, const struct input *in)
{
	struct field *d = &f->fields[f->focus];
	if (in->kind == INPUT_KEY && (in->key == KEY_ARROW_UP || in->key == KEY_ARROW_DOWN)) {
		step(f, in->key == KEY_ARROW_UP ? -1 : 1);
		return true;
	}
	if (is_text(d)) {
		if (!edit_input(&d->edit, in))
			return false;
		f->changed = true;
		d->error[0] = '\0';
		return true;
	}
	if (in->kind != INPUT_KEY)
		return false;
	if (d->kind == FIELD_BUTTON) {
		if (in->key == ' ')
			return form_act(f, ACTION_OPEN);
		if (in->key != KEY_ARROW_LEFT && in->key != KEY_ARROW_RIGHT)
			return false;
		step(f, in->key == KEY_ARROW_LEFT ? -1 : 1);
		return true;
	}
	if (in->key == ' ' || in->key == KEY_ARROW_RIGHT || in->key == KEY_ARROW_LEFT) {
		turn(f, in->key == KEY_ARROW_LEFT ? -1 : 1);
		return true;
	}
	return choose_by_letter(f, in->key);
}

static bool take_mouse(struct form *f, const struct input *in)
{
	if (in->kind == INPUT_WHEEL_UP || in->kind == INPUT_WHEEL_DOWN) {
		step(f, in->kind == INPUT_WHEEL_UP ? -1 : 1);
		return true;
	}
	if (!canvas_hit(&f->drawn, in->y, in->x))
		return false;
	int line = in->y - f->drawn.y + f->top, x = in->x - f->drawn.x, hit = -1;
	for (int i = 0; i < f->count && i < (int)ARRAY_SIZE(f->lines); i++)
		if (visible(f, i) && f->lines[i] == line && x >= f->columns[i])
			hit = i;
	if (hit < 0)
		return true;
	form_focus(f, hit);
	if (f->fields[hit].kind == FIELD_BUTTON)
		form_act(f, ACTION_OPEN);
	else if (!is_text(&f->fields[hit]))
		turn(f, 1);
	return true;
}

bool form_input(struct form *f, const struct input *in)
{
	bool typed = in->kind == INPUT_KEY || in->kind == INPUT_PASTE;
	return typed ? take_typed(f, in) : take_mouse(f, in);
}

/* ---- drawing ---- */

static void render_value(const struct form *f, const struct canvas *c, int i, int y, int x, int cells)
{
	const struct field *d = &f->fields[i];
	bool focused = i == f->focus;
	const char *less = theme_glyph(c->theme, GLYPH_LESS), *more = theme_glyph(c->theme, GLYPH_MORE);
	if (d->kind == FIELD_TOGGLE) {
		canvas_add(c, y, x, focused ? ROLE_SELECTION : ROLE_TEXT, d->on ? "[x] on" : "[ ] off");
	} else if (d->kind == FIELD_CHOICE) {
		const char *choice = d->choice < d->choice_count ? d->choices[d->choice] : "";
		canvas_addf(c, y, x, focused ? ROLE_SELECTION : ROLE_TEXT, "%s %s %s", less,
			*choice ? choice : "(none)", more);
	} else if (d->locked) {
		canvas_put(c, y, x, cells, ALIGN_LEFT, ROLE_DIM, edit_text(&d->edit));
	} else {
		edit_render(&d->edit, c, y, x, cells, focused, d->fallback);
	}
}

static void render_field(const struct form *f, const struct canvas *c, int i, int y)
{
	const struct field *d = &f->fields[i];
	bool focused = i == f->focus;
	if (d->kind == FIELD_FOLD) {
		int x = canvas_add(c, y, 1, ROLE_FOCUS,
			theme_glyph(c->theme, d->on ? GLYPH_OPEN : GLYPH_CLOSED));
		canvas_add(c, y, x + 1, focused ? ROLE_SELECTION : ROLE_TITLE, d->label);
		return;
	}
	if (focused)
		canvas_add(c, y, 0, ROLE_FOCUS, theme_glyph(c->theme, GLYPH_POINTER));
	canvas_put(c, y, 2, LABEL_CELLS - 2, ALIGN_LEFT, focused ? ROLE_TITLE : ROLE_TEXT, d->label);
	int cells = MIN(VALUE_CELLS, c->cols - LABEL_CELLS - 2);
	render_value(f, c, i, y, LABEL_CELLS, cells);
	if (d->error[0] != '\0')
		canvas_addf(c, y + 1, LABEL_CELLS, ROLE_ERROR, "%s %s",
			theme_glyph(c->theme, GLYPH_TROUBLE), d->error);
}

static int render_button(const struct form *f, const struct canvas *c, int i, int y, int x)
{
	const struct field *d = &f->fields[i];
	enum role role = i == f->focus ? ROLE_SELECTION : d->locked ? ROLE_DIM : ROLE_KEY;
	return canvas_addf(c, y, x, role, "[ %s ]", d->label) + 2;
}

/* Gives every visible field its line; returns how many lines there are. */
static int place(struct form *f)
{
	int line = 0;
	for (int i = 0; i < f->count && i < (int)ARRAY_SIZE(f->lines); i++) {
		const struct field *d = &f->fields[i];
		if (!visible(f, i))
			continue;
		bool button = d->kind == FIELD_BUTTON, first = i == 0 || f->fields[i - 1].kind != d->kind;
		if ((button && first) || d->kind == FIELD_FOLD)
			line++; /* air */
		f->lines[i] = line;
		f->columns[i] = 0;
		if (!button || i + 1 == f->count || f->fields[i + 1].kind != FIELD_BUTTON)
			line += 1 + (d->error[0] != '\0');
	}
	return line;
}

/* The buttons' columns as drawn, so that a click finds the one it is on. */
static void render_fields(struct form *f, const struct canvas *c)
{
	int x = 2;
	for (int i = 0; i < f->count && i < (int)ARRAY_SIZE(f->lines); i++) {
		int y = f->lines[i] - f->top;
		if (!visible(f, i))
			continue;
		if (f->fields[i].kind != FIELD_BUTTON) {
			render_field(f, c, i, y);
			continue;
		}
		bool first = i == 0 || f->fields[i - 1].kind != FIELD_BUTTON;
		f->columns[i] = first ? 2 : x;
		x = render_button(f, c, i, y, f->columns[i]);
	}
}

/* Below the fields, on as many lines as the longest help takes, so that nothing moves from field to field. Returns
 * how many they are. */
static int render_help(const struct form *f, const struct canvas *c)
{
	struct strings all = { 0 };
	size_t most = 1, from = 0, to = 0;
	for (int i = 0; i < f->count; i++) {
		size_t first = all.count;
		text_wrap(&all, f->fields[i].help, c->cols - 3);
		most = MAX(most, all.count - first);
		from = i == f->focus ? first : from;
		to = i == f->focus ? all.count : to;
	}
	for (size_t i = from; i < to; i++)
		canvas_add(c, c->rows - (int)(most - (i - from)), 2, ROLE_DIM, all.items[i]);
	strings_free(&all);
	return (int)most;
}

void form_render(struct form *f, const struct canvas *c)
{
	struct canvas body = canvas_part(c, 0, 0, c->rows - render_help(f, c), c->cols);
	int total = place(f), at = f->lines[f->focus];
	if (at - 1 < f->top)
		f->top = MAX(at - 1, 0);
	if (at + 2 > f->top + body.rows)
		f->top = at + 2 - body.rows;
	f->top = MAX(0, MIN(f->top, total - body.rows));
	f->drawn = body;
	render_fields(f, &body);
	struct canvas frame = { c->theme, c->y - 1, c->x - 1, c->rows + 2, c->cols + 2 };
	canvas_scrollbar(&frame, (size_t)f->top, (size_t)body.rows, (size_t)total);
}
