// SPDX-License-Identifier: PostgreSQL
/* Verifying a mirror. One that does not replicate is compared at a snapshot of each side; what it was told is
 * loaded stands still on the target. A repair holds the mirror, so that no other pgpier begins to run it. */
#include <stdio.h>
#include <string.h>

#include "../store/store.h"
#include "../verify/verify.h"
#include "inside.h"

struct verifying {
	struct engine *engine;
	struct mirror_config config;
	struct peer_config source, target;
	struct verify_settings set;
};

static bool replicates(enum mirror_state s)
{
	return s == MIRROR_CATCHING_UP || s == MIRROR_REPLICATING || s == MIRROR_RETRYING || s == MIRROR_PAUSING;
}

static struct verification *verify_standing(struct verifying *v, struct error *e)
{
	return verify(&v->set, NULL, e);
}

/* ---- repair ---- */

static bool was_repaired(const struct verification *v)
{
	for (size_t i = 0; i < v->table_count; i++)
		if (v->tables[i].deleted + v->tables[i].inserted > 0)
			return true;
	return false;
}

/* What was repaired is verified once more. */
static struct verification *verify_twice(struct verifying *v, struct error *e)
{
	struct verification *first = verify_standing(v, e);
	if (!first || !was_repaired(first))
		return first;
	v->set.repair = false;
	first->after = verify_standing(v, e);
	if (first->after)
		return first;
	verification_release(first);
	return NULL;
}

static struct verification *repair_held(struct verifying *v, const struct stop *stop, struct error *e)
{
	char label[VERIFY_LABEL_SIZE];
	verify_label(v->config.name, label);
	if (v->config.continuous) {
		error_set(e, ERROR_CONFLICT, "mirror %s replicates: a repair would run into what its stream brings next",
			v->config.name);
		error_next(e, "pause it and copy the table anew, or mend the rows by hand");
		return NULL;
	}
	struct pg *control = pg_connect(&v->target, label, "hold", stop, e);
	struct verification *result = control && store_lock(control, v->config.name, e) ? verify_twice(v, e) : NULL;
	pg_free(control);
	return result;
}

/* ---- the command ---- */

/* Does it replicate, here or elsewhere? The target tells of others. */
static bool state_of(struct verifying *v, const struct stop *stop, enum mirror_state *state, struct error *e)
{
	struct command refresh = { .kind = COMMAND_MIRROR_REFRESH };
	struct outcome out = { 0 };
	copy_text(refresh.name, sizeof(refresh.name), v->config.name);
	do_mirror_refresh(v->engine, &refresh, stop, &out);
	*e = out.error;
	*state = model_mirror_state_get(v->engine->model, v->config.name);
	return e->class == ERROR_NONE;
}

static struct verification *verify_any(struct verifying *v, const struct stop *stop, struct error *e)
{
	enum mirror_state state;
	if (!state_of(v, stop, &state, e))
		return NULL;
	if (v->config.continuous && replicates(state)) {
		error_set(e, ERROR_CONFLICT, "mirror %s replicates: its tables do not stand still", v->config.name);
		error_next(e, "pause it where it runs");
		return NULL;
	}
	return v->set.repair ? repair_held(v, stop, e) : verify_standing(v, e);
}

static void say(struct engine *g, const struct verification *v)
{
	char object[NAME_SIZE + 16];
	snprintf(object, sizeof(object), "mirror %s", v->mirror);
	model_event(g->model, v->verdict == VERIFY_EQUAL ? EVENT_INFO : EVENT_WARNING, object, NULL,
		"verified by %s: %s; %zu equal, %zu differ, %zu not verified", verify_level_names[v->level],
		verify_verdict_name(v->verdict), v->equal, v->differing, v->unsure);
}

static void begin(struct engine *g, const struct command *c)
{
	struct verify_view v = { .ticket = c->ticket, .level = c->level, .repair = c->repair };
	copy_text(v.table, sizeof(v.table), c->table);
	model_verify_begin(g->model, c->name, &v);
}

void do_verify(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct verifying v = { .engine = g };
	if (!engine_mirror(g, c->name, &v.config, &v.source, &v.target, &out->error))
		return;
	begin(g, c);
	v.set = (struct verify_settings){ .config = &v.config, .source = &v.source, .target = &v.target,
		.level = c->level, .sample = c->sample, .repair = c->repair, .only = c->table[0] ? c->table : NULL,
		.model = g->model, .stop = stop };
	struct verification *result = verify_any(&v, stop, &out->error);
	if (result) {
		out->verification = result;
		model_verified(g->model, c->name, result);
		say(g, result);
	}
	model_verify_end(g->model, c->name, &out->error);
	mirror_config_free(&v.config);
	peer_config_free(&v.source);
	peer_config_free(&v.target);
}
