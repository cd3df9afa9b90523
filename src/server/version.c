// SPDX-License-Identifier: PostgreSQL
/* The versions themselves, and who runs the target. What a major version took away or turned round
 * matters more to an application than most settings. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

#include "../pg/provider.h"
#include "../shared.h"

static const struct {
	int version;
	const char *change;
} changes[] = {
	{ 90500, "<=, >=, <> and IS bind differently among other operators" },
	{ 100000, "names with xlog say wal instead, set-returning functions are refused inside CASE "
			  "and COALESCE" },
	{ 110000,
		"to_date(), to_timestamp() and to_number() skip characters of their template differently" },
	{ 120000, "tables have no OIDs of their own, CTEs are planned together with their query, "
			  "numbers of floating point print the fewest exact digits, recovery.conf is gone" },
	{ 130000, "effective_io_concurrency counts differently, wal_keep_size takes the place of "
			  "wal_keep_segments" },
	{ 140000, "postfix operators are gone, array functions take anycompatiblearray, EXTRACT() "
			  "gives numeric, new passwords are SCRAM" },
	{ 150000, "schema public of a new database lets only its owner create" },
	{ 160000, "CREATEROLE reaches only roles that its holder administers" },
	{ 170000, "REFRESH, REINDEX, ANALYZE and other maintenance runs with a safe search_path" },
	{ 180000, "MD5 passwords are deprecated, new clusters have checksums, VACUUM and ANALYZE of a "
			  "parent include its children" },
};

/* 150020 to 150000, 90624 to 90600. */
static int major_of(int version)
{
	return version >= 100000 ? version / 10000 * 10000 : version / 100 * 100;
}

static char *what_changed(int from, int to)
{
	char major[MAJOR_SIZE];
	struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		if (changes[i].version <= major_of(from) || changes[i].version > major_of(to))
			continue;
		strbuf_addf(&out, "%s%s: %s", out.len > 0 ? "; " : "",
			server_major(changes[i].version, major), changes[i].change);
	}
	return strbuf_take(&out);
}

static struct rows *ask_version(struct pg *c, struct error *e)
{
	return PG_ROWS(c, e,
		"SELECT current_setting('server_version'), pg_catalog.version(),"
		" (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)");
}

static char *number_of(const struct rows *r)
{
	const char *text = rows_text(r, 0, 0);
	return xasprintf("%.*s", (int)strcspn(text, " "), text);
}

static void add_versions(
	int from, int to, const struct rows *source, const struct rows *target, struct comparison *out)
{
	bool older = major_of(to) < major_of(from), same = major_of(to) == major_of(from);
	struct difference *d = comparison_add(out,
		older  ? SEVERITY_WARNING
		: same ? SEVERITY_OK
			   : SEVERITY_NOTE,
		"server", "version");
	d->source = number_of(source);
	d->target = number_of(target);
	d->meaning = older  ? xstrdup("the target is older: it may not know what the source's "
								   "definitions and queries use")
				 : same ? xstrdup("minor versions of one major: they differ in mended errors")
						: what_changed(from, to);
}

/* How settings get there, where ALTER SYSTEM is not the way. */
static bool tell_way(struct pg *target, bool superuser, struct comparison *out, struct error *e)
{
	enum provider p;
	if (!provider_read(target, &p, e))
		return false;
	if (p < PROVIDER_DOCKER) {
		char *way = provider_next(p, NEED_SETTING, PQuser(pg_conn_borrow(target)));
		comparison_note(out, "%s is %s, where settings are changed %s", pg_peer_name(target),
			provider_name(p), way);
		free(way);
	} else if (!superuser) {
		comparison_note(out, "ALTER SYSTEM on %s needs a superuser, which our role there is not",
			pg_peer_name(target));
	}
	return true;
}

bool compare_version(struct pg *source, struct pg *target, struct comparison *out, struct error *e)
{
	struct rows *s = ask_version(source, e);
	struct rows *t = s ? ask_version(target, e) : NULL;
	if (t && pg_version(source) != pg_version(target))
		add_versions(pg_version(source), pg_version(target), s, t, out);
	bool ok = t && tell_way(target, rows_bool(t, 0, 2), out, e);
	out->compared += ok;
	rows_free(s);
	rows_free(t);
	return ok;
}
