// SPDX-License-Identifier: PostgreSQL
/* A verification under way, shared by its own files. */
#ifndef VERIFY_INSIDE_H
#define VERIFY_INSIDE_H

#include <pthread.h>

#include "../store/store.h"
#include "express.h"
#include "pair.h"
#include "sums.h"
#include "verify.h"

struct compared_column {
	char *name[SIDES], *quoted[SIDES];
	char *sql_type[SIDES]; /* what a key's text is cast to */
	struct value_type type[SIDES];
	enum way way;
};

struct compared_side {
	int64_t oid;      /* 0: there is no such table */
	bool partitioned; /* rows are in its leaves */
	bool triggers;    /* it has some, foreign keys' included */
	int64_t filenode; /* as of the snapshot: another one later means truncated or rewritten */
	int64_t pages;
	double tuples;
	char *from;  /* ONLY "schema"."name" */
	char *where; /* rows that count; NULL all */
	char *row;   /* the hash of a row; SQL */
};

/* What a table waits for. Each phase is over with its last job, whose worker begins the next one. */
enum phase { PHASE_SUMS, PHASE_LOCATE, PHASE_FETCH, PHASE_LOOKUP, PHASE_PICK, PHASE_FULL, PHASE_OVER };

struct compared {
	/* immutable once described */
	const struct store_table *names;
	enum verify_level level;
	struct verify_table *result;
	struct compared_side side[SIDES];
	struct compared_column *columns;
	size_t column_count;
	size_t *key; /* indexes of columns, in the key's order */
	size_t key_count;
	struct strings copied[SIDES]; /* quoted names of the columns that travel */
	char *own_column;             /* of the target alone; NULL none */
	int64_t weight;               /* what is done first */
	size_t buckets;

	/* protected by the run's lock */
	enum phase phase;
	int pending; /* jobs of the phase */
	bool failed; /* result->why tells */
	int64_t rows_read[SIDES], bytes_read; /* so far */

	/* the jobs' of one phase write them under the lock, those of later ones read them */
	int64_t began_us;
	struct sums *sums;
	uint32_t *differing; /* buckets to be listed */
	size_t differing_count;
	bool capped;                   /* more buckets differ than were listed */
	bool partial;                  /* not all that differs was fetched */
	bool looked_up[SIDES];         /* rows of the other side's keys */
	struct rows_list left[SIDES];  /* rows that only this side has */
	struct fetched found[SIDES];
};

enum job_kind { JOB_PLAN, JOB_SUMS, JOB_LOCATE, JOB_FETCH, JOB_LOOKUP, JOB_PICK, JOB_FULL };

struct job {
	enum job_kind kind;
	int side;
	struct compared *table;
	int64_t first, end; /* blocks; end 0: to the last one */
	struct job *next;
};

struct verify_run {
	/* immutable while the workers work */
	const struct verify_settings *set;
	char label[VERIFY_LABEL_SIZE];
	struct servers servers;
	struct snapshot *snapshot[SIDES];
	const struct verify_hold *hold; /* NULL: replication is not held */
	const struct peer_config *peer[SIDES];
	struct store_mirror store;
	struct compared *tables;
	size_t table_count;
	struct verification *result;
	struct stop *stop;
	int64_t began_us;

	pthread_mutex_t lock;
	pthread_cond_t moved;
	/* the following are protected by lock */
	struct job *first[SIDES], **last[SIDES];
	size_t open; /* tables that are not over */
	bool closed;
	struct error broken; /* what ended it for all tables */
	struct verify_view view;
};

struct worker {
	struct verify_run *run;
	int side, number;
	struct pg *pg[SIDES]; /* that of the other side only for JOB_FULL */
	int used[SIDES];      /* jobs since its savepoint */
};

/* ---- describe.c ---- */
/* The tables of the mirror as both servers have them, and what of them can be compared. */
bool verify_describe(struct verify_run *r, struct error *e) MUST_CHECK;
void described_free(struct verify_run *r);
const char *describe_target_name(const struct store_table *t, const char *column); /* borrowed */

/* ---- jobs.c ---- */
void jobs_open(struct verify_run *r);
void jobs_push(struct verify_run *r, const struct job *job, bool urgent);
struct job *jobs_next(struct verify_run *r, int side); /* NULL: leave */
/* True for the last of its phase: whoever gets it begins the next one. */
bool jobs_ended(struct verify_run *r, struct compared *t);
void jobs_begin_phase(struct verify_run *r, struct compared *t, enum phase phase, int jobs);
void jobs_table_over(struct verify_run *r, struct compared *t);
bool jobs_wait(struct verify_run *r, int ms); /* waits so long for the end */
void jobs_shut(struct verify_run *r);
void jobs_free(struct verify_run *r); /* those that nobody took */
void jobs_break(struct verify_run *r, const struct error *why); /* what fails from now on fails for this */
/* The table can't be verified. */
void jobs_fail(struct verify_run *r, struct compared *t, const char *why);

/* ---- worker.c ---- */
void *verify_worker_main(void *worker);
/* A transaction at the snapshot of that side; what it held of earlier jobs is let go. */
struct pg *worker_connection(struct worker *w, int side, struct error *e) MUST_CHECK;
bool run_open_snapshot(struct verify_run *r, int side, struct pg *c, struct error *e) MUST_CHECK;

/* ---- statements.c ---- */
#define STATEMENT_ALL 0, 0
/* Rows (bucket, count, sum) behind one of (-1, filenode, bytes of the table). */
char *statement_sums(const struct compared *t, int side, int64_t first, int64_t end);
/* Rows (tableoid, ctid, hash, count) of the differing buckets. */
char *statement_locate(const struct compared *t, int side, int64_t first, int64_t end);
/* The list of what is fetched of a row: tableoid, ctid, whole keys, values; of table alias t. */
void statement_fetched(struct strbuf *sql, const struct verify_run *r, const struct compared *t, int side);
void statement_from(struct strbuf *sql, const struct compared *t, int side); /* FROM ... AS t WHERE true [AND ...] */

/* ---- fetch.c ---- */
/* At most so many rows of a side are listed to find those that differ: 40 bytes each. */
#define MOST_LISTED 500000
bool job_fetch(struct worker *w, const struct job *job, struct error *e);
/* The other side's rows of the keys that have no partner yet. */
bool job_lookup(struct worker *w, const struct job *job, struct error *e);

/* ---- checksum.c ---- */
/* The size goes into the result. */
bool measure(struct verify_run *r, struct pg *c, struct compared *t, int side, struct error *e) MUST_CHECK;
/* Is the table's file the one that the snapshot has? Asked with the table locked, by having read it. */
bool check_file(struct pg *c, const struct compared *t, int side, struct error *e) MUST_CHECK;
bool is_small(const struct compared *t, int side);
int64_t bytes_expected(const struct compared *t); /* on one side, before it is measured */

/* ---- the other jobs ---- */
bool job_plan(struct worker *w, const struct job *job, struct error *e);
bool job_sums(struct worker *w, const struct job *job, struct error *e);
bool job_locate(struct worker *w, const struct job *job, struct error *e);
bool job_pick(struct worker *w, const struct job *job, struct error *e);
bool job_full(struct worker *w, const struct job *job, struct error *e);

/* ---- progress.c ---- */
void progress_begin(struct verify_run *r); /* the tables are described */
void progress_tell(struct verify_run *r);
void progress_read(struct verify_run *r, struct compared *t, int side, int64_t rows, int64_t bytes);
void progress_again(struct verify_run *r, struct compared *t); /* it is read once more */

/* ---- phases.c ---- */
void phase_first(struct verify_run *r, struct compared *t); /* with the lock held */
void phase_next(struct verify_run *r, struct compared *t);  /* without */

/* ---- sequences.c ---- */
bool compare_sequences(struct verify_run *r, struct error *e) MUST_CHECK;

/* ---- hold.c ---- */
struct verify_hold *hold_new(struct pg *control_take, int64_t mirror, int64_t number, int64_t stopped_us);
/* In the transaction that repairs the table, on the target: first and last. */
bool hold_lock_table(const struct verify_run *r, struct pg *c, const struct compared *t, struct error *e) MUST_CHECK;
bool hold_check(const struct verify_run *r, struct pg *c, const struct compared *t, struct error *e) MUST_CHECK;

/* ---- repair.c ---- */
/* Tables whose rows were located: one transaction each on the target. True also when one is refused. */
bool verify_repair(struct verify_run *r, struct error *e) MUST_CHECK;

#endif
