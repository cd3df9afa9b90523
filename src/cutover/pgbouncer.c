// SPDX-License-Identifier: PostgreSQL
/* The console answers a PAUSE when it is complete, and a pause outlives the connection that asked for it: so one
 * that is given up is taken back over a second connection, which no stop ends. */
#include "pgbouncer.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../conninfo.h"

#define CONSOLE "pgbouncer"
#define PATIENCE_MS 10000 /* for what is answered at once */
#define TAKE_BACK_MS 3000

struct console {
	PGconn *conn;
	const char *peer; /* borrowed */
	char *database;
	const struct stop *stop;
	int64_t until;
};

/* The caller's; NULL when only the server knows. */
static char *database_of(const struct peer_config *peer)
{
	struct error ignored;
	struct place at;
	if (peer->pgbouncer_database)
		return xstrdup(peer->pgbouncer_database);
	if (!conninfo_place(peer, NULL, &at, &ignored))
		return NULL;
	char *name = at.dbname[0] ? xstrdup(at.dbname) : NULL;
	place_free(&at);
	return name;
}

/* ---- waiting ---- */

static bool is_over(const struct console *c, struct error *e)
{
	if (stop_raised(c->stop))
		return !error_set(e, ERROR_CANCELLED, "PgBouncer of peer %s: stopped", c->peer);
	if (clock_us() < c->until)
		return false;
	return !error_set(e, ERROR_CONNECTION, "PgBouncer of peer %s: no answer in time", c->peer);
}

static bool fail(const struct console *c, const char *message, enum error_class class, struct error *e)
{
	char text[400];
	copy_text(text, sizeof(text), message && message[0] ? message : "no connection");
	pg_fold(text);
	return error_set(e, class, "PgBouncer of peer %s: %s", c->peer, text);
}

static short wait_for(const struct console *c, short events)
{
	int64_t left_us = c->until - clock_us();
	return stop_poll(c->stop, PQsocket(c->conn), events, left_us > 0 ? (int)(left_us / 1000) + 1 : 0);
}

static void console_close(struct console *c)
{
	PQfinish(c->conn);
	free(c->database);
}

/* ---- connecting ---- */

static void ignore_notice(void *arg, const PGresult *r)
{
	(void)arg;
	(void)r;
}

static bool names_database(const char *conninfo)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	bool named = false;
	for (PQconninfoOption *o = options; o && o->keyword; o++)
		named = named || (strcmp(o->keyword, "dbname") == 0 && o->val && o->val[0] != '\0');
	PQconninfoFree(options);
	return named;
}

static bool finish_connecting(struct console *c, struct error *e)
{
	PostgresPollingStatusType want = PGRES_POLLING_WRITING;
	while (want != PGRES_POLLING_OK) {
		if (want == PGRES_POLLING_FAILED)
			return fail(c, PQerrorMessage(c->conn), ERROR_CONNECTION, e);
		if (is_over(c, e))
			return false;
		if (wait_for(c, want == PGRES_POLLING_READING ? POLLIN : POLLOUT))
			want = PQconnectPoll(c->conn);
	}
	return true;
}

static bool console_open(struct console *c, const struct peer_config *peer, int patience_ms, const struct stop *stop,
	struct error *e)
{
	*c = (struct console){ .peer = peer->name, .stop = stop, .until = clock_us() + (int64_t)patience_ms * 1000 };
	if (!peer->pgbouncer)
		return error_set(e, ERROR_CONFIG, "peer %s has no pgbouncer", peer->name);
	c->database = database_of(peer);
	if (!c->database) {
		error_set(e, ERROR_CONFIG, "peer %s: which database of PgBouncer is it?", peer->name);
		return error_next(e, "set pgbouncer_database");
	}
	/* The first dbname is the whole string, a second one is just a name. */
	const char *const keys[] = { "dbname", names_database(peer->pgbouncer) ? NULL : "dbname", NULL };
	const char *const values[] = { peer->pgbouncer, CONSOLE, NULL };
	c->conn = PQconnectStartParams(keys, values, 1);
	PQsetNoticeReceiver(c->conn, ignore_notice, NULL);
	bool ok = PQstatus(c->conn) != CONNECTION_BAD ? finish_connecting(c, e)
												  : fail(c, PQerrorMessage(c->conn), ERROR_CONNECTION, e);
	if (!ok) {
		if (e->class == ERROR_CONNECTION)
			error_next(e, "check pgbouncer of peer %s; its user must be one of PgBouncer's admin_users", peer->name);
		console_close(c);
	}
	return ok;
}

/* ---- asking ---- */

static bool is_denied(const char *message)
{
	return strstr(message, "admin access needed") != NULL;
}

static bool refused(struct console *c, const PGresult *r, struct error *e)
{
	const char *message = PQresultErrorMessage(r);
	fail(c, message, is_denied(message) ? ERROR_PERMISSION : ERROR_CONFLICT, e);
	if (is_denied(message))
		error_next(e, "put user %s into PgBouncer's admin_users", PQuser(c->conn));
	return false;
}

/* The caller's to clear; NULL on error. */
static PGresult *ask(struct console *c, const char *command, struct error *e)
{
	PGresult *last = NULL;
	if (!PQsendQuery(c->conn, command)) {
		fail(c, PQerrorMessage(c->conn), ERROR_CONNECTION, e);
		return NULL;
	}
	for (;;) {
		while (PQisBusy(c->conn)) {
			if (is_over(c, e)) {
				PQclear(last);
				return NULL;
			}
			if (wait_for(c, POLLIN) && !PQconsumeInput(c->conn))
				break;
		}
		PGresult *r = PQgetResult(c->conn);
		if (!r)
			break;
		PQclear(last);
		last = r;
	}
	ExecStatusType status = PQresultStatus(last);
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return last;
	if (PQstatus(c->conn) == CONNECTION_OK)
		refused(c, last, e);
	else
		fail(c, PQerrorMessage(c->conn), ERROR_CONNECTION, e);
	PQclear(last);
	return NULL;
}

static bool tell(struct console *c, const char *command, struct error *e)
{
	PGresult *r = ask(c, command, e);
	PQclear(r);
	return r != NULL;
}

static bool tell_database(struct console *c, const char *verb, struct error *e)
{
	struct strbuf b = STRBUF_INIT;
	strbuf_addf(&b, "%s ", verb);
	quote_name(&b, c->database);
	bool ok = tell(c, b.text, e);
	strbuf_free(&b);
	return ok;
}

/* Columns came and went with PgBouncer's versions. */
static const char *column_of(const PGresult *r, int row, const char *name)
{
	int column = PQfnumber(r, name);
	return column >= 0 ? PQgetvalue(r, row, column) : "";
}

static bool no_database(const struct console *c, const PGresult *r, struct error *e)
{
	struct strbuf names = STRBUF_INIT;
	for (int i = 0; i < PQntuples(r); i++)
		if (strcmp(column_of(r, i, "name"), CONSOLE) != 0)
			strbuf_addf(&names, "%s%s", names.len ? ", " : "", column_of(r, i, "name"));
	error_set(e, ERROR_CONFIG, "PgBouncer of peer %s has no database %s, but: %.300s", c->peer, c->database,
		names.len ? names.text : "none");
	strbuf_free(&names);
	return error_next(e, "set pgbouncer_database of peer %s to one of them", c->peer);
}

static bool read_paused(struct console *c, bool *paused, struct error *e)
{
	PGresult *r = ask(c, "SHOW DATABASES", e);
	if (!r)
		return false;
	int row = 0;
	while (row < PQntuples(r) && strcmp(column_of(r, row, "name"), c->database) != 0)
		row++;
	bool found = row < PQntuples(r);
	*paused = found && strcmp(column_of(r, row, "paused"), "1") == 0;
	if (!found)
		no_database(c, r, e);
	PQclear(r);
	return found;
}

/* Setting what is set already needs the right to set, and does nothing else. */
static bool check_rights(struct console *c, struct error *e)
{
	char command[64] = "";
	PGresult *r = ask(c, "SHOW CONFIG", e);
	if (!r)
		return false;
	for (int i = 0; i < PQntuples(r); i++)
		if (strcmp(column_of(r, i, "key"), "verbose") == 0)
			snprintf(command, sizeof(command), "SET verbose = '%.8s'", column_of(r, i, "value"));
	PQclear(r);
	return command[0] == '\0' || tell(c, command, e);
}

/* ---- what others call ---- */

bool pgbouncer_check(const struct peer_config *peer, const struct stop *stop, struct error *e)
{
	struct console c;
	bool paused;
	if (!console_open(&c, peer, PATIENCE_MS, stop, e))
		return false;
	bool ok = read_paused(&c, &paused, e) && check_rights(&c, e);
	console_close(&c);
	return ok;
}

bool pgbouncer_is_paused(const struct peer_config *peer, bool *paused, const struct stop *stop, struct error *e)
{
	struct console c;
	if (!console_open(&c, peer, PATIENCE_MS, stop, e))
		return false;
	bool ok = read_paused(&c, paused, e);
	console_close(&c);
	return ok;
}

bool pgbouncer_resume(const struct peer_config *peer, const struct stop *stop, struct error *e)
{
	struct console c;
	bool paused;
	if (!console_open(&c, peer, PATIENCE_MS, stop, e))
		return false;
	bool ok = read_paused(&c, &paused, e) && (!paused || tell_database(&c, "RESUME", e));
	console_close(&c);
	return ok;
}

bool pgbouncer_reload(const struct peer_config *peer, const struct stop *stop, struct error *e)
{
	struct console c;
	if (!console_open(&c, peer, PATIENCE_MS, stop, e))
		return false;
	bool ok = tell(&c, "RELOAD", e);
	console_close(&c);
	return ok;
}

/* How many clients keep a server connection, and why a pause has to wait for them. */
static void say_who_holds(struct console *c, int patience_ms, struct error *e)
{
	struct error ignored;
	int clients = 0;
	bool session = false;
	PGresult *r = ask(c, "SHOW POOLS", &ignored);
	for (int i = 0; r && i < PQntuples(r); i++) {
		if (strcmp(column_of(r, i, "database"), c->database) != 0)
			continue;
		clients += (int)strtol(column_of(r, i, "cl_active"), NULL, 10);
		session = session || strcmp(column_of(r, i, "pool_mode"), "session") == 0;
	}
	PQclear(r);
	error_set(e, ERROR_CONFLICT, "PgBouncer of peer %s: %s could not be paused within %.1f s: %d clients hold a "
		"connection%s", c->peer, c->database, patience_ms / 1000.0, clients,
		session ? ", and with pool_mode = session they do until they disconnect" : " in a transaction");
	error_next(e, session ? "set pool_mode = transaction, if the application can do with it, or end its sessions"
						  : "wait for the long transactions, or end them");
}

/* The error is that of the pause, unless clients may be left waiting: that is worse. */
static void take_back(const struct peer_config *peer, bool late, int patience_ms, struct error *e)
{
	struct console c;
	struct error worse;
	struct stop *none = stop_new(NULL);
	bool opened = console_open(&c, peer, TAKE_BACK_MS, none, &worse), paused = true;
	if (opened && late)
		say_who_holds(&c, patience_ms, e);
	bool ok = opened && read_paused(&c, &paused, &worse) && (!paused || tell_database(&c, "RESUME", &worse));
	if (opened)
		console_close(&c);
	if (!ok) {
		*e = worse;
		error_prefix(e, "the pause could not be taken back, clients may be waiting");
		e->next[0] = '\0';
		error_next(e, "run RESUME on the console of PgBouncer of peer %s", peer->name);
	}
	stop_free(none);
}

bool pgbouncer_pause(const struct peer_config *peer, int patience_ms, const struct stop *stop, struct error *e)
{
	struct console c;
	int64_t until = clock_us() + (int64_t)patience_ms * 1000;
	bool paused;
	if (!console_open(&c, peer, MIN(patience_ms, PATIENCE_MS), stop, e))
		return false;
	bool known = read_paused(&c, &paused, e);
	c.until = until;
	bool ok = known && tell_database(&c, "PAUSE", e);
	bool late = !ok && e->class == ERROR_CONNECTION && clock_us() >= until;
	console_close(&c);
	if (known && !ok)
		take_back(peer, late, patience_ms, e);
	return ok;
}
