// SPDX-License-Identifier: PostgreSQL
/* The objects that a mirror makes on its target: how far it is, what failed, what that holds up.
 *
 * A database may have tens of thousands of them: of all, kind, name and state are kept here; the
 * rest of a row is asked of the model when it is about to be drawn. */
#include "panes/list.h"

#include "object_filter.h"
#include "widgets/bars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_MAX 256
#define MANY 5000 /* objects; the list is then made anew once a second */
#define PERIOD_US 1000000
#define FILTER_HINT_CELLS 28

enum { COL_KIND, COL_NAME, COL_STATE, COL_TOOK, COL_WHY, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_KIND] = { "KIND", 9, 24, ALIGN_LEFT, 0, false, false },
	[COL_NAME] = { "NAME", 16, 64, ALIGN_LEFT, 0, false, false },
	[COL_STATE] = { "STATE", 10, 10, ALIGN_LEFT, 0, false, false },
	[COL_TOOK] = { "TOOK", 6, 9, ALIGN_RIGHT, 1, false, false },
	[COL_WHY] = { "WHY", 20, 500, ALIGN_LEFT, 0, true, true },
};

struct schema {
	struct list list; /* of an object_key for each object, in the order in which they are made */
	char mirror[NAME_SIZE];
	struct mirror_view view;
	uint64_t run;
	struct strings kinds, names; /* of that run, by index */
	int64_t fetched_at;
	size_t counts[OBJECT_STATE_COUNT], total;
	bool moved; /* a person chose a row: the selection stays on its object, else at the top */
	struct object_view window[WINDOW_MAX]; /* the rows on the screen */
	size_t window_count;
};

/* ---- rows ---- */

static const struct {
	enum glyph glyph;
	enum role role;
	int rank; /* what needs a person stands first, then what moves or waits, then what is over */
	const char *mark; /* in place of the glyph */
} looks[OBJECT_STATE_COUNT] = {
	[OBJECT_FAILED] = { GLYPH_TROUBLE, ROLE_ERROR, 0, NULL },
	[OBJECT_BLOCKED] = { GLYPH_TROUBLE, ROLE_WARN, 1, NULL },
	[OBJECT_MAKING] = { GLYPH_ACTIVE, ROLE_PROGRESS, 2, NULL },
	[OBJECT_WAITING] = { GLYPH_IDLE, ROLE_DIM, 3, NULL },
	[OBJECT_LEFT_OUT] = { 0, ROLE_DIM, 4, "-" },
	[OBJECT_EXISTS] = { GLYPH_DOT, ROLE_DIM, 5, NULL },
	[OBJECT_DONE] = { GLYPH_DONE, ROLE_OK, 6, NULL },
};

static uint64_t identity(const void *data, size_t row)
{
	(void)data;
	return row;
}

static const struct object_key *key_at(const struct schema *s, size_t row)
{
	return list_row(s, row);
}

static int compare_keys(const struct schema *s, int column, size_t a, size_t b)
{
	const struct object_key *x = key_at(s, a), *y = key_at(s, b);
	if (column == COL_KIND)
		return strcmp(s->kinds.items[a], s->kinds.items[b]);
	if (column == COL_NAME)
		return strcmp(s->names.items[a], s->names.items[b]);
	if (column == COL_TOOK)
		return ORDER(x->took_s, y->took_s);
	return looks[x->state].rank - looks[y->state].rank;
}

static int compare_rows(const void *a, const void *b, void *schema)
{
	const struct schema *s = schema;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	/* Their own order is that of the states. */
	int order = compare_keys(s, s->list.table.sort, x, y);
	if (s->list.table.descending)
		order = -order;
	return order != 0 ? order : ORDER(x, y);
}

static void arrange(void *data, struct table *t)
{
	struct schema *s = data;
	struct object_filter filter = object_filter_parse(edit_text(&t->filter));
	t->rows = xrealloc(t->rows, (s->list.count + 1) * sizeof(*t->rows));
	t->count = 0;
	for (size_t i = 0; i < s->list.count; i++)
		if (object_filter_takes(&filter, s->kinds.items[i], s->names.items[i], key_at(s, i)->state))
			t->rows[t->count++] = i;
	object_filter_free(&filter);
	qsort_r(t->rows, t->count, sizeof(*t->rows), compare_rows, s);
}

static void window(void *data, const size_t *rows, size_t n)
{
	struct schema *s = data;
	s->window_count = model_object_rows(
		s->list.pane.ui->model, s->mirror, rows, MIN(n, (size_t)WINDOW_MAX), s->window);
}

static const struct object_view *object_at(const struct schema *s, size_t row)
{
	for (size_t i = 0; i < s->window_count; i++)
		if (s->window[i].index == row)
			return &s->window[i];
	return NULL;
}

static void state_text(const struct ui *u, enum object_state state, char *buf, size_t size)
{
	const char *glyph =
		looks[state].mark ? looks[state].mark : theme_glyph(u->theme, looks[state].glyph);
	snprintf(buf, size, "%s %s", glyph, object_state_name(state));
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct schema *s = data;
	const struct object_view *v = object_at(s, row);
	char text[FORMAT_SIZE];
	out->role = ROLE_TEXT;
	out->text[0] = '\0';
	if (!v)
		return;
	if (column == COL_STATE || column == COL_WHY)
		out->role = looks[v->state].role;
	if (column == COL_STATE)
		state_text(s->list.pane.ui, v->state, out->text, sizeof(out->text));
	else if (column == COL_TOOK)
		copy_text(out->text, sizeof(out->text), v->took_s > 0 ? format_lag(v->took_s, text) : "");
	else
		copy_text(out->text, sizeof(out->text),
			column == COL_KIND   ? v->kind
			: column == COL_NAME ? v->name
								 : v->why);
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "",
	.identity = identity,
	.cell = cell,
	.arrange = arrange,
	.window = window,
};

/* ---- following the model ---- */

static const char *why_empty(struct model *m, const char *mirror)
{
	struct mirror_config c;
	enum schema_mode mode = SCHEMA_TABLES;
	if (model_mirror_config(m, mirror, &c)) {
		mode = c.schema;
		mirror_config_free(&c);
	}
	return mode == SCHEMA_NONE
			   ? "this mirror makes no objects: schema is none"
			   : "the list of objects comes when the mirror has started; p starts it";
}

/* Names first: keys of a later run would have others. */
static bool fetch_names(struct schema *s, struct model *m)
{
	uint64_t run = model_objects_run(m, s->mirror);
	if (run == s->run)
		return false;
	strings_free(&s->kinds);
	strings_free(&s->names);
	model_object_names(m, s->mirror, &s->kinds, &s->names);
	s->run = run;
	return true;
}

static void fetch(struct schema *s, struct ui *u)
{
	struct object_key *keys;
	bool renewed = fetch_names(s, u->model);
	if (!renewed && s->list.count > MANY && u->now - s->fetched_at < PERIOD_US)
		return;
	s->fetched_at = u->now;
	size_t n = model_object_keys(u->model, s->mirror, &keys);
	memset(s->counts, 0, sizeof(s->counts));
	s->total = MIN(n, s->names.count);
	for (size_t i = 0; i < s->total; i++)
		s->counts[keys[i].state]++;
	if (s->total == 0)
		s->list.source.empty = why_empty(u->model, s->mirror);
	list_take(&s->list, keys, s->total, sizeof(*keys));
	if (!s->moved)
		table_act(&s->list.table, ACTION_FIRST);
}

static void sync(struct pane *p)
{
	struct schema *s = (struct schema *)p;
	if (model_mirror(p->ui->model, s->mirror, &s->view))
		fetch(s, p->ui);
}

/* ---- drawing ---- */

static void render_progress(const struct schema *s, const struct canvas *c, size_t open)
{
	char percent[16];
	double fraction = (double)(s->total - open) / (double)s->total;
	int cells = MIN(MAX(c->cols * 2 / 5, 16), 80);
	progress_render(c, 0, 1, cells, fraction);
	int x = canvas_addf(
		c, 0, cells + 2, ROLE_TITLE, "%s", percent_text(fraction, percent, sizeof(percent)));
	canvas_addf(c, 0, x + 2, ROLE_TEXT, "%zu/%zu objects", s->total - open, s->total);
}

static void render_verdict(const struct schema *s, const struct canvas *c)
{
	size_t failed = s->counts[OBJECT_FAILED], blocked = s->counts[OBJECT_BLOCKED];
	const struct theme *t = s->list.pane.ui->theme;
	if (failed > 0)
		canvas_addf(c, 0, 1, ROLE_ERROR,
			"%s %zu of %zu objects failed; mend the cause, then r tries them again",
			theme_glyph(t, GLYPH_TROUBLE), failed, s->total);
	else if (blocked > 0)
		canvas_addf(c, 0, 1, ROLE_WARN,
			"%s nothing failed, but what %zu of %zu objects need is not there; when it is, r makes them",
			theme_glyph(t, GLYPH_TROUBLE), blocked, s->total);
	else
		canvas_addf(c, 0, 1, ROLE_OK, "%s all of %zu objects but those left out are there",
			theme_glyph(t, GLYPH_DONE), s->total);
}

static void render_summary(const struct schema *s, const struct canvas *c)
{
	static const enum object_state order[] = { OBJECT_FAILED, OBJECT_BLOCKED, OBJECT_MAKING,
		OBJECT_WAITING, OBJECT_DONE, OBJECT_EXISTS, OBJECT_LEFT_OUT };
	size_t open = s->counts[OBJECT_WAITING] + s->counts[OBJECT_MAKING];
	int x = 1;
	if (s->total == 0)
		return;
	if (open > 0)
		render_progress(s, c, open);
	else
		render_verdict(s, c);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (s->counts[order[i]] > 0)
			x = 2 + canvas_addf(c, 1, x, looks[order[i]].role, "%zu %s", s->counts[order[i]],
						object_state_name(order[i]));
	if (c->cols - x > FILTER_HINT_CELLS)
		canvas_put(c, 1, x, c->cols - x - 1, ALIGN_RIGHT, ROLE_DIM, "/ state:failed kind:index");
}

static const struct object_view *selected(const struct schema *s)
{
	size_t row = table_selected(&s->list.table);
	return row == TABLE_NOTHING ? NULL : object_at(s, row);
}

static void describe(const struct pane *p, struct facts *f)
{
	const struct object_view *v = selected((const struct schema *)p);
	char text[FORMAT_SIZE], state[32];
	if (!v)
		return;
	state_text(p->ui, v->state, state, sizeof(state));
	facts_add(f, v->kind, ROLE_TITLE, "%s", v->name);
	facts_add(f, "state", looks[v->state].role, "%s", state);
	facts_add(f, "made", ROLE_TEXT, "%s the rows", v->post ? "after" : "before");
	if (v->took_s > 0)
		facts_add(f, "took", ROLE_TEXT, "%s", format_lag(v->took_s, text));
	if (v->why[0] != '\0')
		facts_add(f, "why", looks[v->state].role, "%s", v->why);
	if (v->sqlstate[0] != '\0')
		facts_add(f, "SQLSTATE", ROLE_TEXT, "%s", v->sqlstate);
	if (v->next[0] != '\0')
		facts_add(f, "what to do", ROLE_WARN, "%s", v->next);
	facts_gap(f);
	facts_add(f, NULL, ROLE_DIM, "%s", v->statement);
}

/* What the narrow last column can't hold, where there is no room for the detail beside the list. */
static void render_foot(const struct schema *s, const struct canvas *c)
{
	const struct object_view *v = selected(s);
	struct canvas body = canvas_part(c, 1, 0, c->rows - 1, c->cols);
	struct facts f = { 0 };
	canvas_repeat(c, 0, 0, c->cols, ROLE_DIM, GLYPH_HORIZONTAL);
	if (!v)
		return;
	if (v->why[0] != '\0')
		facts_add(&f, NULL, looks[v->state].role, "%s", v->why);
	if (v->next[0] != '\0')
		facts_add(&f, NULL, ROLE_WARN, "%s", v->next);
	if (f.count == 0)
		facts_add(&f, NULL, ROLE_DIM, "%s", v->statement);
	facts_render(&f, &body);
	facts_clear(&f);
}

static void render(struct pane *p, const struct canvas *c)
{
	struct schema *s = (struct schema *)p;
	bool narrow = c->cols + 2 < WIDE_COLS && !p->ui->zoomed && s->total > 0;
	int top = s->total > 0 ? 2 : 0, foot = narrow ? MAX(c->rows / 4, 4) : 0;
	struct canvas middle = canvas_part(c, top, 0, c->rows - top - foot, c->cols);
	struct canvas bottom = canvas_part(c, c->rows - foot, 0, foot, c->cols);
	render_summary(s, c);
	list_render_split(p, &middle, WIDE_COLS, describe);
	if (foot > 0)
		render_foot(s, &bottom);
}

/* ---- keys ---- */

static char *report(const struct object_view *v, const char *statement)
{
	struct strbuf b = STRBUF_INIT;
	char took[FORMAT_SIZE];
	strbuf_addf(&b, "%s %s: %s", v->kind, v->name, object_state_name(v->state));
	if (v->took_s > 0)
		strbuf_addf(&b, ", took %s", format_lag(v->took_s, took));
	strbuf_addf(&b, "; made %s the rows\n", v->post ? "after" : "before");
	if (v->why[0] != '\0')
		strbuf_addf(&b, "\n%s\n", v->why);
	if (v->sqlstate[0] != '\0')
		strbuf_addf(&b, "SQLSTATE %s\n", v->sqlstate);
	if (v->next[0] != '\0')
		strbuf_addf(&b, "What to do: %s\n", v->next);
	strbuf_addf(&b, "\n%s\n",
		*statement != '\0' ? statement : "It has no statement: the mirror makes it by itself.");
	return strbuf_take(&b);
}

static void open_or_copy(struct schema *s, enum action a)
{
	struct ui *u = s->list.pane.ui;
	struct object_view v;
	size_t row = table_selected(&s->list.table);
	char *statement = model_object_statement(u->model, s->mirror, row);
	if (statement && model_object_rows(u->model, s->mirror, &row, 1, &v) == 1) {
		if (a == ACTION_COPY)
			ui_copy(u, *statement != '\0' ? statement : v.name);
		else
			ui_push(u, text_pane_new(u, v.name, report(&v, statement)));
	}
	free(statement);
}

static bool act(struct pane *p, enum action a)
{
	struct schema *s = (struct schema *)p;
	enum command_kind kind = a == ACTION_ROLES ? COMMAND_COMPARE_ROLES : COMMAND_COMPARE_SCHEMA;
	if (list_act(p, a)) {
		s->moved = true;
		return true;
	}
	if (a == ACTION_DIFFERENCE || a == ACTION_ROLES) {
		if (!mirror_lacks_passwords(p->ui, &s->view))
			ui_push(p->ui, comparison_pane_new(p->ui, kind, &s->view));
		return true;
	}
	if ((a != ACTION_OPEN && a != ACTION_COPY) || table_selected(&s->list.table) == TABLE_NOTHING)
		return false;
	open_or_copy(s, a);
	return true;
}

static bool input(struct pane *p, const struct input *in)
{
	bool taken = list_input(p, in);
	((struct schema *)p)->moved |= taken;
	return taken;
}

static const char *refuse(const struct pane *p, enum action a)
{
	bool empty = table_selected(&((const struct schema *)p)->list.table) == TABLE_NOTHING;
	return (a == ACTION_OPEN || a == ACTION_COPY) && empty ? "no object is selected" : NULL;
}

static const char *label(const struct pane *p, enum action a)
{
	if (a == ACTION_OPEN || a == ACTION_COPY)
		return refuse(p, a) ? "" : a == ACTION_OPEN ? "statement" : NULL;
	return NULL;
}

static void pane_free(struct pane *p)
{
	struct schema *s = (struct schema *)p;
	strings_free(&s->kinds);
	strings_free(&s->names);
	list_free(p);
}

static const enum action hints[] = { ACTION_OPEN, ACTION_RETRY, ACTION_DIFFERENCE, ACTION_ROLES,
	ACTION_FILTER, ACTION_COPY, ACTION_PAUSE, ACTION_NEXT, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.sync = sync,
	.render = render,
	.act = act,
	.refuse = refuse,
	.label = label,
	.input = input,
	.free = pane_free,
};

struct pane *schema_pane_new(struct ui *u, const char *mirror)
{
	struct schema *s = xcalloc(1, sizeof(*s));
	list_init(&s->list, u, &ops, IN_LIST | IN_SCHEMA | IN_WIDE, &source);
	copy_text(s->mirror, sizeof(s->mirror), mirror);
	return &s->list.pane;
}
