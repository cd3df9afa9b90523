// SPDX-License-Identifier: PostgreSQL
/* The replication slot on the source: what keeps the changes until the target has them.
 *
 * A slot keeps WAL for ever when nobody reads it, so whoever makes one here makes sure that it goes when the
 * set-up fails or the mirror is dropped. The store on the target remembers the slot that we made; another of
 * its name is refused. Connections are plain ones to the source's database where nothing else is said. */
#ifndef REPLICATE_SLOT_H
#define REPLICATE_SLOT_H

#include "../pg/conn.h"
#include "pgoutput.h"

struct slot_status {
	bool exists;
	int pid; /* of the walsender that reads it; 0 nobody */
	char plugin[NAME_SIZE], database[NAME_SIZE]; /* empty: a physical one */
	char wal_status[16];    /* reserved extended unreserved lost; empty unknown (before 13) */
	char invalidation[40];  /* why it can't be read any more (rows_removed, wal_level_insufficient, ...; before
	                         * 17 "conflicting" is all that is known); empty: it can, or see wal_status */
	lsn_t restart, confirmed;
	int64_t retained_bytes; /* WAL kept for it; negative unknown */
	int64_t safe_bytes;     /* that may be written before it is lost; negative unlimited or unknown */
	int64_t spill_bytes;    /* of its decoding (14 and later); negative unknown */
};
bool slot_status(struct pg *source, const char *name, struct slot_status *out, struct error *e) MUST_CHECK;
/* It exists, but its changes are gone: only a new load helps. */
bool slot_is_lost(const struct slot_status *s);

struct slot_made {
	lsn_t consistent;         /* the stream begins here, where the snapshot sees all and nothing later */
	char snapshot[NAME_SIZE]; /* for SET TRANSACTION SNAPSHOT, until the connection's next command */
};
/* On a connection of pg_connect_replication(). Waits for every transaction that writes now, on any database
 * of the server: slot_blockers() tells which; stop ends the wait and nothing is left. failover (17 and later,
 * else ignored): the slot survives a failover to a standby that synchronises slots. */
bool slot_create(struct pg *replication, const char *name, bool failover, struct slot_made *out,
	struct error *e) MUST_CHECK;

/* A transaction that a slot's creation waits for, or would. */
struct slot_blocker {
	bool direct;                 /* the wait is for this one right now */
	int pid;                     /* 0: a prepared transaction */
	char gid[201];               /* of a prepared transaction */
	char user[NAME_SIZE], database[NAME_SIZE], application[NAME_SIZE];
	char state[32];              /* "idle in transaction" */
	double age_s;                /* negative: our role is not told */
	char query[256];             /* its present or last statement; empty: our role is not told */
};
/* Those that write and are older than age_s, oldest first, and those that walsender (pid; 0: none yet) waits
 * for however young. Free *out. */
bool slot_blockers(struct pg *source, int walsender, double age_s, struct slot_blocker **out, size_t *count,
	struct error *e) MUST_CHECK;
/* "pid 4711 (app@shop psql, idle in transaction for 12 min: UPDATE ...)" */
void slot_blocker_text(const struct slot_blocker *b, char *buf, size_t size);

/* Ends the walsender of a slot that is ours (mirror: by its application_name), waits until nobody reads it, and
 * drops it. One that is gone is fine; one that another program reads, or that is none of pgoutput in this
 * database, is refused. */
bool slot_drop(struct pg *source, const char *mirror, const char *name, struct error *e) MUST_CHECK;

#endif
