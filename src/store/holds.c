// SPDX-License-Identifier: PostgreSQL
#include "holds.h"

#include <pgpier/format.h>
#include <string.h>

#include "inside.h"

/* "pgph": our advisory locks of holds; the other half is the hold's number. */
#define HOLD_SPACE "1885827176"

static const char *const state_names[] = { "", "asked", "stopped", "placed", "held", "released", "over", "lost",
	"kept" };

static enum hold_state state_of(const char *name)
{
	for (size_t s = 0; s < ARRAY_SIZE(state_names); s++)
		if (strcmp(state_names[s], name) == 0)
			return (enum hold_state)s;
	return HOLD_NONE;
}

void store_hold_free(struct store_hold *h)
{
	free(h->snapshot);
	h->snapshot = NULL;
}

/* What stands in these rows needs no disk. */
bool store_holds_listen(struct pg *target, struct error *e)
{
	return pg_run(target, e, "SET synchronous_commit = off; LISTEN pgpier_holds");
}

/* ---- reading ---- */

#define IS_ALIVE \
	"EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.classid = " HOLD_SPACE "::oid" \
	" AND l.objid = hold_no::oid AND (state <> 'kept' OR asked_at > clock_timestamp() - interval '10 s')" \
	" AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
#define HOLD_COLUMNS "hold_no, state, snapshot, upto, position, stopped_us, why, " IS_ALIVE

static lsn_t lsn_of(const struct rows *r, int column)
{
	lsn_t lsn;
	return lsn_parse(rows_text(r, 0, column), &lsn) ? lsn : 0;
}

static void take(struct store_hold *out, const struct rows *r)
{
	*out = (struct store_hold){ 0 };
	if (rows_count(r) == 0)
		return;
	out->number = rows_int(r, 0, 0);
	out->state = state_of(rows_text(r, 0, 1));
	out->snapshot = rows_null(r, 0, 2) ? NULL : xstrdup(rows_text(r, 0, 2));
	out->upto = lsn_of(r, 3);
	out->position = lsn_of(r, 4);
	out->stopped_us = rows_int(r, 0, 5);
	copy_text(out->why, sizeof(out->why), rows_text(r, 0, 6));
	out->alive = rows_bool(r, 0, 7);
}

bool store_hold_read(struct pg *target, int64_t id, int64_t hold, struct store_hold *out, struct error *e)
{
	char *mirror = number(id), *which = number(hold);
	struct rows *r = PG_ROWS(target, e,
		"SELECT " HOLD_COLUMNS " FROM pgpier.holds WHERE mirror_id = $1 AND hold_no = $2", mirror, which);
	free(mirror);
	free(which);
	if (r)
		take(out, r);
	rows_free(r);
	return r != NULL;
}

bool store_hold_next(struct pg *target, int64_t id, struct store_hold *out, struct error *e)
{
	char *mirror = number(id);
	struct rows *r = PG_ROWS(target, e,
		"SELECT " HOLD_COLUMNS " FROM pgpier.holds WHERE mirror_id = $1 AND state = 'asked' ORDER BY hold_no LIMIT 1",
		mirror);
	free(mirror);
	if (!r)
		return false;
	take(out, r);
	rows_free(r);
	if (out->state == HOLD_NONE || out->alive)
		return true;
	store_hold_free(out);
	return store_hold_forget(target, id, out->number, e) && store_hold_next(target, id, out, e);
}

/* ---- writing ---- */

bool store_hold_ask(struct pg *target, int64_t id, int64_t *hold, struct error *e)
{
	char *mirror = number(id);
	struct rows *r = PG_ROWS(target, e,
		"WITH h AS (INSERT INTO pgpier.holds (mirror_id) VALUES ($1) RETURNING hold_no)"
		" SELECT hold_no, pg_advisory_lock(" HOLD_SPACE ", hold_no::int), pg_notify('pgpier_holds', $1::text) FROM h",
		mirror);
	free(mirror);
	if (!r)
		return false;
	*hold = rows_int(r, 0, 0);
	rows_free(r);
	return true;
}

bool store_hold_place(struct pg *target, int64_t id, int64_t hold, const char *snapshot, const char *upto,
	struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("WITH h AS (UPDATE pgpier.holds SET state = 'placed', snapshot = $3, upto = $4, why = NULL"
			"  WHERE mirror_id = $1 AND hold_no = $2 AND state = 'stopped' RETURNING mirror_id)"
			" SELECT pg_notify('pgpier_holds', mirror_id::text) FROM h"),
		number(id), number(hold), xstrdup(snapshot), xstrdup(upto));
}

bool store_hold_release(struct pg *target, int64_t id, int64_t hold, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("WITH h AS (UPDATE pgpier.holds SET state = 'released'"
			"  WHERE mirror_id = $1 AND hold_no = $2 AND state = 'held' RETURNING mirror_id)"
			" SELECT pg_notify('pgpier_holds', mirror_id::text) FROM h"),
		number(id), number(hold));
}

bool store_hold_keep(struct pg *target, int64_t id, int64_t hold, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("WITH h AS (UPDATE pgpier.holds SET state = 'kept', asked_at = clock_timestamp()"
			"  WHERE mirror_id = $1 AND hold_no = $2 AND state IN ('held', 'kept') RETURNING mirror_id)"
			" SELECT pg_notify('pgpier_holds', mirror_id::text) FROM h"),
		number(id), number(hold));
}

bool store_hold_stands(struct pg *target, int64_t id, int64_t hold, int table, bool *stands, struct error *e)
{
	char *mirror = number(id), *which = number(hold), *of = number(table);
	struct rows *r = PG_ROWS(target, e,
		"SELECT 1 FROM pgpier.holds h JOIN pgpier.mirrors m USING (mirror_id) JOIN pgpier.replication p USING (mirror_id)"
		" WHERE mirror_id = $1 AND hold_no = $2 AND h.state = 'kept' AND p.applied <= h.position"
		" AND m.state <> 'cut over' AND NOT EXISTS (SELECT 1 FROM pgpier.tables t WHERE t.mirror_id = $1"
		"  AND table_no = $3 AND (paused OR NOT done OR held_at IS NOT NULL)) FOR SHARE OF h", mirror, which, of);
	free(mirror);
	free(which);
	free(of);
	*stands = r && rows_count(r) == 1;
	rows_free(r);
	return r != NULL;
}

bool store_hold_forget(struct pg *target, int64_t id, int64_t hold, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("WITH h AS (DELETE FROM pgpier.holds WHERE mirror_id = $1 AND hold_no = $2 RETURNING hold_no)"
			" SELECT pg_notify('pgpier_holds', $1::text) FROM h"),
		number(id), number(hold)) &&
		RUN_FREEING(target, e,
			SQL("SELECT pg_advisory_unlock(" HOLD_SPACE ", $1::int) WHERE EXISTS (SELECT 1 FROM pg_locks WHERE"
				" locktype = 'advisory' AND pid = pg_backend_pid() AND classid = " HOLD_SPACE "::oid"
				" AND objid = $1::int::oid)"),
			number(hold));
}

bool store_hold_answer(struct pg *target, int64_t id, const struct store_hold *h, struct error *e)
{
	char position[FORMAT_SIZE];
	return RUN_FREEING(target, e,
		SQL("WITH h AS (UPDATE pgpier.holds SET state = $3, position = $4, stopped_us = $5, why = nullif($6, '')"
			"  WHERE mirror_id = $1 AND hold_no = $2 AND state <> 'over' AND state <> 'lost' RETURNING mirror_id)"
			" SELECT pg_notify('pgpier_holds', mirror_id::text) FROM h"),
		number(id), number(h->number), xstrdup(state_names[h->state]), xstrdup(format_lsn(h->position, position)),
		number(h->stopped_us), xstrdup(h->why));
}

bool store_holds_lost(struct pg *target, int64_t id, struct error *e)
{
	return RUN_FREEING(target, e, SQL("DELETE FROM pgpier.holds WHERE mirror_id = $1 AND NOT " IS_ALIVE), number(id)) &&
		   RUN_FREEING(target, e,
			   SQL("WITH h AS (UPDATE pgpier.holds SET state = 'lost', why = 'the stream was opened anew'"
				   "  WHERE mirror_id = $1 AND state IN ('stopped', 'placed', 'held', 'kept', 'released')"
				   "  RETURNING mirror_id)"
				   " SELECT pg_notify('pgpier_holds', mirror_id::text) FROM h LIMIT 1"),
			   number(id));
}
