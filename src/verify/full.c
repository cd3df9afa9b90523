// SPDX-License-Identifier: PostgreSQL
/* All rows side by side: both sides in the order of their keys' texts (of all columns, where there is no key), as
 * streams that are merged. Nothing is hashed. Servers sort, which takes their disk for a large table. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define AT_ONCE_BYTES (1024 * 1024)
#define MOST_AT_ONCE 5000

/* Columns before the values. */
enum { F_TABLE, F_PLACE, F_VALUES };

struct side_stream {
	struct pg *pg;
	struct rows *rows;
	int at, at_once;
	int64_t count; /* rows so far */
};

struct merging {
	struct verify_run *run;
	struct compared *t;
	struct side_stream side[SIDES];
	struct rows_list shown[SIDES];
	int64_t changed, only[SIDES];
};

static void add_value(struct strbuf *sql, const struct verify_run *r, const struct compared *t, int side, size_t c)
{
	express_text(sql, &r->servers, &t->columns[c].type[side], t->columns[c].quoted[side]);
}

/* UTF-8 has the order of code points, which "C" has in no other encoding. */
static void add_order(struct strbuf *sql, const struct verify_run *r, const struct compared *t, int side)
{
	size_t n = t->key_count ? t->key_count : t->column_count;
	for (size_t i = 0; i < n; i++) {
		strbuf_add(sql, i ? ", " : " ORDER BY ");
		strbuf_add(sql, r->servers.convert ? "convert_to(" : "(");
		add_value(sql, r, t, side, t->key_count ? t->key[i] : i);
		strbuf_add(sql, r->servers.convert ? ", 'UTF8') NULLS LAST" : ") COLLATE \"C\" NULLS LAST");
	}
}

static bool open_stream(struct merging *m, int side, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "DECLARE pgpier NO SCROLL CURSOR FOR SELECT t.tableoid::int8, t.ctid::text");
	for (size_t c = 0; c < m->t->column_count; c++) {
		strbuf_add(&sql, ", ");
		add_value(&sql, m->run, m->t, side, c);
	}
	statement_from(&sql, m->t, side);
	add_order(&sql, m->run, m->t, side);
	bool ok = pg_run(m->side[side].pg, e, sql.text);
	m->side[side].at_once = 100;
	strbuf_free(&sql);
	return ok;
}

static int64_t bytes_of(const struct rows *r, size_t columns)
{
	int64_t n = 0;
	for (int i = 0; i < rows_count(r); i++)
		for (size_t c = 0; c < columns; c++)
			n += (int64_t)strlen(rows_text(r, i, F_VALUES + (int)c));
	return n;
}

/* Rows may be of a few bytes or of many megabytes: as many as make about one megabyte. */
static bool next(struct merging *m, int side, struct error *e)
{
	struct side_stream *s = &m->side[side];
	s->count++;
	if (s->rows && ++s->at < rows_count(s->rows))
		return true;
	char *sql = xasprintf("FETCH %d FROM pgpier", s->at_once);
	rows_free(s->rows);
	s->rows = PG_ROWS(s->pg, e, sql);
	s->at = 0;
	free(sql);
	if (!s->rows)
		return false;
	int64_t bytes = bytes_of(s->rows, m->t->column_count), n = rows_count(s->rows);
	progress_read(m->run, m->t, side, n, 0);
	if (n > 0)
		s->at_once = (int)MAX(MIN(AT_ONCE_BYTES * n / (bytes + 1), MOST_AT_ONCE), 1);
	return true;
}

static bool ended(const struct side_stream *s)
{
	return rows_count(s->rows) == 0;
}

/* ---- comparing ---- */

static int compare_values(const struct merging *m, size_t c)
{
	const struct side_stream *a = &m->side[SOURCE], *b = &m->side[TARGET];
	int column = F_VALUES + (int)c;
	bool x = rows_null(a->rows, a->at, column), y = rows_null(b->rows, b->at, column);
	if (x || y)
		return x - y;
	return strcmp(rows_text(a->rows, a->at, column), rows_text(b->rows, b->at, column));
}

static int compare_order(const struct merging *m)
{
	size_t n = m->t->key_count ? m->t->key_count : m->t->column_count;
	int order = 0;
	for (size_t i = 0; i < n && order == 0; i++)
		order = compare_values(m, m->t->key_count ? m->t->key[i] : i);
	return order;
}

static bool is_same(const struct merging *m)
{
	for (size_t c = 0; c < m->t->column_count; c++)
		if (compare_values(m, c) != 0)
			return false;
	return true;
}

static void show(struct merging *m, int side)
{
	const struct side_stream *s = &m->side[side];
	struct rows_of_hash x = { .count = 1, .place.table = rows_int(s->rows, s->at, F_TABLE) };
	if (m->shown[side].count < VERIFY_SHOWN_ROWS && place_parse(rows_text(s->rows, s->at, F_PLACE), &x.place))
		rows_list_add(&m->shown[side], &x);
}

/* A row that only one side has, or both versions of one. */
static void note(struct merging *m, int order)
{
	if (order <= 0)
		show(m, SOURCE);
	if (order >= 0)
		show(m, TARGET);
	m->changed += order == 0;
	m->only[SOURCE] += order < 0;
	m->only[TARGET] += order > 0;
}

static bool merge(struct merging *m, struct error *e)
{
	if (!next(m, SOURCE, e) || !next(m, TARGET, e))
		return false;
	while (!ended(&m->side[SOURCE]) || !ended(&m->side[TARGET])) {
		int order = ended(&m->side[SOURCE]) ? 1 : ended(&m->side[TARGET]) ? -1 : compare_order(m);
		if (order != 0 || !is_same(m))
			note(m, order);
		if ((order <= 0 && !next(m, SOURCE, e)) || (order >= 0 && !next(m, TARGET, e)))
			return false;
	}
	return true;
}

static void take_result(struct verify_run *r, struct merging *m)
{
	struct verify_table *out = m->t->result;
	out->source_rows = m->side[SOURCE].count - 1;
	out->target_rows = m->side[TARGET].count - 1;
	out->changed = m->changed;
	out->missing = m->only[SOURCE];
	out->extra = m->only[TARGET];
	pthread_mutex_lock(&r->lock);
	r->view.bytes += out->source_bytes + out->target_bytes;
	for (int side = 0; side < SIDES; side++) {
		m->t->left[side] = m->shown[side];
		m->shown[side] = (struct rows_list){ 0 };
	}
	pthread_mutex_unlock(&r->lock);
}

bool job_full(struct worker *w, const struct job *job, struct error *e)
{
	struct merging m = { .run = w->run, .t = job->table };
	bool ok = true;
	for (int side = 0; ok && side < SIDES; side++) {
		m.side[side].pg = worker_connection(w, side, e);
		ok = m.side[side].pg && measure(w->run, m.side[side].pg, job->table, side, e) && open_stream(&m, side, e);
	}
	ok = ok && merge(&m, e) && check_file(m.side[SOURCE].pg, job->table, SOURCE, e) &&
		 check_file(m.side[TARGET].pg, job->table, TARGET, e);
	if (ok)
		take_result(w->run, &m);
	for (int side = 0; side < SIDES; side++) {
		rows_free(m.side[side].rows);
		rows_list_free(&m.shown[side]);
	}
	return ok;
}
