// SPDX-License-Identifier: PostgreSQL
#include "publication.h"

#include <stdlib.h>

/* Versions that brought what a publication can do. */
#define PG_HAS_PUBLICATIONS 100000
#define PG_PUBLISHES_TRUNCATE 110000
#define PG_PUBLISHES_PARENTS 130000

/* Every table of a statement is locked until it commits, and a server's lock table is small. */
#define TABLES_A_STATEMENT 500

bool publication_exists(struct pg *source, const char *name, bool *exists, struct error *e)
{
	struct rows *r = PG_ROWS(source, e,
		"SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = $1)", name);
	if (!r)
		return false;
	*exists = rows_bool(r, 0, 0);
	rows_free(r);
	return true;
}

/* ---- which of the tables are in it ---- */

static char *names_of(const struct publication_table *tables, size_t n, bool schema)
{
	struct strbuf b = STRBUF_INIT;
	const char **names = xmalloc(n * sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = schema ? tables[i].schema : tables[i].name;
	quote_array(&b, n, names);
	free(names);
	return strbuf_take(&b);
}

enum membership { NOT_THERE, OUTSIDE, MEMBER };

static enum membership *read_members(struct pg *source, const char *publication,
	const struct publication_table *tables, size_t n, struct error *e)
{
	char *schemas = names_of(tables, n, true), *names = names_of(tables, n, false);
	struct rows *r = PG_ROWS(source, e,
		"SELECT t.no, m.prrelid IS NOT NULL"
		" FROM unnest($1::text[], $2::text[]) WITH ORDINALITY t (s, n, no)"
		" JOIN pg_catalog.pg_namespace s ON s.nspname = t.s"
		" JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname = t.n"
		" LEFT JOIN (SELECT r.prrelid FROM pg_catalog.pg_publication_rel r"
		"   JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid WHERE p.pubname = $3) m"
		"   ON m.prrelid = c.oid", schemas, names, publication);
	free(schemas);
	free(names);
	if (!r)
		return NULL;
	enum membership *members = xcalloc(n, sizeof(*members));
	for (int i = 0; i < rows_count(r); i++)
		members[rows_int(r, i, 0) - 1] = rows_bool(r, i, 1) ? MEMBER : OUTSIDE;
	rows_free(r);
	return members;
}

/* ---- changing it ---- */

static bool run_one(struct pg *source, struct strbuf *sql, struct error *e)
{
	bool ok = sql->len == 0 || pg_run(source, e, sql->text);
	strbuf_clear(sql);
	return ok;
}

/* ALTER PUBLICATION ... verb TABLE for the tables that are `from` now. ONLY: inheritance children are chosen
 * by themselves; on a partitioned parent it means nothing. */
static bool alter(struct pg *source, const char *publication, const char *verb, enum membership from,
	const struct publication_table *tables, size_t n, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	enum membership *members = read_members(source, publication, tables, n, e);
	bool parents = pg_version(source) >= PG_PUBLISHES_PARENTS, ok = members != NULL;
	size_t listed = 0;
	for (size_t i = 0; ok && i < n; i++) {
		if (members[i] != from || (tables[i].parent && !parents))
			continue;
		if (sql.len == 0) {
			strbuf_add(&sql, "ALTER PUBLICATION ");
			quote_name(&sql, publication);
			strbuf_addf(&sql, " %s TABLE ONLY ", verb);
		} else {
			strbuf_add(&sql, ", ONLY ");
		}
		quote_qualified(&sql, tables[i].schema, tables[i].name);
		if (++listed % TABLES_A_STATEMENT == 0)
			ok = run_one(source, &sql, e);
	}
	ok = ok && run_one(source, &sql, e);
	strbuf_free(&sql);
	free(members);
	return ok;
}

static bool explain(struct pg *source, const char *name, const char *doing, struct error *e)
{
	if (e->class == ERROR_PERMISSION)
		error_next(e, "GRANT CREATE on the database and make the peer's role (a member of) the tables' owner, "
					  "or use a role that is");
	return error_prefix(e, "peer %s: could not %s publication %s", pg_peer_name(source), doing, name);
}

bool publication_add(struct pg *source, const char *name, const struct publication_table *tables, size_t n,
	struct error *e)
{
	return alter(source, name, "ADD", OUTSIDE, tables, n, e) || explain(source, name, "add tables to", e);
}

bool publication_remove(struct pg *source, const char *name, const struct publication_table *tables, size_t n,
	struct error *e)
{
	return alter(source, name, "DROP", MEMBER, tables, n, e) ||
		   explain(source, name, "remove tables from", e);
}

bool publication_drop(struct pg *source, const char *name, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "DROP PUBLICATION IF EXISTS ");
	quote_name(&sql, name);
	bool ok = pg_run(source, e, sql.text) || explain(source, name, "drop", e);
	strbuf_free(&sql);
	return ok;
}

static bool create_empty(struct pg *source, const char *name, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "CREATE PUBLICATION ");
	quote_name(&sql, name);
	strbuf_addf(&sql, " WITH (publish = 'insert, update, delete%s')",
		pg_version(source) >= PG_PUBLISHES_TRUNCATE ? ", truncate" : "");
	bool ok = pg_run(source, e, sql.text) || explain(source, name, "create", e);
	strbuf_free(&sql);
	return ok;
}

bool publication_create(struct pg *source, const char *name, bool ours, const struct publication_table *tables,
	size_t n, struct error *e)
{
	bool exists = false;
	struct error ignored;
	if (pg_version(source) < PG_HAS_PUBLICATIONS)
		return error_set(e, ERROR_CONFIG, "peer %s: PostgreSQL before 10 has no publications",
			pg_peer_name(source));
	if (!publication_exists(source, name, &exists, e))
		return false;
	if (exists && !ours) {
		error_set(e, ERROR_CONFLICT, "peer %s: there is a publication %s that this mirror did not make",
			pg_peer_name(source), name);
		return error_next(e, "set another name in the mirror's publication, or drop that one if nobody needs it");
	}
	if (!exists && !create_empty(source, name, e))
		return false;
	if (publication_add(source, name, tables, n, e))
		return true;
	if (!exists && !publication_drop(source, name, &ignored))
		error_next(e, "DROP PUBLICATION \"%s\" on the source: it is incomplete", name);
	return false;
}
