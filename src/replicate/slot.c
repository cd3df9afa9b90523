// SPDX-License-Identifier: PostgreSQL
#include "slot.h"

#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsn.h"

/* Versions that brought what is asked for. */
#define PG_HAS_SLOT_STATISTICS 140000
#define PG_HAS_SLOT_OPTIONS 150000
#define PG_HAS_FAILOVER 170000

#define END_PATIENCE_MS 10000

/* ---- what it is ---- */

/* Through jsonb, because half of the columns came with some version: what a server lacks reads as NULL. */
static const char status_sql[] =
	"SELECT coalesce(s.active_pid, 0), s.plugin, s.database, j ->> 'wal_status',"
	"  coalesce(j ->> 'invalidation_reason', CASE WHEN (j ->> 'conflicting')::bool THEN 'conflicting' END),"
	"  s.restart_lsn, s.confirmed_flush_lsn,"
	"  coalesce(pg_catalog.pg_wal_lsn_diff(w.lsn, s.restart_lsn), -1)::int8,"
	"  coalesce((j ->> 'safe_wal_size')::int8, -1), %s"
	" FROM pg_catalog.pg_replication_slots s, pg_catalog.to_jsonb(s) j,"
	"  (SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()"
	"    ELSE pg_catalog.pg_current_wal_lsn() END AS lsn) w"
	" WHERE s.slot_name = $1";

enum {
	S_PID, S_PLUGIN, S_DATABASE, S_WAL_STATUS, S_INVALIDATION, S_RESTART, S_CONFIRMED, S_RETAINED, S_SAFE,
	S_SPILL,
};

static lsn_t lsn_of(const struct rows *r, int row, int column)
{
	lsn_t lsn = 0;
	return lsn_parse(rows_text(r, row, column), &lsn) ? lsn : 0;
}

static void fill_status(struct slot_status *s, const struct rows *r)
{
	s->exists = true;
	s->pid = (int)rows_int(r, 0, S_PID);
	copy_text(s->plugin, sizeof(s->plugin), rows_text(r, 0, S_PLUGIN));
	copy_text(s->database, sizeof(s->database), rows_text(r, 0, S_DATABASE));
	copy_text(s->wal_status, sizeof(s->wal_status), rows_text(r, 0, S_WAL_STATUS));
	copy_text(s->invalidation, sizeof(s->invalidation), rows_text(r, 0, S_INVALIDATION));
	s->restart = lsn_of(r, 0, S_RESTART);
	s->confirmed = lsn_of(r, 0, S_CONFIRMED);
	s->retained_bytes = rows_int(r, 0, S_RETAINED);
	s->safe_bytes = rows_int(r, 0, S_SAFE);
	s->spill_bytes = rows_int(r, 0, S_SPILL);
}

bool slot_status(struct pg *source, const char *name, struct slot_status *out, struct error *e)
{
	*out = (struct slot_status){ .retained_bytes = -1, .safe_bytes = -1, .spill_bytes = -1 };
	char *sql = xasprintf(status_sql, pg_version(source) >= PG_HAS_SLOT_STATISTICS
		? "coalesce((SELECT x.spill_bytes FROM pg_catalog.pg_stat_replication_slots x"
		  "  WHERE x.slot_name = s.slot_name), -1)"
		: "-1");
	struct rows *r = PG_ROWS(source, e, sql, name);
	free(sql);
	if (!r)
		return false;
	if (rows_count(r) > 0)
		fill_status(out, r);
	rows_free(r);
	return true;
}

bool slot_is_lost(const struct slot_status *s)
{
	return s->exists && (strcmp(s->wal_status, "lost") == 0 || s->invalidation[0] != '\0');
}

/* ---- making it ---- */

enum { C_NAME, C_CONSISTENT, C_SNAPSHOT, C_COLUMNS = 4 };

static bool read_made(struct slot_made *out, const struct rows *r, struct error *e)
{
	copy_text(out->snapshot, sizeof(out->snapshot), rows_text(r, 0, C_SNAPSHOT));
	out->consistent = lsn_of(r, 0, C_CONSISTENT);
	return (out->consistent && out->snapshot[0]) ||
		   error_set(e, ERROR_BUG, "the server's answer to CREATE_REPLICATION_SLOT names no snapshot");
}

static bool explain_create(struct pg *c, const char *name, struct error *e)
{
	if (strcmp(e->sqlstate, "42710") == 0) {
		error_set(e, ERROR_CONFLICT, "there is a slot of this name that this mirror did not make");
		error_next(e, "set another name in the mirror's slot, or drop that one if nobody needs it");
	} else if (strcmp(e->sqlstate, "53400") == 0) {
		error_next(e, "drop slots that nobody needs, or raise max_replication_slots and restart the source");
	} else if (e->class == ERROR_PERMISSION) {
		error_next(e, "ALTER ROLE ... REPLICATION on the source, or grant the provider's role for it");
	}
	return error_prefix(e, "peer %s: could not create slot %s", pg_peer_name(c), name);
}

bool slot_create(struct pg *replication, const char *name, bool failover, struct slot_made *out,
	struct error *e)
{
	int version = pg_version(replication);
	struct strbuf sql = STRBUF_INIT;
	*out = (struct slot_made){ 0 };
	strbuf_add(&sql, "CREATE_REPLICATION_SLOT ");
	quote_name(&sql, name);
	strbuf_add(&sql, " LOGICAL pgoutput ");
	if (version < PG_HAS_SLOT_OPTIONS)
		strbuf_add(&sql, "EXPORT_SNAPSHOT");
	else
		strbuf_addf(&sql, "(SNAPSHOT 'export'%s)", failover && version >= PG_HAS_FAILOVER ? ", FAILOVER" : "");
	struct rows *r = pg_query_simple(replication, e, sql.text);
	bool ok = r && rows_count(r) == 1 && read_made(out, r, e);
	rows_free(r);
	strbuf_free(&sql);
	return ok || explain_create(replication, name, e);
}

/* ---- what its creation waits for ---- */

/* Who holds the lock of a transaction id, which everyone may see, and what else our role is told of them. A
 * creation waits for the transactions of all databases, one after the other, as for a lock. */
static const char blockers_sql[] =
	"WITH waited AS (SELECT transactionid AS xid FROM pg_catalog.pg_locks"
	"   WHERE locktype = 'transactionid' AND pid = $1::int AND NOT granted),"
	" writers AS (SELECT pid,"
	"    bool_or(transactionid::text IN (SELECT xid::text FROM waited)) AS direct FROM pg_catalog.pg_locks"
	"   WHERE locktype = 'transactionid' AND granted AND mode = 'ExclusiveLock' AND pid IS NOT NULL"
	"    AND pid <> pg_catalog.pg_backend_pid() GROUP BY pid),"
	" all_of_them AS ("
	"  SELECT w.direct, w.pid, '' AS gid, a.usename::text, a.datname::text, a.application_name, a.state,"
	"    extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age,"
	"    CASE WHEN a.state IS NULL THEN '' ELSE a.query END AS query"
	"   FROM writers w LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = w.pid"
	"  UNION ALL"
	"  SELECT p.transaction::text IN (SELECT xid::text FROM waited), 0, p.gid, p.owner::text, p.database::text,"
	"    '', 'prepared', extract(epoch FROM clock_timestamp() - p.prepared)::float8, ''"
	"   FROM pg_catalog.pg_prepared_xacts p)"
	" SELECT direct, pid, gid, usename, datname, application_name, state, coalesce(age, -1), query"
	"  FROM all_of_them WHERE direct OR age >= $2::float8 ORDER BY direct DESC, age DESC NULLS LAST";

enum { B_DIRECT, B_PID, B_GID, B_USER, B_DATABASE, B_APPLICATION, B_STATE, B_AGE, B_QUERY };

static void fill_blocker(struct slot_blocker *b, const struct rows *r, int i)
{
	*b = (struct slot_blocker){
		.direct = rows_bool(r, i, B_DIRECT),
		.pid = (int)rows_int(r, i, B_PID),
		.age_s = rows_number(r, i, B_AGE),
	};
	copy_text(b->gid, sizeof(b->gid), rows_text(r, i, B_GID));
	copy_text(b->user, sizeof(b->user), rows_text(r, i, B_USER));
	copy_text(b->database, sizeof(b->database), rows_text(r, i, B_DATABASE));
	copy_text(b->application, sizeof(b->application), rows_text(r, i, B_APPLICATION));
	copy_text(b->state, sizeof(b->state), rows_text(r, i, B_STATE));
	copy_text(b->query, sizeof(b->query), rows_text(r, i, B_QUERY));
	pg_fold(b->query);
}

bool slot_blockers(struct pg *source, int walsender, double age_s, struct slot_blocker **out, size_t *count,
	struct error *e)
{
	char pid[12], age[32];
	snprintf(pid, sizeof(pid), "%d", walsender);
	snprintf(age, sizeof(age), "%.3f", age_s);
	struct rows *r = PG_ROWS(source, e, blockers_sql, pid, age);
	if (!r)
		return false;
	*count = (size_t)rows_count(r);
	*out = xmalloc(*count * sizeof(**out));
	for (size_t i = 0; i < *count; i++)
		fill_blocker(&(*out)[i], r, (int)i);
	rows_free(r);
	return true;
}

void slot_blocker_text(const struct slot_blocker *b, char *buf, size_t size)
{
	char age[FORMAT_SIZE];
	format_duration(b->age_s, age);
	if (b->pid == 0)
		snprintf(buf, size, "prepared transaction '%s' (%s@%s, for %s)", b->gid, b->user, b->database, age);
	else if (b->age_s < 0)
		snprintf(buf, size, "pid %d (%s; our role is not told more)", b->pid, b->user[0] ? b->user : "unknown");
	else
		snprintf(buf, size, "pid %d (%s@%s %s, %s for %s: %.120s)", b->pid, b->user, b->database,
			b->application, b->state, age, b->query);
}

/* ---- dropping it ---- */

static bool refuse_drop(struct pg *source, const char *name, const char *why, struct error *e)
{
	error_set(e, ERROR_CONFLICT, "peer %s: slot %s is not dropped: %s", pg_peer_name(source), name, why);
	return error_next(e, "drop it yourself if nobody needs it: SELECT pg_drop_replication_slot('%s')", name);
}

/* *ours: the walsender was started by this mirror, and has been told to end. */
static bool end_walsender(struct pg *source, const char *mirror, int pid, bool *ours, struct error *e)
{
	char prefix[NAME_SIZE], number[12];
	snprintf(prefix, sizeof(prefix), "pgpier/%.40s/", mirror);
	snprintf(number, sizeof(number), "%d", pid);
	struct rows *r = PG_ROWS(source, e,
		"SELECT CASE WHEN a.ours THEN pg_catalog.pg_terminate_backend($1::int) END, a.ours"
		" FROM (SELECT pg_catalog.left(application_name, pg_catalog.length($2)) = $2 AS ours"
		"   FROM pg_catalog.pg_stat_activity WHERE pid = $1::int) a", number, prefix);
	if (!r)
		return false;
	*ours = rows_count(r) == 0 || rows_bool(r, 0, 1); /* none: it has just ended */
	rows_free(r);
	return true;
}

static bool wait_inactive(struct pg *source, const char *mirror, const char *name, struct slot_status *status,
	struct error *e)
{
	int64_t until = clock_us() + END_PATIENCE_MS * 1000;
	bool ours = false;
	for (;;) {
		if (!slot_status(source, name, status, e))
			return false;
		if (!status->exists || status->pid == 0)
			return true;
		if (!end_walsender(source, mirror, status->pid, &ours, e))
			return false;
		if (!ours)
			return refuse_drop(source, name, "another program reads it", e);
		if (clock_us() > until)
			return refuse_drop(source, name, "the walsender that reads it does not end", e);
		if (!stop_sleep(pg_stop_borrow(source), 50))
			return error_set(e, ERROR_CANCELLED, "stopped");
	}
}

/* A walsender that starts between looking and dropping makes the server refuse: the caller may try again. */
bool slot_drop(struct pg *source, const char *mirror, const char *name, struct error *e)
{
	struct slot_status status;
	if (!wait_inactive(source, mirror, name, &status, e))
		return false;
	if (!status.exists)
		return true;
	if (strcmp(status.plugin, "pgoutput") != 0)
		return refuse_drop(source, name, "its plugin is not pgoutput", e);
	if (strcmp(status.database, PQdb(pg_conn_borrow(source))) != 0)
		return refuse_drop(source, name, "it belongs to another database", e);
	struct rows *r = PG_ROWS(source, e,
		"SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots"
		" WHERE slot_name = $1", name);
	bool ok = r != NULL;
	rows_free(r);
	return ok || error_prefix(e, "peer %s: could not drop slot %s", pg_peer_name(source), name);
}
