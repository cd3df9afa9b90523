// SPDX-License-Identifier: PostgreSQL
#include "probe.h"

#include <stdio.h>
#include <string.h>

/* Versions that brought what is asked for. */
#define PG_HAS_CONTROL_FUNCTIONS 90600

static const char probe_sql[] =
	"SELECT current_setting('server_version'), r.rolsuper,"
	"  r.rolreplication OR EXISTS (SELECT 1 FROM pg_catalog.pg_roles m WHERE m.rolname IN"
	"    ('rds_replication', 'azure_pg_admin', 'cloudsqlsuperuser', 'alloydbsuperuser')"
	"    AND pg_catalog.pg_has_role(m.oid, 'member')),"
	"  pg_catalog.pg_is_in_recovery(), current_setting('wal_level'),"
	"  current_setting('max_replication_slots')::int,"
	"  (SELECT count(*) FROM pg_catalog.pg_replication_slots),"
	"  current_setting('max_wal_senders')::int, (SELECT count(*) FROM pg_catalog.pg_stat_replication),"
	"  (extract(epoch FROM clock_timestamp()) * 1000000)::int8,"
	"  pg_catalog.pg_database_size(current_database()), current_setting('server_encoding'),"
	"  pg_catalog.pg_backend_pid()"
	" FROM pg_catalog.pg_roles r WHERE r.rolname = current_user";

enum {
	P_VERSION, P_SUPER, P_REPLICATION, P_STANDBY, P_WAL, P_SLOTS_MAX, P_SLOTS, P_SENDERS_MAX, P_SENDERS,
	P_CLOCK, P_SIZE, P_ENCODING, P_PID,
};

/* The text before the first space: "15.20 (Debian 15.20-0+deb12u1)" becomes "15.20". */
static void short_version(char *out, size_t size, const char *version)
{
	copy_text(out, size, version);
	out[strcspn(out, " ")] = '\0';
}

static void fill(struct probe *p, const struct rows *r, const struct pg *c, int64_t asked_us, int64_t half_us)
{
	p->version_num = pg_version(c);
	short_version(p->version, sizeof(p->version), rows_text(r, 0, P_VERSION));
	p->superuser = rows_bool(r, 0, P_SUPER);
	p->replication = rows_bool(r, 0, P_REPLICATION);
	p->standby = rows_bool(r, 0, P_STANDBY);
	copy_text(p->wal_level, sizeof(p->wal_level), rows_text(r, 0, P_WAL));
	p->slots_max = (int)rows_int(r, 0, P_SLOTS_MAX);
	p->slots_free = p->slots_max - (int)rows_int(r, 0, P_SLOTS);
	p->senders_max = (int)rows_int(r, 0, P_SENDERS_MAX);
	p->senders_free = p->senders_max - (int)rows_int(r, 0, P_SENDERS);
	p->clock_ahead_ms = (double)(rows_int(r, 0, P_CLOCK) - asked_us - half_us) / 1000;
	p->database_bytes = rows_int(r, 0, P_SIZE);
	copy_text(p->encoding, sizeof(p->encoding), rows_text(r, 0, P_ENCODING));
}

static bool round_trip(struct pg *c, double *ms, struct error *e)
{
	int64_t started = clock_us();
	struct rows *r = PG_ROWS(c, e, "SELECT 1");
	*ms = (double)(clock_us() - started) / 1000;
	rows_free(r);
	return r != NULL;
}

/* Behind a pooler the backend that answers is another than the one that greeted us, or changes. */
static bool is_pooled(struct pg *c, const struct rows *r)
{
	struct error ignored;
	if (rows_int(r, 0, P_PID) != pg_pid(c))
		return true;
	struct rows *again = PG_ROWS(c, &ignored, "SELECT pg_catalog.pg_backend_pid()");
	bool pooled = again && rows_int(again, 0, 0) != rows_int(r, 0, P_PID);
	rows_free(again);
	return pooled;
}

/* Only told to those who may know: no error when not. */
static void read_system_identifier(struct pg *c, struct probe *p)
{
	struct error ignored;
	if (pg_version(c) < PG_HAS_CONTROL_FUNCTIONS)
		return;
	struct rows *r = PG_ROWS(c, &ignored, "SELECT system_identifier FROM pg_catalog.pg_control_system()");
	if (r)
		copy_text(p->system_identifier, sizeof(p->system_identifier), rows_text(r, 0, 0));
	rows_free(r);
}

static bool ask(struct pg *c, struct probe *out, struct error *e)
{
	if (!round_trip(c, &out->latency_ms, e))
		return false;
	int64_t asked = wall_us(), started = clock_us();
	struct rows *r = PG_ROWS(c, e, probe_sql);
	if (!r)
		return false;
	fill(out, r, c, asked, (clock_us() - started) / 2);
	out->pooler = is_pooled(c, r);
	PGconn *conn = pg_conn_borrow(c);
	out->encrypted = PQsslInUse(conn) || PQgssEncInUse(conn);
	rows_free(r);
	read_system_identifier(c, out);
	return true;
}

bool probe_peer(const struct peer_config *peer, const struct stop *stop, struct probe *out, struct error *e)
{
	*out = (struct probe){ 0 };
	struct pg *c = pg_connect(peer, NULL, "probe", stop, e);
	bool ok = c && ask(c, out, e);
	pg_free(c);
	return ok;
}
