// SPDX-License-Identifier: PostgreSQL
#include "sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pgpier/format.h>

#include "allowed.h"

#define PG_HAS_BACKEND_TYPE 100000
#define ROUND_MS 50

/* What the server does not tell our role is NULL: the kind of a session, its state, its address. So a session is one
 * unless it is known to be something else. $1: the allowed. */
#define OF_CLIENTS \
	" FROM pg_stat_activity a LEFT JOIN pg_roles r ON r.oid = a.usesysid" \
	" WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.usename IS NOT NULL" \
	" AND NOT (a.usename = session_user AND a.application_name LIKE 'pgpier/%%') AND a.usename <> ALL ($1::text[])" \
	" AND NOT EXISTS (SELECT 1 FROM pg_stat_replication w WHERE w.pid = a.pid) AND %s"

/* Servers before 10 list sessions and autovacuum only. */
static const char *is_client(const struct pg *c)
{
	return pg_version(c) >= PG_HAS_BACKEND_TYPE ? "coalesce(a.backend_type, 'client backend') = 'client backend'"
												: "a.query NOT LIKE 'autovacuum: %'";
}

/* ---- who is there ---- */

#define AGE(since) "coalesce(extract(epoch FROM clock_timestamp() - " since "), -1)"

static const char sessions_sql[] =
	"SELECT a.pid, '', a.usename::text, coalesce(a.application_name, ''), coalesce(host(a.client_addr), ''),"
	" coalesce(a.state, ''), a.backend_xid IS NOT NULL, " AGE("a.xact_start") ", coalesce(a.query, '')"
	OF_CLIENTS
	" UNION ALL SELECT 0, gid, owner::text, '', '', 'prepared', true, " AGE("prepared") ", '' FROM pg_prepared_xacts"
	" WHERE database = current_database() ORDER BY 7 DESC, 8 DESC, 1";

static void read_session(const struct rows *r, int row, struct session *s)
{
	s->pid = (int)rows_int(r, row, 0);
	copy_text(s->gid, sizeof(s->gid), rows_text(r, row, 1));
	copy_text(s->user, sizeof(s->user), rows_text(r, row, 2));
	copy_text(s->application, sizeof(s->application), rows_text(r, row, 3));
	copy_text(s->address, sizeof(s->address), rows_text(r, row, 4));
	copy_text(s->state, sizeof(s->state), rows_text(r, row, 5));
	s->writes = rows_bool(r, row, 6);
	s->age_s = rows_number(r, row, 7);
	copy_text(s->query, sizeof(s->query), rows_text(r, row, 8));
}

bool sessions_read(struct pg *c, const struct strings *allow, struct session **out, size_t *count, struct error *e)
{
	char *sql = xasprintf(sessions_sql, is_client(c));
	struct rows *r = query_allowed(c, allow, sql, e);
	free(sql);
	*out = NULL;
	*count = 0;
	if (!r)
		return false;
	*count = (size_t)rows_count(r);
	*out = xcalloc(*count, sizeof(**out));
	for (size_t i = 0; i < *count; i++)
		read_session(r, (int)i, &(*out)[i]);
	rows_free(r);
	return true;
}

static void add_state(struct strbuf *b, const struct session *s)
{
	char age[FORMAT_SIZE];
	strbuf_addf(b, "%s%s%s", s->application, s->application[0] && s->state[0] ? ", " : "", s->state);
	if (s->age_s >= 0)
		strbuf_addf(b, " for %s", format_duration(s->age_s, age));
	if (s->writes)
		strbuf_add(b, ", writes");
}

void session_text(const struct session *s, char *buf, size_t size)
{
	char age[FORMAT_SIZE];
	struct strbuf b = STRBUF_INIT;
	if (s->pid == 0) {
		strbuf_addf(&b, "prepared transaction '%s' of %s, %s old; end it: ROLLBACK PREPARED ", s->gid, s->user,
			format_duration(s->age_s, age));
		quote_literal(&b, s->gid);
		strbuf_add(&b, " or COMMIT PREPARED");
	} else {
		strbuf_addf(&b, "pid %d (%s@%s ", s->pid, s->user, s->address[0] ? s->address : "local");
		add_state(&b, s);
		strbuf_addf(&b, "%s%s)", s->query[0] ? ": " : "", s->query);
	}
	format_sanitized(b.text, buf, size);
	strbuf_free(&b);
}

/* ---- ending them ---- */

static const char end_sql[] =
	"SELECT a.pid, pg_terminate_backend(a.pid)" OF_CLIENTS
	" AND (SELECT us.rolsuper OR NOT coalesce(r.rolsuper, true) AND (pg_has_role(a.usesysid, 'USAGE')"
	"  OR pg_has_role('pg_signal_backend', 'USAGE')) FROM pg_roles us WHERE us.rolname = current_user)";

/* Server processes that were told to end. */
struct pids {
	int *items;
	size_t count;
};

static bool pids_have(const struct pids *p, int pid)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->items[i] == pid)
			return true;
	return false;
}

static bool tell_to_end(struct pg *c, const struct strings *allow, struct pids *told, size_t *now, struct error *e)
{
	char *sql = xasprintf(end_sql, is_client(c));
	struct rows *r = query_allowed(c, allow, sql, e);
	free(sql);
	if (!r)
		return false;
	*now = (size_t)rows_count(r);
	for (int i = 0; i < rows_count(r); i++) {
		int pid = (int)rows_int(r, i, 0);
		if (pids_have(told, pid))
			continue;
		GROW(told->items, told->count);
		told->items[told->count++] = pid;
	}
	rows_free(r);
	return true;
}

/* A backend that starts holds this lock on its database from before its right to connect is checked until it shows in
 * pg_stat_activity: of those that were let in before a fence closed, none may slip through between the two. $1: those
 * that were there in the last round; NULL: all. Gives those that still are. */
static const char starting_sql[] =
	"SELECT coalesce(array_agg(DISTINCT l.pid), '{}') FROM pg_locks l WHERE l.locktype = 'object'"
	" AND l.classid = 'pg_database'::regclass AND l.mode = 'RowExclusiveLock' AND l.pid <> pg_backend_pid()"
	" AND l.objid = (SELECT oid FROM pg_database WHERE datname = current_database())"
	" AND ($1::int[] IS NULL OR l.pid = ANY ($1::int[]))";

static bool read_starting(struct pg *c, char **pids, struct error *e)
{
	struct rows *r = PG_ROWS(c, e, starting_sql, *pids);
	if (!r)
		return false;
	free(*pids);
	*pids = xstrdup(rows_text(r, 0, 0));
	rows_free(r);
	return true;
}

static void tell_left(const struct session *sessions, size_t n, const struct pids *told, size_t *ended,
	struct strings *left)
{
	char text[512];
	*ended = told->count;
	for (size_t i = 0; i < n; i++) {
		*ended -= pids_have(told, sessions[i].pid);
		session_text(&sessions[i], text, sizeof(text));
		strings_add(left, text);
	}
}

/* One round tells all who are there, so that one who comes meanwhile is told as well. *over: nobody was there whom
 * we may tell, and nobody can come any more who was on the way when the first round began. */
static bool end_round(struct pg *c, const struct strings *allow, struct pids *told, char **starting, bool *over,
	struct error *e)
{
	size_t now;
	if (!read_starting(c, starting, e) || !tell_to_end(c, allow, told, &now, e))
		return false;
	*over = now == 0 && strcmp(*starting, "{}") == 0;
	return true;
}

bool sessions_end(struct pg *c, const struct strings *allow, int patience_ms, size_t *ended, struct strings *left,
	struct error *e)
{
	int64_t until = clock_us() + (int64_t)patience_ms * 1000;
	struct pids told = { .count = 0 };
	struct session *sessions = NULL;
	char *starting = NULL;
	bool over = false;
	size_t n = 0;
	*ended = 0;
	*left = (struct strings){ .count = 0 };
	bool ok = end_round(c, allow, &told, &starting, &over, e);
	while (ok && !over && clock_us() < until) {
		if (stop_sleep(pg_stop_borrow(c), ROUND_MS))
			ok = end_round(c, allow, &told, &starting, &over, e);
		else
			ok = error_set(e, ERROR_CANCELLED, "stopped");
	}
	ok = ok && sessions_read(c, allow, &sessions, &n, e);
	if (ok)
		tell_left(sessions, n, &told, ended, left);
	free(starting);
	free(told.items);
	free(sessions);
	return ok;
}
