// SPDX-License-Identifier: PostgreSQL
/* Encodings, locales and the versions of their collations. The text itself is converted on its way;
 * what stays different is which bytes fit, and how text sorts. */
#include "server.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../shared.h"

#define PG_HAS_COLLATION_VERSIONS 100000
#define PG_HAS_DATABASE_PROVIDER 150000
#define PG_HAS_DATLOCALE 170000

#define KIND "locale"

/* The locale of one database. */
struct locale {
	const char *database;
	char *encoding, *collate, *ctype;
	char *provider; /* libc, icu, builtin; before 15 always libc */
	char *icu;      /* locale of the provider; empty: none */
	char *version;  /* of the collation as the system has it now; empty: it has none */
	char *recorded; /* as it was when the database was made, or indexes were last looked after */
};

enum { ENCODING, COLLATE, CTYPE, PROVIDER, ICU, VERSION, RECORDED };

static struct rows *ask_locale(struct pg *c, struct error *e)
{
	int v = pg_version(c);
	bool own = v >= PG_HAS_DATABASE_PROVIDER;
	char *sql = xasprintf(
		"SELECT pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype, %s, %s, %s, %s"
		" FROM pg_catalog.pg_database WHERE datname = current_database()",
		own ? "CASE datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END"
			: "'libc'",
		v >= PG_HAS_DATLOCALE ? "datlocale"
		: own                 ? "daticulocale"
							  : "''",
		own ? "pg_catalog.pg_database_collation_actual_version(oid)" : "''",
		own ? "datcollversion" : "''");
	struct rows *r = PG_ROWS(c, e, sql);
	free(sql);
	return r;
}

static bool read_locale(struct pg *c, struct locale *out, struct error *e)
{
	*out = (struct locale){ .database = PQdb(pg_conn_borrow(c)) };
	struct rows *r = ask_locale(c, e);
	if (!r)
		return false;
	char **fields[] = { &out->encoding, &out->collate, &out->ctype, &out->provider, &out->icu,
		&out->version, &out->recorded };
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		*fields[i] = xstrdup(rows_count(r) > 0 ? rows_text(r, 0, (int)i) : "");
	rows_free(r);
	return true;
}

static void locale_free(struct locale *l)
{
	char *const owned[] = { l->encoding, l->collate, l->ctype, l->provider, l->icu, l->version,
		l->recorded };
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		free(owned[i]);
}

/* ---- what a database is made with ---- */

static void add_option(struct strbuf *out, const char *option, const char *value)
{
	strbuf_addf(out, " %s ", option);
	quote_literal(out, value);
}

/* Only a new database can have it: the name is the target's, whose present database has to make
 * way. */
static char *create_database(const struct locale *source, const struct locale *target, int version)
{
	struct strbuf out = STRBUF_INIT;
	strbuf_add(&out, "CREATE DATABASE ");
	quote_name(&out, target->database);
	strbuf_add(&out, " TEMPLATE template0");
	add_option(&out, "ENCODING", source->encoding);
	add_option(&out, "LC_COLLATE", source->collate);
	add_option(&out, "LC_CTYPE", source->ctype);
	if (version >= PG_HAS_DATABASE_PROVIDER)
		add_option(&out, "LOCALE_PROVIDER", source->provider);
	if (strcmp(source->provider, "icu") == 0)
		add_option(&out, "ICU_LOCALE", source->icu);
	if (strcmp(source->provider, "builtin") == 0)
		add_option(&out, "BUILTIN_LOCALE", source->icu);
	strbuf_add(&out, " /* only a new database can have it */");
	return strbuf_take(&out);
}

/* "en_US.UTF-8" and "en_US.utf8" are one locale of the C library. */
static bool same_locale(const char *a, const char *b)
{
	for (;;) {
		while (*a == '-')
			a++;
		while (*b == '-')
			b++;
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		if (*a == '\0')
			return true;
		a++;
		b++;
	}
}

static bool is_ascii(const struct locale *l)
{
	return strcmp(l->encoding, "SQL_ASCII") == 0;
}

static void compare_encodings(
	const struct locale *s, const struct locale *t, int version, struct comparison *out)
{
	out->compared++;
	if (is_ascii(s))
		comparison_note(out,
			"database %s of %s is SQL_ASCII: nobody has ever checked its text, and what is not "
			"valid in the encoding of the target is refused there row by row",
			s->database, out->source);
	if (strcmp(s->encoding, t->encoding) == 0)
		return;
	bool fits = strcmp(t->encoding, "UTF8") == 0 && !is_ascii(s);
	struct difference *d =
		comparison_add(out, fits ? SEVERITY_NOTE : SEVERITY_BLOCKER, KIND, "encoding");
	d->source = xstrdup(s->encoding);
	d->target = xstrdup(t->encoding);
	if (is_ascii(t) || is_ascii(s)) {
		d->severity = SEVERITY_WARNING;
		d->meaning = xstrdup(
			is_ascii(t)
				? "the target takes any bytes as text and converts none: clients of different "
				  "encodings read each other's text wrongly"
				: "the source's bytes are of no known encoding: those that are not valid on "
				  "the target are refused");
	} else {
		d->meaning = xstrdup(fits ? "text is converted on its way, and clients go on as before; "
									"lengths in bytes change"
								  : "characters that the target's encoding lacks are refused");
	}
	if (!fits)
		d->statement = create_database(s, t, version);
}

static void compare_one(const char *name, const char *source, const char *target,
	const char *meaning, const struct locale *s, const struct locale *t, int version,
	struct comparison *out)
{
	out->compared++;
	if (strcmp(source, target) == 0)
		return;
	bool same = same_locale(source, target);
	struct difference *d = comparison_add(out, same ? SEVERITY_NOTE : SEVERITY_WARNING, KIND, name);
	d->source = xstrdup(source);
	d->target = xstrdup(target);
	d->meaning = xstrdup(same ? "two names of one locale" : meaning);
	if (!same)
		d->statement = create_database(s, t, version);
}

/* ---- versions of collations ---- */

static void add_stale(struct comparison *out, const char *peer, const char *name,
	const char *recorded, const char *actual, char *statement_take)
{
	bool target = strcmp(peer, out->target) == 0;
	struct difference *d = comparison_add(out, SEVERITY_WARNING, "collation version", name);
	char *text = xasprintf("%s recorded, %s in use", recorded, actual);
	d->source = xstrdup(target ? "-" : text);
	d->target = xstrdup(target ? text : "-");
	d->meaning = xasprintf(
		"text sorts differently on %s since its indexes were built: lookups may miss rows and "
		"unique keys may have let duplicates in%s",
		peer, target ? "" : ", which the target's keys then refuse");
	d->statement = statement_take;
	free(text);
}

static void compare_versions(const struct locale *s, const struct locale *t, struct comparison *out)
{
	out->compared++;
	if (s->version[0] && s->recorded[0] && strcmp(s->version, s->recorded) != 0)
		add_stale(out, out->source, s->database, s->recorded, s->version, NULL);
	if (t->version[0] && t->recorded[0] && strcmp(t->version, t->recorded) != 0) {
		struct strbuf sql = STRBUF_INIT;
		strbuf_add(&sql, "REINDEX DATABASE ");
		quote_name(&sql, t->database);
		strbuf_add(&sql, ";\nALTER DATABASE ");
		quote_name(&sql, t->database);
		strbuf_add(&sql, " REFRESH COLLATION VERSION");
		add_stale(out, out->target, t->database, t->recorded, t->version, strbuf_take(&sql));
	}
	if (!s->version[0] || !t->version[0] || strcmp(s->version, t->version) == 0)
		return;
	struct difference *d = comparison_add(out, SEVERITY_NOTE, "collation version", "default");
	d->source = xstrdup(s->version);
	d->target = xstrdup(t->version);
	d->meaning = xstrdup("some texts sort in another order; indexes are built anew on the target "
						 "and fit it, but ranges of partitions and keys remembered by an "
						 "application may not");
}

/* ---- collations that columns and indexes use ---- */

/* name, provider, recorded version, actual version. The default collation is the database's. */
#define USED_COLLATIONS                                                                        \
	"SELECT DISTINCT n.nspname, l.collname, %s, %s FROM pg_catalog.pg_collation l"                 \
	" JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace"                                   \
	" JOIN pg_catalog.pg_attribute a"                                                              \
	" ON a.attcollation = l.oid AND a.attnum > 0 AND NOT a.attisdropped"                           \
	" JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"                                            \
	" JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace"                                    \
	" WHERE s.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"                     \
	" AND n.nspname = 'pg_catalog' AND l.collname NOT IN ('default', 'C', 'POSIX') ORDER BY 1, 2"

static struct rows *ask_collations(struct pg *c, struct error *e)
{
	bool versions = pg_version(c) >= PG_HAS_COLLATION_VERSIONS;
	char *sql = xasprintf(USED_COLLATIONS, versions ? "coalesce(l.collversion, '')" : "''",
		versions ? "coalesce(pg_catalog.pg_collation_actual_version(l.oid), '')" : "''");
	struct rows *r = PG_ROWS(c, e, sql);
	free(sql);
	return r;
}

static char *refresh_collation(const char *schema, const char *name)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "ALTER COLLATION ");
	quote_qualified(&sql, schema, name);
	strbuf_add(&sql, " REFRESH VERSION /* after REINDEX of the indexes that use it */");
	return strbuf_take(&sql);
}

static void check_stale(const struct rows *r, const char *peer, struct comparison *out)
{
	for (int i = 0; i < rows_count(r); i++) {
		const char *schema = rows_text(r, i, 0), *name = rows_text(r, i, 1);
		if (rows_text(r, i, 2)[0] && rows_text(r, i, 3)[0] &&
			strcmp(rows_text(r, i, 2), rows_text(r, i, 3)) != 0)
			add_stale(out, peer, name, rows_text(r, i, 2), rows_text(r, i, 3),
				strcmp(peer, out->target) == 0 ? refresh_collation(schema, name) : NULL);
	}
}

/* Those of the system come with the machine; those that people made are objects of the database. */
static bool find_missing(
	struct pg *target, const struct rows *used, struct comparison *out, struct error *e)
{
	bool ok = true;
	for (int i = 0; ok && i < rows_count(used); i++) {
		const char *name = rows_text(used, i, 1);
		struct rows *r = PG_ROWS(target, e,
			"SELECT 1 FROM pg_catalog.pg_collation WHERE collname = $1"
			" AND collencoding IN (-1, (SELECT encoding FROM pg_catalog.pg_database"
			" WHERE datname = current_database()))",
			name);
		ok = r != NULL;
		out->compared++;
		if (ok && rows_count(r) == 0) {
			struct difference *d = comparison_add(out, SEVERITY_BLOCKER, "collation", name);
			d->source = xstrdup("used by columns or indexes");
			d->meaning = xstrdup("what uses it can not be made; the target's operating system "
								 "needs the locale first");
			d->statement = xstrdup("SELECT pg_import_system_collations('pg_catalog')");
		}
		rows_free(r);
	}
	return ok;
}

static bool compare_collations(
	struct pg *source, struct pg *target, struct comparison *out, struct error *e)
{
	struct rows *s = ask_collations(source, e);
	struct rows *t = s ? ask_collations(target, e) : NULL;
	bool ok = t && find_missing(target, s, out, e);
	if (ok) {
		check_stale(s, out->source, out);
		check_stale(t, out->target, out);
	}
	rows_free(s);
	rows_free(t);
	return ok;
}

bool compare_locale(struct pg *source, struct pg *target, struct comparison *out, struct error *e)
{
	struct locale s = { 0 }, t = { 0 };
	int version = pg_version(target);
	bool ok = read_locale(source, &s, e) && read_locale(target, &t, e);
	if (ok) {
		compare_encodings(&s, &t, version, out);
		compare_one("provider", s.provider, t.provider,
			"text sorts and folds to lower case by other rules", &s, &t, version, out);
		compare_one("LC_COLLATE", s.collate, t.collate,
			"text sorts in another order, and ranges of text hold other rows", &s, &t, version,
			out);
		compare_one("LC_CTYPE", s.ctype, t.ctype,
			"other characters count as letters, and upper() and lower() differ", &s, &t, version,
			out);
		compare_one("locale of the provider", s.icu, t.icu, "text sorts in another order", &s, &t,
			version, out);
		compare_versions(&s, &t, out);
		ok = compare_collations(source, target, out, e);
	}
	locale_free(&s);
	locale_free(&t);
	return ok;
}
