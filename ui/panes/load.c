// SPDX-License-Identifier: PostgreSQL
/* The initial load of a mirror: the bar, its tables, its workers.
 *
 * Fifty thousand tables are kept here as a key each (state and the value sorted by); the rest of a row is asked
 * of the model when it is about to be drawn. */
#include "panes/list.h"
#include "panes/run_tables.h"

#include "widgets/bars.h"
#include "widgets/sparkline.h"

#include <pgpier/format.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_MAX 256
#define DETAIL_FROM 160 /* columns; the list itself needs 100 */

enum { COL_TABLE, COL_STATE, COL_CHUNKS, COL_ROWS, COL_BYTES, COL_RATE, COL_ETA, COL_COUNT };

static const struct column columns[COL_COUNT] = {
	[COL_TABLE] = { "TABLE", 17, 64, ALIGN_LEFT, 0, false, false },
	[COL_STATE] = { "STATE", 8, 10, ALIGN_LEFT, 0, false, false },
	[COL_CHUNKS] = { "CHUNKS", 8, 12, ALIGN_RIGHT, 3, false, false },
	[COL_ROWS] = { "ROWS", 12, 18, ALIGN_RIGHT, 1, false, false },
	[COL_BYTES] = { "BYTES", 13, 16, ALIGN_RIGHT, 2, false, false },
	[COL_RATE] = { "RATE", 8, 10, ALIGN_RIGHT, 4, false, false },
	[COL_ETA] = { "ETA", 8, 400, ALIGN_LEFT, 0, true, false },
};

struct load {
	struct list list; /* of a load_key for each table, in index order */
	char mirror[NAME_SIZE];
	struct mirror_view view;
	struct run_tables tables;
	struct table_view window[WINDOW_MAX]; /* the rows on the screen */
	size_t window_count;
	struct worker_view *workers;
	size_t worker_count;
	struct spark spark;
};

/* ---- rows ---- */

static uint64_t identity(const void *data, size_t row)
{
	(void)data;
	return row;
}

static const char *name_of(const struct load *s, size_t row)
{
	return run_tables_name(&s->tables, row);
}

static const struct load_key *key_at(const struct load *s, size_t row)
{
	return list_row(s, row);
}

/* What moves stands first, then what needs a person, then what waits, then what is over. */
static int state_rank(enum table_state s)
{
	static const int ranks[TABLE_STATE_COUNT] = {
		[TABLE_COPYING] = 0, [TABLE_BUILDING] = 1, [TABLE_PLANNING] = 2, [TABLE_CREATING] = 3,
		[TABLE_FAILED] = 4, [TABLE_PAUSED] = 5, [TABLE_QUEUED] = 6, [TABLE_DONE] = 7,
	};
	return ranks[s];
}

static int compare_keys(const struct load *s, int column, size_t a, size_t b)
{
	const struct load_key *x = key_at(s, a), *y = key_at(s, b);
	if (column == COL_TABLE)
		return strcmp(name_of(s, a), name_of(s, b));
	if (column == COL_STATE)
		return state_rank(x->state) - state_rank(y->state);
	return ORDER(x->value, y->value);
}

/* In their own order (no column chosen) rows stand by state, the largest first. */
static int compare_rows(const void *a, const void *b, void *load)
{
	const struct load *s = load;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order;
	if (s->list.table.sort >= 0) {
		order = compare_keys(s, s->list.table.sort, x, y);
		order = s->list.table.descending ? -order : order;
	} else {
		order = compare_keys(s, COL_STATE, x, y);
		if (order == 0)
			order = compare_keys(s, COL_BYTES, y, x);
		order = s->list.table.descending ? -order : order;
	}
	return order != 0 ? order : ORDER(x, y);
}

/* The filter looks at the name and the state: `orders`, `failed`, `!done`. */
static void arrange(void *data, struct table *t)
{
	struct load *s = data;
	const char *what = edit_text(&t->filter);
	char text[4 * NAME_SIZE];
	t->rows = xrealloc(t->rows, s->list.count * sizeof(*t->rows));
	t->count = 0;
	for (size_t i = 0; i < s->list.count; i++) {
		snprintf(text, sizeof(text), "%s %s", name_of(s, i), table_state_name(key_at(s, i)->state));
		if (text_matches(text, what))
			t->rows[t->count++] = i;
	}
	qsort_r(t->rows, t->count, sizeof(*t->rows), compare_rows, s);
}

static void window(void *data, const size_t *rows, size_t n)
{
	struct load *s = data;
	s->window_count = model_load_tables(
		s->list.pane.ui->model, s->mirror, rows, MIN(n, (size_t)WINDOW_MAX), s->window);
}

static const struct table_view *table_at(const struct load *s, size_t row)
{
	for (size_t i = 0; i < s->window_count; i++)
		if (s->window[i].index == row)
			return &s->window[i];
	return NULL;
}

static void state_cell(const struct ui *u, const struct table_view *v, struct cell *out)
{
	enum glyph g = GLYPH_ACTIVE;
	out->role = ROLE_PROGRESS;
	if (v->state == TABLE_QUEUED) {
		copy_text(out->text, sizeof(out->text), table_state_name(v->state));
		out->role = ROLE_DIM;
		return;
	}
	if (v->state == TABLE_FAILED) {
		g = GLYPH_TROUBLE;
		out->role = ROLE_ERROR;
	} else if (v->state == TABLE_PAUSED) {
		g = GLYPH_TROUBLE;
		out->role = ROLE_WARN;
	} else if (v->state == TABLE_DONE) {
		g = GLYPH_DONE;
		out->role = ROLE_OK;
	} else if (v->stall[0] != '\0') {
		out->role = ROLE_WARN;
	}
	snprintf(out->text, sizeof(out->text), "%s %s", theme_glyph(u->theme, g),
		table_state_name(v->state));
}

/* The last column says what matters: how long still, how long it took, or what it waits for. */
static void eta_cell(const struct table_view *v, struct cell *out)
{
	char text[FORMAT_SIZE];
	if (v->state == TABLE_FAILED || v->state == TABLE_PAUSED) {
		out->role = v->state == TABLE_FAILED ? ROLE_ERROR : ROLE_WARN;
		copy_text(out->text, sizeof(out->text), without_subject(v->error.text, "table", v->source));
	} else if (v->stall[0] != '\0') {
		out->role = ROLE_WARN;
		copy_text(out->text, sizeof(out->text), v->stall);
	} else if (v->state == TABLE_DONE) {
		copy_text(out->text, sizeof(out->text), format_duration(v->elapsed_s, text));
	} else if (v->state == TABLE_BUILDING) {
		snprintf(out->text, sizeof(out->text), "%zu/%zu built", v->builds_done, v->builds);
	} else {
		copy_text(out->text, sizeof(out->text), format_eta(v->eta_s, text));
	}
}

static void cell(const void *data, size_t row, int column, struct cell *out)
{
	const struct load *s = data;
	const struct table_view *v = table_at(s, row);
	char rate[FORMAT_SIZE];
	out->role = ROLE_TEXT;
	out->text[0] = '\0';
	if (!v)
		return;
	switch (column) {
	case COL_TABLE:
		copy_text(out->text, sizeof(out->text), v->source);
		break;
	case COL_STATE:
		state_cell(s->list.pane.ui, v, out);
		break;
	case COL_CHUNKS:
		if (v->chunks > 0)
			snprintf(out->text, sizeof(out->text), "%zu/%zu", v->chunks_done, v->chunks);
		else
			copy_text(out->text, sizeof(out->text), "-");
		break;
	case COL_ROWS:
		done_of_total_rows(v->rows, v->rows_total, v->exact, out->text, sizeof(out->text));
		break;
	case COL_BYTES:
		done_of_total_bytes(v->bytes, v->bytes_total, v->exact, out->text, sizeof(out->text));
		break;
	case COL_RATE:
		copy_text(out->text, sizeof(out->text), format_rate(v->rate, rate));
		break;
	case COL_ETA:
		eta_cell(v, out);
		break;
	}
}

static const struct table_source source = {
	.columns = columns,
	.column_count = COL_COUNT,
	.empty = "the list of tables comes when the mirror has started; p starts it",
	.identity = identity,
	.cell = cell,
	.arrange = arrange,
	.window = window,
};

/* ---- following the model ---- */

static enum load_column key_column(int sort)
{
	static const enum load_column map[COL_COUNT] = { LOAD_NAME, LOAD_STATE, LOAD_CHUNKS, LOAD_ROWS,
		LOAD_BYTES, LOAD_RATE, LOAD_ETA };
	return sort >= 0 ? map[sort] : LOAD_BYTES;
}

static void fetch_keys(struct load *s)
{
	struct ui *u = s->list.pane.ui;
	struct load_key *keys;
	if (!run_tables_due(&s->tables, u, s->mirror, s->list.count))
		return;
	size_t count = model_load_keys(u->model, s->mirror, key_column(s->list.table.sort), &keys);
	list_take(&s->list, keys, count, sizeof(*keys));
}

static void sync(struct pane *p)
{
	struct load *s = (struct load *)p;
	if (!model_mirror(p->ui->model, s->mirror, &s->view))
		return;
	fetch_keys(s);
	free(s->workers);
	s->worker_count = model_workers(p->ui->model, s->mirror, &s->workers);
	if (mirror_runs(s->view.state))
		spark_sample(&s->spark, p->ui->now, s->view.load.rate);
}

/* ---- drawing ---- */

static void render_bar(const struct load *s, const struct canvas *c)
{
	char percent[16], text[400];
	int cells = MIN(MAX(c->cols * 2 / 5, 16), 80);
	const struct mirror_view *v = &s->view;
	progress_render(c, 0, 1, cells, v->load.fraction);
	int x = canvas_addf(c, 0, cells + 2, ROLE_TITLE, "%s",
		percent_text(v->load.fraction, percent, sizeof(percent)));
	mirror_progress_text(v, text, sizeof(text));
	canvas_add(c, 0, x + 2,
		v->state == MIRROR_FAILED	 ? ROLE_ERROR
		: v->error.class != ERROR_NONE ? ROLE_WARN
									   : ROLE_TEXT,
		text);
}

static void render_counts(const struct load *s, const struct canvas *c)
{
	const struct load_totals *l = &s->view.load;
	char rows[64], state[64];
	enum role role = mirror_state_text(s->list.pane.ui, s->view.state, state, sizeof(state));
	done_of_total_rows(l->rows, l->rows_total, l->exact, rows, sizeof(rows));
	int x = canvas_add(c, 1, 1, role, state) + 2;
	x = canvas_addf(c, 1, x, ROLE_DIM, "%zu/%zu tables  %zu/%zu chunks  %s rows", l->tables_done,
		l->tables, l->chunks_done, l->chunks, rows);
	if (l->builds > 0)
		x = canvas_addf(c, 1, x, ROLE_DIM, "  %zu/%zu built", l->builds_done, l->builds);
	if (l->tables_failed > 0)
		x = canvas_addf(c, 1, x, ROLE_ERROR, "  %zu failed", l->tables_failed);
	if (c->cols - x > 12)
		spark_render(&s->spark, c, 1, x + 3, MIN(c->cols - x - 4, 60));
}

/* "workers 4  1 copy order_lines #813 92%  2 ...": as many as the lines hold. */
static void render_workers(const struct load *s, const struct canvas *c)
{
	int y = 0, x = canvas_addf(c, 0, 1, ROLE_DIM, "workers") + 1;
	x = canvas_addf(c, 0, x, ROLE_TITLE, "%d", s->view.workers) + 2;
	if (s->view.rate_limit_mb > 0)
		x = canvas_addf(c, 0, x, ROLE_WARN, "limit %d MB/s", s->view.rate_limit_mb) + 2;
	for (size_t i = 0; i < s->worker_count; i++) {
		const struct worker_view *w = &s->workers[i];
		char text[256], percent[16] = "";
		if (w->doing[0] == '\0')
			continue;
		if (w->fraction >= 0)
			percent_text(w->fraction, percent, sizeof(percent));
		bool copies = strcmp(w->doing, "copy") == 0; /* what they mostly do needs no word */
		snprintf(text, sizeof(text), "%d %s%s%s %s", w->number, copies ? "" : w->doing,
			copies ? "" : " ", w->what, percent);
		int cells = text_width(text);
		if (x + cells > c->cols && y + 1 < c->rows) {
			y++;
			x = 9;
		}
		if (x + cells <= c->cols || y + 1 == c->rows)
			x = canvas_add(c, y, x, ROLE_TEXT, text) + 2;
	}
}

static const struct table_view *selected(const struct load *s)
{
	size_t row = table_selected(&s->list.table);
	return row == TABLE_NOTHING ? NULL : table_at(s, row);
}

/* What the narrow last column of the selected table can't hold: why it stands, how it is copied. */
static void render_note(const struct load *s, const struct canvas *c)
{
	const struct table_view *v = selected(s);
	if (!v)
		return;
	if (v->stall[0] != '\0')
		canvas_add(c, 2, 1, ROLE_WARN, v->stall);
	else if (v->error.class != ERROR_NONE)
		canvas_add(c, 2, 1, ROLE_ERROR, without_subject(v->error.text, "table", v->source));
	else
		canvas_add(c, 2, 1, ROLE_DIM, v->how);
}

static void describe(const struct pane *p, struct facts *f)
{
	const struct table_view *v = selected((const struct load *)p);
	if (v)
		table_facts(f, p->ui, v);
}

static void render(struct pane *p, const struct canvas *c)
{
	struct load *s = (struct load *)p;
	int workers = c->rows >= 30 ? 3 : c->rows >= 16 ? 2 : 1;
	struct canvas middle = canvas_part(c, 3, 0, c->rows - 3 - workers, c->cols);
	struct canvas foot = canvas_part(c, c->rows - workers, 0, workers, c->cols);
	render_bar(s, c);
	render_counts(s, c);
	list_render_split(p, &middle, DETAIL_FROM, describe);
	render_note(s, c);
	render_workers(s, &foot);
}

/* ---- keys ---- */

static void tune(struct load *s, int workers, int parallel, int rate, const char *done)
{
	struct command c = { .kind = COMMAND_MIRROR_TUNE,
		.workers = workers,
		.tables_in_parallel = parallel,
		.rate_limit_mb = rate };
	copy_text(c.name, sizeof(c.name), s->mirror);
	ui_submit(s->list.pane.ui, &c, done);
}

static void ask_number(struct pane *p, enum action a, const char *head, const char *text, int now)
{
	char value[16];
	snprintf(value, sizeof(value), "%d", now);
	ui_ask(p->ui, &(struct question){
					  .kind = ASK_VALUE, .action = a, .title = head, .text = text, .value = value });
}

static bool open_chunks(struct load *s)
{
	size_t row = table_selected(&s->list.table);
	if (row == TABLE_NOTHING)
		return false;
	ui_push(s->list.pane.ui, chunks_pane_new(s->list.pane.ui, s->mirror, row, name_of(s, row)));
	return true;
}

static bool act(struct pane *p, enum action a)
{
	struct load *s = (struct load *)p;
	if (list_act(p, a)) {
		s->tables.fetched_at = 0; /* another column may need its values */
		return true;
	}
	switch (a) {
	case ACTION_OPEN:
		return open_chunks(s);
	case ACTION_WORKERS_UP:
		tune(s, s->view.workers + 1, -1, -1, "one more worker");
		return true;
	case ACTION_WORKERS_DOWN:
		tune(s, s->view.workers - 1, -1, -1, "one worker less");
		return true;
	case ACTION_BANDWIDTH:
		ask_number(p, a, "Rate limit", "MB/s (10^6 bytes) for all workers together; 0 = none.",
			s->view.rate_limit_mb);
		return true;
	case ACTION_PARALLEL:
		ask_number(p, a, "Tables at once", "How many tables are copied at the same time.",
			s->view.tables_in_parallel);
		return true;
	case ACTION_COPY:
		if (table_selected(&s->list.table) != TABLE_NOTHING)
			ui_copy(p->ui, name_of(s, table_selected(&s->list.table)));
		return true;
	default:
		return false;
	}
}

/* Nothing of it can be steered any more. */
static bool is_over(const struct mirror_view *v)
{
	return v->state == MIRROR_DONE || v->state == MIRROR_CATCHING_UP || v->state == MIRROR_REPLICATING;
}

static const char *refuse(const struct pane *p, enum action a)
{
	const struct load *s = (const struct load *)p;
	if ((action_contexts(a) & IN_LOAD) && is_over(&s->view))
		return "the initial load is done";
	if (a == ACTION_WORKERS_DOWN && s->view.workers <= 1)
		return "one worker is the least";
	if (a == ACTION_OPEN && s->list.count == 0)
		return "there are no tables yet";
	return NULL;
}

static void answered(struct pane *p, enum action a, const char *subject, const char *value)
{
	struct load *s = (struct load *)p;
	char *end;
	long n = strtol(value, &end, 10);
	(void)subject;
	if (a != ACTION_BANDWIDTH && a != ACTION_PARALLEL)
		return;
	if (*value == '\0' || *end != '\0' || n < 0 || n > 1000000)
		ui_toast(p->ui, true, "not a number: %s", value);
	else if (a == ACTION_BANDWIDTH)
		tune(s, -1, -1, (int)n, n > 0 ? "rate limited" : "no rate limit");
	else
		tune(s, -1, (int)n, -1, "changed");
}

static void pane_free(struct pane *p)
{
	struct load *s = (struct load *)p;
	run_tables_free(&s->tables);
	free(s->workers);
	list_free(p);
}

static const char *label(const struct pane *p, enum action a)
{
	bool over = is_over(&((const struct load *)p)->view);
	return over && (action_contexts(a) & IN_LOAD) ? "" : NULL;
}

static const enum action hints[] = { ACTION_OPEN, ACTION_PAUSE, ACTION_RETRY, ACTION_WORKERS_UP,
	ACTION_WORKERS_DOWN, ACTION_BANDWIDTH, ACTION_FILTER, ACTION_NEXT, ACTION_NONE };

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

struct pane *load_pane_new(struct ui *u, const char *mirror)
{
	struct load *s = xcalloc(1, sizeof(*s));
	list_init(&s->list, u, &ops, IN_LIST | IN_LOAD | IN_WIDE, &source);
	copy_text(s->mirror, sizeof(s->mirror), mirror);
	return &s->list.pane;
}
