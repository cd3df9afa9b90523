// SPDX-License-Identifier: PostgreSQL
#include "script.h"

#include <stdlib.h>
#include <string.h>

#include "../pg/conn.h"
#include "../shared.h"
#include "facts.h"
#include "folder.h"
#include "templates.h"

/* ---- asking the servers ---- */

/* "PostgreSQL 15.20 (Debian ...) on x86_64-pc-linux-gnu, compiled by ..." */
static void read_machine(struct facts_peer *p, const char *version)
{
	const char *on = strstr(version, " on ");
	if (on)
		copy_text(p->machine, MIN(sizeof(p->machine), strcspn(on + 4, "-, ") + 1), on + 4);
}

/* What can't be read stays unknown: the runbook asks again when it runs. */
static void read_peer(struct facts_peer *p)
{
	struct rows *r = PG_ROWS(p->conn, &p->error,
		"SELECT current_setting('server_version'), pg_catalog.version(),"
		" pg_catalog.pg_database_size(current_database())");
	if (r) {
		const char *version = rows_text(r, 0, 0);
		copy_text(p->version, MIN(sizeof(p->version), strcspn(version, " ") + 1), version);
		read_machine(p, rows_text(r, 0, 1));
		p->database_bytes = rows_int(r, 0, 2);
		p->major = pg_version(p->conn) / 10000;
	}
	rows_free(r);
	/* Of databases that the role may not enter no size is told. */
	r = PG_ROWS(p->conn, &p->error,
		"SELECT sum(pg_catalog.pg_database_size(oid))::int8 FROM pg_catalog.pg_database");
	if (r)
		p->server_bytes = rows_int(r, 0, 0);
	rows_free(r);
}

static bool not_stopped(const struct facts_peer *p, const struct stop *stop, struct error *e)
{
	if (!stop_raised(stop))
		return true;
	return error_set(
		e, ERROR_CANCELLED, "peer %s: stopped while waiting for the server", p->config->name);
}

static bool ask_peer(
	struct facts_peer *p, const struct mirror_config *m, const struct stop *stop, struct error *e)
{
	p->database_bytes = p->server_bytes = -1;
	p->conn = pg_connect(p->config, m->name, "script", stop, &p->error);
	if (p->conn)
		read_peer(p);
	return not_stopped(p, stop, e);
}

static bool ask_tables(struct facts *f, const struct stop *stop, struct error *e)
{
	struct facts_peer *s = &f->source;
	if (!s->conn)
		return true;
	f->resolved = survey_choose(s->conn, f->mirror, &f->survey, &s->error);
	for (size_t i = 0; i < f->survey.table_count; i++) {
		f->bytes += f->survey.tables[i].info.bytes;
		f->rows += MAX((int64_t)f->survey.tables[i].info.tuples, 0);
	}
	return not_stopped(s, stop, e);
}

/* ---- what the runbook can't do ---- */

static void find(struct preflight *p, enum severity severity, const char *subject, const char *text,
	const char *next)
{
	GROW(p->findings, p->finding_count);
	p->findings[p->finding_count++] =
		(struct finding){ severity, xstrdup(subject), xstrdup(text), xstrdup(next) };
	p->warnings += severity == SEVERITY_WARNING;
}

static void find_limits(struct preflight *p, const struct mirror_config *m)
{
	const struct {
		bool applies;
		enum severity severity;
		const char *subject, *text;
	} limits[] = {
		{ m->continuous && m->soft_delete, SEVERITY_WARNING, "soft_delete",
			"a subscription deletes rows that the source deletes" },
		{ m->continuous && m->sync_columns, SEVERITY_WARNING, "sync_columns",
			"a subscription writes no columns of its own" },
		{ m->continuous && m->map_count > 0, SEVERITY_WARNING, "map",
			"other names come at the cutover, because a subscription finds tables and columns by "
			"those of the source; so the source can't follow the target after it" },
		{ m->continuous && m->columns_exclude.count > 0, SEVERITY_NOTE, "columns_exclude",
			"publications leave out columns from PostgreSQL 15 on" },
		{ m->continuous && m->schema == SCHEMA_DATABASE, SEVERITY_NOTE, "large objects",
			"a subscription has none: where the source has any, copy them between freeze and "
			"sequences by pg_dump --data-only --blobs --exclude-table-data='*.*' | psql" },
		{ m->rate_limit_mb > 0, SEVERITY_NOTE, "rate_limit_mb",
			"PostgreSQL's own programs have no limit" },
		{ m->owners == OWNERS_MAP, SEVERITY_NOTE, "roles_map",
			"the roles of the source are made on the target; in the end what they own is given to "
			"the new ones, which become their members" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].applies)
			find(p, limits[i].severity, limits[i].subject, limits[i].text, NULL);
}

static void find_unreached(
	struct preflight *p, const char *subject, const struct facts_peer *peer, const char *what)
{
	char *text = xasprintf("%s; %s", peer->error.text, what);
	find(p, SEVERITY_WARNING, subject, text, peer->error.next[0] ? peer->error.next : NULL);
	free(text);
}

/* ---- writing ---- */

/* "05-load.copy.sh" is 05-load.sh of an initial copy. NULL: not of this kind of mirror. */
static char *path_of(const struct template *t, bool continuous)
{
	const char *ours = continuous ? ".follow." : ".copy.";
	const char *other = continuous ? ".copy." : ".follow.";
	const char *cut = strstr(t->path, ours);
	if (strstr(t->path, other) || (!continuous && strcmp(t->path, "parts/follow.sh") == 0))
		return NULL;
	return cut ? xasprintf("%.*s%s", (int)(cut - t->path), t->path, cut + strlen(ours) - 1)
			   : xstrdup(t->path);
}

static bool write_one(struct folder *folder, const char *path, const char *template,
	const struct values *v, struct error *e)
{
	char *text = render(template, v, e);
	bool ok = text && folder_put(folder, path, strncmp(template, "#!", 2) == 0, text, e);
	free(text);
	return ok;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool write_all(
	struct folder *folder, const struct facts *f, struct preflight *p, struct error *e)
{
	struct values v;
	if (!facts_values(f, &v, e))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < template_count; i++) {
		char *path = path_of(&templates[i], f->mirror->continuous);
		ok = !path || write_one(folder, path, templates[i].text, &v, e);
		if (path && ok)
			strings_add(&p->plan, path);
		free(path);
	}
	if (p->plan.count > 0)
		qsort(p->plan.items, p->plan.count, sizeof(*p->plan.items), by_text);
	values_free(&v);
	return ok;
}

static bool gather(struct facts *f, struct preflight *p, const struct stop *stop, struct error *e)
{
	if (!ask_peer(&f->source, f->mirror, stop, e) || !ask_peer(&f->target, f->mirror, stop, e) ||
		!ask_tables(f, stop, e))
		return false;
	if (f->resolved && f->survey.table_count == 0) {
		error_set(e, ERROR_CONFIG, "no table of the source matches");
		return error_next(e, "look at tables and exclude of mirror %s", f->mirror->name);
	}
	if (!f->resolved)
		find_unreached(p, "source", &f->source,
			"the runbook has the patterns of the mirror instead of its tables");
	if (!f->target.conn)
		find_unreached(p, "target", &f->target, "its version is not compared");
	find_limits(p, f->mirror);
	f->findings = p;
	p->mirror = xstrdup(f->mirror->name);
	p->tables = f->survey.table_count;
	p->rows = f->resolved ? f->rows : -1;
	p->bytes = f->resolved ? f->bytes : -1;
	return true;
}

struct preflight *script_write(const struct mirror_config *m, const struct peer_config *source,
	const struct peer_config *target, const char *path, const struct stop *stop, struct error *e)
{
	struct facts f = {
		.mirror = m, .source = { .config = source }, .target = { .config = target }
	};
	struct preflight *p = preflight_new();
	struct folder *folder = folder_open(path, e);
	bool ok = folder && gather(&f, p, stop, e) && write_all(folder, &f, p, e);
	if (ok)
		folder_keep(folder);
	else
		folder_undo(folder);
	pg_free(f.source.conn);
	pg_free(f.target.conn);
	survey_free(&f.survey);
	if (ok)
		return p;
	preflight_release(p);
	return NULL;
}
