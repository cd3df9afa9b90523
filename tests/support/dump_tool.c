// SPDX-License-Identifier: PostgreSQL
/* Prints a database's objects as src/schema/dump/dump.h tells them, one JSON object a line: the header first.
 *
 *   dump_tool CONNINFO SERVER_VERSION [SNAPSHOT [BINDIR]]
 *
 * Exit code 2 with the error on stderr. */
#include <stdio.h>
#include <stdlib.h>

#include <pgpier/json.h>

#include "schema/dump/dump.h"

static void print(struct json *j)
{
	puts(j->out.text);
	strbuf_free(&j->out);
}

static void print_header(const struct dump *d)
{
	struct json j = JSON_INIT;
	json_object(&j, NULL);
	json_int(&j, "server_version", d->server_version);
	json_array(&j, "header");
	for (size_t i = 0; i < d->header.count; i++)
		json_text(&j, NULL, d->header.items[i]);
	json_end_array(&j);
	json_end_object(&j);
	print(&j);
}

static void print_entry(const struct dump *d, const struct dump_entry *e)
{
	struct json j = JSON_INIT;
	char schema[NAME_SIZE], table[NAME_SIZE];
	bool belongs = dump_entry_table(d, e, schema, table);
	json_object(&j, NULL);
	json_int(&j, "id", e->id);
	json_text(&j, "section", e->post ? "post" : "pre");
	json_int(&j, "oid", e->oid);
	json_text(&j, "kind", e->kind);
	json_text(&j, "schema", e->schema);
	json_text(&j, "name", e->name);
	json_text(&j, "owner", e->owner);
	json_text(&j, "sql", e->sql);
	json_text(&j, "give_sql", e->give_sql);
	json_text(&j, "settings", e->settings);
	json_text(&j, "table_schema", belongs ? schema : NULL);
	json_text(&j, "table", belongs ? table : NULL);
	json_array(&j, "needs");
	for (size_t i = 0; i < e->need_count; i++)
		json_int(&j, NULL, e->needs[i]);
	json_end_array(&j);
	json_end_object(&j);
	print(&j);
}

int main(int argc, char **argv)
{
	struct peer_config peer = { .name = argv[0], .conninfo = argc > 1 ? argv[1] : NULL };
	struct error e = { 0 };
	struct stop *stop = stop_new(NULL);
	if (argc < 3)
		return 2;
	struct dump *d = dump_new(&peer, "m", argc > 4 ? argv[4] : NULL, atoi(argv[2]),
		argc > 3 && argv[3][0] ? argv[3] : NULL, stop, &e);
	stop_free(stop);
	if (!d) {
		char line[1200];
		fprintf(stderr, "%s: %s\n", error_class_name(e.class), error_line(&e, line, sizeof(line)));
		return 2;
	}
	print_header(d);
	for (size_t i = 0; i < d->count; i++)
		print_entry(d, &d->entries[i]);
	dump_free(d);
	return 0;
}
