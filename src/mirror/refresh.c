// SPDX-License-Identifier: PostgreSQL
/* Mirrors that nobody runs here: reading their state, dropping them, checking before they begin. */
#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../replicate/ready.h"
#include "../shared.h"
#include "mirror.h"
#include "run.h"

/* ---- refresh ---- */

/* A working state in the store is another process's, or of one that was killed: its lock tells. */
static bool is_locked(struct pg *target, const char *mirror, bool *locked, struct error *e)
{
	struct rows *r = PG_ROWS(target, e,
		"SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 1885826162::oid"
		" AND objid = (hashtext($1)::int8 & 4294967295)::oid"
		" AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))", mirror);
	if (!r)
		return false;
	*locked = rows_bool(r, 0, 0);
	rows_free(r);
	return true;
}

static enum mirror_state shown_state(enum mirror_state stored, bool locked)
{
	if (stored == MIRROR_DONE || stored == MIRROR_FAILED || (stored == MIRROR_PAUSED && !locked))
		return stored;
	return locked ? stored : MIRROR_INTERRUPTED;
}

static enum table_state table_state_of(const struct store_table *t)
{
	if (t->done || t->parent)
		return TABLE_DONE;
	if (t->error)
		return TABLE_FAILED;
	return t->loaded ? TABLE_BUILDING : TABLE_QUEUED;
}

/* Rows and bytes of finished chunks count, also of a table that is not loaded yet. */
static void add_chunks(const struct store_mirror *s, struct load_table_init *init)
{
	for (size_t i = 0; i < s->chunk_count; i++) {
		const struct store_chunk *c = &s->chunks[i];
		struct load_table_init *t = &init[c->table - 1];
		t->chunks++;
		t->chunks_done += c->done;
		if (!t->exact && c->done) {
			t->rows_done += c->rows;
			t->bytes_done += c->bytes;
		}
	}
	for (size_t i = 0; i < s->table_count; i++)
		if (init[i].exact && init[i].chunks == 0 && !s->tables[i].parent)
			init[i].chunks = init[i].chunks_done = 1; /* a table of one chunk has no list of them */
}

static void tell_model(struct model *model, const char *mirror, const struct store_mirror *s)
{
	struct load_table_init *init = xcalloc(s->table_count, sizeof(*init));
	char(*names)[2][2 * NAME_SIZE] = xcalloc(s->table_count, sizeof(*names));
	for (size_t i = 0; i < s->table_count; i++) {
		const struct store_table *t = &s->tables[i];
		snprintf(names[i][0], sizeof(names[i][0]), "%s.%s", t->source_schema, t->source_name);
		snprintf(names[i][1], sizeof(names[i][1]), "%s.%s", t->target_schema, t->target_name);
		init[i] = (struct load_table_init){
			.source = names[i][0],
			.target = names[i][1],
			.rows = t->loaded || t->parent ? t->rows : t->rows_estimate,
			.bytes = t->loaded || t->parent ? t->bytes : t->bytes_estimate,
			.exact = t->loaded || t->parent,
			.state = table_state_of(t),
			.how = t->how,
			.elapsed_s = (double)t->took_us / 1e6,
			.error = t->error,
		};
	}
	add_chunks(s, init);
	model_load_set(model, mirror, init, s->table_count);
	free(init);
	free(names);
}

static void tell_moments(struct model *model, const char *mirror, const struct store_mirror *s)
{
	struct strbuf text = STRBUF_INIT;
	char at[FORMAT_SIZE];
	int used = 0;
	for (size_t i = 0; i < s->snapshot_count; i++) {
		size_t tables = 0;
		for (size_t k = 0; k < s->table_count; k++)
			tables += s->tables[k].loaded && s->tables[k].snapshot == s->snapshots[i].number;
		if (tables > 0)
			strbuf_addf(&text, "%s%zu table%s as of %s", used++ ? ", " : "", tables, tables == 1 ? "" : "s",
				format_time(s->snapshots[i].taken_at, at));
	}
	model_mirror_moments(model, mirror, used, text.text ? text.text : "");
	strbuf_free(&text);
}

/* What was read, and is to be told at once. */
struct reading {
	struct store_mirror store;
	bool found, locked;
	struct replication_view stream; /* slot empty: there is none */
};

static bool read_all(struct reading *r, const struct mirror_config *config, const struct peer_config *source,
	struct pg *target, struct error *e)
{
	if (!store_read(target, config->name, &r->store, &r->found, e) ||
		(r->found && !is_locked(target, config->name, &r->locked, e)))
		return false;
	if (r->found && r->store.replication.slot[0])
		refresh_stream(config, source, &r->store, pg_stop_borrow(target), &r->stream);
	return true;
}

static void tell_stream(struct model *model, const char *mirror, const struct reading *r)
{
	model_replication_set(model, mirror, &r->stream);
	for (size_t i = 0; i < r->store.table_count; i++)
		if (r->store.tables[i].paused && r->store.tables[i].error)
			model_table_paused(model, mirror, i, r->store.tables[i].error);
}

static void tell_all(struct model *model, const char *mirror, const struct reading *r, const struct refresh_gate *gate)
{
	const struct store_mirror *s = &r->store;
	if (!gate->begin(gate->data))
		return;
	if (r->found) {
		model_mirror_times(model, mirror, s->started_at, s->ended_at);
		tell_model(model, mirror, s);
		tell_moments(model, mirror, s);
	}
	if (r->stream.slot[0])
		tell_stream(model, mirror, r);
	model_mirror_state(model, mirror, r->found ? shown_state(s->state, r->locked) : MIRROR_NEW, NULL);
	gate->end(gate->data);
}

bool mirror_refresh(struct model *model, const struct mirror_config *config, const struct peer_config *source,
	const struct peer_config *target, const struct refresh_gate *gate, const struct stop *stop, struct error *e)
{
	struct reading r = { 0 };
	struct pg *c = pg_connect(target, config->name, "status", stop, e);
	bool ok = c && read_all(&r, config, source, c, e);
	if (ok)
		tell_all(model, config->name, &r, gate);
	store_mirror_free(&r.store);
	pg_free(c);
	return ok;
}

/* ---- drop ---- */

/* First what the source has, because the store is what knows of it. */
static bool drop_locked(struct pg *c, const struct mirror_config *config, const struct peer_config *source,
	const struct stop *stop, struct error *e)
{
	bool found;
	struct store_mirror store;
	if (!store_read(c, config->name, &store, &found, e))
		return false;
	bool ok = source_remove(source, config->name, &store.replication, stop, e) && store_drop(c, config->name, e);
	store_mirror_free(&store);
	return ok;
}

bool mirror_drop(const struct mirror_config *config, const struct peer_config *source,
	const struct peer_config *target, const struct stop *stop, struct error *e)
{
	struct pg *c = pg_connect(target, config->name, "supervisor", stop, e);
	bool ok = c != NULL;
	if (ok && store_exists(c, e))
		ok = store_lock(c, config->name, e) && store_end_orphans(c, config->name, "", e) &&
			 drop_locked(c, config, source, stop, e);
	else
		ok = ok && e->class == ERROR_NONE;
	pg_free(c);
	return ok;
}

/* ---- preflight ---- */

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

static void plan_schema(struct preflight *p, const struct mirror_config *m, const struct survey *s)
{
	const struct schema_plan *plan = s->schema;
	plan_steps(p, m->target, &plan->before, "before the rows");
	plan_steps(p, m->target, &plan->after, "when a table's rows are in");
	if (plan->before.count + plan->after.count == 0)
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

static void plan_all(struct preflight *p, const struct mirror_config *m, const struct survey *s)
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
	plan_schema(p, m, s);
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

/* The target's tables that exist have triggers and foreign keys of their own; those that we make have none. */
static bool check_session(struct preflight *p, const struct mirror_config *m, struct pg *target,
	const struct survey *s, struct error *e)
{
	struct ready found = { 0 };
	bool existing = false;
	for (size_t i = 0; i < s->table_count; i++)
		existing = existing || s->tables[i].names.exists;
	bool ok = !existing || ready_target(target, m->continuous, &found, e);
	add_ready(p, &found);
	return ok;
}

static bool check_mirror(struct preflight *p, const struct mirror_config *m, struct pg *target,
	const struct survey *s, struct error *e)
{
	p->mirror = xstrdup(m->name);
	for (size_t i = 0; i < s->finding_count; i++)
		add_finding(p, &s->findings[i].finding);
	plan_all(p, m, s);
	return check_session(p, m, target, s, e);
}

static void check_connections(struct preflight *p, const struct mirror_config *m,
	const struct peer_config *source, const struct stop *stop)
{
	struct ready found = { 0 };
	if (m->continuous)
		ready_connect(source, m->name, stop, &found);
	add_ready(p, &found);
}

struct preflight *mirror_check(const struct mirror_config *config, const struct peer_config *source,
	const struct peer_config *target, const struct stop *stop, struct error *e)
{
	struct preflight *p = NULL;
	struct survey survey = { 0 };
	struct store_mirror known = { 0 };
	bool found = false;
	struct pg *s = pg_connect(source, config->name, "check", stop, e);
	struct pg *t = s ? pg_connect(target, config->name, "check", stop, e) : NULL;
	if (t && store_read(t, config->name, &known, &found, e) &&
		survey_read(s, t, config, found ? &known : NULL, true, &survey, e)) {
		p = preflight_new();
		if (check_mirror(p, config, t, &survey, e)) {
			check_connections(p, config, source, stop);
			if (p->finding_count > 0)
				qsort(p->findings, p->finding_count, sizeof(*p->findings), worst_first);
		} else {
			preflight_release(p);
			p = NULL;
		}
		survey_free(&survey);
	}
	store_mirror_free(&known);
	pg_free(s);
	pg_free(t);
	return p;
}
