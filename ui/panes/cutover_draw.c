// SPDX-License-Identifier: PostgreSQL
/* What the Cutover tab looks like: before it a checklist and a forecast, while it runs a clock and the steps, after
 * it what came of it. Where there is room for both lists, both are seen all the time. */
#include "panes/cutover.h"

#include <stdio.h>

#include "cutover_text.h"
#include "widgets/bars.h"
#include "widgets/clock.h"

#define BOTH_FROM 38   /* rows */
#define CLOCK_FROM 15  /* rows */
#define BROAD_FROM 110 /* columns */
#define FOOT_ROWS 3    /* what was measured at the selected gate, what to do; what undoes the selected step */
#define NARROW_FOOT_ROWS 4
#define LIST_LEAST 4
#define STEP_ROWS (CUTOVER_STEP_COUNT + 1)

/* Draws at the top of what is left of *c and takes that many rows away. */
static struct canvas take_rows(struct canvas *c, int rows)
{
	struct canvas part = canvas_part(c, 0, 0, rows, c->cols);
	*c = canvas_part(c, rows, 0, c->rows - rows, c->cols);
	return part;
}

bool cutover_at_rest(const struct cutover_pane *s)
{
	switch (s->now.phase) {
	case CUTOVER_NEVER:
	case CUTOVER_REHEARSED:
	case CUTOVER_UNDONE:
		return true;
	default:
		return false;
	}
}

/* ---- the clock ---- */

static enum role clock_role(const struct cutover_pane *s)
{
	if (s->now.phase == CUTOVER_UNDOING || s->now.asks || s->now.elapsed_s > s->now.limit_s / 2)
		return ROLE_WARN;
	return ROLE_PROGRESS;
}

/* What it is at: "freeze: ends 12 sessions". */
static void render_doing(const struct cutover_pane *s, const struct canvas *c, int y)
{
	enum cutover_step at = cutover_at(&s->now);
	int x = canvas_add(c, y, 0, ROLE_PROGRESS, theme_spinner(c->theme, s->pane.ui->now)) + 1;
	if (at == CUTOVER_STEP_COUNT) {
		canvas_add(c, y, x, ROLE_TITLE, s->now.phase == CUTOVER_UNDOING ? "undoing" : "begins");
		return;
	}
	const struct cutover_step_view *v = &s->now.steps[at];
	bool undo = v->state == STEP_UNDOING;
	x = canvas_addf(c, y, x, ROLE_TITLE, "%s%s", undo ? "undoing " : "", cutover_step_name(at)) + 2;
	canvas_put(c, y, x, c->cols - x, ALIGN_LEFT, ROLE_TEXT, undo ? v->undo : v->what);
}

static void render_limit(const struct cutover_pane *s, const struct canvas *c, int y)
{
	char left[FORMAT_SIZE], limit[FORMAT_SIZE];
	const struct cutover_view *v = &s->now;
	switch (v->phase) {
	case CUTOVER_RUNNING:
		canvas_addf(c, y, 0, ROLE_TEXT, "undoes itself in %s, at %s", format_duration(MAX(v->limit_s - v->elapsed_s, 0), left),
			format_duration(v->limit_s, limit));
		break;
	case CUTOVER_REHEARSING:
		canvas_add(c, y, 0, ROLE_OK, "a rehearsal: nobody is kept out, nothing is changed");
		break;
	case CUTOVER_UNDOING:
		canvas_addf(c, y, 0, ROLE_WARN, "%s will be open as it was before", s->view.source);
		break;
	default:
		canvas_addf(c, y, 0, ROLE_OK, "decided: %s is the primary, the rest is done now", s->view.target);
	}
}

static void render_closed(const struct cutover_pane *s, const struct canvas *c, int y)
{
	char closed[FORMAT_SIZE], forecast[FORMAT_SIZE];
	const struct cutover_view *v = &s->now;
	int x = 0;
	if (v->closed_s >= 0)
		x = canvas_addf(c, y, x, ROLE_WARN, "nobody can write for %s", format_duration(v->closed_s, closed)) + 2;
	else if (v->phase == CUTOVER_RUNNING)
		x = canvas_add(c, y, x, ROLE_DIM, "writers are not kept out yet") + 2;
	if (v->forecast_s >= 0)
		canvas_addf(c, y, x, ROLE_DIM, "forecast %s", format_lag(v->forecast_s, forecast));
}

static void render_question(const struct cutover_pane *s, const struct canvas *c, int y)
{
	if (!s->now.asks)
		return;
	int x = canvas_addf(c, y, 0, ROLE_WARN, "%s stop all who write to %s, then press ",
		theme_glyph(c->theme, GLYPH_TROUBLE), s->view.source);
	canvas_add(c, y, x, ROLE_KEY, "w");
}

/* Five rows, and the limit below as a bar. */
static void render_clock(const struct cutover_pane *s, struct canvas *rest)
{
	char text[FORMAT_SIZE];
	const struct cutover_view *v = &s->now;
	bool large = rest->rows >= CLOCK_FROM;
	struct canvas c = take_rows(rest, large ? CLOCK_ROWS + 1 : 4);
	clock_text(v->elapsed_s, text);
	int x = large ? clock_render(&c, 0, 1, clock_role(s), text, c.cols >= BROAD_FROM)
				  : canvas_add(&c, 0, 1, clock_role(s), text);
	struct canvas words = canvas_part(&c, 0, x + 3, large ? CLOCK_ROWS : 4, c.cols - x - 4);
	render_doing(s, &words, 0);
	render_limit(s, &words, 1);
	render_closed(s, &words, 2);
	render_question(s, &words, 3);
	if (large && v->phase == CUTOVER_RUNNING && v->limit_s > 0)
		progress_render(&c, CLOCK_ROWS, 1, c.cols - 2, v->elapsed_s / v->limit_s);
}

/* ---- before and after ---- */

static void gates_fact(const struct cutover_pane *s, struct facts *f)
{
	char sum[128], when[FORMAT_SIZE];
	if (s->measuring) {
		facts_add(f, "checklist", ROLE_PROGRESS, "%s measuring both servers",
			theme_spinner(s->pane.ui->theme, s->pane.ui->now));
		return;
	}
	if (s->gate_count == 0) {
		facts_add(f, "checklist", ROLE_DIM, "not measured yet: R measures both servers");
		return;
	}
	bool open = gates_are_open(s->gates, s->gate_count);
	facts_add(f, "checklist", open ? ROLE_OK : ROLE_ERROR, "%s %s: %s (%s)",
		theme_glyph(s->pane.ui->theme, open ? GLYPH_DONE : GLYPH_TROUBLE), open ? "it can begin" : "not yet",
		gates_text(s->gates, s->gate_count, sum, sizeof(sum)), format_time(s->measured_at, when) + 11);
}

static void forecast_fact(const struct cutover_pane *s, struct facts *f)
{
	char closed[FORMAT_SIZE], limit[FORMAT_SIZE];
	if (s->now.forecast_s >= 0)
		facts_add(f, "forecast", ROLE_TITLE, "nobody can write for about %s", format_lag(s->now.forecast_s, closed));
	else
		facts_add(f, "forecast", ROLE_DIM, "none yet: t rehearses, and keeps nobody out");
	facts_add(f, "freeze", ROLE_TEXT, "%s, at most for %s",
		s->config.freeze == FREEZE_FENCE ? "pgpier keeps writers out" : "you stop the writers and say so",
		format_duration(s->config.cutover_limit_s, limit));
}

static void error_fact(const struct cutover_pane *s, struct facts *f, enum role role)
{
	if (s->now.error.class == ERROR_NONE)
		return;
	facts_add(f, "why", role, "%s", without_subject(s->now.error.text, "mirror", s->mirror));
	if (s->now.error.next[0] != '\0')
		facts_add(f, "what to do", ROLE_TEXT, "%s", s->now.error.next);
}

static void rest_facts(const struct cutover_pane *s, struct facts *f)
{
	const struct ui *u = s->pane.ui;
	if (s->view.reverse_of[0] != '\0')
		facts_add(f, "way back of", ROLE_TEXT, "%s: the application goes back from %s to %s", s->view.reverse_of,
			s->view.source, s->view.target);
	if (s->now.phase == CUTOVER_UNDONE) {
		facts_add(f, "undone", ROLE_WARN, "%s %s is open as it was before", theme_glyph(u->theme, GLYPH_TROUBLE),
			s->view.source);
		error_fact(s, f, ROLE_WARN);
	}
	gates_fact(s, f);
	forecast_fact(s, f);
}

static void stuck_facts(const struct cutover_pane *s, struct facts *f)
{
	enum cutover_step at = cutover_at(&s->now);
	facts_add(f, "interrupted", ROLE_ERROR, "%s %s%s: neither done nor undone, and nobody is at it",
		theme_glyph(s->pane.ui->theme, GLYPH_TROUBLE), at != CUTOVER_STEP_COUNT ? "at " : "",
		at != CUTOVER_STEP_COUNT ? cutover_step_name(at) : "halfway");
	error_fact(s, f, ROLE_ERROR);
	facts_add(f, "what to do", ROLE_TITLE, "c goes on with it, u undoes it");
}

static void over_facts(const struct cutover_pane *s, struct facts *f)
{
	char at[FORMAT_SIZE], closed[FORMAT_SIZE];
	const struct cutover_view *v = &s->now;
	facts_add(f, "cut over", ROLE_OK, "%s at %s, from %s to %s", theme_glyph(s->pane.ui->theme, GLYPH_DONE),
		format_time(cutover_ended_at(v), at), s->view.source, s->view.target);
	if (v->closed_s >= 0)
		facts_add(f, "downtime", ROLE_TITLE, "nobody could write for %s", format_lag(v->closed_s, closed));
	error_fact(s, f, ROLE_ERROR);
	if (v->connection[0] != '\0')
		facts_add(f, "connect to", ROLE_TITLE, "%s", v->connection);
	if (v->back[0] != '\0')
		facts_add(f, "way back", ROLE_TEXT, "mirror %s: b rolls back to %s, f ends it", v->back, s->view.source);
	for (size_t i = 0; i < v->remains.count; i++)
		facts_add(f, i == 0 ? "what remains" : "", ROLE_WARN, "%s", v->remains.items[i]);
}

/* As many rows as they take, and leave to the lists what these need. */
static void render_facts(const struct cutover_pane *s, struct canvas *rest)
{
	struct facts f = { 0 };
	if (cutover_is_over(&s->now))
		over_facts(s, &f);
	else if (s->now.phase == CUTOVER_STUCK)
		stuck_facts(s, &f);
	else
		rest_facts(s, &f);
	struct canvas part = canvas_part(rest, 0, 0, MAX(rest->rows - LIST_LEAST, 0), rest->cols);
	take_rows(rest, MIN(facts_render(&f, &part), part.rows) + (rest->rows > STEP_ROWS));
	facts_clear(&f);
}

/* ---- lists ---- */

static void render_foot(const struct cutover_pane *s, const struct canvas *c)
{
	struct facts f = { 0 };
	const struct cutover_gate *g = s->on_steps ? NULL : cutover_gate_selected(s);
	enum cutover_step at = s->on_steps ? cutover_step_selected(s) : CUTOVER_STEP_COUNT;
	if (g) {
		facts_add(&f, "measured", ROLE_TEXT, "%s", g->value);
		if (g->next[0] != '\0')
			facts_add(&f, "what to do", ROLE_WARN, "%s", g->next);
	} else if (at != CUTOVER_STEP_COUNT) {
		const struct cutover_step_view *v = &s->now.steps[at];
		if (v->what[0] != '\0')
			facts_add(&f, cutover_step_name(at), ROLE_TEXT, "%s", v->what);
		if (v->undo[0] != '\0')
			facts_add(&f, "its undo", ROLE_TEXT, "%s", v->undo);
	}
	facts_render(&f, c);
	facts_clear(&f);
}

static void render_lists(struct cutover_pane *s, struct canvas *rest)
{
	struct table *shown = s->on_steps ? &s->step_table : &s->gate_table;
	if (s->both) {
		struct canvas gates = take_rows(rest, MIN((int)s->gate_count + 2, rest->rows - STEP_ROWS - FOOT_ROWS - 2));
		table_render(&s->gate_table, &gates, !s->on_steps);
		take_rows(rest, 1);
		struct canvas steps = take_rows(rest, STEP_ROWS);
		table_render(&s->step_table, &steps, s->on_steps);
		take_rows(rest, 1);
		render_foot(s, rest);
		return;
	}
	/* while it runs all steps are more worth than what is said of one */
	int needed = s->on_steps && cutover_moves(&s->now) ? STEP_ROWS : LIST_LEAST;
	int wanted = rest->cols < BROAD_FROM ? NARROW_FOOT_ROWS : FOOT_ROWS;
	int foot = MAX(MIN(wanted, rest->rows - needed), 0);
	int all = (s->on_steps ? CUTOVER_STEP_COUNT : (int)s->gate_count) + 3; /* its titles, its filter, a gap */
	struct canvas list = take_rows(rest, MIN(rest->rows - foot, all));
	table_render(shown, &list, true);
	render_foot(s, rest);
}

void cutover_render(struct pane *p, const struct canvas *c)
{
	struct cutover_pane *s = (struct cutover_pane *)p;
	struct canvas rest = *c;
	s->both = c->rows >= BOTH_FROM;
	if (cutover_moves(&s->now))
		render_clock(s, &rest);
	else
		render_facts(s, &rest);
	if (s->both && cutover_moves(&s->now))
		take_rows(&rest, 1);
	render_lists(s, &rest);
}
