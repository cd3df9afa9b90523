// SPDX-License-Identifier: PostgreSQL
/* Commands about peers. */
#include <pgpier/format.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pg/password.h"
#include "../pg/probe.h"
#include "../pg/slots.h"
#include "../pg/tables.h"
#include "inside.h"

static void probe_one(struct engine *g, const struct peer_config *p, const struct stop *stop)
{
	struct probe probe;
	struct error e = { 0 };
	struct peer_view before;
	char object[NAME_SIZE + 16];
	model_peer_probing(g->model, p->name);
	bool known = model_peer(g->model, p->name, &before);
	bool ok = probe_peer(p, stop, &probe, &e);
	if (stop_raised(stop))
		return;
	snprintf(object, sizeof(object), "peer %s", p->name);
	if (!ok && known && before.status != PEER_FAILED)
		model_event(g->model, EVENT_WARNING, object, &e, "%s", "");
	if (ok && known && before.status == PEER_FAILED)
		model_event(g->model, EVENT_INFO, object, NULL, "answers again");
	model_peer_probed(g->model, p->name, &probe, &e);
}

void do_peer_probe(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct peer_config p;
	struct peer_view *views;
	if (c->name[0]) {
		if (!engine_peer(g, c->name, &p, &out->error))
			return;
		probe_one(g, &p, stop);
		peer_config_free(&p);
		return;
	}
	size_t n = model_peers(g->model, &views);
	for (size_t i = 0; i < n; i++) { /* one task each: a peer that hangs must not hold up the others */
		struct command one = { .kind = COMMAND_PEER_PROBE };
		copy_text(one.name, sizeof(one.name), views[i].name);
		engine_submit(g, &one);
	}
	free(views);
}

void do_peer_test(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	(void)g;
	if (peer_config_check(c->peer, &out->error) && !probe_peer(c->peer, stop, &out->probe, &out->error))
		return;
}

/* Saves, or puts the old configuration back when the file can't be written. */
static bool save_peers(struct engine *g, struct error *e)
{
	bool ok = config_save_peers(g->config, e);
	model_set_config(g->model, g->config);
	return ok;
}

static bool put_peer(struct engine *g, struct peer_config *p, struct error *e)
{
	const struct peer_config *old = config_find_peer(g->config, p->name);
	struct peer_config before = { 0 };
	if (old && !old->editable) {
		error_set(e, ERROR_CONFIG, "peer %s is in the hand-written file", p->name);
		return error_next(e, "edit it there");
	}
	if (old)
		peer_config_copy(&before, old);
	char *name = xstrdup(p->name);
	p->editable = true;
	config_put_peer(g->config, p);
	bool ok = save_peers(g, e);
	if (!ok) {
		if (before.name)
			config_put_peer(g->config, &before);
		else
			config_remove_peer(g->config, name);
		model_set_config(g->model, g->config);
	}
	if (before.name)
		peer_config_free(&before);
	free(name);
	return ok;
}

static void submit_probe(struct engine *g, const char *name)
{
	struct command probe = { .kind = COMMAND_PEER_PROBE };
	copy_text(probe.name, sizeof(probe.name), name);
	engine_submit(g, &probe);
}

void do_peer_save(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	(void)stop;
	char object[NAME_SIZE + 16];
	if (!peer_config_check(c->peer, &out->error))
		return;
	snprintf(object, sizeof(object), "peer %s", c->peer->name);
	char *name = xstrdup(c->peer->name);
	pthread_mutex_lock(&g->lock);
	bool ok = put_peer(g, c->peer, &out->error);
	pthread_mutex_unlock(&g->lock);
	if (ok) {
		model_event(g->model, EVENT_INFO, object, NULL, "saved");
		submit_probe(g, name);
	}
	free(name);
}

static bool drop_peer(struct engine *g, const char *name, struct error *e)
{
	const struct peer_config *p = config_find_peer(g->config, name);
	if (!p)
		return error_set(e, ERROR_USAGE, "there is no peer %s", name);
	if (!p->editable) {
		error_set(e, ERROR_CONFIG, "peer %s is in the hand-written file", name);
		return error_next(e, "remove it there");
	}
	for (size_t i = 0; i < g->config->mirror_count; i++) {
		const struct mirror_config *m = &g->config->mirrors[i];
		if (strcmp(m->source, name) == 0 || strcmp(m->target, name) == 0) {
			error_set(e, ERROR_CONFLICT, "peer %s is used by mirror %s", name, m->name);
			return error_next(e, "drop that mirror first");
		}
	}
	struct peer_config before;
	peer_config_copy(&before, p);
	config_remove_peer(g->config, name);
	bool ok = save_peers(g, e);
	if (!ok) {
		config_put_peer(g->config, &before);
		model_set_config(g->model, g->config);
	}
	peer_config_free(&before);
	return ok;
}

void do_peer_drop(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	(void)stop;
	char object[NAME_SIZE + 16];
	pthread_mutex_lock(&g->lock);
	bool ok = drop_peer(g, c->name, &out->error);
	pthread_mutex_unlock(&g->lock);
	snprintf(object, sizeof(object), "peer %s", c->name);
	if (ok)
		model_event(g->model, EVENT_INFO, object, NULL, "dropped");
}

/* A password that a person typed is of this process, also for a peer of the hand-written file. */
void do_peer_password(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	(void)stop;
	pthread_mutex_lock(&g->lock);
	struct peer_config *p = config_find_peer(g->config, c->name);
	if (!p) {
		error_set(&out->error, ERROR_USAGE, "there is no peer %s", c->name);
	} else if (!p->ask_password) {
		error_set(&out->error, ERROR_CONFIG, "peer %s does not ask for its password", c->name);
	} else {
		password_wipe(p->password);
		p->password = c->peer->password;
		c->peer->password = NULL;
		model_set_config(g->model, g->config);
	}
	pthread_mutex_unlock(&g->lock);
	if (out->error.class != ERROR_NONE || !g->probe_peers)
		return;
	/* A console wants to see whether it was right, and what could not be read without it. */
	submit_probe(g, c->name);
	engine_submit(g, &(struct command){ .kind = COMMAND_MIRROR_REFRESH });
}

/* Slots have one name space in a server, but only those of its mirrors' database are ours. */
static void find_mirrors(struct engine *g, const char *peer, const char *database, struct slot_view *slots,
	size_t n)
{
	char name[NAME_SIZE];
	pthread_mutex_lock(&g->lock);
	for (size_t i = 0; i < g->config->mirror_count; i++) {
		const struct mirror_config *m = &g->config->mirrors[i];
		if (!m->continuous || strcmp(m->source, peer) != 0)
			continue;
		mirror_slot_name(m, name);
		for (size_t k = 0; k < n; k++)
			if (strcmp(slots[k].name, name) == 0 && strcmp(slots[k].database, database) == 0)
				copy_text(slots[k].mirror, sizeof(slots[k].mirror), m->name);
	}
	pthread_mutex_unlock(&g->lock);
}

static bool sample(struct engine *g, const char *peer, struct pg *c, struct error *e)
{
	struct activity_row *rows;
	struct slot_view *slots;
	size_t n;
	if (!activity_read(c, &rows, &n, e))
		return false;
	model_set_activity(g->model, peer, rows, n);
	if (!slots_read(c, &slots, &n, e))
		return false;
	find_mirrors(g, peer, PQdb(pg_conn_borrow(c)), slots, n);
	model_set_slots(g->model, peer, slots, n);
	return true;
}

void do_peer_watch(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct peer_config p;
	if (!engine_peer(g, c->name, &p, &out->error))
		return;
	struct pg *connection = pg_connect(&p, NULL, "activity", stop, &out->error);
	peer_config_free(&p);
	/* The pane asks again while it is shown; one connection serves five samples. */
	for (int i = 0; connection && i < 5; i++)
		if (!sample(g, c->name, connection, &out->error) || !stop_sleep(stop, 1000))
			break;
	pg_free(connection);
}

void do_catalog(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct peer_config p;
	if (!engine_peer(g, c->name, &p, &out->error))
		return;
	struct pg *connection = pg_connect(&p, NULL, "catalog", stop, &out->error);
	if (connection)
		out->catalog = catalog_read(connection, &out->error);
	pg_free(connection);
	peer_config_free(&p);
}
