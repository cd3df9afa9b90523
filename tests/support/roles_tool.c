// SPDX-License-Identifier: PostgreSQL
/* roles_tool SOURCE TARGET [FROM=TO ...]: one line for each role that the source's database needs
 * and the target lacks, by a roles_map of those words. Servers are libpq strings. Exit code 2 with
 * the error on stderr. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/roles/roles.h"

static struct pg *connect_to(
	const char *name, char *conninfo, const struct stop *stop, struct error *e)
{
	const struct peer_config peer = { .name = (char *)(uintptr_t)name, .conninfo = conninfo };
	return pg_connect(&peer, NULL, "test", stop, e);
}

static void add_map(struct mirror_config *m, char *word)
{
	char *equals = strchr(word, '=');
	*equals = '\0';
	GROW(m->roles_map, m->role_map_count);
	m->roles_map[m->role_map_count++] = (struct role_map){ xstrdup(word), xstrdup(equals + 1) };
}

int main(int argc, char **argv)
{
	struct error e = { 0 };
	struct strings missing = { 0 };
	struct mirror_config m;
	mirror_config_defaults(&m);
	for (int i = 3; i < argc; i++)
		add_map(&m, argv[i]);
	struct stop *stop = stop_new(NULL);
	struct pg *source = connect_to("source", argv[1], stop, &e);
	struct pg *target = source ? connect_to("target", argv[2], stop, &e) : NULL;
	bool ok = target && roles_missing(source, target, &m, &missing, &e);
	for (size_t i = 0; i < missing.count; i++)
		puts(missing.items[i]);
	if (!ok)
		fprintf(stderr, "%s\n", e.text);
	strings_free(&missing);
	mirror_config_free(&m);
	pg_free(source);
	pg_free(target);
	stop_free(stop);
	return ok ? 0 : 2;
}
