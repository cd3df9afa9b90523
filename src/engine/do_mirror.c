// SPDX-License-Identifier: PostgreSQL
/* Commands about mirrors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

struct running *engine_running(struct engine *g, const char *name)
{
	for (struct running *r = g->running; r; r = r->next)
		if (strcmp(r->name, name) == 0)
			return r;
	return NULL;
}

static void forget(struct engine *g, struct running *gone)
{
	for (struct running **p = &g->running; *p; p = &(*p)->next) {
		if (*p == gone) {
			*p = gone->next;
			free(gone);
			return;
		}
	}
}

bool engine_end_mirror(struct engine *g, const char *name)
{
	pthread_mutex_lock(&g->lock);
	struct running *r = engine_running(g, name);
	bool mine = r && !r->ending;
	if (mine)
		r->ending = true;
	pthread_mutex_unlock(&g->lock);
	if (!mine)
		return false;
	mirror_free(r->mirror);
	pthread_mutex_lock(&g->lock);
	forget(g, r);
	pthread_mutex_unlock(&g->lock);
	return true;
}

void engine_end_mirrors(struct engine *g)
{
	for (;;) {
		char name[NAME_SIZE] = "";
		pthread_mutex_lock(&g->lock);
		for (struct running *r = g->running; r; r = r->next) {
			if (!r->ending)
				copy_text(name, sizeof(name), r->name);
		}
		pthread_mutex_unlock(&g->lock);
		if (!name[0] || !engine_end_mirror(g, name))
			return;
	}
}

static bool runs_locked(struct engine *g, const char *name)
{
	struct running *r = engine_running(g, name);
	return r && (r->ending || mirror_running(r->mirror));
}

bool engine_runs(struct engine *g, const char *name)
{
	pthread_mutex_lock(&g->lock);
	bool yes = runs_locked(g, name);
	pthread_mutex_unlock(&g->lock);
	return yes;
}

/* ---- making ---- */

static bool peers_of(struct engine *g, const struct mirror_config *m, struct peer_config *source,
	struct peer_config *target, struct error *e)
{
	if (!engine_peer(g, m->source, source, e))
		return false;
	if (engine_peer(g, m->target, target, e))
		return true;
	peer_config_free(source);
	return false;
}

void do_mirror_check(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct mirror_config config;
	struct peer_config source, target;
	if (c->mirror) {
		if (!mirror_config_check(c->mirror, &out->error) ||
			!peers_of(g, c->mirror, &source, &target, &out->error))
			return;
		mirror_config_copy(&config, c->mirror);
	} else if (!engine_mirror(g, c->name, &config, &source, &target, &out->error)) {
		return;
	}
	out->preflight = mirror_check(&config, &source, &target, stop, &out->error);
	mirror_config_free(&config);
	peer_config_free(&source);
	peer_config_free(&target);
}

bool engine_put_mirror(struct engine *g, struct mirror_config *m, struct error *e)
{
	const struct mirror_config *old = config_find_mirror(g->config, m->name);
	struct mirror_config before = { 0 };
	if (old && !old->editable) {
		error_set(e, ERROR_CONFIG, "mirror %s is in the hand-written file", m->name);
		return error_next(e, "edit it there");
	}
	if (old)
		mirror_config_copy(&before, old);
	char *name = xstrdup(m->name);
	m->editable = true;
	config_put_mirror(g->config, m);
	bool ok = config_save_mirrors(g->config, e);
	if (!ok && before.name)
		config_put_mirror(g->config, &before);
	else if (!ok)
		config_remove_mirror(g->config, name);
	model_set_config(g->model, g->config);
	if (before.name)
		mirror_config_free(&before);
	free(name);
	return ok;
}

void do_mirror_save(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct peer_config source, target;
	(void)stop;
	if (!mirror_config_check(c->mirror, &out->error) ||
		!peers_of(g, c->mirror, &source, &target, &out->error))
		return;
	peer_config_free(&source);
	peer_config_free(&target);
	char object[NAME_SIZE + 16];
	snprintf(object, sizeof(object), "mirror %s", c->mirror->name);
	pthread_mutex_lock(&g->lock);
	bool ok = engine_put_mirror(g, c->mirror, &out->error);
	pthread_mutex_unlock(&g->lock);
	if (ok)
		model_event(g->model, EVENT_INFO, object, NULL, "saved");
}

/* ---- running ---- */

static void start(struct engine *g, const struct mirror_config *m, const struct peer_config *source,
	const struct peer_config *target)
{
	struct running *r = xcalloc(1, sizeof(*r));
	copy_text(r->name, sizeof(r->name), m->name);
	pthread_mutex_lock(&g->lock);
	if (engine_running(g, m->name)) { /* somebody was quicker */
		pthread_mutex_unlock(&g->lock);
		free(r);
		return;
	}
	r->mirror = mirror_new(g->model, m, source, target, g->stop);
	r->next = g->running;
	g->running = r;
	pthread_mutex_unlock(&g->lock);
}

void do_mirror_run(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct mirror_config m;
	struct peer_config source, target;
	(void)stop;
	if (!engine_mirror(g, c->name, &m, &source, &target, &out->error))
		return;
	if (engine_runs(g, c->name)) {
		error_set(&out->error, ERROR_USAGE, "mirror %s runs already", c->name);
	} else {
		engine_end_mirror(g, c->name); /* one that ended by itself */
		start(g, &m, &source, &target);
	}
	mirror_config_free(&m);
	peer_config_free(&source);
	peer_config_free(&target);
}

static void not_here(struct engine *g, const char *name, struct error *e)
{
	struct mirror_view v;
	if (!model_mirror(g->model, name, &v)) {
		error_set(e, ERROR_USAGE, "there is no mirror %s", name);
		error_next(e, "pgpier mirror list shows them");
		return;
	}
	error_set(e, ERROR_CONFLICT, "mirror %s does not run in this process", name);
	error_next(e, "pause it where it runs: p in its console, or Ctrl-C on its pgpier run");
}

void do_mirror_pause(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	(void)stop;
	if (!engine_end_mirror(g, c->name))
		not_here(g, c->name, &out->error);
}

/* While it runs, failed tables are queued again; else the mirror itself is started, which does the same. */
void do_mirror_retry(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	size_t queued = 0;
	pthread_mutex_lock(&g->lock);
	struct running *r = engine_running(g, c->name);
	bool running = r && !r->ending && mirror_running(r->mirror);
	if (running)
		queued = mirror_retry(r->mirror);
	pthread_mutex_unlock(&g->lock);
	if (!running)
		do_mirror_run(g, c, stop, out);
	else if (queued == 0)
		error_set(&out->error, ERROR_USAGE, "mirror %s has no failed table to retry", c->name);
}

static void take_tables(struct mirror_config *m, const struct mirror_config *chosen)
{
	struct mirror_config old = *m;
	struct mirror_config copy;
	mirror_config_copy(&copy, chosen);
	m->tables = copy.tables;
	m->exclude = copy.exclude;
	m->columns_exclude = copy.columns_exclude;
	m->map = copy.map;
	m->map_count = copy.map_count;
	copy.tables = old.tables;
	copy.exclude = old.exclude;
	copy.columns_exclude = old.columns_exclude;
	copy.map = old.map;
	copy.map_count = old.map_count;
	mirror_config_free(&copy);
}

/* Written down first; a mirror that replicates follows, another one when it begins to. */
void do_mirror_tables(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct mirror_config m, kept;
	struct peer_config source, target;
	(void)stop;
	if (!engine_mirror(g, c->name, &m, &source, &target, &out->error))
		return;
	peer_config_free(&source);
	peer_config_free(&target);
	take_tables(&m, c->mirror);
	mirror_config_copy(&kept, &m);
	pthread_mutex_lock(&g->lock);
	bool ok = mirror_config_check(&m, &out->error) && engine_put_mirror(g, &m, &out->error);
	struct running *r = ok ? engine_running(g, c->name) : NULL;
	if (r && !r->ending)
		mirror_reselect(r->mirror, &kept);
	pthread_mutex_unlock(&g->lock);
	if (!ok)
		mirror_config_free(&m);
	mirror_config_free(&kept);
}

void do_table_resync(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	(void)stop;
	pthread_mutex_lock(&g->lock);
	struct running *r = engine_running(g, c->name);
	bool running = r && !r->ending && mirror_running(r->mirror);
	bool ok = running && mirror_resync(r->mirror, c->table, &out->error);
	pthread_mutex_unlock(&g->lock);
	if (!running)
		not_here(g, c->name, &out->error);
	else if (ok)
		model_event(g->model, EVENT_INFO, c->table, NULL, "will be copied anew");
}

void do_mirror_tune(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct mirror_view v;
	(void)stop;
	pthread_mutex_lock(&g->lock);
	struct running *r = engine_running(g, c->name);
	if (r && !r->ending)
		mirror_tune(r->mirror, c->workers, c->tables_in_parallel, c->rate_limit_mb);
	else
		r = NULL;
	pthread_mutex_unlock(&g->lock);
	if (!r || !model_mirror(g->model, c->name, &v)) {
		not_here(g, c->name, &out->error);
		return;
	}
	model_mirror_tuning(g->model, c->name, c->workers > 0 ? c->workers : v.workers,
		c->tables_in_parallel > 0 ? c->tables_in_parallel : v.tables_in_parallel,
		c->rate_limit_mb >= 0 ? c->rate_limit_mb : v.rate_limit_mb);
}

/* ---- dropping, refreshing ---- */

static bool remove_config(struct engine *g, const char *name, struct error *e)
{
	pthread_mutex_lock(&g->lock);
	const struct mirror_config *m = config_find_mirror(g->config, name);
	bool ok = true;
	if (m && m->editable) {
		struct mirror_config before;
		mirror_config_copy(&before, m);
		config_remove_mirror(g->config, name);
		ok = config_save_mirrors(g->config, e);
		if (!ok)
			config_put_mirror(g->config, &before);
		mirror_config_free(&before);
		model_set_config(g->model, g->config);
	}
	pthread_mutex_unlock(&g->lock);
	return ok;
}

void do_mirror_drop(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct mirror_config m;
	struct peer_config source, target;
	char object[NAME_SIZE + 16];
	if (!engine_mirror(g, c->name, &m, &source, &target, &out->error))
		return;
	engine_end_mirror(g, c->name);
	model_mirror_state(g->model, c->name, MIRROR_DROPPING, NULL);
	bool ok = mirror_drop(&m, &source, &target, stop, &out->error);
	if (ok) {
		snprintf(object, sizeof(object), "mirror %s", c->name);
		model_event(g->model, EVENT_INFO, object, NULL, "dropped; the copied tables stay");
		model_load_set(g->model, c->name, NULL, 0);
		model_objects_set(g->model, c->name, NULL, 0);
		model_mirror_state(g->model, c->name, MIRROR_NEW, NULL);
		ok = remove_config(g, c->name, &out->error);
	} else {
		error_prefix(&out->error, "could not drop mirror %s", c->name);
		model_mirror_state(g->model, c->name, MIRROR_INTERRUPTED, NULL);
	}
	mirror_config_free(&m);
	peer_config_free(&source);
	peer_config_free(&target);
}

struct refreshed {
	struct engine *engine;
	const char *name;
};

/* Nothing can start it between begin and end. */
static bool begin_refresh(void *data)
{
	const struct refreshed *r = data;
	pthread_mutex_lock(&r->engine->lock);
	if (!runs_locked(r->engine, r->name))
		return true;
	pthread_mutex_unlock(&r->engine->lock);
	return false;
}

static void end_refresh(void *data)
{
	pthread_mutex_unlock(&((const struct refreshed *)data)->engine->lock);
}

static void refresh_one(struct engine *g, const char *name, const struct stop *stop, struct error *e)
{
	struct mirror_config m;
	struct peer_config source, target;
	if (engine_runs(g, name) || !engine_mirror(g, name, &m, &source, &target, e))
		return;
	struct refreshed refreshed = { g, name };
	struct refresh_gate gate = { begin_refresh, end_refresh, &refreshed };
	if (!mirror_refresh(g->model, &m, &source, &target, &gate, stop, e))
		error_prefix(e, "mirror %s", name);
	mirror_config_free(&m);
	peer_config_free(&source);
	peer_config_free(&target);
}

void do_mirror_refresh(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct mirror_view *views;
	if (c->name[0]) {
		refresh_one(g, c->name, stop, &out->error);
		return;
	}
	size_t n = model_mirrors(g->model, &views);
	for (size_t i = 0; i < n; i++) { /* one task each: a target that hangs must not hold up the others */
		struct command one = { .kind = COMMAND_MIRROR_REFRESH };
		copy_text(one.name, sizeof(one.name), views[i].name);
		engine_submit(g, &one);
	}
	free(views);
}
