// SPDX-License-Identifier: PostgreSQL
/* Time zone data: each server has its own, or its machine's, and governments change their minds.
 * Zones are compared by what their clocks show from last year to the next ones. */
#include "server.h"

#include <string.h>

#include "../shared.h"

#define MOST_NAMED 8

/* A zone's clock at noon UTC of every seventh day, as one number. The days are the source's, so
 * that two servers that are not asked in the same moment still answer the same question. */
#define CLOCKS                                                                                 \
	"SELECT z.name, pg_catalog.md5(pg_catalog.string_agg((t.at AT TIME ZONE z.name)::text, ','"    \
	" ORDER BY t.at)) FROM pg_catalog.pg_timezone_names z,"                                        \
	" (SELECT $1::timestamptz + i * interval '7 days' AS at"                                       \
	" FROM pg_catalog.generate_series(0, 207) i) t"                                                \
	" WHERE z.name NOT LIKE 'posix/%' AND z.name <> 'localtime'"                                   \
	" GROUP BY 1 ORDER BY z.name COLLATE \"C\""

enum { ZONE, CLOCK };

/* What one side lacks, and what both have with different clocks. */
struct zones {
	struct strbuf lacking, other;
	size_t lacking_count, other_count;
	bool ours; /* the zone of one of the databases is among the others */
};

static void name_it(struct strbuf *out, size_t *count, const char *zone)
{
	if ((*count)++ < MOST_NAMED)
		strbuf_addf(out, "%s%s", *count > 1 ? ", " : "", zone);
}

/* `zones` are those of both databases. */
static void walk(
	const struct rows *s, const struct rows *t, const char *const zones[2], struct zones *z)
{
	for (int i = 0, k = 0; i < rows_count(s); i++) {
		const char *zone = rows_text(s, i, ZONE);
		int order = -1;
		while (k < rows_count(t) && (order = strcmp(rows_text(t, k, ZONE), zone)) < 0)
			k++;
		if (k == rows_count(t) || order > 0)
			name_it(&z->lacking, &z->lacking_count, zone);
		else if (strcmp(rows_text(s, i, CLOCK), rows_text(t, k, CLOCK)) != 0) {
			name_it(&z->other, &z->other_count, zone);
			z->ours |= strcmp(zone, zones[0]) == 0 || strcmp(zone, zones[1]) == 0;
		}
	}
}

static void add(struct comparison *out, enum severity severity, const char *name, size_t count,
	const struct strbuf *names, const char *target, const char *meaning)
{
	if (count == 0)
		return;
	struct difference *d = comparison_add(out, severity, "time zone data", name);
	d->source = xasprintf("%s%s", names->text, count > MOST_NAMED ? " and more" : "");
	d->target = target ? xstrdup(target) : NULL;
	d->meaning = xstrdup(meaning);
}

/* The first of the days, and the zone that a new session gets. */
static struct rows *ask_start(struct pg *c, struct error *e)
{
	return PG_ROWS(c, e,
		"SELECT (pg_catalog.date_trunc('year', pg_catalog.now())"
		" - interval '1 year' + interval '12 hours')::text, reset_val FROM pg_catalog.pg_settings"
		" WHERE name = 'TimeZone'");
}

bool compare_zones(struct pg *source, struct pg *target, struct comparison *out, struct error *e)
{
	struct zones z = { 0 };
	struct rows *first = ask_start(source, e), *other = first ? ask_start(target, e) : NULL;
	struct rows *s = other ? PG_ROWS(source, e, CLOCKS, rows_text(first, 0, 0)) : NULL;
	struct rows *t = s ? PG_ROWS(target, e, CLOCKS, rows_text(first, 0, 0)) : NULL;
	bool ok = t != NULL;
	if (ok) {
		walk(s, t, (const char *[]){ rows_text(first, 0, 1), rows_text(other, 0, 1) }, &z);
		out->compared++;
	}
	add(out, z.ours ? SEVERITY_WARNING : SEVERITY_NOTE, "rules", z.other_count, &z.other,
		"the same zones, other clocks",
		"local times there are other moments on the target: bring the older tzdata up to date");
	add(out, SEVERITY_NOTE, "names", z.lacking_count, &z.lacking, NULL,
		"a session that asks for one of them is refused");
	strbuf_free(&z.other);
	strbuf_free(&z.lacking);
	rows_free(first);
	rows_free(other);
	rows_free(s);
	rows_free(t);
	return ok;
}

bool zones_same(struct pg *c, const char *a, const char *b)
{
	struct error ignored;
	struct rows *r = PG_ROWS(c, &ignored,
		"SELECT pg_catalog.bool_and((t AT TIME ZONE $1) = (t AT TIME ZONE $2))"
		" FROM pg_catalog.generate_series('1970-01-01 00:00Z'::timestamptz, '2037-12-31 00:00Z',"
		" interval '5 days') t",
		a, b);
	bool same = r && rows_bool(r, 0, 0);
	rows_free(r);
	return same;
}
