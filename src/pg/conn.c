// SPDX-License-Identifier: PostgreSQL
/* Connecting and running statements. libpq is used in its non-blocking form throughout, because each wait
 * must also end when the stop is raised. */
#include "conn.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "params.h"
#include "password.h"

struct pg {
	PGconn *conn;
	char *peer;
	const struct stop *stop;
	char raw_status; /* 0: libpq knows best */
	bool abandoned;
};

/* How long a server has to answer a cancel request before the connection is given up. */
#define CANCEL_GRACE_MS 1000
#define DEFAULT_CONNECT_TIMEOUT_S 10

/* Fixed on both sides, so that both print and read values alike. row_security = off turns policies that
 * would hide rows from a copy into an error. Versions are those that brought the setting. */
static const struct {
	int since;
	const char *sql;
} session_settings[] = {
	{ 0, "SET client_encoding = 'UTF8'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';"
		 "SET bytea_output = 'hex'; SET TimeZone = 'UTC'; SET xmloption = 'content';"
		 "SET extra_float_digits = 3; SET search_path = ''; SET statement_timeout = 0;"
		 "SET lock_timeout = 0; SET default_transaction_isolation = 'read committed';"
		 "SET default_transaction_read_only = off; SET default_transaction_deferrable = off;"
		 "SET standard_conforming_strings = on; SET check_function_bodies = off;" },
	{ 90500, "SET row_security = off;" },
	{ 90600, "SET idle_in_transaction_session_timeout = 0;" },
	{ 140000, "SET idle_session_timeout = 0;" },
	{ 170000, "SET transaction_timeout = 0;" },
};

static void ignore_notice(void *arg, const PGresult *r)
{
	(void)arg;
	(void)r;
}

PGconn *pg_conn_borrow(struct pg *c)
{
	return c->conn;
}

const struct stop *pg_stop_borrow(const struct pg *c)
{
	return c->stop;
}

void pg_stop_set(struct pg *c, const struct stop *stop)
{
	c->stop = stop;
}

const char *pg_peer_name(const struct pg *c)
{
	return c->peer;
}

int pg_version(const struct pg *c)
{
	return PQserverVersion(c->conn);
}

int pg_pid(const struct pg *c)
{
	return PQbackendPID(c->conn);
}

bool pg_lost(const struct pg *c)
{
	return c->abandoned || PQstatus(c->conn) != CONNECTION_OK;
}

void pg_note_status(struct pg *c, char status)
{
	c->raw_status = status;
}

void pg_abandon(struct pg *c)
{
	c->abandoned = true;
}

void pg_free(struct pg *c)
{
	if (!c)
		return;
	PQfinish(c->conn);
	free(c->peer);
	free(c);
}

static bool cancelled(struct pg *c, struct error *e)
{
	return error_set(e, ERROR_CANCELLED, "peer %s: stopped while waiting for the server", c->peer);
}

/* ---- connecting ---- */

/* "FATAL:  28P01: password ..." of the verbose form: takes the code out and cuts what is not the message. */
static bool connect_error(struct pg *c, struct error *e)
{
	char text[600], state[6] = "";
	copy_text(text, sizeof(text), PQerrorMessage(c->conn));
	char *location = strstr(text, "\nLOCATION:");
	if (location)
		*location = '\0';
	for (char *p = strstr(text, ":  "); p; p = strstr(p + 1, ":  ")) {
		if (strspn(p + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && p[8] == ':') {
			memcpy(state, p + 3, 5);
			memmove(p + 2, p + 9, strlen(p + 9) + 1);
			break;
		}
	}
	pg_fold(text);
	enum error_class class = state[0] ? pg_error_class(state) : ERROR_CONNECTION;
	if (PQconnectionNeedsPassword(c->conn))
		class = ERROR_PERMISSION;
	error_set(e, class, "peer %s: %s", c->peer, text);
	copy_text(e->sqlstate, sizeof(e->sqlstate), state);
	if (class == ERROR_PERMISSION)
		error_next(e, "check user and password of peer %s (password, password_command, .pgpass or ask)",
			c->peer);
	else if (strcmp(state, "3D000") == 0)
		error_next(e, "check dbname of peer %s", c->peer);
	else
		error_next(e, "check host, port and network of peer %s", c->peer);
	return false;
}

static bool connect_wait(struct pg *c, int timeout_s, struct error *e)
{
	int64_t until = clock_us() + (int64_t)timeout_s * 1000000;
	PostgresPollingStatusType want = PGRES_POLLING_WRITING;
	for (;;) {
		int left_ms = (int)((until - clock_us()) / 1000);
		if (left_ms <= 0) {
			error_set(e, ERROR_CONNECTION, "peer %s: timed out: no answer within %d s", c->peer, timeout_s);
			return error_next(e, "check host, port and network of peer %s", c->peer);
		}
		short events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT;
		short got = stop_poll(c->stop, PQsocket(c->conn), events, left_ms);
		if (stop_raised(c->stop))
			return cancelled(c, e);
		if (!got)
			continue;
		want = PQconnectPoll(c->conn);
		if (want == PGRES_POLLING_OK)
			return true;
		if (want == PGRES_POLLING_FAILED)
			return connect_error(c, e);
	}
}

static bool apply_settings(struct pg *c, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(session_settings); i++)
		if (pg_version(c) >= session_settings[i].since)
			strbuf_add(&sql, session_settings[i].sql);
	bool ok = pg_run(c, e, sql.text);
	strbuf_free(&sql);
	return ok;
}

static struct pg *open_session(const struct peer_config *peer, const char *mirror, const char *role,
	bool replication, const struct stop *stop, struct error *e)
{
	struct pg_params p;
	char *password = NULL;
	struct pg *c = xcalloc(1, sizeof(*c));
	c->peer = xstrdup(peer->name ? peer->name : "(new)");
	c->stop = stop;
	bool ok = password_of(peer, stop, &password, e);
	if (ok) {
		pg_params_fill(&p, peer, mirror, role, password);
		pg_params_add(&p, "replication", replication ? "database" : NULL);
		c->conn = PQconnectStartParams(p.keys, p.values, 1);
		if (c->conn)
			PQsetErrorVerbosity(c->conn, PQERRORS_VERBOSE);
		ok = PQstatus(c->conn) != CONNECTION_BAD
				 ? connect_wait(c, peer->connect_timeout ? peer->connect_timeout : DEFAULT_CONNECT_TIMEOUT_S, e)
				 : connect_error(c, e);
	}
	password_wipe(password);
	if (ok) {
		PQsetErrorVerbosity(c->conn, PQERRORS_DEFAULT);
		PQsetNoticeReceiver(c->conn, ignore_notice, NULL);
		PQsetnonblocking(c->conn, 1);
		ok = apply_settings(c, e);
	}
	if (!ok) {
		pg_free(c);
		return NULL;
	}
	return c;
}

struct pg *pg_connect(const struct peer_config *peer, const char *mirror, const char *role,
	const struct stop *stop, struct error *e)
{
	return open_session(peer, mirror, role, false, stop, e);
}

struct pg *pg_connect_replication(const struct peer_config *peer, const char *mirror, const char *role,
	const struct stop *stop, struct error *e)
{
	return open_session(peer, mirror, role, true, stop, e);
}

/* ---- waiting for results ---- */

static void *send_cancel(void *arg)
{
	char text[256];
	PQcancel(arg, text, sizeof(text));
	PQfreeCancel(arg);
	return NULL;
}

/* PQcancel connects anew and blocks; a network that swallows packets must not hold us, so a thread of its
 * own does it. */
void pg_cancel(struct pg *c)
{
	pthread_t thread;
	PGcancel *cancel = PQgetCancel(c->conn);
	if (!cancel)
		return;
	if (pthread_create(&thread, NULL, send_cancel, cancel) == 0)
		pthread_detach(thread);
	else
		send_cancel(cancel);
}

static bool flush_output(struct pg *c, struct error *e)
{
	int left;
	while ((left = PQflush(c->conn)) > 0) {
		short got = stop_poll(c->stop, PQsocket(c->conn), POLLIN | POLLOUT, -1);
		if (stop_raised(c->stop))
			return cancelled(c, e);
		if ((got & POLLIN) && !PQconsumeInput(c->conn))
			return pg_error(c, e, NULL, NULL);
	}
	return left == 0 || pg_error(c, e, NULL, NULL);
}

/* After a cancel: the rest of the statement's results, or a connection that is not used again. */
static void drain_cancelled(struct pg *c)
{
	int64_t until = clock_us() + CANCEL_GRACE_MS * 1000;
	for (;;) {
		while (PQisBusy(c->conn)) {
			int left_ms = (int)((until - clock_us()) / 1000);
			struct pollfd p = { .fd = PQsocket(c->conn), .events = POLLIN };
			if (left_ms <= 0 || poll(&p, 1, left_ms) <= 0 || !PQconsumeInput(c->conn))
				return;
		}
		PGresult *r = PQgetResult(c->conn);
		if (!r)
			return;
		ExecStatusType status = PQresultStatus(r);
		PQclear(r);
		if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT)
			return;
	}
}

static PGresult *next_result(struct pg *c, struct error *e)
{
	while (PQisBusy(c->conn)) {
		stop_poll(c->stop, PQsocket(c->conn), POLLIN, -1);
		if (stop_raised(c->stop)) {
			pg_cancel(c);
			drain_cancelled(c);
			cancelled(c, e);
			return NULL;
		}
		if (!PQconsumeInput(c->conn)) {
			pg_error(c, e, NULL, NULL);
			return NULL;
		}
	}
	e->class = ERROR_NONE;
	return PQgetResult(c->conn);
}

/* All results of what was sent; the last one is the caller's. */
static PGresult *last_result(struct pg *c, struct error *e, const char *sql)
{
	PGresult *last = NULL, *r;
	struct error first = { 0 }, one = { 0 };
	c->raw_status = 0;
	if (!flush_output(c, e))
		return NULL;
	while ((r = next_result(c, &one))) {
		if (PQresultStatus(r) == PGRES_FATAL_ERROR && !first.class)
			pg_error(c, &first, r, sql);
		PQclear(last);
		last = r;
		if (PQstatus(c->conn) != CONNECTION_OK)
			break;
	}
	if (first.class || one.class || !last) {
		*e = first.class ? first : one;
		if (!e->class)
			pg_error(c, e, NULL, sql);
		PQclear(last);
		return NULL;
	}
	return last;
}

bool pg_run(struct pg *c, struct error *e, const char *sql)
{
	if (!PQsendQuery(c->conn, sql))
		return pg_error(c, e, NULL, sql);
	PGresult *r = last_result(c, e, sql);
	PQclear(r);
	return r != NULL;
}

bool pg_copy_both(struct pg *c, struct error *e, const char *command)
{
	c->raw_status = 0;
	if (!PQsendQuery(c->conn, command))
		return pg_error(c, e, NULL, command);
	PGresult *r = flush_output(c, e) ? next_result(c, e) : NULL;
	bool ok = PQresultStatus(r) == PGRES_COPY_BOTH;
	if (!ok && !e->class)
		pg_error(c, e, r, command);
	PQclear(r);
	return ok;
}

bool pg_runf(struct pg *c, struct error *e, const char *fmt, ...)
{
	va_list args;
	char *sql = NULL;
	va_start(args, fmt);
	int n = vasprintf(&sql, fmt, args);
	va_end(args);
	bool ok = n >= 0 ? pg_run(c, e, sql) : error_set(e, ERROR_BUG, "could not format a statement");
	if (n >= 0)
		free(sql);
	return ok;
}

void pg_rollback(struct pg *c)
{
	struct error ignored;
	if (!c || pg_lost(c))
		return;
	bool idle = c->raw_status ? c->raw_status == 'I' : PQtransactionStatus(c->conn) == PQTRANS_IDLE;
	if (!idle && !pg_run(c, &ignored, "ROLLBACK"))
		pg_abandon(c);
}

static struct rows *rows_of_last(struct pg *c, struct error *e, const char *sql)
{
	PGresult *r = last_result(c, e, sql);
	if (r && PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK) {
		error_set(e, ERROR_BUG, "peer %s: unexpected answer %s", c->peer,
			PQresStatus(PQresultStatus(r)));
		PQclear(r);
		return NULL;
	}
	return (struct rows *)r;
}

struct rows *pg_query(struct pg *c, struct error *e, int n, const char *const *words)
{
	if (PQsendQueryParams(c->conn, words[0], n - 1, NULL, words + 1, NULL, NULL, 0))
		return rows_of_last(c, e, words[0]);
	pg_error(c, e, NULL, words[0]);
	return NULL;
}

struct rows *pg_query_simple(struct pg *c, struct error *e, const char *sql)
{
	if (PQsendQuery(c->conn, sql))
		return rows_of_last(c, e, sql);
	pg_error(c, e, NULL, sql);
	return NULL;
}
