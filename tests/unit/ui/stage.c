// SPDX-License-Identifier: PostgreSQL
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/inside.h"
#include "shared.h"

#define KEPT 64

struct engine {
	struct model *model;
	struct config config;
	uint64_t ticket;
	struct command asked[KEPT]; /* the last of each kind */
	size_t times[KEPT];
	bool hold;
	size_t more_tables, more_schemas;
	int64_t moved;
};

struct model *engine_model_borrow(struct engine *g)
{
	return g->model;
}

/* ---- what it answers with ---- */

static struct probe a_probe(const char *version, int number)
{
	struct probe p = { .version_num = number,
		.superuser = number < 170000,
		.replication = true,
		.encrypted = number >= 170000,
		.slots_free = 8,
		.slots_max = 10,
		.senders_free = 9,
		.senders_max = 10,
		.clock_ahead_ms = 3,
		.latency_ms = 0.8,
		.database_bytes = 2100000000000 };
	copy_text(p.version, sizeof(p.version), version);
	copy_text(p.wal_level, sizeof(p.wal_level), "logical");
	copy_text(p.encoding, sizeof(p.encoding), "UTF8");
	return p;
}

static void add_table(struct catalog *c, const char *schema, const char *name, int64_t rows,
	int64_t bytes, enum table_key key, unsigned notes, const char *refusal)
{
	GROW(c->tables, c->table_count);
	struct catalog_table *t = &c->tables[c->table_count++];
	*t = (struct catalog_table){ .schema = xstrdup(schema),
		.name = xstrdup(name),
		.rows = rows,
		.bytes = bytes,
		.key = key,
		.notes = notes,
		.refusal = xstrdup(refusal),
		.column_count = 3 };
	t->columns = xcalloc(3, sizeof(*t->columns));
	t->columns[0] = (struct catalog_column){ xstrdup("id"), xstrdup("bigint"), true, false, true };
	t->columns[1] = (struct catalog_column){ xstrdup("photo"), xstrdup("bytea"), false, false, false };
	t->columns[2] = (struct catalog_column){ xstrdup("total"), xstrdup("numeric(12,2)"), false, true, false };
}

static struct catalog *a_catalog(const struct engine *g, const char *peer)
{
	struct catalog *c = catalog_new();
	char schema[NAME_SIZE], name[NAME_SIZE];
	c->peer = xstrdup(peer);
	c->taken_at = wall_us();
	add_table(c, "audit", "events", 401200000, 75900000000, KEY_NONE, NOTE_TRIGGERS, NULL);
	add_table(c, "audit", "secret", 100, 8192, KEY_PRIMARY, NOTE_NO_SELECT,
		"no SELECT privilege; grant it to mover");
	add_table(c, "public", "invoices", 8200000, 1100000000, KEY_PRIMARY, NOTE_PARTITIONED, NULL);
	add_table(c, "public", "users", 1000000, 212000000, KEY_PRIMARY, NOTE_GENERATED | NOTE_IDENTITY, NULL);
	add_table(c, "public", "京都の表", -1, 4096, KEY_UNIQUE, NOTE_NO_STATISTICS, NULL);
	add_table(c, "sales", "order_lines", 1204000000, 341200000000, KEY_PRIMARY, 0, NULL);
	add_table(c, "sales", "orders", 129700000, 28800000000, KEY_PRIMARY, 0, NULL);
	for (size_t i = 0; i < g->more_tables; i++) {
		snprintf(schema, sizeof(schema), "tenant_%04zu", i * g->more_schemas / g->more_tables);
		snprintf(name, sizeof(name), "%s_%zu", i % 3 == 0 ? "orders" : "items", i);
		add_table(c, schema, name, (int64_t)(i * 7919 % 5000000), (int64_t)(i * 104729), KEY_PRIMARY, 0,
			NULL);
	}
	return c;
}

static void add_finding(struct preflight *p, enum severity s, const char *subject, const char *text,
	const char *next)
{
	GROW(p->findings, p->finding_count);
	p->findings[p->finding_count++] =
		(struct finding){ s, xstrdup(subject), xstrdup(text), xstrdup(next) };
	p->blockers += s == SEVERITY_BLOCKER;
	p->warnings += s == SEVERITY_WARNING;
}

static struct preflight *a_preflight(const struct mirror_config *m)
{
	struct preflight *p = preflight_new();
	p->mirror = xstrdup(m->name);
	if (m->on_existing_rows == EXISTING_REFUSE && strcmp(m->name, "blocked") == 0)
		add_finding(p, SEVERITY_BLOCKER, "public.users",
			"the target table public.users has rows (1.0 M of them)",
			"empty it, or set existing rows to truncate or append");
	add_finding(p, SEVERITY_WARNING, "audit.events",
		"has no key: it is copied whole, and a resume copies it again from its beginning", NULL);
	for (size_t i = 0; strcmp(m->name, "crowd") == 0 && i < 40; i++) {
		char view[NAME_SIZE];
		snprintf(view, sizeof(view), "view maps.v%02zu", i);
		add_finding(p, SEVERITY_WARNING, view, "needs extension postgis, which the target's server does not have",
			"install postgis there");
	}
	add_finding(p, SEVERITY_NOTE, "public.users", "a generated column is computed by the target", NULL);
	add_finding(p, SEVERITY_OK, "versions", "PostgreSQL 15.20 to PostgreSQL 17.2", NULL);
	strings_add(&p->plan, "create schema sales and 4 tables on rds17");
	strings_add(&p->plan, "copy about 1.7 G rows (447 GB) from one snapshot of ec2-prod");
	strings_add(&p->plan, "build 4 primary keys and 9 indexes on rds17, then set 2 sequences");
	p->tables = m->tables.count;
	p->rows = 1743000000;
	p->bytes = 447000000000;
	return p;
}

static void add_difference(struct comparison *c, enum severity severity, const char *kind, const char *name,
	const char *source, const char *target, const char *meaning, const char *statement)
{
	struct difference *d = comparison_add(c, severity, kind, name);
	d->source = xstrdup(source);
	d->target = xstrdup(target);
	d->meaning = xstrdup(meaning);
	d->statement = xstrdup(statement);
}

static struct comparison *of_objects(const struct engine *g, const struct command *c)
{
	const struct mirror_config *m = config_find_mirror(&g->config, c->name);
	struct comparison *out = comparison_new("objects", m->source, m->target);
	add_difference(out, SEVERITY_BLOCKER, "index", "sales.orders_total", "CREATE INDEX orders_total\n    ON sales.orders (total)",
		NULL, "it is missing on the target", "CREATE INDEX orders_total ON sales.orders (total)");
	add_difference(out, SEVERITY_WARNING, "view", "public.report", "SELECT 1", "SELECT 2", "the definitions are not the same",
		"CREATE OR REPLACE VIEW public.report AS SELECT 1");
	out->compared = 124;
	return out;
}

/* What was to be made is there when it was applied. */
static struct comparison *of_roles(const struct engine *g, const struct command *c)
{
	const struct mirror_config *m = config_find_mirror(&g->config, c->name);
	struct comparison *out = comparison_new("roles", m->source, m->target);
	bool applied = c->kind == COMMAND_APPLY_ROLES;
	if (!applied) {
		add_difference(out, SEVERITY_BLOCKER, "role", "app_writer", "NOLOGIN", NULL, "it owns 12 tables", "CREATE ROLE app_writer");
		add_difference(out, SEVERITY_WARNING, "membership", "joe in app_writer", "member", NULL, NULL,
			"GRANT app_writer TO joe");
		out->items[0].applies = out->items[1].applies = true;
	}
	add_difference(out, SEVERITY_WARNING, "password", "joe", "md5", NULL, "it can't be read", NULL);
	comparison_note(out, "the password of joe is to be set by hand");
	out->applied = applied ? 2 : 0;
	out->compared = 9;
	return out;
}

static struct comparison *of_settings(const struct command *c)
{
	struct comparison *out = comparison_new("settings", c->name, c->other);
	add_difference(out, SEVERITY_BLOCKER, "application setting", "DateStyle", "ISO, DMY", "ISO, MDY",
		"dates are written another way", "ALTER SYSTEM SET DateStyle = 'ISO, DMY'");
	add_difference(out, SEVERITY_WARNING, "extension", "hstore", "1.8", NULL, "it is not installed",
		"CREATE EXTENSION IF NOT EXISTS \"hstore\" WITH SCHEMA \"public\"");
	add_difference(out, SEVERITY_OK, "performance setting", "effective_io_concurrency", "1", "16",
		"default of 15 against default of 18", NULL);
	comparison_note(out, "disk: the database takes 447 GB on %s", c->name);
	out->compared = 310;
	return out;
}

static void answer(struct engine *g, const struct command *c, uint64_t ticket)
{
	struct probe probe = a_probe("15.20", 150020);
	const struct catalog *catalog = NULL;
	const struct preflight *preflight = NULL;
	const struct comparison *comparison = NULL;
	if (c->kind == COMMAND_COMPARE_SETTINGS)
		comparison = of_settings(c);
	if (c->kind == COMMAND_COMPARE_SCHEMA)
		comparison = of_objects(g, c);
	if (c->kind == COMMAND_COMPARE_ROLES || c->kind == COMMAND_APPLY_ROLES)
		comparison = of_roles(g, c);
	if (c->kind == COMMAND_CATALOG)
		catalog = a_catalog(g, c->name);
	if (c->kind == COMMAND_MIRROR_CHECK && c->mirror)
		preflight = a_preflight(c->mirror);
	if (c->kind == COMMAND_PEER_SAVE) {
		struct peer_config copy;
		peer_config_copy(&copy, c->peer);
		config_put_peer(&g->config, &copy);
		model_set_config(g->model, &g->config);
	}
	if (c->kind == COMMAND_MIRROR_SAVE) {
		struct mirror_config copy;
		mirror_config_copy(&copy, c->mirror);
		config_put_mirror(&g->config, &copy);
		model_set_config(g->model, &g->config);
	}
	if (c->kind == COMMAND_MIRROR_RUN)
		stage_loading(g, c->name);
	model_outcome_end(g->model, ticket, &(struct outcome){
												   .probe = probe,
												   .catalog = catalog,
												   .preflight = preflight,
												   .comparison = comparison,
											   });
}

static void forget(struct command *c)
{
	if (c->peer) {
		peer_config_free(c->peer);
		free(c->peer);
	}
	if (c->mirror) {
		mirror_config_free(c->mirror);
		free(c->mirror);
	}
	free(c->path);
	*c = (struct command){ 0 };
}

void engine_left(struct engine *g, struct strings *out)
{
	(void)g;
	*out = (struct strings){ 0 };
}

uint64_t engine_submit(struct engine *g, struct command *take)
{
	uint64_t ticket = ++g->ticket;
	struct command *kept = &g->asked[take->kind];
	forget(kept);
	*kept = *take;
	*take = (struct command){ 0 };
	g->times[kept->kind]++;
	model_outcome_begin(g->model, ticket);
	if (!g->hold)
		answer(g, kept, ticket);
	return ticket;
}

const struct command *stage_last(const struct engine *g, enum command_kind kind)
{
	return &g->asked[kind];
}

size_t stage_count(const struct engine *g, enum command_kind kind)
{
	return g->times[kind];
}

void stage_many_tables(struct engine *g, size_t tables, size_t schemas)
{
	g->more_tables = tables;
	g->more_schemas = schemas;
}

void stage_hold(struct engine *g, bool hold)
{
	g->hold = hold;
}

/* ---- a load ---- */

void stage_loading(struct engine *g, const char *mirror)
{
	struct model *m = g->model;
	struct error denied = { 0 };
	error_set(&denied, ERROR_PERMISSION,
		"mirror %s: table audit.events: COPY from source failed: permission denied for table events",
		mirror);
	error_next(&denied, "grant SELECT on audit.events to \"mover\", then press r to retry");
	copy_text(denied.sqlstate, sizeof(denied.sqlstate), "42501");
	const struct load_table_init tables[] = {
		{ "sales.order_lines", "sales.order_lines", 1204000000, 341200000000, TABLE_COPYING, 4816, 3248, true, "ntile over ctid, 4816 chunks, 1 % sample in 0.07 s; copy binary", 0, 1, NULL },
		{ "sales.orders", "sales.orders", 129700000, 28800000000, TABLE_COPYING, 519, 404, true, NULL, 0, 1, NULL },
		{ "audit.events", "audit.events", 401200000, 75900000000, TABLE_FAILED, 401, 220, true, NULL, 0, 1, &denied },
		{ "public.users", "app.users", 1000000, 212000000, TABLE_DONE, 4, 4, true, NULL, 124, 1, NULL },
		{ "public.invoices", "public.invoices", 8200000, 1100000000, TABLE_QUEUED, 0, 0, false, NULL, 0, 0, NULL },
		{ "public.京都の表", "public.京都の表", -1, -1, TABLE_QUEUED, 0, 0, false, NULL, 0, 0, NULL },
	};
	model_load_set(m, mirror, tables, ARRAY_SIZE(tables));
	model_mirror_times(m, mirror, wall_us() - 2400000000, 0);
	model_load_started(m, mirror);
	model_mirror_state(m, mirror, MIRROR_LOADING, "");
	model_mirror_tuning(m, mirror, 4, 4, 0);
	const char *const ranges[] = { "ctid (0,0) .. (5120,0)", "ctid (5120,0) .. (10240,0)", "ctid (10240,0) .." };
	model_table_planned(m, mirror, 0, 3, ranges, 1204000000, "ntile over ctid, 3 chunks; copy binary");
	model_chunk_kept(m, mirror, 0, 0, 812400000, 230000000000, 1250);
	model_table_planned(m, mirror, 1, 2, ranges, 129700000, "ntile over ctid, 2 chunks; copy binary");
	model_chunk_kept(m, mirror, 1, 0, 101000000, 22000000000, 300);
	model_table_state(m, mirror, 0, TABLE_COPYING);
	model_table_state(m, mirror, 1, TABLE_COPYING);
	model_chunk_started(m, mirror, 0, 1, 1);
	model_chunk_started(m, mirror, 1, 1, 2);
	model_worker(m, mirror, 1, "copy", 0, "order_lines #2");
	model_worker(m, mirror, 2, "copy", 1, "orders #2");
	model_worker(m, mirror, 3, "index", 3, "users_pkey");
	char object[NAME_SIZE + 16];
	snprintf(object, sizeof(object), "mirror %s", mirror);
	model_event(m, EVENT_INFO, object, NULL, "started; snapshot 00000003-0000001B-1 is kept by two connections");
	model_event(m, EVENT_ERROR, object, &denied, "%s", denied.text);
}

void stage_step(struct engine *g, const char *mirror)
{
	struct progress *p = model_progress_borrow(g->model, mirror, 1);
	g->moved += 46000000;
	atomic_store(&p->bytes, g->moved);
	atomic_store(&p->rows, g->moved / 280);
	model_tick(g->model);
}

/* ---- a schema ---- */

void stage_objects(struct engine *g, const char *mirror)
{
	static const struct object_change done = { .state = OBJECT_DONE, .took_us = 12000 }, waits = { .state = OBJECT_WAITING },
									  making = { .state = OBJECT_MAKING, .took_us = 65000000 };
	const struct object_change failed = { .state = OBJECT_FAILED,
		.why = "could not open extension control file \"postgis.control\": No such file or directory",
		.next = "install postgis on the target's host, then press r to retry", .sqlstate = "58P01", .took_us = 3000 };
	const struct object_change blocked = { .state = OBJECT_BLOCKED, .why = "needs extension postgis, which failed" };
	const struct object_change left_out = { .state = OBJECT_LEFT_OUT, .why = "the provider has its own" };
	const struct object_change exists = { .state = OBJECT_EXISTS };
	const struct object_init objects[] = {
		{ false, "SCHEMA", "", "sales", "CREATE SCHEMA sales", done },
		{ false, "EXTENSION", "", "postgis", "CREATE EXTENSION postgis;\n\nCOMMENT ON EXTENSION postgis IS 'maps';", failed },
		{ false, "EXTENSION", "", "rdsutils", "CREATE EXTENSION rdsutils", left_out },
		{ false, "TYPE", "public", "mood", "CREATE TYPE public.mood AS ENUM ('sad', 'glad')", exists },
		{ false, "TABLE", "sales", "orders", "CREATE TABLE sales.orders (id bigint)", done },
		{ false, "TABLE", "sales", "places", "CREATE TABLE sales.places (at geometry)", blocked },
		{ true, "INDEX", "sales", "orders_total", "CREATE INDEX orders_total ON sales.orders (total)", making },
		{ true, "FK CONSTRAINT", "sales", "orders_customer_fkey", "ALTER TABLE sales.orders ADD FOREIGN KEY ...", waits },
	};
	model_objects_set(g->model, mirror, objects, ARRAY_SIZE(objects));
}

void stage_object(struct engine *g, const char *mirror, size_t index, enum object_state state)
{
	const struct object_change change = { .state = state, .took_us = 1000 };
	model_objects_change(g->model, mirror, &index, &change, 1);
}

void stage_many_objects(struct engine *g, const char *mirror, size_t n)
{
	struct object_init *objects = xcalloc(n, sizeof(*objects));
	char **names = xcalloc(n, sizeof(*names));
	for (size_t i = 0; i < n; i++) {
		names[i] = xasprintf("t%05zu", i);
		objects[i] = (struct object_init){ i % 3 > 0, i % 3 > 0 ? "INDEX" : "TABLE", "public", names[i], "CREATE ...",
			{ .state = i % 1000 == 999 ? OBJECT_FAILED : OBJECT_DONE } };
	}
	model_objects_set(g->model, mirror, objects, n);
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
	free(objects);
}

/* ---- a stream ---- */

void stage_replicating(struct engine *g, const char *mirror)
{
	struct model *m = g->model;
	struct error differs = { 0 };
	struct mirror_config *c = config_find_mirror(&g->config, mirror);
	c->continuous = true;
	model_set_config(m, &g->config);
	const struct load_table_init tables[] = {
		{ "sales.order_lines", "sales.order_lines", 1204000000, 341200000000, TABLE_DONE, 4816, 4816, true, NULL, 0, 1, NULL },
		{ "sales.orders", "sales.orders", 129700000, 28800000000, TABLE_DONE, 519, 519, true, NULL, 0, 1, NULL },
		{ "audit.events", "audit.log", 401200000, 75900000000, TABLE_DONE, 401, 401, true, NULL, 0, 1, NULL },
		{ "public.users", "app.users", 1000000, 212000000, TABLE_DONE, 4, 4, true, NULL, 124, 1, NULL },
	};
	model_load_set(m, mirror, tables, ARRAY_SIZE(tables));
	model_mirror_times(m, mirror, wall_us() - 9000000000, 0);
	model_mirror_state(m, mirror, MIRROR_CATCHING_UP, NULL);
	error_set(&differs, ERROR_DATA, "table public.users: column \"nickname\" (text) is not on the target");
	error_next(&differs, "ALTER TABLE app.users ADD COLUMN nickname text, then press r");
	struct replication_view r = { .running = true, .lag_s = 42, .lag_bytes = 1420000000, .written = 0x2516B3748,
		.sent = 0x2516B3000, .received = 0x2516B2F00, .applied = 0x250000A10, .confirmed = 0x250000A10,
		.retained_bytes = 1900000000, .safe_bytes = 8100000000, .spill_bytes = 77000000, .missing = 2,
		.missing_last = "sales.orders (id) = (17)", .slow_batches = 3 };
	copy_text(r.slot, sizeof(r.slot), "pgpier_shop_2026");
	copy_text(r.publication, sizeof(r.publication), "pgpier_shop_2026");
	copy_text(r.wal_status, sizeof(r.wal_status), "extended");
	copy_text(r.slow_why, sizeof(r.slow_why), "sales.orders: duplicate key value violates unique constraint");
	model_replication_set(m, mirror, &r);
	model_changes_count(m, mirror, 0, 812400, 1200, 15, 0, 0);
	model_changes_count(m, mirror, 1, 300, 120000, 0, 1, 2);
	model_table_paused(m, mirror, 3, &differs);
}

/* The tick's clock is the machine's: a test that waits for it would be slow, so that seconds are told. */
void stage_pass(struct engine *g, const char *mirror, int seconds)
{
	struct mirror_entry *e = mirror_find(g->model, mirror);
	struct trend *t = &e->replication->trend;
	int64_t now = t->count > 0 ? trend_at(t, t->count - 1)->at_us : clock_us();
	for (int i = 0; i < seconds; i++) {
		struct replication_view *v = &e->replication->view;
		v->lag_bytes = MAX(v->lag_bytes - 4000000, 0);
		v->lag_s = (double)v->lag_bytes / 34e6;
		v->retained_bytes += 3100000;
		model_replication_count(g->model, mirror, 400, 1234 + i % 7 * 90);
		replication_tick(e, now += 1000000);
	}
}

void stage_slots(struct engine *g, const char *peer, const char *mirror)
{
	struct slot_view *slots = xcalloc(2, sizeof(*slots));
	slots[0] = (struct slot_view){ .name = "pgpier_shop_2026", .plugin = "pgoutput", .database = "shop", .active = true,
		.pid = 4711, .wal_status = "reserved", .retained_bytes = 16777216, .safe_bytes = -1,
		.restart = 0x250000A10, .confirmed = 0x250000A48, .spill_bytes = 77000000 };
	copy_text(slots[0].mirror, sizeof(slots[0].mirror), mirror);
	slots[1] = (struct slot_view){ .name = "forgotten", .plugin = "wal2json", .database = "shop",
		.wal_status = "unreserved", .retained_bytes = 98000000000, .safe_bytes = 1000000, .restart = 0x16B3748,
		.confirmed = 0x16B3748, .spill_bytes = -1 };
	model_set_slots(g->model, peer, slots, 2);
}

/* ---- the shop ---- */

static void add_peer(struct engine *g, const char *name, const char *host, bool editable)
{
	struct peer_config p = { .name = xstrdup(name),
		.host = xstrdup(host),
		.port = 5432,
		.dbname = xstrdup("shop"),
		.user = xstrdup("mover"),
		.editable = editable };
	config_put_peer(&g->config, &p);
}

static void add_mirror(struct engine *g, const char *name, const char *source, const char *target)
{
	struct mirror_config m;
	mirror_config_defaults(&m);
	m.name = xstrdup(name);
	m.source = xstrdup(source);
	m.target = xstrdup(target);
	m.editable = true;
	strings_add(&m.tables, "public.*");
	config_put_mirror(&g->config, &m);
}

struct engine *stage_new(void)
{
	struct engine *g = xcalloc(1, sizeof(*g));
	struct error refused = { 0 }, denied = { 0 };
	struct probe source = a_probe("15.20", 150020), target = a_probe("17.2", 170002);
	g->model = model_new();
	add_peer(g, "ec2-prod", "10.1.1.5", true);
	add_peer(g, "rds17", "shop.abcdef.eu-central-1.rds.amazonaws.com", true);
	add_peer(g, "old-dc", "192.168.7.93", false);
	add_mirror(g, "shop-2026", "ec2-prod", "rds17");
	add_mirror(g, "audit", "ec2-prod", "rds17");
	add_mirror(g, "legacy93", "old-dc", "rds17");
	model_set_config(g->model, &g->config);
	model_peer_probed(g->model, "ec2-prod", &source, NULL);
	model_peer_probed(g->model, "rds17", &target, NULL);
	error_set(&refused, ERROR_CONNECTION, "peer old-dc: connection refused by 192.168.7.93:5432");
	error_next(&refused, "check that the server listens there and that no firewall is between");
	model_peer_probed(g->model, "old-dc", NULL, &refused);
	error_set(&denied, ERROR_PERMISSION, "items: permission denied for table items");
	error_next(&denied, "grant SELECT on public.items to \"mover\", then press r to retry");
	model_mirror_state(g->model, "legacy93", MIRROR_FAILED, "press r to retry");
	model_mirror_error(g->model, "legacy93", &denied);
	return g;
}

void stage_free(struct engine *g)
{
	for (size_t i = 0; i < KEPT; i++)
		forget(&g->asked[i]);
	model_free(g->model);
	while (g->config.peer_count > 0)
		config_remove_peer(&g->config, g->config.peers[0].name);
	while (g->config.mirror_count > 0)
		config_remove_mirror(&g->config, g->config.mirrors[0].name);
	free(g->config.peers);
	free(g->config.mirrors);
	free(g);
}
