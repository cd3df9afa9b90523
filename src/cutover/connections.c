// SPDX-License-Identifier: PostgreSQL
/* A cutover's own two connections. That to the target holds a lock, so that one process at a time is at it; beside
 * the mirror's own lock, which whoever runs the mirror has until the drain. */
#include <stdio.h>

#include "inside.h"

#define ROLE "cutover"

bool connect_source(struct cutover *c, struct error *e)
{
	if (c->source && !pg_lost(c->source) && pg_stop_borrow(c->source) == c->stop)
		return true;
	pg_free(c->source);
	c->source = pg_connect(c->set.source, c->mirror, ROLE, c->stop, e);
	return c->source != NULL;
}

static bool lock_cutover(struct cutover *c, struct error *e)
{
	char name[NAME_SIZE + 16];
	snprintf(name, sizeof(name), "%s/" ROLE, c->mirror);
	return store_lock(c->target, name, e) || error_prefix(e, "its cutover");
}

static bool read_store(struct cutover *c, struct error *e)
{
	bool found;
	store_mirror_free(&c->store);
	if (!store_read(c->target, c->mirror, &c->store, &found, e))
		return false;
	if (found && c->store.table_count > 0)
		return true;
	error_set(e, ERROR_CONFLICT, "the target knows nothing of mirror %s", c->mirror);
	return error_next(e, "run it first: a cutover comes when it has caught up");
}

bool connect_target(struct cutover *c, struct error *e)
{
	if (c->target && !pg_lost(c->target) && pg_stop_borrow(c->target) == c->stop)
		return true;
	pg_free(c->target);
	c->target = pg_connect(c->set.target, c->mirror, ROLE, c->stop, e);
	if (c->target && store_exists(c->target, e) && store_prepare(c->target, e) && lock_cutover(c, e) &&
		read_store(c, e))
		return true;
	if (c->target && e->class == ERROR_NONE) {
		error_set(e, ERROR_CONFLICT, "the target knows nothing of mirror %s", c->mirror);
		error_next(e, "run it first: a cutover comes when it has caught up");
	}
	pg_free(c->target);
	c->target = NULL;
	return false;
}

bool connect_both(struct cutover *c, struct error *e)
{
	return connect_target(c, e) && connect_source(c, e);
}

void disconnect(struct cutover *c)
{
	pg_free(c->source);
	pg_free(c->target);
	c->source = c->target = NULL;
}

struct way_back way_back_of(struct cutover *c)
{
	return (struct way_back){
		.config = &c->back,
		.from_peer = c->set.target,
		.to_peer = c->set.source,
		.from = c->target,
		.to = c->source,
		.stop = c->stop,
	};
}
