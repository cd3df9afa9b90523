// SPDX-License-Identifier: PostgreSQL
#include "large_objects.h"

#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../store/large.h"
#include "large_rights.h"

/* A batch is at most 4 MB of contents, which are twice as much as text, on their way from one array of text to the
 * other. What is longer than its piece goes on alone. */
#define BATCH "64"
#define PIECE (64 * 1024)
#define LONG_PIECE (1024 * 1024)

#define SINCE_GET 90400 /* lo_get(), lo_put(), lo_from_bytea() */
#define STORED_MOST 20  /* notes; the rest is counted */

enum batch_field { B_OID, B_OWNER, B_READABLE, B_PIECE, B_COMMENT, B_HAS_COMMENT, B_HAS_GRANTS };

/* lo_get() raises for what the role may not read. */
static const char batch_sql[] =
	"SELECT m.oid, pg_catalog.pg_get_userbyid(m.lomowner), m.readable,"
	"  CASE WHEN m.readable THEN pg_catalog.lo_get(m.oid, 0, $2::int4) END,"
	"  d.description, d.description IS NOT NULL, m.lomacl IS NOT NULL FROM"
	" (SELECT m.oid, m.lomowner, m.lomacl, u.rolsuper OR pg_catalog.current_setting('lo_compat_privileges') = 'on'"
	"    OR pg_catalog.pg_has_role(m.lomowner, 'USAGE') OR EXISTS (SELECT 1 FROM pg_catalog.aclexplode(m.lomacl) a"
	"      WHERE a.privilege_type = 'SELECT' AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE')))"
	"    AS readable"
	"   FROM pg_catalog.pg_largeobject_metadata m, pg_catalog.pg_roles u"
	"   WHERE u.rolname = current_user AND m.oid > $1::oid ORDER BY m.oid LIMIT " BATCH ") m"
	" LEFT JOIN pg_catalog.pg_description d ON d.objoid = m.oid AND d.objsubid = 0"
	"  AND d.classoid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass"
	" ORDER BY m.oid";

static struct rows *read_batch(struct pg *source, int64_t last, struct error *e)
{
	char from[24], piece[24];
	snprintf(from, sizeof(from), "%lld", (long long)last);
	snprintf(piece, sizeof(piece), "%d", PIECE);
	return PG_ROWS(source, e, batch_sql, from, piece);
}

/* Contents come and go as text: "\x" and two characters a byte. */
static int64_t bytes_of(const char *hex)
{
	size_t n = strlen(hex);
	return n < 2 ? 0 : (int64_t)(n - 2) / 2;
}

static void note(struct large_objects *l, char *take_text)
{
	if (l->notes.count < STORED_MOST)
		strings_add(&l->notes, take_text);
	else
		l->notes_more++;
	free(take_text);
}

static void moved(struct large_objects *l, struct pg *source, int64_t bytes)
{
	l->bytes += bytes;
	if (l->throttle)
		throttle_take(l->throttle, bytes, pg_stop_borrow(source));
	if (l->progress)
		l->progress(l->arg, l->count, l->bytes);
}

/* ---- contents ---- */

static bool create(struct large_objects *l, struct pg *source, struct pg *target, const struct rows *batch,
	struct error *e)
{
	size_t n = 0;
	int64_t bytes = 0;
	const char **oids = xcalloc((size_t)rows_count(batch) + 1, sizeof(*oids));
	const char **pieces = xcalloc((size_t)rows_count(batch) + 1, sizeof(*pieces));
	for (int i = 0; i < rows_count(batch); i++) {
		if (!rows_bool(batch, i, B_READABLE))
			continue;
		oids[n] = rows_text(batch, i, B_OID);
		pieces[n] = rows_text(batch, i, B_PIECE);
		bytes += bytes_of(pieces[n++]);
	}
	struct strbuf o = STRBUF_INIT, p = STRBUF_INIT;
	quote_array(&o, n, oids);
	quote_array(&p, n, pieces);
	struct rows *r = PG_ROWS(target, e,
		"SELECT count(pg_catalog.lo_from_bytea(u.o, u.p)) FROM unnest($1::oid[], $2::bytea[]) u (o, p)",
		o.text, p.text);
	bool ok = r != NULL;
	l->count += ok ? (int64_t)n : 0;
	if (ok)
		moved(l, source, bytes);
	rows_free(r);
	strbuf_free(&o);
	strbuf_free(&p);
	free(oids);
	free(pieces);
	return ok;
}

/* What is behind the first piece. */
static bool go_on(struct large_objects *l, struct pg *source, struct pg *target, const char *oid, struct error *e)
{
	char offset[24], piece[24];
	int64_t at = PIECE, got = LONG_PIECE;
	snprintf(piece, sizeof(piece), "%d", LONG_PIECE);
	while (got == LONG_PIECE) {
		snprintf(offset, sizeof(offset), "%lld", (long long)at);
		struct rows *r = PG_ROWS(source, e, "SELECT pg_catalog.lo_get($1::oid, $2::int8, $3::int4)", oid, offset,
			piece);
		if (!r)
			return false;
		const char *hex = rows_text(r, 0, 0);
		got = bytes_of(hex);
		struct rows *done = got == 0 ? NULL
			: PG_ROWS(target, e, "SELECT pg_catalog.lo_put($1::oid, $2::int8, $3::bytea)", oid, offset, hex);
		rows_free(r);
		if (got > 0 && !done)
			return error_prefix(e, "large object %s", oid);
		rows_free(done);
		at += got;
		moved(l, source, got);
	}
	return true;
}

static bool copy_contents(struct large_objects *l, struct pg *source, struct pg *target, const struct rows *batch,
	struct error *e)
{
	if (!create(l, source, target, batch, e))
		return false;
	for (int i = 0; i < rows_count(batch); i++)
		if (bytes_of(rows_text(batch, i, B_PIECE)) == PIECE && !go_on(l, source, target, rows_text(batch, i, B_OID), e))
			return false;
	return true;
}

/* ---- all of a batch ---- */

static void add_comments(struct strbuf *sql, const struct rows *batch)
{
	for (int i = 0; i < rows_count(batch); i++) {
		if (!rows_bool(batch, i, B_READABLE) || !rows_bool(batch, i, B_HAS_COMMENT))
			continue;
		strbuf_addf(sql, "COMMENT ON LARGE OBJECT %s IS ", rows_text(batch, i, B_OID));
		quote_literal(sql, rows_text(batch, i, B_COMMENT));
		strbuf_add(sql, ";");
	}
}

static void note_unread(struct large_objects *l, const struct rows *batch)
{
	for (int i = 0; i < rows_count(batch); i++) {
		if (rows_bool(batch, i, B_READABLE))
			continue;
		l->unread++;
		note(l, xasprintf("large object %s, of %s, is not copied: the role on the source may not read it",
			rows_text(batch, i, B_OID), rows_text(batch, i, B_OWNER)));
	}
}

static bool add_rights(struct large_objects *l, const struct large_rights *rights, struct pg *source,
	const struct rows *batch, struct strbuf *sql, struct error *e)
{
	struct strings kept_out = { 0 };
	for (int i = 0; i < rows_count(batch); i++)
		if (rows_bool(batch, i, B_READABLE))
			large_rights_owner(rights, sql, rows_text(batch, i, B_OID), rows_text(batch, i, B_OWNER), &kept_out);
	const char **oids = xcalloc((size_t)rows_count(batch) + 1, sizeof(*oids));
	size_t n = 0;
	for (int i = 0; i < rows_count(batch); i++)
		if (rows_bool(batch, i, B_READABLE) && rows_bool(batch, i, B_HAS_GRANTS))
			oids[n++] = rows_text(batch, i, B_OID);
	bool ok = n == 0 || large_rights_grants(rights, sql, source, n, oids, &kept_out, e);
	for (size_t i = 0; i < kept_out.count; i++)
		note(l, xstrdup(kept_out.items[i]));
	free(oids);
	strings_free(&kept_out);
	return ok;
}

static bool copy_batch(struct large_objects *l, const struct large_rights *rights, struct pg *source, struct pg *target,
	const struct rows *batch, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	bool ok = pg_run(target, e, "BEGIN") && copy_contents(l, source, target, batch, e);
	add_comments(&sql, batch);
	ok = ok && add_rights(l, rights, source, batch, &sql, e);
	store_sql_large_objects(&sql, l->id, rows_int(batch, rows_count(batch) - 1, B_OID), false);
	strbuf_add(&sql, "COMMIT");
	ok = ok && pg_run(target, e, sql.text);
	strbuf_free(&sql);
	note_unread(l, batch);
	if (!ok)
		pg_rollback(target);
	return ok;
}

static bool copy_all(struct large_objects *l, const struct large_rights *rights, struct pg *source, struct pg *target,
	int64_t last, struct error *e)
{
	for (;;) {
		struct rows *batch = read_batch(source, last, e);
		if (!batch)
			return false;
		int n = rows_count(batch);
		bool ok = n == 0 || copy_batch(l, rights, source, target, batch, e);
		last = n > 0 ? rows_int(batch, n - 1, B_OID) : last;
		rows_free(batch);
		if (!ok)
			return error_prefix(e, "large objects");
		if (n > 0)
			continue;
		struct strbuf sql = STRBUF_INIT;
		store_sql_large_objects(&sql, l->id, last, true);
		ok = pg_run(target, e, sql.text);
		strbuf_free(&sql);
		return ok;
	}
}

/* ---- before anything is copied ---- */

static bool check_versions(struct pg *source, struct pg *target, struct error *e)
{
	struct pg *old = pg_version(source) < SINCE_GET ? source : pg_version(target) < SINCE_GET ? target : NULL;
	return !old || error_set(e, ERROR_CONFLICT,
		"peer %s: large objects can't be copied by servers older than PostgreSQL 9.4; take them with pg_dump --blobs",
		pg_peer_name(old));
}

/* Of the mirror's own, the last one is known. */
static bool check_free(struct pg *source, struct pg *target, int64_t last, struct error *e)
{
	char from[24];
	snprintf(from, sizeof(from), "%lld", (long long)last);
	struct rows *there = PG_ROWS(target, e,
		"SELECT array_agg(oid), count(*) > 0 FROM pg_catalog.pg_largeobject_metadata WHERE oid > $1::oid", from);
	if (!there)
		return false;
	struct rows *both = rows_bool(there, 0, 1) ? PG_ROWS(source, e,
		"SELECT count(*), (array_agg(oid ORDER BY oid))[1] FROM pg_catalog.pg_largeobject_metadata"
		" WHERE oid = ANY ($1::oid[])", rows_text(there, 0, 0)) : NULL;
	bool asked = rows_bool(there, 0, 1), ok = !asked || both;
	rows_free(there);
	if (both && rows_int(both, 0, 0) > 0) {
		error_set(e, ERROR_CONFLICT, "large object %s exists on the target already%s", rows_text(both, 0, 1),
			rows_int(both, 0, 0) > 1 ? ", and so do others" : "");
		ok = error_next(e, "remove what nobody needs there with lo_unlink(), or choose another target database");
	}
	rows_free(both);
	return ok;
}

bool large_objects_count(struct pg *source, int64_t *count, struct error *e)
{
	struct rows *r = PG_ROWS(source, e, "SELECT count(*) FROM pg_catalog.pg_largeobject_metadata");
	*count = r ? rows_int(r, 0, 0) : 0;
	rows_free(r);
	return r != NULL;
}

bool large_objects_copy(struct large_objects *l, struct pg *source, struct pg *target, struct error *e)
{
	struct large_rights rights = { .mirror = l->mirror };
	int64_t last, there;
	bool done;
	if (!store_large_objects_read(target, l->id, &last, &done, e) || !large_objects_count(source, &there, e))
		return false;
	if (done || there == 0)
		return true;
	bool ok = check_versions(source, target, e) && check_free(source, target, last, e) &&
			  known_roles_read(target, &rights.known, e) && copy_all(l, &rights, source, target, last, e);
	known_roles_free(&rights.known);
	return ok;
}

void large_objects_free(struct large_objects *l)
{
	strings_free(&l->notes);
}

char *large_objects_text(const struct large_objects *l)
{
	char bytes[FORMAT_SIZE];
	return xasprintf("%lld large object%s (%s) copied%s", (long long)l->count, l->count == 1 ? "" : "s",
		format_bytes(l->bytes, bytes),
		l->mirror->continuous ? "; what changes in them from now on is not replicated" : "");
}
