// SPDX-License-Identifier: PostgreSQL
#include "fence.h"

#include <string.h>

#include "../store/store.h"

/* The server refuses to write a row of a catalog that somebody else has just written ("tuple concurrently updated",
 * of no better code). The next attempt reads it anew. */
#define CATALOG_WRITTEN "XX000"
#define ATTEMPTS 5
#define ATTEMPT_PAUSE_MS 100
#define UNDEFINED_OBJECT "42704"

/* Nobody else closes or opens meanwhile. */
#define BEGIN_ALONE "BEGIN; LOCK TABLE pgpier.fences IN EXCLUSIVE MODE"

static bool run_alone(struct pg *c, bool (*run)(struct pg *, void *, struct error *), void *data, struct error *e)
{
	for (int left = ATTEMPTS - 1;; left--) {
		bool ok = pg_run(c, e, BEGIN_ALONE) && run(c, data, e) && pg_run(c, e, "COMMIT");
		pg_rollback(c);
		if (ok || left == 0 || strcmp(e->sqlstate, CATALOG_WRITTEN) != 0)
			return ok;
		if (!stop_sleep(pg_stop_borrow(c), ATTEMPT_PAUSE_MS))
			return error_set(e, ERROR_CANCELLED, "stopped");
	}
}

/* ---- reading ---- */

bool fence_read(struct pg *c, const char *mirror, bool *stands, struct strings *undo, struct error *e)
{
	*stands = false;
	*undo = (struct strings){ .count = 0 };
	struct rows *r = PG_ROWS(c, e, "SELECT to_regclass('pgpier.fences') IS NOT NULL");
	bool any = r && rows_bool(r, 0, 0), ok = r != NULL;
	rows_free(r);
	if (!any)
		return ok;
	r = PG_ROWS(c, e, "SELECT u FROM pgpier.fences, unnest(undo || NULL::text) WITH ORDINALITY AS x (u, n)"
		" WHERE mirror = $1 ORDER BY n", mirror);
	if (!r)
		return false;
	/* The NULL behind the last one makes a row of a fence that has nothing to undo. */
	*stands = rows_count(r) > 0;
	for (int i = 0; i < rows_count(r) - 1; i++)
		strings_add(undo, rows_text(r, i, 0));
	rows_free(r);
	return true;
}

/* ---- closing ---- */

/* Two fences would each take the other's closed state for what was there before. */
static bool refuse_second(struct pg *c, const char *mirror, bool *stands, struct error *e)
{
	struct rows *r = PG_ROWS(c, e, "SELECT mirror FROM pgpier.fences ORDER BY mirror = $1 DESC LIMIT 1", mirror);
	if (!r)
		return false;
	bool any = rows_count(r) > 0;
	*stands = any && strcmp(rows_text(r, 0, 0), mirror) == 0;
	if (any && !*stands) {
		error_set(e, ERROR_CONFLICT, "peer %s: mirror %s has a fence around this database", pg_peer_name(c),
			rows_text(r, 0, 0));
		error_next(e, "end or undo the cutover of mirror %s first", rows_text(r, 0, 0));
	}
	rows_free(r);
	return *stands || !any;
}

static bool run_plan(struct pg *c, const char *mirror, const struct fence_plan *plan, struct error *e)
{
	struct strbuf undo = STRBUF_INIT;
	quote_array(&undo, plan->undo.count, (const char *const *)plan->undo.items);
	struct rows *r = PG_ROWS(c, e, "INSERT INTO pgpier.fences (mirror, undo) VALUES ($1, $2)", mirror, undo.text);
	strbuf_free(&undo);
	bool ok = r != NULL;
	rows_free(r);
	for (size_t i = 0; ok && i < plan->close.count; i++)
		ok = pg_run(c, e, plan->close.items[i]);
	return ok;
}

static bool refuse_useless(struct pg *c, const struct fence_plan *plan, struct error *e)
{
	if (plan->close.count > 0)
		return true;
	error_set(e, ERROR_PERMISSION, "peer %s: %s", pg_peer_name(c), plan->notes.items[0]);
	return error_next(e, "connect as the database's owner, or set freeze = \"wait\" and stop the writers yourself");
}

static bool close_it(struct pg *c, void *data, struct error *e)
{
	const struct fence_settings *s = data;
	struct fence_plan plan;
	bool stands;
	if (!refuse_second(c, s->mirror, &stands, e))
		return false;
	if (stands)
		return true;
	if (!fence_plan(c, s, &plan, e))
		return false;
	bool ok = refuse_useless(c, &plan, e) && run_plan(c, s->mirror, &plan, e);
	fence_plan_free(&plan);
	return ok;
}

bool fence_close(struct pg *c, const struct fence_settings *s, struct error *e)
{
	struct fence_settings own = *s;
	return run_alone(c, close_it, &own, e);
}

/* ---- lifting ---- */

struct lifting {
	const char *mirror;
	bool stands;
};

/* A role that is gone by now took with it what it had. */
static bool run_undo(struct pg *c, const char *statement, struct error *e)
{
	if (!pg_run(c, e, "SAVEPOINT one"))
		return false;
	if (pg_run(c, e, statement))
		return pg_run(c, e, "RELEASE SAVEPOINT one");
	return strcmp(e->sqlstate, UNDEFINED_OBJECT) == 0 &&
		   pg_run(c, e, "ROLLBACK TO SAVEPOINT one; RELEASE SAVEPOINT one");
}

static bool forget_it(struct pg *c, const char *mirror, struct error *e)
{
	struct rows *r = PG_ROWS(c, e, "DELETE FROM pgpier.fences WHERE mirror = $1", mirror);
	rows_free(r);
	return r != NULL;
}

static bool lift_it(struct pg *c, void *data, struct error *e)
{
	struct lifting *l = data;
	struct strings undo;
	if (!fence_read(c, l->mirror, &l->stands, &undo, e))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < undo.count; i++)
		ok = run_undo(c, undo.items[i], e);
	strings_free(&undo);
	if (!ok) {
		error_prefix(e, "the database could not be opened again");
		return error_next(e, "as a superuser, run the statements of pgpier.fences in one BEGIN READ WRITE, and delete"
			" its row");
	}
	return forget_it(c, l->mirror, e);
}

bool fence_lift(struct pg *c, const char *mirror, bool *was, struct error *e)
{
	struct strings undo;
	if (!fence_read(c, mirror, was, &undo, e))
		return false;
	strings_free(&undo);
	if (!*was)
		return true;
	struct lifting l = { .mirror = mirror };
	return run_alone(c, lift_it, &l, e);
}

bool fence_forget(struct pg *c, const char *mirror, struct error *e)
{
	struct strings undo;
	bool stands;
	if (!fence_read(c, mirror, &stands, &undo, e))
		return false;
	strings_free(&undo);
	return !stands || forget_it(c, mirror, e);
}
