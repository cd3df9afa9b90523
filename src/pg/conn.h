// SPDX-License-Identifier: PostgreSQL
/* One connection to a server: libpq, wrapped once. A connection belongs to one thread at a time; every wait
 * ends when its stop is raised, the running statement is then cancelled and ERROR_CANCELLED returned.
 * Session settings are fixed after connecting, so that both sides print and read the same text: DateStyle,
 * IntervalStyle, extra_float_digits, bytea_output, TimeZone, search_path (pg_catalog only), no timeouts. */
#ifndef PG_CONN_H
#define PG_CONN_H

#include <libpq-fe.h>

#include <pgpier/config.h>
#include <pgpier/error.h>

#include "../stop.h"

struct pg;

/* role: "probe", "supervisor", "copy-1" ...; application_name becomes pgpier/MIRROR/ROLE (cut to what the
 * server keeps, 63 bytes). mirror may be NULL. Times out after the peer's connect_timeout. */
struct pg *pg_connect(const struct peer_config *peer, const char *mirror, const char *role,
	const struct stop *stop, struct error *e) MUST_CHECK;
/* The same with replication=database: for the replication commands. It takes statements without parameters
 * only (pg_run, pg_query_simple), because a walsender knows just the simple protocol. Its session settings are
 * those of other connections, because they decide how pgoutput prints values. */
struct pg *pg_connect_replication(const struct peer_config *peer, const char *mirror, const char *role,
	const struct stop *stop, struct error *e) MUST_CHECK;
void pg_free(struct pg *c);

PGconn *pg_conn_borrow(struct pg *c);
const struct stop *pg_stop_borrow(const struct pg *c);
void pg_stop_set(struct pg *c, const struct stop *stop); /* from the next statement on; it must outlive c */
const char *pg_peer_name(const struct pg *c); /* for error texts */
int pg_version(const struct pg *c); /* 150020 */
int pg_pid(const struct pg *c);
bool pg_lost(const struct pg *c); /* the connection is gone; free it */

/* For code that speaks the protocol on the idle socket itself: what the last ReadyForQuery said ('I', 'T',
 * 'E'), which libpq has not seen; and that the connection can't be used any more. */
void pg_note_status(struct pg *c, char status);
void pg_abandon(struct pg *c);
/* Asks the server to cancel what runs, without waiting. */
void pg_cancel(struct pg *c);

/* The rows of a result: text format, checked by the caller for nothing but content. */
struct rows;
int rows_count(const struct rows *r);
const char *rows_text(const struct rows *r, int row, int column); /* "" for NULL */
bool rows_null(const struct rows *r, int row, int column);
int64_t rows_int(const struct rows *r, int row, int column); /* 0 for NULL */
double rows_number(const struct rows *r, int row, int column);
bool rows_bool(const struct rows *r, int row, int column);
void rows_free(struct rows *r); /* NULL is fine */

/* One statement with its $1.. parameters as text (NULL = SQL NULL): words[0] is the statement, n counts it
 * and the parameters. NULL on error. */
struct rows *pg_query(struct pg *c, struct error *e, int n, const char *const *words) MUST_CHECK;
/* PG_ROWS(c, e, "select ... $1", name): pg_query with the words listed. */
#define PG_ROWS(c, e, ...) \
	pg_query((c), (e), (int)(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)), \
		(const char *const[]){ __VA_ARGS__ })
/* By the simple protocol, for replication commands that answer with rows. */
struct rows *pg_query_simple(struct pg *c, struct error *e, const char *sql) MUST_CHECK;
/* Statements whose rows nobody wants; several may be joined with ';' and then are one transaction. */
bool pg_run(struct pg *c, struct error *e, const char *sql) MUST_CHECK;
bool pg_runf(struct pg *c, struct error *e, const char *fmt, ...) PG_PRINTF(3, 4) MUST_CHECK;
/* START_REPLICATION on a connection of pg_connect_replication(): afterwards its owner sends and receives COPY
 * data by libpq, without blocking. */
bool pg_copy_both(struct pg *c, struct error *e, const char *command) MUST_CHECK;
/* ROLLBACK whatever is open, ignoring errors; for the way out. */
void pg_rollback(struct pg *c);

/* Fills *e from what the server said of the last statement. `statement` may be NULL. */
bool pg_error(struct pg *c, struct error *e, const PGresult *r, const char *statement);
/* Fills *e from the fields of an ErrorResponse: code, text, code, text ..., 0 (protocol section 55.8). */
bool pg_error_fields(struct error *e, const char *fields, size_t size, const char *statement);
/* libpq's own messages have several lines; ours have one. */
void pg_fold(char *text);
/* The class that a SQLSTATE stands for. */
enum error_class pg_error_class(const char *sqlstate);

/* "name" and 'literal', for the few places that take no parameter (DDL, COPY). Work without a connection:
 * names are always quoted; literals use E'' when they hold a backslash, and need standard_conforming_strings. */
void quote_name(struct strbuf *b, const char *name);
void quote_qualified(struct strbuf *b, const char *schema, const char *name);
void quote_literal(struct strbuf *b, const char *text);
/* A text[] literal value for a parameter: {"a","b"}. NULL items become NULL. */
void quote_array(struct strbuf *b, size_t n, const char *const *items);

#endif
