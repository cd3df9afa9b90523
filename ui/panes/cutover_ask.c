// SPDX-License-Identifier: PostgreSQL
/* What the Cutover tab asks before it changes anything, and what it sends when the answer is yes. */
#include "panes/cutover.h"

#include <stdio.h>
#include <string.h>

#include "cutover_text.h"

void cutover_send(struct cutover_pane *s, enum command_kind kind, const char *name, bool dry_run, const char *done)
{
	struct command c = { .kind = kind, .dry_run = dry_run };
	copy_text(c.name, sizeof(c.name), name);
	ui_submit(s->pane.ui, &c, done);
}

/* Who leaves what for what, and what becomes of the writers. */
static void describe_move(const struct cutover_pane *s, const char *from, const char *to, struct strbuf *b)
{
	char limit[FORMAT_SIZE], closed[FORMAT_SIZE];
	strbuf_addf(b, "The application leaves %s for %s. ", from, to);
	if (s->config.freeze == FREEZE_FENCE)
		strbuf_addf(b, "Its sessions on %s are ended and writers are kept out. ", from);
	else
		strbuf_addf(b, "You will be asked to stop those who write to %s. ", from);
	if (s->now.forecast_s >= 0)
		strbuf_addf(b, "By the rehearsal nobody can write for about %s. ", format_lag(s->now.forecast_s, closed));
	strbuf_addf(b, "A step that fails, u, or a cutover of more than %s undoes all of it, until the step called commit.",
		format_duration(s->config.cutover_limit_s, limit));
}

static void ask_name(struct pane *p, enum action a, const char *title, struct strbuf *text, const char *name)
{
	strbuf_addf(text, "\n\nType the mirror's name, %s, to go on.", name);
	ui_ask(p->ui, &(struct question){ .kind = ASK_NAME, .action = a, .title = title, .text = text->text, .subject = name });
}

static void ask_undo(struct pane *p, const struct cutover_pane *s)
{
	char text[512];
	snprintf(text, sizeof(text),
		"What the cutover of %s did is undone, the last step first: %s is open for its writers again, as it was before.",
		s->mirror, s->view.source);
	ui_ask(p->ui, &(struct question){ .kind = ASK_YES_NO, .action = ACTION_UNDO, .title = "Undo the cutover?",
					  .text = text, .subject = s->mirror });
}

static void describe_finish(const struct cutover_pane *s, struct strbuf *b)
{
	strbuf_addf(b,
		"Nobody can go back to %s any more. What pgpier made on both servers is dropped: slots, publications and schema"
		" pgpier; the tables stay. What is left for you to do is told then.",
		s->view.source);
}

void cutover_ask(struct pane *p, enum action a)
{
	struct cutover_pane *s = (struct cutover_pane *)p;
	const struct mirror_view *v = &s->view;
	struct strbuf text = STRBUF_INIT;
	char title[128];
	bool back = v->reverse_of[0] != '\0', again = s->now.phase == CUTOVER_STUCK || cutover_is_over(&s->now);
	switch (a) {
	case ACTION_UNDO:
		ask_undo(p, s);
		break;
	case ACTION_CUTOVER:
		snprintf(title, sizeof(title), again ? "Go on with the cutover of %s?" : back ? "Roll back to %s?" : "Cut over %s?",
			back && !again ? v->target : s->mirror);
		describe_move(s, v->source, v->target, &text);
		ask_name(p, a, title, &text, s->mirror);
		break;
	case ACTION_ROLLBACK:
		snprintf(title, sizeof(title), "Roll back to %s?", v->source);
		describe_move(s, v->target, v->source, &text);
		ask_name(p, a, title, &text, s->mirror);
		break;
	default:
		snprintf(title, sizeof(title), "Finish %s?", s->mirror);
		describe_finish(s, &text);
		ask_name(p, a, title, &text, s->mirror);
	}
	strbuf_free(&text);
}

void cutover_answered(struct pane *p, enum action a)
{
	struct cutover_pane *s = (struct cutover_pane *)p;
	switch (a) {
	case ACTION_CUTOVER:
		cutover_send(s, COMMAND_CUTOVER, s->mirror, false, "the application is on the target");
		break;
	case ACTION_ROLLBACK:
		cutover_send(s, COMMAND_CUTOVER, s->now.back, false, "the application is back");
		break;
	case ACTION_UNDO:
		cutover_send(s, COMMAND_CUTOVER_UNDO, s->mirror, false, "");
		break;
	case ACTION_FINISH:
		cutover_send(s, COMMAND_FINISH, s->mirror, false, "finished");
		break;
	default:
		break;
	}
}
