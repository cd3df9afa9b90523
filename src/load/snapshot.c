// SPDX-License-Identifier: PostgreSQL
#include "snapshot.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define KEEPERS 2
#define BEGIN_SNAPSHOT "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

struct keeper {
	struct pg *pg;
	char name[NAME_SIZE];
};

struct snapshot {
	struct peer_config source;
	char mirror[NAME_SIZE];
	const struct stop *stop;
	struct keeper keepers[KEEPERS];
	pthread_mutex_t lock; /* protects the names and which of them is used */
	int current;
	char visible[4096];
	char lsn[32];
	int64_t taken_at;
};

static bool export(struct keeper *k, struct error *e)
{
	struct rows *r = PG_ROWS(k->pg, e, "SELECT pg_catalog.pg_export_snapshot()");
	if (!r)
		return false;
	copy_text(k->name, sizeof(k->name), rows_text(r, 0, 0));
	rows_free(r);
	return true;
}

static struct pg *open_keeper(struct snapshot *s, int i, struct error *e)
{
	char role[16];
	snprintf(role, sizeof(role), "snapshot-%d", i + 1);
	return pg_connect(&s->source, s->mirror, role, s->stop, e);
}

/* pg_current_snapshot() came with 13; txid_current_snapshot() is in all. On a standby there is no current
 * WAL position of its own to ask for. */
static bool describe(struct snapshot *s, struct error *e)
{
	struct pg *c = s->keepers[0].pg;
	const char *lsn = pg_version(c) >= 100000
						  ? "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END"
						  : "CASE WHEN pg_is_in_recovery() THEN pg_last_xlog_replay_location() ELSE pg_current_xlog_location() END";
	char *sql = xasprintf("SELECT txid_current_snapshot(), %s,"
						  " (extract(epoch FROM clock_timestamp()) * 1000000)::int8", lsn);
	struct rows *r = PG_ROWS(c, e, sql);
	free(sql);
	if (!r)
		return false;
	copy_text(s->visible, sizeof(s->visible), rows_text(r, 0, 0));
	copy_text(s->lsn, sizeof(s->lsn), rows_text(r, 0, 1));
	s->taken_at = rows_int(r, 0, 2);
	rows_free(r);
	return true;
}

static bool take(struct snapshot *s, const char *exported, struct error *e)
{
	struct keeper *first = &s->keepers[0];
	first->pg = open_keeper(s, 0, e);
	return first->pg && pg_run(first->pg, e, BEGIN_SNAPSHOT) &&
		   (!exported || pg_runf(first->pg, e, "SET TRANSACTION SNAPSHOT '%s'", exported)) &&
		   export(first, e) && describe(s, e);
}

/* Makes keeper i anew from the other one's name. */
static bool join(struct snapshot *s, int i, struct error *e)
{
	struct keeper fresh = { .pg = open_keeper(s, i, e) };
	const struct keeper *other = &s->keepers[(i + 1) % KEEPERS];
	bool ok = fresh.pg &&
			  pg_runf(fresh.pg, e, BEGIN_SNAPSHOT "; SET TRANSACTION SNAPSHOT '%s'", other->name) &&
			  export(&fresh, e);
	if (!ok) {
		pg_free(fresh.pg);
		return false;
	}
	pthread_mutex_lock(&s->lock);
	struct pg *old = s->keepers[i].pg;
	s->keepers[i] = fresh;
	pthread_mutex_unlock(&s->lock);
	pg_free(old);
	return true;
}

struct snapshot *snapshot_new(const struct peer_config *source, const char *mirror, const char *exported,
	const struct stop *stop, struct error *e)
{
	struct snapshot *s = xcalloc(1, sizeof(*s));
	peer_config_copy(&s->source, source);
	copy_text(s->mirror, sizeof(s->mirror), mirror);
	s->stop = stop;
	pthread_mutex_init(&s->lock, NULL);
	if (take(s, exported, e) && join(s, 1, e))
		return s;
	snapshot_free(s);
	return NULL;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	for (int i = 0; i < KEEPERS; i++)
		pg_free(s->keepers[i].pg);
	peer_config_free(&s->source);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct pg *snapshot_connection(struct snapshot *s)
{
	return s->keepers[s->current].pg;
}

void snapshot_name(struct snapshot *s, char out[NAME_SIZE])
{
	pthread_mutex_lock(&s->lock);
	copy_text(out, NAME_SIZE, s->keepers[s->current].name);
	pthread_mutex_unlock(&s->lock);
}

const char *snapshot_visible(const struct snapshot *s)
{
	return s->visible;
}

const char *snapshot_lsn(const struct snapshot *s)
{
	return s->lsn;
}

int64_t snapshot_taken_at(const struct snapshot *s)
{
	return s->taken_at;
}

static bool alive(struct keeper *k)
{
	struct error ignored;
	return !pg_lost(k->pg) && pg_run(k->pg, &ignored, "SELECT 1");
}

bool snapshot_keep(struct snapshot *s, struct error *e)
{
	bool living[KEEPERS];
	struct error why = { 0 };
	for (int i = 0; i < KEEPERS; i++)
		living[i] = alive(&s->keepers[i]);
	if (stop_raised(s->stop))
		return true;
	if (!living[0] && !living[1]) {
		error_set(e, ERROR_LOST, "peer %s: both connections that kept the snapshot are gone",
			s->source.name);
		return error_next(e, "it goes on from a new snapshot by itself; finished tables stay");
	}
	pthread_mutex_lock(&s->lock);
	s->current = living[0] ? 0 : 1;
	pthread_mutex_unlock(&s->lock);
	for (int i = 0; i < KEEPERS; i++)
		if (!living[i] && !join(s, i, &why)) /* tried again at the next call */
			return true;
	return true;
}
