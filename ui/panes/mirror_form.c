// SPDX-License-Identifier: PostgreSQL
/* First page of the wizard: name, source, target, settings. Owns the draft of all its pages. */
#include "panes/panes.h"

#include "draft.h"
#include "widgets/form.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	F_NAME,
	F_SOURCE,
	F_TARGET,
	F_CONTINUOUS,
	F_SOFT_DELETE,
	F_SCHEMA,
	F_EXISTING,
	F_ADVANCED,
	F_ROWS,
	F_WORKERS,
	F_PARALLEL,
	F_CHUNKING,
	F_TRANSFER,
	F_RATE,
	F_OWNERS,
	F_PUBLICATIONS,
	F_BUILD_MEMORY,
	F_BUILD_WORKERS,
	F_BATCH,
	F_INTERVAL,
	F_CAUGHT_UP,
	F_PUBLICATION,
	F_SLOT,
	F_SYNC_COLUMNS,
	F_SYNCED_AT,
	F_IS_DELETED,
	F_ALERT,
	F_ALERT_LAG,
	F_ALERT_WAL,
	F_FREEZE,
	F_FREEZE_COMMAND,
	F_UNFREEZE_COMMAND,
	F_OPEN_COMMAND,
	F_ALLOW,
	F_FINAL_VERIFY,
	F_LIMIT,
	F_NEXT,
	F_COUNT
};

static const struct field fields[F_COUNT] = {
	[F_NAME] = { FIELD_TEXT, "Mirror name", "letters, digits, _ - .", "as it will be called here" },
	[F_SOURCE] = { FIELD_CHOICE, "Source peer", "left and right choose; nothing is changed there" },
	[F_TARGET] = { FIELD_CHOICE, "Target peer", "left and right choose; the tables go there" },
	[F_CONTINUOUS] = { FIELD_TOGGLE, "Continuous",
		"on: goes on replicating changes until you stop it; off: initial copy only" },
	[F_SOFT_DELETE] = { FIELD_TOGGLE, "Soft delete",
		"on: a DELETE on the source sets a flag on the target instead" },
	[F_SCHEMA] = { FIELD_CHOICE, "Schema",
		"tables: what the chosen ones need; database: all in it; none: they are there already",
		NULL, 0, 0, schema_mode_names, SCHEMA_DATABASE + 1 },
	[F_EXISTING] = { FIELD_CHOICE, "Existing rows",
		"a target table that has rows: refuse it, truncate it, or append to it",
		NULL, 0, 0, existing_rows_names, EXISTING_APPEND + 1 },
	[F_ADVANCED] = { FIELD_FOLD, "Advanced", "Enter opens and closes; the defaults suit most" },
	[F_ROWS] = { FIELD_NUMBER, "Rows per chunk", "a chunk is copied and committed as one", "250000",
		1, 1000000000 },
	[F_WORKERS] = { FIELD_NUMBER, "Workers", "each holds a connection to both peers; can change later",
		"4", 1, 64 },
	[F_PARALLEL] = { FIELD_NUMBER, "Tables in parallel", "tables that are copied at once", "4", 1,
		64 },
	[F_CHUNKING] = { FIELD_CHOICE, "Chunking",
		"auto: what measures fastest; ntile: equal rows by key; ctid: equal blocks", NULL, 0, 0,
		chunking_names, CHUNKING_CTID + 1 },
	[F_TRANSFER] = { FIELD_CHOICE, "Transfer", "auto: COPY; fetch: a cursor, for old servers", NULL,
		0, 0, transfer_names, TRANSFER_FETCH + 1 },
	[F_RATE] = { FIELD_NUMBER, "Rate limit (MB/s)", "for all workers together; can change later",
		"none", 0, 100000 },
	[F_OWNERS] = { FIELD_CHOICE, "Owners and grants",
		"keep: as on the source; map: by roles_map in the file; none: yours, without grants", NULL,
		0, 0, owners_names, OWNERS_NONE + 1 },
	[F_PUBLICATIONS] = { FIELD_TOGGLE, "Make publications",
		"on: those of the source are made on the target as well" },
	[F_BUILD_MEMORY] = { FIELD_TEXT, "Memory of builds",
		"maintenance_work_mem of a session that builds keys and indexes", "what fits the server" },
	[F_BUILD_WORKERS] = { FIELD_NUMBER, "Workers of a build",
		"parallel workers of one index; 0: none", "as the server has it", 0, 64 },
	[F_BATCH] = { FIELD_NUMBER, "Batch size", "changes in one transaction on the target, in a backlog",
		"50000", 1, 10000000 },
	[F_INTERVAL] = { FIELD_NUMBER, "Sync interval (ms)", "least time between two commits on the target",
		"0, at once", 0, 3600000 },
	[F_CAUGHT_UP] = { FIELD_NUMBER, "Caught up under (ms)", "lag under which it counts as caught up", "1000",
		1, 86400000 },
	[F_PUBLICATION] = { FIELD_TEXT, "Publication", "is made on the source, and dropped with the mirror" },
	[F_SLOT] = { FIELD_TEXT, "Replication slot", "lower-case letters, digits and _; made on the source" },
	[F_SYNC_COLUMNS] = { FIELD_TOGGLE, "Sync columns",
		"two more columns: when pgpier wrote the row, whether the source deleted it" },
	[F_SYNCED_AT] = { FIELD_TEXT, "Written-at column", "its name on the target", "_pgpier_synced_at" },
	[F_IS_DELETED] = { FIELD_TEXT, "Deleted column", "its name on the target", "_pgpier_is_deleted" },
	[F_ALERT] = { FIELD_TEXT, "Alert command",
		"run by /bin/sh when the mirror needs you; a JSON object on stdin says why", "none" },
	[F_ALERT_LAG] = { FIELD_NUMBER, "Alert, lag (s)", "lag above this is worth an alert; 0: never", "60", 0, 31536000 },
	[F_ALERT_WAL] = { FIELD_NUMBER, "Alert, WAL (MB)", "WAL kept by the slot above this is worth an alert; 0: never",
		"10000", 0, 1000000000000 },
	[F_FREEZE] = { FIELD_CHOICE, "Freeze",
		"at a cutover: fence: pgpier keeps writers out of the source; wait: you stop them", NULL, 0, 0,
		freeze_names, FREEZE_WAIT + 1 },
	[F_FREEZE_COMMAND] = { FIELD_TEXT, "Freeze command", "run first: stops the application", "none" },
	[F_UNFREEZE_COMMAND] = { FIELD_TEXT, "Unfreeze command", "undoes that", "none" },
	[F_OPEN_COMMAND] = { FIELD_TEXT, "Open command", "moves the application to the target", "none" },
	[F_ALLOW] = { FIELD_TEXT, "Roles let in", "stay connected to the source; blanks between them", "none" },
	[F_FINAL_VERIFY] = { FIELD_CHOICE, "Cutover verifies",
		"by checksum: what changed since the last verify (the rest is counted), or all", NULL, 0, 0,
		final_verify_names, FINAL_VERIFY_ALL + 1 },
	[F_LIMIT] = { FIELD_NUMBER, "Cutover limit (s)", "a cutover that is not over by then undoes itself", "300",
		5, 86400 },
	[F_NEXT] = { FIELD_BUTTON, "Choose tables", "^s does the same from any field" },
};

struct mirror_form {
	struct pane pane;
	struct form form;
	struct draft *draft;
	struct strings peers;
	bool stored; /* config has been given a name: later pages exist */
	char slot[NAME_SIZE], publication[NAME_SIZE]; /* what they are called unless typed */
};

static void copy_text_field(const struct form *f, int field, const char *empty, char **to)
{
	const char *text = form_text(f, field);
	free(*to);
	*to = xstrdup(*text != '\0' ? text : empty);
}

/* What was typed stays in the form when continuous is turned off; a mirror keeps it, too, but for soft delete,
 * which nothing could do then. */
static void copy_replication(const struct form *f, struct mirror_config *m)
{
	m->continuous = f->fields[F_CONTINUOUS].on;
	m->soft_delete = m->continuous && f->fields[F_SOFT_DELETE].on;
	m->sync_columns = m->continuous && f->fields[F_SYNC_COLUMNS].on;
	m->batch_size = (int)form_number(f, F_BATCH, 50000);
	m->sync_interval_ms = (int)form_number(f, F_INTERVAL, 0);
	m->caught_up_s = (double)form_number(f, F_CAUGHT_UP, 1000) / 1000;
	copy_text_field(f, F_PUBLICATION, NULL, &m->publication);
	copy_text_field(f, F_SLOT, NULL, &m->slot);
	copy_text_field(f, F_SYNCED_AT, fields[F_SYNCED_AT].fallback, &m->synced_at_column);
	copy_text_field(f, F_IS_DELETED, fields[F_IS_DELETED].fallback, &m->is_deleted_column);
}

static void copy_schema(const struct form *f, struct mirror_config *m)
{
	m->schema = (enum schema_mode)f->fields[F_SCHEMA].choice;
	m->owners = (enum owners)f->fields[F_OWNERS].choice;
	m->publications = f->fields[F_PUBLICATIONS].on;
	m->build_workers = (int)form_number(f, F_BUILD_WORKERS, -1);
	copy_text_field(f, F_BUILD_MEMORY, NULL, &m->maintenance_work_mem);
}

/* Seconds that a file gives with a fraction stay as they are while nobody types others. */
static void copy_alerts(const struct form *f, struct mirror_config *m)
{
	int64_t lag_s = form_number(f, F_ALERT_LAG, 60);
	copy_text_field(f, F_ALERT, NULL, &m->alert_command);
	if (lag_s != llround(m->alert_lag_s))
		m->alert_lag_s = (double)lag_s;
	m->alert_retained_mb = form_number(f, F_ALERT_WAL, 10000);
}

/* Roles whose names have blanks are for the configuration file; they are not shown, and stay. */
static void copy_allow(const struct form *f, struct mirror_config *m)
{
	char *text = xstrdup(form_text(f, F_ALLOW)), *rest = NULL;
	struct strings allow = { .count = 0 };
	for (size_t i = 0; i < m->allow.count; i++)
		if (strchr(m->allow.items[i], ' '))
			strings_add(&allow, m->allow.items[i]);
	for (const char *role = strtok_r(text, " ", &rest); role; role = strtok_r(NULL, " ", &rest))
		strings_add(&allow, role);
	free(text);
	strings_free(&m->allow);
	m->allow = allow;
}

static void copy_cutover(const struct form *f, struct mirror_config *m)
{
	m->freeze = (enum freeze)f->fields[F_FREEZE].choice;
	m->cutover_verify = (enum final_verify)f->fields[F_FINAL_VERIFY].choice;
	m->cutover_limit_s = (int)form_number(f, F_LIMIT, 300);
	copy_text_field(f, F_FREEZE_COMMAND, NULL, &m->freeze_command);
	copy_text_field(f, F_UNFREEZE_COMMAND, NULL, &m->unfreeze_command);
	copy_text_field(f, F_OPEN_COMMAND, NULL, &m->open_command);
	copy_allow(f, m);
}

static void copy_form(struct mirror_form *s)
{
	struct mirror_config *m = &s->draft->config;
	const struct form *f = &s->form;
	free(m->name);
	free(m->source);
	free(m->target);
	m->name = xstrdup(form_text(f, F_NAME));
	m->source = xstrdup(s->peers.items[f->fields[F_SOURCE].choice]);
	m->target = xstrdup(s->peers.items[f->fields[F_TARGET].choice]);
	m->on_existing_rows = (enum existing_rows)f->fields[F_EXISTING].choice;
	m->rows_per_chunk = form_number(f, F_ROWS, 250000);
	m->workers = (int)form_number(f, F_WORKERS, 4);
	m->tables_in_parallel = (int)form_number(f, F_PARALLEL, 4);
	m->chunking = (enum chunking)f->fields[F_CHUNKING].choice;
	m->transfer = (enum transfer)f->fields[F_TRANSFER].choice;
	m->rate_limit_mb = (int)form_number(f, F_RATE, 0);
	copy_schema(f, m);
	copy_replication(f, m);
	copy_alerts(f, m);
	copy_cutover(f, m);
}

static int peer_index(const struct mirror_form *s, const char *name, int otherwise)
{
	for (size_t i = 0; name && i < s->peers.count; i++)
		if (strcmp(s->peers.items[i], name) == 0)
			return (int)i;
	return otherwise;
}

static void show_numbers(struct form *f, const struct mirror_config *m)
{
	struct mirror_config usual;
	mirror_config_defaults(&usual);
	if (m->rows_per_chunk != usual.rows_per_chunk)
		form_set_number(f, F_ROWS, m->rows_per_chunk);
	if (m->workers != usual.workers)
		form_set_number(f, F_WORKERS, m->workers);
	if (m->tables_in_parallel != usual.tables_in_parallel)
		form_set_number(f, F_PARALLEL, m->tables_in_parallel);
	if (m->rate_limit_mb > 0)
		form_set_number(f, F_RATE, m->rate_limit_mb);
	if (m->build_workers >= 0)
		form_set_number(f, F_BUILD_WORKERS, m->build_workers);
	if (m->batch_size != usual.batch_size)
		form_set_number(f, F_BATCH, m->batch_size);
	if (m->sync_interval_ms > 0)
		form_set_number(f, F_INTERVAL, m->sync_interval_ms);
	if (m->caught_up_s != usual.caught_up_s)
		form_set_number(f, F_CAUGHT_UP, llround(m->caught_up_s * 1000));
	if (m->alert_lag_s != usual.alert_lag_s)
		form_set_number(f, F_ALERT_LAG, llround(m->alert_lag_s));
	if (m->alert_retained_mb != usual.alert_retained_mb)
		form_set_number(f, F_ALERT_WAL, m->alert_retained_mb);
	if (strcmp(m->synced_at_column, usual.synced_at_column) != 0)
		form_set_text(f, F_SYNCED_AT, m->synced_at_column);
	if (strcmp(m->is_deleted_column, usual.is_deleted_column) != 0)
		form_set_text(f, F_IS_DELETED, m->is_deleted_column);
	mirror_config_free(&usual);
}

/* What makes no sense without another is not there without it. The names of what is made on the source follow
 * the mirror's until somebody types another. */
static void show_dependent(struct mirror_form *s)
{
	static const int of_stream[] = { F_SOFT_DELETE, F_BATCH, F_INTERVAL, F_CAUGHT_UP, F_PUBLICATION, F_SLOT,
		F_SYNC_COLUMNS, F_FREEZE, F_FREEZE_COMMAND, F_UNFREEZE_COMMAND, F_OPEN_COMMAND, F_ALLOW,
		F_FINAL_VERIFY, F_LIMIT };
	static const int of_schema[] = { F_OWNERS, F_PUBLICATIONS, F_BUILD_MEMORY, F_BUILD_WORKERS };
	struct field *d = s->form.fields;
	for (size_t i = 0; i < ARRAY_SIZE(of_stream); i++)
		d[of_stream[i]].hidden = !d[F_CONTINUOUS].on;
	for (size_t i = 0; i < ARRAY_SIZE(of_schema); i++)
		d[of_schema[i]].hidden = d[F_SCHEMA].choice == SCHEMA_NONE;
	d[F_SYNCED_AT].hidden = !d[F_CONTINUOUS].on || !d[F_SYNC_COLUMNS].on;
	d[F_IS_DELETED].hidden = !d[F_CONTINUOUS].on || (!d[F_SYNC_COLUMNS].on && !d[F_SOFT_DELETE].on);
	bool alerts = *form_text(&s->form, F_ALERT) != '\0';
	d[F_ALERT_LAG].hidden = d[F_ALERT_WAL].hidden = !d[F_CONTINUOUS].on || !alerts;
	struct mirror_config named = { .name = xstrdup(form_text(&s->form, F_NAME)) };
	mirror_slot_name(&named, s->slot);
	mirror_publication_name(&named, s->publication);
	free(named.name);
	d[F_SLOT].fallback = s->slot;
	d[F_PUBLICATION].fallback = s->publication;
}

static void show_cutover(struct form *f, const struct mirror_config *m)
{
	struct strbuf roles = STRBUF_INIT;
	for (size_t i = 0; i < m->allow.count; i++)
		if (!strchr(m->allow.items[i], ' '))
			strbuf_addf(&roles, "%s%s", roles.len ? " " : "", m->allow.items[i]);
	f->fields[F_FREEZE].choice = (int)m->freeze;
	f->fields[F_FINAL_VERIFY].choice = (int)m->cutover_verify;
	form_set_text(f, F_FREEZE_COMMAND, m->freeze_command);
	form_set_text(f, F_UNFREEZE_COMMAND, m->unfreeze_command);
	form_set_text(f, F_OPEN_COMMAND, m->open_command);
	form_set_text(f, F_ALLOW, roles.len ? roles.text : NULL);
	if (m->cutover_limit_s != 300)
		form_set_number(f, F_LIMIT, m->cutover_limit_s);
	strbuf_free(&roles);
}

static void show_config(struct mirror_form *s)
{
	const struct mirror_config *m = &s->draft->config;
	struct form *f = &s->form;
	form_set_text(f, F_NAME, m->name);
	f->fields[F_SOURCE].choice = peer_index(s, m->source, 0);
	f->fields[F_TARGET].choice = peer_index(s, m->target, s->peers.count > 1 ? 1 : 0);
	f->fields[F_SCHEMA].choice = (int)m->schema;
	f->fields[F_OWNERS].choice = (int)m->owners;
	f->fields[F_PUBLICATIONS].on = m->publications;
	form_set_text(f, F_BUILD_MEMORY, m->maintenance_work_mem);
	f->fields[F_EXISTING].choice = (int)m->on_existing_rows;
	f->fields[F_CHUNKING].choice = (int)m->chunking;
	f->fields[F_TRANSFER].choice = (int)m->transfer;
	f->fields[F_CONTINUOUS].on = m->continuous;
	f->fields[F_SOFT_DELETE].on = m->soft_delete;
	f->fields[F_SYNC_COLUMNS].on = m->sync_columns;
	form_set_text(f, F_PUBLICATION, m->publication);
	form_set_text(f, F_SLOT, m->slot);
	form_set_text(f, F_ALERT, m->alert_command);
	show_cutover(f, m);
	show_numbers(f, m);
	show_dependent(s);
}

/* The rules of the configuration itself, said under the field that they are about. */
static void check_by_rules(const struct mirror_form *s, struct form *f, int field, const char *key)
{
	struct mirror_config m;
	struct error e = { 0 };
	mirror_config_copy(&m, &s->draft->config);
	free(m.name);
	free(m.source);
	free(m.target);
	m.name = xstrdup("m");
	m.source = xstrdup("a");
	m.target = xstrdup("b");
	copy_schema(f, &m);
	copy_replication(f, &m);
	if (!f->fields[field].hidden && !mirror_config_check(&m, &e) &&
		strncmp(e.text, key, strlen(key)) == 0)
		copy_text(f->fields[field].error, sizeof(f->fields[field].error), e.text);
	mirror_config_free(&m);
}

static void check(void *data, struct form *f, int field)
{
	static const char *const keys[F_COUNT] = { [F_SLOT] = "slot", [F_PUBLICATION] = "publication",
		[F_SYNCED_AT] = "synced_at_column", [F_IS_DELETED] = "is_deleted_column",
		[F_OWNERS] = "owners" };
	const struct mirror_form *s = data;
	struct field *d = &f->fields[field];
	struct mirror_view v;
	if (keys[field])
		check_by_rules(s, f, field, keys[field]);
	if (field == F_TARGET && d->choice == f->fields[F_SOURCE].choice)
		copy_text(d->error, sizeof(d->error), "the target must be another peer than the source");
	if (field != F_NAME || (*form_text(f, F_NAME) == '\0' && !f->accepting))
		return;
	if (!config_name_ok(form_text(f, F_NAME)))
		copy_text(d->error, sizeof(d->error), "1 to 63 letters, digits, _ - . (not first: - .)");
	else if (!s->draft->editing && model_mirror(s->pane.ui->model, form_text(f, F_NAME), &v))
		copy_text(d->error, sizeof(d->error), "there is a mirror of this name already");
}

static void go_on(struct mirror_form *s)
{
	if (!form_valid(&s->form))
		return;
	copy_form(s);
	s->stored = true;
	ui_push(s->pane.ui, picker_pane_new(s->pane.ui, s->draft));
}

static void ask_back(struct mirror_form *s)
{
	if (!s->form.changed && !s->stored) {
		ui_pop(s->pane.ui);
		return;
	}
	ui_ask(s->pane.ui, &(struct question){ .kind = ASK_YES_NO,
						   .action = ACTION_BACK,
						   .title = "Leave the mirror's form?",
						   .text = "What was chosen for this mirror is lost." });
}

static bool act(struct pane *p, enum action a)
{
	struct mirror_form *s = (struct mirror_form *)p;
	if (a == ACTION_BACK) {
		ask_back(s);
		return true;
	}
	if (a == ACTION_SUBMIT)
		s->form.pressed = F_NEXT;
	else if (!form_act(&s->form, a))
		return false;
	show_dependent(s);
	if (form_take_pressed(&s->form) == F_NEXT)
		go_on(s);
	return true;
}

static const char *label(const struct pane *p, enum action a)
{
	(void)p;
	if (a == ACTION_REVEAL)
		return "";
	return a == ACTION_SUBMIT ? "choose tables" : NULL;
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	(void)subject;
	(void)value;
	if (a == ACTION_BACK)
		ui_pop(p->ui);
}

static bool takes_text(const struct pane *p)
{
	return form_takes_text(&((const struct mirror_form *)p)->form);
}

static bool input(struct pane *p, const struct input *in)
{
	struct mirror_form *s = (struct mirror_form *)p;
	bool taken = form_input(&s->form, in);
	show_dependent(s);
	if (form_take_pressed(&s->form) == F_NEXT)
		go_on(s);
	return taken;
}

static void title(const struct pane *p, char *buf, size_t size)
{
	const struct mirror_form *s = (const struct mirror_form *)p;
	if (s->draft->editing)
		snprintf(buf, size, "Edit %s", form_text(&s->form, F_NAME));
	else
		copy_text(buf, size, "New mirror");
}

static void peer_fact(struct facts *f, const struct mirror_form *s, const char *label_text, int field)
{
	struct peer_view v;
	size_t i = (size_t)s->form.fields[field].choice;
	if (i >= s->peers.count || !model_peer(s->pane.ui->model, s->peers.items[i], &v))
		return;
	facts_add(f, label_text, ROLE_TEXT, "%s", v.address);
	if (v.status == PEER_OK)
		facts_add(f, "", ROLE_OK, "PostgreSQL %s", v.probe.version);
	else if (v.status == PEER_FAILED)
		facts_add(f, "", ROLE_ERROR, "%s", v.error.text);
}

static void render(struct pane *p, const struct canvas *c)
{
	struct mirror_form *s = (struct mirror_form *)p;
	struct canvas form, side;
	struct facts f = { 0 };
	split_detail(p->ui, c, WIDE_COLS, &form, &side);
	canvas_add(&form, 0, 2, ROLE_DIM,
		s->draft->live ? "1 settings  2 tables" : "1 settings  2 tables  3 preflight  4 review");
	struct canvas body = canvas_part(&form, 2, 0, form.rows - 2, form.cols);
	form_render(&s->form, &body);
	if (side.cols == 0)
		return;
	bool continuous = s->form.fields[F_CONTINUOUS].on;
	facts_add(&f, NULL, ROLE_TITLE, continuous ? "Continuous replication" : "Initial copy");
	facts_gap(&f);
	peer_fact(&f, s, "from", F_SOURCE);
	peer_fact(&f, s, "to", F_TARGET);
	facts_gap(&f);
	facts_add(&f, NULL, ROLE_DIM,
		"The rows are taken from one snapshot of the source%s. Nothing is changed on any server before the "
		"review page.", continuous ? "; from then on its changes follow" : "");
	facts_render(&f, &side);
	facts_clear(&f);
}

static void pane_free(struct pane *p)
{
	struct mirror_form *s = (struct mirror_form *)p;
	form_free(&s->form);
	draft_free(s->draft);
	strings_free(&s->peers);
	free(s);
}

static const enum action hints[] = { ACTION_NEXT, ACTION_PREVIOUS, ACTION_SUBMIT, ACTION_BACK,
	ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.render = render,
	.act = act,
	.label = label,
	.answered = answered,
	.takes_text = takes_text,
	.input = input,
	.free = pane_free,
};

static void list_peers(struct mirror_form *s)
{
	struct peer_view *peers;
	size_t n = model_peers(s->pane.ui->model, &peers);
	for (size_t i = 0; i < n; i++)
		strings_add(&s->peers, peers[i].name);
	free(peers);
	const int choices[] = { F_SOURCE, F_TARGET };
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		s->form.fields[choices[i]].choices = (const char *const *)s->peers.items;
		s->form.fields[choices[i]].choice_count = (int)s->peers.count;
	}
}

/* They can be looked at; a pause makes them free. */
static void lock_settings(struct mirror_form *s)
{
	for (int i = 0; i < F_COUNT; i++)
		s->form.fields[i].locked = i != F_ADVANCED && i != F_NEXT;
	s->form.fields[F_NEXT].help = "while it replicates its tables can change; pause it to change the rest";
	s->form.focus = F_NEXT;
}

struct pane *mirror_form_new(struct ui *u, const char *name)
{
	struct mirror_view v;
	struct mirror_form *s = xcalloc(1, sizeof(*s));
	s->pane = (struct pane){ &ops, u, IN_FORM };
	s->draft = draft_new();
	form_init(&s->form, fields, F_COUNT, s, check);
	list_peers(s);
	if (name) {
		struct mirror_config stored;
		s->draft->editing = model_mirror_config(u->model, name, &stored);
		if (s->draft->editing) {
			mirror_config_free(&s->draft->config);
			s->draft->config = stored;
		}
		s->draft->live = model_mirror(u->model, name, &v) && mirror_runs(v.state);
		if (s->draft->live)
			mirror_config_copy(&s->draft->running, &s->draft->config);
		s->form.fields[F_NAME].locked = true;
		s->form.fields[F_SOURCE].locked = true;
		s->form.fields[F_TARGET].locked = true;
		s->form.focus = F_SCHEMA;
	}
	show_config(s);
	if (s->draft->live)
		lock_settings(s);
	return &s->pane;
}
