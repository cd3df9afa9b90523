// SPDX-License-Identifier: PostgreSQL
/* Roles from the shared catalogs, which everybody may read but for pg_authid: whether a role has a
 * password is known to superusers alone. What the catalogs of an older server lack gets the meaning
 * that it had there. */
#include <stdlib.h>
#include <string.h>

#include "roles_inside.h"

/* pg_shdepend has no lines of the first superuser. Objects that came with the cluster or with an
 * extension do not make it matter. */
#define FIRST_OWNS(catalog, owner)                                                                 \
	"exists (select from " catalog " o where o." owner " = 10 and o.oid >= 16384"                  \
	" and not exists (select from pg_depend x where x.classid = '" catalog "'::regclass"           \
	" and x.objid = o.oid and x.deptype = 'e'))"

#define REACH_SQL                                                                                  \
	"select s.refobjid, bool_or(s.dbid = b.oid"                                                    \
	" or (s.classid = 'pg_database'::regclass and s.objid = b.oid)) as here,"                      \
	" bool_or(s.dbid not in (0, b.oid)"                                                            \
	" or (s.classid = 'pg_database'::regclass and s.objid <> b.oid)) as elsewhere"                 \
	" from pg_shdepend s join pg_database b on b.datname = current_database()"                     \
	" where s.refclassid = 'pg_authid'::regclass and s.deptype <> 'p' group by s.refobjid"

#define ROLES_SQL                                                                                  \
	"select r.oid, r.rolname, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolinherit,"           \
	" r.rolcanlogin, r.rolreplication, %s, r.rolconnlimit,"                                        \
	" nullif(r.rolvaliduntil, 'infinity')::text, shobj_description(r.oid, 'pg_authid'),"           \
	" coalesce(d.here, false) or exists (select from pg_db_role_setting s"                         \
	" where s.setrole = r.oid and s.setdatabase = b.oid)"                                          \
	" or r.oid = 10 and (" FIRST_OWNS("pg_class", "relowner")                                      \
	" or " FIRST_OWNS("pg_proc", "proowner") " or " FIRST_OWNS("pg_namespace", "nspowner") "),"    \
	" coalesce(d.elsewhere, false), r.oid = 10, r.rolname = current_user"                          \
	" from pg_roles r join pg_database b on b.datname = current_database()"                        \
	" left join (" REACH_SQL ") d on d.refobjid = r.oid order by r.oid"

static char *text_or_null(const struct rows *r, int row, int column)
{
	return rows_null(r, row, column) ? NULL : xstrdup(rows_text(r, row, column));
}

static const char *name_there(const struct mirror_config *map, const char *name)
{
	for (size_t i = 0; map && i < map->role_map_count; i++)
		if (strcmp(map->roles_map[i].source, name) == 0)
			return map->roles_map[i].target;
	return name;
}

static unsigned read_attributes(const struct rows *r, int row, int column)
{
	static const unsigned order[] = { ROLE_SUPERUSER, ROLE_CREATEDB, ROLE_CREATEROLE, ROLE_INHERIT,
		ROLE_LOGIN, ROLE_REPLICATION, ROLE_BYPASSRLS };
	unsigned attributes = 0;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (rows_bool(r, row, column + (int)i))
			attributes |= order[i];
	return attributes;
}

static void read_role(
	struct role *role, const struct rows *r, int row, const struct mirror_config *map)
{
	const char *name = rows_text(r, row, 1);
	*role = (struct role){
		.oid = rows_int(r, row, 0),
		.name = xstrdup(name),
		.there = xstrdup(name_there(map, name)),
		.attributes = read_attributes(r, row, 2),
		.limit = (int)rows_int(r, row, 9),
		.valid_until = text_or_null(r, row, 10),
		.comment = text_or_null(r, row, 11),
		.direct = rows_bool(r, row, 12),
		.direct_elsewhere = rows_bool(r, row, 13),
		.bootstrap = rows_bool(r, row, 14),
	};
}

static int by_there(const void *a, const void *b)
{
	return strcmp((*(const struct role *const *)a)->there, (*(const struct role *const *)b)->there);
}

static bool read_roles(
	struct pg *c, const struct mirror_config *map, struct role_side *s, struct error *e)
{
	char *sql = xasprintf(ROLES_SQL, s->version >= SINCE_BYPASSRLS ? "r.rolbypassrls" : "false");
	struct rows *r = PG_ROWS(c, e, sql);
	free(sql);
	if (!r)
		return false;
	s->role_count = (size_t)rows_count(r);
	s->roles = xcalloc(s->role_count + 1, sizeof(*s->roles));
	s->by_there = xcalloc(s->role_count + 1, sizeof(*s->by_there));
	for (size_t i = 0; i < s->role_count; i++) {
		struct role *role = &s->roles[i];
		read_role(role, r, (int)i, map);
		s->by_there[i] = role;
		if (rows_bool(r, (int)i, 15))
			s->self = role;
	}
	rows_free(r);
	qsort(s->by_there, s->role_count, sizeof(*s->by_there), by_there);
	return s->self || error_set(e, ERROR_BUG, "peer %s: the connected role is not in pg_roles",
						  pg_peer_name(c));
}

const struct role *role_find(const struct role_side *s, const char *there)
{
	const struct role key = { .there = (char *)(uintptr_t)there }, *at = &key;
	const struct role **found =
		bsearch(&at, s->by_there, s->role_count, sizeof(*s->by_there), by_there);
	return found ? *found : NULL;
}

static int by_oid(const void *a, const void *b)
{
	const struct role *x = a, *y = b;
	return x->oid < y->oid ? -1 : x->oid > y->oid;
}

static struct role *find_oid(const struct role_side *s, int64_t oid)
{
	const struct role key = { .oid = oid };
	return bsearch(&key, s->roles, s->role_count, sizeof(*s->roles), by_oid);
}

static enum role_password password_kind(const char *text)
{
	switch (text[0]) {
	case 's':
		return PASSWORD_SCRAM;
	case 'm':
		return PASSWORD_MD5;
	case 'p':
		return PASSWORD_PLAIN;
	default:
		return PASSWORD_NONE;
	}
}

static bool read_passwords(struct pg *c, struct role_side *s, struct error *e)
{
	struct rows *may = PG_ROWS(c, e, "select has_table_privilege('pg_authid', 'select')");
	bool readable = may && rows_bool(may, 0, 0);
	rows_free(may);
	if (!readable)
		return may != NULL;
	struct rows *r = PG_ROWS(c, e,
		"select oid, case when rolpassword is null then 'n'"
		" when rolpassword like 'SCRAM-SHA-256$%' then 's'"
		" when rolpassword ~ '^md5[0-9a-f]{32}$' then 'm' else 'p' end from pg_authid");
	for (int row = 0; r && row < rows_count(r); row++) {
		struct role *role = find_oid(s, rows_int(r, row, 0));
		if (role)
			role->password = password_kind(rows_text(r, row, 1));
	}
	rows_free(r);
	return r != NULL;
}

/* Several grantors may have given the same membership: together they count. Before 16 it is
 * inherited when the member inherits at all, and SET ROLE is always allowed. */
static bool read_memberships(struct pg *c, struct role_side *s, struct error *e)
{
	struct rows *r = PG_ROWS(c, e,
		s->version >= SINCE_MEMBERSHIP_OPTIONS
			? "select roleid, member, bool_or(admin_option), bool_or(inherit_option),"
			  " bool_or(set_option) from pg_auth_members group by roleid, member"
			: "select m.roleid, m.member, bool_or(m.admin_option), bool_or(r.rolinherit), true"
			  " from pg_auth_members m join pg_roles r on r.oid = m.member"
			  " group by m.roleid, m.member");
	if (!r)
		return false;
	s->memberships = xcalloc((size_t)rows_count(r) + 1, sizeof(*s->memberships));
	for (int row = 0; row < rows_count(r); row++) {
		const struct role *group = find_oid(s, rows_int(r, row, 0));
		const struct role *member = find_oid(s, rows_int(r, row, 1));
		if (group && member) /* neither was dropped since the roles were read */
			s->memberships[s->membership_count++] = (struct role_membership){ group, member,
				rows_bool(r, row, 2), rows_bool(r, row, 3), rows_bool(r, row, 4) };
	}
	rows_free(r);
	return true;
}

/* A role may become another one as soon as it logs in. */
static const char *value_there(const struct mirror_config *map, const char *name, const char *value)
{
	return strcmp(name, "role") == 0 ? name_there(map, value) : value;
}

static bool read_settings(
	struct pg *c, const struct mirror_config *map, struct role_side *s, struct error *e)
{
	struct rows *r = PG_ROWS(c, e,
		"select s.setrole, s.setdatabase <> 0, split_part(t, '=', 1), substr(t, strpos(t, '=') + 1)"
		" from pg_db_role_setting s, unnest(s.setconfig) t where s.setdatabase in"
		" (0, (select oid from pg_database where datname = current_database()))");
	if (!r)
		return false;
	s->settings = xcalloc((size_t)rows_count(r) + 1, sizeof(*s->settings));
	for (int row = 0; row < rows_count(r); row++) {
		const struct role *role = find_oid(s, rows_int(r, row, 0));
		if (role || rows_int(r, row, 0) == 0)
			s->settings[s->setting_count++] =
				(struct role_setting){ role, rows_bool(r, row, 1), xstrdup(rows_text(r, row, 2)),
					xstrdup(value_there(map, rows_text(r, row, 2), rows_text(r, row, 3))) };
	}
	rows_free(r);
	return true;
}

/* What nobody has changed stands in no catalog: acldefault says it. */
static bool read_grants(struct pg *c, struct role_side *s, struct error *e)
{
	struct rows *r = PG_ROWS(c, e,
		"select a.grantee, a.privilege_type, bool_or(a.is_grantable) from pg_database d,"
		" aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a"
		" where d.datname = current_database() and a.grantee <> d.datdba"
		" group by a.grantee, a.privilege_type");
	if (!r)
		return false;
	s->grants = xcalloc((size_t)rows_count(r) + 1, sizeof(*s->grants));
	for (int row = 0; row < rows_count(r); row++) {
		const struct role *role = find_oid(s, rows_int(r, row, 0));
		if (role || rows_int(r, row, 0) == 0)
			s->grants[s->grant_count++] =
				(struct role_grant){ role, xstrdup(rows_text(r, row, 1)), rows_bool(r, row, 2) };
	}
	rows_free(r);
	return true;
}

static bool read_database(struct pg *c, struct role_side *s, struct error *e)
{
	struct rows *r = PG_ROWS(c, e,
		"select datname, datconnlimit, datdba, shobj_description(oid, 'pg_database')"
		" from pg_database where datname = current_database()");
	if (!r)
		return false;
	s->database = xstrdup(rows_text(r, 0, 0));
	s->database_limit = (int)rows_int(r, 0, 1);
	s->owner = find_oid(s, rows_int(r, 0, 2));
	s->database_comment = text_or_null(r, 0, 3);
	rows_free(r);
	return true;
}

bool role_side_read(
	struct pg *c, const struct mirror_config *map, struct role_side *out, struct error *e)
{
	*out = (struct role_side){ .version = pg_version(c) };
	if (provider_read(c, &out->provider, e) && read_roles(c, map, out, e) &&
		read_passwords(c, out, e) && read_memberships(c, out, e) && read_settings(c, map, out, e) &&
		read_grants(c, out, e) && read_database(c, out, e)) {
		role_side_sort(out);
		return true;
	}
	role_side_free(out);
	return error_prefix(e, "roles of peer %s", pg_peer_name(c));
}

void role_side_free(struct role_side *s)
{
	for (size_t i = 0; i < s->role_count; i++) {
		free(s->roles[i].name);
		free(s->roles[i].there);
		free(s->roles[i].valid_until);
		free(s->roles[i].comment);
	}
	for (size_t i = 0; i < s->setting_count; i++) {
		free(s->settings[i].name);
		free(s->settings[i].value);
	}
	for (size_t i = 0; i < s->grant_count; i++)
		free(s->grants[i].privilege);
	free(s->roles);
	free(s->by_there);
	free(s->memberships);
	free(s->settings);
	free(s->grants);
	free(s->database);
	free(s->database_comment);
	*s = (struct role_side){ 0 };
}
