// SPDX-License-Identifier: PostgreSQL
/* How much disk the database takes and will take, as far as SQL can tell, and the tablespaces it
 * lies in. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

#include <pgpier/format.h>

#include "../shared.h"

#define PG_HAS_MAX_WAL_SIZE 90500

struct sizes {
	int64_t database, tables, toast, indexes;
	int64_t largest, largest_indexes; /* of the table with the largest indexes */
	char name[QUALIFIED_SIZE];
};

/* Every relation's own files, those of the system included in the database alone. */
#define SIZES_SQL                                                                              \
	"WITH r AS (SELECT c.oid, c.relkind, n.nspname, c.relname,"                                    \
	" pg_catalog.pg_relation_size(c.oid) AS main FROM pg_catalog.pg_class c"                       \
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"                                    \
	" WHERE c.relkind IN ('r', 'm', 't', 'i') AND c.oid >= 16384 AND c.relpersistence <> 't')"     \
	" SELECT pg_catalog.pg_database_size(current_database()),"                                     \
	" (SELECT coalesce(sum(main), 0)::int8 FROM r WHERE relkind IN ('r', 'm')),"                   \
	" (SELECT coalesce(sum(main), 0)::int8 FROM r WHERE relkind = 't'),"                           \
	" (SELECT coalesce(sum(main), 0)::int8 FROM r WHERE relkind = 'i'),"                           \
	" l.main, l.indexes, l.name FROM (SELECT 1) one LEFT JOIN (SELECT main,"                       \
	" nspname || '.' || relname AS name, pg_catalog.pg_indexes_size(oid) AS indexes"               \
	" FROM r WHERE relkind IN ('r', 'm') ORDER BY 3 DESC, 1 DESC LIMIT 1) l ON true"

static bool read_sizes(struct pg *c, struct sizes *out, struct error *e)
{
	struct rows *r = PG_ROWS(c, e, SIZES_SQL);
	if (!r)
		return false;
	*out = (struct sizes){
		.database = rows_int(r, 0, 0),
		.tables = rows_int(r, 0, 1),
		.toast = rows_int(r, 0, 2),
		.indexes = rows_int(r, 0, 3),
		.largest = rows_int(r, 0, 4),
		.largest_indexes = rows_int(r, 0, 5),
	};
	copy_text(out->name, sizeof(out->name), rows_text(r, 0, 6));
	rows_free(r);
	return true;
}

/* WAL that lies around between two checkpoints, in bytes. */
static bool read_wal(struct pg *c, int64_t *out, struct error *e)
{
	struct rows *r = PG_ROWS(c, e,
		pg_version(c) >= PG_HAS_MAX_WAL_SIZE
			? "SELECT setting::int8 * CASE unit WHEN '16MB' THEN 16 ELSE 1 END * 1048576"
			  " FROM pg_catalog.pg_settings WHERE name = 'max_wal_size'"
			: "SELECT setting::int8 * 3 * 16777216 FROM pg_catalog.pg_settings"
			  " WHERE name = 'checkpoint_segments'");
	*out = r && rows_count(r) > 0 ? rows_int(r, 0, 0) : 0;
	rows_free(r);
	return r != NULL;
}

static void tell_sizes(const struct sizes *s, int64_t present, int64_t wal, struct comparison *out)
{
	char all[FORMAT_SIZE], tables[FORMAT_SIZE], toast[FORMAT_SIZE], indexes[FORMAT_SIZE],
		more[FORMAT_SIZE];
	comparison_note(out, "disk: the database takes %s on %s (tables %s, TOAST %s, indexes %s)",
		format_bytes(s->database, all), out->source, format_bytes(s->tables, tables),
		format_bytes(s->toast, toast), format_bytes(s->indexes, indexes));
	/* An index is sorted in temporary files of about its own size before it is written. */
	comparison_note(out,
		"disk: %s needs up to %s free: %s for the database, %s to sort the indexes of %s while "
		"they are built, %s of WAL (max_wal_size), more where an archive or a slot keeps it; what "
		"is there now takes %s, and how much is free SQL can not tell",
		out->target, format_bytes(s->database + s->largest_indexes + wal, all),
		format_bytes(s->database, tables), format_bytes(s->largest_indexes, indexes),
		s->name[0] ? s->name : "the largest table", format_bytes(wal, toast),
		format_bytes(present, more));
}

/* Tablespaces that the database's objects lie in, of its own first. */
#define TABLESPACES_SQL                                                                        \
	"SELECT DISTINCT t.spcname, pg_catalog.pg_tablespace_location(t.oid)"                          \
	" FROM pg_catalog.pg_tablespace t WHERE t.oid IN ("                                            \
	"SELECT reltablespace FROM pg_catalog.pg_class"                                                \
	" UNION ALL SELECT dattablespace FROM pg_catalog.pg_database"                                  \
	" WHERE datname = current_database()) AND t.spcname NOT IN ('pg_default', 'pg_global')"        \
	" ORDER BY 1"

static void add_tablespace(const char *name, const char *location, struct comparison *out)
{
	struct strbuf sql = STRBUF_INIT;
	struct difference *d = comparison_add(out, SEVERITY_WARNING, "tablespace", name);
	strbuf_add(&sql, "CREATE TABLESPACE ");
	quote_name(&sql, name);
	strbuf_add(&sql, " LOCATION ");
	quote_literal(&sql, location);
	strbuf_add(&sql, " /* an empty directory of the server's account */");
	d->source = xstrdup(location);
	d->meaning = xstrdup("what lies in it goes to the default tablespace of the target, unless it "
						 "is made there first");
	d->statement = strbuf_take(&sql);
}

static bool compare_tablespaces(
	struct pg *source, struct pg *target, struct comparison *out, struct error *e)
{
	struct rows *s = PG_ROWS(source, e, TABLESPACES_SQL);
	bool ok = s != NULL;
	for (int i = 0; ok && i < rows_count(s); i++) {
		struct rows *there = PG_ROWS(target, e,
			"SELECT 1 FROM pg_catalog.pg_tablespace WHERE spcname = $1", rows_text(s, i, 0));
		ok = there != NULL;
		out->compared++;
		if (ok && rows_count(there) == 0)
			add_tablespace(rows_text(s, i, 0), rows_text(s, i, 1), out);
		rows_free(there);
	}
	rows_free(s);
	return ok;
}

static bool read_present(struct pg *c, int64_t *out, struct error *e)
{
	struct rows *r = PG_ROWS(c, e, "SELECT pg_catalog.pg_database_size(current_database())");
	*out = r ? rows_int(r, 0, 0) : 0;
	rows_free(r);
	return r != NULL;
}

bool compare_disk(struct pg *source, struct pg *target, struct comparison *out, struct error *e)
{
	struct sizes s;
	int64_t wal, present;
	if (!compare_tablespaces(source, target, out, e) || !read_sizes(source, &s, e) ||
		!read_wal(target, &wal, e) || !read_present(target, &present, e))
		return false;
	tell_sizes(&s, present, wal, out);
	return true;
}
