// SPDX-License-Identifier: PostgreSQL
/* How thoroughly to verify: one of the levels, and it begins. Asking for a repair, which is a verification of one
 * table that mends what it finds. */
#include "panes/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_ROWS "1000"
#define MOST_SAMPLE_ROWS 1000000

enum { COL_LEVEL, COL_MEANING, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_LEVEL] = { "LEVEL", 10, 12, ALIGN_LEFT, 0, false, true },
	[COL_MEANING] = { "WHAT IS COMPARED", 30, 200, ALIGN_LEFT, 0, true, true },
};

/* The one that is chosen mostly stands first. */
static const struct {
	enum verify_level level;
	const char *meaning;
} levels[] = {
	{ VERIFY_CHECKSUM, "hashes of all rows; those that differ are located" },
	{ VERIFY_COUNTS, "the number of rows of each table" },
	{ VERIFY_SAMPLE, "rows of each table, at random, looked up by their keys" },
	{ VERIFY_FULL, "all values of all rows side by side; sorts on both servers" },
};

struct level_choice {
	struct list list;
	struct mirror_view view;
};

static size_t count(const void *data)
{
	(void)data;
	return ARRAY_SIZE(levels);
}

static uint64_t identity(const void *data, size_t row)
{
	(void)data;
	return row;
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	(void)data;
	out->role = column == COL_LEVEL ? ROLE_TITLE : ROLE_TEXT;
	copy_text(out->text, sizeof(out->text),
		column == COL_LEVEL ? verify_level_names[levels[row].level] : levels[row].meaning);
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "",
	.count = count,
	.identity = identity,
	.cell = cell,
};

static void submit(struct ui *u, struct command *c, const char *mirror)
{
	c->kind = COMMAND_VERIFY;
	copy_text(c->name, sizeof(c->name), mirror);
	ui_submit(u, c, "");
}

static void begin(struct pane *p, enum verify_level level, int64_t sample)
{
	struct command c = { .level = level, .sample = sample };
	submit(p->ui, &c, ((struct level_choice *)p)->view.name);
	ui_pop(p->ui);
}

static void choose(struct pane *p, enum verify_level level)
{
	if (mirror_lacks_passwords(p->ui, &((struct level_choice *)p)->view))
		return;
	if (level != VERIFY_SAMPLE) {
		begin(p, level, 0);
		return;
	}
	ui_ask(p->ui, &(struct question){ .kind = ASK_VALUE,
					  .action = ACTION_OPEN,
					  .title = "Rows of each table",
					  .text = "So many rows of each table of the source are chosen at random.",
					  .value = SAMPLE_ROWS });
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	char *end;
	long n = strtol(value, &end, 10);
	(void)a;
	(void)subject;
	if (*value == '\0' || *end != '\0' || n < 1 || n > MOST_SAMPLE_ROWS)
		ui_toast(p->ui, true, "not a number from 1 to %d: %s", MOST_SAMPLE_ROWS, value);
	else
		begin(p, VERIFY_SAMPLE, n);
}

static bool act(struct pane *p, enum action a)
{
	size_t row = table_selected(&((struct level_choice *)p)->list.table);
	if (list_act(p, a))
		return true;
	if (a != ACTION_OPEN || row >= ARRAY_SIZE(levels))
		return false;
	choose(p, levels[row].level);
	return true;
}

static void title(const struct pane *p, char *buf, size_t size)
{
	snprintf(buf, size, "Verify %s", ((const struct level_choice *)p)->view.name);
}

static void render(struct pane *p, const struct canvas *c)
{
	const struct mirror_view *v = &((struct level_choice *)p)->view;
	struct canvas body = canvas_part(c, 2, 0, c->rows - 2, c->cols);
	canvas_addf(c, 0, 1, ROLE_TEXT, "%s %s %s: nothing is changed on either side", v->source,
		theme_glyph(c->theme, GLYPH_ARROW), v->target);
	list_render(p, &body);
}

static const char *label(const struct pane *p, enum action a)
{
	(void)p;
	return a == ACTION_OPEN ? "begin" : NULL;
}

static const enum action hints[] = { ACTION_OPEN, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.render = render,
	.act = act,
	.label = label,
	.answered = answered,
};

struct pane *verify_level_pane_new(struct ui *u, const struct mirror_view *v)
{
	struct level_choice *s = xcalloc(1, sizeof(*s));
	list_init(&s->list, u, &ops, IN_LIST, &source);
	s->view = *v;
	table_refresh(&s->list.table);
	return &s->list.pane;
}

/* ---- repair ---- */

void verify_ask_repair(struct pane *p, const struct mirror_view *v, const struct verify_table *t)
{
	char title[160], text[1024], rows[160];
	const char *least = t->more ? "at least " : "";
	int64_t wrong = t->changed + t->extra, right = t->changed + t->missing;
	if (mirror_lacks_passwords(p->ui, v))
		return;
	snprintf(title, sizeof(title), "Repair %s?", t->target);
	if (wrong + right > 0)
		snprintf(text, sizeof(text), "%s. On %s, %s%lld row%s of %s will be deleted and %s%lld copied from %s.",
			verify_rows_text(t, rows, sizeof(rows)), v->target, least, (long long)wrong, wrong == 1 ? "" : "s",
			t->target, least, (long long)right, v->source);
	else
		snprintf(text, sizeof(text), "Rows of %s on %s that differ will be deleted, and copied from %s.", t->target,
			v->target, v->source);
	size_t n = strlen(text);
	snprintf(text + n, sizeof(text) - n, "\n\nThe table is verified again first, so that these are the rows that differ "
		"then, and once more afterwards. Nothing is changed on %s.%s", v->source,
		v->continuous ? " Replication stands while the rows are repaired." : "");
	ui_ask(p->ui, &(struct question){
					  .kind = ASK_YES_NO, .action = ACTION_REPAIR, .title = title, .text = text, .subject = t->source });
}

void verify_repair_table(struct ui *u, const char *mirror, const char *table)
{
	struct command c = { .level = VERIFY_CHECKSUM, .repair = true };
	copy_text(c.table, sizeof(c.table), table);
	submit(u, &c, mirror);
}
