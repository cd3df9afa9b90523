// SPDX-License-Identifier: PostgreSQL
/* The pipe by libpq alone, for encrypted connections, and what all ways of moving rows share. */
#include "pipe.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

int64_t pipe_tag_rows(const char *tag)
{
	return strncmp(tag, "COPY ", 5) == 0 ? strtoll(tag + 5, NULL, 10) : -1;
}

bool pipe_check_rows(int64_t sent, int64_t taken, struct error *e)
{
	if (sent == taken)
		return true;
	error_set(e, ERROR_DATA, "the source sent %lld rows, the target took %lld", (long long)sent,
		(long long)taken);
	return error_next(e, "look for a trigger or rule on the target that swallows rows");
}

static bool is_plain(struct pg *c)
{
	PGconn *conn = pg_conn_borrow(c);
	return !PQsslInUse(conn) && !PQgssEncInUse(conn);
}

bool pipe_copy(const struct pipe *p, struct pipe_result *result, struct error *e)
{
	if (is_plain(p->source) && is_plain(p->target))
		return pipe_copy_raw(p, result, e);
	return pipe_copy_libpq(p, result, e);
}

/* ---- waiting ---- */

static bool stopped(struct pg *c, struct error *e)
{
	if (!stop_raised(pg_stop_borrow(c)))
		return false;
	error_set(e, ERROR_CANCELLED, "stopped");
	return true;
}

/* Until libpq has a result for us, or the stop is raised: then the connection is of no use any more. */
static bool wait_result(struct pg *c, const char *sql, struct error *e)
{
	PGconn *conn = pg_conn_borrow(c);
	for (;;) {
		bool unsent = PQflush(conn) > 0;
		if (!unsent && !PQisBusy(conn))
			return true;
		stop_poll(pg_stop_borrow(c), PQsocket(conn), POLLIN | (unsent ? POLLOUT : 0), -1);
		if (stopped(c, e)) {
			pg_cancel(c);
			pg_abandon(c);
			return false;
		}
		if (!PQconsumeInput(conn))
			return pg_error(c, e, NULL, sql);
	}
}

/* Until libpq has a result, or is in the COPY; statements in front of it are passed over. */
static bool begin_copy(struct pg *c, const char *sql, ExecStatusType want, struct error *e)
{
	PGconn *conn = pg_conn_borrow(c);
	if (!PQsendQuery(conn, sql))
		return pg_error(c, e, NULL, sql);
	pg_note_status(c, 0);
	for (;;) {
		if (!wait_result(c, sql, e))
			return false;
		PGresult *r = PQgetResult(conn);
		ExecStatusType status = PQresultStatus(r);
		if (r && status != want && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
			pg_error(c, e, r, sql);
		PQclear(r);
		if (status == want)
			return true;
		if (!r || (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)) {
			while ((r = PQgetResult(conn)))
				PQclear(r);
			return false;
		}
	}
}

/* The result that ends a COPY: its rows, or the error; and the one value of a SELECT behind it. Reads on to
 * the end of the query. */
static bool end_copy(struct pg *c, int64_t *rows, char *answer, size_t size, struct error *e)
{
	PGconn *conn = pg_conn_borrow(c);
	bool ok = true;
	for (;;) {
		if (!wait_result(c, NULL, e))
			return false;
		PGresult *r = PQgetResult(conn);
		if (!r)
			return ok;
		if (PQresultStatus(r) == PGRES_COMMAND_OK)
			*rows = pipe_tag_rows(PQcmdStatus(r));
		else if (PQresultStatus(r) == PGRES_TUPLES_OK && answer && PQntuples(r) == 1)
			copy_text(answer, size, PQgetvalue(r, 0, 0));
		else if (ok)
			ok = pg_error(c, e, r, NULL);
		PQclear(r);
	}
}

/* ---- the target's end ---- */

bool pipe_target_begin(struct pg *target, const char *sql, struct error *e)
{
	return begin_copy(target, sql, PGRES_COPY_IN, e);
}

/* While libpq holds more than a piece that the socket did not take, we wait: memory stays bounded. */
static bool flush_target(struct pg *c, struct error *e)
{
	PGconn *conn = pg_conn_borrow(c);
	int left;
	while ((left = PQflush(conn)) > 0) {
		short got = stop_poll(pg_stop_borrow(c), PQsocket(conn), POLLIN | POLLOUT, -1);
		if (stopped(c, e))
			return false;
		if ((got & POLLIN) && !PQconsumeInput(conn))
			return pg_error(c, e, NULL, NULL);
	}
	return left == 0 || pg_error(c, e, NULL, NULL);
}

bool pipe_target_put(struct pg *target, const char *bytes, size_t n, struct error *e)
{
	PGconn *conn = pg_conn_borrow(target);
	while (n > 0) {
		size_t piece = MIN(n, (size_t)PIPE_PIECE);
		int put = PQputCopyData(conn, bytes, (int)piece);
		if (put < 0)
			return pg_error(target, e, NULL, NULL);
		if (put > 0) {
			bytes += piece;
			n -= piece;
		}
		if (!flush_target(target, e))
			return false;
	}
	return true;
}

bool pipe_target_end(struct pg *target, const char *why, int64_t *rows, struct error *e)
{
	PGconn *conn = pg_conn_borrow(target);
	*rows = -1;
	int put;
	while ((put = PQputCopyEnd(conn, why)) == 0)
		if (!flush_target(target, e))
			return false;
	if (put < 0)
		return pg_error(target, e, NULL, NULL);
	return flush_target(target, e) && end_copy(target, rows, NULL, 0, e);
}

/* ---- the source's end ---- */

/* -1: end of data or trouble; 0: nothing there yet; else a row. */
static int next_row(struct pg *source, char **row, struct error *e)
{
	PGconn *conn = pg_conn_borrow(source);
	for (;;) {
		int n = PQgetCopyData(conn, row, 1);
		if (n != 0)
			return n;
		stop_poll(pg_stop_borrow(source), PQsocket(conn), POLLIN, -1);
		if (stopped(source, e))
			return -2;
		if (!PQconsumeInput(conn)) {
			pg_error(source, e, NULL, NULL);
			return -2;
		}
	}
}

struct gather {
	const struct pipe *pipe;
	struct pipe_result *result;
	char piece[PIPE_PIECE];
	size_t len;
};

static bool gather_flush(struct gather *g, struct error *e)
{
	bool ok = pipe_target_put(g->pipe->target, g->piece, g->len, e);
	throttle_take(g->pipe->throttle, (int64_t)g->len, pg_stop_borrow(g->pipe->target));
	g->result->bytes += (int64_t)g->len;
	atomic_store(&g->pipe->progress->bytes, g->result->bytes);
	atomic_store(&g->pipe->progress->rows, g->result->rows);
	g->len = 0;
	return ok;
}

static bool gather_add(struct gather *g, const char *bytes, size_t n, struct error *e)
{
	while (n > 0) {
		size_t fit = MIN(n, sizeof(g->piece) - g->len);
		memcpy(g->piece + g->len, bytes, fit);
		g->len += fit;
		bytes += fit;
		n -= fit;
		if (g->len == sizeof(g->piece) && !gather_flush(g, e))
			return false;
	}
	return true;
}

static bool pump(struct gather *g, struct error *e)
{
	char *row;
	int n;
	while ((n = next_row(g->pipe->source, &row, e)) > 0) {
		g->result->rows++;
		bool ok = gather_add(g, row, (size_t)n, e);
		PQfreemem(row);
		if (!ok)
			return false;
	}
	g->result->source_failed = n != -1;
	return n == -1 && gather_flush(g, e);
}

/* Leaves neither side in the middle of a COPY. */
static void give_up(const struct pipe *p)
{
	struct error ignored;
	int64_t rows;
	if (!pg_lost(p->source)) {
		pg_cancel(p->source);
		pg_abandon(p->source);
	}
	if (!pg_lost(p->target) && !pipe_target_end(p->target, "pgpier: the source failed", &rows, &ignored) &&
		ignored.class == ERROR_CANCELLED)
		pg_abandon(p->target);
}

bool pipe_copy_libpq(const struct pipe *p, struct pipe_result *result, struct error *e)
{
	*result = (struct pipe_result){ 0 };
	int64_t sent = -1, taken = -1;
	if (!pipe_target_begin(p->target, p->target_sql, e))
		return false;
	struct gather *g = xmalloc(sizeof(*g));
	g->pipe = p;
	g->result = result;
	g->len = 0;
	bool ok = begin_copy(p->source, p->source_sql, PGRES_COPY_OUT, e);
	if (!ok)
		result->source_failed = true;
	if (ok && (ok = pump(g, e))) {
		ok = end_copy(p->source, &sent, result->answer, sizeof(result->answer), e);
		result->source_failed = !ok;
	}
	free(g);
	if (!ok) {
		give_up(p);
		return false;
	}
	result->rows = sent;
	return pipe_target_end(p->target, NULL, &taken, e) && pipe_check_rows(sent, taken, e);
}
