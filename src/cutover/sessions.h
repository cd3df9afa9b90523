// SPDX-License-Identifier: PostgreSQL
/* Who is connected to a database, and who writes there. Ours are those of application_name pgpier/... of our role;
 * walsenders and the server's own workers are no sessions. Prepared transactions are, whoever made them: what they
 * wrote is committed when somebody says so, behind any fence. */
#ifndef CUTOVER_SESSIONS_H
#define CUTOVER_SESSIONS_H

#include "../pg/conn.h"

struct session {
	int pid;     /* 0: a prepared transaction */
	char gid[201];
	char user[NAME_SIZE], application[NAME_SIZE], address[64];
	char state[32];
	bool writes;  /* its transaction has an xid */
	double age_s; /* of its transaction; negative: none is open, or our role is not told */
	char query[256]; /* the last one */
};
/* All but ours and those of allow's roles (NULL: none), writers first, then the oldest transaction. Free *out. */
bool sessions_read(struct pg *c, const struct strings *allow, struct session **out, size_t *count, struct error *e)
	MUST_CHECK;
/* "pid 4711 (app@10.0.0.5 rails, idle in transaction for 12 min: UPDATE ...)", or the prepared transaction and what
 * ends it. */
void session_text(const struct session *s, char *buf, size_t size);
/* Asks the server to end them, and waits until they are gone; at most so long. *left: those that are not, or that
 * our role may not end, which nobody waits for (prepared transactions never are ended by us). To end those of other
 * roles takes a superuser, or a member of the role or of pg_signal_backend; a superuser's takes a superuser. */
bool sessions_end(struct pg *c, const struct strings *allow, int patience_ms, size_t *ended, struct strings *left,
	struct error *e) MUST_CHECK;

/* Did anybody change a published table since the slot's consumer confirmed it? The slot, which nobody reads at the
 * moment, is peeked at (pg_logical_slot_peek_binary_changes: nothing is consumed), so that a writer who slipped
 * through, whatever his rights were, is found by what he wrote. *what: a description of the first change. Of
 * transactions whose commit record begins before `from` nothing counts; one that begins right there does, because
 * that is where the next one begins when `from` is the end of the last that is known. Writes a message of its own to
 * the log: commits that the server did not wait to flush are found as well. */
bool silence_was_kept(struct pg *c, const char *slot, const char *publication, const char *from, bool *kept,
	char what[256], struct error *e) MUST_CHECK;

#endif
