// SPDX-License-Identifier: PostgreSQL
/* Definitions that change, for a run: with its connections, its store and its events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evolve.h"
#include "run.h"

#define PG_PUBLISHES_PARTITIONS 130000

static struct evolve evolve_of(const struct run *r, struct pg *source, struct pg *control)
{
	return (struct evolve){ .source = source, .target = control, .config = &r->config, .id = r->id };
}

/* Kept from one look to the next. */
static struct pg *definitions(struct run *r, struct error *e)
{
	if (r->definitions && !pg_lost(r->definitions))
		return r->definitions;
	pg_free(r->definitions);
	r->definitions = pg_connect(&r->source, r->mirror, "definitions", r->stop, e);
	return r->definitions;
}

static void tell(const struct run *r, const struct strings *done)
{
	for (size_t i = 0; i < done->count; i++)
		run_say(r, EVENT_INFO, NULL, "%s", done->items[i]);
}

/* ---- what is known ---- */

bool evolving_describe(struct run *r, struct pg *source, struct pg *control, struct error *e)
{
	size_t n = 0;
	int64_t *oids = xmalloc((r->table_count + 1) * sizeof(*oids));
	int *numbers = xmalloc((r->table_count + 1) * sizeof(*numbers));
	for (size_t i = 0; i < r->table_count; i++) {
		bool known = i < r->store.table_count && r->store.tables[i].columns;
		if (known || r->tables[i].missing || r->tables[i].parent)
			continue;
		oids[n] = r->tables[i].info.oid;
		numbers[n++] = (int)i + 1;
	}
	char **texts = xcalloc(n + 1, sizeof(*texts));
	bool ok = n == 0 || (evolve_describe(source, oids, n, texts, e) &&
							store_tables_columns(control, r->id, n, numbers, (const char *const *)texts, e));
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
	free(oids);
	free(numbers);
	return ok;
}

/* ---- what has changed ---- */

bool evolving_follow(struct run *r, struct pg *control, size_t table, const struct ddl_relation *now, lsn_t final,
	struct evolve_result *out, struct error *e)
{
	struct ddl_relation before = { 0 };
	const struct store_table *t = &r->store.tables[table];
	bool known = t->columns && ddl_parse(&before, t->columns);
	struct pg *source = definitions(r, e);
	const struct evolve v = evolve_of(r, source, control);
	bool ok = source && evolve_relation(&v, t, known ? &before : NULL, now, final, out, e);
	if (ok)
		tell(r, &out->done);
	if (ok && out->end != EVOLVE_DIFFERS)
		ok = store_table_columns(control, r->id, (int)table + 1, out->description, e);
	if (known)
		ddl_free(&before);
	return ok;
}

bool evolving_mend(struct run *r, struct pg *control, size_t table, const struct error *why,
	struct evolve_result *out, struct error *e)
{
	struct pg *source = definitions(r, e);
	const struct evolve v = evolve_of(r, source, control);
	bool ok = source && evolve_mend(&v, &r->store.tables[table], why, out, e);
	if (ok)
		tell(r, &out->done);
	return ok;
}

/* ---- what had to wait ---- */

static void look_for_partitions(struct run *r, const struct evolve *v)
{
	struct error ignored;
	struct strings names = { 0 };
	if (pg_version(v->source) < PG_PUBLISHES_PARTITIONS &&
		evolve_new_partitions(v, &r->store, &names, &ignored) && names.count > 0)
		r->reload_at_us = clock_us();
	strings_free(&names);
}

/* Nothing here is urgent: what fails is tried again at the next time. */
void evolving_settle(struct run *r, struct pg *control)
{
	struct error ignored;
	struct strings done = { 0 };
	struct pg *source = definitions(r, &ignored);
	const struct evolve v = evolve_of(r, source, control);
	if (source && evolve_settle(&v, &r->store, &done, &ignored))
		tell(r, &done);
	else
		pg_rollback(control);
	pg_rollback(source);
	if (source)
		look_for_partitions(r, &v);
	strings_free(&done);
}
