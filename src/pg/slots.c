// SPDX-License-Identifier: PostgreSQL
#include "slots.h"

#include <stdlib.h>

#define PG_HAS_SLOTS 90400
#define PG_HAS_ACTIVE_PID 90500
#define PG_HAS_CONFIRMED 90600
#define PG_NAMES_LSN 100000 /* before: pg_current_xlog_location() and the like */
#define PG_HAS_WAL_STATUS 130000
#define PG_HAS_SPILL 140000

enum { NAME, PLUGIN, DATABASE, ACTIVE, PID, WAL_STATUS, RETAINED, SAFE, RESTART, CONFIRMED, SPILL };

/* A standby has no WAL end of its own, but what it has replayed; its slots (from 16 on) keep from there. */
static char *slots_sql(int version)
{
	bool lsn = version >= PG_NAMES_LSN;
	const char *diff = lsn ? "pg_wal_lsn_diff" : "pg_xlog_location_diff";
	bool spill = version >= PG_HAS_SPILL;
	return xasprintf("SELECT s.slot_name, coalesce(s.plugin, ''), coalesce(s.database, ''), s.active, %s, %s,"
		" %s(w.at, s.restart_lsn), %s, %s(s.restart_lsn, '0/0'), %s(%s, '0/0'), %s"
		" FROM pg_catalog.pg_replication_slots s%s,"
		" (SELECT CASE WHEN pg_is_in_recovery() THEN %s ELSE %s END AS at) w ORDER BY s.slot_name",
		version >= PG_HAS_ACTIVE_PID ? "s.active_pid" : "NULL",
		version >= PG_HAS_WAL_STATUS ? "coalesce(s.wal_status, '')" : "''",
		diff, version >= PG_HAS_WAL_STATUS ? "s.safe_wal_size" : "NULL",
		diff, diff, version >= PG_HAS_CONFIRMED ? "s.confirmed_flush_lsn" : "NULL::pg_lsn",
		spill ? "r.spill_bytes" : "NULL",
		spill ? " LEFT JOIN pg_catalog.pg_stat_replication_slots r ON r.slot_name = s.slot_name" : "",
		lsn ? "pg_last_wal_replay_lsn()" : "pg_last_xlog_replay_location()",
		lsn ? "pg_current_wal_lsn()" : "pg_current_xlog_location()");
}

static int64_t known_int(const struct rows *r, int row, int column)
{
	return rows_null(r, row, column) ? -1 : MAX(rows_int(r, row, column), 0);
}

/* pg_lsn as its distance from 0/0 is a whole number; beyond 2^63 no server has come. */
static lsn_t lsn_at(const struct rows *r, int row, int column)
{
	return (lsn_t)rows_int(r, row, column);
}

static void read_slot(const struct rows *r, int row, struct slot_view *v)
{
	copy_text(v->name, sizeof(v->name), rows_text(r, row, NAME));
	copy_text(v->plugin, sizeof(v->plugin), rows_text(r, row, PLUGIN));
	copy_text(v->database, sizeof(v->database), rows_text(r, row, DATABASE));
	v->active = rows_bool(r, row, ACTIVE);
	v->pid = (int)rows_int(r, row, PID);
	copy_text(v->wal_status, sizeof(v->wal_status), rows_text(r, row, WAL_STATUS));
	v->retained_bytes = known_int(r, row, RETAINED);
	v->safe_bytes = known_int(r, row, SAFE);
	v->restart = lsn_at(r, row, RESTART);
	v->confirmed = lsn_at(r, row, CONFIRMED);
	v->spill_bytes = known_int(r, row, SPILL);
}

bool slots_read(struct pg *c, struct slot_view **out, size_t *count, struct error *e)
{
	*out = NULL;
	*count = 0;
	if (pg_version(c) < PG_HAS_SLOTS)
		return true;
	char *sql = slots_sql(pg_version(c));
	struct rows *r = PG_ROWS(c, e, sql);
	free(sql);
	if (!r)
		return false;
	*count = (size_t)rows_count(r);
	*out = xcalloc(*count, sizeof(**out));
	for (int i = 0; i < rows_count(r); i++)
		read_slot(r, i, &(*out)[i]);
	rows_free(r);
	return true;
}
