// SPDX-License-Identifier: PostgreSQL
#include "cutover.h"

#include <string.h>

#include "inside.h"

static enum cutover_phase phase_of(const char *name)
{
	for (int p = 0; p < CUTOVER_PHASE_COUNT; p++)
		if (strcmp(cutover_phase_name((enum cutover_phase)p), name) == 0)
			return (enum cutover_phase)p;
	return CUTOVER_STUCK;
}

static enum cutover_step step_of(const char *name)
{
	for (int s = 0; s < CUTOVER_STEP_COUNT; s++)
		if (strcmp(cutover_step_name((enum cutover_step)s), name) == 0)
			return (enum cutover_step)s;
	return CUTOVER_GATES;
}

void store_cutover_free(struct store_cutover *c)
{
	free(c->error);
	c->error = NULL;
}

bool store_cutover_read(struct pg *target, int64_t mirror_id, struct store_cutover *out, struct error *e)
{
	*out = (struct store_cutover){ .closed_s = -1 };
	char *id = number(mirror_id);
	struct rows *r = PG_ROWS(target, e,
		"SELECT cutover_id, phase, step, (extract(epoch FROM began_at) * 1000000)::int8,"
		" (extract(epoch FROM ended_at) * 1000000)::int8, limit_s, coalesce(closed_s, -1), back, connection, error"
		" FROM pgpier.cutovers WHERE mirror_id = $1 ORDER BY cutover_id DESC LIMIT 1", id);
	free(id);
	if (!r) /* a schema of an earlier version, that nobody has run a mirror in since, has no such table */
		return strcmp(e->sqlstate, "42P01") == 0;
	if (rows_count(r) == 1) {
		out->id = rows_int(r, 0, 0);
		out->phase = phase_of(rows_text(r, 0, 1));
		out->step = step_of(rows_text(r, 0, 2));
		out->began_at = rows_int(r, 0, 3);
		out->ended_at = rows_int(r, 0, 4);
		out->limit_s = (int)rows_int(r, 0, 5);
		out->closed_s = rows_number(r, 0, 6);
		copy_text(out->back, sizeof(out->back), rows_text(r, 0, 7));
		copy_text(out->connection, sizeof(out->connection), rows_text(r, 0, 8));
		out->error = rows_null(r, 0, 9) ? NULL : xstrdup(rows_text(r, 0, 9));
	}
	rows_free(r);
	return true;
}

bool store_cutover_begin(struct pg *target, int64_t mirror_id, int limit_s, const char *back, int64_t *id,
	struct error *e)
{
	char *mirror = number(mirror_id), *limit = number(limit_s);
	struct rows *r = PG_ROWS(target, e,
		"INSERT INTO pgpier.cutovers (mirror_id, phase, step, limit_s, back)"
		" VALUES ($1, 'running', 'checklist', $2, $3) RETURNING cutover_id", mirror, limit, back);
	free(mirror);
	free(limit);
	if (!r)
		return false;
	*id = rows_int(r, 0, 0);
	rows_free(r);
	return true;
}

bool store_cutover_step(struct pg *target, int64_t id, enum cutover_step step, struct error *e)
{
	return RUN_FREEING(target, e, SQL("UPDATE pgpier.cutovers SET step = $2 WHERE cutover_id = $1"), number(id),
		xstrdup(cutover_step_name(step)));
}

bool store_cutover_phase(struct pg *target, int64_t id, enum cutover_phase phase, const struct error *why,
	struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.cutovers SET phase = $2, error = coalesce($3, error),"
			" ended_at = CASE WHEN $2 IN ('undone', 'done') THEN now() END WHERE cutover_id = $1"),
		number(id), xstrdup(cutover_phase_name(phase)), why && why->class ? xstrdup(why->text) : NULL);
}

bool store_cutover_begin_undo(struct pg *target, int64_t id, const struct error *why, struct error *e)
{
	return RUN_FREEING(target, e,
		SQL("UPDATE pgpier.cutovers SET phase = 'undoing', error = $2 WHERE cutover_id = $1 AND phase = 'running'"),
		number(id), xstrdup(why->text));
}

bool store_cutover_commit(struct pg *target, int64_t id, const char *connection, double closed_s, struct error *e)
{
	char *number_ = number(id), *closed = xasprintf("%.3f", closed_s);
	struct rows *r = PG_ROWS(target, e,
		"WITH over AS (UPDATE pgpier.cutovers SET phase = 'committed', connection = $2,"
		"  closed_s = nullif($3::float8, -1) WHERE cutover_id = $1 AND phase = 'running' RETURNING mirror_id)"
		" UPDATE pgpier.mirrors m SET state = 'cut over' FROM over WHERE m.mirror_id = over.mirror_id"
		" RETURNING 1", number_, connection, closed);
	free(number_);
	free(closed);
	if (!r)
		return false;
	bool ours = rows_count(r) == 1;
	rows_free(r);
	if (ours)
		return true;
	error_set(e, ERROR_CONFLICT, "somebody else undoes this cutover");
	return error_next(e, "look at its state, then begin it again");
}
