// SPDX-License-Identifier: PostgreSQL
/* The cutover of a mirror, or the rollback when the mirror leads back: measured, rehearsed, begun, followed, undone.
 * What is under way shows its steps, what is not the checklist; a person may look at the other one. */
#include "panes/cutover.h"

#include <stdlib.h>
#include <string.h>

#include "cutover_text.h"

/* ---- following the model ---- */

static struct table *keyed(struct cutover_pane *s)
{
	return s->on_steps ? &s->step_table : &s->gate_table;
}

static void measure(struct cutover_pane *s)
{
	struct command c = { .kind = COMMAND_GATES };
	copy_text(c.name, sizeof(c.name), s->mirror);
	s->measuring = ui_submit(s->pane.ui, &c, NULL);
}

/* Of a mirror that runs nothing stands in the way of a first look, nor of another one when it was verified since. */
static void measure_news(struct cutover_pane *s)
{
	const struct verification *v = model_verification(s->pane.ui->model, s->mirror);
	int64_t news = v ? v->ended_at : 1;
	verification_release(v);
	if (!mirror_runs(s->view.state) || !cutover_at_rest(s) || s->measuring || news <= MAX(s->news, s->measured_at))
		return;
	s->news = news;
	measure(s);
}

static void follow_measuring(struct cutover_pane *s)
{
	struct outcome o = { 0 };
	if (!ui_outcome(s->pane.ui, &s->measuring, &o))
		return;
	if (o.state == OUTCOME_FAILED && o.error.class != ERROR_CANCELLED)
		ui_toast_error(s->pane.ui, &o.error);
}

static void fetch_gates(struct cutover_pane *s)
{
	int64_t before = s->measured_at;
	free(s->gates);
	s->gate_count = model_gates(s->pane.ui->model, s->mirror, &s->gates, &s->measured_at);
	table_refresh(&s->gate_table);
	if (s->measured_at != before)
		cutover_select_trouble(s);
}

/* The list that matters now comes in front, once; the step that it has come to is selected, once. */
static void follow_phase(struct cutover_pane *s)
{
	enum cutover_step at = cutover_at(&s->now);
	if (s->now.phase != s->seen)
		s->on_steps = !cutover_at_rest(s);
	if (at != CUTOVER_STEP_COUNT && (at != s->at || s->now.phase != s->seen))
		table_select(&s->step_table, at);
	s->seen = s->now.phase;
	s->at = at;
}

static void sync(struct pane *p)
{
	struct cutover_pane *s = (struct cutover_pane *)p;
	if (!model_mirror(p->ui->model, s->mirror, &s->view))
		return;
	mirror_config_free(&s->config);
	model_mirror_config(p->ui->model, s->mirror, &s->config);
	cutover_view_free(&s->now);
	if (!model_cutover(p->ui->model, s->mirror, &s->now))
		s->now.forecast_s = s->now.closed_s = -1;
	follow_measuring(s);
	fetch_gates(s);
	measure_news(s);
	table_refresh(&s->step_table);
	follow_phase(s);
}

/* ---- keys ---- */

/* All of the row that has the keys, for reading and copying. */
static char *report(const struct cutover_pane *s)
{
	struct strbuf b = STRBUF_INIT;
	const struct cutover_gate *g = s->on_steps ? NULL : cutover_gate_selected(s);
	enum cutover_step at = s->on_steps ? cutover_step_selected(s) : CUTOVER_STEP_COUNT;
	if (g)
		strbuf_addf(&b, "%s: %s\n\nMeasured: %s\n%s%s\n", g->name, gate_state_name(g->state), g->value,
			g->next[0] ? "\nWhat to do: " : "", g->next);
	else if (at != CUTOVER_STEP_COUNT)
		strbuf_addf(&b, "%s: %s\n\n%s\n\nIts undo: %s\n", cutover_step_name(at), step_state_name(s->now.steps[at].state),
			s->now.steps[at].what, s->now.steps[at].undo[0] ? s->now.steps[at].undo : "nothing to be undone");
	if (s->now.error.class != ERROR_NONE && s->on_steps) {
		char *why = error_report(&s->now.error);
		strbuf_addf(&b, "\n%s", why);
		free(why);
	}
	return strbuf_take(&b);
}

static void open_or_copy(struct cutover_pane *s, enum action a)
{
	struct ui *u = s->pane.ui;
	char *text = report(s);
	if (a == ACTION_COPY)
		ui_copy(u, s->now.connection[0] ? s->now.connection : text);
	else if (*text != '\0')
		ui_push(u, text_pane_new(u, s->on_steps ? "Step" : "Gate", xstrdup(text)));
	free(text);
}

static bool act(struct pane *p, enum action a)
{
	struct cutover_pane *s = (struct cutover_pane *)p;
	if (table_act(keyed(s), a))
		return true;
	switch (a) {
	case ACTION_REFRESH:
		if (!mirror_lacks_passwords(p->ui, &s->view))
			measure(s);
		return true;
	case ACTION_REHEARSE:
		if (!mirror_lacks_passwords(p->ui, &s->view))
			cutover_send(s, COMMAND_CUTOVER, s->mirror, true, "rehearsed: nothing was changed");
		return true;
	case ACTION_CUTOVER:
	case ACTION_ROLLBACK:
	case ACTION_FINISH:
	case ACTION_UNDO:
		if (!mirror_lacks_passwords(p->ui, &s->view))
			cutover_ask(p, a);
		return true;
	case ACTION_GO:
		cutover_send(s, COMMAND_CUTOVER_GO, s->mirror, false, "");
		return true;
	case ACTION_SWITCH:
		s->on_steps = !s->on_steps;
		return true;
	case ACTION_OPEN:
	case ACTION_COPY:
		open_or_copy(s, a);
		return true;
	default:
		return false;
	}
}

static bool can_undo(const struct cutover_pane *s)
{
	return s->now.phase == CUTOVER_RUNNING || s->now.phase == CUTOVER_REHEARSING || s->now.phase == CUTOVER_STUCK;
}

static const char *refuse_to_begin(const struct cutover_pane *s)
{
	if (cutover_moves(&s->now))
		return "it is under way";
	if (s->now.phase == CUTOVER_DONE || s->view.state == MIRROR_CUT_OVER)
		return s->now.phase == CUTOVER_COMMITTED ? NULL : "the application is on the target already";
	if (gates_count(s->gates, s->gate_count, GATE_CLOSED) > 0 && s->now.phase != CUTOVER_STUCK)
		return "a gate is closed: mend it, then R measures again";
	return NULL;
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct cutover_pane *s = (const struct cutover_pane *)p;
	bool over = cutover_is_over(&s->now);
	if (s->measuring && (a == ACTION_REFRESH || a == ACTION_REHEARSE || a == ACTION_CUTOVER))
		return "it is being measured"; /* one thing at a time is done to a mirror */
	switch (a) {
	case ACTION_REFRESH:
		return cutover_moves(&s->now) ? "a cutover is under way" : NULL;
	case ACTION_REHEARSE:
		return cutover_at_rest(s) ? NULL : over ? "it is cut over" : "one is under way, or was interrupted";
	case ACTION_CUTOVER:
		return refuse_to_begin(s);
	case ACTION_GO:
		return s->now.asks ? NULL : "nobody waits for it now";
	case ACTION_UNDO:
		return can_undo(s) ? NULL : over ? "it can't be undone any more, only rolled back" : "there is nothing to undo";
	case ACTION_ROLLBACK:
		return cutover_moves(&s->now) ? "it is under way" : !over ? "it is not cut over" : s->now.back[0] == '\0' ? "no way back was made" : NULL;
	case ACTION_FINISH:
		return cutover_moves(&s->now) ? "it is under way" : over ? NULL : "it is not cut over";
	case ACTION_PAUSE:
		return cutover_moves(&s->now) ? "a cutover is under way: undo it first" : NULL;
	default:
		return NULL;
	}
}

static const char *begin_label(const struct cutover_pane *s)
{
	if (s->now.phase == CUTOVER_STUCK || (s->now.phase == CUTOVER_COMMITTED && !cutover_moves(&s->now)))
		return "go on";
	if (!cutover_at_rest(s))
		return "";
	return s->view.reverse_of[0] != '\0' ? "roll back" : NULL;
}

/* What makes no sense now is not among the hints. */
static const char *label(const struct pane *p, enum action a)
{
	const struct cutover_pane *s = (const struct cutover_pane *)p;
	switch (a) {
	case ACTION_REFRESH:
		return cutover_at_rest(s) ? "measure" : "";
	case ACTION_REHEARSE:
		return cutover_at_rest(s) ? NULL : "";
	case ACTION_CUTOVER:
		return begin_label(s);
	case ACTION_SWITCH:
		return s->both ? "other list" : s->on_steps ? "checklist" : NULL;
	case ACTION_OPEN:
		return "details";
	case ACTION_COPY:
		return s->now.connection[0] ? "copy" : "";
	case ACTION_GO:
	case ACTION_UNDO:
	case ACTION_ROLLBACK:
	case ACTION_FINISH:
		return refuse(p, a) ? "" : NULL;
	default:
		return NULL;
	}
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	(void)subject;
	(void)value;
	cutover_answered(p, a);
}

static bool takes_text(const struct pane *p)
{
	const struct cutover_pane *s = (const struct cutover_pane *)p;
	return table_takes_text(s->on_steps ? &s->step_table : &s->gate_table);
}

/* A click in the other list takes the keys there. */
static bool input(struct pane *p, const struct input *in)
{
	struct cutover_pane *s = (struct cutover_pane *)p;
	const struct table *other = s->on_steps ? &s->gate_table : &s->step_table;
	if (s->both && in->kind == INPUT_CLICK && canvas_hit(&other->drawn, in->y, in->x))
		s->on_steps = !s->on_steps;
	return list_table_input(p, keyed(s), in);
}

static bool busy(const struct pane *p)
{
	const struct cutover_pane *s = (const struct cutover_pane *)p;
	return s->measuring != 0 || cutover_moves(&s->now);
}

static void pane_free(struct pane *p)
{
	struct cutover_pane *s = (struct cutover_pane *)p;
	table_free(&s->gate_table);
	table_free(&s->step_table);
	cutover_view_free(&s->now);
	mirror_config_free(&s->config);
	free(s->gates);
	free(s);
}

static const enum action hints[] = { ACTION_GO, ACTION_UNDO, ACTION_CUTOVER, ACTION_REHEARSE, ACTION_REFRESH,
	ACTION_ROLLBACK, ACTION_FINISH, ACTION_COPY, ACTION_SWITCH, ACTION_OPEN, ACTION_NEXT, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.sync = sync,
	.render = cutover_render,
	.act = act,
	.refuse = refuse,
	.label = label,
	.answered = answered,
	.takes_text = takes_text,
	.input = input,
	.busy = busy,
	.free = pane_free,
};

struct pane *cutover_pane_new(struct ui *u, const char *mirror)
{
	struct cutover_pane *s = xcalloc(1, sizeof(*s));
	s->pane = (struct pane){ &ops, u, IN_LIST | IN_CUTOVER };
	copy_text(s->mirror, sizeof(s->mirror), mirror);
	s->at = CUTOVER_STEP_COUNT;
	cutover_lists_init(s);
	return &s->pane;
}
