// SPDX-License-Identifier: PostgreSQL
/* Extensions of the source's database, and whether the target's server has the files for them. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

#include "../shared.h"

#define KIND "extension"
#define MOST_NAMED 12

/* One side: the extensions of its database, and what its server could install. */
struct extensions {
	struct rows *installed; /* name, version, schema */
	struct rows *available; /* name, version that CREATE EXTENSION gives; NULL: it can't be told */
};

enum { NAME, VERSION, SCHEMA };

/* One control file that the server can't read makes the list of all unreadable. */
static bool ask(struct pg *c, struct extensions *out, struct comparison *notes, struct error *e)
{
	struct error why = { 0 };
	out->installed = PG_ROWS(c, e,
		"SELECT x.extname, x.extversion, n.nspname FROM pg_catalog.pg_extension x"
		" JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace ORDER BY 1");
	if (!out->installed)
		return false;
	out->available = PG_ROWS(c, &why,
		"SELECT name, coalesce(default_version, '') FROM pg_catalog.pg_available_extensions"
		" ORDER BY 1");
	if (!out->available)
		comparison_note(notes, "%s does not tell which extensions are available: %s",
			pg_peer_name(c), why.text);
	return true;
}

static void extensions_free(struct extensions *x)
{
	rows_free(x->installed);
	rows_free(x->available);
}

/* The version of an extension in one of those lists; empty: it is not there. */
static const char *version_in(const struct rows *r, const char *name)
{
	for (int i = 0; r && i < rows_count(r); i++)
		if (strcmp(rows_text(r, i, NAME), name) == 0)
			return rows_text(r, i, VERSION);
	return "";
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

static void add_missing(const char *name, const char *version, const char *schema,
	const char *available, struct comparison *out)
{
	bool there = available[0] != '\0';
	struct difference *d =
		comparison_add(out, there ? SEVERITY_WARNING : SEVERITY_BLOCKER, KIND, name);
	d->source = xstrdup(version);
	if (there) {
		d->target = xasprintf("not installed, %s is available", available);
		d->meaning =
			xstrdup("a mirror with schema = \"database\" installs it; others expect it there");
		d->statement = create_extension(name, schema);
	} else {
		d->meaning = xstrdup("the target's server does not have its files: its types and functions "
							 "can not be made there before a package brings them, or the provider "
							 "allows it");
	}
}

/* The target does not tell what it has files for. */
static void add_unknown(
	const char *name, const char *version, const char *schema, struct comparison *out)
{
	struct difference *d = comparison_add(out, SEVERITY_WARNING, KIND, name);
	d->source = xstrdup(version);
	d->meaning = xstrdup("it is not installed, and whether it could be is not known");
	d->statement = create_extension(name, schema);
	out->complete = false;
}

/* Is there a way to exactly that version? */
static bool can_update(
	struct pg *target, const char *name, const char *version, bool *yes, struct error *e)
{
	struct rows *r = PG_ROWS(target, e,
		"SELECT 1 FROM pg_catalog.pg_available_extension_versions WHERE name = $1 AND version = $2",
		name, version);
	*yes = r && rows_count(r) > 0;
	rows_free(r);
	return r != NULL;
}

/* Versions are names; those that are numbers with dots are ordered as such. */
static bool is_older(const char *version, const char *than)
{
	return strverscmp(version, than) < 0;
}

static bool add_versions(struct pg *target, const char *name, const char *source,
	const char *installed, const char *available, struct comparison *out, struct error *e)
{
	bool older = is_older(installed, source), reachable = false;
	if (older && !can_update(target, name, source, &reachable, e))
		return false;
	struct difference *d =
		comparison_add(out, older ? SEVERITY_WARNING : SEVERITY_NOTE, KIND, name);
	d->source = xstrdup(source);
	d->target = xstrdup(installed);
	d->meaning = xasprintf(
		"the target has %s", !older      ? "a newer version, with what the source's has and more"
							 : reachable ? "an older version, which can be updated"
										 : "an older version, and its server has none as new: "
										   "functions of the source may be missing");
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

static bool compare_installed(struct pg *target, const struct extensions *s,
	const struct extensions *t, struct comparison *out, struct error *e)
{
	for (int i = 0; i < rows_count(s->installed); i++) {
		const char *name = rows_text(s->installed, i, NAME),
				   *version = rows_text(s->installed, i, VERSION);
		const char *installed = version_in(t->installed, name),
				   *available = version_in(t->available, name);
		out->compared++;
		if (installed[0] != '\0') {
			if (strcmp(version, installed) != 0 &&
				!add_versions(target, name, version, installed, available, out, e))
				return false;
		} else if (t->available) {
			add_missing(name, version, rows_text(s->installed, i, SCHEMA), available, out);
		} else {
			add_unknown(name, version, rows_text(s->installed, i, SCHEMA), out);
		}
	}
	return true;
}

static void add_extra(
	const struct extensions *s, const struct extensions *t, struct comparison *out)
{
	for (int i = 0; i < rows_count(t->installed); i++) {
		const char *name = rows_text(t->installed, i, NAME);
		if (version_in(s->installed, name)[0] != '\0')
			continue;
		struct difference *d = comparison_add(out, SEVERITY_OK, KIND, name);
		d->target = xstrdup(rows_text(t->installed, i, VERSION));
		d->meaning = xstrdup("nothing of the source uses it");
		out->compared++;
	}
}

/* What the source could install and the target could not: nobody needs it yet. */
static void tell_unavailable(
	const struct extensions *s, const struct extensions *t, struct comparison *out)
{
	struct strbuf names = STRBUF_INIT;
	int count = 0;
	for (int i = 0; s->available && t->available && i < rows_count(s->available); i++) {
		const char *name = rows_text(s->available, i, NAME);
		if (version_in(s->installed, name)[0] != '\0' || version_in(t->available, name)[0] != '\0')
			continue;
		if (count++ < MOST_NAMED)
			strbuf_addf(&names, "%s%s", count > 1 ? ", " : "", name);
	}
	if (count > MOST_NAMED)
		strbuf_addf(&names, " and %d more", count - MOST_NAMED);
	if (count > 0)
		comparison_note(out, "extensions that only %s could install, and that are not in use: %s",
			out->source, names.text);
	strbuf_free(&names);
}

bool compare_extensions(
	struct pg *source, struct pg *target, struct comparison *out, struct error *e)
{
	struct extensions s = { 0 }, t = { 0 };
	bool ok = ask(source, &s, out, e) && ask(target, &t, out, e) &&
			  compare_installed(target, &s, &t, out, e);
	if (ok) {
		add_extra(&s, &t, out);
		tell_unavailable(&s, &t, out);
	}
	extensions_free(&s);
	extensions_free(&t);
	return ok;
}
