// SPDX-License-Identifier: PostgreSQL
/* How peers, mirrors and errors read on a screen. */
#include "panes/panes.h"

#include <pgpier/format.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDE_COLS 120
#define DETAIL_LEAST 44
#define DETAIL_MOST 76

void split_detail(const struct ui *u, const struct canvas *c, struct canvas *list,
	struct canvas *detail)
{
	int cols = 0;
	if (c->cols >= WIDE_COLS - 2 && !u->zoomed)
		cols = MIN(MAX(c->cols * 2 / 5, DETAIL_LEAST), DETAIL_MOST);
	*list = canvas_part(c, 0, 0, c->rows, cols > 0 ? c->cols - cols - 1 : c->cols);
	*detail = canvas_part(c, 0, c->cols - cols, c->rows, cols);
	for (int y = 0; cols > 0 && y < c->rows; y++)
		canvas_add(c, y, c->cols - cols - 1, ROLE_DIM, theme_glyph(c->theme, GLYPH_VERTICAL));
}

bool list_input(struct pane *p, struct table *t, const struct input *in)
{
	bool opened;
	if (in->kind == INPUT_KEY || in->kind == INPUT_PASTE)
		return table_takes_text(t) && table_input(t, in);
	bool taken = table_mouse(t, in, &opened);
	if (opened)
		ui_act(p->ui, ACTION_OPEN);
	return taken;
}

/* ---- errors ---- */

void error_facts(struct facts *f, const struct error *e)
{
	facts_add(f, "error", ROLE_ERROR, "%s", e->text);
	if (e->next[0] != '\0')
		facts_add(f, "what to do", ROLE_WARN, "%s", e->next);
	if (e->sqlstate[0] != '\0')
		facts_add(f, "SQLSTATE", ROLE_TEXT, "%s", e->sqlstate);
	if (e->detail[0] != '\0')
		facts_add(f, "detail", ROLE_TEXT, "%s", e->detail);
	if (e->statement[0] != '\0')
		facts_add(f, "statement", ROLE_DIM, "%s", e->statement);
}

char *error_report(const struct error *e)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_addf(&b, "%s\n", e->text);
	if (e->next[0] != '\0')
		strbuf_addf(&b, "\nWhat to do: %s\n", e->next);
	if (e->sqlstate[0] != '\0')
		strbuf_addf(&b, "\nSQLSTATE: %s\n", e->sqlstate);
	if (e->detail[0] != '\0')
		strbuf_addf(&b, "\n%s\n", e->detail);
	if (e->statement[0] != '\0')
		strbuf_addf(&b, "\nStatement: %s\n", e->statement);
	return strbuf_take(&b);
}

/* ---- peers ---- */

static void fact_if(struct facts *f, const struct ui *u, const char *label, bool good,
	const char *yes, const char *no)
{
	facts_add(f, label, good ? ROLE_OK : ROLE_WARN, "%s %s",
		theme_glyph(u->theme, good ? GLYPH_DONE : GLYPH_TROUBLE), good ? yes : no);
}

void probe_facts(struct facts *f, const struct ui *u, const struct probe *p)
{
	char size[FORMAT_SIZE];
	facts_add(f, "version", ROLE_TEXT, "PostgreSQL %s%s", p->version,
		p->standby ? " (standby)" : "");
	facts_add(f, "database", ROLE_TEXT, "%s, %s", format_bytes(p->database_bytes, size),
		p->encoding);
	facts_add(f, "round trip", ROLE_TEXT, "%.1f ms%s", p->latency_ms,
		p->encrypted ? ", encrypted" : ", not encrypted");
	fact_if(f, u, "role", p->superuser, "superuser", "not a superuser: grants are checked by the preflight");
	fact_if(f, u, "replication", p->replication, "REPLICATION", "no REPLICATION attribute");
	facts_add(f, "wal_level", ROLE_TEXT, "%s", p->wal_level);
	facts_add(f, "slots", ROLE_TEXT, "%d of %d free", p->slots_free, p->slots_max);
	facts_add(f, "senders", ROLE_TEXT, "%d of %d free", p->senders_free, p->senders_max);
	fact_if(f, u, "pooler", !p->pooler, "none in between",
		"a pooler is in between: snapshots and cursors need a direct connection");
	double ahead = p->clock_ahead_ms;
	bool far = fabs(ahead) > 1000;
	facts_add(f, "clock", far ? ROLE_WARN : ROLE_TEXT, "%.0f ms %s of ours", fabs(ahead),
		ahead < 0 ? "behind" : "ahead");
}

void peer_facts(struct facts *f, const struct ui *u, const struct peer_view *v)
{
	char when[FORMAT_SIZE];
	facts_add(f, "address", ROLE_TEXT, "%s", v->address);
	facts_add(f, "kept in", ROLE_TEXT, "%s", v->editable ? "peers.conf" : "pgpier.conf (by hand)");
	facts_add(f, "mirrors", ROLE_TEXT, "%zu", v->mirrors);
	if (v->probed_at != 0)
		facts_add(f, "tested", ROLE_TEXT, "%s", format_time(v->probed_at, when));
	facts_gap(f);
	if (v->status == PEER_OK)
		probe_facts(f, u, &v->probe);
	else if (v->status == PEER_FAILED)
		error_facts(f, &v->error);
	else
		facts_add(f, NULL, ROLE_DIM, "not tested yet");
}

/* ---- mirrors ---- */

bool mirror_runs(enum mirror_state s)
{
	switch (s) {
	case MIRROR_CHECKING:
	case MIRROR_SNAPSHOT:
	case MIRROR_SCHEMA:
	case MIRROR_LOADING:
	case MIRROR_FINISHING:
	case MIRROR_PAUSING:
	case MIRROR_RETRYING:
	case MIRROR_DROPPING:
		return true;
	default:
		return false;
	}
}

enum role mirror_state_text(const struct ui *u, enum mirror_state s, char *buf, size_t size)
{
	enum glyph g = GLYPH_IDLE;
	enum role role = ROLE_TEXT;
	if (s == MIRROR_FAILED) {
		g = GLYPH_TROUBLE;
		role = ROLE_ERROR;
	} else if (s == MIRROR_RETRYING || s == MIRROR_INTERRUPTED) {
		g = GLYPH_TROUBLE;
		role = ROLE_WARN;
	} else if (s == MIRROR_DONE) {
		g = GLYPH_DONE;
		role = ROLE_OK;
	} else if (mirror_runs(s)) {
		g = GLYPH_ACTIVE;
		role = ROLE_PROGRESS;
	}
	snprintf(buf, size, "%s %s", theme_glyph(u->theme, g), mirror_state_name(s));
	return role;
}

/* "1.42/2.10 TB" from "1.42 TB" and "2.10 TB"; both units where they differ. */
static void join_amounts(
	const char *done, const char *total, const char *mark, char *buf, size_t size)
{
	const char *unit = strchr(done, ' '), *unit_total = strchr(total, ' ');
	if (unit && unit_total && strcmp(unit, unit_total) == 0)
		snprintf(buf, size, "%.*s/%s%s", (int)(unit - done), done, mark, total);
	else
		snprintf(buf, size, "%s/%s%s", done, mark, total);
}

void done_of_total_bytes(int64_t done, int64_t total, bool exact, char *buf, size_t size)
{
	char a[FORMAT_SIZE], b[FORMAT_SIZE];
	format_bytes(done, a);
	if (total < 0 || (exact && done >= total))
		snprintf(buf, size, "%s", a);
	else
		join_amounts(a, format_bytes(total, b), exact ? "" : "~", buf, size);
}

void done_of_total_rows(int64_t done, int64_t total, bool exact, char *buf, size_t size)
{
	char a[FORMAT_SIZE], b[FORMAT_SIZE];
	format_count(done, a);
	if (total < 0 || (exact && done >= total))
		snprintf(buf, size, "%s", a);
	else
		join_amounts(a, format_count(total, b), exact ? "" : "~", buf, size);
}

static void running_text(const struct mirror_view *v, char *buf, size_t size)
{
	char bytes[64], rate[FORMAT_SIZE], eta[FORMAT_SIZE], clock[FORMAT_SIZE];
	const struct load_totals *l = &v->load;
	done_of_total_bytes(l->bytes, l->bytes_total, l->exact, bytes, sizeof(bytes));
	size_t n = (size_t)snprintf(buf, size, "%s  %s", bytes, format_rate(l->rate, rate));
	if (l->eta_s >= 0 && n < size) {
		int64_t end = wall_us() + (int64_t)(l->eta_s * 1e6);
		snprintf(buf + n, size - n, "  %s (%s)", format_eta(l->eta_s, eta),
			format_clock(end, clock));
	}
}

void mirror_progress_text(const struct ui *u, const struct mirror_view *v, char *buf, size_t size)
{
	char amount[64], took[FORMAT_SIZE];
	(void)u;
	if (v->error.class != ERROR_NONE && v->state != MIRROR_DONE) {
		copy_text(buf, size, v->error.text);
	} else if (v->state == MIRROR_DONE) {
		format_count(v->load.rows, amount);
		snprintf(buf, size, "%zu tables, %s rows in %s", v->load.tables, amount,
			format_duration(v->elapsed_s, took));
	} else if (v->state == MIRROR_LOADING || v->state == MIRROR_FINISHING) {
		running_text(v, buf, size);
	} else {
		copy_text(buf, size, v->next);
	}
}

static void load_facts(struct facts *f, const struct load_totals *l)
{
	char text[96];
	if (l->tables == 0)
		return;
	facts_add(f, "tables", l->tables_failed ? ROLE_WARN : ROLE_TEXT, "%zu of %zu done%s",
		l->tables_done, l->tables, l->tables_failed ? "" : "");
	if (l->tables_failed > 0)
		facts_add(f, "failed", ROLE_ERROR, "%zu table%s; see Initial load", l->tables_failed,
			l->tables_failed == 1 ? "" : "s");
	done_of_total_rows(l->rows, l->rows_total, l->exact, text, sizeof(text));
	facts_add(f, "rows", ROLE_TEXT, "%s", text);
	done_of_total_bytes(l->bytes, l->bytes_total, l->exact, text, sizeof(text));
	facts_add(f, "bytes", ROLE_TEXT, "%s", text);
	if (l->builds > 0)
		facts_add(f, "keys, indexes", ROLE_TEXT, "%zu of %zu built", l->builds_done, l->builds);
}

void mirror_facts(struct facts *f, const struct ui *u, const struct mirror_view *v)
{
	char text[512], took[FORMAT_SIZE];
	enum role role = mirror_state_text(u, v->state, text, sizeof(text));
	facts_add(f, "state", role, "%s", text);
	facts_add(f, "source", ROLE_TEXT, "%s", v->source);
	facts_add(f, "target", ROLE_TEXT, "%s", v->target);
	if (v->started_at != 0)
		facts_add(f, "started", ROLE_TEXT, "%s", format_time(v->started_at, text));
	if (v->ended_at != 0)
		facts_add(f, "ended", ROLE_TEXT, "%s", format_time(v->ended_at, text));
	if (v->started_at != 0)
		facts_add(f, "took", ROLE_TEXT, "%s", format_duration(v->elapsed_s, took));
	if (v->moments[0] != '\0')
		facts_add(f, "rows are", ROLE_TEXT, "%s", v->moments);
	facts_gap(f);
	load_facts(f, &v->load);
	facts_add(f, "workers", ROLE_TEXT, "%d, %d busy, %d tables at once", v->workers,
		v->workers_busy, v->tables_in_parallel);
	if (v->rate_limit_mb > 0)
		facts_add(f, "rate limit", ROLE_TEXT, "%d MB/s", v->rate_limit_mb);
	if (v->error.class != ERROR_NONE) {
		facts_gap(f);
		error_facts(f, &v->error);
	}
	if (v->next[0] != '\0') {
		facts_gap(f);
		facts_add(f, "next step", ROLE_TITLE, "%s", v->next);
	}
}
