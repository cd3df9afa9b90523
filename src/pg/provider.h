// SPDX-License-Identifier: PostgreSQL
/* Who runs the server, because "set wal_level" is done differently everywhere: found out from the server
 * itself, and told as what to do there. */
#ifndef PG_PROVIDER_H
#define PG_PROVIDER_H

#include "conn.h"

enum provider {
	PROVIDER_AURORA, /* before RDS, AlloyDB before Cloud SQL: the one has the other's signs, too */
	PROVIDER_RDS,
	PROVIDER_ALLOYDB,
	PROVIDER_CLOUD_SQL,
	PROVIDER_AZURE,
	PROVIDER_SUPABASE,
	PROVIDER_NEON,
	PROVIDER_HEROKU,
	PROVIDER_AIVEN,
	PROVIDER_DOCKER,
	PROVIDER_SELF, /* anything else: what the manual says holds */
	PROVIDER_COUNT,
};
const char *provider_name(enum provider p); /* "Amazon RDS", ... */
/* "rds": of those who put objects of their own into every database; NULL: nobody does. */
const char *provider_profile(enum provider p);

enum provider_need {
	NEED_WAL_LEVEL,
	NEED_REPLICATION,  /* a role that may replicate */
	NEED_SETTING,      /* how a setting that needs a restart is changed */
	NEED_DIRECT,       /* an address without a pooler */
	NEED_SESSION_ROLE, /* a role that may set session_replication_role */
	NEED_COUNT,
};
/* What to do there; `role` takes its place in the text. Caller frees. */
char *provider_next(enum provider p, enum provider_need need, const char *role);

/* Signs are "setting rds.logical_replication", "role azure_pg_admin", "function aurora_version", "host
 * db.x.supabase.co", "directory /var/lib/postgresql/data". Pure. */
enum provider provider_of(const struct strings *signs);
/* Reads the signs; what the role may not see is no sign. */
bool provider_read(struct pg *c, enum provider *out, struct error *e) MUST_CHECK;

#endif
