// SPDX-License-Identifier: PostgreSQL
/* The supervisor's own connection to the target: it holds the mirror's lock. */
#include "run.h"

struct pg *control_connect(struct run *r, struct error *e)
{
	struct pg *c = pg_connect(&r->target, r->mirror, "supervisor", r->stop, e);
	if (c && store_prepare(c, e) && store_lock(c, r->mirror, e) && store_end_orphans(c, r->mirror, "", e))
		return c;
	pg_free(c);
	return NULL;
}

bool control_was_lost(const struct run *r, struct error *e)
{
	error_set(e, ERROR_CONNECTION, "peer %s: the connection that holds the mirror was lost", r->target.name);
	return error_next(e, "it goes on by itself when the server answers; what is done stays");
}

bool control_is_alive(struct run *r, struct pg *control, struct error *e)
{
	if ((!pg_lost(control) && pg_run(control, e, "SELECT 1")) || stop_raised(r->stop))
		return true;
	return control_was_lost(r, e);
}

/* The lock went with its connection; the apply side has one of its own. */
bool control_keep(struct run *r, struct pg **control, struct error *e)
{
	struct error ignored;
	if (!pg_lost(*control) && pg_run(*control, &ignored, "SELECT 1"))
		return true;
	if (stop_raised(r->stop))
		return true;
	struct pg *fresh = pg_connect(&r->target, r->mirror, "supervisor", r->stop, e);
	if (!fresh)
		return e->class == ERROR_CONNECTION; /* the workers' own tries say when it is too long */
	if (!store_lock(fresh, r->mirror, e)) {
		bool again = e->class == ERROR_CONNECTION;
		pg_free(fresh);
		return again;
	}
	pg_free(*control);
	*control = fresh;
	return true;
}
