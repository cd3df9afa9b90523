// SPDX-License-Identifier: PostgreSQL
#include "cutover_follow.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <pgpier/format.h>

#include "../cutover_text.h"
#include "cutover_report.h"
#include "report.h"

static void look(struct cutover_follow *f)
{
	cutover_view_free(&f->view);
	model_cutover(f->session->model, f->mirror.name, &f->view);
}

void follow_init(struct cutover_follow *f, struct session *s, const struct mirror_view *m)
{
	*f = (struct cutover_follow){ .session = s, .mirror = *m, .out = s->json ? stderr : stdout };
	progress_init(&f->progress, s->model);
	look(f);
	for (int i = 0; i < CUTOVER_STEP_COUNT; i++)
		f->told[i] = f->view.steps[i].state; /* what an earlier one did is old news */
}

void follow_free(struct cutover_follow *f)
{
	cutover_view_free(&f->view);
}

/* ---- steps ---- */

/* On a terminal the line that is drawn over says which one runs. */
static bool worth_a_line(const struct cutover_follow *f, enum step_state s)
{
	if (s == STEP_RUNNING || s == STEP_UNDOING)
		return !f->progress.terminal;
	return s != STEP_WAITING;
}

static void tell_steps(struct cutover_follow *f)
{
	double elapsed_s = f->view.elapsed_s;
	for (int i = 0; i < CUTOVER_STEP_COUNT; i++) {
		const struct cutover_step_view *s = &f->view.steps[i];
		if (s->state == f->told[i])
			continue;
		f->told[i] = s->state;
		if (!worth_a_line(f, s->state))
			continue;
		progress_end(&f->progress);
		step_print((enum cutover_step)i, s, elapsed_s, f->out);
		fflush(f->out);
	}
}

/* "  2.1 s  freeze: waits for 3 sessions to end"; before its first step the mirror catches up. */
static void draw(struct cutover_follow *f)
{
	char line[PROGRESS_SIZE], what[sizeof(f->view.steps[0].what) * 2];
	struct replication_view stream;
	enum cutover_step at = cutover_at(&f->view);
	if (f->session->input >= 0)
		return; /* the question stands there */
	if (cutover_moves(&f->view) && at != CUTOVER_STEP_COUNT) {
		const struct cutover_step_view *s = &f->view.steps[at];
		format_sanitized(s->state == STEP_UNDOING ? s->undo : s->what, what, sizeof(what));
		snprintf(line, sizeof(line), "%8.1f s  %s%s%s%s", f->view.elapsed_s,
			s->state == STEP_UNDOING ? "undoing " : "", cutover_step_name(at), what[0] ? ": " : "", what);
	} else {
		model_mirror(f->session->model, f->mirror.name, &f->mirror);
		progress_line(&f->mirror, model_replication(f->session->model, f->mirror.name, &stream) ? &stream : NULL,
			wall_us(), line);
	}
	progress_draw(&f->progress, line);
}

/* ---- what a person says ---- */

static void send(struct cutover_follow *f, enum command_kind kind)
{
	struct command c = { .kind = kind, .ticket = kind == COMMAND_CANCEL ? f->work.ticket : 0 };
	copy_text(c.name, sizeof(c.name), f->mirror.name);
	session_submit(f->session, &c);
}

/* On no terminal it was said beforehand, or the limit ends the wait. */
static void ask(struct cutover_follow *f)
{
	bool terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
	if (!f->view.asks || f->asked || f->interrupted || (!f->stopped && !terminal))
		return;
	f->asked = true;
	progress_end(&f->progress);
	if (f->stopped) {
		send(f, COMMAND_CUTOVER_GO);
		return;
	}
	fprintf(stderr, "Stop everybody who writes to %s now. The writers are stopped (yes): ", f->mirror.source);
	f->session->input = STDIN_FILENO;
}

static void answered(struct cutover_follow *f)
{
	char line[64];
	ssize_t length = read(STDIN_FILENO, line, sizeof(line) - 1);
	if (length <= 0) {
		f->session->input = -1;
		return;
	}
	line[length] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (strcasecmp(line, "yes") != 0) {
		fputs("Type yes when they are, or press ^C to undo: ", stderr);
		return;
	}
	f->session->input = -1;
	send(f, COMMAND_CUTOVER_GO);
}

/* The question is withdrawn when the wait is over without an answer. */
static void withdraw(struct cutover_follow *f)
{
	if (f->session->input < 0 || f->view.asks)
		return;
	f->session->input = -1;
	fputc('\n', stderr);
}

static void leave(const struct cutover_follow *f)
{
	char command[2 * NAME_SIZE];
	cutover_command(&f->mirror, command);
	if (f->rehearsal)
		fputs("pgpier: left at once; a rehearsal changes nothing\n", stderr);
	else
		fprintf(stderr, "pgpier: left at once, where it stands: pgpier %s goes on, with --undo it undoes\n", command);
	_exit(EXIT_INTERRUPTED);
}

static void signalled(struct cutover_follow *f)
{
	progress_end(&f->progress);
	look(f);
	if (f->interrupted)
		leave(f);
	f->interrupted = true;
	f->session->input = -1;
	if (f->rehearsal) {
		fputs("\npgpier: ending the rehearsal; once more leaves at once\n", stderr);
		send(f, COMMAND_CANCEL);
	} else if (cutover_is_over(&f->view)) {
		fputs("\npgpier: it is cut over and can't be undone any more, only rolled back; once more leaves at once\n",
			stderr);
	} else {
		fputs("\npgpier: undoing, the source will be as it was; once more leaves at once\n", stderr);
		send(f, COMMAND_CUTOVER_UNDO);
	}
}

/* ---- all of it ---- */

void follow_run(struct cutover_follow *f, struct command *take)
{
	struct session *s = f->session;
	f->work = session_submit(s, take);
	while (!session_over(s, &f->work)) {
		look(f);
		withdraw(f);
		tell_steps(f);
		ask(f);
		draw(f);
		switch (session_wait(s, s->input >= 0 ? -1 : progress_wait_ms(&f->progress))) {
		case WAKE_SIGNAL:
			signalled(f);
			break;
		case WAKE_INPUT:
			answered(f);
			break;
		case WAKE_MODEL:
		case WAKE_TIME:
			break;
		}
	}
	look(f);
	withdraw(f);
	tell_steps(f);
	progress_end(&f->progress);
	model_mirror(s->model, f->mirror.name, &f->mirror);
}
