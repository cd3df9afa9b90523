// SPDX-License-Identifier: PostgreSQL
/* What stands in a mirror's way, and what it will do, before anything is changed anywhere. */
#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../replicate/ready.h"
#include "../shared.h"
#include "mirror.h"
#include "objects_check.h"
#include "run.h"

static int worst_first(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	return (int)y->severity - (int)x->severity;
}

static void add_finding(struct preflight *p, const struct finding *f)
{
	GROW(p->findings, p->finding_count);
	p->findings[p->finding_count++] =
		(struct finding){ f->severity, xstrdup(f->subject), xstrdup(f->text), xstrdup(f->next) };
	p->blockers += f->severity == SEVERITY_BLOCKER;
	p->warnings += f->severity == SEVERITY_WARNING;
}

static void plan_line(struct preflight *p, const char *fmt, ...) PG_PRINTF(2, 3);
static void plan_line(struct preflight *p, const char *fmt, ...)
{
	va_list args;
	char line[512];
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	strings_add(&p->plan, line);
}

static void count_steps(const struct schema_steps *steps, size_t counts[SCHEMA_KIND_COUNT])
{
	for (size_t i = 0; i < steps->count; i++)
		counts[steps->items[i].kind]++;
}

static const char *plural(enum schema_kind k)
{
	static const char *const names[SCHEMA_KIND_COUNT] = {
		[SCHEMA_SCHEMA] = "schemas",
		[SCHEMA_TYPE] = "types",
		[SCHEMA_SEQUENCE] = "sequences",
		[SCHEMA_TABLE] = "tables",
		[SCHEMA_COLUMN] = "tables' columns of our own",
		[SCHEMA_PRIMARY_KEY] = "primary keys",
		[SCHEMA_UNIQUE] = "unique constraints",
		[SCHEMA_EXCLUSION] = "exclusion constraints",
		[SCHEMA_INDEX] = "indexes",
		[SCHEMA_CHECK] = "checks",
		[SCHEMA_ATTACH] = "attachments",
		[SCHEMA_VALUE] = "sequence values",
	};
	return names[k];
}

/* "2 schemas, 17 tables before the rows" */
static void plan_steps(struct preflight *p, const char *target, const struct schema_steps *steps, const char *when)
{
	size_t counts[SCHEMA_KIND_COUNT] = { 0 };
	struct strbuf b = STRBUF_INIT;
	count_steps(steps, counts);
	for (int k = 0; k < SCHEMA_KIND_COUNT; k++)
		if (counts[k] == 1)
			strbuf_addf(&b, "%s1 %s", b.len ? ", " : "", schema_kind_name((enum schema_kind)k));
		else if (counts[k] > 1)
			strbuf_addf(&b, "%s%zu %s", b.len ? ", " : "", counts[k], plural((enum schema_kind)k));
	if (b.len > 0)
		plan_line(p, "On %s it will create, %s: %s.", target, when, b.text);
	strbuf_free(&b);
}

static void plan_schema(struct preflight *p, const struct mirror_config *m, const struct survey *s,
	const struct objects_findings *o)
{
	const struct schema_plan *plan = s->schema;
	plan_steps(p, m->target, &plan->before, "before the rows");
	plan_steps(p, m->target, &plan->after, "when a table's rows are in");
	if (o->before + o->after > 0)
		plan_line(p, "On %s it will create, from a dump of %s, %zu objects before the rows and %zu after them.",
			m->target, m->source, m->schema == SCHEMA_DATABASE ? o->before : 0,
			m->schema == SCHEMA_DATABASE ? o->after : o->before + o->after);
	if (plan->before.count + plan->after.count + o->before + o->after == 0)
		plan_line(p, "On %s it will create no tables, keys or indexes: they are there.", m->target);
}

/* Partitions have the names of their tables. */
static void plan_names(struct preflight *p, const struct mirror_config *m, const struct survey *s)
{
	for (size_t i = 0; i < s->table_count; i++) {
		const struct survey_table *t = &s->tables[i];
		struct strbuf line = STRBUF_INIT;
		if (t->renamed.count == 0 || t->info.partition)
			continue;
		strbuf_addf(&line, "Columns of %s.%s get other names on %s", t->names.source_schema,
			t->names.source_name, m->target);
		for (size_t k = 0; k < t->renamed.count; k++)
			strbuf_addf(&line, "%s%s -> %s", k ? ", " : ": ", t->renamed.items[k].source,
				t->renamed.items[k].target);
		strbuf_add(&line, ".");
		strings_add(&p->plan, line.text);
		strbuf_free(&line);
	}
}

static void plan_replication(struct preflight *p, const struct mirror_config *m)
{
	char slot[NAME_SIZE], publication[NAME_SIZE];
	mirror_slot_name(m, slot);
	mirror_publication_name(m, publication);
	plan_line(p, "On %s it will create publication %s of these tables and slot %s, which keeps WAL until %s has "
				 "its changes; both go when the mirror is dropped.", m->source, publication, slot, m->target);
	plan_line(p, "On %s it will apply all changes that %s commits after the snapshot, until the cutover%s.",
		m->target, m->source, m->soft_delete ? "; deleted rows are marked and stay" : "");
}

static void plan_all(struct preflight *p, const struct mirror_config *m, const struct survey *s,
	const struct objects_findings *o)
{
	char bytes[FORMAT_SIZE], rows[FORMAT_SIZE];
	for (size_t i = 0; i < s->table_count; i++) {
		const struct survey_table *t = &s->tables[i];
		p->tables += !t->parent;
		p->rows += t->parent ? 0 : MAX(chunks_estimate(&t->info), 0);
		p->bytes += t->info.bytes;
	}
	plan_line(p, "%s %s it %s %zu tables (~%s rows, %s) from one snapshot.", m->continuous ? "From" : "On",
		m->source, m->continuous ? "reads" : "will change nothing: it reads", p->tables,
		format_count(p->rows, rows), format_bytes(p->bytes, bytes));
	plan_schema(p, m, s, o);
	plan_names(p, m, s);
	if (m->continuous)
		plan_replication(p, m);
	plan_line(p, "On %s it will keep its progress in schema pgpier, until the mirror is dropped.", m->target);
	for (size_t i = 0; i < s->table_count; i++)
		if (s->tables[i].has_rows && m->on_existing_rows == EXISTING_TRUNCATE)
			plan_line(p, "It will REMOVE the rows that %s.%s has on %s.", s->tables[i].names.target_schema,
				s->tables[i].names.target_name, m->target);
	plan_line(p, "It copies with %d workers, %d tables at a time%s.", m->workers, m->tables_in_parallel,
		m->rate_limit_mb ? ", limited in MB/s" : "");
}

static void add_ready(struct preflight *p, struct ready *found)
{
	for (size_t i = 0; i < found->count; i++)
		add_finding(p, &found->items[i].finding);
	ready_free(found);
}

/* The target's tables that exist have triggers and foreign keys of their own, as those will that come from a dump. */
static bool check_session(struct preflight *p, const struct mirror_config *m, struct pg *target,
	const struct survey *s, struct error *e)
{
	struct ready found = { 0 };
	bool existing = m->continuous && m->schema != SCHEMA_NONE;
	for (size_t i = 0; i < s->table_count; i++)
		existing = existing || s->tables[i].names.exists;
	bool ok = !existing || ready_target(target, m->continuous, &found, e);
	add_ready(p, &found);
	return ok;
}

static void check_connections(struct preflight *p, const struct mirror_config *m,
	const struct peer_config *source, const struct stop *stop)
{
	struct ready found = { 0 };
	if (m->continuous)
		ready_connect(source, m->name, stop, &found);
	add_ready(p, &found);
}

/* What a known mirror makes from its dump is chosen already. */
static bool check_objects(struct objects_findings *o, const struct mirror_config *m, const struct peer_config *source,
	struct pg *s, struct pg *t, const struct survey *survey, const struct store_mirror *known, const struct stop *stop,
	struct error *e)
{
	if (known->table_count > 0)
		return true;
	struct schema_table *names = survey_names(survey);
	bool ok = objects_check(s, t, source, m, names, survey->table_count, stop, o, e);
	free(names);
	return ok;
}

static struct preflight *preflight_of(const struct mirror_config *m, const struct survey *survey,
	const struct objects_findings *o)
{
	struct preflight *p = preflight_new();
	p->mirror = xstrdup(m->name);
	for (size_t i = 0; i < survey->finding_count; i++)
		add_finding(p, &survey->findings[i].finding);
	for (size_t i = 0; i < o->count; i++)
		add_finding(p, &o->items[i]);
	plan_all(p, m, survey, o);
	return p;
}

static struct preflight *check(const struct mirror_config *m, const struct peer_config *source, struct pg *s,
	struct pg *t, const struct stop *stop, struct error *e)
{
	struct preflight *p = NULL;
	struct survey survey = { 0 };
	struct store_mirror known = { 0 };
	struct objects_findings objects = { 0 };
	bool found = false;
	if (store_read(t, m->name, &known, &found, e) &&
		survey_read(s, t, m, found ? &known : NULL, true, &survey, e) &&
		check_objects(&objects, m, source, s, t, &survey, &known, stop, e)) {
		p = preflight_of(m, &survey, &objects);
		if (!check_session(p, m, t, &survey, e)) {
			preflight_release(p);
			p = NULL;
		}
	}
	survey_free(&survey);
	store_mirror_free(&known);
	objects_findings_free(&objects);
	return p;
}

struct preflight *mirror_check(const struct mirror_config *config, const struct peer_config *source,
	const struct peer_config *target, const struct stop *stop, struct error *e)
{
	struct pg *s = pg_connect(source, config->name, "check", stop, e);
	struct pg *t = s ? pg_connect(target, config->name, "check", stop, e) : NULL;
	struct preflight *p = t ? check(config, source, s, t, stop, e) : NULL;
	if (p)
		check_connections(p, config, source, stop);
	if (p && p->finding_count > 0)
		qsort(p->findings, p->finding_count, sizeof(*p->findings), worst_first);
	pg_free(s);
	pg_free(t);
	return p;
}
