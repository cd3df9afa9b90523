// SPDX-License-Identifier: PostgreSQL
/* Making the way back and taking it away. The store comes first, as for any mirror (src/mirror/source.c): whatever
 * exists by the names that it holds is ours, whoever was killed where. */
#include "way_back.h"

#include <stdlib.h>
#include <string.h>

#include "../mirror/survey.h"
#include "../replicate/publication.h"
#include "../replicate/slot.h"
#include "../replicate/source_side.h"
#include "../store/arm.h"

/* ---- what stands where ---- */

static bool is_streaming(const struct store_mirror *s)
{
	return s->state != MIRROR_CUT_OVER && s->replication.applied > s->replication.consistent;
}

/* What the store on "to" says of the mirror. One that has brought changes is nobody's to make anew. */
static bool read_armed(const struct way_back *w, struct store_mirror *out, bool *found, struct error *e)
{
	if (!store_read(w->to, w->config->name, out, found, e))
		return false;
	if (!*found || !is_streaming(out))
		return true;
	store_mirror_free(out);
	error_set(e, ERROR_CONFLICT, "mirror %s follows peer %s already", w->config->name, w->from_peer->name);
	return error_next(e, "see its status; drop it if nobody needs it");
}

static void names_of(const struct way_back *w, struct store_replication *p)
{
	*p = (struct store_replication){ 0 };
	mirror_slot_name(w->config, p->slot);
	mirror_publication_name(w->config, p->publication);
}

static bool is_intended(const struct store_mirror *s, const struct store_replication *p)
{
	return strcmp(s->replication.slot, p->slot) == 0 && strcmp(s->replication.publication, p->publication) == 0;
}

/* ---- before the freeze ---- */

/* The tables of the mirror that is cut over, seen from its target. Free the array and its renames. */
static struct store_table *turn_round(const struct store_mirror *store)
{
	struct store_table *tables = xcalloc(store->table_count + 1, sizeof(*tables));
	for (size_t i = 0; i < store->table_count; i++) {
		const struct store_table *t = &store->tables[i];
		struct store_table *b = &tables[i];
		copy_text(b->source_schema, NAME_SIZE, t->target_schema);
		copy_text(b->source_name, NAME_SIZE, t->target_name);
		copy_text(b->target_schema, NAME_SIZE, t->source_schema);
		copy_text(b->target_name, NAME_SIZE, t->source_name);
		b->parent = t->parent;
		b->rows_estimate = t->rows;
		b->bytes_estimate = t->bytes;
		for (size_t c = 0; c < t->renamed.count; c++)
			renames_add(&b->renamed, t->renamed.items[c].target, t->renamed.items[c].source);
	}
	return tables;
}

static void tables_drop(struct store_table *tables, size_t n)
{
	for (size_t i = 0; i < n; i++)
		renames_free(&tables[i].renamed);
	free(tables);
}

static bool write_intent(const struct way_back *w, const struct store_replication *p, int64_t *id, struct error *e)
{
	char *selection = survey_selection(w->config);
	bool ok = pg_run(w->to, e, "BEGIN") &&
			  (*id || store_create(w->to, w->config->name, w->config->source, id, e)) &&
			  store_arm_intent(w->to, *id, p->slot, p->publication, selection, e) && pg_run(w->to, e, "COMMIT");
	free(selection);
	if (!ok)
		pg_rollback(w->to);
	return ok;
}

/* Whatever one of an earlier attempt holds: nobody reads it. */
static bool publish(const struct way_back *w, const char *name, const struct store_table *tables, size_t n,
	struct error *e)
{
	struct publication_table *all = xmalloc((n + 1) * sizeof(*all));
	for (size_t i = 0; i < n; i++)
		all[i] = (struct publication_table){ tables[i].source_schema, tables[i].source_name, tables[i].parent };
	bool ok = publication_drop(w->from, name, e) && publication_create(w->from, name, true, all, n, e);
	free(all);
	return ok;
}

/* A publication on a table without a replica identity would make the mirror that runs now fail, too. */
static bool refuse_blocked(const struct way_back *w, struct error *e)
{
	struct strings blocking = { 0 }, notes = { 0 };
	bool ok = way_back_check(w, &blocking, &notes, e);
	if (ok && blocking.count > 0)
		ok = error_set(e, ERROR_CONFLICT, "%s%s", blocking.items[0], blocking.count > 1 ? " (and more)" : "");
	strings_free(&blocking);
	strings_free(&notes);
	return ok;
}

static bool prepare(const struct way_back *w, struct store_mirror *armed, const struct store_mirror *store,
	struct error *e)
{
	struct store_replication p;
	names_of(w, &p);
	if (!(armed->id && is_intended(armed, &p)) && !source_side_is_vacant(w->from, &p, e))
		return false;
	struct store_table *tables = turn_round(store);
	bool ok = write_intent(w, &p, &armed->id, e) &&
			  store_arm_tables(w->to, armed->id, armed, tables, store->table_count, e) &&
			  publish(w, p.publication, tables, store->table_count, e);
	tables_drop(tables, store->table_count);
	return ok;
}

bool way_back_prepare(const struct way_back *w, const struct store_mirror *store, struct error *e)
{
	struct store_mirror armed = { 0 };
	bool found;
	if (!refuse_blocked(w, e) || !store_prepare(w->to, e) || !read_armed(w, &armed, &found, e))
		return false;
	bool ok = prepare(w, &armed, store, e);
	store_mirror_free(&armed);
	return ok;
}

/* ---- inside of the freeze ---- */

static bool make_slot(const struct way_back *w, const char *name, lsn_t *consistent, struct error *e)
{
	struct slot_made made;
	struct pg *c = pg_connect_replication(w->from_peer, w->config->name, "slot", w->stop, e);
	bool ok = c && slot_drop(w->from, w->config->name, name, e) && slot_create(c, name, false, &made, e);
	pg_free(c);
	if (ok)
		*consistent = made.consistent;
	return ok;
}

/* Nobody writes to "from", so what is seen now is what the slot's own snapshot sees. */
static bool look(struct pg *from, struct store_snapshot *out, struct error *e)
{
	struct rows *r = PG_ROWS(from, e,
		"SELECT txid_current_snapshot(), (extract(epoch FROM clock_timestamp()) * 1000000)::int8,"
		" pg_current_wal_lsn()");
	if (!r)
		return false;
	*out = (struct store_snapshot){ 1, rows_int(r, 0, 1), xstrdup(rows_text(r, 0, 0)), 0 };
	bool ok = lsn_parse(rows_text(r, 0, 2), &out->lsn) || error_set(e, ERROR_BUG, "the server names no position");
	rows_free(r);
	return ok;
}

bool way_back_begin(const struct way_back *w, struct error *e)
{
	struct store_mirror armed;
	struct store_snapshot first = { 0 };
	lsn_t consistent = 0;
	bool found;
	if (!read_armed(w, &armed, &found, e))
		return false;
	bool ok = found && armed.replication.slot[0];
	if (!ok)
		error_set(e, ERROR_CONFLICT, "mirror %s is not prepared on peer %s", w->config->name, w->to_peer->name);
	ok = ok && make_slot(w, armed.replication.slot, &consistent, e) && look(w->from, &first, e) &&
		 store_arm(w->to, armed.id, consistent, &first, e);
	free(first.visible);
	store_mirror_free(&armed);
	return ok;
}

/* ---- and back ---- */

static bool forget(const struct way_back *w, const struct store_mirror *armed, struct error *e)
{
	bool was;
	if (!store_was_cut_over(w->to, armed->id, &was, e))
		return false;
	if (!was)
		return store_drop(w->to, w->config->name, e);
	return store_disarm(w->to, armed->id, e); /* it is cut over, as it was */
}

bool way_back_undo(const struct way_back *w, struct error *e)
{
	struct store_mirror armed;
	bool found;
	if (!store_exists(w->to, e))
		return e->class == ERROR_NONE || e->class == ERROR_CONFLICT; /* a schema that is not ours: nothing is */
	if (!read_armed(w, &armed, &found, e))
		return false;
	bool ok = found ? source_side_remove(w->from_peer, w->config->name, &armed.replication, w->stop, e) &&
						  forget(w, &armed, e)
					: store_leave(w->to, e);
	store_mirror_free(&armed);
	return ok;
}

bool way_back_disarm(const struct mirror_config *config, const struct peer_config *source, struct pg *target,
	const struct stop *stop, struct error *e)
{
	struct store_mirror armed;
	bool found;
	if (!store_read(target, config->name, &armed, &found, e))
		return false;
	bool ok = !found || (source_side_remove(source, config->name, &armed.replication, stop, e) &&
							store_disarm(target, armed.id, e));
	store_mirror_free(&armed);
	return ok;
}
