// SPDX-License-Identifier: PostgreSQL
#include <stdlib.h>

#include "../load/pipe.h"
#include "evolve.h"

/* The key's and the others. renamed NULL: as the source calls them. */
static void add_names(struct strbuf *b, const struct evolve_fill *f, const struct renames *renamed)
{
	for (size_t i = 0; i < f->key->count + f->count; i++) {
		strbuf_add(b, i ? ", " : "");
		quote_name(b, renames_target(renamed,
			i < f->key->count ? f->key->items[i] : f->columns[i - f->key->count]));
	}
}

static void add_pairs(struct strbuf *b, const struct evolve_fill *f, const char *const *names, size_t n,
	const char *left, const char *between)
{
	for (size_t i = 0; i < n; i++) {
		const char *name = renames_target(f->renamed, names[i]);
		strbuf_addf(b, "%s%s", i ? between : "", left);
		quote_name(b, name);
		strbuf_add(b, " = f.");
		quote_name(b, name);
	}
}

/* Without statistics the planner takes a filled temporary table for a small one. */
static bool update(const struct evolve *v, const struct evolve_fill *f, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_addf(&sql, "ANALYZE pg_temp.pgpier_fill; UPDATE ONLY %s AS t SET ", f->target);
	add_pairs(&sql, f, f->columns, f->count, "", ", ");
	strbuf_add(&sql, " FROM pg_temp.pgpier_fill f WHERE ");
	add_pairs(&sql, f, (const char *const *)f->key->items, f->key->count, "t.", " AND ");
	strbuf_add(&sql, "; DROP TABLE pg_temp.pgpier_fill");
	bool ok = pg_run(v->target, e, sql.text);
	strbuf_free(&sql);
	return ok;
}

static bool copy(const struct evolve *v, const char *source_sql, const char *target_sql, int64_t *rows,
	struct error *e)
{
	struct throttle *none = throttle_new();
	struct progress progress = { 0 };
	struct pipe_result result = { 0 };
	const struct pipe p = { .source = v->source, .target = v->target, .source_sql = source_sql,
		.target_sql = target_sql, .throttle = none, .progress = &progress };
	bool ok = pipe_copy(&p, &result, e);
	*rows = result.rows;
	throttle_free(none);
	return ok;
}

bool evolve_fill(const struct evolve *v, const struct evolve_fill *f, int64_t *rows, struct error *e)
{
	struct strbuf from = STRBUF_INIT, to = STRBUF_INIT;
	strbuf_add(&from, "COPY (SELECT ");
	add_names(&from, f, NULL);
	strbuf_addf(&from, " FROM ONLY %s) TO STDOUT", f->source);
	strbuf_add(&to, "CREATE TEMPORARY TABLE pgpier_fill AS SELECT ");
	add_names(&to, f, f->renamed);
	strbuf_addf(&to, " FROM ONLY %s WITH NO DATA; COPY pg_temp.pgpier_fill FROM STDIN", f->target);
	bool ok = copy(v, from.text, to.text, rows, e) && update(v, f, e);
	strbuf_free(&from);
	strbuf_free(&to);
	return ok;
}
