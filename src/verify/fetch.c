// SPDX-License-Identifier: PostgreSQL
/* Rows with their values: by their places, by their keys, and, where there is no key, by their hashes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define ROWS_AT_ONCE 250
#define MOST_KEYS 32 /* columns of an index */

/* ---- reading ---- */

/* "mark bytes text" */
static void cell_take(struct cell *c, const char *packed)
{
	const char *bytes = strchr(packed, ' '), *text = bytes ? strchr(bytes + 1, ' ') : NULL;
	char cut[VERIFY_SHOWN_BYTES + 1];
	if (!text)
		return;
	c->mark = xmalloc((size_t)(bytes - packed) + 1);
	copy_text(c->mark, (size_t)(bytes - packed) + 1, packed);
	c->bytes = strtoll(bytes + 1, NULL, 10);
	copy_text(cut, sizeof(cut), text + 1);
	c->text = xstrdup(cut);
}

static struct fetched_row *fetched_take(struct fetched *f, const struct compared *t, const struct rows *rows, int row, int first)
{
	struct fetched_row *out = fetched_add(f);
	out->place.table = rows_int(rows, row, first++);
	if (!place_parse(rows_text(rows, row, first++), &out->place))
		out->place = (struct place){ 0 };
	for (size_t k = 0; k < t->key_count; k++, first++)
		out->keys[k] = rows_null(rows, row, first) ? NULL : xstrdup(rows_text(rows, row, first));
	for (size_t c = 0; c < t->column_count; c++, first++)
		if (!rows_null(rows, row, first))
			cell_take(&out->cells[c], rows_text(rows, row, first));
	return out;
}

static void fetched_begin(struct fetched *f, const struct compared *t)
{
	*f = (struct fetched){ .columns = t->column_count, .keys = t->key_count };
}

/* Whatever was read before goes: the job is done anew. */
static void fetched_put(struct verify_run *r, struct fetched *where, struct fetched *take)
{
	pthread_mutex_lock(&r->lock);
	struct fetched old = *where;
	*where = *take;
	pthread_mutex_unlock(&r->lock);
	fetched_free(&old);
	*take = (struct fetched){ 0 };
}

/* ---- by place ---- */

static char *places_statement(const struct verify_run *r, const struct compared *t, int side, size_t first, size_t n)
{
	struct strbuf sql = STRBUF_INIT;
	char place[PLACE_SIZE];
	strbuf_add(&sql, "SELECT ");
	statement_fetched(&sql, r, t, side);
	statement_from(&sql, t, side);
	strbuf_add(&sql, " AND t.ctid = ANY ('{");
	for (size_t i = first; i < first + n; i++)
		strbuf_addf(&sql, "%s\"%s\"", i > first ? "," : "", place_text(&t->left[side].items[i].place, place));
	strbuf_add(&sql, "}'::tid[])");
	return strbuf_take(&sql);
}

static const struct rows_of_hash *wanted_at(const struct rows_list *l, size_t first, size_t n, const struct place *p)
{
	for (size_t i = first; i < first + n; i++) {
		const struct place *q = &l->items[i].place;
		if (q->table == p->table && q->block == p->block && q->offset == p->offset)
			return &l->items[i];
	}
	return NULL;
}

static bool fetch_some(struct pg *c, const struct verify_run *r, const struct job *job, size_t first, size_t n,
	struct fetched *out, struct error *e)
{
	const struct compared *t = job->table;
	size_t before = out->count;
	char *sql = places_statement(r, t, job->side, first, n);
	struct rows *rows = PG_ROWS(c, e, sql);
	free(sql);
	if (!rows)
		return false;
	for (int i = 0; i < rows_count(rows); i++) {
		struct place p = { .table = rows_int(rows, i, 0) };
		const struct rows_of_hash *x =
			place_parse(rows_text(rows, i, 1), &p) ? wanted_at(&t->left[job->side], first, n, &p) : NULL;
		if (x) /* partitions have rows at the same places */
			fetched_take(out, t, rows, i, 0)->times = x->count;
	}
	rows_free(rows);
	return out->count - before == n ||
		   error_set(e, ERROR_CONFLICT, "rows that were seen are gone: it was changed in a way that snapshots do not see");
}

bool job_fetch(struct worker *w, const struct job *job, struct error *e)
{
	struct compared *t = job->table;
	struct fetched found;
	size_t all = MIN(t->left[job->side].count, (size_t)VERIFY_SHOWN_ROWS);
	struct pg *c = worker_connection(w, job->side, e);
	bool ok = c != NULL;
	fetched_begin(&found, t);
	for (size_t first = 0; ok && first < all; first += ROWS_AT_ONCE)
		ok = fetch_some(c, w->run, job, first, MIN(all - first, (size_t)ROWS_AT_ONCE), &found, e);
	if (ok)
		fetched_put(w->run, &t->found[job->side], &found);
	fetched_free(&found);
	return ok;
}

/* ---- by key ---- */

/* Names that no table's column has, so that those of the table need no prefix. */
static char *keys_statement(const struct verify_run *r, const struct compared *t, int side)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "SELECT v.\"pgpier row\", ");
	statement_fetched(&sql, r, t, side);
	strbuf_add(&sql, " FROM unnest(");
	for (size_t k = 0; k < t->key_count; k++)
		strbuf_addf(&sql, "%s$%zu::text[]", k ? ", " : "", k + 1);
	strbuf_add(&sql, ") WITH ORDINALITY v (");
	for (size_t k = 0; k < t->key_count; k++)
		strbuf_addf(&sql, "\"pgpier key %zu\", ", k);
	strbuf_addf(&sql, "\"pgpier row\") JOIN %s AS t ON true", t->side[side].from);
	for (size_t k = 0; k < t->key_count; k++) {
		const struct compared_column *c = &t->columns[t->key[k]];
		strbuf_addf(&sql, " AND t.%s = v.\"pgpier key %zu\"::%s", c->quoted[side], k, c->sql_type[side]);
	}
	if (t->side[side].where)
		strbuf_addf(&sql, " AND %s", t->side[side].where);
	return strbuf_take(&sql);
}

static struct rows *query_keys(struct pg *c, const char *sql, const struct compared *t, const struct fetched *of,
	const size_t *which, size_t n, struct error *e)
{
	const char *words[MOST_KEYS + 1] = { sql };
	char *arrays[MOST_KEYS] = { NULL };
	const char **values = xcalloc(n, sizeof(*values));
	size_t keys = MIN(t->key_count, (size_t)MOST_KEYS);
	for (size_t k = 0; k < keys; k++) {
		struct strbuf b = STRBUF_INIT;
		for (size_t i = 0; i < n; i++)
			values[i] = of->rows[which[i]].keys[k];
		quote_array(&b, n, values);
		words[k + 1] = arrays[k] = strbuf_take(&b);
	}
	struct rows *r = pg_query(c, e, (int)keys + 1, words);
	for (size_t k = 0; k < keys; k++)
		free(arrays[k]);
	free(values);
	return r;
}

static bool same_row(const struct fetched_row *a, const struct fetched_row *b, size_t columns)
{
	for (size_t c = 0; c < columns; c++)
		if (!cells_equal(&a->cells[c], &b->cells[c]))
			return false;
	return true;
}

static bool look_up_some(struct pg *c, const char *sql, const struct job *job, struct fetched *of, const size_t *which,
	size_t n, struct fetched *out, struct error *e)
{
	struct rows *rows = query_keys(c, sql, job->table, of, which, n, e);
	for (int i = 0; rows && i < rows_count(rows); i++) {
		size_t of_row = which[rows_int(rows, i, 0) - 1];
		struct fetched_row *found = fetched_take(out, job->table, rows, i, 1);
		if (of->rows[of_row].partner != PAIR_NONE)
			continue; /* the key is there twice */
		of->rows[of_row].partner = out->count - 1;
		of->rows[of_row].same = same_row(&of->rows[of_row], found, out->columns);
		found->partner = of_row;
	}
	rows_free(rows);
	return rows != NULL;
}

/* Indexes of rows that have no partner. */
static size_t *unpaired_rows(const struct fetched *f, size_t *n)
{
	size_t *which = xcalloc(f->count, sizeof(*which));
	*n = 0;
	for (size_t i = 0; i < f->count; i++)
		if (f->rows[i].partner == PAIR_NONE)
			which[(*n)++] = i;
	return which;
}

/* Rows are added to those that are there: their partners' indexes move up by as many. */
static void put_partners(struct verify_run *r, struct fetched *where, struct fetched *take, struct fetched *of,
	const size_t *which, size_t n)
{
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < n; i++)
		if (of->rows[which[i]].partner != PAIR_NONE)
			of->rows[which[i]].partner += where->count;
	fetched_append(where, take);
	pthread_mutex_unlock(&r->lock);
}

static bool look_up(struct worker *w, struct pg *c, const struct job *job, struct error *e)
{
	struct compared *t = job->table;
	struct fetched *of = &t->found[!job->side], found;
	size_t n;
	size_t *which = unpaired_rows(of, &n);
	char *sql = keys_statement(w->run, t, job->side);
	bool ok = true;
	fetched_begin(&found, t);
	for (size_t first = 0; ok && first < n; first += ROWS_AT_ONCE)
		ok = look_up_some(c, sql, job, of, which + first, MIN(n - first, (size_t)ROWS_AT_ONCE), &found, e);
	for (size_t i = 0; !ok && i < n; i++)
		of->rows[which[i]].partner = PAIR_NONE;
	if (ok)
		put_partners(w->run, &t->found[job->side], &found, of, which, n);
	fetched_free(&found);
	free(which);
	free(sql);
	return ok;
}

/* ---- by hash ---- */

/* Which of the rows that were picked does this side have as well? Their hashes stand where keys would. */
static bool look_up_hashes(struct worker *w, struct pg *c, const struct job *job, struct error *e)
{
	struct compared *t = job->table;
	struct fetched *of = &t->found[!job->side];
	struct strbuf sql = STRBUF_INIT;
	strbuf_addf(&sql, "SELECT DISTINCT h FROM (SELECT %s AS h", t->side[job->side].row);
	statement_from(&sql, t, job->side);
	strbuf_add(&sql, " OFFSET 0) q WHERE h = ANY ('{");
	for (size_t i = 0; i < of->count; i++)
		strbuf_addf(&sql, "%s%lld", i ? "," : "", (long long)of->rows[i].hash);
	strbuf_add(&sql, "}'::int8[])");
	struct rows *rows = PG_ROWS(c, e, sql.text);
	strbuf_free(&sql);
	pthread_mutex_lock(&w->run->lock);
	for (int i = 0; rows && i < rows_count(rows); i++)
		for (size_t k = 0; k < of->count; k++)
			of->rows[k].same = of->rows[k].same || of->rows[k].hash == rows_int(rows, i, 0);
	pthread_mutex_unlock(&w->run->lock);
	rows_free(rows);
	return rows != NULL;
}

bool job_lookup(struct worker *w, const struct job *job, struct error *e)
{
	struct pg *c = worker_connection(w, job->side, e);
	if (!c)
		return false;
	return job->table->key_count ? look_up(w, c, job, e) : look_up_hashes(w, c, job, e);
}

/* ---- at random ---- */

/* Blocks are chosen first, more than enough, then rows of them; a table that has fewer rows than its statistics say
 * is read whole. */
static double percent_of(const struct compared *t, int64_t sample)
{
	double rows = MAX(t->side[SOURCE].tuples, (double)t->names->rows);
	double percent = rows > 0 ? 100.0 * 20.0 * (double)sample / rows : 100;
	return MIN(percent, 100);
}

static bool pick(struct verify_run *r, struct pg *c, struct compared *t, double percent, struct fetched *out, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_addf(&sql, "SELECT %s, ", t->side[SOURCE].row);
	statement_fetched(&sql, r, t, SOURCE);
	strbuf_addf(&sql, " FROM %s AS t", t->side[SOURCE].from);
	if (percent < 100)
		strbuf_addf(&sql, " TABLESAMPLE SYSTEM (%.6f)", percent);
	strbuf_addf(&sql, " ORDER BY random() LIMIT %lld", (long long)r->set->sample);
	struct rows *rows = PG_ROWS(c, e, sql.text);
	strbuf_free(&sql);
	for (int i = 0; rows && i < rows_count(rows); i++) {
		struct fetched_row *x = fetched_take(out, t, rows, i, 1);
		x->hash = rows_int(rows, i, 0);
	}
	rows_free(rows);
	return rows != NULL;
}

bool job_pick(struct worker *w, const struct job *job, struct error *e)
{
	struct compared *t = job->table;
	struct fetched found;
	double percent = percent_of(t, w->run->set->sample);
	struct pg *c = worker_connection(w, SOURCE, e);
	fetched_begin(&found, t);
	bool ok = c && pick(w->run, c, t, percent, &found, e);
	if (ok && percent < 100 && (int64_t)found.count < w->run->set->sample) {
		fetched_free(&found);
		fetched_begin(&found, t);
		ok = pick(w->run, c, t, 100, &found, e);
	}
	ok = ok && check_file(c, t, SOURCE, e);
	if (ok) {
		t->result->looked_at = (int64_t)found.count;
		fetched_put(w->run, &t->found[SOURCE], &found);
	}
	fetched_free(&found);
	return ok;
}
