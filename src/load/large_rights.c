// SPDX-License-Identifier: PostgreSQL
#include "large_rights.h"

#include <stdlib.h>
#include <string.h>

#include <pgpier/selection.h>

static void leave(struct strings *left, char *take_text)
{
	strings_add(left, take_text);
	free(take_text);
}

void large_rights_owner(const struct large_rights *r, struct strbuf *sql, const char *oid, const char *owner,
	struct strings *left)
{
	const char *role = selection_role(r->mirror, owner);
	if (r->mirror->owners == OWNERS_NONE)
		return;
	if (!strings_sorted_have(&r->known.all, role)) {
		leave(left, xasprintf("large object %s is not given to %s, a role that the target lacks", oid, role));
	} else if (!strings_sorted_have(&r->known.held, role)) {
		leave(left, xasprintf("large object %s is not given to %s: only a member of that role can", oid, role));
	} else {
		strbuf_addf(sql, "ALTER LARGE OBJECT %s OWNER TO ", oid);
		quote_name(sql, role);
		strbuf_add(sql, ";");
	}
}

enum grant_field { G_OID, G_GRANTEE, G_PRIVILEGE, G_GRANTABLE, G_OWNER };

/* An object whose grants were changed has a list of all of them, its owner's as well. */
static void add_grant(const struct large_rights *r, struct strbuf *sql, const struct rows *g, int i,
	struct strings *left)
{
	bool public = rows_null(g, i, G_GRANTEE);
	const char *oid = rows_text(g, i, G_OID), *grantee = rows_text(g, i, G_GRANTEE);
	const char *role = public ? "" : selection_role(r->mirror, grantee);
	if (!public && !strings_sorted_have(&r->known.all, role)) {
		leave(left, xasprintf("large object %s: no %s for %s, a role that the target lacks", oid,
			rows_text(g, i, G_PRIVILEGE), role));
		return;
	}
	strbuf_addf(sql, "GRANT %s ON LARGE OBJECT %s TO ", rows_text(g, i, G_PRIVILEGE), oid);
	if (public)
		strbuf_add(sql, "PUBLIC");
	else
		quote_name(sql, role);
	strbuf_add(sql, rows_bool(g, i, G_GRANTABLE) ? " WITH GRANT OPTION;" : ";");
}

static void add_revoke(const struct large_rights *r, struct strbuf *sql, const struct rows *g, int i)
{
	const char *role = selection_role(r->mirror, rows_text(g, i, G_OWNER));
	if (!strings_sorted_have(&r->known.all, role))
		return;
	strbuf_addf(sql, "REVOKE ALL ON LARGE OBJECT %s FROM ", rows_text(g, i, G_OID));
	quote_name(sql, role);
	strbuf_add(sql, ";");
}

bool large_rights_grants(const struct large_rights *r, struct strbuf *sql, struct pg *source, size_t n,
	const char *const *oids, struct strings *left, struct error *e)
{
	if (r->mirror->owners == OWNERS_NONE)
		return true;
	struct strbuf list = STRBUF_INIT;
	quote_array(&list, n, oids);
	struct rows *g = PG_ROWS(source, e,
		"SELECT m.oid, r.rolname, a.privilege_type, a.is_grantable, pg_catalog.pg_get_userbyid(m.lomowner)"
		" FROM pg_catalog.pg_largeobject_metadata m"
		" LEFT JOIN LATERAL pg_catalog.aclexplode(m.lomacl) a ON true"
		" LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee"
		" WHERE m.oid = ANY ($1::oid[]) AND (a.grantee IS NULL OR a.grantee = 0 OR r.oid IS NOT NULL)"
		" ORDER BY m.oid, a.grantee <> m.lomowner, r.rolname, a.privilege_type DESC", list.text);
	for (int i = 0; g && i < rows_count(g); i++) {
		if (i == 0 || strcmp(rows_text(g, i, G_OID), rows_text(g, i - 1, G_OID)) != 0)
			add_revoke(r, sql, g, i);
		if (!rows_null(g, i, G_PRIVILEGE))
			add_grant(r, sql, g, i, left);
	}
	strbuf_free(&list);
	rows_free(g);
	return g != NULL;
}
