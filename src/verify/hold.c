// SPDX-License-Identifier: PostgreSQL
/* Replication that stands at the position of a verification until a repair is through.
 *
 * It can be lost at any moment: whoever runs the mirror may be killed, and another one begins, who knows nothing of
 * it and applies what comes next. A repair that brought rows as of W then would undo what was applied since. Why it
 * can't:
 *  - Whoever applies writes how far he is in the transaction that brings the rows (../replicate/writer.h), and it
 *    never goes back.
 *  - A repair locks the table against all other writers first. What others have changed of it is committed by then,
 *    or undone; nobody changes it until the repair's own COMMIT.
 *  - Before that it looks how far the mirror is, in a snapshot that is younger than the lock. Behind W: whatever was
 *    applied to the table since is among what this sees, and the repair is undone. Not behind W: nothing was, and
 *    what comes next finds the table as it is on the source at W.
 *  - A table that leaves the others meanwhile, because it is copied anew, is seen in the store, and is another file. One
 *    that has been altered, because the source's was, has other columns than in the snapshot.
 * So a hold that was lost costs a repair, and never a row. Its row on the target is looked at as well: one that
 * is gone is no hold, whether anything was applied or not. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../store/holds.h"
#include "inside.h"

#define ASK_AGAIN_MS 2000

struct verify_hold {
	struct pg *control; /* has the lock that tells that we live; the thread's own until it ends */
	pthread_t thread;
	struct stop *ended;
	int64_t mirror, number;
	int64_t stopped_us, since; /* replication stood until then */
};

/* Whoever applies need not wait for a process that sleeps. */
static void *hold_main(void *arg)
{
	struct verify_hold *h = arg;
	struct error ignored;
	while (stop_sleep(h->ended, ASK_AGAIN_MS) && store_hold_keep(h->control, h->mirror, h->number, &ignored))
		;
	return NULL;
}

struct verify_hold *hold_new(struct pg *control_take, int64_t mirror, int64_t number, int64_t stopped_us)
{
	struct verify_hold *h = xcalloc(1, sizeof(*h));
	*h = (struct verify_hold){ .control = control_take, .mirror = mirror, .number = number, .stopped_us = stopped_us,
		.since = clock_us(), .ended = stop_new(NULL) };
	if (pthread_create(&h->thread, NULL, hold_main, h) != 0)
		abort();
	return h;
}

/* Caller frees. */
static char *read_columns(struct pg *c, const struct compared *t, struct error *e)
{
	char *oid = xasprintf("%lld", (long long)t->side[TARGET].oid);
	struct rows *r = PG_ROWS(c, e,
		"SELECT string_agg(attnum || ' ' || atttypid || ' ' || attname, ',' ORDER BY attnum)"
		" FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped", oid);
	char *columns = r ? xstrdup(rows_text(r, 0, 0)) : NULL;
	rows_free(r);
	free(oid);
	return columns;
}

static bool check_columns(const struct verify_run *r, struct pg *c, const struct compared *t, struct error *e)
{
	char *then = read_columns(snapshot_connection(r->snapshot[TARGET]), t, e);
	char *now = then ? read_columns(c, t, e) : NULL;
	bool ok = now && (strcmp(then, now) == 0 ||
					  error_set(e, ERROR_CONFLICT, "it was altered on the target while it was being verified"));
	free(then);
	free(now);
	return ok;
}

bool hold_lock_table(const struct verify_run *r, struct pg *c, const struct compared *t, struct error *e)
{
	return !r->hold || (pg_runf(c, e, "LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE", t->side[TARGET].from) &&
						   check_file(c, t, TARGET, e) && check_columns(r, c, t, e));
}

bool hold_check(const struct verify_run *r, struct pg *c, const struct compared *t, struct error *e)
{
	const struct verify_hold *h = r->hold;
	bool stands = true;
	if (h && !store_hold_stands(c, h->mirror, h->number, t->names->number, &stands, e))
		return false;
	if (stands)
		return true;
	error_set(e, ERROR_CONFLICT, "replication went on before the repair was through");
	return error_next(e, "try again");
}

void verify_let_go(struct verify_moments *m)
{
	struct error ignored;
	struct verify_hold *h = m->hold;
	if (!h)
		return;
	m->hold = NULL;
	stop_raise(h->ended);
	pthread_join(h->thread, NULL);
	stop_free(h->ended);
	m->stopped_s += (double)(h->stopped_us + clock_us() - h->since) / 1e6;
	if (!pg_lost(h->control) && !store_hold_forget(h->control, h->mirror, h->number, &ignored))
		pg_rollback(h->control); /* its lock goes with the session, and the hold with the lock */
	pg_free(h->control);
	free(h);
}
