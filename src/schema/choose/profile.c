// SPDX-License-Identifier: PostgreSQL
#include "profile.h"

#include <fnmatch.h>
#include <string.h>

#define MOST 12

/* Shell patterns. */
static const struct profile {
	const char *name, *title;
	const char *schemas[MOST], *extensions[MOST], *roles[MOST];
} profiles[] = {
	{ "rds", "Amazon RDS", { "rdsadmin", "rds_tools", "aws_*" },
		{ "rds_tools", "rdsutils", "aws_*", "flow_control" }, { "rdsadmin", "rds_superuser" } },
	{ "aurora", "Amazon Aurora", { "rdsadmin", "rds_tools", "aws_*", "apg_*" },
		{ "rds_tools", "rdsutils", "aws_*", "apg_*", "aurora_*", "flow_control" }, { "rdsadmin", "rds_superuser" } },
	{ "cloudsql", "Cloud SQL", { "google_*", "cloudsql*" }, { "google_*", "cloudsql*" },
		{ "cloudsqladmin", "cloudsqlagent", "cloudsqlimportexport", "cloudsqlsuperuser" } },
	{ "alloydb", "AlloyDB", { "google_*", "alloydb*", "g_stats" }, { "google_*", "alloydb*", "g_stats" },
		{ "alloydbadmin", "alloydbagent", "alloydbimportexport", "alloydbsuperuser" } },
	{ "azure", "Azure", { "azure", "azure_*", "pg_azure*", "pgaadauth" },
		{ "azure", "azure_*", "pg_azure*", "pgaadauth" }, { "azuresu", "azure_pg_admin", "replication" } },
	{ "supabase", "Supabase",
		{ "auth", "storage", "realtime", "_realtime", "extensions", "graphql", "graphql_public", "vault",
			"pgbouncer", "pgsodium*", "supabase_*", "cron" },
		{ "pg_graphql", "supabase_vault", "pgsodium", "pgjwt", "pg_net", "supautils" },
		{ "supabase_admin", "supabase_*_admin", "pgbouncer", "pgsodium_*", "dashboard_user" } },
	{ "aiven", "Aiven", { "aiven_*" }, { "aiven_*" }, { "_aiven" } },
	{ "heroku", "Heroku", { "heroku_ext" }, { "heroku_*" }, { NULL } },
	{ "neon", "Neon", { "neon", "neon_*" }, { "neon", "neon_*" }, { "cloud_admin", "neon_superuser" } },
};

static const struct profile *find(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(profiles); i++)
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	return NULL;
}

static bool has(const char *const patterns[MOST], const char *text)
{
	for (size_t i = 0; i < MOST && patterns[i]; i++)
		if (fnmatch(patterns[i], text, 0) == 0)
			return true;
	return false;
}

const char *profile_title(const char *profile)
{
	const struct profile *p = find(profile);
	return p ? p->title : profile;
}

bool profile_has_schema(const char *profile, const char *schema)
{
	const struct profile *p = find(profile);
	return p && has(p->schemas, schema);
}

bool profile_has_extension(const char *profile, const char *extension)
{
	const struct profile *p = find(profile);
	return p && has(p->extensions, extension);
}

bool profile_has_role(const char *profile, const char *role)
{
	const struct profile *p = find(profile);
	return p && has(p->roles, role);
}

/* Of PostgreSQL's own contrib. */
static const char *const contrib[] = { "adminpack", "amcheck", "autoinc", "bloom", "btree_gin", "btree_gist",
	"citext", "cube", "dblink", "dict_int", "dict_xsyn", "earthdistance", "file_fdw", "fuzzystrmatch", "hstore",
	"insert_username", "intagg", "intarray", "isn", "lo", "ltree", "moddatetime", "old_snapshot", "pageinspect",
	"pg_buffercache", "pg_freespacemap", "pg_prewarm", "pg_stat_statements", "pg_surgery", "pg_trgm", "pg_visibility",
	"pg_walinspect", "pgcrypto", "pgrowlocks", "pgstattuple", "postgres_fdw", "refint", "seg", "sslinfo", "tablefunc",
	"tcn", "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp", "xml2" };

/* As PGDG's repositories name what comes behind "postgresql-NN-". */
static const struct {
	const char *pattern, *package;
} packages[] = {
	{ "postgis*", "postgis-3" },
	{ "address_standardizer*", "postgis-3" },
	{ "pgrouting", "pgrouting" },
	{ "vector", "pgvector" },
	{ "pg_cron", "cron" },
	{ "pg_partman", "partman" },
	{ "pg_repack", "repack" },
	{ "pgaudit", "pgaudit" },
	{ "pg_hint_plan", "pg-hint-plan" },
	{ "hypopg", "hypopg" },
	{ "hll", "hll" },
	{ "rum", "rum" },
	{ "ip4r", "ip4r" },
	{ "prefix", "prefix" },
	{ "mysql_fdw", "mysql-fdw" },
	{ "tds_fdw", "tds-fdw" },
	{ "oracle_fdw", "oracle-fdw" },
	{ "orafce", "orafce" },
	{ "pglogical*", "pglogical" },
	{ "pg_qualstats", "pg-qualstats" },
	{ "pg_similarity", "similarity" },
	{ "pgtap", "pgtap" },
	{ "pg_squeeze", "squeeze" },
	{ "wal2json", "wal2json" },
	{ "plpython3u", NULL },
	{ "*_plpython3u", NULL },
	{ "plperl*", NULL },
	{ "*_plperl*", NULL },
	{ "pltcl*", NULL },
};

static const char *language_package(const char *extension)
{
	return strstr(extension, "plpython") ? "plpython3" : strstr(extension, "plperl") ? "plperl" : "pltcl";
}

char *extension_package(const char *extension)
{
	for (size_t i = 0; i < ARRAY_SIZE(contrib); i++)
		if (strcmp(contrib[i], extension) == 0)
			return xstrdup("install postgresql-contrib of the target's version");
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
		if (fnmatch(packages[i].pattern, extension, 0) != 0)
			continue;
		const char *package = packages[i].package;
		if (!package)
			return xasprintf("install package postgresql-%s-NN, with the target's major version for NN",
				language_package(extension));
		return xasprintf("install package postgresql-NN-%s, with the target's major version for NN", package);
	}
	return xstrdup("install the package that has it, or allow it where the provider lists what is allowed");
}
