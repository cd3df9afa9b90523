// SPDX-License-Identifier: PostgreSQL
/* Commands about cutovers: they run in the process that runs the mirror, one of a mirror at a time. */
#include <stdlib.h>
#include <string.h>

#include "../cutover/machine.h"
#include "../cutover/way_back.h"
#include "inside.h"

/* A cutover that a command is at. */
struct moving {
	char name[NAME_SIZE];
	struct cutover *cutover;
	struct moving *next;
};

/* ---- what the machine needs of the engine ---- */

static bool service_run(void *arg, const char *mirror, struct error *e)
{
	struct command run = { .kind = COMMAND_MIRROR_RUN };
	struct outcome out = { 0 };
	copy_text(run.name, sizeof(run.name), mirror);
	if (engine_runs(arg, mirror))
		return true;
	do_mirror_run(arg, &run, NULL, &out);
	*e = out.error;
	return e->class == ERROR_NONE;
}

static void service_end(void *arg, const char *mirror)
{
	engine_end_mirror(arg, mirror);
}

static lsn_t service_applied(void *arg, const char *mirror)
{
	struct engine *g = arg;
	pthread_mutex_lock(&g->lock);
	struct running *r = engine_running(g, mirror);
	lsn_t applied = r && !r->ending ? mirror_applied(r->mirror) : 0;
	pthread_mutex_unlock(&g->lock);
	return applied;
}

static bool service_save(void *arg, const struct mirror_config *m, struct error *e)
{
	struct engine *g = arg;
	struct mirror_config copy;
	bool ok = true;
	pthread_mutex_lock(&g->lock);
	const struct mirror_config *known = config_find_mirror(g->config, m->name);
	if (!known || known->editable) {
		mirror_config_copy(&copy, m);
		ok = engine_put_mirror(g, &copy, e);
		if (!ok)
			mirror_config_free(&copy);
	}
	pthread_mutex_unlock(&g->lock);
	return ok;
}

/* ---- one at a time ---- */

static bool begin_moving(struct engine *g, const char *name, struct cutover *c, struct error *e)
{
	bool other = false;
	pthread_mutex_lock(&g->lock);
	for (const struct moving *m = g->moving; m; m = m->next)
		other = other || strcmp(m->name, name) == 0;
	if (!other) {
		struct moving *m = xcalloc(1, sizeof(*m));
		copy_text(m->name, sizeof(m->name), name);
		m->cutover = c;
		m->next = g->moving;
		g->moving = m;
	}
	pthread_mutex_unlock(&g->lock);
	return !other || error_set(e, ERROR_USAGE, "a cutover of mirror %s is under way already", name);
}

static void end_moving(struct engine *g, const struct cutover *c)
{
	pthread_mutex_lock(&g->lock);
	for (struct moving **p = &g->moving; *p; p = &(*p)->next)
		if ((*p)->cutover == c) {
			struct moving *gone = *p;
			*p = gone->next;
			free(gone);
			break;
		}
	pthread_mutex_unlock(&g->lock);
}

/* ---- commands ---- */

/* What a cutover is about: the mirror, and of a rollback the one that it goes back to. */
struct parts {
	struct mirror_config config, first;
	struct peer_config source, target;
	bool back;
	char name_back[NAME_SIZE];
};

static bool parts_find(struct engine *g, const char *name, struct parts *p, struct error *e)
{
	struct peer_config source, target;
	*p = (struct parts){ 0 };
	if (!engine_mirror(g, name, &p->config, &p->source, &p->target, e))
		return false;
	p->back = p->config.reverse_of != NULL;
	if (!p->back) {
		pthread_mutex_lock(&g->lock);
		way_back_name(g->config, name, p->name_back);
		pthread_mutex_unlock(&g->lock);
		return true;
	}
	if (!engine_mirror(g, p->config.reverse_of, &p->first, &source, &target, e)) {
		p->back = false;
		return false;
	}
	peer_config_free(&source);
	peer_config_free(&target);
	return true;
}

static void parts_free(struct parts *p)
{
	mirror_config_free(&p->config);
	if (p->back)
		mirror_config_free(&p->first);
	peer_config_free(&p->source);
	peer_config_free(&p->target);
}

typedef bool action(struct cutover *c, struct error *e);

static bool act(struct engine *g, const char *name, action *what, const struct stop *stop, struct error *e)
{
	struct parts p;
	const struct cutover_services services = { g, service_run, service_end, service_applied, service_save };
	bool ok = parts_find(g, name, &p, e);
	if (ok) {
		struct cutover *c = cutover_new(&(struct cutover_settings){ .config = &p.config, .source = &p.source,
			.target = &p.target, .first = p.back ? &p.first : NULL, .back = p.name_back, .model = g->model, .services = &services,
			.stop = stop });
		ok = begin_moving(g, name, c, e) && what(c, e);
		end_moving(g, c);
		cutover_free(c);
	}
	parts_free(&p);
	return ok || error_prefix(e, "mirror %s", name);
}

static bool has_stream(struct engine *g, const char *name, struct error *e)
{
	struct mirror_config m;
	if (!model_mirror_config(g->model, name, &m))
		return true; /* who looks it up says so */
	bool continuous = m.continuous;
	mirror_config_free(&m);
	if (continuous)
		return true;
	error_set(e, ERROR_USAGE, "mirror %s is an initial copy: there is no stream to drain", name);
	return error_next(e, "set continuous = true, or stop the writers and copy");
}

/* Its outcome is the error alone. */
static void act_on_stream(struct engine *g, const char *name, action *what, const struct stop *stop, struct error *e)
{
	if (has_stream(g, name, e) && act(g, name, what, stop, e))
		e->class = ERROR_NONE;
}

void do_gates(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	act_on_stream(g, c->name, cutover_measure, stop, &out->error);
}

void do_cutover(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	act_on_stream(g, c->name, c->dry_run ? cutover_rehearse : cutover_run, stop, &out->error);
}

/* False: nobody here is at it. */
static bool say(struct engine *g, const char *name, void (*word)(struct cutover *c))
{
	bool found = false;
	pthread_mutex_lock(&g->lock);
	for (const struct moving *m = g->moving; m; m = m->next)
		if (strcmp(m->name, name) == 0) {
			word(m->cutover);
			found = true;
		}
	pthread_mutex_unlock(&g->lock);
	return found;
}

void do_cutover_go(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	(void)stop;
	if (!say(g, c->name, cutover_say_go))
		error_set(&out->error, ERROR_USAGE, "no cutover of mirror %s is under way here", c->name);
}

void do_cutover_undo(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	if (!say(g, c->name, cutover_say_undo))
		act_on_stream(g, c->name, cutover_undo, stop, &out->error);
}
