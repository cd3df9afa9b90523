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

static void made_on_source(struct ui *u, const struct mirror_view *v, char *buf, size_t size)
{
	struct mirror_config m;
	char slot[NAME_SIZE], publication[NAME_SIZE];
	if (!model_mirror_config(u->model, v->name, &m))
		return;
	mirror_slot_name(&m, slot);
	mirror_publication_name(&m, publication);
	snprintf(buf, size, ", replication slot %s and publication %s on %s", slot, publication, v->source);
	mirror_config_free(&m);
}

static void ask_drop(struct pane *p, const struct mirror_view *v)
{
	char text[1024], on_source[256] = "";
	if (v->continuous)
		made_on_source(p->ui, v, on_source, sizeof(on_source));
	snprintf(text, sizeof(text),
		"%sRemoves what pgpier made for it: its record in schema pgpier on %s%s%s. The tables that were "
		"copied to %s stay as they are, and so does everything%s on %s.",
		mirror_runs(v->state) ? "It is running and will be stopped.\n\n" : "", v->target, on_source,
		v->editable ? ", and the mirror in mirrors.conf" : "", v->target, v->continuous ? " else" : "",
		v->source);
	char title[128];
	snprintf(title, sizeof(title), "Drop mirror %s?", v->name);
	ui_ask(p->ui, &(struct question){ .kind = ASK_YES_NO,
					  .action = ACTION_DROP,
					  .title = title,
					  .text = text,
					  .subject = v->name });
}

/* Both in one go would be two questions at once: the second comes when the key is pressed again. */
bool mirror_lacks_passwords(struct ui *u, const struct mirror_view *v)
{
	return password_needed(u, v->source) || password_needed(u, v->target);
}

bool mirror_act(struct pane *p, const struct mirror_view *v, enum action a)
{
	switch (a) {
	case ACTION_PAUSE:
		if (mirror_runs(v->state))
			send(p->ui, COMMAND_MIRROR_PAUSE, v->name,
				v->continuous ? "paused; its slot keeps WAL on the source until it goes on" : "paused");
		else if (!mirror_lacks_passwords(p->ui, v))
			send(p->ui, COMMAND_MIRROR_RUN, v->name, "");
		return true;
	case ACTION_RETRY:
		if (!mirror_lacks_passwords(p->ui, v))
			send(p->ui, COMMAND_MIRROR_RETRY, v->name, "tried again");
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

static bool streams(enum mirror_state s)
{
	return s == MIRROR_CATCHING_UP || s == MIRROR_REPLICATING;
}

/* What failed of the schema waits for the end of a load that is under way. */
static bool can_retry(const struct mirror_view *v)
{
	bool objects = v->objects_failed + v->objects_kept_back > 0 && (!mirror_runs(v->state) || streams(v->state));
	return v->state == MIRROR_FAILED || v->load.tables_failed > 0 || v->load.tables_paused > 0 || objects;
}

const char *mirror_refuse(const struct mirror_view *v, enum action a)
{
	switch (a) {
	case ACTION_PAUSE:
		if (v->state == MIRROR_DONE)
			return "the mirror is done";
		if (v->state == MIRROR_CUT_OVER)
			return "it is cut over: its way back is a mirror of its own";
		if (v->state == MIRROR_PAUSING || v->state == MIRROR_DROPPING)
			return "it is stopping already";
		return NULL;
	case ACTION_RETRY:
		if (v->objects_failed + v->objects_kept_back > 0 && !can_retry(v))
			return "objects are tried again when the load is over";
		return can_retry(v) ? NULL : "nothing has failed";
	case ACTION_EDIT:
		if (!v->editable)
			return "it is written by hand in pgpier.conf";
		if (streams(v->state))
			return NULL; /* its tables */
		return mirror_runs(v->state) ? "it is running; pause it first" : NULL;
	case ACTION_DROP:
		return v->state == MIRROR_DROPPING ? "it is being dropped" : NULL;
	default:
		return NULL;
	}
}

const char *mirror_label(const struct mirror_view *v, enum action a)
{
	if (a == ACTION_RETRY && !can_retry(v))
		return "";
	if (a != ACTION_PAUSE)
		return NULL;
	if (mirror_runs(v->state))
		return "pause";
	if (v->state == MIRROR_DONE || v->state == MIRROR_CUT_OVER)
		return "";
	return v->state == MIRROR_NEW ? "start" : "resume";
}

void table_ask_resync(struct pane *p, const struct mirror_view *v, size_t table)
{
	struct table_view t;
	char title[96], text[768];
	if (model_load_tables(p->ui->model, v->name, &table, 1, &t) == 0)
		return;
	snprintf(title, sizeof(title), "Resync a table of %s?", v->name);
	snprintf(text, sizeof(text),
		"All rows of %s on %s are deleted and copied anew from %s, from a snapshot of its own. Until that is "
		"done, readers there find it empty or in parts; the other tables go on.\n\nType the table's name, %s, "
		"to go on.",
		t.target, v->target, v->source, t.source);
	ui_ask(p->ui, &(struct question){
					  .kind = ASK_NAME, .action = ACTION_RESYNC, .title = title, .text = text, .subject = t.source });
}

void table_resync(struct pane *p, const char *mirror, const char *table)
{
	struct command c = { .kind = COMMAND_TABLE_RESYNC };
	copy_text(c.name, sizeof(c.name), mirror);
	copy_text(c.table, sizeof(c.table), table);
	ui_submit(p->ui, &c, "the table will be copied anew");
}
