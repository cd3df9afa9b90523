// SPDX-License-Identifier: PostgreSQL
/* The tables of keys, and the rules that one key has with another. */
#include "fields.h"

#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include <pgpier/selection.h>

const char *const chunking_names[] = { "auto", "ntile", "ctid", NULL };
const char *const transfer_names[] = { "auto", "copy", "fetch", NULL };
const char *const schema_mode_names[] = { "tables", "none", "database", NULL };
const char *const existing_rows_names[] = { "refuse", "truncate", "append", NULL };
const char *const freeze_names[] = { "fence", "wait", NULL };
const char *const resume_names[] = { "ask", "auto", NULL };
const char *const final_verify_names[] = { "changed", "all", NULL };
const char *const owners_names[] = { "keep", "map", "none", NULL };

static const char *const sslmodes[] = { "disable", "allow", "prefer", "require", "verify-ca",
	"verify-full", NULL };

#define MEMBER(kind, owner, member)                                                                \
	.name = #member, .type = FIELD_##kind, .offset = offsetof(struct owner, member)
#define BESIDE(owner, member) .beside = offsetof(struct owner, member)
#define RANGE(least, most) .min = (least), .max = (most)

static const struct field peer_fields[] = {
	{ MEMBER(TEXT, peer_config, name), .required = true },
	{ MEMBER(TEXT, peer_config, conninfo), .secret = true },
	{ MEMBER(TEXT, peer_config, host) },
	{ MEMBER(INT, peer_config, port), RANGE(1, 65535), .may_be_0 = true },
	{ MEMBER(TEXT, peer_config, dbname) },
	{ MEMBER(TEXT, peer_config, user) },
	{ MEMBER(PASSWORD, peer_config, password), BESIDE(peer_config, ask_password), .secret = true },
	{ MEMBER(TEXT, peer_config, password_command) },
	{ MEMBER(TEXT, peer_config, passfile) },
	{ MEMBER(TEXT, peer_config, service) },
	{ MEMBER(TEXT, peer_config, sslmode), .choices = sslmodes },
	{ MEMBER(TEXT, peer_config, sslrootcert) },
	{ MEMBER(TEXT, peer_config, sslcert) },
	{ MEMBER(TEXT, peer_config, sslkey) },
	{ MEMBER(TEXT, peer_config, options) },
	{ MEMBER(TEXT, peer_config, pgbouncer), .secret = true },
	{ MEMBER(TEXT, peer_config, pgbouncer_database) },
	{ MEMBER(INT, peer_config, connect_timeout), RANGE(0, 3600), .may_be_0 = true },
	{ NULL },
};

static const struct field column_map_fields[] = {
	{ MEMBER(TEXT, column_map, source), .required = true },
	{ MEMBER(TEXT, column_map, target), .required = true },
	{ NULL },
};

static const struct field map_fields[] = {
	{ MEMBER(TEXT, table_map, source), .required = true },
	{ MEMBER(TEXT, table_map, target) },
	{ MEMBER(RECORDS, table_map, columns), BESIDE(table_map, column_count),
		.record = &column_map_record },
	{ NULL },
};

static const struct field role_map_fields[] = {
	{ MEMBER(TEXT, role_map, source), .required = true },
	{ MEMBER(TEXT, role_map, target), .required = true },
	{ NULL },
};

static const struct field mirror_fields[] = {
	{ MEMBER(TEXT, mirror_config, name), .required = true },
	{ MEMBER(TEXT, mirror_config, source), .required = true },
	{ MEMBER(TEXT, mirror_config, target), .required = true },
	{ MEMBER(TEXTS, mirror_config, tables) },
	{ MEMBER(TEXTS, mirror_config, exclude) },
	{ MEMBER(TEXTS, mirror_config, columns_exclude) },
	{ MEMBER(RECORDS, mirror_config, map), BESIDE(mirror_config, map_count),
		.record = &map_record },
	{ MEMBER(BOOL, mirror_config, continuous) },
	{ MEMBER(BOOL, mirror_config, soft_delete) },
	{ MEMBER(BOOL, mirror_config, sync_columns) },
	{ MEMBER(TEXT, mirror_config, synced_at_column), .required = true,
		.initial_text = "_pgpier_synced_at" },
	{ MEMBER(TEXT, mirror_config, is_deleted_column), .required = true,
		.initial_text = "_pgpier_is_deleted" },
	{ MEMBER(TEXT, mirror_config, publication) },
	{ MEMBER(TEXT, mirror_config, slot) },
	{ MEMBER(INT, mirror_config, batch_size), RANGE(1, 10000000), .initial = 50000 },
	{ MEMBER(INT, mirror_config, sync_interval_ms), RANGE(0, 3600000) },
	{ MEMBER(REAL, mirror_config, caught_up_s), RANGE(0, 86400), .initial = 1 },
	{ MEMBER(TEXT, mirror_config, alert_command) },
	{ MEMBER(REAL, mirror_config, alert_lag_s), RANGE(0, 31536000), .initial = 60 },
	{ MEMBER(INT64, mirror_config, alert_retained_mb), RANGE(0, INT64_C(1000000000000)),
		.initial = 10000 },
	{ MEMBER(CHOICE, mirror_config, schema), .choices = schema_mode_names },
	{ MEMBER(CHOICE, mirror_config, owners), .choices = owners_names },
	{ MEMBER(RECORDS, mirror_config, roles_map), BESIDE(mirror_config, role_map_count),
		.record = &role_map_record },
	{ MEMBER(BOOL, mirror_config, publications) },
	{ MEMBER(TEXT, mirror_config, pg_bindir) },
	{ MEMBER(TEXT, mirror_config, maintenance_work_mem) },
	{ MEMBER(INT, mirror_config, build_workers), RANGE(-1, 64), .initial = -1 },
	{ MEMBER(CHOICE, mirror_config, on_existing_rows), .choices = existing_rows_names },
	{ MEMBER(INT64, mirror_config, rows_per_chunk), RANGE(1, INT64_C(1000000000000)),
		.initial = 250000 },
	{ MEMBER(INT, mirror_config, workers), RANGE(1, 64), .initial = 4 },
	{ MEMBER(INT, mirror_config, tables_in_parallel), RANGE(1, 64), .initial = 4 },
	{ MEMBER(CHOICE, mirror_config, chunking), .choices = chunking_names },
	{ MEMBER(CHOICE, mirror_config, transfer), .choices = transfer_names },
	{ MEMBER(INT, mirror_config, rate_limit_mb), RANGE(0, 100000) },
	{ MEMBER(CHOICE, mirror_config, freeze), .choices = freeze_names },
	{ MEMBER(TEXT, mirror_config, freeze_command) },
	{ MEMBER(TEXT, mirror_config, unfreeze_command) },
	{ MEMBER(TEXT, mirror_config, open_command) },
	{ MEMBER(TEXTS, mirror_config, allow) },
	{ MEMBER(CHOICE, mirror_config, cutover_verify), .choices = final_verify_names },
	{ MEMBER(INT, mirror_config, cutover_limit_s), RANGE(5, 86400), .initial = 300 },
	{ MEMBER(TEXT, mirror_config, reverse_of) },
	{ MEMBER(BOOL, mirror_config, finished) },
	{ NULL },
};

static const struct field config_fields[] = {
	{ MEMBER(CHOICE, config, resume), .choices = resume_names },
	{ MEMBER(TEXT, config, pg_bindir) },
	{ MEMBER(RECORDS, config, peers), BESIDE(config, peer_count), .record = &peer_record },
	{ MEMBER(RECORDS, config, mirrors), BESIDE(config, mirror_count), .record = &mirror_record },
	{ NULL },
};

static void check_name(const char *name, struct complaints *c)
{
	if (name && name[0] != '\0' && !config_name_ok(name))
		complain(c, "name",
			"name must be 1 to 63 letters, digits, _ - or . and begin with none of - ., "
			"not \"%s\"",
			name);
}

bool conninfo_parses(const char *conninfo, bool *has_password)
{
	char *message = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &message);
	*has_password = false;
	for (PQconninfoOption *o = options; o && o->keyword; o++)
		if (o->val &&
			(strcmp(o->keyword, "password") == 0 || strcmp(o->keyword, "sslpassword") == 0))
			*has_password = true;
	bool ok = options != NULL;
	PQconninfoFree(options); /* both accept NULL */
	PQfreemem(message);      /* may quote a piece of the password, so nobody gets to see it */
	return ok;
}

static void check_conninfo(const struct peer_config *p, struct complaints *c)
{
	static const char *const with_conninfo[] = { "name", "conninfo", "password_command",
		"pgbouncer", "pgbouncer_database", NULL };
	bool has_password;
	if (!conninfo_parses(p->conninfo, &has_password))
		complain(c, "conninfo",
			"conninfo is no connection string or URI that libpq understands; "
			"psql with the same text says where it stops");
	for (const struct field *f = peer_fields; f->name; f++) {
		bool given =
			f->type == FIELD_INT ? field_number(f, p) != 0 : field_text_borrow(f, p) != NULL;
		if (f->type == FIELD_PASSWORD && p->ask_password)
			given = false; /* asked for, it is not part of what is written down */
		if (given && choice_index(with_conninfo, f->name) < 0)
			complain(
				c, f->name, "%s can't be given beside conninfo; put it into that string", f->name);
	}
}

static void check_pgbouncer(const struct peer_config *p, struct complaints *c)
{
	bool has_password;
	if (p->pgbouncer && p->pgbouncer[0] != '\0' && !conninfo_parses(p->pgbouncer, &has_password))
		complain(c, "pgbouncer", "pgbouncer is no connection string or URI that libpq understands; "
								 "it is that of the admin console: \"host=... port=6432 user=...\"");
}

static void check_peer(const void *value, struct complaints *c)
{
	const struct peer_config *p = value;
	check_name(p->name, c);
	check_pgbouncer(p, c);
	if (p->conninfo && p->conninfo[0] != '\0')
		check_conninfo(p, c);
	if (p->password_command && p->password_command[0] != '\0' &&
		(p->ask_password || (p->password && p->password[0] != '\0')))
		complain(c, "password", "password can't be given beside password_command");
	if (!p->ask_password && p->password && strcmp(p->password, "ask") == 0)
		complain(c, "password", "password can't be the word \"ask\", which means: ask for it");
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The same text of one field in two records of a list: the same source, or the same target. */
static void check_twins_of(const struct field *list, const struct field *f, const void *value,
	struct complaints *c)
{
	size_t count = records_count(list, value), n = 0;
	const char **texts = xcalloc(count, sizeof(*texts));
	for (size_t i = 0; i < count; i++)
		if (field_text_borrow(f, records_at(list, value, i)))
			texts[n++] = field_text_borrow(f, records_at(list, value, i));
	qsort(texts, n, sizeof(*texts), compare_texts);
	for (size_t i = 1; i < n; i++)
		if (strcmp(texts[i - 1], texts[i]) == 0)
			complain(c, list->name, "%s has the %s \"%s\" twice", list->name, f->name, texts[i]);
	free(texts);
}

static void check_twins(const struct field *list, const void *value, struct complaints *c)
{
	for (const struct field *f = list->record->fields; f->name; f++)
		if (f->type == FIELD_TEXT)
			check_twins_of(list, f, value, c);
}

/* An identifier of PostgreSQL, as it would stand between double quotes. */
static void check_identifier(const char *name, const char *field, struct complaints *c)
{
	if (name && strlen(name) >= NAME_SIZE)
		complain(c, field, "%s must be at most 63 bytes, not \"%s\"", field, name);
}

static void check_column_map(const void *value, struct complaints *c)
{
	const struct column_map *column = value;
	check_identifier(column->source, "source", c);
	check_identifier(column->target, "target", c);
}

/* Names that go round would need an order, and a reader who keeps both sides apart. */
static void check_rounds(const struct table_map *map, struct complaints *c)
{
	for (size_t i = 0; i < map->column_count; i++)
		for (size_t k = 0; k < map->column_count; k++)
			if (i != k && map->columns[i].target && map->columns[k].source &&
				strcmp(map->columns[i].target, map->columns[k].source) == 0)
				complain(c, "columns",
					"columns gives \"%s\" the name of \"%s\", which gets another name itself",
					map->columns[i].source ? map->columns[i].source : "", map->columns[k].source);
}

static void check_map(const void *value, struct complaints *c)
{
	const struct table_map *map = value;
	char schema[NAME_SIZE], name[NAME_SIZE];
	if (map->source && map->source[0] != '\0' && !strchr(map->source, '.'))
		complain(c, "source", "source must be schema.table, not \"%s\"", map->source);
	if (map->target && map->target[0] != '\0' && !selection_split(map->target, schema, name))
		complain(c, "target", "target must be schema.table, each of 1 to 63 bytes, not \"%s\"",
			map->target);
	if ((!map->target || map->target[0] == '\0') && map->column_count == 0)
		complain(c, "target", "target is missing, and there are no columns to rename");
	check_twins(record_field(&map_record, "columns"), map, c);
	check_rounds(map, c);
}

/* A pattern that can match no table is a typing error that would lose the table in silence. */
static void check_patterns(const struct strings *l, const char *field, struct complaints *c)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->items[i][0] != '\0' && !strpbrk(l->items[i], ".*?["))
			complain(
				c, field, "%s: \"%s\" can match no table; write schema.table", field, l->items[i]);
}

static void check_columns(const struct strings *l, struct complaints *c)
{
	for (size_t i = 0; i < l->count; i++) {
		const char *dot = strchr(l->items[i], '.');
		if (l->items[i][0] != '\0' && (!dot || !strchr(dot + 1, '.')))
			complain(c, "columns_exclude",
				"columns_exclude: \"%s\" names no column; "
				"write schema.table.column",
				l->items[i]);
	}
}

/* A renamed column must be mirrored, and leave the columns of our own their names. */
static void check_renamed(const struct mirror_config *m, const char *table,
	const struct column_map *column, struct complaints *c)
{
	char *source = xasprintf("%s.%s", table, column->source);
	for (size_t i = 0; i < m->columns_exclude.count; i++)
		if (strcmp(m->columns_exclude.items[i], source) == 0)
			complain(c, "map", "map renames \"%s\", which columns_exclude leaves out", source);
	for (size_t i = 0; (m->sync_columns || m->soft_delete) && i < 2; i++) {
		const char *own = i == 0 ? m->synced_at_column : m->is_deleted_column;
		if (own && strcmp(column->target, own) == 0)
			complain(c, "map", "map renames \"%s\" to \"%s\", the name of %s", source, own,
				i == 0 ? "synced_at_column" : "is_deleted_column");
	}
	free(source);
}

static void check_columns_of_map(const struct mirror_config *m, struct complaints *c)
{
	for (size_t i = 0; i < m->map_count; i++)
		for (size_t k = 0; m->map[i].source && k < m->map[i].column_count; k++)
			if (m->map[i].columns[k].source && m->map[i].columns[k].target)
				check_renamed(m, m->map[i].source, &m->map[i].columns[k], c);
}

static void check_replication(const struct mirror_config *m, struct complaints *c)
{
	static const char slot_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	if (m->soft_delete && !m->continuous)
		complain(c, "soft_delete", "soft_delete needs continuous = true: the initial load alone sees "
								   "no row deleted");
	check_identifier(m->publication, "publication", c);
	check_identifier(m->synced_at_column, "synced_at_column", c);
	check_identifier(m->is_deleted_column, "is_deleted_column", c);
	if (m->slot && (strlen(m->slot) >= NAME_SIZE || m->slot[strspn(m->slot, slot_letters)] != '\0'))
		complain(c, "slot", "slot must be 1 to 63 lower-case letters, digits and _, not \"%s\"", m->slot);
	if (m->synced_at_column && m->is_deleted_column && m->synced_at_column[0] != '\0' &&
		strcmp(m->synced_at_column, m->is_deleted_column) == 0)
		complain(c, "is_deleted_column", "is_deleted_column and synced_at_column are the same, \"%s\"",
			m->is_deleted_column);
	if (m->caught_up_s >= 0 && m->caught_up_s < 0.001)
		complain(c, "caught_up_s", "caught_up_s must be at least 0.001");
}

static void check_mirror(const void *value, struct complaints *c)
{
	const struct mirror_config *m = value;
	check_name(m->name, c);
	if (m->source && m->target && m->source[0] != '\0' && strcmp(m->source, m->target) == 0)
		complain(c, "target", "target and source are the same peer, \"%s\"", m->source);
	check_patterns(&m->tables, "tables", c);
	check_patterns(&m->exclude, "exclude", c);
	check_columns(&m->columns_exclude, c);
	check_replication(m, c);
	check_twins(record_field(&mirror_record, "map"), m, c);
	check_columns_of_map(m, c);
	check_twins_of(record_field(&mirror_record, "roles_map"), record_field(&role_map_record, "source"), m, c);
	if (m->owners == OWNERS_MAP && m->role_map_count == 0)
		complain(c, "owners", "owners = \"map\" needs a roles_map");
	if (m->reverse_of && m->name && strcmp(m->reverse_of, m->name) == 0)
		complain(c, "reverse_of", "reverse_of names the mirror itself, \"%s\"", m->name);
}

const struct record config_record = { "file", sizeof(struct config), config_fields, NULL };
const struct record peer_record = { "peer", sizeof(struct peer_config), peer_fields, check_peer };
const struct record mirror_record = { "mirror", sizeof(struct mirror_config), mirror_fields,
	check_mirror };
const struct record role_map_record = { "roles_map", sizeof(struct role_map), role_map_fields, NULL };
const struct record map_record = { "map", sizeof(struct table_map), map_fields, check_map };
const struct record column_map_record = { "column", sizeof(struct column_map), column_map_fields,
	check_column_map };
