// SPDX-License-Identifier: PostgreSQL
/* mirror list, pause and drop: what needs no waiting for rows. */
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include <pgpier/format.h>

#include "../listing.h"
#include "../text.h"
#include "ask.h"
#include "cli_engine.h"
#include "report.h"
#include "session.h"
#include "shape.h"

static char *join(const struct strings *l)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; i < l->count; i++)
		strbuf_addf(&b, "%s%s", i > 0 ? ", " : "", l->items[i]);
	return strbuf_take(&b);
}

static void list_one(struct listing *l, const struct mirror_config *m)
{
	char *tables = join(&m->tables);
	listing_add(l, m->name);
	listing_add(l, m->source);
	listing_add(l, m->target);
	listing_add(l, m->continuous ? "continuous" : "initial copy");
	listing_add(l, tables);
	free(tables);
}

enum exit_code verb_mirror_list(struct session *s, const struct args *a)
{
	(void)a;
	struct mirror_view *mirrors = NULL;
	struct listing l = { .titles = "NAME SOURCE TARGET KIND TABLES" };
	struct json j = JSON_INIT;
	json_object(&j, NULL);
	json_array(&j, "mirrors");
	size_t count = model_mirrors(s->model, &mirrors);
	for (size_t i = 0; i < count; i++) {
		struct mirror_config m;
		if (!model_mirror_config(s->model, mirrors[i].name, &m))
			continue;
		shape_mirror_config(&j, &m);
		list_one(&l, &m);
		mirror_config_free(&m);
	}
	json_end_array(&j);
	json_end_object(&j);
	if (s->json) {
		report_json(&j);
		strings_free(&l.cells);
	} else {
		listing_print(&l, stdout);
		json_free(&j);
	}
	free(mirrors);
	return EXIT_DONE;
}

/* What a short command says when it is done: one line, or {"mirror", "state"}. */
static void say_done(struct session *s, const char *mirror, const char *state, const char *line)
{
	if (!s->json) {
		text_print(stdout, line);
		fputc('\n', stdout);
		return;
	}
	struct json j = JSON_INIT;
	json_object(&j, NULL);
	json_text(&j, "mirror", mirror);
	json_text(&j, "state", state);
	json_end_object(&j);
	report_json(&j);
}

static enum exit_code command_by_name(struct session *s, enum command_kind kind, const char *name)
{
	struct command c = { .kind = kind };
	struct outcome o = { 0 };
	copy_text(c.name, sizeof(c.name), name);
	return session_command(s, &c, &o);
}

enum exit_code verb_pause(struct session *s, const struct args *a)
{
	struct mirror_view m;
	struct wire_bye bye;
	char line[256];
	if (!session_mirror(s, a->name, &m))
		return EXIT_USAGE;
	if (engine_pauses(a, &bye) && bye.code == 0) {
		say_done(s, m.name, mirror_state_name(MIRROR_PAUSED), bye.text);
		return EXIT_DONE;
	}
	enum exit_code code = command_by_name(s, COMMAND_MIRROR_PAUSE, m.name);
	if (code != EXIT_DONE)
		return code;
	model_mirror(s->model, m.name, &m);
	snprintf(line, sizeof(line), "mirror %s: %s", m.name, mirror_state_name(m.state));
	say_done(s, m.name, mirror_state_name(m.state), line);
	return EXIT_DONE;
}

/* Asks on the terminal; only y or yes mean yes. */
static bool ask(struct session *s, const struct mirror_view *m)
{
	char answer[16];
	fprintf(stderr, "Drop mirror %s? Its state on %s is removed; the copied tables stay. [y/N] ",
		m->name, m->target);
	if (!ask_line(s, STDIN_FILENO, answer, sizeof(answer))) {
		fputc('\n', stderr);
		return false;
	}
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

static enum exit_code may_drop(struct session *s, const struct args *a, const struct mirror_view *m)
{
	struct error e = { 0 };
	if (a->given[OPTION_YES])
		return EXIT_DONE;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		error_set(
			&e, ERROR_USAGE, "drop asks before it removes anything, and there is no terminal");
		error_next(&e, "say --yes");
		report_error(&e, s->json);
		return EXIT_USAGE;
	}
	if (ask(s, m))
		return EXIT_DONE;
	error_set(&e, ERROR_CANCELLED, "mirror %s was not dropped", m->name);
	report_error(&e, s->json);
	return EXIT_FAILED;
}

enum exit_code verb_drop(struct session *s, const struct args *a)
{
	struct mirror_view m;
	char line[256];
	if (!session_mirror(s, a->name, &m))
		return EXIT_USAGE;
	enum exit_code code = may_drop(s, a, &m);
	if (code == EXIT_DONE)
		code = ask_passwords(s, (const char *[]){ m.target }, 1);
	if (code == EXIT_DONE)
		code = command_by_name(s, COMMAND_MIRROR_DROP, m.name);
	if (code != EXIT_DONE)
		return code;
	snprintf(line, sizeof(line), "mirror %s: dropped; the tables it copied stay on %s", m.name,
		m.target);
	say_done(s, m.name, "dropped", line);
	return EXIT_DONE;
}
