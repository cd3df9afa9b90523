// SPDX-License-Identifier: PostgreSQL
#include "ui.h"

#include "panes/panes.h"
#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void ui_init(struct ui *u, struct engine *engine, const struct theme *theme)
{
	*u = (struct ui){
		.engine = engine,
		.model = engine_model_borrow(engine),
		.theme = theme,
		.now = clock_us(),
	};
	struct mirror_view *mirrors;
	size_t n = model_mirrors(u->model, &mirrors);
	free(mirrors);
	const struct {
		enum root root;
		struct pane *pane;
	} roots[] = {
		{ ROOT_PEERS, peers_pane_new(u) },
		{ ROOT_MIRRORS, mirrors_pane_new(u) },
		{ ROOT_EVENTS, events_pane_new(u, "") },
	};
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		u->root = roots[i].root;
		ui_push(u, roots[i].pane);
	}
	u->root = n > 0 ? ROOT_MIRRORS : ROOT_PEERS;
	passwords_init(u);
}

static void bury(struct ui *u)
{
	for (int i = 0; i < u->dead_count; i++)
		u->dead[i]->ops->free(u->dead[i]);
	u->dead_count = 0;
}

void ui_finish(struct ui *u)
{
	ui_set_overlay(u, NULL);
	for (int r = 0; r < ROOT_COUNT; r++)
		while (u->depth[r] > 0) {
			struct pane *p = u->stacks[r][--u->depth[r]];
			p->ops->free(p);
		}
	bury(u);
	dialog_close(&u->dialog);
	free(u->watches);
	strings_free(&u->to_ask);
}

/* ---- panes ---- */

struct pane *ui_top(const struct ui *u)
{
	return u->overlay ? u->overlay : u->stacks[u->root][u->depth[u->root] - 1];
}

static void kill_pane(struct ui *u, struct pane *p)
{
	if (u->dead_count < (int)ARRAY_SIZE(u->dead))
		u->dead[u->dead_count++] = p;
}

void ui_push(struct ui *u, struct pane *take)
{
	ui_set_overlay(u, NULL);
	if (u->depth[u->root] == STACK_DEPTH) {
		kill_pane(u, take);
		return;
	}
	u->stacks[u->root][u->depth[u->root]++] = take;
	if (take->ops->sync)
		take->ops->sync(take);
}

void ui_pop(struct ui *u)
{
	int *depth = &u->depth[u->root];
	if (*depth > 1)
		kill_pane(u, u->stacks[u->root][--*depth]);
	ui_sync(u);
}

void ui_pop_to(struct ui *u, const struct pane *p)
{
	while (u->depth[u->root] > 1 && u->stacks[u->root][u->depth[u->root] - 1] != p)
		kill_pane(u, u->stacks[u->root][--u->depth[u->root]]);
	ui_sync(u);
}

void ui_go(struct ui *u, enum root root)
{
	ui_set_overlay(u, NULL);
	u->root = root;
	ui_sync(u);
}

void ui_choose(struct ui *u, enum root root, const char *name)
{
	copy_text(u->chosen[root], sizeof(u->chosen[root]), name);
}

void ui_set_overlay(struct ui *u, struct pane *take)
{
	if (u->overlay)
		kill_pane(u, u->overlay);
	u->overlay = take;
}

/* ---- what panes ask for ---- */

void ui_toast(struct ui *u, bool error, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	toast_show(&u->toast, u->now, error, text);
}

void ui_toast_error(struct ui *u, const struct error *e)
{
	char line[1200];
	ui_toast(u, true, "%s", error_line(e, line, sizeof(line)));
}

uint64_t ui_submit(struct ui *u, struct command *take, const char *done)
{
	uint64_t ticket = engine_submit(u->engine, take);
	if (done) {
		GROW(u->watches, u->watch_count);
		struct watch *w = &u->watches[u->watch_count++];
		w->ticket = ticket;
		copy_text(w->done, sizeof(w->done), done);
	}
	return ticket;
}

bool ui_outcome(struct ui *u, uint64_t *ticket, struct outcome *o)
{
	if (*ticket == 0 || !model_outcome(u->model, *ticket, o) || o->state == OUTCOME_RUNNING)
		return false;
	*ticket = 0;
	return true;
}

void ui_cancel(struct ui *u, uint64_t *ticket)
{
	struct command c = { .kind = COMMAND_CANCEL, .ticket = *ticket };
	if (*ticket != 0)
		ui_submit(u, &c, NULL);
	*ticket = 0;
}

void ui_ask(struct ui *u, const struct question *q)
{
	u->asker = ui_top(u);
	dialog_open(&u->dialog, q);
}

void ui_ask_file(struct ui *u, const char *what, const char *title, const char *text)
{
	char path[512], stamp[32];
	const char *home = getenv("HOME");
	time_t now = time(NULL);
	struct tm tm;
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	snprintf(path, sizeof(path), "%s/pgpier-%s-%s.txt", home ? home : ".", what, stamp);
	ui_ask(u, &(struct question){ .kind = ASK_VALUE, .action = ACTION_SAVE, .title = title, .text = text, .value = path });
}

void ui_copy(struct ui *u, const char *text)
{
	if (*text == '\0')
		return;
	if (u->screen && screen_copy(u->screen, text))
		ui_toast(u, false, "copied to the terminal's clipboard, if it takes OSC 52");
	else
		ui_toast(u, true, "too long for the terminal's clipboard; ^s in Events saves to a file");
}

/* ---- following the model ---- */

static void follow_watches(struct ui *u)
{
	for (size_t i = 0; i < u->watch_count;) {
		struct outcome o = { 0 };
		struct watch *w = &u->watches[i];
		if (model_outcome(u->model, w->ticket, &o) && o.state == OUTCOME_RUNNING) {
			i++;
			continue;
		}
		if (o.state == OUTCOME_FAILED && o.error.class != ERROR_CANCELLED)
			ui_toast_error(u, &o.error);
		else if (o.state == OUTCOME_DONE && w->done[0] != '\0')
			ui_toast(u, false, "%s", w->done);
		catalog_release(o.catalog);
		preflight_release(o.preflight);
		comparison_release(o.comparison);
		verification_release(o.verification);
		*w = u->watches[--u->watch_count];
	}
}

static void follow_mirrors(struct ui *u)
{
	struct mirror_view *mirrors;
	size_t n = model_mirrors(u->model, &mirrors);
	u->running = 0;
	u->rate = 0;
	u->streaming = false;
	for (size_t i = 0; i < n; i++) {
		if (!mirror_runs(mirrors[i].state))
			continue;
		u->running++;
		u->streaming = u->streaming || mirrors[i].continuous;
		u->rate += MAX(mirrors[i].load.rate, 0);
	}
	free(mirrors);
}

void ui_sync(struct ui *u)
{
	struct pane *p = u->stacks[u->root][u->depth[u->root] - 1];
	follow_watches(u);
	follow_mirrors(u);
	if (p->ops->sync)
		p->ops->sync(p);
	passwords_sync(u);
	resume_sync(u);
}

bool ui_busy(const struct ui *u)
{
	const struct pane *p = ui_top(u);
	return u->running > 0 || u->watch_count > 0 || (u->toast.until != 0 && !u->toast.error) ||
		   (p->ops->busy && p->ops->busy(p));
}

/* ---- keys ---- */

const char *ui_refusal(const struct ui *u, const struct pane *p, enum action a)
{
	if (u->readonly && (action_contexts(a) & CHANGES))
		return "the console is read-only";
	if (a == ACTION_DETACH && !u->background)
		return "there is no engine in the background: pgpier without -f starts one";
	return p->ops->refuse ? p->ops->refuse(p, a) : NULL;
}

static const char *leaving_a_cutover(bool decided)
{
	return decided ? "stops it behind its point of no return: pgpier cutover goes on with what is left"
				   : "undoes it: the source will be open as it was before";
}

/* Ends the engine as well; asks when that stops anything. */
static void ask_end(struct ui *u)
{
	char cutting[NAME_SIZE], text[512];
	const char *what = u->background ? "Stopping the engine" : "Leaving";
	bool decided = false, cuts = work_cuts_over(u->model, cutting, &decided);
	follow_mirrors(u);
	if (u->running == 0 && !cuts) {
		u->quit = u->end = true;
		return;
	}
	if (cuts)
		snprintf(text, sizeof(text), "The cutover of %s is under way. %s %s.", cutting, what, leaving_a_cutover(decided));
	else
		snprintf(text, sizeof(text),
		"%zu mirror%s running. %s stops the work within a second; what is done is kept, and"
		" running it again goes on from there.%s",
		u->running, u->running == 1 ? " is" : "s are", what,
		u->streaming ? " Until then the slot of a continuous mirror keeps WAL on its source." : "");
	const char *title = u->background ? "Stop the engine?" : "Leave pgpier?";
	if (cuts)
		title = u->background ? "Stop the engine in a cutover?" : "Leave pgpier in a cutover?";
	ui_ask(u, &(struct question){ .kind = ASK_YES_NO, .action = ACTION_END, .title = title, .text = text });
	u->asker = NULL;
}

/* In the background, work goes on without us. */
static void leave(struct ui *u)
{
	if (u->background)
		u->quit = true;
	else
		ask_end(u);
}

static void set_mouse(struct ui *u)
{
	u->mouse = !u->mouse;
	if (u->screen)
		screen_set_mouse(u->screen, u->mouse);
	ui_toast(u, false, u->mouse ? "mouse on" : "mouse off: the terminal selects text again");
}

static bool act_global(struct ui *u, enum action a)
{
	switch (a) {
	case ACTION_GO_PEERS:
		ui_go(u, ROOT_PEERS);
		return true;
	case ACTION_GO_MIRRORS:
		ui_go(u, ROOT_MIRRORS);
		return true;
	case ACTION_GO_EVENTS:
		ui_go(u, ROOT_EVENTS);
		return true;
	case ACTION_HELP:
		ui_set_overlay(u, help_pane_new(u, ui_top(u)));
		return true;
	case ACTION_PALETTE:
		ui_set_overlay(u, palette_pane_new(u, ui_top(u)));
		return true;
	case ACTION_REPAINT:
		if (u->screen)
			screen_repaint(u->screen);
		return true;
	case ACTION_ZOOM:
		u->zoomed = !u->zoomed;
		return true;
	case ACTION_MOUSE:
		set_mouse(u);
		return true;
	case ACTION_QUIT:
		leave(u);
		return true;
	case ACTION_DETACH:
		u->quit = true;
		return true;
	case ACTION_END:
		ask_end(u);
		return true;
	default:
		return false;
	}
}

void ui_act(struct ui *u, enum action a)
{
	struct pane *p = ui_top(u);
	if (a == ACTION_NONE)
		return;
	const char *refusal = ui_refusal(u, p, a);
	if (refusal) {
		ui_toast(u, true, "%s: %s", action_label(a), refusal);
		return;
	}
	if (p->ops->act && p->ops->act(p, a))
		return;
	if (a == ACTION_BACK && u->overlay)
		ui_set_overlay(u, NULL);
	else if (a == ACTION_BACK)
		ui_pop(u);
	else
		act_global(u, a);
}

static void input_dialog(struct ui *u, const struct input *in)
{
	enum answer answer = dialog_input(&u->dialog, in);
	if (answer == ANSWER_NONE)
		return;
	struct dialog d = u->dialog;
	struct pane *asker = u->asker;
	u->dialog = (struct dialog){ 0 };
	if (d.action == ACTION_PAUSE && !asker)
		resume_answered(u, answer == ANSWER_YES);
	else if (answer == ANSWER_YES && d.action == ACTION_END && !asker)
		u->quit = u->end = true;
	else if (answer == ANSWER_YES && d.kind == ASK_SECRET && !asker)
		password_answered(u, d.subject, edit_text(&d.edit));
	else if (answer == ANSWER_YES && asker && asker->ops->answered)
		asker->ops->answered(asker, d.action, d.subject, edit_text(&d.edit));
	dialog_close(&d);
}

static void click_hint(struct ui *u, const struct input *in)
{
	for (int i = 0; i < u->hint_count; i++)
		if (in->x >= u->hints[i].x && in->x < u->hints[i].x + u->hints[i].cells)
			ui_act(u, u->hints[i].action);
}

/* ^c, Esc and Enter mean the same wherever characters are typed. */
static bool typed(const struct pane *p, const struct input *in)
{
	if (!p->ops->takes_text || !p->ops->takes_text(p))
		return false;
	return in->kind != INPUT_KEY || in->key != KEY_CTRL('c');
}

void ui_input(struct ui *u, const struct input *in)
{
	struct pane *p = ui_top(u);
	bool dismissed = in->kind == INPUT_KEY && toast_key(&u->toast);
	if (u->dialog.open) {
		input_dialog(u, in);
	} else if (dismissed && in->key == KEY_ESCAPE) {
		/* It was meant for the error, not for the pane. */
	} else if (in->kind == INPUT_KEY && !typed(p, in)) {
		enum action a = action_of_key(in->key, p->contexts);
		if (a != ACTION_NONE)
			ui_act(u, a);
		else if (p->ops->input)
			p->ops->input(p, in);
	} else if (in->kind == INPUT_CLICK && in->y == u->hint_row) {
		click_hint(u, in);
	} else if (!p->ops->input || !p->ops->input(p, in)) {
		if (in->kind == INPUT_KEY)
			ui_act(u, action_of_key(in->key, p->contexts));
	}
	bury(u);
}
