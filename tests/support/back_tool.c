// SPDX-License-Identifier: PostgreSQL
/* The way back of src/cutover/way_back.h, one call at a time: the moments of a cutover without its machine.
 *
 *   back_tool CONFIG config MIRROR      writes the mirror that leads back to mirrors.conf
 *   back_tool CONFIG check MIRROR       "blocking ..." and "note ..." lines
 *   back_tool CONFIG prepare|begin|undo MIRROR
 *   back_tool CONFIG disarm MIRROR      what the mirror itself has on its source
 *   back_tool CONFIG commit MIRROR      the mirror is cut over, as its store has it
 *   back_tool CONFIG remains|finish MIRROR   and the lines of what is left
 *
 * MIRROR is the one that is cut over; the one that leads back is that whose reverse_of it is, or for a rollback the
 * one that it is the reverse of. Exit code 2 with the error on stderr. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cutover/finish.h"
#include "cutover/way_back.h"
#include "store/cutover.h"

struct tool {
	struct config *config;
	const struct mirror_config *mirror;
	struct stop *stop;
	struct pg *from, *to; /* the mirror's target and source */
	struct store_mirror store;
};

static const struct mirror_config *back_of(const struct tool *t)
{
	if (t->mirror->reverse_of)
		return config_find_mirror(t->config, t->mirror->reverse_of);
	for (size_t i = 0; i < t->config->mirror_count; i++) {
		const struct mirror_config *m = &t->config->mirrors[i];
		if (m->reverse_of && strcmp(m->reverse_of, t->mirror->name) == 0)
			return m;
	}
	return NULL;
}

static struct way_back way_of(const struct tool *t)
{
	return (struct way_back){
		.config = back_of(t),
		.from_peer = config_find_peer(t->config, t->mirror->target),
		.to_peer = config_find_peer(t->config, t->mirror->source),
		.from = t->from,
		.to = t->to,
		.stop = t->stop,
	};
}

static bool write_config(struct tool *t, struct error *e)
{
	struct mirror_config back;
	char name[NAME_SIZE];
	way_back_config(t->mirror, &t->store, &back);
	way_back_name(t->config, t->mirror->name, name);
	free(back.name);
	back.name = xstrdup(name);
	if (!way_back_leave_out(t->from, t->to, &t->store, &back, e) || !mirror_config_check(&back, e)) {
		mirror_config_free(&back);
		return false;
	}
	printf("%s\n", back.name);
	config_put_mirror(t->config, &back);
	return config_save_mirrors(t->config, e);
}

static bool check(struct tool *t, struct error *e)
{
	struct strings blocking = { 0 }, notes = { 0 };
	const struct way_back w = way_of(t);
	bool ok = way_back_check(&w, &blocking, &notes, e);
	for (size_t i = 0; i < blocking.count; i++)
		printf("blocking %s\n", blocking.items[i]);
	for (size_t i = 0; i < notes.count; i++)
		printf("note %s\n", notes.items[i]);
	strings_free(&blocking);
	strings_free(&notes);
	return ok;
}

static bool prepare(struct tool *t, struct error *e)
{
	const struct way_back w = way_of(t);
	return way_back_prepare(&w, &t->store, e);
}

static bool begin(struct tool *t, struct error *e)
{
	const struct way_back w = way_of(t);
	return way_back_begin(&w, e);
}

static bool undo(struct tool *t, struct error *e)
{
	const struct way_back w = way_of(t);
	return way_back_undo(&w, e);
}

static bool disarm(struct tool *t, struct error *e)
{
	return way_back_disarm(t->mirror, config_find_peer(t->config, t->mirror->source), t->from, t->stop, e);
}

static bool commit(struct tool *t, struct error *e)
{
	int64_t id;
	return store_cutover_begin(t->from, t->store.id, 300, "", &id, e) &&
		   store_cutover_commit(t->from, id, "", 1.0, e) && store_reopen(t->to, back_of(t)->name, e);
}

static bool end(struct tool *t, bool drop, struct error *e)
{
	struct strings remains = { 0 };
	const struct finish_settings s = { t->mirror, back_of(t), config_find_peer(t->config, t->mirror->source),
		config_find_peer(t->config, t->mirror->target), t->stop };
	bool ok = drop ? cutover_finish(&s, &remains, e) : finish_remains(&s, &remains, e);
	for (size_t i = 0; i < remains.count; i++)
		printf("%s\n", remains.items[i]);
	strings_free(&remains);
	return ok;
}

static bool remain(struct tool *t, struct error *e)
{
	return end(t, false, e);
}

static bool finish(struct tool *t, struct error *e)
{
	return end(t, true, e);
}

static const struct command {
	const char *name;
	bool (*run)(struct tool *t, struct error *e);
} commands[] = {
	{ "config", write_config },
	{ "check", check },
	{ "prepare", prepare },
	{ "begin", begin },
	{ "undo", undo },
	{ "disarm", disarm },
	{ "commit", commit },
	{ "remains", remain },
	{ "finish", finish },
};

static bool connect_both(struct tool *t, struct error *e)
{
	bool found;
	t->from = pg_connect(config_find_peer(t->config, t->mirror->target), t->mirror->name, "cutover", t->stop, e);
	t->to = t->from
		? pg_connect(config_find_peer(t->config, t->mirror->source), t->mirror->name, "cutover", t->stop, e) : NULL;
	return t->to && store_read(t->from, t->mirror->name, &t->store, &found, e);
}

static bool run(struct tool *t, const char *command, struct error *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, command) == 0)
			return connect_both(t, e) && commands[i].run(t, e);
	return error_set(e, ERROR_USAGE, "no such command");
}

int main(int argc, char **argv)
{
	struct config_problems problems = { 0 };
	struct error e = { 0 };
	if (argc != 4)
		return 64;
	struct tool t = { .config = config_load(argv[1], &problems), .stop = stop_new(NULL) };
	t.mirror = t.config ? config_find_mirror(t.config, argv[3]) : NULL;
	bool ok = t.mirror && run(&t, argv[2], &e);
	if (!ok)
		fprintf(stderr, "%s; %s\n", t.mirror ? e.text : "no such mirror, or a configuration that can't be read", e.next);
	for (size_t i = 0; i < problems.lines.count; i++)
		fprintf(stderr, "%s\n", problems.lines.items[i]);
	store_mirror_free(&t.store);
	pg_free(t.from);
	pg_free(t.to);
	stop_free(t.stop);
	config_free(t.config);
	config_problems_free(&problems);
	return ok ? 0 : 2;
}
