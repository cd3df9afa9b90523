// SPDX-License-Identifier: PostgreSQL
#include "facts.h"

#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../conninfo.h"
#include "tables.h"

/* What a dump or a load takes through one session on ordinary hardware, a comparison, and a copy. */
#define SESSION_BYTES_PER_S 30e6
#define VERIFY_BYTES_PER_S 60e6
#define COPY_BYTES_PER_S 100e6
/* Of sequences: values that nobody gets cost nothing. */
#define MARGIN_CONTINUOUS "100"

/* ---- names ---- */

/* Names of their own: pgpier refuses publications and slots of its names that it did not make. */
static void add_names(struct values *v, const struct mirror_config *m)
{
	char base[NAME_SIZE];
	const struct mirror_config plain = { .name = m->name };
	mirror_slot_name(&plain, base); /* pgpier_ and the mirror's name, as a slot may be called */
	const char *rest = strchr(base, '_');
	values_take(v, "publication", xasprintf("runbook%.48s", rest));
	values_take(v, "reverse_name", xasprintf("runbook%.48s_back", rest));
	values_take(v, "physical_slot", xasprintf("runbook%.48s_copy", rest));
}

static void add_owner_map(struct values *v, const struct mirror_config *m)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; m->owners == OWNERS_MAP && i < m->role_map_count; i++) {
		strbuf_add(&b, i > 0 ? " " : "");
		render_shell(&b, m->roles_map[i].source);
		strbuf_add(&b, " ");
		render_shell(&b, m->roles_map[i].target);
	}
	values_take(v, "owner_map", strbuf_take(&b));
}

static char *joined(const struct strings *l)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; i < l->count; i++)
		strbuf_addf(&b, "%s%s", i > 0 ? ", " : "", l->items[i]);
	return strbuf_take(&b);
}

static void add_mirror(struct values *v, const struct mirror_config *m)
{
	char jobs[12];
	snprintf(jobs, sizeof(jobs), "%d", m->workers);
	values_add(v, "mirror", m->name);
	values_add(v, "source", m->source);
	values_add(v, "target", m->target);
	values_add(v, "schema", schema_mode_names[m->schema]);
	values_add(v, "owners", owners_names[m->owners]);
	values_add(v, "publications", m->publications ? "yes" : "no");
	values_add(v, "existing", existing_rows_names[m->on_existing_rows]);
	values_add(v, "jobs", jobs);
	values_add(v, "maintenance_work_mem", m->maintenance_work_mem);
	values_add(v, "bindir", m->pg_bindir);
	values_add(v, "margin", m->continuous ? MARGIN_CONTINUOUS : "0");
	values_take(v, "patterns", joined(&m->tables));
	values_take(v, "exclude", joined(&m->exclude));
	add_owner_map(v, m);
	add_names(v, m);
}

/* ---- kinds of mirrors ---- */

static void add_kind(struct values *v, const struct mirror_config *m)
{
	bool renames = m->map_count > 0 && m->schema != SCHEMA_NONE;
	/* A subscription finds tables by the same names on both sides. */
	bool reverse = m->continuous && m->map_count == 0;
	values_flag(v, "continuous", m->continuous);
	values_add(v, "follows", m->continuous ? "yes" : "no");
	values_flag(v, "renames", renames);
	values_flag(v, "reverse", reverse);
	values_take(v, "steps",
		xasprintf("freeze%s sequences verify%s%s open", m->continuous ? " drain stop" : "",
			renames ? " rename" : "", reverse ? " reverse" : ""));
}

/* ---- peers ---- */

static void add_of(struct values *v, const char *side, const char *what, const char *text)
{
	char name[sizeof(v->items->name)];
	snprintf(name, sizeof(name), "%s_%s", side, what);
	values_add(v, name, text);
}

static bool add_connection(struct values *v, const char *side, const char *what,
	const struct facts_peer *p, enum reach reach, struct error *e)
{
	char *text = conninfo_public(p->config, p->conn, reach, e);
	if (text)
		add_of(v, side, what, text);
	free(text);
	return text != NULL;
}

static bool add_peer(
	struct values *v, const char *side, const struct facts_peer *p, struct error *e)
{
	struct place place;
	if (!conninfo_place(p->config, p->conn, &place, e))
		return false;
	add_of(v, side, "host", place.host);
	add_of(v, side, "port", place.port);
	add_of(v, side, "db", place.dbname);
	add_of(v, side, "user", place.user);
	place_free(&place);
	add_of(v, side, "version", p->version[0] ? p->version : "not reached");
	add_of(v, side, "machine", p->machine);
	return add_connection(v, side, "conn", p, REACH_HERE, e) &&
		   add_connection(v, side, "far", p, REACH_FAR, e);
}

static bool add_peers(struct values *v, const struct facts *f, struct error *e)
{
	const struct facts_peer *s = &f->source, *t = &f->target;
	char *physical = NULL;
	if (!add_peer(v, "source", s, e) || !add_peer(v, "target", t, e))
		return false;
	physical = conninfo_public(s->config, s->conn, REACH_SERVER, e);
	if (!physical)
		return false;
	values_take(v, "physical_conn", physical);
	values_flag(v, "source_known", s->major > 0);
	values_take(v, "source_major", xasprintf("%d", s->major));
	values_flag(v, "versions_differ", s->major > 0 && t->major > 0 && s->major != t->major);
	values_flag(v, "machines_differ",
		s->machine[0] && t->machine[0] && strcmp(s->machine, t->machine) != 0);
	values_flag(
		v, "password_hint", conninfo_has_password(s->config) || conninfo_has_password(t->config));
	return true;
}

/* ---- sizes and durations ---- */

static void add_time(struct values *v, const char *name, int64_t bytes, double bytes_per_s)
{
	char text[FORMAT_SIZE];
	values_add(v, name, bytes < 0 ? "not known" : format_eta((double)bytes / bytes_per_s, text));
}

static void add_sizes(struct values *v, const struct facts *f)
{
	char text[FORMAT_SIZE];
	double sessions = MAX(f->mirror->workers, 1);
	int64_t bytes = f->resolved ? f->bytes : -1;
	add_time(v, "dump_time", f->source.database_bytes, SESSION_BYTES_PER_S * sessions);
	add_time(v, "load_time", bytes, SESSION_BYTES_PER_S * sessions);
	add_time(v, "index_time", bytes, SESSION_BYTES_PER_S * sessions);
	add_time(v, "verify_time", bytes, VERIFY_BYTES_PER_S * sessions);
	add_time(v, "copy_time", f->source.server_bytes, COPY_BYTES_PER_S);
	values_take(v, "table_count", xasprintf("%zu", f->survey.table_count));
	values_add(v, "rows", format_count(f->rows, text));
	values_add(v, "bytes", format_bytes(f->bytes, text));
}

/* ---- tables, findings ---- */

static char *tables_text(const struct facts *f)
{
	if (!f->resolved)
		return tables_by_pattern(f->mirror);
	struct script_table *tables = xmalloc(f->survey.table_count * sizeof(*tables));
	for (size_t i = 0; i < f->survey.table_count; i++) {
		const struct schema_table *t = &f->survey.tables[i].names;
		tables[i] = (struct script_table){ t->source_schema, t->source_name, t->target_schema,
			t->target_name, t->renamed };
	}
	char *text = tables_by_name(f->mirror, tables, f->survey.table_count);
	free(tables);
	return text;
}

static char *findings_text(const struct preflight *p)
{
	struct strbuf b = STRBUF_INIT;
	for (size_t i = 0; i < p->finding_count; i++) {
		strbuf_add(&b, i > 0 ? "\n- " : "- ");
		render_line(&b, p->findings[i].subject);
		strbuf_add(&b, ": ");
		render_line(&b, p->findings[i].text);
	}
	return strbuf_take(&b);
}

static char *time_text(void)
{
	char text[32];
	time_t now = time(NULL);
	struct tm tm;
	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%F %H:%M", &tm);
	return xstrdup(text);
}

bool facts_values(const struct facts *f, struct values *out, struct error *e)
{
	*out = (struct values){ 0 };
	add_mirror(out, f->mirror);
	add_kind(out, f->mirror);
	add_sizes(out, f);
	values_add(out, "version", PGPIER_VERSION);
	values_take(out, "written", time_text());
	values_flag(out, "resolved", f->resolved);
	values_add(out, "unreachable", f->resolved ? "" : f->source.error.text);
	values_take(out, "tables", tables_text(f));
	values_take(out, "findings", findings_text(f->findings));
	if (add_peers(out, f, e))
		return true;
	values_free(out);
	return false;
}
