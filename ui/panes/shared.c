// SPDX-License-Identifier: PostgreSQL
/* How peers, mirrors and errors read on a screen. */
#include "panes/panes.h"

#include "conninfo.h"
#include "widgets/bars.h"

#include <pgpier/format.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DETAIL_LEAST 44
#define DETAIL_MOST 76
#define BAR_CELLS 6

void split_detail(const struct ui *u, const struct canvas *c, int least, struct canvas *list,
	struct canvas *detail)
{
	int cols = 0;
	if (c->cols + 2 >= least && !u->zoomed)
		cols = MIN(MAX(c->cols * 2 / 5, DETAIL_LEAST), DETAIL_MOST);
	*list = canvas_part(c, 0, 0, c->rows, cols > 0 ? c->cols - cols - 1 : c->cols);
	*detail = canvas_part(c, 0, c->cols - cols, c->rows, cols);
	for (int y = 0; cols > 0 && y < c->rows; y++)
		canvas_add(c, y, c->cols - cols - 1, ROLE_DIM, theme_glyph(c->theme, GLYPH_VERTICAL));
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

const char *without_subject(const char *text, const char *kind, const char *name)
{
	char subject[3 * NAME_SIZE];
	snprintf(subject, sizeof(subject), "%s %s: ", kind, name);
	const char *at = strstr(text, subject);
	if (at)
		return at + strlen(subject);
	const char *name_alone = subject + strlen(kind) + 1;
	return strncmp(text, name_alone, strlen(name_alone)) == 0 ? text + strlen(name_alone) : text;
}

void report_details(struct strbuf *b, const char *sqlstate, const char *detail, const char *statement)
{
	if (*sqlstate != '\0')
		strbuf_addf(b, "\nSQLSTATE: %s\n", sqlstate);
	if (*detail != '\0')
		strbuf_addf(b, "\n%s\n", detail);
	if (*statement != '\0')
		strbuf_addf(b, "\nStatement: %s\n", statement);
}

char *error_report(const struct error *e)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_addf(&b, "%s\n", e->text);
	if (e->next[0] != '\0')
		strbuf_addf(&b, "\nWhat to do: %s\n", e->next);
	report_details(&b, e->sqlstate, e->detail, e->statement);
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

/* Where it is reached; its password, if any, is nobody's business. */
static void bouncer_fact(struct facts *f, const struct peer_config *c)
{
	struct peer_config at = { 0 };
	char problem[160];
	bool parts = conninfo_parse(c->pgbouncer, &at, problem, sizeof(problem)) == CONNINFO_PARTS;
	const char *database = c->pgbouncer_database ? c->pgbouncer_database : c->dbname;
	if (parts && at.host && at.port > 0)
		facts_add(f, "PgBouncer", ROLE_TEXT, "%s:%d%s%s", at.host, at.port, database ? ", database " : "",
			database ? database : "");
	else
		facts_add(f, "PgBouncer", ROLE_TEXT, "yes%s%s", database ? ", database " : "", database ? database : "");
	peer_config_free(&at);
}

static void kept_facts(struct facts *f, const struct ui *u, const struct peer_view *v)
{
	struct peer_config c;
	facts_add(f, "kept in", ROLE_TEXT, "%s", v->editable ? "peers.conf" : "pgpier.conf (by hand)");
	if (!model_peer_config(u->model, v->name, &c))
		return;
	if (c.pgbouncer)
		bouncer_fact(f, &c);
	peer_config_free(&c);
}

void peer_facts(struct facts *f, const struct ui *u, const struct peer_view *v)
{
	char when[FORMAT_SIZE];
	facts_add(f, "address", ROLE_TEXT, "%s", v->address);
	kept_facts(f, u, v);
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

/* The engine samples for 5 s after each request. */
#define WATCH_AGAIN_US 3000000

void watch_peer(struct ui *u, const char *peer, int64_t *asked_at)
{
	struct command c = { .kind = COMMAND_PEER_WATCH };
	if (*asked_at != 0 && u->now - *asked_at <= WATCH_AGAIN_US)
		return;
	copy_text(c.name, sizeof(c.name), peer);
	ui_submit(u, &c, NULL);
	*asked_at = u->now;
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
	case MIRROR_CATCHING_UP:
	case MIRROR_REPLICATING:
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
	} else if (s == MIRROR_DONE || s == MIRROR_CUT_OVER) {
		g = GLYPH_DONE;
		role = ROLE_OK;
	} else if (s == MIRROR_REPLICATING) {
		g = GLYPH_ACTIVE;
		role = ROLE_OK;
	} else if (mirror_runs(s)) {
		g = GLYPH_ACTIVE;
		role = ROLE_PROGRESS;
	}
	snprintf(buf, size, "%s %s", theme_glyph(u->theme, g), mirror_state_name(s));
	return role;
}

/* Three digits: 0.81, 22.0, 341. */
static void digits(double n, char *buf, size_t size)
{
	snprintf(buf, size, "%.*f", n < 9.995 ? 2 : n < 99.95 ? 1 : 0, n);
}

/* Both in the unit of the total, so that they can be compared at a glance; a beginning that would be zero
 * there keeps a unit of its own. */
static void part_of(double done, double total, const char *mark, const char *suffix,
	const char *done_alone, char *buf, size_t size)
{
	static const char *const units[] = { "", "k", "M", "G", "T", "P" };
	char a[32], b[32];
	size_t u = 0;
	for (double rest = total; rest >= 999.5 && u + 1 < ARRAY_SIZE(units); rest /= 1000)
		u++;
	double unit = pow(1000, (double)u);
	if (u == 0) {
		snprintf(buf, size, "%.0f/%s%.0f%s%s", done, mark, total, *suffix ? " " : "", suffix);
		return;
	}
	digits(done / unit, a, sizeof(a));
	digits(total / unit, b, sizeof(b));
	const char *from = done <= 0 ? "0" : done < unit / 100 ? done_alone : a;
	snprintf(buf, size, "%s/%s%s %s%s", from, mark, b, units[u], suffix);
}

void done_of_total_bytes(int64_t done, int64_t total, bool exact, char *buf, size_t size)
{
	char alone[FORMAT_SIZE];
	format_bytes(done, alone);
	if (total <= 0 || (exact && done >= total))
		snprintf(buf, size, "%s", alone);
	else
		part_of((double)done, (double)total, exact ? "" : "~", "B", alone, buf, size);
}

void done_of_total_rows(int64_t done, int64_t total, bool exact, char *buf, size_t size)
{
	char alone[FORMAT_SIZE];
	format_count(done, alone);
	if (total < 0 || (exact && done >= total))
		snprintf(buf, size, "%s", alone);
	else
		part_of((double)done, (double)total, exact ? "" : "~", "", alone, buf, size);
}

static void amounts_text(const struct mirror_view *v, char *buf, size_t size)
{
	done_of_total_bytes(v->load.bytes, v->load.bytes_total, v->load.exact, buf, size);
}

static void running_text(const struct mirror_view *v, char *buf, size_t size)
{
	char bytes[64], rate[FORMAT_SIZE], eta[FORMAT_SIZE], clock[FORMAT_SIZE];
	amounts_text(v, bytes, sizeof(bytes));
	size_t n = (size_t)snprintf(buf, size, "%s  %s", bytes, format_rate(v->load.rate, rate));
	if (v->load.eta_s >= 0 && n < size) {
		int64_t end = wall_us() + (int64_t)(v->load.eta_s * 1e6);
		snprintf(buf + n, size - n, "  %s (%s)", format_eta(v->load.eta_s, eta),
			format_clock(end, clock));
	}
}

static bool is_loading(enum mirror_state s)
{
	return s == MIRROR_LOADING || s == MIRROR_FINISHING || s == MIRROR_PAUSING;
}

static void standing_text(const struct mirror_view *v, char *buf, size_t size)
{
	char rows[FORMAT_SIZE], took[FORMAT_SIZE];
	if (v->error.class != ERROR_NONE && v->state != MIRROR_DONE)
		copy_text(buf, size, without_subject(v->error.text, "mirror", v->name));
	else if (v->state == MIRROR_CATCHING_UP || v->state == MIRROR_REPLICATING)
		stream_text(v, buf, size);
	else if (v->state == MIRROR_CUT_OVER)
		snprintf(buf, size, "on %s  the application was moved", v->target);
	else if (v->state == MIRROR_DONE)
		snprintf(buf, size, "%zu tables, %s rows in %s%s", v->load.tables,
			format_count(v->load.rows, rows), format_duration(v->elapsed_s, took),
			v->objects_failed > 0 ? "; objects failed" : "");
	else
		copy_text(buf, size, v->next);
}

void mirror_progress_text(const struct mirror_view *v, char *buf, size_t size)
{
	if (is_loading(v->state) && v->error.class == ERROR_NONE)
		running_text(v, buf, size);
	else
		standing_text(v, buf, size);
}

/* What doesn't fit is at its end: the person asks first how long it takes. */
void mirror_progress_brief(const struct ui *u, const struct mirror_view *v, char *buf, size_t size)
{
	char bar[64], percent[16], eta[FORMAT_SIZE], rate[FORMAT_SIZE], bytes[64];
	if (!is_loading(v->state) && (v->state != MIRROR_PAUSED || v->error.class != ERROR_NONE)) {
		standing_text(v, buf, size);
		return;
	}
	progress_text(u->theme, BAR_CELLS, v->load.fraction, bar, sizeof(bar));
	percent_text(v->load.fraction, percent, sizeof(percent));
	amounts_text(v, bytes, sizeof(bytes));
	bool timed = is_loading(v->state) && v->load.eta_s >= 0;
	bool moves = is_loading(v->state) && v->load.rate > 0;
	snprintf(buf, size, "%s %s%s%s%s%s  %s", bar, percent, timed ? "  " : "",
		timed ? format_eta(v->load.eta_s, eta) : "", moves ? "  " : "",
		moves ? format_rate(v->load.rate, rate) : "", bytes);
}

static void load_facts(struct facts *f, const struct load_totals *l)
{
	char text[96];
	if (l->tables == 0)
		return;
	facts_add(f, "tables", l->tables_failed ? ROLE_WARN : ROLE_TEXT, "%zu of %zu done",
		l->tables_done, l->tables);
	if (l->tables_failed > 0)
		facts_add(f, "failed", ROLE_ERROR, "%zu table%s; see Initial load", l->tables_failed,
			l->tables_failed == 1 ? "" : "s");
	if (l->tables_paused > 0)
		facts_add(f, "paused", ROLE_WARN, "%zu table%s; see Replication", l->tables_paused,
			l->tables_paused == 1 ? "" : "s");
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
	if (v->reverse_of[0] != '\0')
		facts_add(f, "way back of", ROLE_TEXT, "%s", v->reverse_of);
	if (v->started_at != 0)
		facts_add(f, "started", ROLE_TEXT, "%s", format_time(v->started_at, text));
	if (v->ended_at != 0)
		facts_add(f, "ended", ROLE_TEXT, "%s", format_time(v->ended_at, text));
	if (v->started_at != 0)
		facts_add(f, mirror_runs(v->state) ? "runs for" : "took", ROLE_TEXT, "%s",
			format_duration(v->elapsed_s, took));
	if (v->moments[0] != '\0')
		facts_add(f, "rows are", ROLE_TEXT, "%s", v->moments);
	if (v->continuous && v->lag_s >= 0)
		facts_add(f, "replicates", ROLE_TEXT, "%s changes/s, lag %s", format_per_second(v->changes_per_s, text),
			format_lag(v->lag_s, took));
	facts_gap(f);
	load_facts(f, &v->load);
	if (v->objects_failed > 0)
		facts_add(f, "schema", ROLE_ERROR, "%zu object%s failed; see Schema", v->objects_failed,
			v->objects_failed == 1 ? "" : "s");
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

void table_facts(struct facts *f, const struct ui *u, const struct table_view *v)
{
	char text[64], took[FORMAT_SIZE];
	bool same = strcmp(v->source, v->target) == 0;
	facts_add(f, "table", ROLE_TITLE, "%s", v->source);
	facts_add(f, "target", ROLE_TEXT, "%s", same ? "same name" : v->target);
	facts_add(f, "state", ROLE_TEXT, "%s", table_state_name(v->state));
	done_of_total_rows(v->rows, v->rows_total, v->exact, text, sizeof(text));
	facts_add(f, "rows", ROLE_TEXT, "%s", text);
	done_of_total_bytes(v->bytes, v->bytes_total, v->exact, text, sizeof(text));
	facts_add(f, "bytes", ROLE_TEXT, "%s", text);
	if (v->builds > 0)
		facts_add(f, "keys, indexes", ROLE_TEXT, "%zu of %zu built", v->builds_done, v->builds);
	if (v->elapsed_s > 0)
		facts_add(f, "took", ROLE_TEXT, "%s", format_duration(v->elapsed_s, took));
	if (v->attempts > 1)
		facts_add(f, "attempts", ROLE_WARN, "%d", v->attempts);
	if (v->how[0] != '\0')
		facts_add(f, "how", ROLE_TEXT, "%s", v->how);
	if (v->stall[0] != '\0')
		facts_add(f, "waits", ROLE_WARN, "%s %s", theme_glyph(u->theme, GLYPH_TROUBLE), v->stall);
	if (v->error.class != ERROR_NONE)
		error_facts(f, &v->error);
}
