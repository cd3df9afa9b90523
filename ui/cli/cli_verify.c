// SPDX-License-Identifier: PostgreSQL
/* verify: are the two sides equal, and where are they not. What could not be compared is never a success. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <pgpier/format.h>

#include "../verified.h"
#include "ask.h"
#include "progress.h"
#include "report.h"
#include "session.h"

#define SAMPLE_ROWS 1000
#define MOST_SAMPLE_ROWS 1000000
#define ROWS_ON_STDOUT 20

/* ---- what is asked for ---- */

static bool take_level(const struct args *a, struct command *c, struct error *e)
{
	const char *level = a->given[OPTION_LEVEL], *sample = a->given[OPTION_SAMPLE];
	char *end = NULL;
	c->level = sample ? VERIFY_SAMPLE : VERIFY_CHECKSUM;
	for (int l = 0; level && verify_level_names[l]; l++)
		if (strcmp(level, verify_level_names[l]) == 0)
			c->level = (enum verify_level)l;
	c->sample = sample ? strtoll(sample, &end, 10) : SAMPLE_ROWS;
	if (sample && c->level != VERIFY_SAMPLE)
		return error_set(e, ERROR_USAGE, "--sample is for level sample");
	if (sample && (*end != '\0' || c->sample < 1 || c->sample > MOST_SAMPLE_ROWS))
		return error_set(e, ERROR_USAGE, "--sample takes a number from 1 to %d", MOST_SAMPLE_ROWS);
	return true;
}

static bool ask(struct session *s, const struct mirror_view *m)
{
	char answer[16];
	fprintf(stderr, "Repair what differs: delete and copy those rows of %s anew%s? [y/N] ", m->target,
		m->continuous ? ", with replication held meanwhile" : "");
	if (!ask_line(s, STDIN_FILENO, answer, sizeof(answer))) {
		fputc('\n', stderr);
		return false;
	}
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

static bool may_repair(struct session *s, const struct args *a, const struct mirror_view *m, struct error *e)
{
	if (a->given[OPTION_YES])
		return true;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		error_set(e, ERROR_USAGE, "a repair asks before it changes anything, and there is no terminal");
		return error_next(e, "say --yes");
	}
	return ask(s, m) || error_set(e, ERROR_USAGE, "nothing was repaired");
}

static bool understand(struct session *s, const struct args *a, const struct mirror_view *m, struct command *c,
	struct error *e)
{
	copy_text(c->name, sizeof(c->name), m->name);
	c->repair = a->given[OPTION_REPAIR] != NULL;
	if (!take_level(a, c, e))
		return false;
	if (c->repair && c->level != VERIFY_CHECKSUM)
		return error_set(e, ERROR_USAGE, "--repair is for level checksum, which locates what differs");
	return !c->repair || may_repair(s, a, m, e);
}

/* ---- while it runs ---- */

static void draw(struct progress *p, const struct verify_view *v)
{
	char line[PROGRESS_SIZE], done[FORMAT_SIZE], total[FORMAT_SIZE], rate[FORMAT_SIZE];
	if (!v->running)
		return;
	if (v->doing[0])
		snprintf(line, sizeof(line), "verify: %s", v->doing);
	else
		snprintf(line, sizeof(line), "verify: %d %%  %s/~%s  %s  %zu/%zu tables, %zu differ, %zu not verified",
			(int)(v->fraction * 100), format_bytes(v->bytes, done), format_bytes(v->bytes_total, total),
			format_rate(v->rate, rate), v->tables_done, v->tables, v->differing, v->unsure);
	progress_draw(p, line);
}

/* The result, or what was reported instead. */
static enum exit_code run(struct session *s, struct command *take, struct outcome *out)
{
	char mirror[NAME_SIZE];
	struct verify_view view;
	struct progress progress;
	copy_text(mirror, sizeof(mirror), take->name);
	progress_init(&progress, s->model);
	struct pending p = session_submit(s, take);
	enum exit_code code = EXIT_DONE;
	while (!session_over(s, &p)) {
		progress_events(&progress, s->model);
		model_verify(s->model, mirror, &view);
		draw(&progress, &view);
		if (session_wait(s, progress_wait_ms(&progress)) != WAKE_SIGNAL)
			continue;
		progress_end(&progress);
		session_cancel(s, &p, 1);
		return EXIT_INTERRUPTED;
	}
	progress_events(&progress, s->model);
	progress_end(&progress);
	*out = p.outcome;
	if (out->state != OUTCOME_DONE) {
		report_error(&out->error, s->json);
		code = report_class_exit(out->error.class);
	}
	return code;
}

/* ---- what it found ---- */

static bool write_report(const struct verification *v, const char *path, struct error *e)
{
	FILE *f = fopen(path, "w");
	if (f)
		verified_report(v, NULL, 0, path, f);
	bool ok = f && !ferror(f);
	if (f && fclose(f) != 0)
		ok = false;
	return ok || error_set(e, ERROR_CONFIG, "could not write %s: %s", path, strerror(errno));
}

static enum exit_code meaning(const struct verification *v)
{
	const struct verification *last = v->after ? v->after : v;
	switch (last->verdict) {
	case VERIFY_EQUAL:
		return EXIT_DONE;
	case VERIFY_DIFFERS:
		return EXIT_DIFFERENT;
	case VERIFY_UNSURE:
		break;
	}
	return EXIT_INCOMPLETE;
}

static void print(const struct session *s, const struct verification *v)
{
	if (!s->json) {
		verified_print(v, ROWS_ON_STDOUT, stdout);
		return;
	}
	struct json j = JSON_INIT;
	verified_shape(&j, NULL, v);
	report_json(&j);
}

enum exit_code verb_verify(struct session *s, const struct args *a)
{
	struct mirror_view m;
	struct command c = { .kind = COMMAND_VERIFY };
	struct outcome o = { 0 };
	struct error e = { 0 };
	const char *report = a->given[OPTION_REPORT];
	if (!session_mirror(s, a->name, &m))
		return EXIT_USAGE;
	if (!understand(s, a, &m, &c, &e)) {
		report_error(&e, s->json);
		return EXIT_USAGE;
	}
	enum exit_code code = ask_passwords(s, (const char *[]){ m.source, m.target }, 2);
	if (code == EXIT_DONE)
		code = run(s, &c, &o);
	if (code != EXIT_DONE)
		return code;
	print(s, o.verification);
	code = meaning(o.verification);
	if (report && !write_report(o.verification, report, &e)) {
		report_error(&e, false);
		code = EXIT_FAILED;
	}
	verification_release(o.verification);
	return code;
}
