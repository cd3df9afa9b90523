// SPDX-License-Identifier: PostgreSQL
/* The messages of PostgreSQL's logical replication plugin pgoutput, protocol versions 1 to 4 (manual, 55.9).
 *
 * Decoding is a pure function: bytes in, message out, nothing kept, nothing allocated. Texts and values
 * point into the bytes given and live as long as those; texts end with a zero byte there, values do not.
 * Whatever the bytes are, no byte outside of them is read. */
#ifndef REPLICATE_PGOUTPUT_H
#define REPLICATE_PGOUTPUT_H

#include <pgpier/error.h>

#include "../lsn.h"

enum pgoutput_kind {
	PGOUTPUT_BEGIN,
	PGOUTPUT_COMMIT,
	PGOUTPUT_ORIGIN,
	PGOUTPUT_RELATION,
	PGOUTPUT_TYPE,
	PGOUTPUT_INSERT,
	PGOUTPUT_UPDATE,
	PGOUTPUT_DELETE,
	PGOUTPUT_TRUNCATE,
	PGOUTPUT_MESSAGE,
	/* Streamed and two-phase transactions (versions 2 to 4): decoded, so that a reader can refuse them by
	 * name. We ask for neither, because changes then come before their transaction is known to commit. */
	PGOUTPUT_STREAM_START,
	PGOUTPUT_STREAM_STOP,
	PGOUTPUT_STREAM_COMMIT,
	PGOUTPUT_STREAM_ABORT,
	PGOUTPUT_BEGIN_PREPARE,
	PGOUTPUT_PREPARE,
	PGOUTPUT_COMMIT_PREPARED,
	PGOUTPUT_ROLLBACK_PREPARED,
	PGOUTPUT_STREAM_PREPARE,
	PGOUTPUT_KIND_COUNT,
};
const char *pgoutput_kind_name(enum pgoutput_kind kind); /* "insert", "stream start" ... */

/* A row's column as it came. */
enum value_kind { VALUE_NULL = 'n', VALUE_UNCHANGED = 'u', VALUE_TEXT = 't', VALUE_BINARY = 'b' };
struct pgoutput_value {
	char kind;        /* enum value_kind */
	uint32_t size;
	const char *bytes; /* not terminated */
};

/* The columns of one row, taken apart one after the other by pgoutput_next(). Checked while decoding: a
 * tuple of a decoded message is well-formed. */
struct pgoutput_tuple {
	uint16_t columns;
	const char *at;   /* the first column */
	const char *end;
};
/* The next column's value; false when there is none left. */
bool pgoutput_next(struct pgoutput_tuple *t, struct pgoutput_value *out);

struct pgoutput_column {
	bool key; /* part of the replica identity; with FULL every column is */
	const char *name;
	uint32_t type;
	int32_t typmod;
};

struct pgoutput_message {
	enum pgoutput_kind kind;
	uint32_t xid; /* of begin and of the messages about a transaction; of every message inside a stream (there
	               * the subtransaction's that wrote it, which abort may take back); else 0 */
	union {
		struct { lsn_t final; int64_t at_us; } begin; /* LSN of the commit record; at_us: unix time */
		struct { uint8_t flags; lsn_t commit, end; int64_t at_us; } commit; /* also stream commit */
		struct { lsn_t commit; const char *name; } origin;
		struct {
			uint32_t id;
			const char *schema, *name; /* "" schema is pg_catalog on the wire: given as "pg_catalog" */
			char identity;             /* as pg_class.relreplident: d n f i */
			uint16_t columns;
			const char *at, *end;      /* for pgoutput_next_column() */
		} relation;
		struct { uint32_t id; const char *schema, *name; } type;
		struct {
			uint32_t relation;
			char old_kind; /* 'K' key columns, the others NULL; 'O' the whole old row; 0 no old row came */
			struct pgoutput_tuple old_row; /* of update and delete */
			struct pgoutput_tuple new_row; /* of insert and update */
		} change;
		struct { uint8_t options; uint32_t count; const char *at; } truncate; /* pgoutput_truncated() */
		struct { uint8_t flags; lsn_t lsn; const char *prefix; uint32_t size; const char *content; } message;
		struct { bool first; } stream_start;
		struct { uint32_t subxid; lsn_t lsn; int64_t at_us; } stream_abort; /* streaming = parallel, else 0, 0 */
		/* lsn, end, at_us: of the PREPARE; of commit prepared: of the COMMIT PREPARED; of rollback prepared:
		 * lsn is the end of the PREPARE, end and at_us are the ROLLBACK's, and only it has prepared_us. */
		struct { uint8_t flags; lsn_t lsn, end; int64_t at_us, prepared_us; const char *gid; } prepared;
	};
};
#define PGOUTPUT_TRUNCATE_CASCADE 1
#define PGOUTPUT_TRUNCATE_RESTART 2
#define PGOUTPUT_MESSAGE_TRANSACTIONAL 1

/* Which version was asked for, and whether we are between stream start and stop (messages then carry an
 * xid): the caller keeps this, pgoutput_decode() moves in_stream. */
struct pgoutput_context {
	int version;
	bool in_stream;
};

/* False, with an error of class BUG that names the message and the offset, when the bytes are no message, or
 * none that this version and place may have. c stays as it was, *out may be half filled. */
bool pgoutput_decode(struct pgoutput_context *c, const char *bytes, size_t size, struct pgoutput_message *out,
	struct error *e) MUST_CHECK;
/* The next of a decoded relation's columns, beginning at relation.at; false when there is none left. */
bool pgoutput_next_column(const char **at, const char *end, struct pgoutput_column *out);
uint32_t pgoutput_truncated(const struct pgoutput_message *m, uint32_t i); /* relation id */

#endif
