// SPDX-License-Identifier: PostgreSQL
/* Extensions of the source's database, and whether the target's server has the files for them. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

#include "../shared.h"

#define KIND "extension"
#define MOST_NAMED 12

enum { NAME, INSTALLED, SCHEMA, AVAILABLE };

/* Every extension that is installed or could be; AVAILABLE is what CREATE EXTENSION would give. */
static struct rows *ask(struct pg *c, struct error *e)
{
	return PG_ROWS(c, e,
		"SELECT coalesce(x.extname, a.name)::text, coalesce(x.extversion, ''), coalesce(n.nspname, ''),"
		" coalesce(a.default_version, '')"
		" FROM pg_catalog.pg_extension x LEFT JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace"
		" FULL JOIN pg_catalog.pg_available_extensions a ON a.name = x.extname ORDER BY 1");
}

static int find(const struct rows *r, const char *name)
{
	for (int i = 0; i < rows_count(r); i++)
		if (strcmp(rows_text(r, i, NAME), name) == 0)
			return i;
	return -1;
}

static const char *field(const struct rows *r, int row, int column)
{
	return row < 0 ? "" : rows_text(r, row, column);
}

static char *create_extension(const char *name, const char *schema)
{
	struct strbuf sql = STRBUF_INIT;
	if (strcmp(schema, "pg_catalog") != 0 && strcmp(schema, "public") != 0) {
		strbuf_add(&sql, "CREATE SCHEMA IF NOT EXISTS ");
		quote_name(&sql, schema);
		strbuf_add(&sql, ";\n");
	}
	strbuf_add(&sql, "CREATE EXTENSION IF NOT EXISTS ");
	quote_name(&sql, name);
	strbuf_add(&sql, " WITH SCHEMA ");
	quote_name(&sql, schema);
	return strbuf_take(&sql);
}

static void add_missing(const char *name, const char *version, const char *schema, const char *available,
	struct comparison *out)
{
	bool there = available[0] != '\0';
	struct difference *d = comparison_add(out, there ? SEVERITY_WARNING : SEVERITY_BLOCKER, KIND, name);
	d->source = xstrdup(version);
	if (there) {
		d->target = xasprintf("not installed, %s is available", available);
		d->meaning = xstrdup("a mirror with schema = \"database\" installs it; others expect it there");
		d->statement = create_extension(name, schema);
	} else {
		d->meaning = xstrdup("the target's server does not have its files: its types and functions can not be made there "
							 "before a package brings them, or the provider allows it");
	}
}

/* Is there a way to exactly that version? */
static bool can_update(struct pg *target, const char *name, const char *version, bool *yes, struct error *e)
{
	struct rows *r = PG_ROWS(target, e,
		"SELECT 1 FROM pg_catalog.pg_available_extension_versions WHERE name = $1 AND version = $2", name, version);
	*yes = r && rows_count(r) > 0;
	rows_free(r);
	return r != NULL;
}

/* Versions are names; those that are numbers with dots are ordered as such. */
static bool is_older(const char *version, const char *than)
{
	return strverscmp(version, than) < 0;
}

static bool add_versions(struct pg *target, const char *name, const char *source, const char *installed,
	const char *available, struct comparison *out, struct error *e)
{
	bool older = is_older(installed, source), reachable = false;
	if (older && !can_update(target, name, source, &reachable, e))
		return false;
	struct difference *d = comparison_add(out, older ? SEVERITY_WARNING : SEVERITY_NOTE, KIND, name);
	d->source = xstrdup(source);
	d->target = xstrdup(installed);
	d->meaning = xasprintf("the target has %s", !older ? "a newer version, with what the source's has and more"
		: reachable ? "an older version, which can be updated"
					: "an older version, and its server has none as new: functions of the source may be missing");
	if (!older || (!reachable && !is_older(installed, available)))
		return true;
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "ALTER EXTENSION ");
	quote_name(&sql, name);
	strbuf_add(&sql, " UPDATE TO ");
	quote_literal(&sql, reachable ? source : available);
	d->statement = strbuf_take(&sql);
	return true;
}

static bool compare_installed(struct pg *target, const struct rows *s, const struct rows *t, struct comparison *out,
	struct error *e)
{
	for (int i = 0; i < rows_count(s); i++) {
		const char *name = rows_text(s, i, NAME), *version = rows_text(s, i, INSTALLED);
		int there = find(t, name);
		const char *installed = field(t, there, INSTALLED), *available = field(t, there, AVAILABLE);
		if (version[0] == '\0')
			continue;
		out->compared++;
		if (installed[0] == '\0')
			add_missing(name, version, rows_text(s, i, SCHEMA), available, out);
		else if (strcmp(version, installed) != 0 &&
				 !add_versions(target, name, version, installed, available, out, e))
			return false;
	}
	return true;
}

static void add_extra(const struct rows *s, const struct rows *t, struct comparison *out)
{
	for (int i = 0; i < rows_count(t); i++) {
		const char *name = rows_text(t, i, NAME);
		if (rows_text(t, i, INSTALLED)[0] == '\0' || field(s, find(s, name), INSTALLED)[0] != '\0')
			continue;
		struct difference *d = comparison_add(out, SEVERITY_OK, KIND, name);
		d->target = xstrdup(rows_text(t, i, INSTALLED));
		d->meaning = xstrdup("nothing of the source uses it");
		out->compared++;
	}
}

/* What the source could install and the target could not: nobody needs it yet. */
static void tell_unavailable(const struct rows *s, const struct rows *t, struct comparison *out)
{
	struct strbuf names = STRBUF_INIT;
	int count = 0;
	for (int i = 0; i < rows_count(s); i++) {
		const char *name = rows_text(s, i, NAME);
		if (rows_text(s, i, INSTALLED)[0] != '\0' || find(t, name) >= 0)
			continue;
		if (count++ < MOST_NAMED)
			strbuf_addf(&names, "%s%s", count > 1 ? ", " : "", name);
	}
	if (count > MOST_NAMED)
		strbuf_addf(&names, " and %d more", count - MOST_NAMED);
	if (count > 0)
		comparison_note(out, "extensions that are available on %s only, and not in use: %s", out->source, names.text);
	strbuf_free(&names);
}

bool compare_extensions(struct pg *source, struct pg *target, struct comparison *out, struct error *e)
{
	struct rows *s = ask(source, e);
	struct rows *t = s ? ask(target, e) : NULL;
	bool ok = t && compare_installed(target, s, t, out, e);
	if (ok) {
		add_extra(s, t, out);
		tell_unavailable(s, t, out);
	}
	rows_free(s);
	rows_free(t);
	return ok;
}
