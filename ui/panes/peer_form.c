// SPDX-License-Identifier: PostgreSQL
/* Create or change a peer, and try it before it is saved. */
#include "panes/panes.h"

#include "conninfo.h"
#include "widgets/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	F_NAME,
	F_CONNINFO,
	F_HOST,
	F_PORT,
	F_DBNAME,
	F_USER,
	F_PASSWORD_FROM,
	F_PASSWORD,
	F_COMMAND,
	F_PASSFILE,
	F_TLS_FOLD,
	F_SSLMODE,
	F_SSLROOTCERT,
	F_SSLCERT,
	F_SSLKEY,
	F_MORE_FOLD,
	F_SERVICE,
	F_OPTIONS,
	F_TIMEOUT,
	F_PGBOUNCER,
	F_PGBOUNCER_DATABASE,
	F_TEST,
	F_SAVE,
	F_COUNT
};

enum { FROM_LIBPQ, FROM_COMMAND, FROM_ASK, FROM_STORED, FROM_COUNT };
static const char *const password_from[FROM_COUNT] = {
	[FROM_LIBPQ] = ".pgpass or service",
	[FROM_COMMAND] = "command",
	[FROM_ASK] = "ask, keep in memory",
	[FROM_STORED] = "stored in peers.conf",
};

static const char *const ssl_modes[] = { "default (prefer)", "disable", "allow", "prefer", "require",
	"verify-ca", "verify-full" };

static const struct field fields[F_COUNT] = {
	[F_NAME] = { FIELD_TEXT, "Name", "letters, digits, _ - .", "as it will be called here" },
	[F_CONNINFO] = { FIELD_TEXT, "Connection string",
		"postgresql://user@host:port/db or host=... dbname=...; fills the fields",
		"paste one here, or fill the fields" },
	[F_HOST] = { FIELD_TEXT, "Host", "name, address, or directory of a socket", "local socket" },
	[F_PORT] = { FIELD_NUMBER, "Port", NULL, "5432", 1, 65535 },
	[F_DBNAME] = { FIELD_TEXT, "Database", NULL, "same as the user" },
	[F_USER] = { FIELD_TEXT, "User", NULL, "your login name" },
	[F_PASSWORD_FROM] = { FIELD_CHOICE, "Password from",
		"left and right choose; .pgpass and command keep it out of pgpier's files", NULL, 0, 0,
		password_from, FROM_COUNT },
	[F_PASSWORD] = { FIELD_SECRET, "Password", "^r shows it", "none" },
	[F_COMMAND] = { FIELD_TEXT, "Password command", "its first line of output is the password",
		"pass show shop" },
	[F_PASSFILE] = { FIELD_TEXT, "Password file", NULL, "~/.pgpass" },
	[F_TLS_FOLD] = { FIELD_FOLD, "TLS", "Enter opens and closes" },
	[F_SSLMODE] = { FIELD_CHOICE, "Mode", "verify-full checks the server's name as well", NULL, 0, 0,
		ssl_modes, ARRAY_SIZE(ssl_modes) },
	[F_SSLROOTCERT] = { FIELD_TEXT, "Root certificate", NULL, "~/.postgresql/root.crt" },
	[F_SSLCERT] = { FIELD_TEXT, "Client certificate", NULL, "~/.postgresql/postgresql.crt" },
	[F_SSLKEY] = { FIELD_TEXT, "Client key", NULL, "~/.postgresql/postgresql.key" },
	[F_MORE_FOLD] = { FIELD_FOLD, "More", "Enter opens and closes" },
	[F_SERVICE] = { FIELD_TEXT, "Service", "a section of pg_service.conf", "none" },
	[F_OPTIONS] = { FIELD_TEXT, "Options", "server settings: -c name=value", "none" },
	[F_TIMEOUT] = { FIELD_NUMBER, "Connect timeout (s)", NULL, "10", 1, 3600 },
	[F_PGBOUNCER] = { FIELD_TEXT, "PgBouncer",
		"connection string of its admin console; a cutover pauses the application there", "none" },
	[F_PGBOUNCER_DATABASE] = { FIELD_TEXT, "Database there", "its name in PgBouncer's configuration",
		"same as the database" },
	[F_TEST] = { FIELD_BUTTON, "Test", "connects now and says what matters for migrating" },
	[F_SAVE] = { FIELD_BUTTON, "Create peer", "writes it to peers.conf" },
};

struct peer_form {
	struct pane pane;
	struct form form;
	bool editing;
	uint64_t testing; /* ticket; 0 none */
	uint64_t saving;
	int64_t test_began;
	bool tested;
	struct facts result;
};

/* Text fields of the form and of the configuration, side by side. */
static void each_text(struct peer_config *c, struct form *f,
	void (*visit)(struct form *f, int field, char **value))
{
	visit(f, F_NAME, &c->name);
	visit(f, F_CONNINFO, &c->conninfo);
	visit(f, F_HOST, &c->host);
	visit(f, F_DBNAME, &c->dbname);
	visit(f, F_USER, &c->user);
	visit(f, F_PASSWORD, &c->password);
	visit(f, F_COMMAND, &c->password_command);
	visit(f, F_PASSFILE, &c->passfile);
	visit(f, F_SSLROOTCERT, &c->sslrootcert);
	visit(f, F_SSLCERT, &c->sslcert);
	visit(f, F_SSLKEY, &c->sslkey);
	visit(f, F_SERVICE, &c->service);
	visit(f, F_OPTIONS, &c->options);
	visit(f, F_PGBOUNCER, &c->pgbouncer);
	visit(f, F_PGBOUNCER_DATABASE, &c->pgbouncer_database);
}

static void show_text(struct form *f, int field, char **value)
{
	if (*value)
		form_set_text(f, field, *value);
}

static void read_text(struct form *f, int field, char **value)
{
	const char *text = form_text(f, field);
	*value = f->fields[field].hidden || *text == '\0' ? NULL : xstrdup(text);
}

/* Only the fields of the chosen source of the password are shown. */
static void show_password_fields(struct form *f)
{
	int from = f->fields[F_PASSWORD_FROM].choice;
	f->fields[F_PASSWORD].hidden = from != FROM_ASK && from != FROM_STORED;
	f->fields[F_COMMAND].hidden = from != FROM_COMMAND;
	f->fields[F_PASSFILE].hidden = from != FROM_LIBPQ;
	f->fields[F_PASSWORD_FROM].help =
		from == FROM_STORED ? "the last choice: it is written to peers.conf (mode 0600) as it is"
							: fields[F_PASSWORD_FROM].help;
}

static void show_config(struct form *f, struct peer_config *c)
{
	int from = f->fields[F_PASSWORD_FROM].choice;
	each_text(c, f, show_text);
	if (c->port > 0)
		form_set_number(f, F_PORT, c->port);
	if (c->connect_timeout > 0)
		form_set_number(f, F_TIMEOUT, c->connect_timeout);
	for (int i = 1; c->sslmode && i < (int)ARRAY_SIZE(ssl_modes); i++)
		if (strcmp(ssl_modes[i], c->sslmode) == 0)
			f->fields[F_SSLMODE].choice = i;
	if (c->ask_password)
		from = FROM_ASK;
	else if (c->password_command)
		from = FROM_COMMAND;
	else if (c->password && f->changed) /* pasted: memory is the better place until told otherwise */
		from = FROM_ASK;
	else if (c->password)
		from = FROM_STORED;
	f->fields[F_PASSWORD_FROM].choice = from;
	show_password_fields(f);
}

static struct peer_config *read_config(struct form *f)
{
	struct peer_config *c = xcalloc(1, sizeof(*c));
	each_text(c, f, read_text);
	int mode = f->fields[F_SSLMODE].choice;
	c->sslmode = mode > 0 ? xstrdup(ssl_modes[mode]) : NULL;
	c->port = (int)form_number(f, F_PORT, 0);
	c->connect_timeout = (int)form_number(f, F_TIMEOUT, 0);
	c->ask_password = f->fields[F_PASSWORD_FROM].choice == FROM_ASK;
	c->editable = true;
	return c;
}

static void take_conninfo(struct form *f)
{
	struct field *d = &f->fields[F_CONNINFO];
	struct peer_config parts = { 0 };
	char problem[160];
	switch (conninfo_parse(form_text(f, F_CONNINFO), &parts, problem, sizeof(problem))) {
	case CONNINFO_PARTS:
		show_config(f, &parts);
		form_set_text(f, F_CONNINFO, "");
		peer_config_free(&parts);
		break;
	case CONNINFO_WRONG:
		copy_text(d->error, sizeof(d->error), problem);
		break;
	case CONNINFO_WHOLE:
		break; /* stays as it is; the configuration's own check minds the other fields */
	case CONNINFO_NONE:
		if (*form_text(f, F_CONNINFO) != '\0')
			copy_text(d->error, sizeof(d->error),
				"neither postgresql://... nor keyword=value");
		break;
	}
}

static void check(void *data, struct form *f, int field)
{
	struct field *d = &f->fields[field];
	bool missing = *form_text(f, field) == '\0';
	(void)data;
	if (field == F_PASSWORD_FROM)
		show_password_fields(f);
	else if (missing && !f->accepting)
		return;
	else if (field == F_NAME && !config_name_ok(form_text(f, F_NAME)))
		copy_text(d->error, sizeof(d->error), "1 to 63 letters, digits, _ - . (not first: - .)");
	else if (field == F_CONNINFO)
		take_conninfo(f);
	else if (field == F_COMMAND && missing)
		copy_text(d->error, sizeof(d->error), "the command is missing");
}

static bool acceptable(struct peer_form *s, const struct peer_config *c)
{
	struct error e = { 0 };
	if (peer_config_check(c, &e))
		return true;
	ui_toast_error(s->pane.ui, &e);
	return false;
}

/* A connection can be tried before it has a name. */
static bool ready(struct form *f, enum command_kind kind)
{
	int focus = f->focus;
	if (form_valid(f))
		return true;
	if (kind != COMMAND_PEER_TEST || *form_text(f, F_NAME) != '\0')
		return false;
	f->fields[F_NAME].error[0] = '\0';
	for (int i = 0; i < F_COUNT; i++)
		if (!f->fields[i].hidden && f->fields[i].error[0] != '\0')
			return false;
	f->focus = focus;
	return true;
}

static uint64_t submit(struct peer_form *s, enum command_kind kind)
{
	struct command command = { .kind = kind };
	if (!ready(&s->form, kind))
		return 0;
	command.peer = read_config(&s->form);
	if (!command.peer->name)
		command.peer->name = xstrdup("new");
	if (acceptable(s, command.peer))
		return ui_submit(s->pane.ui, &command, NULL);
	peer_config_free(command.peer);
	free(command.peer);
	return 0;
}

static void start_test(struct peer_form *s)
{
	s->testing = submit(s, COMMAND_PEER_TEST);
	s->test_began = s->pane.ui->now;
	s->tested = false;
	facts_clear(&s->result);
}

static void follow_test(struct peer_form *s)
{
	struct outcome o;
	if (!ui_outcome(s->pane.ui, &s->testing, &o))
		return;
	s->tested = true;
	facts_clear(&s->result);
	if (o.state == OUTCOME_DONE)
		probe_facts(&s->result, s->pane.ui, &o.probe);
	else
		error_facts(&s->result, &o.error);
}

static void sync(struct pane *p)
{
	struct peer_form *s = (struct peer_form *)p;
	struct outcome o;
	follow_test(s);
	if (!ui_outcome(p->ui, &s->saving, &o))
		return;
	if (o.state == OUTCOME_DONE) {
		ui_toast(p->ui, false, "peer %s saved", form_text(&s->form, F_NAME));
		ui_choose(p->ui, ROOT_PEERS, form_text(&s->form, F_NAME));
		ui_pop(p->ui);
	} else {
		ui_toast_error(p->ui, &o.error);
	}
}

static void press(struct peer_form *s)
{
	int button = form_take_pressed(&s->form);
	if (button == F_TEST && s->testing != 0)
		ui_cancel(s->pane.ui, &s->testing);
	else if (button == F_TEST)
		start_test(s);
	else if (button == F_SAVE && s->saving == 0)
		s->saving = submit(s, COMMAND_PEER_SAVE);
}

static void ask_back(struct peer_form *s)
{
	if (!s->form.changed) {
		ui_pop(s->pane.ui);
		return;
	}
	ui_ask(s->pane.ui, &(struct question){ .kind = ASK_YES_NO,
						   .action = ACTION_BACK,
						   .title = "Leave the form?",
						   .text = "What was typed here is lost." });
}

static bool act(struct pane *p, enum action a)
{
	struct peer_form *s = (struct peer_form *)p;
	if (a == ACTION_BACK && s->testing != 0)
		ui_cancel(s->pane.ui, &s->testing);
	else if (a == ACTION_BACK)
		ask_back(s);
	else if (a == ACTION_SUBMIT)
		s->form.pressed = F_SAVE;
	else if (!form_act(&s->form, a))
		return false;
	press(s);
	return true;
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct peer_form *s = (const struct peer_form *)p;
	return a == ACTION_SUBMIT && s->saving != 0 ? "it is being saved" : NULL;
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
	return form_takes_text(&((const struct peer_form *)p)->form);
}

static bool input(struct pane *p, const struct input *in)
{
	struct peer_form *s = (struct peer_form *)p;
	bool taken = form_input(&s->form, in);
	/* A pasted connection string shows at once what it was understood as. */
	if (in->kind == INPUT_PASTE && s->form.focus == F_CONNINFO)
		take_conninfo(&s->form);
	press(s);
	return taken;
}

static void title(const struct pane *p, char *buf, size_t size)
{
	const struct peer_form *s = (const struct peer_form *)p;
	if (s->editing)
		snprintf(buf, size, "Edit %s", form_text(&s->form, F_NAME));
	else
		copy_text(buf, size, "New peer");
}

static void render_result(struct peer_form *s, const struct canvas *c)
{
	const struct theme *t = s->pane.ui->theme;
	if (s->testing != 0 && s->pane.ui->now - s->test_began > 300000)
		canvas_addf(c, 0, 1, ROLE_PROGRESS, "%s connecting; Esc cancels",
			theme_spinner(t, s->pane.ui->now));
	else if (s->tested)
		facts_render(&s->result, c);
	else if (s->testing == 0)
		canvas_add(c, 0, 1, ROLE_DIM, "[Test] shows here what the server says.");
}

static void render(struct pane *p, const struct canvas *c)
{
	struct peer_form *s = (struct peer_form *)p;
	bool shows = s->tested || s->testing != 0;
	struct canvas form = *c, result = { 0 };
	s->form.fields[F_TEST].label = s->testing != 0 ? "Cancel" : "Test";
	split_detail(p->ui, c, WIDE_COLS, &form, &result);
	if (result.cols == 0 && shows) {
		int rows = MIN(11, c->rows / 2);
		form = canvas_part(c, 0, 0, c->rows - rows - 1, c->cols);
		result = canvas_part(c, c->rows - rows, 0, rows, c->cols);
		canvas_repeat(c, c->rows - rows - 1, 0, c->cols, ROLE_DIM, GLYPH_HORIZONTAL);
	}
	form_render(&s->form, &form);
	if (result.cols > 0)
		render_result(s, &result);
}

static bool busy(const struct pane *p)
{
	const struct peer_form *s = (const struct peer_form *)p;
	return s->testing != 0 || s->saving != 0;
}

static void pane_free(struct pane *p)
{
	struct peer_form *s = (struct peer_form *)p;
	ui_cancel(p->ui, &s->testing);
	form_free(&s->form);
	facts_clear(&s->result);
	free(s);
}

static const enum action hints[] = { ACTION_NEXT, ACTION_PREVIOUS, ACTION_SUBMIT, ACTION_REVEAL,
	ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.title = title,
	.sync = sync,
	.render = render,
	.act = act,
	.refuse = refuse,
	.answered = answered,
	.takes_text = takes_text,
	.input = input,
	.busy = busy,
	.free = pane_free,
};

struct pane *peer_form_new(struct ui *u, const char *name)
{
	struct peer_form *s = xcalloc(1, sizeof(*s));
	struct peer_config c = { 0 };
	s->pane = (struct pane){ &ops, u, IN_FORM };
	form_init(&s->form, fields, F_COUNT, s, check);
	if (name && model_peer_config(u->model, name, &c)) {
		s->editing = true;
		s->form.fields[F_NAME].locked = true;
		s->form.fields[F_SAVE].label = "Save peer";
		s->form.fields[F_TLS_FOLD].on = c.sslmode || c.sslrootcert || c.sslcert;
		s->form.fields[F_MORE_FOLD].on = c.service || c.options || c.connect_timeout > 0 || c.pgbouncer;
		s->form.focus = F_HOST;
		show_config(&s->form, &c);
		peer_config_free(&c);
	} else {
		show_password_fields(&s->form);
	}
	return &s->pane;
}
