// SPDX-License-Identifier: PostgreSQL
/* The monitor thread: once a second rates and ETAs; every few seconds why a worker waits and how far its
 * index is; every half minute whether the peers answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pg/probe.h"
#include "inside.h"

#define TICK_MS 1000
#define LOOK_EVERY 2    /* ticks */
#define PROBE_EVERY 30  /* ticks */
#define MOST_SEEN 128
#define MOST_WORKERS 64

/* The two connections by which a running mirror is looked at. */
struct look {
	char mirror[NAME_SIZE];
	struct pg *source, *target;
	bool wanted;
	int told[MOST_WORKERS + 1]; /* by worker: the blocker that an event was about */
	struct look *next;
};

static void look_free(struct look *l)
{
	pg_free(l->source);
	pg_free(l->target);
	free(l);
}

static struct look *look_find(struct look **list, const char *mirror)
{
	for (struct look *l = *list; l; l = l->next)
		if (strcmp(l->mirror, mirror) == 0)
			return l;
	struct look *l = xcalloc(1, sizeof(*l));
	copy_text(l->mirror, sizeof(l->mirror), mirror);
	l->next = *list;
	return *list = l;
}

static void connect_lost(struct engine *g, struct look *l)
{
	struct mirror_config m;
	struct peer_config source, target;
	struct error ignored;
	if (l->source && l->target && !pg_lost(l->source) && !pg_lost(l->target))
		return;
	if (!engine_mirror(g, l->mirror, &m, &source, &target, &ignored))
		return;
	if (!l->source || pg_lost(l->source)) {
		pg_free(l->source);
		l->source = pg_connect(&source, l->mirror, "monitor", g->stop, &ignored);
	}
	if (!l->target || pg_lost(l->target)) {
		pg_free(l->target);
		l->target = pg_connect(&target, l->mirror, "monitor", g->stop, &ignored);
	}
	mirror_config_free(&m);
	peer_config_free(&source);
	peer_config_free(&target);
}

static size_t add_blocked(struct pg *c, const char *mirror, struct blocked_worker *out, size_t n)
{
	struct error ignored;
	size_t more = 0;
	if (c && !blocked_read(c, mirror, out + n, MOST_SEEN - n, &more, &ignored))
		return n;
	return n + more;
}

/* On the screen as long as it lasts, in the log once. */
static void tell_blocked(struct engine *g, struct look *l, const struct blocked_worker *blocked, size_t n)
{
	bool still[MOST_WORKERS + 1] = { false };
	char object[NAME_SIZE + 16];
	snprintf(object, sizeof(object), "mirror %s", l->mirror);
	model_stalls_clear(g->model, l->mirror);
	for (size_t i = 0; i < n; i++) {
		const struct blocked_worker *b = &blocked[i];
		int worker = MIN(b->worker, MOST_WORKERS);
		still[worker] = true;
		model_worker_stall(g->model, l->mirror, worker, b->text);
		if (l->told[worker] != b->pid)
			model_event(g->model, EVENT_WARNING, object, NULL, "%s %d %s", worker ? "worker" : "supervisor",
				worker, b->text);
		l->told[worker] = b->pid;
	}
	for (int i = 0; i <= MOST_WORKERS; i++)
		if (!still[i])
			l->told[i] = 0;
}

static void look_at(struct engine *g, struct look *l)
{
	struct blocked_worker blocked[MOST_SEEN];
	struct build_progress builds[MOST_SEEN];
	struct error ignored;
	size_t n = 0, build_count = 0;
	connect_lost(g, l);
	n = add_blocked(l->source, l->mirror, blocked, n);
	n = add_blocked(l->target, l->mirror, blocked, n);
	tell_blocked(g, l, blocked, n);
	if (!l->target || !builds_read(l->target, l->mirror, builds, MOST_SEEN, &build_count, &ignored))
		return;
	for (size_t i = 0; i < build_count; i++)
		model_build_progress(g->model, l->mirror, builds[i].worker, builds[i].fraction, builds[i].phase);
}

static bool is_at_work(enum mirror_state s)
{
	return s == MIRROR_SNAPSHOT || s == MIRROR_SCHEMA || s == MIRROR_LOADING || s == MIRROR_FINISHING;
}

static void look_at_all(struct engine *g, struct look **list)
{
	struct mirror_view *views;
	size_t n = model_mirrors(g->model, &views);
	for (struct look *l = *list; l; l = l->next)
		l->wanted = false;
	for (size_t i = 0; i < n; i++) {
		pthread_mutex_lock(&g->lock);
		bool here = engine_running(g, views[i].name) != NULL;
		pthread_mutex_unlock(&g->lock);
		if (!here || !is_at_work(views[i].state))
			continue;
		struct look *l = look_find(list, views[i].name);
		l->wanted = true;
		look_at(g, l);
	}
	free(views);
	for (struct look **p = list; *p;) {
		struct look *l = *p;
		if (l->wanted) {
			p = &l->next;
			continue;
		}
		*p = l->next;
		look_free(l);
	}
}

void *monitor_main(void *engine)
{
	struct engine *g = engine;
	struct look *looks = NULL;
	for (unsigned tick = 0; !stop_raised(g->stop); tick++) {
		if (g->probe_peers && tick % PROBE_EVERY == 0)
			engine_submit(g, &(struct command){ .kind = COMMAND_PEER_PROBE });
		if (g->probe_peers && tick == 0) /* a console that opens wants to see what others left */
			engine_submit(g, &(struct command){ .kind = COMMAND_MIRROR_REFRESH });
		model_tick(g->model);
		left_tick(g);
		if (tick % LOOK_EVERY == LOOK_EVERY - 1)
			look_at_all(g, &looks);
		stop_sleep(g->stop, TICK_MS);
	}
	while (looks) {
		struct look *l = looks;
		looks = l->next;
		look_free(l);
	}
	return NULL;
}
