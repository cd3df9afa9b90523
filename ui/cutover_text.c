// SPDX-License-Identifier: PostgreSQL
#include "cutover_text.h"

#include <stdio.h>

#include <pgpier/format.h>

bool cutover_moves(const struct cutover_view *v)
{
	switch (v->phase) {
	case CUTOVER_REHEARSING:
	case CUTOVER_RUNNING:
	case CUTOVER_UNDOING:
		return true;
	case CUTOVER_COMMITTED: /* or it stopped there */
		return v->here && v->error.class == ERROR_NONE;
	default:
		return false;
	}
}

bool cutover_needs_us(const struct cutover_view *v)
{
	return v->here && cutover_moves(v) && v->phase != CUTOVER_REHEARSING;
}

enum cutover_step cutover_at(const struct cutover_view *v)
{
	enum cutover_step stopped = CUTOVER_STEP_COUNT;
	for (int i = 0; i < CUTOVER_STEP_COUNT; i++) {
		enum step_state s = v->steps[i].state;
		if (s == STEP_RUNNING || s == STEP_UNDOING)
			return (enum cutover_step)i;
		if (s == STEP_FAILED)
			stopped = (enum cutover_step)i;
	}
	return stopped;
}

bool cutover_is_over(const struct cutover_view *v)
{
	return v->phase == CUTOVER_COMMITTED || v->phase == CUTOVER_DONE;
}

int64_t cutover_ended_at(const struct cutover_view *v)
{
	return v->began_at == 0 ? 0 : v->began_at + (int64_t)(v->elapsed_s * 1e6);
}

static void add_closed(struct strbuf *b, double closed_s)
{
	char text[FORMAT_SIZE];
	if (closed_s >= 0)
		strbuf_addf(b, "; nobody could write for %s", format_lag(closed_s, text));
}

static void add_step(struct strbuf *b, const char *preposition, const struct cutover_view *v)
{
	enum cutover_step at = cutover_at(v);
	if (at != CUTOVER_STEP_COUNT)
		strbuf_addf(b, "%s%s", preposition, cutover_step_name(at));
}

static void add_why(struct strbuf *b, const struct cutover_view *v)
{
	if (v->error.class != ERROR_NONE && v->error.text[0] != '\0')
		strbuf_addf(b, ": %s", v->error.text);
}

static void add_done(struct strbuf *b, const struct cutover_view *v)
{
	char text[FORMAT_SIZE];
	strbuf_addf(b, "cut over at %s", format_time(cutover_ended_at(v), text));
	add_closed(b, v->closed_s);
	if (v->back[0] != '\0')
		strbuf_addf(b, "; way back %s", v->back);
}

static void add_running(struct strbuf *b, const struct cutover_view *v)
{
	char elapsed[FORMAT_SIZE], limit[FORMAT_SIZE];
	strbuf_add(b, "under way");
	add_step(b, ": ", v);
	strbuf_addf(b, ", %s of %s", format_lag(v->elapsed_s, elapsed),
		format_duration(v->limit_s, limit));
	if (v->asks)
		strbuf_add(b, "; it waits for somebody's word that the writers are stopped");
}

static void add_rehearsed(struct strbuf *b, const struct cutover_view *v)
{
	char text[FORMAT_SIZE];
	if (v->forecast_s >= 0)
		strbuf_addf(b, "rehearsed: nobody will be able to write for about %s", format_lag(v->forecast_s, text));
	else
		strbuf_add(b, "rehearsed");
}

const char *cutover_text(const struct cutover_view *v, char *buf, size_t size)
{
	struct strbuf b = STRBUF_INIT;
	switch (v->phase) {
	case CUTOVER_REHEARSING:
		strbuf_add(&b, "rehearsing");
		add_step(&b, ": ", v);
		break;
	case CUTOVER_REHEARSED:
		add_rehearsed(&b, v);
		break;
	case CUTOVER_RUNNING:
		add_running(&b, v);
		break;
	case CUTOVER_UNDOING:
		strbuf_add(&b, "is being undone");
		add_step(&b, ": ", v);
		break;
	case CUTOVER_UNDONE:
		strbuf_add(&b, "undone, all is as before");
		add_why(&b, v);
		break;
	case CUTOVER_COMMITTED:
		add_done(&b, v);
		add_step(&b, "; still to be done: ", v);
		break;
	case CUTOVER_DONE:
		add_done(&b, v);
		break;
	case CUTOVER_STUCK:
		strbuf_add(&b, "interrupted");
		add_step(&b, " at ", v);
		add_why(&b, v);
		break;
	case CUTOVER_NEVER:
	case CUTOVER_PHASE_COUNT:
		break;
	}
	copy_text(buf, size, b.text ? b.text : "");
	strbuf_free(&b);
	return buf;
}

/* ---- the checklist ---- */

size_t gates_count(const struct cutover_gate *gates, size_t n, enum gate_state s)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		count += gates[i].state == s;
	return count;
}

bool gates_are_open(const struct cutover_gate *gates, size_t n)
{
	return n > 0 && gates_count(gates, n, GATE_CLOSED) == 0 && gates_count(gates, n, GATE_UNKNOWN) == 0;
}

const char *gates_text(const struct cutover_gate *gates, size_t n, char *buf, size_t size)
{
	static const enum gate_state order[] = { GATE_CLOSED, GATE_UNKNOWN, GATE_WARNING, GATE_OPEN };
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		size_t count = gates_count(gates, n, order[i]);
		if (count > 0)
			strbuf_addf(&b, "%s%zu %s", b.len > 0 ? ", " : "", count, gate_state_name(order[i]));
	}
	copy_text(buf, size, b.text ? b.text : "");
	strbuf_free(&b);
	return buf;
}
