// SPDX-License-Identifier: PostgreSQL
/* DECLARE CURSOR and FETCH into COPY: works where COPY (SELECT ...) does not, and with any server. The next
 * FETCH is sent before the rows of the last one go out, so that both servers work at once. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "pipe.h"

/* Measured: more rows a FETCH leave the cache and are slower. */
#define FETCH_ROWS 1000
/* One result shall not outgrow this: the number of rows follows their size. */
#define FETCH_BYTES (2 * 1024 * 1024)
#define FIRST_FETCH 16

static const char binary_header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"; /* signature, flags, extension */
#define BINARY_HEADER_SIZE 19

static void add16(struct strbuf *b, unsigned v)
{
	strbuf_addn(b, (char[2]){ (char)(v >> 8), (char)v }, 2);
}

static void add32(struct strbuf *b, uint32_t v)
{
	strbuf_addn(b, (char[4]){ (char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v }, 4);
}

static void add_binary_row(struct strbuf *b, const PGresult *r, int row)
{
	int n = PQnfields(r);
	add16(b, (unsigned)n);
	for (int i = 0; i < n; i++) {
		if (PQgetisnull(r, row, i)) {
			add32(b, UINT32_MAX);
			continue;
		}
		int len = PQgetlength(r, row, i);
		add32(b, (uint32_t)len);
		strbuf_addn(b, PQgetvalue(r, row, i), (size_t)len);
	}
}

/* The text format of COPY: tab, newline and backslash are escaped, NULL is \N. */
static void add_text_value(struct strbuf *b, const char *value)
{
	for (const char *p = value; *p;) {
		size_t plain = strcspn(p, "\\\b\f\n\r\t\v");
		strbuf_addn(b, p, plain);
		p += plain;
		if (!*p)
			return;
		static const char from[] = "\\\b\f\n\r\t\v", to[] = "\\bfnrtv";
		strbuf_addn(b, (char[2]){ '\\', to[strchr(from, *p) - from] }, 2);
		p++;
	}
}

static void add_text_row(struct strbuf *b, const PGresult *r, int row)
{
	for (int i = 0; i < PQnfields(r); i++) {
		if (i > 0)
			strbuf_add(b, "\t");
		if (PQgetisnull(r, row, i))
			strbuf_add(b, "\\N");
		else
			add_text_value(b, PQgetvalue(r, row, i));
	}
	strbuf_add(b, "\n");
}

/* ---- the cursor ---- */

static bool send_fetch(struct pg *c, int rows, bool binary, struct error *e)
{
	char sql[64];
	snprintf(sql, sizeof(sql), "FETCH %d FROM pgpier", rows);
	return PQsendQueryParams(pg_conn_borrow(c), sql, 0, NULL, NULL, NULL, NULL, binary) ||
		   pg_error(c, e, NULL, sql);
}

static PGresult *receive_fetch(struct pg *c, struct error *e)
{
	PGconn *conn = pg_conn_borrow(c);
	PGresult *rows = NULL, *r;
	for (;;) {
		while (PQflush(conn) > 0 || PQisBusy(conn)) {
			stop_poll(pg_stop_borrow(c), PQsocket(conn), POLLIN, -1);
			if (stop_raised(pg_stop_borrow(c))) {
				pg_cancel(c);
				pg_abandon(c);
				PQclear(rows);
				error_set(e, ERROR_CANCELLED, "stopped");
				return NULL;
			}
			if (!PQconsumeInput(conn))
				break;
		}
		if (!(r = PQgetResult(conn)))
			break;
		PQclear(rows);
		rows = r;
	}
	if (PQresultStatus(rows) == PGRES_TUPLES_OK)
		return rows;
	pg_error(c, e, rows, "FETCH");
	PQclear(rows);
	return NULL;
}

static int rows_that_fit(int64_t bytes, int64_t rows)
{
	int64_t mean = rows > 0 ? bytes / rows + 1 : 1;
	return (int)MAX(1, MIN(FETCH_ROWS, FETCH_BYTES / mean));
}

/* Sends the rows of r on, in pieces. */
static bool forward(const struct pipe *p, const PGresult *r, bool binary, struct strbuf *out,
	struct pipe_result *result, struct error *e)
{
	for (int i = 0; i < PQntuples(r); i++) {
		if (binary)
			add_binary_row(out, r, i);
		else
			add_text_row(out, r, i);
		result->rows++;
		if (out->len < PIPE_PIECE && i + 1 < PQntuples(r))
			continue;
		throttle_take(p->throttle, (int64_t)out->len, pg_stop_borrow(p->target));
		result->bytes += (int64_t)out->len;
		atomic_store(&p->progress->bytes, result->bytes);
		atomic_store(&p->progress->rows, result->rows);
		bool ok = pipe_target_put(p->target, out->text, out->len, e);
		strbuf_clear(out);
		if (!ok)
			return false;
	}
	return true;
}

/* What stands behind the COPY when rows go by COPY. */
static bool ask_after(const struct pipe *p, struct pipe_result *result, struct error *e)
{
	struct rows *r = p->after_sql ? PG_ROWS(p->source, e, p->after_sql) : NULL;
	if (p->after_sql && !r)
		return false;
	if (r)
		copy_text(result->answer, sizeof(result->answer), rows_text(r, 0, 0));
	rows_free(r);
	return true;
}

static bool fetch_all(const struct pipe *p, bool binary, struct pipe_result *result, struct error *e)
{
	struct strbuf out = STRBUF_INIT;
	bool ok, more = true;
	if (binary)
		strbuf_addn(&out, binary_header, BINARY_HEADER_SIZE);
	ok = send_fetch(p->source, FIRST_FETCH, binary, e);
	while (ok && more) {
		PGresult *r = receive_fetch(p->source, e);
		ok = r != NULL;
		result->source_failed = !ok;
		more = ok && PQntuples(r) > 0;
		if (more) {
			int next = rows_that_fit(result->bytes, result->rows);
			ok = send_fetch(p->source, next, binary, e) && forward(p, r, binary, &out, result, e);
		}
		PQclear(r);
	}
	if (ok && binary)
		add16(&out, 0xFFFF); /* the trailer */
	ok = ok && pipe_target_put(p->target, out.text ? out.text : "", out.len, e);
	strbuf_free(&out);
	return ok;
}

bool pipe_fetch(const struct pipe *p, bool binary, struct pipe_result *result, struct error *e)
{
	int64_t taken = -1;
	struct error ignored;
	*result = (struct pipe_result){ .source_failed = true };
	if (!pg_run(p->source, e, p->source_sql))
		return false;
	result->source_failed = false;
	if (!pipe_target_begin(p->target, p->target_sql, e))
		return false;
	if (fetch_all(p, binary, result, e) && ask_after(p, result, e))
		return pipe_target_end(p->target, NULL, &taken, e) && pipe_check_rows(result->rows, taken, e);
	if (!pg_lost(p->source)) /* a FETCH may be under way */
		pg_abandon(p->source);
	if (!pg_lost(p->target) && !pipe_target_end(p->target, "pgpier: the source failed", &taken, &ignored) &&
		ignored.class == ERROR_CANCELLED)
		pg_abandon(p->target);
	return false;
}
