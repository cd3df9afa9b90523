// SPDX-License-Identifier: PostgreSQL
#include "finish.h"

#include <stdlib.h>
#include <string.h>

#include "../mirror/mirror.h"
#include "../store/store.h"
#include "fence.h"

/* Tables told by name; of more only how many. */
#define TABLES_TOLD 50

struct finishing {
	const struct finish_settings *s;
	struct pg *source, *target;
	struct store_mirror store; /* what the target has of the first mirror; empty: that is gone already */
	bool found;
	struct strings *remains;
};

static void tell(struct finishing *f, struct pg *c, const char *what, const char *statement)
{
	char *line = xasprintf("on peer %s, %s: %s", pg_peer_name(c), what, statement);
	strings_add(f->remains, line);
	free(line);
}

/* ---- what is left for a person ---- */

static bool tell_fence(struct finishing *f, struct pg *c, const struct mirror_config *m, struct error *e)
{
	struct strings undo = { 0 };
	bool stands = false;
	if (m && !fence_read(c, m->name, &stands, &undo, e))
		return false;
	for (size_t i = 0; i < undo.count; i++)
		tell(f, c, "which is closed to applications and stays so until this is run there", undo.items[i]);
	strings_free(&undo);
	return true;
}

static char *names_of(const struct store_mirror *store, bool targets, bool schemas)
{
	struct strbuf b = STRBUF_INIT;
	const char **names = xmalloc((store->table_count + 1) * sizeof(*names));
	for (size_t i = 0; i < store->table_count; i++) {
		const struct store_table *t = &store->tables[i];
		names[i] = targets ? (schemas ? t->target_schema : t->target_name)
						   : (schemas ? t->source_schema : t->source_name);
	}
	quote_array(&b, store->table_count, names);
	free(names);
	return strbuf_take(&b);
}

/* Who set them is written down nowhere: they may have been FULL before. */
static bool tell_identities(struct finishing *f, struct pg *c, bool targets, struct error *e)
{
	char *schemas = names_of(&f->store, targets, true), *names = names_of(&f->store, targets, false);
	struct rows *r = PG_ROWS(c, e,
		"SELECT pg_catalog.format('ALTER TABLE %I.%I REPLICA IDENTITY DEFAULT', t.s, t.n)"
		" FROM unnest($1::text[], $2::text[]) t (s, n) JOIN pg_catalog.pg_namespace p ON p.nspname = t.s"
		" JOIN pg_catalog.pg_class c ON c.relnamespace = p.oid AND c.relname = t.n AND c.relkind = 'r'"
		" WHERE c.relreplident = 'f' ORDER BY 1", schemas, names);
	free(schemas);
	free(names);
	if (!r)
		return false;
	for (int i = 0; i < rows_count(r) && i < TABLES_TOLD; i++)
		tell(f, c, "if nothing else replicates the table, whose identity is FULL", rows_text(r, i, 0));
	if (rows_count(r) > TABLES_TOLD) {
		char *more = xasprintf("%d more", rows_count(r) - TABLES_TOLD);
		tell(f, c, "tables whose identity is FULL", more);
		free(more);
	}
	rows_free(r);
	return true;
}

/* By pgpier's names, but neither of this mirror nor of its way back: perhaps of other mirrors, perhaps of none. */
static bool tell_slots(struct finishing *f, struct pg *c, const struct mirror_config *own, struct error *e)
{
	char slot[NAME_SIZE] = "", publication[NAME_SIZE] = "";
	if (own) {
		mirror_slot_name(own, slot);
		mirror_publication_name(own, publication);
	}
	struct rows *r = PG_ROWS(c, e,
		"SELECT pg_catalog.format('SELECT pg_drop_replication_slot(%L)', slot_name) FROM pg_catalog.pg_replication_slots"
		" WHERE database = current_database() AND slot_name LIKE 'pgpier\\_%' AND slot_name <> $1"
		" UNION ALL SELECT pg_catalog.format('DROP PUBLICATION %I', pubname) FROM pg_catalog.pg_publication"
		" WHERE pubname LIKE 'pgpier\\_%' AND pubname <> $2", slot, publication);
	for (int i = 0; r && i < rows_count(r); i++)
		tell(f, c, "if no other mirror needs it", rows_text(r, i, 0));
	rows_free(r);
	return r != NULL;
}

static bool read_remains(struct finishing *f, struct error *e)
{
	const struct finish_settings *s = f->s;
	return tell_fence(f, f->source, s->mirror, e) && tell_fence(f, f->target, s->back, e) &&
		   tell_identities(f, f->source, false, e) && tell_identities(f, f->target, true, e) &&
		   tell_slots(f, f->source, s->mirror, e) && tell_slots(f, f->target, s->back, e);
}

/* ---- the end ---- */

static bool forget_fence(struct pg *c, const struct mirror_config *m, struct error *e)
{
	if (!store_exists(c, e))
		return e->class == ERROR_NONE;
	return (!m || fence_forget(c, m->name, e)) && store_leave(c, e);
}

static bool refuse_early(const struct finishing *f, struct error *e)
{
	if (!f->found || f->store.state == MIRROR_CUT_OVER)
		return true;
	error_set(e, ERROR_CONFLICT, "mirror %s is not cut over: its application is on peer %s", f->s->mirror->name,
		f->s->source->name);
	return error_next(e, "pgpier cutover %s comes first; pgpier drop %s removes a mirror", f->s->mirror->name,
		f->s->mirror->name);
}

static bool drop_all(const struct finishing *f, struct error *e)
{
	const struct finish_settings *s = f->s;
	return (!s->back || mirror_drop(s->back, s->target, s->source, s->stop, e)) &&
		   forget_fence(f->source, s->mirror, e) && forget_fence(f->target, s->back, e) &&
		   mirror_drop(s->mirror, s->source, s->target, s->stop, e);
}

static bool connect_both(struct finishing *f, struct error *e)
{
	const struct finish_settings *s = f->s;
	f->source = pg_connect(s->source, s->mirror->name, "status", s->stop, e);
	f->target = f->source ? pg_connect(s->target, s->mirror->name, "status", s->stop, e) : NULL;
	return f->target && store_read(f->target, s->mirror->name, &f->store, &f->found, e);
}

static bool run(const struct finish_settings *s, bool drop, struct strings *remains, struct error *e)
{
	struct finishing f = { .s = s, .remains = remains };
	bool ok = connect_both(&f, e) && read_remains(&f, e) && (!drop || (refuse_early(&f, e) && drop_all(&f, e)));
	store_mirror_free(&f.store);
	pg_free(f.source);
	pg_free(f.target);
	return ok;
}

bool finish_remains(const struct finish_settings *s, struct strings *remains, struct error *e)
{
	return run(s, false, remains, e);
}

bool cutover_finish(const struct finish_settings *s, struct strings *remains, struct error *e)
{
	return run(s, true, remains, e);
}
