// SPDX-License-Identifier: PostgreSQL
/* The two lists of the Cutover tab: gates and steps. */
#include "panes/cutover.h"

#include <stdio.h>
#include <string.h>

/* ---- gates ---- */

enum { GATE_NAME, GATE_STATE, GATE_VALUE, GATE_NEXT, GATE_COLUMNS };

static const struct column gate_columns[GATE_COLUMNS] = {
	[GATE_NAME] = { "GATE", 12, 32, ALIGN_LEFT, 0, false, true },
	[GATE_STATE] = { "STATE", 9, 10, ALIGN_LEFT, 0, false, true },
	[GATE_VALUE] = { "MEASURED", 20, 100, ALIGN_LEFT, 0, true, true },
	[GATE_NEXT] = { "WHAT TO DO", 76, 100, ALIGN_LEFT, 1, false, true },
};

static const struct {
	enum glyph glyph;
	enum role role;
} gate_looks[] = {
	[GATE_OPEN] = { GLYPH_DONE, ROLE_OK },
	[GATE_WARNING] = { GLYPH_TROUBLE, ROLE_WARN },
	[GATE_CLOSED] = { GLYPH_TROUBLE, ROLE_ERROR },
	[GATE_UNKNOWN] = { GLYPH_TROUBLE, ROLE_ERROR },
};

static const struct cutover_gate *gate_at(const void *data, size_t row)
{
	return &((const struct cutover_pane *)data)->gates[row];
}

static size_t gate_count(const void *data)
{
	return ((const struct cutover_pane *)data)->gate_count;
}

static uint64_t gate_identity(const void *data, size_t row)
{
	return table_identity(gate_at(data, row)->name);
}

static void gate_cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct cutover_gate *g = gate_at(data, row);
	const struct theme *theme = ((const struct pane *)data)->ui->theme;
	out->role = ROLE_TEXT;
	switch (column) {
	case GATE_NAME:
		copy_text(out->text, sizeof(out->text), g->name);
		break;
	case GATE_STATE:
		out->role = gate_looks[g->state].role;
		snprintf(out->text, sizeof(out->text), "%s %s", theme_glyph(theme, gate_looks[g->state].glyph),
			gate_state_name(g->state));
		break;
	case GATE_VALUE:
		copy_text(out->text, sizeof(out->text), g->value);
		break;
	default:
		out->role = gate_looks[g->state].role;
		copy_text(out->text, sizeof(out->text), g->next);
	}
}

static void gate_words(const void *data, size_t row, struct strbuf *out)
{
	const struct cutover_gate *g = gate_at(data, row);
	strbuf_addf(out, "%s %s %s", g->name, gate_state_name(g->state), g->value);
}

static const struct table_source gate_source = {
	.columns = gate_columns,
	.column_count = GATE_COLUMNS,
	.empty = "",
	.count = gate_count,
	.identity = gate_identity,
	.cell = gate_cell,
	.words = gate_words,
};

/* ---- steps ---- */

enum { STEP_NAME, STEP_STATE, STEP_TOOK, STEP_FORECAST, STEP_WHAT, STEP_UNDO, STEP_COLUMNS };

static const struct column step_columns[STEP_COLUMNS] = {
	[STEP_NAME] = { "STEP", 9, 12, ALIGN_LEFT, 0, false, true },
	[STEP_STATE] = { "STATE", 9, 10, ALIGN_LEFT, 0, false, true },
	[STEP_TOOK] = { "TOOK", 6, 8, ALIGN_RIGHT, 0, false, true },
	[STEP_FORECAST] = { "FORECAST", 8, 8, ALIGN_RIGHT, 2, false, true },
	[STEP_WHAT] = { "", 24, 100, ALIGN_LEFT, 0, true, true },
	[STEP_UNDO] = { "ITS UNDO", 44, 90, ALIGN_LEFT, 1, false, true },
};

static const struct {
	enum glyph glyph;
	enum role role;
} step_looks[] = {
	[STEP_WAITING] = { GLYPH_IDLE, ROLE_DIM },
	[STEP_RUNNING] = { GLYPH_ACTIVE, ROLE_PROGRESS },
	[STEP_DONE] = { GLYPH_DONE, ROLE_OK },
	[STEP_FAILED] = { GLYPH_TROUBLE, ROLE_ERROR },
	[STEP_UNDOING] = { GLYPH_ACTIVE, ROLE_WARN },
	[STEP_UNDONE] = { GLYPH_IDLE, ROLE_WARN },
};

static size_t step_count(const void *data)
{
	(void)data;
	return CUTOVER_STEP_COUNT;
}

static uint64_t step_identity(const void *data, size_t row)
{
	(void)data;
	return row;
}

static void step_time(double seconds, struct cell *out)
{
	char text[FORMAT_SIZE];
	copy_text(out->text, sizeof(out->text), format_lag(seconds, text));
}

static void step_cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct cutover_pane *s = data;
	const struct cutover_step_view *v = &s->now.steps[row];
	bool untouched = v->state == STEP_WAITING;
	out->role = untouched ? ROLE_DIM : ROLE_TEXT;
	out->text[0] = '\0';
	if (column == STEP_NAME) {
		copy_text(out->text, sizeof(out->text), cutover_step_name((enum cutover_step)row));
	} else if (column == STEP_STATE) {
		out->role = step_looks[v->state].role;
		snprintf(out->text, sizeof(out->text), "%s %s", theme_glyph(s->pane.ui->theme, step_looks[v->state].glyph),
			step_state_name(v->state));
	} else if (column == STEP_TOOK && !untouched) {
		step_time(v->took_s, out);
	} else if (column == STEP_FORECAST && s->now.phase != CUTOVER_NEVER) {
		out->role = ROLE_DIM;
		step_time(v->forecast_s, out);
	} else if (column == STEP_WHAT) {
		copy_text(out->text, sizeof(out->text), v->what);
	} else if (column == STEP_UNDO) {
		out->role = ROLE_DIM;
		copy_text(out->text, sizeof(out->text), v->undo);
	}
}

static void step_words(const void *data, size_t row, struct strbuf *out)
{
	const struct cutover_step_view *v = &((const struct cutover_pane *)data)->now.steps[row];
	strbuf_addf(out, "%s %s %s", cutover_step_name((enum cutover_step)row), step_state_name(v->state), v->what);
}

static const struct table_source step_source = {
	.columns = step_columns,
	.column_count = STEP_COLUMNS,
	.empty = "",
	.count = step_count,
	.identity = step_identity,
	.cell = step_cell,
	.words = step_words,
};

/* ---- both ---- */

void cutover_lists_init(struct cutover_pane *s)
{
	table_init(&s->gate_table, &gate_source, s);
	table_init(&s->step_table, &step_source, s);
}

const struct cutover_gate *cutover_gate_selected(const struct cutover_pane *s)
{
	size_t row = table_selected(&s->gate_table);
	return row < s->gate_count ? &s->gates[row] : NULL;
}

enum cutover_step cutover_step_selected(const struct cutover_pane *s)
{
	size_t row = table_selected(&s->step_table);
	return row < CUTOVER_STEP_COUNT ? (enum cutover_step)row : CUTOVER_STEP_COUNT;
}

void cutover_select_trouble(struct cutover_pane *s)
{
	static const enum gate_state worst_first[] = { GATE_CLOSED, GATE_UNKNOWN, GATE_WARNING };
	for (size_t k = 0; k < ARRAY_SIZE(worst_first); k++)
		for (size_t i = 0; i < s->gate_count; i++)
			if (s->gates[i].state == worst_first[k] && table_select(&s->gate_table, gate_identity(s, i)))
				return;
}
