// SPDX-License-Identifier: PostgreSQL
#include "cutover_report.h"

#include <string.h>

#include <pgpier/format.h>

#include "../cutover_text.h"
#include "../listing.h"
#include "../text.h"
#include "report.h"

/* ---- for people: the checklist ---- */

static void print_next(const struct cutover_gate *g, FILE *out)
{
	fprintf(out, "  %s: ", g->name);
	text_print(out, g->next);
	fputc('\n', out);
}

void gates_print(const struct cutover_gate *gates, size_t n, FILE *out)
{
	struct listing l = { .titles = "GATE STATE MEASURED" };
	char sum[128];
	bool any = false;
	for (size_t i = 0; i < n; i++) {
		listing_add(&l, gates[i].name);
		listing_add(&l, gate_state_name(gates[i].state));
		listing_add(&l, gates[i].value);
		any |= gates[i].next[0] != '\0' && gates[i].state != GATE_OPEN;
	}
	listing_print(&l, out);
	fprintf(out, "%s\n", gates_text(gates, n, sum, sizeof(sum)));
	if (any)
		fputs("what to do:\n", out);
	for (size_t i = 0; i < n; i++)
		if (gates[i].next[0] != '\0' && gates[i].state != GATE_OPEN)
			print_next(&gates[i], out);
}

/* ---- for people: steps ---- */

/* What is said of a step before what it did. */
static const char *step_verb(enum step_state s)
{
	switch (s) {
	case STEP_RUNNING:
		return " begins";
	case STEP_FAILED:
		return " failed";
	case STEP_UNDOING:
		return " is being undone";
	case STEP_UNDONE:
		return " undone";
	default:
		return "";
	}
}

void step_print(enum cutover_step step, const struct cutover_step_view *s, double elapsed_s, FILE *out)
{
	bool undo = s->state == STEP_UNDOING || s->state == STEP_UNDONE;
	const char *what = undo ? s->undo : s->what;
	fprintf(out, "%8.3f s  %s%s%s", elapsed_s, cutover_step_name(step), step_verb(s->state), what[0] ? ": " : "");
	text_print(out, what);
	fputc('\n', out);
}

/* ---- for people: the end ---- */

const char *cutover_command(const struct mirror_view *m, char buf[2 * NAME_SIZE])
{
	bool back = m->reverse_of[0] != '\0';
	snprintf(buf, 2 * NAME_SIZE, "%s %s", back ? "rollback" : "cutover", back ? m->reverse_of : m->name);
	return buf;
}

static void print_line(const char *label, const char *text, FILE *out)
{
	if (text[0] == '\0')
		return;
	fputs(label, out);
	text_print(out, text);
	fputc('\n', out);
}

void cutover_print_remains(const struct cutover_view *v, FILE *out)
{
	const struct strings *remains = &v->remains;
	if (remains->count > 0)
		fputs("what remains:\n", out);
	for (size_t i = 0; i < remains->count; i++)
		print_line("  ", remains->items[i], out);
}

static void print_way_back(const struct mirror_view *m, const struct cutover_view *v, FILE *out)
{
	if (v->back[0] == '\0') {
		fputs("way back: none was made\n", out);
		return;
	}
	fprintf(out, "way back: pgpier run %s keeps %s equal to %s from now on\n", v->back, m->source, m->target);
	fprintf(out, "          pgpier rollback %s goes back, pgpier finish %s ends it\n", m->name, m->name);
}

static void print_over(const struct mirror_view *m, const struct cutover_view *v, FILE *out)
{
	char closed[FORMAT_SIZE], command[2 * NAME_SIZE];
	fprintf(out, "mirror %s: cut over from %s to %s", m->name, m->source, m->target);
	if (v->closed_s >= 0)
		fprintf(out, "; nobody could write for %s", format_lag(v->closed_s, closed));
	fputc('\n', out);
	print_line("connect:  ", v->connection, out);
	print_way_back(m, v, out);
	if (v->phase == CUTOVER_COMMITTED)
		fprintf(out, "not all is done: pgpier %s goes on\n", cutover_command(m, command));
}

static void print_stuck(const struct mirror_view *m, const struct cutover_view *v, FILE *out)
{
	char command[2 * NAME_SIZE];
	enum cutover_step at = cutover_at(v);
	fprintf(out, "mirror %s: interrupted%s%s; neither done nor undone\n", m->name,
		at != CUTOVER_STEP_COUNT ? " at " : "", at != CUTOVER_STEP_COUNT ? cutover_step_name(at) : "");
	cutover_command(m, command);
	fprintf(out, "go on:    pgpier %s\n", command);
	fprintf(out, "undo:     pgpier %s --undo\n", command);
}

void cutover_print(const struct mirror_view *m, const struct cutover_view *v, FILE *out)
{
	char text[1024];
	if (cutover_is_over(v)) {
		print_over(m, v, out);
	} else if (v->phase == CUTOVER_STUCK) {
		print_stuck(m, v, out);
	} else if (v->phase != CUTOVER_NEVER) {
		fprintf(out, "mirror %s: ", m->name);
		print_line("", cutover_text(v, text, sizeof(text)), out);
	}
	if (v->phase == CUTOVER_UNDONE)
		fprintf(out, "%s is open as it was before\n", m->source);
	cutover_print_remains(v, out);
}

void cutover_print_status(const struct mirror_view *m, const struct cutover_view *v, FILE *out)
{
	char text[1024], command[2 * NAME_SIZE];
	if (m->reverse_of[0] != '\0')
		fprintf(out, "way back of: %s\n", m->reverse_of);
	if (v->phase == CUTOVER_NEVER)
		return;
	print_line("cutover: ", cutover_text(v, text, sizeof(text)), out);
	if (cutover_is_over(v))
		print_line("connect: ", v->connection, out);
	cutover_command(m, command);
	if (v->phase == CUTOVER_STUCK || (v->phase == CUTOVER_COMMITTED && !v->here))
		fprintf(out, "go on:   pgpier %s\n", command);
	if (v->phase == CUTOVER_STUCK)
		fprintf(out, "undo:    pgpier %s --undo\n", command);
	cutover_print_remains(v, out);
}

/* ---- for scripts ---- */

static void known(struct json *j, const char *key, double value)
{
	if (value < 0)
		json_null(j, key);
	else
		json_number(j, key, value);
}

static void text_or_null(struct json *j, const char *key, const char *text)
{
	json_text(j, key, text[0] != '\0' ? text : NULL);
}

static void shape_step(struct json *j, enum cutover_step step, const struct cutover_step_view *s)
{
	json_object(j, NULL);
	json_text(j, "step", cutover_step_name(step));
	json_text(j, "state", step_state_name(s->state));
	json_number(j, "took_s", s->took_s);
	known(j, "forecast_s", s->forecast_s);
	text_or_null(j, "what", s->what);
	text_or_null(j, "undo", s->undo);
	json_end_object(j);
}

static void shape_steps(struct json *j, const struct cutover_view *v)
{
	json_array(j, "steps");
	for (int i = 0; i < CUTOVER_STEP_COUNT; i++)
		shape_step(j, (enum cutover_step)i, &v->steps[i]);
	json_end_array(j);
}

void shape_cutover(struct json *j, const struct cutover_view *v)
{
	if (v->phase == CUTOVER_NEVER) {
		json_null(j, "cutover");
		return;
	}
	enum cutover_step at = cutover_at(v);
	bool failed = v->error.class != ERROR_NONE;
	json_object(j, "cutover");
	json_text(j, "phase", cutover_phase_name(v->phase));
	json_text(j, "step", at != CUTOVER_STEP_COUNT ? cutover_step_name(at) : NULL);
	json_bool(j, "here", v->here);
	json_bool(j, "asks", v->asks);
	json_time(j, "began", v->began_at);
	json_number(j, "elapsed_s", v->elapsed_s);
	json_number(j, "limit_s", v->limit_s);
	known(j, "closed_s", v->closed_s);
	known(j, "forecast_s", v->forecast_s);
	text_or_null(j, "connection", v->connection);
	text_or_null(j, "back", v->back);
	shape_steps(j, v);
	json_array(j, "remains");
	for (size_t i = 0; i < v->remains.count; i++)
		json_text(j, NULL, v->remains.items[i]);
	json_end_array(j);
	json_text(j, "error", failed ? v->error.text : NULL);
	json_text(j, "error_class", failed ? error_class_name(v->error.class) : NULL);
	json_end_object(j);
}

void shape_gates(struct json *j, const struct cutover_gate *gates, size_t n)
{
	json_array(j, "gates");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_text(j, "gate", gates[i].name);
		json_text(j, "state", gate_state_name(gates[i].state));
		text_or_null(j, "value", gates[i].value);
		text_or_null(j, "next", gates[i].next);
		json_end_object(j);
	}
	json_end_array(j);
}
