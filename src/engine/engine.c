// SPDX-License-Identifier: PostgreSQL
/* Starting and ending the engine, and handing commands to the pool. */
#include <stdlib.h>
#include <string.h>

#include "../log.h"
#include "inside.h"

/* Commands are short and mostly wait for a server: enough that a slow peer does not hold up the others. */
#define POOL_THREADS 6

static handler *const handlers[] = {
	[COMMAND_PEER_PROBE] = do_peer_probe,
	[COMMAND_PEER_TEST] = do_peer_test,
	[COMMAND_PEER_SAVE] = do_peer_save,
	[COMMAND_PEER_DROP] = do_peer_drop,
	[COMMAND_PEER_PASSWORD] = do_peer_password,
	[COMMAND_PEER_WATCH] = do_peer_watch,
	[COMMAND_CATALOG] = do_catalog,
	[COMMAND_MIRROR_CHECK] = do_mirror_check,
	[COMMAND_MIRROR_SAVE] = do_mirror_save,
	[COMMAND_MIRROR_RUN] = do_mirror_run,
	[COMMAND_MIRROR_PAUSE] = do_mirror_pause,
	[COMMAND_MIRROR_RETRY] = do_mirror_retry,
	[COMMAND_MIRROR_DROP] = do_mirror_drop,
	[COMMAND_MIRROR_TUNE] = do_mirror_tune,
	[COMMAND_MIRROR_TABLES] = do_mirror_tables,
	[COMMAND_TABLE_RESYNC] = do_table_resync,
	[COMMAND_MIRROR_REFRESH] = do_mirror_refresh,
	[COMMAND_COMPARE_SETTINGS] = do_compare_settings,
	[COMMAND_COMPARE_ROLES] = do_compare_roles,
	[COMMAND_APPLY_ROLES] = do_apply_roles,
	[COMMAND_VERIFY] = do_verify,
	[COMMAND_COMPARE_SCHEMA] = do_compare_schema,
	[COMMAND_SCRIPT] = do_script,
	[COMMAND_LEFT_RESUME] = do_left_resume,
	[COMMAND_LEFT_FORGET] = do_left_forget,
	[COMMAND_GATES] = do_gates,
	[COMMAND_CUTOVER] = do_cutover,
	[COMMAND_CUTOVER_GO] = do_cutover_go,
	[COMMAND_CUTOVER_UNDO] = do_cutover_undo,
	[COMMAND_FINISH] = do_finish,
};

struct engine *engine_new(const struct engine_options *o, struct config_problems *problems)
{
	struct error e;
	struct config *config = config_load(o->config_path, problems);
	char state[4096];
	if (config && !(engine_state_dir(o->state_dir, state, sizeof(state), &e) && log_open(state, &e))) {
		char line[1100];
		strings_add(&problems->lines, error_line(&e, line, sizeof(line)));
		config_free(config);
		config = NULL;
	}
	if (!config)
		return NULL;
	struct engine *g = xcalloc(1, sizeof(*g));
	g->config = config;
	g->probe_peers = o->probe_peers;
	if (o->resumes)
		g->left = left_new(state, config);
	g->model = model_new();
	g->stop = stop_new(NULL);
	g->pool = pool_new(POOL_THREADS);
	atomic_store(&g->next_ticket, 1);
	pthread_mutex_init(&g->lock, NULL);
	model_set_config(g->model, config);
	if (pthread_create(&g->monitor, NULL, monitor_main, g) != 0)
		abort();
	return g;
}

void engine_free(struct engine *g)
{
	if (!g)
		return;
	stop_raise(g->stop);
	engine_end_mirrors(g);
	pool_free(g->pool);
	engine_end_mirrors(g); /* a command may have started one meanwhile */
	pthread_join(g->monitor, NULL);
	left_free(g->left);
	config_free(g->config);
	model_free(g->model);
	stop_free(g->stop);
	pthread_mutex_destroy(&g->lock);
	free(g);
	log_close();
}

struct model *engine_model_borrow(struct engine *g)
{
	return g->model;
}

/* ---- commands ---- */

struct errand {
	struct engine *engine;
	struct command command;
	struct ticket *ticket;
};

static void command_free(struct command *c)
{
	if (c->peer)
		peer_config_free(c->peer);
	if (c->mirror)
		mirror_config_free(c->mirror);
	free(c->peer);
	free(c->mirror);
	free(c->path);
}

static struct ticket *ticket_open(struct engine *g)
{
	struct ticket *t = xcalloc(1, sizeof(*t));
	t->number = atomic_fetch_add(&g->next_ticket, 1);
	t->stop = stop_new(g->stop);
	pthread_mutex_lock(&g->lock);
	t->next = g->tickets;
	g->tickets = t;
	pthread_mutex_unlock(&g->lock);
	model_outcome_begin(g->model, t->number);
	return t;
}

static void ticket_close(struct engine *g, struct ticket *t)
{
	pthread_mutex_lock(&g->lock);
	for (struct ticket **p = &g->tickets; *p; p = &(*p)->next) {
		if (*p == t) {
			*p = t->next;
			break;
		}
	}
	pthread_mutex_unlock(&g->lock);
	stop_free(t->stop);
	free(t);
}

static void cancel(struct engine *g, uint64_t number)
{
	pthread_mutex_lock(&g->lock);
	for (struct ticket *t = g->tickets; t; t = t->next)
		if (t->number == number)
			stop_raise(t->stop);
	pthread_mutex_unlock(&g->lock);
}

static void run_errand(void *arg)
{
	struct errand *a = arg;
	struct engine *g = a->engine;
	struct outcome outcome = { 0 };
	uint64_t number = a->ticket->number;
	handlers[a->command.kind](g, &a->command, a->ticket->stop, &outcome);
	ticket_close(g, a->ticket);
	command_free(&a->command);
	free(a);
	model_outcome_end(g->model, number, &outcome);
}

uint64_t engine_submit(struct engine *g, struct command *take)
{
	struct errand *a = xmalloc(sizeof(*a));
	struct ticket *t = ticket_open(g);
	uint64_t number = t->number; /* t is gone as soon as the errand has run */
	*a = (struct errand){ g, *take, t };
	*take = (struct command){ 0 };
	if (a->command.kind == COMMAND_CANCEL) {
		cancel(g, a->command.ticket);
		model_outcome_end(g->model, number, &(struct outcome){ 0 });
		ticket_close(g, t);
		free(a);
		return number;
	}
	a->command.ticket = number;
	pool_submit(g->pool, run_errand, a);
	return number;
}

/* ---- looking things up ---- */

bool engine_peer(struct engine *g, const char *name, struct peer_config *out, struct error *e)
{
	pthread_mutex_lock(&g->lock);
	const struct peer_config *p = config_find_peer(g->config, name);
	if (p)
		peer_config_copy(out, p);
	pthread_mutex_unlock(&g->lock);
	if (p)
		return true;
	error_set(e, ERROR_USAGE, "there is no peer %s", name);
	return error_next(e, "pgpier peer list shows them");
}

bool engine_mirror(struct engine *g, const char *name, struct mirror_config *out, struct peer_config *source,
	struct peer_config *target, struct error *e)
{
	pthread_mutex_lock(&g->lock);
	const struct mirror_config *m = config_find_mirror(g->config, name);
	if (m)
		mirror_config_copy(out, m);
	if (m && !out->pg_bindir)
		out->pg_bindir = xstrdup(g->config->pg_bindir);
	pthread_mutex_unlock(&g->lock);
	if (!m) {
		error_set(e, ERROR_USAGE, "there is no mirror %s", name);
		return error_next(e, "pgpier mirror list shows them");
	}
	if (!engine_peer(g, out->source, source, e)) {
		mirror_config_free(out);
		return false;
	}
	if (!engine_peer(g, out->target, target, e)) {
		mirror_config_free(out);
		peer_config_free(source);
		return false;
	}
	return true;
}
