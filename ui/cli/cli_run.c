// SPDX-License-Identifier: PostgreSQL
/* run and resume: a mirror without a console, from where it stood to its end. The first signal
 * pauses it, which keeps what is done; the second leaves at once, which keeps it as well, as a
 * crash would. */
#include <stdlib.h>
#include <unistd.h>

#include <pgpier/format.h>

#include "ask.h"
#include "progress.h"
#include "report.h"
#include "session.h"
#include "tables.h"

/* A look sums over all tables, and thousands of small ones change faster than anybody reads. */
#define BETWEEN_LOOKS_MS 20

struct run {
	struct session *session;
	struct mirror_view mirror; /* as last seen */
	struct progress progress;
	struct pending start;
	struct pending pause; /* valid once interrupted */
	bool interrupted;
};

static bool refused(const struct run *r)
{
	return r->start.outcome.state == OUTCOME_FAILED;
}

static bool ended(enum mirror_state state)
{
	switch (state) {
	case MIRROR_DONE:
	case MIRROR_FAILED:
	case MIRROR_PAUSED:
	case MIRROR_INTERRUPTED:
		return true;
	default:
		return false;
	}
}

/* Until the command to run is done, the state is that of an earlier run. */
static bool over(struct run *r)
{
	if (!session_over(r->session, &r->start))
		return r->interrupted && session_over(r->session, &r->pause);
	if (refused(r))
		return true;
	model_mirror(r->session->model, r->mirror.name, &r->mirror);
	return ended(r->mirror.state);
}

static void pause_once(struct run *r)
{
	struct command c = { .kind = COMMAND_MIRROR_PAUSE };
	progress_end(&r->progress);
	if (r->interrupted) {
		fputs("pgpier: leaving at once; chunks that were not finished are copied again\n", stderr);
		_exit(EXIT_INTERRUPTED);
	}
	fputs("pgpier: pausing; once more leaves at once\n", stderr);
	r->interrupted = true;
	copy_text(c.name, sizeof(c.name), r->mirror.name);
	r->pause = session_submit(r->session, &c);
}

static void follow(struct run *r)
{
	struct session *s = r->session;
	while (!over(r)) {
		progress_update(&r->progress, s->model, &r->mirror);
		enum wake wake = session_wait(s, progress_wait_ms(&r->progress));
		if (wake == WAKE_MODEL)
			wake = session_rest(s, BETWEEN_LOOKS_MS);
		if (wake == WAKE_SIGNAL)
			pause_once(r);
	}
	model_mirror(s->model, r->mirror.name, &r->mirror);
	if (refused(r))
		r->mirror.error = r->start.outcome.error;
	progress_events(&r->progress, s->model);
	progress_end(&r->progress);
}

static enum exit_code result(const struct run *r)
{
	if (refused(r))
		return report_class_exit(r->start.outcome.error.class);
	if (r->mirror.state == MIRROR_DONE)
		return r->mirror.load.tables_failed > 0 ? EXIT_FAILED : EXIT_DONE;
	return r->mirror.state == MIRROR_FAILED ? EXIT_FAILED : EXIT_INTERRUPTED;
}

/* Each failure on its line, the mirror's own last: that is where a person looks. */
static void print_errors(const struct run *r)
{
	const struct table_view *t;
	struct tables all = { .model = r->session->model, .mirror = r->mirror.name };
	while ((t = tables_next(&all)))
		if (t->error.class != ERROR_NONE) {
			struct error e = t->error;
			error_prefix(&e, "mirror %s: table %s", r->mirror.name, t->source);
			report_error(&e, false);
		}
	if (r->mirror.error.class != ERROR_NONE)
		report_error(&r->mirror.error, false);
}

static void print_summary(const struct run *r, FILE *out)
{
	const struct mirror_view *m = &r->mirror;
	char rows[FORMAT_SIZE], bytes[FORMAT_SIZE], took[FORMAT_SIZE];
	fprintf(out, "mirror %s: %s: %zu of %zu tables, %s rows, %s in %s", m->name,
		mirror_state_name(m->state), m->load.tables_done, m->load.tables,
		format_count(m->load.rows, rows), format_bytes(m->load.bytes, bytes),
		format_duration(m->elapsed_s, took));
	if (m->moments[0] != '\0') {
		fputs("; ", out);
		report_text(out, m->moments);
	}
	fputc('\n', out);
}

static void print_result(const struct run *r, enum exit_code code)
{
	print_errors(r);
	if (r->session->json) {
		struct json j = JSON_INIT;
		tables_shape(&j, r->session->model, &r->mirror);
		report_json(&j);
	}
	if (!refused(r))
		print_summary(r, r->session->json ? stderr : stdout);
	if (code == EXIT_INTERRUPTED)
		fprintf(stderr, "pgpier: what is done is kept; pgpier run %s goes on\n", r->mirror.name);
}

enum exit_code verb_run(struct session *s, const struct args *a)
{
	struct run r = { .session = s };
	struct command c = { .kind = COMMAND_MIRROR_RUN };
	if (!session_mirror(s, a->name, &r.mirror))
		return EXIT_USAGE;
	enum exit_code code = ask_passwords(s, (const char *[]){ r.mirror.source, r.mirror.target }, 2);
	if (code != EXIT_DONE)
		return code;
	progress_init(&r.progress, s->model);
	copy_text(c.name, sizeof(c.name), r.mirror.name);
	r.start = session_submit(s, &c);
	follow(&r);
	code = result(&r);
	print_result(&r, code);
	return code;
}
