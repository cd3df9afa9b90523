// SPDX-License-Identifier: PostgreSQL
/* The end of a migration: nobody wants to go back any more. Both mirrors are stopped, what they had on the servers
 * goes, the one that leads back goes from the configuration, and the first is marked, so that nobody copies over the
 * application's data by running it again. */
#include <stdio.h>
#include <string.h>

#include "../cutover/finish.h"
#include "inside.h"

/* The mirror whose way back it is `name`; false: none is configured. */
static bool find_back(struct engine *g, const char *name, struct mirror_config *out)
{
	const struct mirror_config *found = NULL;
	pthread_mutex_lock(&g->lock);
	for (size_t i = 0; i < g->config->mirror_count && !found; i++)
		if (g->config->mirrors[i].reverse_of && strcmp(g->config->mirrors[i].reverse_of, name) == 0)
			found = &g->config->mirrors[i];
	if (found)
		mirror_config_copy(out, found);
	pthread_mutex_unlock(&g->lock);
	return found != NULL;
}

static bool mark(struct engine *g, const struct mirror_config *m, struct strings *remains, struct error *e)
{
	struct mirror_config copy;
	char line[256];
	if (!m->editable) {
		snprintf(line, sizeof(line), "mirror %s is in the hand-written file: remove it, or give it finished = true,"
			" because to run it again would copy the old source over its target", m->name);
		strings_add(remains, line);
		return true;
	}
	mirror_config_copy(&copy, m);
	copy.finished = true;
	pthread_mutex_lock(&g->lock);
	bool ok = engine_put_mirror(g, &copy, e);
	pthread_mutex_unlock(&g->lock);
	if (!ok)
		mirror_config_free(&copy);
	return ok;
}

static void tell(struct engine *g, const char *name, const struct strings *remains, bool finished)
{
	struct cutover_view v;
	char object[NAME_SIZE + 16];
	if (!model_cutover(g->model, name, &v))
		v = (struct cutover_view){ .phase = CUTOVER_DONE, .closed_s = -1, .forecast_s = -1 };
	strings_free(&v.remains);
	strings_copy(&v.remains, remains);
	v.back[0] = '\0';
	model_cutover_set(g->model, name, &v);
	cutover_view_free(&v);
	snprintf(object, sizeof(object), "mirror %s", name);
	for (size_t i = 0; i < remains->count; i++) /* a fence's statements are nowhere else from now on */
		model_event(g->model, EVENT_WARNING, object, NULL, "what remains: %s", remains->items[i]);
	if (finished)
		model_event(g->model, EVENT_INFO, object, NULL, "finished: what pgpier made on both servers is gone");
}

static bool finish(struct engine *g, const struct finish_settings *s, struct strings *remains, struct error *e)
{
	bool ok = cutover_finish(s, remains, e) && (!s->back || engine_remove_mirror(g, s->back->name, e)) &&
			  mark(g, s->mirror, remains, e);
	tell(g, s->mirror->name, remains, ok);
	return ok || error_prefix(e, "mirror %s", s->mirror->name);
}

void do_finish(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	struct mirror_config m, back;
	struct peer_config source, target;
	struct strings remains = { 0 };
	if (!engine_mirror(g, c->name, &m, &source, &target, &out->error))
		return;
	bool leads_back = find_back(g, c->name, &back);
	engine_end_mirror(g, c->name);
	if (leads_back)
		engine_end_mirror(g, back.name);
	struct finish_settings s = { .mirror = &m, .back = leads_back ? &back : NULL, .source = &source, .target = &target,
		.stop = stop };
	if (finish(g, &s, &remains, &out->error))
		out->error.class = ERROR_NONE;
	strings_free(&remains);
	if (leads_back)
		mirror_config_free(&back);
	mirror_config_free(&m);
	peer_config_free(&source);
	peer_config_free(&target);
}
