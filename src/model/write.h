// SPDX-License-Identifier: PostgreSQL
/* The model's write side: small named updates, used by the engine alone.
 *
 * LOCK ORDER of the whole process, outermost first. Nobody takes a lock that stands before one it holds:
 *     engine (commands, configuration) > run (a mirror's schedule) > pool (the task queue) > model > log
 * The model's mutex is a leaf but for the log's: nothing is called out, queried or drawn while it is held.
 * Counters of a running chunk are atomics outside of it, folded in when somebody reads. */
#ifndef MODEL_WRITE_H
#define MODEL_WRITE_H

#include <stdatomic.h>

#include <pgpier/model.h>

struct model *model_new(void);
void model_free(struct model *m);

/* Lists of peers and mirrors follow the configuration; states of those that stay are kept. */
void model_set_config(struct model *m, const struct config *c);

void model_peer_probing(struct model *m, const char *peer);
void model_peer_probed(struct model *m, const char *peer, const struct probe *probe, const struct error *e);
void model_set_activity(struct model *m, const char *peer, struct activity_row *take, size_t n);

/* Adds an event and writes the same line to the log. e may be NULL. */
void model_event(struct model *m, enum event_level level, const char *object, const struct error *e,
	const char *fmt, ...) PG_PRINTF(5, 6);

void model_outcome_begin(struct model *m, uint64_t ticket);
/* An error of class ERROR_NONE: done. The references in it are taken over. */
void model_outcome_end(struct model *m, uint64_t ticket, const struct outcome *take);

/* ---- a mirror ---- */

void model_mirror_state(struct model *m, const char *mirror, enum mirror_state state, const char *next);
enum mirror_state model_mirror_state_get(struct model *m, const char *mirror);
void model_mirror_error(struct model *m, const char *mirror, const struct error *e); /* NULL clears */
void model_mirror_times(struct model *m, const char *mirror, int64_t started_at, int64_t ended_at);
void model_mirror_moments(struct model *m, const char *mirror, int snapshots, const char *text);
void model_mirror_tuning(struct model *m, const char *mirror, int workers, int tables_in_parallel,
	int rate_limit_mb);

/* What a table starts with. */
struct load_table_init {
	const char *source, *target; /* schema.name */
	int64_t rows, bytes;         /* estimates unless exact; -1 unknown */
	enum table_state state;
	size_t chunks, chunks_done;
	bool exact;
	const char *how; /* may be NULL */
	double elapsed_s;
	int attempts;
	const struct error *error; /* may be NULL */
	int64_t rows_done, bytes_done; /* of finished chunks, when not exact */
};

/* Replaces the mirror's tables: a new run, or what the target's catalog says of one. */
void model_load_set(struct model *m, const char *mirror, const struct load_table_init *tables, size_t n);
void model_load_started(struct model *m, const char *mirror);
void model_load_ended(struct model *m, const char *mirror);

void model_table_state(struct model *m, const char *mirror, size_t table, enum table_state state);
void model_table_failed(struct model *m, const char *mirror, size_t table, const struct error *e);
/* Why nothing moves: cleared for all tables, then said of the table that a worker is at. */
void model_stalls_clear(struct model *m, const char *mirror);
void model_worker_stall(struct model *m, const char *mirror, int worker, const char *stall);
/* rows < 0 keeps the estimate. ranges are copied. */
void model_table_planned(struct model *m, const char *mirror, size_t table, size_t chunks,
	const char *const *ranges, int64_t rows, const char *how);
/* Forgets what was copied: the table is loaded anew. */
void model_table_reset(struct model *m, const char *mirror, size_t table);
/* A chunk that an earlier run finished. */
void model_chunk_kept(struct model *m, const char *mirror, size_t table, size_t chunk, int64_t rows,
	int64_t bytes, double took_s);

/* Rows and bytes of the chunk that a worker copies now. Lives as long as the model. */
struct progress {
	_Atomic int64_t rows, bytes;
};
struct progress *model_progress_borrow(struct model *m, const char *mirror, int worker);
void model_chunk_started(struct model *m, const char *mirror, size_t table, size_t chunk, int worker);
/* Adds what was committed and clears the worker's progress. */
void model_chunk_done(struct model *m, const char *mirror, size_t table, size_t chunk, int64_t rows,
	int64_t bytes);
void model_chunk_failed(struct model *m, const char *mirror, size_t table, size_t chunk, bool again);

void model_table_builds(struct model *m, const char *mirror, size_t table, size_t n,
	const char *const *names, const char *const *kinds);
void model_build_state(struct model *m, const char *mirror, size_t table, size_t build,
	enum chunk_state state, const struct error *e);
/* By name: what pg_stat_progress_create_index says of the index that a worker builds. */
void model_build_progress(struct model *m, const char *mirror, int worker, double fraction,
	const char *phase);

/* What a worker does now; doing = "" for idle. */
void model_worker(struct model *m, const char *mirror, int worker, const char *doing, size_t table,
	const char *what);

/* ---- schema ---- */

/* What became of an object. Texts may be NULL. */
struct object_change {
	enum object_state state;
	const char *why, *next, *sqlstate;
	int64_t took_us;
};
struct object_init {
	bool post;
	const char *kind, *schema, *name; /* as the dump has them */
	const char *statement;            /* may be NULL */
	struct object_change now;
};
/* Replaces what is known of the mirror's objects; and what became of some of them, by their places there. */
void model_objects_set(struct model *m, const char *mirror, const struct object_init *objects, size_t n);
void model_objects_change(struct model *m, const char *mirror, const size_t *indexes,
	const struct object_change *changes, size_t n);

/* ---- replication ---- */

/* Everything but rates and slopes, which the model makes of what it is told; strings are copied. */
void model_replication_set(struct model *m, const char *mirror, const struct replication_view *r);
/* Counters add up: the stream's after each commit (fast), a table's as often. */
void model_replication_count(struct model *m, const char *mirror, int64_t transactions, int64_t changes);
void model_changes_count(struct model *m, const char *mirror, size_t table, int64_t inserts, int64_t updates,
	int64_t deletes, int64_t truncates, int64_t missing);
/* e NULL: it goes on. */
void model_table_paused(struct model *m, const char *mirror, size_t table, const struct error *e);
void model_set_slots(struct model *m, const char *peer, struct slot_view *take, size_t n);

/* ---- verification ---- */

/* A command's beginning and end. What stands in between is of one verification; after a repair there is another. */
void model_verify_begin(struct model *m, const char *mirror, const struct verify_view *v);
void model_verify_end(struct model *m, const char *mirror, const struct error *e);
/* What moves: all but what was said at the beginning. */
void model_verify_set(struct model *m, const char *mirror, const struct verify_view *v);
/* Its tables, by source names, which are copied; and how far each is. */
void model_verify_tables(struct model *m, const char *mirror, const char *const *names, size_t n);
void model_verify_progress_set(struct model *m, const char *mirror, const struct verify_progress *p, size_t n);
void model_verified(struct model *m, const char *mirror, const struct verification *v); /* holds it */

/* ---- cutover ---- */

void model_cutover_set(struct model *m, const char *mirror, const struct cutover_view *v); /* copies */
void model_gates_set(struct model *m, const char *mirror, const struct cutover_gate *gates, size_t n);

/* Once a second: rates, ETAs, and a new version while anything runs. */
void model_tick(struct model *m);

#endif
