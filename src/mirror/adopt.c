// SPDX-License-Identifier: PostgreSQL
/* Tables that join or leave a mirror that replicates.
 *
 * A table that joins is published first and held at once. Then whoever loads it waits for all transactions that
 * write at that moment: what they wrote before the table was published is not in the stream, but in every
 * snapshot that is taken after their end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../replicate/publication.h"
#include "run.h"

static struct publication_table published(const char *schema, const char *name, bool parent)
{
	return (struct publication_table){ schema, name, parent };
}

/* ---- leaving ---- */

static bool leave(struct run *r, struct pg *source, struct pg *control, size_t i, struct error *e)
{
	const struct store_table *t = &r->store.tables[i];
	const struct publication_table p = published(t->source_schema, t->source_name, t->parent);
	if (!publication_remove(source, r->store.replication.publication, &p, 1, e) ||
		!store_table_remove(control, r->id, (int)i + 1, e))
		return false;
	run_say(r, EVENT_INFO, NULL, "table %s.%s left the mirror; its rows on the target stay", t->source_schema,
		t->source_name);
	return true;
}

static bool let_leave(struct run *r, struct pg *source, struct pg *control, struct error *e)
{
	bool ok = true;
	for (size_t i = r->store.table_count; ok && i-- > 0;) /* from the end, so that numbers hold */
		if (!survey_still_chosen(&r->config, &r->store, i))
			ok = leave(r, source, control, i, e);
	return ok;
}

/* ---- joining ---- */

/* The first thing in the way of one new table; those of the others are not its business. */
static bool is_blocked(const struct survey *s, size_t table, struct error *e)
{
	for (size_t i = 0; i < s->finding_count; i++) {
		const struct survey_finding *f = &s->findings[i];
		if (f->table != table || f->finding.severity != SEVERITY_BLOCKER)
			continue;
		error_set(e, ERROR_CONFLICT, "%s", f->finding.text);
		error_next(e, "%s", f->finding.next ? f->finding.next : "");
		return true;
	}
	return false;
}

static bool join(struct run *r, struct pg *source, struct pg *control, const struct survey_table *t, struct error *e)
{
	struct store_table row = { 0 };
	size_t after = r->store.table_count;
	const struct publication_table p = published(t->names.source_schema, t->names.source_name, t->parent);
	setup_store_table(r, t, &row);
	bool ok = publication_add(source, r->store.replication.publication, &p, 1, e) && pg_run(control, e, "BEGIN") &&
			  store_add_tables(control, r->id, &row, 1, after, e) &&
			  (t->parent || store_table_hold(control, r->id, (int)after + 1, NULL, e)) &&
			  pg_run(control, e, "COMMIT");
	if (!ok) {
		pg_rollback(control);
		return false;
	}
	r->store.table_count++; /* read anew by the caller */
	run_say(r, EVENT_INFO, NULL, "table %s.%s joins the mirror", t->names.source_schema, t->names.source_name);
	return true;
}

static void forget_ignored(struct run *r, const struct schema_table *t)
{
	char name[2 * NAME_SIZE];
	snprintf(name, sizeof(name), "%s.%s", t->source_schema, t->source_name);
	for (size_t i = 0; i < r->ignored.count; i++) {
		if (strcmp(r->ignored.items[i], name) != 0)
			continue;
		free(r->ignored.items[i]);
		r->ignored.items[i--] = r->ignored.items[--r->ignored.count];
	}
}

static bool let_join(struct run *r, struct pg *source, struct pg *control, struct error *e)
{
	struct survey s;
	size_t known = r->store.table_count;
	bool ok = survey_read(source, control, &r->config, &r->store, true, &s, e);
	for (size_t i = 0; ok && i < s.unclaimed.count; i++)
		run_say(r, EVENT_WARNING, NULL,
			"table %s is new on the source and not in the mirror: choose the tables anew to take it",
			s.unclaimed.items[i]);
	for (size_t i = known; ok && i < s.table_count; i++) {
		const struct survey_table *t = &s.tables[i];
		struct error why = { 0 };
		if (is_blocked(&s, i, &why)) {
			run_say(r, EVENT_ERROR, &why, "table %s.%s can't join the mirror", t->names.source_schema,
				t->names.source_name);
			continue;
		}
		ok = join(r, source, control, t, e);
		forget_ignored(r, &t->names);
	}
	r->store.table_count = known;
	if (ok || s.tables)
		survey_free(&s);
	return ok;
}

/* ---- both ---- */

bool adopt_tables(struct run *r, struct pg *control, struct error *e)
{
	char *selection = survey_selection(&r->config);
	struct pg *source = pg_connect(&r->source, r->mirror, "setup", r->stop, e);
	bool ok = source && run_read_store(r, control, e);
	bool changed = ok && strcmp(selection, r->store.selection) != 0;
	if (changed)
		ok = let_leave(r, source, control, e) && run_read_store(r, control, e);
	ok = ok && let_join(r, source, control, e) && store_selection(control, r->id, selection, e) &&
		 run_read_store(r, control, e);
	pg_free(source);
	free(selection);
	return ok;
}
