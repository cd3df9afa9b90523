// SPDX-License-Identifier: PostgreSQL
#include "verifications.h"

#include <pgpier/format.h>
#include <string.h>

#include "inside.h"

static bool is_there(struct pg *target, bool *there, struct error *e)
{
	struct rows *r = PG_ROWS(target, e, "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute"
		" WHERE attrelid = to_regclass('pgpier.verifications') AND attname = 'files')");
	if (!r)
		return false;
	*there = rows_bool(r, 0, 0);
	rows_free(r);
	return true;
}

static bool proves_all(const struct verification *v, bool whole)
{
	return v->exact && whole && v->verdict == VERIFY_EQUAL && v->counted == 0 &&
		   (v->level == VERIFY_CHECKSUM || v->level == VERIFY_FULL);
}

/* NULL: it is nothing to build on. */
static char *files_of(const struct verification *v, bool whole)
{
	struct strbuf b = STRBUF_INIT;
	const char **files = xmalloc((v->table_count + 1) * sizeof(*files));
	size_t n = 0;
	for (size_t i = 0; i < v->table_count; i++)
		if (v->tables[i].files)
			files[n++] = v->tables[i].files;
	if (proves_all(v, whole))
		quote_array(&b, n, files);
	free(files);
	return proves_all(v, whole) ? strbuf_take(&b) : NULL;
}

/* It found as much as it did with the least of its tables. */
static enum verify_level level_of_all(const struct verification *v)
{
	return v->counted ? VERIFY_COUNTS : v->level;
}

bool store_verification_add(struct pg *target, const struct verification *v, bool whole, struct error *e)
{
	bool there;
	if (!is_there(target, &there, e))
		return false;
	if (!there)
		return true;
	return RUN_FREEING(target, e,
		SQL("INSERT INTO pgpier.verifications (mirror_id, level, verdict, exact, whole, lsn, equal_count,"
			"  differing_count, unsure_count, rows, stopped_s, tries, files)"
			" SELECT mirror_id, $2, $3, $4, $5, nullif($6, '')::pg_lsn, $7, $8, $9, $10, $11, $12, $13"
			" FROM pgpier.mirrors WHERE name = $1"),
		xstrdup(v->mirror), xstrdup(verify_level_names[level_of_all(v)]), xstrdup(verify_verdict_name(v->verdict)),
		xstrdup(v->exact ? "t" : "f"), xstrdup(whole ? "t" : "f"), xstrdup(v->source.lsn ? v->source.lsn : ""),
		number((int64_t)v->equal), number((int64_t)v->differing), number((int64_t)v->unsure), number(v->rows),
		xasprintf("%.6f", v->stopped_s), number(v->tries), files_of(v, whole));
}

/* ---- reading ---- */

/* By what they would find: fewest first. */
static const enum verify_level ranks[] = { VERIFY_COUNTS, VERIFY_SAMPLE, VERIFY_CHECKSUM, VERIFY_FULL };

static char *levels_from(enum verify_level least)
{
	struct strbuf b = STRBUF_INIT;
	const char *names[ARRAY_SIZE(ranks)];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(ranks); i++)
		if (n > 0 || ranks[i] == least)
			names[n++] = verify_level_names[ranks[i]];
	quote_array(&b, n, names);
	return strbuf_take(&b);
}

static enum verify_level level_of(const char *name)
{
	for (int l = 0; verify_level_names[l]; l++)
		if (strcmp(verify_level_names[l], name) == 0)
			return (enum verify_level)l;
	return VERIFY_COUNTS;
}

static enum verify_verdict verdict_of(const char *name)
{
	if (strcmp(name, verify_verdict_name(VERIFY_EQUAL)) == 0)
		return VERIFY_EQUAL;
	return strcmp(name, verify_verdict_name(VERIFY_DIFFERS)) == 0 ? VERIFY_DIFFERS : VERIFY_UNSURE;
}

static void take(struct store_verification *out, const struct rows *r)
{
	*out = (struct store_verification){ .ended_at = rows_int(r, 0, 0), .age_s = rows_int(r, 0, 1),
		.level = level_of(rows_text(r, 0, 2)), .verdict = verdict_of(rows_text(r, 0, 3)), .exact = rows_bool(r, 0, 4),
		.whole = rows_bool(r, 0, 5), .equal = (size_t)rows_int(r, 0, 7), .differing = (size_t)rows_int(r, 0, 8),
		.unsure = (size_t)rows_int(r, 0, 9), .rows = rows_int(r, 0, 10), .stopped_s = rows_number(r, 0, 11),
		.tries = (int)rows_int(r, 0, 12) };
	if (!lsn_parse(rows_text(r, 0, 6), &out->lsn))
		out->lsn = 0;
}

bool store_verification_last(struct pg *target, int64_t id, enum verify_level least, struct store_verification *out,
	bool *found, struct error *e)
{
	bool there;
	*found = false;
	if (!is_there(target, &there, e))
		return false;
	if (!there)
		return true;
	char *mirror = number(id), *levels = levels_from(least);
	struct rows *r = PG_ROWS(target, e,
		"SELECT (extract(epoch FROM ended_at) * 1000000)::int8, extract(epoch FROM clock_timestamp() - ended_at)::int8,"
		"  level, verdict, exact, whole, lsn, equal_count, differing_count, unsure_count, rows, stopped_s, tries"
		" FROM pgpier.verifications WHERE mirror_id = $1 AND exact AND whole AND level = ANY ($2::text[])"
		" ORDER BY verification_no DESC LIMIT 1", mirror, levels);
	free(mirror);
	free(levels);
	*found = r && rows_count(r) == 1;
	if (*found)
		take(out, r);
	rows_free(r);
	return r != NULL;
}

/* ---- what can be built on ---- */

void store_base_free(struct store_base *b)
{
	strings_free(&b->files);
	*b = (struct store_base){ .lsn = 0 };
}

static bool read_files(struct pg *target, const char *number, struct store_base *out, struct error *e)
{
	struct rows *r = PG_ROWS(target, e,
		"SELECT f FROM pgpier.verifications v, unnest(v.files) f WHERE verification_no = $1 ORDER BY f COLLATE \"C\"",
		number);
	for (int i = 0; r && i < rows_count(r); i++)
		strings_add(&out->files, rows_text(r, i, 0));
	bool ok = r != NULL;
	rows_free(r);
	return ok;
}

/* One that took long may end behind one that began later, and found something. */
bool store_base_read(struct pg *target, int64_t id, struct store_base *out, struct error *e)
{
	bool there;
	*out = (struct store_base){ .lsn = 0 };
	if (!is_there(target, &there, e))
		return false;
	if (!there)
		return true;
	char *mirror = number(id);
	struct rows *r = PG_ROWS(target, e,
		"SELECT verification_no, lsn, extract(epoch FROM clock_timestamp() - ended_at)::int8 FROM pgpier.verifications v"
		" WHERE mirror_id = $1 AND files IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pgpier.verifications o"
		"  WHERE o.mirror_id = v.mirror_id AND o.verdict <> 'equal'"
		"  AND (o.verification_no > v.verification_no OR o.lsn > v.lsn))"
		" ORDER BY verification_no DESC LIMIT 1", mirror);
	free(mirror);
	bool ok = r != NULL;
	if (r && rows_count(r) == 1 && lsn_parse(rows_text(r, 0, 1), &out->lsn)) {
		out->age_s = rows_int(r, 0, 2);
		ok = read_files(target, rows_text(r, 0, 0), out, e);
	}
	rows_free(r);
	return ok;
}

bool store_changed_since(struct pg *target, int64_t id, lsn_t lsn, size_t *tables, struct error *e)
{
	char *mirror = number(id), at[FORMAT_SIZE];
	struct rows *r = PG_ROWS(target, e, "SELECT count(*) FROM pgpier.tables WHERE mirror_id = $1 AND NOT parent"
		" AND changed_lsn >= $2::pg_lsn", mirror, format_lsn(lsn, at));
	free(mirror);
	*tables = r ? (size_t)rows_int(r, 0, 0) : 0;
	bool ok = r != NULL;
	rows_free(r);
	return ok;
}
