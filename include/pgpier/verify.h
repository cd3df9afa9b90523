// SPDX-License-Identifier: PostgreSQL
/* What the tables and sequences of a mirror were found to be on both servers. Immutable once made; shared like a
 * catalog. Safe from any thread.
 *
 * Equal is what was compared and found equal, and nothing else: whatever could not be compared is unsure, and makes
 * the whole unsure unless something differs. */
#ifndef PGPIER_VERIFY_H
#define PGPIER_VERIFY_H

#include <pgpier/base.h>

enum verify_level {
	VERIFY_COUNTS,   /* rows are counted */
	VERIFY_CHECKSUM, /* hashes of all rows are compared, and those that differ are located */
	VERIFY_SAMPLE,   /* some rows of the source, chosen at random, are looked up on the target */
	VERIFY_FULL,     /* all rows side by side, value by value */
};
extern const char *const verify_level_names[]; /* counts checksum sample full, then NULL */

enum verify_verdict { VERIFY_EQUAL, VERIFY_DIFFERS, VERIFY_UNSURE };
const char *verify_verdict_name(enum verify_verdict v); /* "equal", "differs", "not verified" */

#define VERIFY_SHOWN_BYTES 200 /* of a value */
#define VERIFY_SHOWN_ROWS 1000 /* of a table */

struct verify_value {
	char *text;    /* cut at VERIFY_SHOWN_BYTES; NULL is SQL's NULL */
	int64_t bytes; /* of all of it */
};

/* A row that differs, or that only one side has. */
struct verify_row {
	int64_t times; /* equal rows that this one stands for */
	struct verify_value *source, *target; /* by column; NULL: that side has no such row */
	bool *differs;                        /* by column; NULL when only one side has the row */
	char *source_place, *target_place;    /* ctid; NULL */
};

struct verify_table {
	char *source, *target; /* schema.name */
	enum verify_level level; /* that of the whole, but for a table that needed no more than a count */
	enum verify_verdict verdict;
	char *files; /* what its rows are kept in on both servers: another text when one of them has made it anew or
	              * rewritten it; NULL unknown */
	char *why; /* nothing, or not all of it, could be compared; NULL */
	int64_t source_rows, target_rows;   /* -1: not counted */
	int64_t source_bytes, target_bytes; /* heap and TOAST; -1 unknown */
	int64_t looked_at;                  /* VERIFY_SAMPLE: rows that were looked up */
	double took_s;
	struct strings columns;    /* of the rows below, by the source's names */
	bool *key;                 /* by column */
	struct strings unverified; /* "column: why" */
	struct verify_row *rows;   /* at most VERIFY_SHOWN_ROWS */
	size_t row_count;
	int64_t changed, missing, extra; /* of the rows that differ: other values, not on the target, only there */
	bool more;                       /* there are more than those */
	int64_t deleted, inserted;       /* by a repair */
	char *repair_error;              /* NULL; what was done for the table is undone then */
};

struct verify_sequence {
	char *source, *target; /* schema.name; target NULL: it has none */
	enum verify_verdict verdict;
	int64_t source_value, target_value;
	bool source_called, target_called;
	char *note; /* NULL */
};

/* The moment that one side was compared at. */
struct verify_moment {
	char *peer;
	char *version;    /* "15.20" */
	char *lsn;        /* "0/16B3748"; empty where the server tells none */
	int64_t taken_at; /* that server's clock, us */
};

struct verification {
	char *mirror;
	char *only; /* source name of the one table that was asked for; NULL: all of them, and sequences */
	enum verify_level level;
	int64_t sample; /* rows a table that were asked for */
	enum verify_verdict verdict;
	int64_t started_at, ended_at; /* wall us */
	struct verify_moment source, target;
	bool exact;       /* both moments are one and the same in the source's order of commits */
	double stopped_s; /* how long replication was held for that; 0 not at all */
	int tries;        /* for an exact moment; 0: none was needed */
	char *how;        /* "64-bit hashes by column" */
	struct verify_table *tables; /* in the mirror's order */
	size_t table_count;
	struct verify_sequence *sequences;
	size_t sequence_count;
	size_t equal, differing, unsure; /* tables and sequences */
	size_t counted; /* tables of a level above counts that were only counted: nothing had changed them */
	int64_t rows, bytes;             /* compared, of both sides */
	struct strings notes;
	struct verification *after; /* the same once more, when rows were repaired; held; NULL */
};

struct verification *verification_hold(const struct verification *v);
void verification_release(const struct verification *v); /* NULL is fine */

#endif
