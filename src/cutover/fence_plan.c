// SPDX-License-Identifier: PostgreSQL
/* What a fence would do, read from the catalogs.
 *
 * Rights to connect come from the database's owner, directly or over roles that have the grant option. So what the
 * owner gave is revoked with all that hangs on it, and given back from the owner outwards: each grant by the role
 * that made it, because a grant's maker is a part of it. A role that keeps its right gets one from the owner, unless
 * it has that already: PUBLIC, a group or another role may be where it came from. */
#include <stdlib.h>

#include "allowed.h"
#include "fence.h"

#define PG_HAS_SUBSCRIPTIONS 100000
#define PG_HAS_SET_OPTION 160000 /* of memberships, and ADMIN OPTION as what lets one alter a role */
#define SETTING "default_transaction_read_only"

/* The database that is fenced, and who we are there. */
struct place {
	char name[NAME_SIZE], owner[NAME_SIZE], us[NAME_SIZE];
	bool ours; /* we may grant and set what is its owner's to grant and to set */
	bool by_default; /* it has no rights of its own: those that every new database has */
	struct strbuf quoted;
};

static bool read_place(struct pg *c, struct place *p, struct error *e)
{
	*p = (struct place){ .quoted = STRBUF_INIT };
	struct rows *r = PG_ROWS(c, e,
		"SELECT d.datname, pg_get_userbyid(d.datdba), session_user, pg_has_role(d.datdba, 'USAGE'), d.datacl IS NULL"
		" FROM pg_database d WHERE d.datname = current_database()");
	if (!r)
		return false;
	copy_text(p->name, sizeof(p->name), rows_text(r, 0, 0));
	copy_text(p->owner, sizeof(p->owner), rows_text(r, 0, 1));
	copy_text(p->us, sizeof(p->us), rows_text(r, 0, 2));
	p->ours = rows_bool(r, 0, 3);
	p->by_default = rows_bool(r, 0, 4);
	quote_name(&p->quoted, p->name);
	rows_free(r);
	return true;
}

static void take(struct strings *l, char *line)
{
	strings_add(l, line);
	free(line);
}

static char *quoted(const char *name)
{
	struct strbuf b = STRBUF_INIT;
	quote_name(&b, name);
	return strbuf_take(&b);
}

/* ---- the right to connect ---- */

#define GRANTS \
	"grants AS (SELECT a.grantor, a.grantee, a.is_grantable, d.datdba FROM pg_database d," \
	" LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a" \
	" WHERE d.datname = current_database() AND a.privilege_type = 'CONNECT')"
/* $1: the allowed. */
#define KEEPS(role) "(" role " = session_user OR " role " = ANY ($1::text[]))"
#define INHERITS(role) \
	"EXISTS (SELECT 1 FROM pg_roles k WHERE " KEEPS("k.rolname") " AND NOT k.rolsuper AND pg_has_role(" role \
	".oid, k.oid, 'USAGE'))"

/* From the owner outwards. */
static const char grants_sql[] =
	"WITH RECURSIVE " GRANTS ", ordered AS (SELECT g.*, 0 AS depth FROM grants g WHERE grantor = datdba"
	" UNION SELECT g.*, o.depth + 1 FROM ordered o JOIN grants g ON g.grantor = o.grantee"
	"  WHERE o.is_grantable AND g.grantor <> g.datdba AND o.depth < 50)"
	" SELECT coalesce(r.rolname, ''), by.rolname, bool_or(o.is_grantable), o.grantor = o.datdba,"
	"  r.rolname IS NOT NULL AND " KEEPS("r.rolname") ","
	"  EXISTS (SELECT 1 FROM grants g WHERE g.grantor = o.grantee AND o.grantee <> o.datdba),"
	"  pg_has_role(o.grantor, %s)"
	" FROM ordered o JOIN pg_roles by ON by.oid = o.grantor LEFT JOIN pg_roles r ON r.oid = o.grantee"
	" GROUP BY o.grantor, o.grantee, o.datdba, r.rolname, by.rolname ORDER BY min(o.depth), by.rolname, 1";

struct grant {
	const char *grantee, *grantor; /* grantee "" is PUBLIC */
	bool grantable, by_owner, keeps, gave_on, grantor_reached;
};

static void add_give_back(struct strings *undo, const struct place *p, const struct grant *g, bool by_grantor)
{
	char *to = g->grantee[0] ? quoted(g->grantee) : xstrdup("PUBLIC"), *by = quoted(g->grantor);
	const char *option = g->grantable ? " WITH GRANT OPTION" : "";
	if (by_grantor)
		take(undo, xasprintf("SET LOCAL ROLE %s; GRANT CONNECT ON DATABASE %s TO %s%s; RESET ROLE", by,
					   p->quoted.text, to, option));
	else
		take(undo, xasprintf("GRANT CONNECT ON DATABASE %s TO %s%s", p->quoted.text, to, option));
	free(to);
	free(by);
}

/* What hangs on a grant goes with it, so that only the owner's grants are taken back by name. */
static void plan_grant(struct fence_plan *out, const struct place *p, const struct grant *g)
{
	char *from = g->grantee[0] ? quoted(g->grantee) : xstrdup("PUBLIC");
	if (!g->by_owner) {
		add_give_back(&out->undo, p, g, g->grantor_reached);
		if (!g->grantor_reached)
			take(&out->notes, xasprintf("%s got its right to connect from %s; afterwards it will have it from %s,"
						   " because we can't act as %s", from, g->grantor, p->owner, g->grantor));
	} else if (!g->keeps) {
		take(&out->close, xasprintf("REVOKE CONNECT ON DATABASE %s FROM %s CASCADE", p->quoted.text, from));
		add_give_back(&out->undo, p, g, false);
	} else if (g->grantable && g->gave_on) {
		take(&out->close, xasprintf("REVOKE GRANT OPTION FOR CONNECT ON DATABASE %s FROM %s CASCADE",
						p->quoted.text, from));
		add_give_back(&out->undo, p, g, false);
	}
	free(from);
}

/* Those who keep their right and don't have it from the owner get it before all is given back as it was, so that
 * the undo takes that away first. */
static bool plan_keepers(struct pg *c, const struct strings *allow, const struct place *p, struct fence_plan *out,
	struct error *e)
{
	struct rows *r = query_allowed(c, allow,
		"WITH " GRANTS " SELECT r.rolname FROM pg_roles r WHERE " KEEPS("r.rolname") " AND NOT r.rolsuper"
		" AND has_database_privilege(r.oid, current_database(), 'CONNECT')"
		" AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.grantor = g.datdba AND g.grantee = r.oid) ORDER BY 1", e);
	if (!r)
		return false;
	for (int i = 0; i < rows_count(r); i++) {
		char *role = quoted(rows_text(r, i, 0));
		take(&out->close, xasprintf("GRANT CONNECT ON DATABASE %s TO %s", p->quoted.text, role));
		take(&out->undo, xasprintf("REVOKE CONNECT ON DATABASE %s FROM %s", p->quoted.text, role));
		free(role);
	}
	rows_free(r);
	return true;
}

static bool plan_rights(struct pg *c, const struct strings *allow, const struct place *p, struct fence_plan *out,
	struct error *e)
{
	struct fence_plan grants = { .roles = 0 };
	char *sql = xasprintf(grants_sql, pg_version(c) >= PG_HAS_SET_OPTION ? "'SET'" : "'MEMBER'");
	struct rows *r = query_allowed(c, allow, sql, e);
	free(sql);
	if (!r)
		return false;
	for (int i = 0; i < rows_count(r); i++)
		plan_grant(&grants, p, &(struct grant){ .grantee = rows_text(r, i, 0), .grantor = rows_text(r, i, 1),
			.grantable = rows_bool(r, i, 2), .by_owner = rows_bool(r, i, 3), .keeps = rows_bool(r, i, 4),
			.gave_on = rows_bool(r, i, 5), .grantor_reached = rows_bool(r, i, 6) });
	rows_free(r);
	for (size_t i = 0; i < grants.close.count; i++)
		strings_add(&out->close, grants.close.items[i]);
	bool ok = plan_keepers(c, allow, p, out, e);
	for (size_t i = 0; i < grants.undo.count; i++)
		strings_add(&out->undo, grants.undo.items[i]);
	for (size_t i = 0; i < grants.notes.count; i++)
		strings_add(&out->notes, grants.notes.items[i]);
	if (p->by_default && grants.close.count > 0)
		take(&out->remarks, xasprintf("database %s has default rights; afterwards it has the same rights, written out",
					   p->name));
	fence_plan_free(&grants);
	return ok;
}

/* ---- the read-only default ---- */

/* A value of the setting in a row of pg_db_role_setting. */
#define VALUE_IN(alias) \
	"(SELECT substr(x, strpos(x, '=') + 1) FROM unnest(" alias ".setconfig) x" \
	" WHERE lower(split_part(x, '=', 1)) = '" SETTING "')"
#define THIS_DATABASE "(SELECT oid FROM pg_database WHERE datname = current_database())"

/* was NULL: nothing was set there. */
static void plan_setting(struct fence_plan *out, const char *whose, const char *was)
{
	take(&out->close, xasprintf("ALTER %s SET " SETTING " = on", whose));
	if (!was) {
		take(&out->undo, xasprintf("ALTER %s RESET " SETTING, whose));
		return;
	}
	struct strbuf b = STRBUF_INIT;
	strbuf_addf(&b, "ALTER %s SET " SETTING " = ", whose);
	quote_literal(&b, was);
	take(&out->undo, strbuf_take(&b));
}

static bool plan_database_setting(struct pg *c, const struct place *p, struct fence_plan *out, struct error *e)
{
	struct rows *r = PG_ROWS(c, e, "SELECT " VALUE_IN("s") " FROM (SELECT 1) one LEFT JOIN pg_db_role_setting s"
		" ON s.setdatabase = " THIS_DATABASE " AND s.setrole = 0");
	if (!r)
		return false;
	char *whose = xasprintf("DATABASE %s", p->quoted.text);
	plan_setting(out, whose, rows_null(r, 0, 0) ? NULL : rows_text(r, 0, 0));
	free(whose);
	rows_free(r);
	return true;
}

/* A role's own setting wins over the database's, and one for the role in the database over both. */
#define ROLE_SETTINGS \
	"SELECT r.rolname, i.value, %s, r.rolsuper OR " INHERITS("r") " FROM pg_roles r JOIN pg_roles us ON us.rolname = current_user," \
	" LATERAL (SELECT (SELECT " VALUE_IN("s") " FROM pg_db_role_setting s" \
	"  WHERE s.setrole = r.oid AND s.setdatabase = " THIS_DATABASE ") AS value) i," \
	" LATERAL (SELECT (SELECT " VALUE_IN("s") " FROM pg_db_role_setting s" \
	"  WHERE s.setrole = r.oid AND s.setdatabase = 0) AS value) w" \
	" WHERE NOT coalesce(i.value, w.value, 'on')::bool AND r.rolname <> ALL ($1::text[]) ORDER BY 1"
#define MAY_ALTER "(us.rolsuper OR NOT r.rolsuper AND (r.oid = us.oid OR us.rolcreaterole AND %s))"

static bool plan_role_settings(struct pg *c, const struct strings *allow, const struct place *p,
	struct fence_plan *out, struct error *e)
{
	const char *admin = pg_version(c) >= PG_HAS_SET_OPTION ? "pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION')"
														   : "true";
	char *may = xasprintf(MAY_ALTER, admin), *sql = xasprintf(ROLE_SETTINGS, may);
	struct rows *r = query_allowed(c, allow, sql, e);
	free(may);
	free(sql);
	if (!r)
		return false;
	for (int i = 0; i < rows_count(r); i++) {
		char *role = quoted(rows_text(r, i, 0)), *whose = xasprintf("ROLE %s IN DATABASE %s", role, p->quoted.text);
		if (rows_bool(r, i, 2))
			plan_setting(out, whose, rows_null(r, i, 1) ? NULL : rows_text(r, i, 1));
		else if (rows_bool(r, i, 3)) /* the others can't connect */
			take(&out->notes, xasprintf("role %s has " SETTING " = off, which we may not alter",
						   rows_text(r, i, 0)));
		free(role);
		free(whose);
	}
	rows_free(r);
	return true;
}

/* ---- what it can't keep out ---- */

/* Each row is a note. */
static bool add_notes(struct pg *c, const struct strings *allow, const char *sql, struct fence_plan *out,
	struct error *e)
{
	struct rows *r = query_allowed(c, allow, sql, e);
	for (int i = 0; r && i < rows_count(r); i++)
		strings_add(&out->notes, rows_text(r, i, 0));
	rows_free(r);
	return r != NULL;
}

static const char *const holes[] = {
	"SELECT 'role ' || n || ' is to be let in, but does not exist' FROM unnest($1::text[]) n"
	" WHERE n NOT IN (SELECT rolname FROM pg_roles) ORDER BY 1",
	"SELECT 'superuser ' || rolname || ' can connect all the same, and write where it sets " SETTING " = off'"
	" FROM pg_roles WHERE rolsuper AND rolcanlogin AND NOT " KEEPS("rolname") " ORDER BY 1",
	"SELECT 'role ' || r.rolname || ' can connect all the same, as a member of ' || string_agg(k.rolname, ', ')"
	" FROM pg_roles r JOIN pg_roles k ON " KEEPS("k.rolname")
	"  AND NOT k.rolsuper AND pg_has_role(r.oid, k.oid, 'USAGE')"
	" WHERE r.rolcanlogin AND NOT r.rolsuper AND NOT " KEEPS("r.rolname") " GROUP BY r.rolname ORDER BY 1",
	"SELECT format('%s sessions of our own role %s are not ours (%s): it can connect all the same; give pgpier a role"
	" of its own', count(*), session_user, string_agg(DISTINCT coalesce(nullif(application_name, ''), 'no name'), ', '))"
	" FROM pg_stat_activity WHERE datname = current_database() AND usename = session_user"
	" AND application_name NOT LIKE 'pgpier/%' AND cardinality($1::text[]) >= 0 HAVING count(*) > 0",
	"SELECT 'role ' || a.usename || ' streams from this server and is not let in again when it loses its connection;"
	" allow it, if it is to go on' FROM pg_stat_replication w JOIN pg_stat_activity a USING (pid)"
	" JOIN pg_roles r ON r.rolname = a.usename WHERE a.datname = current_database() AND NOT r.rolsuper"
	" AND NOT " KEEPS("a.usename") " ORDER BY 1",
	"SELECT 'the jobs of extension ' || extname || ' may write; stop them' FROM pg_extension"
	" WHERE extname IN ('pg_cron', 'pg_timetable', 'pgagent') AND cardinality($1::text[]) >= 0 ORDER BY 1",
};

static const char subscriptions_sql[] =
	"SELECT 'subscription ' || subname || ' writes to this database; disable it' FROM pg_subscription"
	" WHERE subenabled AND subdbid = " THIS_DATABASE " AND cardinality($1::text[]) >= 0 ORDER BY 1";

static bool plan_holes(struct pg *c, const struct strings *allow, struct fence_plan *out, struct error *e)
{
	bool ok = true;
	for (size_t i = 0; ok && i < ARRAY_SIZE(holes); i++)
		ok = add_notes(c, allow, holes[i], out, e);
	return ok && (pg_version(c) < PG_HAS_SUBSCRIPTIONS || add_notes(c, allow, subscriptions_sql, out, e));
}

static bool count_roles(struct pg *c, const struct strings *allow, struct fence_plan *out, struct error *e)
{
	struct rows *r = query_allowed(c, allow,
		"SELECT count(*) FROM pg_roles r WHERE r.rolcanlogin AND NOT r.rolsuper AND NOT " KEEPS("r.rolname")
		" AND has_database_privilege(r.oid, current_database(), 'CONNECT') AND NOT " INHERITS("r"), e);
	if (r)
		out->roles = (size_t)rows_int(r, 0, 0);
	rows_free(r);
	return r != NULL;
}

bool fence_plan(struct pg *c, const struct fence_settings *s, struct fence_plan *out, struct error *e)
{
	struct place p;
	*out = (struct fence_plan){ .roles = 0 };
	if (!read_place(c, &p, e))
		return false;
	bool ok = true;
	if (p.ours)
		ok = plan_database_setting(c, &p, out, e) && plan_role_settings(c, s->allow, &p, out, e) &&
			 plan_rights(c, s->allow, &p, out, e) && count_roles(c, s->allow, out, e);
	else
		take(&out->notes, xasprintf("database %s belongs to %s, and our role %s is no member of that: no fence can be"
					   " put around it", p.name, p.owner, p.us));
	ok = ok && plan_holes(c, s->allow, out, e);
	strbuf_free(&p.quoted);
	if (!ok)
		fence_plan_free(out);
	return ok;
}

void fence_plan_free(struct fence_plan *p)
{
	strings_free(&p->close);
	strings_free(&p->undo);
	strings_free(&p->notes);
	strings_free(&p->remarks);
}
