// SPDX-License-Identifier: PostgreSQL
/* A run of a mirror: one supervisor thread, a crew of workers, and the schedule between them.
 *
 *     supervisor                          worker 1..n
 *     lock the mirror, read the store
 *     snapshot, tables, schema plan
 *     open the schedule          ----->   take a job: create | plan | copy | build
 *     watch snapshot and locks            do it on its own two connections
 *     close the schedule         <-----   give it back: done, again, or failed
 *     sequences, done
 *
 * An attempt ends when the schedule is empty, when the run is stopped (pause, quit), or when something that
 * all tables need is gone. In the last case the supervisor begins another attempt after a while, at a new
 * snapshot; what the store says is done stays done. */
#ifndef MIRROR_RUN_H
#define MIRROR_RUN_H

#include <pthread.h>

#include "../alert.h"
#include "../load/chunks.h"
#include "../load/snapshot.h"
#include "../load/throttle.h"
#include "../model/write.h"
#include "../schema/restore.h"
#include "../schema/schema.h"
#include "../store/store.h"
#include "survey.h"

/* A key, index or check of a table. */
struct run_build {
	size_t step; /* in schema->after.items */
	enum chunk_state state;
};

struct run_table {
	/* immutable once the schedule is open */
	size_t index;             /* its number in the store less 1, and its index in the model */
	struct schema_table names;
	struct table_info info; /* borrowed from the survey, as are columns and names.renamed */
	const char *columns;    /* quoted, joined; "" when there are none */
	const char *target_columns; /* the same, as the target calls them */
	bool binary;
	bool parent;  /* partitioned: nothing to copy */
	bool stale;   /* the target's rows must go first */
	bool missing; /* gone from the source */
	bool has_key; /* a primary key, by which the stream finds its rows */
	struct run_build *builds;
	size_t build_count;
	/* The earlier attempt's chunks, to be proven or dropped when the table is planned. */
	struct store_chunk *kept; /* borrowed from the store's reading */
	size_t kept_count;
	int kept_snapshot, kept_last_snapshot;
	int64_t kept_filenode;

	/* protected by the run's lock, or owned by the one worker that plans it */
	enum table_state state;
	bool ours;
	bool planned, loaded;
	bool apart;            /* its builds are jobs of their own */
	struct chunks chunks;
	bool *chunk_done;
	size_t next_chunk, chunks_left;
	size_t next_build, builds_left;
	int workers; /* at it now */
	bool alone;  /* one of them alters the table: nobody else may build */
	int again;   /* times in a row that a lost connection sent it back */
	int64_t rows, bytes, took_us; /* of finished chunks */
	int64_t began_us;             /* when it was planned */
	char how[160];
	struct error *error;
	/* The snapshot that its rows are as of; and when it was resumed under another one, that one's number and a
	 * condition that leaves out what the first did not see (resume.c). */
	int snapshot, last_snapshot;
	char *filter;
};

enum job_kind { JOB_NONE, JOB_CREATE, JOB_PLAN, JOB_COPY, JOB_BUILD };

struct job {
	enum job_kind kind;
	struct run_table *table; /* NULL for JOB_CREATE */
	size_t chunk;            /* JOB_COPY */
	size_t build;            /* JOB_BUILD */
	bool helped;             /* JOB_BUILD: the server may build it in parallel */
	size_t first, count;     /* JOB_CREATE: steps of schema->before */
};

enum job_end {
	JOB_DONE,
	JOB_AGAIN,  /* a connection was lost: somebody tries it again */
	JOB_FAILED, /* the table is out, the others go on */
	JOB_DROPPED, /* the run is being stopped */
};

struct beside;
struct evolve_result;
struct replication;
struct ddl_relation;

struct run {
	/* immutable while the crew works */
	char mirror[NAME_SIZE];
	struct mirror_config config;
	struct peer_config source, target;
	struct model *model;
	struct stop *stop; /* ends the attempt */
	struct throttle *throttle;
	struct snapshot *snapshot;
	int snapshot_number;
	struct store_mirror store; /* as read when the attempt began */
	struct survey survey;
	int64_t id;                /* in the store */
	struct run_table *tables;
	size_t table_count;
	struct schema_plan *schema; /* the survey's, less the steps that are done */
	struct restore objects;     /* what comes from a dump; each is at one worker at a time. Empty: nothing does */
	int control_pid;            /* of the session on the target that holds the mirror, while it loads */
	bool *created;              /* by step of schema->before: made in this attempt, by whoever took it */
	size_t *queue; /* table indexes, largest first */
	bool reached;           /* both servers have answered this process */
	bool load_done;         /* the initial load is over */
	bool loaded_before;     /* it was when this process began */
	bool beside_stream;     /* its tables are loaded while others stream */
	bool chosen_again;      /* what the choice had kept back was looked at in this process */
	bool caught_up;         /* its stream has brought all that the rows lacked */
	int64_t reload_at_us;   /* when tables that are not loaded shall be; 0 never */
	bool slot_lost;         /* nothing mends that but a new mirror */
	struct alerts *alerts;  /* NULL before something is known of it */
	struct strings ignored; /* tables that came into the stream and are none of the mirror's */

	pthread_mutex_t lock;
	pthread_cond_t moved; /* something became available, or ended */
	/* the following are protected by lock */
	int workers, tables_in_parallel;
	size_t next_create;     /* first step of schema->before that nobody took */
	size_t creating;        /* steps under way */
	size_t next_table;      /* in queue: the first that nobody began */
	size_t begun_first, begun_end; /* in queue: those that have begun and not ended lie between */
	size_t tables_open;     /* neither done nor failed */
	size_t tables_active;   /* begun, and rows not all in */
	int builders;           /* workers that build */
	bool closed;            /* nobody takes anything more */
	struct pg *definitions; /* to the source; NULL not opened */
	struct beside *beside;  /* tables that are loaded while the others stream; NULL none */
	bool streaming, streamed; /* a continuous mirror whose load is done; it did for a while */
	const struct replication *stream; /* while it streams; NULL */
	bool retry;             /* paused tables shall go on */
	struct mirror_config *reselected; /* the mirror's tables were chosen anew; NULL not */
	char resync[2 * NAME_SIZE]; /* schema.table that shall be copied anew; empty none */
	struct error broken;    /* what ended the attempt for all */
};

/* ---- schedule.c ---- */
void schedule_open(struct run *r);
/* Blocks until there is a job; false: leave (no more jobs, or too many workers). */
bool schedule_take(struct run *r, int worker, struct job *job);
/* True when the table's state changed by it: *now is the new one, and the model knows. */
bool schedule_give_back(struct run *r, const struct job *job, enum job_end end, const struct error *e,
	enum table_state *now);
/* Counts what was committed, before the job is given back; true when it was the table's last. */
bool schedule_chunk_done(struct run *r, const struct job *job, int64_t rows, int64_t bytes, int64_t took_us);
bool schedule_build_done(struct run *r, const struct job *job);
/* For a step that failed while its batch went on, and for keys that were made with the rows. */
void schedule_fail_table(struct run *r, struct run_table *t, const struct error *e);
void schedule_builds_done(struct run *r, struct run_table *t);
/* Waits at most ms for the end; true when nothing is left. */
bool schedule_wait(struct run *r, int ms);
void schedule_close(struct run *r);
bool schedule_all_created(struct run *r); /* are all definitions made? */
/* Something that all tables need is gone. */
void schedule_break(struct run *r, const struct error *e);
/* Failed tables are queued again; returns how many. */
size_t schedule_retry(struct run *r);
void schedule_tune(struct run *r, int workers, int tables_in_parallel);

/* ---- work.c: a worker's two connections, and what it does with them ---- */
/* Sessions that build get what memory fits the server, or what the mirror says. */
bool worker_settings(const struct run *r, struct pg *target, struct error *e) MUST_CHECK;
struct worker {
	struct run *run;
	int number; /* from 1 */
	struct pg *source, *target;
	bool source_open; /* a transaction at the snapshot is open */
};
enum job_end work(struct worker *w, const struct job *job, struct error *e);
void worker_disconnect(struct worker *w);
/* The parts of work(), by kind. */
enum job_end work_create(struct worker *w, const struct job *job, struct error *e);
enum job_end work_plan(struct worker *w, const struct job *job, struct error *e);
enum job_end work_copy(struct worker *w, const struct job *job, struct error *e);
enum job_end work_build(struct worker *w, const struct job *job, struct error *e);
/* A transaction at the run's snapshot, on the source. */
bool work_open_snapshot(struct worker *w, struct error *e) MUST_CHECK;
/* What an error means for the job: lost connections again, the rest failed. */
enum job_end work_end(struct worker *w, const struct error *e);
/* The statements of steps, then their marks. */
void steps_sql(const struct run *r, size_t n, const struct schema_step *const *steps, struct strbuf *sql);
const char *step_mark(const struct schema_step *s, char *buf, size_t size);

/* ---- crew.c ---- */
struct crew;
struct crew *crew_new(struct run *r);
void crew_fill(struct crew *c); /* starts workers up to what the run wants, joins those that left */
void crew_free(struct crew *c); /* joins all: close the schedule first */

/* ---- setup.c ---- */
/* Whose rows are in the target's table: may pgpier empty it? */
bool setup_may_empty(const struct run *r, const struct survey_table *t);
void setup_store_table(const struct run *r, const struct survey_table *t, struct store_table *out);
/* Nothing was begun; but a person shall see at which tables it failed. */
void setup_tell_blocked(struct run *r);
/* The tables of the run, new or known, their columns and the schema plan; writes a new mirror to the store.
 * Blocking differences are errors. */
bool setup(struct run *r, struct pg *control, struct error *e) MUST_CHECK;
void run_clear(struct run *r); /* what setup made */

/* ---- resume.c ---- */
/* SQL that is true of a row version that the snapshot (as text) did not see, asked under a later one. */
char *resume_unseen(const char *earlier, const char *now) MUST_CHECK;
/* Of a mirror that replicates: may the table's chunks be kept, if what they did not see is left out? */
bool resume_by_stream(const struct run *r, const struct run_table *t);
const char *resume_visible(const struct run *r, int number); /* the snapshot's text; NULL unknown */
/* Is the table's content at the run's snapshot what it was when its finished chunks were copied? */
bool resume_is_proven(struct pg *source, const struct run *r, const struct run_table *t, bool *proven,
	struct error *e) MUST_CHECK;

/* ---- control.c ---- */
struct pg *control_connect(struct run *r, struct error *e) MUST_CHECK;
/* Is it there? When the target crashed it is not, like all others; then what was committed last may be gone, too,
 * because workers do not wait for the disk: the attempt ends, and the next one believes the store alone. */
bool control_is_alive(struct run *r, struct pg *control, struct error *e) MUST_CHECK;
bool control_was_lost(const struct run *r, struct error *e); /* the error for that; false */
/* Replaces a lost one. False: somebody else has the mirror. */
bool control_keep(struct run *r, struct pg **control, struct error *e) MUST_CHECK;

/* ---- load.c ---- */
/* Everything from the run's snapshot; false also when a table failed. */
bool load(struct run *r, struct pg *control, struct error *e) MUST_CHECK;
/* The two parts of it: a table that failed is no failure of the first. */
bool load_rows(struct run *r, struct pg *control, struct error *e) MUST_CHECK;
bool load_finish(struct run *r, struct pg *control, struct error *e) MUST_CHECK;

/* ---- source.c ---- */
/* A new mirror's publication and slot, and the snapshot at which its stream begins, as the run's snapshot. What
 * was made is gone again when it fails. */
bool source_prepare(struct run *r, struct pg *control, struct error *e) MUST_CHECK;
/* A killed process leaves walsenders that hold the slot, or create it behind our back. */
bool source_end_orphans(struct run *r, struct error *e) MUST_CHECK;
/* Everything that writes now has ended, so that a snapshot taken next sees all that the stream no longer
 * brings. */
bool source_settle(struct run *r, struct error *e) MUST_CHECK;

/* ---- adopt.c ---- */
/* The tables of a mirror that replicates follow its patterns and the source's partitions: new ones join the
 * publication and the store, held where the mirror is until they are loaded; others leave both, and stay on
 * the target as they are. r->store is read anew. */
bool adopt_tables(struct run *r, struct pg *control, struct error *e) MUST_CHECK;

/* ---- tell.c ---- */
/* The mirror's state on the screen; that of a load beside the stream is the stream's. */
void run_enter(const struct run *r, enum mirror_state state);
/* An event of the mirror. e may be NULL. */
void run_say(const struct run *r, enum event_level level, const struct error *e, const char *fmt, ...)
	PG_PRINTF(4, 5);
/* r->store, read anew; ERROR_LOST when the target does not know the mirror. */
bool run_read_store(struct run *r, struct pg *control, struct error *e) MUST_CHECK;
/* What a person wants to be told of, by the mirror's alert_command. why: it has failed. */
void run_alert(struct run *r, const struct error *why);

/* ---- evolving.c: evolve.h for a run ---- */
/* The tables' columns as the run's snapshot has them, so that a later description tells what has changed. */
bool evolving_describe(struct run *r, struct pg *source, struct pg *control, struct error *e) MUST_CHECK;
/* A table's definition has changed in the stream: followed where that can be done. */
bool evolving_follow(struct run *r, struct pg *control, size_t table, const struct ddl_relation *now, lsn_t final,
	struct evolve_result *out, struct error *e) MUST_CHECK;
bool evolving_mend(struct run *r, struct pg *control, size_t table, const struct error *why,
	struct evolve_result *out, struct error *e) MUST_CHECK;
/* What had to wait until the stream is caught up; and partitions that the stream does not tell of. */
void evolving_settle(struct run *r, struct pg *control);

/* ---- beside.c ---- */
/* Loads what the store says is not loaded, while the run's stream goes on. */
void beside_begin(struct run *r);
bool beside_is_over(const struct beside *b);
struct run *beside_run(struct beside *b);
/* Ends it if need be; false when it failed. */
bool beside_end(struct run *r, struct error *e) MUST_CHECK;

/* ---- follow.c ---- */
/* What is not loaded, from a new snapshot; a table that fails is held. */
bool follow_load(struct run *r, struct pg *control, struct error *e) MUST_CHECK;
/* A continuous mirror from wherever it stands: load, then the stream, until it is stopped. Never true. */
bool follow(struct run *r, struct pg **control, struct error *e) MUST_CHECK;

/* ---- refresh_stream.c ---- */
void refresh_stream(const struct mirror_config *config, const struct peer_config *source,
	const struct store_mirror *s, const struct stop *stop, struct replication_view *out);

/* ---- objects.c: what comes from a dump ---- */
/* Those of a new mirror; none when there is no dump to be had, and the mirror can do without. */
bool objects_choose(struct run *r, struct pg *source, struct error *e) MUST_CHECK;
/* Those of a known one; and the model hears of them. */
bool objects_read(struct run *r, struct pg *control, struct error *e) MUST_CHECK;
void objects_tell(struct run *r);
void objects_tell_model(struct model *model, const char *mirror, const struct restore *r);
/* Which tables have columns of other names, as the store or the survey has them: before anything is made. */
void objects_name_columns(struct run *r);
/* The columns that are called otherwise on the target: renamed_tables_free(). */
void renamed_tables_of(const struct store_mirror *s, struct renamed_tables *out);
/* Of schema = "database", before the rows: what other objects need, and the empty keys of partitioned parents. */
bool objects_before(struct run *r, struct error *e) MUST_CHECK;
/* Keys and indexes of the survey's tables become steps behind their rows. */
void objects_plan(struct run *r);
/* Why there is no such table on the target; false: it is none of the dump's. */
bool objects_table_error(struct run *r, const struct schema_table *t, struct error *e);
/* A step has been run. True when it failed and its table can do without; or the target had such a thing already,
 * which is no failure: then *failed is none any more. */
bool objects_step(struct run *r, const struct schema_step *s, struct pg *target, int64_t took_us, struct error *failed);
/* How many are in which state, as an event; and what failed of that part, each as its own. */
void objects_report(struct run *r, bool before);
struct pg *objects_connect(struct run *r, const char *role, struct error *e) MUST_CHECK;

/* ---- objects_again.c ---- */
/* What the choice has kept back, as the servers are now; what can be made then waits, in the store as well. */
bool objects_choose_again(struct run *r, struct error *e) MUST_CHECK;

/* ---- objects_finish.c ---- */
/* All the rest, when the rows are in. What the server refuses is no failure of the mirror. */
bool objects_finish(struct run *r, struct error *e) MUST_CHECK;
/* Those that failed, and those that can be made by now, once more. */
bool objects_retry(struct run *r, struct error *e) MUST_CHECK;
/* What had to wait until the stream is caught up. */
void objects_settle(struct run *r);

/* ---- each.c ---- */
/* Calls one(index) for each of 0 .. n-1, on as many connections at once as the mirror has workers. Ends early when
 * one of them says false, which is for lost connections and stops. */
typedef bool each_one(struct run *r, struct pg *target, int worker, size_t index, void *arg, struct error *e);
bool each_run(struct run *r, size_t n, each_one *one, void *arg, struct error *e) MUST_CHECK;

/* ---- finish.c ---- */
/* What waits for all leaves: keys and indexes of partitioned parents. A tree with a table that failed waits. */
bool finish_trees(struct run *r, struct pg *control, struct error *e) MUST_CHECK;
bool finish_sequences(struct run *r, struct pg *source, struct pg *control, struct error *e) MUST_CHECK;
/* Of a whole database. The source's connection is inside the snapshot. */
bool finish_large_objects(struct run *r, struct pg *source, struct pg *control, struct error *e) MUST_CHECK;
void finish_moments(struct run *r);

#endif
