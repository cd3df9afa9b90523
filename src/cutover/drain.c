// SPDX-License-Identifier: PostgreSQL
/* To the last change: a marker in the source's log, behind which nobody writes any more; when the target has all
 * before it, the stream ends. Then what no stream brings: the sequences. */
#include <pgpier/format.h>
#include <stdlib.h>

#include "../lsn.h"
#include "inside.h"

#define LOOK_EVERY_MS 2
#define SAY_EVERY_US 200000

/* ---- the marker ---- */

/* In a transaction of its own, so that a server of 14 and later passes it on at once. */
static bool mark(struct cutover *c, lsn_t *marker, struct error *e)
{
	struct rows *r = PG_ROWS(c->source, e, "SELECT pg_catalog.pg_logical_emit_message(true, 'pgpier', 'cutover')");
	if (!r)
		return false;
	bool ok = lsn_parse(rows_text(r, 0, 0), marker);
	rows_free(r);
	return ok || error_set(e, ERROR_BUG, "peer %s: no position came for a marker", c->set.source->name);
}

static bool wait_for_marker(struct cutover *c, lsn_t marker, struct error *e)
{
	const struct cutover_services *s = c->set.services;
	char left[FORMAT_SIZE], at[FORMAT_SIZE];
	int64_t said = 0;
	lsn_t applied;
	while ((applied = s->applied(s->arg, c->mirror)) < marker) {
		if (model_mirror_state_get(c->set.model, c->mirror) == MIRROR_FAILED) {
			error_set(e, ERROR_CONFLICT, "the mirror has failed");
			return error_next(e, "its own error says why");
		}
		if (clock_us() - said > SAY_EVERY_US) {
			said = clock_us();
			if (applied)
				view_what(c, "%s to go", format_bytes((int64_t)(marker - applied), left));
			else
				view_what(c, "waits for the stream");
		}
		if (!stop_sleep(c->stop, LOOK_EVERY_MS))
			return error_set(e, ERROR_CANCELLED, "stopped");
	}
	view_what(c, "the target has everything before %s", format_lsn(marker, at));
	return true;
}

/* ---- drain ---- */

bool drain_run(struct cutover *c, struct error *e)
{
	const struct cutover_services *s = c->set.services;
	if (!s->run(s->arg, c->mirror, e) || !mark(c, &c->marker, e) || !wait_for_marker(c, c->marker, e))
		return false;
	c->ended_stream = true;
	s->end(s->arg, c->mirror);
	/* Nobody begins it again until we are through: this process holds the mirror now. */
	return store_lock(c->target, c->mirror, e);
}

bool drain_undo(struct cutover *c, struct error *e)
{
	const struct cutover_services *s = c->set.services;
	if (!c->ended_stream)
		return true;
	/* An undo has connections of its own: the mirror's lock went with the one that had it. */
	if (!s->run(s->arg, c->mirror, e))
		return false;
	c->ended_stream = false;
	return true;
}

bool drain_rehearse(struct cutover *c, struct error *e)
{
	lsn_t marker;
	return mark(c, &marker, e) && wait_for_marker(c, marker, e);
}

/* ---- sequences ---- */

static bool read_values(struct cutover *c, struct schema_steps *values, struct error *e)
{
	struct mirror_config m = *c->set.config;
	if (c->set.first) /* the way back has no schema mode of its own */
		m.schema = c->set.first->schema;
	struct schema_table *names = survey_names(&c->survey);
	bool ok = schema_values(c->source, c->target, &m, names, c->survey.table_count, values, e);
	free(names);
	return ok;
}

static bool set_values(struct cutover *c, const struct schema_steps *values, struct error *e)
{
	struct strbuf sql = STRBUF_INIT;
	strbuf_add(&sql, "BEGIN;");
	for (size_t i = 0; i < values->count; i++)
		strbuf_addf(&sql, "%s;", values->items[i].sql);
	strbuf_add(&sql, "COMMIT");
	bool ok = pg_run(c->target, e, sql.text);
	strbuf_free(&sql);
	if (!ok)
		pg_rollback(c->target);
	return ok;
}

bool sequences_set(struct cutover *c, struct error *e)
{
	struct schema_steps values = { 0 };
	bool ok = read_values(c, &values, e);
	if (ok && values.unread.count > 0) {
		error_set(e, ERROR_PERMISSION, "sequence %s of the source can't be read", values.unread.items[0]);
		ok = error_next(e, "grant SELECT on it to the source peer's role");
	}
	ok = ok && set_values(c, &values, e);
	if (ok)
		view_what(c, "%zu value%s set", values.count, values.count == 1 ? "" : "s");
	schema_steps_free(&values);
	return ok;
}

bool sequences_rehearse(struct cutover *c, struct error *e)
{
	struct schema_steps values = { 0 };
	bool ok = survey_once(c, e) && read_values(c, &values, e);
	if (ok)
		view_what(c, "%zu value%s would be set", values.count, values.count == 1 ? "" : "s");
	schema_steps_free(&values);
	return ok;
}
