// SPDX-License-Identifier: PostgreSQL
/* What runs on a server: for people to watch, and for us to explain why nothing moves. */
#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"

#define PG_HAS_WAIT_EVENTS 90600
#define PG_HAS_BLOCKING_PIDS 90600
#define PG_HAS_CREATE_INDEX_PROGRESS 120000
#define OURS "pgpier/"

/* "pgpier/MIRROR/ROLE", or "pgpier/ROLE" outside of a mirror. A mirror's name has no slash. */
static void split_application(const char *application, struct activity_row *row)
{
	if (strncmp(application, OURS, strlen(OURS)) != 0) {
		copy_text(row->role, sizeof(row->role), application);
		return;
	}
	const char *rest = application + strlen(OURS), *slash = strchr(rest, '/');
	if (slash) {
		char mirror[NAME_SIZE];
		copy_text(mirror, MIN(sizeof(mirror), (size_t)(slash - rest) + 1), rest);
		copy_text(row->mirror, sizeof(row->mirror), mirror);
	}
	copy_text(row->role, sizeof(row->role), slash ? slash + 1 : rest);
}

bool activity_read(struct pg *c, struct activity_row **out, size_t *count, struct error *e)
{
	char *sql = xasprintf("SELECT pid, coalesce(application_name, ''), coalesce(usename, ''), coalesce(state, ''), %s,"
		" coalesce(extract(epoch FROM clock_timestamp() - CASE WHEN state = 'active' THEN query_start"
		"   ELSE state_change END), 0), coalesce(query, '')"
		" FROM pg_catalog.pg_stat_activity WHERE pid <> pg_catalog.pg_backend_pid()"
		" AND datname = current_database()"
		" ORDER BY (application_name LIKE 'pgpier/%%') DESC, state = 'active' DESC, 6 DESC LIMIT 500",
		pg_version(c) >= PG_HAS_WAIT_EVENTS ? "coalesce(wait_event_type || ': ' || wait_event, '')"
											: "CASE WHEN waiting THEN 'Lock' ELSE '' END");
	struct rows *r = PG_ROWS(c, e, sql);
	free(sql);
	if (!r)
		return false;
	*count = (size_t)rows_count(r);
	*out = xcalloc(*count, sizeof(**out));
	for (int i = 0; i < rows_count(r); i++) {
		struct activity_row *row = &(*out)[i];
		row->pid = (int)rows_int(r, i, 0);
		split_application(rows_text(r, i, 1), row);
		copy_text(row->user, sizeof(row->user), rows_text(r, i, 2));
		copy_text(row->state, sizeof(row->state), rows_text(r, i, 3));
		copy_text(row->wait, sizeof(row->wait), rows_text(r, i, 4));
		row->duration_s = rows_number(r, i, 5);
		copy_text(row->query, sizeof(row->query), rows_text(r, i, 6));
	}
	rows_free(r);
	return true;
}

/* "pgpier/MIRROR/copy-3" gives 3, other roles 0. */
static int worker_of(const char *application)
{
	const char *role = strrchr(application, '/');
	int worker = 0;
	return role && sscanf(role, "/copy-%d", &worker) == 1 ? worker : 0;
}

static char *sessions_of(const char *mirror)
{
	return xasprintf("pgpier/%.40s/", mirror);
}

bool blocked_read(struct pg *c, const char *mirror, struct blocked_worker *out, size_t size, size_t *count,
	struct error *e)
{
	*count = 0;
	if (pg_version(c) < PG_HAS_BLOCKING_PIDS)
		return true;
	char *prefix = sessions_of(mirror);
	struct rows *r = PG_ROWS(c, e,
		"SELECT a.application_name, extract(epoch FROM clock_timestamp() - a.query_start), b.pid,"
		" coalesce(b.query, ''), coalesce(b.state, '') FROM pg_catalog.pg_stat_activity a"
		" LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = (pg_catalog.pg_blocking_pids(a.pid))[1]"
		" WHERE a.wait_event_type = 'Lock' AND left(a.application_name, length($1)) = $1", prefix);
	free(prefix);
	if (!r)
		return false;
	for (int i = 0; i < rows_count(r) && *count < size; i++) {
		char took[FORMAT_SIZE];
		struct blocked_worker *b = &out[(*count)++];
		b->worker = worker_of(rows_text(r, i, 0));
		b->pid = (int)rows_int(r, i, 2);
		snprintf(b->text, sizeof(b->text), "stalled %s: waiting on lock, pid %s%s (%.120s)",
			format_duration(rows_number(r, i, 1), took), rows_text(r, i, 2),
			strncmp(rows_text(r, i, 4), "idle in", 7) == 0 ? " idle in transaction" : "", rows_text(r, i, 3));
	}
	rows_free(r);
	return true;
}

bool builds_read(struct pg *c, const char *mirror, struct build_progress *out, size_t size, size_t *count,
	struct error *e)
{
	*count = 0;
	if (pg_version(c) < PG_HAS_CREATE_INDEX_PROGRESS)
		return true;
	char *prefix = sessions_of(mirror);
	struct rows *r = PG_ROWS(c, e,
		"SELECT a.application_name, p.phase, CASE WHEN p.tuples_total > 0"
		"  THEN p.tuples_done::float8 / p.tuples_total WHEN p.blocks_total > 0"
		"  THEN p.blocks_done::float8 / p.blocks_total ELSE -1 END"
		" FROM pg_catalog.pg_stat_progress_create_index p JOIN pg_catalog.pg_stat_activity a USING (pid)"
		" WHERE left(a.application_name, length($1)) = $1", prefix);
	free(prefix);
	if (!r)
		return false;
	for (int i = 0; i < rows_count(r) && *count < size; i++) {
		struct build_progress *b = &out[(*count)++];
		b->worker = worker_of(rows_text(r, i, 0));
		copy_text(b->phase, sizeof(b->phase), rows_text(r, i, 1));
		b->fraction = rows_number(r, i, 2);
	}
	rows_free(r);
	return true;
}
