// SPDX-License-Identifier: PostgreSQL
/* Copies large objects without the engine, as mirror "m" of the target.
 *
 *   large_tool [-a A=B]... [-o owners] [-c] [-s SQL] SOURCE TARGET
 *     -a A=B   roles_map
 *     -o MODE  keep, map or none
 *     -c       continuous
 *     -s SQL   run on the source once its snapshot is taken, by another connection
 *
 * Prints what was copied, then a line a note. Exit code 1 and the error when it fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load/large_objects.h"
#include "store/store.h"

struct tool {
	struct mirror_config mirror;
	const char *meanwhile;
	struct peer_config peers[2];
	struct stop *stop;
	struct pg *source, *target;
};

static void add_role(struct mirror_config *m, const char *text)
{
	const char *equals = strchr(text, '=');
	GROW(m->roles_map, m->role_map_count);
	m->roles_map[m->role_map_count++] = (struct role_map){
		.source = strndup(text, equals ? (size_t)(equals - text) : 0),
		.target = xstrdup(equals ? equals + 1 : ""),
	};
}

static bool read_options(struct tool *t, int argc, char **argv)
{
	int option;
	while ((option = getopt(argc, argv, "a:o:cs:")) != -1) {
		if (option == 'a')
			add_role(&t->mirror, optarg);
		else if (option == 'c')
			t->mirror.continuous = true;
		else if (option == 's')
			t->meanwhile = optarg;
		else if (option != 'o')
			return false;
		for (int i = OWNERS_KEEP; option == 'o' && i <= OWNERS_NONE; i++)
			if (strcmp(owners_names[i], optarg) == 0)
				t->mirror.owners = (enum owners)i;
	}
	return argc == optind + 2;
}

/* The snapshot is taken by the first statement of the transaction. */
static bool begin(struct tool *t, struct error *e)
{
	if (!pg_run(t->source, e, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY") ||
		!pg_run(t->source, e, "SELECT 1"))
		return false;
	struct pg *other = t->meanwhile ? pg_connect(&t->peers[0], NULL, "other", t->stop, e) : NULL;
	bool ok = !t->meanwhile || (other && pg_run(other, e, t->meanwhile));
	pg_free(other);
	return ok;
}

static bool find_mirror(struct pg *target, int64_t *id, struct error *e)
{
	struct store_mirror known;
	bool found;
	if (!store_prepare(target, e) || !store_read(target, "m", &known, &found, e))
		return false;
	*id = found ? known.id : 0;
	if (found)
		store_mirror_free(&known);
	return found || store_create(target, "m", "source", id, e);
}

static bool copy(struct tool *t, struct error *e)
{
	struct large_objects l = { .mirror = &t->mirror };
	bool ok = find_mirror(t->target, &l.id, e) && begin(t, e) && large_objects_copy(&l, t->source, t->target, e);
	if (ok) {
		char *text = large_objects_text(&l);
		printf("%s; %lld bytes, %lld unread\n", text, (long long)l.bytes, (long long)l.unread);
		free(text);
	}
	for (size_t i = 0; i < l.notes.count; i++)
		puts(l.notes.items[i]);
	large_objects_free(&l);
	return ok;
}

int main(int argc, char **argv)
{
	struct tool t = { 0 };
	struct error e = { 0 };
	char line[1200];
	mirror_config_defaults(&t.mirror);
	if (!read_options(&t, argc, argv)) {
		fputs("usage: large_tool [-a A=B] [-o keep|map|none] [-c] [-s SQL] SOURCE TARGET\n", stderr);
		return 2;
	}
	t.peers[0] = (struct peer_config){ .name = xstrdup("source"), .conninfo = xstrdup(argv[optind]) };
	t.peers[1] = (struct peer_config){ .name = xstrdup("target"), .conninfo = xstrdup(argv[optind + 1]) };
	t.stop = stop_new(NULL);
	t.source = pg_connect(&t.peers[0], NULL, "load", t.stop, &e);
	t.target = t.source ? pg_connect(&t.peers[1], NULL, "load", t.stop, &e) : NULL;
	bool ok = t.target && copy(&t, &e);
	if (!ok)
		puts(error_line(&e, line, sizeof(line)));
	pg_free(t.source);
	pg_free(t.target);
	stop_free(t.stop);
	mirror_config_free(&t.mirror);
	peer_config_free(&t.peers[0]);
	peer_config_free(&t.peers[1]);
	return !ok;
}
