// SPDX-License-Identifier: PostgreSQL
/* Verifying a mirror. One that is copied once is compared at a snapshot of each side; what it was told is loaded
 * stands still on the target. One that replicates is compared at one position, wherever it runs; should nobody run
 * it, this command does until it is there. A repair holds the mirror, so that no other pgpier begins to run it. */
#include <stdio.h>
#include <string.h>

#include "../store/store.h"
#include "../verify/verify.h"
#include "inside.h"

#define RUN_LOOK_MS 50

struct verifying {
	struct engine *engine;
	struct mirror_config config;
	struct peer_config source, target;
	struct verify_settings set;
	bool runs_it; /* the mirror, for this */
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

/* ---- at one position of a mirror that replicates ---- */

static bool is_loading(enum mirror_state s)
{
	return s == MIRROR_CHECKING || s == MIRROR_SNAPSHOT || s == MIRROR_SCHEMA || s == MIRROR_LOADING ||
		   s == MIRROR_FINISHING || s == MIRROR_DROPPING;
}

static struct verification *verify_online(struct verifying *v, struct error *e)
{
	struct verify_moments moments;
	if (!verify_take_moments(&v->set, &moments, e))
		return NULL;
	if (v->runs_it)
		engine_end_mirror(v->engine, v->config.name);
	v->runs_it = false;
	struct verification *result = verify(&v->set, &moments, e);
	verify_moments_free(&moments);
	return result;
}

/* Why it does not run is in its view. */
static bool await_stream(struct verifying *v, const struct stop *stop, struct error *e)
{
	struct mirror_view view;
	for (;;) {
		if (!model_mirror(v->engine->model, v->config.name, &view))
			return error_set(e, ERROR_CONFLICT, "mirror %s was dropped", v->config.name);
		if (view.state == MIRROR_CATCHING_UP || view.state == MIRROR_REPLICATING)
			return true;
		if (!engine_runs(v->engine, v->config.name)) {
			*e = view.error;
			return e->class ? false : error_set(e, ERROR_CONFLICT, "mirror %s does not run", v->config.name);
		}
		if (!stop_sleep(stop, RUN_LOOK_MS))
			return error_set(e, ERROR_CANCELLED, "the verification was stopped");
	}
}

/* Whoever verifies does not mean to begin a load. */
static bool was_loaded(struct verifying *v, struct error *e)
{
	struct load_totals t;
	if (model_load_totals(v->engine->model, v->config.name, &t) && t.tables_done + t.tables_failed >= t.tables)
		return true;
	error_set(e, ERROR_CONFLICT, "mirror %s is not loaded yet", v->config.name);
	return error_next(e, "run it first");
}

/* Nobody runs it: we do, until it is at the position, and leave it as it was. */
static struct verification *verify_running(struct verifying *v, const struct stop *stop, struct error *e)
{
	struct command run = { .kind = COMMAND_MIRROR_RUN };
	struct outcome out = { 0 };
	copy_text(run.name, sizeof(run.name), v->config.name);
	do_mirror_run(v->engine, &run, stop, &out);
	*e = out.error;
	if (e->class)
		return NULL;
	v->runs_it = true;
	struct verification *result = await_stream(v, stop, e) ? verify_online(v, e) : NULL;
	if (v->runs_it)
		engine_end_mirror(v->engine, v->config.name);
	return result;
}

static struct verification *verify_any(struct verifying *v, const struct stop *stop, struct error *e)
{
	enum mirror_state state;
	if (!state_of(v, stop, &state, e))
		return NULL;
	if (v->set.repair)
		return repair_held(v, stop, e);
	if (!v->config.continuous || state == MIRROR_NEW)
		return verify_standing(v, e);
	if (state == MIRROR_CUT_OVER) {
		error_set(e, ERROR_CONFLICT, "mirror %s is cut over: its source is not written to any more", v->config.name);
		error_next(e, "verify the mirror that leads back");
		return NULL;
	}
	if (is_loading(state)) {
		error_set(e, ERROR_CONFLICT, "mirror %s is being loaded", v->config.name);
		error_next(e, "verify it when it replicates");
		return NULL;
	}
	if (replicates(state))
		return verify_online(v, e);
	return was_loaded(v, e) ? verify_running(v, stop, e) : NULL;
}

static void say(struct engine *g, const struct verification *v)
{
	char object[NAME_SIZE + 16], at[120] = "";
	snprintf(object, sizeof(object), "mirror %s", v->mirror);
	if (v->exact)
		snprintf(at, sizeof(at), " at %s, replication held for %.0f ms, %d tr%s", v->source.lsn, v->stopped_s * 1e3,
			v->tries, v->tries == 1 ? "y" : "ies");
	model_event(g->model, v->verdict == VERIFY_EQUAL ? EVENT_INFO : EVENT_WARNING, object, NULL,
		"verified by %s%s: %s; %zu equal, %zu differ, %zu not verified", verify_level_names[v->level], at,
		verify_verdict_name(v->verdict), v->equal, v->differing, v->unsure);
}

static void begin(struct engine *g, const struct command *c)
{
	struct verify_view v = { .ticket = c->ticket, .level = c->level, .repair = c->repair };
	copy_text(v.table, sizeof(v.table), c->table);
	model_verify_begin(g->model, c->name, &v);
}

/* What can't be written down is still true. Of a repair both are: nobody builds on what was found before it. */
static void record(struct verifying *v, const struct verification *result)
{
	struct error e = { 0 };
	char object[NAME_SIZE + 16];
	snprintf(object, sizeof(object), "mirror %s", result->mirror);
	if (!verify_record(&v->set, result, &e) || (result->after && !verify_record(&v->set, result->after, &e)))
		model_event(v->engine->model, EVENT_WARNING, object, &e, "the verification could not be written down");
}

void do_verify(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct verifying v = { .engine = g };
	if (!engine_mirror(g, c->name, &v.config, &v.source, &v.target, &out->error))
		return;
	struct strings only = { 0 };
	if (c->table[0])
		strings_add(&only, c->table);
	begin(g, c);
	v.set = (struct verify_settings){ .config = &v.config, .source = &v.source, .target = &v.target,
		.level = c->level, .sample = c->sample, .repair = c->repair, .only = c->table[0] ? &only : NULL,
		.model = g->model, .stop = stop };
	struct verification *result = verify_any(&v, stop, &out->error);
	if (result) {
		out->verification = result;
		model_verified(g->model, c->name, result);
		say(g, result);
		record(&v, result);
	}
	model_verify_end(g->model, c->name, &out->error);
	strings_free(&only);
	mirror_config_free(&v.config);
	peer_config_free(&v.source);
	peer_config_free(&v.target);
}
