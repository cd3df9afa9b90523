// SPDX-License-Identifier: PostgreSQL
/* The schema on the target: making it, locking it, dropping it. */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../stop.h"

#define STORE_VERSION 6
/* Namespace of our advisory locks: "pgpr". The other half is the mirror's name, hashed by the server. */
#define LOCK_SPACE "1885826162"
#define LOCK_PATIENCE_MS 3000
#define ORPHAN_PATIENCE_MS 10000

#define CREATE_OBJECTS \
	"CREATE TABLE pgpier.objects (mirror_id bigint REFERENCES pgpier.mirrors ON DELETE CASCADE, object_no int," \
	"  post bool NOT NULL, kind text NOT NULL, schema text NOT NULL, name text NOT NULL, owner text NOT NULL," \
	"  belongs_to text, wanted bool NOT NULL, statement text, give_statement text, needs int[] NOT NULL, bytes bigint NOT NULL DEFAULT 0," \
	"  state text NOT NULL, note text, why text, next text, sqlstate text NOT NULL DEFAULT ''," \
	"  took_us bigint NOT NULL DEFAULT 0, PRIMARY KEY (mirror_id, object_no)) WITH (fillfactor = 50);"

#define CREATE_CUTOVERS \
	"CREATE TABLE pgpier.cutovers (cutover_id bigserial PRIMARY KEY," \
	"  mirror_id bigint NOT NULL REFERENCES pgpier.mirrors ON DELETE CASCADE, phase text NOT NULL, step text NOT NULL," \
	"  began_at timestamptz NOT NULL DEFAULT now(), ended_at timestamptz, limit_s int NOT NULL, closed_s float8," \
	"  back text NOT NULL, connection text NOT NULL DEFAULT '', error text);" \
	"CREATE TABLE pgpier.fences (mirror text PRIMARY KEY, closed_at timestamptz NOT NULL DEFAULT now()," \
	"  undo text[] NOT NULL);"

/* A hold is a few milliseconds old when it ends, or as old as a repair takes; what verifications came to is kept.
 * Neither needs to survive what the mirror's rows survive. */
#define CREATE_VERIFICATIONS \
	"CREATE TABLE pgpier.holds (mirror_id bigint REFERENCES pgpier.mirrors ON DELETE CASCADE, hold_no bigserial," \
	"  state text NOT NULL DEFAULT 'asked', snapshot text, upto pg_lsn, position pg_lsn, why text," \
	"  stopped_us bigint NOT NULL DEFAULT 0, asked_at timestamptz NOT NULL DEFAULT clock_timestamp()," \
	"  PRIMARY KEY (mirror_id, hold_no)) WITH (fillfactor = 10);" \
	"CREATE TABLE pgpier.verifications (mirror_id bigint REFERENCES pgpier.mirrors ON DELETE CASCADE," \
	"  verification_no bigserial, ended_at timestamptz NOT NULL DEFAULT clock_timestamp(), level text NOT NULL," \
	"  verdict text NOT NULL, exact bool NOT NULL, whole bool NOT NULL, lsn pg_lsn, equal_count bigint NOT NULL," \
	"  differing_count bigint NOT NULL, unsure_count bigint NOT NULL, rows bigint NOT NULL," \
	"  stopped_s float8 NOT NULL, tries int NOT NULL, PRIMARY KEY (mirror_id, verification_no));"

/* As version 4 had it: upgrades do the rest, also for a new one. */
static const char create_sql[] =
	"BEGIN;"
	"CREATE SCHEMA pgpier;"
	"COMMENT ON SCHEMA pgpier IS 'pgpier: where its mirrors stand; goes with the last one';"
	"CREATE TABLE pgpier.version (version int NOT NULL);"
	"INSERT INTO pgpier.version VALUES (4);"
	"CREATE TABLE pgpier.mirrors (mirror_id bigserial PRIMARY KEY, name text NOT NULL UNIQUE,"
	"  source text NOT NULL, state text NOT NULL, error text, started_at timestamptz NOT NULL DEFAULT now(),"
	"  ended_at timestamptz, selection text NOT NULL DEFAULT '', settings text);"
	"CREATE TABLE pgpier.snapshots (mirror_id bigint REFERENCES pgpier.mirrors ON DELETE CASCADE,"
	"  snapshot_no int, taken_at timestamptz NOT NULL, snapshot text NOT NULL, lsn pg_lsn,"
	"  PRIMARY KEY (mirror_id, snapshot_no));"
	"CREATE TABLE pgpier.tables (mirror_id bigint REFERENCES pgpier.mirrors ON DELETE CASCADE, table_no int,"
	"  source_schema text NOT NULL, source_name text NOT NULL, target_schema text NOT NULL,"
	"  target_name text NOT NULL, parent bool NOT NULL, ours bool NOT NULL, filenode bigint NOT NULL DEFAULT 0,"
	"  loaded bool NOT NULL DEFAULT false, done bool NOT NULL DEFAULT false, snapshot_no int NOT NULL DEFAULT 0,"
	"  rows bigint NOT NULL DEFAULT 0, bytes bigint NOT NULL DEFAULT 0, took_us bigint NOT NULL DEFAULT 0,"
	"  rows_estimate bigint NOT NULL, bytes_estimate bigint NOT NULL,"
	"  how text, error_class int, error text, sqlstate text, error_next text, last_snapshot_no int NOT NULL DEFAULT 0,"
	"  stale bool NOT NULL DEFAULT false, paused bool NOT NULL DEFAULT false, held_at pg_lsn, fetched_at pg_lsn, columns text,"
	"  renamed text[] NOT NULL DEFAULT '{}', PRIMARY KEY (mirror_id, table_no))"
	"  WITH (fillfactor = 50);"
	"CREATE TABLE pgpier.chunks (mirror_id bigint REFERENCES pgpier.mirrors ON DELETE CASCADE, table_no int,"
	"  chunk_no int, condition text NOT NULL, range text NOT NULL, done bool NOT NULL DEFAULT false,"
	"  rows bigint NOT NULL DEFAULT 0, bytes bigint NOT NULL DEFAULT 0, took_us bigint NOT NULL DEFAULT 0,"
	"  PRIMARY KEY (mirror_id, table_no, chunk_no)) WITH (fillfactor = 50);"
	"CREATE TABLE pgpier.replication (mirror_id bigint PRIMARY KEY REFERENCES pgpier.mirrors ON DELETE CASCADE,"
	"  slot text NOT NULL, publication text NOT NULL, consistent pg_lsn, applied pg_lsn, applied_at timestamptz)"
	"  WITH (fillfactor = 10);"
	"CREATE TABLE pgpier.steps (mirror_id bigint REFERENCES pgpier.mirrors ON DELETE CASCADE, kind text,"
	"  name text, done_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (mirror_id, kind, name));"
	CREATE_OBJECTS
	CREATE_CUTOVERS
	"COMMIT";

/* upgrades[n]: from version n to the one behind it. */
static const char *const upgrades[STORE_VERSION] = {
	[2] = "BEGIN;"
		  "ALTER TABLE pgpier.mirrors ADD COLUMN settings text;"
		  "ALTER TABLE pgpier.tables ADD COLUMN renamed text[] NOT NULL DEFAULT '{}';"
		  CREATE_OBJECTS
		  "UPDATE pgpier.version SET version = 3;"
		  "COMMIT",
	[3] = "BEGIN;"
		  CREATE_CUTOVERS
		  "UPDATE pgpier.version SET version = 4;"
		  "COMMIT",
	[4] = "BEGIN;"
		  CREATE_VERIFICATIONS
		  "UPDATE pgpier.version SET version = 5;"
		  "COMMIT",
	/* verifications of before have no files: nothing is built on them */
	[5] = "BEGIN;"
		  "ALTER TABLE pgpier.tables ADD COLUMN changed_lsn pg_lsn;"
		  "ALTER TABLE pgpier.verifications ADD COLUMN files text[];"
		  "UPDATE pgpier.version SET version = 6;"
		  "COMMIT",
};

bool store_exists(struct pg *target, struct error *e)
{
	e->class = ERROR_NONE;
	struct rows *r = PG_ROWS(target, e, "SELECT to_regclass('pgpier.version') IS NOT NULL,"
		" EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'pgpier')");
	if (!r)
		return false;
	bool ours = rows_bool(r, 0, 0), any = rows_bool(r, 0, 1);
	rows_free(r);
	if (any && !ours) {
		error_set(e, ERROR_CONFLICT, "peer %s: there is a schema pgpier that pgpier did not make",
			pg_peer_name(target));
		return error_next(e, "rename that schema, or choose another target database");
	}
	return ours;
}

static bool read_version(struct pg *target, int64_t *version, struct error *e)
{
	struct rows *r = PG_ROWS(target, e, "SELECT version FROM pgpier.version");
	if (!r)
		return false;
	*version = rows_count(r) == 1 ? rows_int(r, 0, 0) : 0;
	rows_free(r);
	return true;
}

static bool check_version(struct pg *target, struct error *e)
{
	int64_t version;
	if (!read_version(target, &version, e))
		return false;
	for (; version > 0 && version < STORE_VERSION && upgrades[version]; version++)
		if (!pg_run(target, e, upgrades[version]))
			return error_prefix(e, "could not bring schema pgpier up to date");
	if (version == STORE_VERSION)
		return true;
	error_set(e, ERROR_CONFLICT, "peer %s: schema pgpier is of version %lld, this pgpier knows version %d",
		pg_peer_name(target), (long long)version, STORE_VERSION);
	return error_next(e, "go on with the pgpier that made it");
}

/* Two processes may come here at once, for two mirrors: the lock lets one create. */
bool store_prepare(struct pg *target, struct error *e)
{
	if (!pg_run(target, e, "SELECT pg_advisory_lock(" LOCK_SPACE ", 0)"))
		return false;
	bool ok = store_exists(target, e);
	if (ok)
		ok = check_version(target, e);
	else if (e->class == ERROR_NONE)
		ok = (pg_run(target, e, create_sql) || error_prefix(e, "could not create schema pgpier on the target")) &&
			 check_version(target, e);
	pg_rollback(target);
	return ok && pg_run(target, e, "SELECT pg_advisory_unlock(" LOCK_SPACE ", 0)");
}

/* ---- one process a mirror ---- */

static bool say_who(struct pg *target, const char *mirror, struct error *e)
{
	struct rows *r = PG_ROWS(target, e,
		"SELECT l.pid, coalesce(host(a.client_addr), 'local'), a.backend_start FROM pg_locks l"
		" LEFT JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted"
		" AND l.classid = " LOCK_SPACE "::oid AND l.objid = (hashtext($1)::int8 & 4294967295)::oid", mirror);
	if (!r)
		return false;
	bool known = rows_count(r) > 0;
	error_set(e, ERROR_CONFLICT, "mirror %s is being run by another pgpier (%s, server process %s, since %s)",
		mirror, known ? rows_text(r, 0, 1) : "it has just left", known ? rows_text(r, 0, 0) : "-",
		known ? rows_text(r, 0, 2) : "-");
	rows_free(r);
	return error_next(e, "use that one, or stop it first");
}

bool store_lock(struct pg *target, const char *mirror, struct error *e)
{
	int64_t until = clock_us() + LOCK_PATIENCE_MS * 1000;
	for (;;) {
		struct rows *r =
			PG_ROWS(target, e, "SELECT pg_try_advisory_lock(" LOCK_SPACE ", hashtext($1))", mirror);
		if (!r)
			return false;
		bool got = rows_bool(r, 0, 0);
		rows_free(r);
		if (got)
			return true;
		if (clock_us() > until || !stop_sleep(pg_stop_borrow(target), 100))
			return say_who(target, mirror, e);
	}
}

bool store_is_locked(struct pg *target, const char *mirror, bool *locked, struct error *e)
{
	struct rows *r = PG_ROWS(target, e,
		"SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = " LOCK_SPACE
		"::oid AND objid = (hashtext($1)::int8 & 4294967295)::oid"
		" AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))", mirror);
	if (!r)
		return false;
	*locked = rows_bool(r, 0, 0);
	rows_free(r);
	return true;
}

/* A killed process leaves sessions that go on until they next talk to it: a CREATE INDEX can last hours,
 * and would commit behind our back. pg_terminate_backend() is allowed on one's own role's sessions. A cutover's have a
 * lock of their own, and end with that (src/cutover/connections.c). */
bool store_end_orphans(struct pg *c, const char *mirror, const char *role, struct error *e)
{
	char prefix[NAME_SIZE];
	snprintf(prefix, sizeof(prefix), "pgpier/%.40s/%s", mirror, role);
	int64_t until = clock_us() + ORPHAN_PATIENCE_MS * 1000;
	for (;;) {
		struct rows *r = PG_ROWS(c, e,
			"SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
			" AND usename = current_user AND pid <> pg_backend_pid()"
			" AND left(application_name, length($1)) = $1 AND application_name NOT IN ($1 || 'status', $1 || 'cutover')"
			" AND left(application_name, length($1) + 7) <> $1 || 'verify/'", prefix);
		if (!r)
			return false;
		int left = rows_count(r);
		rows_free(r);
		if (left == 0)
			return true;
		if (clock_us() > until)
			return error_set(e, ERROR_CONFLICT, "peer %s: %d sessions of an earlier run do not end",
				pg_peer_name(c), left);
		if (!stop_sleep(pg_stop_borrow(c), 50))
			return error_set(e, ERROR_CANCELLED, "stopped");
	}
}

/* Without CASCADE: whatever somebody else put there stays, and the error says so. */
static const char drop_sql[] =
	"DROP TABLE IF EXISTS pgpier.objects, pgpier.cutovers, pgpier.fences, pgpier.holds, pgpier.verifications;"
	"DROP TABLE pgpier.chunks, pgpier.tables, pgpier.snapshots, pgpier.steps, pgpier.replication, pgpier.mirrors,"
	" pgpier.version;"
	"DROP SCHEMA pgpier RESTRICT";

/* In a transaction that has the mirrors locked. */
static bool drop_unused(struct pg *c, struct error *e)
{
	struct rows *r = PG_ROWS(c, e, "SELECT NOT EXISTS (SELECT 1 FROM pgpier.mirrors),"
		" to_regclass('pgpier.fences') IS NOT NULL");
	if (!r)
		return false;
	bool unused = rows_bool(r, 0, 0), fences = rows_bool(r, 0, 1);
	rows_free(r);
	if (unused && fences) {
		r = PG_ROWS(c, e, "SELECT NOT EXISTS (SELECT 1 FROM pgpier.fences)");
		if (!r)
			return false;
		unused = rows_bool(r, 0, 0);
		rows_free(r);
	}
	return !unused || pg_run(c, e, drop_sql);
}

bool store_leave(struct pg *c, struct error *e)
{
	bool ok = pg_run(c, e, "BEGIN; LOCK TABLE pgpier.mirrors IN EXCLUSIVE MODE") && drop_unused(c, e) &&
			  pg_run(c, e, "COMMIT");
	pg_rollback(c);
	return ok;
}

bool store_drop(struct pg *target, const char *mirror, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "BEGIN; LOCK TABLE pgpier.mirrors IN EXCLUSIVE MODE;"
					 "DELETE FROM pgpier.mirrors WHERE name = ");
	quote_literal(&sql, mirror);
	bool ok = pg_run(target, e, sql.text) && drop_unused(target, e) && pg_run(target, e, "COMMIT");
	strbuf_free(&sql);
	pg_rollback(target);
	return ok;
}
