// SPDX-License-Identifier: PostgreSQL
/* What hinders the way back. Most of it hinders any mirror between these two, so that the same survey finds it; the
 * rest is what nobody asks of a mirror's target that pgpier fills itself. */
#include <pgpier/selection.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mirror/survey.h"
#include "../replicate/ready.h"
#include "way_back.h"

struct looking {
	const struct way_back *w;
	struct mirror_config config; /* the mirror's, with its tables by name */
	struct store_mirror known;   /* what "to" has of it already */
	bool found;
	struct strings *blocking, *notes;
};

static void tell(struct looking *l, enum severity severity, const char *subject, const char *text, const char *next)
{
	char *line = xasprintf("way back, %s: %s%s%s", subject, text, next && next[0] ? "; " : "", next ? next : "");
	strings_add(severity == SEVERITY_BLOCKER ? l->blocking : l->notes, line);
	free(line);
}

static void tell_error(struct looking *l, const char *subject, const struct error *e)
{
	tell(l, SEVERITY_BLOCKER, subject, e->text, e->next);
}

/* ---- the two ends ---- */

/* A partition that only "from" has is none of the mirror's, but comes with its parent. */
static enum severity severity_of(const struct looking *l, const struct survey *s, const struct survey_finding *f)
{
	const struct schema_table *t = f->table == SCHEMA_NO_TABLE ? NULL : &s->tables[f->table].names;
	bool ours = !t || selection_takes(&l->config, t->source_schema, t->source_name);
	return ours || f->finding.severity != SEVERITY_BLOCKER ? f->finding.severity : SEVERITY_WARNING;
}

/* Of names that are ours already the survey believes that all was right when they were made. */
static bool look_at_identities(struct looking *l, const struct survey *s, struct error *e)
{
	struct ready found = { 0 };
	struct ready_table *tables = xmalloc((s->table_count + 1) * sizeof(*tables));
	for (size_t i = 0; i < s->table_count; i++)
		tables[i] = (struct ready_table){ s->tables[i].info.oid, s->tables[i].parent };
	const struct ready_plan plan = { .slot = "", .publication = "", .tables = tables, .table_count = s->table_count };
	bool ok = ready_tables(l->w->from, &plan, &found, e);
	for (size_t i = 0; ok && i < found.count; i++) {
		const struct finding *f = &found.items[i].finding;
		if (f->severity == SEVERITY_BLOCKER)
			tell(l, f->severity, f->subject, f->text, f->next);
	}
	ready_free(&found);
	free(tables);
	return ok;
}

/* The rows are there already: nothing is loaded. */
static bool look_at_tables(struct looking *l, struct error *e)
{
	struct survey s;
	const struct store_mirror named = { .replication = l->known.replication };
	const struct store_mirror *known = l->found && named.replication.slot[0] ? &named : NULL;
	if (!survey_read(l->w->from, l->w->to, &l->config, known, false, &s, e))
		return false;
	for (size_t i = 0; i < s.finding_count; i++) {
		const struct finding *f = &s.findings[i].finding;
		if (!s.findings[i].of_load)
			tell(l, severity_of(l, &s, &s.findings[i]), f->subject, f->text, f->next);
	}
	bool ok = !known || look_at_identities(l, &s, e);
	survey_free(&s);
	return ok;
}

static bool look_at_sessions(struct looking *l, struct error *e)
{
	struct ready found = { 0 };
	ready_connect(l->w->from_peer, l->config.name, l->w->stop, &found);
	bool ok = ready_target(l->w->to, true, &found, e);
	for (size_t i = 0; ok && i < found.count; i++) {
		const struct finding *f = &found.items[i].finding;
		tell(l, f->severity, f->subject, f->text, f->next);
	}
	ready_free(&found);
	return ok;
}

/* ---- what pgpier's role may do where it has only read so far ---- */

static bool look_at_schema(struct looking *l, struct error *e)
{
	struct error why;
	if (store_exists(l->w->to, &why))
		return true;
	if (why.class == ERROR_CONFLICT) {
		tell_error(l, "schema pgpier", &why);
		return true;
	}
	*e = why;
	struct rows *r = why.class ? NULL : PG_ROWS(l->w->to, e,
		"SELECT pg_catalog.has_database_privilege(current_database(), 'CREATE'),"
		" pg_catalog.format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user)");
	if (r && !rows_bool(r, 0, 0)) {
		char *text = xasprintf("our role may not create schema pgpier on peer %s", l->w->to_peer->name);
		tell(l, SEVERITY_BLOCKER, "schema pgpier", text, rows_text(r, 0, 1));
		free(text);
	}
	bool ok = r != NULL;
	rows_free(r);
	return ok;
}

static char *targets_of(const struct survey *s, bool schemas)
{
	struct strbuf b = STRBUF_INIT;
	const char **names = xmalloc((s->table_count + 1) * sizeof(*names));
	for (size_t i = 0; i < s->table_count; i++)
		names[i] = schemas ? s->tables[i].names.target_schema : s->tables[i].names.target_name;
	quote_array(&b, s->table_count, names);
	free(names);
	return strbuf_take(&b);
}

static const char rights_sql[] =
	"SELECT p.nspname || '.' || c.relname,"
	"  pg_catalog.has_schema_privilege(p.oid, 'USAGE') AND (SELECT bool_and(pg_catalog.has_table_privilege(c.oid, r))"
	"    FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) r),"
	"  pg_catalog.row_security_active(c.oid),"
	"  pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I; GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON %I.%I TO %I',"
	"    p.nspname, current_user, p.nspname, c.relname, current_user)"
	" FROM unnest($1::text[], $2::text[]) t (s, n) JOIN pg_catalog.pg_namespace p ON p.nspname = t.s"
	" JOIN pg_catalog.pg_class c ON c.relnamespace = p.oid AND c.relname = t.n AND c.relkind = 'r' ORDER BY 1";

static bool look_at_rights(struct looking *l, struct error *e)
{
	struct survey s;
	if (!survey_choose(l->w->from, &l->config, &s, e))
		return false;
	char *schemas = targets_of(&s, true), *names = targets_of(&s, false);
	struct rows *r = PG_ROWS(l->w->to, e, rights_sql, schemas, names);
	for (int i = 0; r && i < rows_count(r); i++) {
		if (!rows_bool(r, i, 1))
			tell(l, SEVERITY_BLOCKER, rows_text(r, i, 0), "our role may not write to it there", rows_text(r, i, 3));
		if (rows_bool(r, i, 2))
			tell(l, SEVERITY_BLOCKER, rows_text(r, i, 0), "row security would hide rows of it from our role there",
				"use a role with BYPASSRLS");
	}
	free(schemas);
	free(names);
	survey_free(&s);
	rows_free(r);
	return r != NULL;
}

/* ---- all of it ---- */

/* A mirror that is armed again keeps the tables that it has, whatever its patterns say of today's. */
static void name_tables(struct looking *l)
{
	struct mirror_config *c = &l->config;
	if (!l->found || l->known.table_count == 0)
		return;
	strings_free(&c->tables);
	strings_free(&c->exclude);
	for (size_t i = 0; i < l->known.table_count; i++) {
		char *pattern = selection_pattern(l->known.tables[i].source_schema, l->known.tables[i].source_name);
		strings_add(&c->tables, pattern);
		free(pattern);
	}
}

bool way_back_check(const struct way_back *w, struct strings *blocking, struct strings *notes, struct error *e)
{
	struct looking l = { .w = w, .blocking = blocking, .notes = notes };
	struct error why;
	/* A schema pgpier that is not ours is told of below. */
	if (!store_read(w->to, w->config->name, &l.known, &l.found, &why) && why.class != ERROR_CONFLICT) {
		*e = why;
		return false;
	}
	mirror_config_copy(&l.config, w->config);
	l.config.schema = SCHEMA_NONE;
	l.config.on_existing_rows = EXISTING_APPEND; /* they are what the way back begins with */
	name_tables(&l);
	bool ok = look_at_schema(&l, e) && look_at_tables(&l, e) && look_at_rights(&l, e) && look_at_sessions(&l, e);
	mirror_config_free(&l.config);
	store_mirror_free(&l.known);
	return ok;
}
