// SPDX-License-Identifier: PostgreSQL
/* What a slot has kept that nobody has read yet.
 *
 * A cursor brings it in pieces, and of a row's change only what names its table: a writer who slipped through may
 * have written any amount. */
#include <stdio.h>
#include <string.h>

#include <pgpier/format.h>

#include "../replicate/pgoutput.h"
#include "sessions.h"

#define PG_HAS_PGOUTPUT 100000
#define MOST_OF_TRUNCATE 16384
#define WHAT_SIZE 256
#define SLOT_IN_USE "55006"
#define SLOT_PATIENCE_MS 5000

/* Decoding ends where the log is flushed, and a commit with synchronous_commit = off may not be flushed yet. One of
 * ours behind it that waits takes it along; it needs something to write for that. */
static bool flush_log(struct pg *c, struct error *e)
{
	return pg_run(c, e, "BEGIN; SET LOCAL synchronous_commit = local;"
		" SELECT pg_logical_emit_message(true, 'pgpier silence', ''); COMMIT");
}

static bool open_cursor(struct pg *c, const char *slot, const char *publication, struct error *e)
{
	struct strbuf sql = STRBUF_INIT, names = STRBUF_INIT;
	quote_name(&names, publication);
	strbuf_add(&sql, "BEGIN; DECLARE unread NO SCROLL CURSOR FOR SELECT chr(get_byte(data, 0)),"
		" CASE WHEN get_byte(data, 0) IN (ascii('I'), ascii('U'), ascii('D'))"
		" THEN ('x' || encode(substring(data FROM 2 FOR 4), 'hex'))::bit(32)::int::oid END, data"
		" FROM (SELECT CASE WHEN get_byte(data, 0) IN (ascii('B'), ascii('T')) THEN data"
		"  ELSE substring(data FROM 1 FOR 5) END AS data FROM pg_logical_slot_peek_binary_changes(");
	quote_literal(&sql, slot);
	strbuf_add(&sql, ", NULL, NULL, 'proto_version', '1', 'publication_names', ");
	quote_literal(&sql, names.text);
	strbuf_add(&sql, ")) p WHERE chr(get_byte(data, 0)) IN ('B', 'I', 'U', 'D', 'T')");
	bool ok = pg_run(c, e, sql.text);
	strbuf_free(&sql);
	strbuf_free(&names);
	return ok;
}

static int nibble(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Of bytea's "\\x0123"; what does not fit is cut. */
static size_t bytes_of(const char *hex, char *bytes, size_t size)
{
	size_t n = MIN(strlen(hex) / 2 - 1, size);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(nibble(hex[2 + 2 * i]) << 4 | nibble(hex[3 + 2 * i]));
	return n;
}

static const char *verb_of(char kind)
{
	return kind == 'I' ? "INSERT into" : kind == 'U' ? "UPDATE of" : kind == 'D' ? "DELETE from" : "TRUNCATE of";
}

/* The stream calls a table by its OID. */
static bool describe(struct pg *c, const char *kind, const char *table, const struct pgoutput_message *begin,
	char what[256], struct error *e)
{
	char at[FORMAT_SIZE], lsn[FORMAT_SIZE], name[QUALIFIED_SIZE];
	struct rows *r = PG_ROWS(c, e, "SELECT $1::oid::regclass", table);
	if (!r)
		return false;
	format_sanitized(rows_text(r, 0, 0), name, sizeof(name));
	rows_free(r);
	snprintf(what, WHAT_SIZE, "%s %.140s by transaction %u, committed at %s (%s)", verb_of(*kind), name, begin->xid,
		format_time(begin->begin.at_us, at), format_lsn(begin->begin.final, lsn));
	return true;
}

/* Reads on to the first change that counts. */
struct reading {
	struct pg *c;
	lsn_t from;
	struct pgoutput_message begin; /* of the transaction that is read */
	bool found;
	char *what;
};

static bool decode(const struct rows *r, int row, char *bytes, size_t size, struct pgoutput_message *out,
	struct error *e)
{
	struct pgoutput_context context = { .version = 1 };
	return pgoutput_decode(&context, bytes, bytes_of(rows_text(r, row, 2), bytes, size), out, e) ||
		   error_prefix(e, "what the slot has kept");
}

static bool read_row(struct reading *g, const struct rows *r, int row, struct error *e)
{
	char bytes[MOST_OF_TRUNCATE], table[12];
	struct pgoutput_message m;
	const char *kind = rows_text(r, row, 0);
	if (*kind == 'B')
		return decode(r, row, bytes, sizeof(bytes), &g->begin, e);
	if (g->begin.begin.final < g->from)
		return true;
	g->found = true;
	if (*kind != 'T')
		return describe(g->c, kind, rows_text(r, row, 1), &g->begin, g->what, e);
	if (!decode(r, row, bytes, sizeof(bytes), &m, e))
		return false;
	snprintf(table, sizeof(table), "%u", m.truncate.count > 0 ? pgoutput_truncated(&m, 0) : 0);
	return describe(g->c, kind, table, &g->begin, g->what, e);
}

static bool read_unread(struct reading *g, struct error *e)
{
	for (bool more = true; more && !g->found;) {
		struct rows *r = PG_ROWS(g->c, e, "FETCH 500 FROM unread");
		if (!r)
			return false;
		more = rows_count(r) > 0;
		bool ok = true;
		for (int i = 0; ok && !g->found && i < rows_count(r); i++)
			ok = read_row(g, r, i, e);
		rows_free(r);
		if (!ok)
			return false;
	}
	return true;
}

/* The walsender of a stream that has just ended may not have let go of the slot. */
static bool read_patiently(struct reading *g, const char *slot, const char *publication, struct error *e)
{
	int64_t until = clock_us() + SLOT_PATIENCE_MS * 1000;
	while (!open_cursor(g->c, slot, publication, e) || !read_unread(g, e)) {
		pg_rollback(g->c);
		if (strcmp(e->sqlstate, SLOT_IN_USE) != 0 || clock_us() > until)
			return false;
		if (!stop_sleep(pg_stop_borrow(g->c), 50))
			return error_set(e, ERROR_CANCELLED, "stopped");
	}
	return true;
}

bool silence_was_kept(struct pg *c, const char *slot, const char *publication, const char *from, bool *kept,
	char what[256], struct error *e)
{
	struct reading g = { .c = c, .what = what };
	*kept = false;
	what[0] = '\0';
	if (pg_version(c) < PG_HAS_PGOUTPUT)
		return error_set(e, ERROR_CONFIG, "peer %s: servers before PostgreSQL 10 have no pgoutput", pg_peer_name(c));
	if (!lsn_parse(from, &g.from))
		return error_set(e, ERROR_BUG, "\"%s\" is no position in the log", from);
	bool ok = flush_log(c, e) && read_patiently(&g, slot, publication, e);
	pg_rollback(c);
	*kept = ok && !g.found;
	return ok || error_prefix(e, "slot %s", slot);
}
