// SPDX-License-Identifier: PostgreSQL
/* What a process left running: a console writes down, in the file `running` of its state directory, which mirrors run
 * in it. The next one finds there what a crash, a reboot or a stop has interrupted, and goes on with it at once
 * (resume = "auto") or when it is told to. Names only: where each stood is known to its target. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inside.h"

struct left {
	char *path;
	struct strings written; /* the file, sorted; the monitor's own after the start */

	/* protected by the engine's lock */
	struct strings found; /* nobody has decided about them yet */
	bool wanted;          /* they are to go on, as soon as they can */
};

static bool listed(const struct strings *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->items[i], name) == 0)
			return true;
	return false;
}

static bool same(const struct strings *a, const struct strings *b)
{
	bool same = a->count == b->count;
	for (size_t i = 0; i < a->count && same; i++)
		same = strcmp(a->items[i], b->items[i]) == 0;
	return same;
}

/* A name that the configuration does not have any more says nothing. */
static void read_left(struct left *l, const struct config *c)
{
	char line[NAME_SIZE + 2];
	FILE *f = fopen(l->path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		const struct mirror_config *m = config_find_mirror(c, line);
		strings_add(&l->written, line);
		if (m && !m->finished)
			strings_add(&l->found, line);
	}
	fclose(f);
	strings_sort(&l->written);
}

struct left *left_new(const char *state_dir, const struct config *c)
{
	struct left *l = xcalloc(1, sizeof(*l));
	l->path = xasprintf("%s/running", state_dir);
	l->wanted = c->resume == RESUME_AUTO;
	read_left(l, c);
	return l;
}

void left_free(struct left *l)
{
	if (!l)
		return;
	strings_free(&l->written);
	strings_free(&l->found);
	free(l->path);
	free(l);
}

/* A reader finds the old names or the new ones. */
static bool write_names(const struct left *l, const struct strings *names)
{
	struct strbuf text = STRBUF_INIT;
	char *temporary = xasprintf("%s.new", l->path);
	for (size_t i = 0; i < names->count; i++)
		strbuf_addf(&text, "%s\n", names->items[i]);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write(fd, text.text ? text.text : "", text.len) == (ssize_t)text.len && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	ok = ok && rename(temporary, l->path) == 0;
	free(temporary);
	strbuf_free(&text);
	return ok;
}

static void write_running(struct engine *g)
{
	struct strings now = { 0 };
	pthread_mutex_lock(&g->lock);
	for (const struct running *r = g->running; r; r = r->next)
		if (!r->ending && mirror_running(r->mirror))
			strings_add(&now, r->name);
	for (size_t i = 0; i < g->left->found.count; i++)
		if (!listed(&now, g->left->found.items[i]))
			strings_add(&now, g->left->found.items[i]);
	pthread_mutex_unlock(&g->lock);
	strings_sort(&now);
	/* An engine that ends stops its mirrors: they are what it leaves. */
	if (stop_raised(g->stop) || same(&now, &g->left->written) || !write_names(g->left, &now)) {
		strings_free(&now);
		return;
	}
	strings_free(&g->left->written);
	g->left->written = now;
}

static bool knows_password(struct engine *g, const char *peer)
{
	const struct peer_config *p = config_find_peer(g->config, peer);
	return !p || !p->ask_password || p->password;
}

/* The next one that can go on; those whose password has to be typed wait for that. With the lock held. */
static bool take_ready(struct engine *g, char name[NAME_SIZE])
{
	struct strings *found = &g->left->found;
	for (size_t i = 0; i < found->count; i++) {
		const struct mirror_config *m = config_find_mirror(g->config, found->items[i]);
		if (m && !(knows_password(g, m->source) && knows_password(g, m->target)))
			continue;
		copy_text(name, NAME_SIZE, found->items[i]);
		free(found->items[i]);
		found->items[i] = found->items[--found->count];
		if (m)
			return true;
		i--;
	}
	return false;
}

static bool take_wanted(struct engine *g, char name[NAME_SIZE])
{
	pthread_mutex_lock(&g->lock);
	bool any = g->left->wanted && take_ready(g, name);
	pthread_mutex_unlock(&g->lock);
	return any;
}

void left_tick(struct engine *g)
{
	struct command c = { .kind = COMMAND_MIRROR_RUN };
	char object[NAME_SIZE + 16];
	if (!g->left)
		return;
	while (take_wanted(g, c.name)) {
		snprintf(object, sizeof(object), "mirror %s", c.name);
		model_event(g->model, EVENT_INFO, object, NULL, "was running when pgpier ended: goes on");
		struct command one = c;
		engine_submit(g, &one);
		g->left_started = true;
	}
	/* What has just been told to go on does not run yet. */
	if (!g->left_started)
		write_running(g);
	g->left_started = false;
}

void do_left_resume(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	(void)c;
	(void)stop;
	(void)out;
	pthread_mutex_lock(&g->lock);
	if (g->left)
		g->left->wanted = true;
	pthread_mutex_unlock(&g->lock);
}

void do_left_forget(struct engine *g, struct command *c, const struct stop *stop, struct outcome *out)
{
	(void)c;
	(void)stop;
	(void)out;
	pthread_mutex_lock(&g->lock);
	if (g->left)
		strings_free(&g->left->found);
	pthread_mutex_unlock(&g->lock);
}

void engine_left(struct engine *g, struct strings *out)
{
	struct strings none = { 0 };
	pthread_mutex_lock(&g->lock);
	strings_copy(out, g->left && !g->left->wanted ? &g->left->found : &none);
	pthread_mutex_unlock(&g->lock);
}
