// SPDX-License-Identifier: PostgreSQL
/* The stream of a mirror: how far behind, how that moves, what its slot keeps, what it did to which table.
 * Tables that had no change yet are not listed; paused ones stand first, then those with most changes, until a
 * column is chosen to sort by. */
#include "panes/list.h"
#include "panes/run_tables.h"

#include "widgets/chart.h"
#include "widgets/sparkline.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_MAX 256
#define SAMPLES 300
#define DETAIL_FROM 150 /* columns; the list itself needs 90 */
#define TALL_FROM 34 /* rows */
#define TALL_LEAST 7
#define TALL_MOST 14
#define LOW_FROM 14 /* rows */
#define LOW_ROWS 2
#define LIST_LEAST 4 /* rows that notes leave to the list */

enum { COL_TABLE, COL_INSERTS, COL_UPDATES, COL_DELETES, COL_TRUNCATES, COL_MISSING, COL_NOTE, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_TABLE] = { "TABLE", 16, 64, ALIGN_LEFT, 0, false, false },
	[COL_INSERTS] = { "INSERTS", 8, 10, ALIGN_RIGHT, 1, false, false },
	[COL_UPDATES] = { "UPDATES", 8, 10, ALIGN_RIGHT, 1, false, false },
	[COL_DELETES] = { "DELETES", 8, 10, ALIGN_RIGHT, 1, false, false },
	[COL_TRUNCATES] = { "TRUNC", 5, 7, ALIGN_RIGHT, 3, false, false },
	[COL_MISSING] = { "MISSING", 7, 8, ALIGN_RIGHT, 2, false, false },
	[COL_NOTE] = { "", 20, 400, ALIGN_LEFT, 0, true, true },
};

/* A table with changes. */
struct changed {
	size_t index;
	int64_t counts[COL_NOTE - COL_INSERTS];
};

struct replication {
	struct list list; /* of struct changed */
	char mirror[NAME_SIZE];
	struct mirror_view view;
	struct replication_view now;
	bool known; /* the stream has been heard of */
	struct run_tables tables;
	struct changes_view window[WINDOW_MAX]; /* the rows on the screen */
	size_t window_count;
	double lag[SAMPLES], rate[SAMPLES];
	size_t sample_count;
};

/* ---- rows ---- */

static size_t index_at(const void *data, size_t row)
{
	return ((const struct changed *)list_row(data, row))->index;
}

static int64_t count_at(const void *data, size_t row, int column)
{
	return ((const struct changed *)list_row(data, row))->counts[column - COL_INSERTS];
}

static uint64_t identity(const void *data, size_t row)
{
	return index_at(data, row);
}

static const char *name_of(const struct replication *s, size_t row)
{
	return run_tables_name(&s->tables, index_at(s, row));
}

static const struct changes_view *changes_at(const struct replication *s, size_t row)
{
	for (size_t i = 0; i < s->window_count; i++)
		if (s->window[i].index == index_at(s, row))
			return &s->window[i];
	return NULL;
}

static size_t selected(const struct replication *s)
{
	return table_selected(&s->list.table);
}

static const struct changes_view *selected_changes(const struct replication *s)
{
	return selected(s) == TABLE_NOTHING ? NULL : changes_at(s, selected(s));
}

static void count_cell(int64_t n, enum role role, struct cell *out)
{
	char text[FORMAT_SIZE];
	copy_text(out->text, sizeof(out->text), n > 0 ? format_count(n, text) : "-");
	out->role = n > 0 ? role : ROLE_TEXT;
}

static void note_cell(const struct replication *s, size_t row, struct cell *out)
{
	const struct changes_view *v = changes_at(s, row);
	if (!v || !v->paused)
		return;
	snprintf(out->text, sizeof(out->text), "%s paused: %s", theme_glyph(s->list.pane.ui->theme, GLYPH_TROUBLE),
		without_subject(v->error.text, "table", name_of(s, row)));
	out->role = ROLE_WARN;
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	out->role = ROLE_TEXT;
	out->text[0] = '\0';
	if (column == COL_TABLE)
		copy_text(out->text, sizeof(out->text), name_of(data, row));
	else if (column == COL_NOTE)
		note_cell(data, row, out);
	else
		count_cell(count_at(data, row, column), column == COL_MISSING ? ROLE_WARN : ROLE_TEXT, out);
}

static int compare(const void *data, int column, size_t a, size_t b)
{
	if (column == COL_TABLE)
		return strcmp(name_of(data, a), name_of(data, b));
	return ORDER(count_at(data, a, column), count_at(data, b, column));
}

static void words(const void *data, size_t row, struct strbuf *out)
{
	strbuf_add(out, name_of(data, row));
}

static void window(void *data, const size_t *rows, size_t n)
{
	struct replication *s = data;
	size_t indexes[WINDOW_MAX];
	n = MIN(n, (size_t)WINDOW_MAX);
	for (size_t i = 0; i < n; i++)
		indexes[i] = index_at(s, rows[i]);
	s->window_count = model_changes(s->list.pane.ui->model, s->mirror, indexes, n, s->window);
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "no change has come yet",
	.identity = identity,
	.cell = cell,
	.compare = compare,
	.words = words,
	.window = window,
};

/* ---- following the model ---- */

static void fetch_samples(struct replication *s)
{
	struct lag_sample samples[SAMPLES];
	s->sample_count = model_lag(s->list.pane.ui->model, s->mirror, samples, SAMPLES);
	for (size_t i = 0; i < s->sample_count; i++) {
		s->lag[i] = samples[i].lag_s;
		s->rate[i] = samples[i].changes_per_s;
	}
}

/* A window at a time: each brings its error along, which is large. */
static struct changed *count_changes(struct replication *s, const size_t *indexes, size_t *n)
{
	struct changed *all = xcalloc(*n, sizeof(*all));
	struct changes_view *some = xmalloc(WINDOW_MAX * sizeof(*some));
	size_t found = 0;
	for (size_t first = 0; first < *n; first += WINDOW_MAX) {
		size_t got = model_changes(s->list.pane.ui->model, s->mirror, indexes + first,
			MIN(*n - first, (size_t)WINDOW_MAX), some);
		for (size_t i = 0; i < got; i++) {
			const struct changes_view *v = &some[i];
			all[found++] = (struct changed){ v->index,
				{ v->inserts, v->updates, v->deletes, v->truncates, v->missing } };
		}
	}
	free(some);
	*n = found;
	return all;
}

static void fetch_tables(struct replication *s)
{
	struct ui *u = s->list.pane.ui;
	size_t *indexes;
	if (!run_tables_due(&s->tables, u, s->mirror, s->list.count))
		return;
	size_t count = model_changed_tables(u->model, s->mirror, &indexes);
	struct changed *rows = count_changes(s, indexes, &count);
	free(indexes);
	list_take(&s->list, rows, count, sizeof(*rows));
}

static void sync(struct pane *p)
{
	struct replication *s = (struct replication *)p;
	if (!model_mirror(p->ui->model, s->mirror, &s->view))
		return;
	s->known = model_replication(p->ui->model, s->mirror, &s->now);
	fetch_samples(s);
	fetch_tables(s);
}

/* ---- drawing ---- */

/* How the lag is drawn: in its line, below it, or in a chart beside that of the changes. */
enum look { LOOK_LINE, LOOK_LOW, LOOK_TALL };

static enum look look_in(int rows)
{
	return rows >= TALL_FROM ? LOOK_TALL : rows >= LOW_FROM ? LOOK_LOW : LOOK_LINE;
}

/* "● catching up  lag 12 s  1.42 GB  reaches 0 at 14:05  ▂▃▅▇" */
static void render_lag(const struct replication *s, const struct canvas *c, enum look look)
{
	const struct replication_view *r = &s->now;
	char text[128], bytes[FORMAT_SIZE], lag[FORMAT_SIZE];
	enum role role = mirror_state_text(s->list.pane.ui, s->view.state, text, sizeof(text));
	int x = canvas_add(c, 0, 1, role, text) + 2;
	if (!s->known || !r->running) {
		canvas_add(c, 0, x, ROLE_DIM, s->view.next);
		return;
	}
	x = canvas_addf(c, 0, x, ROLE_DIM, "lag ");
	x = canvas_add(c, 0, x, ROLE_TITLE, format_lag(r->lag_s, lag)) + 2;
	if (r->lag_bytes >= 0)
		x = canvas_add(c, 0, x, ROLE_TEXT, format_bytes(r->lag_bytes, bytes)) + 2;
	role = forecast_text(r, s->view.state, wall_us(), text, sizeof(text));
	x = canvas_add(c, 0, x, role, text) + 2;
	if (look != LOOK_LINE || c->cols - x < 8)
		return;
	struct canvas line = canvas_part(c, 0, x, 1, c->cols - x - 1);
	sparkline_render(&line, ROLE_PROGRESS, s->lag, s->sample_count);
}

static void render_rates(const struct replication *s, const struct canvas *c)
{
	const struct replication_view *r = &s->now;
	char a[FORMAT_SIZE], b[FORMAT_SIZE];
	int x = canvas_addf(c, 0, 1, ROLE_TEXT, "%s changes/s  %s transactions/s",
		format_per_second(r->changes_per_s, a), format_per_second(r->transactions_per_s, b));
	x = canvas_addf(c, 0, x + 2, ROLE_DIM, "so far %s in %s", format_count(r->changes, a),
		format_count(r->transactions, b));
	if (r->transaction_bytes > 0)
		canvas_addf(c, 0, x + 2, ROLE_PROGRESS, "a transaction of %s", format_bytes(r->transaction_bytes, a));
}

/* As many on a line as fit; returns how many lines they took. */
static int render_positions(const struct replication *s, const struct canvas *c)
{
	const struct replication_view *r = &s->now;
	const struct {
		const char *name;
		lsn_t at;
	} all[] = { { "written", r->written }, { "sent", r->sent }, { "received", r->received },
		{ "applied", r->applied }, { "confirmed", r->confirmed } };
	int x = 1, y = 0;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		char text[FORMAT_SIZE];
		position_text(all[i].at, text);
		int cells = text_width(all[i].name) + 1 + text_width(text);
		if (x + cells > c->cols && x > 1) {
			x = 1;
			y++;
		}
		x = canvas_add(c, y, x, ROLE_DIM, all[i].name) + 1;
		x = canvas_add(c, y, x, ROLE_TEXT, text) + 2;
	}
	return y + 1;
}

static void render_slot(const struct replication *s, const struct canvas *c)
{
	char text[256];
	enum role role = slot_text(&s->now, wall_us(), text, sizeof(text));
	int x = canvas_add(c, 0, 1, ROLE_DIM, "slot") + 1;
	x = canvas_add(c, 0, x, ROLE_TEXT, s->now.slot) + 2;
	canvas_add(c, 0, x, role, text);
}

static int note(const struct replication *s, const struct canvas *c, int y, enum role role, const char *fmt,
	...) PG_PRINTF(5, 6);

static int note(const struct replication *s, const struct canvas *c, int y, enum role role, const char *fmt,
	...)
{
	char text[640];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	int x = canvas_add(c, y, 1, role, theme_glyph(s->list.pane.ui->theme, GLYPH_TROUBLE)) + 1;
	canvas_put(c, y, x, c->cols - x - 1, ALIGN_LEFT, role, text);
	return y + 1;
}

/* What a person should know of, a line each, and none when all is well. */
static int render_notes(const struct replication *s, const struct canvas *c)
{
	const struct replication_view *r = &s->now;
	int y = 0;
	if (s->view.error.class != ERROR_NONE)
		y = note(s, c, y, ROLE_ERROR, "%s", without_subject(s->view.error.text, "mirror", s->mirror));
	if (r->stall[0] != '\0')
		y = note(s, c, y, ROLE_WARN, "%s", r->stall);
	const struct changes_view *v = selected_changes(s);
	if (v && v->paused)
		y = note(s, c, y, ROLE_WARN, "%s", v->error.text);
	else if (r->tables_paused > 0)
		y = note(s, c, y, ROLE_WARN, "%zu table%s paused: mend the cause, then r goes on; the others replicate",
			r->tables_paused, r->tables_paused == 1 ? " is" : "s are");
	if (r->missing > 0)
		y = note(s, c, y, ROLE_WARN, "%lld row%s not found on the target, last: %s", (long long)r->missing,
			r->missing == 1 ? " was" : "s were", r->missing_last);
	if (r->slow_batches > 0)
		y = note(s, c, y, ROLE_DIM, "%lld batch%s replayed change by change, last: %s",
			(long long)r->slow_batches, r->slow_batches == 1 ? "" : "es", r->slow_why);
	return y;
}

static void render_lag_chart(const struct replication *s, const struct canvas *c)
{
	const struct chart lag = { "lag", ROLE_PROGRESS, s->lag, s->sample_count, format_lag };
	chart_render(&lag, c);
}

static void render_charts(const struct replication *s, const struct canvas *c)
{
	const struct chart rate = { "changes/s", ROLE_OK, s->rate, s->sample_count, format_per_second };
	int half = (c->cols - 3) / 2;
	struct canvas left = canvas_part(c, 0, 1, c->rows, half);
	struct canvas right = canvas_part(c, 0, half + 2, c->rows, half);
	render_lag_chart(s, &left);
	chart_render(&rate, &right);
}

static void describe(const struct pane *p, struct facts *f)
{
	const struct replication *s = (const struct replication *)p;
	const struct changes_view *v = selected_changes(s);
	if (!v)
		return;
	facts_add(f, "table", ROLE_TITLE, "%s", name_of(s, selected(s)));
	facts_add(f, "inserts", ROLE_TEXT, "%lld", (long long)v->inserts);
	facts_add(f, "updates", ROLE_TEXT, "%lld", (long long)v->updates);
	facts_add(f, "deletes", ROLE_TEXT, "%lld", (long long)v->deletes);
	facts_add(f, "truncates", ROLE_TEXT, "%lld", (long long)v->truncates);
	facts_add(f, "missing rows", v->missing > 0 ? ROLE_WARN : ROLE_TEXT, "%lld", (long long)v->missing);
	if (v->paused)
		error_facts(f, &v->error);
}

/* Draws at the top of what is left of *c and takes that many rows away. */
static struct canvas take_rows(struct canvas *c, int rows)
{
	struct canvas part = canvas_part(c, 0, 0, rows, c->cols);
	*c = canvas_part(c, rows, 0, c->rows - rows, c->cols);
	return part;
}

/* What the stream does, from the top down. */
static void render_stream(const struct replication *s, struct canvas *rest, enum look look)
{
	struct canvas line = take_rows(rest, 1);
	render_lag(s, &line, look);
	if (!s->known)
		return;
	if (look == LOOK_LOW) {
		line = take_rows(rest, LOW_ROWS);
		line = canvas_part(&line, 0, 1, line.rows, line.cols - 2);
		render_lag_chart(s, &line);
	}
	line = take_rows(rest, 1);
	render_rates(s, &line);
	take_rows(rest, render_positions(s, rest));
	line = take_rows(rest, s->now.slot[0] != '\0');
	if (line.rows > 0)
		render_slot(s, &line);
}

static void render(struct pane *p, const struct canvas *c)
{
	struct replication *s = (struct replication *)p;
	struct canvas rest = *c;
	enum look look = look_in(c->rows);
	render_stream(s, &rest, look);
	struct canvas notes = canvas_part(&rest, 0, 0, rest.rows - LIST_LEAST, rest.cols);
	take_rows(&rest, MIN(render_notes(s, &notes), notes.rows));
	if (look == LOOK_TALL) {
		take_rows(&rest, 1);
		struct canvas part = take_rows(&rest, MIN(MAX(c->rows / 6 + 2, TALL_LEAST), TALL_MOST));
		render_charts(s, &part);
		take_rows(&rest, 1);
	}
	list_render_split(p, &rest, DETAIL_FROM, describe);
}

/* ---- keys ---- */

static bool open_error(struct replication *s)
{
	const struct changes_view *v = selected_changes(s);
	if (!v || !v->paused)
		return false;
	ui_push(s->list.pane.ui, text_pane_new(s->list.pane.ui, name_of(s, selected(s)), error_report(&v->error)));
	return true;
}

static bool act(struct pane *p, enum action a)
{
	struct replication *s = (struct replication *)p;
	if (list_act(p, a))
		return true;
	if (selected(s) == TABLE_NOTHING)
		return false;
	if (a == ACTION_OPEN)
		return open_error(s);
	if (a == ACTION_RESYNC)
		table_ask_resync(p, &s->view, index_at(s, selected(s)));
	else if (a == ACTION_COPY)
		ui_copy(p->ui, name_of(s, selected(s)));
	else
		return false;
	return true;
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct replication *s = (const struct replication *)p;
	if (a != ACTION_OPEN && a != ACTION_RESYNC)
		return NULL;
	if (selected(s) == TABLE_NOTHING)
		return "no table is selected";
	if (a == ACTION_RESYNC)
		return mirror_runs(s->view.state) ? NULL : "the mirror does not run";
	const struct changes_view *v = selected_changes(s);
	return v && v->paused ? NULL : "the table is not paused";
}

static const char *label(const struct pane *p, enum action a)
{
	const struct replication *s = (const struct replication *)p;
	if (a == ACTION_OPEN)
		return refuse(p, a) ? "" : "why paused";
	if (a == ACTION_RESYNC)
		return s->list.count == 0 ? "" : NULL;
	return NULL;
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	(void)value;
	if (a == ACTION_RESYNC)
		table_resync(p, ((struct replication *)p)->mirror, subject);
}

static void pane_free(struct pane *p)
{
	struct replication *s = (struct replication *)p;
	run_tables_free(&s->tables);
	list_free(p);
}

static const enum action hints[] = { ACTION_PAUSE, ACTION_RETRY, ACTION_OPEN, ACTION_RESYNC, ACTION_FILTER,
	ACTION_NEXT, ACTION_BACK, ACTION_NONE };

static const struct pane_ops ops = {
	.hints = hints,
	.sync = sync,
	.render = render,
	.act = act,
	.refuse = refuse,
	.label = label,
	.answered = answered,
	.free = pane_free,
};

struct pane *replication_pane_new(struct ui *u, const char *mirror)
{
	struct replication *s = xcalloc(1, sizeof(*s));
	list_init(&s->list, u, &ops, IN_LIST | IN_REPLICATION | IN_WIDE, &source);
	copy_text(s->mirror, sizeof(s->mirror), mirror);
	return &s->list.pane;
}
