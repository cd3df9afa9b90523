// SPDX-License-Identifier: PostgreSQL
/* run and resume: a mirror without a console, from where it stood to its end, or to what --until asks
 * for: then it is paused. The first signal pauses it, which keeps what is done; the second leaves at once,
 * which keeps it as well, as a crash would. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pgpier/format.h>

#include "../text.h"
#include "ask.h"
#include "progress.h"
#include "report.h"
#include "session.h"
#include "tables.h"

/* A look sums over all tables, and thousands of small ones change faster than anybody reads. */
#define BETWEEN_LOOKS_MS 20

/* Caught up for a moment only, between two bursts of changes, is not caught up. */
#define STAYS_US 1000000

#define FOREIGN_KEY_VIOLATION "23503"

enum until { UNTIL_END, UNTIL_LOADED, UNTIL_CAUGHT_UP };

struct run {
	struct session *session;
	struct mirror_view mirror; /* as last seen */
	struct progress progress;
	struct pending start;
	struct pending pause; /* valid while pausing */
	bool pausing, interrupted;
	enum until until;
	bool reached; /* what until asked for */
	double caught_up_s;
	int64_t low_since_us; /* of clock_us(): since when lag is under it; 0 it is not */
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
		return r->pausing && session_over(r->session, &r->pause);
	if (refused(r))
		return true;
	model_mirror(r->session->model, r->mirror.name, &r->mirror);
	return ended(r->mirror.state);
}

static void pause_mirror(struct run *r)
{
	struct command c = { .kind = COMMAND_MIRROR_PAUSE };
	if (r->pausing)
		return;
	r->pausing = true;
	copy_text(c.name, sizeof(c.name), r->mirror.name);
	r->pause = session_submit(r->session, &c);
}

static void signalled(struct run *r)
{
	progress_end(&r->progress);
	if (r->interrupted) {
		fputs("pgpier: leaving at once; chunks that were not finished are copied again\n", stderr);
		_exit(EXIT_INTERRUPTED);
	}
	fputs("pgpier: pausing; once more leaves at once\n", stderr);
	r->interrupted = true;
	pause_mirror(r);
}

static bool is_low(const struct mirror_view *m, double limit_s)
{
	return m->state == MIRROR_REPLICATING && m->lag_s >= 0 && m->lag_s < limit_s;
}

static bool goal_reached(struct run *r)
{
	enum mirror_state state = r->mirror.state;
	switch (r->until) {
	case UNTIL_LOADED:
		return state == MIRROR_CATCHING_UP || state == MIRROR_REPLICATING;
	case UNTIL_CAUGHT_UP:
		if (!is_low(&r->mirror, r->caught_up_s))
			r->low_since_us = 0;
		else if (r->low_since_us == 0)
			r->low_since_us = clock_us();
		return r->low_since_us != 0 && clock_us() - r->low_since_us >= STAYS_US;
	case UNTIL_END:
		break;
	}
	return false;
}

/* Until the next line, or the next look at a lag that has to stay low. */
static int wait_ms(const struct run *r)
{
	int ms = progress_wait_ms(&r->progress);
	return r->low_since_us != 0 ? MIN(ms, STAYS_US / 1000 / 4) : ms;
}

static void follow(struct run *r)
{
	struct session *s = r->session;
	while (!over(r)) {
		progress_update(&r->progress, s->model, &r->mirror);
		if (!r->reached && !r->interrupted && session_over(s, &r->start) && goal_reached(r)) {
			r->reached = true;
			pause_mirror(r);
		}
		enum wake wake = session_wait(s, wait_ms(r));
		if (wake == WAKE_MODEL)
			wake = session_rest(s, BETWEEN_LOOKS_MS);
		if (wake == WAKE_SIGNAL)
			signalled(r);
	}
	model_mirror(s->model, r->mirror.name, &r->mirror);
	if (refused(r))
		r->mirror.error = r->start.outcome.error;
	progress_events(&r->progress, s->model);
	progress_end(&r->progress);
}

/* Something that was wanted could not be made. A foreign key that is there, but has rows that refer to nothing, was. */
static bool objects_failed(const struct run *r)
{
	struct model *m = r->session->model;
	struct object_view view;
	size_t *indexes, n = model_objects(m, r->mirror.name, 1u << OBJECT_FAILED, &indexes);
	bool any = false;
	for (size_t i = 0; i < n && !any; i++)
		any = model_object_rows(m, r->mirror.name, &indexes[i], 1, &view) == 1 &&
			  strcmp(view.sqlstate, FOREIGN_KEY_VIOLATION) != 0;
	free(indexes);
	return any;
}

static enum exit_code result(const struct run *r)
{
	if (refused(r))
		return report_class_exit(r->start.outcome.error.class);
	const struct load_totals *l = &r->mirror.load;
	if (r->mirror.state == MIRROR_DONE || (r->reached && r->mirror.state == MIRROR_PAUSED))
		return l->tables_failed + l->tables_paused > 0 || objects_failed(r) ? EXIT_FAILED : EXIT_DONE;
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

static void print_schema(const struct run *r, FILE *out)
{
	size_t counts[OBJECT_STATE_COUNT];
	if (model_object_counts(r->session->model, r->mirror.name, counts) == 0)
		return;
	fprintf(out, "; schema: %zu objects made", counts[OBJECT_DONE]);
	static const enum object_state told[] = { OBJECT_EXISTS, OBJECT_WAITING, OBJECT_LEFT_OUT, OBJECT_BLOCKED, OBJECT_FAILED };
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (counts[told[i]] > 0)
			fprintf(out, ", %zu %s", counts[told[i]], object_state_name(told[i]));
}

static void print_stream(const struct run *r, FILE *out)
{
	struct replication_view stream;
	char changes[FORMAT_SIZE], transactions[FORMAT_SIZE], kept[FORMAT_SIZE];
	if (!model_replication(r->session->model, r->mirror.name, &stream))
		return;
	fprintf(out, "; %s change%s in %s transaction%s", format_count(stream.changes, changes),
		stream.changes == 1 ? "" : "s", format_count(stream.transactions, transactions),
		stream.transactions == 1 ? "" : "s");
	if (r->reached && r->until == UNTIL_CAUGHT_UP)
		fputs(", caught up", out);
	if (stream.retained_bytes >= 0)
		fprintf(out, "; slot %s keeps %s of WAL", stream.slot, format_bytes(stream.retained_bytes, kept));
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
		text_print(out, m->moments);
	}
	print_schema(r, out);
	print_stream(r, out);
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

/* False, with the error reported, when the mirror can never come there. */
static bool read_until(struct run *r, const char *until)
{
	struct mirror_config m;
	if (!model_mirror_config(r->session->model, r->mirror.name, &m))
		return true;
	r->caught_up_s = m.caught_up_s;
	bool continuous = m.continuous;
	mirror_config_free(&m);
	bool caught_up = until && strcmp(until, "caught-up") == 0;
	if (caught_up && !continuous) {
		struct error e = { 0 };
		error_set(&e, ERROR_USAGE, "mirror %s is an initial copy, which never catches up", r->mirror.name);
		error_next(&e, "say --until loaded, or set continuous = true");
		report_error(&e, r->session->json);
		return false;
	}
	if (until && continuous) /* an initial copy ends by itself when it is loaded */
		r->until = caught_up ? UNTIL_CAUGHT_UP : UNTIL_LOADED;
	return true;
}

enum exit_code verb_run(struct session *s, const struct args *a)
{
	struct run r = { .session = s };
	struct command c = { .kind = COMMAND_MIRROR_RUN };
	if (!session_mirror(s, a->name, &r.mirror))
		return EXIT_USAGE;
	if (!read_until(&r, a->given[OPTION_UNTIL]))
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
