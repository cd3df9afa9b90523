// SPDX-License-Identifier: PostgreSQL
#include "panes/panes.h"

#include <stdio.h>

static void send(struct ui *u, enum command_kind kind, const char *name, const char *done)
{
	struct command c = {
		.kind = kind, .workers = -1, .tables_in_parallel = -1, .rate_limit_mb = -1
	};
	copy_text(c.name, sizeof(c.name), name);
	ui_submit(u, &c, done);
}

static void ask_drop(struct pane *p, const struct mirror_view *v)
{
	char text[768];
	snprintf(text, sizeof(text),
		"%sRemoves what pgpier made for it: its record in schema pgpier on %s%s. The tables that were "
		"copied to %s stay as they are, and so does everything on %s.",
		mirror_runs(v->state) ? "It is running and will be stopped.\n\n" : "", v->target,
		v->editable ? ", and the mirror in mirrors.conf" : "", v->target, v->source);
	char title[128];
	snprintf(title, sizeof(title), "Drop mirror %s?", v->name);
	ui_ask(p->ui, &(struct question){ .kind = ASK_YES_NO,
					  .action = ACTION_DROP,
					  .title = title,
					  .text = text,
					  .subject = v->name });
}

bool mirror_act(struct pane *p, const struct mirror_view *v, enum action a)
{
	switch (a) {
	case ACTION_PAUSE:
		if (mirror_runs(v->state))
			send(p->ui, COMMAND_MIRROR_PAUSE, v->name, "paused");
		else
			send(p->ui, COMMAND_MIRROR_RUN, v->name, "");
		return true;
	case ACTION_RETRY:
		send(p->ui, COMMAND_MIRROR_RETRY, v->name, "queued again");
		return true;
	case ACTION_REFRESH:
		send(p->ui, COMMAND_MIRROR_REFRESH, v->name, "read from the target");
		return true;
	case ACTION_EDIT:
		ui_push(p->ui, mirror_form_new(p->ui, v->name));
		return true;
	case ACTION_DROP:
		ask_drop(p, v);
		return true;
	default:
		return false;
	}
}

void mirror_answered(struct pane *p, enum action a, const char *subject)
{
	if (a == ACTION_DROP)
		send(p->ui, COMMAND_MIRROR_DROP, subject, "mirror dropped; the copied tables stay");
}

const char *mirror_refuse(const struct mirror_view *v, enum action a)
{
	bool failed = v->state == MIRROR_FAILED || v->load.tables_failed > 0;
	switch (a) {
	case ACTION_PAUSE:
		if (v->state == MIRROR_DONE)
			return "the mirror is done";
		if (v->state == MIRROR_PAUSING || v->state == MIRROR_DROPPING)
			return "it is stopping already";
		return NULL;
	case ACTION_RETRY:
		return failed ? NULL : "nothing has failed";
	case ACTION_EDIT:
		if (!v->editable)
			return "it is written by hand in pgpier.conf";
		return mirror_runs(v->state) ? "it is running; pause it first" : NULL;
	case ACTION_DROP:
		return v->state == MIRROR_DROPPING ? "it is being dropped" : NULL;
	default:
		return NULL;
	}
}

const char *mirror_label(const struct mirror_view *v, enum action a)
{
	bool failed = v->state == MIRROR_FAILED || v->load.tables_failed > 0;
	if (a == ACTION_RETRY && !failed)
		return "";
	if (a != ACTION_PAUSE)
		return NULL;
	if (mirror_runs(v->state))
		return "pause";
	if (v->state == MIRROR_DONE)
		return "";
	return v->state == MIRROR_NEW ? "start" : "resume";
}
