// SPDX-License-Identifier: PostgreSQL
#include "panes/differences.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_WIDE_COLS 160 /* with values of both sides the list itself needs 100 */

enum { COL_SEVERITY, COL_NAME, COL_SOURCE, COL_TARGET, COL_KIND, COL_MEANING, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_SEVERITY] = { "FINDING", 9, 10, ALIGN_LEFT, 0, false, false },
	[COL_NAME] = { "NAME", 14, 36, ALIGN_LEFT, 0, false, false },
	[COL_SOURCE] = { "SOURCE", 10, 24, ALIGN_LEFT, 0, false, true },
	[COL_TARGET] = { "TARGET", 10, 24, ALIGN_LEFT, 0, false, true },
	[COL_KIND] = { "KIND", 10, 22, ALIGN_LEFT, 2, false, false },
	[COL_MEANING] = { "MEANING", 20, 500, ALIGN_LEFT, 1, true, true },
};

/* Objects are told apart by their kind; their definitions don't fit into a cell anyway. */
static const struct column columns_of_objects[COL_COUNT] = {
	[COL_SEVERITY] = { "FINDING", 9, 10, ALIGN_LEFT, 0, false, false },
	[COL_NAME] = { "NAME", 14, 64, ALIGN_LEFT, 0, false, false },
	[COL_SOURCE] = { "SOURCE", 7, 7, ALIGN_LEFT, 1, false, true },
	[COL_TARGET] = { "TARGET", 7, 7, ALIGN_LEFT, 1, false, true },
	[COL_KIND] = { "KIND", 9, 24, ALIGN_LEFT, 0, false, false },
	[COL_MEANING] = { "MEANING", 31, 500, ALIGN_LEFT, 0, true, true },
};

static bool is_of_objects(const struct comparison *c)
{
	return strcmp(c->what, "objects") == 0;
}

/* ---- rows: the differences, then the notes ---- */

static const struct comparison *of(const void *data)
{
	return ((const struct differences *)data)->comparison;
}

static size_t count(const void *data)
{
	return of(data) ? of(data)->count + of(data)->notes.count : 0;
}

/* NULL: a note. */
static const struct difference *difference_at(const void *data, size_t row)
{
	return row < of(data)->count ? &of(data)->items[row] : NULL;
}

static const char *note_at(const void *data, size_t row)
{
	return of(data)->notes.items[row - of(data)->count];
}

static uint64_t identity(const void *data, size_t row)
{
	const struct difference *d = difference_at(data, row);
	return d ? table_identity(d->kind) * 31 + table_identity(d->name)
			 : table_identity(note_at(data, row));
}

static void severity_cell(const struct pane *p, enum severity s, struct cell *out)
{
	static const struct {
		enum glyph glyph;
		enum role role;
	} looks[] = {
		[SEVERITY_OK] = { GLYPH_DONE, ROLE_DIM },
		[SEVERITY_NOTE] = { GLYPH_DOT, ROLE_TEXT },
		[SEVERITY_WARNING] = { GLYPH_TROUBLE, ROLE_WARN },
		[SEVERITY_BLOCKER] = { GLYPH_TROUBLE, ROLE_ERROR },
	};
	out->role = looks[s].role;
	snprintf(out->text, sizeof(out->text), "%s %s", theme_glyph(p->ui->theme, looks[s].glyph),
		severity_name(s));
}

/* A definition's beginning says nothing: two that differ mostly begin the same way. */
static const char *side_text(const struct comparison *c, const struct difference *d, int column)
{
	const char *own = column == COL_SOURCE ? d->source : d->target;
	if (!own)
		return "-";
	if (!is_of_objects(c))
		return own;
	return d->source && d->target ? "differs" : "there";
}

static const char *meaning_of(const struct difference *d)
{
	if (d->meaning)
		return d->meaning;
	if (!d->target)
		return "missing on the target";
	return d->source ? "not the same" : "on the target only";
}

static const char *text_of(const struct comparison *c, const struct difference *d, int column)
{
	switch (column) {
	case COL_NAME:
		return d->name;
	case COL_SOURCE:
	case COL_TARGET:
		return side_text(c, d, column);
	case COL_KIND:
		return d->kind;
	default:
		return meaning_of(d);
	}
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct difference *d = difference_at(data, row);
	if (column == COL_SEVERITY) {
		severity_cell(data, d ? d->severity : SEVERITY_NOTE, out);
		return;
	}
	out->role = d && d->severity > SEVERITY_OK ? ROLE_TEXT : ROLE_DIM;
	/* A note has no columns: it runs over those that are empty. */
	copy_text(out->text, sizeof(out->text),
		d                    ? text_of(of(data), d, column)
		: column == COL_NAME ? note_at(data, row)
							 : "");
}

static int compare(const void *data, int column, size_t a, size_t b)
{
	const struct difference *x = difference_at(data, a), *y = difference_at(data, b);
	if (column != COL_SEVERITY)
		return table_order_text(cell, data, column, a, b);
	return ORDER(x ? x->severity : SEVERITY_NOTE, y ? y->severity : SEVERITY_NOTE);
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	const struct difference *d = difference_at(data, row);
	if (!d) {
		strbuf_addf(out, "note %s", note_at(data, row));
		return;
	}
	strbuf_addf(out, "%s %s", severity_name(d->severity), d->name);
	for (int column = COL_SOURCE; column < COL_COUNT; column++)
		strbuf_addf(out, " %s", text_of(of(data), d, column));
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "no differences",
	.count = count,
	.identity = identity,
	.cell = cell,
	.compare = compare,
	.words = words,
};

void differences_init(
	struct differences *s, struct ui *u, const struct pane_ops *ops, unsigned contexts)
{
	list_init(&s->list, u, ops, contexts | IN_WIDE, &source);
}

void differences_take(struct differences *s, const struct comparison *take)
{
	comparison_release(s->comparison);
	s->comparison = take;
	s->list.source.columns = take && is_of_objects(take) ? columns_of_objects : columns;
	table_refresh(&s->list.table);
}

void differences_finish(struct differences *s)
{
	comparison_release(s->comparison);
}

/* ---- one of them whole ---- */

static void add_side(struct strbuf *b, const char *label, const char *peer, const char *text)
{
	bool lines = text && strchr(text, '\n');
	strbuf_addf(b, "%s%s  %s:%s%s\n", lines ? "\n" : "", label, peer, lines ? "\n\n" : " ",
		text ? text : "none");
}

static char *whole_take(const struct comparison *c, const struct difference *d)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_addf(&b, "%s: %s %s, %s\n\n", severity_name(d->severity), d->kind, d->name,
		meaning_of(d));
	add_side(&b, "Source", c->source, d->source);
	add_side(&b, "Target", c->target, d->target);
	if (d->statement) {
		size_t n = strlen(d->statement);
		strbuf_addf(&b, "\nTo mend it, on %s:\n\n%s%s\n", c->target, d->statement,
			n > 0 && d->statement[n - 1] == ';' ? "" : ";");
	}
	return strbuf_take(&b);
}

bool differences_act(struct pane *p, enum action a)
{
	struct differences *s = (struct differences *)p;
	size_t row = table_selected(&s->list.table);
	if (list_act(p, a))
		return true;
	if (row >= count(s) || (a != ACTION_OPEN && a != ACTION_COPY))
		return false;
	const struct difference *d = difference_at(s, row);
	if (a == ACTION_COPY)
		ui_copy(p->ui, !d ? note_at(s, row) : d->statement ? d->statement : d->name);
	else
		ui_push(p->ui, text_pane_new(p->ui, d ? d->name : "Note",
						   d ? whole_take(s->comparison, d) : xstrdup(note_at(s, row))));
	return true;
}

/* ---- drawing ---- */

void differences_render_verdict(const struct differences *s, const struct canvas *c, int row)
{
	const struct theme *t = s->list.pane.ui->theme;
	size_t n[SEVERITY_BLOCKER + 1] = { 0 };
	for (size_t i = 0; i < s->comparison->count; i++)
		n[s->comparison->items[i].severity]++;
	const char *rest = s->comparison->complete ? "" : "; not everything could be compared";
	enum role role = n[SEVERITY_BLOCKER] > 0                               ? ROLE_ERROR
					 : n[SEVERITY_WARNING] > 0 || !s->comparison->complete ? ROLE_WARN
																		   : ROLE_OK;
	canvas_addf(c, row, 1, role, "%s %zu blocker%s, %zu warning%s, %zu other%s of %zu compared%s",
		theme_glyph(t, role == ROLE_OK ? GLYPH_DONE : GLYPH_TROUBLE), n[SEVERITY_BLOCKER],
		n[SEVERITY_BLOCKER] == 1 ? "" : "s", n[SEVERITY_WARNING],
		n[SEVERITY_WARNING] == 1 ? "" : "s", n[SEVERITY_NOTE] + n[SEVERITY_OK],
		n[SEVERITY_NOTE] + n[SEVERITY_OK] == 1 ? "" : "s", s->comparison->compared, rest);
}

static void add_definition(struct facts *f, const char *label, const char *peer, const char *text)
{
	facts_gap(f);
	facts_add(f, label, ROLE_DIM, "%s", peer);
	facts_add(f, NULL, text ? ROLE_TEXT : ROLE_DIM, "%s", text ? text : "none");
}

static void describe(const struct pane *p, struct facts *f)
{
	const struct differences *s = (const struct differences *)p;
	size_t row = table_selected(&s->list.table);
	const struct difference *d = difference_at(s, row);
	if (!d) {
		facts_add(f, NULL, ROLE_TEXT, "%s", note_at(s, row));
		return;
	}
	facts_add(f, d->kind, ROLE_TITLE, "%s", d->name);
	facts_add(f, "finding", ROLE_TEXT, "%s: %s", severity_name(d->severity), meaning_of(d));
	add_definition(f, "source", s->comparison->source, d->source);
	add_definition(f, "target", s->comparison->target, d->target);
	if (d->statement) {
		facts_gap(f);
		facts_add(f, "to mend it", ROLE_DIM, "on %s", s->comparison->target);
		facts_add(f, NULL, ROLE_WARN, "%s", d->statement);
	}
}

/* What matters most of it, where it has to stand below the list. */
static void render_foot(const struct differences *s, const struct canvas *c)
{
	struct facts f = { 0 };
	size_t row = table_selected(&s->list.table);
	canvas_repeat(c, 0, 0, c->cols, ROLE_DIM, GLYPH_HORIZONTAL);
	if (row >= count(s))
		return;
	struct canvas body = canvas_part(c, 1, 0, c->rows - 1, c->cols);
	const struct difference *d = difference_at(s, row);
	if (!d)
		facts_add(&f, NULL, ROLE_TEXT, "%s", note_at(s, row));
	else
		facts_add(&f, NULL, ROLE_TEXT, "%s %s: %s", d->kind, d->name, meaning_of(d));
	if (d && d->statement)
		facts_add(&f, NULL, ROLE_WARN, "%s", d->statement);
	facts_render(&f, &body);
	facts_clear(&f);
}

void differences_render(struct pane *p, const struct canvas *c)
{
	const struct differences *s = (const struct differences *)p;
	int least = is_of_objects(s->comparison) ? WIDE_COLS : VALUES_WIDE_COLS;
	int foot = c->cols + 2 < least && !p->ui->zoomed ? MAX(c->rows / 4, 5) : 0;
	struct canvas list = canvas_part(c, 0, 0, c->rows - foot, c->cols);
	struct canvas below = canvas_part(c, c->rows - foot, 0, foot, c->cols);
	list_render_split(p, &list, least, describe);
	if (foot > 0)
		render_foot(s, &below);
}
