// SPDX-License-Identifier: PostgreSQL
/* Commands about the roles of a mirror's servers. */
#include <stdio.h>

#include "../schema/roles/roles.h"
#include "inside.h"

struct told {
	struct model *model;
	char object[NAME_SIZE + 16];
};

static void tell(void *context, const char *statement, const struct error *failed)
{
	const struct told *t = context;
	model_event(t->model, failed ? EVENT_WARNING : EVENT_INFO, t->object, failed,
		"%s the target: %s", failed ? "refused by" : "run on", statement);
}

static struct comparison *compare(struct engine *g, const struct mirror_config *m,
	struct pg *source, struct pg *target, bool apply, struct error *e)
{
	struct told told = { .model = g->model };
	if (!apply)
		return roles_compare(source, target, m, e);
	snprintf(told.object, sizeof(told.object), "mirror %s", m->name);
	return roles_apply(source, target, m, tell, &told, e);
}

static void do_roles(
	struct engine *g, const char *name, bool apply, const struct stop *stop, struct outcome *out)
{
	struct mirror_config m;
	struct peer_config s, t;
	if (!engine_mirror(g, name, &m, &s, &t, &out->error))
		return;
	struct pg *source = pg_connect(&s, m.name, "roles", stop, &out->error);
	struct pg *target = source ? pg_connect(&t, m.name, "roles", stop, &out->error) : NULL;
	if (target)
		out->comparison = compare(g, &m, source, target, apply, &out->error);
	pg_free(source);
	pg_free(target);
	mirror_config_free(&m);
	peer_config_free(&s);
	peer_config_free(&t);
}

void do_compare_roles(
	struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	do_roles(g, c->name, false, stop, out);
}

void do_apply_roles(
	struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	do_roles(g, c->name, true, stop, out);
}
