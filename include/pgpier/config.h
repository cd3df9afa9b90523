// SPDX-License-Identifier: PostgreSQL
/* Peers and mirrors as they are written down: the hand-written pgpier.conf, and peers.conf and
 * mirrors.conf beside it, which the console writes. Plain data; nothing here opens a connection.
 * All functions are safe from any thread on distinct objects. */
#ifndef PGPIER_CONFIG_H
#define PGPIER_CONFIG_H

#include <pgpier/base.h>
#include <pgpier/error.h>

enum chunking { CHUNKING_AUTO, CHUNKING_NTILE, CHUNKING_CTID };
enum transfer { TRANSFER_AUTO, TRANSFER_COPY, TRANSFER_FETCH };
enum schema_mode { SCHEMA_TABLES, SCHEMA_NONE, SCHEMA_DATABASE };
enum owners { OWNERS_KEEP, OWNERS_MAP, OWNERS_NONE };
/* How writers are kept out of the source at a cutover: by pgpier, or by somebody who then says so. */
enum freeze { FREEZE_FENCE, FREEZE_WAIT };
/* Mirrors that ran when pgpier ended: does it ask whether they go on? */
enum resume { RESUME_ASK, RESUME_AUTO };
/* What a cutover compares by checksum at its end: the tables that came changes for since all of them were proven
 * equal (the others are counted), or all. */
enum final_verify { FINAL_VERIFY_CHANGED, FINAL_VERIFY_ALL };
enum existing_rows { EXISTING_REFUSE, EXISTING_TRUNCATE, EXISTING_APPEND };

/* The names of those values in configuration files and on screens, in the order of the enums. */
extern const char *const chunking_names[];      /* auto ntile ctid */
extern const char *const transfer_names[];      /* auto copy fetch */
extern const char *const schema_mode_names[];   /* tables none database */
extern const char *const existing_rows_names[]; /* refuse truncate append */
extern const char *const freeze_names[];        /* fence wait */
extern const char *const final_verify_names[];  /* changed all */
extern const char *const owners_names[];        /* keep map none */
extern const char *const resume_names[];        /* ask auto */

/* A saved connection to one database. Strings are owned; NULL and 0 mean "not given, libpq decides". */
struct peer_config {
	char *name;
	char *conninfo; /* any libpq string or URI; excludes the fields below but password_command */
	char *host;
	int port;
	char *dbname;
	char *user;
	char *password;
	char *password_command;
	char *passfile;
	char *service;
	char *sslmode;
	char *sslrootcert;
	char *sslcert;
	char *sslkey;
	char *options;
	char *pgbouncer;          /* conninfo of the admin console of a PgBouncer in front of it; NULL none */
	char *pgbouncer_database; /* as that PgBouncer calls it; NULL: dbname */
	int connect_timeout; /* seconds; 0 = 10 */
	bool ask_password;   /* "ask": password is kept in memory and never written */
	bool editable;       /* lives in peers.conf, so the console may change it */
};

/* A column that gets another name. */
struct column_map {
	char *source;
	char *target;
};

struct table_map {
	char *source; /* schema.table, as unquoted text */
	char *target; /* NULL: the same */
	struct column_map *columns;
	size_t column_count;
};

struct role_map {
	char *source; /* a role of the source */
	char *target; /* the role that owns and may there what it does here */
};

/* One migration. Patterns are shell patterns on schema.table. */
struct mirror_config {
	char *name;
	char *source; /* peer names */
	char *target;
	struct strings tables; /* empty = none */
	struct strings exclude;
	struct strings columns_exclude; /* schema.table.column */
	struct table_map *map;
	size_t map_count;
	bool continuous;
	bool soft_delete;         /* a DELETE sets is_deleted_column instead */
	bool sync_columns;        /* tables get synced_at_column and is_deleted_column */
	char *synced_at_column;   /* default _pgpier_synced_at */
	char *is_deleted_column;  /* default _pgpier_is_deleted */
	char *publication, *slot; /* default NULL: pgpier_ and the mirror's name, cut and cleaned */
	int batch_size;           /* changes gathered into one target transaction in a backlog */
	int sync_interval_ms;     /* least time between two commits on the target; 0: at once */
	double caught_up_s;       /* lag under which the mirror counts as caught up */
	char *alert_command;      /* run by /bin/sh, gets one JSON object on stdin; NULL none */
	double alert_lag_s;       /* lag that is worth an alert; 0 never */
	int64_t alert_retained_mb; /* WAL kept by the slot that is worth an alert (10^6 bytes); 0 never */
	enum schema_mode schema;
	enum owners owners; /* of what is made from a dump: map: by roles_map, the others as they are */
	struct role_map *roles_map;
	size_t role_map_count;
	bool publications;          /* those of the source are made on the target as well */
	char *pg_bindir;            /* where pg_dump and pg_restore are; NULL: the newest that is found */
	char *maintenance_work_mem; /* of a session that builds keys and indexes; NULL: what fits the server */
	int build_workers;          /* parallel workers of one build; negative: as the server has it */
	enum existing_rows on_existing_rows;
	int64_t rows_per_chunk;
	int workers;
	int tables_in_parallel;
	enum chunking chunking;
	enum transfer transfer;
	int rate_limit_mb; /* MB/s (10^6 bytes); 0 = none */
	/* Cutover. Commands are run by /bin/sh; src/cutover/hook.h says what they find in their environment. */
	enum freeze freeze;
	char *freeze_command;   /* first: stops the application, or what is in front of it; NULL none */
	char *unfreeze_command; /* undoes that */
	char *open_command;     /* moves the application to the target */
	struct strings allow;   /* roles that a fence lets stay connected */
	enum final_verify cutover_verify;
	int cutover_limit_s;    /* then a cutover undoes itself */
	char *reverse_of;       /* this mirror is the way back of that one; NULL: it is none */
	bool finished;          /* it was cut over and finished: its target has the application, and it never runs again */
	bool editable;     /* lives in mirrors.conf */
};

struct config {
	enum resume resume;
	char *pg_bindir; /* of mirrors that name none */
	char *directory; /* where peers.conf and mirrors.conf go */
	struct peer_config *peers;
	size_t peer_count;
	struct mirror_config *mirrors;
	size_t mirror_count;
};

/* Everything that is wrong, one line each, with file and line: "pgpier.conf:12: ...". */
struct config_problems {
	struct strings lines;
};

/* Reads path (NULL: $XDG_CONFIG_HOME/pgpier/pgpier.conf, which may be absent) and the peers.conf and
 * mirrors.conf in its folder. NULL and at least one problem when anything is wrong. */
struct config *config_load(const char *path, struct config_problems *problems) MUST_CHECK;
void config_free(struct config *c);
void config_problems_free(struct config_problems *p);

/* Writes the editable peers / mirrors of c to peers.conf / mirrors.conf: temporary file, fsync,
 * rename, mode 0600. On failure the old file is untouched. */
bool config_save_peers(const struct config *c, struct error *e) MUST_CHECK;
bool config_save_mirrors(const struct config *c, struct error *e) MUST_CHECK;

struct peer_config *config_find_peer(const struct config *c, const char *name); /* borrowed or NULL */
struct mirror_config *config_find_mirror(const struct config *c, const char *name);
/* Adds, or replaces the one of the same name; takes the contents of *p / *m and zeroes it. */
void config_put_peer(struct config *c, struct peer_config *p);
void config_put_mirror(struct config *c, struct mirror_config *m);
void config_remove_peer(struct config *c, const char *name);
void config_remove_mirror(struct config *c, const char *name);

void peer_config_copy(struct peer_config *dst, const struct peer_config *src);
void peer_config_free(struct peer_config *p); /* wipes secrets; the struct itself is the caller's */
void mirror_config_defaults(struct mirror_config *m); /* zeroes and sets the documented defaults */
void mirror_config_copy(struct mirror_config *dst, const struct mirror_config *src);
void mirror_config_free(struct mirror_config *m);

/* What a form needs: is this one acceptable by itself (names, ranges, exclusions)? Not whether the
 * names it uses exist. The error's text names the field. */
bool peer_config_check(const struct peer_config *p, struct error *e) MUST_CHECK;
bool mirror_config_check(const struct mirror_config *m, struct error *e) MUST_CHECK;
/* On the source: what the configuration says, or pgpier_ and the mirror's name in lower case, every other
 * character an underscore, cut to 63 bytes. */
void mirror_slot_name(const struct mirror_config *m, char out[NAME_SIZE]);
void mirror_publication_name(const struct mirror_config *m, char out[NAME_SIZE]);
/* Letters, digits, _ - . ; 1 to 63 of them; not starting with a dash or dot. */
bool config_name_ok(const char *name);

#endif
