// SPDX-License-Identifier: PostgreSQL
/* The read side: what the engine knows, as a screen or a status line asks for it.
 *
 * One opaque struct behind one mutex. Readers get copies and may call from any thread; none of these waits
 * for longer than a copy takes, and none calls out while the mutex is held. model_version() moves with every
 * change that a reader can see; the eventfd becomes readable at the same moment, so that a reader can poll it
 * beside its terminal. Texts from servers are stored as they came: whoever prints them sanitises. */
#ifndef PGPIER_MODEL_H
#define PGPIER_MODEL_H

#include <pgpier/catalog.h>
#include <pgpier/compare.h>
#include <pgpier/config.h>
#include <pgpier/cutover.h>
#include <pgpier/error.h>
#include <pgpier/preflight.h>
#include <pgpier/verify.h>

struct model;

uint64_t model_version(struct model *m);
int model_eventfd_borrow(struct model *m); /* poll for POLLIN, then model_eventfd_drain */
void model_eventfd_drain(struct model *m);

/* ---- peers ---- */

enum peer_status { PEER_UNKNOWN, PEER_PROBING, PEER_OK, PEER_FAILED };

/* What a connection test found. */
struct probe {
	int version_num;  /* server_version_num: 150020 */
	char version[32]; /* "15.20" */
	bool superuser;
	bool replication; /* REPLICATION attribute or the cloud's role */
	bool standby;
	bool pooler;     /* two connections ended in one session's state, or pid and port disagree */
	bool encrypted;  /* TLS or GSS */
	char wal_level[16];
	int slots_free, slots_max;
	int senders_free, senders_max;
	double clock_ahead_ms; /* server's clock minus ours, as good as the round trip allows */
	double latency_ms;     /* one round trip */
	int64_t database_bytes;
	char encoding[32];
	char system_identifier[24]; /* empty where the role may not read it */
};

struct peer_view {
	char name[NAME_SIZE];
	char address[256]; /* user@host:port/db, never a password */
	bool editable;
	enum peer_status status;
	struct probe probe;  /* valid when status is PEER_OK */
	struct error error;  /* valid when PEER_FAILED */
	size_t mirrors;      /* that use it */
	int64_t probed_at;   /* wall us; 0 never */
};

/* A statement that runs on a peer. */
struct activity_row {
	int pid;
	char mirror[NAME_SIZE]; /* empty: not ours */
	char role[NAME_SIZE];   /* supervisor, copy-1, ...; the application's name when not ours */
	char user[NAME_SIZE];
	char state[32];
	char wait[64]; /* type: event */
	double duration_s;
	char query[512];
};

/* Callers free *out. */
size_t model_peers(struct model *m, struct peer_view **out);
bool model_peer(struct model *m, const char *name, struct peer_view *out);
bool model_peer_config(struct model *m, const char *name, struct peer_config *out); /* peer_config_free */
size_t model_activity(struct model *m, const char *peer, struct activity_row **out, int64_t *taken_at);

/* ---- mirrors ---- */

enum mirror_state {
	MIRROR_NEW,      /* written down, never started */
	MIRROR_CHECKING, /* preflight */
	MIRROR_SNAPSHOT,
	MIRROR_SCHEMA,  /* creating schemas, types, tables */
	MIRROR_LOADING, /* copying rows, building keys and indexes */
	MIRROR_FINISHING, /* sequence values */
	MIRROR_CATCHING_UP, /* replicating, lag above caught_up_s */
	MIRROR_REPLICATING, /* and caught up */
	MIRROR_DONE,
	MIRROR_PAUSING,
	MIRROR_PAUSED,
	MIRROR_RETRYING, /* a connection was lost; trying again with back-off */
	MIRROR_FAILED,
	MIRROR_INTERRUPTED, /* its process ended; run or resume goes on */
	MIRROR_DROPPING,
	MIRROR_CUT_OVER, /* the application is on its target; another mirror leads back */
	MIRROR_STATE_COUNT,
};
const char *mirror_state_name(enum mirror_state s); /* "initial load", "done", ... */

/* Sums over the tables of one mirror. Bytes are those of the COPY stream; totals are estimates ('~')
 * until `exact`. */
struct load_totals {
	size_t tables, tables_done, tables_failed, tables_running;
	size_t chunks, chunks_done;
	int64_t rows, rows_total;
	int64_t bytes, bytes_total;
	size_t builds, builds_done; /* keys, indexes, checks */
	double fraction;            /* 0..1; 1 only after the last commit */
	double rate;                /* bytes/s over the last ~30 s; 0 unknown */
	double eta_s;               /* negative unknown */
	bool exact;
	size_t tables_paused; /* loaded, but their changes wait for a person */
};

struct mirror_view {
	char name[NAME_SIZE];
	char source[NAME_SIZE];
	char target[NAME_SIZE];
	bool editable;
	enum mirror_state state;
	int64_t started_at, ended_at; /* wall us; 0 not yet */
	double elapsed_s;             /* of the present or last run */
	struct load_totals load;
	struct error error; /* class ERROR_NONE when there is none */
	char next[256];     /* the next step a person could take */
	char moments[256];  /* from which snapshot(s) the rows are: "as of 2026-11-21 15:07:03" */
	int workers, workers_busy, tables_in_parallel;
	int rate_limit_mb;
	int snapshots; /* how many snapshots the finished tables came from */
	bool continuous;
	double lag_s;         /* of a continuous mirror; negative unknown */
	double changes_per_s;
	size_t objects_failed; /* of its schema; those that need them are not counted */
	char reverse_of[NAME_SIZE]; /* the mirror whose way back it is; empty: of none */
	size_t objects_kept_back; /* blocked, or made but for a part of it: retrying looks whether that has changed */
};

size_t model_mirrors(struct model *m, struct mirror_view **out);
bool model_mirror(struct model *m, const char *name, struct mirror_view *out);
bool model_mirror_config(struct model *m, const char *name, struct mirror_config *out);

enum table_state {
	TABLE_QUEUED,
	TABLE_CREATING, /* its definition is being made on the target */
	TABLE_PLANNING, /* COUNT, NTILE */
	TABLE_COPYING,
	TABLE_BUILDING, /* rows are in; keys, indexes, checks, sequence */
	TABLE_DONE,
	TABLE_PAUSED, /* its changes wait for a person, those of the others go on */
	TABLE_FAILED,
	TABLE_STATE_COUNT,
};
const char *table_state_name(enum table_state s); /* "queued", "copy", "index", "done", ... */

/* One table of a mirror. Its index is its place in the mirror's list and never changes during a run. */
struct table_view {
	size_t index;
	char source[2 * NAME_SIZE]; /* schema.name, unquoted */
	char target[2 * NAME_SIZE];
	enum table_state state;
	size_t chunks, chunks_done;
	int64_t rows, rows_total;   /* rows_total < 0 unknown */
	int64_t bytes, bytes_total; /* COPY stream; total is an estimate until done */
	bool exact;                 /* totals are no estimates any more */
	size_t builds, builds_done;
	double rate;  /* bytes/s; 0 */
	double eta_s; /* negative unknown */
	double elapsed_s;
	int attempts;
	char how[160];   /* "ntile over ctid, 41 chunks, 1 % sample in 0.07 s; copy binary" */
	char stall[256]; /* "stalled 40s: waiting on lock, pid 4711 (ALTER TABLE ...)"; empty when moving */
	struct error error;
};

/* What lists sort and filter by, for all tables at once: 50,000 of them cost one memcpy each. */
enum load_column { LOAD_NAME, LOAD_STATE, LOAD_CHUNKS, LOAD_ROWS, LOAD_BYTES, LOAD_RATE, LOAD_ETA };
struct load_key {
	size_t index;
	enum table_state state;
	double value; /* of the column asked for; 0 for LOAD_NAME */
};
size_t model_load_keys(struct model *m, const char *mirror, enum load_column column, struct load_key **out);
/* schema.name of every table, in index order: fetch once a run (run_id moves with each). Free with
 * strings_free. */
uint64_t model_load_run(struct model *m, const char *mirror);
void model_load_names(struct model *m, const char *mirror, struct strings *out);
/* Copies the tables of the given indexes; returns how many there were. */
size_t model_load_tables(
	struct model *m, const char *mirror, const size_t *indexes, size_t n, struct table_view *out);
bool model_load_totals(struct model *m, const char *mirror, struct load_totals *out);

enum chunk_state { CHUNK_QUEUED, CHUNK_COPYING, CHUNK_DONE, CHUNK_FAILED };

struct chunk_view {
	size_t number; /* from 1 */
	enum chunk_state state;
	char range[160]; /* "ctid (0,0) .. (5120,0)" */
	int64_t rows, bytes;
	int worker; /* from 1; 0 none */
	int attempts;
	double took_s; /* so far, or in all */
};
/* A window of a table's chunks; returns how many were copied. */
size_t model_chunks(struct model *m, const char *mirror, size_t table, size_t first, size_t n,
	struct chunk_view *out);

/* A key, index or check of a table. */
struct build_view {
	char name[NAME_SIZE];
	char kind[16]; /* primary key, unique, exclusion, index, check */
	enum chunk_state state;
	double fraction; /* pg_stat_progress_create_index; negative unknown */
	char phase[64];
	double took_s;
	struct error error;
};
size_t model_builds(struct model *m, const char *mirror, size_t table, struct build_view **out);

struct worker_view {
	int number; /* from 1 */
	char doing[64]; /* "copy", "index", "plan", "create"; empty idle */
	char what[160]; /* "order_lines #813" */
	double fraction; /* negative unknown */
};
size_t model_workers(struct model *m, const char *mirror, struct worker_view **out);

/* ---- replication ---- */

typedef uint64_t lsn_t; /* a position in the write-ahead log; 0 none */

/* A mirror that replicates. Lag in seconds is measured by our clock alone: how long ago was the oldest position
 * that we saw on the source and that the target has not committed. */
struct replication_view {
	bool running;           /* the stream is open */
	double lag_s;           /* negative unknown */
	int64_t lag_bytes;      /* source's WAL end less applied; negative unknown */
	double lag_slope;       /* bytes a second over the last minute; negative: it falls */
	double caught_up_in_s;  /* by that slope; negative: it does not fall, or nothing to do */
	lsn_t written, sent, received, applied, confirmed; /* source's end; walsender; we; the target's commit;
	                                                    * what the slot may forget */
	double changes_per_s, transactions_per_s; /* over the last ~10 s */
	int64_t changes, transactions;            /* since the stream first began in this process */
	int64_t slow_batches;                     /* replayed change by change */
	char slow_why[256];
	int64_t missing;                          /* updates and deletes that found no row */
	char missing_last[256];
	char slot[NAME_SIZE], publication[NAME_SIZE];
	char wal_status[16];     /* reserved extended unreserved lost; empty unknown (before 13) */
	int64_t retained_bytes;  /* WAL that the slot keeps; negative unknown */
	int64_t safe_bytes;      /* until it is lost (safe_wal_size); negative unlimited or unknown */
	double retained_slope;   /* bytes a second */
	int64_t spill_bytes;     /* of the slot's decoding, since it was made; negative unknown */
	int64_t transaction_bytes; /* of a large transaction that is being applied; 0 none */
	char stall[256];         /* what the apply side waits for; empty when it moves */
	size_t tables_paused;    /* each with its own error */
};
bool model_replication(struct model *m, const char *mirror, struct replication_view *out);

/* Lag once a second, oldest first, at most n; for sparklines. */
struct lag_sample {
	float lag_s, changes_per_s;
	int64_t lag_bytes;
};
size_t model_lag(struct model *m, const char *mirror, struct lag_sample *out, size_t n);

/* What the stream did to a table, since it first began in this process. */
struct changes_view {
	size_t index; /* of the table in the mirror */
	int64_t inserts, updates, deletes, truncates, missing;
	bool paused;
	struct error error; /* why it is paused */
};
/* Of tables of the given indexes; returns how many there were. */
size_t model_changes(struct model *m, const char *mirror, const size_t *indexes, size_t n,
	struct changes_view *out);
/* Indexes of the tables that had changes or are paused, most changes first, paused ones before. Free *out. */
size_t model_changed_tables(struct model *m, const char *mirror, size_t **out);

/* ---- schema ---- */

enum object_state {
	OBJECT_WAITING,
	OBJECT_MAKING,
	OBJECT_DONE,
	OBJECT_EXISTS,   /* the target had one already: it is used as it is */
	OBJECT_LEFT_OUT, /* on purpose; why says which */
	OBJECT_BLOCKED,  /* needs one that failed or is left out */
	OBJECT_FAILED,
	OBJECT_STATE_COUNT,
};
const char *object_state_name(enum object_state s); /* "waiting", "done", ... */

/* One object of the source's database that the mirror makes on the target, or does not. */
struct object_view {
	size_t index;
	bool post; /* made after the rows */
	char kind[32]; /* as pg_dump calls it, in lower case: "table", "fk constraint" */
	char name[2 * NAME_SIZE]; /* schema.name */
	enum object_state state;
	double took_s;
	char why[512];       /* why it failed, is blocked or left out */
	char next[256];      /* what to do; empty nothing */
	char sqlstate[6];
	char statement[1024]; /* the beginning of it */
};
/* Indexes of those whose state is in the set (bits 1 << enum object_state; 0 all), in the order in which they
 * are made. Free *out. */
size_t model_objects(struct model *m, const char *mirror, unsigned states, size_t **out);
size_t model_object_rows(struct model *m, const char *mirror, const size_t *indexes, size_t n, struct object_view *out);
/* How many in each state, and how many the mirror has: OBJECT_STATE_COUNT counts. */
size_t model_object_counts(struct model *m, const char *mirror, size_t counts[OBJECT_STATE_COUNT]);
/* What lists sort and filter by, for all objects at once, in the order in which they are made. */
struct object_key {
	enum object_state state;
	double took_s;
};
size_t model_object_keys(struct model *m, const char *mirror, struct object_key **out);
/* Kind and name of every object, in that order: fetch once a run (the number moves when they are
 * replaced). Free both with strings_free. */
uint64_t model_objects_run(struct model *m, const char *mirror);
void model_object_names(struct model *m, const char *mirror, struct strings *kinds,
	struct strings *names);
/* The whole statement of one; the caller frees it. NULL: no such object. */
char *model_object_statement(struct model *m, const char *mirror, size_t index);

/* Replication slots of a peer, ours and others'. */
struct slot_view {
	char name[NAME_SIZE];
	char mirror[NAME_SIZE]; /* empty: not ours */
	char plugin[NAME_SIZE]; /* empty: physical */
	char database[NAME_SIZE];
	bool active;
	int pid;
	char wal_status[16];
	int64_t retained_bytes, safe_bytes; /* negative unknown */
	lsn_t restart, confirmed;
	int64_t spill_bytes; /* negative unknown (before 14) */
};
/* Sampled with the activity while the peer is watched. Free *out. */
size_t model_slots(struct model *m, const char *peer, struct slot_view **out, int64_t *taken_at);

/* ---- verification ---- */

/* One that is under way, or the last one of this process. */
struct verify_view {
	bool running;
	uint64_t ticket;            /* of the command, to cancel it by */
	char table[2 * NAME_SIZE];  /* this one alone; empty: all of the mirror's */
	bool repair;
	struct error error;         /* why it ended without a result; class ERROR_NONE when it did not */
	uint64_t run;               /* moves when the tables below are replaced */
	enum verify_level level;
	int64_t started_at; /* wall us; 0: there was none */
	double elapsed_s;
	size_t tables, tables_done, differing, unsure;
	int64_t bytes, bytes_total; /* of both sides' tables */
	double fraction;            /* 0..1 */
	double rate;                /* bytes/s on average; 0 unknown */
	char doing[64];             /* "taking snapshots"; empty when tables are compared */
	double stopped_s;           /* how long replication was held */
};
bool model_verify(struct model *m, const char *mirror, struct verify_view *out);

enum verify_state { VERIFY_WAITING, VERIFY_COMPARING, VERIFY_LOCATING, VERIFY_OVER };

/* A table of the one that is under way. */
struct verify_progress {
	enum verify_state state;
	enum verify_verdict verdict;      /* when it is over */
	int64_t source_rows, target_rows; /* compared so far; -1 unknown */
	int64_t bytes, bytes_total;       /* of both sides */
	int64_t differing;                /* rows; when it is over */
	double took_s;                    /* so far, or in all */
};
/* In the order of their names, schema.name on the source. Callers free *out; strings_free. */
size_t model_verify_progress(struct model *m, const char *mirror, struct verify_progress **out);
void model_verify_names(struct model *m, const char *mirror, struct strings *out);

/* The last result for all tables: release it. NULL when there is none. */
const struct verification *model_verification(struct model *m, const char *mirror);
/* Those of single tables since then, one a table: release each, free *out. */
size_t model_verifications_later(struct model *m, const char *mirror, const struct verification ***out);

/* ---- cutover ---- */

bool model_cutover(struct model *m, const char *mirror, struct cutover_view *out); /* cutover_view_free */
/* The checklist as it was last measured; *at: when, wall us, 0 never. Free *out. */
size_t model_gates(struct model *m, const char *mirror, struct cutover_gate **out, int64_t *at);

/* ---- events ---- */

enum event_level { EVENT_DEBUG, EVENT_INFO, EVENT_WARNING, EVENT_ERROR };

struct event {
	uint64_t seq; /* rises by one */
	int64_t at;   /* wall us */
	enum event_level level;
	char object[NAME_SIZE + 16]; /* "mirror shop", "peer rds17", "pgpier" */
	char text[1024];
	char sqlstate[6];
	char detail[512];
	char statement[256];
};
/* The events seq >= from, oldest first, at most n; *first_kept is the oldest that is still held. */
size_t model_events(struct model *m, uint64_t from, size_t n, struct event *out, uint64_t *first_kept);
uint64_t model_events_end(struct model *m); /* seq of the next event */

/* ---- outcomes of commands ---- */

enum outcome_state { OUTCOME_UNKNOWN, OUTCOME_RUNNING, OUTCOME_DONE, OUTCOME_FAILED };

/* Of the ticket that engine_submit() gave. catalog, preflight, comparison and verification are held for the
 * caller: release them. */
struct outcome {
	enum outcome_state state;
	struct error error;
	struct probe probe;
	const struct catalog *catalog;
	const struct preflight *preflight;
	const struct comparison *comparison;
	const struct verification *verification;
};
bool model_outcome(struct model *m, uint64_t ticket, struct outcome *out);

#endif
