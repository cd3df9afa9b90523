// SPDX-License-Identifier: PostgreSQL
/* The model's insides, shared by its own files only. Every function that takes `struct model *` and is
 * named model_ locks; those named after a part (peer_find, load_find ...) want the lock held. */
#ifndef MODEL_INSIDE_H
#define MODEL_INSIDE_H

#include <pthread.h>

#include "rate.h"
#include "trend.h"
#include "write.h"

#define EVENT_KEEP 4096
#define OUTCOME_KEEP 256
#define MOST_WORKERS 64

struct peer_entry {
	struct peer_config config;
	struct peer_view view;
	struct activity_row *activity;
	size_t activity_count;
	int64_t activity_at;
	struct slot_view *slots;
	size_t slot_count;
	int64_t slots_at;
};

struct chunk_entry {
	char *range;
	enum chunk_state state;
	int worker, attempts;
	int64_t rows, bytes;
	int64_t started_us, took_us; /* monotonic clock */
};

struct build_entry {
	char *name, *kind;
	enum chunk_state state;
	double fraction;
	char phase[64];
	int64_t started_us, took_us;
	struct error *error;
};

/* What the stream did to a table. */
struct changes_entry {
	int64_t inserts, updates, deletes, truncates, missing;
};

struct table_entry {
	char *source, *target, *how, *stall;
	enum table_state state;
	bool exact;
	int64_t rows_estimate, bytes_estimate; /* -1 unknown */
	int64_t rows, bytes;                   /* of finished chunks */
	size_t chunk_count, chunks_done;       /* chunk_count may be known without the chunks themselves */
	struct chunk_entry *chunks;
	struct build_entry *builds;
	size_t build_count, builds_done;
	int64_t started_us, took_us;
	int attempts;
	struct error *error;
	struct rate rate;
	struct changes_entry changes;
};

struct worker_entry {
	char doing[64], what[160];
	size_t table, chunk;
	bool copying, building;
	double fraction;
	struct progress progress;
};

struct replication_entry {
	struct replication_view view; /* rates and slopes as of the last tick */
	struct trend trend;
};

/* Texts may be NULL. */
struct object_entry {
	bool post;
	char *kind, *name, *statement;
	enum object_state state;
	char *why, *next;
	char sqlstate[6];
	int64_t took_us;
};

struct mirror_entry {
	struct mirror_config config;
	struct mirror_view view;
	uint64_t run; /* moves when the tables are replaced */
	struct table_entry *tables;
	size_t table_count;
	size_t *queue; /* table indexes, largest first: the order in which they are loaded */
	struct worker_entry *workers; /* MOST_WORKERS of them, so that borrowed counters never move */
	struct rate rate;
	bool running;
	int64_t run_started_us;
	struct replication_entry *replication; /* NULL until its stream is first heard of */
	struct verify_view verify;
	struct strings verify_names;
	struct verify_progress *verify_progress; /* one a name */
	const struct verification *verification; /* the last one of all tables; NULL */
	const struct verification **later;       /* those of single tables since then */
	size_t later_count;
	struct object_entry *objects;
	size_t object_count;
	uint64_t objects_run; /* moves when the objects are replaced */
	struct cutover_view cutover;
	struct cutover_gate *gates; /* the checklist */
	size_t gate_count;
	int64_t gates_at;
};

struct outcome_entry {
	uint64_t ticket;
	struct outcome outcome;
};

struct model {
	pthread_mutex_t lock;
	_Atomic uint64_t version;
	int eventfd;
	atomic_bool told; /* readers were woken and have not come yet */
	/* the following are protected by lock */
	struct peer_entry **peers;
	size_t peer_count;
	struct mirror_entry **mirrors;
	size_t mirror_count;
	struct event *events; /* a ring of EVENT_KEEP */
	uint64_t events_end;
	struct outcome_entry outcomes[OUTCOME_KEEP];
	size_t outcome_next;
};

void model_lock(struct model *m);
void model_unlock(struct model *m);
void model_unlock_changed(struct model *m); /* moves the version and wakes readers */

struct peer_entry *peer_find(struct model *m, const char *name); /* NULL when there is none */
struct mirror_entry *mirror_find(struct model *m, const char *name);
struct table_entry *table_find(struct mirror_entry *r, size_t table);
void peer_entry_free(struct peer_entry *p);
void mirror_entry_free(struct mirror_entry *r);
void load_clear(struct mirror_entry *r);
void objects_clear(struct mirror_entry *r);
void cutover_clear(struct mirror_entry *r);
void verify_clear(struct mirror_entry *r);
size_t objects_failed(const struct mirror_entry *r);
size_t objects_kept_back(const struct mirror_entry *r);
/* Of tables that are about to be replaced by others of the same names, sorted by name. */
struct kept_changes {
	char *source;
	struct changes_entry changes;
};
struct kept_changes *changes_keep(const struct mirror_entry *r); /* table_count of them */
void changes_restore(struct mirror_entry *r, struct kept_changes *take, size_t n);
void replication_tick(struct mirror_entry *r, int64_t now);
void replace_error(struct error **error, const struct error *with); /* *error is NULL for none */
void load_sum(const struct mirror_entry *r, struct load_totals *out);

#endif
