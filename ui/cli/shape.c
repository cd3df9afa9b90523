// SPDX-License-Identifier: PostgreSQL
#include "shape.h"

#include <pgpier/format.h>
#include <stdio.h>

/* Empty texts are absent values. */
static void text_or_null(struct json *j, const char *key, const char *text)
{
	json_text(j, key, text && text[0] != '\0' ? text : NULL);
}

static void known_int(struct json *j, const char *key, int64_t value)
{
	if (value < 0)
		json_null(j, key);
	else
		json_int(j, key, value);
}

static void known_number(struct json *j, const char *key, double value)
{
	if (value < 0)
		json_null(j, key);
	else
		json_number(j, key, value);
}

static void strings(struct json *j, const char *key, const struct strings *l)
{
	json_array(j, key);
	for (size_t i = 0; i < l->count; i++)
		json_text(j, NULL, l->items[i]);
	json_end_array(j);
}

void shape_error(struct json *j, const char *subject, const struct error *e)
{
	json_object(j, NULL);
	text_or_null(j, "subject", subject);
	json_text(j, "class", error_class_name(e->class));
	json_text(j, "text", e->text);
	text_or_null(j, "next", e->next);
	text_or_null(j, "sqlstate", e->sqlstate);
	text_or_null(j, "detail", e->detail);
	text_or_null(j, "statement", e->statement);
	json_end_object(j);
}

void shape_failure(struct json *j, const struct error *e)
{
	bool failed = e->class != ERROR_NONE;
	json_text(j, "error", failed ? e->text : NULL);
	json_text(j, "error_class", failed ? error_class_name(e->class) : NULL);
}

static void shape_probe(struct json *j, const struct probe *p)
{
	json_text(j, "version", p->version);
	json_int(j, "version_num", p->version_num);
	json_bool(j, "superuser", p->superuser);
	json_bool(j, "replication", p->replication);
	json_bool(j, "standby", p->standby);
	json_bool(j, "pooler", p->pooler);
	json_bool(j, "encrypted", p->encrypted);
	text_or_null(j, "wal_level", p->wal_level);
	json_int(j, "slots_free", p->slots_free);
	json_int(j, "slots_max", p->slots_max);
	json_int(j, "senders_free", p->senders_free);
	json_int(j, "senders_max", p->senders_max);
	json_number(j, "clock_ahead_ms", p->clock_ahead_ms);
	json_number(j, "latency_ms", p->latency_ms);
	json_int(j, "database_bytes", p->database_bytes);
	text_or_null(j, "encoding", p->encoding);
	text_or_null(j, "system_identifier", p->system_identifier);
}

void shape_peer(struct json *j, const struct peer_view *p)
{
	static const char *const status[] = {
		[PEER_UNKNOWN] = "unknown",
		[PEER_PROBING] = "probing",
		[PEER_OK] = "ok",
		[PEER_FAILED] = "failed",
	};
	json_object(j, NULL);
	json_text(j, "name", p->name);
	json_text(j, "address", p->address);
	json_int(j, "mirrors", (int64_t)p->mirrors);
	json_text(j, "status", status[p->status]);
	if (p->status == PEER_OK)
		shape_probe(j, &p->probe);
	shape_failure(j, p->status == PEER_FAILED ? &p->error : &(struct error){ 0 });
	json_end_object(j);
}

void shape_mirror(struct json *j, const struct mirror_view *m)
{
	json_text(j, "mirror", m->name);
	json_text(j, "source", m->source);
	json_text(j, "target", m->target);
	json_text(j, "state", mirror_state_name(m->state));
	json_time(j, "started", m->started_at);
	json_time(j, "ended", m->ended_at);
	json_number(j, "elapsed_s", m->elapsed_s);
	json_int(j, "rows", m->load.rows);
	known_int(j, "rows_total", m->load.rows_total);
	json_int(j, "bytes", m->load.bytes);
	known_int(j, "bytes_total", m->load.bytes_total);
	json_bool(j, "exact", m->load.exact);
	json_number(j, "fraction", m->load.fraction);
	json_number(j, "rate", m->load.rate);
	known_number(j, "eta_s", m->load.eta_s);
	json_int(j, "tables_done", (int64_t)m->load.tables_done);
	json_int(j, "tables_failed", (int64_t)m->load.tables_failed);
	json_int(j, "snapshots", m->snapshots);
	text_or_null(j, "moments", m->moments);
	text_or_null(j, "next", m->next);
	json_bool(j, "continuous", m->continuous);
	text_or_null(j, "reverse_of", m->reverse_of);
}

static void lsn(struct json *j, const char *key, lsn_t at)
{
	char text[FORMAT_SIZE];
	json_text(j, key, at != 0 ? format_lsn(at, text) : NULL);
}

void shape_replication(struct json *j, const struct replication_view *r)
{
	if (!r) {
		json_null(j, "replication");
		return;
	}
	json_object(j, "replication");
	json_bool(j, "running", r->running);
	known_number(j, "lag_s", r->lag_s);
	known_int(j, "lag_bytes", r->lag_bytes);
	json_number(j, "lag_slope", r->lag_slope);
	known_number(j, "caught_up_in_s", r->caught_up_in_s);
	lsn(j, "written", r->written);
	lsn(j, "sent", r->sent);
	lsn(j, "received", r->received);
	lsn(j, "applied", r->applied);
	lsn(j, "confirmed", r->confirmed);
	json_number(j, "changes_per_s", r->changes_per_s);
	json_number(j, "transactions_per_s", r->transactions_per_s);
	json_int(j, "changes", r->changes);
	json_int(j, "transactions", r->transactions);
	json_int(j, "slow_batches", r->slow_batches);
	text_or_null(j, "slow_why", r->slow_why);
	json_int(j, "missing", r->missing);
	text_or_null(j, "missing_last", r->missing_last);
	text_or_null(j, "slot", r->slot);
	text_or_null(j, "publication", r->publication);
	text_or_null(j, "wal_status", r->wal_status);
	known_int(j, "retained_bytes", r->retained_bytes);
	known_int(j, "safe_bytes", r->safe_bytes);
	json_number(j, "retained_slope", r->retained_slope);
	known_int(j, "spill_bytes", r->spill_bytes);
	json_int(j, "transaction_bytes", r->transaction_bytes);
	text_or_null(j, "stall", r->stall);
	json_int(j, "tables_paused", (int64_t)r->tables_paused);
	json_end_object(j);
}

/* "left_out" of "left out" */
static const char *state_key(enum object_state s, char key[32])
{
	snprintf(key, 32, "%s", object_state_name(s));
	for (char *p = key; *p; p++)
		if (*p == ' ')
			*p = '_';
	return key;
}

void shape_object(struct json *j, const struct object_view *o)
{
	json_object(j, NULL);
	json_text(j, "kind", o->kind);
	json_text(j, "name", o->name);
	json_text(j, "state", object_state_name(o->state));
	text_or_null(j, "why", o->why);
	text_or_null(j, "next", o->next);
	text_or_null(j, "sqlstate", o->sqlstate);
	text_or_null(j, "statement", o->statement);
	json_end_object(j);
}

void shape_object_counts(struct json *j, const size_t counts[OBJECT_STATE_COUNT])
{
	char key[32];
	json_object(j, "counts");
	for (int s = 0; s < OBJECT_STATE_COUNT; s++)
		json_int(j, state_key((enum object_state)s, key), (int64_t)counts[s]);
	json_end_object(j);
}

static void shape_changes(struct json *j, const struct changes_view *c)
{
	if (!c) {
		json_null(j, "changes");
		return;
	}
	json_object(j, "changes");
	json_int(j, "inserts", c->inserts);
	json_int(j, "updates", c->updates);
	json_int(j, "deletes", c->deletes);
	json_int(j, "truncates", c->truncates);
	json_int(j, "missing", c->missing);
	json_end_object(j);
}

void shape_table(struct json *j, const struct table_view *t, const struct changes_view *c)
{
	json_object(j, NULL);
	json_text(j, "source", t->source);
	json_text(j, "target", t->target);
	json_text(j, "state", table_state_name(t->state));
	json_int(j, "rows", t->rows);
	known_int(j, "rows_total", t->rows_total);
	json_int(j, "bytes", t->bytes);
	known_int(j, "bytes_total", t->bytes_total);
	json_int(j, "chunks", (int64_t)t->chunks);
	json_int(j, "chunks_done", (int64_t)t->chunks_done);
	json_number(j, "elapsed_s", t->elapsed_s);
	json_int(j, "attempts", t->attempts);
	text_or_null(j, "how", t->how);
	text_or_null(j, "stall", t->stall);
	shape_changes(j, c);
	shape_failure(j, &t->error);
	json_end_object(j);
}

static void shape_map(struct json *j, const struct mirror_config *m)
{
	json_array(j, "map");
	for (size_t i = 0; i < m->map_count; i++) {
		const struct table_map *map = &m->map[i];
		json_object(j, NULL);
		json_text(j, "source", map->source);
		json_text(j, "target", map->target ? map->target : map->source);
		json_array(j, "columns");
		for (size_t k = 0; k < map->column_count; k++) {
			json_object(j, NULL);
			json_text(j, "source", map->columns[k].source);
			json_text(j, "target", map->columns[k].target);
			json_end_object(j);
		}
		json_end_array(j);
		json_end_object(j);
	}
	json_end_array(j);
}

static void shape_roles_map(struct json *j, const struct mirror_config *m)
{
	json_array(j, "roles_map");
	for (size_t i = 0; i < m->role_map_count; i++) {
		json_object(j, NULL);
		json_text(j, "source", m->roles_map[i].source);
		json_text(j, "target", m->roles_map[i].target);
		json_end_object(j);
	}
	json_end_array(j);
}

static void shape_schema_config(struct json *j, const struct mirror_config *m)
{
	json_text(j, "schema", schema_mode_names[m->schema]);
	json_text(j, "owners", owners_names[m->owners]);
	shape_roles_map(j, m);
	json_bool(j, "publications", m->publications);
	text_or_null(j, "pg_bindir", m->pg_bindir);
	text_or_null(j, "maintenance_work_mem", m->maintenance_work_mem);
	json_int(j, "build_workers", m->build_workers);
}

static void shape_cutover_config(struct json *j, const struct mirror_config *m)
{
	json_text(j, "freeze", freeze_names[m->freeze]);
	text_or_null(j, "freeze_command", m->freeze_command);
	text_or_null(j, "unfreeze_command", m->unfreeze_command);
	text_or_null(j, "open_command", m->open_command);
	strings(j, "allow", &m->allow);
	json_text(j, "cutover_verify", final_verify_names[m->cutover_verify]);
	json_int(j, "cutover_limit_s", m->cutover_limit_s);
	text_or_null(j, "reverse_of", m->reverse_of);
	json_bool(j, "finished", m->finished);
}

void shape_mirror_config(struct json *j, const struct mirror_config *m)
{
	char slot[NAME_SIZE], publication[NAME_SIZE];
	mirror_slot_name(m, slot);
	mirror_publication_name(m, publication);
	json_object(j, NULL);
	json_text(j, "mirror", m->name);
	json_text(j, "source", m->source);
	json_text(j, "target", m->target);
	strings(j, "tables", &m->tables);
	strings(j, "exclude", &m->exclude);
	strings(j, "columns_exclude", &m->columns_exclude);
	shape_map(j, m);
	json_bool(j, "continuous", m->continuous);
	json_bool(j, "soft_delete", m->soft_delete);
	json_bool(j, "sync_columns", m->sync_columns);
	json_text(j, "synced_at_column", m->synced_at_column);
	json_text(j, "is_deleted_column", m->is_deleted_column);
	json_text(j, "publication", publication);
	json_text(j, "slot", slot);
	json_int(j, "batch_size", m->batch_size);
	json_int(j, "sync_interval_ms", m->sync_interval_ms);
	json_number(j, "caught_up_s", m->caught_up_s);
	text_or_null(j, "alert_command", m->alert_command);
	json_number(j, "alert_lag_s", m->alert_lag_s);
	json_int(j, "alert_retained_mb", m->alert_retained_mb);
	shape_cutover_config(j, m);
	shape_schema_config(j, m);
	json_text(j, "on_existing_rows", existing_rows_names[m->on_existing_rows]);
	json_int(j, "rows_per_chunk", m->rows_per_chunk);
	json_int(j, "workers", m->workers);
	json_int(j, "tables_in_parallel", m->tables_in_parallel);
	json_text(j, "chunking", chunking_names[m->chunking]);
	json_text(j, "transfer", transfer_names[m->transfer]);
	json_int(j, "rate_limit_mb", m->rate_limit_mb);
	json_end_object(j);
}

static void findings(struct json *j, const struct preflight *p)
{
	json_array(j, "findings");
	for (size_t i = 0; i < p->finding_count; i++) {
		const struct finding *f = &p->findings[i];
		json_object(j, NULL);
		json_text(j, "severity", severity_name(f->severity));
		json_text(j, "subject", f->subject);
		json_text(j, "text", f->text);
		json_text(j, "next", f->next);
		json_end_object(j);
	}
	json_end_array(j);
}

void shape_preflight(struct json *j, const struct preflight *p)
{
	json_object(j, NULL);
	json_text(j, "mirror", p->mirror);
	json_bool(j, "ok", p->blockers == 0);
	json_int(j, "blockers", (int64_t)p->blockers);
	json_int(j, "warnings", (int64_t)p->warnings);
	json_int(j, "tables", (int64_t)p->tables);
	known_int(j, "rows", p->rows);
	known_int(j, "bytes", p->bytes);
	findings(j, p);
	strings(j, "plan", &p->plan);
	json_end_object(j);
}

void shape_script(struct json *j, const struct preflight *p, const char *folder)
{
	json_object(j, NULL);
	json_text(j, "mirror", p->mirror);
	json_text(j, "folder", folder);
	json_int(j, "tables", (int64_t)p->tables);
	known_int(j, "rows", p->rows);
	known_int(j, "bytes", p->bytes);
	findings(j, p);
	strings(j, "files", &p->plan);
	json_end_object(j);
}

void shape_comparison(struct json *j, const struct comparison *c)
{
	json_object(j, NULL);
	json_text(j, "what", c->what);
	json_text(j, "source", c->source);
	json_text(j, "target", c->target);
	json_bool(j, "equal", c->complete && c->count == 0);
	json_bool(j, "complete", c->complete);
	json_int(j, "compared", (int64_t)c->compared);
	json_int(j, "applied", (int64_t)c->applied);
	json_array(j, "differences");
	for (size_t i = 0; i < c->count; i++) {
		const struct difference *d = &c->items[i];
		json_object(j, NULL);
		json_text(j, "severity", severity_name(d->severity));
		json_text(j, "kind", d->kind);
		json_text(j, "name", d->name);
		json_text(j, "source", d->source);
		json_text(j, "target", d->target);
		json_text(j, "meaning", d->meaning);
		json_text(j, "statement", d->statement);
		json_bool(j, "applies", d->applies);
		json_end_object(j);
	}
	json_end_array(j);
	strings(j, "notes", &c->notes);
	json_end_object(j);
}
