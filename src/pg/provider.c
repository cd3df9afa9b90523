// SPDX-License-Identifier: PostgreSQL
#include "provider.h"

#include <fnmatch.h>
#include <stdlib.h>

#define SIGNS 5

/* '@' stands for the role. What a provider has no words of its own for is done as on one's own server. */
static const struct {
	const char *name, *profile;
	const char *signs[SIGNS]; /* shell patterns; any of them is enough */
	const char *next[NEED_COUNT];
} providers[PROVIDER_COUNT] = {
	[PROVIDER_AURORA] = {
		"Amazon Aurora", "aurora",
		{ "function aurora_version", "setting apg_*", "host *.cluster-*.rds.amazonaws.com*" },
		{
			[NEED_WAL_LEVEL] = "set rds.logical_replication = 1 in the DB cluster parameter group, then reboot "
							   "the writer instance",
			[NEED_REPLICATION] = "GRANT rds_replication TO @",
			[NEED_SETTING] = "in the DB cluster parameter group, then reboot the writer instance",
			[NEED_DIRECT] = "use the cluster's writer endpoint, no RDS Proxy and no reader",
			[NEED_SESSION_ROLE] = "GRANT rds_superuser TO @",
		},
	},
	[PROVIDER_RDS] = {
		"Amazon RDS", "rds",
		{ "setting rds.*", "role rds_superuser", "role rdsadmin", "host *.rds.amazonaws.com*" },
		{
			[NEED_WAL_LEVEL] = "set rds.logical_replication = 1 in the DB parameter group, then reboot the "
							   "instance (aws rds reboot-db-instance)",
			[NEED_REPLICATION] = "GRANT rds_replication TO @",
			[NEED_SETTING] = "in the DB parameter group, then reboot the instance",
			[NEED_DIRECT] = "use the instance's own endpoint, no RDS Proxy",
			[NEED_SESSION_ROLE] = "GRANT rds_superuser TO @",
		},
	},
	[PROVIDER_ALLOYDB] = {
		"AlloyDB", "alloydb",
		{ "setting alloydb.*", "role alloydbsuperuser", "role alloydbadmin" },
		{
			[NEED_WAL_LEVEL] = "gcloud alloydb instances update INSTANCE --cluster=CLUSTER --region=REGION "
							   "--database-flags=alloydb.logical_decoding=on (name the flags that are set "
							   "already, too); the instance restarts",
			[NEED_REPLICATION] = "ALTER USER @ WITH REPLICATION, as a member of alloydbsuperuser",
			[NEED_SETTING] = "as a flag of the instance (gcloud alloydb instances update --database-flags)",
			[NEED_DIRECT] = "use the instance's port 5432, not the one of managed connection pooling",
		},
	},
	[PROVIDER_CLOUD_SQL] = {
		"Cloud SQL", "cloudsql",
		{ "setting cloudsql.*", "role cloudsqlsuperuser", "role cloudsqladmin" },
		{
			[NEED_WAL_LEVEL] = "gcloud sql instances patch INSTANCE --database-flags=cloudsql.logical_decoding=on "
							   "(name the flags that are set already, too); the instance restarts",
			[NEED_REPLICATION] = "ALTER USER @ WITH REPLICATION, as a member of cloudsqlsuperuser",
			[NEED_SETTING] = "as a flag of the instance (gcloud sql instances patch --database-flags)",
			[NEED_DIRECT] = "use the instance's port 5432, not the one of managed connection pooling",
		},
	},
	[PROVIDER_AZURE] = {
		"Azure Database for PostgreSQL", "azure",
		{ "setting azure.*", "role azure_pg_admin", "role azuresu", "host *.postgres.database.azure.com" },
		{
			[NEED_WAL_LEVEL] = "az postgres flexible-server parameter set -g GROUP -s SERVER -n wal_level -v "
							   "logical, then az postgres flexible-server restart -g GROUP -n SERVER",
			[NEED_REPLICATION] = "ALTER ROLE @ WITH REPLICATION, as the server's administrator",
			[NEED_SETTING] = "as a server parameter (az postgres flexible-server parameter set), then restart",
			[NEED_DIRECT] = "use port 5432, not PgBouncer's 6432",
			[NEED_SESSION_ROLE] = "use the server's administrator, a member of azure_pg_admin",
		},
	},
	[PROVIDER_SUPABASE] = {
		"Supabase", "supabase",
		{ "role supabase_admin", "setting supautils.*", "host *.supabase.co", "host *.supabase.com" },
		{
			[NEED_WAL_LEVEL] = "Supabase runs with wal_level = logical unless somebody changed it: look at the "
							   "project's custom Postgres configuration (supabase postgres-config)",
			[NEED_REPLICATION] = "use role postgres, or ALTER ROLE @ REPLICATION as postgres",
			[NEED_SETTING] = "with supabase postgres-config update --config NAME=VALUE",
			[NEED_DIRECT] = "use the direct connection, db.PROJECT.supabase.co port 5432 (over IPv6, or with the "
							"IPv4 add-on), not pooler.supabase.com",
		},
	},
	[PROVIDER_NEON] = {
		"Neon", "neon",
		{ "setting neon.*", "role neon_superuser", "host *.neon.tech" },
		{
			[NEED_WAL_LEVEL] = "enable Logical Replication in the project's settings in the Neon console; its "
							   "computes restart, and it can't be disabled again",
			[NEED_REPLICATION] = "use a role made by Neon's console, CLI or API: those may replicate, roles made "
								 "in SQL may not",
			[NEED_SETTING] = "by Neon's support",
			[NEED_DIRECT] = "use the host name without -pooler",
		},
	},
	[PROVIDER_HEROKU] = {
		"Heroku Postgres", "heroku",
		{ "schema heroku_ext", "schema _heroku" },
		{
			[NEED_WAL_LEVEL] = "Heroku has no logical replication for its customers: mirror with continuous = false",
			[NEED_REPLICATION] = "Heroku has no roles that may replicate: mirror with continuous = false",
			[NEED_SETTING] = "by Heroku's support",
			[NEED_DIRECT] = "use DATABASE_URL, not the one of connection pooling",
		},
	},
	[PROVIDER_AIVEN] = {
		"Aiven", "aiven",
		{ "role _aiven", "host *.aivencloud.com" },
		{
			[NEED_WAL_LEVEL] = "Aiven runs with wal_level = logical: look at the service's advanced configuration",
			[NEED_REPLICATION] = "ALTER ROLE @ REPLICATION, as avnadmin",
			[NEED_SETTING] = "in the service's advanced configuration",
			[NEED_DIRECT] = "use the service's own port, not the one of its connection pools",
		},
	},
	[PROVIDER_DOCKER] = {
		"Docker", NULL,
		{ "directory /var/lib/postgresql/data*", "directory /var/lib/postgresql/*/docker*",
			"directory /bitnami/*" },
		{
			[NEED_WAL_LEVEL] = "ALTER SYSTEM SET wal_level = 'logical', then docker restart CONTAINER; or give "
							   "the container the command postgres -c wal_level=logical",
			[NEED_SETTING] = "with ALTER SYSTEM SET, then docker restart CONTAINER",
		},
	},
	[PROVIDER_SELF] = {
		"a server of one's own", NULL,
		{ NULL },
		{
			[NEED_WAL_LEVEL] = "ALTER SYSTEM SET wal_level = 'logical', then restart the server",
			[NEED_REPLICATION] = "ALTER ROLE @ REPLICATION",
			[NEED_SETTING] = "with ALTER SYSTEM SET, then restart the server",
			[NEED_DIRECT] = "give the peer the server's own host and port, not the pooler's",
			[NEED_SESSION_ROLE] = "GRANT SET ON PARAMETER session_replication_role TO @ (15 and later), or use a "
								  "superuser",
		},
	},
};

const char *provider_name(enum provider p)
{
	return providers[p].name;
}

const char *provider_profile(enum provider p)
{
	return providers[p].profile;
}

char *provider_next(enum provider p, enum provider_need need, const char *role)
{
	struct strbuf b = STRBUF_INIT;
	const char *text = providers[p].next[need];
	for (text = text ? text : providers[PROVIDER_SELF].next[need]; *text; text++) {
		if (*text == '@')
			quote_name(&b, role);
		else
			strbuf_addn(&b, text, 1);
	}
	return strbuf_take(&b);
}

static bool shows(enum provider p, const struct strings *signs)
{
	for (size_t i = 0; i < SIGNS && providers[p].signs[i]; i++)
		for (size_t k = 0; k < signs->count; k++)
			if (fnmatch(providers[p].signs[i], signs->items[k], FNM_CASEFOLD) == 0)
				return true;
	return false;
}

enum provider provider_of(const struct strings *signs)
{
	for (int p = 0; p < PROVIDER_SELF; p++)
		if (shows((enum provider)p, signs))
			return (enum provider)p;
	return PROVIDER_SELF;
}

bool provider_read(struct pg *c, enum provider *out, struct error *e)
{
	struct strings signs = { 0 };
	struct rows *r = PG_ROWS(c, e,
		"SELECT 'setting ' || name FROM pg_catalog.pg_settings"
		"  WHERE name ~ '^(rds|apg_|alloydb|cloudsql|azure|supautils|neon)'"
		" UNION ALL SELECT 'role ' || rolname FROM pg_catalog.pg_roles"
		"  WHERE rolname ~ '^(rds|alloydb|cloudsql|azure|supabase|neon|_aiven)'"
		" UNION ALL SELECT 'schema ' || nspname FROM pg_catalog.pg_namespace WHERE nspname IN ('heroku_ext', '_heroku')"
		" UNION ALL SELECT 'function ' || proname FROM pg_catalog.pg_proc WHERE proname = 'aurora_version'"
		" UNION ALL SELECT 'directory ' || setting FROM pg_catalog.pg_settings WHERE name = 'data_directory'");
	if (!r)
		return false;
	for (int i = 0; i < rows_count(r); i++)
		strings_add(&signs, rows_text(r, i, 0));
	rows_free(r);
	const char *host = PQhost(pg_conn_borrow(c));
	char *sign = xasprintf("host %s", host ? host : "");
	strings_add(&signs, sign);
	free(sign);
	*out = provider_of(&signs);
	strings_free(&signs);
	return true;
}
