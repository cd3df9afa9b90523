// SPDX-License-Identifier: PostgreSQL
/* The write side: everything a person can ask of the engine. A command is a value; its outcome comes back
 * through the model under the ticket that engine_submit() returned. */
#ifndef PGPIER_COMMAND_H
#define PGPIER_COMMAND_H

#include <pgpier/config.h>
#include <pgpier/verify.h>

enum command_kind {
	COMMAND_PEER_PROBE, /* name; all peers when empty. Refreshes the list */
	COMMAND_PEER_TEST,  /* peer: a configuration that need not be saved. outcome.probe */
	COMMAND_PEER_SAVE,  /* peer: created, or replaces the one of its name; written to peers.conf */
	COMMAND_PEER_DROP,  /* name; refused while a mirror uses it */
	COMMAND_PEER_PASSWORD, /* name, peer->password: of one that asks; kept in memory only */
	COMMAND_PEER_WATCH, /* name; its activity is sampled once a second for the next 5 s */
	COMMAND_CATALOG,    /* name of a peer. outcome.catalog */

	COMMAND_MIRROR_CHECK,  /* mirror: need not be saved; or name. outcome.preflight */
	COMMAND_MIRROR_SAVE,   /* mirror: written to mirrors.conf */
	COMMAND_MIRROR_RUN,    /* name: start, or go on where it stood. Done when it runs */
	COMMAND_MIRROR_PAUSE,  /* name. Done when nothing of it runs any more */
	COMMAND_MIRROR_RETRY,  /* name: failed tables are queued again */
	COMMAND_MIRROR_DROP,   /* name: removes what pgpier made for it but the copied tables */
	COMMAND_MIRROR_TUNE,   /* name, workers / tables_in_parallel / rate_limit_mb; negative leaves as it is */
	COMMAND_MIRROR_TABLES, /* name, mirror->tables, exclude, columns_exclude and map replace those of the mirror,
	                        * which may be replicating: new tables get a snapshot of their own, those that
	                        * left keep their rows on the target */
	COMMAND_TABLE_RESYNC, /* name, table: emptied on the target and loaded anew, while the others go on */
	COMMAND_MIRROR_REFRESH, /* name, all when empty: reads its state from the target's pgpier schema */

	COMMAND_COMPARE_SETTINGS, /* name and other: peers, source first. outcome.comparison */
	COMMAND_COMPARE_ROLES,    /* name of a mirror. outcome.comparison */
	COMMAND_APPLY_ROLES,      /* the same, and what applies is run on the target first */
	COMMAND_COMPARE_SCHEMA,   /* name of a mirror. outcome.comparison */
	COMMAND_SCRIPT,           /* name of a mirror, path: a folder that is made and filled with the mirror as scripts.
	                           * outcome.preflight: plan has the files, findings what they don't do */

	/* name, level, sample, table: that one alone, all when empty; repair: of what differs and only that, when
	 * the mirror does not run. Progress by model_verify(). outcome.verification */
	COMMAND_VERIFY,

	COMMAND_LEFT_RESUME, /* those of engine_left() go on, as soon as their passwords are known */
	COMMAND_LEFT_FORGET, /* they stay as they are */

	COMMAND_GATES,   /* name: the checklist is measured. model_gates() */
	/* name: the mirror's application goes over to its target; dry_run: a rehearsal. Over with the cutover itself;
	 * progress by model_cutover(). One that was interrupted goes on. Cancelled: it undoes what it did */
	COMMAND_CUTOVER,
	COMMAND_CUTOVER_GO,   /* name: the writers are stopped */
	COMMAND_CUTOVER_UNDO, /* name: of one that is under way, or was interrupted */
	/* name of a mirror that was cut over: nobody wants to go back any more. What pgpier made on both servers but
	 * the tables is dropped; model_cutover()->remains says what is left */
	COMMAND_FINISH,

	COMMAND_CANCEL, /* ticket of a running COMMAND_PEER_TEST, _CATALOG, _MIRROR_CHECK, _COMPARE_*, _SCRIPT,
	                 * _VERIFY, _GATES or _CUTOVER */
};

struct command {
	enum command_kind kind;
	char name[NAME_SIZE];
	struct peer_config *peer;     /* owned by the command */
	struct mirror_config *mirror; /* owned by the command */
	int workers, tables_in_parallel, rate_limit_mb;
	char table[2 * NAME_SIZE]; /* schema.name on the source */
	char other[NAME_SIZE];     /* the second peer of a comparison */
	char *path;                /* owned by the command */
	enum verify_level level;
	int64_t sample; /* rows a table, of VERIFY_SAMPLE */
	bool repair;
	bool dry_run;
	uint64_t ticket; /* of COMMAND_CANCEL; that of any other is its own, and the engine's to set */
};

#endif
