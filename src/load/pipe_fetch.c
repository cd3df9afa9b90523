// SPDX-License-Identifier: PostgreSQL
/* DECLARE CURSOR and FETCH into COPY: works where COPY (SELECT ...) does not, and with any server. Rows are
 * taken one by one as they arrive (libpq's single-row mode) and go out in pieces, so both servers work at once
 * and memory holds a row and a piece, whatever a FETCH brings. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "pipe.h"

/* Enough that the round trip between two FETCHes is nothing beside their rows. */
#define FETCH_ROWS 5000

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

struct fetch {
	const struct pipe *pipe;
	bool binary;
	struct strbuf out;
	struct pipe_result *result;
	struct error *e;
};

static bool send_fetch(struct fetch *f)
{
	PGconn *conn = pg_conn_borrow(f->pipe->source);
	char sql[64];
	snprintf(sql, sizeof(sql), "FETCH %d FROM pgpier", FETCH_ROWS);
	return (PQsendQueryParams(conn, sql, 0, NULL, NULL, NULL, NULL, f->binary) &&
			   PQsetSingleRowMode(conn)) ||
		   pg_error(f->pipe->source, f->e, NULL, sql);
}

/* Waits for the next result; false when stopped or the connection broke. */
static bool await_result(struct fetch *f)
{
	struct pg *source = f->pipe->source;
	PGconn *conn = pg_conn_borrow(source);
	while (PQflush(conn) > 0 || PQisBusy(conn)) {
		stop_poll(pg_stop_borrow(source), PQsocket(conn), POLLIN, -1);
		if (stop_raised(pg_stop_borrow(source))) {
			pg_cancel(source);
			return error_set(f->e, ERROR_CANCELLED, "stopped");
		}
		if (!PQconsumeInput(conn))
			return pg_error(source, f->e, NULL, "FETCH");
	}
	return true;
}

static bool put(struct fetch *f)
{
	const struct pipe *p = f->pipe;
	throttle_take(p->throttle, (int64_t)f->out.len, pg_stop_borrow(p->target));
	f->result->bytes += (int64_t)f->out.len;
	atomic_store(&p->progress->bytes, f->result->bytes);
	atomic_store(&p->progress->rows, f->result->rows);
	bool ok = pipe_target_put(p->target, f->out.text ? f->out.text : "", f->out.len, f->e);
	strbuf_clear(&f->out);
	return ok;
}

static bool forward(struct fetch *f, const PGresult *row)
{
	if (f->binary)
		add_binary_row(&f->out, row, 0);
	else
		add_text_row(&f->out, row, 0);
	f->result->rows++;
	return f->out.len < PIPE_PIECE || put(f);
}

/* One FETCH; *more = it brought rows. */
static bool fetch_some(struct fetch *f, bool *more)
{
	struct pg *source = f->pipe->source;
	*more = false;
	f->result->source_failed = true;
	if (!send_fetch(f))
		return false;
	for (;;) {
		if (!await_result(f))
			return false;
		PGresult *r = PQgetResult(pg_conn_borrow(source));
		if (!r)
			break;
		ExecStatusType status = PQresultStatus(r);
		if (status == PGRES_SINGLE_TUPLE) {
			*more = true;
			f->result->source_failed = false; /* what fails now is the target */
			if (!forward(f, r)) {
				PQclear(r);
				return false;
			}
			f->result->source_failed = true;
		} else if (status != PGRES_TUPLES_OK) {
			pg_error(source, f->e, r, "FETCH");
			PQclear(r);
			return false;
		}
		PQclear(r);
	}
	f->result->source_failed = false;
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
	struct fetch f = { .pipe = p, .binary = binary, .out = STRBUF_INIT, .result = result, .e = e };
	bool more = true, ok = true;
	if (binary)
		strbuf_addn(&f.out, binary_header, BINARY_HEADER_SIZE);
	while (ok && more)
		ok = fetch_some(&f, &more);
	if (ok && binary)
		add16(&f.out, 0xFFFF); /* the trailer */
	ok = ok && put(&f);
	strbuf_free(&f.out);
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
