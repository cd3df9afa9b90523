// SPDX-License-Identifier: PostgreSQL
/* Prints what src/schema/choose/choose.h makes of a database, one JSON object an entry of its dump.
 *
 *   choose_tool [-s database|tables|none] [-p] [-o keep|map|none] [-a ROLE=ROLE] [-m TABLE=TABLE]
 *               SOURCE TARGET PATTERN...
 *     -p   publications = true
 *
 * Exit code 2 with the error on stderr. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pgpier/json.h>
#include <pgpier/selection.h>

#include "pg/tables.h"
#include "schema/choose/facts.h"

struct tool {
	struct mirror_config mirror;
	struct peer_config source, target;
	struct stop *stop;
};

static int value_of(const char *const *names, int n, const char *text)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return 0;
}

static void add_pair(struct mirror_config *m, bool role, const char *text)
{
	const char *equals = strchr(text, '=');
	char *from = strndup(text, equals ? (size_t)(equals - text) : 0), *to = xstrdup(equals ? equals + 1 : "");
	if (role) {
		GROW(m->roles_map, m->role_map_count);
		m->roles_map[m->role_map_count++] = (struct role_map){ from, to };
	} else {
		GROW(m->map, m->map_count);
		m->map[m->map_count++] = (struct table_map){ from, to };
	}
}

static bool read_options(struct mirror_config *m, int argc, char **argv)
{
	int option;
	m->schema = SCHEMA_DATABASE;
	while ((option = getopt(argc, argv, "s:po:a:m:")) != -1) {
		if (option == 's')
			m->schema = (enum schema_mode)value_of(schema_mode_names, SCHEMA_DATABASE + 1, optarg);
		else if (option == 'p')
			m->publications = true;
		else if (option == 'o')
			m->owners = (enum owners)value_of(owners_names, OWNERS_NONE + 1, optarg);
		else if (option == 'a' || option == 'm')
			add_pair(m, option == 'a', optarg);
		else
			return false;
	}
	for (int i = optind + 2; i < argc; i++)
		strings_add(&m->tables, argv[i]);
	return argc >= optind + 2;
}

static bool read_facts(struct tool *t, struct pg *source, struct pg *target, struct choose_facts *out, struct error *e)
{
	struct table_info *all;
	struct schema_table *tables = NULL;
	size_t n, count = 0;
	if (!tables_read(source, &all, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!selection_takes(&t->mirror, all[i].schema, all[i].name))
			continue;
		GROW(tables, count);
		tables[count] = (struct schema_table){ .oid = all[i].oid };
		copy_text(tables[count].source_schema, NAME_SIZE, all[i].schema);
		copy_text(tables[count++].source_name, NAME_SIZE, all[i].name);
	}
	tables_free(all, n);
	bool ok = choose_facts_read(source, target, tables, count, out, e);
	free(tables);
	return ok;
}

static void print(const struct dump_entry *entry, const struct chosen *c)
{
	static const char *const names[] = { "make", "mirror", "left out", "blocked" };
	struct json j = JSON_INIT;
	json_object(&j, NULL);
	json_text(&j, "choice", names[c->choice]);
	json_text(&j, "kind", entry->kind);
	json_text(&j, "schema", entry->schema);
	json_text(&j, "name", entry->name);
	json_text(&j, "why", c->why);
	json_text(&j, "dropped", c->dropped);
	json_text(&j, "settings", entry->settings);
	json_text(&j, "sql", c->sql);
	json_text(&j, "give_sql", c->give_sql);
	json_end_object(&j);
	puts(j.out.text);
	strbuf_free(&j.out);
}

static bool work(struct tool *t, struct pg *source, struct pg *target, struct error *e)
{
	struct choose_facts facts;
	if (!read_facts(t, source, target, &facts, e))
		return false;
	struct dump *d = dump_new(&t->source, "m", NULL, pg_version(source), NULL, t->stop, e);
	struct chosen *chosen = d ? choose(d, &t->mirror, &facts) : NULL;
	for (size_t i = 0; d && i < d->count; i++)
		print(&d->entries[i], &chosen[i]);
	if (d)
		chosen_free(chosen, d->count);
	choose_facts_free(&facts);
	bool ok = d != NULL;
	dump_free(d);
	return ok;
}

int main(int argc, char **argv)
{
	struct tool t = { 0 };
	struct error e = { 0 };
	mirror_config_defaults(&t.mirror);
	if (!read_options(&t.mirror, argc, argv)) {
		fputs("usage: choose_tool [-s MODE] [-p] [-o OWNERS] [-a A=B] [-m A=B] SOURCE TARGET PATTERN...\n", stderr);
		return 2;
	}
	t.source = (struct peer_config){ .name = xstrdup("source"), .conninfo = xstrdup(argv[optind]) };
	t.target = (struct peer_config){ .name = xstrdup("target"), .conninfo = xstrdup(argv[optind + 1]) };
	t.stop = stop_new(NULL);
	struct pg *source = pg_connect(&t.source, NULL, "schema", t.stop, &e);
	struct pg *target = source ? pg_connect(&t.target, NULL, "schema", t.stop, &e) : NULL;
	bool ok = target && work(&t, source, target, &e);
	if (!ok) {
		char line[1200];
		fprintf(stderr, "%s\n", error_line(&e, line, sizeof(line)));
	}
	pg_free(source);
	pg_free(target);
	stop_free(t.stop);
	mirror_config_free(&t.mirror);
	peer_config_free(&t.source);
	peer_config_free(&t.target);
	return ok ? 0 : 2;
}
