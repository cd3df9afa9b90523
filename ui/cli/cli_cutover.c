// SPDX-License-Identifier: PostgreSQL
/* cutover, rollback and finish: the application moves to the other server, and what asks a person before it does.
 * A rollback is the cutover of the mirror that leads back. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pgpier/format.h>

#include "../cutover_text.h"
#include "ask.h"
#include "cutover_follow.h"
#include "cutover_report.h"
#include "report.h"
#include "shape.h"

/* What was asked for, understood. */
struct wish {
	const char *verb;  /* "cutover" */
	const char *typed; /* the name that the person uses for it, and has to repeat */
	struct mirror_view mirror;
	struct mirror_config config;
	bool dry_run, undo, stopped, meant;
};

static bool on_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* ---- what is asked for ---- */

static bool understand(const struct args *a, struct wish *w, struct error *e)
{
	const char *meant = a->given[OPTION_YES_I_MEAN];
	w->dry_run = a->given[OPTION_DRY_RUN] != NULL;
	w->undo = a->given[OPTION_UNDO] != NULL;
	w->stopped = a->given[OPTION_WRITERS_STOPPED] != NULL;
	w->meant = meant != NULL;
	if (w->dry_run && w->undo)
		return error_set(e, ERROR_USAGE, "--dry-run changes nothing, so there is nothing to --undo");
	if (meant && strcmp(meant, w->typed) != 0)
		return error_set(e, ERROR_USAGE, "--yes-i-mean says \"%s\", but the mirror is \"%s\"", meant, w->typed);
	if (w->dry_run || w->undo || on_terminal())
		return true;
	if (!meant) {
		error_set(e, ERROR_USAGE, "%s asks for the mirror's name before it begins, and there is no terminal", w->verb);
		return error_next(e, "say --yes-i-mean %s", w->typed);
	}
	if (w->config.freeze == FREEZE_WAIT && !w->stopped && strcmp(w->verb, "finish") != 0) {
		error_set(e, ERROR_USAGE, "mirror %s waits for your word that the writers are stopped, and there is no terminal",
			w->mirror.name);
		return error_next(e, "stop them first and say --writers-stopped");
	}
	return true;
}

static bool take_mirror(struct session *s, struct wish *w, const char *name)
{
	return session_mirror(s, name, &w->mirror) && model_mirror_config(s->model, name, &w->config);
}

/* The mirror that leads back from the one of that name. */
static bool find_way_back(struct session *s, const char *of, struct mirror_view *out)
{
	struct mirror_view *all;
	size_t count = model_mirrors(s->model, &all);
	bool found = false;
	for (size_t i = 0; i < count && !found; i++)
		if (strcmp(all[i].reverse_of, of) == 0) {
			*out = all[i];
			found = true;
		}
	free(all);
	return found;
}

static bool take_way_back(struct session *s, struct wish *w, const char *of)
{
	struct error e = { 0 };
	struct mirror_view forth, back;
	if (!session_mirror(s, of, &forth))
		return false;
	if (find_way_back(s, of, &back))
		return take_mirror(s, w, back.name);
	error_set(&e, ERROR_USAGE, "mirror %s has no way back", of);
	if (forth.reverse_of[0] != '\0')
		error_next(&e, "it is the way back of %s: pgpier rollback %s", forth.reverse_of, forth.reverse_of);
	else
		error_next(&e, "a cutover makes one: pgpier cutover %s", of);
	report_error(&e, s->json);
	return false;
}

/* ---- questions ---- */

static bool may_begin(struct session *s, const struct wish *w, const char *effect, struct error *e)
{
	char answer[2 * NAME_SIZE];
	if (w->meant)
		return true;
	fprintf(stderr, "%s\nType the mirror's name, %s, to go on: ", effect, w->typed);
	if (!ask_line(s, STDIN_FILENO, answer, sizeof(answer))) {
		fputc('\n', stderr);
		return error_set(e, ERROR_CANCELLED, "%s: nothing was begun", w->verb);
	}
	return strcmp(answer, w->typed) == 0 ||
		   error_set(e, ERROR_CANCELLED, "that is not %s; nothing was begun", w->typed);
}

static void describe_cutover(const struct wish *w, char *buf, size_t size)
{
	char limit[FORMAT_SIZE];
	const struct mirror_view *m = &w->mirror;
	snprintf(buf, size, "%s: the application leaves %s for %s. %s. What takes longer than %s is undone by itself.",
		w->verb, m->source, m->target,
		w->config.freeze == FREEZE_FENCE ? "Its sessions are ended, and writers are kept out"
										 : "You will be asked to stop its writers",
		format_duration(w->config.cutover_limit_s, limit));
}

/* ---- the checklist ---- */

static enum exit_code measure(struct session *s, const struct wish *w)
{
	struct command c = { .kind = COMMAND_GATES };
	struct outcome o = { 0 };
	struct cutover_gate *gates;
	int64_t at;
	copy_text(c.name, sizeof(c.name), w->mirror.name);
	enum exit_code code = session_command(s, &c, &o);
	if (code != EXIT_DONE)
		return code;
	size_t n = model_gates(s->model, w->mirror.name, &gates, &at);
	gates_print(gates, n, s->json ? stderr : stdout);
	fflush(stdout);
	free(gates);
	return EXIT_DONE;
}

/* ---- what came of it ---- */

static enum exit_code gates_code(const struct cutover_gate *gates, size_t n)
{
	if (gates_are_open(gates, n))
		return EXIT_DONE;
	return gates_count(gates, n, GATE_CLOSED) > 0 ? EXIT_FAILED : EXIT_INCOMPLETE;
}

static enum exit_code verified_code(struct model *m, const char *mirror)
{
	const struct verification *v = model_verification(m, mirror);
	enum exit_code code = EXIT_FAILED;
	if (v && v->verdict == VERIFY_DIFFERS)
		code = EXIT_DIFFERENT;
	else if (v && v->verdict == VERIFY_UNSURE)
		code = EXIT_INCOMPLETE;
	verification_release(v);
	return code;
}

static enum exit_code meaning(const struct cutover_follow *f, const struct wish *w, const struct cutover_gate *gates,
	size_t n)
{
	bool done = f->work.outcome.state == OUTCOME_DONE;
	if (done && w->dry_run)
		return gates_code(gates, n);
	if (done)
		return EXIT_DONE;
	if (f->interrupted && !cutover_is_over(&f->view))
		return EXIT_INTERRUPTED;
	if (f->view.steps[CUTOVER_VERIFY].state == STEP_FAILED)
		return verified_code(f->session->model, w->mirror.name);
	if (f->view.steps[CUTOVER_GATES].state == STEP_FAILED && n > 0)
		return MAX(gates_code(gates, n), EXIT_FAILED);
	enum exit_code code = report_class_exit(f->work.outcome.error.class);
	return code == EXIT_INTERRUPTED ? EXIT_FAILED : code;
}

static void print_json(const struct cutover_follow *f, const struct wish *w, const struct cutover_gate *gates, size_t n)
{
	const struct error *e = &f->work.outcome.error;
	struct json j = JSON_INIT;
	json_object(&j, NULL);
	json_text(&j, "mirror", f->mirror.name);
	json_text(&j, "source", f->mirror.source);
	json_text(&j, "target", f->mirror.target);
	json_text(&j, "state", mirror_state_name(f->mirror.state));
	json_text(&j, "reverse_of", f->mirror.reverse_of[0] ? f->mirror.reverse_of : NULL);
	json_bool(&j, "dry_run", w->dry_run);
	shape_cutover(&j, &f->view);
	shape_gates(&j, gates, n);
	json_array(&j, "errors");
	if (f->work.outcome.state == OUTCOME_FAILED)
		shape_error(&j, f->mirror.name, e);
	json_end_array(&j);
	json_end_object(&j);
	report_json(&j);
}

static enum exit_code report(const struct cutover_follow *f, const struct wish *w)
{
	struct session *s = f->session;
	struct cutover_gate *gates;
	int64_t at;
	size_t n = model_gates(s->model, w->mirror.name, &gates, &at);
	enum exit_code code = meaning(f, w, gates, n);
	if (w->dry_run && n > 0)
		gates_print(gates, n, f->out);
	cutover_print(&f->mirror, &f->view, f->out);
	if (f->work.outcome.state == OUTCOME_FAILED)
		report_error(&f->work.outcome.error, false);
	if (s->json)
		print_json(f, w, gates, n);
	free(gates);
	return code;
}

/* ---- the verbs ---- */

static enum exit_code follow(struct session *s, const struct wish *w, enum command_kind kind)
{
	struct cutover_follow f;
	struct command c = { .kind = kind, .dry_run = w->dry_run };
	copy_text(c.name, sizeof(c.name), w->mirror.name);
	follow_init(&f, s, &w->mirror);
	f.rehearsal = w->dry_run;
	f.stopped = w->stopped;
	follow_run(&f, &c);
	enum exit_code code = report(&f, w);
	follow_free(&f);
	return code;
}

/* Where it stands, from the target: another process may have left one behind. */
static enum exit_code refresh(struct session *s, struct wish *w, enum cutover_phase *phase)
{
	struct command c = { .kind = COMMAND_MIRROR_REFRESH };
	struct outcome o = { 0 };
	struct cutover_view v;
	copy_text(c.name, sizeof(c.name), w->mirror.name);
	enum exit_code code = session_command(s, &c, &o);
	model_mirror(s->model, w->mirror.name, &w->mirror);
	model_cutover(s->model, w->mirror.name, &v);
	*phase = v.phase;
	if (code == EXIT_DONE && (v.phase == CUTOVER_STUCK || cutover_is_over(&v)))
		cutover_print(&w->mirror, &v, stderr);
	cutover_view_free(&v);
	return code;
}

static enum exit_code refused(const struct session *s, const struct error *e)
{
	report_error(e, s->json);
	return report_class_exit(e->class);
}

static enum exit_code begin(struct session *s, struct wish *w)
{
	struct error e = { 0 };
	enum cutover_phase phase;
	char effect[512];
	enum exit_code code = ask_passwords(s, (const char *[]){ w->mirror.source, w->mirror.target }, 2);
	if (code == EXIT_DONE)
		code = refresh(s, w, &phase);
	if (code != EXIT_DONE)
		return code;
	if (w->undo)
		return follow(s, w, COMMAND_CUTOVER_UNDO);
	if (w->dry_run)
		return follow(s, w, COMMAND_CUTOVER);
	if (phase != CUTOVER_STUCK && phase != CUTOVER_COMMITTED)
		code = measure(s, w);
	if (code != EXIT_DONE)
		return code;
	describe_cutover(w, effect, sizeof(effect));
	if (!may_begin(s, w, effect, &e))
		return refused(s, &e);
	return follow(s, w, COMMAND_CUTOVER);
}

static enum exit_code move(struct session *s, const struct args *a, struct wish *w)
{
	struct error e = { 0 };
	return understand(a, w, &e) ? begin(s, w) : refused(s, &e);
}

enum exit_code verb_cutover(struct session *s, const struct args *a)
{
	struct wish w = { .verb = "cutover", .typed = a->name };
	enum exit_code code = take_mirror(s, &w, a->name) ? move(s, a, &w) : EXIT_USAGE;
	mirror_config_free(&w.config);
	return code;
}

enum exit_code verb_rollback(struct session *s, const struct args *a)
{
	struct wish w = { .verb = "rollback", .typed = a->name };
	enum exit_code code = take_way_back(s, &w, a->name) ? move(s, a, &w) : EXIT_USAGE;
	mirror_config_free(&w.config);
	return code;
}

static enum exit_code finish(struct session *s, const struct wish *w)
{
	struct error e = { 0 };
	struct command c = { .kind = COMMAND_FINISH };
	struct outcome o = { 0 };
	struct cutover_follow f;
	char effect[512];
	snprintf(effect, sizeof(effect),
		"finish: nobody can go back to %s any more. What pgpier made on both servers is dropped: slots, publications,"
		" schema pgpier; the tables stay.",
		w->mirror.source);
	enum exit_code code = ask_passwords(s, (const char *[]){ w->mirror.source, w->mirror.target }, 2);
	if (code == EXIT_DONE && !may_begin(s, w, effect, &e))
		return refused(s, &e);
	copy_text(c.name, sizeof(c.name), w->mirror.name);
	if (code == EXIT_DONE)
		code = session_command(s, &c, &o);
	if (code != EXIT_DONE)
		return code;
	follow_init(&f, s, &w->mirror);
	fprintf(f.out, "mirror %s: finished; %s has the application, and nothing of pgpier is left there\n", w->mirror.name,
		w->mirror.target);
	cutover_print_remains(&f.view, f.out);
	f.work.outcome = o;
	if (s->json)
		print_json(&f, w, NULL, 0);
	follow_free(&f);
	return EXIT_DONE;
}

enum exit_code verb_finish(struct session *s, const struct args *a)
{
	struct wish w = { .verb = "finish", .typed = a->name };
	struct error e = { 0 };
	enum exit_code code = EXIT_USAGE;
	if (take_mirror(s, &w, a->name))
		code = understand(a, &w, &e) ? finish(s, &w) : refused(s, &e);
	mirror_config_free(&w.config);
	return code;
}
