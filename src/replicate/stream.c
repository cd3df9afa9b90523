// SPDX-License-Identifier: PostgreSQL
#include "stream.h"

#include <pgpier/format.h>

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "../lsn.h"

#define PG_HAS_MESSAGES 140000
#define XLOG_HEADER (1 + 8 + 8 + 8)      /* 'w', start, end of WAL, time */
#define KEEPALIVE_SIZE (1 + 8 + 8 + 1)   /* 'k', end of WAL, time, reply wanted */
#define STATUS_SIZE (1 + 8 + 8 + 8 + 8 + 1)
/* The walsender before this one may take a while to notice that its client has gone. */
#define SLOT_PATIENCE_US 15000000
#define SLOT_IN_USE "55006"
#define POSTGRES_EPOCH_US 946684800000000 /* 2000-01-01 */

struct stream {
	struct pg *pg;
	char *waiting; /* libpq's; did not fit the parcel */
	size_t waiting_size;
	lsn_t received, sent;
	bool asked;
};

static uint64_t get64(const char *at)
{
	uint64_t x;
	memcpy(&x, at, sizeof(x));
	return be64toh(x);
}

static char *put64(char *at, uint64_t x)
{
	x = htobe64(x);
	memcpy(at, &x, sizeof(x));
	return at + sizeof(x);
}

/* Version 1 of the protocol: transactions come whole, when they are known to commit. */
static void start_command(struct strbuf *sql, int version, const char *slot, const char *publication, lsn_t from)
{
	char at[FORMAT_SIZE];
	struct strbuf names = STRBUF_INIT;
	quote_name(&names, publication);
	strbuf_add(sql, "START_REPLICATION SLOT ");
	quote_name(sql, slot);
	strbuf_addf(sql, " LOGICAL %s (proto_version '1', publication_names ", format_lsn(from, at));
	quote_literal(sql, names.text);
	strbuf_add(sql, version >= PG_HAS_MESSAGES ? ", messages 'true')" : ")");
	strbuf_free(&names);
}

static bool start(struct stream *s, const char *slot, const char *publication, lsn_t from, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	start_command(&sql, pg_version(s->pg), slot, publication, from);
	int64_t until = clock_us() + SLOT_PATIENCE_US;
	bool ok = pg_copy_both(s->pg, e, sql.text);
	while (!ok && strcmp(e->sqlstate, SLOT_IN_USE) == 0 && clock_us() < until &&
		   stop_sleep(pg_stop_borrow(s->pg), 100))
		ok = pg_copy_both(s->pg, e, sql.text);
	strbuf_free(&sql);
	return ok;
}

struct stream *stream_open(const struct peer_config *source, const char *mirror, const char *slot,
	const char *publication, lsn_t from, const struct stop *stop, struct error *e)
{
	struct stream *s = xcalloc(1, sizeof(*s));
	s->received = s->sent = from;
	s->pg = pg_connect_replication(source, mirror, "receive", stop, e);
	if (s->pg && start(s, slot, publication, from, e))
		return s;
	stream_free(s);
	return NULL;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	PQfreemem(s->waiting);
	pg_free(s->pg);
	free(s);
}

int stream_fd(const struct stream *s)
{
	return PQsocket(pg_conn_borrow(s->pg));
}

size_t stream_waiting(const struct stream *s)
{
	return s->waiting ? s->waiting_size : 0;
}

lsn_t stream_received(const struct stream *s)
{
	return s->received;
}

lsn_t stream_sent(const struct stream *s)
{
	return s->sent;
}

bool stream_asked(struct stream *s)
{
	bool asked = s->asked;
	s->asked = false;
	return asked;
}

/* ---- reading ---- */

static bool odd(struct stream *s, char kind, size_t size, struct error *e)
{
	return error_set(e, ERROR_BUG, "peer %s: the replication stream sent a message '%c' of %zu bytes",
		pg_peer_name(s->pg), kind, size);
}

static bool take_keepalive(struct stream *s, struct parcel *p, const char *bytes)
{
	lsn_t end = get64(bytes + 1);
	s->sent = MAX(s->sent, end);
	s->received = MAX(s->received, end);
	s->asked = s->asked || bytes[KEEPALIVE_SIZE - 1];
	parcel_add(p, end, NULL, 0);
	return true;
}

static bool take(struct stream *s, struct parcel *p, const char *bytes, size_t size, struct error *e)
{
	if (bytes[0] == 'k' && size == KEEPALIVE_SIZE)
		return take_keepalive(s, p, bytes);
	if (bytes[0] != 'w' || size <= XLOG_HEADER)
		return odd(s, bytes[0], size, e);
	lsn_t start = get64(bytes + 1);
	s->sent = MAX(s->sent, get64(bytes + 9));
	s->received = MAX(s->received, start);
	parcel_add(p, start, bytes + XLOG_HEADER, size - XLOG_HEADER);
	return true;
}

/* -1 in libpq's words: the server has ended the stream. Whatever it says, nothing of ours was refused, so it is
 * tried again like a lost connection; a slot that is lost is found so before. */
static bool ended(struct stream *s, struct error *e)
{
	PGresult *r = PQgetResult(pg_conn_borrow(s->pg));
	if (r && PQresultStatus(r) == PGRES_FATAL_ERROR)
		pg_error(s->pg, e, r, NULL);
	else
		error_set(e, ERROR_CONNECTION, "peer %s: the server ended the replication stream", pg_peer_name(s->pg));
	PQclear(r);
	if (e->class != ERROR_PERMISSION)
		e->class = ERROR_CONNECTION;
	return error_prefix(e, "replication stream");
}

bool stream_read(struct stream *s, struct parcel *p, size_t *got, struct error *e)
{
	PGconn *c = pg_conn_borrow(s->pg);
	*got = 0;
	for (;;) {
		if (!s->waiting) {
			int n = PQgetCopyData(c, &s->waiting, 1);
			if (n == 0 && !PQconsumeInput(c))
				return pg_error(s->pg, e, NULL, NULL) || error_prefix(e, "replication stream");
			if (n == 0)
				n = PQgetCopyData(c, &s->waiting, 1);
			if (n == 0)
				return true;
			if (n < 0)
				return ended(s, e);
			s->waiting_size = (size_t)n;
		}
		if (!parcel_fits(p, s->waiting_size))
			return true;
		bool ok = take(s, p, s->waiting, s->waiting_size, e);
		*got += s->waiting_size;
		PQfreemem(s->waiting);
		s->waiting = NULL;
		if (!ok)
			return false;
	}
}

/* ---- telling ---- */

bool stream_tell(struct stream *s, lsn_t received, lsn_t flushed, lsn_t applied, bool answer, struct error *e)
{
	char message[STATUS_SIZE], *at = message;
	PGconn *c = pg_conn_borrow(s->pg);
	*at++ = 'r';
	at = put64(at, received);
	at = put64(at, flushed);
	at = put64(at, applied);
	at = put64(at, (uint64_t)(wall_us() - POSTGRES_EPOCH_US));
	*at = (char)answer;
	/* Non-blocking: what the socket does not take now goes with the next call. */
	if (PQputCopyData(c, message, sizeof(message)) < 0 || PQflush(c) < 0)
		return pg_error(s->pg, e, NULL, NULL) || error_prefix(e, "replication stream");
	return true;
}
