// SPDX-License-Identifier: PostgreSQL
/* What a mirror keeps back: where its role may not set session_replication_role on the target, foreign keys, triggers
 * and rules would act on every change that is applied, so they wait (mirror/objects_finish.c). Behind the commit no
 * change is applied there any more, and the application needs them: they are made before it comes, foreign keys NOT
 * VALID, so that they hold for whatever is written from then on; rows that are there are looked at while it works
 * already. What a server refuses is told, and holds nothing up: the target is the primary by then. */
#include <stdlib.h>

#include "../mirror/run.h"
#include "../schema/restore.h"
#include "inside.h"

static bool is_kept_back(const struct store_object *o)
{
	return o->wanted && o->state == OBJECT_WAITING && o->text;
}

static bool read_objects(struct cutover *c, struct restore *r, struct error *e)
{
	*r = (struct restore){ .mirror = c->store.id };
	if (!store_objects_read(c->target, c->store.id, &r->settings, &r->objects, &r->count, e))
		return false;
	renamed_tables_of(&c->store, &r->renamed);
	return true;
}

static void free_objects(struct restore *r)
{
	renamed_tables_free(&r->renamed);
	restore_free(r);
}

bool kept_back_count(struct cutover *c, size_t *n, struct error *e)
{
	struct restore r;
	if (!read_objects(c, &r, e))
		return false;
	*n = 0;
	for (size_t i = 0; i < r.count; i++)
		*n += is_kept_back(&r.objects[i]);
	free_objects(&r);
	return true;
}

/* ---- made ---- */

static struct pg *connect_as_maker(struct cutover *c, const struct restore *r, struct error *e)
{
	struct pg *target = pg_connect(c->set.target, c->mirror, "schema", c->stop, e);
	if (target && restore_session(r, target, e))
		return target;
	pg_free(target);
	return NULL;
}

typedef bool choose_function(const struct store_object *o, int version);

static bool is_made_first(const struct store_object *o, int version)
{
	return is_kept_back(o) && !restore_is_slow(o, version);
}

/* The application does not wait for these. */
static bool is_made_last(const struct store_object *o, int version)
{
	return is_kept_back(o) && restore_is_slow(o, version);
}

static bool is_to_be_validated(const struct store_object *o, int version)
{
	(void)version;
	return o->state == OBJECT_MAKING;
}

static size_t list(const struct restore *r, choose_function *choose, int version, size_t *out)
{
	size_t n = 0;
	for (size_t i = 0; i < r->count; i++)
		if (choose(&r->objects[i], version))
			out[n++] = i;
	return n;
}

static void tell_refused(struct cutover *c, const struct store_object *o)
{
	if (o->state == OBJECT_FAILED || o->state == OBJECT_BLOCKED)
		view_remains(c, "%s %s%s%s: %s", o->kind, o->schema, o->schema[0] ? "." : "", o->name, o->text ? o->text : "not made");
}

static bool with_objects(struct cutover *c, bool (*make)(struct cutover *, struct restore *, struct pg *, size_t *,
	struct error *), struct error *e)
{
	struct restore r;
	if (!read_objects(c, &r, e))
		return false;
	size_t *places = xmalloc((r.count + 1) * sizeof(*places));
	struct pg *target = r.count > 0 ? connect_as_maker(c, &r, e) : NULL;
	bool ok = r.count == 0 || (target && make(c, &r, target, places, e));
	if (ok && r.count > 0)
		objects_tell_model(c->set.model, c->mirror, &r);
	pg_free(target);
	free(places);
	free_objects(&r);
	return ok;
}

static bool make_first(struct cutover *c, struct restore *r, struct pg *target, size_t *places, struct error *e)
{
	size_t n = list(r, is_made_first, pg_version(target), places);
	if (n == 0)
		return true;
	view_what(c, "makes %zu foreign keys, triggers and rules that were kept back", n);
	if (!restore_make(r, target, places, n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		tell_refused(c, &r->objects[places[i]]);
	return true;
}

static bool make_last(struct cutover *c, struct restore *r, struct pg *target, size_t *places, struct error *e)
{
	bool ok = true;
	size_t n = list(r, is_to_be_validated, pg_version(target), places);
	for (size_t i = 0; ok && i < n; i++) {
		view_what(c, "looks at the rows of %s", r->objects[places[i]].name);
		ok = restore_validate(r, target, places[i], e);
		if (ok)
			tell_refused(c, &r->objects[places[i]]);
	}
	n = ok ? list(r, is_made_last, pg_version(target), places) : 0;
	for (size_t i = 0; ok && i < n; i++) {
		view_what(c, "makes %s", r->objects[places[i]].name);
		ok = restore_alone(r, target, places[i], e);
		if (ok)
			tell_refused(c, &r->objects[places[i]]);
	}
	return ok;
}

bool kept_back_make(struct cutover *c, struct error *e)
{
	return with_objects(c, make_first, e);
}

bool kept_back_finish(struct cutover *c, struct error *e)
{
	return with_objects(c, make_last, e);
}
